#include "compiler/transforms/AttentionMask.h"

#include "compiler/reference/Reference.h"
#include "compiler/transforms/Ops.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace fovea;

/// Larger tables are not looked into.
static constexpr int64_t kMostElements = 1 << 22;

/// Whether a value of a body is computed from its argument `score`, constants and nothing else.
static bool dependsOnlyOn(Value value, Value score) {
  if (value == score)
    return true;
  Operation *op = value.getDefiningOp();
  return op && op->getNumRegions() == 0 && !isa<linalg::IndexOp, data::LookupOp>(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return dependsOnlyOn(operand, score); });
}

static bool isLowest(double value) { return value <= -3.4e38; }

namespace {
/// A band and how it is written: what is where it is dead, and the operand that has it.
struct Found {
  Band band;
  double lowest = 0;
  int64_t table = -1;
};

class Matcher {
public:
  Matcher(linalg::GenericOp op, Value score) : op(op), score(score), rank(op.getNumLoops()) {}
  std::optional<BandMask> match();

private:
  bool isCausal(Value condition, bool negated) const;
  std::optional<Found> conditionOf(Value condition, bool negated);
  std::optional<Found> additiveOf(Value term);
  std::optional<Found> tableOf(Value argument, llvm::function_ref<std::optional<bool>(reference::Element)> isLive);
  bool isSafe(const Found &found, Value rest) const { return std::isinf(found.lowest) || dependsOnlyOn(rest, score); }

  linalg::GenericOp op;
  Value score;
  int64_t rank;
};
} // namespace

/// `j <= i` of the loops' indices (or `j > i`, with `negated`), written in any way that says it with one comparison.
bool Matcher::isCausal(Value condition, bool negated) const {
  auto cmp = condition.getDefiningOp<arith::CmpIOp>();
  if (!cmp)
    return false;
  auto loopOf = [](Value v) -> int64_t {
    while (auto cast = v.getDefiningOp<arith::IndexCastOp>())
      v = cast.getIn();
    auto index = v.getDefiningOp<linalg::IndexOp>();
    return index ? static_cast<int64_t>(index.getDim()) : -1;
  };
  int64_t lhs = loopOf(cmp.getLhs()), rhs = loopOf(cmp.getRhs()), i = rank - 2, j = rank - 1;
  switch (cmp.getPredicate()) {
  case arith::CmpIPredicate::sle:
  case arith::CmpIPredicate::ule:
    return !negated && lhs == j && rhs == i;
  case arith::CmpIPredicate::sge:
  case arith::CmpIPredicate::uge:
    return !negated && lhs == i && rhs == j;
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::ugt:
    return negated && lhs == j && rhs == i;
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::ult:
    return negated && lhs == i && rhs == j;
  default:
    return false;
  }
}

/// The band of a constant operand of queries x keys, in which every query has a live key. `isLive` says it of an
/// element, or that it is neither.
std::optional<Found> Matcher::tableOf(Value value, llvm::function_ref<std::optional<bool>(reference::Element)> isLive) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != op.getBlock() || argument.getArgNumber() >= op.getNumDpsInputs() ||
      !argument.hasOneUse())
    return std::nullopt;
  OpOperand *operand = op.getDpsInputOperand(argument.getArgNumber());
  auto type = dyn_cast<RankedTensorType>(operand->get().getType());
  if (!type || !type.hasStaticShape() || !isConstantTensor(operand->get()))
    return std::nullopt;
  // The last two loops in order, the other dims have one element.
  SmallVector<int64_t> sizes;
  for (auto [d, expr] : llvm::enumerate(op.getMatchingIndexingMap(operand).getResults())) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() == rank - 2 + sizes.size())
      sizes.push_back(type.getDimSize(d));
    else if (type.getDimSize(d) != 1)
      return std::nullopt;
  }
  if (sizes.size() != 2 || sizes[0] > sizes[1])
    return std::nullopt; // queries behind the last key may have none
  // What the table is a view of may be larger than itself.
  int64_t elements = 0;
  SmallVector<Operation *> sources{operand->get().getDefiningOp()};
  while (!sources.empty()) {
    Operation *source = sources.pop_back_val();
    elements += cast<RankedTensorType>(source->getResult(0).getType()).getNumElements();
    for (Value from : source->getOperands())
      if (isa<RankedTensorType>(from.getType()) && from.getDefiningOp() && isConstantTensor(from))
        sources.push_back(from.getDefiningOp());
  }
  if (elements > kMostElements)
    return std::nullopt;
  FailureOr<reference::Tensor> table = reference::evaluateConstant(operand->get().getDefiningOp());
  if (failed(table))
    return std::nullopt;
  int64_t m = sizes[0], n = sizes[1], low = n, high = -m;
  std::vector<bool> live;
  for (reference::Element element : table->data) {
    std::optional<bool> alive = isLive(element);
    if (!alive)
      return std::nullopt;
    int64_t distance = static_cast<int64_t>(live.size()) % n - static_cast<int64_t>(live.size()) / n;
    live.push_back(*alive);
    if (*alive)
      low = std::min(low, distance), high = std::max(high, distance);
  }
  if (low > 0 || high < 0)
    return std::nullopt;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      if (live[i * n + j] != (low <= j - i && j - i <= high))
        return std::nullopt;
  Found found;
  found.band = {low == 1 - m ? -1 : -low, high == n - 1 ? -1 : high};
  found.table = argument.getArgNumber();
  return found;
}

