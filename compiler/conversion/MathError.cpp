#include "compiler/conversion/MathCoefficients.h"
#include "compiler/conversion/MathFunctions.h"

using namespace fovea;
namespace c = fovea::coefficients;

/// e^(-s x^2): the square in two parts, as its error would be multiplied by the exponent. f64.
static Num gaussian(Num x, double s) {
  Num high = fromBits(bits(x) & x.m->integer(static_cast<int64_t>(0xFFFFFFFFF8000000ull), bits(x)), x), low = x - high;
  return expandExp(high * high * -s) * expandExp(low * (x + high) * -s);
}

/// e^(x^2) erfc x for x >= 1, f64.
static Num scaledErfc(Num x) {
  Num t = 1 / x;
  Num middle = polynomial(t, c::erfcMiddleNumeratord) / polynomial(t, c::erfcMiddleDenominatord);
  Num tail = polynomial(t, c::erfcTailNumeratord) / polynomial(t, c::erfcTailDenominatord);
  return t * select(x < 4, middle, tail);
}

static Num tailOfErfc(Num x) { return gaussian(x, 1) * scaledErfc(x); }

/// erf x for |x| <= 1, f64.
static Num centreOfErf(Num x) {
  Num z = x * x;
  return x * (polynomial(z, c::erfNumeratord) / polynomial(z, c::erfDenominatord));
}

/// erf of a number within [-3.93, 3.93], f32.
static Num quotientOfErf(Num y) {
  Num z = y * y;
  return y * polynomial(z, c::erfNumeratorf) / polynomial(z, c::erfDenominatorf);
}

/// tanh for gelu, f32: one division, a few ulp.
static Num quotientOfTanh(Num x) {
  // Just before the bound the quotient reaches 1.
  Num y = atLeast(atMost(x, 9.02), -9.02), z = y * y;
  Num t = y * polynomial(z, c::tanhNumeratorf) / polynomial(z, c::tanhDenominatorf);
  return atLeast(atMost(t, 1), -1);
}

Num fovea::expandErf(Num x) {
  Num a = abs(x);
  if (x.isDouble()) {
    a = atMost(a, 7);
    return select(a < 1, centreOfErf(x), copysign(1 - tailOfErfc(select(a < 1, 1, a)), x));
  }
  a = atMost(a, 3.95);
  Num centre = fma(x, polynomial(x * x, c::erfCentref), x);
  return select(a < 1, centre, copysign(1 - expandExp(polynomial(a, c::erfTailf)), x));
}

Num fovea::expandErfc(Num x) {
  Num a = atMost(abs(x), 28);
  Num tail = tailOfErfc(select(a < 1, 1, a));
  return select(a < 1, 1 - centreOfErf(x), select(x < 0, 2 - tail, tail));
}

Num fovea::expandGeluErf(Num x) {
  if (x.isDouble()) {
    // x erfc(-x / sqrt 2) / 2, which keeps the digits of the negative tail.
    Num y = atLeast(x, -40), t = y * -0.70710678118654752, isTail = t >= 1;
    Num tail = gaussian(y, 0.5) * scaledErfc(select(isTail, t, 1));
    return y * 0.5 * select(isTail, tail, expandErf(y * 0.70710678118654752) + 1);
  }
  // Below the bound 1 + erf is 0; also x is bounded, so that -inf gives 0.
  Num y = atLeast(x, -5.56), e = quotientOfErf(atMost(y, 5.56) * 0.70710678118654752);
  Num half = y * 0.5;
  return fma(half, atLeast(atMost(e, 1), -1), half);
}

Num fovea::expandGeluTanh(Num x) {
  Num y = atLeast(x, x.isDouble() ? -30 : -10);
  Num inner = y * fma(y * y, 0.044715 * 0.79788456080286536, y.m->constant(0.79788456080286536, y));
  if (!x.isDouble()) {
    Num half = y * 0.5;
    return fma(half, quotientOfTanh(inner), half);
  }
  // x/2 (1 + tanh u) = x sigmoid(2u), which keeps the digits of the negative tail.
  return y * expandSigmoid(inner * 2);
}
