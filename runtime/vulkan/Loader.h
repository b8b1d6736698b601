// The Vulkan loader, opened at run time, and the devices that it knows. A machine without Vulkan runs CPU artifacts.
#pragma once

#include "core/Error.h"
#include "fovea/artifact_generated.h"

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

// Products that a subgroup makes together: c[m, n] + a[m, k] * b[k, n].
struct CooperativeMatrix {
  uint32_t m, n, k;
  artifact::DType operands, sums;
};

// What a device has to offer, as far as Fovea uses it.
struct DeviceInfo {
  std::string name, driver, api;
  VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
  VkPhysicalDeviceLimits limits = {};
  uint32_t minorVersion = 0; // of Vulkan 1, as far as the loader knows it
  uint32_t subgroupSize = 0, leastSubgroup = 0, mostSubgroup = 0, queueFamily = 0;
  uint64_t maxAllocation = UINT64_MAX, maxBuffer = UINT64_MAX; // bytes
  float nanosecondsPerTick = 0;
  // The bits of a timestamp that count; 0 where there are no timestamps.
  uint64_t timestampMask = 0;
  uint8_t pipelineCacheUuid[VK_UUID_SIZE] = {};
  std::vector<std::string> features; // of those in Features.h
  bool hasCooperativeMatrix = false; // the extension
  std::vector<CooperativeMatrix> cooperative;
  bool offers(std::string_view feature) const;
  // Why it cannot be used; empty if it can.
  std::string unusable;
};
DeviceInfo describe(VkPhysicalDevice device);

} // namespace fovea::vulkan
