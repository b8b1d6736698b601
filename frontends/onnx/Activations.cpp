// Activations that are formulas of one element and a few attributes, with ONNX's defaults for those.
#include "frontends/onnx/Importer.h"

#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea::frontend;
using arith::CmpFPredicate;

namespace {
/// A float that is computed with, or a number that takes the type of the other operand.
class Formula {
public:
  Formula(OpBuilder &b, Location loc, Value v) : b(b), loc(loc), v(v) {}
  Formula number(double x) const { return with(arith::ConstantOp::create(b, loc, b.getFloatAttr(v.getType(), x))); }
  Formula with(Value x) const { return Formula(b, loc, x); }
  template <typename Op> Formula apply() const { return with(Op::create(b, loc, v)); }
  template <typename Op> Formula apply(const Formula &y) const { return with(Op::create(b, loc, v, y.v)); }
  Formula operator+(const Formula &y) const { return apply<arith::AddFOp>(y); }
  Formula operator-(const Formula &y) const { return apply<arith::SubFOp>(y); }
  Formula operator*(const Formula &y) const { return apply<arith::MulFOp>(y); }
  Formula operator/(const Formula &y) const { return apply<arith::DivFOp>(y); }
  Formula operator+(double y) const { return *this + number(y); }
  Formula operator-(double y) const { return *this - number(y); }
  Formula operator*(double y) const { return *this * number(y); }
  Formula max(double y) const { return apply<arith::MaximumFOp>(number(y)); }
  Formula min(double y) const { return apply<arith::MinimumFOp>(number(y)); }
  Formula exp() const { return apply<math::ExpOp>(); }
  Formula abs() const { return apply<math::AbsFOp>(); }
  /// `yes` where this is greater than y, else `no`: also where it is NaN.
  Formula above(double y, const Formula &yes, const Formula &no) const {
    Value hit = arith::CmpFOp::create(b, loc, CmpFPredicate::OGT, v, number(y).v);
    return with(arith::SelectOp::create(b, loc, hit, yes.v, no.v));
  }
  /// e^x - 1, precise near 0.
  Formula expm1() const { return apply<math::ExpM1Op>(); }

  OpBuilder &b;
  Location loc;
  Value v;
};
} // namespace

using Activation = Formula (*)(const Formula &x, const Node &node);

template <Activation f> static void importActivation(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  im.setOutput(node, 0, im.map(in, im.elementType(in), [&](OpBuilder &b, Location loc, ValueRange e) {
    return f(Formula(b, loc, e[0]), node).v;
  }));
}

static Formula leakyRelu(const Formula &x, const Node &node) { return x.above(0, x, x * node.number("alpha", 0.01f)); }

static Formula elu(const Formula &x, const Node &node) { return x.above(0, x, x.expm1() * node.number("alpha", 1)); }

static Formula selu(const Formula &x, const Node &node) {
  double alpha = node.number("alpha", 1.67326319217681884765625),
         gamma = node.number("gamma", 1.05070102214813232421875);
  return x.above(0, x, x.expm1() * alpha) * gamma;
}

static Formula celu(const Formula &x, const Node &node) {
  double alpha = node.number("alpha", 1);
  return x.above(0, x, (x / x.number(alpha)).expm1() * alpha);
}

static Formula hardSigmoid(const Formula &x, const Node &node) {
  return (x * node.number("alpha", 0.2f) + node.number("beta", 0.5)).max(0).min(1);
}

static Formula hardSwish(const Formula &x, const Node &) { return x * (x * (1.0 / 6) + 0.5).max(0).min(1); }

/// log(1 + e^x) that does not overflow: max(x, 0) + log(1 + e^-|x|).
static Formula softplusOf(const Formula &x) {
  return x.max(0) + x.abs().apply<arith::NegFOp>().exp().apply<math::Log1pOp>();
}

static Formula softplus(const Formula &x, const Node &) { return softplusOf(x); }
static Formula softsign(const Formula &x, const Node &) { return x / (x.abs() + 1); }
static Formula mish(const Formula &x, const Node &) { return x * softplusOf(x).apply<math::TanhOp>(); }

static Formula thresholdedRelu(const Formula &x, const Node &node) {
  return x.above(node.number("alpha", 1), x, x.number(0));
}

/// Of any number type: x + bias below -lambd, x - bias above lambd, else 0.
static void importShrink(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Type element = im.elementType(in);
  // Integers are computed in f64.
  Value wide = isa<FloatType>(element) ? in : im.cast(in, im.b.getF64Type(), im.isUnsigned(node, 0));
  double bias = node.number("bias", 0), lambd = node.number("lambd", 0.5);
  Value out = im.map(wide, im.elementType(wide), [&](OpBuilder &b, Location loc, ValueRange e) {
    Formula x(b, loc, e[0]);
    Formula low = x.apply<arith::NegFOp>().above(lambd, x + bias, x.number(0));
    return x.above(lambd, x - bias, low).v;
  });
  im.setOutput(node, 0, im.cast(out, element, false, im.isUnsigned(node, 0)));
}

static void importPRelu(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  im.checkTypes(in);
  im.setOutput(node, 0, im.map(in, im.elementType(in[0]), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    if (isa<FloatType>(e[0].getType())) {
      Formula x(b, loc, e[0]);
      return x.above(0, x, x * x.with(e[1])).v;
    }
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(e[0].getType()));
    auto below = im.isUnsigned(node, 0) ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt;
    Value negative = arith::CmpIOp::create(b, loc, below, e[0], zero);
    return arith::SelectOp::create(b, loc, negative, arith::MulIOp::create(b, loc, e[0], e[1]), e[0]);
  }));
}

static RegisterOps family{
    {"LeakyRelu", importActivation<leakyRelu>},
    {"Elu", importActivation<elu>},
    {"Selu", importActivation<selu>},
    {"Celu", importActivation<celu>},
    {"HardSigmoid", importActivation<hardSigmoid>},
    {"HardSwish", importActivation<hardSwish>, 14},
    {"Softplus", importActivation<softplus>},
    {"Softsign", importActivation<softsign>},
    {"Mish", importActivation<mish>, 18},
    {"ThresholdedRelu", importActivation<thresholdedRelu>},
    {"Shrink", importShrink},
    {"PRelu", importPRelu},
};
