// Tensors that say where one is: rows of a unit matrix at run-time indices, and the matrix itself.
#include "frontends/onnx/Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

/// A number of any type.
static DimExpr readDepth(Importer &im, const Node &node) {
  if (const Scalars *known = im.knownScalars(node, 1); known && known->elements.size() == 1)
    return known->elements[0];
  auto constant = im.input(node, 1).getDefiningOp<arith::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : nullptr;
  if (dense && dense.getNumElements() == 1) {
    APSInt depth(64, /*isUnsigned=*/false);
    bool exact;
    if ((*dense.begin()).convertToInteger(depth, APFloat::rmTowardZero, &exact) & APFloat::opInvalidOp)
      failInput("the depth is no number of elements");
    return depth.getExtValue();
  }
  Scalars depth = im.shapeInput(node, 1);
  if (depth.elements.size() != 1)
    failInput("the depth has " + Twine(depth.elements.size()) + " elements, expected 1");
  return depth.elements[0];
}

static void importOneHot(Importer &im, const Node &node) {
  Value indices = im.input(node, 0), values = im.input(node, 2);
  Type i64 = im.b.getI64Type(), element = im.elementType(values);
  DimExpr depth = readDepth(im, node);
  im.checkAtMost(0, depth, "the depth is negative");
  if (im.rank(values) != 1)
    failInput("expected two values, off and on, got a tensor of " + Twine(im.rank(values)) + " dims");
  im.checkEqual(im.shape(values)[0], 2, "expected two values, off and on");
  bool natural = im.isUnsigned(node, 0);
  indices = im.cast(indices, i64, natural);
  int64_t rank = im.rank(indices) + 1, axis = im.axis(node.integer("axis", -1), rank, node);
  Shape shape = im.shape(indices);
  shape.insert(shape.begin() + axis, depth);
  SmallVector<AffineExpr> read;
  for (int64_t d = 0; d < rank; ++d)
    if (d != axis)
      read.push_back(im.dim(d));
  auto value = [&](int64_t i) { return im.affineMap(rank, {im.b.getAffineConstantExpr(i)}); };
  Value size = im.index(depth);
  im.setOutput(node, 0,
               im.generic({indices, values, values}, {im.affineMap(rank, read), value(0), value(1)},
                          im.empty(shape, element), im.identity(rank),
                          [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                            Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), e[0]);
                            if (!natural) {
                              Value zero = arith::ConstantIndexOp::create(b, loc, 0);
                              Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index, zero);
                              Value fromEnd = arith::AddIOp::create(b, loc, index, size);
                              index = arith::SelectOp::create(b, loc, negative, fromEnd, index);
                            }
                            Value here = linalg::IndexOp::create(b, loc, axis);
                            Value hit = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, here, index);
                            return arith::SelectOp::create(b, loc, hit, e[2], e[1]);
                          }));
}

static void importEyeLike(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape shape = im.shape(in);
  if (shape.size() != 2)
    failInput("expected 2 dims, got " + Twine(shape.size()));
  int64_t to = node.integer("dtype", 0), k = node.integer("k", 0);
  Type element = node.has("dtype") ? mlirType(im.b.getContext(), to) : im.elementType(in);
  if (!element)
    failUnsupported("a matrix of " + elementTypeName(to));
  im.setOutput(node, 0,
               im.generic({}, {}, im.empty(shape, element), im.identity(2),
                          [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                            Value row = linalg::IndexOp::create(b, loc, 0), column = linalg::IndexOp::create(b, loc, 1);
                            // The column minus the row does not leave the range of an index, whatever k is.
                            Value offset = arith::SubIOp::create(b, loc, column, row);
                            Value hit = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, offset,
                                                              arith::ConstantIndexOp::create(b, loc, k));
                            Value one = arith::ConstantOp::create(b, loc, cast<TypedAttr>(im.number(element, 1)));
                            Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
                            return arith::SelectOp::create(b, loc, hit, one, zero);
                          }));
}

static RegisterOps family{{"OneHot", importOneHot}, {"EyeLike", importEyeLike}};
