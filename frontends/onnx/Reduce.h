// Reductions, as the normalisations need them too.
#ifndef FOVEA_FRONTENDS_ONNX_REDUCE_H
#define FOVEA_FRONTENDS_ONNX_REDUCE_H

#include "frontends/onnx/Importer.h"

namespace fovea::frontend {

enum class Reduction { sum, mean, max, min, product };

/// Reduces the dims in `axes`; they stay with size 1. Unsigned integers are compared and divided as such.
Value reduce(Importer &importer, Value tensor, ArrayRef<int64_t> axes, Reduction kind, bool isUnsigned = false);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_REDUCE_H
