// What the stages of a kernel read and write, from the places that their code computes.
#ifndef FOVEA_COMPILER_LOWERING_TRAFFIC_H
#define FOVEA_COMPILER_LOWERING_TRAFFIC_H

#include "compiler/lowering/Lowering.h"

namespace fovea::lowering {

/// Collects accesses, stage by stage. Within a stage an element counts once, however often the code comes back to it:
/// that is the work of caches. Accesses to the same elements are recognised by their offsets and strides.
class TrafficCounter {
public:
  explicit TrafficCounter(data::DimAnalysis &dims) : dims(dims) {}
  /// One dim of an access: elements from one index to the next, and how many indices.
  using Extent = std::pair<data::DimExpr, data::DimExpr>;
  void add(mlir::BlockArgument tensor, const data::DimExpr &offset, llvm::ArrayRef<Extent> extents);
  void addWhole(mlir::BlockArgument tensor);
  void nextStage() { stage.clear(); }
  llvm::SmallVector<Traffic> take() { return std::move(traffic); }

private:
  struct Seen {
    mlir::BlockArgument tensor;
    data::DimExpr offset;
    llvm::SmallVector<Extent> extents;
  };
  data::DimAnalysis &dims;
  std::vector<Seen> stage;
  llvm::SmallVector<Traffic> traffic;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_TRAFFIC_H
