// Compute shaders of the Vulkan target: how a stage of a kernel becomes SPIR-V.
//
// Lowerings write a stage as a function that runs tasks [begin, end) on buffers (Lowering.h). As a shader each
// invocation runs one task. Every tensor is a storage buffer of 32-bit words, whatever its elements: no device has to
// offer 8-, 16- or 64-bit storage. Integers that count, index or address are 32 bits wide, and what is i64 in the
// model's own data is a pair of words (WordPairs.h). f64 needs shaderFloat64, and its conversions from and to i64
// shaderInt64.
#ifndef FOVEA_COMPILER_TARGET_VULKAN_SHADER_H
#define FOVEA_COMPILER_TARGET_VULKAN_SHADER_H

#include "compiler/lowering/Machine.h"
#include "compiler/target/vulkan/Figures.h"

#include "fovea/artifact.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"

#include <string>
#include <vector>

namespace fovea::vulkan {

/// What a binding of a shader is, if it is none of the kernel's buffers: the words that are too many to be pushed, the
/// memory of the run and the weights, both for the buffers that share a binding, the word of faults, the workspace.
inline constexpr uint8_t kWordsBinding = artifact::WORDS_BINDING, kMemoryBinding = artifact::MEMORY_BINDING,
                         kWeightsBinding = artifact::WEIGHTS_BINDING, kFaultBinding = artifact::FAULT_BINDING,
                         kWorkspaceBinding = artifact::WORKSPACE_BINDING;
/// Words of a launch: the number of tasks, 32-bit words of workspace an invocation, the place of each shared buffer
/// (in words; the highest bit is set for weights), the identity of each compared buffer, the kernel's symbols. The
/// first kLaunchWords are pushed, and behind them the kDigits first numbers.
inline constexpr unsigned kTasksWord = 0, kWorkspaceWord = 1, kFirstFreeWord = 2, kPushWords = artifact::PUSH_WORDS,
                          kLaunchWords = artifact::LAUNCH_WORDS, kDigits = artifact::DIGITS;
/// Storage buffers and push words are what the profile guarantees: 8, and 128 bytes.
inline constexpr unsigned kMostBindings = 8;

/// One stage as a shader. The entry point is called as the shader.
struct Shader {
  std::string name;
  std::vector<uint32_t> words;         ///< SPIR-V 1.3
  std::vector<uint8_t> bindings;       ///< by number (set 0): which of the kernel's buffers, or one of the above
  std::vector<uint8_t> windows;        ///< of each binding: the window of its buffer, or artifact::WHOLE_BUFFER
  uint64_t windowBytes = 0;            ///< of a window but the last one; 0 if there are none
  std::vector<uint8_t> shared;         ///< the kernel's buffers that have no binding of their own
  std::vector<uint8_t> compared;       ///< of the kernel's buffers, those it asks of which share their memory
  unsigned groupSize = 0;              ///< invocations of a workgroup
  unsigned tasksOfGroup = 0;           ///< tasks that a workgroup does
  bool int64 = false, float64 = false; ///< what the device has to offer
  unsigned sharedBytes = 0;            ///< of workgroup memory
  unsigned subgroupSize = 0;           ///< invocations that its subgroups must have; 0: any
  Figures figures;
};

/// What a device has to offer beyond the minimum profile.
struct Requirements {
  unsigned minorVersion = 0;         ///< of Vulkan 1
  std::vector<std::string> features; ///< Vulkan's names
  unsigned invocations = 0, sharedBytes = 0;
  void add(const Shader &shader);
};

/// For shaders that use all that the machine has.
Requirements requirementsOf(const lowering::Machine &machine);

/// What stages for shaders, and shaders, are written in besides the dialects that all of Fovea has.
void loadDialects(mlir::MLIRContext &context);

/// Writes a stage's function as the entry point of a spirv.module at the end of `code`, with scf, arith and math still
/// in it. Fails with a diagnostic that begins with "not supported" if it does what no shader can.
mlir::FailureOr<mlir::spirv::ModuleOp> writeThreadShader(mlir::func::FuncOp function, mlir::ModuleOp code,
                                                         Shader &shader);

/// Turns what is left of other dialects in the module into SPIR-V, and that into `shader.words`, validated.
mlir::LogicalResult finishShader(mlir::spirv::ModuleOp module, Shader &shader);

/// The stages `functions` (func.func in `code`, each as Lowering.h describes) as shaders, in that order.
mlir::FailureOr<std::vector<Shader>> compileShaders(mlir::ModuleOp code, llvm::ArrayRef<std::string> functions);

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_SHADER_H
