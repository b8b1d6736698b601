// Verification and canonical form of attention and its tiled form. Each message carries the label of the constraint in
// SPEC.md.
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace fovea::attn;

int64_t fovea::attn::detail::groupSize(Value query, Value key) {
  auto q = cast<RankedTensorType>(query.getType()), k = cast<RankedTensorType>(key.getType());
  return k.getDimSize(1) == 0 ? 1 : q.getDimSize(1) / k.getDimSize(1);
}

Type fovea::attn::detail::scoreType(Value query) {
  Type element = getElementTypeOrSelf(query.getType());
  return element.isF64() ? element : Float32Type::get(query.getContext());
}

static SmallVector<Region *> withoutEmpty(ArrayRef<Region *> regions) {
  return llvm::to_vector(llvm::make_filter_range(regions, [](Region *region) { return !region->empty(); }));
}
SmallVector<Region *> AttentionOp::getCapturingRegions() { return withoutEmpty({&getScore(), &getWeight()}); }
SmallVector<Region *> OnlineAttentionOp::getCapturingRegions() { return withoutEmpty({&getScore()}); }

//===-- Verification ===//

namespace {
/// The labels of the constraints that attentions share.
struct Labels {
  StringRef rank, element, batch, heads, sizes, region, window, lengths, captures;
};
constexpr Labels kAttention{"attention_c1", "attention_c2", "attention_c4", "attention_c5", "attention_c6",
                            "attention_c7", "attention_c8", "attention_c9", "attention_c10"};
constexpr Labels kOnline{"online_attention_c1", "online_attention_c2", "online_attention_c4",
                         "online_attention_c5", "online_attention_c6", "online_attention_c7",
                         "online_attention_c8", "online_attention_c9", "online_attention_c10"};
} // namespace

static bool fits(int64_t a, int64_t b) { return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b); }

static LogicalResult verifyRegion(Operation *op, Region &region, StringRef name, TypeRange expected, Type result,
                                  StringRef label, int64_t taps = 0) {
  if (region.empty())
    return success();
  if (!llvm::hasSingleElement(region))
    return op->emitOpError("expected one block in the ") << name << " region [" << label << "]";
  Block &block = region.front();
  if (block.getArgumentTypes() != expected)
    return op->emitOpError("expected the ") << name << " region to have arguments (" << expected << "), got ("
                                            << block.getArgumentTypes() << ") [" << label << "]";
  auto yield = block.mightHaveTerminator() ? dyn_cast<YieldOp>(block.getTerminator()) : YieldOp();
  bool matches = yield && yield.getNumOperands() == 1 + taps && llvm::all_equal(yield.getOperandTypes()) &&
                 yield.getOperand(0).getType() == result;
  if (!matches && taps == 0)
    return op->emitOpError("expected the ") << name << " region to yield one " << result << " [" << label << "]";
  if (!matches)
    return op->emitOpError("expected the ") << name << " region to yield " << 1 + taps << " values of type " << result
                                            << ", the score and one for each tap [" << label << "]";
  return success();
}

/// The operands' shapes; `rows` are what the queries become, B x H x M x E.
static LogicalResult verifyShapes(AttentionInterface op, RankedTensorType rows, StringRef rowsName, StringRef keyCount,
                                  const Labels &labels) {
  auto q = cast<RankedTensorType>(op.getQuery().getType()), k = cast<RankedTensorType>(op.getKey().getType()),
       v = cast<RankedTensorType>(op.getValue().getType());
  if (!fits(q.getDimSize(0), k.getDimSize(0)) || !fits(k.getDimSize(0), v.getDimSize(0)) ||
      !fits(q.getDimSize(0), rows.getDimSize(0)))
    return op->emitOpError("expected one batch size, got ")
           << q << ", " << k << ", " << v << " and " << rows << " [" << labels.batch << "]";
  if (q.isDynamicDim(1) || k.isDynamicDim(1) || k.getDimSize(1) != v.getDimSize(1) ||
      q.getDimSize(1) != rows.getDimSize(1) || k.getDimSize(1) == 0 || q.getDimSize(1) % k.getDimSize(1) != 0)
    return op->emitOpError("expected static heads, the query's a multiple of the key's and value's, got ")
           << q << ", " << k << ", " << v << " and " << rows << " [" << labels.heads << "]";
  if (!fits(q.getDimSize(3), k.getDimSize(3)) || !fits(k.getDimSize(2), v.getDimSize(2)) ||
      !fits(q.getDimSize(2), rows.getDimSize(2)) || !fits(v.getDimSize(3), rows.getDimSize(3)))
    return op->emitOpError("expected query B x H x M x D, key B x G x ")
           << keyCount << " x D, value B x G x " << keyCount << " x E, " << rowsName << " B x H x M x E, got " << q
           << ", " << k << ", " << v << " and " << rows << " [" << labels.sizes << "]";
  return success();
}

