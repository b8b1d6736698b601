// What queries, keys and values are read from: a product's operand followed back through scales, transposes, reshapes
// and repeated heads to the tensor that holds its elements, as an index map; and that tensor in the form of
// attn.attention.
#ifndef FOVEA_COMPILER_TRANSFORMS_ATTENTIONOPERANDS_H
#define FOVEA_COMPILER_TRANSFORMS_ATTENTIONOPERANDS_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

#include <optional>

namespace fovea::attention {

/// The loops of an attention: batch, head, query, key, element.
enum Loop { kB, kH, kI, kJ, kD };

/// A tensor read at `map` of some loops, times a constant.
struct Access {
  mlir::Value tensor;
  mlir::AffineMap map;
  double scale = 1;
};

/// b, h (or h / group), the row, d: each at most once, in any order; constants at dims of size 1.
bool isUsable(const Access &access, unsigned row);
/// The number of heads that an operand has: 1 if it is not indexed by them.
int64_t headsOf(const Access &access);
/// Follows scales and repeated heads back as far as the operand stays usable.
std::optional<Access> settle(Access access, unsigned row, bool scales);
/// The accessed tensor as batch x heads x rows x size; dims that it lacks have size 1.
mlir::Value formOperand(mlir::OpBuilder &b, mlir::Location loc, const Access &access, unsigned row);

} // namespace fovea::attention

#endif // FOVEA_COMPILER_TRANSFORMS_ATTENTIONOPERANDS_H
