// From a module of functions (arith, math, scf, vector, llvm) to machine code, and from that to shared objects.
#ifndef FOVEA_COMPILER_TARGET_CPU_CODEGEN_H
#define FOVEA_COMPILER_TARGET_CPU_CODEGEN_H

#include "compiler/lowering/Machine.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <string>
#include <vector>

namespace fovea::cpu {

/// Lowers everything in a module to the LLVM dialect: scalar and vector functions to polynomials, loops to branches.
/// `expandRounding` is for machines without instructions that round (x86-64 before SSE 4.1).
void buildLowerToLLVMPipeline(mlir::OpPassManager &passes, bool expandRounding = false, bool expandHalf = false);

/// Adds the table of kernels that the runtime looks for: `functions` in the order of their numbers, exported as
/// fovea_kernel_image (abi.h). The functions are llvm.func in `code`; others become private.
void addKernelImage(mlir::ModuleOp code, llvm::ArrayRef<std::string> functions);

/// Machine code of a module in the LLVM dialect. `llvmText`, if given, receives the optimised LLVM IR.
mlir::FailureOr<std::string> compileToObject(mlir::ModuleOp code, const lowering::Machine &machine, std::string *error,
                                             std::string *llvmText = nullptr);

/// Links objects to a shared object that needs nothing but libc's memory functions. Calls may not overlap in time.
/// `environment`, if given, becomes true where it is the system that refuses: no space for temporary files.
mlir::FailureOr<std::string> linkSharedObject(llvm::ArrayRef<std::string> objects, std::string *error,
                                              bool *environment = nullptr);

} // namespace fovea::cpu

#endif // FOVEA_COMPILER_TARGET_CPU_CODEGEN_H
