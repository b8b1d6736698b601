#include "compiler/transforms/Structured.h"
#include "compiler/transforms/Ops.h"

using namespace mlir;
using namespace fovea;
using data::StructuredOpInterface;

bool fovea::isElementwise(Operation *op) {
  if (isPointwise(op))
    return true;
  auto structured = dyn_cast_or_null<StructuredOpInterface>(op);
  return structured && op->getNumResults() == 1 && structured.getAccesses().back().isIdentity() &&
         llvm::all_of(structured.getLoops(),
                      [](utils::IteratorType loop) { return loop == utils::IteratorType::parallel; });
}

AffineMap fovea::accessOf(OpOperand &operand) {
  if (auto structured = dyn_cast<StructuredOpInterface>(operand.getOwner()))
    return structured.getAccesses()[operand.getOperandNumber()];
  return cast<linalg::LinalgOp>(operand.getOwner()).getMatchingIndexingMap(&operand);
}

linalg::GenericOp fovea::expandStructured(StructuredOpInterface op) {
  OpBuilder b(op);
  auto dps = cast<DestinationStyleOpInterface>(op.getOperation());
  auto generic = linalg::GenericOp::create(b, op.getLoc(), op->getResultTypes(), dps.getDpsInputs(), dps.getDpsInits(),
                                           op.getAccesses(), op.getLoops(),
                                           [&](OpBuilder &body, Location loc, ValueRange elements) {
                                             linalg::YieldOp::create(body, loc, op.buildBody(body, loc, elements));
                                           });
  op->replaceAllUsesWith(generic);
  op->erase();
  return generic;
}
