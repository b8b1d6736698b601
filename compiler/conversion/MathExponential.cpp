#include "compiler/conversion/ExpandMath.h"
#include "compiler/conversion/MathCoefficients.h"
#include "compiler/conversion/MathFunctions.h"

using namespace fovea;
namespace c = fovea::coefficients;

/// p * 2^n where the result may be denormal or overflow: in two steps, each a normal power.
static Num scale(Num p, Num n) {
  // The bits of n above its low ones are garbage; this extends the sign.
  int64_t spare = p.isDouble() ? 64 - 13 : 32 - 10;
  n = shiftRight(shiftLeft(n, spare), spare);
  Num half = shiftRight(n, 1);
  return p * powerOfTwo(half, p) * powerOfTwo(n - half, p);
}

/// e^r - 1 for |r| <= ln 2 / 2.
static Num smallExpm1(Num r) {
  Num q = r.isDouble() ? polynomial(r, c::expd) : polynomial(r, c::expf);
  return fma(r * r, q, r);
}

/// x - n ln 2 for the integer n that makes it small; exact but for the last rounding.
static Num reduce(Num x, Nearest &n) {
  n = nearest(x * 1.4426950408889634);
  const double *ln2 = x.isDouble() ? c::ln2d : c::ln2f;
  return fma(n.value, -ln2[1], fma(n.value, -ln2[0], x));
}

Num fovea::expandExp(Num x) {
  // Beyond these bounds the result is infinite or zero, and is so for the bounds too.
  x = x.isDouble() ? atLeast(atMost(x, 710), -746) : atLeast(atMost(x, 89), -104);
  Nearest n;
  Num r = reduce(x, n);
  return scale(smallExpm1(r) + 1, n.bits);
}

Num fovea::expandExp2(Num x) {
  x = x.isDouble() ? atLeast(atMost(x, 1025), -1076) : atLeast(atMost(x, 129), -151);
  Nearest n = nearest(x);
  Num r = x - n.value;
  Num p = x.isDouble() ? fma(r, polynomial(r, c::exp2d), 1) : polynomial(r, c::exp2Accuratef);
  return scale(p, n.bits);
}

mlir::Value fovea::emitExp2NonPositive(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value) {
  MathBuilder m(b, loc);
  Num x = m.num(value), clamped = atLeast(x, -126);
  // The nearest integer, of which the low bits come with the bias of an exponent.
  constexpr double kMagic = 0x1.8p23 + 127;
  Num shifted = clamped + kMagic, p = polynomial(clamped - (shifted - kMagic), c::exp2f);
  // A product, as a sum of bits would make numbers of some NaN.
  Num scaled = p * fromBits(shiftLeft(bits(shifted), 23), p);
  // Clamped ones are 0, as they are of a sum whose largest term is 1.
  return select(x < -126, 0, scaled).v;
}

Num fovea::expandExp2OfSum(Num high, Num low) {
  Num clamped = atLeast(atMost(high, 1025), -1076);
  Nearest n = nearest(clamped);
  Num r = (clamped - n.value) + low;
  return scale(fma(r, polynomial(r, c::exp2d), 1), n.bits);
}

Num fovea::expandExpm1(Num x) {
  Num clamped = atLeast(atMost(x, 710), -40);
  Nearest n;
  Num r = reduce(clamped, n);
  // 2^n (e^r - 1) + (2^n - 1), halved so that 2^n does not overflow before the sum does.
  Num half = powerOfTwo(n.bits - n.bits.m->integer(1, n.bits), x);
  Num sum = fma(half, smallExpm1(r), half - 0.5) * 2;
  // For n = 0 the sum is e^r - 1 without a rounding; the sign of zero is kept.
  return select(x == 0, x, sum);
}

Num fovea::expandSigmoid(Num x) {
  // e^-|x| never overflows, and for negative x the result is e^x times nearly 1.
  Num e = expandExp(-abs(x));
  Num s = 1 / (e + 1);
  return select(x < 0, e * s, s);
}

Num fovea::expandSilu(Num x) {
  // Where sigmoid has become 0, x may be as large as it likes.
  return atLeast(x, x.isDouble() ? -800 : -120) * expandSigmoid(x);
}

Num fovea::expandTanh(Num x) {
  if (x.isDouble()) {
    Num e = expandExpm1(atMost(abs(x), 20) * 2);
    return copysign(e / (e + 2), x);
  }
  // Near zero the polynomial, else 1 - 2 / (e^2a + 1), whose error counts for less the larger a is.
  Num a = atMost(abs(x), 10), z = x * x;
  Num centre = fma(x * z, polynomial(z, c::tanhCentref), x);
  Num outer = 1 - 2 / (expandExp(a + a) + 1);
  return select(a < 0.625, centre, copysign(outer, x));
}

Num fovea::expandSinh(Num x) {
  Num a = abs(x), e = expandExpm1(atMost(a, 709));
  // (e^a - e^-a) / 2; the last e^a that is finite is taken twice.
  Num small = (e + e / (e + 1)) * 0.5;
  Num half = expandExp(a * 0.5);
  return copysign(select(a > 700, half * 0.5 * half, small), x);
}

Num fovea::expandCosh(Num x) {
  Num half = expandExp(abs(x) * 0.5), e = half * half;
  return select(abs(x) > 700, half * 0.5 * half, (e + 1 / e) * 0.5);
}
