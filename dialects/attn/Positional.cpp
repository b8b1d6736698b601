// Verification, numbers and canonical form of positional encoding.
#include "dialects/attn/Attn.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace fovea::attn;
using fovea::attn::detail::agree;
using fovea::attn::detail::fit;
using fovea::attn::detail::isReal;
using fovea::attn::detail::typeOf;

/// Positions are whole, or numbers of the result's type.
static bool arePositions(Value positions, Value result) {
  Type element = typeOf(positions).getElementType();
  return element.isInteger(64) || element == typeOf(result).getElementType();
}

/// True if the result has the dims of the positions and one more.
static bool followsPositions(Value positions, Value result) {
  RankedTensorType type = typeOf(result);
  return type.getRank() > 0 && agree(typeOf(positions).getShape(), type.getShape().drop_back());
}

//===-- Rows for positions ===//

int64_t SinusoidalEncodingOp::getWidth() {
  int64_t all = typeOf(getResult()).getShape().back();
  return getAxes() == Axes::added ? all : all / static_cast<int64_t>(getPositions().size());
}

LogicalResult SinusoidalEncodingOp::verify() {
  RankedTensorType type = typeOf(getResult());
  if (getInit().getType() != type || !isReal(type.getElementType()))
    return emitOpError("expected init and result to have one type of f32 or f64, got ")
           << getInit().getType() << " and " << type << " [sinusoidal_encoding_c1]";
  if (getPositions().empty())
    return emitOpError("expected positions along at least one axis [sinusoidal_encoding_c2]");
  for (Value positions : getPositions())
    if (!arePositions(positions, getResult()) || !followsPositions(positions, getResult()))
      return emitOpError("expected positions of i64 or the result's type with all dims but the last of ")
             << type << ", got " << positions.getType() << " [sinusoidal_encoding_c2]";
  int64_t last = type.getShape().back(), parts = getAxes() == Axes::added ? 1 : getPositions().size();
  if (ShapedType::isDynamic(last) || last % (2 * parts) != 0)
    return emitOpError("expected a static last dim that divides by ")
           << 2 * parts << ", got " << type << " [sinusoidal_encoding_c3]";
  if (double t = getTemperature().convertToDouble(); !(t > 0) || std::isinf(t))
    return emitOpError("expected a positive temperature, got ") << t << " [sinusoidal_encoding_c4]";
  return success();
}

LogicalResult MaskPositionsOp::verify() {
  RankedTensorType mask = typeOf(getMask()), type = typeOf(getResult());
  if (getInit().getType() != type || !isReal(type.getElementType()) || !mask.getElementType().isInteger(1) ||
      !agree(mask.getShape(), type.getShape()))
    return emitOpError("expected init and result of one type of f32 or f64 with the dims of a mask of i1, got ")
           << getInit().getType() << ", " << type << " and " << mask << " [mask_positions_c1]";
  if (int64_t axis = getAxis(); axis < 0 || axis >= mask.getRank())
    return emitOpError("expected axis in [0, ") << mask.getRank() << "), got " << axis << " [mask_positions_c2]";
  return success();
}

LogicalResult LearnedEncodingOp::verify() {
  RankedTensorType type = typeOf(getResult());
  if (getInit().getType() != type || !isReal(type.getElementType()) ||
      typeOf(getTable()).getElementType() != type.getElementType())
    return emitOpError("expected table, init and result to be all f32 or all f64, init and result of one type, got ")
           << getTable().getType() << ", " << getInit().getType() << " and " << type << " [learned_encoding_c1]";
  if (type.getRank() == 0 || !fit({{getTable(), "pd"}}) ||
      !agree(typeOf(getTable()).getShape().back(), type.getShape().back()) || (!getPositions() && type.getRank() != 2))
    return emitOpError("expected table P x D and result L... x D, without positions N x D, got ")
           << getTable().getType() << " and " << type << " [learned_encoding_c2]";
  if (Value positions = getPositions();
      positions && (!typeOf(positions).getElementType().isInteger(64) || !followsPositions(positions, getResult())))
    return emitOpError("expected positions of i64 with all dims but the last of ")
           << type << ", got " << positions.getType() << " [learned_encoding_c3]";
  if (int64_t offset = getOffset(); offset < 0)
    return emitOpError("expected an offset of at least 0, got ") << offset << " [learned_encoding_c4]";
  return success();
}

