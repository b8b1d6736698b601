// Recognises normalisations over the last dim, written as reductions and elementwise operations.
//
// Root mean square normalisation is x / sqrt(mean(x^2) + epsilon) (Zhang and Sennrich 2019, eq. 4). Layer normalisation
// is the same of x - mean(x) (Ba et al. 2016, eq. 4), so it is found as that: once the root mean square part is raised,
// a source that is x - mean(x) is taken in, and then the bias. Means are sums times 1/n however that is written.
// Normalisations over other dims, and those of a dynamic dim, stay as they are.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;

namespace fovea {
#define GEN_PASS_DEF_RAISENORMS
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

/// A sum over the last dim that starts from zero, and what is summed of each element.
static linalg::GenericOp sumOverLast(Value sum, Value &term) {
  auto reduce = sum.getDefiningOp<linalg::GenericOp>();
  if (!reduce || reduce.getNumReductionLoops() != 1 || reduce.getNumDpsInputs() != 1 || reduce.getNumDpsInits() != 1)
    return {};
  AffineMap in = reduce.getIndexingMapsArray()[0];
  if (!in.isIdentity() || reduce.getIteratorTypesArray().back() != utils::IteratorType::reduction)
    return {};
  auto fill = reduce.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!fill || !matchPattern(fill.getInputs()[0], m_AnyZeroFloat()))
    return {};
  Block &body = *reduce.getBlock();
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  Value carried = body.getArgument(1);
  if (!add || (add.getLhs() != carried && add.getRhs() != carried))
    return {};
  term = add.getLhs() == carried ? add.getRhs() : add.getLhs();
  return reduce;
}

/// The tensor whose squares are summed over the last dim by `sum`.
static Value squaredSource(Value sum) {
  Value term;
  linalg::GenericOp reduce = sumOverLast(sum, term);
  if (!reduce)
    return {};
  auto isSquareOf = [](Value v, Value x) {
    if (auto mul = v.getDefiningOp<arith::MulFOp>())
      return mul.getLhs() == x && mul.getRhs() == x;
    if (auto power = v.getDefiningOp<math::PowFOp>())
      return power.getLhs() == x && floatConstant(power.getRhs()) == 2.0;
    return false;
  };
  Value x = reduce.getBlock()->getArgument(0);
  if (isSquareOf(term, x))
    return reduce.getInputs()[0];
  if (term != x)
    return {};
  // The squares are an operation of their own.
  auto square = reduce.getInputs()[0].getDefiningOp<linalg::GenericOp>();
  if (!square || !isPointwise(square) || square.getNumDpsInputs() != 1 ||
      !square.getIndexingMapsArray()[0].isIdentity())
    return {};
  return isSquareOf(square.getBlock()->getTerminator()->getOperand(0), square.getBlock()->getArgument(0))
             ? square.getInputs()[0]
             : Value();
}

/// v = c * argument, c a constant.
static std::optional<double> scaledArgument(Value v, Value &argument) {
  if (isa<BlockArgument>(v)) {
    argument = v;
    return 1;
  }
  if (auto mul = v.getDefiningOp<arith::MulFOp>()) {
    for (auto [x, c] : {std::pair(mul.getLhs(), mul.getRhs()), {mul.getRhs(), mul.getLhs()}})
      if (auto constant = floatConstant(c); constant && isa<BlockArgument>(x)) {
        argument = x;
        return constant;
      }
  }
  if (auto div = v.getDefiningOp<arith::DivFOp>())
    if (auto constant = floatConstant(div.getRhs()); constant && isa<BlockArgument>(div.getLhs())) {
      argument = div.getLhs();
      return 1 / *constant;
    }
  return std::nullopt;
}

/// What v is the inverse root of (`inverse`), or the root of.
static Value radicand(Value v, bool inverse) {
  if (auto power = v.getDefiningOp<math::PowFOp>(); power && floatConstant(power.getRhs()) == (inverse ? -0.5 : 0.5))
    return power.getLhs();
  if (!inverse) {
    auto sqrt = v.getDefiningOp<math::SqrtOp>();
    return sqrt ? sqrt.getOperand() : Value();
  }
  if (auto rsqrt = v.getDefiningOp<math::RsqrtOp>())
    return rsqrt.getOperand();
  auto div = v.getDefiningOp<arith::DivFOp>();
  return div && floatConstant(div.getLhs()) == 1.0 ? radicand(div.getRhs(), false) : Value();
}

/// v = (c * sum + epsilon) to the power -1/2 (`inverse`) or 1/2, of a body; returns the argument that is the sum.
static Value rootArgument(Value v, bool inverse, double &factor, double &epsilon) {
  Value inside = radicand(v, inverse);
  auto add = inside ? inside.getDefiningOp<arith::AddFOp>() : nullptr;
  if (!add)
    return {};
  for (auto [term, constant] : {std::pair(add.getLhs(), add.getRhs()), {add.getRhs(), add.getLhs()}}) {
    auto e = floatConstant(constant);
    Value argument;
    if (!e)
      continue;
    if (auto c = scaledArgument(term, argument)) {
      factor = *c, epsilon = *e;
      return argument;
    }
  }
  return {};
}

