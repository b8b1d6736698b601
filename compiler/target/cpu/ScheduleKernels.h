// The tile phase on the CPU; see ScheduleKernels.cpp.
#ifndef FOVEA_COMPILER_TARGET_CPU_SCHEDULEKERNELS_H
#define FOVEA_COMPILER_TARGET_CPU_SCHEDULEKERNELS_H

#include "compiler/target/cpu/Machine.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLExtras.h"

namespace fovea::cpu {

/// What `--lowering=NAME` and `--lowering=-NAME` ask for.
struct LoweringChoice {
  std::vector<std::string> forced, forbidden;
  bool forces(llvm::StringRef name) const { return llvm::is_contained(forced, name); }
  bool forbids(llvm::StringRef name) const { return llvm::is_contained(forbidden, name); }
};

/// Gives every exec.kernel of the module its schedule and layouts, and turns the constants that kernels read into
/// exec.weight_data.
mlir::LogicalResult scheduleKernels(mlir::ModuleOp module, const Machine &machine, const LoweringChoice &choice);

} // namespace fovea::cpu

#endif // FOVEA_COMPILER_TARGET_CPU_SCHEDULEKERNELS_H
