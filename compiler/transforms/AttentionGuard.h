// What a model does with the weights of attention before they meet the values: other types, zeros for rows without a
// key.
#ifndef FOVEA_COMPILER_TRANSFORMS_ATTENTIONGUARD_H
#define FOVEA_COMPILER_TRANSFORMS_ATTENTIONGUARD_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace fovea {

struct WeightGuard {
  bool zeroRows = false; ///< rows without a key are 0; without it they are what softmax makes of them
  /// If set, those rows are the ones whose largest bias is -inf: `bias` read at `map` of the loops. Only if the bias is
  /// added to the scores are these the rows that softmax makes NaN.
  mlir::Value bias;
  mlir::AffineMap map;
};

/// Reads off what `op` does with `weights`, the result of a softmax over its last loop: a cast, `isnan(w) ? 0 : w`, or
/// `max_j bias == -inf ? 0 : w`. Nothing, if it does anything else.
std::optional<WeightGuard> weightGuardOf(mlir::linalg::GenericOp op, mlir::Value weights);

/// True if the last thing that `op` does with scores is to add the guard's bias. There a score of -inf, or one that is
/// NaN although all of its bias is -inf, counts as masked too.
bool addsBias(mlir::linalg::GenericOp op, const WeightGuard &guard);

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_ATTENTIONGUARD_H