/// Through reshapes that only add or drop the reduced dim.
static Value throughReshapes(Value v) {
  while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(v.getDefiningOp()))
    v = v.getDefiningOp()->getOperand(0);
  return v;
}

namespace {
struct RaiseRms : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isPointwise(op))
      return failure();
    Block &body = *op.getBlock();
    auto operandOf = [&](Value argument) -> OpOperand * {
      auto a = dyn_cast<BlockArgument>(argument);
      return a && a.getOwner() == &body && a.getArgNumber() < op.getNumDpsInputs()
                 ? op.getDpsInputOperand(a.getArgNumber())
                 : nullptr;
    };
    // The sum of squares behind `v`, a root (or an inverse root) in this body or in the operation that computes an
    // operand of it.
    auto sumBehind = [&](Value v, bool inverse, double &factor, double &epsilon) -> Value {
      if (OpOperand *operand = operandOf(v)) {
        auto generic = operand->get().getDefiningOp<linalg::GenericOp>();
        if (!generic || !isPointwise(generic) || generic.getNumDpsInputs() != 1)
          return {};
        Value argument = rootArgument(generic.getBlock()->getTerminator()->getOperand(0), inverse, factor, epsilon);
        return argument == generic.getBlock()->getArgument(0) ? generic.getInputs()[0] : Value();
      }
      Value argument = rootArgument(v, inverse, factor, epsilon);
      return argument && operandOf(argument) ? operandOf(argument)->get() : Value();
    };
    for (Operation &candidate : body) {
      if (!isa<arith::MulFOp, arith::DivFOp>(candidate))
        continue;
      bool divides = isa<arith::DivFOp>(candidate);
      for (unsigned i : {0u, 1u}) {
        if (divides && i == 1)
          break;
        OpOperand *source = operandOf(candidate.getOperand(i));
        Value r = candidate.getOperand(1 - i);
        if (!source || !op.getMatchingIndexingMap(source).isIdentity())
          continue;
        double factor, epsilon;
        Value sum = sumBehind(r, !divides, factor, epsilon);
        // 1 / root, the root being an operand.
        if (auto div = r.getDefiningOp<arith::DivFOp>(); !sum && !divides && div && floatConstant(div.getLhs()) == 1.0)
          sum = sumBehind(div.getRhs(), false, factor, epsilon);
        if (sum)
          sum = throughReshapes(sum);
        if (!sum || squaredSource(sum) != source->get())
          continue;
        int64_t size = cast<RankedTensorType>(source->get().getType()).getShape().back();
        if (ShapedType::isDynamic(size) || std::abs(factor * size - 1) > 1e-6)
          continue;
        return raise(op, &candidate, source, epsilon, rewriter);
      }
    }
    return failure();
  }

  /// The product becomes an operand that is the normalised tensor; a following product with a vector along the last dim
  /// becomes its scale.
  LogicalResult raise(linalg::GenericOp op, Operation *mul, OpOperand *source, double epsilon,
                      PatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    DimAnalysis dims;
    auto type = cast<RankedTensorType>(source->get().getType());
    int64_t last = type.getRank() - 1;
    Value scale;
    arith::MulFOp scaled;
    if (mul->hasOneUse())
      if (auto next = dyn_cast<arith::MulFOp>(*mul->getUsers().begin())) {
        auto other = dyn_cast<BlockArgument>(next.getLhs() == mul->getResult(0) ? next.getRhs() : next.getLhs());
        if (other && other.getArgNumber() < op.getNumDpsInputs()) {
          OpOperand *operand = op.getDpsInputOperand(other.getArgNumber());
          AffineMap map = op.getMatchingIndexingMap(operand);
          if (map.getNumResults() == 1 && map.getResult(0) == rewriter.getAffineDimExpr(last) &&
              operand->get().getType() == RankedTensorType::get({type.getShape().back()}, type.getElementType()))
            scale = operand->get(), scaled = next;
        }
      }
    SmallVector<OpFoldResult> sizes;
    for (const auto &size : dims.shape(source->get()))
      sizes.push_back(data::materializeOrConstant(rewriter, loc, size));
    Value init = tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
    Value norm = attn::RmsNormOp::create(rewriter, loc, type, source->get(), scale, init,
                                         rewriter.getI64IntegerAttr(last), rewriter.getF64FloatAttr(epsilon))
                     .getResult();
    replaceByInput(rewriter, op, scaled ? scaled.getOperation() : mul, norm,
                   rewriter.getMultiDimIdentityMap(type.getRank()));
    return success();
  }
};

