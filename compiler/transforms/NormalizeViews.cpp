// Brings reshapes and transposes to one form, so that the passes behind need not know how an exporter wrote them.
//
// Reshapes of leading dims and transposes that leave the last dim in place sink: a matrix product with a weight, an
// elementwise operation or a normalisation of a reshaped tensor becomes the reshaped result of the operation on the
// tensor itself. What an exporter put around a block (flatten and restore, sequence first and back) then meets its
// inverse and goes. A transpose of several dims under a collapse is split into the part that the collapse needs and a
// permutation of what is left, which sinks on.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/SinkViews.h"
#include "compiler/transforms/View.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

namespace fovea {
#define GEN_PASS_DEF_NORMALIZEVIEWS
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

namespace {
/// expand(collapse(x)) and collapse(expand(x)) of the same shape are x.
template <typename OuterOp, typename InnerOp> struct CancelReshapes : OpRewritePattern<OuterOp> {
  using OpRewritePattern<OuterOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(OuterOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getSrc().template getDefiningOp<InnerOp>();
    if (!inner)
      return failure();
    DimAnalysis dims;
    if (dims.shape(inner.getSrc()) != dims.shape(op.getResult()))
      return failure();
    rewriter.replaceOp(op, withType(rewriter, op.getLoc(), inner.getSrc(), op.getType()));
    return success();
  }
};

/// transpose(collapse(x)) -> collapse(transpose(x)): the members of a group stay together. Only where the last dim
/// moves: a transpose of the others is where SplitTransposeUnderCollapse puts it.
struct SinkCollapseThroughTranspose : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto collapse = op.getInput().getDefiningOp<tensor::CollapseShapeOp>();
    if (!collapse || isConstantTensor(op.getInput()) ||
        op.getPermutation().back() == static_cast<int64_t>(op.getPermutation().size()) - 1)
      return failure();
    SmallVector<ReassociationIndices> groups = collapse.getReassociationIndices(), moved;
    SmallVector<int64_t> permutation;
    for (int64_t d : op.getPermutation()) {
      ReassociationIndices &group = moved.emplace_back();
      for (int64_t member : groups[d]) {
        group.push_back(permutation.size());
        permutation.push_back(member);
      }
    }
    Value transposed = transpose(rewriter, op.getLoc(), collapse.getSrc(), permutation);
    rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, cast<RankedTensorType>(op->getResult(0).getType()),
                                                         transposed, moved);
    return success();
  }
};

/// expand(transpose(x)) -> transpose(expand(x)).
struct SinkTransposeThroughExpand : OpRewritePattern<tensor::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExpandShapeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getSrc().getDefiningOp<linalg::TransposeOp>();
    if (!inner || isConstantTensor(op.getSrc()))
      return failure();
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(), movedSizes;
    SmallVector<int64_t> place(inner.getPermutation().size()); // of a source dim among the transposed
    for (auto [to, from] : llvm::enumerate(inner.getPermutation()))
      place[from] = to;
    SmallVector<ReassociationIndices> moved;
    SmallVector<int64_t> newIndex(sizes.size()), shape;
    for (int64_t from = 0, e = place.size(); from < e; ++from) {
      ReassociationIndices &group = moved.emplace_back();
      for (int64_t member : groups[place[from]]) {
        newIndex[member] = movedSizes.size();
        group.push_back(movedSizes.size());
        movedSizes.push_back(sizes[member]);
        shape.push_back(op.getType().getDimSize(member));
      }
    }
    auto type = RankedTensorType::get(shape, op.getType().getElementType());
    Value expanded = tensor::ExpandShapeOp::create(rewriter, op.getLoc(), type, inner.getInput(), moved, movedSizes);
    rewriter.replaceOp(
        op, withType(rewriter, op.getLoc(), transpose(rewriter, op.getLoc(), expanded, newIndex), op.getType()));
    return success();
  }
};

