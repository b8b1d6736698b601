// Bipartite matching, its costs and the loss over what it matched, by their formulas.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

//===-- Assignment ===//

namespace {
/// Rows, no more than columns, are assigned one after the other along a shortest augmenting path; u and v are the dual
/// variables. The order in which columns are looked at decides ties, and is that of SciPy: from the last to the first,
/// a column that is done being replaced by the one that is looked at last; a free column goes before others of the
/// same distance, a later one before an earlier one.
class Assignment {
public:
  Assignment(std::vector<double> cost, int64_t rows, int64_t columns)
      : cost(std::move(cost)), rows(rows), columns(columns), u(rows, 0), v(columns, 0), columnOf(rows, -1),
        rowOf(columns, -1) {}
  bool solve() {
    for (int64_t row = 0; row < rows; ++row)
      if (!assign(row))
        return false;
    return true;
  }

  std::vector<double> cost;
  int64_t rows, columns;
  std::vector<double> u, v;
  std::vector<int64_t> columnOf, rowOf;

private:
  bool assign(int64_t start) {
    std::vector<double> distance(columns, INFINITY);
    std::vector<int64_t> from(columns, -1), open, reached, done;
    for (int64_t j = columns; j-- > 0;)
      open.push_back(j);
    double length = 0;
    int64_t end = -1;
    for (int64_t row = start; end < 0; row = rowOf[done.back()]) {
      reached.push_back(row);
      double least = INFINITY;
      int64_t best = -1;
      for (int64_t n = 0; n < static_cast<int64_t>(open.size()); ++n) {
        int64_t j = open[n];
        if (double d = length + cost[row * columns + j] - u[row] - v[j]; d < distance[j])
          distance[j] = d, from[j] = row;
        if (distance[j] < least || (distance[j] == least && rowOf[j] < 0))
          least = distance[j], best = n;
      }
      if (least == INFINITY)
        return false;
      length = least;
      int64_t j = open[best];
      open[best] = open.back(), open.pop_back();
      done.push_back(j);
      if (rowOf[j] < 0)
        end = j;
    }
    u[start] += length;
    for (int64_t row : reached)
      if (row != start)
        u[row] += length - distance[columnOf[row]];
    for (int64_t j : done)
      v[j] -= length - distance[j];
    for (int64_t j = end; j >= 0;) {
      int64_t row = rowOf[j] = from[j];
      std::swap(columnOf[row], j);
      if (row == start)
        break;
    }
    return true;
  }
};
} // namespace

static void evaluateBipartiteMatch(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::BipartiteMatchOp>(operation);
  TensorRef cost = evaluator.tensor(op.getCost()), counts = op.getCounts() ? evaluator.tensor(op.getCounts()) : nullptr;
  int64_t batch = cost->shape[0], r = cost->shape[1], c = cost->shape[2];
  if (counts && counts->shape[0] != batch)
    fault("cost and counts do not fit each other");
  Type i64 = IntegerType::get(op.getContext(), 64);
  Tensor columns(i64, {batch, r}), status(i64, {batch});
  for (int64_t b = 0; b < batch; ++b) {
    int64_t n = counts ? counts->data[b].i : c;
    if (n < 0 || n > c)
      fault("count " + Twine(n) + " of " + Twine(c) + " columns");
    bool turned = n < r;
    std::vector<double> matrix(r * n);
    for (int64_t i = 0; i < r; ++i)
      for (int64_t j = 0; j < n; ++j) {
        Element e = cost->data[(b * r + i) * c + j];
        double x = cost->isFloat() ? e.f : static_cast<double>(e.i);
        x = op.getMaximize() ? -x : x;
        if (std::isnan(x) || x == -INFINITY)
          fault("a cost is NaN or infinitely good");
        matrix[turned ? j * r + i : i * n + j] = x;
      }
    Assignment assignment(std::move(matrix), std::min(r, n), std::max(r, n));
    bool solved = assignment.solve();
    status.data[b].i = !solved;
    for (int64_t i = 0; i < r; ++i)
      columns.data[b * r + i].i = !solved ? -1 : turned ? assignment.rowOf[i] : assignment.columnOf[i];
  }
  evaluator.set(op.getColumns(), std::move(columns));
  evaluator.set(op.getStatus(), std::move(status));
}

//===-- Boxes and classes ===//

static double quotient(double x, double y) { return y == 0 ? 0 : x / y; }

/// Of boxes given by centre and size.
static double generalizedIoU(const Element *a, const Element *b) {
  auto side = [&](int64_t d, double &both, double &hull) {
    double aFrom = a[d].f - a[d + 2].f / 2, aTo = a[d].f + a[d + 2].f / 2, bFrom = b[d].f - b[d + 2].f / 2,
           bTo = b[d].f + b[d + 2].f / 2;
    both = std::max(0.0, std::min(aTo, bTo) - std::max(aFrom, bFrom));
    hull = std::max(aTo, bTo) - std::min(aFrom, bFrom);
  };
  double bothX, bothY, hullX, hullY;
  side(0, bothX, hullX), side(1, bothY, hullY);
  double both = bothX * bothY, all = a[2].f * a[3].f + b[2].f * b[3].f - both, hull = hullX * hullY;
  return quotient(both, all) - quotient(hull - all, hull);
}

