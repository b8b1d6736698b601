#include "vulkan/Features.h"

#include <algorithm>

using namespace fovea;
using namespace fovea::vulkan;

uint32_t vulkan::instanceVersion() {
  return std::min<uint32_t>(volkGetInstanceVersion(), VK_MAKE_API_VERSION(0, 1, 3, 0));
}

template <typename Structure> void Features::add(Structure &structure, VkStructureType type) {
  structure.sType = type;
  *static_cast<void **>(last) = &structure;
  last = &structure.pNext;
}

// VK_KHR_cooperative_matrix, which is newer than the headers.
static constexpr auto COOPERATIVE_FEATURES = static_cast<VkStructureType>(1000506000),
                      COOPERATIVE_PROPERTIES = static_cast<VkStructureType>(1000506001);
namespace {
struct CooperativeProperties {
  VkStructureType sType;
  void *pNext;
  uint32_t m, n, k;
  int32_t a, b, c, result; // VkComponentTypeKHR
  VkBool32 saturating;
  int32_t scope; // VkScopeKHR
};
using GetCooperativeProperties = VkResult(VKAPI_PTR *)(VkPhysicalDevice, uint32_t *, CooperativeProperties *);
} // namespace
static constexpr int32_t SUBGROUP_SCOPE = 3;

Features::Features(const DeviceInfo &device) {
  basic.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  last = &basic.pNext;
  add(timeline, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
  add(memoryModel, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  add(half, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  named = {{"shaderInt64", &basic.features.shaderInt64},
           {"shaderFloat64", &basic.features.shaderFloat64},
           {"timelineSemaphore", &timeline.timelineSemaphore},
           {"vulkanMemoryModel", &memoryModel.vulkanMemoryModel},
           {"vulkanMemoryModelDeviceScope", &memoryModel.vulkanMemoryModelDeviceScope},
           {"shaderFloat16", &half.shaderFloat16}};
  if (device.minorVersion >= 3) {
    add(subgroups, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
    named.push_back({"subgroupSizeControl", &subgroups.subgroupSizeControl});
    named.push_back({"computeFullSubgroups", &subgroups.computeFullSubgroups});
  }
  if (device.hasCooperativeMatrix) {
    add(cooperative, COOPERATIVE_FEATURES);
    named.push_back({"cooperativeMatrix", &cooperative.cooperativeMatrix});
  }
}

// VkComponentTypeKHR as a dtype.
static bool toDType(int32_t component, artifact::DType &dtype) {
  using artifact::DType;
  static constexpr DType KNOWN[] = {DType::f16, DType::f32, DType::f64, DType::i8,  DType::i16, DType::i32,
                                    DType::i64, DType::u8,  DType::u16, DType::u32, DType::u64};
  if (component < 0 || static_cast<size_t>(component) >= std::size(KNOWN))
    return false;
  dtype = KNOWN[component];
  return true;
}

std::vector<CooperativeMatrix> vulkan::cooperativeMatrices(VkPhysicalDevice device) {
  std::vector<CooperativeMatrix> found;
  const auto get = reinterpret_cast<GetCooperativeProperties>(
      vkGetInstanceProcAddr(volkGetLoadedInstance(), "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"));
  uint32_t count = 0;
  if (!get || get(device, &count, nullptr) != VK_SUCCESS)
    return found;
  CooperativeProperties empty = {};
  empty.sType = COOPERATIVE_PROPERTIES;
  std::vector<CooperativeProperties> all(count, empty);
  if (get(device, &count, all.data()) < VK_SUCCESS)
    return found;
  all.resize(count);
  for (const CooperativeProperties &one : all) {
    CooperativeMatrix matrix = {one.m, one.n, one.k, {}, {}};
    if (one.scope == SUBGROUP_SCOPE && !one.saturating && one.a == one.b && one.c == one.result &&
        toDType(one.a, matrix.operands) && toDType(one.c, matrix.sums))
      found.push_back(matrix);
  }
  return found;
}
