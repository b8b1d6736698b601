// The Vulkan loader, opened at run time, and the devices that it knows. A machine without Vulkan runs CPU artifacts.
#pragma once

#include "core/Error.h"

#include <memory>
#include <string>
#include <vector>

// Declares the functions as pointers that volk fills.
#define VK_NO_PROTOTYPES
#include <volk.h>

namespace fovea::vulkan {

// VK_ERROR_... as text.
const char *resultText(VkResult result);

// Fails for any result but success: memory and lost devices are the environment's.
void check(VkResult result, const char *what);

// One VkInstance for all devices; made when the first one is asked for, gone with the last one.
class Instance {
public:
  // Fails with FOVEA_ENVIRONMENT where there is no loader or no driver.
  static std::shared_ptr<Instance> open();
  ~Instance();
  Instance(const Instance &) = delete;
  Instance &operator=(const Instance &) = delete;

  std::vector<VkPhysicalDevice> physicalDevices() const;
  VkInstance handle() const { return instance; }

private:
  Instance();
  VkInstance instance = VK_NULL_HANDLE;
};

// What a device has to offer, as far as Fovea uses it.
struct DeviceInfo {
  std::string name, driver, api;
  VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
  VkPhysicalDeviceLimits limits = {};
  uint32_t subgroupSize = 0, queueFamily = 0;
  float nanosecondsPerTick = 0;
  // The bits of a timestamp that count; 0 where there are no timestamps.
  uint64_t timestampMask = 0;
  uint8_t pipelineCacheUuid[VK_UUID_SIZE] = {};
  bool int64 = false, float64 = false;
  // Why it cannot be used; empty if it can.
  std::string unusable;
};
DeviceInfo describe(VkPhysicalDevice device);

} // namespace fovea::vulkan
