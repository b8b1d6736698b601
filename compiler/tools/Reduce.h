// Makes a program smaller as long as a command fails on it in the same way.
#ifndef FOVEA_COMPILER_TOOLS_REDUCE_H
#define FOVEA_COMPILER_TOOLS_REDUCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace fovea {

/// Whether a smaller program still shows what is looked for. Valid IR only is asked about.
using Interesting = llvm::function_ref<bool(mlir::ModuleOp)>;

/// Reduces the first function of a module, which is interesting, to a minimal one: with one result, computed as early
/// as possible; with values in the middle as inputs; with operations replaced by one of their operands. What is not
/// needed any more goes. Minimal: no single step of these makes it smaller. `step` is called with the number of
/// operations left.
void reduce(mlir::OwningOpRef<mlir::ModuleOp> &module, Interesting interesting, llvm::function_ref<void(size_t)> step);

/// Operations of the first function that compute something: no constants, no empty tensors, no sizes.
size_t countOperations(mlir::ModuleOp module);

} // namespace fovea

#endif // FOVEA_COMPILER_TOOLS_REDUCE_H
