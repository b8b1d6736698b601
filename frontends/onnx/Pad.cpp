// Padding with a number, and by repeating what a tensor has; cropping and padding around the centre.
#include "frontends/onnx/Importer.h"

#include "dialects/data/Data.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea::frontend;

namespace {
/// By dim: how many elements are added; fewer than 0 drop some.
struct Padding {
  SmallVector<DimExpr> before, after;
};
} // namespace

static Padding readPadding(Importer &im, const Node &node, int64_t rank) {
  SmallVector<DimExpr> pads = im.shapeInput(node, 1).elements;
  SmallVector<int64_t> axes(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
  if (node.hasInput(3)) {
    axes = im.constantInput(node, 3);
    for (int64_t &axis : axes)
      axis = im.axis(axis, rank, node);
  }
  if (pads.size() != 2 * axes.size())
    failInput("expected " + Twine(2 * axes.size()) + " pads, got " + Twine(pads.size()));
  Padding p{SmallVector<DimExpr>(rank, DimExpr(0)), SmallVector<DimExpr>(rank, DimExpr(0))};
  for (auto [i, axis] : llvm::enumerate(axes))
    p.before[axis] = pads[i], p.after[axis] = pads[axes.size() + i];
  return p;
}

/// Drops what negative pads say; they are 0 then.
static Value crop(Importer &im, Value in, Padding &p) {
  Shape sizes = im.shape(in), starts(sizes.size(), DimExpr(0));
  bool crops = false;
  for (size_t d = 0; d < sizes.size(); ++d)
    for (DimExpr *pad : {&p.before[d], &p.after[d]}) {
      if (im.bounds(*pad).first >= 0)
        continue;
      if (im.bounds(*pad).second > 0) {
        im.check(arith::CmpIOp::create(im.b, im.loc, arith::CmpIPredicate::sge, im.index(*pad), im.index(0)),
                 "a pad is negative; that is supported where it is known when compiling");
        continue;
      }
      sizes[d] = sizes[d] + *pad;
      if (im.bounds(sizes[d]).first < 0 && sizes[d].getConstant())
        failInput("more elements of dim " + Twine(d) + " are dropped than it has");
      if (pad == &p.before[d])
        starts[d] = DimExpr(0) - *pad;
      *pad = 0, crops = true;
    }
  return crops ? im.slice(in, starts, sizes, SmallVector<int64_t>(sizes.size(), 1)) : in;
}

/// Surrounded by a number.
static Value padWithNumber(Importer &im, const Node &node, Value in, const Padding &p, const Shape &to) {
  Type element = im.elementType(in);
  Value given = node.hasInput(2) ? im.input(node, 2) : Value(), around;
  if (given && im.elementType(given) != element)
    failInput("constant_value has another element type than the data");
  auto constant = given ? given.getDefiningOp<arith::ConstantOp>() : nullptr;
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
  if (dense && dense.getNumElements() == 1)
    around = arith::ConstantOp::create(im.b, im.loc, cast<TypedAttr>(*dense.getValues<Attribute>().begin()));
  else
    around = im.constant(element, 0);
  Value padded =
      tensor::PadOp::create(im.b, im.loc, im.type(to, element), in, im.sizes(p.before), im.sizes(p.after), around);
  if (!given || (dense && dense.getNumElements() == 1))
    return padded;
  // A number that is known only when the model runs is chosen by the indices.
  SmallVector<Value> first, last;
  Shape from = im.shape(in);
  for (size_t d = 0; d < to.size(); ++d)
    first.push_back(im.index(p.before[d])), last.push_back(im.index(p.before[d] + from[d]));
  return im.generic({padded, im.reshape(given, {})}, {im.identity(to.size()), im.affineMap(to.size(), {})},
                    im.empty(to, element), im.identity(to.size()), [&](OpBuilder &b, Location loc, ValueRange e) {
                      Value inside = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
                      for (size_t d = 0; d < to.size(); ++d) {
                        Value i = linalg::IndexOp::create(b, loc, d);
                        for (auto [predicate, bound] :
                             {std::pair(arith::CmpIPredicate::sge, first[d]), {arith::CmpIPredicate::slt, last[d]}})
                          inside =
                              arith::AndIOp::create(b, loc, inside, arith::CmpIOp::create(b, loc, predicate, i, bound));
                      }
                      return arith::SelectOp::create(b, loc, inside, e[0], e[1]).getResult();
                    });
}

/// Where along a dim of n elements the padded element i comes from, i counted from the first that is not added.
static Value sourceIndex(OpBuilder &b, Location loc, StringRef mode, Value i, Value n) {
  auto number = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
  Value last = arith::SubIOp::create(b, loc, n, number(1));
  auto modulo = [&](Value x, Value y) -> Value {
    y = arith::MaxSIOp::create(b, loc, y, number(1));
    Value r = arith::RemSIOp::create(b, loc, x, y);
    Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, r, number(0));
    return arith::SelectOp::create(b, loc, negative, arith::AddIOp::create(b, loc, r, y), r);
  };
  if (mode == "edge")
    return arith::MinSIOp::create(b, loc, arith::MaxSIOp::create(b, loc, i, number(0)), last);
  if (mode == "wrap")
    return modulo(i, n);
  // Back and forth: the distance from the next multiple of 2 (n - 1).
  Value period = arith::MulIOp::create(b, loc, last, number(2)), at = modulo(i, period);
  return arith::MinSIOp::create(b, loc, at, arith::SubIOp::create(b, loc, period, at));
}

