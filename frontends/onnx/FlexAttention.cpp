// FlexAttention of ai.onnx.preview: its two products. What is between them are nodes, as Functions.cpp has made them
// of the graphs score_mod and prob_mod; raise-attention makes one operation of all.
#include "frontends/onnx/Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

/// f64 if the node asks for it or its operands are; otherwise f32, in which what is narrower is computed, too.
static Type precisionOf(Importer &im, const Node &node, Value operand) {
  bool wide = node.integer("softmax_precision", 0) == onnx::TensorProto::DOUBLE || im.elementType(operand).isF64();
  return wide ? im.b.getF64Type() : im.b.getF32Type();
}

/// The sum over the last loop of x(xMap) * y(yMap), of five loops of which the first four are those of the result.
static Value product(Importer &im, Value x, ArrayRef<AffineExpr> xMap, Value y, ArrayRef<AffineExpr> yMap,
                     const Shape &shape) {
  return im.generic({x, y}, {im.affineMap(5, xMap), im.affineMap(5, yMap)}, im.fill(shape, im.elementType(x), 0),
                    im.affineMap(5, {im.dim(0), im.dim(1), im.dim(2), im.dim(3)}),
                    [](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      return arith::AddFOp::create(b, loc, e[2], arith::MulFOp::create(b, loc, e[0], e[1]));
                    });
}

/// Heads of queries for each head of keys or values.
static int64_t groupOf(const DimExpr &queryHeads, const DimExpr &heads) {
  auto all = queryHeads.getConstant(), shared = heads.getConstant();
  if (!all || !shared)
    failUnsupported("a symbolic number of heads");
  if (*shared == 0 || *all % *shared != 0)
    failInput("the " + queryHeads.str() + " heads of the query are no multiple of the " + heads.str() + " of the key");
  return *all / *shared;
}

static void checkRank(Importer &im, Value tensor) {
  im.checkFloat(tensor);
  if (im.rank(tensor) != 4)
    failInput("expected operands with 4 dims, got " + Twine(im.rank(tensor)));
}

static void importScores(Importer &im, const Node &node) {
  Value query = im.input(node, 0), key = im.input(node, 1);
  checkRank(im, query), checkRank(im, key);
  im.checkTypes({query, key});
  Type type = precisionOf(im, node, query);
  query = im.cast(query, type), key = im.cast(key, type);
  Shape q = im.shape(query), k = im.shape(key);
  im.checkEqual(k[0], q[0], "query and key differ in batch size");
  im.checkEqual(k[3], q[3], "query and key differ in size");
  auto size = q[3].getConstant();
  if (!node.has("scale") && !size)
    failUnsupported("a symbolic head size without a scale");
  double scale = node.has("scale") ? node.number("scale", 1) : 1 / std::sqrt(static_cast<double>(*size));
  AffineExpr head = im.dim(1).floorDiv(groupOf(q[1], k[1]));
  Value scores = product(im, query, {im.dim(0), im.dim(1), im.dim(2), im.dim(4)}, key,
                         {im.dim(0), head, im.dim(3), im.dim(4)}, {q[0], q[1], q[2], k[2]});
  im.setOutput(node, 0, im.map({scores}, type, [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return arith::MulFOp::create(b, loc, e[0], im.constant(type, scale));
  }));
}

static void importOutput(Importer &im, const Node &node) {
  Value weights = im.input(node, 0), value = im.input(node, 1);
  checkRank(im, weights), checkRank(im, value);
  Type element = im.elementType(value);
  value = im.cast(value, im.elementType(weights));
  Shape p = im.shape(weights), v = im.shape(value);
  im.checkEqual(v[0], p[0], "query and value differ in batch size");
  im.checkEqual(v[2], p[3], "key and value differ in length");
  AffineExpr head = im.dim(1).floorDiv(groupOf(p[1], v[1]));
  Value output = product(im, weights, {im.dim(0), im.dim(1), im.dim(2), im.dim(4)}, value,
                         {im.dim(0), head, im.dim(4), im.dim(3)}, {p[0], p[1], p[2], v[3]});
  im.setOutput(node, 0, im.cast(output, element));
}

static RegisterOps family{{"FlexAttention", nullptr, 1, kLastOpset, "ai.onnx.preview"},
                          {"FlexAttentionScores", importScores, 1, kLastOpset, kOwnDomain},
                          {"FlexAttentionOutput", importOutput, 1, kLastOpset, kOwnDomain}};
