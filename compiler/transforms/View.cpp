#include "compiler/transforms/View.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

bool fovea::isView(Operation *op) {
  return isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, tensor::CastOp,
                         linalg::TransposeOp>(op);
}

/// Strides of a row-major tensor; 0 where the size is 1.
static SmallVector<DimExpr> rowMajor(ArrayRef<DimExpr> shape) {
  SmallVector<DimExpr> strides(shape.size(), DimExpr(0));
  DimExpr stride(1);
  for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0; --d) {
    if (!shape[d].isConstant(1))
      strides[d] = stride;
    stride = stride * shape[d];
  }
  return strides;
}

/// Strides of the dims into which a dim of stride `stride` is split.
static void split(DimExpr stride, ArrayRef<DimExpr> shape, MutableArrayRef<DimExpr> strides) {
  for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0; --d) {
    strides[d] = shape[d].isConstant(1) ? DimExpr(0) : stride;
    stride = stride * shape[d];
  }
}

/// The stride of the dim that merges dims of these sizes and strides; fails if they do not lie one after the other.
static FailureOr<DimExpr> merge(ArrayRef<DimExpr> shape, ArrayRef<DimExpr> strides) {
  std::optional<DimExpr> inner;
  DimExpr next(0);
  for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0; --d) {
    if (shape[d].isConstant(1))
      continue;
    if (!inner)
      inner = strides[d];
    else if (strides[d] != next)
      return failure();
    next = strides[d] * shape[d];
  }
  return inner.value_or(DimExpr(0));
}

FailureOr<View> fovea::viewOfSource(Value tensor, DimAnalysis &dims) {
  Operation *op = tensor.getDefiningOp();
  if (!isView(op))
    return View{tensor, DimExpr(0), rowMajor(dims.shape(tensor))};
  FailureOr<View> from = viewOfSource(op->getOperand(0), dims);
  if (failed(from) || isa<tensor::CastOp>(op))
    return from;
  View view{from->base, from->offset, {}};
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  view.strides.assign(rank, DimExpr(0));
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    for (auto [to, d] : llvm::enumerate(transpose.getPermutation()))
      view.strides[to] = from->strides[d];
    return view;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    SmallVector<DimExpr> shape = dims.shape(tensor);
    for (auto [d, group] : llvm::enumerate(expand.getReassociationIndices()))
      split(from->strides[d], ArrayRef(shape).slice(group.front(), group.size()),
            MutableArrayRef(view.strides).slice(group.front(), group.size()));
    return view;
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    SmallVector<DimExpr> shape = dims.shape(collapse.getSrc());
    for (auto [d, group] : llvm::enumerate(collapse.getReassociationIndices())) {
      auto stride = merge(ArrayRef(shape).slice(group.front(), group.size()),
                          ArrayRef(from->strides).slice(group.front(), group.size()));
      if (failed(stride))
        return failure();
      view.strides[d] = *stride;
    }
    return view;
  }
  auto slice = cast<tensor::ExtractSliceOp>(op);
  auto dropped = slice.getDroppedDims();
  SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(), steps = slice.getMixedStrides();
  int64_t kept = 0;
  for (int64_t d = 0, e = offsets.size(); d < e; ++d) {
    view.offset = view.offset + dims.get(offsets[d]) * from->strides[d];
    if (!dropped.test(d))
      view.strides[kept++] = dims.get(steps[d]) * from->strides[d];
  }
  return view;
}

FailureOr<Destination> fovea::viewOfDestination(Value tensor, DimAnalysis &dims) {
  if (!tensor.hasOneUse())
    return failure();
  OpOperand &use = *tensor.getUses().begin();
  Operation *op = use.getOwner();
  if (op->hasTrait<OpTrait::IsTerminator>())
    return Destination{View{{}, DimExpr(0), rowMajor(dims.shape(tensor))}, &use};
  if (isa<tensor::CastOp>(op))
    return viewOfDestination(op->getResult(0), dims);
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    if (use.getOperandNumber() != 0)
      return failure();
    FailureOr<Destination> to = viewOfDestination(op->getResult(0), dims);
    if (failed(to))
      return failure();
    SmallVector<OpFoldResult> offsets = insert.getMixedOffsets(), steps = insert.getMixedStrides();
    auto dropped = insert.getDroppedDims();
    SmallVector<DimExpr> strides;
    for (int64_t d = 0, e = offsets.size(); d < e; ++d) {
      to->view.offset = to->view.offset + dims.get(offsets[d]) * to->view.strides[d];
      if (!dropped.test(d))
        strides.push_back(dims.get(steps[d]) * to->view.strides[d]);
    }
    to->view.strides = strides;
    return to;
  }
  if (!isa<linalg::TransposeOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) || use.getOperandNumber() != 0)
    return failure();
  FailureOr<Destination> to = viewOfDestination(op->getResult(0), dims);
  if (failed(to))
    return failure();
  SmallVector<DimExpr> strides(rank, DimExpr(0));
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    for (auto [out, d] : llvm::enumerate(transpose.getPermutation()))
      strides[d] = to->view.strides[out];
  } else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    SmallVector<DimExpr> shape = dims.shape(tensor);
    for (auto [d, group] : llvm::enumerate(collapse.getReassociationIndices()))
      split(to->view.strides[d], ArrayRef(shape).slice(group.front(), group.size()),
            MutableArrayRef(strides).slice(group.front(), group.size()));
  } else {
    auto expand = cast<tensor::ExpandShapeOp>(op);
    SmallVector<DimExpr> shape = dims.shape(expand.getResult());
    for (auto [d, group] : llvm::enumerate(expand.getReassociationIndices())) {
      auto stride = merge(ArrayRef(shape).slice(group.front(), group.size()),
                          ArrayRef(to->view.strides).slice(group.front(), group.size()));
      if (failed(stride))
        return failure();
      strides[d] = *stride;
    }
  }
  to->view.strides = strides;
  return to;
}
