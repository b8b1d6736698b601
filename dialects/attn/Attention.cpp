// Verification and canonical form of attn.attention. Each message carries the label of the constraint in SPEC.md.
#include "dialects/attn/Attn.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

int64_t AttentionOp::getGroupSize() {
  auto q = cast<RankedTensorType>(getQuery().getType()), k = cast<RankedTensorType>(getKey().getType());
  return k.getDimSize(1) == 0 ? 1 : q.getDimSize(1) / k.getDimSize(1);
}

Type AttentionOp::getScoreType() {
  Type element = cast<RankedTensorType>(getQuery().getType()).getElementType();
  return element.isF64() ? element : Float32Type::get(getContext());
}

static bool fits(int64_t a, int64_t b) { return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b); }

static LogicalResult verifyRegion(AttentionOp op, Region &region, StringRef name, TypeRange expected, Type result) {
  if (region.empty())
    return success();
  if (!llvm::hasSingleElement(region))
    return op.emitOpError("expected one block in the ") << name << " region [attention_c7]";
  Block &block = region.front();
  if (block.getArgumentTypes() != expected)
    return op.emitOpError("expected the ") << name << " region to have arguments (" << expected << "), got ("
                                           << block.getArgumentTypes() << ") [attention_c7]";
  auto yield = block.mightHaveTerminator() ? dyn_cast<YieldOp>(block.getTerminator()) : YieldOp();
  if (!yield || yield.getNumOperands() != 1 || yield.getOperand(0).getType() != result)
    return op.emitOpError("expected the ") << name << " region to yield one " << result << " [attention_c7]";
  return success();
}

LogicalResult AttentionOp::verify() {
  auto q = cast<RankedTensorType>(getQuery().getType()), k = cast<RankedTensorType>(getKey().getType()),
       v = cast<RankedTensorType>(getValue().getType()), o = cast<RankedTensorType>(getResult().getType());
  for (auto [type, name] : {std::pair(q, "query"), {k, "key"}, {v, "value"}, {o, "result"}})
    if (type.getRank() != 4)
      return emitOpError("expected ") << name << " to have 4 dims, got " << type << " [attention_c1]";
  Type element = q.getElementType();
  if (!isa<FloatType>(element) || k.getElementType() != element || v.getElementType() != element ||
      o.getElementType() != element)
    return emitOpError("expected query, key, value and result to have one float type, got ")
           << q << ", " << k << ", " << v << " and " << o << " [attention_c2]";
  if (getInit().getType() != o)
    return emitOpError("expected the init to have the result's type ")
           << o << ", got " << getInit().getType() << " [attention_c3]";
  if (!fits(q.getDimSize(0), k.getDimSize(0)) || !fits(k.getDimSize(0), v.getDimSize(0)) ||
      !fits(q.getDimSize(0), o.getDimSize(0)))
    return emitOpError("expected one batch size, got ")
           << q << ", " << k << ", " << v << " and " << o << " [attention_c4]";
  if (q.isDynamicDim(1) || k.isDynamicDim(1) || k.getDimSize(1) != v.getDimSize(1) ||
      q.getDimSize(1) != o.getDimSize(1) || k.getDimSize(1) == 0 || q.getDimSize(1) % k.getDimSize(1) != 0)
    return emitOpError("expected static heads, the query's a multiple of the key's and value's, got ")
           << q << ", " << k << ", " << v << " and " << o << " [attention_c5]";
  if (!fits(q.getDimSize(3), k.getDimSize(3)) || !fits(k.getDimSize(2), v.getDimSize(2)) ||
      !fits(q.getDimSize(2), o.getDimSize(2)) || !fits(v.getDimSize(3), o.getDimSize(3)))
    return emitOpError(
               "expected query B x H x M x D, key B x G x N x D, value B x G x N x E, result B x H x M x E, got ")
           << q << ", " << k << ", " << v << " and " << o << " [attention_c6]";
  if (getWindow().size() != 2 || getWindow()[0] < -1 || getWindow()[1] < -1)
    return emitOpError("expected window to be [left, right], each at least -1 [attention_c8]");
  if (auto lengths = getLengths()) {
    auto type = cast<RankedTensorType>(lengths.getType());
    if (type.getRank() != 1 || !type.getElementType().isInteger(64) || !fits(type.getDimSize(0), q.getDimSize(0)))
      return emitOpError("expected lengths to be a tensor of B i64, got ") << type << " [attention_c9]";
  }
  if (getCaptureMaps().size() != getCaptures().size())
    return emitOpError("expected one map for each capture, got ")
           << getCaptureMaps().size() << " for " << getCaptures().size() << " [attention_c10]";
  SmallVector<Type> scoreArguments{getScoreType()};
  scoreArguments.append(4, IndexType::get(getContext()));
  for (auto [attr, capture] : llvm::zip(getCaptureMaps(), getCaptures())) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    auto type = cast<RankedTensorType>(capture.getType());
    if (map.getNumDims() != 4 || map.getNumSymbols() != 0 || map.getNumResults() != type.getRank())
      return emitOpError("expected a map of (b, h, i, j) to the dims of ")
             << type << ", got " << attr << " [attention_c10]";
    scoreArguments.push_back(type.getElementType());
  }
  if (failed(verifyRegion(*this, getCombine(), "combine", {element, element}, getScoreType())) ||
      failed(verifyRegion(*this, getScore(), "score", scoreArguments, getScoreType())) ||
      failed(verifyRegion(*this, getWeight(), "weight", scoreArguments, getScoreType())))
    return failure();
  return success();
}

namespace {
/// A score or weight region that yields the value it got says nothing.
struct DropIdentityRegion : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    for (Region *region : {&op.getScore(), &op.getWeight()})
      if (!region->empty() && region->front().getTerminator()->getOperand(0) == region->front().getArgument(0)) {
        rewriter.modifyOpInPlace(op, [&] { rewriter.eraseBlock(&region->front()); });
        return success();
      }
    return failure();
  }
};

/// Captures that neither region reads, and a capture that is captured twice through the same map.
struct DropCaptures : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    constexpr unsigned first = 5; // behind the value, b, h, i and j
    SmallVector<Region *> regions;
    for (Region *region : {&op.getScore(), &op.getWeight()})
      if (!region->empty())
        regions.push_back(region);
    for (unsigned n = 0, count = op.getCaptures().size(); n < count; ++n) {
      bool used = llvm::any_of(regions, [&](Region *r) { return !r->getArgument(first + n).use_empty(); });
      unsigned same = 0;
      while (same < n &&
             (op.getCaptures()[same] != op.getCaptures()[n] || op.getCaptureMaps()[same] != op.getCaptureMaps()[n]))
        ++same;
      if (used && same == n)
        continue;
      rewriter.modifyOpInPlace(op, [&] {
        SmallVector<Attribute> maps(op.getCaptureMaps().getValue());
        maps.erase(maps.begin() + n);
        op.setCaptureMapsAttr(rewriter.getArrayAttr(maps));
        op.getCapturesMutable().erase(n);
        for (Region *region : regions) {
          if (same < n)
            rewriter.replaceAllUsesWith(region->getArgument(first + n), region->getArgument(first + same));
          region->eraseArgument(first + n);
        }
      });
      return success();
    }
    return failure();
  }
};
} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropIdentityRegion, DropCaptures>(context);
}
