#define VOLK_IMPLEMENTATION
#include "vulkan/Loader.h"
#include "vulkan/Features.h"

#include <algorithm>
#include <mutex>

using namespace fovea;
using namespace fovea::vulkan;

const char *vulkan::resultText(VkResult result) {
  switch (result) {
  case VK_ERROR_OUT_OF_HOST_MEMORY:
    return "out of host memory";
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    return "out of device memory";
  case VK_ERROR_OUT_OF_POOL_MEMORY:
    return "out of pool memory";
  case VK_ERROR_FRAGMENTED_POOL:
    return "fragmented pool";
  case VK_ERROR_DEVICE_LOST:
    return "the device is lost";
  case VK_ERROR_INITIALIZATION_FAILED:
    return "initialization failed";
  case VK_ERROR_MEMORY_MAP_FAILED:
    return "memory could not be mapped";
  case VK_ERROR_LAYER_NOT_PRESENT:
    return "a layer is not present";
  case VK_ERROR_EXTENSION_NOT_PRESENT:
    return "an extension is not present";
  case VK_ERROR_FEATURE_NOT_PRESENT:
    return "a feature is not present";
  case VK_ERROR_INCOMPATIBLE_DRIVER:
    return "there is no compatible driver";
  case VK_ERROR_TOO_MANY_OBJECTS:
    return "too many objects";
  case VK_ERROR_INVALID_SHADER_NV:
    return "the driver refuses the shader";
  default:
    return "unknown error";
  }
}

void vulkan::check(VkResult result, const char *what) {
  if (result != VK_SUCCESS)
    fail(FOVEA_ENVIRONMENT, "vulkan: ", what, ": ", resultText(result), " (", static_cast<int>(result), ")");
}

std::shared_ptr<Instance> Instance::open() {
  static std::mutex mutex;
  static std::weak_ptr<Instance> known;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Instance> instance = known.lock();
  if (!instance)
    known = instance = std::shared_ptr<Instance>(new Instance);
  return instance;
}

Instance::Instance() {
  static const VkResult loaded = volkInitialize();
  if (loaded != VK_SUCCESS)
    fail(FOVEA_ENVIRONMENT, "vulkan: there is no loader (libvulkan.so.1) on this machine");
  if (!vkEnumerateInstanceVersion || volkGetInstanceVersion() < VK_API_VERSION_1_2)
    fail(FOVEA_ENVIRONMENT, "vulkan: expected a loader of version 1.2 or newer");
  VkApplicationInfo application = {};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = application.pEngineName = "fovea";
  application.apiVersion = instanceVersion();
  VkInstanceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  check(vkCreateInstance(&info, nullptr, &instance), "an instance cannot be made");
  volkLoadInstanceOnly(instance);
}

Instance::~Instance() {
  if (instance)
    vkDestroyInstance(instance, nullptr);
}

std::vector<VkPhysicalDevice> Instance::physicalDevices() const {
  uint32_t count = 0;
  check(vkEnumeratePhysicalDevices(instance, &count, nullptr), "devices cannot be listed");
  std::vector<VkPhysicalDevice> devices(count);
  const VkResult result = vkEnumeratePhysicalDevices(instance, &count, devices.data());
  if (result != VK_INCOMPLETE)
    check(result, "devices cannot be listed");
  devices.resize(count);
  return devices;
}

static std::string versionText(uint32_t version) {
  return text(VK_API_VERSION_MAJOR(version), ".", VK_API_VERSION_MINOR(version), ".", VK_API_VERSION_PATCH(version));
}

// A family that computes; one that does nothing else if there is one.
static bool findQueue(VkPhysicalDevice device, DeviceInfo &info) {
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  bool found = false;
  for (uint32_t i = 0; i < count; ++i) {
    const bool computes = families[i].queueFlags & VK_QUEUE_COMPUTE_BIT,
               draws = families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT;
    if (computes && (!found || !draws))
      info.queueFamily = i, found = true;
  }
  const uint32_t bits = found ? families[info.queueFamily].timestampValidBits : 0;
  info.timestampMask = bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
  return found;
}

bool DeviceInfo::offers(std::string_view feature) const {
  return std::find(features.begin(), features.end(), feature) != features.end();
}

static bool hasExtension(VkPhysicalDevice device, std::string_view wanted) {
  uint32_t count = 0;
  if (vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr) != VK_SUCCESS)
    return false;
  std::vector<VkExtensionProperties> extensions(count);
  if (vkEnumerateDeviceExtensionProperties(device, nullptr, &count, extensions.data()) < VK_SUCCESS)
    return false;
  return std::any_of(extensions.begin(), extensions.begin() + count,
                     [&](const VkExtensionProperties &one) { return one.extensionName == wanted; });
}

