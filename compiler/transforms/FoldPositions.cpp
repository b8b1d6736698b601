// Integer tensors whose elements follow from where they lie: positions, their differences, and what is compared and
// counted from those.
//
// Exporters slice, join and subtract tables of positions (to find where packed sequences begin, say), also where sizes
// are symbolic and nothing can be evaluated. As long as each element is a linear function of its index, the result is
// too, or is one number everywhere; then it is made anew from indices, readers take it in, and masks built on it show
// what they are.
#include "compiler/transforms/LinearPositions.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;

namespace fovea {
#define GEN_PASS_DEF_FOLDPOSITIONS
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

/// constant + sum of steps[d] * indices(d), as a scalar.
static Value sumOf(OpBuilder &b, Location loc, Type element, const LinearPosition &value,
                   llvm::function_ref<Value(int64_t)> indices) {
  auto constant = [&](int64_t c) { return arith::ConstantOp::create(b, loc, b.getIntegerAttr(element, c)); };
  Value sum;
  for (auto [d, step] : llvm::enumerate(value.steps)) {
    if (step == 0)
      continue;
    Value index = indices(d);
    if (!element.isIndex())
      index = arith::IndexCastOp::create(b, loc, element, index);
    if (step != 1)
      index = arith::MulIOp::create(b, loc, index, constant(step));
    sum = sum ? arith::AddIOp::create(b, loc, sum, index).getResult() : index;
  }
  if (!sum)
    return constant(value.constant);
  return value.constant == 0 ? sum : arith::AddIOp::create(b, loc, sum, constant(value.constant)).getResult();
}

/// The tensor from indices.
static void rewrite(Operation *op, const LinearPosition &value) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  DimAnalysis dims;
  SmallVector<OpFoldResult> sizes;
  for (const data::DimExpr &size : dims.shape(op->getResult(0)))
    sizes.push_back(data::materializeOrConstant(b, loc, size));
  Value empty = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
  auto generic = linalg::GenericOp::create(
      b, loc, empty.getType(), ValueRange(), empty, {b.getMultiDimIdentityMap(type.getRank())},
      SmallVector<utils::IteratorType>(type.getRank(), utils::IteratorType::parallel),
      [&](OpBuilder &b, Location loc, ValueRange) {
        auto indices = [&](int64_t d) -> Value { return linalg::IndexOp::create(b, loc, d); };
        linalg::YieldOp::create(b, loc, sumOf(b, loc, type.getElementType(), value, indices));
      });
  Value result = generic.getResult(0);
  if (result.getType() != type)
    result = tensor::CastOp::create(b, loc, type, result);
  op->getResult(0).replaceAllUsesWith(result);
}

/// Lookups in linear tables become arithmetic.
static void rewriteLookups(linalg::GenericOp op, LinearPositions &positions) {
  SmallVector<std::pair<data::LookupOp, LinearPosition>> found;
  LinearPositions::Body body;
  for (auto lookup : op.getBlock()->getOps<data::LookupOp>()) {
    if (body.empty())
      body = positions.ofBody(op);
    if (positions.ofLookup(lookup, op, body))
      found.emplace_back(lookup, *positions.of(lookup.getTable()));
  }
  for (auto &[lookup, table] : found) {
    OpBuilder b(lookup);
    auto indices = [&, from = lookup](int64_t d) mutable { return from.getIndices()[d]; };
    lookup.getResult().replaceAllUsesWith(sumOf(b, lookup.getLoc(), lookup.getType(), table, indices));
    lookup.erase();
  }
}

namespace {
struct FoldPositionsPass : fovea::impl::FoldPositionsBase<FoldPositionsPass> {
  void runOnOperation() override {
    if (!getOperation().getBody().hasOneBlock())
      return;
    Block &block = getOperation().getBody().front();
    LinearPositions positions;
    SmallVector<std::pair<Operation *, LinearPosition>> found;
    for (Operation &op : block.without_terminator()) {
      auto generic = dyn_cast<linalg::GenericOp>(op);
      if (generic && isPointwise(generic))
        rewriteLookups(generic, positions);
      // What joins or counts, and what reads such tensors; the rest is as good as it is.
      if (!isa<tensor::ConcatOp, data::CumsumOp>(op) && !(generic && generic.getNumDpsInputs() > 0))
        continue;
      if (std::optional<LinearPosition> value = positions.of(op.getResult(0)))
        found.emplace_back(&op, *value);
    }
    for (auto &[op, value] : found)
      rewrite(op, value);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }
};
} // namespace
