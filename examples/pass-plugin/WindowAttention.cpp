// Turns a sliding window that is written as a mask of the scores into attention's window, behind which the tiles of
// masked keys are not computed at all (Beltagy et al. 2020): select(-l <= j - i <= r, s, -inf) becomes window = [l, r].
// The mask may be computed in the score region, or by elementwise operations whose results the region captures.
//
// The result is the same except where a masked key's value is infinite or NaN: zero times that is no longer added.
// Leaves alone: masks that are added, that depend on the batch or the head, or that are aligned to the last key.
#include "Passes.h"

#include "compiler/transforms/Ops.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using fovea::attn::AttentionOp;

namespace {
/// i * i' + j * j' + constant.
struct Linear {
  int64_t i = 0, j = 0, constant = 0;
};

/// Bounds of j - i, both inclusive; -1 is none. `left` counts downwards.
struct Window {
  int64_t left = -1, right = -1;
  bool atMost(int64_t bound) {
    right = right < 0 ? bound : std::min(right, bound);
    return bound >= 0;
  }
  bool atLeast(int64_t bound) {
    left = left < 0 ? -bound : std::min(left, -bound);
    return bound <= 0;
  }
};

struct Plan {
  AttentionOp op;
  arith::SelectOp select;
  Value score; ///< what the mask lets through
  Window window;
};
} // namespace

namespace {
/// Reads the score region's conditions, and those that it captures from operations in front of the attention.
class MaskReader {
public:
  explicit MaskReader(AttentionOp op) : op(op) {}
  /// Narrows the window to where the condition holds; false if it is no condition on j - i.
  bool addCondition(Window &window, Value condition, bool negated);

private:
  Value resolve(Value v);
  std::optional<Linear> linearOf(Value v);
  /// sign * (j - i) + constant <= 0.
  static bool addBound(Window &window, int64_t sign, int64_t constant) {
    return sign > 0 ? window.atMost(-constant) : window.atLeast(constant);
  }

  AttentionOp op;
  DenseMap<Operation *, AffineMap> maps; ///< of captured operations: (b, h, i, j) to their loops
};
} // namespace

/// A captured element as the value that an elementwise operation yields for it; anything else as it is.
Value MaskReader::resolve(Value v) {
  constexpr unsigned kFirstCapture = 5;
  auto argument = dyn_cast<BlockArgument>(v);
  if (!argument || argument.getOwner() != &op.getScore().front() || argument.getArgNumber() < kFirstCapture)
    return v;
  unsigned number = argument.getArgNumber() - kFirstCapture;
  auto producer = op.getCaptures()[number].getDefiningOp<linalg::GenericOp>();
  if (!fovea::isPointwise(producer))
    return v;
  AffineMap map = cast<AffineMapAttr>(op.getCaptureMaps()[number]).getValue();
  if (auto [known, isNew] = maps.try_emplace(producer, map); !isNew && known->second != map)
    return v;
  return producer.getBlock()->getTerminator()->getOperand(0);
}

std::optional<Linear> MaskReader::linearOf(Value v) {
  v = resolve(v);
  APInt constant;
  if (matchPattern(v, m_ConstantInt(&constant)) && constant.getSignificantBits() <= 32)
    return Linear{0, 0, constant.getSExtValue()};
  // Behind the score and the numbers of batch and head.
  if (v == op.getScore().getArgument(3))
    return Linear{1, 0, 0};
  if (v == op.getScore().getArgument(4))
    return Linear{0, 1, 0};
  Operation *def = v.getDefiningOp();
  if (auto index = dyn_cast_or_null<linalg::IndexOp>(def)) {
    auto dim = dyn_cast<AffineDimExpr>(maps.lookup(index->getParentOp()).getResult(index.getDim()));
    if (!dim || dim.getPosition() < 2)
      return std::nullopt;
    return dim.getPosition() == 2 ? Linear{1, 0, 0} : Linear{0, 1, 0};
  }
  if (isa_and_nonnull<arith::IndexCastOp, arith::ExtSIOp>(def))
    return linearOf(def->getOperand(0));
  if (!isa_and_nonnull<arith::AddIOp, arith::SubIOp>(def))
    return std::nullopt;
  auto a = linearOf(def->getOperand(0)), b = linearOf(def->getOperand(1));
  if (!a || !b)
    return std::nullopt;
  int64_t sign = isa<arith::AddIOp>(def) ? 1 : -1;
  return Linear{a->i + sign * b->i, a->j + sign * b->j, a->constant + sign * b->constant};
}

