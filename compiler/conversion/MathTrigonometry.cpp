#include "compiler/conversion/MathCoefficients.h"
#include "compiler/conversion/MathFunctions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fovea;
namespace c = fovea::coefficients;

static const double kInfinity = std::numeric_limits<double>::infinity(),
                    kNaN = std::numeric_limits<double>::quiet_NaN();

namespace {
/// x = quadrant * pi / 2 + r, |r| <= pi / 4; the quadrant stands in the two low bits.
struct Reduced {
  Num r, low, quadrant; ///< `low` is what r lacks
};
} // namespace

/// For |x| <= 2^20: the products with the first two parts of pi / 2 are exact.
static Reduced reduceNear(Num x) {
  Nearest n = nearest(x * 0.63661977236758134308);
  Num t = (x - n.value * c::halfPid[0]) - n.value * c::halfPid[1], w = n.value * c::halfPid[2];
  Num r = t - w;
  return {r, (t - r) - w, n.bits};
}

/// For any finite x: x / (pi / 2) modulo 4 from exact products of the halves of x with 24 bits of 2 / pi at a time.
static Reduced reduceFar(Num x) {
  MathBuilder &m = *x.m;
  OpBuilder &b = m.b;
  x = x * 0x1p-200;
  Num high = fromBits(bits(x) & m.integer(static_cast<int64_t>(0xFFFFFFFFF8000000ull), bits(x)), x), low = x - high;
  auto modulo4 = [&](Num v) {
    Num q = v * 0.25, magic = nearest(q).value;
    // v has at most 51 bits: from 2^53 on it is a multiple of 4.
    Num whole = select(abs(q) < 0x1p51, magic, q);
    return v - whole * 4;
  };
  auto type = VectorType::get(std::size(c::twoOverPi), b.getF64Type());
  Value table = arith::ConstantOp::create(b, m.loc, DenseElementsAttr::get(type, ArrayRef<double>(c::twoOverPi)));
  auto index = [&](int64_t i) -> Value { return arith::ConstantIndexOp::create(b, m.loc, i); };
  Value zero = m.constant(0, x).v;
  auto loop = scf::ForOp::create(b, m.loc, index(0), index(std::size(c::twoOverPi)), index(1), ValueRange{zero, zero});
  Num s, e;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(loop.getBody());
    Value entry = vector::ExtractOp::create(b, m.loc, table, OpFoldResult(loop.getInductionVar()));
    if (isa<VectorType>(x.v.getType()))
      entry = vector::BroadcastOp::create(b, m.loc, x.v.getType(), entry);
    s = m.num(loop.getRegionIterArg(0)), e = m.num(loop.getRegionIterArg(1));
    for (Num part : {high, low}) {
      Num term = modulo4(part * m.num(entry)), total = s + term, back = total - s;
      e = e + ((s - (total - back)) + (term - back));
      s = modulo4(total);
    }
    scf::YieldOp::create(b, m.loc, ValueRange{s.v, e.v});
  }
  s = m.num(loop.getResult(0)), e = m.num(loop.getResult(1));
  Nearest n = nearest(s + e);
  Num head = s - n.value, f = head + e, fLow = (head - f) + e;
  // Times pi / 2, in two parts.
  Num cut = fromBits(bits(f) & m.integer(static_cast<int64_t>(0xFFFFFFFFF8000000ull), bits(f)), f),
      rest = (f - cut) + fLow;
  constexpr double piHead = 0x1.921fb5p0, piRest = 0x1.110b4611a6263p-26;
  Num large = cut * piHead, small = cut * piRest + rest * (piHead + piRest);
  Num r = large + small;
  return {r, (large - r) + small, n.bits};
}