/// The tensor x if `value` is x - mean(x) over the last dim.
static Value centredSource(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || !isPointwise(op) || op.getNumDpsInputs() != 2)
    return {};
  auto sub = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp<arith::SubFOp>();
  auto x = sub ? dyn_cast<BlockArgument>(sub.getLhs()) : BlockArgument();
  Value argument;
  auto factor = sub ? scaledArgument(sub.getRhs(), argument) : std::nullopt;
  if (!x || !factor || x.getOwner() != op.getBlock() || argument == x ||
      cast<BlockArgument>(argument).getArgNumber() >= 2 || x.getArgNumber() >= 2)
    return {};
  OpOperand *source = op.getDpsInputOperand(x.getArgNumber()), *mean = op.getDpsInputOperand(1 - x.getArgNumber());
  // The mean is read at the leading dims, whichever way: no other map is possible if it has their sizes and does not
  // depend on the last.
  unsigned rank = op.getNumLoops();
  AffineMap map = op.getMatchingIndexingMap(mean);
  if (!op.getMatchingIndexingMap(source).isIdentity() || map.getNumResults() + 1 < rank)
    return {};
  for (unsigned d = 0; d + 1 < rank; ++d)
    if (map.getResult(d) != getAffineDimExpr(d, op.getContext()))
      return {};
  if (map.getNumResults() == rank && map.getResult(rank - 1) != getAffineConstantExpr(0, op.getContext()))
    return {};
  Value sum = throughReshapes(mean->get());
  if (auto scaled = sum.getDefiningOp<linalg::GenericOp>();
      scaled && isPointwise(scaled) && scaled.getNumDpsInputs() == 1) {
    auto own = scaledArgument(scaled.getBlock()->getTerminator()->getOperand(0), argument);
    if (!own || argument != scaled.getBlock()->getArgument(0))
      return {};
    factor = *factor * *own;
    sum = throughReshapes(scaled.getInputs()[0]);
  }
  Value term;
  linalg::GenericOp reduce = sumOverLast(sum, term);
  int64_t size = cast<RankedTensorType>(source->get().getType()).getShape().back();
  bool isMean = reduce && term == reduce.getBlock()->getArgument(0) && reduce.getInputs()[0] == source->get() &&
                !ShapedType::isDynamic(size) && std::abs(*factor * size - 1) <= 1e-6;
  return isMean ? source->get() : Value();
}

/// rms_norm(x - mean(x)) is layer_norm(x).
struct RaiseLayerNorm : OpRewritePattern<attn::RmsNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(attn::RmsNormOp op, PatternRewriter &rewriter) const override {
    if (!isLastDimNorm(op))
      return failure();
    Value source = centredSource(op.getSource());
    if (!source || source.getType() != op.getType())
      return failure();
    rewriter.replaceOpWithNewOp<attn::LayerNormOp>(op, op.getType(), source, op.getScale(), Value(), op.getInit(),
                                                   op.getAxisAttr(), op.getEpsilonAttr());
    return success();
  }
};

/// A sum of a layer_norm and a vector along the last dim is its bias.
struct TakeBias : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isPointwise(op))
      return failure();
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto norm = operand->get().getDefiningOp<attn::LayerNormOp>();
      BlockArgument argument = op.getMatchingBlockArgument(operand);
      if (!norm || norm.getBias() || !isLastDimNorm(norm) || !op.getMatchingIndexingMap(operand).isIdentity() ||
          !argument.hasOneUse())
        continue;
      auto add = dyn_cast<arith::AddFOp>(*argument.getUsers().begin());
      if (!add ||
          llvm::any_of(norm->getUsers(), [&](Operation *user) { return user != op && !isa<tensor::DimOp>(user); }))
        continue;
      auto other = dyn_cast<BlockArgument>(add.getLhs() == argument ? add.getRhs() : add.getLhs());
      if (!other || other.getOwner() != op.getBlock() || other.getArgNumber() >= op.getNumDpsInputs())
        continue;
      OpOperand *bias = op.getDpsInputOperand(other.getArgNumber());
      AffineMap map = op.getMatchingIndexingMap(bias);
      auto type = cast<RankedTensorType>(norm.getType());
      if (map.getNumResults() != 1 || map.getResult(0) != rewriter.getAffineDimExpr(type.getRank() - 1) ||
          bias->get().getType() != RankedTensorType::get({type.getShape().back()}, type.getElementType()))
        continue;
      // The norm moves here, behind its bias.
      rewriter.setInsertionPoint(op);
      Value biased = attn::LayerNormOp::create(rewriter, norm.getLoc(), type, norm.getSource(), norm.getScale(),
                                               bias->get(), norm.getInit(), norm.getAxisAttr(), norm.getEpsilonAttr())
                         .getResult();
      rewriter.modifyOpInPlace(op, [&] { operand->set(biased); });
      rewriter.replaceOp(add, argument);
      return success();
    }
    return failure();
  }
};

struct RaiseNormsPass : fovea::impl::RaiseNormsBase<RaiseNormsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseRms, RaiseLayerNorm, TakeBias>(&getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
