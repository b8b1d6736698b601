// How elements stand in memory and what they are computed as: a bool is a byte in memory; f16 and bf16 are storage
// only, loads make f32 of them and stores round to them. The types may be vectors.
#ifndef FOVEA_COMPILER_LOWERING_ELEMENTS_H
#define FOVEA_COMPILER_LOWERING_ELEMENTS_H

#include "mlir/IR/Builders.h"

namespace fovea::lowering {

/// True for f16 and bf16.
bool isHalf(mlir::Type type);
/// f32 for f16 and bf16; every other type itself.
mlir::Type computedType(mlir::Type type);
/// What loads and stores move: i8 for bools, i16 for f16 and bf16 (vectors of integers are legal on every machine).
mlir::Type storedType(mlir::Type type);
/// A loaded value of storedType as a value of computedType, for elements of this type.
mlir::Value fromStored(mlir::OpBuilder &b, mlir::Location loc, mlir::Value stored, mlir::Type element);
/// A computed value as it is to be stored.
mlir::Value toStored(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Type element);
/// A number of an f16 or bf16 constant as one of f32; every other attribute itself.
mlir::TypedAttr computedConstant(mlir::TypedAttr value);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ELEMENTS_H
