// Tensors from attributes and from bytes, and back.
#include "compiler/reference/Evaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;
using namespace fovea::reference;

/// Above this many bytes a constant is a resource.
static constexpr size_t kSmallBytes = 1024;

template <typename T> static T readAs(const char *p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

static const llvm::fltSemantics &semanticsOf(Type type) { return cast<FloatType>(type).getFloatSemantics(); }

static Element readElement(Type type, const char *p) {
  if (type.isF32())
    return {.f = readAs<float>(p)};
  if (type.isF64())
    return {.f = readAs<double>(p)};
  if (isa<FloatType>(type)) {
    APFloat value(semanticsOf(type), APInt(16, readAs<uint16_t>(p)));
    bool lost;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return {.f = value.convertToDouble()};
  }
  if (type.isInteger(1))
    return {.i = *p != 0};
  if (type.isInteger(8))
    return {.i = readAs<int8_t>(p)};
  if (type.isInteger(16))
    return {.i = readAs<int16_t>(p)};
  if (type.isInteger(32))
    return {.i = readAs<int32_t>(p)};
  return {.i = readAs<int64_t>(p)};
}

/// Bytes of an element in memory; 0 if the type is not known.
static size_t byteSize(Type type) {
  if (type.isInteger(1))
    return 1;
  if (isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type) || type.isInteger(8) || type.isInteger(16) ||
      type.isInteger(32) || type.isInteger(64))
    return type.getIntOrFloatBitWidth() / 8;
  return type.isIndex() ? 8 : 0;
}

FailureOr<Tensor> fovea::reference::fromBytes(Type elementType, ArrayRef<int64_t> shape, ArrayRef<char> bytes) {
  size_t size = byteSize(elementType);
  Tensor tensor(elementType, shape);
  if (size == 0 || bytes.size() != tensor.data.size() * size)
    return failure();
  for (size_t i = 0; i < tensor.data.size(); ++i)
    tensor.data[i] = readElement(elementType, bytes.data() + i * size);
  return tensor;
}

std::vector<char> fovea::reference::toBytes(const Tensor &tensor) {
  size_t size = byteSize(tensor.elementType);
  std::vector<char> bytes(tensor.data.size() * size);
  for (size_t i = 0; i < tensor.data.size(); ++i) {
    char *p = bytes.data() + i * size;
    if (tensor.elementType.isF32()) {
      float value = tensor.data[i].f;
      std::memcpy(p, &value, size);
    } else if (size == 2 && tensor.isFloat()) {
      APFloat value(tensor.data[i].f);
      bool lost;
      value.convert(semanticsOf(tensor.elementType), APFloat::rmNearestTiesToEven, &lost);
      uint16_t bits = value.bitcastToAPInt().getZExtValue();
      std::memcpy(p, &bits, size);
    } else {
      // Doubles as they are; integers are little endian, so that the low bytes come first.
      std::memcpy(p, &tensor.data[i], size);
    }
  }
  return bytes;
}

FailureOr<Tensor> fovea::reference::fromAttribute(ElementsAttr attribute) {
  auto type = dyn_cast<RankedTensorType>(attribute.getType());
  if (!type || byteSize(type.getElementType()) == 0)
    return failure();
  Type element = type.getElementType();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob && !element.isInteger(1) ? fromBytes(element, type.getShape(), blob->getData())
                                         : FailureOr<Tensor>(failure());
  }
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense)
    return failure();
  if (!dense.isSplat() && !element.isInteger(1) && !element.isIndex())
    return fromBytes(element, type.getShape(), dense.getRawData());
  Tensor tensor(element, type.getShape());
  size_t i = 0;
  if (isa<FloatType>(element))
    for (APFloat value : dense.getValues<APFloat>()) {
      bool lost;
      value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      tensor.data[i++].f = value.convertToDouble();
    }
  else
    for (const APInt &value : dense.getValues<APInt>())
      tensor.data[i++].i = element.isInteger(1) ? value.getZExtValue() : value.getSExtValue();
  return tensor;
}

ElementsAttr fovea::reference::toAttribute(const Tensor &tensor, StringRef name) {
  auto type = RankedTensorType::get(tensor.shape, tensor.elementType);
  if (tensor.elementType.isInteger(1)) {
    SmallVector<bool> values;
    for (Element e : tensor.data)
      values.push_back(e.i != 0);
    return DenseElementsAttr::get(type, values);
  }
  std::vector<char> bytes = toBytes(tensor);
  // One value everywhere is kept once, and is seen to be one.
  size_t size = byteSize(tensor.elementType);
  if (bytes.size() > size && std::equal(bytes.begin() + size, bytes.end(), bytes.begin()))
    bytes.resize(size);
  if (bytes.size() <= kSmallBytes)
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  AsmResourceBlob blob =
      HeapAsmResourceBlob::allocateAndCopyWithAlign(ArrayRef<char>(bytes), 64, /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

static void evaluateConstantOp(Evaluator &evaluator, Operation *op) {
  Attribute value = cast<arith::ConstantOp>(op).getValue();
  Value result = op->getResult(0);
  if (auto elements = dyn_cast<ElementsAttr>(value)) {
    FailureOr<Tensor> tensor = fromAttribute(elements);
    if (failed(tensor))
      fault("the constant has an unknown form");
    evaluator.set(result, std::move(*tensor));
  } else if (auto number = dyn_cast<FloatAttr>(value)) {
    evaluator.setScalar(result, {.f = number.getValueAsDouble()});
  } else {
    APInt integer = cast<IntegerAttr>(value).getValue();
    evaluator.setScalar(result, {.i = integer.getBitWidth() == 1 ? static_cast<int64_t>(integer.getZExtValue())
                                                                 : integer.getSExtValue()});
  }
}

static RegisterOpFunctions functions{{"arith.constant", evaluateConstantOp}};
