// Scalar operations of arith and math.
#include "compiler/reference/Evaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace fovea::reference;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

/// An integer wraps around at the width of the result.
static int64_t wrap(int64_t v, const Step &s) {
  if (s.width == 1)
    return v & 1;
  return s.width >= 64 ? v : static_cast<int64_t>(static_cast<uint64_t>(v) << (64 - s.width)) >> (64 - s.width);
}
static uint64_t unsignedValue(int64_t v, unsigned width) {
  return width >= 64 ? static_cast<uint64_t>(v) : static_cast<uint64_t>(v) & ((uint64_t(1) << width) - 1);
}

using FloatUnary = double (*)(double);
using FloatBinary = double (*)(double, double);
using IntBinary = int64_t (*)(int64_t, int64_t);

template <FloatUnary f> static StepFunction unary(Operation *, Step &) {
  return [](const Step &s, Frame &fr) { fr.out(s).f = f(fr.in(s, 0).f); };
}
template <FloatBinary f> static StepFunction binary(Operation *, Step &) {
  return [](const Step &s, Frame &fr) { fr.out(s).f = f(fr.in(s, 0).f, fr.in(s, 1).f); };
}
template <IntBinary f> static StepFunction integer(Operation *, Step &) {
  return [](const Step &s, Frame &fr) { fr.out(s).i = wrap(f(fr.in(s, 0).i, fr.in(s, 1).i), s); };
}
using UnsignedBinary = uint64_t (*)(uint64_t, uint64_t);
template <UnsignedBinary f> static StepFunction natural(Operation *, Step &) {
  return [](const Step &s, Frame &fr) {
    fr.out(s).i = wrap(f(unsignedValue(fr.in(s, 0).i, s.width), unsignedValue(fr.in(s, 1).i, s.width)), s);
  };
}

//===-- Floats ===//

static double maximum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : a == b ? (std::signbit(a) ? b : a) : a > b ? a : b;
}
static double minimum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : a == b ? (std::signbit(a) ? a : b) : a < b ? a : b;
}
static double maxNum(double a, double b) { return std::isnan(a) ? b : std::isnan(b) ? a : maximum(a, b); }
static double minNum(double a, double b) { return std::isnan(a) ? b : std::isnan(b) ? a : minimum(a, b); }
static double add(double a, double b) { return a + b; }
static double sub(double a, double b) { return a - b; }
static double mul(double a, double b) { return a * b; }
static double div(double a, double b) { return a / b; }
static double neg(double a) { return -a; }
static double rsqrt(double a) { return 1 / std::sqrt(a); }
static double roundEven(double a) { return std::nearbyint(a); }

static bool compare(CmpFPredicate predicate, double a, double b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  switch (predicate) {
  case CmpFPredicate::AlwaysFalse:
    return false;
  case CmpFPredicate::AlwaysTrue:
    return true;
  case CmpFPredicate::ORD:
    return !unordered;
  case CmpFPredicate::UNO:
    return unordered;
  case CmpFPredicate::OEQ:
    return !unordered && a == b;
  case CmpFPredicate::OGT:
    return !unordered && a > b;
  case CmpFPredicate::OGE:
    return !unordered && a >= b;
  case CmpFPredicate::OLT:
    return !unordered && a < b;
  case CmpFPredicate::OLE:
    return !unordered && a <= b;
  case CmpFPredicate::ONE:
    return !unordered && a != b;
  case CmpFPredicate::UEQ:
    return unordered || a == b;
  case CmpFPredicate::UGT:
    return unordered || a > b;
  case CmpFPredicate::UGE:
    return unordered || a >= b;
  case CmpFPredicate::ULT:
    return unordered || a < b;
  case CmpFPredicate::ULE:
    return unordered || a <= b;
  case CmpFPredicate::UNE:
    return unordered || a != b;
  }
  llvm_unreachable("all predicates are handled");
}

static StepFunction compareFloats(Operation *op, Step &step) {
  step.attribute = static_cast<int64_t>(cast<arith::CmpFOp>(op).getPredicate());
  return [](const Step &s, Frame &f) {
    f.out(s).i = compare(static_cast<CmpFPredicate>(s.attribute), f.in(s, 0).f, f.in(s, 1).f);
  };
}

//===-- Integers ===//

