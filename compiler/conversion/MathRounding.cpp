#include "compiler/conversion/MathFunctions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fovea;

static const double kInfinity = std::numeric_limits<double>::infinity(),
                    kNaN = std::numeric_limits<double>::quiet_NaN();

Num fovea::expandRounding(Rounding mode, Num x) {
  // From 2^23 (2^52) on every number is an integer; below, adding and subtracting that rounds to the nearest even one.
  double unit = x.isDouble() ? 0x1p52 : 0x1p23;
  Num a = abs(x), y = (a + unit) - unit;
  switch (mode) {
  case Rounding::even:
    break;
  case Rounding::trunc:
    y = select(a < y, y - 1, y);
    break;
  case Rounding::away:
    // Exactly: y + 1/2 <= a if the tie went down.
    y = select(a - y >= 0.5, y + 1, y);
    break;
  case Rounding::floor:
  case Rounding::ceil: {
    Num z = copysign(y, x);
    Num moved = mode == Rounding::floor ? select(x < z, z - 1, z) : select(z < x, z + 1, z);
    return select(a < unit, copysign(moved, x), x);
  }
  }
  return select(a < unit, copysign(y, x), x);
}

/// x modulo y with the sign of x, exactly: multiples y 2^k are taken away, largest first, each of which leaves no
/// rounding.
Num fovea::expandRemainder(Num x, Num y) {
  MathBuilder &m = *x.m;
  OpBuilder &b = m.b;
  bool wide = x.isDouble();
  int64_t significand = wide ? 52 : 23, shift = wide ? 54 : 25;
  Num ax = abs(x), ay = abs(y);
  Num valid = (ax < kInfinity) & (ay > 0), run = valid & (ay < kInfinity);
  Num dividend = select(run, ax, 0), divisor = select(run, ay, 1);
  // The exponent, as if denormal numbers had one.
  auto exponent = [&](Num v) {
    Num tiny = v < (wide ? 0x1p-1022 : 0x1p-126);
    Num e = shiftRight(bits(select(tiny, v * std::ldexp(1.0, shift), v)), significand);
    return select(tiny, e - m.integer(shift, e), e);
  };
  Num divisorExponent = exponent(divisor);
  auto loop = scf::WhileOp::create(b, m.loc, TypeRange{dividend.v.getType()}, ValueRange{dividend.v});
  {
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, {dividend.v.getType()}, {m.loc});
    Num left = m.num(before->getArgument(0));
    Value any = (left >= divisor).v;
    if (isa<VectorType>(any.getType()))
      any = vector::ReductionOp::create(b, m.loc, vector::CombiningKind::OR, any);
    scf::ConditionOp::create(b, m.loc, any, left.v);
    Block *after = b.createBlock(&loop.getAfter(), {}, {dividend.v.getType()}, {m.loc});
    left = m.num(after->getArgument(0));
    Num more = left >= divisor;
    Num difference = exponent(left) - divisorExponent;
    // divisor * 2^difference in three steps, as the power itself may be none of the type's.
    Num third = shiftRight(difference, 2), rest = difference - third - third;
    Num restHalf = shiftRight(rest, 1);
    Num multiple = divisor * powerOfTwo(third, x) * powerOfTwo(third, x) * powerOfTwo(restHalf, x) *
                   powerOfTwo(rest - restHalf, x);
    multiple = select(left < multiple, multiple * 0.5, multiple);
    scf::YieldOp::create(b, m.loc, select(more, left - multiple, left).v);
  }
  Num result = copysign(m.num(loop.getResult(0)), x);
  // x mod inf = x
  result = select(valid & (ay == kInfinity), x, result);
  return select(valid, result, select(isNaN(x), x, select(isNaN(y), y, kNaN)));
}

Num fovea::expandExtendBF16(Num x, Type to) {
  MathBuilder &m = *x.m;
  Num half = m.make<arith::BitcastOp>(m.shaped(m.b.getI16Type(), x), x.v);
  Num wide = m.make<arith::ExtUIOp>(m.shaped(m.b.getI32Type(), x), half.v);
  Num single = m.make<arith::BitcastOp>(m.shaped(m.b.getF32Type(), x), shiftLeft(wide, 16).v);
  return getElementTypeOrSelf(to).isF32() ? single : m.make<arith::ExtFOp>(to, single.v);
}

Num fovea::toSingleOdd(Num x) {
  MathBuilder &m = *x.m;
  Num single = toSingle(x), back = toDouble(single), i = bits(single);
  Num towardZero = select(abs(x) < abs(back), i - m.integer(1, i), i);
  return select((back == x) | isNaN(x), single, fromBits(towardZero | m.integer(1, i), single));
}

Num fovea::expandTruncateBF16(Num x, Type to) {
  MathBuilder &m = *x.m;
  if (x.isDouble())
    x = toSingleOdd(x);
  // To nearest, ties to even; NaN keeps its upper bits and stays one.
  Num i = bits(x), odd = shiftRightUnsigned(i, 16) & m.integer(1, i);
  Num rounded = shiftRightUnsigned(i + odd + m.integer(0x7FFF, i), 16);
  Num quiet = shiftRightUnsigned(i, 16) | m.integer(0x40, i);
  Num half = m.make<arith::TruncIOp>(m.shaped(m.b.getI16Type(), x), select(isNaN(x), quiet, rounded).v);
  return m.make<arith::BitcastOp>(to, half.v);
}

Num fovea::expandExtendF16(Num x, Type to) {
  MathBuilder &m = *x.m;
  Num half = m.make<arith::BitcastOp>(m.shaped(m.b.getI16Type(), x), x.v);
  Num i = m.make<arith::ExtUIOp>(m.shaped(m.b.getI32Type(), x), half.v);
  // The exponent's bias by a multiplication, which makes denormal numbers normal too.
  Num like =
      m.num(m.make<arith::BitcastOp>(m.shaped(m.b.getF32Type(), x), shiftLeft(i & m.integer(0x7FFF, i), 13).v).v);
  Num finite = bits(like * 0x1p112), large = bits(like) | m.integer(0x7F800000, i);
  Num isLarge = m.compare(arith::CmpIPredicate::eq, i & m.integer(0x7C00, i), m.integer(0x7C00, i));
  Num single = fromBits(select(isLarge, large, finite) | shiftLeft(i & m.integer(0x8000, i), 16), like);
  return getElementTypeOrSelf(to).isF32() ? single : m.make<arith::ExtFOp>(to, single.v);
}

Num fovea::expandTruncateF16(Num x, Type to) {
  MathBuilder &m = *x.m;
  if (x.isDouble())
    x = toSingleOdd(x);
  Num a = abs(x), i = bits(a);
  // To nearest, ties to even: for normal numbers by adding to the bits, for smaller ones by adding what has their last
  // place as its own.
  Num odd = shiftRightUnsigned(i, 13) & m.integer(1, i);
  Num normal = shiftRightUnsigned(i + odd + m.integer(0xFFF - (112 << 23), i), 13);
  Num small = bits(a + 0.5) - m.integer(0x3F000000, i);
  Num result = select(a < 0x1p-14, small, select(a >= 65520, m.integer(0x7C00, i), normal));
  result = select(isNaN(x), m.integer(0x7E00, i), result) | (shiftRightUnsigned(bits(x), 16) & m.integer(0x8000, i));
  Num half = m.make<arith::TruncIOp>(m.shaped(m.b.getI16Type(), x), result.v);
  return m.make<arith::BitcastOp>(to, half.v);
}
