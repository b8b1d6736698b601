// Reshapes, transposes, broadcasts and joins: what changes the shape and no element.
#include "frontends/onnx/Importer.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea::frontend;

static DimExpr product(ArrayRef<DimExpr> shape) {
  DimExpr p(1);
  for (const DimExpr &d : shape)
    p = p * d;
  return p;
}

static Value equals(Importer &im, const DimExpr &x, int64_t y) {
  return arith::CmpIOp::create(im.b, im.loc, arith::CmpIPredicate::eq, im.index(x), im.index(y));
}
static DimExpr choose(Importer &im, Value condition, const DimExpr &x, const DimExpr &y) {
  return im.expr(arith::SelectOp::create(im.b, im.loc, condition, im.index(x), im.index(y)));
}

/// A shape of which some sizes are read from an input, so that the run alone tells which of them are -1 or 0.
static Shape readShape(Importer &im, ArrayRef<DimExpr> from, ArrayRef<DimExpr> given, bool zeroIsZero) {
  DimExpr known(1);
  SmallVector<Value> open;
  Shape to;
  for (auto [d, size] : llvm::enumerate(given)) {
    open.push_back(equals(im, size, -1));
    to.push_back(!zeroIsZero && d < from.size() ? choose(im, equals(im, size, 0), from[d], size) : size);
    known = known * choose(im, open.back(), 1, to.back());
  }
  DimExpr rest = im.quotient(product(from), im.maximum(known, 1));
  for (auto [size, isOpen] : llvm::zip(to, open)) {
    size = choose(im, isOpen, rest, size);
    im.check(arith::CmpIOp::create(im.b, im.loc, arith::CmpIPredicate::sge, im.index(size), im.index(0)),
             "a size of the shape is negative");
  }
  return to;
}

static void importReshape(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape from = im.shape(in), given = im.shapeInput(node, 1).elements, to;
  bool zeroIsZero = node.integer("allowzero", 0);
  DimExpr total = product(from);
  if (llvm::any_of(given, [&](const DimExpr &size) { return !size.getConstant() && im.bounds(size).first < 0; })) {
    to = readShape(im, from, given, zeroIsZero);
    im.checkEqual(total, product(to), "the shape has another number of elements than the tensor");
    im.setOutput(node, 0, im.reshape(in, to));
    return;
  }
  int open = -1;
  for (auto [d, size] : llvm::enumerate(given)) {
    if (size.isConstant(-1)) {
      if (open >= 0)
        failInput("more than one -1 in the shape");
      open = d;
      to.push_back(1);
    } else if (size.isConstant(0) && !zeroIsZero) {
      if (d >= from.size())
        failInput("dim " + Twine(d) + " is to be copied from a tensor with " + Twine(from.size()) + " dims");
      to.push_back(from[d]);
    } else {
      to.push_back(size);
    }
  }
  DimExpr known = product(to);
  if (open >= 0) {
    if (known.isConstant(0))
      failInput("-1 in a shape without elements");
    to[open] = im.quotient(total, known);
    if (total.getConstant() && known.getConstant() && *total.getConstant() % *known.getConstant() != 0)
      failInput("the " + Twine(*total.getConstant()) + " elements do not divide into groups of " +
                Twine(*known.getConstant()));
  }
  im.checkEqual(total, product(to), "the shape has another number of elements than the tensor");
  im.setOutput(node, 0, im.reshape(in, to));
}

static void importFlatten(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape s = im.shape(in);
  int64_t rank = s.size(), axis = node.integer("axis", 1);
  if (axis < -rank || axis > rank)
    failInput("axis " + Twine(axis) + " of a tensor with " + Twine(rank) + " dims");
  axis = axis < 0 ? axis + rank : axis;
  im.setOutput(node, 0, im.reshape(in, {product(ArrayRef(s).take_front(axis)), product(ArrayRef(s).drop_front(axis))}));
}

