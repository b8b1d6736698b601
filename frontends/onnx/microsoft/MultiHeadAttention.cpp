// MultiHeadAttention and DecoderMaskedMultiHeadAttention of com.microsoft: the same, with the inputs in another order.
#include "frontends/onnx/microsoft/Attend.h"

using namespace mlir;
using namespace fovea::frontend;

namespace {
/// Numbers of the inputs.
struct Inputs {
  unsigned bias, mask, attentionBias, past, pastLength, cacheIndirection;
};
} // namespace

/// Part `which` of `count` that are interleaved for each head: B x length x heads x count x size as B x length x (heads
/// * size).
static Value unpack(Importer &im, Value packed, int64_t which, int64_t count, int64_t heads) {
  Shape starts(5, DimExpr(0)), sizes = im.shape(packed);
  if (!sizes[2].isConstant(heads) || !sizes[3].isConstant(count))
    failInput("expected batch x length x " + Twine(heads) + " x " + Twine(count) + " x size");
  starts[3] = which, sizes[3] = 1;
  return im.reshape(im.slice(packed, starts, sizes, {1, 1, 1, 1, 1}), {sizes[0], sizes[1], sizes[2] * sizes[4]});
}

/// Query, key and value, batch x length x width each, or key and value as they are if they have their heads apart.
static SmallVector<Value> readOperands(Importer &im, const Node &node, int64_t heads) {
  Value query = im.input(node, 0);
  if (!node.hasInput(1)) {
    if (im.rank(query) == 5)
      return {unpack(im, query, 0, 3, heads), unpack(im, query, 1, 3, heads), unpack(im, query, 2, 3, heads)};
    auto width = im.shape(query).back().getConstant();
    if (im.rank(query) != 3 || !width || *width % 3 != 0)
      failInput("a query without a key has to be all of query, key and value, of one width");
    SmallVector<Value> parts;
    for (int64_t n : {0, 1, 2})
      parts.push_back(sliceLast(im, query, n * *width / 3, *width / 3));
    return parts;
  }
  Value key = im.input(node, 1);
  if (im.rank(query) != 3)
    failInput("the query has " + Twine(im.rank(query)) + " dims, expected 3");
  if (im.rank(key) == 5)
    return {query, unpack(im, key, 0, 2, heads), unpack(im, key, 1, 2, heads)};
  Value value = im.input(node, 2);
  if ((im.rank(key) != 3 && im.rank(key) != 4) || im.rank(value) != im.rank(key))
    failInput("expected key and value with 3 or 4 dims each, got " + Twine(im.rank(key)) + " and " +
              Twine(im.rank(value)));
  return {query, key, value};
}

/// Keys and values with those of earlier calls; sets the outputs that hold both.
static void addPast(Importer &im, const Node &node, const Inputs &inputs, bool shared, Attend &a) {
  Value keys = a.key, values = a.value;
  if (node.hasInput(inputs.past) != node.hasInput(inputs.past + 1))
    failInput("past_key and past_value must be given together");
  if (node.hasInput(inputs.past)) {
    Value pastKey = im.input(node, inputs.past), pastValue = im.input(node, inputs.past + 1);
    if (im.rank(pastKey) != 4 || im.rank(pastValue) != 4)
      failInput("expected past_key and past_value with 4 dims");
    if (shared) {
      DimExpr past = oneSize(im, node, inputs.pastLength), length = past + im.shape(a.key)[2];
      auto insert = [&](Value cache, Value fresh) {
        return insertRows(im, cache, fresh, toTensor(im, past), im.shape(cache)[2], Behind::keep);
      };
      keys = insert(pastKey, a.key), values = insert(pastValue, a.value);
      a.key = firstRows(im, keys, length), a.value = firstRows(im, values, length);
    } else {
      a.key = keys = im.concat({pastKey, a.key}, 2);
      a.value = values = im.concat({pastValue, a.value}, 2);
    }
  }
  im.setOutput(node, 1, keys);
  im.setOutput(node, 2, values);
}

static void importHeads(Importer &im, const Node &node, const Inputs &inputs, bool shared) {
  refuseInput(node, inputs.cacheIndirection, "cache_indirection");
  refuseOutput(node, 3, "qk");
  int64_t heads = headsOf(node, "num_heads");
  SmallVector<Value> parts = readOperands(im, node, heads);
  if (node.hasInput(inputs.bias))
    addProjectionBias(im, im.input(node, inputs.bias), parts);
  auto split = [&](Value v) { return im.rank(v) == 4 ? v : splitHeads(im, v, heads); };
  Attend a;
  a.query = split(parts[0]), a.key = split(parts[1]), a.value = split(parts[2]);
  Shape k = im.shape(a.key);
  if (!k[1].isConstant(heads) || !im.shape(a.value)[1].isConstant(heads))
    failInput("key and value do not have " + Twine(heads) + " heads");
  DimExpr fresh = k[2];
  addPast(im, node, inputs, shared, a);
  addUnidirectional(im, node, im.shape(a.key)[2] - fresh, fresh, a);
  a.scale = scaleOf(im, node, a.query);
  addBias(im, node, inputs.attentionBias, a);
  addMask(im, node, inputs.mask, a);
  im.setOutput(node, 0, mergeHeads(im, attend(im, a)));
}

static void importMultiHeadAttention(Importer &im, const Node &node) {
  constexpr Inputs inputs{3, 4, 5, 6, 8, 9};
  importHeads(im, node, inputs, node.hasInput(inputs.pastLength));
}

static void importDecoderMasked(Importer &im, const Node &node) {
  constexpr Inputs inputs{10, 3, 4, 5, 7, 9};
  require(node, "output_qk", 0);
  if (node.hasInput(8) && oneSize(im, node, 8) != DimExpr(1))
    failUnsupported("its input beam_width unless it is the constant 1");
  im.checkEqual(im.shape(im.input(node, 0))[1], DimExpr(1), "the decoder takes one query at a time");
  importHeads(im, node, inputs, node.integer("past_present_share_buffer", 0));
}

static RegisterOps family{
    {"MultiHeadAttention", importMultiHeadAttention, 1, 1, "com.microsoft"},
    {"DecoderMaskedMultiHeadAttention", importDecoderMasked, 1, 1, "com.microsoft"},
};
