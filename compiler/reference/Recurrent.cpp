// Layers with a state, by their formulas.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

/// The operand, if it is there.
static TensorRef given(Evaluator &evaluator, Value operand) { return operand ? evaluator.tensor(operand) : nullptr; }

static void expectShape(const TensorRef &tensor, ArrayRef<int64_t> shape) {
  if (tensor && ArrayRef<int64_t>(tensor->shape) != shape)
    fault("the operands' sizes do not fit each other");
}

static void evaluateLinearAttention(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::LinearAttentionOp>(operation);
  TensorRef query = evaluator.tensor(op.getQuery()), key = evaluator.tensor(op.getKey()),
            value = evaluator.tensor(op.getValue());
  int64_t batch = query->shape[0], length = query->shape[1], heads = query->shape[2], d = query->shape[3];
  int64_t keyHeads = key->shape[2], e = value->shape[3], group = heads / keyHeads;
  TensorRef state = given(evaluator, op.getState()), decay = given(evaluator, op.getDecay()),
            beta = given(evaluator, op.getBeta());
  expectShape(key, {batch, length, keyHeads, d});
  expectShape(value, {batch, length, keyHeads, e});
  expectShape(state, {batch, keyHeads, d, e});
  expectShape(decay, {batch, length, keyHeads, decay && decay->shape[3] == 1 ? 1 : d});
  expectShape(beta, {batch, length, beta && beta->shape[2] == 1 ? 1 : keyHeads});
  expectShape(evaluator.tensor(op.getInit()), {batch, length, heads, e});
  expectShape(evaluator.tensor(op.getStateInit()), {batch, keyHeads, d, e});
  double scale = op.getScale().convertToDouble();
  Tensor result(query->elementType, {batch, length, heads, e});
  Tensor newState(getElementTypeOrSelf(op.getNewState().getType()), {batch, keyHeads, d, e});
  if (state)
    newState.data = state->data;
  std::vector<double> u(e);
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t g = 0; g < keyHeads; ++g) {
      Element *s = &newState.data[(b * keyHeads + g) * d * e];
      for (int64_t t = 0; t < length; ++t) {
        int64_t row = (b * length + t) * keyHeads + g;
        const Element *k = &key->data[row * d], *v = &value->data[row * e];
        for (int64_t i = 0; decay && i < d; ++i)
          for (int64_t j = 0; j < e; ++j)
            s[i * e + j].f *= std::exp(decay->data[decay->shape[3] == 1 ? row : row * d + i].f);
        for (int64_t j = 0; j < e; ++j) {
          u[j] = v[j].f;
          for (int64_t i = 0; beta && i < d; ++i)
            u[j] -= s[i * e + j].f * k[i].f;
          u[j] *= beta ? beta->data[beta->shape[2] == 1 ? b * length + t : row].f : 1;
        }
        for (int64_t i = 0; i < d; ++i)
          for (int64_t j = 0; j < e; ++j)
            s[i * e + j].f += k[i].f * u[j];
        for (int64_t h = g * group; h < (g + 1) * group; ++h) {
          int64_t out = (b * length + t) * heads + h;
          for (int64_t j = 0; j < e; ++j) {
            double sum = 0;
            for (int64_t i = 0; i < d; ++i)
              sum += query->data[out * d + i].f * s[i * e + j].f;
            result.data[out * e + j].f = scale * sum;
          }
        }
      }
    }
  result.round();
  newState.round();
  evaluator.set(op.getResult(), std::move(result));
  evaluator.set(op.getNewState(), std::move(newState));
}

static void evaluateCausalConv(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::CausalConvWithStateOp>(operation);
  TensorRef source = evaluator.tensor(op.getSource()), weight = evaluator.tensor(op.getWeight());
  TensorRef bias = given(evaluator, op.getBias()), state = given(evaluator, op.getState());
  int64_t batch = source->shape[0], channels = source->shape[1], length = source->shape[2], k = weight->shape[1];
  if (k < 1)
    fault("a convolution with no weights");
  expectShape(weight, {channels, k});
  expectShape(bias, {channels});
  expectShape(state, {batch, channels, k - 1});
  expectShape(evaluator.tensor(op.getInit()), source->shape);
  expectShape(evaluator.tensor(op.getStateInit()), {batch, channels, k - 1});
  Tensor result(source->elementType, source->shape), newState(source->elementType, {batch, channels, k - 1});
  for (int64_t row = 0; row < batch * channels; ++row) {
    int64_t c = row % channels;
    std::vector<double> x(k - 1 + length);
    for (int64_t j = 0; j < k - 1 + length; ++j)
      x[j] = j >= k - 1 ? source->data[row * length + j - (k - 1)].f : state ? state->data[row * (k - 1) + j].f : 0;
    for (int64_t t = 0; t < length; ++t) {
      double sum = bias ? bias->data[c].f : 0;
      for (int64_t j = 0; j < k; ++j)
        sum += weight->data[c * k + j].f * x[t + j];
      result.data[row * length + t].f = !op.getSilu() ? sum : sum == -INFINITY ? 0 : sum * sigmoid(sum);
    }
    for (int64_t j = 0; j < k - 1; ++j)
      newState.data[row * (k - 1) + j].f = x[length + j];
  }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
  evaluator.set(op.getNewState(), std::move(newState));
}

static RegisterOpFunctions functions{{"attn.linear_attention", evaluateLinearAttention},
                                     {"attn.causal_conv_with_state", evaluateCausalConv}};
