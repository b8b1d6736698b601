// data.top_k by sorting each row.
#include "compiler/reference/Evaluator.h"

#include "dialects/data/Data.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

static void evaluateTopK(Evaluator &evaluator, Operation *operation) {
  auto op = cast<data::TopKOp>(operation);
  TensorRef source = evaluator.tensor(op.getSource());
  SmallVector<int64_t> shape = evaluator.tensor(op.getValuesInit())->shape, rows = shape;
  int64_t axis = op.getAxis(), k = shape[axis], count = source->shape[axis], stride = source->strides()[axis];
  for (auto [d, size] : llvm::enumerate(shape))
    if (static_cast<int64_t>(d) == axis ? size > source->shape[d] : size != source->shape[d])
      fault("dim " + Twine(d) + " has " + Twine(source->shape[d]) + " elements, the result " + Twine(size));
  Tensor values(source->elementType, shape), indices(IntegerType::get(op.getContext(), 64), shape);
  auto below = [&](Element x, Element y) {
    if (source->isFloat())
      return x.f < y.f || (!std::isnan(x.f) && std::isnan(y.f));
    return op.getNatural() ? static_cast<uint64_t>(x.i) < static_cast<uint64_t>(y.i) : x.i < y.i;
  };
  int64_t step = values.strides()[axis];
  rows[axis] = std::min<int64_t>(k, 1);
  std::vector<int64_t> order(count);
  forEachIndex(rows, [&](ArrayRef<int64_t> at) {
    const Element *row = source->data.data() + offsetOf(at, source->strides());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
      return op.getSmallest() ? below(row[i * stride], row[j * stride]) : below(row[j * stride], row[i * stride]);
    });
    int64_t place = offsetOf(at, values.strides());
    for (int64_t n = 0; n < k; ++n) {
      values.data[place + n * step] = row[order[n] * stride];
      indices.data[place + n * step].i = order[n];
    }
  });
  evaluator.set(op.getValues(), std::move(values));
  evaluator.set(op.getIndices(), std::move(indices));
}

static RegisterOpFunctions functions{{"data.top_k", evaluateTopK}};
