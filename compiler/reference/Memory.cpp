// Memory that is addressed by content, by its formulas.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

/// The vector divided by its length; zero if it has none.
static std::vector<double> unit(const Element *x, int64_t width) {
  std::vector<double> result(width);
  double square = 0;
  for (int64_t i = 0; i < width; ++i)
    square += x[i].f * x[i].f;
  for (int64_t i = 0; i < width && square != 0; ++i)
    result[i] = x[i].f / std::sqrt(square);
  return result;
}

/// What each head looks for and where it finds it.
template <typename OpT> struct Heads {
  TensorRef memory, keys, strengths;
  int64_t batch, rows, width, heads;
  Heads(Evaluator &evaluator, OpT op)
      : memory(evaluator.tensor(op.getMemory())), keys(evaluator.tensor(op.getKeys())),
        strengths(evaluator.tensor(op.getStrengths())), batch(memory->shape[0]), rows(memory->shape[1]),
        width(memory->shape[2]), heads(keys->shape[1]) {
    if (keys->shape[0] != batch || keys->shape[2] != width || strengths->shape[0] != batch ||
        strengths->shape[1] != heads)
      misfit();
  }
  [[noreturn]] static void misfit() { fault("memory and keys do not fit each other"); }

  /// The softmax of strength times cosine over the rows.
  std::vector<double> weights(int64_t b, int64_t r) const {
    std::vector<double> key = unit(&keys->data[(b * heads + r) * width], width), result(rows);
    double most = -INFINITY, sum = 0;
    for (int64_t n = 0; n < rows; ++n) {
      std::vector<double> row = unit(&memory->data[(b * rows + n) * width], width);
      for (int64_t i = 0; i < width; ++i)
        result[n] += key[i] * row[i];
      result[n] *= strengths->data[b * heads + r].f;
      most = std::max(most, result[n]);
    }
    for (double &w : result)
      sum += w = std::exp(w - most);
    for (double &w : result)
      w /= sum;
    return result;
  }
};

static void evaluateMemoryRead(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::MemoryReadOp>(operation);
  Heads h(evaluator, op);
  if (evaluator.tensor(op.getInit())->shape != h.keys->shape)
    h.misfit();
  Tensor result(h.memory->elementType, h.keys->shape);
  for (int64_t b = 0; b < h.batch; ++b)
    for (int64_t r = 0; r < h.heads; ++r)
      for (auto [n, w] : llvm::enumerate(h.weights(b, r)))
        for (int64_t i = 0; i < h.width; ++i)
          result.data[(b * h.heads + r) * h.width + i].f += w * h.memory->data[(b * h.rows + n) * h.width + i].f;
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateMemoryWrite(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::MemoryWriteOp>(operation);
  Heads h(evaluator, op);
  TensorRef erase = evaluator.tensor(op.getErase()), add = evaluator.tensor(op.getAdd());
  if (erase->shape != h.keys->shape || add->shape != h.keys->shape ||
      evaluator.tensor(op.getInit())->shape != h.memory->shape)
    h.misfit();
  Tensor result = *h.memory;
  for (int64_t b = 0; b < h.batch; ++b) {
    std::vector<std::vector<double>> weights;
    for (int64_t r = 0; r < h.heads; ++r)
      weights.push_back(h.weights(b, r));
    for (int64_t n = 0; n < h.rows; ++n)
      for (int64_t i = 0; i < h.width; ++i) {
        double &x = result.data[(b * h.rows + n) * h.width + i].f;
        for (int64_t r = 0; r < h.heads; ++r)
          x *= 1 - weights[r][n] * erase->data[(b * h.heads + r) * h.width + i].f;
        for (int64_t r = 0; r < h.heads; ++r)
          x += weights[r][n] * add->data[(b * h.heads + r) * h.width + i].f;
      }
  }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static RegisterOpFunctions functions{{"attn.memory_read", evaluateMemoryRead},
                                     {"attn.memory_write", evaluateMemoryWrite}};
