// Imports a model and prints the module: `onnx-import MODEL.onnx [--dim NAME=N|NAME=LO..HI]...
// [--allow-external-data=DIR] [--quiet]`.
// `--list` prints the operators instead. Exit codes as for the tools: 1 the model is wrong, 2 not supported.
#include "frontends/onnx/Onnx.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace fovea::frontend;

static bool readDim(StringRef text, ImportOptions &options) {
  auto [name, value] = text.split('=');
  auto [low, high] = value.contains("..") ? value.split("..") : std::pair(value, value);
  DimRange range;
  if (name.empty() || low.getAsInteger(10, range.min) || high.getAsInteger(10, range.max))
    return false;
  options.dims[name.str()] = range;
  return true;
}

int main(int argc, char **argv) {
  ImportOptions options;
  std::string path;
  bool quiet = false;
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (argument == "--list") {
      for (const OnnxOp &op : listOnnxOps())
        llvm::outs() << (op.domain.empty() ? "ai.onnx" : op.domain) << " " << op.name << " " << op.since << ".."
                     << op.until << "\n";
      return 0;
    }
    if (argument == "--quiet") {
      quiet = true;
    } else if (argument.consume_front("--allow-external-data=")) {
      options.allowExternalData = argument.str();
    } else if (argument == "--dim" && i + 1 < argc) {
      if (!readDim(argv[++i], options)) {
        llvm::errs() << "expected NAME=N or NAME=LO..HI, got " << argv[i] << "\n";
        return 1;
      }
    } else {
      path = argument.str();
    }
  }
  MLIRContext context;
  ImportResult result = importOnnx(context, path, options);
  if (result.error) {
    llvm::errs() << result.error->message << "\n";
    return result.error->kind == ImportError::input ? 1 : 2;
  }
  OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(16).elideLargeResourceString(16);
  if (!quiet)
    result.module->print(llvm::outs(), flags);
  else
    llvm::outs() << result.weights.size() << " external weights\n";
  return 0;
}
