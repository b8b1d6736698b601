#include "vulkan/Run.h"

#include <algorithm>
#include <cstring>

using namespace fovea;
using namespace fovea::vulkan;

// Tensors start where every device can bind them.
static constexpr uint64_t ALIGNMENT = 256;
static constexpr uint64_t FAULT_BYTES = 8;
// Bindings that are none of the kernel's buffers.
static constexpr uint8_t FAULT_BINDING = 254, WORKSPACE_BINDING = 255;
// Workgroups along x; the rest goes along y. Both are below what each device offers (65535).
static constexpr uint32_t GROUPS_ALONG_X = 32768;

// Far from each other and from null; no object of this process needs to lie there.
static char *const ARENA = reinterpret_cast<char *>(uintptr_t(1) << 60);
static char *const WEIGHTS = reinterpret_cast<char *>(uintptr_t(1) << 61);

static uint64_t aligned(uint64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

Run::Run(std::shared_ptr<const Program> shared)
    : program(std::move(shared)), device(program->device()), memory(device, DeviceBuffer::local),
      workspace(device, DeviceBuffer::local), staging(device, DeviceBuffer::staging) {}

Run::~Run() { releaseRecording(); }

void Run::releaseRecording() {
  const VolkDeviceTable &vk = device.vk;
  vk.vkDestroyCommandPool(device.handle(), commandPool, nullptr);
  vk.vkDestroyDescriptorPool(device.handle(), descriptorPool, nullptr);
  vk.vkDestroyQueryPool(device.handle(), queryPool, nullptr);
  commandPool = VK_NULL_HANDLE, descriptorPool = VK_NULL_HANDLE, queryPool = VK_NULL_HANDLE;
  recorded = false;
}

void Run::begin(size_t arenaBytes, std::span<const size_t> inputSizes, std::span<const size_t> outputSizes,
                bool withTimes) {
  releaseRecording();
  launches.clear();
  timed = withTimes;
  inputBytes.assign(inputSizes.begin(), inputSizes.end());
  outputBytes.assign(outputSizes.begin(), outputSizes.end());
  uint64_t at = aligned(std::max<uint64_t>(arenaBytes, 1));
  auto place = [&](std::span<const size_t> sizes, std::vector<uint64_t> &offsets) {
    offsets.clear();
    for (const size_t bytes : sizes) {
      offsets.push_back(at);
      at += aligned(std::max<uint64_t>(bytes, 1));
    }
  };
  place(inputSizes, inputAt);
  place(outputSizes, outputAt);
  faultAt = at;
  end_ = at + ALIGNMENT;
}

char *Run::arena() const { return ARENA; }
char *Run::weights() const { return WEIGHTS; }
void *Run::input(size_t number) const { return ARENA + inputAt[number]; }
void *Run::output(size_t number) const { return ARENA + outputAt[number]; }

// A window has at least a word, also of a tensor without elements.
Run::Range Run::rangeOf(const void *address, uint64_t bytes) const {
  const bool isWeight = address >= WEIGHTS;
  const uint64_t offset = static_cast<uint64_t>(static_cast<const char *>(address) - (isWeight ? WEIGHTS : ARENA));
  return {isWeight ? program->weights() : VkBuffer(VK_NULL_HANDLE), offset, std::max<uint64_t>((bytes + 3) / 4 * 4, 4)};
}

void Run::launch(uint32_t number, void *const *buffers, const int64_t *scalars, int64_t tasks, int64_t workspaceBytes) {
  if (number >= program->shaderCount())
    fail(FOVEA_INTERNAL, "launch of shader ", number, " of ", program->shaderCount());
  if (tasks == 0)
    return;
  const artifact::Shader &shader = *program->pipeline(number).shader;
  const std::string name = quoted(shader.name()->string_view());
  Launch launch = {};
  launch.shader = number;
  const uint64_t limit = device.info().limits.maxStorageBufferRange;
  const uint32_t symbols = shader.symbols(), count = shader.buffers();
  auto asWord = [&](int64_t value, const char *what) {
    if (value < 0 || value > INT32_MAX)
      fail(FOVEA_UNSUPPORTED, "kernel ", name, ": ", what, " of ", value, " is more than 32 bits can address");
    return static_cast<uint32_t>(value);
  };
  const uint64_t workspaceWords = (static_cast<uint64_t>(workspaceBytes) + 3) / 4;
  launch.push[0] = asWord(tasks, "a number of tasks");
  launch.push[1] = static_cast<uint32_t>(workspaceWords);
  for (uint32_t i = 0; i < symbols && i + 2 < PUSH_WORDS; ++i)
    launch.push[2 + i] = asWord(scalars[i], "a size");
  const uint64_t groups = (static_cast<uint64_t>(tasks) + shader.tasks_of_group() - 1) / shader.tasks_of_group();
  launch.groups = static_cast<uint32_t>(groups);
  for (const uint8_t binding : *shader.bindings()) {
    Range range = {VK_NULL_HANDLE, faultAt, FAULT_BYTES};
    bool writes = true;
    if (binding == WORKSPACE_BINDING) {
      launch.workspaceBytes = workspaceWords * 4 * groups * shader.tasks_of_group();
      range = {VK_NULL_HANDLE, UINT64_MAX, std::max<uint64_t>(launch.workspaceBytes, 4)};
    } else if (binding != FAULT_BINDING) {
      if (binding >= count)
        fail(FOVEA_INTERNAL, "kernel ", name, " binds buffer ", static_cast<int>(binding), " of ", count);
      range = rangeOf(buffers[binding], static_cast<uint64_t>(scalars[symbols + binding]));
      writes = binding >= count - shader.inits();
    }
    if (range.bytes > limit)
      fail(FOVEA_UNSUPPORTED, "kernel ", name, ": a tensor of ", range.bytes, " bytes, and ",
           quoted(device.info().name), " binds ", limit, " at most (maxStorageBufferRange)");
    launch.bindings.push_back(range);
    launch.reads.push_back(range);
    if (writes)
      launch.writes.push_back(range);
  }
  launches.push_back(std::move(launch));
}

void Run::end() {
  uint64_t most = 4;
  for (const Launch &launch : launches)
    most = std::max(most, launch.workspaceBytes);
  memory.reserve(end_);
  workspace.reserve(most);
  staging.reserve(end_ - (inputAt.empty() ? outputAt.empty() ? faultAt : outputAt[0] : inputAt[0]));
  // Places become those of the buffers there are now.
  for (Launch &launch : launches)
    for (std::vector<Range> *ranges : {&launch.bindings, &launch.reads, &launch.writes})
      for (Range &range : *ranges)
        if (!range.buffer) {
          const bool isWorkspace = range.offset == UINT64_MAX;
          range.buffer = isWorkspace ? workspace.handle() : memory.handle();
          range.offset = isWorkspace ? 0 : range.offset;
        }
  try {
    record();
  } catch (...) {
    releaseRecording();
    throw;
  }
  recorded = true;
}

// Waits for those earlier launches that wrote what this one touches, or read what it writes; for no more than these
// ranges.
void Run::barrier(const Launch &launch, std::vector<Range> &written, std::vector<Range> &read) {
  std::vector<VkBufferMemoryBarrier> barriers;
  auto add = [&](const Range &range, VkAccessFlags before) {
    VkBufferMemoryBarrier barrier = {};
    barrier.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER;
    barrier.srcAccessMask = before;
    barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.buffer = range.buffer, barrier.offset = range.offset, barrier.size = range.bytes;
    barriers.push_back(barrier);
  };
  auto touches = [](const std::vector<Range> &ranges, const Range &one) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const Range &range) { return range.overlaps(one); });
  };
  std::erase_if(written, [&](const Range &range) {
    const bool hit = touches(launch.reads, range) || touches(launch.writes, range);
    if (hit)
      add(range, VK_ACCESS_SHADER_WRITE_BIT);
    return hit;
  });
  const bool afterReads =
      std::any_of(read.begin(), read.end(), [&](const Range &range) { return touches(launch.writes, range); });
  if (barriers.empty() && !afterReads)
    return;
  read.clear(); // execution is ordered for all of them
  device.vk.vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                 0, 0, nullptr, static_cast<uint32_t>(barriers.size()), barriers.data(), 0, nullptr);
}

