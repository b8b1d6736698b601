// Pools: the maximum or the mean of each window, or of all positions.
#include "frontends/onnx/Reduce.h"
#include "frontends/onnx/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

static Window windowOf(Importer &im, const Node &node, const Shape &x) {
  if (x.size() < 3 || x.size() > 5)
    failUnsupported("an input with " + Twine(x.size()) + " dims");
  SmallVector<int64_t> kernel = node.integers("kernel_shape");
  return readWindow(im, node, kernel, ArrayRef(x).drop_front(2));
}

/// Loops: n, channel, positions, kernel. What the padding holds changes nothing.
static Value reduceWindows(Importer &im, Value in, const Window &w, Reduction kind, bool isUnsigned) {
  Type element = im.elementType(in);
  Value start = arith::ConstantOp::create(im.b, im.loc, neutral(im.b, kind, element, isUnsigned));
  in = pad(im, in, w, start);
  Shape x = im.shape(in), result{x[0], x[1]};
  unsigned dims = w.kernel.size(), loops = 2 + 2 * dims;
  SmallVector<AffineExpr> read{im.dim(0), im.dim(1)}, window;
  for (unsigned d = 0; d < dims; ++d) {
    AffineExpr o = im.dim(2 + d), k = im.dim(2 + dims + d);
    read.push_back(o * w.strides[d] + k * w.dilations[d]);
    window.push_back(k);
    result.push_back(w.positions[d]);
  }
  // An operand of the kernel's shape, which is not read, says how far its loops go.
  auto kernel = RankedTensorType::get(w.kernel, im.b.getI1Type());
  Value extent = arith::ConstantOp::create(im.b, im.loc, DenseElementsAttr::get(kernel, false));
  Value init = linalg::FillOp::create(im.b, im.loc, start, im.empty(result, element)).getResult(0);
  return im.generic(
      {in, extent}, {im.affineMap(loops, read), im.affineMap(loops, window)}, init,
      im.affineMap(loops, SmallVector<AffineExpr>(im.identity(loops).getResults().take_front(2 + dims))),
      [&](OpBuilder &b, Location loc, ValueRange e) { return reduceStep(b, loc, kind, e[2], e[0], isUnsigned); });
}

static void importMaxPool(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  if (node.hasOutput(1))
    failUnsupported("the indices of the maxima");
  im.setOutput(node, 0,
               reduceWindows(im, in, windowOf(im, node, im.shape(in)), Reduction::max, im.isUnsigned(node, 0)));
}

/// For each position along a spatial dim, how many of the window's elements lie in [begin, end) of the padded input.
static Value countElements(Importer &im, const Window &w, unsigned d, int64_t begin, const DimExpr &end, Type element) {
  Value last = im.index(end);
  return im.generic(
      {}, {}, im.empty(w.positions[d], element), im.identity(1), [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        auto number = [&](int64_t n) { return arith::ConstantIndexOp::create(b, loc, n).getResult(); };
        Value at = arith::MulIOp::create(b, loc, linalg::IndexOp::create(b, loc, 0), number(w.strides[d]));
        // The first k at which at + k * dilation is not before the bound, in 0 .. kernel.
        auto from = [&](Value bound) -> Value {
          Value k =
              arith::CeilDivSIOp::create(b, loc, arith::SubIOp::create(b, loc, bound, at), number(w.dilations[d]));
          k = arith::MaxSIOp::create(b, loc, k, number(0));
          return arith::MinSIOp::create(b, loc, k, number(w.kernel[d]));
        };
        Value count = arith::SubIOp::create(b, loc, from(last), from(number(begin)));
        return arith::SIToFPOp::create(b, loc, element, arith::IndexCastOp::create(b, loc, b.getI32Type(), count));
      });
}

static void importAveragePool(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  Type given = im.elementType(in), element = given.getIntOrFloatBitWidth() < 32 ? im.b.getF32Type() : given;
  Shape x = im.shape(in);
  Window w = windowOf(im, node, x);
  bool includesPadding = node.integer("count_include_pad", 0);
  Value result = reduceWindows(im, im.cast(in, element), w, Reduction::sum, false);
  double all = 1;
  SmallVector<Value> operands{result};
  for (unsigned d = 0; d < w.kernel.size(); ++d) {
    bool whole = !w.overhang[d] && (includesPadding || (!w.before[d] && !w.after[d]));
    if (whole) {
      all *= w.kernel[d];
      continue;
    }
    int64_t begin = includesPadding ? 0 : w.before[d];
    DimExpr end = x[2 + d] + DimExpr(includesPadding ? w.before[d] + w.after[d] : w.before[d]);
    Shape column{w.positions[d]};
    column.append(w.kernel.size() - 1 - d, DimExpr(1));
    operands.push_back(im.reshape(countElements(im, w, d, begin, end, element), column));
  }
  result = im.map(operands, element, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value count = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, all));
    for (Value along : e.drop_front())
      count = arith::MulFOp::create(b, loc, count, along);
    return arith::DivFOp::create(b, loc, e[0], count);
  });
  im.setOutput(node, 0, im.cast(result, given));
}

template <Reduction kind> static void importGlobalPool(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  if (im.rank(in) < 2)
    failInput("the input has " + Twine(im.rank(in)) + " dims, expected at least 2");
  Type given = im.elementType(in);
  bool widens = kind == Reduction::mean && given.getIntOrFloatBitWidth() < 32;
  SmallVector<int64_t> axes;
  for (int64_t d = 2; d < im.rank(in); ++d)
    axes.push_back(d);
  Value result = reduce(im, widens ? im.cast(in, im.b.getF32Type()) : in, axes, kind);
  im.setOutput(node, 0, im.cast(result, given));
}

static RegisterOps family{
    {"MaxPool", importMaxPool},
    {"AveragePool", importAveragePool},
    {"GlobalMaxPool", importGlobalPool<Reduction::max>},
    {"GlobalAveragePool", importGlobalPool<Reduction::mean>},
};
