// The attributes of sliding windows, and what padding they mean.
#include "frontends/onnx/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace fovea::frontend;

// Of every attribute, so that no product of two overflows.
static constexpr int64_t LARGEST = std::numeric_limits<int32_t>::max();

static SmallVector<int64_t> orElse(SmallVector<int64_t> values, size_t count, int64_t otherwise) {
  if (values.empty())
    values.assign(count, otherwise);
  return values;
}

static void setPadding(const Node &node, Window &w, ArrayRef<DimExpr> spatial) {
  size_t dims = spatial.size();
  std::string mode = node.string("auto_pad", "NOTSET");
  w.before.assign(dims, 0), w.after.assign(dims, 0);
  if (mode == "VALID")
    return;
  if (mode == "NOTSET") {
    SmallVector<int64_t> pads = orElse(node.integers("pads"), 2 * dims, 0);
    if (pads.size() != 2 * dims || llvm::any_of(pads, [](int64_t p) { return p < 0 || p > LARGEST; }))
      failInput("expected " + Twine(2 * dims) + " pads from 0 to 2^31 - 1");
    w.before.assign(pads.begin(), pads.begin() + dims), w.after.assign(pads.begin() + dims, pads.end());
    return;
  }
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER")
    failInput("auto_pad is \"" + mode + "\"");
  for (size_t d = 0; d < dims; ++d) {
    auto size = spatial[d].getConstant();
    if (!size)
      failUnsupported("auto_pad " + mode + " with a symbolic dim");
    int64_t out = llvm::divideCeilSigned(*size, w.strides[d]);
    int64_t total = std::max<int64_t>(0, (out - 1) * w.strides[d] + w.reach(d) - *size);
    w.before[d] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    w.after[d] = total - w.before[d];
  }
}

/// How many windows there are in the padded input and what hangs over; with overhang none begins behind the input.
static DimExpr countPositions(Importer &im, const Window &w, unsigned d, const DimExpr &size) {
  DimExpr room = size + DimExpr(w.before[d] + w.after[d] + w.overhang[d] - w.reach(d));
  auto [low, high] = im.bounds(room);
  if (high < 0)
    failInput("the kernel is larger than the input in spatial dim " + Twine(d));
  if (low < 0)
    im.check(arith::CmpIOp::create(im.b, im.loc, arith::CmpIPredicate::sge, im.index(room), im.index(0)),
             "the kernel is larger than the input");
  DimExpr positions = im.quotient(room, w.strides[d]) + 1;
  if (!w.overhang[d])
    return positions;
  return im.minimum(positions, im.ceilQuotient(size + DimExpr(w.before[d]), w.strides[d]));
}

Window fovea::frontend::readWindow(Importer &im, const Node &node, ArrayRef<int64_t> kernel,
                                   ArrayRef<DimExpr> spatial) {
  size_t dims = spatial.size();
  Window w;
  w.kernel.assign(kernel.begin(), kernel.end());
  w.strides = orElse(node.integers("strides"), dims, 1);
  w.dilations = orElse(node.integers("dilations"), dims, 1);
  auto positive = [&](ArrayRef<int64_t> v) {
    return v.size() == dims && llvm::all_of(v, [](int64_t x) { return x > 0 && x <= LARGEST; });
  };
  if (!positive(w.kernel))
    failInput("the kernel's sizes must be positive and below 2^31, one for each spatial dim");
  if (!positive(w.strides) || !positive(w.dilations))
    failInput("strides and dilations must be positive and below 2^31, one for each spatial dim");
  setPadding(node, w, spatial);
  // The last window may end behind the padded input; what "same" padding adds is enough for all.
  bool same = StringRef(node.string("auto_pad", "NOTSET")).starts_with("SAME");
  w.overhang.assign(dims, 0);
  for (size_t d = 0; d < dims; ++d) {
    if (node.integer("ceil_mode", 0) && !same)
      w.overhang[d] = w.strides[d] - 1;
    w.positions.push_back(countPositions(im, w, d, spatial[d]));
  }
  return w;
}

Value fovea::frontend::pad(Importer &im, Value input, const Window &w, Value number) {
  Shape shape = im.shape(input);
  SmallVector<DimExpr> before(2, DimExpr(0)), after(2, DimExpr(0));
  bool pads = false;
  for (size_t d = 0; d < w.kernel.size(); ++d) {
    int64_t low = w.before[d], high = w.after[d] + w.overhang[d];
    before.push_back(low), after.push_back(high);
    shape[2 + d] = shape[2 + d] + DimExpr(low + high);
    pads |= low != 0 || high != 0;
  }
  if (!pads)
    return input;
  return tensor::PadOp::create(im.b, im.loc, im.type(shape, im.elementType(input)), input, im.sizes(before),
                               im.sizes(after), number);
}
