// A kernel around one bipartite matching, as the matching lowerings see it.
#ifndef FOVEA_COMPILER_LOWERING_MATCHING_H
#define FOVEA_COMPILER_LOWERING_MATCHING_H

#include "compiler/lowering/SingleOp.h"

namespace fovea::lowering {

struct MatchingForm {
  SingleOp single;
  attn::BipartiteMatchOp op;
  data::DimExpr batch, rows, columns;
  Access cost, assigned, status; ///< in (b, row, column), (b, row), (b)
  std::optional<Access> counts;  ///< in (b)
  MatchingForm(const KernelView &kernel, std::string &reason)
      : single(kernel, attn::BipartiteMatchOp::getOperationName(), reason) {}
  static mlir::FailureOr<std::unique_ptr<MatchingForm>> of(const KernelView &kernel, std::string &reason);
};

/// For machines that run shaders: a workgroup a matrix.
std::unique_ptr<KernelLowering> createMatchingThreadsLowering();

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_MATCHING_H
