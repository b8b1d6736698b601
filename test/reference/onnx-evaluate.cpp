// Imports models and runs them with the reference evaluator:
//   onnx-evaluate MODEL.onnx INPUTS.npz OUTPUTS.npz
//   onnx-evaluate --batch          reads such triples from stdin, one a line (separated by tabs), and prints
//   "CODE<TAB>message" for each
// Exit codes as for the tools: 1 the model or its inputs are wrong, 2 not supported.
#include "compiler/reference/Reference.h"
#include "frontends/onnx/Onnx.h"

#include "dialects/exec/Exec.h"

#include "mlir/IR/MLIRContext.h"
#include "tools/npy.h"
#include "llvm/Support/raw_ostream.h"

#include <iostream>

using namespace mlir;
using namespace fovea;

/// `isUnsigned` tells what the types of integers do not.
static fovea_dtype dtypeOf(Type type, bool isUnsigned) {
  if (type.isF32())
    return FOVEA_F32;
  if (type.isF64())
    return FOVEA_F64;
  if (type.isF16())
    return FOVEA_F16;
  if (type.isBF16())
    return FOVEA_BF16;
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return FOVEA_BOOL;
  case 8:
    return isUnsigned ? FOVEA_U8 : FOVEA_I8;
  case 16:
    return isUnsigned ? FOVEA_U16 : FOVEA_I16;
  case 32:
    return isUnsigned ? FOVEA_U32 : FOVEA_I32;
  default:
    return isUnsigned ? FOVEA_U64 : FOVEA_I64;
  }
}

struct Outcome {
  int code;
  std::string message;
};

static std::string nameOf(DictionaryAttr attributes) {
  return attributes.getAs<StringAttr>(exec::ExecDialect::kNameAttr).getValue().str();
}

static bool isUnsigned(DictionaryAttr attributes) { return attributes.contains(exec::ExecDialect::kUnsignedAttr); }

static Outcome evaluateModel(const std::string &model, const std::string &inputs, const std::string &outputs) {
  MLIRContext context;
  frontend::ImportResult imported = frontend::importOnnx(context, model);
  if (imported.error)
    return {imported.error->kind == frontend::ImportError::input ? 1 : 2, imported.error->message};
  auto function = *imported.module->getOps<func::FuncOp>().begin();
  std::vector<reference::Tensor> arguments;
  npy::Arrays given = npy::readZip(inputs);
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    std::string name = nameOf(function.getArgAttrDict(i));
    auto it = llvm::find_if(given, [&](auto &entry) { return entry.first == name; });
    if (it == given.end())
      return {1, "the input \"" + name + "\" is missing"};
    const npy::Array &array = it->second;
    Type element = getElementTypeOrSelf(function.getArgumentTypes()[i]);
    fovea_dtype dtype = dtypeOf(element, isUnsigned(function.getArgAttrDict(i)));
    ArrayRef<char> bytes(reinterpret_cast<const char *>(array.data.data()), array.data.size());
    FailureOr<reference::Tensor> tensor = failure();
    // bf16 travels as its bits.
    if (array.dtype == dtype || (dtype == FOVEA_BF16 && array.dtype == FOVEA_U16))
      tensor = reference::fromBytes(element, array.dims, bytes);
    if (failed(tensor))
      return {1, "the input \"" + name + "\" does not have the element type of the model"};
    arguments.push_back(std::move(*tensor));
  }
  std::string error;
  auto results = reference::evaluate(function, arguments, &error);
  if (failed(results))
    return {1, error};
  std::vector<std::vector<char>> bytes;
  for (const reference::Tensor &tensor : *results)
    bytes.push_back(reference::toBytes(tensor));
  npy::Views views;
  for (auto [i, tensor] : llvm::enumerate(*results))
    views.emplace_back(nameOf(function.getResultAttrDict(i)),
                       npy::View(dtypeOf(tensor.elementType, isUnsigned(function.getResultAttrDict(i))),
                                 std::span<const int64_t>(tensor.shape.data(), tensor.shape.size()), bytes[i].data()));
  npy::writeZip(outputs, views);
  return {0, ""};
}

static Outcome guarded(const std::string &model, const std::string &inputs, const std::string &outputs) {
  try {
    return evaluateModel(model, inputs, outputs);
  } catch (npy::Error &error) {
    return {1, error.what()};
  }
}

int main(int argc, char **argv) {
  if (argc == 2 && StringRef(argv[1]) == "--batch") {
    for (std::string line; std::getline(std::cin, line);) {
      SmallVector<StringRef> parts;
      StringRef(line).split(parts, '\t');
      Outcome outcome = parts.size() == 3 ? guarded(parts[0].str(), parts[1].str(), parts[2].str())
                                          : Outcome{1, "expected three paths"};
      for (char &c : outcome.message)
        c = c == '\n' ? ' ' : c;
      std::cout << outcome.code << "\t" << outcome.message << std::endl;
    }
    return 0;
  }
  if (argc != 4) {
    std::cerr << "usage: onnx-evaluate MODEL.onnx INPUTS.npz OUTPUTS.npz\n";
    return 1;
  }
  Outcome outcome = guarded(argv[1], argv[2], argv[3]);
  if (outcome.code != 0)
    std::cerr << outcome.message << "\n";
  return outcome.code;
}
