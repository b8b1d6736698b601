// Which values of a stage's function, or of a shader, are not the same for all invocations of a workgroup.
#ifndef FOVEA_COMPILER_TARGET_VULKAN_DIVERGENCE_H
#define FOVEA_COMPILER_TARGET_VULKAN_DIVERGENCE_H

#include "mlir/IR/Operation.h"

namespace fovea::vulkan {

/// Values that depend on gpu.thread_id, by what they are computed from or by the branch they come from. What is read at
/// an address that is the same for all is taken to be the same: that no invocation writes there meanwhile is what
/// barriers are for.
class Divergence {
public:
  explicit Divergence(mlir::Operation *function);
  bool contains(mlir::Value value) const { return divergent.contains(value); }
  bool any() const { return !divergent.empty(); }
  /// The innermost loop or branch around the operation that not all invocations enter, or not equally often; null if
  /// there is none.
  mlir::Operation *around(mlir::Operation *op) const;

private:
  bool mark(mlir::Value value, bool is) { return is && divergent.insert(value).second; }
  bool step(mlir::Operation *op);
  bool decides(mlir::Operation *op) const;

  mlir::DenseSet<mlir::Value> divergent;
};

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_DIVERGENCE_H
