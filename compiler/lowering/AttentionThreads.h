// Attention's kernel for shaders while it is being written; see AttentionThreadsCode.cpp.
#ifndef FOVEA_COMPILER_LOWERING_ATTENTIONTHREADS_H
#define FOVEA_COMPILER_LOWERING_ATTENTIONTHREADS_H

#include "compiler/lowering/Attention.h"

namespace fovea::lowering {

/// What the plan chooses.
struct ThreadTile {
  int64_t group; ///< invocations of a workgroup
  int64_t rows;  ///< queries of an invocation; they are `group` apart
  int64_t keys;  ///< keys of a step
  bool arrays;   ///< rows are in arrays, else in registers
  bool uniform;  ///< loads that are the same for a workgroup are said to be
  int64_t band() const { return group * rows; }
};

/// A query row of this invocation.
struct ThreadRow {
  mlir::Value own, i; ///< its number, and the one that is read: the last one if there are not so many
  KeyRange range;
  KernelCode::Values query; ///< scaled; or
  mlir::Value array;        ///< an array of it, of the columns of the result, and of a step's scores
};

class AttentionThreads {
public:
  AttentionThreads(StageFrame &frame, KernelCode &c, AttentionForm &form, ThreadTile tile)
      : frame(frame), c(c), form(form), op(form.op), type(op.getScoreType()), tile(tile) {}
  void task(mlir::Value number);

private:
  using Values = KernelCode::Values;
  mlir::Value exponential(mlir::Value x);
  mlir::Value isLowest(mlir::Value x);
  /// What loops carry of a row: maximum, sum, and the columns of the result unless they are in an array.
  int64_t stateSize() const { return 2 + (tile.arrays ? 0 : form.e); }
  mlir::Value sees(const ThreadRow &row, mlir::Value j);
  void loadQuery(ThreadRow &row);
  mlir::Value query(const ThreadRow &row, int64_t d) {
    return tile.arrays ? c.load(type, c.address(row.array, type, d)) : row.query[d];
  }
  /// The scores of these keys, row by row of each.
  llvm::SmallVector<Values> scores(const Values &numbers);
  /// Elements from ... to of a key or of a value, whose row is at `row`.
  Values part(const Access &access, mlir::Value row, int64_t from, int64_t to);
  Values rowsOf(mlir::Value head, const Access &access, const Values &numbers);
  mlir::Value region(const ThreadRow &row, mlir::Value score, mlir::Value j);
  /// Goes over `count` keys from j on, as far as they are before `end`. With `seen`, one a row, the state of the others
  /// stays.
  Values step(mlir::Value j, int64_t count, mlir::Value end, mlir::ValueRange state,
              llvm::ArrayRef<mlir::Value> seen = {});
  /// Goes over a key that some rows do not see.
  Values maskedStep(mlir::Value j, mlir::ValueRange state);
  void finish(const ThreadRow &row, mlir::ValueRange state);

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  attn::AttentionInterface op;
  mlir::Type type;
  const ThreadTile tile;
  mlir::Value b, h, g, keyHead, valueHead;
  llvm::SmallVector<ThreadRow> rows;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ATTENTIONTHREADS_H
