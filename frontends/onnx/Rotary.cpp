// RotaryEmbedding of opset 23 and later.
#include "frontends/onnx/Rotary.h"

#include "frontends/onnx/Gather.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

Value fovea::frontend::rotate(Importer &im, Value in, Value cos, Value sin, unsigned length, bool interleaved,
                              int64_t rotated) {
  Shape x = im.shape(in), table = im.shape(cos);
  if (!x.back().getConstant() || !table.back().getConstant())
    failUnsupported("a symbolic last dim");
  Shape rows{x[0], x[length], table[2]};
  cos = im.settle(cos, rows), sin = im.settle(sin, rows);
  SmallVector<AffineExpr> place{im.dim(0), im.dim(length)};
  for (unsigned d = 0; d < 2; ++d)
    if (table[d].isConstant(1))
      place[d] = im.b.getAffineConstantExpr(0);
  int64_t last = *x.back().getConstant(), width = rotated ? rotated : last;
  if (width < 0 || width > last || width % 2 != 0 || *table.back().getConstant() != width / 2)
    failInput("cos and sin have " + table.back().str() + " columns for " + Twine(width) + " of " + Twine(last) +
              " elements to rotate");
  Value init = im.empty(x, im.elementType(in));
  auto form = interleaved ? attn::RotaryForm::interleaved : attn::RotaryForm::half;
  return attn::RotaryEmbeddingOp::create(im.b, im.loc, init.getType(), in, cos, sin, init, im.affineMap(3, place), form,
                                         rotated ? im.b.getI64IntegerAttr(rotated) : IntegerAttr());
}

static void importRotaryEmbedding(Importer &im, const Node &node) {
  Value in = im.input(node, 0), cos = im.input(node, 1), sin = im.input(node, 2);
  im.checkFloat(in);
  im.checkTypes({in, cos, sin});
  if (node.hasInput(3) && (im.rank(cos) != 2 || im.rank(sin) != 2 || im.rank(im.input(node, 3)) != 2))
    failInput("expected cos, sin and positions with 2 dims");
  if (im.rank(sin) != im.rank(cos))
    failInput("cos and sin have different shapes");
  Shape original = im.shape(in);
  bool packed = original.size() == 3;
  if (packed) {
    int64_t heads = node.integer("num_heads", 0);
    auto width = original[2].getConstant();
    if (!width)
      failUnsupported("a symbolic last dim");
    if (heads < 1 || *width % heads != 0)
      failInput("num_heads " + Twine(heads) + " does not divide the last dim " + original[2].str());
    in = im.reshape(in, {original[0], original[1], DimExpr(heads), DimExpr(*width / heads)});
  } else if (original.size() != 4) {
    failInput("expected 3 or 4 dims, got " + Twine(original.size()));
  }
  if (node.hasInput(3)) {
    cos = lookUpRows(im, cos, im.input(node, 3));
    sin = lookUpRows(im, sin, im.input(node, 3));
  }
  if (im.rank(cos) != 3)
    failInput("cos and sin have " + Twine(im.rank(cos)) + " dims, expected " + (node.hasInput(3) ? "2" : "3"));
  Value result =
      rotate(im, in, cos, sin, packed ? 1 : 2, node.integer("interleaved", 0), node.integer("rotary_embedding_dim", 0));
  im.setOutput(node, 0, packed ? im.reshape(result, original) : result);
}

static RegisterOps family{{"RotaryEmbedding", importRotaryEmbedding, 23}};
