// Machine code of a planned module, before it is linked or archived.
#ifndef FOVEA_COMPILER_PIPELINE_CODE_H
#define FOVEA_COMPILER_PIPELINE_CODE_H

#include "compiler/lowering/Machine.h"
#include "compiler/target/cpu/HostProgram.h"
#include "compiler/target/vulkan/Shader.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace fovea {

struct KernelStage {
  std::string name, kind, schedule, target; ///< target: the machine's name, empty for the CPU
  int64_t workspaceBytes;                   ///< a thread; -1 where it depends on the dims
  unsigned symbols, buffers, inits;         ///< of the kernel
};

/// All kernels for one machine.
struct KernelCode {
  std::string object, llvmText;
  std::vector<KernelStage> stages;
};

struct CompiledCode {
  std::vector<KernelCode> kernels; ///< one for each machine
  std::vector<vulkan::Shader> shaders;
  std::vector<KernelStage> shaderStages; ///< of each shader
  std::string hostObject;
  llvm::StringMap<cpu::CompiledKernel> definitions;
  llvm::StringMap<int64_t> weightOffsets;
  uint64_t weightBytes = 0;
  std::vector<cpu::HostEntry> entries;
  std::vector<std::string> faultNodes;
};

/// Compiles the kernels of a planned module for each machine, and its host programs. Errors are diagnostics.
mlir::LogicalResult compileCode(mlir::ModuleOp module, llvm::ArrayRef<lowering::Machine> machines, bool wantLLVM,
                                CompiledCode &code);

/// `value` rounded up to a multiple of `alignment`.
inline uint64_t alignUp(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_CODE_H