/// expand(collapse(x)) that only regroups: each dim of x is split by itself or merged with its neighbours, not both.
/// Less is merged in between then.
struct RegroupReshape : OpRewritePattern<tensor::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExpandShapeOp op, PatternRewriter &rewriter) const override {
    auto collapse = op.getSrc().getDefiningOp<tensor::CollapseShapeOp>();
    if (!collapse || isConstantTensor(op.getSrc()))
      return failure();
    DimAnalysis dims;
    SmallVector<DimExpr> from = dims.shape(collapse.getSrc()), to = dims.shape(op.getResult());
    // Groups of dims with the same product, as small as possible.
    SmallVector<std::pair<ReassociationIndices, ReassociationIndices>> groups;
    size_t i = 0, j = 0;
    while (i < from.size() || j < to.size()) {
      auto &[sources, targets] = groups.emplace_back();
      DimExpr a(1), b(1);
      auto takeSource = [&] { a = a * from[i], sources.push_back(i++); };
      auto takeTarget = [&] { b = b * to[j], targets.push_back(j++); };
      if (i < from.size())
        takeSource();
      if (j < to.size())
        takeTarget();
      while (a != b) {
        bool sourceNext = i < from.size() && b.dividedBy(a).has_value();
        if (!sourceNext && (j >= to.size() || !a.dividedBy(b)))
          return failure();
        if (sourceNext)
          takeSource();
        else
          takeTarget();
      }
      // Dims of size 1 that stand alone on one side belong to their neighbour.
      while (i < from.size() && from[i].isConstant(1) && !(j < to.size() && to[j].isConstant(1)))
        takeSource();
      while (j < to.size() && to[j].isConstant(1) && !(i < from.size() && from[i].isConstant(1)))
        takeTarget();
    }
    SmallVector<ReassociationIndices> collapsed, expanded;
    SmallVector<int64_t> middle;
    for (auto &[sources, targets] : groups) {
      if (sources.empty() || targets.empty())
        return failure();
      auto isWide = [](const DimExpr &size) { return !size.isConstant(1); };
      int64_t wide = llvm::count_if(sources, [&](int64_t d) { return isWide(from[d]); });
      if (wide > 1 && llvm::count_if(targets, [&](int64_t d) { return isWide(to[d]); }) > 1)
        return failure();
      int64_t size = 1;
      for (int64_t d : sources)
        if (isWide(from[d]))
          size = cast<RankedTensorType>(collapse.getSrc().getType()).getDimSize(d);
      if (wide > 1)
        for (int64_t d : targets)
          if (isWide(to[d]))
            size = op.getType().getDimSize(d);
      middle.push_back(size);
      collapsed.push_back(sources);
      expanded.push_back(targets);
    }
    if (middle.size() <= static_cast<size_t>(collapse.getResultType().getRank()) && middle.size() != to.size())
      return failure();
    Location loc = op.getLoc();
    auto middleType = RankedTensorType::get(middle, op.getType().getElementType());
    Value value = collapse.getSrc();
    if (middle.size() != from.size())
      value = tensor::CollapseShapeOp::create(rewriter, loc, middleType, value, collapsed);
    if (middle.size() != to.size())
      value = tensor::ExpandShapeOp::create(rewriter, loc, cast<RankedTensorType>(op.getType()), value, expanded,
                                            op.getMixedOutputShape());
    rewriter.replaceOp(op, withType(rewriter, loc, value, op.getType()));
    return success();
  }
};

/// collapse(transpose(x)): the groups before the last are brought into the order of x; what that leaves to permute
/// comes behind the collapse.
struct SplitTransposeUnderCollapse : OpRewritePattern<tensor::CollapseShapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::CollapseShapeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getSrc().getDefiningOp<linalg::TransposeOp>();
    if (!inner || isConstantTensor(op.getSrc()))
      return failure();
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    ArrayRef<int64_t> permutation = inner.getPermutation();
    SmallVector<int64_t> order(groups.size());
    std::iota(order.begin(), order.end(), 0);
    // Groups that the source has in one piece, in its order; the last group stays last.
    llvm::stable_sort(MutableArrayRef(order).drop_back(), [&](int64_t a, int64_t b) {
      return permutation[groups[a].front()] < permutation[groups[b].front()];
    });
    if (llvm::is_sorted(order))
      return failure();
    SmallVector<int64_t> first;
    SmallVector<ReassociationIndices> moved;
    SmallVector<int64_t> shape;
    for (int64_t g : order) {
      ReassociationIndices &group = moved.emplace_back();
      for (int64_t member : groups[g]) {
        group.push_back(first.size());
        first.push_back(permutation[member]);
      }
      shape.push_back(op.getType().getDimSize(g));
    }
    Value transposed = transpose(rewriter, op.getLoc(), inner.getInput(), first);
    Value collapsed = tensor::CollapseShapeOp::create(
        rewriter, op.getLoc(), RankedTensorType::get(shape, op.getType().getElementType()), transposed, moved);
    rewriter.replaceOp(op,
                       withType(rewriter, op.getLoc(),
                                transpose(rewriter, op.getLoc(), collapsed, inversePermutation(order)), op.getType()));
    return success();
  }
};

/// A weight of a product is read with its reduction first: K x N.
struct TransposeWeight : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isContraction(op) || op.getNumReductionLoops() != 1)
      return failure();
    unsigned reduction = op.getNumLoops() - 1;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      auto type = cast<RankedTensorType>(operand->get().getType());
      if (!isConstantTensor(operand->get()) || type.getRank() != 2 || !map.isProjectedPermutation() ||
          map.getDimPosition(1) != reduction)
        continue;
      Value transposed = transpose(rewriter, op.getLoc(), operand->get(), {1, 0});
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      maps[operand->getOperandNumber()] =
          AffineMap::get(map.getNumDims(), 0, {map.getResult(1), map.getResult(0)}, rewriter.getContext());
      rewriter.modifyOpInPlace(op, [&] {
        operand->set(transposed);
        op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
      });
      return success();
    }
    return failure();
  }
};

struct NormalizeViewsPass : fovea::impl::NormalizeViewsBase<NormalizeViewsPass> {
  using NormalizeViewsBase::NormalizeViewsBase;
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns
        .add<CancelReshapes<tensor::ExpandShapeOp, tensor::CollapseShapeOp>,
             CancelReshapes<tensor::CollapseShapeOp, tensor::ExpandShapeOp>, RegroupReshape,
             SinkCollapseThroughTranspose, SinkTransposeThroughExpand, SplitTransposeUnderCollapse, TransposeWeight>(
            context);
    addViewSinking(patterns);
    linalg::TransposeOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CastOp::getCanonicalizationPatterns(patterns, context);
    tensor::DimOp::getCanonicalizationPatterns(patterns, context);
    addTransposeFolding(patterns);
    if (dropUnits)
      addUnitDimDropping(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
