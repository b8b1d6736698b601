// Views that move behind what reads them, and what rewriting a view takes.
#ifndef FOVEA_COMPILER_TRANSFORMS_SINKVIEWS_H
#define FOVEA_COMPILER_TRANSFORMS_SINKVIEWS_H

#include "dialects/data/DimExpr.h"

#include "mlir/IR/PatternMatch.h"

namespace fovea {

/// Reshapes of leading dims and transposes that leave the last dim in place go behind elementwise operations, products
/// with weights and normalisations.
void addViewSinking(mlir::RewritePatternSet &patterns);

llvm::SmallVector<mlir::OpFoldResult> sizesOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Value tensor,
                                              data::DimAnalysis &dims);
llvm::SmallVector<int64_t> inversePermutation(llvm::ArrayRef<int64_t> permutation);
/// linalg.transpose into a fresh tensor.
mlir::Value transpose(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, llvm::ArrayRef<int64_t> permutation);
/// A cast where the static types differ.
mlir::Value withType(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Type type);

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_SINKVIEWS_H
