// Reductions over any dims; what ONNX composes of a map, a reduction and a map is composed here too.
#include "frontends/onnx/Reduce.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea::frontend;

template <typename FloatOp, typename IntOp, typename UnsignedOp = IntOp>
static Value create(OpBuilder &b, Location loc, Value x, Value y, bool isUnsigned = false) {
  if (isa<FloatType>(x.getType()))
    return FloatOp::create(b, loc, x, y);
  return isUnsigned ? UnsignedOp::create(b, loc, x, y).getResult() : IntOp::create(b, loc, x, y).getResult();
}

Value fovea::frontend::reduceStep(OpBuilder &b, Location loc, Reduction kind, Value x, Value y, bool isUnsigned) {
  bool truth = x.getType().isInteger(1);
  switch (kind) {
  case Reduction::sum:
  case Reduction::mean:
    return create<arith::AddFOp, arith::AddIOp>(b, loc, x, y);
  case Reduction::product:
    return create<arith::MulFOp, arith::MulIOp>(b, loc, x, y);
  case Reduction::max:
    if (truth)
      return arith::OrIOp::create(b, loc, x, y);
    return create<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(b, loc, x, y, isUnsigned);
  case Reduction::min:
    if (truth)
      return arith::AndIOp::create(b, loc, x, y);
    return create<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(b, loc, x, y, isUnsigned);
  }
  llvm_unreachable("all kinds are handled");
}

TypedAttr fovea::frontend::neutral(OpBuilder &b, Reduction kind, Type type, bool isUnsigned) {
  if (kind == Reduction::sum || kind == Reduction::mean)
    return b.getZeroAttr(type);
  if (kind == Reduction::product)
    return b.getOneAttr(type);
  bool max = kind == Reduction::max;
  if (auto floats = dyn_cast<FloatType>(type))
    return b.getFloatAttr(type, APFloat::getInf(floats.getFloatSemantics(), /*Negative=*/max));
  unsigned width = type.getIntOrFloatBitWidth();
  if (width == 1 || isUnsigned)
    return b.getIntegerAttr(type, max ? APInt::getZero(width) : APInt::getAllOnes(width));
  return b.getIntegerAttr(type, max ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width));
}

static Value divide(Importer &im, Value tensor, const DimExpr &count, bool isUnsigned) {
  Type element = im.elementType(tensor);
  bool floats = isa<FloatType>(element);
  Value size = count.getConstant() ? Value() : im.index(count);
  return im.map(tensor, element, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value divisor;
    if (!size)
      divisor = arith::ConstantOp::create(b, loc, cast<TypedAttr>(im.number(element, *count.getConstant())));
    else if (floats)
      divisor = arith::SIToFPOp::create(b, loc, element, arith::IndexCastOp::create(b, loc, b.getI64Type(), size));
    else
      divisor = arith::IndexCastOp::create(b, loc, element, size);
    return create<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(b, loc, e[0], divisor, isUnsigned);
  });
}

Value fovea::frontend::reduce(Importer &im, Value tensor, ArrayRef<int64_t> axes, Reduction kind, bool isUnsigned) {
  Shape from = im.shape(tensor), left, kept;
  SmallVector<AffineExpr> write;
  DimExpr count(1);
  for (auto [d, size] : llvm::enumerate(from)) {
    bool reduced = llvm::is_contained(axes, static_cast<int64_t>(d));
    kept.push_back(reduced ? DimExpr(1) : size);
    if (reduced) {
      count = count * size;
      continue;
    }
    left.push_back(size);
    write.push_back(im.dim(d));
  }
  if (left.size() == from.size())
    return tensor;
  Type element = im.elementType(tensor);
  Value start = arith::ConstantOp::create(im.b, im.loc, neutral(im.b, kind, element, isUnsigned));
  Value init = linalg::FillOp::create(im.b, im.loc, start, im.empty(left, element)).getResult(0);
  Value result = im.generic(
      tensor, im.identity(from.size()), init, im.affineMap(from.size(), write),
      [&](OpBuilder &b, Location loc, ValueRange e) { return reduceStep(b, loc, kind, e[1], e[0], isUnsigned); });
  if (kind == Reduction::mean)
    result = divide(im, result, count, isUnsigned);
  return im.reshape(result, kept);
}

