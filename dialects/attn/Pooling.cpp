// Verification and canonical form of attention that pools.
#include "dialects/attn/Attn.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;
using fovea::attn::detail::agree;
using fovea::attn::detail::fit;
using fovea::attn::detail::isReal;
using fovea::attn::detail::typeOf;

/// The result is like the source, and all given parameters are of its element type.
template <typename OpT> static LogicalResult verifyGate(OpT op, ValueRange parameters, StringRef label) {
  RankedTensorType type = typeOf(op.getResult());
  bool same = op.getInit().getType() == type && op.getSource().getType() == type && isReal(type.getElementType());
  for (Value parameter : parameters)
    same &= !parameter || typeOf(parameter).getElementType() == type.getElementType();
  if (!same)
    return op.emitOpError("expected source, init and result of one type and parameters of its elements, all f32 or all "
                          "f64, got ")
           << op->getOperandTypes() << " and " << type << " [" << label << "]";
  return success();
}

LogicalResult ChannelAttentionOp::verify() {
  if (failed(verifyGate(*this, {getSqueeze(), getExpand(), getSqueezeBias(), getExpandBias()}, "channel_attention_c1")))
    return failure();
  RankedTensorType type = typeOf(getSource());
  if (type.getRank() < 3)
    return emitOpError("expected source B x C x L..., got ") << type << " [channel_attention_c2]";
  auto column = [](Value bias, Value matrix) {
    return !bias || agree(typeOf(bias).getShape(), typeOf(matrix).getShape().drop_front());
  };
  if (!fit({{getSqueeze(), "cr"}, {getExpand(), "rc"}}) ||
      !agree(type.getDimSize(1), typeOf(getSqueeze()).getDimSize(0)) ||
      !agree(type.getDimSize(1), typeOf(getExpand()).getDimSize(1)) || !column(getSqueezeBias(), getSqueeze()) ||
      !column(getExpandBias(), getExpand()))
    return emitOpError("expected squeeze C x R, expand R x C and biases R and C, got ")
           << getOperands().drop_front().getTypes() << " [channel_attention_c3]";
  return success();
}

LogicalResult SpatialAttentionOp::verify() {
  if (failed(verifyGate(*this, {getFilter(), getBias()}, "spatial_attention_c1")))
    return failure();
  if (!fit({{getSource(), "bchw"}}))
    return emitOpError("expected source B x C x H x W, got ") << getSource().getType() << " [spatial_attention_c2]";
  RankedTensorType filter = typeOf(getFilter());
  if (!fit({{getFilter(), "2kk"}}) || !filter.hasStaticShape() || filter.getDimSize(1) % 2 == 0 ||
      (getBias() && !fit({{getBias(), "1"}})))
    return emitOpError("expected filter 2 x K x K, K static and odd, and a bias of one element, got ")
           << getOperands().drop_front().getTypes() << " [spatial_attention_c3]";
  return success();
}

//===-- Over time ===//

LogicalResult AttentionPoolOp::verify() {
  RankedTensorType type = typeOf(getResult());
  Type element = type.getElementType();
  auto same = [&](Value v) { return !v || typeOf(v).getElementType() == element; };
  if (getInit().getType() != type || !isReal(element) || !same(getSource()) || !same(getWeight()) ||
      !same(getQuery()) || !same(getBias()))
    return emitOpError("expected source, parameters, init and result to be all f32 or all f64, init and result of one "
                       "type, got ")
           << getOperandTypes() << " and " << type << " [attention_pool_c1]";
  if (!fit({{getSource(), "btd"}, {getWeight(), "da"}, {getQuery(), "a"}, {getResult(), "bd"}}) ||
      (getBias() && !fit({{getQuery(), "a"}, {getBias(), "a"}})))
    return emitOpError("expected source B x T x D, weight D x A, query A, bias A and result B x D, got ")
           << getOperandTypes() << " and " << type << " [attention_pool_c2]";
  if (Value lengths = getLengths();
      lengths && (!typeOf(lengths).getElementType().isInteger(64) || !fit({{getSource(), "btd"}, {lengths, "b"}})))
    return emitOpError("expected lengths to be a tensor of B i64, got ") << lengths.getType() << " [attention_pool_c3]";
  if (Value mask = getMask();
      mask && (!typeOf(mask).getElementType().isInteger(1) || !fit({{getSource(), "btd"}, {mask, "bt"}})))
    return emitOpError("expected mask to be a tensor of B x T i1, got ") << mask.getType() << " [attention_pool_c4]";
  return success();
}

