// Compiled pipelines of a device, kept in a file between processes if the caller names one.
#pragma once

#include "vulkan/Loader.h"

#include <functional>
#include <span>

namespace fovea::vulkan {

using Log = std::function<void(const std::string &message)>;

class PipelineCache {
public:
  // Without a `path` there is no cache. A file that is broken or of another device or driver is as good as none. Fails
  // with FOVEA_ENVIRONMENT only if the device does.
  PipelineCache(const VolkDeviceTable &vk, VkDevice device, const DeviceInfo &info, std::string path, Log log);
  // Writes the file beside its place and renames it, if there is something new.
  ~PipelineCache();
  PipelineCache(const PipelineCache &) = delete;
  PipelineCache &operator=(const PipelineCache &) = delete;

  VkPipelineCache handle() const { return cache; }

private:
  void save();

  const VolkDeviceTable &vk;
  const VkDevice device;
  const std::string path;
  const Log log;
  std::string loaded;
  VkPipelineCache cache = VK_NULL_HANDLE;
};

// The file's bytes for what a driver gave, and back: empty, and `why` set, for a file that is broken.
std::string pipelineCacheFile(std::string_view data);
std::string_view pipelineCacheData(std::string_view file, const uint8_t (&uuid)[VK_UUID_SIZE], std::string &why);

} // namespace fovea::vulkan
