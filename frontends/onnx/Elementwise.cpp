// Arithmetic, comparisons, logic, casts and activations, element by element.
#include "frontends/onnx/Importer.h"

#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea::frontend;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static Value number(OpBuilder &b, Location loc, Type type, double value) {
  TypedAttr attribute =
      isa<FloatType>(type) ? TypedAttr(b.getFloatAttr(type, value)) : TypedAttr(b.getIntegerAttr(type, value));
  return arith::ConstantOp::create(b, loc, attribute);
}

static bool isFloat(Value v) { return isa<FloatType>(getElementTypeOrSelf(v.getType())); }

/// All inputs of a node as tensors.
static SmallVector<Value> inputsOf(Importer &im, const Node &node) {
  SmallVector<Value> inputs;
  for (unsigned i = 0; i < node.inputs(); ++i)
    inputs.push_back(im.input(node, i));
  if (inputs.empty())
    failInput("it has no inputs");
  return inputs;
}

//===-- Two operands
//----------------------------------------------------------------------------------------------------------------===//

using Combine = Value (*)(OpBuilder &, Location, Value, Value);

template <typename FloatOp, typename IntOp> static Value arithmetic(OpBuilder &b, Location loc, Value x, Value y) {
  return isFloat(x) ? FloatOp::create(b, loc, x, y).getResult() : IntOp::create(b, loc, x, y).getResult();
}
template <typename Op> static Value logic(OpBuilder &b, Location loc, Value x, Value y) {
  return Op::create(b, loc, x, y);
}

/// The operands in turn, left to right.
template <Combine combine> static void importFold(Importer &im, const Node &node) {
  SmallVector<Value> in = inputsOf(im, node);
  im.checkTypes(in);
  im.setOutput(node, 0, im.map(in, im.elementType(in[0]), [](OpBuilder &b, Location loc, ValueRange e) {
    Value result = e[0];
    for (Value next : e.drop_front())
      result = combine(b, loc, result, next);
    return result;
  }));
}

static void importMean(Importer &im, const Node &node) {
  SmallVector<Value> in = inputsOf(im, node);
  im.checkTypes(in);
  im.checkFloat(in[0]);
  im.setOutput(node, 0, im.map(in, im.elementType(in[0]), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value sum = e[0];
    for (Value next : e.drop_front())
      sum = arith::AddFOp::create(b, loc, sum, next);
    return arith::DivFOp::create(b, loc, sum, number(b, loc, sum.getType(), e.size()));
  }));
}

template <CmpFPredicate floats, CmpIPredicate integers> static void importCompare(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  im.checkTypes(in);
  im.setOutput(node, 0, im.map(in, im.b.getI1Type(), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    if (isFloat(e[0]))
      return arith::CmpFOp::create(b, loc, floats, e[0], e[1]);
    return arith::CmpIOp::create(b, loc, integers, e[0], e[1]);
  }));
}

static void importMod(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  im.checkTypes(in);
  bool truncated = node.integer("fmod", 0) != 0;
  im.setOutput(node, 0, im.map(in, im.elementType(in[0]), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    if (isFloat(e[0])) {
      Value r = arith::RemFOp::create(b, loc, e[0], e[1]);
      if (truncated)
        return r;
      Value zero = number(b, loc, r.getType(), 0);
      Value signs = arith::XOrIOp::create(b, loc, arith::CmpFOp::create(b, loc, CmpFPredicate::OLT, r, zero),
                                          arith::CmpFOp::create(b, loc, CmpFPredicate::OLT, e[1], zero));
      Value move = arith::AndIOp::create(b, loc, arith::CmpFOp::create(b, loc, CmpFPredicate::ONE, r, zero), signs);
      return arith::SelectOp::create(b, loc, move, arith::AddFOp::create(b, loc, r, e[1]), r);
    }
    Value r = arith::RemSIOp::create(b, loc, e[0], e[1]);
    if (truncated)
      return r;
    // The sign of the divisor.
    Value zero = number(b, loc, r.getType(), 0);
    Value signs = arith::CmpIOp::create(b, loc, CmpIPredicate::slt, arith::XOrIOp::create(b, loc, r, e[1]), zero);
    Value move = arith::AndIOp::create(b, loc, arith::CmpIOp::create(b, loc, CmpIPredicate::ne, r, zero), signs);
    return arith::SelectOp::create(b, loc, move, arith::AddIOp::create(b, loc, r, e[1]), r);
  }));
}

