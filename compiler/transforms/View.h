// Where the elements of a tensor inside a kernel lie in memory, seen through the operations that only rename indices.
#ifndef FOVEA_COMPILER_TRANSFORMS_VIEW_H
#define FOVEA_COMPILER_TRANSFORMS_VIEW_H

#include "dialects/data/DimExpr.h"

namespace fovea {

/// Element (i0, i1, ...) of a tensor is `base[offset + i0 * strides[0] + i1 * strides[1] + ...]`, base being an
/// argument of the kernel (row-major memory) or a value that an operation of the kernel computes (then as if that were
/// row-major). Strides of dims of size 1 are 0.
struct View {
  mlir::Value base;
  data::DimExpr offset;
  llvm::SmallVector<data::DimExpr> strides;
};

/// True for operations that only rename the indices of one tensor: reshapes, transposes, slices, casts.
bool isView(mlir::Operation *op);

/// Reads `tensor` through reshapes, transposes, slices and casts down to its base. Fails where a collapse merges dims
/// that do not lie one after the other.
mlir::FailureOr<View> viewOfSource(mlir::Value tensor, data::DimAnalysis &dims);

/// Where the operation that computes `tensor` has to write it, so that the value reached by following its only use
/// through reshapes, transposes, casts and insert_slice lies row-major in `destination`. `base` of the result is
/// `destination`. Follows up to the terminator (then destination is the init tied to the yielded value, found by the
/// caller through `terminal`).
struct Destination {
  View view;                 ///< base is null: the caller knows the init
  mlir::OpOperand *terminal; ///< the operand of the terminator at which the chain of views ends
};
mlir::FailureOr<Destination> viewOfDestination(mlir::Value tensor, data::DimAnalysis &dims);

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_VIEW_H
