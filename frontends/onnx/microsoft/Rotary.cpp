// RotaryEmbedding of com.microsoft: the older form, whose positions come first and may be a single number to count
// from.
#include "frontends/onnx/Rotary.h"
#include "frontends/onnx/Gather.h"
#include "frontends/onnx/microsoft/Attend.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

/// The positions as batch x length; where there is one number, as 1 x length.
static Value positionsOf(Importer &im, Value given, const DimExpr &batch, const DimExpr &length) {
  given = toI64(im, given);
  if (im.rank(given) == 2) {
    im.checkEqual(im.shape(given)[0], batch, "position_ids has another batch size");
    im.checkEqual(im.shape(given)[1], length, "position_ids does not have the length of the input");
    return given;
  }
  for (const DimExpr &size : im.shape(given))
    im.checkEqual(size, DimExpr(1), "position_ids has to be one number or batch x length");
  given = im.reshape(given, {DimExpr(1)});
  return im.generic(given, im.affineMap(2, {im.b.getAffineConstantExpr(0)}),
                    im.empty({DimExpr(1), length}, im.b.getI64Type()), im.identity(2),
                    [](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      Value s = arith::IndexCastOp::create(b, loc, e[0].getType(), linalg::IndexOp::create(b, loc, 1));
                      return arith::AddIOp::create(b, loc, e[0], s);
                    });
}

static void importRotaryEmbedding(Importer &im, const Node &node) {
  require(node, "is_packed_batching", 0);
  if (node.number("scale", 1) != 1)
    failUnsupported("a scale other than 1");
  Value in = im.input(node, 0), cos = im.input(node, 2), sin = im.input(node, 3);
  im.checkFloat(in);
  im.checkTypes({in, cos, sin});
  Shape original = im.shape(in);
  if (original.size() != 3 && original.size() != 4)
    failInput("expected 3 or 4 dims, got " + Twine(original.size()));
  if (im.rank(cos) != 2 || im.rank(sin) != 2)
    failInput("expected cos_cache and sin_cache with 2 dims");
  int64_t rotated = node.integer("rotary_embedding_dim", 0), heads = node.integer("num_heads", 0);
  bool packed = original.size() == 3;
  if (packed) {
    auto width = original[2].getConstant(), half = im.shape(cos)[1].getConstant();
    if (!width || !half)
      failUnsupported("a symbolic last dim");
    if (rotated && heads < 1)
      failInput("num_heads is needed with rotary_embedding_dim");
    // All of a head is rotated unless rotary_embedding_dim says otherwise, so the tables tell its size.
    int64_t size = rotated ? *width / heads : *half * 2;
    if (size < 1 || *width % size != 0)
      failInput("the last dim " + Twine(*width) + " does not divide into heads of " + Twine(size));
    in = im.reshape(in, {original[0], original[1], DimExpr(*width / size), DimExpr(size)});
  }
  unsigned length = packed ? 1 : 2;
  Value positions = positionsOf(im, im.input(node, 1), original[0], original[length]);
  Value result = rotate(im, in, lookUpRows(im, cos, positions), lookUpRows(im, sin, positions), length,
                        node.integer("interleaved", 0), rotated);
  im.setOutput(node, 0, packed ? im.reshape(result, original) : result);
}

static RegisterOps family{{"RotaryEmbedding", importRotaryEmbedding, 1, 1, "com.microsoft"}};
