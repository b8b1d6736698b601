#include "compiler/tools/VerifyEach.h"
#include "tools/Command.h"
#include "tools/npy.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"

#include <fmt/format.h>

using namespace mlir;
using namespace fovea;
using namespace fovea::tools;

namespace {
/// Whether the entry of a module still computes what is expected.
class Judge {
public:
  Judge(const npy::Arrays &expected, EvaluateFunction evaluate, const Tolerance &tolerance)
      : expected(expected), evaluate(evaluate), tolerance(tolerance) {}

  ComparisonResult operator()(Operation *module) const {
    npy::Arrays found = evaluate(*cast<ModuleOp>(module).getOps<func::FuncOp>().begin());
    npy::Views views;
    for (const auto &[name, array] : found)
      views.emplace_back(name, array);
    return compare(views, expected, tolerance);
  }

private:
  const npy::Arrays &expected;
  EvaluateFunction evaluate;
  const Tolerance &tolerance;
};

/// Asks the judge after every pass that changed something, until one is found guilty.
class Blame : public PassInstrumentation {
public:
  Blame(const Judge &judge, ModuleOp module, std::string &guilty) : judge(judge), module(module), guilty(guilty) {}

  void runBeforePass(Pass *, Operation *op) override { before.emplace(op); }
  void runAfterPass(Pass *pass, Operation *op) override {
    // Adaptors run the passes that are asked about one by one.
    if (!guilty.empty() || pass->getArgument().empty() || *before == OperationFingerPrint(op))
      return;
    if (!judge(module).agrees)
      guilty = pass->getArgument();
  }

private:
  const Judge &judge;
  ModuleOp module;
  std::string &guilty;
  std::optional<OperationFingerPrint> before;
};
} // namespace

/// The first pass of a phase, or of the pipelines inserted after it, that changes the results; empty if it has none
/// that does.
static std::string guiltyPass(const CompileOutcome &outcome, size_t phase, const Judge &judge) {
  std::string guilty;
  OwningOpRef<ModuleOp> module(cast<ModuleOp>(outcome.phases[phase - 1].module.get()->clone()));
  CompileOptions options = outcome.options;
  // What it has to say was said the first time.
  ScopedDiagnosticHandler quiet(outcome.context.get(), [](Diagnostic &) { return success(); });
  options.instrument = [&](PassManager &passes) {
    passes.addInstrumentation(std::make_unique<Blame>(judge, *module, guilty));
  };
  (void)runPhases(*module, options, outcome.phases[phase - 1].name, outcome.phases[phase].name,
                  [](const Phase &) { return success(); });
  return guilty;
}

int fovea::verifyPhases(const CompileOutcome &outcome, const npy::Arrays &expected, EvaluateFunction evaluate,
                        const Tolerance &tolerance) {
  Judge judge(expected, evaluate, tolerance);
  for (size_t i = 1; i < outcome.phases.size(); ++i) {
    const PhaseResult &phase = outcome.phases[i];
    ComparisonResult result;
    try {
      result = judge(phase.module.get());
    } catch (const Failure &failure) {
      throw Failure(failure.status, fmt::format("--verify-each: after {}: {}", phase.name, failure.what()));
    }
    if (result.agrees)
      continue;
    std::string pass = guiltyPass(outcome, i, judge);
    fmt::print("{}", result.report);
    fmt::print(stderr, "fovea-compile: error: --verify-each: the phase {} changes the results{}\n", phase.name,
               pass.empty() ? "" : fmt::format(", in the pass {}", pass));
    return kInternal;
  }
  return kFine;
}