void Run::record() {
  const VolkDeviceTable &vk = device.vk;
  const VkDevice handle = device.handle();
  constexpr const char *what = "commands cannot be recorded";
  VkCommandPoolCreateInfo poolInfo = {};
  poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  poolInfo.queueFamilyIndex = device.info().queueFamily;
  check(vk.vkCreateCommandPool(handle, &poolInfo, nullptr, &commandPool), what);
  VkCommandBufferAllocateInfo allocate = {};
  allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  allocate.commandPool = commandPool;
  allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  allocate.commandBufferCount = 1;
  check(vk.vkAllocateCommandBuffers(handle, &allocate, &commands), what);
  uint32_t descriptors = 1;
  for (const Launch &launch : launches)
    descriptors += static_cast<uint32_t>(launch.bindings.size());
  const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptors};
  VkDescriptorPoolCreateInfo descriptorInfo = {};
  descriptorInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  descriptorInfo.maxSets = static_cast<uint32_t>(launches.size()) + 1;
  descriptorInfo.poolSizeCount = 1;
  descriptorInfo.pPoolSizes = &size;
  check(vk.vkCreateDescriptorPool(handle, &descriptorInfo, nullptr, &descriptorPool), what);
  if (timed) {
    VkQueryPoolCreateInfo queries = {};
    queries.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
    queries.queryCount = static_cast<uint32_t>(launches.size()) * 2 + 1;
    check(vk.vkCreateQueryPool(handle, &queries, nullptr, &queryPool), what);
  }
  VkCommandBufferBeginInfo begin = {};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  check(vk.vkBeginCommandBuffer(commands, &begin), what);
  if (timed)
    vk.vkCmdResetQueryPool(commands, queryPool, 0, static_cast<uint32_t>(launches.size()) * 2 + 1);

  const uint64_t outputsFrom = outputAt.empty() ? faultAt : outputAt[0],
                 inputsFrom = inputAt.empty() ? outputsFrom : inputAt[0];
  auto order = [&](VkPipelineStageFlags from, VkAccessFlags fromAccess, VkPipelineStageFlags to,
                   VkAccessFlags toAccess) {
    VkMemoryBarrier barrier = {};
    barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    barrier.srcAccessMask = fromAccess, barrier.dstAccessMask = toAccess;
    vk.vkCmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
  };
  if (inputsFrom < outputsFrom) {
    const VkBufferCopy copy = {0, inputsFrom, outputsFrom - inputsFrom};
    vk.vkCmdCopyBuffer(commands, staging.handle(), memory.handle(), 1, &copy);
  }
  vk.vkCmdFillBuffer(commands, memory.handle(), faultAt, FAULT_BYTES, 0);
  order(VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
        VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);

  std::vector<Range> written, read;
  for (size_t i = 0; i < launches.size(); ++i) {
    const Launch &launch = launches[i];
    const Pipeline &pipeline = program->pipeline(launch.shader);
    VkDescriptorSetAllocateInfo setInfo = {};
    setInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    setInfo.descriptorPool = descriptorPool;
    setInfo.descriptorSetCount = 1;
    setInfo.pSetLayouts = &pipeline.bindings;
    VkDescriptorSet set = VK_NULL_HANDLE;
    check(vk.vkAllocateDescriptorSets(handle, &setInfo, &set), what);
    std::vector<VkDescriptorBufferInfo> windows;
    for (const Range &range : launch.bindings)
      windows.push_back({range.buffer, range.offset, range.bytes});
    std::vector<VkWriteDescriptorSet> writes(windows.size());
    for (uint32_t b = 0; b < windows.size(); ++b) {
      writes[b].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
      writes[b].dstSet = set;
      writes[b].dstBinding = b;
      writes[b].descriptorCount = 1;
      writes[b].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
      writes[b].pBufferInfo = &windows[b];
    }
    vk.vkUpdateDescriptorSets(handle, static_cast<uint32_t>(writes.size()), writes.data(), 0, nullptr);
    barrier(launch, written, read);
    vk.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.pipeline);
    vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &set, 0, nullptr);
    vk.vkCmdPushConstants(commands, pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(launch.push), launch.push);
    const uint32_t x = std::min(launch.groups, GROUPS_ALONG_X), y = (launch.groups + x - 1) / x;
    if (timed)
      vk.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, queryPool, static_cast<uint32_t>(2 * i));
    vk.vkCmdDispatch(commands, x, y, 1);
    if (timed)
      vk.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, queryPool,
                             static_cast<uint32_t>(2 * i + 1));
    written.insert(written.end(), launch.writes.begin(), launch.writes.end());
    read.insert(read.end(), launch.reads.begin(), launch.reads.end());
  }
  order(VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
        VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
        VK_ACCESS_TRANSFER_READ_BIT);
  const VkBufferCopy back = {outputsFrom, outputsFrom - inputsFrom, faultAt + FAULT_BYTES - outputsFrom};
  vk.vkCmdCopyBuffer(commands, memory.handle(), staging.handle(), 1, &back);
  order(VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
        VK_ACCESS_HOST_READ_BIT);
  check(vk.vkEndCommandBuffer(commands), what);
}

