// Reductions, as the normalisations need them too.
#ifndef FOVEA_FRONTENDS_ONNX_REDUCE_H
#define FOVEA_FRONTENDS_ONNX_REDUCE_H

#include "frontends/onnx/Importer.h"

namespace fovea::frontend {

enum class Reduction { sum, mean, max, min, product };

/// Two numbers in one, for the kinds that are; booleans are a maximum's "or" and a minimum's "and".
Value reduceStep(OpBuilder &b, Location loc, Reduction kind, Value x, Value y, bool isUnsigned = false);
/// What combines with x to x.
mlir::TypedAttr neutral(OpBuilder &b, Reduction kind, Type type, bool isUnsigned = false);

/// Reduces the dims in `axes`; they stay with size 1. Unsigned integers are compared and divided as such.
Value reduce(Importer &importer, Value tensor, ArrayRef<int64_t> axes, Reduction kind, bool isUnsigned = false);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_REDUCE_H
