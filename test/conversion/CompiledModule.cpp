#include "test/conversion/CompiledModule.h"

#include "compiler/conversion/Passes.h"
#include "compiler/target/cpu/Codegen.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"
#include "dialects/exec/Exec.h"
#include "runtime/include/fovea/abi.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace fovea;

MLIRContext &test::context() {
  static MLIRContext *c = [] {
    DialectRegistry registry;
    registry.insert<attn::AttnDialect, data::DataDialect, exec::ExecDialect, affine::AffineDialect, arith::ArithDialect,
                    cf::ControlFlowDialect, mlir::func::FuncDialect, linalg::LinalgDialect, LLVM::LLVMDialect,
                    math::MathDialect, scf::SCFDialect, tensor::TensorDialect, vector::VectorDialect>();
    tensor::registerInferTypeOpInterfaceExternalModels(registry);
    auto *made = new MLIRContext(registry, MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *c;
}

static void check(bool ok, const std::string &what) {
  if (ok)
    return;
  std::fprintf(stderr, "compiling a test module: %s\n", what.c_str());
  std::abort();
}

test::CompiledModule::CompiledModule(ModuleOp module, const std::vector<std::string> &functions,
                                     const lowering::Machine &machine) {
  PassManager passes(module.getContext());
  passes.addPass(createExpandMathPass(!machine.has("sse4.1"), !machine.has("f16c")));
  cpu::buildLowerToLLVMPipeline(passes);
  check(succeeded(passes.run(module)), "the passes failed");
  cpu::addKernelImage(module, functions);
  std::string error;
  auto object = cpu::compileToObject(module, machine, &error, &text);
  check(succeeded(object), error);
  auto shared = cpu::linkSharedObject({*object}, &error);
  check(succeeded(shared), error);
  int file = memfd_create("kernels", 0);
  check(file >= 0 && write(file, shared->data(), shared->size()) == static_cast<ssize_t>(shared->size()),
        "no memory file");
  handle = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  close(file);
  check(handle, handle ? "" : dlerror());
  auto *image = static_cast<const fovea_kernel_image *>(dlsym(handle, "fovea_kernel_image"));
  check(image, "no image");
  table = reinterpret_cast<const void *const *>(image->kernels);
}

test::CompiledModule::~CompiledModule() {
  if (handle)
    dlclose(handle);
}
