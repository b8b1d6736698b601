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
  /// To be called before words of it are asked for: the memory of the workgroup, in words; `byFour`: that of vectors of
  /// four words, beside that of single ones.
  void share(int64_t words, bool byFour);
  /// Ends the entry point, for workgroups of `groupSize` invocations.
  mlir::spirv::ModuleOp finish(unsigned groupSize);

  mlir::Value constant(int32_t value);
  /// The pointer to word `index` (i32) of a buffer of the kernel, or of one of its windows, or of one of the other
  /// bindings.
  mlir::Value word(uint8_t buffer, mlir::Value index, uint8_t window = artifact::WHOLE_BUFFER);
  /// The pointer to word `index` (i32) of the memory of the workgroup.
  mlir::Value sharedWord(mlir::Value index, bool byFour);
  /// The pointer to the four of them from word 4 * `index` on (vector<4xi32>).
  mlir::Value sharedFour(mlir::Value index);
  /// The pointer to the four words from word 4 * `index` on (vector<4xi32>).
  mlir::Value fourWords(uint8_t buffer, mlir::Value index, uint8_t window = artifact::WHOLE_BUFFER);
  /// The pointer to an array of words (i32) of the invocation's own.
  mlir::Value array(int64_t words);
  /// Word `index` of the launch, pushed or in a buffer.
  mlir::Value push(unsigned index);
  /// The same number (i32) of so many bits, of which drivers see that it is the same for all invocations of a
  /// workgroup. They trust what is pushed to be so, at any index; lavapipe has nothing else to tell (until Mesa 25.0),
  /// and makes a load at such an address one scalar load, any other one a load for each lane.
  mlir::Value uniform(mlir::Value number, unsigned bits);
  /// The number of this workgroup, and of this invocation in it.
  mlir::Value group();
  mlir::Value invocation();

private:
  mlir::Value pushed(mlir::Value index);
  unsigned bindingOf(uint8_t buffer, uint8_t window);
  mlir::Value base(uint8_t buffer, unsigned words = 1, uint8_t window = artifact::WHOLE_BUFFER);
  mlir::Value builtin(mlir::spirv::BuiltIn which, llvm::StringRef name, unsigned component);

  Shader &shader;
  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::spirv::ModuleOp spirvModule;
  mlir::spirv::FuncOp function;
  mlir::spirv::GlobalVariableOp pushWords;
  llvm::DenseMap<unsigned, mlir::spirv::GlobalVariableOp> builtins;
  /// Of a binding and how many words its elements have.
  using View = std::pair<unsigned, unsigned>;
  llvm::DenseMap<View, mlir::spirv::GlobalVariableOp> buffers;
  llvm::DenseMap<View, mlir::Value> bases; ///< in the entry block
  mlir::Value sharedBase, sharedFours;     ///< of the workgroup's memory
};

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_SHADERMODULE_H
