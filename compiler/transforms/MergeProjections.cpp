// One product instead of three: the projections of a tensor to query, key and value.
//
// Products of one tensor with constant matrices, each followed by a constant bias or nothing, become one product with
// the matrices side by side. The tensor is then read once, and attention finds query, key and value in one buffer. Only
// what leads to attention is merged: a gate and its partner are better apart, since the second can take the first in
// its epilogue.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/View.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;

namespace fovea {
#define GEN_PASS_DEF_MERGEPROJECTIONS
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

namespace {
struct Projection {
  linalg::GenericOp product;
  linalg::GenericOp bias; ///< null if there is none
  Value weight, biasVector;
  Value result() { return (bias ? bias : product).getResult(0); }
};
} // namespace

static Operation *onlyUser(Value value) {
  Operation *found = nullptr;
  for (Operation *user : value.getUsers()) {
    if (isa<tensor::DimOp>(user))
      continue;
    if (found && found != user)
      return nullptr;
    found = user;
  }
  return found;
}

/// Whether the value reaches an attention through views and rotary embedding only.
static bool leadsToAttention(Value value, unsigned depth = 0) {
  if (depth > 12)
    return false;
  bool reached = false;
  for (Operation *user : value.getUsers()) {
    if (isa<tensor::DimOp>(user))
      continue;
    if (isa<attn::AttentionOp>(user))
      reached = true;
    else if (isView(user) || isa<attn::RotaryEmbeddingOp>(user) || (isPointwise(user) && depth < 6))
      reached |= leadsToAttention(user->getResult(0), depth + 1);
  }
  return reached;
}

/// x W (+ b) with constant W of rank 2, K x N.
static std::optional<Projection> projectionOf(linalg::GenericOp op) {
  if (!isContraction(op) || op.getNumReductionLoops() != 1)
    return std::nullopt;
  OpOperand *w = op.getDpsInputOperand(1);
  unsigned n = op.getNumParallelLoops() - 1, k = op.getNumLoops() - 1;
  AffineMap map = op.getMatchingIndexingMap(w);
  MLIRContext *context = op.getContext();
  if (!isConstantTensor(w->get()) || isConstantTensor(op.getDpsInputOperand(0)->get()) || map.getNumResults() != 2 ||
      map.getResult(0) != getAffineDimExpr(k, context) || map.getResult(1) != getAffineDimExpr(n, context))
    return std::nullopt;
  Projection p{op, {}, w->get(), {}};
  auto user = dyn_cast_or_null<linalg::GenericOp>(onlyUser(op.getResult(0)));
  if (!user || !isPointwise(user) || user.getNumDpsInputs() != 2)
    return p;
  auto add = user.getBlock()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add || !isa<BlockArgument>(add.getLhs()) || !isa<BlockArgument>(add.getRhs()) || add.getLhs() == add.getRhs())
    return p;
  for (unsigned i : {0u, 1u}) {
    OpOperand *product = user.getDpsInputOperand(i), *bias = user.getDpsInputOperand(1 - i);
    AffineMap biasMap = user.getMatchingIndexingMap(bias);
    if (product->get() == op.getResult(0) && user.getMatchingIndexingMap(product).isIdentity() &&
        isConstantTensor(bias->get()) && biasMap.getNumResults() == 1 &&
        biasMap.getResult(0) == getAffineDimExpr(n, context)) {
      p.bias = user;
      p.biasVector = bias->get();
    }
  }
  return p;
}

static Value concat(OpBuilder &b, Location loc, ArrayRef<Value> values, int64_t dim) {
  auto type = cast<RankedTensorType>(values[0].getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = 0;
  for (Value v : values)
    shape[dim] += cast<RankedTensorType>(v.getType()).getDimSize(dim);
  return tensor::ConcatOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), dim, values);
}

