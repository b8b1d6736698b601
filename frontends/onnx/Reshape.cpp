// Reshapes as collapse_shape and expand_shape, with the finest grouping of dims that the sizes prove.
#include "frontends/onnx/Importer.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea::frontend;

namespace {
/// Dims [from0, from1) of the source and [to0, to1) of the target that have one product.
struct Group {
  size_t from0, from1, to0, to1;
};
} // namespace

static DimExpr product(ArrayRef<DimExpr> shape, size_t begin, size_t end) {
  DimExpr p(1);
  for (size_t d = begin; d < end; ++d)
    p = p * shape[d];
  return p;
}

/// The finest groups with equal products, both sides in order. The last group takes what is left, so that it may be
/// unequal in form only.
static SmallVector<Group> groupDims(ArrayRef<DimExpr> from, ArrayRef<DimExpr> to) {
  SmallVector<Group> groups;
  size_t f = 0, t = 0;
  while (f < from.size() && t < to.size()) {
    // The shortest pair of prefixes with one product.
    std::optional<Group> best;
    for (size_t total = 2; !best && total <= from.size() - f + to.size() - t; ++total)
      for (size_t n = 1; n < total && !best; ++n)
        if (f + n <= from.size() && t + total - n <= to.size() &&
            product(from, f, f + n) == product(to, t, t + total - n))
          best = Group{f, f + n, t, t + total - n};
    if (!best)
      best = Group{f, from.size(), t, to.size()};
    groups.push_back(*best);
    f = best->from1, t = best->to1;
  }
  // What remains is ones.
  if (!groups.empty()) {
    groups.back().from1 = from.size();
    groups.back().to1 = to.size();
  }
  return groups;
}

static ReassociationIndices range(size_t begin, size_t end) {
  ReassociationIndices indices;
  for (size_t d = begin; d < end; ++d)
    indices.push_back(d);
  return indices;
}

Value Importer::reshape(Value tensor, ArrayRef<DimExpr> to) {
  Shape from = shape(tensor);
  if (from.size() == to.size() && llvm::equal(from, to))
    return tensor;
  Type element = elementType(tensor);
  if (auto have = product(from, 0, from.size()).getConstant(), want = product(to, 0, to.size()).getConstant();
      have && want && *have != *want)
    failInput("a tensor with " + Twine(*have) + " elements cannot have the shape of one with " + Twine(*want));
  if (from.empty() && to.empty())
    return tensor;
  SmallVector<Group> groups = groupDims(from, to);
  // Middle: one dim for each group, of the source's product.
  SmallVector<ReassociationIndices> collapse, expand;
  Shape middle;
  for (const Group &g : groups) {
    collapse.push_back(range(g.from0, g.from1));
    expand.push_back(range(g.to0, g.to1));
    DimExpr p = product(from, g.from0, g.from1), q = product(to, g.to0, g.to1);
    middle.push_back(q.getConstant() ? q : p);
  }
  if (middle.size() != from.size())
    tensor = tensor::CollapseShapeOp::create(b, loc, tensor, collapse);
  if (auto settled = type(middle, element); settled != tensor.getType())
    tensor = tensor::CastOp::create(b, loc, settled, tensor);
  if (middle.size() == to.size())
    return tensor;
  // A static dim expands to static ones only, and a dynamic one to at least one dynamic one.
  RankedTensorType result = type(to, element);
  SmallVector<int64_t> sizes(cast<RankedTensorType>(tensor.getType()).getShape());
  for (auto [i, g] : llvm::enumerate(groups))
    if (llvm::any_of(result.getShape().slice(g.to0, g.to1 - g.to0), ShapedType::isDynamic))
      sizes[i] = ShapedType::kDynamic;
  if (auto loose = RankedTensorType::get(sizes, element); loose != tensor.getType())
    tensor = tensor::CastOp::create(b, loc, loose, tensor);
  return tensor::ExpandShapeOp::create(b, loc, result, tensor, expand, this->sizes(to));
}