static double distance(const Element *a, const Element *b) {
  double sum = 0;
  for (int64_t d = 0; d < 4; ++d)
    sum += std::abs(a[d].f - b[d].f);
  return sum;
}

static double logSoftmax(const Element *row, int64_t count, int64_t k) {
  double most = -INFINITY, sum = 0;
  for (int64_t i = 0; i < count; ++i)
    most = std::max(most, row[i].f);
  for (int64_t i = 0; i < count; ++i)
    sum += std::exp(row[i].f - most);
  return row[k].f - most - std::log(sum);
}

/// What a query with this logit for the class of a target costs: Zhu et al. 2021, with alpha 0.25 and gamma 2.
static double focalCost(double logit) {
  double p = sigmoid(logit);
  return 0.25 * (1 - p) * (1 - p) * -std::log(p + 1e-8) - 0.75 * p * p * -std::log(1 - p + 1e-8);
}

namespace {
/// The operands that costs and losses share.
template <typename OpT> struct Predictions {
  TensorRef logits, boxes, labels, targets, counts;
  int64_t batch, q, k, t;
  Predictions(Evaluator &evaluator, OpT op)
      : logits(evaluator.tensor(op.getLogits())), boxes(evaluator.tensor(op.getBoxes())),
        labels(evaluator.tensor(op.getLabels())), targets(evaluator.tensor(op.getTargets())),
        counts(op.getCounts() ? evaluator.tensor(op.getCounts()) : nullptr), batch(logits->shape[0]),
        q(logits->shape[1]), k(logits->shape[2]), t(labels->shape[1]) {
    if (boxes->shape[0] != batch || boxes->shape[1] != q || labels->shape[0] != batch || targets->shape[0] != batch ||
        targets->shape[1] != t || (counts && counts->shape[0] != batch))
      fault("predictions and targets do not fit each other");
  }
  const Element *row(int64_t b, int64_t i) const { return logits->data.data() + (b * q + i) * k; }
  const Element *box(int64_t b, int64_t i) const { return boxes->data.data() + (b * q + i) * 4; }
  const Element *target(int64_t b, int64_t j) const { return targets->data.data() + (b * t + j) * 4; }
  int64_t label(int64_t b, int64_t j) const {
    int64_t n = labels->data[b * t + j].i;
    if (n < 0 || n >= k)
      fault("label " + Twine(n) + " of " + Twine(k) + " classes");
    return n;
  }
};
} // namespace

static void evaluateDetrCost(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::DetrCostOp>(operation);
  Predictions p(evaluator, op);
  double classWeight = op.getClassWeight().convertToDouble(), boxWeight = op.getBboxWeight().convertToDouble(),
         giouWeight = op.getGiouWeight().convertToDouble();
  Tensor result(p.logits->elementType, {p.batch, p.q, p.t});
  for (int64_t b = 0; b < p.batch; ++b)
    for (int64_t i = 0; i < p.q; ++i)
      for (int64_t j = 0; j < p.t; ++j) {
        double &cost = result.data[(b * p.q + i) * p.t + j].f = 0;
        if (p.counts && j >= p.counts->data[b].i)
          continue;
        int64_t label = p.label(b, j);
        double wrong = op.getClassCost() == attn::ClassCost::focal ? focalCost(p.row(b, i)[label].f)
                                                                   : -std::exp(logSoftmax(p.row(b, i), p.k, label));
        cost = classWeight * wrong + boxWeight * distance(p.box(b, i), p.target(b, j)) -
               giouWeight * generalizedIoU(p.box(b, i), p.target(b, j));
      }
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static void evaluateSetLoss(Evaluator &evaluator, Operation *operation) {
  auto op = cast<attn::SetLossOp>(operation);
  Predictions p(evaluator, op);
  TensorRef columns = evaluator.tensor(op.getColumns());
  if (columns->shape[0] != p.batch || columns->shape[1] != p.q)
    fault("predictions and columns do not fit each other");
  double entropy = 0, weights = 0, boxes = 0, giou = 0, eos = op.getEosCoef().convertToDouble(), count = 0;
  for (int64_t b = 0; b < p.batch; ++b) {
    count += p.counts ? p.counts->data[b].i : p.t;
    for (int64_t i = 0; i < p.q; ++i) {
      int64_t j = columns->data[b * p.q + i].i;
      if (j >= p.t)
        fault("column " + Twine(j) + " of " + Twine(p.t) + " targets");
      int64_t label = j < 0 ? p.k - 1 : p.label(b, j);
      if (label < 0)
        fault("there are no classes");
      double weight = label == p.k - 1 ? eos : 1;
      entropy -= weight * logSoftmax(p.row(b, i), p.k, label), weights += weight;
      if (j >= 0)
        boxes += distance(p.box(b, i), p.target(b, j)), giou += 1 - generalizedIoU(p.box(b, i), p.target(b, j));
    }
  }
  count = std::max(count, 1.0);
  Tensor result(p.logits->elementType, {3});
  result.data[0].f = entropy / weights, result.data[1].f = boxes / count, result.data[2].f = giou / count;
  result.round();
  evaluator.set(op.getResult(), std::move(result));
}

static RegisterOpFunctions functions{
    {"attn.detr_cost", evaluateDetrCost},
    {"attn.bipartite_match", evaluateBipartiteMatch},
    {"attn.set_loss", evaluateSetLoss},
};
