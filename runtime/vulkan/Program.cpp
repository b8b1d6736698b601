#include "vulkan/Program.h"

#include <algorithm>
#include <cstring>

using namespace fovea;
using namespace fovea::vulkan;

Program::Program(std::shared_ptr<Device> device, const Artifact &artifact)
    : onDevice(std::move(device)), weightBuffer(*onDevice, DeviceBuffer::local) {
  const auto *shaders = artifact.manifest().shaders();
  for (uint32_t i = 0; shaders && i < shaders->size(); ++i) {
    Pipeline &pipeline = pipelines.emplace_back();
    pipeline.shader = shaders->Get(i);
    pipeline.code = artifact.bytes(*artifact.shaders()).subspan(pipeline.shader->offset(), pipeline.shader->size());
  }
  if (const artifact::Section *weights = artifact.weights())
    uploadWeights(artifact.bytes(*weights));
}

Program::~Program() {
  for (Pipeline &pipeline : pipelines)
    destroy(pipeline);
}

void Program::destroy(Pipeline &pipeline) const {
  const VkDevice device = onDevice->handle();
  onDevice->vk.vkDestroyPipeline(device, pipeline.pipeline, nullptr);
  onDevice->vk.vkDestroyPipelineLayout(device, pipeline.layout, nullptr);
  onDevice->vk.vkDestroyDescriptorSetLayout(device, pipeline.bindings, nullptr);
  pipeline.pipeline = VK_NULL_HANDLE, pipeline.layout = VK_NULL_HANDLE, pipeline.bindings = VK_NULL_HANDLE;
}

void Program::uploadWeights(std::span<const std::byte> bytes) {
  if (bytes.empty())
    return;
  weightBuffer.reserve((bytes.size() + 3) / 4 * 4);
  onDevice->upload(bytes, weightBuffer.handle(), 0);
}

void Program::checkLimits(const artifact::Shader &shader) const {
  const DeviceInfo &device = onDevice->info();
  auto need = [&](bool offered, const auto &...what) {
    if (!offered)
      fail(FOVEA_UNSUPPORTED, "kernel ", quoted(shader.name()->string_view()), " needs ", what..., ", which ",
           quoted(device.name), " does not offer");
  };
  need(device.offers("shaderInt64") || !shader.int64(), "64-bit integers (shaderInt64)");
  need(device.offers("shaderFloat64") || !shader.float64(), "f64 (shaderFloat64)");
  need(shader.group_size() <=
           std::min(device.limits.maxComputeWorkGroupInvocations, device.limits.maxComputeWorkGroupSize[0]),
       "workgroups of ", shader.group_size(), " invocations (maxComputeWorkGroupInvocations is ",
       device.limits.maxComputeWorkGroupInvocations, ")");
  need(shader.shared_bytes() <= device.limits.maxComputeSharedMemorySize, shader.shared_bytes(),
       " bytes of shared memory (maxComputeSharedMemorySize is ", device.limits.maxComputeSharedMemorySize, ")");
  need(!shader.subgroup_size() ||
           (device.offers("subgroupSizeControl") && device.offers("computeFullSubgroups") &&
            shader.subgroup_size() >= device.leastSubgroup && shader.subgroup_size() <= device.mostSubgroup),
       "subgroups of ", shader.subgroup_size());
  const uint32_t bindings = shader.bindings() ? shader.bindings()->size() : 0;
  need(bindings <=
           std::min(device.limits.maxPerStageDescriptorStorageBuffers, device.limits.maxDescriptorSetStorageBuffers),
       bindings, " storage buffers");
}

const Pipeline &Program::pipeline(uint32_t shader) const {
  const std::lock_guard lock(mutex);
  Pipeline &pipeline = pipelines[shader];
  if (!pipeline.pipeline) {
    checkLimits(*pipeline.shader);
    try {
      build(pipeline);
    } catch (...) {
      destroy(pipeline);
      throw;
    }
  }
  return pipeline;
}

void Program::build(Pipeline &pipeline) const {
  const VolkDeviceTable &vk = onDevice->vk;
  const VkDevice device = onDevice->handle();
  const std::string what = text("kernel ", quoted(pipeline.shader->name()->string_view()));
  std::vector<VkDescriptorSetLayoutBinding> bindings;
  for (uint32_t i = 0; pipeline.shader->bindings() && i < pipeline.shader->bindings()->size(); ++i)
    bindings.push_back({i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
  VkDescriptorSetLayoutCreateInfo setInfo = {};
  setInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  setInfo.bindingCount = static_cast<uint32_t>(bindings.size());
  setInfo.pBindings = bindings.data();
  check(vk.vkCreateDescriptorSetLayout(device, &setInfo, nullptr, &pipeline.bindings), what.c_str());
  const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, artifact::PUSH_WORDS * sizeof(uint32_t)};
  VkPipelineLayoutCreateInfo layout = {};
  layout.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  layout.setLayoutCount = 1;
  layout.pSetLayouts = &pipeline.bindings;
  layout.pushConstantRangeCount = 1;
  layout.pPushConstantRanges = &push;
  check(vk.vkCreatePipelineLayout(device, &layout, nullptr, &pipeline.layout), what.c_str());
  VkShaderModuleCreateInfo moduleInfo = {};
  moduleInfo.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  moduleInfo.codeSize = pipeline.code.size();
  moduleInfo.pCode = reinterpret_cast<const uint32_t *>(pipeline.code.data());
  VkShaderModule module = VK_NULL_HANDLE;
  check(vk.vkCreateShaderModule(device, &moduleInfo, nullptr, &module), what.c_str());
  VkComputePipelineCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = pipeline.shader->name()->c_str();
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {};
  subgroup.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
  subgroup.requiredSubgroupSize = pipeline.shader->subgroup_size();
  if (subgroup.requiredSubgroupSize) {
    info.stage.pNext = &subgroup;
    info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
  }
  info.layout = pipeline.layout;
  const VkResult result =
      vk.vkCreateComputePipelines(device, onDevice->pipelineCache(), 1, &info, nullptr, &pipeline.pipeline);
  vk.vkDestroyShaderModule(device, module, nullptr);
  check(result, what.c_str());
}
