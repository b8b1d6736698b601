// Parts of tensors: Slice, Split; and running sums along a dim.
#include "frontends/onnx/Importer.h"

#include "dialects/data/Data.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea::frontend;

namespace {
struct Window {
  DimExpr start, length;
  int64_t step = 1;
};
} // namespace

/// Numbers beyond this mean "the beginning" or "the end"; arithmetic with them would overflow.
static constexpr int64_t kFar = int64_t(1) << 40;

/// `at` counted from the end if it is negative, then held in [low, high].
static DimExpr clamp(Importer &im, DimExpr at, const DimExpr &size, const DimExpr &low, const DimExpr &high) {
  auto [least, greatest] = im.bounds(at);
  if (at.getConstant().value_or(0) > kFar)
    return high;
  if (greatest < 0) {
    at = at.getConstant().value_or(0) < -kFar ? low : at + size;
  } else if (least < 0) {
    Value negative = arith::CmpIOp::create(im.b, im.loc, arith::CmpIPredicate::slt, im.index(at), im.index(0));
    at = im.expr(arith::SelectOp::create(im.b, im.loc, negative, im.index(at + size), im.index(at)));
  }
  return im.minimum(im.maximum(at, low), high);
}

static Window window(Importer &im, const DimExpr &size, const DimExpr &start, const DimExpr &end, int64_t step) {
  Window w;
  w.step = step;
  if (step > 0) {
    w.start = clamp(im, start, size, 0, size);
    DimExpr stop = clamp(im, end, size, 0, size);
    w.length = im.maximum(im.ceilQuotient(stop - w.start, step), 0);
  } else {
    w.start = clamp(im, start, size, 0, size - 1);
    DimExpr stop = end.getConstant().value_or(0) < -kFar ? DimExpr(-1) : clamp(im, end, size, -1, size - 1);
    w.length = im.maximum(im.ceilQuotient(w.start - stop, -step), 0);
  }
  return w;
}

/// Reads backwards along the dims whose step is negative.
static Value gatherWindows(Importer &im, Value in, ArrayRef<Window> windows) {
  Shape result;
  SmallVector<Value> starts;
  for (const Window &w : windows) {
    result.push_back(w.length);
    starts.push_back(im.index(w.start));
  }
  return im.generic({}, {}, im.empty(result, im.elementType(in)), im.identity(windows.size()),
                    [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                      SmallVector<Value> at;
                      for (auto [d, w] : llvm::enumerate(windows)) {
                        Value i = linalg::IndexOp::create(b, loc, d),
                              step = arith::ConstantIndexOp::create(b, loc, w.step);
                        at.push_back(arith::AddIOp::create(b, loc, starts[d], arith::MulIOp::create(b, loc, i, step)));
                      }
                      return fovea::data::LookupOp::create(b, loc, im.elementType(in), in, at);
                    });
}

static void importSlice(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape shape = im.shape(in);
  SmallVector<DimExpr> starts = im.shapeInput(node, 1).elements, ends = im.shapeInput(node, 2).elements;
  SmallVector<int64_t> axes, steps(starts.size(), 1);
  if (node.hasInput(3))
    axes = im.constantInput(node, 3);
  else
    for (size_t d = 0; d < starts.size(); ++d)
      axes.push_back(d);
  if (node.hasInput(4))
    steps = im.constantInput(node, 4);
  if (starts.size() != ends.size() || starts.size() != axes.size() || starts.size() != steps.size())
    failInput("starts, ends, axes and steps have different lengths");
  SmallVector<Window> windows;
  for (const DimExpr &size : shape)
    windows.push_back({0, size, 1});
  bool backwards = false;
  for (auto [i, given] : llvm::enumerate(axes)) {
    if (steps[i] == 0)
      failInput("a step is 0");
    steps[i] = std::clamp(steps[i], -kFar, kFar);
    int64_t axis = im.axis(given, shape.size(), node);
    windows[axis] = window(im, shape[axis], starts[i], ends[i], steps[i]);
    backwards |= steps[i] < 0;
  }
  if (backwards) {
    im.setOutput(node, 0, gatherWindows(im, in, windows));
    return;
  }
  Shape from, lengths;
  SmallVector<int64_t> strides;
  for (const Window &w : windows)
    from.push_back(w.start), lengths.push_back(w.length), strides.push_back(w.length.isConstant(0) ? 1 : w.step);
  im.setOutput(node, 0, im.slice(in, from, lengths, strides));
}

static void importSplit(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape shape = im.shape(in);
  int64_t axis = im.axis(node.integer("axis", 0), shape.size(), node), parts = node.outputs();
  SmallVector<DimExpr> lengths;
  if (node.hasInput(1)) {
    lengths = im.shapeInput(node, 1).elements;
  } else {
    parts = node.integer("num_outputs", parts);
    if (parts < 1 || parts != node.outputs())
      failInput("num_outputs is " + Twine(parts) + ", it has " + Twine(node.outputs()) + " outputs");
    DimExpr each = im.ceilQuotient(shape[axis], parts);
    lengths.assign(parts - 1, each);
    lengths.push_back(shape[axis] - each * DimExpr(parts - 1));
  }
  if (lengths.size() != node.outputs())
    failInput("it has " + Twine(node.outputs()) + " outputs, expected " + Twine(lengths.size()));
  DimExpr total(0);
  for (auto [i, length] : llvm::enumerate(lengths)) {
    Shape starts(shape.size(), DimExpr(0)), sizes = shape;
    starts[axis] = total, sizes[axis] = length;
    im.setOutput(node, i, im.slice(in, starts, sizes, SmallVector<int64_t>(shape.size(), 1)));
    total = total + length;
  }
  im.checkEqual(total, shape[axis], "the parts do not make up the tensor");
}

template <typename OpT> static void importScan(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  SmallVector<int64_t> axis = im.constantInput(node, 1);
  if (axis.size() != 1)
    failInput("expected one axis, got " + Twine(axis.size()));
  Value init = im.empty(im.shape(in), im.elementType(in));
  im.setOutput(node, 0,
               OpT::create(im.b, im.loc, init.getType(), in, init, im.axis(axis[0], im.rank(in), node),
                           node.integer("exclusive", 0) != 0, node.integer("reverse", 0) != 0));
}

static RegisterOps family{{"Slice", importSlice},
                          {"Split", importSplit},
                          {"CumSum", importScan<fovea::data::CumsumOp>, 14},
                          {"CumProd", importScan<fovea::data::CumprodOp>, 26}};
