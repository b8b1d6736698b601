#include "compiler/transforms/AttentionPatterns.h"
#include "compiler/transforms/AttentionOperands.h"
#include "compiler/transforms/Ops.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

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
} // namespace

void fovea::attention::populateSimplifications(RewritePatternSet &patterns) {
  patterns.add<ScaleIntoAttribute, ReadRepeatedHeadsOnce>(patterns.getContext());
}