/// Attributes, lengths, captures and regions.
static LogicalResult verifyScores(AttentionInterface op, const Labels &labels, int64_t taps = 0) {
  auto q = cast<RankedTensorType>(op.getQuery().getType());
  if (op.getWindow().size() != 2 || op.getWindow()[0] < -1 || op.getWindow()[1] < -1)
    return op->emitOpError("expected window to be [left, right], each at least -1 [") << labels.window << "]";
  if (Value lengths = op.getLengths()) {
    auto type = cast<RankedTensorType>(lengths.getType());
    if (type.getRank() != 1 || !type.getElementType().isInteger(64) || !fits(type.getDimSize(0), q.getDimSize(0)))
      return op->emitOpError("expected lengths to be a tensor of B i64, got ") << type << " [" << labels.lengths << "]";
  }
  if (op.getCaptureMaps().size() != op.getCaptures().size())
    return op->emitOpError("expected one map for each capture, got ")
           << op.getCaptureMaps().size() << " for " << op.getCaptures().size() << " [" << labels.captures << "]";
  SmallVector<Type> arguments{op.getScoreType()};
  arguments.append(4, IndexType::get(op.getContext()));
  for (auto [attr, capture] : llvm::zip(op.getCaptureMaps(), op.getCaptures())) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    auto type = cast<RankedTensorType>(capture.getType());
    if (map.getNumDims() != 4 || map.getNumSymbols() != 0 || map.getNumResults() != type.getRank())
      return op->emitOpError("expected a map of (b, h, i, j) to the dims of ")
             << type << ", got " << attr << " [" << labels.captures << "]";
    arguments.push_back(type.getElementType());
  }
  Type element = q.getElementType(), score = op.getScoreType();
  SmallVector<Type> combined{element, element};
  if (Region &combine = op.getCombine(); !combine.empty() && combine.getNumArguments() == 3)
    combined.push_back(IndexType::get(op.getContext()));
  if (failed(verifyRegion(op, op.getCombine(), "combine", combined, score, labels.region)))
    return failure();
  for (Region *region : op.getCapturingRegions()) {
    bool isScore = region == &op.getScore();
    if (failed(verifyRegion(op, *region, isScore ? "score" : "weight", arguments, score, labels.region,
                            isScore ? taps : 0)))
      return failure();
  }
  return success();
}

/// The results besides the output, and the operands that are their inits.
static LogicalResult verifyExtras(AttentionOp op) {
  if (op.getExtras().size() != op.getExtraResults().size() || op.getExtras().size() != op.getExtraInits().size())
    return op.emitOpError("expected an init and a result for each of ")
           << op.getExtras().size() << " extras, got " << op.getExtraInits().size() << " and "
           << op.getExtraResults().size() << " [attention_c11]";
  auto q = cast<RankedTensorType>(op.getQuery().getType()), k = cast<RankedTensorType>(op.getKey().getType());
  int64_t sizes[] = {q.getDimSize(0), q.getDimSize(1), q.getDimSize(2), k.getDimSize(2)};
  for (auto [n, init, result] : llvm::enumerate(op.getExtraInits(), op.getExtraResults())) {
    Extra kind = op.getExtra(n);
    bool perRow = kind == Extra::lse || kind == Extra::row_max;
    auto type = cast<RankedTensorType>(result.getType());
    if (type.getRank() != (perRow ? 3 : 4) ||
        !llvm::all_of(llvm::seq(type.getRank()), [&](int64_t d) { return fits(type.getDimSize(d), sizes[d]); }) ||
        (type.getElementType() != op.getScoreType() && type.getElementType() != q.getElementType()) ||
        init.getType() != type)
      return op.emitOpError("expected init and result of ")
             << stringifyExtra(kind) << " to be " << (perRow ? "B x H x M" : "B x H x M x N")
             << " of the score or the element type, got " << init.getType() << " and " << type << " [attention_c11]";
    if (perRow && op.getNormalizer() != Normalizer::softmax)
      return op.emitOpError("expected softmax, which alone has ")
             << stringifyExtra(kind) << ", got " << stringifyNormalizer(op.getNormalizer()) << " [attention_c11]";
  }
  if (op.getScore().empty() && op.hasExtra(Extra::tap))
    return op.emitOpError("expected a score region that yields what is tapped [attention_c11]");
  return success();
}

