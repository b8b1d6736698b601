// Recognises GELU and SiLU in the bodies of elementwise operations by what they compute.
//
// A product is taken apart into its factors, whatever their order and however constants are split among them; an
// argument of tanh is read as a polynomial. Hendrycks and Gimpel 2016: x/2 (1 + erf(x / sqrt 2)), x/2 (1 +
// tanh(sqrt(2/pi) (x + 0.044715 x^3))); Elfwing et al. 2018: x sigmoid(x).
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace fovea;

namespace fovea {
#define GEN_PASS_DEF_RAISEACTIVATIONS
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

/// Constants are the same if they differ by no more than the rounding of a float.
static bool near(double a, double b) { return std::abs(a - b) <= 2e-6 * std::max(1.0, std::abs(b)); }

namespace {
/// constant * product of factors.
struct Product {
  double constant = 1;
  SmallVector<Value> factors;
};
/// sum of constants and terms.
struct Sum {
  double constant = 0;
  SmallVector<Value> terms;
};
} // namespace

static void addFactors(Value v, Product &product) {
  if (auto c = floatConstant(v)) {
    product.constant *= *c;
  } else if (auto mul = v.getDefiningOp<arith::MulFOp>()) {
    addFactors(mul.getLhs(), product);
    addFactors(mul.getRhs(), product);
  } else if (auto div = v.getDefiningOp<arith::DivFOp>(); div && floatConstant(div.getRhs())) {
    addFactors(div.getLhs(), product);
    product.constant /= *floatConstant(div.getRhs());
  } else if (auto neg = v.getDefiningOp<arith::NegFOp>()) {
    product.constant = -product.constant;
    addFactors(neg.getOperand(), product);
  } else {
    product.factors.push_back(v);
  }
}

static Product productOf(Value v) {
  Product product;
  addFactors(v, product);
  return product;
}

static void addTerms(Value v, Sum &sum) {
  if (auto c = floatConstant(v)) {
    sum.constant += *c;
  } else if (auto add = v.getDefiningOp<arith::AddFOp>()) {
    addTerms(add.getLhs(), sum);
    addTerms(add.getRhs(), sum);
  } else {
    sum.terms.push_back(v);
  }
}

/// The coefficients of v as a polynomial in x, up to x^3; nothing if it is none.
static std::optional<std::array<double, 4>> polynomialIn(Value v, Value x) {
  std::array<double, 4> p{0, 0, 0, 0};
  if (v == x) {
    p[1] = 1;
    return p;
  }
  if (auto c = floatConstant(v)) {
    p[0] = *c;
    return p;
  }
  Operation *op = v.getDefiningOp();
  if (auto power = dyn_cast_or_null<math::PowFOp>(op)) {
    auto e = floatConstant(power.getRhs());
    if (power.getLhs() != x || !e || (*e != 1 && *e != 2 && *e != 3))
      return std::nullopt;
    p[static_cast<int>(*e)] = 1;
    return p;
  }
  if (!isa_and_nonnull<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp>(op))
    return std::nullopt;
  auto a = polynomialIn(op->getOperand(0), x), b = polynomialIn(op->getOperand(1), x);
  if (!a || !b)
    return std::nullopt;
  if (isa<arith::DivFOp>(op)) {
    if ((*b)[1] != 0 || (*b)[2] != 0 || (*b)[3] != 0 || (*b)[0] == 0)
      return std::nullopt;
    for (int i = 0; i < 4; ++i)
      p[i] = (*a)[i] / (*b)[0];
    return p;
  }
  for (int i = 0; i < 4; ++i) {
    if (isa<arith::AddFOp>(op))
      p[i] = (*a)[i] + (*b)[i];
    else if (isa<arith::SubFOp>(op))
      p[i] = (*a)[i] - (*b)[i];
    else
      for (int j = 0; j < 4; ++j) {
        if (i + j < 4)
          p[i + j] += (*a)[i] * (*b)[j];
        else if ((*a)[i] != 0 && (*b)[j] != 0)
          return std::nullopt;
      }
  }
  return p;
}

static bool isPolynomial(Value v, Value x, double c1, double c3) {
  auto p = polynomialIn(v, x);
  return p && (*p)[0] == 0 && near((*p)[1], c1) && (*p)[2] == 0 && near((*p)[3], c3);
}

/// 1 / (1 + exp(-x)) of some x, as attn.sigmoid or written out.
static Value sigmoidArgument(Value v) {
  if (auto sigmoid = v.getDefiningOp<attn::SigmoidOp>())
    return sigmoid.getOperand();
  auto div = v.getDefiningOp<arith::DivFOp>();
  if (!div || floatConstant(div.getLhs()) != 1.0)
    return {};
  Sum sum;
  addTerms(div.getRhs(), sum);
  if (sum.constant != 1 || sum.terms.size() != 1)
    return {};
  auto exp = sum.terms[0].getDefiningOp<math::ExpOp>();
  if (!exp)
    return {};
  Product argument = productOf(exp.getOperand());
  return argument.constant == -1 && argument.factors.size() == 1 ? argument.factors[0] : Value();
}

/// The x of a gelu with that bell factor: (1 + erf(x / sqrt 2)) or (1 + tanh(...)).
static std::optional<attn::GeluForm> geluBell(Value v, Value x) {
  Sum sum;
  addTerms(v, sum);
  if (sum.constant != 1 || sum.terms.size() != 1)
    return std::nullopt;
  if (auto erf = sum.terms[0].getDefiningOp<math::ErfOp>(); erf && isPolynomial(erf.getOperand(), x, std::sqrt(0.5), 0))
    return attn::GeluForm::erf;
  double c = std::sqrt(2 / M_PI);
  if (auto tanh = sum.terms[0].getDefiningOp<math::TanhOp>();
      tanh && isPolynomial(tanh.getOperand(), x, c, c * 0.044715))
    return attn::GeluForm::tanh;
  return std::nullopt;
}

/// Replaces a product that holds an activation by the activation times the rest.
static bool raiseProduct(Operation *op) {
  Product product = productOf(op->getResult(0));
  if (product.factors.size() < 2)
    return false;
  OpBuilder b(op);
  Location loc = op->getLoc();
  auto finish = [&](Value activation, double constant, size_t i, size_t j) {
    Value result = activation;
    for (auto [k, factor] : llvm::enumerate(product.factors))
      if (k != i && k != j)
        result = arith::MulFOp::create(b, loc, result, factor);
    if (!near(constant, 1))
      result = arith::MulFOp::create(b, loc, result,
                                     arith::ConstantOp::create(b, loc, b.getFloatAttr(result.getType(), constant)));
    op->getResult(0).replaceAllUsesWith(result);
    return true;
  };
  for (size_t i = 0; i < product.factors.size(); ++i)
    for (size_t j = 0; j < product.factors.size(); ++j) {
      if (i == j)
        continue;
      Value x = product.factors[i], bell = product.factors[j];
      if (auto form = geluBell(bell, x))
        return finish(attn::GeluOp::create(b, loc, x, *form), product.constant / 0.5, i, j);
      if (sigmoidArgument(bell) == x)
        return finish(attn::SiluOp::create(b, loc, x), product.constant, i, j);
    }
  return false;
}

namespace {
struct RaiseActivationsPass : fovea::impl::RaiseActivationsBase<RaiseActivationsPass> {
  void runOnOperation() override {
    getOperation().walk([&](linalg::GenericOp generic) {
      // The outermost product of a chain first: it has all factors.
      SmallVector<Operation *> products;
      for (Operation &op : llvm::reverse(*generic.getBlock()))
        if (isa<arith::MulFOp, arith::DivFOp>(op))
          products.push_back(&op);
      for (Operation *op : products)
        if (!op->use_empty())
          raiseProduct(op);
    });
  }
};
} // namespace
