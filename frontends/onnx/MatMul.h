// Matrix products with the broadcasting of NumPy.
#ifndef FOVEA_FRONTENDS_ONNX_MATMUL_H
#define FOVEA_FRONTENDS_ONNX_MATMUL_H

#include "frontends/onnx/Importer.h"

namespace fovea::frontend {

/// The product of the last two dims, either of them transposed if wanted; the leading dims broadcast. An operand with
/// one dim is a row on the left and a column on the right, whose dim the result does not have; it is not transposed.
Value multiply(Importer &importer, Value a, Value b, bool transposeA = false, bool transposeB = false);

/// alpha * A * B + beta * C, as the node's attributes and inputs 0 to 2 say.
Value gemm(Importer &importer, const Node &node);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_MATMUL_H