/// Offset, sinks and the mask of blocks.
static LogicalResult verifyVisibility(AttentionOp op) {
  auto q = cast<RankedTensorType>(op.getQuery().getType()), k = cast<RankedTensorType>(op.getKey().getType());
  if (Value offset = op.getOffset()) {
    auto type = cast<RankedTensorType>(offset.getType());
    if (type.getRank() != 1 || !type.getElementType().isInteger(64) || !fits(type.getDimSize(0), q.getDimSize(0)))
      return op.emitOpError("expected offset to be a tensor of B i64, got ") << type << " [attention_c12]";
    if (op.getCausal() == Causal::bottom_right)
      return op.emitOpError("expected causal to be none or top_left, as the offset aligns, got bottom_right "
                            "[attention_c12]");
  }
  if (Value sinks = op.getSinks()) {
    auto type = cast<RankedTensorType>(sinks.getType());
    if (type.getRank() != 1 || type.getDimSize(0) != q.getDimSize(1) ||
        (type.getElementType() != op.getScoreType() && type.getElementType() != q.getElementType()))
      return op.emitOpError("expected sinks to be a tensor of H numbers of the score or the element type, got ")
             << type << " [attention_c13]";
    if (op.getNormalizer() != Normalizer::softmax)
      return op.emitOpError("expected softmax, which alone has sinks, got ")
             << stringifyNormalizer(op.getNormalizer()) << " [attention_c13]";
  }
  ArrayRef<int64_t> block = op.getBlock();
  if (!op.getBlockMask()) {
    if (!block.empty())
      return op.emitOpError("expected a block mask for blocks of [") << block << "] [attention_c14]";
    return success();
  }
  if (block.size() != 2 || block[0] < 1 || block[1] < 1)
    return op.emitOpError("expected block to be [queries, keys], each at least 1, got [")
           << block << "] [attention_c14]";
  auto type = cast<RankedTensorType>(op.getBlockMask().getType());
  auto blocks = [](int64_t size, int64_t block) {
    return ShapedType::isDynamic(size) ? size : static_cast<int64_t>(llvm::divideCeil(size, block));
  };
  if (type.getRank() != 4 || !type.getElementType().isInteger(1) ||
      (type.getDimSize(0) != 1 && !fits(type.getDimSize(0), q.getDimSize(0))) ||
      (type.getDimSize(1) != 1 && type.getDimSize(1) != q.getDimSize(1)) ||
      !fits(type.getDimSize(2), blocks(q.getDimSize(2), block[0])) ||
      !fits(type.getDimSize(3), blocks(k.getDimSize(2), block[1])))
    return op.emitOpError("expected the block mask to be (B or 1) x (H or 1) x ceil(M / ")
           << block[0] << ") x ceil(N / " << block[1] << ") i1, got " << type << " [attention_c14]";
  return success();
}

