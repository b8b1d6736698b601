// The score region of an attention as an operator describes it: steps on the score, in their order.
#ifndef FOVEA_FRONTENDS_ONNX_SCOREREGION_H
#define FOVEA_FRONTENDS_ONNX_SCOREREGION_H

#include "frontends/onnx/Importer.h"

#include "dialects/attn/Attn.h"

namespace fovea::frontend {

/// What a score region reads at (b, h, i, j).
struct Capture {
  Value tensor; ///< null if there is none
  AffineMap map;
};
/// A mask or bias that broadcasts to batch x heads x queries x keys.
Capture captureOf(Importer &importer, Value tensor, ArrayRef<DimExpr> space);

class ScoreRegion {
public:
  /// Opens the region of `op`. The score is its argument until a step replaces it.
  ScoreRegion(Importer &importer, attn::AttentionOp op);
  Value current() const { return score; }
  /// The score becomes most * tanh(score / most).
  void cap(double most);
  /// Capture n is a mask: a boolean one leaves -inf where it is false, a float one is added.
  void mask(unsigned n);
  /// Closes the region; `taps` are steps that are results of the attention.
  void finish(ValueRange taps = {});

private:
  OpBuilder::InsertionGuard guard;
  OpBuilder &b;
  Location loc;
  mlir::Block *block;
  Value score;
};

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_SCOREREGION_H
