// Floating-point formulas as arith operations, written with operators. A Num is a scalar or a vector; constants become
// splats.
#ifndef FOVEA_COMPILER_CONVERSION_MATHBUILDER_H
#define FOVEA_COMPILER_CONVERSION_MATHBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

#include <cmath>
#include <limits>

namespace fovea {

class MathBuilder;

/// A value and the builder with which expressions of it are built.
struct Num {
  MathBuilder *m = nullptr;
  mlir::Value v;
  mlir::Type element() const { return mlir::getElementTypeOrSelf(v.getType()); }
  bool isDouble() const { return element().isF64(); }
};

class MathBuilder {
public:
  MathBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}
  Num num(mlir::Value v) { return {this, v}; }
  /// A constant of the type of `like`.
  Num constant(double c, Num like) {
    mlir::Type element = like.element();
    mlir::TypedAttr scalar = mlir::isa<mlir::FloatType>(element)
                                 ? mlir::TypedAttr(b.getFloatAttr(element, c))
                                 : mlir::TypedAttr(b.getIntegerAttr(element, static_cast<int64_t>(c)));
    return splat(scalar, like.v.getType());
  }
  Num integer(int64_t c, Num like) { return splat(b.getIntegerAttr(like.element(), c), like.v.getType()); }
  /// `like`'s shape with another element type.
  mlir::Type shaped(mlir::Type element, Num like) {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(like.v.getType()))
      return vector.clone(element);
    return element;
  }
  mlir::Type integerOf(Num like) { return shaped(b.getIntegerType(like.element().getIntOrFloatBitWidth()), like); }
  template <typename Op> Num make(mlir::Type type, mlir::ValueRange operands) {
    return num(Op::create(b, loc, type, operands));
  }
  template <typename Op> Num same(Num x) { return num(Op::create(b, loc, x.v)); }
  template <typename Op> Num same(Num x, Num y) { return num(Op::create(b, loc, x.v, y.v)); }

  Num compare(mlir::arith::CmpFPredicate p, Num x, Num y) {
    return num(mlir::arith::CmpFOp::create(b, loc, p, x.v, y.v));
  }
  Num compare(mlir::arith::CmpIPredicate p, Num x, Num y) {
    return num(mlir::arith::CmpIOp::create(b, loc, p, x.v, y.v));
  }
  Num select(Num c, Num x, Num y) { return num(mlir::arith::SelectOp::create(b, loc, c.v, x.v, y.v)); }

  mlir::OpBuilder &b;
  mlir::Location loc;

private:
  Num splat(mlir::TypedAttr scalar, mlir::Type type) {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
      scalar = mlir::DenseElementsAttr::get(vector, scalar);
    return num(mlir::arith::ConstantOp::create(b, loc, scalar));
  }
};