void AttentionOp::build(OpBuilder &b, OperationState &state, Value query, Value key, Value value, ValueRange captures,
                        Value lengths, Value init, double scale, ArrayRef<Attribute> captureMaps) {
  MLIRContext *context = b.getContext();
  build(b, state, init.getType(), /*extras=*/TypeRange(), query, key, value, captures, lengths, /*offset=*/Value(),
        /*sinks=*/Value(), /*block_mask=*/Value(), init, /*extra_inits=*/ValueRange(), b.getF64FloatAttr(scale),
        CausalAttr::get(context, Causal::none), b.getDenseI64ArrayAttr({-1, -1}),
        NormalizerAttr::get(context, Normalizer::softmax), EmptyRowsAttr::get(context, EmptyRows::zero),
        b.getArrayAttr(captureMaps), b.getDenseI64ArrayAttr({}), b.getArrayAttr({}));
}

LogicalResult AttentionOp::verify() {
  auto q = cast<RankedTensorType>(getQuery().getType()), k = cast<RankedTensorType>(getKey().getType()),
       v = cast<RankedTensorType>(getValue().getType()), o = cast<RankedTensorType>(getResult().getType());
  for (auto [type, name] : {std::pair(q, "query"), {k, "key"}, {v, "value"}, {o, "result"}})
    if (type.getRank() != 4)
      return emitOpError("expected ") << name << " to have 4 dims, got " << type << " [" << kAttention.rank << "]";
  Type element = q.getElementType();
  if (!isa<FloatType>(element) || k.getElementType() != element || v.getElementType() != element ||
      o.getElementType() != element)
    return emitOpError("expected query, key, value and result to have one float type, got ")
           << q << ", " << k << ", " << v << " and " << o << " [" << kAttention.element << "]";
  if (getInit().getType() != o)
    return emitOpError("expected the init to have the result's type ")
           << o << ", got " << getInit().getType() << " [attention_c3]";
  if (failed(verifyShapes(*this, o, "result", "N", kAttention)) || failed(verifyExtras(*this)) ||
      failed(verifyVisibility(*this)))
    return failure();
  return verifyScores(*this, kAttention, countExtras(Extra::tap));
}

LogicalResult OnlineAttentionOp::verify() {
  auto q = cast<RankedTensorType>(getQuery().getType()), k = cast<RankedTensorType>(getKey().getType()),
       v = cast<RankedTensorType>(getValue().getType()), max = cast<RankedTensorType>(getMax().getType()),
       sum = cast<RankedTensorType>(getSum().getType()), a = cast<RankedTensorType>(getAccumulator().getType());
  for (auto [type, name, rank] : {std::tuple(q, "query", 4),
                                  {k, "key", 4},
                                  {v, "value", 4},
                                  {max, "max", 3},
                                  {sum, "sum", 3},
                                  {a, "accumulator", 4}})
    if (type.getRank() != rank)
      return emitOpError("expected ") << name << " to have " << rank << " dims, got " << type << " [" << kOnline.rank
                                      << "]";
  Type element = q.getElementType();
  if (!isa<FloatType>(element) || k.getElementType() != element || v.getElementType() != element)
    return emitOpError("expected query, key and value to have one float type, got ")
           << q << ", " << k << " and " << v << " [" << kOnline.element << "]";
  for (RankedTensorType type : {max, sum, a})
    if (type.getElementType() != getScoreType())
      return emitOpError("expected max, sum and accumulator to have elements of the score type ")
             << getScoreType() << ", got " << max << ", " << sum << " and " << a << " [" << kOnline.element << "]";
  if (getResultTypes() != TypeRange({max, sum, a}))
    return emitOpError("expected results of the types of max, sum and accumulator, got ")
           << getResultTypes() << " [online_attention_c3]";
  if (failed(verifyShapes(*this, a, "accumulator", "T", kOnline)))
    return failure();
  for (RankedTensorType type : {max, sum})
    if (!llvm::all_of(llvm::seq(3), [&](int d) { return fits(type.getDimSize(d), a.getDimSize(d)); }))
      return emitOpError("expected max and sum B x H x M, got ")
             << max << " and " << sum << " beside " << a << " [" << kOnline.sizes << "]";
  return verifyScores(*this, kOnline);
}

//===-- Canonical form ===//

