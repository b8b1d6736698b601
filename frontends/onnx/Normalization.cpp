// Softmax and the normalisations.
#include "frontends/onnx/Normalization.h"

#include "frontends/onnx/Reduce.h"

#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

template <bool log> static void importSoftmax(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  if (im.rank(in) == 0)
    failUnsupported("a scalar");
  int64_t axis = im.axis(node.integer("axis", -1), im.rank(in), node);
  Value init = im.empty(im.shape(in), im.elementType(in));
  auto op = attn::SoftmaxOp::create(im.b, im.loc, init.getType(), in, init, axis, /*guarded=*/false, log);
  im.setOutput(node, 0, op.getResult());
}

/// 1 at the first of the largest elements along a dim, 0 elsewhere.
static void importHardmax(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  if (im.rank(in) == 0)
    failUnsupported("a scalar");
  int64_t axis = im.axis(node.integer("axis", -1), im.rank(in), node);
  Type element = im.elementType(in), index = im.b.getI64Type();
  Shape shape = im.shape(in);
  auto overIndices = [&](Value other, Type type,
                         llvm::function_ref<Value(OpBuilder &, Location, ValueRange, Value)> f) {
    Value settled = im.settle(other, shape);
    return im.generic({in, settled}, {im.identity(shape.size()), im.broadcastMap(settled, shape)},
                      im.empty(shape, type), im.identity(shape.size()), [&](OpBuilder &b, Location loc, ValueRange e) {
                        Value i = linalg::IndexOp::create(b, loc, axis);
                        return f(b, loc, e, arith::IndexCastOp::create(b, loc, index, i));
                      });
  };
  Value largest = reduce(im, in, {axis}, Reduction::max);
  Value places = overIndices(largest, index, [&](OpBuilder &b, Location loc, ValueRange e, Value i) -> Value {
    Value never = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(std::numeric_limits<int64_t>::max()));
    // A NaN is the largest, and equal to nothing.
    Value hit = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UEQ, e[0], e[1]);
    return arith::SelectOp::create(b, loc, hit, i, never);
  });
  Value first = reduce(im, places, {axis}, Reduction::min);
  im.setOutput(node, 0, overIndices(first, element, [&](OpBuilder &b, Location loc, ValueRange e, Value i) -> Value {
                 Value is = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, i, e[1]);
                 return arith::UIToFPOp::create(b, loc, element, is);
               }));
}

static SmallVector<int64_t> trailing(int64_t axis, int64_t rank) {
  return SmallVector<int64_t>(llvm::seq<int64_t>(axis, rank).begin(), llvm::seq<int64_t>(axis, rank).end());
}

/// A scale or bias with exactly the normalised dims; null if it has more dims than those.
static Value parameter(Importer &im, Value value, ArrayRef<DimExpr> normalised) {
  im.checkFloat(value);
  Shape own = im.shape(value);
  while (own.size() > normalised.size() && own.front().isConstant(1))
    own.erase(own.begin());
  if (own.size() > normalised.size())
    return nullptr;
  return im.broadcastTo(im.reshape(value, own), normalised);
}

static Value combine(Importer &im, Value x, Value y, bool product) {
  return im.map({x, y}, im.elementType(x), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return product ? arith::MulFOp::create(b, loc, e[0], e[1]).getResult()
                   : arith::AddFOp::create(b, loc, e[0], e[1]).getResult();
  });
}

/// The mean and 1 / sqrt(var + epsilon), where a model wants them as results.
static void setStatistics(Importer &im, const Node &node, Value in, int64_t axis, double epsilon) {
  // They are f32 where the input is narrower.
  if (im.elementType(in).getIntOrFloatBitWidth() < 32)
    in = im.cast(in, im.b.getF32Type());
  Type element = im.elementType(in);
  SmallVector<int64_t> axes = trailing(axis, im.rank(in));
  Value mean = reduce(im, in, axes, Reduction::mean);
  Value squares = im.map({in, mean}, element, [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value d = arith::SubFOp::create(b, loc, e[0], e[1]);
    return arith::MulFOp::create(b, loc, d, d);
  });
  Value deviation = im.map(
      reduce(im, squares, axes, Reduction::mean), element, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
        auto c = [&](double v) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(element, v)); };
        Value root = math::SqrtOp::create(b, loc, arith::AddFOp::create(b, loc, e[0], c(epsilon)));
        return arith::DivFOp::create(b, loc, c(1), root);
      });
  im.setOutput(node, 1, mean);
  im.setOutput(node, 2, deviation);
}

Value fovea::frontend::layerNorm(Importer &im, Value in, Value scale, Value bias, int64_t axis, double epsilon) {
  im.checkFloat(in);
  Shape shape = im.shape(in);
  ArrayRef<DimExpr> normalised = ArrayRef(shape).drop_front(axis);
  Value ownScale = parameter(im, scale, normalised),
        ownBias = bias && ownScale ? parameter(im, bias, normalised) : Value();
  Value init = im.empty(shape, im.elementType(in));
  Value result =
      attn::LayerNormOp::create(im.b, im.loc, init.getType(), in, ownScale, ownBias, init, axis, llvm::APFloat(epsilon))
          .getResult();
  // Parameters with more dims than are normalised apply afterwards.
  if (!ownScale)
    result = combine(im, result, scale, /*product=*/true);
  if (bias && !ownBias)
    result = combine(im, result, bias, /*product=*/false);
  return result;
}

static void importLayerNorm(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  int64_t axis = im.axis(node.integer("axis", -1), im.rank(in), node);
  double epsilon = node.number("epsilon", 1e-5f);
  Value bias = node.hasInput(2) ? im.input(node, 2) : Value();
  im.setOutput(node, 0, layerNorm(im, in, im.input(node, 1), bias, axis, epsilon));
  if (node.hasOutput(1) || node.hasOutput(2))
    setStatistics(im, node, in, axis, epsilon);
}

Value fovea::frontend::rmsNorm(Importer &im, Value in, Value scale, int64_t axis, double epsilon) {
  im.checkFloat(in);
  Shape shape = im.shape(in);
  Value own = parameter(im, scale, ArrayRef(shape).drop_front(axis));
  if (im.elementType(scale) != im.elementType(in))
    failUnsupported("a scale of another element type than the input");
  Value init = im.empty(shape, im.elementType(in));
  Value result =
      attn::RmsNormOp::create(im.b, im.loc, init.getType(), in, own, init, axis, llvm::APFloat(epsilon)).getResult();
  return own ? result : combine(im, result, scale, /*product=*/true);
}

static void importRmsNorm(Importer &im, const Node &node) {
  if (node.hasOutput(1))
    failUnsupported("its output inv_std_var");
  Value in = im.input(node, 0);
  int64_t axis = im.axis(node.integer("axis", -1), im.rank(in), node);
  im.setOutput(node, 0, rmsNorm(im, in, im.input(node, 1), axis, node.number("epsilon", 1e-5f)));
}

static RegisterOps family{
    {"Softmax", importSoftmax<false>},
    {"LogSoftmax", importSoftmax<true>},
    {"Hardmax", importHardmax},
    {"LayerNormalization", importLayerNorm}, // ONNX Runtime writes it, and the next but one, whatever the opset
    {"RMSNormalization", importRmsNorm, 23},
    {"SimplifiedLayerNormalization", importRmsNorm},
};