static void importPad(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  std::string mode = node.string("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
    failInput("mode is \"" + mode + "\", expected constant, reflect, edge or wrap");
  Padding p = readPadding(im, node, im.rank(in));
  in = crop(im, in, p);
  Shape from = im.shape(in), to;
  for (size_t d = 0; d < from.size(); ++d)
    to.push_back(p.before[d] + from[d] + p.after[d]);
  Type element = im.elementType(in);
  if (mode == "constant") {
    im.setOutput(node, 0, padWithNumber(im, node, in, p, to));
    return;
  }
  SmallVector<Value> before, sizes;
  for (size_t d = 0; d < from.size(); ++d) {
    if (from[d].isConstant(0) && !to[d].isConstant(0))
      failInput("an empty dim cannot be repeated");
    before.push_back(im.index(p.before[d])), sizes.push_back(im.index(from[d]));
  }
  im.setOutput(node, 0,
               im.generic({}, {}, im.empty(to, element), im.identity(to.size()),
                          [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                            SmallVector<Value> at;
                            for (size_t d = 0; d < to.size(); ++d) {
                              Value i = linalg::IndexOp::create(b, loc, d);
                              if (!p.before[d].isConstant(0) || !p.after[d].isConstant(0))
                                i = sourceIndex(b, loc, mode, arith::SubIOp::create(b, loc, i, before[d]), sizes[d]);
                              at.push_back(i);
                            }
                            return fovea::data::LookupOp::create(b, loc, element, in, at);
                          }));
}

/// Of each dim what the tensor and the result both have, with half of what is over, rounded down, in front of it.
static void importCenterCropPad(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape from = im.shape(in), to = from, kept = from, starts(from.size(), DimExpr(0));
  SmallVector<DimExpr> sizes = im.shapeInput(node, 1).elements;
  SmallVector<int64_t> axes = node.integers("axes");
  if (!node.has("axes"))
    llvm::append_range(axes, llvm::seq<int64_t>(0, from.size()));
  if (sizes.size() != axes.size())
    failInput("expected " + Twine(axes.size()) + " sizes, got " + Twine(sizes.size()));
  Padding p{SmallVector<DimExpr>(from.size(), DimExpr(0)), SmallVector<DimExpr>(from.size(), DimExpr(0))};
  for (auto [given, size] : llvm::zip(axes, sizes)) {
    int64_t d = im.axis(given, from.size(), node);
    im.checkAtMost(0, size, "a size is negative");
    to[d] = size;
    kept[d] = im.minimum(from[d], size);
    starts[d] = im.quotient(from[d] - kept[d], 2);
    p.before[d] = im.quotient(size - kept[d], 2);
    p.after[d] = size - kept[d] - p.before[d];
  }
  Type element = im.elementType(in);
  Value centre = im.slice(in, starts, kept, SmallVector<int64_t>(from.size(), 1));
  im.setOutput(node, 0,
               tensor::PadOp::create(im.b, im.loc, im.type(to, element), centre, im.sizes(p.before), im.sizes(p.after),
                                     im.constant(element, 0)));
}

static RegisterOps family{{"Pad", importPad}, {"CenterCropPad", importCenterCropPad, 18}};