namespace {
/// Lengths and a mask that say that everything is live say nothing.
struct DropFullMasks : OpRewritePattern<AttentionPoolOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionPoolOp op, PatternRewriter &rewriter) const override {
    DenseIntElementsAttr lengths, mask;
    int64_t all = typeOf(op.getSource()).getDimSize(1);
    bool full = op.getLengths() && !ShapedType::isDynamic(all) && matchPattern(op.getLengths(), m_Constant(&lengths)) &&
                llvm::all_of(lengths.getValues<int64_t>(), [&](int64_t n) { return n >= all; });
    bool live =
        op.getMask() && matchPattern(op.getMask(), m_Constant(&mask)) && mask.isSplat() && mask.getSplatValue<bool>();
    if (!full && !live)
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      if (full)
        op.getLengthsMutable().clear();
      if (live)
        op.getMaskMutable().clear();
    });
    return success();
  }
};
} // namespace

void AttentionPoolOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropFullMasks>(context);
}

//===-- Of pooled queries and keys ===//

/// The number of rows and of windows, or nothing if the windows do not fit the grid.
static std::optional<std::pair<int64_t, int64_t>> countWindows(ArrayRef<int64_t> grid, ArrayRef<int64_t> kernel,
                                                               ArrayRef<int64_t> stride) {
  if (grid.empty() || kernel.size() != grid.size() || stride.size() != grid.size())
    return std::nullopt;
  int64_t rows = 1, windows = 1;
  for (auto [g, k, s] : llvm::zip(grid, kernel, stride)) {
    if (k < 1 || s < 1 || g < k || g > (int64_t(1) << 40) / rows)
      return std::nullopt;
    rows *= g, windows *= (g - k) / s + 1;
  }
  return std::pair(rows, windows);
}

LogicalResult PooledAttentionOp::verify() {
  RankedTensorType type = typeOf(getResult());
  auto same = [&](Value v) { return typeOf(v).getElementType() == type.getElementType(); };
  if (getInit().getType() != type || !isReal(type.getElementType()) || !same(getQuery()) || !same(getKey()) ||
      !same(getValue()))
    return emitOpError("expected query, key, value, init and result to be all f32 or all f64, init and result of one "
                       "type, got ")
           << getOperandTypes() << " and " << type << " [pooled_attention_c1]";
  if (!fit({{getQuery(), "bhpd"}, {getKey(), "bhqd"}, {getValue(), "bhqe"}, {getResult(), "bhme"}}) ||
      llvm::any_of(ValueRange{getQuery(), getKey(), getValue(), getResult()},
                   [](Value v) { return typeOf(v).getDimSize(1) < 1; }))
    return emitOpError(
               "expected query B x H x P x D, key B x H x Q x D, value B x H x Q x E and result B x H x P' x E, "
               "H static and not 0, got ")
           << getOperandTypes() << " and " << type << " [pooled_attention_c2]";
  auto queries = countWindows(getQueryGrid(), getQueryKernel(), getQueryStride());
  auto keys = countWindows(getKeyGrid(), getKeyKernel(), getKeyStride());
  if (!queries || !keys)
    return emitOpError("expected one kernel and stride of at least 1 for each dim of a grid, no kernel larger than it "
                       "[pooled_attention_c3]");
  if (!agree(typeOf(getQuery()).getDimSize(2), queries->first) || !agree(typeOf(getKey()).getDimSize(2), keys->first) ||
      !agree(typeOf(getValue()).getDimSize(2), keys->first) || !agree(type.getDimSize(2), queries->second))
    return emitOpError("expected ") << queries->first << " queries, " << keys->first << " keys and values and "
                                    << queries->second << " results, got " << getOperandTypes() << " and " << type
                                    << " [pooled_attention_c4]";
  if (getResidual() && !fit({{getQuery(), "bhpe"}, {getResult(), "bhme"}}))
    return emitOpError("expected D and E to be equal with residual, got ")
           << getQuery().getType() << " and " << type << " [pooled_attention_c5]";
  return success();
}

namespace {
/// Windows of one point that start side by side are the points: without any others this is attention.
struct PooledToAttention : OpRewritePattern<PooledAttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PooledAttentionOp op, PatternRewriter &rewriter) const override {
    auto ones = [](ArrayRef<int64_t> values) { return llvm::all_of(values, [](int64_t v) { return v == 1; }); };
    if (op.getResidual() || !ones(op.getQueryKernel()) || !ones(op.getQueryStride()) || !ones(op.getKeyKernel()) ||
        !ones(op.getKeyStride()))
      return failure();
    rewriter.replaceOpWithNewOp<AttentionOp>(op, op.getQuery(), op.getKey(), op.getValue(), /*captures=*/ValueRange(),
                                             /*lengths=*/Value(), op.getInit(), op.getScale().convertToDouble(),
                                             ArrayRef<Attribute>());
    return success();
  }
};
} // namespace

void PooledAttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<PooledToAttention>(context);
}
