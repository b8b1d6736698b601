// A pass that is wrong: `test-wrong-sum` subtracts where the IR adds. Something for --verify-each to find.
#include "compiler/pipeline/Plugin.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;

namespace {
struct WrongSum : PassWrapper<WrongSum, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WrongSum)
  StringRef getArgument() const override { return "test-wrong-sum"; }
  StringRef getDescription() const override { return "turns sums of floats into differences"; }
  void getDependentDialects(DialectRegistry &registry) const override { registry.insert<arith::ArithDialect>(); }
  void runOnOperation() override {
    SmallVector<arith::AddFOp> sums;
    getOperation().walk([&](arith::AddFOp sum) { sums.push_back(sum); });
    for (arith::AddFOp sum : sums) {
      OpBuilder b(sum);
      sum.replaceAllUsesWith(arith::SubFOp::create(b, sum.getLoc(), sum.getLhs(), sum.getRhs()).getResult());
      sum.erase();
    }
  }
};
} // namespace

FOVEA_PLUGIN("test-wrong-pass", [](DialectRegistry &) {}, [] { PassRegistration<WrongSum>(); })
