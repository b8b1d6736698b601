// attn.attention for the operators of com.microsoft.
#include "frontends/onnx/microsoft/Attend.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;
using arith::CmpIPredicate;

//===-- Attributes -----------------------------------------------------------------------------------------------===//

double fovea::frontend::scaleOf(Importer &im, const Node &node, Value query) {
  double scale = node.number("scale", 0);
  if (scale != 0)
    return scale;
  auto size = im.shape(query)[3].getConstant();
  if (!size)
    failUnsupported("a symbolic head size without a scale");
  return 1 / std::sqrt(static_cast<double>(*size));
}

int64_t fovea::frontend::headsOf(const Node &node, StringRef attribute) {
  int64_t heads = node.integer(attribute, 0);
  if (heads < 1)
    failInput(attribute + " is " + Twine(heads));
  return heads;
}

void fovea::frontend::require(const Node &node, StringRef attribute, int64_t value) {
  if (int64_t given = node.integer(attribute, value); given != value)
    failUnsupported(attribute + " = " + Twine(given));
}

void fovea::frontend::refuseInput(const Node &node, unsigned input, StringRef name) {
  if (node.hasInput(input))
    failUnsupported("its input " + name);
}

void fovea::frontend::refuseOutput(const Node &node, unsigned output, StringRef name) {
  if (node.hasOutput(output))
    failUnsupported("its output " + name);
}

//===-- Small tensors --------------------------------------------------------------------------------------------===//

Value fovea::frontend::sliceLast(Importer &im, Value tensor, int64_t start, int64_t size) {
  Shape sizes = im.shape(tensor), starts(sizes.size(), DimExpr(0));
  if (auto whole = sizes.back().getConstant(); !whole || start < 0 || size < 0 || start + size > *whole)
    failInput("elements " + Twine(start) + " to " + Twine(start + size) + " of a dim with " + sizes.back().str());
  starts.back() = start, sizes.back() = size;
  return im.slice(tensor, starts, sizes, SmallVector<int64_t>(sizes.size(), 1));
}

DimExpr fovea::frontend::oneSize(Importer &im, const Node &node, unsigned input) {
  Scalars scalars = im.shapeInput(node, input);
  if (scalars.elements.size() != 1)
    failInput("its input " + Twine(input) + " has " + Twine(scalars.elements.size()) + " elements, expected one");
  return scalars.elements[0];
}

Value fovea::frontend::toTensor(Importer &im, const DimExpr &size) {
  Value number = arith::IndexCastOp::create(im.b, im.loc, im.b.getI64Type(), im.index(size));
  return tensor::FromElementsOp::create(im.b, im.loc, ValueRange(number));
}

Value fovea::frontend::add(Importer &im, Value x, Value y) {
  im.checkTypes({x, y});
  return im.map({x, y}, im.elementType(x), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    if (isa<FloatType>(e[0].getType()))
      return arith::AddFOp::create(b, loc, e[0], e[1]);
    return arith::AddIOp::create(b, loc, e[0], e[1]);
  });
}

Value fovea::frontend::toI64(Importer &im, Value integers) {
  im.checkIndices(integers);
  return im.cast(integers, im.b.getI64Type());
}

void fovea::frontend::addProjectionBias(Importer &im, Value bias, SmallVector<Value> &operands) {
  int64_t start = 0;
  for (Value &operand : operands) {
    if (im.rank(operand) == 4)
      return;
    auto width = im.shape(operand).back().getConstant();
    if (!width)
      failUnsupported("a symbolic last dim");
    operand = add(im, operand, sliceLast(im, bias, start, *width));
    start += *width;
  }
}

//===-- Attention ------------------------------------------------------------------------------------------------===//

/// A sink is the score of one more key, in front of the others, with a value of zeros.
static void addSinkKey(Importer &im, Attend &a) {
  auto extend = [&](Value tensor, int64_t axis) {
    Shape s = im.shape(tensor);
    s[axis] = 1;
    return im.concat({im.fill(s, im.elementType(tensor), 0), tensor}, axis);
  };
  a.key = extend(a.key, 2), a.value = extend(a.value, 2);
  for (Value &added : a.added)
    if (int64_t last = im.rank(added) - 1; !im.shape(added)[last].isConstant(1))
      added = extend(added, last);
  if (a.lengths)
    a.lengths = add(im, a.lengths, toTensor(im, 1));
}

namespace {
/// The score region, as it grows.
struct Score {
  OpBuilder &b;
  Location loc;
  Value score;

