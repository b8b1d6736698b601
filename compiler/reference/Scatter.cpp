// data.scatter, one update after the other.
#include "compiler/reference/Evaluator.h"

#include "dialects/data/Data.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;
using data::ScatterKind;

static double combine(ScatterKind kind, double x, double y) {
  switch (kind) {
  case ScatterKind::set:
    return y;
  case ScatterKind::add:
    return x + y;
  case ScatterKind::mul:
    return x * y;
  case ScatterKind::max:
  case ScatterKind::min:
    if (std::isnan(x) || std::isnan(y))
      return NAN;
    return kind == ScatterKind::max ? std::max(x, y) : std::min(x, y);
  }
  llvm_unreachable("all kinds are handled");
}

static int64_t combine(ScatterKind kind, int64_t x, int64_t y, bool truth, bool natural) {
  uint64_t a = x, b = y;
  switch (kind) {
  case ScatterKind::set:
    return y;
  case ScatterKind::add:
    return truth ? x | y : static_cast<int64_t>(a + b);
  case ScatterKind::mul:
    return static_cast<int64_t>(a * b);
  case ScatterKind::max:
    return (natural ? a < b : x < y) ? y : x;
  case ScatterKind::min:
    return (natural ? b < a : y < x) ? y : x;
  }
  llvm_unreachable("all kinds are handled");
}

static void evaluateScatter(Evaluator &evaluator, Operation *operation) {
  auto op = cast<data::ScatterOp>(operation);
  TensorRef indices = evaluator.tensor(op.getIndices()), updates = evaluator.tensor(op.getUpdates());
  Tensor result = *evaluator.tensor(op.getSource());
  AffineMap places = op.getPlaces();
  size_t leading = indices->rank() - 1;
  for (size_t d = 0; d < leading; ++d)
    if (indices->shape[d] != updates->shape[d])
      fault("dim " + Twine(d) + " of the indices has " + Twine(indices->shape[d]) + " elements, that of the updates " +
            Twine(updates->shape[d]));
  SmallVector<int64_t> at(result.rank());
  forEachIndex(updates->shape, [&](ArrayRef<int64_t> u) {
    int64_t component = offsetOf(u.take_front(leading), ArrayRef(indices->strides()).take_front(leading));
    for (auto [d, place] : llvm::enumerate(places.getResults())) {
      int64_t size = result.shape[d];
      if (auto dim = dyn_cast<AffineDimExpr>(place))
        at[d] = u[dim.getPosition()];
      else
        at[d] = indices->data[component + cast<AffineSymbolExpr>(place).getPosition()].i;
      if (at[d] < (isa<AffineDimExpr>(place) ? 0 : -size) || at[d] >= size)
        fault("index " + Twine(at[d]) + " is outside of a dim of " + Twine(size));
      at[d] = at[d] < 0 ? at[d] + size : at[d];
    }
    Element &to = result.data[offsetOf(at, result.strides())];
    Element by = updates->data[offsetOf(u, updates->strides())];
    if (result.isFloat())
      to.f = combine(op.getKind(), to.f, by.f);
    else
      to.i = combine(op.getKind(), to.i, by.i, result.elementType.isInteger(1), op.getNatural());
    to = roundTo(result.elementType, to);
  });
  evaluator.set(op.getResult(), std::move(result));
}

static RegisterOpFunctions functions{{"data.scatter", evaluateScatter}};
