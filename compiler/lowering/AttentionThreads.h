// Attention's kernel for shaders while it is being written; see AttentionThreadsCode.cpp.
#ifndef FOVEA_COMPILER_LOWERING_ATTENTIONTHREADS_H
#define FOVEA_COMPILER_LOWERING_ATTENTIONTHREADS_H

#include "compiler/lowering/AttentionLane.h"

namespace fovea::lowering {

/// What the plan chooses.
struct ThreadTile {
  int64_t group;     ///< invocations of a workgroup
  int64_t rows;      ///< rows of an invocation; they are `group` apart
  int64_t keys;      ///< keys of a step
  bool arrays;       ///< rows are in arrays, else in registers
  bool uniform;      ///< loads that are the same for a workgroup are said to be
  int64_t heads = 1; ///< of those that share keys, how many have their rows in a workgroup, those of a query together
  int64_t parts = 1; ///< workgroups that have a row's keys together
  /// Keys that a workgroup copies to shared memory at a time, with their values, a multiple of `keys`; 0: none.
  int64_t shared = 0;
  int64_t band() const { return group * rows; }
};

/// A query row of this invocation.
struct ThreadRow {
  mlir::Value own;  ///< its number among those of its heads
  mlir::Value h, i; ///< those of the last row if there are not so many
  KeyRange range;
  KernelCode::Values query; ///< scaled; or
  mlir::Value array;        ///< an array of it, of the columns of the result, and of a step's scores
};

class AttentionThreads : AttentionLane {
public:
  AttentionThreads(StageFrame &frame, KernelCode &c, AttentionForm &form, ThreadTile tile)
      : AttentionLane(frame, c, form), tile(tile) {}
  /// With `memory` the rows go over a part of the keys and leave there what is to be joined.
  void task(mlir::Value number, mlir::BlockArgument memory);

private:
  /// What loops carry of a row: maximum, sum, and the columns of the result unless they are in an array.
  int64_t stateSize() const { return 2 + (tile.arrays ? 0 : form.e); }
  mlir::Value sees(const ThreadRow &row, mlir::Value j);
  void loadQuery(ThreadRow &row);
  mlir::Value query(const ThreadRow &row, int64_t d) {
    return tile.arrays ? c.load(type, c.address(row.array, type, d)) : row.query[d];
  }
  /// Rows of keys or of values, and elements of one.
  struct Source {
    const Access &access;
    mlir::Value head;
    int64_t columns;
    mlir::Value memory; ///< of the workgroup: rows from the one that a block begins with
  };
  Values rowsIn(const Source &source, const Values &numbers);
  Values elements(const Source &source, mlir::Value row, int64_t from, int64_t count);
  /// Whether it is read and written by vectors of four in shared memory.
  bool isByFour(const Source &source) const { return type.isF32() && source.columns % 4 == 0; }
  void copyRows(const Source &source, mlir::Value first);
  /// Goes over all keys from `begin` to `end`, whole blocks from shared memory first.
  Values allSeen(mlir::Value begin, mlir::Value end, Values state);
  /// The scores of these keys, row by row of each.
  llvm::SmallVector<Values> scores(const Values &numbers);
  /// Goes over `count` keys from j on. With `seen`, one a row, the state of the others stays.
  Values step(mlir::Value j, int64_t count, mlir::ValueRange state, llvm::ArrayRef<mlir::Value> seen = {});
  /// Goes over a key that some rows do not see.
  Values maskedStep(mlir::Value j, mlir::ValueRange state);
  void finish(const ThreadRow &row, mlir::ValueRange state);
  void finishPart(const ThreadRow &row, mlir::ValueRange state, const KeyParts::Places &places);
  /// Calls `body` with each column of the row.
  void eachColumn(const ThreadRow &row, mlir::ValueRange state,
                  const std::function<void(mlir::Value e, mlir::Value column)> &body);

  const ThreadTile tile;
  std::optional<Source> keys, values;
  mlir::Value block; ///< the first of the keys that are in shared memory; null: they are read where they lie
  llvm::SmallVector<ThreadRow> rows;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ATTENTIONTHREADS_H
