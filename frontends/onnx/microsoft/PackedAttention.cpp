// PackedAttention and PackedMultiHeadAttention of com.microsoft: sequences of different lengths without padding, one
// after the other. They are padded for attention, which skips what is behind each length, and packed again.
#include "frontends/onnx/microsoft/Attend.h"

#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

namespace {
/// Where the tokens are.
struct Packing {
  Value starts, lengths; ///< B, i64: of each sequence among the tokens
  Value offsets;         ///< B * length, i64: for each token its place among all that could be, b * length + s
  DimExpr batch, length;
};
} // namespace

static Packing readPacking(Importer &im, const Node &node, unsigned input) {
  Value offsets = toI64(im, im.input(node, input)), sums = toI64(im, im.input(node, input + 1));
  if (im.rank(offsets) != 2 || im.rank(sums) != 1)
    failInput("expected token_offset with 2 dims and cumulative_sequence_length with 1");
  Shape s = im.shape(offsets);
  im.checkEqual(im.shape(sums)[0], s[0] + DimExpr(1), "cumulative_sequence_length does not fit token_offset");
  auto part = [&](int64_t start) { return im.slice(sums, {DimExpr(start)}, {s[0]}, {1}); };
  Value starts = part(0);
  Value lengths = im.map({part(1), starts}, im.b.getI64Type(), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return arith::SubIOp::create(b, loc, e[0], e[1]);
  });
  return {starts, lengths, im.reshape(offsets, {s[0] * s[1]}), s[0], s[1]};
}

/// tokens x width as B x length x width; what is behind a sequence is some token's.
static Value pad(Importer &im, Value tokens, const Packing &packing) {
  Shape t = im.shape(tokens), result{packing.batch, packing.length, t[1]};
  Type element = im.elementType(tokens);
  Value last = im.index(t[0] - DimExpr(1));
  return im.generic(packing.starts, im.affineMap(3, {im.dim(0)}), im.empty(result, element), im.identity(3),
                    [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      Value start = arith::IndexCastOp::create(b, loc, b.getIndexType(), e[0]);
                      Value row = arith::AddIOp::create(b, loc, start, linalg::IndexOp::create(b, loc, 1));
                      Value place = arith::MinSIOp::create(b, loc, row, last);
                      return data::LookupOp::create(b, loc, element, tokens,
                                                    ValueRange{place, linalg::IndexOp::create(b, loc, 2)});
                    });
}

/// B x length x width as tokens x width.
static Value pack(Importer &im, Value padded, const Packing &packing, const DimExpr &tokens) {
  Shape result{tokens, im.shape(padded)[2]};
  Type element = im.elementType(padded);
  Value length = im.index(packing.length);
  Value offsets = im.slice(packing.offsets, {DimExpr(0)}, {tokens}, {1});
  return im.generic(offsets, im.affineMap(2, {im.dim(0)}), im.empty(result, element), im.identity(2),
                    [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      Value place = arith::IndexCastOp::create(b, loc, b.getIndexType(), e[0]);
                      return data::LookupOp::create(b, loc, element, padded,
                                                    ValueRange{arith::DivSIOp::create(b, loc, place, length),
                                                               arith::RemSIOp::create(b, loc, place, length),
                                                               linalg::IndexOp::create(b, loc, 1)});
                    });
}

static void importPacked(Importer &im, const Node &node, ArrayRef<Value> parts, int64_t heads, unsigned offsets) {
  Packing packing = readPacking(im, node, offsets);
  auto split = [&](Value part) { return splitHeads(im, pad(im, part, packing), heads); };
  Attend a;
  a.query = split(parts[0]), a.key = split(parts[1]), a.value = split(parts[2]);
  a.lengths = packing.lengths;
  a.scale = scaleOf(im, node, a.query);
  addBias(im, node, offsets + 2, a);
  im.setOutput(node, 0, pack(im, mergeHeads(im, attend(im, a)), packing, im.shape(parts[0])[0]));
}

static void importPackedAttention(Importer &im, const Node &node) {
  int64_t heads = headsOf(node, "num_heads");
  if (im.rank(im.input(node, 0)) != 2)
    failInput("the input has " + Twine(im.rank(im.input(node, 0))) + " dims, expected 2");
  importPacked(im, node, project(im, node, heads), heads, 3);
}

/// Query, key and value of packed ones, tokens x heads x 3 x size.
static SmallVector<Value> unpack(Importer &im, Value packed) {
  SmallVector<Value> parts;
  for (int64_t which : {0, 1, 2}) {
    Shape starts(4, DimExpr(0)), sizes = im.shape(packed);
    starts[2] = which, sizes[2] = 1;
    parts.push_back(im.reshape(im.slice(packed, starts, sizes, {1, 1, 1, 1}), {sizes[0], sizes[1] * sizes[3]}));
  }
  return parts;
}

static void importPackedMultiHead(Importer &im, const Node &node) {
  int64_t heads = headsOf(node, "num_heads");
  Value query = im.input(node, 0);
  SmallVector<Value> parts;
  if (node.hasInput(1)) {
    parts = {query, im.input(node, 1), im.input(node, 2)};
    for (Value part : parts)
      if (im.rank(part) != 2)
        failInput("expected query, key and value with 2 dims");
  } else if (im.rank(query) == 4 && im.shape(query)[1].isConstant(heads) && im.shape(query)[2].isConstant(3)) {
    parts = unpack(im, query);
  } else {
    failInput("a query without a key has to be tokens x " + Twine(heads) + " x 3 x size");
  }
  if (node.hasInput(3))
    addProjectionBias(im, im.input(node, 3), parts);
  importPacked(im, node, parts, heads, 4);
}

static RegisterOps family{
    {"PackedAttention", importPackedAttention, 1, 1, "com.microsoft"},
    {"PackedMultiHeadAttention", importPackedMultiHead, 1, 1, "com.microsoft"},
};