namespace {
/// A score or weight region that yields the value it got says nothing.
template <typename OpT> struct DropIdentityRegion : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    for (Region *region : op.getCapturingRegions())
      if (Operation *yield = region->front().getTerminator();
          yield->getNumOperands() == 1 && yield->getOperand(0) == region->front().getArgument(0)) {
        rewriter.modifyOpInPlace(op, [&] { rewriter.eraseBlock(&region->front()); });
        return success();
      }
    return failure();
  }
};

/// Captures that neither region reads, and a capture that is captured twice through the same map.
template <typename OpT> struct DropCaptures : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    constexpr unsigned first = 5; // behind the value, b, h, i and j
    SmallVector<Region *> regions = op.getCapturingRegions();
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

/// Operands that a cast made less static. MLIR has a pattern for that, which does not survive regions that are empty;
/// this one comes first.
template <typename OpT> struct FoldCasts : OpRewritePattern<OpT> {
  FoldCasts(MLIRContext *context) : OpRewritePattern<OpT>(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    bool any = false;
    for (OpOperand &operand : op->getOpOperands()) {
      auto cast = operand.get().template getDefiningOp<tensor::CastOp>();
      if (!cast || !tensor::canFoldIntoConsumerOp(cast))
        continue;
      any = true;
      rewriter.modifyOpInPlace(op, [&] { operand.set(cast.getSource()); });
      if (!op.isDpsInit(&operand))
        continue;
      OpResult result = op.getTiedOpResult(&operand);
      Type type = result.getType();
      rewriter.modifyOpInPlace(op, [&] { result.setType(cast.getSource().getType()); });
      rewriter.setInsertionPointAfter(op);
      auto back = tensor::CastOp::create(rewriter, op.getLoc(), type, result);
      rewriter.replaceAllUsesExcept(result, back.getResult(), back);
    }
    return success(any);
  }
};

/// Results besides the output that nobody reads.
struct DropExtras : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    auto unused = llvm::find_if(op.getExtraResults(), [](Value result) { return result.use_empty(); });
    if (unused == op.getExtraResults().end())
      return failure();
    unsigned n = std::distance(op.getExtraResults().begin(), unused);
    if (op.getExtra(n) == Extra::tap) {
      Operation *yield = op.getScore().front().getTerminator();
      unsigned tap = llvm::count_if(llvm::seq(n), [&](unsigned before) { return op.getExtra(before) == Extra::tap; });
      rewriter.modifyOpInPlace(yield, [&] { yield->eraseOperand(1 + tap); });
    }
    SmallVector<Attribute> extras(op.getExtras().getValue());
    SmallVector<Value> inits(op.getExtraInits());
    SmallVector<Type> types(op.getExtraResults().getTypes());
    extras.erase(extras.begin() + n), inits.erase(inits.begin() + n), types.erase(types.begin() + n);
    auto smaller = AttentionOp::create(
        rewriter, op.getLoc(), op.getResult().getType(), types, op.getQuery(), op.getKey(), op.getValue(),
        op.getCaptures(), op.getLengths(), op.getOffset(), op.getSinks(), op.getBlockMask(), op.getInit(), inits,
        op.getScaleAttr(), op.getCausalAttr(), op.getWindowAttr(), op.getNormalizerAttr(), op.getEmptyRowsAttr(),
        op.getCaptureMapsAttr(), op.getBlockAttr(), rewriter.getArrayAttr(extras));
    for (auto [from, to] : llvm::zip_equal(op->getRegions(), smaller->getRegions()))
      rewriter.inlineRegionBefore(from, to, to.end());
    SmallVector<Value> results(smaller->getResults());
    results.insert(results.begin() + 1 + n, Value());
    for (auto [from, to] : llvm::zip_equal(op->getResults(), results))
      if (to)
        rewriter.replaceAllUsesWith(from, to);
    rewriter.eraseOp(op);
    return success();
  }
};

template <typename OpT> void addPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropIdentityRegion<OpT>, DropCaptures<OpT>, FoldCasts<OpT>>(context);
}
} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  addPatterns<AttentionOp>(patterns, context);
  patterns.add<DropExtras>(context);
}
void OnlineAttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  addPatterns<OnlineAttentionOp>(patterns, context);
}
