// What a shader asks of a GPU, read off its code.
#ifndef FOVEA_COMPILER_TARGET_VULKAN_FIGURES_H
#define FOVEA_COMPILER_TARGET_VULKAN_FIGURES_H

#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"

namespace fovea::vulkan {

/// Units of the GPU that occupancy is stated for: 32 of them, each with so much. Shared memory and registers bound how
/// many workgroups a unit can hold at once (Volkov 2016, "Understanding Latency Hiding on GPUs").
struct GpuUnit {
  static constexpr unsigned kSharedBytes = 64 << 10, kRegisters = 64 << 10, kInvocations = 2048, kGroups = 32;
};

/// Of one shader. Flops and bytes are those of a workgroup in one trip of its hottest loop, or of all of it if it has
/// no loop: of the innermost loop with the most arithmetic; if its invocations meet in a loop around that, then of this
/// one, which brings what the inner one reads to shared memory.
struct Figures {
  unsigned groupSize = 0;   ///< invocations of a workgroup
  unsigned registers = 0;   ///< most 32-bit words that an invocation keeps at once
  unsigned sharedBytes = 0; ///< of a workgroup
  int64_t flops = 0;
  int64_t bufferBytes = 0;   ///< loaded from and stored to buffers; what all invocations load alike is one access
  int64_t sharedTraffic = 0; ///< bytes, the same of shared memory
  void add(const Figures &part, int64_t times = 1); ///< flops and bytes
  unsigned groupsOfUnit() const;                    ///< workgroups that a GpuUnit holds
  double occupancy() const;                         ///< of a unit's invocations
};

/// `module` has one function, with loops still in scf; `groupSize` invocations of it are a workgroup.
Figures figuresOf(mlir::spirv::ModuleOp module, unsigned groupSize);

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_FIGURES_H
