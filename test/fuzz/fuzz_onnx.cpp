// libFuzzer target of the ONNX reader: any bytes give a module or a message.
#include "compiler/pipeline/Registration.h"
#include "frontends/onnx/Onnx.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

/// A file that holds the bytes; the reader takes paths. In memory, where the system has such a folder.
static std::string write(const uint8_t *data, size_t size) {
  static const std::string path =
      (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + ("/fovea-fuzz-" + std::to_string(getpid())) + ".onnx";
  FILE *file = std::fopen(path.c_str(), "wb");
  if (!file || std::fwrite(data, 1, size, file) != size || std::fclose(file) != 0)
    std::abort();
  return path;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static mlir::DialectRegistry registry = [] {
    mlir::DialectRegistry r;
    fovea::registerDialects(r);
    return r;
  }();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &) { return mlir::success(); });
  std::string path = write(data, size);
  fovea::frontend::ImportResult result = fovea::frontend::importOnnx(context, path);
  unlink(path.c_str());
  // Exactly one of the two, and what is imported is valid.
  if (bool(result.module) == result.error.has_value() || (result.error && result.error->message.empty()))
    std::abort();
  if (result.module && mlir::failed(mlir::verify(*result.module)))
    std::abort();
  return 0;
}
