// Normalisations of tensors N x C x ..., with a scale and a bias for each channel; and those over any dims.
#include "frontends/onnx/Reduce.h"

#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

/// A list of C elements as C x 1 x ..., to broadcast over N x C x ...; in the given element type.
static Value perChannel(Importer &im, Value list, const Shape &shape, Type element) {
  im.checkFloat(list);
  if (im.rank(list) != 1)
    failInput("expected a parameter of one dim, got " + Twine(im.rank(list)));
  im.checkEqual(im.shape(list)[0], shape[1], "a parameter does not have one element for each channel");
  Shape own{shape[1]};
  own.append(shape.size() - 2, DimExpr(1));
  return im.reshape(im.cast(list, element), own);
}

static Shape shapeWithChannels(Importer &im, Value in) {
  im.checkFloat(in);
  if (im.rank(in) < 2)
    failInput("expected at least 2 dims, got " + Twine(im.rank(in)));
  return im.shape(in);
}

/// (x - mean) / sqrt(var + epsilon) over the dims from `axis` on.
static Value normalised(Importer &im, Value in, int64_t axis, double epsilon) {
  Value init = im.empty(im.shape(in), im.elementType(in));
  return attn::LayerNormOp::create(im.b, im.loc, init.getType(), in, Value(), Value(), init, axis,
                                   llvm::APFloat(epsilon))
      .getResult();
}

/// x * scale + bias, the parameters for each channel.
static Value scaled(Importer &im, Value x, Value scale, Value bias) {
  Shape shape = im.shape(x);
  Type element = im.elementType(x);
  return im.map({x, perChannel(im, scale, shape, element), perChannel(im, bias, shape, element)}, element,
                [](OpBuilder &b, Location loc, ValueRange e) -> Value {
                  return arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, e[0], e[1]), e[2]);
                });
}

static void importInstanceNorm(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape shape = shapeWithChannels(im, in);
  if (shape.size() < 3)
    failInput("expected at least 3 dims, got " + Twine(shape.size()));
  Value x = normalised(im, in, 2, node.number("epsilon", 1e-5f));
  im.setOutput(node, 0, scaled(im, x, im.input(node, 1), im.input(node, 2)));
}

static void importGroupNorm(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape shape = shapeWithChannels(im, in);
  int64_t groups = node.integer("num_groups", 0);
  std::optional<int64_t> channels = shape[1].getConstant();
  if (!channels)
    failUnsupported("a symbolic number of channels");
  if (groups < 1 || *channels % groups != 0)
    failInput(Twine(*channels) + " channels do not divide into " + Twine(groups) + " groups");
  if (node.integer("stash_type", 1) != onnx::TensorProto::FLOAT)
    failUnsupported("a stash_type other than float");
  DimExpr members(*channels / groups);
  for (const DimExpr &size : ArrayRef(shape).drop_front(2))
    members = members * size;
  Value rows = im.reshape(in, {shape[0], DimExpr(groups), members});
  Value x = im.reshape(normalised(im, rows, 2, node.number("epsilon", 1e-5f)), shape);
  im.setOutput(node, 0, scaled(im, x, im.input(node, 1), im.input(node, 2)));
}