bool MaskReader::addCondition(Window &window, Value condition, bool negated) {
  condition = resolve(condition);
  if (auto both = condition.getDefiningOp<arith::AndIOp>(); both && !negated)
    return addCondition(window, both.getLhs(), false) && addCondition(window, both.getRhs(), false);
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare)
    return false;
  arith::CmpIPredicate predicate = negated ? arith::invertPredicate(compare.getPredicate()) : compare.getPredicate();
  Value low = compare.getLhs(), high = compare.getRhs();
  if (predicate == arith::CmpIPredicate::sgt || predicate == arith::CmpIPredicate::sge)
    std::swap(low, high);
  else if (predicate != arith::CmpIPredicate::slt && predicate != arith::CmpIPredicate::sle)
    return false;
  int64_t strict = predicate == arith::CmpIPredicate::slt || predicate == arith::CmpIPredicate::sgt;
  auto distance = resolve(low).getDefiningOp<math::AbsIOp>();
  auto a = linearOf(distance ? distance.getOperand() : low), b = linearOf(high);
  if (!a || !b)
    return false;
  if (distance) {
    // |x| <= c holds where x <= c and -x <= c.
    if (b->i || b->j || a->i + a->j != 0 || std::abs(a->j) != 1)
      return false;
    return addBound(window, a->j, a->constant - b->constant + strict) &&
           addBound(window, -a->j, -a->constant - b->constant + strict);
  }
  Linear d{a->i - b->i, a->j - b->j, a->constant - b->constant + strict};
  return d.i + d.j == 0 && std::abs(d.j) == 1 && addBound(window, d.j, d.constant);
}

/// Decides, and changes nothing; says why not where a mask by position was found that cannot be a window.
static FailureOr<Plan> analyze(AttentionOp op) {
  if (!op.hasScoreRegion())
    return failure();
  auto select = op.getScore().front().getTerminator()->getOperand(0).getDefiningOp<arith::SelectOp>();
  if (!select)
    return failure();
  auto isMasked = [](Value v) {
    APFloat value(0.0);
    return matchPattern(v, m_ConstantFloat(&value)) && value.isInfinity() && value.isNegative();
  };
  bool negated = isMasked(select.getTrueValue());
  if (!negated && !isMasked(select.getFalseValue()))
    return failure();
  auto refuse = [&](const char *why) {
    op.emitRemark("no window was made of the mask: ") << why;
    return failure();
  };
  Plan plan{
      op, select, negated ? select.getFalseValue() : select.getTrueValue(), {op.getWindow()[0], op.getWindow()[1]}};
  if (op.getCausal() == fovea::attn::Causal::bottom_right)
    return refuse("the attention is causal from the last key on, the mask counts from the first");
  if (op.getNormalizer() != fovea::attn::Normalizer::softmax || !op.getWeight().empty())
    return refuse("only under softmax, without a weight region, masked scores are the same as no keys");
  if (!MaskReader(op).addCondition(plan.window, select.getCondition(), negated))
    return refuse("it is no band around the diagonal");
  return plan;
}

static void rewrite(Plan &plan) {
  plan.select.replaceAllUsesWith(plan.score);
  plan.op.setWindow({plan.window.left, plan.window.right});
}

namespace {
struct WindowAttentionPass : PassWrapper<WindowAttentionPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WindowAttentionPass)
  StringRef getArgument() const override { return "sample-window-attention"; }
  StringRef getDescription() const override { return "turn masks that are bands into attention's window"; }
  void runOnOperation() override {
    getOperation()->walk([](AttentionOp op) {
      if (FailureOr<Plan> plan = analyze(op); succeeded(plan))
        rewrite(*plan);
    });
  }
};
} // namespace

std::unique_ptr<Pass> sample::createWindowAttention() { return std::make_unique<WindowAttentionPass>(); }