/// One element converted as ONNX Cast does it.
static Value convert(OpBuilder &b, Location loc, Value x, Type to) {
  Type from = x.getType();
  if (from == to)
    return x;
  if (to.isInteger(1)) {
    if (isa<FloatType>(from))
      return arith::CmpFOp::create(b, loc, CmpFPredicate::UNE, x, number(b, loc, from, 0));
    return arith::CmpIOp::create(b, loc, CmpIPredicate::ne, x, number(b, loc, from, 0));
  }
  if (isa<FloatType>(to)) {
    if (from.isInteger(1))
      return arith::UIToFPOp::create(b, loc, to, x);
    if (isa<IntegerType>(from))
      return arith::SIToFPOp::create(b, loc, to, x);
    if (to.getIntOrFloatBitWidth() > from.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(b, loc, to, x);
    return arith::TruncFOp::create(b, loc, to, x);
  }
  if (isa<FloatType>(from))
    return arith::FPToSIOp::create(b, loc, to, x);
  if (from.isInteger(1))
    return arith::ExtUIOp::create(b, loc, to, x);
  if (to.getIntOrFloatBitWidth() > from.getIntOrFloatBitWidth())
    return arith::ExtSIOp::create(b, loc, to, x);
  return arith::TruncIOp::create(b, loc, to, x);
}

Value Importer::cast(Value tensor, Type element) {
  if (elementType(tensor) == element)
    return tensor;
  return map(tensor, element, [&](OpBuilder &b, Location loc, ValueRange e) { return convert(b, loc, e[0], element); });
}

static void importCast(Importer &im, const Node &node) {
  int64_t to = node.integer("to", 0);
  Type element = mlirType(im.b.getContext(), to);
  if (!element)
    failUnsupported("a cast to " + elementTypeName(to));
  im.setOutput(node, 0, im.cast(im.input(node, 0), element));
}

static void importPow(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  Type element = im.elementType(in[0]);
  im.setOutput(node, 0, im.map(in, element, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    if (isa<FloatType>(element))
      return math::PowFOp::create(b, loc, e[0], convert(b, loc, e[1], element));
    if (!isFloat(e[1]))
      return math::IPowIOp::create(b, loc, e[0], convert(b, loc, e[1], element));
    Type wide = b.getF64Type();
    Value power = math::PowFOp::create(b, loc, convert(b, loc, e[0], wide), convert(b, loc, e[1], wide));
    return convert(b, loc, power, element);
  }));
}

//===-- One operand
//-----------------------------------------------------------------------------------------------------------------===//

using Unary = Value (*)(OpBuilder &, Location, Value);

template <Unary f> static void importUnary(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.setOutput(node, 0, im.map(in, im.elementType(in), [](OpBuilder &b, Location loc, ValueRange e) {
    return f(b, loc, e[0]);
  }));
}

/// For functions that only floats have.
template <Unary f> static void importFloat(Importer &im, const Node &node) {
  im.checkFloat(im.input(node, 0));
  importUnary<f>(im, node);
}

template <typename Op> static Value plain(OpBuilder &b, Location loc, Value x) { return Op::create(b, loc, x); }
template <typename FloatOp, typename IntOp> static Value either(OpBuilder &b, Location loc, Value x) {
  return isFloat(x) ? FloatOp::create(b, loc, x).getResult() : IntOp::create(b, loc, x).getResult();
}

static Value negate(OpBuilder &b, Location loc, Value x) {
  if (isFloat(x))
    return arith::NegFOp::create(b, loc, x);
  return arith::SubIOp::create(b, loc, number(b, loc, x.getType(), 0), x);
}

static Value reciprocal(OpBuilder &b, Location loc, Value x) {
  return arith::DivFOp::create(b, loc, number(b, loc, x.getType(), 1), x);
}

static Value invert(OpBuilder &b, Location loc, Value x) {
  return arith::XOrIOp::create(b, loc, x, number(b, loc, x.getType(), 1));
}

