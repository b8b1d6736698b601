// Masks that say which keys a query may see by their distance alone, recognised in the elementwise part of a score.
#ifndef FOVEA_COMPILER_TRANSFORMS_ATTENTIONMASK_H
#define FOVEA_COMPILER_TRANSFORMS_ATTENTIONMASK_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace fovea {

/// Queries i may see the keys i - left <= j <= i + right; -1 is no bound.
struct Band {
  int64_t left = -1, right = -1;
};

/// What of an elementwise operation on scores is such a mask and can be left out for a structural one.
struct BandMask {
  mlir::Operation *term; ///< the operation that applies it: a sum or a selection
  mlir::Value rest;      ///< the score without it
  Band band;
  int64_t table = -1; ///< the operand that holds it and is read for nothing else; -1 if it is made from indices
};

/// The mask at the end of `op`, whose argument `score` is the product of queries and keys and whose last two loops are
/// those over queries and keys: `s' + (j <= i ? 0 : lowest)`, or `j <= i ? s' : lowest`, the condition written with
/// indices or as a constant table of numbers or bools.
///
/// Every query must have a live key; then a structural mask says the same. With -inf that holds whatever else is in s'.
/// With a finite lowest value (at most -3.4e38) s' must be free of other masks: a row whose live keys all got a lowest
/// value from one has scores that are alike, and the keys outside of the band take part in it.
std::optional<BandMask> bandMaskOf(mlir::linalg::GenericOp op, mlir::Value score);

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_ATTENTIONMASK_H
