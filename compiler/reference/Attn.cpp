// The scalar functions of the attn dialect, by their formulas.
#include "compiler/reference/Evaluator.h"

#include "dialects/attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

double fovea::reference::gelu(double x, bool tanhForm) {
  if (std::isinf(x))
    return x > 0 ? x : 0;
  if (tanhForm)
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return x / 2 * std::erfc(-x / std::sqrt(2.0)); // 1 + erf(y) = erfc(-y), without cancellation
}

double fovea::reference::sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

static StepFunction makeGelu(Operation *op, Step &step) {
  step.attribute = cast<attn::GeluOp>(op).getForm() == attn::GeluForm::tanh;
  return [](const Step &s, Frame &f) { f.out(s).f = gelu(f.in(s, 0).f, s.attribute); };
}
static StepFunction makeSilu(Operation *, Step &) {
  return [](const Step &s, Frame &f) {
    double x = f.in(s, 0).f;
    f.out(s).f = x == -INFINITY ? 0 : x * sigmoid(x);
  };
}
static StepFunction makeSigmoid(Operation *, Step &) {
  return [](const Step &s, Frame &f) { f.out(s).f = sigmoid(f.in(s, 0).f); };
}

static RegisterSteps steps{{"attn.gelu", makeGelu}, {"attn.silu", makeSilu}, {"attn.sigmoid", makeSigmoid}};
