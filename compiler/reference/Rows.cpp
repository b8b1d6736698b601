// The operations of the attn dialect along rows, and rotary embedding.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

//-----------------------------------------------------------------------------------------------------------------------===//

static void evaluateSoftmax(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::SoftmaxOp>(operation);
  TensorRef source = evaluator.tensor(op.getSource());
  Tensor result = *source;
  int64_t axis = op.getAxis(), count = source->shape[axis];
  SmallVector<int64_t> rows = source->shape, strides = source->strides();
  rows[axis] = std::min<int64_t>(count, 1);
  forEachIndex(rows, [&](ArrayRef<int64_t> at) {
    Element *row = &result.data[offsetOf(at, strides)];
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; ++i)
      most = std::max(most, row[i * strides[axis]].f);
    bool empty = most == -INFINITY && op.getGuarded();
    for (int64_t i = 0; i < count; ++i)
      sum += std::exp(row[i * strides[axis]].f - most);
    for (int64_t i = 0; i < count; ++i) {
      double &x = row[i * strides[axis]].f;
      x = empty ? (op.getLog() ? -INFINITY : 0) : op.getLog() ? x - most - std::log(sum) : std::exp(x - most) / sum;
      if (op.getGuarded() && !op.getLog() && std::isnan(x))
        x = 0;
    }
  });
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

/// Layer and RMS normalisation: the latter has a mean of zero.
static void normalizeRows(Evaluator &evaluator, Operation *op, Value sourceValue, Value scaleValue, Value biasValue,
                          int64_t axis, double epsilon, bool centred) {
  TensorRef source = evaluator.tensor(sourceValue), scale = scaleValue ? evaluator.tensor(scaleValue) : nullptr,
            bias = biasValue ? evaluator.tensor(biasValue) : nullptr;
  size_t count = 1;
  for (int64_t size : ArrayRef(source->shape).drop_front(axis))
    count *= size;
  if ((scale && scale->data.size() != count) || (bias && bias->data.size() != count))
    fault("scale or bias do not have the normalised dims");
  Tensor result = *source;
  for (size_t first = 0; count && first < result.data.size(); first += count) {
    Element *row = &result.data[first];
    double mean = 0, square = 0;
    for (size_t i = 0; centred && i < count; ++i)
      mean += row[i].f / count;
    for (size_t i = 0; i < count; ++i)
      square += (row[i].f - mean) * (row[i].f - mean) / count;
    for (size_t i = 0; i < count; ++i)
      row[i].f = (row[i].f - mean) / std::sqrt(square + epsilon) * (scale ? scale->data[i].f : 1) +
                 (bias ? bias->data[i].f : 0);
  }
  result.round();
  evaluator.set(op->getResult(0), std::move(result));
}

static void evaluateLayerNorm(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::LayerNormOp>(operation);
  normalizeRows(evaluator, op, op.getSource(), op.getScale(), op.getBias(), op.getAxis(),
                op.getEpsilon().convertToDouble(), /*centred=*/true);
}

static void evaluateRmsNorm(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::RmsNormOp>(operation);
  normalizeRows(evaluator, op, op.getSource(), op.getScale(), Value(), op.getAxis(), op.getEpsilon().convertToDouble(),
                /*centred=*/false);
}

static void evaluateRotaryEmbedding(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::RotaryEmbeddingOp>(operation);
  TensorRef source = evaluator.tensor(op.getSource()), cos = evaluator.tensor(op.getCos()),
            sin = evaluator.tensor(op.getSin());
  Tensor result = *source;
  int64_t last = source->shape.back(), rotated = op.getRotaryDim().value_or(last), half = rotated / 2,
          entries = cos->shape.back();
  bool interleaved = op.getForm() == attn::RotaryForm::interleaved;
  size_t row = 0;
  forEachIndex(ArrayRef(source->shape).drop_back(), [&](ArrayRef<int64_t> at) {
    SmallVector<AffineExpr> place;
    for (int64_t i : at)
      place.push_back(getAffineConstantExpr(i, op.getContext()));
    int64_t table = 0;
    for (auto [expr, size] : llvm::zip(op.getTableMap().getResults(), cos->shape)) {
      int64_t i = cast<AffineConstantExpr>(expr.replaceDims(place)).getValue();
      if (i < 0 || i >= size)
        fault("the table's map leaves it");
      table = table * size + i;
    }
    const Element *x = &source->data[row * last], *c = &cos->data[table * entries], *s = &sin->data[table * entries];
    Element *y = &result.data[row * last];
    ++row;
    for (int64_t d = 0; d < half; ++d) {
      int64_t a = interleaved ? 2 * d : d, b = interleaved ? 2 * d + 1 : d + half;
      int64_t ta = entries == rotated ? a : d, tb = entries == rotated ? b : d;
      y[a].f = x[a].f * c[ta].f - x[b].f * s[ta].f;
      y[b].f = x[b].f * c[tb].f + x[a].f * s[tb].f;
    }
  });
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static RegisterOpFunctions functions{
    {"attn.softmax", evaluateSoftmax},
    {"attn.layer_norm", evaluateLayerNorm},
    {"attn.rms_norm", evaluateRmsNorm},
    {"attn.rotary_embedding", evaluateRotaryEmbedding},
};