static Reduced reduce(Num x) {
  MathBuilder &m = *x.m;
  OpBuilder &b = m.b;
  Reduced near = reduceNear(x);
  Value far = (abs(x) > 0x1p20).v;
  if (isa<VectorType>(far.getType()))
    far = vector::ReductionOp::create(b, m.loc, vector::CombiningKind::OR, far);
  SmallVector<Type> types = {near.r.v.getType(), near.low.v.getType(), near.quadrant.v.getType()};
  auto branch = scf::IfOp::create(b, m.loc, types, far, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&branch.getThenRegion().front());
  Num isFar = abs(x) > 0x1p20;
  Reduced exact = reduceFar(select(isFar & (abs(x) < kInfinity), x, 0));
  scf::YieldOp::create(b, m.loc,
                       ValueRange{select(isFar, exact.r, near.r).v, select(isFar, exact.low, near.low).v,
                                  select(isFar, exact.quadrant, near.quadrant).v});
  b.setInsertionPointToEnd(&branch.getElseRegion().front());
  scf::YieldOp::create(b, m.loc, ValueRange{near.r.v, near.low.v, near.quadrant.v});
  return {m.num(branch.getResult(0)), m.num(branch.getResult(1)), m.num(branch.getResult(2))};
}

Num fovea::expandCircular(Circular function, Num x) {
  MathBuilder &m = *x.m;
  Reduced reduced = reduce(x);
  Num r = reduced.r, z = r * r, one = m.integer(1, reduced.quadrant), two = m.integer(2, reduced.quadrant),
      zero = m.integer(0, reduced.quadrant);
  Num cubic = fma(r * z, polynomial(z, c::sind), reduced.low), sine = r + select(x == 0, x * 0, cubic);
  Num halfSquare = z * 0.5, head = 1 - halfSquare;
  Num cosine = head + (((1 - head) - halfSquare) + fma(z * z, polynomial(z, c::cosd), -(r * reduced.low)));
  auto bit = [&](Num i, Num which) { return m.compare(arith::CmpIPredicate::ne, i & which, zero); };
  Num swapped = bit(reduced.quadrant, one), y;
  if (function == Circular::tan) {
    y = select(swapped, -cosine, sine) / select(swapped, sine, cosine);
  } else {
    Num quadrant = function == Circular::cos ? reduced.quadrant + one : reduced.quadrant;
    swapped = bit(quadrant, one);
    y = select(swapped, cosine, sine);
    y = select(bit(quadrant, two), -y, y);
  }
  if (function != Circular::cos)
    y = select(x == 0, x, y);
  return select(abs(x) < kInfinity, y, kNaN);
}

/// atan of a number in [0, inf).
static Num atanOfPositive(Num a) {
  // Down to |t| <= tan(pi / 8): by 1 / a above 1 + sqrt 2, by (a - 1) / (a + 1) above sqrt 2 - 1.
  Num large = a > 2.41421356237309504880, middle = a > 0.41421356237309504880;
  Num t = select(large, -1.0 / a, select(middle, (a - 1) / (a + 1), a));
  Num z = t * t, p = fma(t * z, polynomial(z, c::atand), t);
  Num base = select(large, a.m->constant(1.5707963267948966, a), select(middle, 0.78539816339744831, a * 0));
  Num low = select(large, a.m->constant(6.123233995736766e-17, a), select(middle, 3.061616997868383e-17, a * 0));
  return select(middle, base + (low + p), p);
}

Num fovea::expandAtan(Num x) {
  return copysign(select(abs(x) == kInfinity, 1.5707963267948966, atanOfPositive(abs(x))), x);
}

Num fovea::expandAtan2(Num y, Num x) {
  Num a = abs(x), o = abs(y);
  Num both = (a == kInfinity) & (o == kInfinity), none = (a == 0) & (o == 0);
  Num ratio = select(both, 1, select(none, 0, o / a));
  Num angle = select(ratio == kInfinity, 1.5707963267948966, atanOfPositive(ratio));
  Num negative = x.m->compare(arith::CmpIPredicate::slt, bits(x), x.m->integer(0, bits(x)));
  angle = select(negative, 3.1415926535897931 - (angle - 1.2246467991473532e-16), angle);
  return copysign(select(isNaN(x) | isNaN(y), kNaN, angle), y);
}

Num fovea::expandAsin(Num x) {
  // tan(asin x) = x / sqrt((1 - x)(1 + x))
  Num root = sqrt((1 - x) * (x + 1));
  Num angle = expandAtan(x / root);
  return select(abs(x) > 1, kNaN, select(abs(x) < 0x1p-27, x, angle));
}

Num fovea::expandAcos(Num x) {
  // tan(acos(x) / 2) = sqrt((1 - x) / (1 + x))
  return select(abs(x) > 1, kNaN, expandAtan(sqrt((1 - x) / (x + 1))) * 2);
}
