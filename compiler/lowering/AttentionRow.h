// One query row of attention at a time, for the lowerings of all forms of attention.
#ifndef FOVEA_COMPILER_LOWERING_ATTENTIONROW_H
#define FOVEA_COMPILER_LOWERING_ATTENTIONROW_H

#include "compiler/lowering/Attention.h"

namespace fovea::lowering {

/// Writes code for rows; scores of a row lie in the workspace. What runs along keys, or along the columns of keys and
/// values where these lie one after the other, is done a vector at a time.
class RowWriter {
public:
  using Values = KernelCode::Values;

  RowWriter(StageFrame &frame, KernelCode &c, AttentionForm &form)
      : frame(frame), c(c), form(form), op(form.op), type(op.getScoreType()),
        lanes(c.machine.lanes(type.getIntOrFloatBitWidth())), wide(c.vector(type, lanes)) {}

  /// A row of attn.attention.
  void row(mlir::Value b, mlir::Value h, mlir::Value i);
  /// A row of attn.online_attention.
  void onlineRow(mlir::Value b, mlir::Value h, mlir::Value i);
  /// Softmax over part `part` of `parts` of the keys of a row: maximum, sum, and the unnormalised result at `out`, e
  /// values of the score type. `part` is a number from 0 on; a part may be without keys.
  struct Partial {
    mlir::Value max, sum;
  };
  Partial partialRow(mlir::Value b, mlir::Value h, mlir::Value i, mlir::Value part, int64_t parts, mlir::Value out);
  /// The result of a row from its parts: their maxima, sums and unnormalised results, each part behind the one before.
  void mergeRow(mlir::Value b, mlir::Value h, mlir::Value i, int64_t parts, mlir::Value maxima, mlir::Value sums,
                mlir::Value results);

private:
  struct Place {
    mlir::Value b, h, g, i;
  };
  /// What softmax leaves of the scores besides the weights, not divided by the sum yet. Null with other normalisers.
  struct Softmax {
    mlir::Value max, sum;
    mlir::Value reference; ///< what was subtracted: the maximum, 0 if that is -inf
    mlir::Value factor;    ///< what is left to be multiplied: 1 / sum; NaN or 0 for a row without keys
  };
  using Runs = llvm::function_ref<Values(mlir::Value from, mlir::Value to, mlir::ValueRange state)>;
  Place placeFor(mlir::Value b, mlir::Value h, mlir::Value i);
  void scores(const Place &at, mlir::Value from, mlir::Value to);
  mlir::Value product(const Place &at, mlir::Value j);
  mlir::Value products(const Place &at, mlir::Value j);
  mlir::Value addTerms(mlir::Value sum, mlir::Value x, mlir::Value y, mlir::Value d, mlir::Value mask);
  mlir::Value sumOf(mlir::Value vector);
  mlir::Value wholeVectors(mlir::Value size) { return c.sub(size, c.rem(size, c.constant(lanes))); }
  /// The runs of keys between `from` and `to` that no mask of blocks hides.
  Values overRuns(mlir::Value from, mlir::Value to, Values state, Runs body);
  mlir::Value noKeys(mlir::Value from, mlir::Value to);
  Values overKeys(mlir::Value from, mlir::Value to, Values state,
                  llvm::function_ref<Values(mlir::Value j, mlir::Value mask, mlir::ValueRange state)> body);
  void apply(mlir::Region &region, const Place &at, mlir::Value from, mlir::Value to);
  /// Stores elements of an extra with one for each key.
  void storeExtra(const AttentionForm::Extra &extra, const Place &at, mlir::Value value, mlir::Value j,
                  mlir::Value mask);
  /// The workspace as an extra; `dead` for keys that are not live.
  void storeRow(attn::Extra kind, const Place &at, const KeyRange &range, double dead);
  void storeSoftmax(const Place &at, const Softmax &softmax);
  /// Lets the sink of the head take part.
  mlir::Value sinkMaximum(const Place &at);
  mlir::Value addSink(const Place &at, mlir::Value sum, mlir::Value reference);
  mlir::Value maximum(mlir::Value from, mlir::Value to);
  Softmax exponentiate(mlir::Value from, mlir::Value to, mlir::Value before);
  Softmax normalize(const Place &at, mlir::Value from, mlir::Value to);
  /// Sums of weighted values, a column or a vector of columns from e on, each handed to `store`.
  using Store = llvm::function_ref<void(mlir::Value sum, mlir::Value e, mlir::Value mask)>;
  void combineValues(const Place &at, mlir::Value from, mlir::Value to, bool vectors, Store store);
  void overColumns(bool vectors, llvm::function_ref<void(mlir::Type type, mlir::Value e, mlir::Value mask)> body);
  /// Writes to the row of the result, rounded to its type.
  void storeResult(const Place &at, mlir::Value value, mlir::Value e, mlir::Value mask);
  bool resultInVectors() const { return form.out.strides[3].isConstant(1); }
  mlir::Value stateAt(const AttentionForm::State &state, llvm::ArrayRef<mlir::Value> indices, mlir::Type type,
                      mlir::Value mask = {});
  mlir::Value score(mlir::Value j) { return c.address(frame.workspace(), type, c.sub(j, held)); }
  mlir::Value spread(mlir::Value x, mlir::Type like) {
    return mlir::isa<mlir::VectorType>(like) ? c.splat(wide, x) : x;
  }
  mlir::Value exponential(mlir::Value x);
  mlir::Value equals(mlir::Value x, double y);

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  attn::AttentionInterface op;
  mlir::Type type;
  int64_t lanes;
  mlir::VectorType wide;
  Place current;           ///< the row that is written
  bool everywhere = false; ///< keys that the mask of blocks hides are visited too
  mlir::Value held;        ///< the key whose score lies first in the workspace
  mlir::Value first;       ///< the key that lies first in memory
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_ATTENTIONROW_H
