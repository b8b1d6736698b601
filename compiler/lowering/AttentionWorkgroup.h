// Attention's kernel for few queries and many keys on machines that run shaders while it is being written; see
// AttentionWorkgroupCode.cpp.
#ifndef FOVEA_COMPILER_LOWERING_ATTENTIONWORKGROUP_H
#define FOVEA_COMPILER_LOWERING_ATTENTIONWORKGROUP_H

#include "compiler/lowering/AttentionLane.h"
#include "compiler/lowering/Workgroup.h"

namespace fovea::lowering {

/// What the plan chooses.
struct WorkgroupTile {
  int64_t group;   ///< invocations of a workgroup, and keys of a step
  int64_t heads;   ///< of those that share a key, how many a workgroup does
  int64_t sharers; ///< invocations that have a key's columns together
  int64_t parts;   ///< workgroups that have a row's keys together

  /// Invocations that have the columns of a value together, four each; and keys that they go over at once.
  static constexpr int64_t kColumns = 4;
  int64_t columnLanes(const AttentionForm &form) const { return (form.e + kColumns - 1) / kColumns; }
  int64_t keyLanes(const AttentionForm &form) const { return group / columnLanes(form); }
  /// 32-bit words of shared memory.
  int64_t words(const AttentionForm &form) const;
};

class AttentionWorkgroup : AttentionLane {
public:
  AttentionWorkgroup(StageFrame &frame, KernelCode &c, AttentionForm &form, WorkgroupTile tile);
  /// Rows of some heads over all keys, or with `memory` over a part of them, which leaves there what is to be joined.
  void task(mlir::Value number, mlir::BlockArgument memory);

private:
  /// Of a head that the workgroup does: maximum, sum of an invocation's own keys, columns of an invocation's own.
  static constexpr int64_t kState = 2 + WorkgroupTile::kColumns;
  mlir::Value word(mlir::Value base, mlir::Value number) { return c.address(base, type, number); }
  void loadQueries();
  Values ownScores(mlir::Value first, mlir::Value end);
  Values step(mlir::Value first, mlir::Value end, mlir::ValueRange state);
  Values addValues(mlir::Value first, mlir::Value count, mlir::ValueRange state);
  /// Calls `body` with each column of head r that is this invocation's to store.
  void joinColumns(int64_t r, const std::function<void(mlir::Value e, mlir::Value column)> &body);

  const WorkgroupTile tile;
  Workgroup group;
  mlir::Value scores, weights; ///< shared: of what `sharers` have computed, later of columns; of a step's keys
  mlir::Value h, i, keyHead, valueHead;
  mlir::Value keyLane, sharer, valueLane, column; ///< what is this invocation's of keys and of values
  llvm::SmallVector<Values> queries;              ///< of each head, this invocation's columns
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ATTENTIONWORKGROUP_H