namespace {
/// The positions 0, 1, 2, ... are those that no positions mean.
struct DropCountedPositions : OpRewritePattern<LearnedEncodingOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LearnedEncodingOp op, PatternRewriter &rewriter) const override {
    DenseIntElementsAttr positions;
    if (!op.getPositions() || typeOf(op.getPositions()).getRank() != 1 ||
        !matchPattern(op.getPositions(), m_Constant(&positions)) || positions.getNumElements() == 0)
      return failure();
    int64_t first = *positions.value_begin<int64_t>(), next = first;
    if (first < 0 || llvm::any_of(positions.getValues<int64_t>(), [&](int64_t p) { return p != next++; }))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getPositionsMutable().clear();
      op.setOffset(op.getOffset() + first);
    });
    return success();
  }
};
} // namespace

void LearnedEncodingOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropCountedPositions>(context);
}

//===-- Rotary frequencies ===//

LogicalResult RotaryFrequenciesOp::verify() {
  RankedTensorType type = typeOf(getCos());
  if (getSin().getType() != type || getCosInit().getType() != type || getSinInit().getType() != type ||
      !isReal(type.getElementType()))
    return emitOpError("expected cos, sin and their inits to have one type of f32 or f64, got ")
           << getCosInit().getType() << ", " << getSinInit().getType() << ", " << type << " and " << getSin().getType()
           << " [rotary_frequencies_c1]";
  if (!arePositions(getPositions(), getCos()) || !followsPositions(getPositions(), getCos()) ||
      type.isDynamicDim(type.getRank() - 1))
    return emitOpError("expected positions of i64 or the result's type with all dims but the last, static, of ")
           << type << ", got " << getPositions().getType() << " [rotary_frequencies_c2]";
  auto positive = [](APFloat x) { return x.convertToDouble() > 0 && !x.isInfinity(); };
  if (!positive(getTheta()) || !positive(getFactor()))
    return emitOpError("expected theta and factor to be positive, got ")
           << getTheta().convertToDouble() << " and " << getFactor().convertToDouble() << " [rotary_frequencies_c3]";
  RotaryScaling scaling = getScaling();
  bool ramp = scaling == RotaryScaling::yarn, bands = scaling == RotaryScaling::llama3,
       stretches = scaling == RotaryScaling::dynamic_ntk;
  if (int64_t length = getOriginalContext(); (ramp || bands || stretches) && length < 1)
    return emitOpError("expected an original_context of at least 1, got ") << length << " [rotary_frequencies_c4]";
  if ((scaling == RotaryScaling::ntk || stretches) && type.getShape().back() < 2)
    return emitOpError("expected at least 2 frequencies with ntk and dynamic_ntk, got ")
           << type << " [rotary_frequencies_c5]";
  if (ramp && (!positive(getBetaSlow()) || !(getBetaFast() > getBetaSlow()) || getTheta().convertToDouble() <= 1))
    return emitOpError("expected beta_fast > beta_slow > 0 and theta > 1, got ")
           << getBetaFast().convertToDouble() << ", " << getBetaSlow().convertToDouble() << " and "
           << getTheta().convertToDouble() << " [rotary_frequencies_c5]";
  if (bands && (!positive(getLowFrequencyFactor()) || !(getHighFrequencyFactor() > getLowFrequencyFactor())))
    return emitOpError("expected high_frequency_factor > low_frequency_factor > 0, got ")
           << getHighFrequencyFactor().convertToDouble() << " and " << getLowFrequencyFactor().convertToDouble()
           << " [rotary_frequencies_c5]";
  return success();
}

