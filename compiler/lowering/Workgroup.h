// The invocations that do a task of a stage for shaders together.
#ifndef FOVEA_COMPILER_LOWERING_WORKGROUP_H
#define FOVEA_COMPILER_LOWERING_WORKGROUP_H

#include "compiler/lowering/KernelCode.h"
#include "compiler/lowering/Lowering.h"

namespace fovea::lowering {

/// All of a task's code runs in every invocation, each with its own values. What depends on the lane differs between
/// them; everything else is the same. A barrier, and so a reduction, may stand only where all of them come by: in no
/// loop or branch that the lane decides on (the shader is refused otherwise). No size of subgroups is assumed.
class Workgroup {
public:
  using Values = KernelCode::Values;

  /// To be made once in a stage, within its loop over tasks. `valueWords`: of what is reduced, at most; 0: nothing is.
  Workgroup(StageFrame &frame, KernelCode &c, int64_t size, int64_t valueWords = 0);

  const int64_t size;
  /// The number of this invocation, from 0 to size - 1; i64.
  mlir::Value lane() const { return number; }
  mlir::Value isFirst() { return c.equal(number, c.constant(0)); }

  /// What all of them have read and written before is done for all of them behind it, in buffers as in shared memory.
  void barrier();

  /// for (i = from + lane; i < to; i += size)
  void each(mlir::Value from, mlir::Value to, const std::function<void(mlir::Value i)> &body);
  Values each(mlir::Value from, mlir::Value to, mlir::ValueRange state, const KernelCode::LoopBody &body);

  /// Joins the values (i32, f32 or f64) that the invocations have; all of them get the result. `combine` must not
  /// depend on the order, as far as results are to be exact; for sums the order is always the same.
  using Combine = llvm::function_ref<Values(mlir::ValueRange x, mlir::ValueRange y)>;
  Values reduce(mlir::ValueRange mine, Combine combine);
  /// Words of shared memory that this takes.
  static constexpr int64_t reduceWords(int64_t size, int64_t valueWords) { return (size + pieces(size)) * valueWords; }

private:
  /// Invocations that each join size / pieces values, before all join what these have: about the root of size.
  static constexpr int64_t pieces(int64_t size) {
    int64_t pieces = 1;
    while (pieces * pieces < size)
      pieces *= 2;
    return pieces;
  }
  mlir::Value slot(mlir::Value base, mlir::TypeRange types, unsigned i, int64_t count, mlir::Value at);
  void put(mlir::Value base, mlir::ValueRange values, int64_t count, mlir::Value at);
  Values take(mlir::Value base, mlir::TypeRange types, int64_t count, mlir::Value at);

  KernelCode &c;
  mlir::Value number;
  mlir::Value ofAll, ofPieces; ///< shared memory of reductions
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_WORKGROUP_H
