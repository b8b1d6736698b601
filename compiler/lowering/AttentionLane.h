// What the kernels of softmax attention for shaders have in common: the code of one invocation, in single lanes.
#ifndef FOVEA_COMPILER_LOWERING_ATTENTIONLANE_H
#define FOVEA_COMPILER_LOWERING_ATTENTIONLANE_H

#include "compiler/lowering/Attention.h"

namespace fovea::lowering {

/// A clause on what keeps an attention from these kernels; empty if nothing does.
std::string refusalOfLanes(AttentionForm &form);

/// Into how many parts the keys of a row are best split where so many workgroups had all of them each, in one of the
/// batch.
int64_t suitableParts(AttentionForm &form, int64_t workgroups, const Machine &machine);
/// The most that a schedule may ask for: one where the number of queries is not known, since the parts' results take
/// memory for each.
int64_t mostParts(AttentionForm &form);
/// The memory that the parts of a kernel's stages share; null if keys are not split. Fails with a diagnostic if it is
/// none for so many.
mlir::FailureOr<mlir::BlockArgument> memoryOfParts(exec::KernelDefOp kernel, AttentionForm &form, int64_t parts);
/// The stage behind the one that has written parts: a workgroup a row.
Stage emitJoinOfParts(exec::KernelDefOp kernel, AttentionForm &form, int64_t parts, const Machine &machine,
                      mlir::ModuleOp code);

class AttentionLane {
protected:
  using Values = KernelCode::Values;
  AttentionLane(StageFrame &frame, KernelCode &c, AttentionForm &form)
      : frame(frame), c(c), form(form), op(form.op), type(op.getScoreType()) {}

  mlir::Value exponential(mlir::Value x);
  mlir::Value isLowest(mlir::Value x);
  /// What is subtracted from scores whose maximum this is: anything finite will do as long as all of them are -inf.
  mlir::Value reference(mlir::Value top) { return c.select(isLowest(top), c.number(type, 0), top); }
  /// The place of the first column of row `i`, and a column of it, scaled.
  mlir::Value queryColumn(mlir::Value row, mlir::Value d);
  /// Where rows `numbers` of a head's keys or values lie.
  Values rowsOf(mlir::Value head, const Access &access, const Values &numbers);
  /// `count` elements from column `from` on of a key or of a value, whose row is at `row`; `byFour`: `from` is a
  /// multiple of four.
  Values part(const Access &access, mlir::Value row, mlir::Value from, int64_t count, bool byFour);
  /// A score of query i and key j after the score region.
  mlir::Value region(mlir::Value h, mlir::Value i, mlir::Value score, mlir::Value j);

  /// What a row's columns become the result with, when all of its keys have been seen.
  struct Ending {
    mlir::Value top, reference, sum, none, factor;
  };
  Ending ending(mlir::Value h, mlir::Value top, mlir::Value sum);
  /// Stores the results besides the output.
  void storeExtras(mlir::Value h, mlir::Value i, const Ending &ending);

  /// Narrows a range of keys to one of `parts` parts of it, which are multiples of `step` but for the last one.
  void takePart(mlir::Value part, int64_t parts, int64_t step, mlir::Value &begin, mlir::Value &end);
  /// What a part of a row leaves.
  KeyParts::Places placesOfPart(mlir::BlockArgument memory, int64_t parts, mlir::Value h, mlir::Value i,
                                mlir::Value part);

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  attn::AttentionInterface op;
  mlir::Type type; ///< of scores
  mlir::Value b;   ///< of the batch
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ATTENTIONLANE_H
