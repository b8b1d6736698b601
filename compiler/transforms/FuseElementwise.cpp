// Merges elementwise operations into those that read them.
//
// A producer that only one operation reads is always merged. One that several read is merged into each of them if it is
// cheap to compute again (few operations, nothing transcendental): masks, positions and scales then exist only inside
// their readers and are never stored. Transposes are taken into the maps of the operations that read through them, so
// that what is left of them is at the ends of views.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/View.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace fovea;

namespace fovea {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

/// What may be computed again in every reader.
static constexpr int64_t kCheapBody = 8;

/// Merging pays: one reader, or little work; and not through a map that would compute elements of the producer many
/// times over (a broadcast).
static bool worthMerging(OpOperand *operand, bool duplicate) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !isPointwise(producer) || consumer.getNumReductionLoops() != 0)
    return false;
  // A mere repetition (heads shared by groups) stays apart: what reads it can read the original.
  if (isa<BlockArgument>(consumer.getBlock()->getTerminator()->getOperand(0)))
    return false;
  int64_t cost = bodyCost(*producer.getBlock());
  bool broadcast = consumer.getMatchingIndexingMap(operand).getNumResults() < consumer.getNumLoops() ||
                   llvm::any_of(
                       consumer.getMatchingIndexingMap(operand).getResults(),
                       [](AffineExpr e) { return isa<AffineConstantExpr>(e); });
  llvm::SmallPtrSet<Operation *, 4> readers;
  for (Operation *user : producer.getResult(0).getUsers())
    if (!isa<tensor::DimOp>(user))
      readers.insert(user);
  // Work is repeated only where that spares the tensor: every reader must be able to do it.
  if (readers.size() > 1 && (!duplicate || !llvm::all_of(readers, isPointwise)))
    return false;
  return (readers.size() == 1 && !broadcast) || cost <= kCheapBody;
}

namespace {
/// A linalg operation that reads a transpose reads its source through a permuted map.
struct FoldTransposeOperand : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
    if (!generic)
      return failure();
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      auto transpose = operand->get().getDefiningOp<linalg::TransposeOp>();
      // A weight of a product keeps its transpose: it is packed in the order in which the product reads it.
      if (!transpose || (isContraction(generic) && isConstantTensor(operand->get())))
        continue;
      AffineMap map = generic.getMatchingIndexingMap(operand);
      SmallVector<AffineExpr> exprs(map.getNumResults());
      for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
        exprs[from] = map.getResult(to);
      SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
      maps[operand->getOperandNumber()] = AffineMap::get(map.getNumDims(), 0, exprs, rewriter.getContext());
      rewriter.modifyOpInPlace(generic, [&] {
        operand->set(transpose.getInput());
        generic.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
      });
      return success();
    }
    return failure();
  }
};

} // namespace

void fovea::addTransposeFolding(RewritePatternSet &patterns) {
  patterns.add<FoldTransposeOperand>(patterns.getContext());
}

namespace {
struct FuseElementwisePass : fovea::impl::FuseElementwiseBase<FuseElementwisePass> {
  using FuseElementwiseBase::FuseElementwiseBase;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    addTransposeFolding(patterns);
    addOperandFolding(patterns);
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [this](OpOperand *operand) { return worthMerging(operand, duplicate); });
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
