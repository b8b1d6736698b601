// The pass expand-math. Rationale: kernels load into hosts without libm, give the same bits everywhere and compute all
// lanes at once; so every function is a polynomial or a rational here (MathCoefficients.py makes the coefficients). f32
// functions that occur in hot loops (exp, log, tanh, erf, gelu, silu, sigmoid) have formulas of their own, the others
// are computed in f64 and rounded.
#include "compiler/conversion/ExpandMath.h"
#include "compiler/conversion/MathFunctions.h"
#include "compiler/conversion/Passes.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace fovea;

/// Computes an f32 function in f64.
static Num viaDouble(Num x, llvm::function_ref<Num(Num)> f) { return x.isDouble() ? f(x) : toSingle(f(toDouble(x))); }

static Num asinh(Num x) {
  // log(a + sqrt(a^2 + 1)) = log1p(a + a^2 / (1 + sqrt(a^2 + 1))); large ones by log a + log 2.
  Num a = abs(x), square = a * a;
  Num large = expandLog(a) + 0.69314718055994531;
  return copysign(select(a > 0x1p28, large, expandLog1p(a + square / (sqrt(square + 1) + 1))), x);
}
static Num acosh(Num x) {
  Num t = x - 1, large = expandLog(x) + 0.69314718055994531;
  Num near = expandLog1p(t + sqrt(t * t + t * 2));
  return select(x < 1, std::numeric_limits<double>::quiet_NaN(), select(x > 0x1p28, large, near));
}
static Num atanh(Num x) {
  Num a = abs(x);
  return copysign(expandLog1p(a * 2 / (1 - a)) * 0.5, x);
}

/// The function of a unary operation, if it has one here.
static std::function<Num(Num)> formula(Operation *op) {
  auto wide = [](Num (*f)(Num)) { return [f](Num x) { return viaDouble(x, f); }; };
  return llvm::TypeSwitch<Operation *, std::function<Num(Num)>>(op)
      .Case([](math::ExpOp) { return expandExp; })
      .Case([](math::Exp2Op) { return expandExp2; })
      .Case([](math::LogOp) { return expandLog; })
      .Case([](math::TanhOp) { return expandTanh; })
      .Case([](math::ErfOp) { return expandErf; })
      .Case([](attn::SigmoidOp) { return expandSigmoid; })
      .Case([](attn::SiluOp) { return expandSilu; })
      .Case([](attn::GeluOp gelu) { return gelu.getForm() == attn::GeluForm::erf ? expandGeluErf : expandGeluTanh; })
      .Case([](math::RsqrtOp) { return [](Num x) { return 1 / sqrt(x); }; })
      .Case([&](math::ExpM1Op) { return wide(expandExpm1); })
      .Case([&](math::Log2Op) { return wide(expandLog2); })
      .Case([&](math::Log10Op) { return wide(expandLog10); })
      .Case([&](math::Log1pOp) { return wide(expandLog1p); })
      .Case([&](math::ErfcOp) { return wide(expandErfc); })
      .Case([&](math::SinhOp) { return wide(expandSinh); })
      .Case([&](math::CoshOp) { return wide(expandCosh); })
      .Case([&](math::AsinhOp) { return wide(asinh); })
      .Case([&](math::AcoshOp) { return wide(acosh); })
      .Case([&](math::AtanhOp) { return wide(atanh); })
      .Case([&](math::AsinOp) { return wide(expandAsin); })
      .Case([&](math::AcosOp) { return wide(expandAcos); })
      .Case([&](math::AtanOp) { return wide(expandAtan); })
      .Case([&](math::SinOp) { return wide([](Num x) { return expandCircular(Circular::sin, x); }); })
      .Case([&](math::CosOp) { return wide([](Num x) { return expandCircular(Circular::cos, x); }); })
      .Case([&](math::TanOp) { return wide([](Num x) { return expandCircular(Circular::tan, x); }); })
      .Default(nullptr);
}

static std::optional<Rounding> roundingOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Rounding>>(op)
      .Case([](math::FloorOp) { return Rounding::floor; })
      .Case([](math::CeilOp) { return Rounding::ceil; })
      .Case([](math::TruncOp) { return Rounding::trunc; })
      .Case([](math::RoundEvenOp) { return Rounding::even; })
      .Case([](math::RoundOp) { return Rounding::away; })
      .Default(std::nullopt);
}