// Sums and products wrap around, which only unsigned numbers may do.
static int64_t addInt(int64_t a, int64_t b) { return static_cast<uint64_t>(a) + static_cast<uint64_t>(b); }
static int64_t subInt(int64_t a, int64_t b) { return static_cast<uint64_t>(a) - static_cast<uint64_t>(b); }
static int64_t mulInt(int64_t a, int64_t b) { return static_cast<uint64_t>(a) * static_cast<uint64_t>(b); }
static int64_t divInt(int64_t a, int64_t b) {
  if (b == 0)
    fault("an integer is divided by 0");
  return b == -1 ? subInt(0, a) : a / b;
}
static int64_t remInt(int64_t a, int64_t b) {
  if (b == 0)
    fault("an integer is divided by 0");
  return b == -1 ? 0 : a % b;
}
static int64_t floorDiv(int64_t a, int64_t b) { return divInt(a, b) - (remInt(a, b) != 0 && (a < 0) != (b < 0)); }
static int64_t ceilDiv(int64_t a, int64_t b) { return divInt(a, b) + (remInt(a, b) != 0 && (a < 0) == (b < 0)); }
static int64_t maxInt(int64_t a, int64_t b) { return std::max(a, b); }
static int64_t minInt(int64_t a, int64_t b) { return std::min(a, b); }
static int64_t andInt(int64_t a, int64_t b) { return a & b; }
static int64_t orInt(int64_t a, int64_t b) { return a | b; }
static int64_t xorInt(int64_t a, int64_t b) { return a ^ b; }
static int64_t shiftLeft(int64_t a, int64_t b) { return b < 64 ? static_cast<uint64_t>(a) << b : 0; }
static int64_t shiftRight(int64_t a, int64_t b) { return a >> std::min<int64_t>(b, 63); }
static int64_t powInt(int64_t a, int64_t b) {
  if (b < 0)
    return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
  int64_t result = 1;
  for (; b > 0; b >>= 1, a = mulInt(a, a))
    if (b & 1)
      result = mulInt(result, a);
  return result;
}

static uint64_t divUnsigned(uint64_t a, uint64_t b) {
  if (b == 0)
    fault("an integer is divided by 0");
  return a / b;
}
static uint64_t remUnsigned(uint64_t a, uint64_t b) {
  if (b == 0)
    fault("an integer is divided by 0");
  return a % b;
}
static uint64_t maxUnsigned(uint64_t a, uint64_t b) { return std::max(a, b); }
static uint64_t minUnsigned(uint64_t a, uint64_t b) { return std::min(a, b); }
static uint64_t shiftRightUnsigned(uint64_t a, uint64_t b) { return b < 64 ? a >> b : 0; }

static StepFunction compareIntegers(Operation *op, Step &step) {
  step.attribute = static_cast<int64_t>(cast<arith::CmpIOp>(op).getPredicate());
  Type type = op->getOperand(0).getType();
  step.width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return [](const Step &s, Frame &f) {
    int64_t a = f.in(s, 0).i, b = f.in(s, 1).i;
    if (s.width == 1) // as signed numbers: true is -1
      a = -a, b = -b;
    uint64_t ua = unsignedValue(a, s.width), ub = unsignedValue(b, s.width);
    bool truth = false;
    switch (static_cast<CmpIPredicate>(s.attribute)) {
    case CmpIPredicate::eq:
      truth = a == b;
      break;
    case CmpIPredicate::ne:
      truth = a != b;
      break;
    case CmpIPredicate::slt:
      truth = a < b;
      break;
    case CmpIPredicate::sle:
      truth = a <= b;
      break;
    case CmpIPredicate::sgt:
      truth = a > b;
      break;
    case CmpIPredicate::sge:
      truth = a >= b;
      break;
    case CmpIPredicate::ult:
      truth = ua < ub;
      break;
    case CmpIPredicate::ule:
      truth = ua <= ub;
      break;
    case CmpIPredicate::ugt:
      truth = ua > ub;
      break;
    case CmpIPredicate::uge:
      truth = ua >= ub;
      break;
    }
    f.out(s).i = truth;
  };
}

//===-- Conversions ===//

static StepFunction copyInteger(Operation *op, Step &) {
  // A bool is 0 or 1 here; read as a signed number, true is -1.
  if (isa<arith::ExtSIOp, arith::IndexCastOp, arith::SIToFPOp>(op) && op->getOperand(0).getType().isInteger(1))
    return [](const Step &s, Frame &f) { f.out(s).i = wrap(-f.in(s, 0).i, s); };
  return [](const Step &s, Frame &f) { f.out(s).i = wrap(f.in(s, 0).i, s); };
}

/// Zero extension: the bits of the source.
static StepFunction extendUnsigned(Operation *op, Step &step) {
  Type from = op->getOperand(0).getType();
  step.attribute = from.isIndex() ? 64 : from.getIntOrFloatBitWidth();
  return [](const Step &s, Frame &f) { f.out(s).i = wrap(unsignedValue(f.in(s, 0).i, s.attribute), s); };
}

static StepFunction toFloat(Operation *op, Step &step) {
  Type from = op->getOperand(0).getType();
  step.attribute = from.isIndex() ? 64 : from.getIntOrFloatBitWidth();
  if (isa<arith::UIToFPOp>(op))
    return [](const Step &s, Frame &f) {
      uint64_t v = unsignedValue(f.in(s, 0).i, s.attribute);
      f.out(s).f = s.type.isF32() ? static_cast<float>(v) : static_cast<double>(v);
    };
  return [](const Step &s, Frame &f) {
    int64_t v = s.attribute == 1 ? -f.in(s, 0).i : f.in(s, 0).i;
    // Not by way of double: an int64 is rounded once.
    f.out(s).f = s.type.isF32() ? static_cast<float>(v) : static_cast<double>(v);
  };
}

