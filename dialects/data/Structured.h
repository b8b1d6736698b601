// Operations of any dialect that are one loop nest with a scalar body; see Interfaces.td.
#ifndef FOVEA_DIALECTS_DATA_STRUCTURED_H
#define FOVEA_DIALECTS_DATA_STRUCTURED_H

#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace fovea::data {
/// Loops, accesses and operands fit each other.
mlir::LogicalResult verifyStructuredOp(mlir::Operation *op);
} // namespace fovea::data

#include "dialects/data/Interfaces.h.inc"

#endif // FOVEA_DIALECTS_DATA_STRUCTURED_H
