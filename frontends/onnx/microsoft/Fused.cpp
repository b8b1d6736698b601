// Activations and matrix products of com.microsoft that contain their neighbours.
#include "frontends/onnx/MatMul.h"
#include "frontends/onnx/microsoft/Attend.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea::frontend;
namespace attn = fovea::attn;

/// Of the sum of the inputs; the second one may be missing.
template <attn::GeluForm form> static void importGelu(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  if (node.hasInput(1))
    in = add(im, in, im.input(node, 1));
  im.setOutput(node, 0, im.map(in, im.elementType(in), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    return attn::GeluOp::create(b, loc, e[0].getType(), e[0], form);
  }));
}

static Value scaled(Importer &im, Value in, double factor) {
  if (factor == 1)
    return in;
  return im.map(in, im.elementType(in), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value c = arith::ConstantOp::create(b, loc, llvm::cast<TypedAttr>(im.number(e[0].getType(), factor)));
    return arith::MulFOp::create(b, loc, e[0], c);
  });
}

static void importQuickGelu(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  im.checkFloat(in);
  Attribute alpha = im.number(im.elementType(in), node.number("alpha", 1.702f));
  im.setOutput(node, 0, im.map(in, im.elementType(in), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value c = arith::ConstantOp::create(b, loc, llvm::cast<TypedAttr>(alpha));
    Value gate = attn::SigmoidOp::create(b, loc, c.getType(), arith::MulFOp::create(b, loc, e[0], c));
    return arith::MulFOp::create(b, loc, e[0], gate);
  }));
}

/// The first dim moved behind the leading ones.
static Value moveRows(Importer &im, Value in) {
  int64_t rank = im.rank(in);
  if (rank < 3)
    return in;
  SmallVector<int64_t> order;
  for (int64_t d = 1; d < rank - 1; ++d)
    order.push_back(d);
  order.push_back(0), order.push_back(rank - 1);
  return im.transpose(in, order);
}

static void importFusedMatMul(Importer &im, const Node &node) {
  Value a = im.input(node, 0), w = im.input(node, 1);
  im.checkFloat(a);
  if (node.integer("transBatchA", 0))
    a = moveRows(im, a);
  if (node.integer("transBatchB", 0))
    w = moveRows(im, w);
  Value product = multiply(im, a, w, node.integer("transA", 0), node.integer("transB", 0));
  im.setOutput(node, 0, scaled(im, product, node.number("alpha", 1)));
}

static Value activate(OpBuilder &b, Location loc, Value x, StringRef name, double alpha) {
  auto number = [&](double value) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(x.getType(), value)); };
  if (name == "Relu")
    return arith::MaximumFOp::create(b, loc, x, number(0));
  if (name == "Tanh")
    return math::TanhOp::create(b, loc, x);
  if (name == "Sigmoid")
    return attn::SigmoidOp::create(b, loc, x.getType(), x);
  if (name == "LeakyRelu") {
    Value negative = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, number(0));
    return arith::SelectOp::create(b, loc, negative, arith::MulFOp::create(b, loc, x, number(alpha)), x);
  }
  failUnsupported("activation " + name);
}

static void importFusedGemm(Importer &im, const Node &node) {
  Value product = gemm(im, node);
  im.checkFloat(product);
  if (std::string name = node.string("activation", ""); !name.empty())
    product = im.map(product, im.elementType(product), [&](OpBuilder &b, Location loc, ValueRange e) {
      return activate(b, loc, e[0], name, node.number("activation_alpha", 0.01f));
    });
  im.setOutput(node, 0, product);
}

static RegisterOps family{
    {"Gelu", importGelu<attn::GeluForm::erf>, 1, 1, "com.microsoft"},
    {"BiasGelu", importGelu<attn::GeluForm::erf>, 1, 1, "com.microsoft"},
    {"FastGelu", importGelu<attn::GeluForm::tanh>, 1, 1, "com.microsoft"},
    {"QuickGelu", importQuickGelu, 1, 1, "com.microsoft"},
    {"FusedMatMul", importFusedMatMul, 1, 1, "com.microsoft"},
    {"FusedGemm", importFusedGemm, 1, 1, "com.microsoft"},
};