static void merge(MutableArrayRef<Projection> group) {
  linalg::GenericOp first = group[0].product;
  OpBuilder b(first);
  Location loc = first.getLoc();
  SmallVector<Value> weights, biases;
  for (Projection &p : group) {
    // Constants may have been written down behind the first product.
    std::function<void(Value)> hoist = [&](Value v) {
      Operation *op = v.getDefiningOp();
      for (Value operand : op->getOperands())
        hoist(operand);
      if (op->getBlock() == first->getBlock() && first->isBeforeInBlock(op))
        op->moveBefore(first);
    };
    hoist(p.weight);
    weights.push_back(p.weight);
    if (p.bias) {
      hoist(p.biasVector);
      biases.push_back(p.biasVector);
    }
  }
  DimAnalysis dims;
  Value weight = concat(b, loc, weights, 1);
  int64_t n = cast<RankedTensorType>(weight.getType()).getDimSize(1);
  unsigned parallel = first.getNumParallelLoops();
  SmallVector<OpFoldResult> sizes;
  for (const auto &size : dims.shape(first.getResult(0)))
    sizes.push_back(data::materializeOrConstant(b, loc, size));
  sizes.back() = b.getIndexAttr(n);
  Value empty = tensor::EmptyOp::create(b, loc, sizes, getElementTypeOrSelf(weight.getType()));
  Value zero =
      linalg::FillOp::create(b, loc, first.getDpsInits()[0].getDefiningOp<linalg::FillOp>().getInputs()[0], empty)
          .getResult(0);
  auto product = linalg::GenericOp::create(b, loc, zero.getType(), ValueRange{first.getInputs()[0], weight}, zero,
                                           first.getIndexingMapsArray(), first.getIteratorTypesArray());
  IRMapping map;
  first.getRegion().cloneInto(&product.getRegion(), map);
  Value result = product.getResult(0);
  if (!biases.empty()) {
    Value bias = concat(b, loc, biases, 0);
    AffineMap identity = b.getMultiDimIdentityMap(parallel);
    AffineMap last = AffineMap::get(parallel, 0, b.getAffineDimExpr(parallel - 1));
    auto add = linalg::GenericOp::create(
        b, loc, result.getType(), ValueRange{result, bias}, empty, {identity, last, identity},
        SmallVector<utils::IteratorType>(parallel, utils::IteratorType::parallel),
        [](OpBuilder &b, Location loc, ValueRange args) {
          linalg::YieldOp::create(b, loc, arith::AddFOp::create(b, loc, args[0], args[1]).getResult());
        });
    result = add.getResult(0);
  }
  int64_t at = 0;
  for (Projection &p : group) {
    int64_t width = cast<RankedTensorType>(p.weight.getType()).getDimSize(1);
    SmallVector<OpFoldResult> offsets(parallel, b.getIndexAttr(0)), own = sizes, steps(parallel, b.getIndexAttr(1));
    offsets.back() = b.getIndexAttr(at);
    own.back() = b.getIndexAttr(width);
    at += width;
    auto type = cast<RankedTensorType>(p.result().getType());
    Value slice = tensor::ExtractSliceOp::create(b, loc, type, result, offsets, own, steps);
    p.result().replaceAllUsesWith(slice);
  }
  for (Projection &p : group) {
    if (p.bias)
      p.bias.erase();
    p.product.erase();
  }
}

namespace {
struct MergeProjectionsPass : fovea::impl::MergeProjectionsBase<MergeProjectionsPass> {
  void runOnOperation() override {
    SmallVector<SmallVector<Projection>> groups;
    for (auto op : getOperation().getBody().front().getOps<linalg::GenericOp>()) {
      auto p = projectionOf(op);
      if (!p || !leadsToAttention(p->result()))
        continue;
      auto fits = [&](SmallVector<Projection> &group) {
        linalg::GenericOp other = group[0].product;
        return other.getInputs()[0] == op.getInputs()[0] && other.getIndexingMapsArray() == op.getIndexingMapsArray() &&
               bool(group[0].bias) == bool(p->bias) &&
               getElementTypeOrSelf(group[0].weight.getType()) == getElementTypeOrSelf(p->weight.getType());
      };
      auto it = llvm::find_if(groups, fits);
      if (it == groups.end())
        groups.push_back({*p});
      else
        it->push_back(*p);
    }
    for (auto &group : groups)
      if (group.size() > 1)
        merge(group);
  }
};
} // namespace