static bool isWide(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isF32() || element.isF64();
}

bool fovea::canExpandMath(Operation *op) {
  if (isa<math::AbsIOp, math::CountLeadingZerosOp, math::CountTrailingZerosOp, math::CtPopOp>(op))
    return true;
  if (op->getNumOperands() == 0 || !isa<FloatType>(getElementTypeOrSelf(op->getOperand(0).getType())))
    return false;
  if (isa<math::AbsFOp, math::CopySignOp, math::IsNaNOp, math::IsInfOp, math::IsFiniteOp, math::IsNormalOp>(op))
    return true;
  // Narrower types go through f32.
  return isa<math::SqrtOp, math::FmaOp, math::PowFOp, math::Atan2Op>(op) || roundingOf(op) || formula(op);
}

namespace {
/// Unary functions, in f32 for narrower types.
struct ExpandUnary : RewritePattern {
  ExpandUnary(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (op->getNumOperands() != 1 || op->getNumResults() != 1 || !isWide(op->getOperand(0).getType()))
      return failure();
    std::function<Num(Num)> f = formula(op);
    if (!f)
      return failure();
    MathBuilder m(rewriter, op->getLoc());
    rewriter.replaceOp(op, f(m.num(op->getOperand(0))).v);
    return success();
  }
};

/// Functions of f16 and bf16: these types are storage.
struct WidenNarrow : RewritePattern {
  WidenNarrow(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 || op->getNumOperands() == 0)
      return failure();
    bool function = isa<math::SqrtOp, math::PowFOp, math::FmaOp, math::Atan2Op>(op) || roundingOf(op) || formula(op);
    bool arithmetic = isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::RemFOp, arith::MaximumFOp,
                          arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(op);
    Type type = op->getResult(0).getType(), element = getElementTypeOrSelf(type);
    if ((!function && !arithmetic) || !isa<Float16Type, BFloat16Type>(element))
      return failure();
    MathBuilder m(rewriter, op->getLoc());
    Type wide = m.shaped(rewriter.getF32Type(), m.num(op->getResult(0)));
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, arith::ExtFOp::create(rewriter, op->getLoc(), wide, operand));
    Operation *copy = rewriter.clone(*op, mapping);
    copy->getResult(0).setType(wide);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, type, copy->getResult(0));
    return success();
  }
};

/// Whatever a constant exponent makes simple, in no more than one rounding a step.
static std::optional<Num> simplePower(Num x, Value y) {
  FloatAttr exponent;
  DenseFPElementsAttr splat;
  APFloat value(0.0);
  if (matchPattern(y, m_Constant(&exponent)))
    value = exponent.getValue();
  else if (matchPattern(y, m_Constant(&splat)) && splat.isSplat())
    value = splat.getSplatValue<APFloat>();
  else
    return std::nullopt;
  if (value.isExactlyValue(1.0))
    return x;
  if (value.isExactlyValue(2.0))
    return x * x;
  if (value.isExactlyValue(3.0))
    return x * x * x;
  if (value.isExactlyValue(-1.0))
    return 1 / x;
  // sqrt differs from a power of 1/2 at -0 and -inf only.
  if (value.isExactlyValue(0.5))
    return select(x == -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity(),
                  sqrt(x) + 0.0);
  return std::nullopt;
}

struct ExpandPow : OpRewritePattern<math::PowFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::PowFOp op, PatternRewriter &rewriter) const override {
    if (!isWide(op.getType()))
      return failure();
    MathBuilder m(rewriter, op.getLoc());
    Num x = m.num(op.getLhs()), y = m.num(op.getRhs());
    std::optional<Num> simple = simplePower(x, op.getRhs());
    Num result = simple         ? *simple
                 : x.isDouble() ? expandPow(x, y, false)
                                : toSingle(expandPow(toDouble(x), toDouble(y), true));
    rewriter.replaceOp(op, result.v);
    return success();
  }
};

