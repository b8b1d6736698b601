// Integer tensors whose elements are linear functions of where they lie.
#ifndef FOVEA_COMPILER_TRANSFORMS_LINEARPOSITIONS_H
#define FOVEA_COMPILER_TRANSFORMS_LINEARPOSITIONS_H

#include "dialects/data/Data.h"
#include "dialects/data/DimExpr.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseMap.h"

#include <optional>

namespace fovea {

/// constant + sum of steps[d] * index of dim d; numbers so small that 32 bits hold all values of real tensors.
struct LinearPosition {
  int64_t constant = 0;
  llvm::SmallVector<int64_t> steps;
  bool isConstant() const {
    return llvm::all_of(steps, [](int64_t s) { return s == 0; });
  }
};

/// Knows of the tensors of one function whether they are linear.
class LinearPositions {
public:
  using Body = llvm::DenseMap<mlir::Value, LinearPosition>;
  /// Nothing, if a tensor is not known to be linear.
  std::optional<LinearPosition> of(mlir::Value tensor);
  /// The values in the body of an elementwise operation that are linear functions of its loops.
  Body ofBody(mlir::linalg::GenericOp op);
  /// What is read there, if the table is linear and no index leaves it.
  std::optional<LinearPosition> ofLookup(data::LookupOp lookup, mlir::linalg::GenericOp op, const Body &body);

private:
  std::optional<LinearPosition> valueOf(mlir::Value value, const Body &body, unsigned loops);
  std::optional<LinearPosition> compute(mlir::Operation *op);
  std::optional<LinearPosition> ofGeneric(mlir::linalg::GenericOp op);
  bool staysInside(const LinearPosition &index, mlir::Value table, int64_t d, mlir::Value result);
  std::optional<LinearPosition> ofSlice(mlir::tensor::ExtractSliceOp op);
  std::optional<LinearPosition> ofConcat(mlir::tensor::ConcatOp op);
  std::optional<LinearPosition> ofReshape(mlir::Operation *op);
  std::optional<LinearPosition> ofCumsum(data::CumsumOp op);

  llvm::DenseMap<mlir::Value, std::optional<LinearPosition>> known;
  data::DimAnalysis dims;
};

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_LINEARPOSITIONS_H
