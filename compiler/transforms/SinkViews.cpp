#include "compiler/transforms/SinkViews.h"
#include "compiler/transforms/Ops.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

SmallVector<OpFoldResult> fovea::sizesOf(OpBuilder &b, Location loc, Value tensor, DimAnalysis &dims) {
  SmallVector<OpFoldResult> sizes;
  for (const DimExpr &size : dims.shape(tensor))
    sizes.push_back(data::materializeOrConstant(b, loc, size));
  return sizes;
}

SmallVector<int64_t> fovea::inversePermutation(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result(permutation.size());
  for (auto [i, p] : llvm::enumerate(permutation))
    result[p] = i;
  return result;
}

Value fovea::transpose(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> permutation) {
  DimAnalysis dims;
  SmallVector<OpFoldResult> sizes, from = sizesOf(b, loc, value, dims);
  for (int64_t p : permutation)
    sizes.push_back(from[p]);
  Value empty = tensor::EmptyOp::create(b, loc, sizes, getElementTypeOrSelf(value.getType()));
  return linalg::TransposeOp::create(b, loc, value, empty, permutation)->getResult(0);
}

Value fovea::withType(OpBuilder &b, Location loc, Value value, Type type) {
  return value.getType() == type ? value : tensor::CastOp::create(b, loc, type, value).getResult();
}

/// A product with a matrix that is a weight.
static bool isProjection(linalg::GenericOp op) {
  return isContraction(op) && op.getNumReductionLoops() == 1 &&
         llvm::any_of(op.getDpsInputOperands(), [](OpOperand *operand) {
           return cast<RankedTensorType>(operand->get().getType()).getRank() == 2 && isConstantTensor(operand->get());
         });
}

namespace {
/// An elementwise operation or a product with a matrix, all of whose full-rank operands are permuted alike, works in
/// the order of its operands; its result is transposed instead.
struct SinkTransposeThroughLoops : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    bool contraction = isProjection(op);
    if (!(contraction || isPointwise(op)) || op.hasIndexSemantics())
      return failure();
    AffineMap result = op.getIndexingMapsArray().back();
    unsigned parallel = op.getNumParallelLoops();
    if (parallel < 2 ||
        result != AffineMap::getMultiDimIdentityMap(op.getNumLoops(), op.getContext()).getMajorSubMap(parallel))
      return failure();
    // The order in which the operands have the loops other than the last; the last one has to stay.
    std::optional<SmallVector<int64_t>> order;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      if (!map.isProjectedPermutation() || isConstantTensor(operand->get()))
        continue;
      SmallVector<int64_t> leading;
      for (AffineExpr e : map.getResults())
        if (int64_t d = cast<AffineDimExpr>(e).getPosition(); d < static_cast<int64_t>(parallel) - 1)
          leading.push_back(d);
      if (leading.size() + 1 < parallel)
        continue;
      // An elementwise operand has the last dim last too, a row of a product its reduction.
      if (cast<AffineDimExpr>(map.getResults().back()).getPosition() != (contraction ? parallel : parallel - 1))
        return failure();
      if (order && *order != leading)
        return failure();
      order = leading;
    }
    if (!order || llvm::is_sorted(*order))
      return failure();
    order->push_back(parallel - 1);
    // New loop n runs over old loop order[n].
    SmallVector<AffineExpr> replacement(op.getNumLoops());
    for (auto [n, old] : llvm::enumerate(*order))
      replacement[old] = rewriter.getAffineDimExpr(n);
    for (unsigned d = parallel; d < op.getNumLoops(); ++d)
      replacement[d] = rewriter.getAffineDimExpr(d);
    SmallVector<AffineMap> maps;
    for (AffineMap map : op.getIndexingMapsArray())
      maps.push_back(map.replaceDimsAndSymbols(replacement, {}, op.getNumLoops(), 0));
    maps.back() = result;
    DimAnalysis dims;
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> from = sizesOf(rewriter, loc, op.getResult(0), dims), sizes;
    for (int64_t old : *order)
      sizes.push_back(from[old]);
    Value init = tensor::EmptyOp::create(rewriter, loc, sizes, getElementTypeOrSelf(op.getResult(0).getType()));
    if (contraction) {
      auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
      init = linalg::FillOp::create(rewriter, loc, fill.getInputs()[0], init).getResult(0);
    }
    auto moved = linalg::GenericOp::create(rewriter, loc, init.getType(), op.getInputs(), init, maps,
                                           op.getIteratorTypesArray());
    rewriter.inlineRegionBefore(op.getRegion(), moved.getRegion(), moved.getRegion().begin());
    rewriter.replaceOp(op,
                       withType(rewriter, loc, transpose(rewriter, loc, moved.getResult(0), inversePermutation(*order)),
                                op.getResult(0).getType()));
    return success();
  }
};

