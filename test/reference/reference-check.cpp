// Runs the functions of a file with the reference evaluator; each has no arguments and judges itself:
//   its results are pairs of what the evaluator made and what is expected, or
//   an attribute `fault = "text"` says that it must fail with a message that holds the text.
//   reference-check FILE.mlir
// With a pipeline, each is run before and after it, which must change the function, but none of its results:
//   reference-check FILE.mlir PIPELINE
#include "compiler/pipeline/Registration.h"
#include "compiler/reference/Reference.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace fovea;

static std::string compare(const reference::Tensor &got, const reference::Tensor &want) {
  if (got.shape != want.shape || got.elementType != want.elementType)
    return "the shapes or types differ";
  for (size_t i = 0; i < got.data.size(); ++i) {
    double a = got.isFloat() ? got.data[i].f : got.data[i].i, b = want.isFloat() ? want.data[i].f : want.data[i].i;
    if (a != b && !(std::isnan(a) && std::isnan(b)) && !(std::abs(a - b) <= 1e-6 + 1e-5 * std::abs(b)))
      return "element " + std::to_string(i) + ": expected " + std::to_string(b) + ", got " + std::to_string(a);
  }
  return "";
}

static std::string judge(func::FuncOp function) {
  std::string error;
  auto results = reference::evaluate(function, {}, &error);
  if (auto fault = function->getAttrOfType<StringAttr>("fault")) {
    if (succeeded(results) || !StringRef(error).contains(fault.getValue()))
      return "expected the fault \"" + fault.getValue().str() + "\", got \"" + error + "\"";
    return "";
  }
  if (failed(results))
    return error;
  for (size_t i = 0; i + 1 < results->size(); i += 2)
    if (std::string difference = compare((*results)[i], (*results)[i + 1]); !difference.empty())
      return "pair " + std::to_string(i / 2) + ", " + difference;
  return results->size() % 2 ? "the results are no pairs" : "";
}

static std::string compareWith(func::FuncOp before, func::FuncOp after) {
  if (OperationEquivalence::isEquivalentTo(before, after, OperationEquivalence::IgnoreLocations))
    return "the pipeline changes nothing";
  std::string error;
  auto want = reference::evaluate(before, {}, &error), got = reference::evaluate(after, {}, &error);
  if (failed(want) || failed(got))
    return error;
  for (size_t i = 0; i < want->size(); ++i)
    if (std::string difference = compare((*got)[i], (*want)[i]); !difference.empty())
      return "result " + std::to_string(i) + ", " + difference;
  return "";
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) {
    llvm::errs() << "usage: reference-check FILE.mlir [PIPELINE]\n";
    return 1;
  }
  DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(argv[1], &context);
  if (!module)
    return 1;
  OwningOpRef<ModuleOp> after = module->clone();
  if (argc == 3) {
    FailureOr<OpPassManager> pipeline = parsePassPipeline(argv[2]);
    PassManager passes(&context);
    if (failed(pipeline))
      return 1;
    static_cast<OpPassManager &>(passes) = *pipeline;
    if (failed(passes.run(*after)))
      return 1;
  }
  int bad = 0, count = 0;
  for (auto function : module->getOps<func::FuncOp>()) {
    ++count;
    std::string problem =
        argc == 3 ? compareWith(function, after->lookupSymbol<func::FuncOp>(function.getName())) : judge(function);
    if (!problem.empty()) {
      ++bad;
      llvm::outs() << function.getName() << ": " << problem << "\n";
    }
  }
  llvm::outs() << count << " functions, " << bad << " wrong\n";
  return bad != 0 || count == 0;
}