/// A condition that holds in a band (outside of it, with `negated`).
std::optional<Found> Matcher::conditionOf(Value condition, bool negated) {
  if (isCausal(condition, negated))
    return Found{Band{-1, 0}};
  if (!condition.getType().isInteger(1))
    return std::nullopt;
  return tableOf(condition, [&](reference::Element e) { return std::optional<bool>((e.i != 0) != negated); });
}

/// A number that is 0 in a band and a lowest value outside.
std::optional<Found> Matcher::additiveOf(Value term) {
  if (auto select = term.getDefiningOp<arith::SelectOp>()) {
    for (bool negated : {false, true}) {
      auto live = floatConstant(negated ? select.getFalseValue() : select.getTrueValue());
      auto lowest = floatConstant(negated ? select.getTrueValue() : select.getFalseValue());
      if (live != 0.0 || !lowest || !isLowest(*lowest))
        continue;
      // What reads a table must go with it.
      if (std::optional<Found> found = conditionOf(select.getCondition(), negated);
          found && (found->table < 0 || select->hasOneUse())) {
        found->lowest = *lowest;
        return found;
      }
    }
    return std::nullopt;
  }
  if (!isa<FloatType>(term.getType()))
    return std::nullopt;
  double lowest = -INFINITY; // the least negative of the lowest values
  std::optional<Found> found = tableOf(term, [&](reference::Element e) -> std::optional<bool> {
    if (e.f != 0 && !isLowest(e.f))
      return std::nullopt;
    if (e.f != 0)
      lowest = std::max(lowest, e.f);
    return e.f == 0;
  });
  if (found)
    found->lowest = lowest;
  return found;
}

std::optional<BandMask> Matcher::match() {
  Operation *last = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  if (auto add = dyn_cast_or_null<arith::AddFOp>(last)) {
    for (auto [term, rest] : {std::pair(add.getLhs(), add.getRhs()), {add.getRhs(), add.getLhs()}})
      if (std::optional<Found> found = additiveOf(term); found && isSafe(*found, rest))
        return BandMask{add, rest, found->band, found->table};
  }
  if (auto select = dyn_cast_or_null<arith::SelectOp>(last)) {
    for (bool negated : {false, true}) {
      Value rest = negated ? select.getFalseValue() : select.getTrueValue();
      auto lowest = floatConstant(negated ? select.getTrueValue() : select.getFalseValue());
      if (!lowest || !isLowest(*lowest))
        continue;
      std::optional<Found> found = conditionOf(select.getCondition(), negated);
      if (!found)
        continue;
      found->lowest = *lowest;
      if (isSafe(*found, rest))
        return BandMask{select, rest, found->band, found->table};
    }
  }
  return std::nullopt;
}

std::optional<BandMask> fovea::bandMaskOf(linalg::GenericOp op, Value score) { return Matcher(op, score).match(); }
