#include "compiler/transforms/AttentionGuard.h"

#include "compiler/transforms/Ops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace fovea;

static Value throughCasts(Value v) {
  while (isa_and_nonnull<arith::ExtFOp, arith::TruncFOp>(v.getDefiningOp()))
    v = v.getDefiningOp()->getOperand(0);
  return v;
}

static bool isMinusInfinity(Value v) {
  std::optional<double> constant = floatConstant(v);
  return constant && std::isinf(*constant) && *constant < 0;
}

namespace {
/// A tensor read at `map` of some loops.
struct Read {
  Value tensor;
  AffineMap map;
};
} // namespace

/// What an argument of an elementwise operation is; nothing for other values.
static std::optional<Read> readOf(linalg::GenericOp op, Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != op.getBlock() || argument.getArgNumber() >= op.getNumDpsInputs())
    return std::nullopt;
  OpOperand *operand = op.getDpsInputOperand(argument.getArgNumber());
  return Read{operand->get(), op.getMatchingIndexingMap(operand)};
}

/// The same elements before dims of size 1 were added or dropped.
static Read throughUnitDims(Read read) {
  MLIRContext *context = read.map.getContext();
  auto at = [&](Value tensor, ArrayRef<AffineExpr> exprs) {
    return Read{tensor, AffineMap::get(read.map.getNumDims(), 0, exprs, context)};
  };
  AffineExpr zero = getAffineConstantExpr(0, context);
  if (auto expand = read.tensor.getDefiningOp<tensor::ExpandShapeOp>()) {
    SmallVector<AffineExpr> exprs;
    for (const ReassociationIndices &group : expand.getReassociationIndices()) {
      exprs.push_back(zero);
      unsigned wide = 0;
      for (int64_t member : group)
        if (expand.getType().getDimSize(member) != 1)
          exprs.back() = read.map.getResult(member), ++wide;
      if (wide > 1)
        return read;
    }
    return throughUnitDims(at(expand.getSrc(), exprs));
  }
  if (auto collapse = read.tensor.getDefiningOp<tensor::CollapseShapeOp>()) {
    SmallVector<AffineExpr> exprs;
    for (auto [d, group] : llvm::enumerate(collapse.getReassociationIndices())) {
      unsigned wide = 0;
      for (int64_t member : group) {
        bool isWide = collapse.getSrcType().getDimSize(member) != 1;
        wide += isWide;
        exprs.push_back(isWide ? read.map.getResult(d) : zero);
      }
      if (wide > 1)
        return read;
    }
    return throughUnitDims(at(collapse.getSrc(), exprs));
  }
  return read;
}

/// The tensor whose maximum over its last dim this is, read at one more loop.
static std::optional<Read> maximumOver(Read read, AffineExpr key) {
  read = throughUnitDims(read);
  auto op = read.tensor.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumReductionLoops() != 1 || op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1)
    return std::nullopt;
  unsigned rank = op.getNumLoops();
  AffineMap in = op.getIndexingMapsArray()[0], out = op.getIndexingMapsArray()[1];
  if (!in.isIdentity() || out != AffineMap::getMultiDimIdentityMap(rank, op.getContext()).dropResult(rank - 1))
    return std::nullopt;
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  Operation *combine = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  auto isArgument = [&](unsigned i) { return combine->getOperand(i) == op.getBlock()->getArgument(0); };
  auto isCarried = [&](unsigned i) { return combine->getOperand(i) == op.getBlock()->getArgument(1); };
  if (!fill || !isMinusInfinity(fill.getInputs()[0]) ||
      !isa_and_nonnull<arith::MaximumFOp, arith::MaxNumFOp>(combine) ||
      !((isArgument(0) && isCarried(1)) || (isArgument(1) && isCarried(0))))
    return std::nullopt;
  SmallVector<AffineExpr> exprs(read.map.getResults());
  exprs.push_back(key);
  return Read{op.getInputs()[0], AffineMap::get(read.map.getNumDims(), 0, exprs, op.getContext())};
}

/// The bias whose largest element of each row is -inf where `condition` holds.
static std::optional<Read> maskedRows(linalg::GenericOp op, Value condition) {
  if (std::optional<Read> read = readOf(op, condition)) {
    *read = throughUnitDims(*read);
    auto producer = read->tensor.getDefiningOp<linalg::GenericOp>();
    if (!producer || !isPointwise(producer))
      return std::nullopt;
    std::optional<Read> inner = maskedRows(producer, producer.getBlock()->getTerminator()->getOperand(0));
    if (!inner)
      return std::nullopt;
    // The loops of the condition are rows alone; the key that was added to them is the last loop here.
    SmallVector<AffineExpr> exprs(inner->map.getResults().drop_back());
    for (AffineExpr &e : exprs)
      e = e.replaceDims(read->map.getResults());
    exprs.push_back(getAffineDimExpr(op.getNumLoops() - 1, op.getContext()));
    return Read{inner->tensor, AffineMap::get(op.getNumLoops(), 0, exprs, op.getContext())};
  }
  auto compare = condition.getDefiningOp<arith::CmpFOp>();
  if (!compare || compare.getPredicate() != arith::CmpFPredicate::OEQ)
    return std::nullopt;
  for (auto [x, y] : {std::pair(compare.getLhs(), compare.getRhs()), {compare.getRhs(), compare.getLhs()}})
    if (std::optional<Read> read = isMinusInfinity(y) ? readOf(op, throughCasts(x)) : std::nullopt)
      return maximumOver(*read, getAffineDimExpr(op.getNumLoops() - 1, op.getContext()));
  return std::nullopt;
}

std::optional<WeightGuard> fovea::weightGuardOf(linalg::GenericOp op, Value weights) {
  if (!isPointwise(op))
    return std::nullopt;
  auto isWeights = [&](Value v) {
    std::optional<Read> read = readOf(op, throughCasts(v));
    return read && read->tensor == weights && read->map.isIdentity();
  };
  WeightGuard guard;
  Value result = throughCasts(op.getBlock()->getTerminator()->getOperand(0));
  if (isWeights(result))
    return guard;
  auto select = result.getDefiningOp<arith::SelectOp>();
  if (!select || floatConstant(throughCasts(select.getTrueValue())) != 0.0 || !isWeights(select.getFalseValue()))
    return std::nullopt;
  guard.zeroRows = true;
  if (auto isNan = select.getCondition().getDefiningOp<arith::CmpFOp>();
      isNan && isNan.getPredicate() == arith::CmpFPredicate::UNO && isNan.getLhs() == isNan.getRhs() &&
      isWeights(isNan.getLhs()))
    return guard;
  std::optional<Read> bias = maskedRows(op, select.getCondition());
  if (!bias)
    return std::nullopt;
  guard.bias = bias->tensor, guard.map = bias->map;
  return guard;
}

bool fovea::addsBias(linalg::GenericOp op, const WeightGuard &guard) {
  auto add = throughCasts(op.getBlock()->getTerminator()->getOperand(0)).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  for (Value term : {add.getLhs(), add.getRhs()}) {
    std::optional<Read> read = readOf(op, throughCasts(term));
    if (!read)
      continue;
    // Either may read it through added dims of size 1.
    Read mine = throughUnitDims(*read), other = throughUnitDims({guard.bias, guard.map});
    auto type = cast<RankedTensorType>(mine.tensor.getType());
    if (mine.tensor == other.tensor && llvm::all_of(llvm::seq<int64_t>(0, type.getRank()), [&](int64_t d) {
          return type.getDimSize(d) == 1 || mine.map.getResult(d) == other.map.getResult(d);
        }))
      return true;
  }
  return false;
}