static Value relu(OpBuilder &b, Location loc, Value x) {
  return arithmetic<arith::MaximumFOp, arith::MaxSIOp>(b, loc, x, number(b, loc, x.getType(), 0));
}

static Value sign(OpBuilder &b, Location loc, Value x) {
  Type type = x.getType();
  Value zero = number(b, loc, type, 0), one = number(b, loc, type, 1), minus = negate(b, loc, one);
  auto compare = [&](CmpFPredicate floats, CmpIPredicate integers) -> Value {
    return isFloat(x) ? arith::CmpFOp::create(b, loc, floats, x, zero).getResult()
                      : arith::CmpIOp::create(b, loc, integers, x, zero).getResult();
  };
  // NaN and zero give themselves.
  Value negative = arith::SelectOp::create(b, loc, compare(CmpFPredicate::OLT, CmpIPredicate::slt), minus, x);
  return arith::SelectOp::create(b, loc, compare(CmpFPredicate::OGT, CmpIPredicate::sgt), one, negative);
}

static Value hardSwish(OpBuilder &b, Location loc, Value x) {
  auto c = [&](double v) { return number(b, loc, x.getType(), v); };
  Value line = arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, x, c(1.0 / 6)), c(0.5));
  Value gate = arith::MaximumFOp::create(b, loc, c(0), arith::MinimumFOp::create(b, loc, c(1), line));
  return arith::MulFOp::create(b, loc, x, gate);
}

static void importGelu(Importer &im, const Node &node) {
  std::string form = node.string("approximate", "none");
  if (form != "none" && form != "tanh")
    failInput("approximate is \"" + form + "\", expected none or tanh");
  Value in = im.input(node, 0);
  im.checkFloat(in);
  auto which = form == "tanh" ? fovea::attn::GeluForm::tanh : fovea::attn::GeluForm::erf;
  im.setOutput(node, 0, im.map(in, im.elementType(in), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return fovea::attn::GeluOp::create(b, loc, e[0].getType(), e[0], which);
  }));
}

static void importSwish(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  double alpha = node.number("alpha", 1);
  im.setOutput(node, 0, im.map(in, im.elementType(in), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    if (alpha == 1)
      return fovea::attn::SiluOp::create(b, loc, e[0].getType(), e[0]);
    Value scaled = arith::MulFOp::create(b, loc, e[0], number(b, loc, e[0].getType(), alpha));
    return arith::MulFOp::create(b, loc, e[0], fovea::attn::SigmoidOp::create(b, loc, scaled.getType(), scaled));
  }));
}

static Value sigmoid(OpBuilder &b, Location loc, Value x) {
  return fovea::attn::SigmoidOp::create(b, loc, x.getType(), x);
}

static void importIsNaN(Importer &im, const Node &node) {
  im.checkFloat(im.input(node, 0));
  im.setOutput(node, 0,
               im.map(im.input(node, 0), im.b.getI1Type(), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
                 return arith::CmpFOp::create(b, loc, CmpFPredicate::UNO, e[0], e[0]);
               }));
}

static void importIsInf(Importer &im, const Node &node) {
  im.checkFloat(im.input(node, 0));
  bool positive = node.integer("detect_positive", 1), negative = node.integer("detect_negative", 1);
  im.setOutput(
      node, 0, im.map(im.input(node, 0), im.b.getI1Type(), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
        double infinity = std::numeric_limits<double>::infinity();
        Value result = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
        for (auto [wanted, value] : {std::pair(positive, infinity), {negative, -infinity}})
          if (wanted) {
            Value is = arith::CmpFOp::create(b, loc, CmpFPredicate::OEQ, e[0], number(b, loc, e[0].getType(), value));
            result = arith::OrIOp::create(b, loc, result, is);
          }
        return result;
      }));
}

//===-- Selection
//-------------------------------------------------------------------------------------------------------------------===//

static void importWhere(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1), im.input(node, 2)};
  im.checkTypes({in[1], in[2]});
  if (!im.elementType(in[0]).isInteger(1))
    failInput("the condition is not a tensor of bools");
  im.setOutput(node, 0, im.map(in, im.elementType(in[1]), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return arith::SelectOp::create(b, loc, e[0], e[1], e[2]);
  }));
}

