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

//===-- Two operands ===//

using Combine = Value (*)(OpBuilder &, Location, Value, Value);

template <typename FloatOp, typename IntOp> static Value arithmetic(OpBuilder &b, Location loc, Value x, Value y) {
  return isFloat(x) ? FloatOp::create(b, loc, x, y).getResult() : IntOp::create(b, loc, x, y).getResult();
}
template <typename Op> static Value logic(OpBuilder &b, Location loc, Value x, Value y) {
  return Op::create(b, loc, x, y);
}

template <typename IntOp> constexpr Combine larger = arithmetic<arith::MaximumFOp, IntOp>;
template <typename IntOp> constexpr Combine smaller = arithmetic<arith::MinimumFOp, IntOp>;
template <typename IntOp> constexpr Combine quotient = arithmetic<arith::DivFOp, IntOp>;

/// The operands in turn, left to right; `natural` combines unsigned integers.
template <Combine combine, Combine natural = combine> static void importFold(Importer &im, const Node &node) {
  SmallVector<Value> in = inputsOf(im, node);
  im.checkTypes(in);
  Combine with = im.areUnsigned(node) ? natural : combine;
  im.setOutput(node, 0, im.map(in, im.elementType(in[0]), [&](OpBuilder &b, Location loc, ValueRange e) {
    Value result = e[0];
    for (Value next : e.drop_front())
      result = with(b, loc, result, next);
    return result;
  }));
}

static void checkIntegers(Importer &im, ValueRange tensors) {
  for (Value tensor : tensors)
    if (!isa<IntegerType>(im.elementType(tensor)) || im.elementType(tensor).isInteger(1))
      failInput("expected integers");
}

template <Combine combine> static void importBitwise(Importer &im, const Node &node) {
  checkIntegers(im, inputsOf(im, node));
  importFold<combine>(im, node);
}

