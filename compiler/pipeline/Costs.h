// What a kernel computes and moves: the figures of the manifest and of --explain.
#ifndef FOVEA_COMPILER_PIPELINE_COSTS_H
#define FOVEA_COMPILER_PIPELINE_COSTS_H

#include "dialects/data/DimExpr.h"
#include "dialects/exec/Exec.h"

namespace fovea {

struct KernelCost {
  /// A contraction counts 2 for each product, a transcendental function 10. Of an attention those products count whose
  /// query may see the key.
  data::DimExpr flops;
  data::DimExpr bytes; ///< of all inputs and outputs, each once
  /// Bytes of activations that the kernel moves: the elements of what is not a weight that each stage reads and those
  /// that it writes, each counted once a stage, from the places that the code of the stage accesses. So a slice counts
  /// by its size, a tensor that two stages read counts twice, and what passes between stages when it is written and
  /// when it is read; what stays in registers and workspaces does not count, nor does an element that comes back from
  /// the cache.
  data::DimExpr activations;
};

/// In terms of the names that `exec.dispatch` gives the kernel's symbols.
KernelCost costOf(exec::KernelDefOp kernel, exec::DispatchOp dispatch);

/// Of all dispatches of a planned module.
data::DimExpr totalFlops(mlir::ModuleOp module);

/// The shape of each input and init of a kernel as one dispatch sees it: "batch x 12 x 64".
llvm::SmallVector<std::string> shapesOf(exec::KernelDefOp kernel, exec::DispatchOp dispatch);

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_COSTS_H
