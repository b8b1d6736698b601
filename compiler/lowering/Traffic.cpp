#include "compiler/lowering/Traffic.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

void TrafficCounter::add(BlockArgument tensor, const DimExpr &offset, ArrayRef<Extent> extents) {
  Seen seen{tensor, offset, {}};
  DimExpr elements(1);
  for (const Extent &extent : extents) {
    // Along a stride of 0 it is the same element; a dim of one index has no stride.
    if (extent.first.isConstant(0) || extent.second.isConstant(1))
      continue;
    seen.extents.push_back(extent);
    elements = elements * extent.second;
  }
  for (const Seen &other : stage)
    if (other.tensor == tensor && other.offset == offset && other.extents.size() == seen.extents.size() &&
        std::is_permutation(other.extents.begin(), other.extents.end(), seen.extents.begin()))
      return;
  stage.push_back(seen);
  traffic.push_back({tensor, elements});
}

void TrafficCounter::addWhole(BlockArgument tensor) {
  DimExpr stride(1);
  SmallVector<DimExpr> shape = dims.shape(tensor);
  SmallVector<Extent> extents;
  for (const DimExpr &size : llvm::reverse(shape)) {
    extents.emplace_back(stride, size);
    stride = stride * size;
  }
  add(tensor, DimExpr(0), extents);
}

SmallVector<Traffic> KernelLowering::traffic(const KernelView &kernel) const {
  data::DimAnalysis dims;
  TrafficCounter counter(dims);
  for (BlockArgument tensor : kernel.tensors())
    counter.addWhole(tensor);
  return counter.take();
}