int64_t Run::execute(std::span<const void *const> inputs, std::span<void *const> outputs) {
  const uint64_t outputsFrom = outputAt.empty() ? faultAt : outputAt[0],
                 inputsFrom = inputAt.empty() ? outputsFrom : inputAt[0];
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputBytes[i])
      std::memcpy(staging.data() + (inputAt[i] - inputsFrom), inputs[i], inputBytes[i]);
  device.run(commands);
  for (size_t i = 0; i < outputs.size(); ++i)
    if (outputBytes[i])
      std::memcpy(outputs[i], staging.data() + (outputAt[i] - inputsFrom), outputBytes[i]);
  int64_t fault;
  std::memcpy(&fault, staging.data() + (faultAt - inputsFrom), sizeof(fault));
  return fault;
}

std::vector<uint64_t> Run::times() const {
  std::vector<uint64_t> ticks(launches.size() * 2), times;
  if (!timed || ticks.empty())
    return times;
  check(device.vk.vkGetQueryPoolResults(device.handle(), queryPool, 0, static_cast<uint32_t>(ticks.size()),
                                        ticks.size() * sizeof(uint64_t), ticks.data(), sizeof(uint64_t),
                                        VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
        "times cannot be read");
  for (size_t i = 0; i < launches.size(); ++i)
    times.push_back(
        static_cast<uint64_t>(static_cast<double>(ticks[2 * i + 1] - ticks[2 * i]) * device.info().nanosecondsPerTick));
  return times;
}