static SmallVector<int64_t> axesOf(Importer &im, const Node &node, int64_t rank) {
  SmallVector<int64_t> axes = node.hasInput(1) ? im.constantInput(node, 1) : node.integers("axes");
  for (int64_t &axis : axes)
    axis = im.axis(axis, rank, node);
  if (axes.empty() && !node.integer("noop_with_empty_axes", 0))
    axes.assign(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  return axes;
}

/// Drops the reduced dims unless they are to be kept; back to the type of the input.
static void finish(Importer &im, const Node &node, Value result, ArrayRef<int64_t> axes) {
  if (isa<FloatType>(im.elementType(result)))
    result = im.cast(result, im.elementType(im.input(node, 0)));
  if (!node.integer("keepdims", 1)) {
    Shape left;
    for (auto [d, size] : llvm::enumerate(im.shape(result)))
      if (!llvm::is_contained(axes, static_cast<int64_t>(d)))
        left.push_back(size);
    result = im.reshape(result, left);
  }
  im.setOutput(node, 0, result);
}

using Unary = Value (*)(OpBuilder &, Location, Value, bool isUnsigned);

static Value keep(OpBuilder &, Location, Value x, bool) { return x; }
static Value absolute(OpBuilder &b, Location loc, Value x, bool isUnsigned) {
  if (isUnsigned)
    return x;
  return isa<FloatType>(x.getType()) ? math::AbsFOp::create(b, loc, x).getResult()
                                     : math::AbsIOp::create(b, loc, x).getResult();
}
static Value square(OpBuilder &b, Location loc, Value x, bool) {
  return create<arith::MulFOp, arith::MulIOp>(b, loc, x, x);
}
static Value root(OpBuilder &b, Location loc, Value x, bool isUnsigned) {
  if (isa<FloatType>(x.getType()))
    return math::SqrtOp::create(b, loc, x);
  Type f64 = b.getF64Type();
  Value wide = isUnsigned ? arith::UIToFPOp::create(b, loc, f64, x).getResult()
                          : arith::SIToFPOp::create(b, loc, f64, x).getResult();
  wide = math::SqrtOp::create(b, loc, wide);
  return isUnsigned ? arith::FPToUIOp::create(b, loc, x.getType(), wide).getResult()
                    : arith::FPToSIOp::create(b, loc, x.getType(), wide).getResult();
}
static Value logarithm(OpBuilder &b, Location loc, Value x, bool) { return math::LogOp::create(b, loc, x); }

/// What is summed: floats of 16 bits in f32, because sums leave their range or precision long before means do.
static Value summands(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Type element = im.elementType(in);
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32 ? im.cast(in, im.b.getF32Type()) : in;
}

/// after(reduce(before(x))).
template <Reduction kind, Unary before, Unary after> static void importReduce(Importer &im, const Node &node) {
  bool sums = kind != Reduction::max && kind != Reduction::min;
  Value in = sums ? summands(im, node) : im.input(node, 0);
  bool isUnsigned = im.isUnsigned(node, 0);
  Type element = im.elementType(in);
  SmallVector<int64_t> axes = axesOf(im, node, im.rank(in));
  if (kind == Reduction::mean)
    for (int64_t axis : axes)
      if (im.shape(in)[axis].isConstant(0))
        failInput("the mean of no elements");
  auto apply = [&](Value v, Unary f) {
    return f == keep ? v : im.map(v, element, [&](OpBuilder &b, Location loc, ValueRange e) {
      return f(b, loc, e[0], isUnsigned);
    });
  };
  Value result = apply(reduce(im, apply(in, before), axes, kind, isUnsigned), after);
  finish(im, node, result, axes);
}

/// log(sum(exp(x - m))) + m with m the maximum, so that nothing overflows.
static void importLogSumExp(Importer &im, const Node &node) {
  Value in = summands(im, node);
  Type element = im.elementType(in);
  if (!isa<FloatType>(element))
    failUnsupported("integers");
  SmallVector<int64_t> axes = axesOf(im, node, im.rank(in));
  Value most =
      im.map(reduce(im, in, axes, Reduction::max), element, [](OpBuilder &b, Location loc, ValueRange e) -> Value {
        // An infinite maximum is not subtracted: it would give NaN.
        Value magnitude = math::AbsFOp::create(b, loc, e[0]),
              zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(e[0].getType()));
        Value infinity =
            arith::ConstantOp::create(b, loc, b.getFloatAttr(e[0].getType(), std::numeric_limits<double>::infinity()));
        Value infinite = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, magnitude, infinity);
        return arith::SelectOp::create(b, loc, infinite, zero, e[0]);
      });
  Value powers = im.map({in, most}, element, [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, e[0], e[1]));
  });
  Value sum = reduce(im, powers, axes, Reduction::sum);
  Value result = im.map({sum, most}, element, [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return arith::AddFOp::create(b, loc, math::LogOp::create(b, loc, e[0]), e[1]);
  });
  finish(im, node, result, axes);
}

static RegisterOps family{
    {"ReduceSum", importReduce<Reduction::sum, keep, keep>},
    {"ReduceMean", importReduce<Reduction::mean, keep, keep>},
    {"ReduceMax", importReduce<Reduction::max, keep, keep>},
    {"ReduceMin", importReduce<Reduction::min, keep, keep>},
    {"ReduceProd", importReduce<Reduction::product, keep, keep>},
    {"ReduceL1", importReduce<Reduction::sum, absolute, keep>},
    {"ReduceL2", importReduce<Reduction::sum, square, root>},
    {"ReduceSumSquare", importReduce<Reduction::sum, square, keep>},
    {"ReduceLogSum", importReduce<Reduction::sum, keep, logarithm>},
    {"ReduceLogSumExp", importLogSumExp},
};
