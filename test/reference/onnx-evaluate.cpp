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

static Type elementType(MLIRContext &context, fovea_dtype dtype) {
  switch (dtype) {
  case FOVEA_F32:
    return Float32Type::get(&context);
  case FOVEA_F64:
    return Float64Type::get(&context);
  case FOVEA_I32:
    return IntegerType::get(&context, 32);
  case FOVEA_I64:
    return IntegerType::get(&context, 64);
  case FOVEA_BOOL:
    return IntegerType::get(&context, 1);
  default:
    return nullptr;
  }
}

static fovea_dtype dtypeOf(Type type) {
  return type.isF32()         ? FOVEA_F32
         : type.isF64()       ? FOVEA_F64
         : type.isInteger(32) ? FOVEA_I32
         : type.isInteger(64) ? FOVEA_I64
                              : FOVEA_BOOL;
}

struct Outcome {
  int code;
  std::string message;
};

static std::string nameOf(DictionaryAttr attributes) {
  return attributes.getAs<StringAttr>(exec::ExecDialect::kNameAttr).getValue().str();
}

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
    Type element = elementType(context, array.dtype);
    ArrayRef<char> bytes(reinterpret_cast<const char *>(array.data.data()), array.data.size());
    FailureOr<reference::Tensor> tensor = failure();
    if (element)
      tensor = reference::fromBytes(element, array.dims, bytes);
    if (failed(tensor))
      return {2, "the input \"" + name + "\" has an element type that is not supported"};
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
                       npy::View(dtypeOf(tensor.elementType),
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
