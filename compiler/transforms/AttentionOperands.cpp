#include "compiler/transforms/AttentionOperands.h"
#include "compiler/transforms/Ops.h"
#include "dialects/data/DimExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::attention;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

/// An elementwise operation of one tensor that computes x or x times a constant.
static std::optional<double> scaleOf(linalg::GenericOp op) {
  if (!isPointwise(op) || op.getNumDpsInputs() != 1)
    return std::nullopt;
  Value in = op.getBlock()->getArgument(0), out = op.getBlock()->getTerminator()->getOperand(0);
  if (out == in)
    return 1.0;
  if (auto mul = out.getDefiningOp<arith::MulFOp>())
    for (auto [x, c] : {std::pair(mul.getLhs(), mul.getRhs()), {mul.getRhs(), mul.getLhs()}})
      if (auto constant = floatConstant(c); constant && x == in)
        return constant;
  if (auto div = out.getDefiningOp<arith::DivFOp>())
    if (auto constant = floatConstant(div.getRhs()); constant && div.getLhs() == in && *constant != 0)
      return 1.0 / *constant;
  return std::nullopt;
}

/// The same elements read one operation further back, or nothing.
static std::optional<Access> stepBack(const Access &access) {
  MLIRContext *context = access.map.getContext();
  auto rebuilt = [&](Value tensor, ArrayRef<AffineExpr> exprs, double scale) {
    return Access{tensor, simplifyAffineMap(AffineMap::get(access.map.getNumDims(), 0, exprs, context)), scale};
  };
  Operation *op = access.tensor.getDefiningOp();
  if (auto generic = dyn_cast_or_null<linalg::GenericOp>(op)) {
    auto scale = scaleOf(generic);
    if (!scale)
      return std::nullopt;
    AffineMap map = generic.getIndexingMapsArray()[0].compose(access.map);
    return Access{generic.getInputs()[0], simplifyAffineMap(map), access.scale * *scale};
  }
  if (auto transpose = dyn_cast_or_null<linalg::TransposeOp>(op)) {
    SmallVector<AffineExpr> exprs(access.map.getNumResults());
    for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
      exprs[from] = access.map.getResult(to);
    return rebuilt(transpose.getInput(), exprs, access.scale);
  }
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op)) {
    SmallVector<AffineExpr> exprs;
    for (auto [d, group] : llvm::enumerate(collapse.getReassociationIndices())) {
      AffineExpr rest = access.map.getResult(d);
      SmallVector<AffineExpr> parts;
      for (int64_t member : llvm::reverse(group)) {
        int64_t size = collapse.getSrcType().getDimSize(member);
        if (size == 1) {
          parts.push_back(getAffineConstantExpr(0, context));
        } else if (llvm::all_of(ArrayRef(group).take_front(member - group.front()),
                                [&](int64_t outer) { return collapse.getSrcType().getDimSize(outer) == 1; })) {
          parts.push_back(rest);
        } else if (!ShapedType::isDynamic(size)) {
          parts.push_back(rest % size);
          rest = rest.floorDiv(size);
        } else {
          return std::nullopt;
        }
      }
      exprs.append(parts.rbegin(), parts.rend());
    }
    return rebuilt(collapse.getSrc(), exprs, access.scale);
  }
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op)) {
    SmallVector<AffineExpr> exprs;
    SmallVector<ReassociationIndices, 4> groups = expand.getReassociationIndices();
    for (const ReassociationIndices &group : groups) {
      AffineExpr chosen = getAffineConstantExpr(0, context);
      unsigned wide = 0;
      for (int64_t member : group)
        if (expand.getType().getDimSize(member) != 1)
          chosen = access.map.getResult(member), ++wide;
      if (wide > 1)
        return std::nullopt;
      exprs.push_back(chosen);
    }
    return rebuilt(expand.getSrc(), exprs, access.scale);
  }
  return std::nullopt;
}