struct ExpandAtan2 : OpRewritePattern<math::Atan2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Atan2Op op, PatternRewriter &rewriter) const override {
    if (!isWide(op.getType()))
      return failure();
    MathBuilder m(rewriter, op.getLoc());
    Num y = m.num(op.getLhs()), x = m.num(op.getRhs());
    rewriter.replaceOp(op, (x.isDouble() ? expandAtan2(y, x) : toSingle(expandAtan2(toDouble(y), toDouble(x)))).v);
    return success();
  }
};

struct ExpandFma : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FmaOp op, PatternRewriter &rewriter) const override {
    if (!isWide(op.getType()))
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::FMulAddOp>(op, op.getA(), op.getB(), op.getC());
    return success();
  }
};

struct ExpandRemF : OpRewritePattern<arith::RemFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::RemFOp op, PatternRewriter &rewriter) const override {
    if (!isWide(op.getType()))
      return failure();
    MathBuilder m(rewriter, op.getLoc());
    rewriter.replaceOp(op, expandRemainder(m.num(op.getLhs()), m.num(op.getRhs())).v);
    return success();
  }
};

struct ExpandRounding : RewritePattern {
  ExpandRounding(MLIRContext *context, bool all) : RewritePattern(MatchAnyOpTypeTag(), 1, context), all(all) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    std::optional<Rounding> mode = roundingOf(op);
    // No x86 rounds half away from zero in one instruction.
    if (!mode || (!all && *mode != Rounding::away) || !isWide(op->getResult(0).getType()))
      return failure();
    MathBuilder m(rewriter, op->getLoc());
    rewriter.replaceOp(op, expandRounding(*mode, m.num(op->getOperand(0))).v);
    return success();
  }
  bool all;
};

template <typename Op, typename Narrow, Num (*Expand)(Num, Type)> struct ExpandConversion : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!isa<Narrow>(getElementTypeOrSelf(op.getType())) && !isa<Narrow>(getElementTypeOrSelf(op.getIn().getType())))
      return failure();
    MathBuilder m(rewriter, op.getLoc());
    rewriter.replaceOp(op, Expand(m.num(op.getIn()), op.getType()).v);
    return success();
  }
};

/// No x86 without AVX512-FP16 has an instruction for this.
struct TruncateDouble : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getIn().getType()).isF64() || !getElementTypeOrSelf(op.getType()).isF16())
      return failure();
    MathBuilder m(rewriter, op.getLoc());
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), toSingleOdd(m.num(op.getIn())).v);
    return success();
  }
};

struct ExpandMathPass : PassWrapper<ExpandMathPass, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandMathPass)
  ExpandMathPass() = default;
  ExpandMathPass(const ExpandMathPass &other) : PassWrapper(other) {}
  StringRef getArgument() const final { return "expand-math"; }
  StringRef getDescription() const final { return "mathematical functions as polynomials, so that no libm is needed"; }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry
        .insert<arith::ArithDialect, LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
  }
  void runOnOperation() final {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandUnary, WidenNarrow, ExpandPow, ExpandAtan2, ExpandFma, ExpandRemF, TruncateDouble,
                 ExpandConversion<arith::ExtFOp, BFloat16Type, expandExtendBF16>,
                 ExpandConversion<arith::TruncFOp, BFloat16Type, expandTruncateBF16>>(&getContext());
    if (expandHalf)
      patterns.add<ExpandConversion<arith::ExtFOp, Float16Type, expandExtendF16>,
                   ExpandConversion<arith::TruncFOp, Float16Type, expandTruncateF16>>(&getContext());
    patterns.add<ExpandRounding>(&getContext(), expandRounding);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
  Option<bool> expandHalf{*this, "expand-half", llvm::cl::desc("expand conversions from and to f16"),
                          llvm::cl::init(false)};
  Option<bool> expandRounding{*this, "expand-rounding", llvm::cl::desc("expand floor, ceil, trunc and roundeven too"),
                              llvm::cl::init(false)};
};
} // namespace

std::unique_ptr<Pass> fovea::createExpandMathPass(bool expandRounding, bool expandHalf) {
  auto pass = std::make_unique<ExpandMathPass>();
  pass->expandRounding = expandRounding, pass->expandHalf = expandHalf;
  return pass;
}

void fovea::registerConversionPasses() { PassRegistration<ExpandMathPass>(); }