inline bool isInteger(Num x) { return mlir::isa<mlir::IntegerType>(x.element()); }
inline Num operator+(Num x, Num y) {
  return isInteger(x) ? x.m->same<mlir::arith::AddIOp>(x, y) : x.m->same<mlir::arith::AddFOp>(x, y);
}
inline Num operator-(Num x, Num y) {
  return isInteger(x) ? x.m->same<mlir::arith::SubIOp>(x, y) : x.m->same<mlir::arith::SubFOp>(x, y);
}
inline Num operator*(Num x, Num y) {
  return isInteger(x) ? x.m->same<mlir::arith::MulIOp>(x, y) : x.m->same<mlir::arith::MulFOp>(x, y);
}
inline Num operator/(Num x, Num y) { return x.m->same<mlir::arith::DivFOp>(x, y); }
inline Num operator+(Num x, double y) { return x + x.m->constant(y, x); }
inline Num operator-(Num x, double y) { return x - x.m->constant(y, x); }
inline Num operator*(Num x, double y) { return x * x.m->constant(y, x); }
inline Num operator-(double x, Num y) { return y.m->constant(x, y) - y; }
inline Num operator/(double x, Num y) { return y.m->constant(x, y) / y; }
inline Num operator-(Num x) { return x.m->same<mlir::arith::NegFOp>(x); }
inline Num operator&(Num x, Num y) { return x.m->same<mlir::arith::AndIOp>(x, y); }
inline Num operator|(Num x, Num y) { return x.m->same<mlir::arith::OrIOp>(x, y); }
inline Num operator^(Num x, Num y) { return x.m->same<mlir::arith::XOrIOp>(x, y); }
/// Comparisons give i1, false if an operand is NaN; nan(x) is true for NaN only.
inline Num operator<(Num x, Num y) { return x.m->compare(mlir::arith::CmpFPredicate::OLT, x, y); }
inline Num operator<(Num x, double y) { return x < x.m->constant(y, x); }
inline Num operator>(Num x, double y) { return x.m->constant(y, x) < x; }
inline Num operator>=(Num x, Num y) { return x.m->compare(mlir::arith::CmpFPredicate::OGE, x, y); }
inline Num operator>=(Num x, double y) { return x >= x.m->constant(y, x); }
inline Num operator==(Num x, Num y) { return x.m->compare(mlir::arith::CmpFPredicate::OEQ, x, y); }
inline Num operator==(Num x, double y) { return x == x.m->constant(y, x); }
inline Num isNaN(Num x) { return x.m->compare(mlir::arith::CmpFPredicate::UNO, x, x); }
inline Num select(Num c, Num x, Num y) { return c.m->select(c, x, y); }
inline Num select(Num c, double x, Num y) { return c.m->select(c, c.m->constant(x, y), y); }
inline Num select(Num c, Num x, double y) { return c.m->select(c, x, c.m->constant(y, x)); }
inline Num negate(Num c) { return c ^ c.m->integer(1, c); }
/// x*y + z, fused where the machine has that.
inline Num fma(Num x, Num y, Num z) { return x.m->num(mlir::LLVM::FMulAddOp::create(x.m->b, x.m->loc, x.v, y.v, z.v)); }
inline Num fma(Num x, double y, Num z) { return fma(x, x.m->constant(y, x), z); }
inline Num fma(Num x, Num y, double z) { return fma(x, y, x.m->constant(z, x)); }
inline Num abs(Num x) { return x.m->same<mlir::math::AbsFOp>(x); }
inline Num copysign(Num x, Num sign) { return x.m->same<mlir::math::CopySignOp>(x, sign); }
inline Num sqrt(Num x) { return x.m->same<mlir::math::SqrtOp>(x); }
/// x, but at least (at most) the constant; NaN stays NaN. One instruction.
inline Num atLeast(Num x, double c) { return select(x < c, c, x); }
inline Num atMost(Num x, double c) { return select(x > c, c, x); }
inline Num bits(Num x) { return x.m->make<mlir::arith::BitcastOp>(x.m->integerOf(x), x.v); }
inline Num fromBits(Num i, Num like) { return i.m->make<mlir::arith::BitcastOp>(like.v.getType(), i.v); }
inline Num shiftLeft(Num i, int64_t n) { return i.m->same<mlir::arith::ShLIOp>(i, i.m->integer(n, i)); }
inline Num shiftRight(Num i, int64_t n) { return i.m->same<mlir::arith::ShRSIOp>(i, i.m->integer(n, i)); }
inline Num shiftRightUnsigned(Num i, int64_t n) { return i.m->same<mlir::arith::ShRUIOp>(i, i.m->integer(n, i)); }
inline Num toDouble(Num x) { return x.m->make<mlir::arith::ExtFOp>(x.m->shaped(x.m->b.getF64Type(), x), x.v); }
inline Num toSingle(Num x) { return x.m->make<mlir::arith::TruncFOp>(x.m->shaped(x.m->b.getF32Type(), x), x.v); }
inline Num toFloat(Num i, Num like) { return i.m->make<mlir::arith::SIToFPOp>(like.v.getType(), i.v); }

/// c[0] + c[1] x + c[2] x^2 + ..., by Horner's rule.
template <size_t N> Num polynomial(Num x, const double (&c)[N]) {
  Num sum = x.m->constant(c[N - 1], x);
  for (size_t i = N - 1; i-- > 0;)
    sum = fma(sum, x, c[i]);
  return sum;
}

/// An integer nearest to x, as a float and in the low bits of an integer, for |x| < 2^21 (f32) or 2^50 (f64): what is
/// added puts the unit into the last place of the significand.
struct Nearest {
  Num value, bits; ///< `bits`: the low bits hold the integer; the rest is of no meaning
};
inline Nearest nearest(Num x) {
  double magic = x.isDouble() ? 0x1.8p52 : 0x1.8p23;
  Num shifted = x + magic;
  return {shifted - magic, bits(shifted)};
}

/// 2^n for n in the low bits of `n`, which is a normal number: the exponent is set.
inline Num powerOfTwo(Num n, Num like) {
  return like.isDouble() ? fromBits(shiftLeft(n + n.m->integer(1023, n), 52), like)
                         : fromBits(shiftLeft(n + n.m->integer(127, n), 23), like);
}

} // namespace fovea

#endif // FOVEA_COMPILER_CONVERSION_MATHBUILDER_H
