// Bytes of weights: from the model's constants, through views and concatenations, to the layout that a kernel wants.
#ifndef FOVEA_COMPILER_LOWERING_WEIGHTS_H
#define FOVEA_COMPILER_LOWERING_WEIGHTS_H

#include "dialects/exec/Exec.h"

#include <vector>

namespace fovea::lowering {

/// The size in bytes of a tensor of static shape, or of a weight, in its layout.
int64_t packedBytes(mlir::RankedTensorType type, mlir::Attribute layout);
int64_t packedBytes(exec::WeightDataOp weight);
/// Writes the weight in its layout to `target`, which has packedBytes(weight) bytes, all zero. Fails with an error on
/// the operation where the body is not made of constants, views and concatenations.
mlir::LogicalResult packWeight(exec::WeightDataOp weight, char *target);
/// For people: "panels of 48".
std::string describeLayout(mlir::Attribute layout);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_WEIGHTS_H
