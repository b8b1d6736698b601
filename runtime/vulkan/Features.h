// Features of a device that Fovea knows by name: those it can do without, which some shaders need.
#pragma once

#include "vulkan/Loader.h"

namespace fovea::vulkan {

// The version of Vulkan that the instance is made for: what all drivers offer, and what some shaders need beyond it
// where the loader knows of that.
uint32_t instanceVersion();

// The structures that Vulkan chains, of the extensions that a device has. Points into itself, so it stays where it is.
class Features {
public:
  explicit Features(const DeviceInfo &device);
  Features(const Features &) = delete;
  Features &operator=(const Features &) = delete;

  // For vkGetPhysicalDeviceFeatures2, or as pNext of VkDeviceCreateInfo.
  VkPhysicalDeviceFeatures2 &chain() { return basic; }
  struct Named {
    const char *name; // Vulkan's
    VkBool32 *value;
  };
  const std::vector<Named> &all() const { return named; }

private:
  template <typename Structure> void add(Structure &structure, VkStructureType type);

  VkPhysicalDeviceFeatures2 basic = {};
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {};
  VkPhysicalDeviceVulkanMemoryModelFeatures memoryModel = {};
  VkPhysicalDeviceShaderFloat16Int8Features half = {};
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroups = {};
  // As VK_KHR_cooperative_matrix has it, which is newer than the headers.
  struct {
    VkStructureType sType;
    void *pNext;
    VkBool32 cooperativeMatrix, robustBufferAccess;
  } cooperative = {};
  void *last = nullptr;
  std::vector<Named> named;
};

inline constexpr const char *COOPERATIVE_MATRIX = "VK_KHR_cooperative_matrix";

// The products that a subgroup can make together, of the dtypes that Fovea knows; none without the extension.
std::vector<CooperativeMatrix> cooperativeMatrices(VkPhysicalDevice device);

} // namespace fovea::vulkan
