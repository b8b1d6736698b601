// The frame of a shader: its spirv.module, bindings, push words and entry point.
#ifndef FOVEA_COMPILER_TARGET_VULKAN_SHADERMODULE_H
#define FOVEA_COMPILER_TARGET_VULKAN_SHADERMODULE_H

#include "compiler/target/vulkan/Shader.h"

#include "llvm/ADT/DenseMap.h"

namespace fovea::vulkan {

class ShaderModule {
public:
  ShaderModule(mlir::ModuleOp code, mlir::Location loc, Shader &shader);

  mlir::OpBuilder &builder() { return b; }
  mlir::spirv::ModuleOp module() { return spirvModule; }
  /// To be called before words of it are asked for: the memory of the workgroup, in words.
  void share(int64_t words);
  /// Ends the entry point, for workgroups of `groupSize` invocations.
  mlir::spirv::ModuleOp finish(unsigned groupSize);

  mlir::Value constant(int32_t value);
  /// The pointer to word `index` (i32) of a buffer of the kernel, or of one of the other bindings.
  mlir::Value word(uint8_t buffer, mlir::Value index);
  /// The pointer to word `index` (i32) of the memory of the workgroup.
  mlir::Value sharedWord(mlir::Value index);
  /// Word `index` of the launch, pushed or in a buffer.
  mlir::Value push(unsigned index);
  /// The number of this workgroup, and of this invocation in it.
  mlir::Value group();
  mlir::Value invocation();

private:
  mlir::Value base(uint8_t buffer);
  mlir::Value builtin(mlir::spirv::BuiltIn which, llvm::StringRef name, unsigned component);

  Shader &shader;
  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::spirv::ModuleOp spirvModule;
  mlir::spirv::FuncOp function;
  mlir::spirv::GlobalVariableOp pushWords;
  llvm::DenseMap<unsigned, mlir::spirv::GlobalVariableOp> buffers, builtins;
  llvm::DenseMap<unsigned, mlir::Value> bases; ///< of buffers, in the entry block
  mlir::Value sharedBase;                      ///< of the workgroup's memory
};

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_SHADERMODULE_H
