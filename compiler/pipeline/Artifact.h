// The emit phase: code, weights and the manifest into one file.
#ifndef FOVEA_COMPILER_PIPELINE_ARTIFACT_H
#define FOVEA_COMPILER_PIPELINE_ARTIFACT_H

#include "compiler/lowering/Machine.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace fovea {

struct EmitOptions {
  std::vector<lowering::Machine> machines; ///< one section of kernels for each
};

/// Compiles a planned module (exec.program, exec.kernel_def, exec.weight_data) and writes the artifact beside `path`,
/// then renames it into place. Errors are emitted as diagnostics on the module; `environment` is set if the cause is
/// the disk or the like.
mlir::LogicalResult emitArtifact(mlir::ModuleOp module, llvm::StringRef path, const EmitOptions &options,
                                 bool &environment);

/// The optimised LLVM IR of all kernels as text.
mlir::LogicalResult emitLLVM(mlir::ModuleOp module, llvm::raw_ostream &stream, const EmitOptions &options);

/// Writes each shader to the folder `path` as NAME.spv.
mlir::LogicalResult emitSpirv(mlir::ModuleOp module, llvm::StringRef path, const EmitOptions &options,
                              bool &environment);

/// Writes `path` (an archive of objects), and beside it a C header that says what is in it and a file with the weights,
/// `.h` and `.weights` instead of the extension. For one machine only.
mlir::LogicalResult emitStaticLibrary(mlir::ModuleOp module, llvm::StringRef path, const EmitOptions &options,
                                      bool &environment);

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_ARTIFACT_H
