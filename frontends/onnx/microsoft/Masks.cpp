// The masks and biases of com.microsoft's attention.
//
// What a mask hides gets mask_filter_value added: a row of which everything is hidden still is a softmax over all of
// it. Key lengths become a structural mask where that is the same.
#include "frontends/onnx/microsoft/Attend.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;
using arith::CmpIPredicate;

void fovea::frontend::addBias(Importer &im, const Node &node, unsigned input, Attend &a) {
  if (!node.hasInput(input))
    return;
  Value bias = im.input(node, input);
  im.checkFloat(bias);
  if (im.rank(bias) != 4)
    failInput("attention_bias has " + Twine(im.rank(bias)) + " dims, expected 4");
  a.added.push_back(bias);
}

/// mask_filter_value where nothing is to be seen, 0 elsewhere.
static Value select(OpBuilder &b, Location loc, Type element, Value visible, double filter) {
  auto number = [&](double value) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(element, value)); };
  return arith::SelectOp::create(b, loc, visible, number(0), number(filter));
}

/// Numbers, 1 for what is to be seen.
static Value fromNumbers(Importer &im, Value mask, Type element, double filter) {
  return im.map(mask, element, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value zero = arith::ConstantOp::create(b, loc, b.getIntegerAttr(e[0].getType(), 0));
    return select(b, loc, element, arith::CmpIOp::create(b, loc, CmpIPredicate::sgt, e[0], zero), filter);
  });
}

/// The keys from start(b) to end(b); start may be null.
static Value fromPositions(Importer &im, Value start, Value end, const DimExpr &keys, Type element, double filter) {
  SmallVector<Value> operands{end};
  if (start)
    operands.push_back(start);
  SmallVector<AffineMap> maps(operands.size(), im.affineMap(2, {im.dim(0)}));
  Shape result{im.shape(end)[0], keys};
  Value mask = im.generic(
      operands, maps, im.empty(result, element), im.identity(2),
      [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
        Value j = arith::IndexCastOp::create(b, loc, e[0].getType(), linalg::IndexOp::create(b, loc, 1));
        Value visible = arith::CmpIOp::create(b, loc, CmpIPredicate::slt, j, e[0]);
        if (start)
          visible = arith::AndIOp::create(b, loc, visible, arith::CmpIOp::create(b, loc, CmpIPredicate::sge, j, e[1]));
        return select(b, loc, element, visible, filter);
      });
  return im.reshape(mask, {result[0], DimExpr(1), DimExpr(1), keys});
}

void fovea::frontend::addUnidirectional(Importer &im, const Node &node, const DimExpr &past, const DimExpr &fresh,
                                        Attend &a) {
  Shape q = im.shape(a.query);
  if (!node.integer("unidirectional", 0) || q[2].isConstant(1))
    return;
  if (fresh == q[2]) {
    a.causal = fovea::attn::Causal::bottom_right;
    return;
  }
  Shape result{DimExpr(1), DimExpr(1), q[2], past + fresh};
  Type element = im.elementType(a.query);
  Value offset = im.index(past), last = im.index(q[2] - DimExpr(1));
  a.added.push_back(im.generic(
      {}, {}, im.empty(result, element), im.identity(4), [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        Value i = linalg::IndexOp::create(b, loc, 2), j = linalg::IndexOp::create(b, loc, 3);
        Value own = arith::AddIOp::create(b, loc, i, offset);
        Value visible = arith::OrIOp::create(b, loc, arith::CmpIOp::create(b, loc, CmpIPredicate::sle, j, own),
                                             arith::CmpIOp::create(b, loc, CmpIPredicate::eq, i, last));
        return select(b, loc, element, visible, -std::numeric_limits<double>::infinity());
      }));
}

/// One number for each row of the batch, or, if there are more, ends and starts. The third form begins with the ends.
static void addPositions(Importer &im, Value mask, Attend &a, double filter) {
  Shape q = im.shape(a.query);
  DimExpr batch = q[0], keys = im.shape(a.key)[2], count = im.shape(mask)[0];
  Type element = im.elementType(a.query);
  Value positions = toI64(im, mask);
  auto part = [&](const DimExpr &start) { return im.slice(positions, {start}, {batch}, {1}); };
  if (count == batch + batch && !batch.isConstant(0)) {
    a.added.push_back(fromPositions(im, part(batch), part(0), keys, element, filter));
    return;
  }
  Value ends = positions;
  if (count == batch + batch + batch + DimExpr(2))
    ends = part(0);
  else
    im.checkEqual(count, batch,
                  "the mask is not one number for each row of the batch; its other forms need static sizes");
  if (filter > -1e4 || !a.added.empty()) {
    a.added.push_back(fromPositions(im, nullptr, ends, keys, element, filter));
    return;
  }
  // A row that hides everything hides nothing: all its scores move alike.
  a.lengths = im.map(ends, im.b.getI64Type(), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    auto number = [&](int64_t value) { return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value)); };
    Value some = arith::CmpIOp::create(b, loc, CmpIPredicate::sgt, e[0], number(0));
    return arith::SelectOp::create(b, loc, some, e[0], number(std::numeric_limits<int32_t>::max()));
  });
}

void fovea::frontend::addMask(Importer &im, const Node &node, unsigned input, Attend &a) {
  if (!node.hasInput(input))
    return;
  Value mask = im.input(node, input);
  im.checkIndices(mask);
  double filter = node.number("mask_filter_value", -10000);
  Shape m = im.shape(mask), q = im.shape(a.query);
  DimExpr queries = q[2], keys = im.shape(a.key)[2];
  Type element = im.elementType(a.query);
  switch (m.size()) {
  case 1:
    addPositions(im, mask, a, filter);
    return;
  case 2:
    if (m[1].isConstant(1)) // the same for all keys
      return;
    im.checkEqual(m[0], q[0], "the mask has another batch size");
    im.checkEqual(m[1], keys, "the mask does not have the length of the keys");
    mask = im.reshape(mask, {q[0], DimExpr(1), DimExpr(1), keys});
    break;
  case 3:
    im.checkEqual(m[0], q[0], "the mask has another batch size");
    im.checkEqual(m[1], queries, "the mask does not have the length of the queries");
    im.checkEqual(m[2], keys, "the mask does not have the length of the keys");
    mask = im.reshape(mask, {q[0], DimExpr(1), queries, keys});
    break;
  case 4: {
    im.checkEqual(m[0], q[0], "the mask has another batch size");
    im.checkEqual(m[1], DimExpr(1), "the mask has heads");
    im.checkEqual(m[2], m[3], "the mask is not square");
    Value enough = arith::CmpIOp::create(im.b, im.loc, CmpIPredicate::sge, im.index(m[3]), im.index(keys));
    im.check(enough, "the mask is shorter than the keys");
    mask = im.slice(mask, {DimExpr(0), DimExpr(0), keys - queries, DimExpr(0)}, {q[0], DimExpr(1), queries, keys},
                    {1, 1, 1, 1});
    break;
  }
  default:
    failInput("the mask has " + Twine(m.size()) + " dims");
  }
  a.added.push_back(fromNumbers(im, mask, element, filter));
}
