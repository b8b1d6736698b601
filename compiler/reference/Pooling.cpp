// Attention that pools, by its formulas.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

static TensorRef optional(Evaluator &evaluator, Value value) { return value ? evaluator.tensor(value) : nullptr; }

static void demand(bool fits) {
  if (!fits)
    fault("operands do not fit each other");
}

/// NaN if one of them is.
static double larger(double x, double y) { return std::isnan(x) || x > y ? x : y; }

static void evaluateChannelAttention(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::ChannelAttentionOp>(operation);
  TensorRef source = evaluator.tensor(op.getSource()), squeeze = evaluator.tensor(op.getSqueeze()),
            expand = evaluator.tensor(op.getExpand()), squeezeBias = optional(evaluator, op.getSqueezeBias()),
            expandBias = optional(evaluator, op.getExpandBias());
  int64_t batch = source->shape[0], channels = source->shape[1], hidden = squeeze->shape[1], places = 1;
  for (int64_t size : ArrayRef(source->shape).drop_front(2))
    places *= size;
  demand(evaluator.tensor(op.getInit())->shape == source->shape && squeeze->shape[0] == channels &&
         expand->shape[0] == hidden && expand->shape[1] == channels &&
         (!squeezeBias || squeezeBias->shape[0] == hidden) && (!expandBias || expandBias->shape[0] == channels));
  auto mlp = [&](const std::vector<double> &x) {
    std::vector<double> y(channels);
    for (int64_t r = 0; r < hidden; ++r) {
      double sum = squeezeBias ? squeezeBias->data[r].f : 0;
      for (int64_t c = 0; c < channels; ++c)
        sum += x[c] * squeeze->data[c * hidden + r].f;
      for (int64_t c = 0; c < channels; ++c)
        y[c] += larger(sum, 0) * expand->data[r * channels + c].f;
    }
    for (int64_t c = 0; expandBias && c < channels; ++c)
      y[c] += expandBias->data[c].f;
    return y;
  };
  Tensor result = *source;
  for (int64_t b = 0; b < batch; ++b) {
    std::vector<double> mean(channels), most(channels, -INFINITY);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < places; ++p) {
        double x = source->data[(b * channels + c) * places + p].f;
        mean[c] += x / places, most[c] = larger(most[c], x);
      }
    std::vector<double> gate = mlp(mean);
    if (op.getPool() == attn::ChannelPool::mean_max)
      for (auto [g, other] : llvm::zip_equal(gate, mlp(most)))
        g += other;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < places; ++p)
        result.data[(b * channels + c) * places + p].f *= sigmoid(gate[c]);
  }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateSpatialAttention(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::SpatialAttentionOp>(operation);
  TensorRef source = evaluator.tensor(op.getSource()), filter = evaluator.tensor(op.getFilter()),
            bias = optional(evaluator, op.getBias());
  int64_t batch = source->shape[0], channels = source->shape[1], height = source->shape[2], width = source->shape[3],
          kernel = filter->shape[1];
  demand(evaluator.tensor(op.getInit())->shape == source->shape && (!bias || bias->shape[0] == 1));
  Tensor result = *source;
  for (int64_t b = 0; b < batch; ++b) {
    std::vector<double> planes[2]{std::vector<double>(height * width, -INFINITY), std::vector<double>(height * width)};
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < height * width; ++p) {
        double x = source->data[(b * channels + c) * height * width + p].f;
        planes[0][p] = larger(planes[0][p], x), planes[1][p] += x / channels;
      }
    forEachIndex({height, width}, [&](ArrayRef<int64_t> at) {
      double sum = bias ? bias->data[0].f : 0;
      forEachIndex({2, kernel, kernel}, [&](ArrayRef<int64_t> k) {
        int64_t y = at[0] + k[1] - kernel / 2, x = at[1] + k[2] - kernel / 2;
        double inside = y >= 0 && y < height && x >= 0 && x < width ? planes[k[0]][y * width + x] : 0;
        sum += inside * filter->data[(k[0] * kernel + k[1]) * kernel + k[2]].f;
      });
      for (int64_t c = 0; c < channels; ++c)
        result.data[((b * channels + c) * height + at[0]) * width + at[1]].f *= sigmoid(sum);
    });
  }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateAttentionPool(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::AttentionPoolOp>(operation);
  TensorRef source = evaluator.tensor(op.getSource()), weight = evaluator.tensor(op.getWeight()),
            query = evaluator.tensor(op.getQuery()), bias = optional(evaluator, op.getBias()),
            lengths = optional(evaluator, op.getLengths()), mask = optional(evaluator, op.getMask());
  int64_t batch = source->shape[0], time = source->shape[1], depth = source->shape[2], width = weight->shape[1];
  Tensor result(source->elementType, evaluator.tensor(op.getInit())->shape);
  demand(result.shape[0] == batch && result.shape[1] == depth && weight->shape[0] == depth &&
         query->shape[0] == width && (!bias || bias->shape[0] == width) && (!lengths || lengths->shape[0] == batch) &&
         (!mask || (mask->shape[0] == batch && mask->shape[1] == time)));
  for (int64_t b = 0; b < batch; ++b) {
    std::vector<int64_t> live;
    std::vector<double> scores;
    double most = -INFINITY, sum = 0;
    for (int64_t t = 0; t < time; ++t) {
      if ((lengths && t >= lengths->data[b].i) || (mask && !mask->data[b * time + t].i))
        continue;
      double score = 0;
      for (int64_t a = 0; a < width; ++a) {
        double x = bias ? bias->data[a].f : 0;
        for (int64_t d = 0; d < depth; ++d)
          x += source->data[(b * time + t) * depth + d].f * weight->data[d * width + a].f;
        score += query->data[a].f * std::tanh(x);
      }
      live.push_back(t), scores.push_back(score);
      most = larger(most, score);
    }
    if (most == -INFINITY)
      continue;
    for (double score : scores)
      sum += std::exp(score - most);
    for (auto [t, score] : llvm::zip_equal(live, scores))
      for (int64_t d = 0; d < depth; ++d)
        result.data[b * depth + d].f += std::exp(score - most) / sum * source->data[(b * time + t) * depth + d].f;
  }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

//===-- Of pooled queries and keys ===//

/// Rows B x H x P x D by windows of the grid.
static Tensor poolWindows(const Tensor &rows, ArrayRef<int64_t> grid, ArrayRef<int64_t> kernel,
                          ArrayRef<int64_t> stride, attn::WindowPool pool) {
  int64_t all = 1, windows = 1, size = 1, width = rows.shape[3];
  SmallVector<int64_t> counts;
  for (size_t a = 0; a < grid.size(); ++a) {
    counts.push_back((grid[a] - kernel[a]) / stride[a] + 1);
    all *= grid[a], windows *= counts.back(), size *= kernel[a];
  }
  demand(rows.shape[2] == all);
  Tensor result(rows.elementType, {rows.shape[0], rows.shape[1], windows, width});
  bool most = pool == attn::WindowPool::max;
  for (int64_t n = 0; n < rows.shape[0] * rows.shape[1]; ++n) {
    int64_t window = n * windows;
    forEachIndex(counts, [&](ArrayRef<int64_t> at) {
      Element *to = &result.data[window++ * width];
      for (int64_t d = 0; d < width; ++d)
        to[d].f = most ? -INFINITY : 0;
      forEachIndex(kernel, [&](ArrayRef<int64_t> within) {
        int64_t point = 0;
        for (size_t a = 0; a < grid.size(); ++a)
          point = point * grid[a] + at[a] * stride[a] + within[a];
        for (int64_t d = 0; d < width; ++d) {
          double x = rows.data[(n * all + point) * width + d].f;
          to[d].f = most ? larger(to[d].f, x) : to[d].f + x / size;
        }
      });
    });
  }
  return result;
}

static void evaluatePooledAttention(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::PooledAttentionOp>(operation);
  auto byKeys = [&](Value rows) {
    return poolWindows(*evaluator.tensor(rows), op.getKeyGrid(), op.getKeyKernel(), op.getKeyStride(), op.getPool());
  };
  Tensor q = poolWindows(*evaluator.tensor(op.getQuery()), op.getQueryGrid(), op.getQueryKernel(), op.getQueryStride(),
                         op.getPool());
  Tensor k = byKeys(op.getKey()), v = byKeys(op.getValue());
  Tensor result(q.elementType, evaluator.tensor(op.getInit())->shape);
  int64_t depth = q.shape[3], width = v.shape[3], keys = k.shape[2];
  bool residual = op.getResidual();
  demand(ArrayRef(k.shape).take_front(2) == ArrayRef(q.shape).take_front(2) &&
         ArrayRef(v.shape).take_front(2) == ArrayRef(q.shape).take_front(2) && k.shape[3] == depth &&
         ArrayRef(result.shape).drop_back() == ArrayRef(q.shape).drop_back() && result.shape[3] == width &&
         (!residual || width == depth));
  for (int64_t row = 0; row < q.shape[0] * q.shape[1] * q.shape[2]; ++row) {
    int64_t first = row / q.shape[2] * keys;
    std::vector<double> scores(keys);
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < keys; ++j) {
      for (int64_t d = 0; d < depth; ++d)
        scores[j] += q.data[row * depth + d].f * k.data[(first + j) * depth + d].f;
      scores[j] *= op.getScale().convertToDouble();
      most = larger(most, scores[j]);
    }
    for (double score : scores)
      sum += std::exp(score - most);
    for (int64_t e = 0; e < width; ++e) {
      double &out = result.data[row * width + e].f;
      for (int64_t j = 0; j < keys && most != -INFINITY; ++j)
        out += std::exp(scores[j] - most) / sum * v.data[(first + j) * width + e].f;
      out += residual ? q.data[row * width + e].f : 0;
    }
  }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static RegisterOpFunctions functions{
    {"attn.channel_attention", evaluateChannelAttention},
    {"attn.spatial_attention", evaluateSpatialAttention},
    {"attn.attention_pool", evaluateAttentionPool},
    {"attn.pooled_attention", evaluatePooledAttention},
};
