#include "vulkan/Device.h"
#include "vulkan/Features.h"

#include <cstring>
#include <limits>

using namespace fovea;
using namespace fovea::vulkan;

Device::Device(uint32_t number, const std::string &pipelineCache, const Log &log) : instance(Instance::open()) {
  const std::vector<VkPhysicalDevice> devices = instance->physicalDevices();
  if (number >= devices.size())
    fail(FOVEA_ENVIRONMENT, "vulkan: expected a device below ", devices.size(), ", got ", number);
  const VkPhysicalDevice physical = devices[number];
  description = describe(physical);
  if (!description.unusable.empty())
    fail(FOVEA_ENVIRONMENT, "vulkan: device ", number, " (", description.name,
         ") cannot be used: ", description.unusable);
  vkGetPhysicalDeviceMemoryProperties(physical, &memory);

  const float priority = 1;
  VkDeviceQueueCreateInfo queueInfo = {};
  queueInfo.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queueInfo.queueFamilyIndex = description.queueFamily;
  queueInfo.queueCount = 1;
  queueInfo.pQueuePriorities = &priority;
  Features features(description);
  for (const Features::Named &feature : features.all())
    *feature.value = description.offers(feature.name);
  const char *const extensions[] = {COOPERATIVE_MATRIX};
  VkDeviceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &features.chain();
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queueInfo;
  info.enabledExtensionCount = description.hasCooperativeMatrix;
  info.ppEnabledExtensionNames = extensions;
  check(vkCreateDevice(physical, &info, nullptr, &device), "the device cannot be opened");
  volkLoadDeviceTable(&vk, device);
  vk.vkGetDeviceQueue(device, description.queueFamily, 0, &queue);
  VkSemaphoreTypeCreateInfo type = {};
  type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo semaphore = {};
  semaphore.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  semaphore.pNext = &type;
  try {
    check(vk.vkCreateSemaphore(device, &semaphore, nullptr, &timeline), "a semaphore cannot be made");
    cache = std::make_unique<PipelineCache>(vk, device, description, pipelineCache, log);
  } catch (...) {
    destroy();
    throw;
  }
}

Device::~Device() { destroy(); }

void Device::destroy() {
  if (!device)
    return;
  cache.reset();
  vk.vkDestroySemaphore(device, timeline, nullptr);
  vk.vkDestroyDevice(device, nullptr);
  device = VK_NULL_HANDLE;
}

uint32_t Device::memoryType(uint32_t allowed, VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags preferred) const {
  for (const VkMemoryPropertyFlags flags : {wanted | preferred, wanted})
    for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
      if ((allowed >> i & 1) && (memory.memoryTypes[i].propertyFlags & flags) == flags)
        return i;
  fail(FOVEA_ENVIRONMENT, "vulkan: ", description.name, " has no memory of the kind that is needed");
}

void Device::run(VkCommandBuffer commands) {
  uint64_t ticket;
  {
    const std::lock_guard lock(queueMutex);
    ticket = submitted + 1;
    VkTimelineSemaphoreSubmitInfo values = {};
    values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
    values.signalSemaphoreValueCount = 1;
    values.pSignalSemaphoreValues = &ticket;
    VkSubmitInfo submit = {};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.pNext = &values;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands;
    submit.signalSemaphoreCount = 1;
    submit.pSignalSemaphores = &timeline;
    check(vk.vkQueueSubmit(queue, 1, &submit, VK_NULL_HANDLE), "a run cannot be submitted");
    submitted = ticket;
  }
  VkSemaphoreWaitInfo wait = {};
  wait.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  wait.semaphoreCount = 1;
  wait.pSemaphores = &timeline;
  wait.pValues = &ticket;
  const VkResult done = vk.vkWaitSemaphores(device, &wait, std::numeric_limits<uint64_t>::max());
  // Commands and memory may not go while the device is at work on them.
  if (done != VK_SUCCESS)
    vk.vkDeviceWaitIdle(device);
  check(done, "a run failed");
}

void Device::runOnce(const std::function<void(VkCommandBuffer)> &record) {
  VkCommandPoolCreateInfo poolInfo = {};
  poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  poolInfo.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
  poolInfo.queueFamilyIndex = description.queueFamily;
  VkCommandPool pool = VK_NULL_HANDLE;
  check(vk.vkCreateCommandPool(device, &poolInfo, nullptr, &pool), "commands cannot be recorded");
  struct Guard {
    Device &device;
    VkCommandPool pool;
    ~Guard() { device.vk.vkDestroyCommandPool(device.device, pool, nullptr); }
  } guard{*this, pool};
  VkCommandBufferAllocateInfo allocate = {};
  allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  allocate.commandPool = pool;
  allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  allocate.commandBufferCount = 1;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  check(vk.vkAllocateCommandBuffers(device, &allocate, &commands), "commands cannot be recorded");
  VkCommandBufferBeginInfo begin = {};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  check(vk.vkBeginCommandBuffer(commands, &begin), "commands cannot be recorded");
  record(commands);
  check(vk.vkEndCommandBuffer(commands), "commands cannot be recorded");
  run(commands);
}

