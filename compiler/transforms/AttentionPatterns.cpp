#include "compiler/transforms/AttentionPatterns.h"
#include "compiler/transforms/AttentionOperands.h"
#include "compiler/transforms/Ops.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::attention;

namespace {
/// Attention that a model names, of keys and values whose heads were repeated for it, reads the heads themselves.
struct ReadRepeatedHeadsOnce : OpRewritePattern<attn::AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(attn::AttentionOp op, PatternRewriter &rewriter) const override {
    MLIRContext *context = op.getContext();
    SmallVector<AffineExpr> exprs;
    for (unsigned loop : {kB, kH, kJ, kD})
      exprs.push_back(getAffineDimExpr(loop, context));
    int64_t heads = cast<RankedTensorType>(op.getKey().getType()).getDimSize(1);
    // As many heads of keys as of queries: then loop h is the head, and what it is divided by is the group.
    if (heads != cast<RankedTensorType>(op.getQuery().getType()).getDimSize(1))
      return failure();
    AffineMap map = AffineMap::get(5, 0, exprs, context);
    auto key = settle(Access{op.getKey(), map}, kJ, /*scales=*/false),
         value = settle(Access{op.getValue(), map}, kJ, /*scales=*/false);
    if (!key || !value || headsOf(*key) != headsOf(*value) || headsOf(*key) >= heads ||
        ShapedType::isDynamic(headsOf(*key)) || heads % headsOf(*key) != 0)
      return failure();
    Value k = formOperand(rewriter, op.getLoc(), *key, kJ), v = formOperand(rewriter, op.getLoc(), *value, kJ);
    rewriter.modifyOpInPlace(op, [&] {
      op.getKeyMutable().assign(k);
      op.getValueMutable().assign(v);
    });
    return success();
  }
};

/// A factor at the start of the score region becomes the scale.
struct ScaleIntoAttribute : OpRewritePattern<attn::AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(attn::AttentionOp op, PatternRewriter &rewriter) const override {
    if (op.getScore().empty())
      return failure();
    Block &body = op.getScore().front();
    Value score = body.getArgument(0);
    auto *terminator = body.getTerminator();
    if (terminator->getNumOperands() == 1 && terminator->getOperand(0) == score && op.getCaptures().empty() &&
        op.getWeight().empty()) {
      rewriter.modifyOpInPlace(op, [&] { rewriter.eraseBlock(&body); });
      return success();
    }
    if (!score.hasOneUse())
      return failure();
    Operation *user = *score.getUsers().begin();
    std::optional<double> factor;
    if (auto mul = dyn_cast<arith::MulFOp>(user))
      factor = floatConstant(mul.getLhs() == score ? mul.getRhs() : mul.getLhs());
    else if (auto div = dyn_cast<arith::DivFOp>(user); div && div.getLhs() == score && floatConstant(div.getRhs()))
      factor = 1.0 / *floatConstant(div.getRhs());
    if (!factor)
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.setScale(APFloat(op.getScale().convertToDouble() * *factor));
      rewriter.replaceOp(user, score);
    });
    return success();
  }
};
/// A capture with dims of size 1 added is read without them: a bias that a model unsqueezes for its heads or batch is
/// then one that decompose-attn can make arithmetic of the score region.
struct ReadCaptureWithoutUnits : OpRewritePattern<attn::AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(attn::AttentionOp op, PatternRewriter &rewriter) const override {
    for (auto [n, capture] : llvm::enumerate(op.getCaptures())) {
      auto expand = capture.getDefiningOp<tensor::ExpandShapeOp>();
      if (!expand)
        continue;
      AffineMap map = cast<AffineMapAttr>(op.getCaptureMaps()[n]).getValue();
      SmallVector<AffineExpr> exprs;
      bool addsUnits = true;
      for (const ReassociationIndices &group : expand.getReassociationIndices()) {
        AffineExpr chosen = rewriter.getAffineConstantExpr(0);
        unsigned wide = 0;
        for (int64_t member : group)
          if (expand.getResultType().getDimSize(member) != 1)
            chosen = map.getResult(member), ++wide;
        addsUnits &= wide <= 1;
        exprs.push_back(chosen);
      }
      if (!addsUnits)
        continue;
      SmallVector<Attribute> maps(op.getCaptureMaps().getValue());
      maps[n] = AffineMapAttr::get(AffineMap::get(4, 0, exprs, op.getContext()));
      rewriter.modifyOpInPlace(op, [&] {
        op.getCapturesMutable()[n].set(expand.getSrc());
        op.setCaptureMapsAttr(rewriter.getArrayAttr(maps));
      });
      return success();
    }
    return failure();
  }
};
} // namespace

void fovea::attention::populateSimplifications(RewritePatternSet &patterns) {
  patterns.add<ScaleIntoAttribute, ReadRepeatedHeadsOnce, ReadCaptureWithoutUnits>(patterns.getContext());
}
