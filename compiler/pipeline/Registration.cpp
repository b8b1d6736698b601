#include "compiler/pipeline/Registration.h"

#include "compiler/conversion/Passes.h"
#include "compiler/transforms/Passes.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void fovea::registerDialects(DialectRegistry &registry) {
  registry.insert<attn::AttnDialect, data::DataDialect, exec::ExecDialect, affine::AffineDialect, arith::ArithDialect,
                  cf::ControlFlowDialect, mlir::func::FuncDialect, linalg::LinalgDialect, LLVM::LLVMDialect,
                  math::MathDialect, memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect,
                  vector::VectorDialect>();
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
}

void fovea::registerPasses() {
  mlir::registerTransformsPasses();
  fovea::registerTransformsPasses();
  fovea::registerConversionPasses();
}
