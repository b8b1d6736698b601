#include "vulkan/Recording.h"

#include <algorithm>

using namespace fovea;
using namespace fovea::vulkan;

// What vkCmdUpdateBuffer takes at once.
static constexpr size_t UPDATE_WORDS = 16384;
static constexpr const char *CANNOT_RECORD = "commands cannot be recorded";

Recording::Recording(const Program &program, Layout layout, bool timed)
    : program(program), device(program.device()), places(std::move(layout)), timed(timed),
      stamped(timed && device.info().timestampMask != 0) {}

Recording::~Recording() {
  const VolkDeviceTable &vk = device.vk;
  vk.vkDestroyCommandPool(device.handle(), commandPool, nullptr);
  vk.vkDestroyDescriptorPool(device.handle(), descriptorPool, nullptr);
  vk.vkDestroyQueryPool(device.handle(), queryPool, nullptr);
}

VkBuffer Recording::bufferOf(const Range &range) const {
  return range.where == Range::run         ? memory->run.handle()
         : range.where == Range::workspace ? memory->workspace.handle()
                                           : program.weights();
}

// Waits for those earlier launches that wrote what this one touches, or read what it writes; for no more than these
// ranges.
void Recording::barrier(const Launch &launch) {
  std::vector<VkBufferMemoryBarrier> barriers;
  auto touches = [](const std::vector<Range> &ranges, const Range &one) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const Range &range) { return range.overlaps(one); });
  };
  std::erase_if(written, [&](const Range &range) {
    const bool hit = touches(launch.reads, range) || touches(launch.writes, range);
    if (hit) {
      VkBufferMemoryBarrier barrier = {};
      barrier.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER;
      barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
      barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
      barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
      barrier.buffer = bufferOf(range), barrier.offset = range.offset, barrier.size = range.bytes;
      barriers.push_back(barrier);
    }
    return hit;
  });
  const bool afterReads =
      std::any_of(read.begin(), read.end(), [&](const Range &range) { return touches(launch.writes, range); });
  if (barriers.empty() && !afterReads)
    return;
  read.clear(); // execution is ordered for all of them
  device.vk.vkCmdPipelineBarrier(commandBuffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                 VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 0, nullptr,
                                 static_cast<uint32_t>(barriers.size()), barriers.data(), 0, nullptr);
}