/// norm(transpose(x)) -> transpose(norm(x)) for a normalisation of the last dim, which stays the last.
struct SinkTransposeThroughNorm : RewritePattern {
  explicit SinkTransposeThroughNorm(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isLastDimNorm(op))
      return failure();
    auto inner = op->getOperand(0).getDefiningOp<linalg::TransposeOp>();
    if (!inner || inner.getPermutation().back() != static_cast<int64_t>(inner.getPermutation().size()) - 1)
      return failure();
    DimAnalysis dims;
    IRMapping map;
    map.map(op->getOperand(0), inner.getInput());
    Value init = cast<DestinationStyleOpInterface>(op).getDpsInits()[0];
    map.map(init,
            tensor::EmptyOp::create(rewriter, op->getLoc(), sizesOf(rewriter, op->getLoc(), inner.getInput(), dims),
                                    getElementTypeOrSelf(init.getType()))
                .getResult());
    Operation *moved = rewriter.clone(*op, map);
    moved->getResult(0).setType(cast<RankedTensorType>(map.lookup(init).getType()));
    rewriter.replaceOp(op, withType(rewriter, op->getLoc(),
                                    transpose(rewriter, op->getLoc(), moved->getResult(0), inner.getPermutation()),
                                    op->getResult(0).getType()));
    return success();
  }
};

