#include "compiler/lowering/Elements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea;

bool lowering::isHalf(Type type) { return isa<Float16Type, BFloat16Type>(getElementTypeOrSelf(type)); }

/// `element`, in as many lanes as `like` has.
static Type shapedAs(Type like, Type element) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? Type(vector.clone(element)) : element;
}

Type lowering::computedType(Type type) {
  return isHalf(type) ? shapedAs(type, Float32Type::get(type.getContext())) : type;
}

Type lowering::storedType(Type type) {
  if (getElementTypeOrSelf(type).isInteger(1))
    return shapedAs(type, IntegerType::get(type.getContext(), 8));
  return isHalf(type) ? shapedAs(type, IntegerType::get(type.getContext(), 16)) : type;
}

Value lowering::fromStored(OpBuilder &b, Location loc, Value stored, Type element) {
  element = getElementTypeOrSelf(element);
  if (element.isInteger(1)) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(stored.getType()));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, stored, zero);
  }
  if (!isHalf(element))
    return stored;
  Value half = arith::BitcastOp::create(b, loc, shapedAs(stored.getType(), element), stored);
  return arith::ExtFOp::create(b, loc, shapedAs(stored.getType(), b.getF32Type()), half);
}

Value lowering::toStored(OpBuilder &b, Location loc, Value value, Type element) {
  element = getElementTypeOrSelf(element);
  if (element.isInteger(1))
    return arith::ExtUIOp::create(b, loc, shapedAs(value.getType(), b.getI8Type()), value);
  if (!isHalf(element))
    return value;
  Value half = arith::TruncFOp::create(b, loc, shapedAs(value.getType(), element), value);
  return arith::BitcastOp::create(b, loc, shapedAs(value.getType(), b.getI16Type()), half);
}

TypedAttr lowering::computedConstant(TypedAttr value) {
  auto number = dyn_cast<FloatAttr>(value);
  return number && isHalf(number.getType())
             ? FloatAttr::get(Float32Type::get(value.getContext()), number.getValueAsDouble())
             : value;
}
