// Mathematical functions as polynomials on scalars and vectors, so that compiled code needs no libm and all lanes are
// computed at once.
#ifndef FOVEA_COMPILER_CONVERSION_EXPANDMATH_H
#define FOVEA_COMPILER_CONVERSION_EXPANDMATH_H

#include "mlir/IR/Builders.h"

namespace fovea {

/// True for operations of the math dialect that expand-math expands, or that LLVM has instructions for, on their types.
bool canExpandMath(mlir::Operation *op);

/// 2^x for x <= 0 (f32 or vectors of f32): at most 3 ulp on [-126, 0], 0 below that and for -inf; NaN stays NaN. About
/// 10 instructions.
mlir::Value emitExp2NonPositive(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x);

} // namespace fovea

#endif // FOVEA_COMPILER_CONVERSION_EXPANDMATH_H