static StepFunction toInteger(Operation *, Step &) {
  return [](const Step &s, Frame &f) {
    double v = f.in(s, 0).f;
    // Out of range is undefined in ONNX; what x86 gives.
    bool fits = v >= -9223372036854775808.0 && v < 9223372036854775808.0;
    f.out(s).i = wrap(fits ? static_cast<int64_t>(v) : std::numeric_limits<int64_t>::min(), s);
  };
}

static StepFunction toUnsigned(Operation *, Step &) {
  return [](const Step &s, Frame &f) {
    double v = f.in(s, 0).f;
    bool fits = v > -1.0 && v < 18446744073709551616.0;
    f.out(s).i = wrap(fits ? static_cast<int64_t>(static_cast<uint64_t>(v)) : -1, s);
  };
}

static StepFunction roundFloat(Operation *, Step &) {
  return [](const Step &s, Frame &f) { f.out(s) = roundTo(s.type, f.in(s, 0)); };
}

static StepFunction select(Operation *, Step &) {
  return [](const Step &s, Frame &f) { f.out(s) = f.in(s, 0).i ? f.in(s, 1) : f.in(s, 2); };
}

static StepFunction fusedMultiplyAdd(Operation *, Step &) {
  return [](const Step &s, Frame &f) { f.out(s).f = std::fma(f.in(s, 0).f, f.in(s, 1).f, f.in(s, 2).f); };
}

static StepFunction absoluteInteger(Operation *, Step &) {
  return
      [](const Step &s, Frame &f) { f.out(s).i = wrap(f.in(s, 0).i < 0 ? subInt(0, f.in(s, 0).i) : f.in(s, 0).i, s); };
}

static RegisterSteps arithSteps{
    {"arith.addf", binary<add>},
    {"arith.subf", binary<sub>},
    {"arith.mulf", binary<mul>},
    {"arith.divf", binary<div>},
    {"arith.remf", binary<std::fmod>},
    {"arith.maximumf", binary<maximum>},
    {"arith.minimumf", binary<minimum>},
    {"arith.maxnumf", binary<maxNum>},
    {"arith.minnumf", binary<minNum>},
    {"arith.negf", unary<neg>},
    {"arith.cmpf", compareFloats},
    {"arith.addi", integer<addInt>},
    {"arith.subi", integer<subInt>},
    {"arith.muli", integer<mulInt>},
    {"arith.divui", natural<divUnsigned>},
    {"arith.remui", natural<remUnsigned>},
    {"arith.maxui", natural<maxUnsigned>},
    {"arith.minui", natural<minUnsigned>},
    {"arith.shrui", natural<shiftRightUnsigned>},
    {"arith.divsi", integer<divInt>},
    {"arith.remsi", integer<remInt>},
    {"arith.floordivsi", integer<floorDiv>},
    {"arith.ceildivsi", integer<ceilDiv>},
    {"arith.maxsi", integer<maxInt>},
    {"arith.minsi", integer<minInt>},
    {"arith.andi", integer<andInt>},
    {"arith.ori", integer<orInt>},
    {"arith.xori", integer<xorInt>},
    {"arith.shli", integer<shiftLeft>},
    {"arith.shrsi", integer<shiftRight>},
    {"arith.cmpi", compareIntegers},
    {"arith.select", select},
    {"arith.index_cast", copyInteger},
    {"arith.index_castui", extendUnsigned},
    {"arith.extsi", copyInteger},
    {"arith.extui", extendUnsigned},
    {"arith.trunci", copyInteger},
    {"arith.sitofp", toFloat},
    {"arith.uitofp", toFloat},
    {"arith.fptosi", toInteger},
    {"arith.fptoui", toUnsigned},
    {"arith.extf", roundFloat},
    {"arith.truncf", roundFloat},
};

static RegisterSteps mathSteps{
    {"math.absf", unary<std::fabs>},   {"math.absi", absoluteInteger},       {"math.ceil", unary<std::ceil>},
    {"math.floor", unary<std::floor>}, {"math.roundeven", unary<roundEven>}, {"math.round", unary<std::round>},
    {"math.trunc", unary<std::trunc>}, {"math.sqrt", unary<std::sqrt>},      {"math.rsqrt", unary<rsqrt>},
    {"math.exp", unary<std::exp>},     {"math.exp2", unary<std::exp2>},      {"math.expm1", unary<std::expm1>},
    {"math.log", unary<std::log>},     {"math.log2", unary<std::log2>},      {"math.log1p", unary<std::log1p>},
    {"math.erf", unary<std::erf>},     {"math.tanh", unary<std::tanh>},      {"math.sin", unary<std::sin>},
    {"math.cos", unary<std::cos>},     {"math.tan", unary<std::tan>},        {"math.atan", unary<std::atan>},
    {"math.powf", binary<std::pow>},   {"math.ipowi", integer<powInt>},      {"math.copysign", binary<std::copysign>},
    {"math.acos", unary<std::acos>},   {"math.acosh", unary<std::acosh>},    {"math.asin", unary<std::asin>},
    {"math.asinh", unary<std::asinh>}, {"math.atanh", unary<std::atanh>},    {"math.sinh", unary<std::sinh>},
    {"math.cosh", unary<std::cosh>},   {"math.fma", fusedMultiplyAdd},
};
