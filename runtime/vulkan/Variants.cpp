#include "vulkan/Variants.h"

#include <algorithm>

using namespace fovea;
using namespace fovea::artifact;
using namespace fovea::vulkan;

static std::string typeName(uint32_t type) {
  std::string name = EnumNameDeviceType(static_cast<DeviceType>(type));
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

static void checkType(const Variant &variant, const DeviceInfo &device, std::string &lacks) {
  const auto *types = variant.device_types();
  if (!types || types->size() == 0)
    return;
  std::string wanted;
  for (uint32_t i = 0; i < types->size(); ++i) {
    if (static_cast<int>(types->Get(i)) == static_cast<int>(device.type))
      return;
    wanted += text(i ? " or " : "", typeName(static_cast<uint32_t>(types->Get(i))));
  }
  lacks += text(", a device of type ", wanted, " (it is ", typeName(static_cast<uint32_t>(device.type)), ")");
}

static bool offers(const DeviceInfo &device, const artifact::CooperativeMatrix &wanted) {
  return std::any_of(device.cooperative.begin(), device.cooperative.end(), [&](const vulkan::CooperativeMatrix &one) {
    return one.m == wanted.m() && one.n == wanted.n() && one.k == wanted.k() && one.operands == wanted.operands() &&
           one.sums == wanted.sums();
  });
}

std::string vulkan::missing(const Variant &variant, const DeviceInfo &device) {
  std::string lacks;
  checkType(variant, device, lacks);
  if (variant.minor_version() > device.minorVersion)
    lacks += text(", Vulkan 1.", variant.minor_version(), " (it has 1.", device.minorVersion, ")");
  for (uint32_t i = 0; variant.features() && i < variant.features()->size(); ++i)
    if (const std::string name = variant.features()->Get(i)->str(); !device.offers(name))
      lacks += text(", ", name);
  if (const uint32_t size = variant.subgroup_size();
      size && (size < device.leastSubgroup || size > device.mostSubgroup))
    lacks += text(", subgroups of ", size, " (it has ", device.leastSubgroup, " to ", device.mostSubgroup, ")");
  auto limit = [&](uint32_t wanted, uint32_t most, const char *what) {
    if (wanted > most)
      lacks += text(", ", what, " of ", wanted, " (it has ", most, ")");
  };
  limit(variant.invocations(),
        std::min(device.limits.maxComputeWorkGroupInvocations, device.limits.maxComputeWorkGroupSize[0]), "workgroups");
  limit(variant.shared_bytes(), device.limits.maxComputeSharedMemorySize, "bytes of shared memory");
  for (uint32_t i = 0; variant.cooperative() && i < variant.cooperative()->size(); ++i)
    if (const auto &matrix = *variant.cooperative()->Get(i); !offers(device, matrix))
      lacks += text(", cooperative matrices of ", matrix.m(), "x", matrix.n(), "x", matrix.k(), " ",
                    EnumNameDType(matrix.operands()), " with sums of ", EnumNameDType(matrix.sums()));
  return lacks.empty() ? lacks : lacks.substr(2);
}
