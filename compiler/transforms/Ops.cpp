#include "compiler/transforms/Ops.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;

bool fovea::isPointwise(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  return generic && generic.getNumReductionLoops() == 0 && generic.getNumDpsInits() == 1 &&
         generic.getIndexingMapsArray().back().isIdentity();
}

bool fovea::isInit(Operation *op) {
  if (isa_and_nonnull<tensor::EmptyOp>(op))
    return true;
  auto fill = dyn_cast_or_null<linalg::FillOp>(op);
  return fill && fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>() &&
         matchPattern(fill.getInputs()[0], m_Constant());
}

bool fovea::isContraction(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::LinalgOp>(op);
  if (!generic || generic.getNumReductionLoops() == 0 || generic.getNumDpsInits() != 1 ||
      generic.getNumDpsInputs() != 2)
    return false;
  auto fill = generic.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!fill || !(matchPattern(fill.getInputs()[0], m_AnyZeroFloat()) || matchPattern(fill.getInputs()[0], m_Zero())))
    return false;
  Block &body = *generic.getBlock();
  Value sum = body.getTerminator()->getOperand(0);
  auto add = sum.getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  for (auto [product, carried] : {std::pair(add.getLhs(), add.getRhs()), {add.getRhs(), add.getLhs()}}) {
    auto mul = product.getDefiningOp<arith::MulFOp>();
    if (!mul || carried != body.getArgument(2))
      continue;
    auto a = dyn_cast<BlockArgument>(mul.getLhs()), b = dyn_cast<BlockArgument>(mul.getRhs());
    if (a && b && a != b && a != carried && b != carried)
      return true;
  }
  return false;
}

bool fovea::isLastDimNorm(Operation *op) {
  auto last = [](auto norm) {
    return static_cast<int64_t>(norm.getAxis()) == cast<RankedTensorType>(norm.getSource().getType()).getRank() - 1;
  };
  if (auto norm = dyn_cast_or_null<attn::LayerNormOp>(op))
    return last(norm);
  if (auto norm = dyn_cast_or_null<attn::RmsNormOp>(op))
    return last(norm);
  return false;
}

bool fovea::isConstantTensor(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<arith::ConstantOp>(op))
    return isa<RankedTensorType>(value.getType());
  if (auto concat = dyn_cast_or_null<tensor::ConcatOp>(op))
    return llvm::all_of(concat.getInputs(), isConstantTensor);
  if (!isView(op) || !cast<RankedTensorType>(value.getType()).hasStaticShape())
    return false;
  // Slices at run-time places of a constant are not constants.
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op); slice && !slice.getOffsets().empty())
    return false;
  return isConstantTensor(op->getOperand(0));
}

bool fovea::readsInLoopOrder(linalg::LinalgOp op, OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  return map.isPermutation() && map.getNumResults() == op.getNumLoops();
}

void fovea::replaceByInput(RewriterBase &rewriter, linalg::GenericOp op, Operation *inner, Value input, AffineMap map) {
  SmallVector<Value> inputs = op.getInputs();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  unsigned position = inputs.size();
  maps.insert(maps.begin() + position, map);
  inputs.push_back(input);
  auto wider = linalg::GenericOp::create(rewriter, op.getLoc(), op.getResultTypes(), inputs, op.getOutputs(), maps,
                                         op.getIteratorTypesArray());
  rewriter.inlineRegionBefore(op.getRegion(), wider.getRegion(), wider.getRegion().begin());
  rewriter.replaceOp(inner,
                     wider.getBlock()->insertArgument(position, getElementTypeOrSelf(input.getType()), op.getLoc()));
  rewriter.replaceOp(op, wider.getResults());
}

int64_t fovea::bodyCost(Block &body) {
  int64_t cost = 0;
  for (Operation &op : body.without_terminator()) {
    if (isa<math::MathDialect, fovea::attn::AttnDialect>(op.getDialect()) &&
        !isa<math::AbsFOp, math::FmaOp, math::FloorOp>(op))
      cost += 10;
    else if (!op.hasTrait<OpTrait::ConstantLike>())
      cost += 1;
  }
  return cost;
}

std::optional<double> fovea::floatConstant(Value v) {
  APFloat value(0.0);
  bool lost;
  // MLIR does not fold a truncation that rounds.
  auto truncation = v.getDefiningOp<arith::TruncFOp>();
  if (!matchPattern(truncation ? truncation.getIn() : v, m_ConstantFloat(&value)))
    return std::nullopt;
  if (truncation)
    value.convert(cast<FloatType>(truncation.getType()).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

SmallVector<Operation *> fovea::usersOf(Value value) {
  SmallVector<Operation *> users;
  for (Operation *user : value.getUsers())
    if (!isa<tensor::DimOp>(user) && !llvm::is_contained(users, user))
      users.push_back(user);
  return users;
}

int64_t fovea::livePairs(attn::AttentionInterface attention, int64_t queries, int64_t keys, int64_t rows) {
  bool causal = attention.getCausal() != attn::Causal::none;
  int64_t left = attention.getWindow()[0], right = causal ? 0 : attention.getWindow()[1], all = queries + keys;
  if ((left < 0 && right < 0) || !isa<attn::AttentionOp>(attention.getOperation()))
    return queries * keys;
  int64_t offset = attention.getCausal() == attn::Causal::bottom_right ? keys - queries : 0, pairs = 0;
  auto key = [&](int64_t number) { return std::clamp<int64_t>(number, 0, keys); };
  for (int64_t first = 0; first < queries; first += rows) {
    int64_t count = std::min(rows, queries - first);
    int64_t begin = left < 0 ? 0 : key(first + offset - std::min(left, all));
    int64_t end = right < 0 ? keys : key(first + count + offset + std::min(right, all));
    pairs += count * std::max<int64_t>(0, end - begin);
  }
  return pairs;
}

std::string fovea::faultNode(exec::KernelOp kernel) {
  bool faults = false;
  kernel.walk([&](Operation *op) {
    faults |= isa<data::LookupOp, data::ExpandOp, data::TopKOp, data::ScatterOp, attn::BipartiteMatchOp,
                  attn::LinearAttentionOp, attn::CausalConvWithStateOp, attn::CacheAppendOp, attn::PagedAppendOp,
                  attn::PagedAttentionOp>(op);
  });
  return faults ? nodeName(kernel) : "";
}

bool fovea::isSameKernel(exec::KernelOp a, exec::KernelOp b) {
  return a.getSymbols().size() == b.getSymbols().size() && a.getShapes() == b.getShapes() &&
         a.getLayoutsAttr() == b.getLayoutsAttr() && a.getScheduleAttr() == b.getScheduleAttr() &&
         a.getAliasesAttr() == b.getAliasesAttr() && faultNode(a) == faultNode(b) &&
         OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(), OperationEquivalence::IgnoreLocations);
}

std::string fovea::nodeName(Operation *op) {
  std::string found;
  op->getLoc()->walk([&](Location loc) {
    if (auto name = dyn_cast<NameLoc>(loc)) {
      found = name.getName().str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return found;
}