/// Bits that are shifted out are lost; a shift by the width or more leaves nothing but the sign.
static void importBitShift(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  checkIntegers(im, in);
  im.checkTypes(in);
  std::string direction = node.string("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    failInput("direction is \"" + direction + "\", expected LEFT or RIGHT");
  Type element = im.elementType(in[0]);
  bool natural = im.areUnsigned(node);
  im.setOutput(node, 0, im.map(in, element, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value zero = number(b, loc, element, 0), width = number(b, loc, element, element.getIntOrFloatBitWidth());
    Value inside = arith::CmpIOp::create(b, loc, CmpIPredicate::ult, e[1], width);
    if (direction == "RIGHT" && !natural) {
      Value most = number(b, loc, element, element.getIntOrFloatBitWidth() - 1);
      return arith::ShRSIOp::create(b, loc, e[0], arith::SelectOp::create(b, loc, inside, e[1], most));
    }
    Value by = arith::SelectOp::create(b, loc, inside, e[1], zero);
    Value shifted = direction == "LEFT" ? arith::ShLIOp::create(b, loc, e[0], by).getResult()
                                        : arith::ShRUIOp::create(b, loc, e[0], by).getResult();
    return arith::SelectOp::create(b, loc, inside, shifted, zero);
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

template <CmpFPredicate floats, CmpIPredicate integers, CmpIPredicate naturals>
static void importCompare(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  im.checkTypes(in);
  CmpIPredicate predicate = im.areUnsigned(node) ? naturals : integers;
  im.setOutput(node, 0, im.map(in, im.b.getI1Type(), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    if (isFloat(e[0]))
      return arith::CmpFOp::create(b, loc, floats, e[0], e[1]);
    return arith::CmpIOp::create(b, loc, predicate, e[0], e[1]);
  }));
}

static void importMod(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  im.checkTypes(in);
  bool truncated = node.integer("fmod", 0) != 0, natural = im.areUnsigned(node);
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
    if (natural)
      return arith::RemUIOp::create(b, loc, e[0], e[1]);
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

/// One element converted as ONNX Cast does it. A float outside of an integer's range has no defined result; here most
/// wrap around, as NumPy's do.
static Value convert(OpBuilder &b, Location loc, Value x, Type to, bool fromUnsigned = false, bool toUnsigned = false) {
  Type from = x.getType();
  if (from == to)
    return x;
  unsigned width = to.getIntOrFloatBitWidth(), fromWidth = from.getIntOrFloatBitWidth();
  if (to.isInteger(1)) {
    if (isa<FloatType>(from))
      return arith::CmpFOp::create(b, loc, CmpFPredicate::UNE, x, number(b, loc, from, 0));
    return arith::CmpIOp::create(b, loc, CmpIPredicate::ne, x, number(b, loc, from, 0));
  }
  bool natural = fromUnsigned || from.isInteger(1);
  if (isa<FloatType>(to)) {
    if (isa<IntegerType>(from))
      return natural ? arith::UIToFPOp::create(b, loc, to, x).getResult()
                     : arith::SIToFPOp::create(b, loc, to, x).getResult();
    if (width == fromWidth) // f16 and bf16
      x = arith::ExtFOp::create(b, loc, b.getF32Type(), x), fromWidth = 32;
    if (width > fromWidth)
      return arith::ExtFOp::create(b, loc, to, x);
    return arith::TruncFOp::create(b, loc, to, x);
  }
  if (isa<FloatType>(from)) {
    if (toUnsigned && width == 64)
      return arith::FPToUIOp::create(b, loc, to, x);
    // By way of a wider integer, that of the unsigned ones holds all of their numbers.
    Type wide = b.getIntegerType(width < 32 ? 32 : toUnsigned ? 64 : width);
    return convert(b, loc, arith::FPToSIOp::create(b, loc, wide, x), to);
  }
  if (width == fromWidth) // only the sign is another
    return x;
  if (width < fromWidth)
    return arith::TruncIOp::create(b, loc, to, x);
  return natural ? arith::ExtUIOp::create(b, loc, to, x).getResult()
                 : arith::ExtSIOp::create(b, loc, to, x).getResult();
}

Value Importer::cast(Value tensor, Type element, bool fromUnsigned, bool toUnsigned) {
  if (elementType(tensor) == element)
    return tensor;
  // Single numbers stay constants: what reads them looks at them.
  auto constant = tensor.getDefiningOp<arith::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : nullptr;
  if (auto to = dyn_cast<FloatType>(element); to && dense && dense.isSplat()) {
    APFloat value = dense.getSplatValue<APFloat>();
    bool lost;
    value.convert(to.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    auto type = cast<RankedTensorType>(tensor.getType()).clone(element);
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, value));
  }
  return map(tensor, element, [&](OpBuilder &b, Location loc, ValueRange e) {
    return convert(b, loc, e[0], element, fromUnsigned, toUnsigned);
  });
}

static void importCast(Importer &im, const Node &node) {
  int64_t to = node.integer("to", 0);
  Type element = mlirType(im.b.getContext(), to);
  if (!element)
    failUnsupported("a cast to " + elementTypeName(to));
  im.setOutput(node, 0, im.cast(im.input(node, 0), element, im.isUnsigned(node, 0), isUnsignedType(to)));
}

static void importCastLike(Importer &im, const Node &node) {
  Type element = im.elementType(im.input(node, 1));
  im.setOutput(node, 0, im.cast(im.input(node, 0), element, im.isUnsigned(node, 0), im.isUnsigned(node, 1)));
}

/// base to an unsigned exponent, both as wide as `width` bits at least; wraps around as the base's type does.
static Value naturalPower(OpBuilder &b, Location loc, Value base, Value exponent) {
  Type type = base.getType(), wide = b.getI64Type();
  base = convert(b, loc, base, wide, /*fromUnsigned=*/true), exponent = convert(b, loc, exponent, wide, true);
  // Exponents that a signed number does not hold: the same modulo 2^62, which is a multiple of the order of every odd
  // number modulo 2^64, and still more than the 64 that make 0 of every even one.
  auto bits = [&](uint64_t value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(wide, APInt(64, value)));
  };
  Value large = arith::CmpIOp::create(b, loc, CmpIPredicate::slt, exponent, bits(0));
  Value reduced = arith::AndIOp::create(b, loc, exponent, bits((uint64_t(1) << 62) - 1));
  reduced = arith::OrIOp::create(b, loc, reduced, bits(uint64_t(1) << 62));
  exponent = arith::SelectOp::create(b, loc, large, reduced, exponent);
  return convert(b, loc, math::IPowIOp::create(b, loc, base, exponent), type);
}

static void importPow(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  Type element = im.elementType(in[0]);
  bool natural = im.isUnsigned(node, 0), naturalExponent = im.isUnsigned(node, 1);
  im.setOutput(node, 0, im.map(in, element, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    if (isa<FloatType>(element))
      return math::PowFOp::create(b, loc, e[0], convert(b, loc, e[1], element, naturalExponent));
    if (isFloat(e[1])) {
      Type wide = b.getF64Type();
      Value power = math::PowFOp::create(b, loc, convert(b, loc, e[0], wide, natural), convert(b, loc, e[1], wide));
      return convert(b, loc, power, element, false, natural);
    }
    if (naturalExponent)
      return naturalPower(b, loc, e[0], e[1]);
    // In the wider type: neither the base nor the exponent loses its sign or bits.
    Type wide = e[1].getType().getIntOrFloatBitWidth() > element.getIntOrFloatBitWidth() ? e[1].getType() : element;
    Value power = math::IPowIOp::create(b, loc, convert(b, loc, e[0], wide, natural), convert(b, loc, e[1], wide));
    return convert(b, loc, power, element);
  }));
}

