// Recognises rotary embedding over halves of the last dim: x * cos + concat(-x2, x1) * sin (Su et al. 2021, eq. 34, as
// exporters write it).
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;

namespace fovea {
#define GEN_PASS_DEF_RAISEROTARY
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

/// The half of the last dim that a slice takes: 0 or 1, of `source`; -1 if it is none.
static int halfOf(Value value, Value &source) {
  auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice || slice.getType().getRank() != slice.getSourceType().getRank())
    return -1;
  int64_t last = slice.getSourceType().getRank() - 1, size = slice.getSourceType().getDimSize(last);
  if (ShapedType::isDynamic(size) || size % 2 != 0)
    return -1;
  DimAnalysis dims;
  for (int64_t d = 0; d <= last; ++d) {
    if (getConstantIntValue(slice.getMixedStrides()[d]) != 1)
      return -1;
    if (d < last && (getConstantIntValue(slice.getMixedOffsets()[d]) != 0 ||
                     dims.get(slice.getMixedSizes()[d]) != dims.get(slice.getSource(), d)))
      return -1;
  }
  auto offset = getConstantIntValue(slice.getMixedOffsets()[last]),
       length = getConstantIntValue(slice.getMixedSizes()[last]);
  if (length != size / 2 || (offset != 0 && offset != size / 2))
    return -1;
  source = slice.getSource();
  return *offset == 0 ? 0 : 1;
}

/// concat(-x2, x1) of some x.
static Value rotatedSource(Value value) {
  auto concat = value.getDefiningOp<tensor::ConcatOp>();
  if (!concat || concat.getInputs().size() != 2 ||
      static_cast<int64_t>(concat.getDim()) != concat.getResultType().getRank() - 1)
    return {};
  Value x1, x2;
  if (halfOf(concat.getInputs()[1], x1) != 0)
    return {};
  auto negated = concat.getInputs()[0].getDefiningOp<linalg::GenericOp>();
  if (!negated || !isPointwise(negated) || negated.getNumDpsInputs() != 1 ||
      !negated.getIndexingMapsArray()[0].isIdentity())
    return {};
  auto neg = negated.getBlock()->getTerminator()->getOperand(0).getDefiningOp<arith::NegFOp>();
  if (!neg || neg.getOperand() != negated.getBlock()->getArgument(0) || halfOf(negated.getInputs()[0], x2) != 1 ||
      x1 != x2)
    return {};
  return x1;
}

namespace {
struct RaiseHalves : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isPointwise(op))
      return failure();
    Block &body = *op.getBlock();
    auto operandOf = [&](Value v) -> OpOperand * {
      auto a = dyn_cast<BlockArgument>(v);
      return a && a.getOwner() == &body && a.getArgNumber() < op.getNumDpsInputs()
                 ? op.getDpsInputOperand(a.getArgNumber())
                 : nullptr;
    };
    for (auto add : body.getOps<arith::AddFOp>()) {
      auto left = add.getLhs().getDefiningOp<arith::MulFOp>(), right = add.getRhs().getDefiningOp<arith::MulFOp>();
      if (!left || !right)
        continue;
      for (auto [plain, rotated] : {std::pair(left, right), {right, left}})
        for (unsigned i : {0u, 1u})
          for (unsigned j : {0u, 1u}) {
            OpOperand *x = operandOf(plain->getOperand(i)), *cos = operandOf(plain->getOperand(1 - i));
            OpOperand *r = operandOf(rotated->getOperand(j)), *sin = operandOf(rotated->getOperand(1 - j));
            if (x && cos && r && sin && succeeded(raise(op, add, x, cos, r, sin, rewriter)))
              return success();
          }
    }
    return failure();
  }

  LogicalResult raise(linalg::GenericOp op, arith::AddFOp add, OpOperand *x, OpOperand *cos, OpOperand *r,
                      OpOperand *sin, PatternRewriter &rewriter) const {
    AffineMap xMap = op.getMatchingIndexingMap(x), rMap = op.getMatchingIndexingMap(r),
              cosMap = op.getMatchingIndexingMap(cos);
    Value base = rotatedSource(r->get());
    if (!base || !rMap.isPermutation() || !xMap.isPermutation())
      return failure();
    // The operand and the source of its halves: one tensor, or one a transpose of the other.
    SmallVector<AffineExpr> through(rMap.getResults());
    if (base == x->get()) {
      if (rMap != xMap)
        return failure();
    } else {
      auto transpose = base.getDefiningOp<linalg::TransposeOp>();
      if (!transpose || transpose.getInput() != x->get())
        return failure();
      for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
        if (xMap.getResult(from) != rMap.getResult(to))
          return failure();
    }
    unsigned rank = xMap.getNumResults();
    AffineExpr lastLoop = rewriter.getAffineDimExpr(rank - 1);
    auto table = cast<RankedTensorType>(cos->get().getType());
    if (xMap.getResults().back() != lastLoop || cos->get().getType() != sin->get().getType() ||
        cosMap != op.getMatchingIndexingMap(sin) || table.getRank() == 0 || cosMap.getResults().back() != lastLoop)
      return failure();
    // The tables in terms of the leading dims of x as it lies.
    SmallVector<AffineExpr> loopToDim(rank);
    for (auto [d, e] : llvm::enumerate(xMap.getResults()))
      loopToDim[cast<AffineDimExpr>(e).getPosition()] = rewriter.getAffineDimExpr(d);
    SmallVector<AffineExpr> tableExprs;
    for (AffineExpr e : cosMap.getResults().drop_back())
      tableExprs.push_back(e.replaceDims(loopToDim));
    DimAnalysis dims;
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(x->get().getType());
    SmallVector<OpFoldResult> sizes;
    for (const auto &size : dims.shape(x->get()))
      sizes.push_back(data::materializeOrConstant(rewriter, loc, size));
    Value init = tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
    Value rotary = attn::RotaryEmbeddingOp::create(
                       rewriter, loc, type, x->get(), cos->get(), sin->get(), init,
                       AffineMapAttr::get(AffineMap::get(rank - 1, 0, tableExprs, rewriter.getContext())),
                       attn::RotaryFormAttr::get(rewriter.getContext(), attn::RotaryForm::half), IntegerAttr())
                       .getResult();
    SmallVector<int64_t> permutation(rank);
    for (auto [d, e] : llvm::enumerate(xMap.getResults()))
      permutation[cast<AffineDimExpr>(e).getPosition()] = d;
    if (!llvm::is_sorted(permutation)) {
      SmallVector<OpFoldResult> moved;
      for (int64_t p : permutation)
        moved.push_back(sizes[p]);
      Value empty = tensor::EmptyOp::create(rewriter, loc, moved, type.getElementType());
      rotary = linalg::TransposeOp::create(rewriter, loc, rotary, empty, permutation)->getResult(0);
    }
    // The sum becomes an operand that is the rotated tensor.
    replaceByInput(rewriter, op, add, rotary, rewriter.getMultiDimIdentityMap(rank));
    return success();
  }
};

struct RaiseRotaryPass : fovea::impl::RaiseRotaryBase<RaiseRotaryPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseHalves>(&getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