void Device::transfer(size_t bytes, const std::function<void(DeviceBuffer &, size_t, size_t)> &piece) {
  constexpr size_t most = size_t(16) << 20;
  DeviceBuffer staging(*this, DeviceBuffer::staging);
  if (bytes)
    staging.reserve(std::min(bytes, most));
  for (size_t at = 0; at < bytes; at += most)
    piece(staging, at, std::min(most, bytes - at));
}

void Device::upload(std::span<const std::byte> bytes, VkBuffer to, uint64_t offset) {
  transfer(bytes.size(), [&](DeviceBuffer &staging, size_t at, size_t size) {
    std::memcpy(staging.data(), bytes.data() + at, size);
    const VkBufferCopy piece = {0, offset + at, size};
    copy(staging.handle(), to, {&piece, 1});
  });
}

void Device::download(VkBuffer from, uint64_t offset, std::span<std::byte> bytes) {
  transfer(bytes.size(), [&](DeviceBuffer &staging, size_t at, size_t size) {
    const VkBufferCopy piece = {offset + at, 0, size};
    copy(from, staging.handle(), {&piece, 1});
    std::memcpy(bytes.data() + at, staging.data(), size);
  });
}

void Device::copy(VkBuffer from, VkBuffer to, std::span<const VkBufferCopy> pieces) {
  runOnce([&](VkCommandBuffer commands) {
    VkMemoryBarrier barrier = {};
    barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT;
    vk.vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &barrier, 0, nullptr, 0, nullptr);
    vk.vkCmdCopyBuffer(commands, from, to, static_cast<uint32_t>(pieces.size()), pieces.data());
    barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
    vk.vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0,
                            nullptr, 0, nullptr);
  });
}

bool DeviceBuffer::reserve(size_t bytes) {
  if (bytes <= held)
    return false;
  free();
  auto atMost = [&](uint64_t needed, uint64_t most, const char *limit) {
    if (needed > most)
      fail(FOVEA_UNSUPPORTED, "vulkan: ", kind == local ? "device" : "staging", " memory of ", needed, " bytes, and ",
           quoted(device.info().name), " has ", most, " at most (", limit, ")");
  };
  atMost(bytes, device.info().maxBuffer, "maxBufferSize");
  atMost(bytes, device.info().maxAllocation, "maxMemoryAllocationSize");
  VkBufferCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = bytes;
  info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  if (kind == local)
    info.usage |= VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
  const VolkDeviceTable &vk = device.vk;
  const std::string what = text(kind == local ? "device" : "staging", " memory of ", bytes, " bytes");
  try {
    check(vk.vkCreateBuffer(device.handle(), &info, nullptr, &buffer), what.c_str());
    VkMemoryRequirements needs;
    vk.vkGetBufferMemoryRequirements(device.handle(), buffer, &needs);
    atMost(needs.size, device.info().maxAllocation, "maxMemoryAllocationSize");
    constexpr VkMemoryPropertyFlags visible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkMemoryAllocateInfo allocate = {};
    allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    allocate.allocationSize = needs.size;
    allocate.memoryTypeIndex =
        kind == local ? device.memoryType(needs.memoryTypeBits, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
                      : device.memoryType(needs.memoryTypeBits, visible, VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    check(vk.vkAllocateMemory(device.handle(), &allocate, nullptr, &allocation), what.c_str());
    check(vk.vkBindBufferMemory(device.handle(), buffer, allocation, 0), what.c_str());
    if (kind == staging) {
      void *address = nullptr;
      check(vk.vkMapMemory(device.handle(), allocation, 0, VK_WHOLE_SIZE, 0, &address), what.c_str());
      mapped = static_cast<char *>(address);
    }
  } catch (...) {
    free();
    throw;
  }
  held = bytes;
  return true;
}

void DeviceBuffer::swap(DeviceBuffer &other) {
  std::swap(buffer, other.buffer), std::swap(allocation, other.allocation);
  std::swap(mapped, other.mapped), std::swap(held, other.held);
}

void DeviceBuffer::free() {
  if (buffer)
    device.vk.vkDestroyBuffer(device.handle(), buffer, nullptr);
  if (allocation)
    device.vk.vkFreeMemory(device.handle(), allocation, nullptr); // unmaps too
  buffer = VK_NULL_HANDLE, allocation = VK_NULL_HANDLE, mapped = nullptr, held = 0;
}
