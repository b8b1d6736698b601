// Scalar regions (bodies of linalg.generic, regions of attention) as straight-line code on scalars or vectors.
#ifndef FOVEA_COMPILER_LOWERING_BODY_H
#define FOVEA_COMPILER_LOWERING_BODY_H

#include "compiler/lowering/Lowering.h"

namespace fovea::lowering {

/// How a region is to be evaluated.
struct BodyContext {
  /// 0: one element, scalar values. Otherwise that many elements at once: values that vary are vector<lanes x T>; a
  /// value that is the same for all lanes may stay scalar and is broadcast where it meets a vector.
  int64_t lanes = 0;
  /// The value of linalg.index `dim` as i64, scalar or vector of lanes.
  std::function<mlir::Value(int64_t dim)> index;
  /// Lanes that are in use, vector<lanes x i1>; null: all. Lookups of other lanes read nothing.
  mlir::Value mask;
  /// The address of element 0 of a table that data.lookup or tensor.extract reads: of the base of its view
  /// (viewOfSource), offset and strides are added here. Null: the buffer of the argument of the kernel.
  std::function<mlir::Value(mlir::Value base)> table;
  /// The dim whose index grows by one from lane to lane, if there is such a dim; lookups along it are vector loads.
  int64_t laneDim = -1;
  /// Sizes of the dims of linalg.index, if known: an index that cannot leave its table is not checked.
  llvm::SmallVector<data::DimExpr> extents;
};

/// True if emitBody knows every operation of the body; otherwise `reason` names one in a clause.
bool canEmitBody(mlir::Block &body, std::string &reason);

/// Emits the body with its block arguments replaced by `arguments` and returns the operands of its terminator, all of
/// them vectors where there are lanes. All values are of computedType (Elements.h): bools are i1, f16 and bf16 are f32.
/// Values from outside of the body are symbols of the kernel, or are computed from these and from tables.
llvm::SmallVector<mlir::Value> emitBody(StageFrame &frame, mlir::Block &body, llvm::ArrayRef<mlir::Value> arguments,
                                        const BodyContext &context);

/// A scalar that the kernel computes outside of its tensor operations: a constant, a symbol, an element of a table,
/// arithmetic on these.
mlir::Value emitScalar(StageFrame &frame, mlir::Value value);

/// `value` as a vector of `lanes` elements; a vector, and everything if lanes is 0, stays as it is.
mlir::Value broadcastLanes(StageFrame &frame, mlir::Value value, int64_t lanes);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_BODY_H
