// The operations of the data dialect on whole tensors.
#include "compiler/reference/Evaluator.h"

#include "dialects/data/Data.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

static void evaluateExpand(Evaluator &evaluator, Operation *op) {
  auto expand = cast<data::ExpandOp>(op);
  TensorRef source = evaluator.tensor(expand.getSource());
  SmallVector<int64_t> shape(cast<RankedTensorType>(expand.getType()).getShape()), strides = source->strides();
  unsigned next = 0;
  for (auto [d, size] : llvm::enumerate(shape)) {
    if (ShapedType::isDynamic(size))
      size = evaluator.index(expand.getSizes()[next++]);
    if (source->shape[d] != size && source->shape[d] != 1)
      fault("dim " + Twine(d) + " has " + Twine(source->shape[d]) + " elements, expected 1 or " + Twine(size));
    if (source->shape[d] == 1)
      strides[d] = 0;
  }
  Tensor result(source->elementType, shape);
  size_t place = 0;
  forEachIndex(shape, [&](ArrayRef<int64_t> at) { result.data[place++] = source->data[offsetOf(at, strides)]; });
  evaluator.set(expand.getResult(), std::move(result));
}

template <typename OpT, bool product> static void evaluateScan(Evaluator &evaluator, Operation *op) {
  auto scan = cast<OpT>(op);
  TensorRef source = evaluator.tensor(scan.getSource());
  Tensor result = *source;
  int64_t axis = scan.getAxis(), count = source->shape[axis], stride = source->strides()[axis];
  SmallVector<int64_t> rows = source->shape;
  rows[axis] = std::min<int64_t>(count, 1);
  auto combine = [](auto x, auto y) { return product ? x * y : x + y; };
  forEachIndex(rows, [&](ArrayRef<int64_t> at) {
    int64_t first = offsetOf(at, source->strides());
    Element sum{.i = product};
    if (source->isFloat())
      sum.f = product;
    for (int64_t n = 0; n < count; ++n) {
      int64_t place = first + (scan.getReverse() ? count - 1 - n : n) * stride;
      Element before = sum;
      if (source->isFloat())
        sum.f = combine(sum.f, source->data[place].f);
      else
        sum.i = combine(static_cast<uint64_t>(sum.i), static_cast<uint64_t>(source->data[place].i));
      result.data[place] = scan.getExclusive() ? before : sum;
    }
  });
  result.round();
  evaluator.set(scan.getResult(), std::move(result));
}

static RegisterOpFunctions functions{{"data.expand", evaluateExpand},
                                     {"data.cumsum", evaluateScan<data::CumsumOp, false>},
                                     {"data.cumprod", evaluateScan<data::CumprodOp, true>}};