static void importClip(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0)};
  bool low = node.hasInput(1), high = node.hasInput(2);
  for (unsigned i : {1, 2})
    if (node.hasInput(i))
      in.push_back(im.input(node, i));
  im.checkTypes(in);
  im.setOutput(node, 0, im.map(in, im.elementType(in[0]), [&](OpBuilder &b, Location loc, ValueRange e) {
    Value x = e[0];
    // The upper bound last: it wins where the bounds cross.
    if (low)
      x = arithmetic<arith::MaximumFOp, arith::MaxSIOp>(b, loc, x, e[1]);
    if (high)
      x = arithmetic<arith::MinimumFOp, arith::MinSIOp>(b, loc, x, e.back());
    return x;
  }));
}

static void importIdentity(Importer &im, const Node &node) { im.setOutput(node, 0, im.input(node, 0)); }

static void importDropout(Importer &im, const Node &node) {
  if (node.hasInput(2)) {
    SmallVector<int64_t> training = im.constantInput(node, 2);
    if (training.empty() || training[0] != 0)
      failUnsupported("training_mode");
  }
  Value in = im.input(node, 0);
  im.setOutput(node, 0, in);
  if (node.hasOutput(1))
    im.setOutput(node, 1, im.fill(im.shape(in), im.b.getI1Type(), 1));
}

static RegisterOps family{
    {"Add", importFold<arithmetic<arith::AddFOp, arith::AddIOp>>},
    {"Sum", importFold<arithmetic<arith::AddFOp, arith::AddIOp>>},
    {"Sub", importFold<arithmetic<arith::SubFOp, arith::SubIOp>>},
    {"Mul", importFold<arithmetic<arith::MulFOp, arith::MulIOp>>},
    {"Div", importFold<arithmetic<arith::DivFOp, arith::DivSIOp>>},
    {"Max", importFold<arithmetic<arith::MaximumFOp, arith::MaxSIOp>>},
    {"Min", importFold<arithmetic<arith::MinimumFOp, arith::MinSIOp>>},
    {"And", importFold<logic<arith::AndIOp>>},
    {"Or", importFold<logic<arith::OrIOp>>},
    {"Xor", importFold<logic<arith::XOrIOp>>},
    {"Mean", importMean},
    {"Mod", importMod},
    {"Pow", importPow},
    {"Equal", importCompare<CmpFPredicate::OEQ, CmpIPredicate::eq>},
    {"Less", importCompare<CmpFPredicate::OLT, CmpIPredicate::slt>},
    {"LessOrEqual", importCompare<CmpFPredicate::OLE, CmpIPredicate::sle>},
    {"Greater", importCompare<CmpFPredicate::OGT, CmpIPredicate::sgt>},
    {"GreaterOrEqual", importCompare<CmpFPredicate::OGE, CmpIPredicate::sge>},
    {"Neg", importUnary<negate>},
    {"Abs", importUnary<either<math::AbsFOp, math::AbsIOp>>},
    {"Sqrt", importFloat<plain<math::SqrtOp>>},
    {"Reciprocal", importFloat<reciprocal>},
    {"Exp", importFloat<plain<math::ExpOp>>},
    {"Log", importFloat<plain<math::LogOp>>},
    {"Erf", importFloat<plain<math::ErfOp>>},
    {"Tanh", importFloat<plain<math::TanhOp>>},
    {"Sigmoid", importFloat<sigmoid>},
    {"Relu", importUnary<relu>},
    {"Sin", importFloat<plain<math::SinOp>>},
    {"Cos", importFloat<plain<math::CosOp>>},
    {"Floor", importFloat<plain<math::FloorOp>>},
    {"Ceil", importFloat<plain<math::CeilOp>>},
    {"Round", importFloat<plain<math::RoundEvenOp>>},
    {"Sign", importUnary<sign>},
    {"Not", importUnary<invert>},
    {"HardSwish", importFloat<hardSwish>, 14},
    {"Gelu", importGelu, 20},
    {"Swish", importSwish, 24},
    {"IsNaN", importIsNaN},
    {"IsInf", importIsInf},
    {"Cast", importCast},
    {"Where", importWhere},
    {"Clip", importClip},
    {"Identity", importIdentity},
    {"Dropout", importDropout},
};
