// Recognises silu(gate) * up, as raising the activations leaves it, and makes it one sample.swiglu.
#include "Dialect.h"
#include "Passes.h"

#include "compiler/transforms/Ops.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace {
struct RaiseSwiglu : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!fovea::isPointwise(op) || op.getNumDpsInputs() != 2 ||
        !llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
      return failure();
    auto product = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>();
    if (!product)
      return failure();
    for (auto [x, y] : {std::pair(product.getLhs(), product.getRhs()), {product.getRhs(), product.getLhs()}}) {
      auto silu = x.getDefiningOp<fovea::attn::SiluOp>();
      auto gate = silu ? dyn_cast<BlockArgument>(silu.getOperand()) : BlockArgument(), up = dyn_cast<BlockArgument>(y);
      if (!gate || !up || gate == up || gate.getArgNumber() > 1 || up.getArgNumber() > 1)
        continue;
      Value init = op.getDpsInits()[0];
      Value gateTensor = op.getInputs()[gate.getArgNumber()], upTensor = op.getInputs()[up.getArgNumber()];
      if (gateTensor.getType() != init.getType() || upTensor.getType() != init.getType())
        return failure();
      rewriter.replaceOpWithNewOp<sample::SwigluOp>(op, init.getType(), gateTensor, upTensor, init);
      return success();
    }
    return failure();
  }
};

struct RaiseSwigluPass : PassWrapper<RaiseSwigluPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RaiseSwigluPass)
  StringRef getArgument() const override { return "sample-raise-swiglu"; }
  StringRef getDescription() const override { return "raise silu(gate) * up to sample.swiglu"; }
  void getDependentDialects(DialectRegistry &registry) const override { registry.insert<sample::SampleDialect>(); }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseSwiglu>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> sample::createRaiseSwiglu() { return std::make_unique<RaiseSwigluPass>(); }