void Recording::order(VkPipelineStageFlags from, VkAccessFlags fromAccess, VkPipelineStageFlags to,
                      VkAccessFlags toAccess) {
  VkMemoryBarrier barrier = {};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = fromAccess, barrier.dstAccessMask = toAccess;
  device.vk.vkCmdPipelineBarrier(commandBuffer, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

void Recording::makePools() {
  const VolkDeviceTable &vk = device.vk;
  const VkDevice handle = device.handle();
  VkCommandPoolCreateInfo poolInfo = {};
  poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  poolInfo.queueFamilyIndex = device.info().queueFamily;
  check(vk.vkCreateCommandPool(handle, &poolInfo, nullptr, &commandPool), CANNOT_RECORD);
  VkCommandBufferAllocateInfo allocate = {};
  allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  allocate.commandPool = commandPool;
  allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  allocate.commandBufferCount = 1;
  check(vk.vkAllocateCommandBuffers(handle, &allocate, &commandBuffer), CANNOT_RECORD);
  uint32_t descriptors = 1;
  for (const Launch &launch : launches)
    descriptors += static_cast<uint32_t>(launch.bindings.size());
  const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptors};
  VkDescriptorPoolCreateInfo descriptorInfo = {};
  descriptorInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  descriptorInfo.maxSets = static_cast<uint32_t>(launches.size()) + 1;
  descriptorInfo.poolSizeCount = 1;
  descriptorInfo.pPoolSizes = &size;
  check(vk.vkCreateDescriptorPool(handle, &descriptorInfo, nullptr, &descriptorPool), CANNOT_RECORD);
  if (!stamped)
    return;
  VkQueryPoolCreateInfo queries = {};
  queries.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
  queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
  queries.queryCount = static_cast<uint32_t>(launches.size()) * 2 + 1;
  check(vk.vkCreateQueryPool(handle, &queries, nullptr, &queryPool), CANNOT_RECORD);
}

void Recording::copyIn() {
  const VolkDeviceTable &vk = device.vk;
  const VkBuffer run = memory->run.handle();
  if (places.inputsFrom < places.inputsTo) {
    const VkBufferCopy copy = {0, places.inputsFrom, places.inputsTo - places.inputsFrom};
    vk.vkCmdCopyBuffer(commandBuffer, memory->staging.handle(), run, 1, &copy);
  }
  vk.vkCmdFillBuffer(commandBuffer, run, places.faultAt, sizeof(int64_t), 0);
  for (size_t at = 0; at < words.size(); at += UPDATE_WORDS)
    vk.vkCmdUpdateBuffer(commandBuffer, run, places.wordsAt + at * sizeof(uint32_t),
                         std::min(UPDATE_WORDS, words.size() - at) * sizeof(uint32_t), words.data() + at);
  // What is kept was written by the run before.
  order(VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
        VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
        VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

void Recording::copyOut() {
  order(VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
        VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
        VK_ACCESS_TRANSFER_READ_BIT);
  const VkBufferCopy back = {places.outputsFrom, places.outputsFrom - places.inputsFrom,
                             places.wordsAt - places.outputsFrom};
  device.vk.vkCmdCopyBuffer(commandBuffer, memory->run.handle(), memory->staging.handle(), 1, &back);
  order(VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
        VK_ACCESS_HOST_READ_BIT);
}

void Recording::recordLaunch(const Launch &launch, uint32_t number) {
  const VolkDeviceTable &vk = device.vk;
  const Pipeline &pipeline = program.pipeline(launch.shader);
  VkDescriptorSetAllocateInfo setInfo = {};
  setInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  setInfo.descriptorPool = descriptorPool;
  setInfo.descriptorSetCount = 1;
  setInfo.pSetLayouts = &pipeline.bindings;
  VkDescriptorSet set = VK_NULL_HANDLE;
  check(vk.vkAllocateDescriptorSets(device.handle(), &setInfo, &set), CANNOT_RECORD);
  std::vector<VkDescriptorBufferInfo> windows;
  for (const Range &range : launch.bindings)
    windows.push_back({bufferOf(range), range.offset, range.bytes});
  std::vector<VkWriteDescriptorSet> writes(windows.size());
  for (uint32_t b = 0; b < windows.size(); ++b) {
    writes[b].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    writes[b].dstSet = set;
    writes[b].dstBinding = b;
    writes[b].descriptorCount = 1;
    writes[b].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[b].pBufferInfo = &windows[b];
  }
  vk.vkUpdateDescriptorSets(device.handle(), static_cast<uint32_t>(writes.size()), writes.data(), 0, nullptr);
  barrier(launch);
  vk.vkCmdBindPipeline(commandBuffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.pipeline);
  vk.vkCmdBindDescriptorSets(commandBuffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &set, 0, nullptr);
  vk.vkCmdPushConstants(commandBuffer, pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(launch.push),
                        launch.push.data());
  // The rest goes along y; launch() has seen to it that it fits.
  const uint32_t x = std::min(launch.groups, device.info().limits.maxComputeWorkGroupCount[0]),
                 y = (launch.groups + x - 1) / x;
  if (stamped)
    vk.vkCmdWriteTimestamp(commandBuffer, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, queryPool, 2 * number);
  vk.vkCmdDispatch(commandBuffer, x, y, 1);
  if (stamped)
    vk.vkCmdWriteTimestamp(commandBuffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, queryPool, 2 * number + 1);
  written.insert(written.end(), launch.writes.begin(), launch.writes.end());
  read.insert(read.end(), launch.reads.begin(), launch.reads.end());
}

void Recording::record(const Memory &sessionMemory) {
  memory = &sessionMemory;
  makePools();
  VkCommandBufferBeginInfo begin = {};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  check(device.vk.vkBeginCommandBuffer(commandBuffer, &begin), CANNOT_RECORD);
  if (stamped)
    device.vk.vkCmdResetQueryPool(commandBuffer, queryPool, 0, static_cast<uint32_t>(launches.size()) * 2 + 1);
  copyIn();
  for (uint32_t i = 0; i < launches.size(); ++i)
    recordLaunch(launches[i], i);
  copyOut();
  check(device.vk.vkEndCommandBuffer(commandBuffer), CANNOT_RECORD);
}

std::vector<fovea_dispatch_time> Recording::times() const {
  std::vector<uint64_t> ticks(launches.size() * 2);
  std::vector<fovea_dispatch_time> times;
  if (!timed || ticks.empty())
    return times;
  if (stamped)
    check(device.vk.vkGetQueryPoolResults(device.handle(), queryPool, 0, static_cast<uint32_t>(ticks.size()),
                                          ticks.size() * sizeof(uint64_t), ticks.data(), sizeof(uint64_t),
                                          VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
          "times cannot be read");
  for (size_t i = 0; i < launches.size(); ++i) {
    const uint64_t passed = (ticks[2 * i + 1] - ticks[2 * i]) & device.info().timestampMask;
    const double spent = static_cast<double>(passed) * device.info().nanosecondsPerTick;
    times.push_back({launches[i].dispatch, launches[i].shader, launches[i].tasks, static_cast<uint64_t>(spent)});
  }
  return times;
}
