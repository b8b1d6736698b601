// Recognises attention by what is computed: softmax(score(Q K^T)) V.
//
// From a softmax the score is followed back through at most one elementwise operation to a product over the head size,
// and the weights forward (through the guard that zeroes rows without keys) to the product with the values. How
// operands were scaled, transposed, reshaped or repeated for groups of heads is read off as an index map; the
// elementwise part becomes the score region, and one between the softmax and the product with the values the weight
// region. Masks that are added stay numbers, with one exception: where the region says "-inf, or a finite lowest value,
// unless j <= i" and nothing else, by indices or by a constant table, each row has a live key, so `causal` (or a
// window) says the same and masked tiles can be skipped.
#include "compiler/transforms/AttentionGuard.h"
#include "compiler/transforms/AttentionMask.h"
#include "compiler/transforms/AttentionOperands.h"
#include "compiler/transforms/AttentionPatterns.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::attention;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

namespace fovea {
#define GEN_PASS_DEF_RAISEATTENTION
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

namespace {
struct Plan {
  attn::SoftmaxOp softmax;
  linalg::GenericOp scores, elementwise, weights; ///< scores: Q K^T; elementwise may be null; weights: P V
  linalg::GenericOp weighted;                     ///< what is computed of the weights before P V; may be null
  Access query, key, value;                       ///< maps of (b, h, i, j, d) or (b, h, i, j, e)
  bool guarded = false;
};
} // namespace

/// Replaces loops of a product by (b, h, i, j, d).
static Access accessOf(linalg::GenericOp op, OpOperand *operand, ArrayRef<AffineExpr> loops) {
  AffineMap map = op.getMatchingIndexingMap(operand);
  return Access{operand->get(), map.replaceDimsAndSymbols(loops, {}, 5, 0)};
}

/// True if an elementwise operation reads the value once, in the order of its result.
static bool readsOnce(linalg::GenericOp op, Value value) {
  SmallVector<OpOperand *> reads;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (operand->get() == value)
      reads.push_back(operand);
  return op.getNumResults() == 1 && reads.size() == 1 && op.getMatchingIndexingMap(reads[0]).isIdentity() &&
         op.getIndexingMapsArray().back().isIdentity() && isa<FloatType>(getElementTypeOrSelf(op.getResult(0)));
}

/// Fails with the reason why this softmax is not part of an attention.
static FailureOr<Plan> analyze(attn::SoftmaxOp softmax, std::string &reason) {
  auto no = [&](StringRef why) {
    reason = why.str();
    return failure();
  };
  MLIRContext *context = softmax.getContext();
  Plan plan{softmax, {}, {}, {}, {}, {}, {}, {}, softmax.getGuarded()};
  auto type = cast<RankedTensorType>(softmax.getResult().getType());
  int64_t rank = type.getRank();
  if (softmax.getLog() || static_cast<int64_t>(softmax.getAxis()) != rank - 1)
    return no("it is not a softmax over the last dim");
  if (rank < 2 || rank > 4)
    return no("scores of rank " + std::to_string(rank) + " are not rows of queries over keys");
  // b, h, i, j of the dims of the scores.
  SmallVector<AffineExpr> dimToLoop;
  for (int64_t d = 0; d < rank; ++d)
    dimToLoop.push_back(getAffineDimExpr(d == rank - 1 ? kJ : d == rank - 2 ? kI : d == 0 ? kB : kH, context));

  // Forward: the guard, then the product with the values.
  Value weights = softmax.getResult();
  SmallVector<Operation *> users = usersOf(weights);
  std::optional<WeightGuard> guard;
  if (users.size() == 1 && isPointwise(users[0])) {
    auto op = cast<linalg::GenericOp>(users[0]);
    guard = weightGuardOf(op, weights);
    if (guard)
      plan.guarded |= guard->zeroRows;
    else if (readsOnce(op, weights))
      plan.weighted = op;
    else
      return no("its result is read in another order by an elementwise operation");
    weights = op.getResult(0);
    users = usersOf(weights);
  }
  if (users.size() != 1 || !isContraction(users[0]) || !isa<linalg::GenericOp>(users[0]))
    return no("its result is not read by exactly one product with values");
  plan.weights = cast<linalg::GenericOp>(users[0]);
  OpOperand *p = plan.weights.getDpsInputOperand(0), *v = plan.weights.getDpsInputOperand(1);
  if (v->get() == weights)
    std::swap(p, v);
  AffineMap pMap = plan.weights.getMatchingIndexingMap(p);
  if (!pMap.isProjectedPermutation() || plan.weights.getNumReductionLoops() != 1 ||
      pMap.getDimPosition(rank - 1) != plan.weights.getNumLoops() - 1 ||
      plan.weights.getNumLoops() != static_cast<unsigned>(rank) + 1)
    return no("the product with the values does not sum over the keys alone");
  SmallVector<AffineExpr> loops(plan.weights.getNumLoops(), getAffineDimExpr(kD, context));
  for (int64_t d = 0; d < rank; ++d)
    loops[pMap.getDimPosition(d)] = dimToLoop[d];
  Access plainValue = accessOf(plan.weights, v, loops);
  auto value = settle(plainValue, kJ, /*scales=*/false);
  if (!value)
    return no("the values are not indexed by batch, head, key and element");
  plan.value = *value;
  AffineMap out = plan.weights.getIndexingMapsArray().back().replaceDimsAndSymbols(loops, {}, 5, 0);
  if (!out.isProjectedPermutation())
    return no("the result of the product with the values is not indexed by its loops");

  // Backward: the elementwise part, then the product of queries and keys.
  Value source = softmax.getSource();
  if (auto generic = source.getDefiningOp<linalg::GenericOp>(); generic && isPointwise(generic)) {
    plan.elementwise = generic;
    Value found;
    for (OpOperand *operand : generic.getDpsInputOperands())
      if (isContraction(operand->get().getDefiningOp()) && generic.getMatchingIndexingMap(operand).isIdentity() &&
          !found)
        found = operand->get();
    if (!found)
      return no("no operand of its score is a product of queries and keys");
    if (usersOf(found).size() != 1)
      return no("the product of queries and keys is read elsewhere too");
    source = found;
  }
  if (guard && guard->bias && !(plan.elementwise && addsBias(plan.elementwise, *guard)))
    return no("rows are set to zero for another reason than having no key");
  plan.scores = source.getDefiningOp<linalg::GenericOp>();
  if (!plan.scores || !isContraction(plan.scores))
    return no("its score does not come from a product of queries and keys");
  if (usersOf(source).size() != 1 || usersOf(softmax.getSource()).size() != 1)
    return no("the scores are read elsewhere too");
  if (plan.scores.getNumReductionLoops() != 1 || plan.scores.getNumLoops() != static_cast<unsigned>(rank) + 1)
    return no("the product of queries and keys does not sum over the head size alone");
  AffineMap scoreMap = plan.scores.getIndexingMapsArray().back();
  SmallVector<AffineExpr> scoreLoops(rank + 1, getAffineDimExpr(kD, context));
  for (int64_t d = 0; d < rank; ++d)
    scoreLoops[scoreMap.getDimPosition(d)] = dimToLoop[d];
  std::optional<Access> query, key, plainKey;
  for (OpOperand *operand : plan.scores.getDpsInputOperands()) {
    Access access = accessOf(plan.scores, operand, scoreLoops);
    if (auto q = settle(access, kI, true))
      query = q;
    else if (auto k = settle(access, kJ, true))
      key = k, plainKey = access;
  }
  if (!query || !key)
    return no("queries and keys are not indexed by batch, head, row and element");
  plan.query = *query, plan.key = *key;
  if (type.getElementTypeBitWidth() > std::max(32u, getElementTypeOrSelf(query->tensor).getIntOrFloatBitWidth()))
    return no("its softmax is wider than attention of its operands computes");
  Type element = getElementTypeOrSelf(query->tensor);
  if (getElementTypeOrSelf(key->tensor) != element || getElementTypeOrSelf(value->tensor) != element)
    return no("queries, keys and values do not have one element type");
  // Repeated heads of keys and values are read once only if both are seen through.
  if (headsOf(plan.key) != headsOf(plan.value)) {
    if (!isUsable(*plainKey, kJ) || !isUsable(plainValue, kJ) || headsOf(*plainKey) != headsOf(plainValue))
      return no("keys and values do not have heads alike");
    plan.key = *plainKey, plan.value = plainValue;
  }
  auto has = [](const Access &access, unsigned loop) {
    return llvm::any_of(access.map.getResults(), [&](AffineExpr e) { return e.isFunctionOfDim(loop); });
  };
  // An operand may lack a loop that runs once.
  bool oneBatch = rank < 3 || type.getDimSize(0) == 1, oneHead = rank < 4 || type.getDimSize(1) == 1;
  if (!oneBatch && !(has(plan.query, kB) && has(plan.key, kB) && has(plan.value, kB)))
    return no("queries, keys and values are not all batched");
  if (!oneHead && (has(plan.key, kH) != has(plan.value, kH) || !has(plan.query, kH)))
    return no("queries, keys and values do not have heads alike");
  for (const Access *access : {&plan.query, &plan.key, &plan.value})
    for (auto [d, e] : llvm::enumerate(access->map.getResults()))
      if (e.isFunctionOfDim(kH) && cast<RankedTensorType>(access->tensor.getType()).isDynamicDim(d))
        return no("the number of heads is not known at compile time");
  return plan;
}

namespace {
/// An elementwise operation that becomes a region of attention.
struct RegionSource {
  linalg::GenericOp op;
  unsigned value;                 ///< the operand that is the score or weight
  SmallVector<unsigned> captured; ///< the operands that are captures,
  unsigned firstCapture;          ///< the first of them
  std::optional<BandMask> mask;   ///< what is left out
};
} // namespace

static void buildRegion(OpBuilder &b, attn::AttentionOp attention, Region &region, const RegionSource &source,
                        ArrayRef<AffineExpr> toLoops) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = attention.getLoc();
  linalg::GenericOp elementwise = source.op;
  const std::optional<BandMask> &mask = source.mask;
  Block *body = b.createBlock(&region);
  SmallVector<Type> types{attention.getScoreType()};
  types.append(4, b.getIndexType());
  for (Value capture : attention.getCaptures())
    types.push_back(getElementTypeOrSelf(capture.getType()));
  for (Type type : types)
    body->addArgument(type, loc);
  IRMapping map;
  // The source graph computes in the element type, attention in f32 or wider.
  Type elementType = elementwise.getBlock()->getArgument(source.value).getType();
  Value value = body->getArgument(0);
  if (value.getType() != elementType)
    value = arith::TruncFOp::create(b, loc, elementType, value);
  map.map(elementwise.getBlock()->getArgument(source.value), value);
  for (auto [n, operand] : llvm::enumerate(source.captured))
    map.map(elementwise.getBlock()->getArgument(operand), body->getArgument(5 + source.firstCapture + n));
  for (Operation &op : elementwise.getBlock()->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(op)) {
      unsigned loop = cast<AffineDimExpr>(toLoops[index.getDim()]).getPosition();
      map.map(index.getResult(), body->getArgument(1 + loop));
    } else if (mask && &op == mask->term) {
      map.map(op.getResult(0), map.lookupOrDefault(mask->rest));
    } else if (mask && op.getNumOperands() > 0 && op.getNumResults() == 1 && op.getResult(0).hasOneUse() &&
               *op.getResult(0).user_begin() == mask->term && op.getResult(0) != mask->rest) {
      // The mask itself, which a table may have been the condition of.
    } else {
      b.clone(op, map);
    }
  }
  Value result = map.lookupOrDefault(elementwise.getBlock()->getTerminator()->getOperand(0));
  if (result.getType() != attention.getScoreType())
    result = arith::ExtFOp::create(b, loc, attention.getScoreType(), result);
  attn::YieldOp::create(b, loc, result);
}

