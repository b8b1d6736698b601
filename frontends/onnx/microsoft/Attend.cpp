// attn.attention for the operators of com.microsoft.
#include "frontends/onnx/microsoft/Attend.h"

#include "frontends/onnx/ScoreRegion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

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

Value fovea::frontend::attend(Importer &im, const Attend &a) {
  im.checkFloat(a.query);
  im.checkTypes({a.query, a.key, a.value});
  Shape q = im.shape(a.query), k = im.shape(a.key), v = im.shape(a.value), space{q[0], q[1], q[2], k[2]};
  im.checkEqual(k[0], q[0], "query and key differ in batch size");
  im.checkEqual(v[0], q[0], "query and value differ in batch size");
  im.checkEqual(k[3], q[3], "query and key differ in size");
  im.checkEqual(v[2], k[2], "key and value differ in length");
  SmallVector<Value> captures;
  SmallVector<AffineMap> maps;
  for (Value added : a.added) {
    Capture capture = captureOf(im, added, space);
    captures.push_back(capture.tensor), maps.push_back(capture.map);
  }
  if (a.lengths)
    im.checkEqual(im.shape(a.lengths)[0], q[0], "the lengths are not one for each row of the batch");
  if (a.sinks) {
    im.checkTypes({a.query, a.sinks});
    if (im.rank(a.sinks) != 1)
      failInput("the sinks have " + Twine(im.rank(a.sinks)) + " dims, expected 1");
    im.checkEqual(im.shape(a.sinks)[0], q[1], "the sinks are not one for each head");
  }
  // An offset is counted from key 0.
  attn::Causal causal = a.first && a.causal != attn::Causal::none ? attn::Causal::top_left : a.causal;
  Value init = im.empty({q[0], q[1], q[2], v[3]}, im.elementType(a.query));
  auto op = attn::AttentionOp::create(
      im.b, im.loc, init.getType(), TypeRange(), a.query, a.key, a.value, captures, a.lengths, a.first, a.sinks,
      /*block_mask=*/Value(), init, ValueRange(), llvm::APFloat(a.scale), causal,
      ArrayRef<int64_t>{a.window >= 0 ? a.window - 1 : -1, -1}, attn::Normalizer::softmax, attn::EmptyRows::zero,
      im.b.getAffineMapArrayAttr(maps), ArrayRef<int64_t>(), im.b.getArrayAttr({}));
  if (!captures.empty() || a.softcap > 0) {
    ScoreRegion score(im, op);
    if (a.softcap > 0)
      score.cap(a.softcap);
    for (size_t n = 0; n < captures.size(); ++n)
      score.mask(n);
    score.finish();
  }
  return op.getResult();
}
