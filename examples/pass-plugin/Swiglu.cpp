// sample.swiglu: what the compiler has to know of it, and what it means.
#include "Dialect.h"
#include "Passes.h"

#include "compiler/reference/Evaluator.h"

#include <cmath>

using namespace mlir;
using namespace sample;

LogicalResult SwigluOp::verify() {
  auto type = cast<RankedTensorType>(getResult().getType());
  for (Value operand : getOperands())
    if (operand.getType() != type || !isa<FloatType>(type.getElementType()))
      return emitOpError("expected operands and result to have one type of floats, got ")
             << operand.getType() << " and " << type;
  return success();
}

// For tiling and fusion: elementwise.
SmallVector<utils::IteratorType> SwigluOp::getLoops() {
  return SmallVector<utils::IteratorType>(cast<RankedTensorType>(getResult().getType()).getRank(),
                                          utils::IteratorType::parallel);
}

SmallVector<AffineMap> SwigluOp::getAccesses() {
  return SmallVector<AffineMap>(3, AffineMap::getMultiDimIdentityMap(getLoops().size(), getContext()));
}

// For the target: one element.
SmallVector<Value> SwigluOp::buildBody(OpBuilder &b, Location loc, ValueRange elements) {
  Value gate = fovea::attn::SiluOp::create(b, loc, elements[0]);
  return {arith::MulFOp::create(b, loc, gate, elements[1])};
}

/// The meaning, in double precision: what --check compares with.
static void evaluate(fovea::reference::Evaluator &evaluator, Operation *op) {
  auto swiglu = cast<SwigluOp>(op);
  auto gate = evaluator.tensor(swiglu.getGate()), up = evaluator.tensor(swiglu.getUp());
  if (gate->shape != up->shape)
    fovea::reference::fault("gate and up differ in size");
  fovea::reference::Tensor result = *gate;
  for (auto [y, u] : llvm::zip_equal(result.data, up->data))
    y.f = y.f / (1 + std::exp(-y.f)) * u.f;
  result.round();
  evaluator.set(swiglu.getResult(), std::move(result));
}

void sample::registerSwigluReference() { fovea::reference::RegisterOpFunctions{{"sample.swiglu", evaluate}}; }
