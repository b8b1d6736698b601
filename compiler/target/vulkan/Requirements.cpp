#include "compiler/target/vulkan/Shader.h"

#include "llvm/ADT/STLExtras.h"

using namespace fovea;
using namespace fovea::vulkan;

/// What the minimum profile has anyway.
static constexpr unsigned kLeastInvocations = 128, kLeastSharedBytes = 16384;

void Requirements::add(const Shader &shader) {
  auto need = [&](bool used, const char *feature) {
    if (used && !llvm::is_contained(features, feature))
      features.push_back(feature);
  };
  need(shader.int64, "shaderInt64");
  need(shader.float64, "shaderFloat64");
  if (shader.groupSize > kLeastInvocations)
    invocations = std::max(invocations, shader.groupSize);
  if (shader.sharedBytes > kLeastSharedBytes)
    sharedBytes = std::max(sharedBytes, shader.sharedBytes);
}

Requirements fovea::vulkan::requirementsOf(const lowering::Machine &machine) {
  Requirements needs;
  if (machine.cooperativeMatrix.m) {
    // Cooperative matrices are for SPIR-V 1.6, which Vulkan 1.3 takes, and its memory model.
    needs.minorVersion = 3;
    needs.features = {"cooperativeMatrix", "vulkanMemoryModel", "shaderFloat16", "subgroupSizeControl",
                      "computeFullSubgroups"};
  }
  return needs;
}
