// data::StructuredOpInterface on an operation of a dialect that Fovea does not know: what the interface's verifier
// says, and a reduction through fuse and tile.
#include "compiler/lowering/ScheduleKernels.h"
#include "compiler/pipeline/Registration.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Structured.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace mlir;
using fovea::data::StructuredOpInterface;

namespace {
/// Sums of its input over whatever the maps say; loops and accesses are attributes, so that a test can have them wrong.
class SumOp
    : public Op<SumOp, OpTrait::VariadicOperands, OpTrait::OneResult, OpTrait::ZeroRegions, OpTrait::ZeroSuccessors,
                DestinationStyleOpInterface::Trait, MemoryEffectOpInterface::Trait, StructuredOpInterface::Trait> {
public:
  using Op::Op;
  static ArrayRef<StringRef> getAttributeNames() { return {}; }
  static StringRef getOperationName() { return "foreign.sum"; }
  void getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &) {}
  MutableOperandRange getDpsInitsMutable() { return {*this, getNumOperands() - 1, 1}; }
  SmallVector<utils::IteratorType> getLoops() {
    SmallVector<utils::IteratorType> loops;
    for (auto parallel : (*this)->getAttrOfType<DenseBoolArrayAttr>("parallel").asArrayRef())
      loops.push_back(parallel ? utils::IteratorType::parallel : utils::IteratorType::reduction);
    return loops;
  }
  SmallVector<AffineMap> getAccesses() {
    return llvm::to_vector((*this)->getAttrOfType<ArrayAttr>("accesses").getAsValueRange<AffineMapAttr>());
  }
  SmallVector<Value> buildBody(OpBuilder &b, Location loc, ValueRange elements) {
    return {arith::AddFOp::create(b, loc, elements[0], elements[1])};
  }
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SumOp)
};

struct ForeignDialect : Dialect {
  explicit ForeignDialect(MLIRContext *context) : Dialect("foreign", context, TypeID::get<ForeignDialect>()) {
    addOperations<SumOp>();
  }
  static StringRef getDialectNamespace() { return "foreign"; }
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ForeignDialect)
};

class StructuredOp : public ::testing::Test {
protected:
  StructuredOp() : context(registry(), MLIRContext::Threading::DISABLED) {
    context.loadAllAvailableDialects();
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      message = diagnostic.str();
      return success();
    });
  }
  static DialectRegistry registry() {
    DialectRegistry registry;
    fovea::registerDialects(registry);
    registry.insert<ForeignDialect>();
    return registry;
  }
  /// foreign.sum of a 4 x 6 tensor with these attributes.
  OwningOpRef<ModuleOp> sum(StringRef loops, StringRef accesses, StringRef result = "tensor<4xf32>") {
    std::string text;
    llvm::raw_string_ostream(text) << "func.func @main(%x: tensor<4x6xf32>) -> " << result
                                   << " {\n%zero = arith.constant 0.0 : f32\n%e = tensor.empty() : " << result
                                   << "\n%init = linalg.fill ins(%zero : f32) outs(%e : " << result << ") -> " << result
                                   << "\n%y = \"foreign.sum\"(%x, %init) {parallel = array<i1: " << loops
                                   << ">, accesses = [" << accesses << "]} : (tensor<4x6xf32>, " << result << ") -> "
                                   << result << "\nreturn %y : " << result << "\n}\n";
    return parseSourceString<ModuleOp>(text, &context);
  }

  MLIRContext context;
  std::string message;
};
} // namespace

TEST_F(StructuredOp, WrongAccessesAreNamed) {
  constexpr StringLiteral kX = "affine_map<(i, j) -> (i, j)>", kRow = "affine_map<(i, j) -> (i)>";
  auto refused = [&](StringRef what, const Twine &accesses, StringRef loops = "true, false") {
    EXPECT_FALSE(sum(loops, accesses.str()));
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  refused("expected one access for each operand, got 1 for 2", kX);
  refused("expected operand 1 to be a tensor with a map of 2 loops to its dims", kX + ", " + kX);
  refused("expected operand 0 to be a tensor with a map of 3 loops to its dims", kX + ", " + kRow,
          "true, false, false");
  refused("expected each loop to be a dim of some operand", "affine_map<(i, j) -> (i, i + j)>, " + kRow);
}

TEST_F(StructuredOp, ReductionBecomesAKernelOfLoops) {
  OwningOpRef<ModuleOp> module = sum("true, false", "affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>");
  ASSERT_TRUE(module) << message;
  module->walk([](SumOp op) { EXPECT_FALSE(fovea::isElementwise(op)); });
  PassManager passes(&context);
  passes.addNestedPass<mlir::func::FuncOp>(fovea::createFormKernels());
  ASSERT_TRUE(succeeded(passes.run(*module))) << message;
  unsigned inside = 0;
  module->walk([&](SumOp op) { inside += isa<fovea::exec::KernelOp>(op->getParentOp()); });
  EXPECT_EQ(inside, 1u);
  auto machine = fovea::lowering::Machine::named("x86-64-v3");
  ASSERT_TRUE(succeeded(fovea::lowering::scheduleKernels(
      *module, [&](fovea::exec::KernelOp) -> const fovea::lowering::Machine & { return *machine; }, {})))
      << message;
  unsigned kernels = 0;
  module->walk([&](fovea::exec::KernelOp kernel) {
    ++kernels;
    EXPECT_EQ(kernel.getScheduleAttr().getAs<StringAttr>("kind").getValue(), "loops");
    EXPECT_TRUE(kernel.getBody().front().getOps<SumOp>().empty());
    linalg::GenericOp generic = *kernel.getBody().front().getOps<linalg::GenericOp>().begin();
    EXPECT_EQ(generic.getNumReductionLoops(), 1u);
  });
  EXPECT_EQ(kernels, 1u);
  EXPECT_TRUE(succeeded(verify(*module))) << message;
}