// Driver, limits and features.
static void readProperties(VkPhysicalDevice device, DeviceInfo &info) {
  VkPhysicalDeviceDriverProperties driver = {};
  driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
  VkPhysicalDeviceSubgroupProperties subgroups = {};
  subgroups.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES;
  VkPhysicalDeviceMaintenance3Properties memory = {};
  memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
  VkPhysicalDeviceMaintenance4Properties buffers = {};
  buffers.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES;
  VkPhysicalDeviceSubgroupSizeControlProperties sizes = {};
  sizes.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES;
  VkPhysicalDeviceProperties2 properties = {};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  properties.pNext = &driver;
  driver.pNext = &subgroups;
  subgroups.pNext = &memory;
  if (info.minorVersion >= 3) {
    memory.pNext = &buffers;
    buffers.pNext = &sizes;
  }
  vkGetPhysicalDeviceProperties2(device, &properties);
  info.driver = text(driver.driverName, driver.driverInfo[0] ? ", " : "", driver.driverInfo);
  info.subgroupSize = info.leastSubgroup = info.mostSubgroup = subgroups.subgroupSize;
  info.maxAllocation = memory.maxMemoryAllocationSize;
  if (info.minorVersion >= 3) {
    info.leastSubgroup = sizes.minSubgroupSize, info.mostSubgroup = sizes.maxSubgroupSize;
    info.maxBuffer = buffers.maxBufferSize;
  }
  info.hasCooperativeMatrix = hasExtension(device, COOPERATIVE_MATRIX);
  Features features(info);
  vkGetPhysicalDeviceFeatures2(device, &features.chain());
  for (const Features::Named &feature : features.all())
    if (*feature.value)
      info.features.push_back(feature.name);
  // With the first alone no shader could have the atomics of the device's scope that small types are stored by.
  if (!info.offers("vulkanMemoryModelDeviceScope"))
    std::erase(info.features, "vulkanMemoryModel");
  if (!(sizes.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT))
    std::erase(info.features, "subgroupSizeControl");
  if (info.offers("cooperativeMatrix"))
    info.cooperative = cooperativeMatrices(device);
}

DeviceInfo vulkan::describe(VkPhysicalDevice device) {
  VkPhysicalDeviceProperties basic;
  vkGetPhysicalDeviceProperties(device, &basic);
  DeviceInfo info;
  info.name = basic.deviceName;
  info.api = versionText(basic.apiVersion);
  info.type = basic.deviceType;
  info.limits = basic.limits;
  std::copy_n(basic.pipelineCacheUUID, VK_UUID_SIZE, info.pipelineCacheUuid);
  info.nanosecondsPerTick = basic.limits.timestampPeriod;
  if (basic.apiVersion < VK_API_VERSION_1_2) {
    info.unusable = text("expected Vulkan 1.2 or newer, got ", info.api);
    return info;
  }
  info.minorVersion = VK_API_VERSION_MINOR(std::min<uint32_t>(basic.apiVersion, instanceVersion()));
  readProperties(device, info);
  const VkPhysicalDeviceLimits &limits = info.limits;
  if (!findQueue(device, info))
    info.unusable = "it has no queue that computes";
  else if (!info.offers("timelineSemaphore"))
    info.unusable = "it has no timeline semaphores";
  else if (limits.maxComputeWorkGroupInvocations < 128 || limits.maxComputeWorkGroupSize[0] < 128)
    info.unusable = text("expected workgroups of 128 invocations, got ", limits.maxComputeWorkGroupInvocations);
  else if (limits.maxComputeSharedMemorySize < 16384)
    info.unusable = text("expected 16384 bytes of shared memory, got ", limits.maxComputeSharedMemorySize);
  else if (limits.maxPushConstantsSize < 128)
    info.unusable = text("expected 128 bytes of push constants, got ", limits.maxPushConstantsSize);
  else if (limits.maxPerStageDescriptorStorageBuffers < 8 || limits.maxDescriptorSetStorageBuffers < 8)
    info.unusable = text("expected 8 storage buffers, got ", limits.maxPerStageDescriptorStorageBuffers);
  else if (limits.minStorageBufferOffsetAlignment > 256)
    info.unusable =
        text("expected storage buffers at multiples of 256 bytes, got ", limits.minStorageBufferOffsetAlignment);
  return info;
}
