// Fuzzes the ONNX reader: any bytes give a valid module or a message. The model lies in a folder with files that its
// external data may name: weights.bin (64 KiB) and short.bin (8 bytes) beside it, link.bin (leads out of the folder),
// folder, and allowed/weights.bin (outside, but permitted).
#include "frontends/onnx/Onnx.h"
#include "test/fuzz/TemporaryFolder.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using fovea::fuzz::TemporaryFolder;

// MLIR's libraries are not instrumented.
extern "C" const char *__asan_default_options() { return "allow_user_poisoning=0:detect_container_overflow=0"; }

static void fill(const TemporaryFolder &folder) {
  const std::string bytes(65536, '\1');
  for (const char *child : {"model", "model/folder", "allowed"})
    std::filesystem::create_directory(folder / child);
  for (const char *file : {"model/weights.bin", "allowed/weights.bin", "outside.bin"})
    folder.write(file, bytes.data(), bytes.size());
  folder.write("model/short.bin", bytes.data(), 8);
  std::filesystem::create_symlink("../outside.bin", folder / "model/link.bin");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const TemporaryFolder folder;
  [[maybe_unused]] static const bool filled = (fill(folder), true);
  const std::string model = folder.write("model/model.onnx", data, size);
  fovea::frontend::ImportOptions options;
  options.allowExternalData = folder / "allowed";
  options.dims = {{"two", {2, 2}}};
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &) { return mlir::success(); });
  fovea::frontend::ImportResult result = fovea::frontend::importOnnx(context, model, options);
  // Exactly one of the two, and what is imported is valid.
  if (bool(result.module) == result.error.has_value() || (result.error && result.error->message.empty()))
    std::abort();
  if (result.error && result.error->message.find("bug of the importer") != std::string::npos)
    std::abort();
  if (result.module && mlir::failed(mlir::verify(*result.module)))
    std::abort();
  return 0;
}
