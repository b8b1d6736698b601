// Tensors with elements at run-time indices changed.
#include "frontends/onnx/Importer.h"

#include "dialects/data/Data.h"

using namespace mlir;
using namespace fovea::frontend;
using fovea::data::ScatterKind;

static ScatterKind readKind(const Node &node) {
  std::string text = node.opset < 16 ? "none" : node.string("reduction", "none");
  if (text == "none")
    return ScatterKind::set;
  auto kind = fovea::data::symbolizeScatterKind(text);
  if (!kind || kind == ScatterKind::set || (node.opset < 18 && (text == "max" || text == "min")))
    failInput("reduction is \"" + text + "\", expected none, add, mul or, from opset 18 on, max or min");
  return *kind;
}

static void scatter(Importer &im, const Node &node, Value data, Value indices, Value updates, AffineMap places) {
  im.checkIndices(indices);
  im.checkTypes({data, updates});
  Value init = im.empty(im.shape(data), im.elementType(data));
  auto op = fovea::data::ScatterOp::create(im.b, im.loc, init.getType(), data, indices, updates, init, readKind(node),
                                           places, im.isUnsigned(node, 0));
  im.setOutput(node, 0, op.getResult());
}

static void importScatterElements(Importer &im, const Node &node) {
  Value data = im.input(node, 0), indices = im.input(node, 1), updates = im.input(node, 2);
  int64_t rank = im.rank(data), axis = im.axis(node.integer("axis", 0), rank, node);
  if (im.rank(indices) != rank || im.rank(updates) != rank)
    failInput("the data have " + Twine(rank) + " dims, the indices " + Twine(im.rank(indices)) + ", the updates " +
              Twine(im.rank(updates)));
  Shape from = im.shape(data), at = im.shape(indices), by = im.shape(updates);
  SmallVector<AffineExpr> places;
  for (int64_t d = 0; d < rank; ++d) {
    im.checkEqual(at[d], by[d], "the updates have another shape than the indices");
    if (d != axis)
      im.checkAtMost(by[d], from[d], "dim " + Twine(d) + " of the updates is larger than that of the data");
    places.push_back(d == axis ? im.b.getAffineSymbolExpr(0) : im.dim(d));
  }
  at.push_back(1);
  scatter(im, node, data, im.reshape(indices, at), updates, AffineMap::get(rank, 1, places, im.b.getContext()));
}

static void importScatterND(Importer &im, const Node &node) {
  Value data = im.input(node, 0), indices = im.input(node, 1), updates = im.input(node, 2);
  Shape from = im.shape(data), at = im.shape(indices), by = im.shape(updates);
  if (at.empty())
    failInput("the indices are a scalar");
  auto count = at.back().getConstant();
  if (!count)
    failUnsupported("indices whose last dim is not static");
  int64_t rank = from.size(), outer = at.size() - 1, whole = rank - *count;
  if (*count < 1 || whole < 0)
    failInput("indices of " + Twine(*count) + " dims for a tensor of " + Twine(rank));
  if (static_cast<int64_t>(by.size()) != outer + whole)
    failInput("expected updates of " + Twine(outer + whole) + " dims, got " + Twine(by.size()));
  SmallVector<AffineExpr> places;
  for (int64_t d = 0; d < outer; ++d)
    im.checkEqual(at[d], by[d], "dim " + Twine(d) + " of the updates is not that of the indices");
  for (int64_t d = 0; d < rank; ++d) {
    bool indexed = d < *count;
    if (!indexed)
      im.checkEqual(from[d], by[outer + d - *count], "dim " + Twine(d) + " of the data is not that of the updates");
    places.push_back(indexed ? im.b.getAffineSymbolExpr(d) : im.dim(outer + d - *count));
  }
  scatter(im, node, data, indices, updates, AffineMap::get(by.size(), *count, places, im.b.getContext()));
}

static RegisterOps family{{"ScatterElements", importScatterElements}, {"ScatterND", importScatterND}};