//===-- One operand ===//

using Unary = Value (*)(OpBuilder &, Location, Value);

/// `natural` is for unsigned integers.
template <Unary f, Unary natural = f> static void importUnary(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Unary function = im.isUnsigned(node, 0) ? natural : f;
  im.setOutput(node, 0, im.map(in, im.elementType(in), [&](OpBuilder &b, Location loc, ValueRange e) {
    return function(b, loc, e[0]);
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

static void importBitwiseNot(Importer &im, const Node &node) {
  checkIntegers(im, im.input(node, 0));
  importUnary<[](OpBuilder &b, Location loc, Value x) -> Value {
    return arith::XOrIOp::create(b, loc, x, number(b, loc, x.getType(), -1));
  }>(im, node);
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

static Value itself(OpBuilder &, Location, Value x) { return x; }

static Value naturalSign(OpBuilder &b, Location loc, Value x) {
  return arith::MinUIOp::create(b, loc, x, number(b, loc, x.getType(), 1));
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

/// x * sigmoid(alpha x)
static Value swish(OpBuilder &b, Location loc, Value x, double alpha) {
  if (alpha == 1)
    return fovea::attn::SiluOp::create(b, loc, x.getType(), x);
  Value scaled = arith::MulFOp::create(b, loc, x, number(b, loc, x.getType(), alpha));
  return arith::MulFOp::create(b, loc, x, fovea::attn::SigmoidOp::create(b, loc, scaled.getType(), scaled));
}

static void importSwish(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  double alpha = node.number("alpha", 1);
  im.setOutput(node, 0, im.map(in, im.elementType(in), [&](OpBuilder &b, Location loc, ValueRange e) {
    return swish(b, loc, e[0], alpha);
  }));
}

static void importSwiGlu(Importer &im, const Node &node) {
  SmallVector<Value> in{im.input(node, 0), im.input(node, 1)};
  im.checkFloat(in[0]);
  im.checkTypes(in);
  if (im.rank(in[0]) != im.rank(in[1]))
    failInput("expected inputs of one shape, got " + Twine(im.rank(in[0])) + " and " + Twine(im.rank(in[1])) + " dims");
  for (auto [x, y] : llvm::zip(im.shape(in[0]), im.shape(in[1])))
    im.checkEqual(x, y, "the inputs differ in shape");
  double alpha = node.number("alpha", 1);
  im.setOutput(node, 0, im.map(in, im.elementType(in[0]), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return arith::MulFOp::create(b, loc, swish(b, loc, e[0], alpha), e[1]);
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

//===-- Selection ===//

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
  bool natural = im.areUnsigned(node);
  im.setOutput(node, 0, im.map(in, im.elementType(in[0]), [&](OpBuilder &b, Location loc, ValueRange e) {
    Value x = e[0];
    // The upper bound last: it wins where the bounds cross.
    if (low)
      x = (natural ? larger<arith::MaxUIOp> : larger<arith::MaxSIOp>)(b, loc, x, e[1]);
    if (high)
      x = (natural ? smaller<arith::MinUIOp> : smaller<arith::MinSIOp>)(b, loc, x, e.back());
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
    {"Div", importFold<quotient<arith::DivSIOp>, quotient<arith::DivUIOp>>},
    {"Max", importFold<larger<arith::MaxSIOp>, larger<arith::MaxUIOp>>},
    {"Min", importFold<smaller<arith::MinSIOp>, smaller<arith::MinUIOp>>},
    {"And", importFold<logic<arith::AndIOp>>},
    {"Or", importFold<logic<arith::OrIOp>>},
    {"Xor", importFold<logic<arith::XOrIOp>>},
    {"Mean", importMean},
    {"Mod", importMod},
    {"Pow", importPow},
    {"Equal", importCompare<CmpFPredicate::OEQ, CmpIPredicate::eq, CmpIPredicate::eq>},
    {"Less", importCompare<CmpFPredicate::OLT, CmpIPredicate::slt, CmpIPredicate::ult>},
    {"LessOrEqual", importCompare<CmpFPredicate::OLE, CmpIPredicate::sle, CmpIPredicate::ule>},
    {"Greater", importCompare<CmpFPredicate::OGT, CmpIPredicate::sgt, CmpIPredicate::ugt>},
    {"GreaterOrEqual", importCompare<CmpFPredicate::OGE, CmpIPredicate::sge, CmpIPredicate::uge>},
    {"Neg", importUnary<negate>},
    {"Abs", importUnary<either<math::AbsFOp, math::AbsIOp>, itself>},
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
    {"Tan", importFloat<plain<math::TanOp>>},
    {"Asin", importFloat<plain<math::AsinOp>>},
    {"Acos", importFloat<plain<math::AcosOp>>},
    {"Atan", importFloat<plain<math::AtanOp>>},
    {"Sinh", importFloat<plain<math::SinhOp>>},
    {"Cosh", importFloat<plain<math::CoshOp>>},
    {"Asinh", importFloat<plain<math::AsinhOp>>},
    {"Acosh", importFloat<plain<math::AcoshOp>>},
    {"Atanh", importFloat<plain<math::AtanhOp>>},
    {"Floor", importFloat<plain<math::FloorOp>>},
    {"Ceil", importFloat<plain<math::CeilOp>>},
    {"Round", importFloat<plain<math::RoundEvenOp>>},
    {"Sign", importUnary<sign, naturalSign>},
    {"Not", importUnary<invert>},
    {"Gelu", importGelu, 20},
    {"Swish", importSwish, 24},
    {"SwiGLU", importSwiGlu, 28},
    {"BitwiseAnd", importBitwise<logic<arith::AndIOp>>, 18},
    {"BitwiseOr", importBitwise<logic<arith::OrIOp>>, 18},
    {"BitwiseXor", importBitwise<logic<arith::XOrIOp>>, 18},
    {"BitwiseNot", importBitwiseNot, 18},
    {"BitShift", importBitShift},
    {"IsNaN", importIsNaN},
    {"IsInf", importIsInf},
    {"Cast", importCast},
    {"CastLike", importCastLike, 15},
    {"Where", importWhere},
    {"Clip", importClip},
    {"Identity", importIdentity},
    {"Dropout", importDropout},
};
