// The devices of this machine, by name.
#include "core/Error.h"
#include "core/Runtime.h"
#include "cpu/Features.h"

#include <charconv>
#include <cstdio>

using namespace fovea;

std::shared_ptr<vulkan::Device> fovea::openDevice(const char *name, const char *pipelineCache, const vulkan::Log &log) {
  const std::string cache = pipelineCache ? pipelineCache : "";
  std::string_view rest = name ? name : "cpu";
  if (rest == "cpu")
    return nullptr;
  if (rest == "vulkan") {
    const std::shared_ptr<vulkan::Instance> instance = vulkan::Instance::open();
    const std::vector<VkPhysicalDevice> devices = instance->physicalDevices();
    std::string reasons;
    for (uint32_t i = 0; i < devices.size(); ++i) {
      const vulkan::DeviceInfo info = vulkan::describe(devices[i]);
      if (info.unusable.empty())
        return std::make_shared<vulkan::Device>(i, cache, log);
      reasons += text(reasons.empty() ? "" : "; ", info.name, ": ", info.unusable);
    }
    fail(FOVEA_ENVIRONMENT, "vulkan: there is no device that can be used", reasons.empty() ? "" : ": ", reasons);
  }
  uint32_t number = 0;
  if (rest.starts_with("vulkan:")) {
    rest.remove_prefix(7);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error == std::errc() && end == rest.data() + rest.size())
      return std::make_shared<vulkan::Device>(number, cache, log);
  }
  fail(FOVEA_INVALID, "expected a device (cpu, vulkan or vulkan:N), got ", quoted(name));
}

static fovea_device_info infoOf(const std::string &name, const std::string &description, const std::string &unusable) {
  fovea_device_info info;
  std::snprintf(info.name, sizeof(info.name), "%s", name.c_str());
  std::snprintf(info.description, sizeof(info.description), "%s", description.c_str());
  std::snprintf(info.unusable, sizeof(info.unusable), "%s", unusable.c_str());
  return info;
}

// Those that the compiler has code for: ", cooperative matrices 8x8x8, 16x16x16 f16 to f32"; empty for none.
static std::string matricesOf(const vulkan::DeviceInfo &info) {
  std::string result;
  for (const vulkan::CooperativeMatrix &one : info.cooperative)
    if (one.operands == artifact::DType::f16 && one.sums == artifact::DType::f32)
      result += text(result.empty() ? ", cooperative matrices " : ", ", one.m, "x", one.n, "x", one.k);
  return result.empty() ? result : result + " f16 to f32";
}

std::vector<fovea_device_info> fovea::listDevices() {
  std::vector<fovea_device_info> list = {infoOf("cpu", cpu::machineName(cpu::elfMachine()), "")};
  try {
    const std::shared_ptr<vulkan::Instance> instance = vulkan::Instance::open();
    const std::vector<VkPhysicalDevice> devices = instance->physicalDevices();
    for (uint32_t i = 0; i < devices.size(); ++i) {
      const vulkan::DeviceInfo info = vulkan::describe(devices[i]);
      const VkPhysicalDeviceLimits &limits = info.limits;
      list.push_back(infoOf(text("vulkan:", i),
                            text(info.name, "; ", info.driver, "; Vulkan ", info.api, "; workgroups of ",
                                 limits.maxComputeWorkGroupInvocations, ", subgroups of ", info.subgroupSize, ", ",
                                 limits.maxComputeSharedMemorySize, " bytes shared, tensors of ",
                                 limits.maxStorageBufferRange, " bytes", info.offers("shaderInt64") ? ", i64" : "",
                                 info.offers("shaderFloat64") ? ", f64" : "", matricesOf(info)),
                            info.unusable));
    }
    if (devices.empty())
      list.push_back(infoOf("vulkan", "", "there is no driver"));
  } catch (const Error &error) {
    list.push_back(infoOf("vulkan", "", error.message));
  }
  return list;
}