double RotaryFrequenciesOp::getAmplitude() {
  if (getScaling() != RotaryScaling::yarn)
    return 1;
  if (std::optional<APFloat> given = getAttentionFactor())
    return given->convertToDouble();
  double factor = getFactor().convertToDouble();
  return factor <= 1 ? 1 : 0.1 * std::log(factor) + 1;
}

SmallVector<double> RotaryFrequenciesOp::getFrequencies() {
  int64_t count = typeOf(getCos()).getShape().back();
  double width = 2.0 * count, theta = getTheta().convertToDouble(), factor = getFactor().convertToDouble();
  double context = getOriginalContext();
  RotaryScaling scaling = getScaling();
  if (scaling == RotaryScaling::ntk)
    theta *= std::pow(factor, width / (width - 2));
  // The pair that turns so many times in the original context.
  auto pairOf = [&](double turns) {
    return width * std::log(context / (turns * 2 * std::numbers::pi)) / (2 * std::log(theta));
  };
  double first = 0, last = 0;
  if (scaling == RotaryScaling::yarn) {
    first = std::max(std::floor(pairOf(getBetaFast().convertToDouble())), 0.0);
    last = std::min(std::ceil(pairOf(getBetaSlow().convertToDouble())), width - 1);
    last += first == last ? 0.001 : 0;
  }
  SmallVector<double> frequencies;
  for (int64_t k = 0; k < count; ++k) {
    double f = std::pow(theta, -2.0 * k / width), kept = 1; // how much of the frequency is kept as it is
    if (scaling == RotaryScaling::linear)
      kept = 0;
    else if (scaling == RotaryScaling::yarn)
      kept = 1 - std::clamp((k - first) / (last - first), 0.0, 1.0);
    else if (scaling == RotaryScaling::llama3) {
      double low = getLowFrequencyFactor().convertToDouble(), high = getHighFrequencyFactor().convertToDouble();
      double turns = context * f / (2 * std::numbers::pi);
      kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    }
    frequencies.push_back(f * kept + f / factor * (1 - kept));
  }
  return frequencies;
}

SmallVector<double> RotaryFrequenciesOp::getStretchPowers() {
  SmallVector<double> powers;
  double width = 2.0 * typeOf(getCos()).getShape().back();
  for (int64_t k = 0; k < width / 2; ++k)
    powers.push_back(-2.0 * k / (width - 2));
  return powers;
}

namespace {
/// A factor of 1 lowers nothing, but with dynamic_ntk.
struct DropUnitScaling : OpRewritePattern<RotaryFrequenciesOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RotaryFrequenciesOp op, PatternRewriter &rewriter) const override {
    if (op.getScaling() == RotaryScaling::none || op.getScaling() == RotaryScaling::dynamic_ntk ||
        !op.getFactor().isExactlyValue(1) || op.getAmplitude() != 1)
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.setScaling(RotaryScaling::none); });
    return success();
  }
};
} // namespace

void RotaryFrequenciesOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropUnitScaling>(context);
}

//===-- Biases of attention ===//

/// How long a table of distances may become.
static constexpr int64_t kMostDistance = 1 << 16;

/// Init and result have one real type of three dims, the heads static.
template <typename OpT> static LogicalResult verifyBias(OpT op, StringRef label) {
  RankedTensorType type = typeOf(op.getResult());
  if (op.getInit().getType() != type || !isReal(type.getElementType()) || type.getRank() != 3)
    return op.emitOpError("expected init and result to have one type H x M x N of f32 or f64, got ")
           << op.getInit().getType() << " and " << type << " [" << label << "]";
  return success();
}

