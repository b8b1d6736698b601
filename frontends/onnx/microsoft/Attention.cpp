// Attention of com.microsoft: the projection to query, key and value is part of it.
#include "frontends/onnx/MatMul.h"
#include "frontends/onnx/microsoft/Attend.h"

using namespace mlir;
using namespace fovea::frontend;

/// The widths of query, key and value, of `total` columns.
static SmallVector<int64_t> widthsOf(const Node &node, int64_t total) {
  SmallVector<int64_t> widths = node.integers("qkv_hidden_sizes");
  if (widths.empty())
    widths.assign(3, total / 3);
  if (widths.size() != 3 || widths[0] != widths[1] || widths[0] + widths[1] + widths[2] != total)
    failInput("qkv_hidden_sizes do not add up to the " + Twine(total) + " columns of the weights");
  return widths;
}

SmallVector<Value> fovea::frontend::project(Importer &im, const Node &node, int64_t heads) {
  Value in = im.input(node, 0), weights = im.input(node, 1);
  if (im.rank(weights) != 2)
    failInput("the weights have " + Twine(im.rank(weights)) + " dims, expected 2");
  auto total = im.shape(weights)[1].getConstant();
  if (!total)
    failUnsupported("weights with a symbolic dim");
  Value projected = multiply(im, in, weights);
  if (node.hasInput(2))
    projected = add(im, projected, im.input(node, 2));
  SmallVector<Value> parts;
  int64_t start = 0;
  for (int64_t width : widthsOf(node, *total)) {
    if (width % heads != 0)
      failInput("a width of " + Twine(width) + " does not divide into " + Twine(heads) + " heads");
    parts.push_back(sliceLast(im, projected, start, width));
    start += width;
  }
  return parts;
}

/// Keys or values of `past`, 2 x B x heads x length x size.
static Value pastPart(Importer &im, Value past, int64_t which) {
  Shape starts(5, DimExpr(0)), sizes = im.shape(past);
  starts[0] = which, sizes[0] = 1;
  return im.reshape(im.slice(past, starts, sizes, {1, 1, 1, 1, 1}), ArrayRef(sizes).drop_front());
}

static void importAttention(Importer &im, const Node &node) {
  require(node, "do_rotary", 0);
  require(node, "past_present_share_buffer", 0);
  refuseInput(node, 6, "past_sequence_length");
  int64_t heads = headsOf(node, "num_heads");
  if (im.rank(im.input(node, 0)) != 3)
    failInput("the input has " + Twine(im.rank(im.input(node, 0))) + " dims, expected 3");
  SmallVector<Value> parts = project(im, node, heads);
  Attend a;
  a.query = splitHeads(im, parts[0], heads);
  a.key = splitHeads(im, parts[1], heads);
  a.value = splitHeads(im, parts[2], heads);
  DimExpr fresh = im.shape(a.key)[2];
  if (node.hasInput(4)) {
    Value past = im.input(node, 4);
    if (im.rank(past) != 5 || !im.shape(past)[0].isConstant(2))
      failInput("expected past with 5 dims, the first of size 2");
    a.key = im.concat({pastPart(im, past, 0), a.key}, 2);
    a.value = im.concat({pastPart(im, past, 1), a.value}, 2);
  }
  if (node.hasOutput(1)) {
    auto whole = [&](Value v) {
      Shape s = im.shape(v);
      s.insert(s.begin(), DimExpr(1));
      return im.reshape(v, s);
    };
    im.setOutput(node, 1, im.concat({whole(a.key), whole(a.value)}, 0));
  }
  a.scale = scaleOf(im, node, a.query);
  addUnidirectional(im, node, im.shape(a.key)[2] - fresh, fresh, a);
  addBias(im, node, 5, a);
  addMask(im, node, 3, a);
  im.setOutput(node, 0, mergeHeads(im, attend(im, a)));
}

static RegisterOps family{{"Attention", importAttention, 1, 1, "com.microsoft"}};
