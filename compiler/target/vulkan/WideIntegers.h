// Which 64-bit integers of a function have to stay 64 bits wide on a GPU.
#ifndef FOVEA_COMPILER_TARGET_VULKAN_WIDEINTEGERS_H
#define FOVEA_COMPILER_TARGET_VULKAN_WIDEINTEGERS_H

#include "mlir/IR/Operation.h"

namespace fovea::vulkan {

/// Values of a stage's function that are i64 and come from the model's data (loads, conversions of wide types,
/// constants out of the range of i32), or from one that does. All other i64 are counters, sizes and places in buffers,
/// which fit 32 bits: a window of a buffer has less than 2^32 bytes, and the runtime checks the sizes it is given.
class WideIntegers {
public:
  explicit WideIntegers(mlir::Operation *function);
  bool contains(mlir::Value value) const { return wide.contains(value); }

private:
  bool startsWide(mlir::Operation *op);
  bool mark(mlir::Value value);
  bool join(mlir::ArrayRef<mlir::Value> values);
  bool step(mlir::Operation *op);

  mlir::DenseSet<mlir::Value> wide;
};

/// True for i64, in one lane as well.
bool isI64(mlir::Type type);

/// The element of a vector of one lane; any other type as it is.
mlir::Type withoutLane(mlir::Type type);

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_WIDEINTEGERS_H
