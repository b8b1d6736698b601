// The host program of an artifact: exec.program as native code against abi.h.
#ifndef FOVEA_COMPILER_TARGET_CPU_HOSTPROGRAM_H
#define FOVEA_COMPILER_TARGET_CPU_HOSTPROGRAM_H

#include "compiler/lowering/Lowering.h"

#include "llvm/ADT/StringMap.h"

namespace fovea::cpu {

/// A kernel as the host program sees it: its stages, and the number of the first one in the kernel table.
struct CompiledKernel {
  unsigned firstStage;
  llvm::SmallVector<lowering::Stage> stages;
};

/// What the manifest has to say of a dispatch: the stage launched and the node it comes from.
struct LaunchRecord {
  unsigned stage;
  std::string node;
};

/// A program as the runtime will know it.
struct HostEntry {
  std::string name;
  unsigned slots = 0;
  std::vector<LaunchRecord> launches; ///< in order
};

/// Writes `prepare` and `run` of each program into the module `code`, as functions. `weightOffsets` are places in the
/// weights section.
mlir::LogicalResult writeHostPrograms(mlir::ModuleOp module, mlir::ModuleOp code,
                                      const llvm::StringMap<CompiledKernel> &kernels,
                                      const llvm::StringMap<int64_t> &weightOffsets, std::vector<HostEntry> &entries);

/// Adds the exported fovea_host_image, once the functions are llvm.func.
void addHostImage(mlir::ModuleOp code, llvm::ArrayRef<HostEntry> entries);

} // namespace fovea::cpu

#endif // FOVEA_COMPILER_TARGET_CPU_HOSTPROGRAM_H
