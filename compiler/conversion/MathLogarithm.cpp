#include "compiler/conversion/MathCoefficients.h"
#include "compiler/conversion/MathFunctions.h"

using namespace fovea;
namespace c = fovea::coefficients;

static const double kInfinity = std::numeric_limits<double>::infinity(),
                    kNaN = std::numeric_limits<double>::quiet_NaN();

namespace {
/// x = 2^exponent * (1 + f), 1 + f in [sqrt(1/2), sqrt 2).
struct Split {
  Num exponent, f;
};
} // namespace

static Split split(Num x) {
  MathBuilder &m = *x.m;
  // Denormal numbers are made normal first.
  bool wide = x.isDouble();
  int64_t significand = wide ? 52 : 23;
  Num tiny = x < (wide ? 0x1p-1022 : 0x1p-126);
  x = select(tiny, x * (wide ? 0x1p54 : 0x1p25), x);
  Num i = bits(x);
  // Counting from sqrt(1/2) makes the exponent the one sought.
  Num root = wide ? m.integer(0x3FE6A09E667F3BCDll, i) : m.integer(0x3F3504F3, i);
  Num above = i - root;
  Num exponent = shiftRight(above, significand);
  Num one = fromBits(i - shiftLeft(exponent, significand), x);
  Num correction = select(tiny, m.integer(wide ? -54 : -25, i), m.integer(0, i));
  return {toFloat(exponent + correction, x), one - 1};
}

/// log(1 + f) - f, for the f of a split.
static Num logMinus(Num f) {
  // With s = f / (2 + f): log(1 + f) = 2s + s z p(z) = f - s (f - z p(z)), and f - 2s = s f.
  Num s = f / (f + 2), z = s * s;
  Num p = f.isDouble() ? polynomial(z, c::logd) : polynomial(z, c::logf);
  // As f^2/2 is exact to its last bit but s f is not: log(1 + f) = f - (f^2/2 - s (f^2/2 + z p(z))).
  Num half = f * f * 0.5;
  return fma(s, fma(z, p, half), -half);
}

/// The special values that all logarithms share.
static Num withSpecials(Num x, Num y) {
  y = select(x < kInfinity, y, x); // +inf and NaN
  return select(x < 0, kNaN, select(x == 0, -kInfinity, y));
}

Num fovea::expandLog(Num x) {
  Split s = split(x);
  const double *ln2 = x.isDouble() ? c::ln2d : c::ln2f;
  Num low = fma(s.exponent, ln2[1], logMinus(s.f));
  return withSpecials(x, fma(s.exponent, ln2[0], s.f + low));
}

Num fovea::expandLog2(Num x) {
  Split s = split(x);
  // log2 e (f + low) with f cut to 26 bits, so that its product with the first part is exact.
  Num low = logMinus(s.f);
  Num head = fromBits(bits(s.f) & x.m->integer(static_cast<int64_t>(0xFFFFFFFFF8000000ull), bits(x)), x);
  Num rest = (s.f - head) + low;
  Num tail = fma(rest, c::log2Ed[0] + c::log2Ed[1], head * c::log2Ed[1]);
  return withSpecials(x, s.exponent + (head * c::log2Ed[0] + tail));
}

Num fovea::expandLog10(Num x) {
  Split s = split(x);
  Num log = s.f + logMinus(s.f);
  Num low = fma(s.exponent, c::log10Of2d[1], log * 0.43429448190325182765);
  return withSpecials(x, fma(s.exponent, c::log10Of2d[0], low));
}

Num fovea::expandLog1p(Num x) {
  // The rounding of 1 + x is made good by its share of the logarithm.
  Num u = x + 1;
  Num lost = select(x < 1, x - (u - 1), 1 - (u - x));
  Num y = expandLog(u) + lost / u;
  y = select(x < kInfinity, y, x);
  return select(x < -1, kNaN, select(x == -1, -kInfinity, select(x == 0, x, y)));
}

