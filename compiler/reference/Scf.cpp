// Loops of scf.
#include "compiler/reference/Evaluator.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fovea::reference;

static void evaluateFor(Evaluator &evaluator, Operation *operation) {
  auto loop = cast<scf::ForOp>(operation);
  int64_t step = evaluator.index(loop.getStep());
  if (step <= 0)
    fault("the step of a loop is " + Twine(step));
  auto hand = [&](ValueRange from, ValueRange to) {
    SmallVector<TensorRef> tensors;
    SmallVector<Element> scalars;
    // All are read before the first is set: a value may move to another place.
    for (Value value : from)
      if (isa<TensorType>(value.getType()))
        tensors.push_back(evaluator.tensor(value)), scalars.push_back({.i = 0});
      else
        tensors.push_back(nullptr), scalars.push_back(evaluator.scalar(value));
    for (auto [value, tensor, scalar] : llvm::zip_equal(to, tensors, scalars))
      if (tensor)
        evaluator.set(value, tensor);
      else
        evaluator.setScalar(value, scalar);
  };
  ValueRange current = loop.getInits();
  int64_t to = evaluator.index(loop.getUpperBound());
  for (int64_t i = evaluator.index(loop.getLowerBound()); i < to; i += step) {
    hand(current, loop.getRegionIterArgs());
    evaluator.setScalar(loop.getInductionVar(), {.i = i});
    current = evaluator.run(*loop.getBody())->getOperands();
  }
  hand(current, loop.getResults());
}

static RegisterOpFunctions functions{{"scf.for", evaluateFor}};
