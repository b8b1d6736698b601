// VK_LAYER_FOVEA_test: a Vulkan layer that makes calls fail, hides what a device offers, and counts objects.
// Environment, read when an instance is made; one device at a time:
//   FOVEA_LAYER_FAIL_AT=N      the Nth call that can fail does (from 1)
//   FOVEA_LAYER_FAIL_WITH=R    with this VkResult; a device that is lost (-4) stays lost
//   FOVEA_LAYER_MINIMUM=1      limits are those of the minimum profile
//   FOVEA_LAYER_HIDE=LIST      of int64, float64, timeline: features that are not there
//   FOVEA_LAYER_TYPE=T         the VkPhysicalDeviceType that the device has
//   FOVEA_LAYER_LIMIT=NAME=N   a limit that is lowered; names as in lower()
//   FOVEA_LAYER_REPORT=FILE    where a line is added at the end: calls=N recordings=N leaks=N, then what leaks
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

namespace {
#define DESTROYED(X)                                                                                                   \
  X(CreateSemaphore, DestroySemaphore)                                                                                 \
  X(CreateBuffer, DestroyBuffer)                                                                                       \
  X(AllocateMemory, FreeMemory)                                                                                        \
  X(CreateCommandPool, DestroyCommandPool)                                                                             \
  X(CreateDescriptorPool, DestroyDescriptorPool)                                                                       \
  X(CreateQueryPool, DestroyQueryPool)                                                                                 \
  X(CreateDescriptorSetLayout, DestroyDescriptorSetLayout)                                                             \
  X(CreatePipelineLayout, DestroyPipelineLayout)                                                                       \
  X(CreateShaderModule, DestroyShaderModule)                                                                           \
  X(CreatePipelineCache, DestroyPipelineCache)                                                                         \
  X(CreateComputePipelines, DestroyPipeline)
#define FAILING(X)                                                                                                     \
  X(BindBufferMemory)                                                                                                  \
  X(MapMemory)                                                                                                         \
  X(AllocateCommandBuffers)                                                                                            \
  X(EndCommandBuffer)                                                                                                  \
  X(AllocateDescriptorSets)                                                                                            \
  X(QueueSubmit)                                                                                                       \
  X(WaitSemaphores)                                                                                                    \
  X(GetQueryPoolResults)                                                                                               \
  X(GetPipelineCacheData)

enum Kind {
#define X(create, destroy) create,
  DESTROYED(X)
#undef X
      KINDS
};
constexpr const char *KIND_NAMES[] = {
#define X(create, destroy) #create,
    DESTROYED(X)
#undef X
};

// Asked for once: later the loader would answer with the first layer's.
#define OF_INSTANCE(X)                                                                                                 \
  X(DestroyInstance)                                                                                                   \
  X(EnumeratePhysicalDevices)                                                                                          \
  X(GetPhysicalDeviceProperties)                                                                                       \
  X(GetPhysicalDeviceProperties2)                                                                                      \
  X(GetPhysicalDeviceFeatures2)

#define X(create, destroy)                                                                                             \
  PFN_vk##create next##create;                                                                                         \
  PFN_vk##destroy next##destroy;
DESTROYED(X)
#undef X
#define X(name) PFN_vk##name next##name;
FAILING(X)
OF_INSTANCE(X)
#undef X
PFN_vkBeginCommandBuffer nextBeginCommandBuffer;
PFN_vkDeviceWaitIdle nextDeviceWaitIdle;
PFN_vkDestroyDevice nextDestroyDevice;
PFN_vkGetDeviceProcAddr nextDeviceProcAddr;
PFN_vkGetInstanceProcAddr nextInstanceProcAddr;
VkInstance instance;

struct State {
  long failAt = 0, calls = 0, recordings = 0;
  VkResult failWith = VK_SUCCESS;
  bool lost = false, minimum = false;
  int type = -1;
  std::string limit;
  uint64_t limitValue = 0;
  std::string hidden, report, leaks;
  int live[KINDS] = {}, leaked = 0;
} state;

// What a call that can fail is to return; success to go on.
VkResult planned() {
  ++state.calls;
  if (state.lost)
    return VK_ERROR_DEVICE_LOST;
  if (state.calls != state.failAt)
    return VK_SUCCESS;
  state.lost = state.failWith == VK_ERROR_DEVICE_LOST;
  return state.failWith;
}

template <typename Function> struct Call;
template <typename... Args> struct Call<VkResult(VKAPI_PTR *)(Args...)> {
  template <auto next> static VKAPI_ATTR VkResult VKAPI_CALL failing(Args... args) {
    const VkResult result = planned();
    return result == VK_SUCCESS ? (*next)(args...) : result;
  }
  template <auto next, Kind kind> static VKAPI_ATTR VkResult VKAPI_CALL counted(Args... args) {
    const VkResult result = failing<next>(args...);
    state.live[kind] += result == VK_SUCCESS;
    return result;
  }
};

template <auto next, Kind kind, typename Handle>
VKAPI_ATTR void VKAPI_CALL destroyed(VkDevice device, Handle handle, const VkAllocationCallbacks *hooks) {
  state.live[kind] -= handle != VK_NULL_HANDLE;
  (*next)(device, handle, hooks);
}
template <auto next, Kind kind, typename Handle>
constexpr auto wrapDestroy(void(VKAPI_PTR **)(VkDevice, Handle, const VkAllocationCallbacks *)) {
  return &destroyed<next, kind, Handle>;
}

VKAPI_ATTR VkResult VKAPI_CALL beginCommandBuffer(VkCommandBuffer commands, const VkCommandBufferBeginInfo *info) {
  const VkResult result = planned();
  if (result != VK_SUCCESS)
    return result;
  // What is submitted once is no recording.
  state.recordings += !(info->flags & VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
  return nextBeginCommandBuffer(commands, info);
}

// Waits in any case, as a lost device is idle.
VKAPI_ATTR VkResult VKAPI_CALL deviceWaitIdle(VkDevice device) {
  const VkResult result = planned(), done = nextDeviceWaitIdle(device);
  return result == VK_SUCCESS ? done : result;
}

VKAPI_ATTR void VKAPI_CALL destroyDevice(VkDevice device, const VkAllocationCallbacks *hooks) {
  for (int kind = 0; kind < KINDS; ++kind)
    if (state.live[kind] != 0) {
      state.leaked += std::abs(state.live[kind]);
      state.leaks += " " + std::string(KIND_NAMES[kind]) + ":" + std::to_string(state.live[kind]);
      state.live[kind] = 0;
    }
  if (device)
    nextDestroyDevice(device, hooks);
}

template <typename Info> auto *linkInfo(const void *chain, VkStructureType type) {
  auto *info = static_cast<const Info *>(chain);
  while (info && !(info->sType == type && info->function == VK_LAYER_LINK_INFO))
    info = static_cast<const Info *>(info->pNext);
  return const_cast<Info *>(info);
}

std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

VKAPI_ATTR VkResult VKAPI_CALL createInstance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *hooks,
                                              VkInstance *out) {
  auto *link = linkInfo<VkLayerInstanceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
  if (!link)
    return VK_ERROR_INITIALIZATION_FAILED;
  nextInstanceProcAddr = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  state = {};
  state.failAt = std::atol(variable("FOVEA_LAYER_FAIL_AT").c_str());
  state.failWith = static_cast<VkResult>(std::atoi(variable("FOVEA_LAYER_FAIL_WITH").c_str()));
  state.minimum = variable("FOVEA_LAYER_MINIMUM") == "1";
  state.hidden = variable("FOVEA_LAYER_HIDE");
  state.report = variable("FOVEA_LAYER_REPORT");
  if (const std::string type = variable("FOVEA_LAYER_TYPE"); !type.empty())
    state.type = std::atoi(type.c_str());
  const std::string limit = variable("FOVEA_LAYER_LIMIT");
  state.limit = limit.substr(0, limit.find('='));
  state.limitValue = limit.find('=') < limit.size() ? std::strtoull(&limit[limit.find('=') + 1], nullptr, 10) : 0;
  const auto next = reinterpret_cast<PFN_vkCreateInstance>(nextInstanceProcAddr(VK_NULL_HANDLE, "vkCreateInstance"));
  const VkResult result = next(info, hooks, out);
  if (result != VK_SUCCESS)
    return result;
  instance = *out;
#define X(name) next##name = reinterpret_cast<PFN_vk##name>(nextInstanceProcAddr(instance, "vk" #name));
  OF_INSTANCE(X)
#undef X
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL destroyInstance(VkInstance gone, const VkAllocationCallbacks *hooks) {
  if (std::FILE *file = state.report.empty() ? nullptr : std::fopen(state.report.c_str(), "a")) {
    std::fprintf(file, "calls=%ld recordings=%ld leaks=%d%s\n", state.calls, state.recordings, state.leaked,
                 state.leaks.c_str());
    std::fclose(file);
  }
  if (gone)
    nextDestroyInstance(gone, hooks);
}

VKAPI_ATTR VkResult VKAPI_CALL enumeratePhysicalDevices(VkInstance of, uint32_t *count, VkPhysicalDevice *devices) {
  const VkResult result = planned();
  return result == VK_SUCCESS ? nextEnumeratePhysicalDevices(of, count, devices) : result;
}

template <typename Number> void lower(const char *name, Number &limit) {
  if (state.limit == name)
    limit = static_cast<Number>(state.limitValue);
}

void lower(VkPhysicalDeviceLimits &limits) {
  lower("maxComputeWorkGroupInvocations", limits.maxComputeWorkGroupInvocations);
  lower("maxComputeSharedMemorySize", limits.maxComputeSharedMemorySize);
  lower("maxStorageBufferRange", limits.maxStorageBufferRange);
  for (uint32_t &groups : limits.maxComputeWorkGroupCount)
    lower("maxComputeWorkGroupCount", groups);
  if (!state.minimum)
    return;
  limits.maxComputeWorkGroupInvocations = 128;
  limits.maxComputeWorkGroupSize[0] = limits.maxComputeWorkGroupSize[1] = 128;
  limits.maxComputeWorkGroupSize[2] = 64;
  limits.maxComputeSharedMemorySize = 16384;
  limits.maxPushConstantsSize = 128;
  limits.maxPerStageDescriptorStorageBuffers = limits.maxDescriptorSetStorageBuffers = 8;
  limits.maxStorageBufferRange = 1u << 27;
  limits.minStorageBufferOffsetAlignment = 256;
  for (uint32_t &groups : limits.maxComputeWorkGroupCount)
    groups = 65535;
}

bool hides(const char *feature) { return state.hidden.find(feature) != std::string::npos; }

VKAPI_ATTR void VKAPI_CALL getProperties(VkPhysicalDevice device, VkPhysicalDeviceProperties *out) {
  nextGetPhysicalDeviceProperties(device, out);
  lower(out->limits);
  if (state.type >= 0)
    out->deviceType = static_cast<VkPhysicalDeviceType>(state.type);
}

VKAPI_ATTR void VKAPI_CALL getProperties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2 *out) {
  nextGetPhysicalDeviceProperties2(device, out);
  lower(out->properties.limits);
  for (auto *more = static_cast<VkBaseOutStructure *>(out->pNext); more; more = more->pNext) {
    if (more->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES)
      lower("maxMemoryAllocationSize",
            reinterpret_cast<VkPhysicalDeviceMaintenance3Properties *>(more)->maxMemoryAllocationSize);
    if (more->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES)
      lower("maxBufferSize", reinterpret_cast<VkPhysicalDeviceMaintenance4Properties *>(more)->maxBufferSize);
  }
}

VKAPI_ATTR void VKAPI_CALL getFeatures2(VkPhysicalDevice device, VkPhysicalDeviceFeatures2 *out) {
  nextGetPhysicalDeviceFeatures2(device, out);
  if (hides("int64"))
    out->features.shaderInt64 = VK_FALSE;
  if (hides("float64"))
    out->features.shaderFloat64 = VK_FALSE;
  for (auto *more = static_cast<VkBaseOutStructure *>(out->pNext); more; more = more->pNext)
    if (more->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES && hides("timeline"))
      reinterpret_cast<VkPhysicalDeviceTimelineSemaphoreFeatures *>(more)->timelineSemaphore = VK_FALSE;
}

VKAPI_ATTR VkResult VKAPI_CALL createDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                                            const VkAllocationCallbacks *hooks, VkDevice *out) {
  auto *link = linkInfo<VkLayerDeviceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
  if (!link)
    return VK_ERROR_INITIALIZATION_FAILED;
  nextDeviceProcAddr = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  const PFN_vkGetInstanceProcAddr next = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  if (const VkResult result = planned(); result != VK_SUCCESS)
    return result;
  const VkResult result =
      reinterpret_cast<PFN_vkCreateDevice>(next(instance, "vkCreateDevice"))(physical, info, hooks, out);
  if (result != VK_SUCCESS)
    return result;
  auto load = [&](auto &slot, const char *name) {
    slot = reinterpret_cast<std::remove_reference_t<decltype(slot)>>(nextDeviceProcAddr(*out, name));
  };
#define X(create, destroy) load(next##create, "vk" #create), load(next##destroy, "vk" #destroy);
  DESTROYED(X)
#undef X
#define X(name) load(next##name, "vk" #name);
  FAILING(X)
#undef X
  load(nextBeginCommandBuffer, "vkBeginCommandBuffer");
  load(nextDeviceWaitIdle, "vkDeviceWaitIdle");
  load(nextDestroyDevice, "vkDestroyDevice");
  return VK_SUCCESS;
}