/// With the statistics that the model has; training is not supported.
static void importBatchNorm(Importer &im, const Node &node) {
  if (node.integer("training_mode", 0) != 0)
    failUnsupported("training_mode");
  if (llvm::any_of(llvm::seq(1u, node.outputs()), [&](unsigned i) { return node.hasOutput(i); }))
    failInput("expected one output without training_mode");
  Value in = im.input(node, 0);
  Shape shape = shapeWithChannels(im, in);
  Type element = im.elementType(in);
  double epsilon = node.number("epsilon", 1e-5f);
  // Few elements: constant ones are computed at compile time.
  Type wide = element.getIntOrFloatBitWidth() < 32 ? Type(im.b.getF32Type()) : element;
  SmallVector<Value> parameters;
  for (unsigned i = 1; i < 5; ++i)
    parameters.push_back(perChannel(im, im.input(node, i), shape, wide));
  Value factor = im.map({parameters[0], parameters[3]}, wide, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value small = arith::ConstantOp::create(b, loc, b.getFloatAttr(wide, epsilon));
    return arith::DivFOp::create(b, loc, e[0],
                                 math::SqrtOp::create(b, loc, arith::AddFOp::create(b, loc, e[1], small)));
  });
  Value result = im.map({im.cast(in, wide), parameters[2], factor, parameters[1]}, wide,
                        [](OpBuilder &b, Location loc, ValueRange e) -> Value {
                          Value x = arith::MulFOp::create(b, loc, arith::SubFOp::create(b, loc, e[0], e[1]), e[2]);
                          return arith::AddFOp::create(b, loc, x, e[3]);
                        });
  im.setOutput(node, 0, im.cast(result, element));
}

/// (x - mean) / deviation over the given dims, the deviation at least 1e-9 as ONNX defines it.
static void importMeanVarianceNorm(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  SmallVector<int64_t> axes = node.has("axes") ? node.integers("axes") : SmallVector<int64_t>{0, 2, 3};
  for (int64_t &axis : axes)
    axis = im.axis(axis, im.rank(in), node);
  Type element = im.elementType(in), wide = element.getIntOrFloatBitWidth() < 32 ? Type(im.b.getF32Type()) : element;
  Value x = im.cast(in, wide);
  Value centred =
      im.map({x, reduce(im, x, axes, Reduction::mean)}, wide, [](OpBuilder &b, Location loc, ValueRange e) -> Value {
        return arith::SubFOp::create(b, loc, e[0], e[1]);
      });
  Value squares = im.map(centred, wide, [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return arith::MulFOp::create(b, loc, e[0], e[0]);
  });
  Value result = im.map({centred, reduce(im, squares, axes, Reduction::mean)}, wide,
                        [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                          Value small = arith::ConstantOp::create(b, loc, b.getFloatAttr(wide, 1e-9));
                          Value deviation = arith::AddFOp::create(b, loc, math::SqrtOp::create(b, loc, e[1]), small);
                          return arith::DivFOp::create(b, loc, e[0], deviation);
                        });
  im.setOutput(node, 0, im.cast(result, element));
}

/// x / (sum |x|^p)^(1/p) along one dim, p being 1 or 2; 0 where the norm is 0.
static void importLpNorm(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  int64_t axis = im.axis(node.integer("axis", -1), im.rank(in), node), p = node.integer("p", 2);
  if (p != 1 && p != 2)
    failInput("p is " + Twine(p) + ", expected 1 or 2");
  Type element = im.elementType(in), wide = element.getIntOrFloatBitWidth() < 32 ? Type(im.b.getF32Type()) : element;
  Value x = im.cast(in, wide);
  Value powers = im.map(x, wide, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return p == 1 ? math::AbsFOp::create(b, loc, e[0]).getResult()
                  : arith::MulFOp::create(b, loc, e[0], e[0]).getResult();
  });
  Value result = im.map({x, reduce(im, powers, {axis}, Reduction::sum)}, wide,
                        [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                          Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(wide));
                          Value norm = p == 1 ? e[1] : math::SqrtOp::create(b, loc, e[1]).getResult();
                          Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, norm, zero);
                          return arith::SelectOp::create(b, loc, none, zero, arith::DivFOp::create(b, loc, e[0], norm));
                        });
  im.setOutput(node, 0, im.cast(result, element));
}

static RegisterOps family{
    {"BatchNormalization", importBatchNorm, 14},           {"InstanceNormalization", importInstanceNorm},
    {"GroupNormalization", importGroupNorm, 21}, // until then scale and bias were for groups
    {"MeanVarianceNormalization", importMeanVarianceNorm}, {"LpNormalization", importLpNorm},
};
