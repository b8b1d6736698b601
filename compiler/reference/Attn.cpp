// Attention and the scalar functions of the attn dialect, by their formulas.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

//===-- Scalar functions
//------------------------------------------------------------------------------------------------------------===//

double fovea::reference::gelu(double x, bool tanhForm) {
  if (std::isinf(x))
    return x > 0 ? x : 0;
  if (tanhForm)
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return x / 2 * std::erfc(-x / std::sqrt(2.0)); // 1 + erf(y) = erfc(-y), without cancellation
}

double fovea::reference::sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

static StepFunction makeGelu(Operation *op, Step &step) {
  step.attribute = cast<attn::GeluOp>(op).getForm() == attn::GeluForm::tanh;
  return [](const Step &s, Frame &f) { f.out(s).f = gelu(f.in(s, 0).f, s.attribute); };
}
static StepFunction makeSilu(Operation *, Step &) {
  return [](const Step &s, Frame &f) {
    double x = f.in(s, 0).f;
    f.out(s).f = x == -INFINITY ? 0 : x * sigmoid(x);
  };
}
static StepFunction makeSigmoid(Operation *, Step &) {
  return [](const Step &s, Frame &f) { f.out(s).f = sigmoid(f.in(s, 0).f); };
}

//===-- Attention
//-------------------------------------------------------------------------------------------------------------------===//

namespace {
/// A region of attention with its captures.
class RegionProgram {
public:
  RegionProgram(Evaluator &evaluator, Region &region, attn::AttentionOp op) {
    if (region.empty())
      return;
    program.emplace(evaluator, region.front());
    for (auto [capture, map] : llvm::zip(op.getCaptures(), op.getCaptureMaps().getAsValueRange<AffineMapAttr>()))
      captures.push_back({evaluator.tensor(capture), map});
  }
  explicit operator bool() const { return program.has_value(); }

  double score(double value, ArrayRef<int64_t> at) {
    Frame &frame = program->frame();
    frame.slots[0].f = value;
    for (unsigned d = 0; d < 4; ++d)
      frame.slots[1 + d].i = at[d];
    for (auto [n, capture] : llvm::enumerate(captures))
      frame.slots[5 + n] = read(capture.first, capture.second, at);
    frame.loop = at;
    program->run();
    return frame.slots[program->results()[0]].f;
  }

  double combine(double q, double k) {
    Frame &frame = program->frame();
    frame.slots[0].f = q, frame.slots[1].f = k;
    program->run();
    return frame.slots[program->results()[0]].f;
  }

private:
  static Element read(const TensorRef &tensor, AffineMap map, ArrayRef<int64_t> at) {
    MLIRContext *context = map.getContext();
    SmallVector<Attribute> dims;
    int64_t place = 0;
    for (auto [expr, size] : llvm::zip(map.getResults(), tensor->shape)) {
      int64_t i;
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        i = at[dim.getPosition()];
      else if (auto constant = dyn_cast<AffineConstantExpr>(expr))
        i = constant.getValue();
      else {
        SmallVector<AffineExpr> values;
        for (int64_t v : at)
          values.push_back(getAffineConstantExpr(v, context));
        i = cast<AffineConstantExpr>(expr.replaceDims(values)).getValue();
      }
      if (i < 0 || i >= size)
        fault("a capture's map leaves it");
      place = place * size + i;
    }
    return tensor->data[place];
  }

  std::optional<ScalarProgram> program;
  SmallVector<std::pair<TensorRef, AffineMap>> captures;
};
} // namespace

/// Scores of one row become weights; those of keys that are not live do not take part.
static void normalize(std::vector<double> &row, const std::vector<bool> &live, attn::Normalizer normalizer,
                      attn::EmptyRows empty) {
  double most = -INFINITY, sum = 0;
  size_t best = 0;
  bool any = false, nan = false;
  for (size_t j = 0; j < row.size(); ++j)
    if (live[j]) {
      nan |= std::isnan(row[j]);
      if (row[j] > most)
        most = row[j], best = j;
      any |= row[j] != -INFINITY;
    }
  double emptyValue = empty == attn::EmptyRows::zero ? 0 : NAN;
  for (size_t j = 0; j < row.size(); ++j) {
    double &p = row[j];
    switch (normalizer) {
    case attn::Normalizer::softmax:
      p = !live[j] ? 0 : std::exp(p - most);
      break;
    case attn::Normalizer::sigmoid:
      p = live[j] ? sigmoid(p) : 0;
      break;
    case attn::Normalizer::hardmax:
      p = live[j] && j == best;
      break;
    case attn::Normalizer::none:
      p = live[j] ? p : 0;
      break;
    }
    sum += p;
  }
  if (!any && (normalizer == attn::Normalizer::softmax || normalizer == attn::Normalizer::hardmax)) {
    std::fill(row.begin(), row.end(), emptyValue);
    return;
  }
  if (normalizer == attn::Normalizer::softmax)
    for (size_t j = 0; j < row.size(); ++j)
      row[j] = nan && live[j] ? NAN : live[j] ? row[j] / sum : 0;
}

