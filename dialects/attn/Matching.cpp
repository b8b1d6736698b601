// Verification and canonical form of the operations around bipartite matching.
#include "dialects/attn/Attn.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;
using fovea::attn::detail::fit;
using fovea::attn::detail::typeOf;

/// `batched` is an operand of three dims, the first one being B.
template <typename OpT> static LogicalResult verifyCounts(OpT op, Value batched, StringRef label) {
  Value counts = op.getCounts();
  if (counts && (!typeOf(counts).getElementType().isInteger(64) || !fit({{batched, "bxy"}, {counts, "b"}})))
    return op.emitOpError("expected counts to be a tensor of B i64, got ") << counts.getType() << " [" << label << "]";
  return success();
}

/// What predictions and targets have in common.
template <typename OpT> static LogicalResult verifyPredictions(OpT op, StringRef shapes, StringRef types) {
  Type element = typeOf(op.getLogits()).getElementType();
  if (!fit({{op.getLogits(), "bqk"}, {op.getBoxes(), "bq4"}, {op.getLabels(), "bt"}, {op.getTargets(), "bt4"}}))
    return op.emitOpError("expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got ")
           << op.getLogits().getType() << ", " << op.getBoxes().getType() << ", " << op.getLabels().getType() << " and "
           << op.getTargets().getType() << " [" << shapes << "]";
  if (!(element.isF32() || element.isF64()) || typeOf(op.getBoxes()).getElementType() != element ||
      typeOf(op.getTargets()).getElementType() != element || typeOf(op.getResult()).getElementType() != element ||
      !typeOf(op.getLabels()).getElementType().isInteger(64))
    return op.emitOpError("expected logits, boxes, targets and result to be all f32 or all f64 and labels i64, got ")
           << op.getLogits().getType() << ", " << op.getBoxes().getType() << ", " << op.getTargets().getType() << ", "
           << op.getResult().getType() << " and " << op.getLabels().getType() << " [" << types << "]";
  return success();
}

LogicalResult DetrCostOp::verify() {
  if (failed(verifyPredictions(*this, "detr_cost_c1", "detr_cost_c2")))
    return failure();
  if (getInit().getType() != getResult().getType() ||
      !fit({{getLogits(), "bqk"}, {getTargets(), "bt4"}, {getResult(), "bqt"}}))
    return emitOpError("expected init and result to be of one type B x Q x T, got ")
           << getInit().getType() << " and " << getResult().getType() << " [detr_cost_c3]";
  return verifyCounts(*this, getLogits(), "detr_cost_c4");
}

LogicalResult BipartiteMatchOp::verify() {
  RankedTensorType cost = typeOf(getCost());
  Type element = cost.getElementType();
  if (cost.getRank() != 3 ||
      !(element.isF32() || element.isF64() || element.isSignlessInteger(32) || element.isSignlessInteger(64)))
    return emitOpError("expected cost to be a tensor of B x R x C f32, f64, i32 or i64, got ")
           << cost << " [bipartite_match_c1]";
  if (!typeOf(getColumns()).getElementType().isInteger(64) || !typeOf(getStatus()).getElementType().isInteger(64) ||
      !fit({{getCost(), "brc"}, {getColumns(), "br"}, {getStatus(), "b"}}))
    return emitOpError("expected columns to be B x R i64 and status B i64, got ")
           << getColumns().getType() << " and " << getStatus().getType() << " [bipartite_match_c2]";
  if (getColumnsInit().getType() != getColumns().getType() || getStatusInit().getType() != getStatus().getType())
    return emitOpError("expected the inits to have the results' types ")
           << getColumns().getType() << " and " << getStatus().getType() << ", got " << getColumnsInit().getType()
           << " and " << getStatusInit().getType() << " [bipartite_match_c3]";
  return verifyCounts(*this, getCost(), "bipartite_match_c4");
}

LogicalResult SetLossOp::verify() {
  if (failed(verifyPredictions(*this, "set_loss_c1", "set_loss_c2")))
    return failure();
  if (getInit().getType() != getResult().getType() || !fit({{getResult(), "3"}}))
    return emitOpError("expected init and result to be of one type with 3 elements, got ")
           << getInit().getType() << " and " << getResult().getType() << " [set_loss_c3]";
  if (!typeOf(getColumns()).getElementType().isInteger(64) || !fit({{getLogits(), "bqk"}, {getColumns(), "bq"}}))
    return emitOpError("expected columns to be a tensor of B x Q i64, got ")
           << getColumns().getType() << " [set_loss_c4]";
  return verifyCounts(*this, getLogits(), "set_loss_c5");
}

namespace {
/// Counts that say that every target exists say nothing.
template <typename OpT> struct DropFullCounts : OpRewritePattern<OpT> {
  int64_t dim; ///< of the operand that has one entry a target
  Value (*operand)(OpT);
  DropFullCounts(MLIRContext *context, Value (*operand)(OpT), int64_t dim)
      : OpRewritePattern<OpT>(context), dim(dim), operand(operand) {}
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    DenseIntElementsAttr counts;
    int64_t all = typeOf(operand(op)).getDimSize(dim);
    if (!op.getCounts() || ShapedType::isDynamic(all) || !matchPattern(op.getCounts(), m_Constant(&counts)) ||
        llvm::any_of(counts.template getValues<int64_t>(), [&](int64_t n) { return n != all; }))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getCountsMutable().clear(); });
    return success();
  }
};
} // namespace

void DetrCostOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropFullCounts<DetrCostOp>>(context, +[](DetrCostOp op) -> Value { return op.getLabels(); }, 1);
}

void BipartiteMatchOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropFullCounts<BipartiteMatchOp>>(
      context, +[](BipartiteMatchOp op) -> Value { return op.getCost(); }, 2);
}

void SetLossOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropFullCounts<SetLossOp>>(context, +[](SetLossOp op) -> Value { return op.getLabels(); }, 1);
}
