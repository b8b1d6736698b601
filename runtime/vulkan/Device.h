// A device that is in use: its queue, memory and limits. Shared by the models and sessions of a runtime.
#pragma once

#include "vulkan/PipelineCache.h"

#include <cstddef>
#include <functional>
#include <mutex>
#include <span>

namespace fovea::vulkan {

class DeviceBuffer;

class Device {
public:
  // The device with that number among those of the instance; fails if it cannot be used.
  // `pipelineCache`: the file of the pipeline cache, empty for none.
  Device(uint32_t number, const std::string &pipelineCache, const Log &log);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const DeviceInfo &info() const { return description; }
  VkDevice handle() const { return device; }
  // The first memory type of `allowed` with all of `wanted`; fails if there is none.
  uint32_t memoryType(uint32_t allowed, VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags preferred) const;
  // Null if there is none.
  VkPipelineCache pipelineCache() const { return cache ? cache->handle() : VK_NULL_HANDLE; }
  // Submits the commands and waits until they are done.
  void run(VkCommandBuffer commands);
  // Records with `record` and runs it once.
  void runOnce(const std::function<void(VkCommandBuffer)> &record);
  // Copies what earlier commands wrote, for later ones and the host to read.
  void copy(VkBuffer from, VkBuffer to, std::span<const VkBufferCopy> pieces);
  // Copies to and from a buffer in pieces, so that staging memory does not depend on their number.
  void upload(std::span<const std::byte> bytes, VkBuffer to, uint64_t at);
  void download(VkBuffer from, uint64_t at, std::span<std::byte> bytes);

  VolkDeviceTable vk = {};

private:
  void destroy();
  void transfer(size_t bytes, const std::function<void(DeviceBuffer &staging, size_t at, size_t size)> &piece);

  std::shared_ptr<Instance> instance;
  DeviceInfo description;
  VkPhysicalDeviceMemoryProperties memory = {};
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  VkSemaphore timeline = VK_NULL_HANDLE;
  std::unique_ptr<PipelineCache> cache;
  std::mutex queueMutex;
  uint64_t submitted = 0;
};

// A buffer with memory of its own; empty until reserved. Growing loses the contents.
class DeviceBuffer {
public:
  enum Kind { local, staging };
  DeviceBuffer(Device &device, Kind kind) : device(device), kind(kind) {}
  ~DeviceBuffer() { free(); }
  DeviceBuffer(const DeviceBuffer &) = delete;
  DeviceBuffer &operator=(const DeviceBuffer &) = delete;

  // True if the buffer became another one. Fails with FOVEA_UNSUPPORTED beyond the device's limits, otherwise with
  // FOVEA_ENVIRONMENT, and is empty then.
  bool reserve(size_t bytes);
  void free();
  // Both are of one device and kind.
  void swap(DeviceBuffer &other);
  VkBuffer handle() const { return buffer; }
  size_t size() const { return held; }
  // Where a staging buffer is mapped.
  char *data() const { return mapped; }

private:
  Device &device;
  const Kind kind;
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory allocation = VK_NULL_HANDLE;
  char *mapped = nullptr;
  size_t held = 0;
};

} // namespace fovea::vulkan
