// The ONNX frontend: a model file becomes a function over linalg, tensor, arith, math, attn and data.
#ifndef FOVEA_FRONTENDS_ONNX_ONNX_H
#define FOVEA_FRONTENDS_ONNX_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fovea::frontend {

/// Whose fault it is that a model was not imported: the file's, ours because we cannot do it yet, or the machine's.
enum class ImportError { input, unsupported, environment };

struct ImportFailure {
  ImportError kind;
  std::string message;
};

/// The sizes that a symbolic dim may have; a fixed size has min == max.
struct DimRange {
  int64_t min, max;
};

struct ImportOptions {
  std::string entryName = "main";
  /// By the name of the dim, as in `--dim NAME=N` and `--dim NAME=LO..HI`.
  std::map<std::string, DimRange> dims;
  /// A folder from which external data may come besides the model's own; links that lead there are followed.
  std::string allowExternalData;
};

/// Where the bytes of a weight came from, by the key of its resource, so that dumps can refer to the file.
struct WeightSource {
  std::string key, path;
  uint64_t offset, size;
};

struct ImportResult {
  mlir::OwningOpRef<mlir::ModuleOp> module; ///< null exactly if there is an error
  std::optional<ImportFailure> error;
  std::vector<WeightSource> weights;
};

/// Reads and converts a model. Weights are not copied: they stay in the mapped files, which live as long as the
/// module's context.
ImportResult importOnnx(mlir::MLIRContext &context, llvm::StringRef path, const ImportOptions &options = {});

/// An operator that can be imported, in the opset versions [since, until].
struct OnnxOp {
  std::string domain, name;
  int since, until;
};

/// Sorted by domain and name.
std::vector<OnnxOp> listOnnxOps();

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_ONNX_H