static void importSqueeze(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape from = im.shape(in), to;
  SmallVector<int64_t> axes;
  if (node.hasInput(1))
    axes = im.constantInput(node, 1);
  for (int64_t &axis : axes) {
    axis = im.axis(axis, from.size(), node);
    im.checkEqual(from[axis], 1, "dim " + Twine(axis) + " cannot be squeezed");
  }
  for (auto [d, size] : llvm::enumerate(from))
    if (node.hasInput(1) ? !llvm::is_contained(axes, static_cast<int64_t>(d)) : !size.isConstant(1))
      to.push_back(size);
  im.setOutput(node, 0, im.reshape(in, to));
}

static void importUnsqueeze(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape from = im.shape(in), to;
  SmallVector<int64_t> axes = im.constantInput(node, 1);
  int64_t rank = from.size() + axes.size();
  for (int64_t &axis : axes)
    axis = im.axis(axis, rank, node);
  llvm::sort(axes);
  if (std::unique(axes.begin(), axes.end()) != axes.end())
    failInput("an axis is given twice");
  for (int64_t d = 0, next = 0; d < rank; ++d)
    to.push_back(llvm::is_contained(axes, d) ? DimExpr(1) : from[next++]);
  im.setOutput(node, 0, im.reshape(in, to));
}

static void importTranspose(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  int64_t rank = im.rank(in);
  SmallVector<int64_t> permutation = node.integers("perm");
  if (!node.has("perm"))
    for (int64_t d = rank - 1; d >= 0; --d)
      permutation.push_back(d);
  SmallVector<int64_t> sorted = permutation;
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    failInput("perm is not a permutation of " + Twine(rank) + " dims");
  im.setOutput(node, 0, im.transpose(in, permutation));
}

static void importConcat(Importer &im, const Node &node) {
  SmallVector<Value> in;
  for (unsigned i = 0; i < node.inputs(); ++i)
    in.push_back(im.input(node, i));
  if (in.empty())
    failInput("it has no inputs");
  im.checkTypes(in);
  int64_t rank = im.rank(in[0]);
  for (Value v : in)
    if (im.rank(v) != rank)
      failInput("the tensors have " + Twine(rank) + " and " + Twine(im.rank(v)) + " dims");
  im.setOutput(node, 0, im.concat(in, im.axis(node.integer("axis", 0), rank, node)));
}

static void importExpand(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape target = im.shapeInput(node, 1).elements;
  im.setOutput(node, 0, im.broadcastTo(in, im.broadcastShape({im.shape(in), target})));
}

/// A dim d that repeats r times is read as (r, d) with r not counting.
static void importTile(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  Shape from = im.shape(in), repeats = im.shapeInput(node, 1).elements, space, result;
  if (repeats.size() != from.size())
    failInput("expected " + Twine(from.size()) + " repeats, got " + Twine(repeats.size()));
  SmallVector<unsigned> places;
  for (auto [size, repeat] : llvm::zip(from, repeats)) {
    if (!repeat.isConstant(1))
      space.push_back(repeat);
    places.push_back(space.size());
    space.push_back(size);
    result.push_back(size * repeat);
  }
  if (space.size() == from.size()) {
    im.setOutput(node, 0, in);
    return;
  }
  SmallVector<AffineExpr> read;
  for (unsigned place : places)
    read.push_back(im.dim(place));
  Value tiled = im.generic(in, im.affineMap(space.size(), read), im.empty(space, im.elementType(in)),
                           im.identity(space.size()), [](OpBuilder &, Location, ValueRange e) { return e[0]; });
  im.setOutput(node, 0, im.reshape(tiled, result));
}

/// Shapes are scalars wherever they can be; this remains for tensors of more than 64 dims.
static void importShape(Importer &im, const Node &node) {
  failUnsupported("a shape of more than " + Twine(kMaxScalars) + " dims");
}

static RegisterOps family{
    {"Reshape", importReshape},     {"Flatten", importFlatten},     {"Squeeze", importSqueeze},
    {"Unsqueeze", importUnsqueeze}, {"Transpose", importTranspose}, {"Concat", importConcat},
    {"Expand", importExpand},       {"Tile", importTile},           {"Shape", importShape},
    {"Size", importShape},
};
