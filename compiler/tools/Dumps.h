// IR on disk between phases: bytecode in which weights that lie in files are references, so that a dump is small and a
// compile goes on from it.
#ifndef FOVEA_COMPILER_TOOLS_DUMPS_H
#define FOVEA_COMPILER_TOOLS_DUMPS_H

#include "frontends/onnx/Onnx.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace fovea {

/// On a dumped module: the phase it was written after, and {key = [path, offset, size]} for the weights that are
/// references.
inline constexpr llvm::StringLiteral kPhaseAttr = "exec.phase", kWeightFilesAttr = "exec.weight_files";

/// Writes a module as bytecode. The blobs of `weights` are left out; those that no file holds are written with the
/// rest.
mlir::LogicalResult writeDump(mlir::ModuleOp module, llvm::StringRef phase,
                              llvm::ArrayRef<frontend::WeightSource> weights, llvm::raw_ostream &stream);

struct LoadedDump {
  mlir::OwningOpRef<mlir::ModuleOp> module; ///< null exactly if there is an error
  std::string phase;                        ///< empty for a file that is no dump
  std::vector<frontend::WeightSource> weights;
  std::string error;
};
/// Reads IR as bytecode or text, and maps the files that its weights lie in.
LoadedDump readDump(mlir::MLIRContext &context, llvm::StringRef path);

/// For people: no locations, large constants shortened.
void printText(mlir::ModuleOp module, llvm::raw_ostream &stream);

} // namespace fovea

#endif // FOVEA_COMPILER_TOOLS_DUMPS_H
