// Dims of size 1 leave the operations: an elementwise operation, a product with a weight or a normalisation works on
// tensors without them.
//
// A batch of one, or what an exporter's reshapes added, then stands only in reshapes at the ends, and operations that
// belong together have the same loops.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/View.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;

/// Groups that merge each dim to be dropped with a neighbour; nothing if all dims are dropped.
static SmallVector<ReassociationIndices> groupsWithout(const llvm::SmallBitVector &dropped) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices pending;
  for (unsigned d = 0; d < dropped.size(); ++d) {
    pending.push_back(d);
    if (!dropped.test(d)) {
      groups.push_back(pending);
      pending.clear();
    }
  }
  if (!groups.empty())
    groups.back().append(pending);
  return groups;
}

/// The tensor without the dims, all of size 1.
static Value collapse(OpBuilder &b, Location loc, Value tensor, const llvm::SmallBitVector &dropped) {
  if (dropped.none())
    return tensor;
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (!dropped.test(d))
      shape.push_back(type.getDimSize(d));
  return tensor::CollapseShapeOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
                                         groupsWithout(dropped));
}

/// The inverse.
static Value expand(OpBuilder &b, Location loc, Value tensor, RankedTensorType type,
                    const llvm::SmallBitVector &dropped) {
  if (dropped.none())
    return tensor;
  DimAnalysis dims;
  SmallVector<OpFoldResult> sizes;
  unsigned next = 0;
  for (int64_t d = 0; d < type.getRank(); ++d)
    sizes.push_back(dropped.test(d) ? OpFoldResult(b.getIndexAttr(1))
                                    : data::materializeOrConstant(b, loc, dims.get(tensor, next++)));
  return tensor::ExpandShapeOp::create(b, loc, type, tensor, groupsWithout(dropped), sizes);
}

static Value emptyLike(OpBuilder &b, Location loc, Value like, RankedTensorType type,
                       const llvm::SmallBitVector &dropped) {
  DimAnalysis dims;
  SmallVector<OpFoldResult> sizes;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (!dropped.test(d))
      sizes.push_back(data::materializeOrConstant(b, loc, dims.get(like, d)));
  return tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
}

namespace {
struct DropUnitLoops : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    bool contraction = isContraction(op) && op.getNumReductionLoops() == 1;
    unsigned parallel = op.getNumParallelLoops(), loops = op.getNumLoops();
    if (!(contraction || isPointwise(op)) ||
        op.getIndexingMapsArray().back() !=
            AffineMap::getMultiDimIdentityMap(loops, op.getContext()).getMajorSubMap(parallel))
      return failure();
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    llvm::SmallBitVector dropped(parallel);
    // The rows and columns of a product stay, though there may be one; and so they do in what follows it.
    bool matrix =
        contraction || llvm::any_of(op.getDpsInputs(), [](Value v) { return isContraction(v.getDefiningOp()); });
    for (unsigned d = 0; d < parallel; ++d)
      if (type.getDimSize(d) == 1 && !(matrix && (d + 1 == parallel || parallel - dropped.count() <= 2)) &&
          parallel - dropped.count() > 1)
        dropped.set(d);
    if (dropped.none())
      return failure();
    Location loc = op.getLoc();
    SmallVector<AffineExpr> renumbered;
    unsigned kept = 0;
    for (unsigned d = 0; d < loops; ++d)
      renumbered.push_back(d < parallel && dropped.test(d) ? rewriter.getAffineConstantExpr(0)
                                                           : rewriter.getAffineDimExpr(kept++));
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand).replaceDimsAndSymbols(renumbered, {}, kept, 0);
      auto operandType = cast<RankedTensorType>(operand->get().getType());
      llvm::SmallBitVector gone(operandType.getRank());
      SmallVector<AffineExpr> exprs;
      for (auto [d, e] : llvm::enumerate(map.getResults())) {
        // One dim stays, so that reshapes have a group to put the others into.
        if (isa<AffineConstantExpr>(e) && operandType.getDimSize(d) == 1 &&
            static_cast<int64_t>(gone.count()) + 1 < operandType.getRank())
          gone.set(d);
        else
          exprs.push_back(e);
      }
      inputs.push_back(collapse(rewriter, loc, operand->get(), gone));
      maps.push_back(AffineMap::get(kept, 0, exprs, rewriter.getContext()));
    }
    SmallVector<AffineExpr> resultExprs;
    for (unsigned d = 0; d < (contraction ? kept - 1 : kept); ++d)
      resultExprs.push_back(rewriter.getAffineDimExpr(d));
    maps.push_back(AffineMap::get(kept, 0, resultExprs, rewriter.getContext()));
    Value init = emptyLike(rewriter, loc, op.getResult(0), type, dropped);
    if (contraction)
      init = linalg::FillOp::create(rewriter, loc, op.getDpsInits()[0].getDefiningOp<linalg::FillOp>().getInputs()[0],
                                    init)
                 .getResult(0);
    SmallVector<utils::IteratorType> iterators(kept, utils::IteratorType::parallel);
    if (contraction)
      iterators.back() = utils::IteratorType::reduction;
    auto smaller = linalg::GenericOp::create(rewriter, loc, init.getType(), inputs, init, maps, iterators);
    rewriter.inlineRegionBefore(op.getRegion(), smaller.getRegion(), smaller.getRegion().begin());
    for (auto index : llvm::make_early_inc_range(smaller.getBlock()->getOps<linalg::IndexOp>())) {
      rewriter.setInsertionPoint(index);
      if (auto dim = dyn_cast<AffineDimExpr>(renumbered[index.getDim()]))
        rewriter.replaceOpWithNewOp<linalg::IndexOp>(index, dim.getPosition());
      else
        rewriter.replaceOpWithNewOp<arith::ConstantIndexOp>(index, 0);
    }
    rewriter.setInsertionPointAfter(smaller);
    rewriter.replaceOp(op, expand(rewriter, loc, smaller.getResult(0), type, dropped));
    return success();
  }
};

struct DropUnitRows : RewritePattern {
  explicit DropUnitRows(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isLastDimNorm(op))
      return failure();
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    llvm::SmallBitVector dropped(type.getRank());
    for (int64_t d = 0; d + 1 < type.getRank(); ++d)
      if (type.getDimSize(d) == 1 && type.getRank() - static_cast<int64_t>(dropped.count()) > 2)
        dropped.set(d);
    if (dropped.none())
      return failure();
    Location loc = op->getLoc();
    IRMapping map;
    map.map(op->getOperand(0), collapse(rewriter, loc, op->getOperand(0), dropped));
    Value init = cast<DestinationStyleOpInterface>(op).getDpsInits()[0];
    map.map(init, emptyLike(rewriter, loc, op->getResult(0), type, dropped));
    Operation *smaller = rewriter.clone(*op, map);
    int64_t axis = type.getRank() - 1 - dropped.count();
    smaller->setAttr("axis", rewriter.getI64IntegerAttr(axis));
    smaller->getResult(0).setType(cast<RankedTensorType>(map.lookup(init).getType()));
    rewriter.replaceOp(op, expand(rewriter, loc, smaller->getResult(0), type, dropped));
    return success();
  }
};
} // namespace

void fovea::addUnitDimDropping(RewritePatternSet &patterns) {
  patterns.add<DropUnitLoops, DropUnitRows>(patterns.getContext());
}
