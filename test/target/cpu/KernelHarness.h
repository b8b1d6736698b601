// Compiles kernels given as MLIR text with one lowering and loads them, for tests and benchmarks of kernel lowerings.
#pragma once

#include "compiler/lowering/Lowering.h"
#include "runtime/include/fovea/abi.h"

#include <memory>
#include <string>
#include <vector>

namespace fovea::lowering {

/// One kernel, ready to be called.
class LoadedKernel {
public:
  /// The kernel_def in `text`, compiled for `machine` by the lowering `name`, which plans it unless the schedule of the
  /// text is not empty. A text whose input is to lie in panels says so in its layouts. Prints what went wrong and gives
  /// null if it cannot be done.
  static std::unique_ptr<LoadedKernel> compile(const std::string &text, llvm::StringRef lowering,
                                               const Machine &machine, std::string *refusal = nullptr);
  ~LoadedKernel();

  int64_t tasks(llvm::ArrayRef<int64_t> symbols, unsigned stage = 0) const;
  /// Runs all stages, each in `pieces` calls of about the same size, the last one first.
  void run(llvm::ArrayRef<void *> buffers, llvm::ArrayRef<int64_t> symbols = {}, int64_t pieces = 1);

  size_t stageCount() const { return stages.size(); }

  std::string schedule; ///< as text
  double nanoseconds = 0;
  int64_t fault = 0;

private:
  struct Stage {
    mlir::AffineExpr tasks, workspace;
    fovea_kernel_fn function;
  };
  std::unique_ptr<mlir::MLIRContext> context;
  std::vector<Stage> stages;
  void *library = nullptr;
  int descriptor = -1; ///< open as long as the library: the loader knows libraries by their paths
  std::unique_ptr<char[]> memory;
  size_t capacity = 0;
};

} // namespace fovea::lowering