LogicalResult RelativeBiasOp::verify() {
  if (failed(verifyBias(*this, "relative_bias_c1")))
    return failure();
  RankedTensorType table = typeOf(getTable());
  if (table.getElementType() != typeOf(getResult()).getElementType() ||
      !fit({{getTable(), "kh"}, {getResult(), "hmn"}}) || table.isDynamicDim(0))
    return emitOpError("expected a table K x H, K static, of the result's type ")
           << typeOf(getResult()) << ", got " << table << " [relative_bias_c2]";
  // Buckets on one side, of which half are exact.
  int64_t buckets = table.getDimSize(0), side = getBidirectional() ? buckets / 2 : buckets;
  if (side < 2 || (getBidirectional() && buckets % 2 != 0))
    return emitOpError("expected at least ") << (getBidirectional() ? "4 buckets, an even number" : "2 buckets")
                                             << ", got " << buckets << " [relative_bias_c3]";
  if (int64_t most = getMaxDistance(); most <= side / 2 || most > kMostDistance)
    return emitOpError("expected max_distance in [")
           << side / 2 + 1 << ", " << kMostDistance << "], got " << most << " [relative_bias_c4]";
  return success();
}

int64_t RelativeBiasOp::getBucket(int64_t distance) {
  int64_t side = typeOf(getTable()).getDimSize(0), first = 0;
  if (getBidirectional()) {
    side /= 2;
    first = distance > 0 ? side : 0;
    distance = std::abs(distance);
  } else {
    distance = std::max<int64_t>(-distance, 0);
  }
  int64_t exact = side / 2;
  if (distance < exact)
    return first + distance;
  double place = std::log(double(distance) / exact) / std::log(double(getMaxDistance()) / exact) * (side - exact);
  // Where the place is whole the logarithms may have missed it by their rounding.
  return first + std::min(exact + static_cast<int64_t>(place + 1e-9), side - 1);
}

LogicalResult GridBiasOp::verify() {
  if (failed(verifyBias(*this, "grid_bias_c1")))
    return failure();
  RankedTensorType type = typeOf(getResult());
  int64_t points = 1, offsets = 1;
  SmallVector<int64_t> rows;
  for (int64_t size : getGrid()) {
    if (size < 1 || size > kMostDistance)
      return emitOpError("expected sizes of the grid in [1, ")
             << kMostDistance << "], got " << size << " [grid_bias_c2]";
    rows.push_back(2 * size - 1);
    points *= size, offsets *= 2 * size - 1;
    if (offsets > int64_t(1) << 40)
      return emitOpError("expected a smaller grid [grid_bias_c2]");
  }
  if (getGrid().empty() || !agree(type.getShape().drop_front(), {points, points}))
    return emitOpError("expected as many queries and keys as the grid has points, ")
           << points << ", got " << type << " [grid_bias_c2]";
  bool joint = getTables().size() == 1;
  if (!joint && getTables().size() != rows.size())
    return emitOpError("expected one table, or one for each of the ")
           << rows.size() << " dims of the grid, got " << getTables().size() << " [grid_bias_c3]";
  for (auto [n, table] : llvm::enumerate(getTables())) {
    int64_t expected = joint ? offsets : rows[n];
    RankedTensorType own = typeOf(table);
    if (own.getRank() != 2 || own.getElementType() != type.getElementType() ||
        !agree(own.getShape(), {expected, type.getDimSize(0)}))
      return emitOpError("expected a table ")
             << expected << " x H of the result's type, got " << own << " [grid_bias_c3]";
  }
  return success();
}

LogicalResult AlibiBiasOp::verify() {
  if (failed(verifyBias(*this, "alibi_bias_c1")))
    return failure();
  if (typeOf(getResult()).isDynamicDim(0))
    return emitOpError("expected a static number of heads, got ") << getResult().getType() << " [alibi_bias_c2]";
  return success();
}

double AlibiBiasOp::getSlope(int64_t head) {
  int64_t heads = typeOf(getResult()).getDimSize(0), power = int64_t(llvm::bit_floor(uint64_t(heads)));
  // Heads beyond a power of two take every other slope of twice as many.
  return head < power ? std::exp2(-8.0 * (head + 1) / power) : std::exp2(-4.0 * (2 * (head - power) + 1) / power);
}