PFN_vkVoidFunction ofDevice(const std::string &name) {
#define X(create, destroy)                                                                                             \
  if (name == "vk" #create)                                                                                            \
    return reinterpret_cast<PFN_vkVoidFunction>(&Call<PFN_vk##create>::counted<&next##create, create>);                \
  if (name == "vk" #destroy)                                                                                           \
    return reinterpret_cast<PFN_vkVoidFunction>(wrapDestroy<&next##destroy, create>(&next##destroy));
  DESTROYED(X)
#undef X
#define X(called)                                                                                                      \
  if (name == "vk" #called)                                                                                            \
    return reinterpret_cast<PFN_vkVoidFunction>(&Call<PFN_vk##called>::failing<&next##called>);
  FAILING(X)
#undef X
  if (name == "vkBeginCommandBuffer")
    return reinterpret_cast<PFN_vkVoidFunction>(&beginCommandBuffer);
  if (name == "vkDeviceWaitIdle")
    return reinterpret_cast<PFN_vkVoidFunction>(&deviceWaitIdle);
  if (name == "vkDestroyDevice")
    return reinterpret_cast<PFN_vkVoidFunction>(&destroyDevice);
  return nullptr;
}
} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL testLayerDeviceProcAddr(VkDevice device, const char *name) {
  if (std::strcmp(name, "vkGetDeviceProcAddr") == 0)
    return reinterpret_cast<PFN_vkVoidFunction>(&testLayerDeviceProcAddr);
  const PFN_vkVoidFunction own = ofDevice(name);
  return own ? own : nextDeviceProcAddr(device, name);
}

EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL testLayerInstanceProcAddr(VkInstance of, const char *name) {
  const struct {
    const char *name;
    PFN_vkVoidFunction function;
  } own[] = {
      {"vkGetInstanceProcAddr", reinterpret_cast<PFN_vkVoidFunction>(&testLayerInstanceProcAddr)},
      {"vkGetDeviceProcAddr", reinterpret_cast<PFN_vkVoidFunction>(&testLayerDeviceProcAddr)},
      {"vkCreateInstance", reinterpret_cast<PFN_vkVoidFunction>(&createInstance)},
      {"vkDestroyInstance", reinterpret_cast<PFN_vkVoidFunction>(&destroyInstance)},
      {"vkEnumeratePhysicalDevices", reinterpret_cast<PFN_vkVoidFunction>(&enumeratePhysicalDevices)},
      {"vkGetPhysicalDeviceProperties", reinterpret_cast<PFN_vkVoidFunction>(&getProperties)},
      {"vkGetPhysicalDeviceProperties2", reinterpret_cast<PFN_vkVoidFunction>(&getProperties2)},
      {"vkGetPhysicalDeviceFeatures2", reinterpret_cast<PFN_vkVoidFunction>(&getFeatures2)},
      {"vkCreateDevice", reinterpret_cast<PFN_vkVoidFunction>(&createDevice)},
  };
  for (const auto &one : own)
    if (std::strcmp(one.name, name) == 0)
      return one.function;
  if (const PFN_vkVoidFunction device = ofDevice(name))
    return device;
  return of && nextInstanceProcAddr ? nextInstanceProcAddr(of, name) : nullptr;
}