bool fovea::attention::isUsable(const Access &access, unsigned row) {
  llvm::SmallBitVector seen(5);
  for (auto [d, e] : llvm::enumerate(access.map.getResults())) {
    if (auto constant = dyn_cast<AffineConstantExpr>(e)) {
      if (constant.getValue() != 0 || cast<RankedTensorType>(access.tensor.getType()).getDimSize(d) != 1)
        return false;
      continue;
    }
    unsigned loop;
    if (auto dim = dyn_cast<AffineDimExpr>(e)) {
      loop = dim.getPosition();
    } else {
      auto binary = dyn_cast<AffineBinaryOpExpr>(e);
      if (!binary || e.getKind() != AffineExprKind::FloorDiv || binary.getLHS() != getAffineDimExpr(kH, e.getContext()))
        return false;
      loop = kH;
    }
    if (seen.test(loop) || (loop != kB && loop != kH && loop != row && loop != kD))
      return false;
    seen.set(loop);
  }
  return seen.test(row) && seen.test(kD);
}

int64_t fovea::attention::headsOf(const Access &access) {
  for (auto [d, e] : llvm::enumerate(access.map.getResults()))
    if (e.isFunctionOfDim(kH))
      return cast<RankedTensorType>(access.tensor.getType()).getDimSize(d);
  return 1;
}

std::optional<Access> fovea::attention::settle(Access access, unsigned row, bool scales) {
  std::optional<Access> best;
  if (isUsable(access, row))
    best = access;
  for (unsigned steps = 0; steps < 8; ++steps) {
    bool arithmetic = access.tensor.getDefiningOp<linalg::GenericOp>() != nullptr;
    auto next = stepBack(access);
    if (!next || (!scales && next->scale != 1))
      break;
    access = *next;
    if (arithmetic && isUsable(access, row))
      best = access;
  }
  return best;
}

Value fovea::attention::formOperand(OpBuilder &b, Location loc, const Access &access, unsigned row) {
  DimAnalysis dims;
  Value tensor = access.tensor;
  auto type = cast<RankedTensorType>(tensor.getType());
  auto loopOf = [&](AffineExpr e) -> int {
    if (isa<AffineConstantExpr>(e))
      return -1;
    if (auto dim = dyn_cast<AffineDimExpr>(e))
      return dim.getPosition();
    return kH;
  };
  SmallVector<int> order; // loops of the dims that stay
  SmallVector<ReassociationIndices> groups;
  SmallVector<int64_t> shape;
  bool dropsUnits = false;
  ReassociationIndices pending;
  for (auto [d, e] : llvm::enumerate(access.map.getResults())) {
    pending.push_back(d);
    if (loopOf(e) < 0) {
      dropsUnits = true;
      continue;
    }
    order.push_back(loopOf(e));
    shape.push_back(type.getDimSize(d));
    groups.push_back(pending);
    pending.clear();
  }
  if (!pending.empty())
    groups.back().append(pending);
  if (dropsUnits)
    tensor =
        tensor::CollapseShapeOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), tensor, groups);
  // Into the order b, h, row, d.
  SmallVector<int64_t> permutation;
  SmallVector<int> present;
  for (int loop : {int(kB), int(kH), int(row), int(kD)})
    if (auto it = llvm::find(order, loop); it != order.end()) {
      permutation.push_back(it - order.begin());
      present.push_back(loop);
    }
  if (!llvm::is_sorted(permutation)) {
    SmallVector<OpFoldResult> sizes;
    SmallVector<DimExpr> from = dims.shape(tensor);
    for (int64_t p : permutation)
      sizes.push_back(data::materializeOrConstant(b, loc, from[p]));
    Value empty = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
    tensor = linalg::TransposeOp::create(b, loc, tensor, empty, permutation)->getResult(0);
  }
  if (present.size() == 4)
    return tensor;
  // Add dims of size 1 for what is missing (b or h).
  SmallVector<ReassociationIndices> expanded;
  SmallVector<OpFoldResult> sizes;
  SmallVector<int64_t> fullShape;
  SmallVector<DimExpr> have = dims.shape(tensor);
  auto currentType = cast<RankedTensorType>(tensor.getType());
  unsigned next = 0;
  ReassociationIndices group;
  for (int loop : {int(kB), int(kH), int(row), int(kD)}) {
    group.push_back(fullShape.size());
    if (next < present.size() && present[next] == loop) {
      fullShape.push_back(currentType.getDimSize(next));
      sizes.push_back(data::materializeOrConstant(b, loc, have[next]));
      expanded.push_back(group);
      group.clear();
      ++next;
    } else {
      fullShape.push_back(1);
      sizes.push_back(b.getIndexAttr(1));
    }
  }
  return tensor::ExpandShapeOp::create(b, loc, RankedTensorType::get(fullShape, currentType.getElementType()), tensor,
                                       expanded, sizes);
}
