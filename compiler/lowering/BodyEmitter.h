// How a scalar region becomes code, value by value; see Body.h for what is asked from outside.
#ifndef FOVEA_COMPILER_LOWERING_BODYEMITTER_H
#define FOVEA_COMPILER_LOWERING_BODYEMITTER_H

#include "compiler/lowering/Body.h"

namespace fovea::lowering {

/// The table and the indices of an operation that reads one element of a tensor.
std::pair<mlir::Value, mlir::ValueRange> tableOf(mlir::Operation *op);

/// One evaluation of a body. Values that it does not know yet are emitted when they are asked for.
class BodyEmitter {
public:
  BodyEmitter(StageFrame &frame, const BodyContext &context)
      : frame(frame), b(frame.builder()), loc(frame.loc()), context(context) {}
  void bind(mlir::Value from, mlir::Value to) { values[from] = to; }
  mlir::Value get(mlir::Value value);
  void emit(mlir::Operation *op);

private:
  mlir::Value emitElementwise(mlir::Operation *op);
  mlir::Value emitAffine(mlir::AffineExpr expr, llvm::ArrayRef<mlir::Value> dims, llvm::ArrayRef<mlir::Value> symbols);
  mlir::Value emitLookup(mlir::Operation *op);
  mlir::Value integer(int64_t value, mlir::Value like) {
    return broadcastLanes(frame, frame.constant(value), lanesOf(like));
  }
  mlir::Value cast(mlir::Value value, mlir::Type element, bool isUnsigned);
  mlir::Value conversion(mlir::Value value, mlir::Type to);
  mlir::Value divisor(mlir::Value x, mlir::Value y, bool isSigned);
  mlir::Value integerPower(mlir::Value base, mlir::Value exponent);
  bool staysInside(mlir::Value index, const data::DimExpr &size);
  int64_t laneStep(mlir::Value index);
  static int64_t lanesOf(mlir::Value v) {
    return mlir::isa<mlir::VectorType>(v.getType()) ? mlir::cast<mlir::VectorType>(v.getType()).getNumElements() : 0;
  }
  void markFault(mlir::Value outside);

  StageFrame &frame;
  mlir::OpBuilder &b;
  mlir::Location loc;
  const BodyContext &context;
  llvm::DenseMap<mlir::Value, mlir::Value> values;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_BODYEMITTER_H