/// A product with a matrix, or an elementwise operation, of a tensor whose leading dims were merged, is done on the
/// unmerged tensor and its result merged.
struct SinkCollapseThroughLoops : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    bool contraction = isProjection(op);
    if (!(contraction || isPointwise(op)) || op.hasIndexSemantics())
      return failure();
    unsigned parallel = op.getNumParallelLoops();
    if (parallel == 0 ||
        op.getIndexingMapsArray().back() !=
            AffineMap::getMultiDimIdentityMap(op.getNumLoops(), op.getContext()).getMajorSubMap(parallel))
      return failure();
    // The first operand that is a collapse tells how loops are unmerged. Every other operand either does not depend on
    // them or is collapsed alike.
    tensor::CollapseShapeOp lead;
    SmallVector<SmallVector<DimExpr>> parts(op.getNumLoops()); // sizes of the loops that a loop becomes
    DimAnalysis dims;
    SmallVector<Value> sources;
    struct Partial {
      unsigned source;
      RankedTensorType type;
      SmallVector<ReassociationIndices> groups;
    };
    SmallVector<Partial> partial; // operands whose last dims stay merged
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      auto collapse = operand->get().getDefiningOp<tensor::CollapseShapeOp>();
      sources.push_back(operand->get());
      if (!collapse || isConstantTensor(operand->get()) || !map.isProjectedPermutation())
        continue;
      SmallVector<DimExpr> shape = dims.shape(collapse.getSrc());
      bool merges = false, keepsMerged = false;
      SmallVector<ReassociationIndices> inner;
      SmallVector<int64_t> innerShape;
      int64_t members = 0;
      SmallVector<SmallVector<DimExpr>> own(op.getNumLoops());
      for (auto [d, group] : llvm::enumerate(collapse.getReassociationIndices())) {
        unsigned loop = cast<AffineDimExpr>(map.getResult(d)).getPosition();
        // Merged reductions and last dims stay merged.
        if (group.size() > 1 && loop + 1 >= parallel) {
          own[loop].push_back(dims.get(collapse.getResult(), d));
          ReassociationIndices &kept = inner.emplace_back();
          for (size_t k = 0; k < group.size(); ++k)
            kept.push_back(members++);
          innerShape.push_back(collapse.getResult().getType().getDimSize(d));
          keepsMerged = true;
          continue;
        }
        for (int64_t member : group) {
          own[loop].push_back(shape[member]);
          inner.push_back({members++});
          innerShape.push_back(cast<RankedTensorType>(collapse.getSrc().getType()).getDimSize(member));
        }
        // Dims of size 1 that come and go are not worth following.
        merges |= llvm::count_if(group, [&](int64_t member) { return !shape[member].isConstant(1); }) > 1;
      }
      if (!merges)
        continue;
      if (!lead) {
        lead = collapse;
        parts = own;
      } else {
        for (auto [a, c] : llvm::zip(parts, own))
          if (!c.empty() && c != a && a.size() > 1)
            return failure();
      }
      sources.back() = collapse.getSrc();
      if (keepsMerged)
        partial.push_back({static_cast<unsigned>(sources.size() - 1),
                           RankedTensorType::get(innerShape, getElementTypeOrSelf(collapse.getType())), inner});
    }
    if (!lead)
      return failure();
    SmallVector<unsigned> first;
    unsigned count = 0;
    for (auto &part : parts) {
      first.push_back(count);
      count += std::max<size_t>(1, part.size());
    }
    auto width = [&](unsigned loop) { return std::max<unsigned>(1, parts[loop].size()); };
    SmallVector<AffineMap> maps;
    for (auto [operand, source] : llvm::zip(op.getDpsInputOperands(), sources)) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      bool unmerged = source != operand->get();
      SmallVector<AffineExpr> exprs;
      for (AffineExpr e : map.getResults()) {
        auto dim = dyn_cast<AffineDimExpr>(e);
        if (!dim) {
          if (!isa<AffineConstantExpr>(e))
            return failure();
          exprs.push_back(e);
          continue;
        }
        unsigned loop = dim.getPosition();
        // An operand with this loop that is not collapsed alike cannot follow.
        if (width(loop) > 1 && !unmerged)
          return failure();
        for (unsigned k = 0; k < width(loop); ++k)
          exprs.push_back(rewriter.getAffineDimExpr(first[loop] + k));
      }
      maps.push_back(AffineMap::get(count, 0, exprs, rewriter.getContext()));
    }
    for (Partial &p : partial)
      sources[p.source] = tensor::CollapseShapeOp::create(rewriter, op.getLoc(), p.type, sources[p.source], p.groups);
    unsigned newParallel = contraction ? count - 1 : count;
    maps.push_back(AffineMap::getMultiDimIdentityMap(count, rewriter.getContext()).getMajorSubMap(newParallel));
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> sizes;
    SmallVector<ReassociationIndices> groups;
    SmallVector<DimExpr> resultShape = dims.shape(op.getResult(0));
    for (unsigned loop = 0; loop < parallel; ++loop) {
      ReassociationIndices &group = groups.emplace_back();
      for (unsigned k = 0; k < width(loop); ++k) {
        group.push_back(sizes.size());
        sizes.push_back(
            data::materializeOrConstant(rewriter, loc, parts[loop].size() > 1 ? parts[loop][k] : resultShape[loop]));
      }
    }
    Value init = tensor::EmptyOp::create(rewriter, loc, sizes, getElementTypeOrSelf(op.getResult(0).getType()));
    if (contraction)
      init = linalg::FillOp::create(rewriter, loc, op.getDpsInits()[0].getDefiningOp<linalg::FillOp>().getInputs()[0],
                                    init)
                 .getResult(0);
    SmallVector<utils::IteratorType> iterators(count, utils::IteratorType::parallel);
    if (contraction)
      iterators.back() = utils::IteratorType::reduction;
    auto moved = linalg::GenericOp::create(rewriter, loc, init.getType(), sources, init, maps, iterators);
    rewriter.inlineRegionBefore(op.getRegion(), moved.getRegion(), moved.getRegion().begin());
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, type, moved.getResult(0), groups);
    return success();
  }
};
} // namespace

void fovea::addViewSinking(RewritePatternSet &patterns) {
  patterns.add<SinkTransposeThroughLoops, SinkTransposeThroughNorm, SinkCollapseThroughLoops>(patterns.getContext());
}