//===-- Powers ===//

namespace {
/// A number as a sum of two, the second below the last place of the first.
struct Pair {
  Num high, low;
};
} // namespace

/// x y exactly; without a fused multiply-add, that not all machines have.
static Pair product(Num x, Num y) {
  auto cut = [](Num v) {
    return fromBits(bits(v) & v.m->integer(static_cast<int64_t>(0xFFFFFFFFF8000000ull), bits(v)), v);
  };
  Num p = x * y, xh = cut(x), yh = cut(y), xl = x - xh, yl = y - yh;
  Num low = ((xh * yh - p) + xh * yl + xl * yh) + xl * yl;
  return {p, low};
}

static Pair sum(Num large, Num small) {
  Num s = large + small;
  return {s, small - (s - large)};
}

/// log2 of the split of a positive finite number, to about 60 bits.
static Pair log2Pair(Num x) {
  Split parts = split(x);
  Num f = parts.f;
  // s = f / (2 + f) in two parts.
  Pair denominator = sum(x.m->constant(2, f), f);
  Num s = f / denominator.high;
  Pair back = product(s, denominator.high);
  Num sLow = ((f - back.high) - back.low - s * denominator.low) / denominator.high;
  // log(1 + f) = 2 s + s z p(z); the second term is below a hundredth of the first.
  Num z = s * s;
  Num tail = fma(s * z, polynomial(z, c::logd), sLow * 2);
  Pair log = sum(s * 2, tail);
  Pair scaled = product(log.high, x.m->constant(1.4426950408889634, x));
  Num low = fma(log.high, 2.0355273740931033e-17, fma(log.low, 1.4426950408889634, scaled.low));
  Pair total = sum(parts.exponent, scaled.high);
  // With exponent 0 the first summand is the smaller one.
  Num zero = parts.exponent == 0;
  return {select(zero, scaled.high, total.high), select(zero, low, total.low + low)};
}

Num fovea::expandPow(Num x, Num y, bool single) {
  Num a = abs(x);
  Num regular = select(a < kInfinity, select(a == 0, 1, a), 1);
  Num yRegular = select(abs(y) < kInfinity, y, 0);
  Num result;
  if (single) {
    result = expandExp2OfSum(yRegular * expandLog2(regular), x.m->constant(0, x));
  } else {
    // More than 2^64 is as good as any exponent, and does not overflow.
    yRegular = atLeast(atMost(yRegular, 0x1p64), -0x1p64);
    Pair log = log2Pair(regular), t = product(yRegular, log.high);
    Num low = fma(yRegular, log.low, t.low);
    low = select(abs(t.high) < 2000, low, 0);
    result = expandExp2OfSum(t.high, low);
  }
  // Zero, infinite bases and exponents: 0, 1 or inf by what is large and what is negative.
  Num baseLarge = a > 1, grows = select(y > 0, baseLarge, negate(baseLarge));
  Num special = (a == 0) | (a == kInfinity) | (abs(y) == kInfinity);
  Num limit = select(grows, x.m->constant(kInfinity, x), x.m->constant(0, x));
  result = select(special, limit, result);
  // A negative base: the sign of an odd exponent; NaN for one that is no integer.
  Num whole = expandRounding(Rounding::trunc, y), half = y * 0.5;
  Num isWhole = whole == y, isEven = expandRounding(Rounding::trunc, half) == half;
  Num odd = isWhole & negate(isEven);
  Num negative = x.m->compare(mlir::arith::CmpIPredicate::slt, bits(x), x.m->integer(0, bits(x)));
  result = select(negative & odd, -result, result);
  Num invalid = (x < 0) & negate(isWhole) & (a < kInfinity) & (a > 0);
  result = select(invalid, kNaN, result);
  result = select(isNaN(x) | isNaN(y), kNaN, result);
  Num minusOne = (x == -1) & (abs(y) == kInfinity);
  return select((y == 0) | (x == 1) | minusOne, 1, result);
}
