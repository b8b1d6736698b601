// What the lowerings of products for machines that run shaders have in common: their schedules and stages, what an
// invocation does with the sums in its registers, and the rows that are normalised in a stage of their own.
#ifndef FOVEA_COMPILER_LOWERING_MATMULSHADERS_H
#define FOVEA_COMPILER_LOWERING_MATMULSHADERS_H

#include "compiler/lowering/Matmul.h"

namespace fovea::lowering {

/// With these choices in its attributes, a weight in panels and all other tensors row-major.
Schedule shaderSchedule(MatmulForm &form, llvm::StringRef name,
                        llvm::ArrayRef<std::pair<llvm::StringRef, int64_t>> choices);

/// The stage of a kernel that `write` writes, without workspace.
Stage shaderStage(exec::KernelDefOp kernel, llvm::StringRef suffix, mlir::AffineExpr tasks, const Machine &machine,
                  mlir::ModuleOp code, llvm::function_ref<void(StageFrame &frame, KernelCode &c)> write);

/// Bytes of what the stages of a product with a normalisation pass on: its rows, row-major. Null without one.
mlir::AffineExpr passedOnBytes(MatmulForm &form);

/// What follows the sums of an invocation: those of row m0 + i and of column columns[j] are at i * columns.size() + j.
/// Sums outside of the matrix are dropped. What is to be normalised is passed on.
void finishSums(StageFrame &frame, KernelCode &c, MatmulForm &form, llvm::ArrayRef<mlir::Value> batch, mlir::Value m0,
                llvm::ArrayRef<mlir::Value> columns, llvm::ArrayRef<mlir::Value> sums);

/// The stage that normalises: a task a row of the matrix at `values`; by default that which was passed on.
void normalizeRows(StageFrame &frame, KernelCode &c, MatmulForm &form, mlir::Value values = {});

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_MATMULSHADERS_H
