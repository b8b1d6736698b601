// Attention and its tiled form, by their formulas.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

namespace {
/// A region of attention with its captures.
class RegionProgram {
public:
  RegionProgram(Evaluator &evaluator, Region &region, attn::AttentionInterface op) {
    if (region.empty())
      return;
    program.emplace(evaluator, region.front());
    countsDepth = region.getNumArguments() == 3;
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

  /// What the last call of score() yielded n-th after the score.
  double tap(unsigned n) { return program->frame().slots[program->results()[1 + n]].f; }

  double combine(double q, double k, int64_t d) {
    Frame &frame = program->frame();
    frame.slots[0].f = q, frame.slots[1].f = k;
    if (countsDepth)
      frame.slots[2].i = d;
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
  bool countsDepth = false; ///< a combine region that sees d
  SmallVector<std::pair<TensorRef, AffineMap>> captures;
};
} // namespace

static double emptyValue(attn::EmptyRows empty) { return empty == attn::EmptyRows::zero ? 0 : NAN; }

namespace {
/// What normalising a row leaves besides its weights.
struct RowState {
  double max = -INFINITY, sum = 0; ///< of softmax: the largest score or sink, and the denominator
  bool empty = false;
};
} // namespace

/// Scores of one row become weights; those of keys that are not live do not take part.
static RowState normalize(std::vector<double> &row, const std::vector<bool> &live, attn::Normalizer normalizer,
                          attn::EmptyRows empty, std::optional<double> sink) {
  RowState state;
  bool any = false, scored = false, nan = false;
  // NaN is left out of the maximum.
  if (sink && !(*sink <= state.max)) {
    state.max = std::isnan(*sink) ? state.max : *sink;
    scored = true, nan = std::isnan(*sink);
  }
  size_t best = row.size();
  for (size_t j = 0; j < row.size(); ++j)
    if (live[j]) {
      any = true;
      nan |= std::isnan(row[j]);
      scored |= row[j] != -INFINITY;
      if (row[j] > state.max)
        state.max = row[j], best = j;
    }
  state.sum = sink ? std::exp(*sink - (state.max == -INFINITY ? 0 : state.max)) : 0;
  for (size_t j = 0; j < row.size(); ++j) {
    double &p = row[j];
    switch (normalizer) {
    case attn::Normalizer::softmax:
      p = !live[j] ? 0 : std::exp(p - state.max);
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
    state.sum += p;
  }
  bool byScore = normalizer == attn::Normalizer::softmax || normalizer == attn::Normalizer::hardmax;
  state.empty = byScore ? !scored : !any;
  if (state.empty)
    state.sum = 0;
  for (size_t j = 0; j < row.size(); ++j)
    if (live[j] && state.empty)
      row[j] = emptyValue(empty);
    else if (live[j] && normalizer == attn::Normalizer::softmax)
      row[j] = nan ? NAN : row[j] / state.sum;
  if (nan)
    state.sum = NAN;
  return state;
}

namespace {
/// The scores of queries with keys that are `keys` numbers from `first` on of a whole of `all`, and which of them are
/// live.
class Scores {
public:
  Scores(Evaluator &evaluator, attn::AttentionInterface op, int64_t first, int64_t all)
      : q(evaluator.tensor(op.getQuery())), k(evaluator.tensor(op.getKey())), v(evaluator.tensor(op.getValue())),
        group(op.getGroupSize()), op(op), lengths(op.getLengths() ? evaluator.tensor(op.getLengths()) : nullptr),
        combine(evaluator, op.getCombine(), op), score(evaluator, op.getScore(), op),
        scale(op.getScale().convertToDouble()), first(first), all(all) {
    if (k->shape[0] != q->shape[0] || v->shape[0] != q->shape[0] || k->shape[3] != q->shape[3] ||
        v->shape[2] != k->shape[2])
      fault("query, key and value do not fit each other");
    if (auto whole = dyn_cast<attn::AttentionOp>(op.getOperation())) {
      if (whole.getOffset())
        offsets = evaluator.tensor(whole.getOffset());
      if (whole.getBlockMask()) {
        blockMask = evaluator.tensor(whole.getBlockMask());
        block = {whole.getBlock()[0], whole.getBlock()[1]};
        ArrayRef<int64_t> shape = blockMask->shape;
        if ((shape[0] != 1 && shape[0] != q->shape[0]) ||
            shape[2] != static_cast<int64_t>(llvm::divideCeil(q->shape[2], block.first)) ||
            shape[3] != static_cast<int64_t>(llvm::divideCeil(k->shape[2], block.second)))
          fault("the block mask does not fit queries and keys");
      }
    }
    for (const TensorRef &perBatch : {lengths, offsets})
      if (perBatch && perBatch->shape[0] != q->shape[0])
        fault("lengths or offset do not have one number for each batch");
  }

  int64_t keys() const { return k->shape[2]; }

  /// Key t of the block.
  bool isLive(int64_t batch, int64_t head, int64_t i, int64_t t) {
    int64_t j = first + t, offset = op.getCausal() == attn::Causal::bottom_right ? all - q->shape[2] : 0;
    if (offsets)
      offset = std::clamp<int64_t>(offsets->data[batch].i, -kFar, kFar);
    if (j < 0 || j >= all || (op.getCausal() != attn::Causal::none && j > i + offset))
      return false;
    int64_t left = op.getWindow()[0], right = op.getWindow()[1];
    if ((left >= 0 && j < i + offset - left) || (right >= 0 && j > i + offset + right))
      return false;
    if (blockMask) {
      ArrayRef<int64_t> shape = blockMask->shape;
      int64_t b = shape[0] == 1 ? 0 : batch, h = shape[1] == 1 ? 0 : head;
      if (!blockMask->data[((b * shape[1] + h) * shape[2] + i / block.first) * shape[3] + j / block.second].i)
        return false;
    }
    return !lengths || j < lengths->data[batch].i;
  }

  double at(int64_t batch, int64_t head, int64_t i, int64_t t) {
    int64_t depth = q->shape[3];
    const Element *x = &q->data[((batch * q->shape[1] + head) * q->shape[2] + i) * depth];
    const Element *y = &k->data[((batch * k->shape[1] + head / group) * k->shape[2] + t) * depth];
    double sum = 0;
    for (int64_t d = 0; d < depth; ++d)
      sum += combine ? combine.combine(x[d].f, y[d].f, d) : x[d].f * y[d].f;
    sum *= scale;
    return score ? score.score(sum, {batch, head, i, first + t}) : sum;
  }

  /// What the score region yielded n-th after the score that at() gave last.
  double tap(unsigned n) { return score.tap(n); }

  /// out += weight * the value of key t.
  void addValue(MutableArrayRef<Element> out, double weight, int64_t batch, int64_t head, int64_t t) {
    const Element *row = &v->data[((batch * v->shape[1] + head / group) * keys() + t) * out.size()];
    for (size_t e = 0; e < out.size(); ++e)
      out[e].f += weight * row[e].f;
  }

  TensorRef q, k, v;
  int64_t group;

private:
  static constexpr int64_t kFar = int64_t(1) << 60; ///< sums with numbers of keys do not overflow
  attn::AttentionInterface op;
  TensorRef lengths, offsets, blockMask;
  std::pair<int64_t, int64_t> block;
  RegionProgram combine, score;
  double scale;
  int64_t first, all;
};
} // namespace

/// Row (b, h, i) of a tensor B x H x M x E.
static MutableArrayRef<Element> rowOf(Tensor &tensor, ArrayRef<int64_t> at) {
  int64_t width = tensor.shape[3];
  int64_t number = (at[0] * tensor.shape[1] + at[1]) * tensor.shape[2] + at[2];
  return MutableArrayRef<Element>(tensor.data).slice(number * width, width);
}

static void evaluateAttention(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::AttentionOp>(operation);
  Scores scores(evaluator, op, 0, evaluator.tensor(op.getKey())->shape[2]);
  RegionProgram weight(evaluator, op.getWeight(), op);
  TensorRef sinks = op.getSinks() ? evaluator.tensor(op.getSinks()) : nullptr;
  Tensor result(scores.q->elementType, evaluator.tensor(op.getInit())->shape);
  if (result.shape[0] != scores.q->shape[0] || result.shape[2] != scores.q->shape[2] ||
      result.shape[3] != scores.v->shape[3])
    fault("the init does not have the shape of the result");
  int64_t keys = scores.keys();
  SmallVector<int64_t> space(ArrayRef(scores.q->shape).take_front(3)), wide = space;
  wide.push_back(keys);
  std::vector<Tensor> extras;
  for (auto [n, extra] : llvm::enumerate(op.getExtraResults())) {
    SmallVector<int64_t> shape(evaluator.tensor(op.getExtraInits()[n])->shape);
    if (shape != (shape.size() == 3 ? space : wide))
      fault("the init of an extra does not have its shape");
    extras.emplace_back(getElementTypeOrSelf(extra.getType()), shape);
  }
  unsigned tapCount = op.countExtras(attn::Extra::tap);
  int64_t number = 0;
  forEachIndex(space, [&](ArrayRef<int64_t> at) {
    int64_t batch = at[0], head = at[1], i = at[2];
    std::vector<double> row(keys), scored(keys, -INFINITY), taps(tapCount * keys);
    std::vector<bool> live(keys);
    for (int64_t j = 0; j < keys; ++j) {
      live[j] = scores.isLive(batch, head, i, j);
      if (!live[j] && tapCount == 0)
        continue;
      double score = scores.at(batch, head, i, j);
      for (unsigned tap = 0; tap < tapCount; ++tap)
        taps[tap * keys + j] = scores.tap(tap);
      if (live[j])
        row[j] = scored[j] = score;
    }
    std::optional<double> sink;
    if (sinks)
      sink = sinks->data[head].f;
    RowState state = normalize(row, live, op.getNormalizer(), op.getEmptyRows(), sink);
    if (weight)
      for (int64_t j = 0; j < keys; ++j)
        if (live[j])
          row[j] = weight.score(row[j], {batch, head, i, j});
    MutableArrayRef<Element> out = rowOf(result, at);
    bool none = state.empty && llvm::none_of(live, [](bool l) { return l; });
    for (Element &e : out)
      e.f = none ? emptyValue(op.getEmptyRows()) : 0;
    for (int64_t j = 0; j < keys; ++j)
      if (live[j])
        scores.addValue(out, row[j], batch, head, j);
    unsigned tap = 0;
    for (auto [n, extra] : llvm::enumerate(extras)) {
      attn::Extra kind = op.getExtra(n);
      if (kind == attn::Extra::lse)
        extra.data[number].f = state.empty ? -INFINITY : state.max + std::log(state.sum);
      else if (kind == attn::Extra::row_max)
        extra.data[number].f = state.max;
      else
        for (int64_t j = 0; j < keys; ++j)
          extra.data[number * keys + j].f = kind == attn::Extra::weights  ? row[j]
                                            : kind == attn::Extra::scores ? scored[j]
                                                                          : taps[tap * keys + j];
      tap += kind == attn::Extra::tap;
    }
    ++number;
  });
  result.round();
  evaluator.set(op.getResult(), std::move(result));
  for (auto [value, extra] : llvm::zip_equal(op.getExtraResults(), extras)) {
    extra.round();
    evaluator.set(value, std::move(extra));
  }
}

static void evaluateOnlineAttention(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::OnlineAttentionOp>(operation);
  Scores scores(evaluator, op, evaluator.index(op.getOffset()), evaluator.index(op.getKeys()));
  Tensor max = *evaluator.tensor(op.getMax()), sum = *evaluator.tensor(op.getSum()),
         accumulator = *evaluator.tensor(op.getAccumulator());
  ArrayRef<int64_t> rows = ArrayRef(scores.q->shape).take_front(3);
  if (max.shape != rows || sum.shape != rows || ArrayRef(accumulator.shape).take_front(3) != rows ||
      accumulator.shape[3] != scores.v->shape[3])
    fault("max, sum and accumulator do not have the shapes of the rows");
  int64_t number = 0;
  forEachIndex(rows, [&](ArrayRef<int64_t> at) {
    int64_t batch = at[0], head = at[1], i = at[2];
    double &most = max.data[number].f, &total = sum.data[number].f;
    ++number;
    SmallVector<std::pair<int64_t, double>> live;
    double next = most;
    for (int64_t t = 0; t < scores.keys(); ++t)
      if (scores.isLive(batch, head, i, t)) {
        live.emplace_back(t, scores.at(batch, head, i, t));
        if (live.back().second > next)
          next = live.back().second;
      }
    // The next block must see the very number that this one subtracts.
    next = roundTo(max.elementType, {.f = next}).f;
    double alpha = next == -INFINITY ? 1 : std::exp(most - next), reference = next == -INFINITY ? 0 : next;
    MutableArrayRef<Element> out = rowOf(accumulator, at);
    if (live.empty())
      return;
    total *= alpha, most = next;
    for (Element &e : out)
      e.f *= alpha;
    for (auto [t, score] : live) {
      double p = std::exp(score - reference);
      total += p;
      scores.addValue(out, p, batch, head, t);
    }
  });
  Tensor *state[] = {&max, &sum, &accumulator};
  for (auto [value, tensor] : llvm::zip_equal(op.getResults(), state)) {
    tensor->round();
    evaluator.set(value, std::move(*tensor));
  }
}

static RegisterOpFunctions functions{{"attn.attention", evaluateAttention},
                                     {"attn.online_attention", evaluateOnlineAttention}};
