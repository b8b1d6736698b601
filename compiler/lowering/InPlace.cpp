#include "compiler/lowering/InPlace.h"

#include "compiler/transforms/View.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

DenseSet<Value> fovea::lowering::lookedUpInputs(const KernelView &kernel, data::DimAnalysis &dims) {
  DenseSet<Value> bases;
  kernel.body->walk([&](Operation *op) {
    if (isa<tensor::DimOp>(op) || (op->getBlock() == kernel.body && !isa<tensor::ExtractOp>(op)))
      return;
    for (Value operand : op->getOperands()) {
      if (!isa<RankedTensorType>(operand.getType()))
        continue;
      if (auto view = viewOfSource(operand, dims); succeeded(view))
        bases.insert(view->base);
      else
        bases.insert(kernel.inputs().begin(), kernel.inputs().end());
    }
  });
  return bases;
}

SmallVector<std::pair<unsigned, unsigned>>
fovea::lowering::aliasesOf(const KernelView &kernel,
                           llvm::function_ref<bool(BlockArgument init, BlockArgument input)> mayWriteOver) {
  data::DimAnalysis dims;
  DenseSet<Value> excluded = lookedUpInputs(kernel, dims);
  auto elements = [&](Value tensor) {
    DimExpr count(1);
    for (const DimExpr &size : dims.shape(tensor))
      count = count * size;
    return count;
  };
  SmallVector<std::pair<unsigned, unsigned>> aliases;
  for (auto [i, init] : llvm::enumerate(kernel.outputs()))
    for (auto [j, input] : llvm::enumerate(kernel.inputs()))
      if (!excluded.contains(input) && getElementTypeOrSelf(init) == getElementTypeOrSelf(input) &&
          elements(init) == elements(input) && mayWriteOver(init, input))
        aliases.emplace_back(i, j);
  return aliases;
}
