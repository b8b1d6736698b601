// The keys of a row in parts, for kernels with few rows and many keys (Dao et al. 2023, "Flash-Decoding"): a first
// stage makes a maximum, a sum and an unnormalised result for each part, a second one merges them. The number of parts
// depends on the dims only, so results do not depend on the number of threads.
#ifndef FOVEA_COMPILER_LOWERING_KEYPARTS_H
#define FOVEA_COMPILER_LOWERING_KEYPARTS_H

#include "compiler/lowering/KernelCode.h"
#include "compiler/lowering/Lowering.h"

namespace fovea::lowering {

/// What the parts leave, in memory that the stages share: results, maxima, sums, each by row and part.
class KeyParts {
public:
  /// `columns` of a result, all of the type `type`.
  KeyParts(const data::DimExpr &rows, const data::DimExpr &columns, mlir::Type type, int64_t count);

  /// Into how many parts the keys of each of `rows` rows are best split; `keys` may be unknown.
  static int64_t suitable(int64_t rows, std::optional<int64_t> keys);
  /// The most that a schedule may ask for.
  static constexpr int64_t kMost = 64;

  /// For one part of one row, or with part 0 for all of a row's, which follow each other.
  struct Places {
    mlir::Value result, maximum, sum;
  };
  Places places(StageFrame &frame, KernelCode &c, mlir::BlockArgument memory, mlir::Value row, mlir::Value part) const;
  /// Fails with a diagnostic if `memory` is not made for these parts.
  mlir::LogicalResult verify(exec::KernelDefOp kernel, mlir::BlockArgument memory, data::DimAnalysis &dims) const;

  const int64_t count;
  const data::DimExpr bytes; ///< of the memory

private:
  data::DimExpr rows, columns;
  mlir::Type type;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_KEYPARTS_H
