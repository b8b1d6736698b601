// Reading of model files: the protobuf, external data, and what must hold before anything is converted.
#ifndef FOVEA_FRONTENDS_ONNX_MODEL_H
#define FOVEA_FRONTENDS_ONNX_MODEL_H

#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/Proto.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace fovea::frontend {

/// Inside of the frontend a failure travels as an exception, from wherever it is found to importOnnx, which returns it.
[[noreturn]] void failInput(const llvm::Twine &message);
[[noreturn]] void failUnsupported(const llvm::Twine &message);

/// Bytes of a tensor and where they came from; the path is empty if they are in the model file itself.
struct TensorBytes {
  llvm::ArrayRef<char> data;
  std::string path;
  uint64_t offset = 0;
};

/// A model file with the files of its external data. Blobs of the module share the ownership.
class OnnxModel {
public:
  /// Reads and parses; throws ImportFailure.
  static std::shared_ptr<OnnxModel> read(llvm::StringRef path, llvm::StringRef allowExternalData);

  const onnx::ModelProto &proto() const { return model; }
  onnx::GraphProto &graph() { return *model.mutable_graph(); }
  const std::string &path() const { return file; }
  /// The opset version of the default domain.
  int64_t opset() const;
  /// The raw bytes of a tensor with raw_data or external data, checked against its shape. Throws ImportFailure.
  TensorBytes bytes(const onnx::TensorProto &tensor);

private:
  const llvm::MemoryBuffer &open(const std::string &location, llvm::StringRef tensor);

  std::string file, folder, allowed;
  onnx::ModelProto model;
  std::map<std::string, std::unique_ptr<llvm::MemoryBuffer>> external; ///< by location
  std::map<std::string, std::string> resolved;                         ///< location to the path of the file
};

/// The number of elements of a tensor; throws if a dim is negative or the product absurd.
int64_t elementCount(const onnx::TensorProto &tensor);
/// The name of an element type, "float" or "int64", for messages.
std::string elementTypeName(int32_t dataType);
/// Bytes of an element; 0 for types that are not supported.
int64_t elementSize(int32_t dataType);

/// Sorts the nodes so that each comes after what it reads. A cycle and a value made twice are errors.
void sortNodes(onnx::GraphProto &graph);
/// Replaces calls of the model's own functions by their bodies.
void inlineFunctions(onnx::ModelProto &model);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_MODEL_H