namespace {
class AttentionRun {
public:
  AttentionRun(Evaluator &evaluator, attn::AttentionOp op)
      : op(op), q(evaluator.tensor(op.getQuery())), k(evaluator.tensor(op.getKey())),
        v(evaluator.tensor(op.getValue())), lengths(op.getLengths() ? evaluator.tensor(op.getLengths()) : nullptr),
        combine(evaluator, op.getCombine(), op), score(evaluator, op.getScore(), op),
        weight(evaluator, op.getWeight(), op), result(q->elementType, evaluator.tensor(op.getInit())->shape),
        scale(op.getScale().convertToDouble()), group(op.getGroupSize()) {
    if (k->shape[0] != q->shape[0] || v->shape[0] != q->shape[0] || k->shape[3] != q->shape[3] ||
        v->shape[2] != k->shape[2])
      fault("query, key and value do not fit each other");
    if (result.shape[0] != q->shape[0] || result.shape[2] != q->shape[2] || result.shape[3] != v->shape[3])
      fault("the init does not have the shape of the result");
  }

  Tensor run() {
    int64_t queries = q->shape[2], keys = k->shape[2], width = v->shape[3];
    forEachIndex({q->shape[0], q->shape[1], queries}, [&](ArrayRef<int64_t> at) {
      int64_t batch = at[0], head = at[1], i = at[2], served = head / group;
      std::vector<double> row(keys);
      std::vector<bool> live(keys);
      for (int64_t j = 0; j < keys; ++j)
        if ((live[j] = isLive(batch, i, j)))
          row[j] = scoreOf(batch, head, i, j);
      normalize(row, live, op.getNormalizer(), op.getEmptyRows());
      if (weight)
        for (int64_t j = 0; j < keys; ++j)
          if (live[j])
            row[j] = weight.score(row[j], {batch, head, i, j});
      Element *out = &result.data[((batch * q->shape[1] + head) * queries + i) * width];
      bool empty = llvm::none_of(live, [](bool l) { return l; });
      for (int64_t e = 0; e < width; ++e)
        out[e].f = empty && !row.empty() ? row[0] : 0;
      for (int64_t j = 0; j < keys; ++j)
        if (live[j])
          for (int64_t e = 0; e < width; ++e)
            out[e].f += row[j] * v->data[((batch * v->shape[1] + served) * keys + j) * width + e].f;
    });
    result.round();
    return std::move(result);
  }

private:
  bool isLive(int64_t batch, int64_t i, int64_t j) {
    int64_t offset = op.getCausal() == attn::Causal::bottom_right ? k->shape[2] - q->shape[2] : 0;
    if (op.getCausal() != attn::Causal::none && j > i + offset)
      return false;
    int64_t left = op.getWindow()[0], right = op.getWindow()[1];
    if ((left >= 0 && j < i + offset - left) || (right >= 0 && j > i + offset + right))
      return false;
    return !lengths || j < lengths->data[batch].i;
  }

  double scoreOf(int64_t batch, int64_t head, int64_t i, int64_t j) {
    int64_t depth = q->shape[3];
    const Element *x = &q->data[((batch * q->shape[1] + head) * q->shape[2] + i) * depth];
    const Element *y = &k->data[((batch * k->shape[1] + head / group) * k->shape[2] + j) * depth];
    double sum = 0;
    for (int64_t d = 0; d < depth; ++d)
      sum += combine ? combine.combine(x[d].f, y[d].f) : x[d].f * y[d].f;
    sum *= scale;
    return score ? score.score(sum, {batch, head, i, j}) : sum;
  }

  attn::AttentionOp op;
  TensorRef q, k, v, lengths;
  RegionProgram combine, score, weight;
  Tensor result;
  double scale;
  int64_t group;
};
} // namespace

static void evaluateAttention(Evaluator &evaluator, Operation *op) {
  evaluator.set(op->getResult(0), AttentionRun(evaluator, cast<attn::AttentionOp>(op)).run());
}

static RegisterSteps steps{{"attn.gelu", makeGelu}, {"attn.silu", makeSilu}, {"attn.sigmoid", makeSigmoid}};
static RegisterOpFunctions functions{{"attn.attention", evaluateAttention}};
