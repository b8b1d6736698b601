// Indices by affine maps.
#include "compiler/reference/Evaluator.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;
using namespace fovea::reference;

/// The results of the map for the values of the operands.
static SmallVector<int64_t> apply(Evaluator &evaluator, AffineMap map, ValueRange operands) {
  SmallVector<Attribute> values, results;
  for (Value operand : operands)
    values.push_back(IntegerAttr::get(IndexType::get(map.getContext()), evaluator.index(operand)));
  if (failed(map.constantFold(values, results)))
    fault("the map has no value");
  SmallVector<int64_t> numbers;
  for (Attribute result : results)
    numbers.push_back(cast<IntegerAttr>(result).getInt());
  return numbers;
}

static void evaluateApply(Evaluator &evaluator, Operation *op) {
  auto affine = cast<affine::AffineApplyOp>(op);
  evaluator.setScalar(affine, {.i = apply(evaluator, affine.getAffineMap(), affine.getMapOperands())[0]});
}
static void evaluateMin(Evaluator &evaluator, Operation *op) {
  auto affine = cast<affine::AffineMinOp>(op);
  SmallVector<int64_t> values = apply(evaluator, affine.getAffineMap(), affine.getOperands());
  evaluator.setScalar(affine, {.i = *llvm::min_element(values)});
}
static void evaluateMax(Evaluator &evaluator, Operation *op) {
  auto affine = cast<affine::AffineMaxOp>(op);
  SmallVector<int64_t> values = apply(evaluator, affine.getAffineMap(), affine.getOperands());
  evaluator.setScalar(affine, {.i = *llvm::max_element(values)});
}

static RegisterOpFunctions functions{
    {"affine.apply", evaluateApply}, {"affine.min", evaluateMin}, {"affine.max", evaluateMax}};
