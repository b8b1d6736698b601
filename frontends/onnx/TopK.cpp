// The best elements along a dim, and where they are.
#include "frontends/onnx/Importer.h"

#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static void importTopK(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Scalars count = im.shapeInput(node, 1);
  if (count.elements.size() != 1)
    failInput("k has " + Twine(count.elements.size()) + " elements, expected 1");
  int64_t axis = im.axis(node.integer("axis", -1), im.rank(in), node);
  Type element = im.elementType(in);
  if (element.isInteger(1))
    failInput("the operand is a tensor of bools");
  DimExpr k = count.elements[0];
  Shape shape = im.shape(in);
  im.checkAtMost(0, k, "k is negative");
  im.checkAtMost(k, shape[axis], "k is larger than the dim");
  shape[axis] = k;
  Type i64 = im.b.getI64Type();
  Value values = im.empty(shape, element), indices = im.empty(shape, i64);
  bool smallest = !node.integer("largest", 1);
  auto op = fovea::data::TopKOp::create(im.b, im.loc, values.getType(), indices.getType(), in, values, indices, axis,
                                        smallest, im.isUnsigned(node, 0));
  im.setOutput(node, 0, op.getValues());
  if (node.hasOutput(1))
    im.setOutput(node, 1, op.getIndices());
}

/// Whether x goes before the best one so far, of elements or of an earlier one; a NaN before every number, as NumPy has
/// it.
static Value goesBefore(OpBuilder &b, Location loc, Value x, Value best, bool least, bool last, bool natural) {
  if (isa<FloatType>(x.getType())) {
    auto compare = [&](CmpFPredicate p, Value y, Value z) -> Value { return arith::CmpFOp::create(b, loc, p, y, z); };
    CmpFPredicate p =
        least ? (last ? CmpFPredicate::ULE : CmpFPredicate::ULT) : (last ? CmpFPredicate::UGE : CmpFPredicate::UGT);
    Value better = arith::AndIOp::create(b, loc, compare(p, x, best), compare(CmpFPredicate::ORD, best, best));
    return last ? arith::OrIOp::create(b, loc, better, compare(CmpFPredicate::UNO, x, x)).getResult() : better;
  }
  CmpIPredicate p =
      least ? (last ? CmpIPredicate::sle : CmpIPredicate::slt) : (last ? CmpIPredicate::sge : CmpIPredicate::sgt);
  if (natural)
    p = least ? (last ? CmpIPredicate::ule : CmpIPredicate::ult) : (last ? CmpIPredicate::uge : CmpIPredicate::ugt);
  return arith::CmpIOp::create(b, loc, p, x, best);
}

/// A reduction of indices, which looks up what the best one so far stands for.
template <bool least> static void importArg(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  int64_t rank = im.rank(in), axis = im.axis(node.integer("axis", 0), rank, node);
  bool last = node.integer("select_last_index", 0);
  Type element = im.elementType(in), i64 = im.b.getI64Type();
  bool natural = im.isUnsigned(node, 0) || element.isInteger(1);
  Shape shape = im.shape(in), left;
  im.checkAtMost(1, shape[axis], "there are no elements to choose from");
  SmallVector<AffineExpr> write;
  for (int64_t d = 0; d < rank; ++d)
    if (d != axis) {
      left.push_back(shape[d]);
      write.push_back(im.dim(d));
    }
  Value best = im.generic(in, im.identity(rank), im.fill(left, i64, 0), im.affineMap(rank, write),
                          [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                            SmallVector<Value> at;
                            for (int64_t d = 0; d < rank; ++d)
                              at.push_back(linalg::IndexOp::create(b, loc, d));
                            Value here = arith::IndexCastOp::create(b, loc, i64, at[axis]);
                            at[axis] = arith::IndexCastOp::create(b, loc, b.getIndexType(), e[1]);
                            Value leader = fovea::data::LookupOp::create(b, loc, element, in, at);
                            Value before = goesBefore(b, loc, e[0], leader, least, last, natural);
                            return arith::SelectOp::create(b, loc, before, here, e[1]);
                          });
  if (node.integer("keepdims", 1)) {
    shape[axis] = 1;
    best = im.reshape(best, shape);
  }
  im.setOutput(node, 0, best);
}

static RegisterOps family{{"TopK", importTopK}, {"ArgMax", importArg<false>}, {"ArgMin", importArg<true>}};
