// What passes do with operations that have data::StructuredOpInterface.
#ifndef FOVEA_COMPILER_TRANSFORMS_STRUCTURED_H
#define FOVEA_COMPILER_TRANSFORMS_STRUCTURED_H

#include "dialects/data/Structured.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace fovea {

/// Elementwise: isPointwise, or a structured operation that is the same without being linalg's.
bool isElementwise(mlir::Operation *op);
/// The map by which a linalg.generic or a structured operation reads an operand.
mlir::AffineMap accessOf(mlir::OpOperand &operand);
/// The same loops, accesses and body as a linalg.generic, in place of the operation.
mlir::linalg::GenericOp expandStructured(data::StructuredOpInterface op);

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_STRUCTURED_H