static void rewrite(const Plan &plan) {
  attn::SoftmaxOp softmax = plan.softmax;
  linalg::GenericOp last = plan.weights;
  OpBuilder b(last);
  Location loc = last.getLoc();
  int64_t rank = cast<RankedTensorType>(softmax.getResult().getType()).getRank();
  Value q = formOperand(b, loc, plan.query, kI), k = formOperand(b, loc, plan.key, kJ),
        v = formOperand(b, loc, plan.value, kJ);
  DimAnalysis dims;
  SmallVector<DimExpr> qShape = dims.shape(q), vShape = dims.shape(v);
  SmallVector<OpFoldResult> sizes;
  for (const DimExpr &size : {qShape[0], qShape[1], qShape[2], vShape[3]})
    sizes.push_back(data::materializeOrConstant(b, loc, size));
  Value init = tensor::EmptyOp::create(b, loc, sizes, getElementTypeOrSelf(q.getType()));
  // Captures: what the elementwise parts read beside the scores or weights.
  SmallVector<Value> captures;
  SmallVector<Attribute> maps;
  double scale = plan.query.scale * plan.key.scale;
  std::optional<BandMask> mask;
  SmallVector<AffineExpr> toLoops;
  for (int64_t d = 0; d < rank; ++d)
    toLoops.push_back(b.getAffineDimExpr(d == rank - 1 ? kJ : d == rank - 2 ? kI : d == 0 ? kB : kH));
  auto captureOperands = [&](RegionSource &source, Value value) {
    source.firstCapture = captures.size();
    for (OpOperand *operand : source.op.getDpsInputOperands()) {
      if (operand->get() == value) {
        source.value = operand->getOperandNumber();
        continue;
      }
      if (source.mask && source.mask->table == operand->getOperandNumber())
        continue;
      captures.push_back(operand->get());
      source.captured.push_back(operand->getOperandNumber());
      maps.push_back(
          AffineMapAttr::get(source.op.getMatchingIndexingMap(operand).replaceDimsAndSymbols(toLoops, {}, 4, 0)));
    }
  };
  RegionSource score{plan.elementwise, {}, {}, {}, {}}, weight{plan.weighted, {}, {}, {}, {}};
  if (plan.elementwise) {
    // What is computed of weights sees those of masked keys, too: there a mask stays one.
    for (OpOperand *operand : score.op.getDpsInputOperands())
      if (operand->get() == plan.scores->getResult(0) && !plan.weighted)
        mask = bandMaskOf(score.op, score.op.getBlock()->getArgument(operand->getOperandNumber()));
    score.mask = mask;
    captureOperands(score, plan.scores->getResult(0));
  }
  if (plan.weighted)
    captureOperands(weight, softmax.getResult());
  Band band = mask ? mask->band : Band();
  attn::Causal causal = band.right == 0 ? attn::Causal::top_left : attn::Causal::none;
  if (causal == attn::Causal::top_left)
    band.right = -1;
  auto attention = attn::AttentionOp::create(
      b, loc, init.getType(), TypeRange(), q, k, v, captures, Value(), Value(), Value(), Value(), init, ValueRange(),
      b.getF64FloatAttr(scale), attn::CausalAttr::get(b.getContext(), causal),
      b.getDenseI64ArrayAttr({band.left, band.right}),
      attn::NormalizerAttr::get(b.getContext(), attn::Normalizer::softmax),
      attn::EmptyRowsAttr::get(b.getContext(), plan.guarded ? attn::EmptyRows::zero : attn::EmptyRows::nan),
      b.getArrayAttr(maps), b.getDenseI64ArrayAttr({}), b.getArrayAttr({}));
  if (plan.elementwise)
    buildRegion(b, attention, attention.getScore(), score, toLoops);
  if (plan.weighted)
    buildRegion(b, attention, attention.getWeight(), weight, toLoops);
  // Back to the order and rank in which the product with the values had its result.
  SmallVector<AffineExpr> loops(last.getNumLoops(), b.getAffineDimExpr(kD));
  OpOperand *p = last.getDpsInputOperand(0);
  Value weights = softmax.getResult();
  if (Operation *user = usersOf(weights)[0]; user != last)
    weights = user->getResult(0);
  if (p->get() != weights)
    p = last.getDpsInputOperand(1);
  AffineMap pMap = last.getMatchingIndexingMap(p);
  for (int64_t d = 0; d < rank; ++d)
    loops[pMap.getDimPosition(d)] = toLoops[d];
  Value result = attention.getResult();
  SmallVector<int> have{kB, kH, kI, kD};
  if (rank < 4) {
    SmallVector<ReassociationIndices> groups = rank == 3 ? SmallVector<ReassociationIndices>{{0, 1}, {2}, {3}}
                                                         : SmallVector<ReassociationIndices>{{0, 1, 2}, {3}};
    result = tensor::CollapseShapeOp::create(b, loc, result, groups);
    have = rank == 3 ? SmallVector<int>{kB, kI, kD} : SmallVector<int>{kI, kD};
  }
  SmallVector<int64_t> permutation;
  for (AffineExpr e : last.getIndexingMapsArray().back().getResults()) {
    int loop = cast<AffineDimExpr>(loops[cast<AffineDimExpr>(e).getPosition()]).getPosition();
    permutation.push_back(llvm::find(have, loop) - have.begin());
  }
  if (!llvm::is_sorted(permutation)) {
    SmallVector<OpFoldResult> out;
    SmallVector<DimExpr> from = dims.shape(result);
    for (int64_t d : permutation)
      out.push_back(data::materializeOrConstant(b, loc, from[d]));
    Value empty = tensor::EmptyOp::create(b, loc, out, getElementTypeOrSelf(result.getType()));
    result = linalg::TransposeOp::create(b, loc, result, empty, permutation)->getResult(0);
  }
  if (result.getType() != last.getResult(0).getType())
    result = tensor::CastOp::create(b, loc, last.getResult(0).getType(), result);
  last.getResult(0).replaceAllUsesWith(result);
  last.erase();
}

namespace {
struct RaiseAttentionPass : fovea::impl::RaiseAttentionBase<RaiseAttentionPass> {
  void runOnOperation() override {
    SmallVector<attn::SoftmaxOp> all;
    getOperation().walk([&](attn::SoftmaxOp op) { all.push_back(op); });
    for (attn::SoftmaxOp softmax : all) {
      std::string reason;
      FailureOr<Plan> plan = analyze(softmax, reason);
      if (succeeded(plan))
        rewrite(*plan);
      else
        softmax.emitRemark("not raised to attention: ") << reason;
    }
    RewritePatternSet patterns(&getContext());
    attention::populateSimplifications(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
