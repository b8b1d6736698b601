// The phases of a compilation. One table names them; the driver's options, the dumps, the progress bar and the timing
// report all read it.
#ifndef FOVEA_COMPILER_PIPELINE_PHASES_H
#define FOVEA_COMPILER_PIPELINE_PHASES_H

#include "compiler/lowering/Machine.h"
#include "compiler/lowering/ScheduleKernels.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <functional>
#include <string>
#include <vector>

namespace fovea {

/// What the user asked for, as far as phases depend on it.
struct CompileOptions {
  std::vector<lowering::Machine> machines; ///< CPUs; schedules are made for the first. None: not for the CPU
  std::vector<lowering::Machine> variants; ///< Vulkan devices: a program for each that differs from those before it
  lowering::LoweringChoice lowering;
  /// Passes to run after a phase: its name and a pipeline in MLIR's textual form.
  std::vector<std::pair<std::string, std::string>> inserted;
  /// Called with each pass manager before it runs.
  std::function<void(mlir::PassManager &)> instrument;
};

/// One phase between the import of a model and the writing of the artifact: module to module.
struct Phase {
  const char *name, *summary;
  mlir::LogicalResult (*run)(mlir::ModuleOp, const CompileOptions &);
};

/// raise, simplify, fuse, tile, plan; in this order.
llvm::ArrayRef<Phase> phases();

/// Runs the phases from the one after `from` (empty: all) to `to` (empty: all), calling `done` after each.
mlir::LogicalResult runPhases(mlir::ModuleOp module, const CompileOptions &options, llvm::StringRef from,
                              llvm::StringRef to, const std::function<mlir::LogicalResult(const Phase &)> &done);

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_PHASES_H
