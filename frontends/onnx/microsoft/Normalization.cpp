// Normalisations of com.microsoft that contain the sum, or the embeddings, that they normalise.
#include "frontends/onnx/Normalization.h"
#include "frontends/onnx/Gather.h"
#include "frontends/onnx/microsoft/Attend.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

constexpr double kEpsilon = 1e-12f;

/// Input, skip and, if there is one, the bias that is input `bias`, added; also an output of its own.
static Value importSum(Importer &im, const Node &node, unsigned bias) {
  refuseOutput(node, 1, "mean");
  refuseOutput(node, 2, "inv_std_var");
  Value in = im.input(node, 0);
  im.checkFloat(in);
  if (im.rank(in) != 2 && im.rank(in) != 3)
    failInput("the input has " + Twine(im.rank(in)) + " dims, expected 2 or 3");
  Value sum = add(im, in, im.input(node, 1));
  if (node.hasInput(bias))
    sum = add(im, sum, im.input(node, bias));
  im.setOutput(node, 3, sum);
  return sum;
}

static void importSkipLayerNorm(Importer &im, const Node &node) {
  Value sum = importSum(im, node, 4), beta = node.hasInput(3) ? im.input(node, 3) : Value();
  im.setOutput(node, 0,
               layerNorm(im, sum, im.input(node, 2), beta, im.rank(sum) - 1, node.number("epsilon", kEpsilon)));
}

static void importSkipRmsNorm(Importer &im, const Node &node) {
  Value sum = importSum(im, node, 3);
  im.setOutput(node, 0, rmsNorm(im, sum, im.input(node, 2), im.rank(sum) - 1, node.number("epsilon", kEpsilon)));
}

/// The rows of the table for the positions: those given, or from 0 on.
static Value positionRows(Importer &im, const Node &node, Value table, const DimExpr &length) {
  if (node.hasInput(8))
    return lookUpRows(im, table, im.input(node, 8));
  Shape sizes = im.shape(table), starts(2, DimExpr(0));
  Value enough = arith::CmpIOp::create(im.b, im.loc, arith::CmpIPredicate::sge, im.index(sizes[0]), im.index(length));
  im.check(enough, "there are more tokens than positions");
  sizes[0] = length;
  return im.slice(table, starts, sizes, {1, 1});
}

/// How many elements of each row of the mask are 1.
static Value countOnes(Importer &im, Value mask) {
  im.checkIndices(mask);
  Type element = im.elementType(mask);
  return im.generic(mask, im.identity(2), im.fill({im.shape(mask)[0]}, element, 0), im.affineMap(2, {im.dim(0)}),
                    [](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      Value one = arith::ConstantOp::create(b, loc, b.getIntegerAttr(e[0].getType(), 1));
                      Value is = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, e[0], one);
                      Value count = arith::ExtUIOp::create(b, loc, e[0].getType(), is);
                      return arith::AddIOp::create(b, loc, e[1], count);
                    });
}

static void importEmbedLayerNorm(Importer &im, const Node &node) {
  Value ids = im.input(node, 0), words = im.input(node, 2), positions = im.input(node, 3);
  if (im.rank(ids) != 2 || im.rank(words) != 2 || im.rank(positions) != 2)
    failInput("expected input_ids and embeddings with 2 dims");
  Shape shape = im.shape(ids);
  Value sum = add(im, lookUpRows(im, words, ids), positionRows(im, node, positions, shape[1]));
  if (node.hasInput(1))
    sum = add(im, sum, lookUpRows(im, im.input(node, 4), im.input(node, 1)));
  im.setOutput(node, 0, layerNorm(im, sum, im.input(node, 5), im.input(node, 6), 2, node.number("epsilon", kEpsilon)));
  if (node.hasOutput(1))
    im.setOutput(node, 1,
                 node.hasInput(7) ? countOnes(im, im.input(node, 7)) : im.fill({shape[0]}, im.elementType(ids), 0));
  im.setOutput(node, 2, sum);
}

static RegisterOps family{
    {"SkipLayerNormalization", importSkipLayerNorm, 1, 1, "com.microsoft"},
    {"SkipSimplifiedLayerNormalization", importSkipRmsNorm, 1, 1, "com.microsoft"},
    {"EmbedLayerNormalization", importEmbedLayerNorm, 1, 1, "com.microsoft"},
};