  Value number(double value) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(score.getType(), value)); }
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value convert(Value e) {
    unsigned from = e.getType().getIntOrFloatBitWidth(), to = score.getType().getIntOrFloatBitWidth();
    if (from < to)
      return arith::ExtFOp::create(b, loc, score.getType(), e);
    return from > to ? arith::TruncFOp::create(b, loc, score.getType(), e).getResult() : e;
  }
  void cap(double most) {
    Value ratio = arith::DivFOp::create(b, loc, score, number(most));
    score = arith::MulFOp::create(b, loc, number(most), math::TanhOp::create(b, loc, ratio));
  }
  void hideUnless(CmpIPredicate predicate, Value x, Value y) {
    Value visible = arith::CmpIOp::create(b, loc, predicate, x, y);
    score = arith::SelectOp::create(b, loc, visible, score, number(-std::numeric_limits<double>::infinity()));
  }
};
} // namespace

/// Whether causal and window are conditions of the score region. A window that spares the sink is.
static bool isPositional(const Attend &a) { return a.first || (a.sinks && a.window >= 0); }

static void buildScore(Importer &im, attn::AttentionOp op, const Attend &a) {
  OpBuilder::InsertionGuard guard(im.b);
  SmallVector<Type> types{op.getScoreType()};
  types.append(4, im.b.getIndexType());
  for (Value capture : op.getCaptures())
    types.push_back(im.elementType(capture));
  Block *block = im.b.createBlock(&op.getScore(), {}, types, SmallVector<Location>(types.size(), im.loc));
  Score s{im.b, im.loc, block->getArgument(0)};
  Value i = block->getArgument(3), j = block->getArgument(4);
  unsigned next = 5;
  if (a.softcap > 0)
    s.cap(a.softcap);
  for (size_t n = 0; n < a.added.size(); ++n)
    s.score = arith::AddFOp::create(im.b, im.loc, s.score, s.convert(block->getArgument(next++)));
  if (isPositional(a)) {
    Value position = i;
    if (a.first) {
      Value first = arith::IndexCastOp::create(im.b, im.loc, im.b.getIndexType(), block->getArgument(next++));
      position = arith::AddIOp::create(im.b, im.loc, i, first);
    }
    if (a.sinks)
      position = arith::AddIOp::create(im.b, im.loc, position, s.index(1));
    s.hideUnless(CmpIPredicate::sle, j, position);
    if (a.window >= 0)
      s.hideUnless(CmpIPredicate::sgt, j, arith::SubIOp::create(im.b, im.loc, position, s.index(a.window)));
  }
  if (a.sinks) {
    Value sink = arith::CmpIOp::create(im.b, im.loc, CmpIPredicate::eq, j, s.index(0));
    s.score = arith::SelectOp::create(im.b, im.loc, sink, s.convert(block->getArgument(next++)), s.score);
  }
  attn::YieldOp::create(im.b, im.loc, s.score);
}

Value fovea::frontend::attend(Importer &im, Attend a) {
  im.checkFloat(a.query);
  im.checkTypes({a.query, a.key, a.value});
  if (a.sinks)
    addSinkKey(im, a);
  Shape q = im.shape(a.query), k = im.shape(a.key), v = im.shape(a.value), space{q[0], q[1], q[2], k[2]};
  im.checkEqual(k[0], q[0], "query and key differ in batch size");
  im.checkEqual(v[0], q[0], "query and value differ in batch size");
  im.checkEqual(k[3], q[3], "query and key differ in size");
  im.checkEqual(v[2], k[2], "key and value differ in length");
  SmallVector<Value> captures;
  SmallVector<AffineMap> maps;
  for (Value added : a.added) {
    captures.push_back(im.settle(added, space));
    maps.push_back(im.broadcastMap(captures.back(), space));
  }
  if (a.first)
    captures.push_back(a.first), maps.push_back(im.affineMap(4, {im.dim(0)}));
  if (a.sinks)
    captures.push_back(a.sinks), maps.push_back(im.affineMap(4, {im.dim(1)}));
  if (a.lengths)
    im.checkEqual(im.shape(a.lengths)[0], q[0], "the lengths are not one for each row of the batch");
  SmallVector<int64_t> window{!isPositional(a) && a.window >= 0 ? a.window - 1 : -1, -1};
  Value init = im.empty({q[0], q[1], q[2], v[3]}, im.elementType(a.query));
  auto op = attn::AttentionOp::create(
      im.b, im.loc, init.getType(), TypeRange(), a.query, a.key, a.value, captures, a.lengths, /*offset=*/Value(),
      /*sinks=*/Value(), /*block_mask=*/Value(), init, ValueRange(), llvm::APFloat(a.scale),
      isPositional(a) ? attn::Causal::none : a.causal, window, attn::Normalizer::softmax, attn::EmptyRows::zero,
      im.b.getAffineMapArrayAttr(maps), ArrayRef<int64_t>(), im.b.getArrayAttr({}));
  if (!captures.empty() || a.softcap > 0)
    buildScore(im, op, a);
  return op.getResult();
}
