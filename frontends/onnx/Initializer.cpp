// Constants of the model: small ones become attributes, large ones resources over the mapped files.
#include "frontends/onnx/Importer.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace fovea::frontend;

/// Up to this many bytes a constant is an ordinary attribute, which folding can look into.
static constexpr int64_t kSmallBytes = 1024;

Type fovea::frontend::mlirType(MLIRContext *context, int32_t dataType) {
  switch (dataType) {
  case onnx::TensorProto::FLOAT:
    return Float32Type::get(context);
  case onnx::TensorProto::DOUBLE:
    return Float64Type::get(context);
  case onnx::TensorProto::FLOAT16:
    return Float16Type::get(context);
  case onnx::TensorProto::BFLOAT16:
    return BFloat16Type::get(context);
  case onnx::TensorProto::INT8:
  case onnx::TensorProto::UINT8:
    return IntegerType::get(context, 8);
  case onnx::TensorProto::INT16:
  case onnx::TensorProto::UINT16:
    return IntegerType::get(context, 16);
  case onnx::TensorProto::INT32:
  case onnx::TensorProto::UINT32:
    return IntegerType::get(context, 32);
  case onnx::TensorProto::INT64:
  case onnx::TensorProto::UINT64:
    return IntegerType::get(context, 64);
  case onnx::TensorProto::BOOL:
    return IntegerType::get(context, 1);
  default:
    return nullptr;
  }
}

bool fovea::frontend::isUnsignedType(int32_t dataType) {
  switch (dataType) {
  case onnx::TensorProto::UINT8:
  case onnx::TensorProto::UINT16:
  case onnx::TensorProto::UINT32:
  case onnx::TensorProto::UINT64:
    return true;
  default:
    return false;
  }
}

template <typename To, typename From> static void append(std::vector<char> &bytes, const From &values) {
  for (auto v : values) {
    To element = static_cast<To>(v);
    bytes.insert(bytes.end(), reinterpret_cast<const char *>(&element),
                 reinterpret_cast<const char *>(&element) + sizeof(To));
  }
}

/// The elements of the typed fields as the bytes that raw_data would hold.
static std::vector<char> typedBytes(const onnx::TensorProto &tensor) {
  std::vector<char> bytes;
  switch (tensor.data_type()) {
  case onnx::TensorProto::FLOAT:
    append<float>(bytes, tensor.float_data());
    break;
  case onnx::TensorProto::DOUBLE:
    append<double>(bytes, tensor.double_data());
    break;
  case onnx::TensorProto::INT32:
    append<int32_t>(bytes, tensor.int32_data());
    break;
  case onnx::TensorProto::INT64:
    append<int64_t>(bytes, tensor.int64_data());
    break;
  case onnx::TensorProto::UINT32:
    append<uint32_t>(bytes, tensor.uint64_data());
    break;
  case onnx::TensorProto::UINT64:
    append<uint64_t>(bytes, tensor.uint64_data());
    break;
  case onnx::TensorProto::INT8:
  case onnx::TensorProto::UINT8:
    append<uint8_t>(bytes, tensor.int32_data());
    break;
  // Floats of 16 bits stand in int32_data as their bits.
  case onnx::TensorProto::FLOAT16:
  case onnx::TensorProto::BFLOAT16:
  case onnx::TensorProto::INT16:
  case onnx::TensorProto::UINT16:
    append<uint16_t>(bytes, tensor.int32_data());
    break;
  case onnx::TensorProto::BOOL:
    append<bool>(bytes, tensor.int32_data());
    break;
  }
  int64_t expected = elementCount(tensor) * elementSize(tensor.data_type());
  if (static_cast<int64_t>(bytes.size()) != expected)
    failInput("initializer \"" + tensor.name() + "\" should have " + Twine(expected) + " bytes, got " +
              Twine(bytes.size()));
  return bytes;
}

Attribute Importer::resource(const onnx::TensorProto &tensor, RankedTensorType type, StringRef name) {
  AsmResourceBlob blob;
  TensorBytes bytes;
  size_t align = elementSize(tensor.data_type());
  if (tensor.has_raw_data() || tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    bytes = model->bytes(tensor);
    // The file is mapped and stays so for as long as any blob lives.
    while (reinterpret_cast<uintptr_t>(bytes.data.data()) % align != 0)
      align /= 2;
    blob = AsmResourceBlob(bytes.data, align, [owner = model](void *, size_t, size_t) {}, /*dataIsMutable=*/false);
  } else {
    auto owner = std::make_shared<std::vector<char>>(typedBytes(tensor));
    blob = AsmResourceBlob(ArrayRef<char>(*owner), align, [owner](void *, size_t, size_t) {}, /*dataIsMutable=*/false);
  }
  auto attribute = DenseResourceElementsAttr::get(type, name.empty() ? "constant" : name, std::move(blob));
  if (!bytes.path.empty())
    weights.push_back({attribute.getRawHandle().getKey().str(), bytes.path, bytes.offset, bytes.data.size()});
  return attribute;
}

Value Importer::constantTensor(const onnx::TensorProto &tensor, StringRef name) {
  Type element = mlirType(b.getContext(), tensor.data_type());
  if (!element)
    failUnsupported("constant \"" + name + "\" has the element type " + elementTypeName(tensor.data_type()));
  int64_t count = elementCount(tensor), size = count * elementSize(tensor.data_type());
  auto type = RankedTensorType::get(ArrayRef<int64_t>(tensor.dims().data(), tensor.dims_size()), element);
  if (size > kSmallBytes && !element.isInteger(1))
    return arith::ConstantOp::create(b, loc, cast<TypedAttr>(resource(tensor, type, name)));
  std::vector<char> copy;
  ArrayRef<char> bytes;
  if (tensor.has_raw_data() || tensor.data_location() == onnx::TensorProto::EXTERNAL)
    bytes = model->bytes(tensor).data;
  else
    bytes = copy = typedBytes(tensor);
  DenseElementsAttr attribute;
  if (element.isInteger(1)) {
    SmallVector<bool> values;
    for (char c : bytes)
      values.push_back(c != 0);
    attribute = DenseElementsAttr::get(type, values);
  } else {
    attribute = DenseElementsAttr::getFromRawBuffer(type, bytes);
  }
  return arith::ConstantOp::create(b, loc, attribute);
}

std::optional<Scalars> Importer::scalarsOfInitializer(const onnx::TensorProto &tensor) {
  Type element = mlirType(b.getContext(), tensor.data_type());
  if (!element || !isa<IntegerType>(element) || isUnsignedType(tensor.data_type()) ||
      elementCount(tensor) > kMaxScalars)
    return std::nullopt;
  auto constant = constantTensor(tensor, tensor.name()).getDefiningOp<arith::ConstantOp>();
  Scalars scalars{SmallVector<int64_t>(tensor.dims().begin(), tensor.dims().end()), {}, element};
  for (APInt value : cast<DenseIntElementsAttr>(constant.getValue()).getValues<APInt>())
    scalars.elements.push_back(element.isInteger(1) ? value.getZExtValue() : value.getSExtValue());
  constant.erase();
  return scalars;
}
