#include "dialects/data/Structured.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace fovea::data;

#include "dialects/data/Interfaces.cpp.inc"

LogicalResult fovea::data::verifyStructuredOp(Operation *operation) {
  auto op = cast<StructuredOpInterface>(operation);
  auto dps = dyn_cast<DestinationStyleOpInterface>(operation);
  if (!dps)
    return operation->emitOpError("expected an operation with inits (DestinationStyleOpInterface)");
  unsigned count = operation->getNumOperands(), loops = op.getLoops().size();
  SmallVector<AffineMap> maps = op.getAccesses();
  if (maps.size() != count)
    return operation->emitOpError("expected one access for each operand, got ") << maps.size() << " for " << count;
  if (dps.getNumDpsInits() != static_cast<int64_t>(operation->getNumResults()))
    return operation->emitOpError("expected one init for each result, got ")
           << dps.getNumDpsInits() << " for " << operation->getNumResults();
  llvm::SmallBitVector sized(loops);
  for (OpOperand &operand : operation->getOpOperands()) {
    unsigned number = operand.getOperandNumber();
    AffineMap map = maps[number];
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type || map.getNumDims() != loops || map.getNumSymbols() != 0 || map.getNumResults() != type.getRank())
      return operation->emitOpError("expected operand ")
             << number << " to be a tensor with a map of " << loops << " loops to its dims, got "
             << operand.get().getType() << " and " << AffineMapAttr::get(map);
    if (dps.isDpsInit(&operand) != (number + dps.getNumDpsInits() >= count))
      return operation->emitOpError("expected the inits behind the inputs");
    for (AffineExpr place : map.getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(place))
        sized.set(dim.getPosition());
  }
  for (auto [init, result] : llvm::zip(dps.getDpsInits(), operation->getResults()))
    if (init.getType() != result.getType())
      return operation->emitOpError("expected init and result to have one type, got ")
             << init.getType() << " and " << result.getType();
  if (!sized.all())
    return operation->emitOpError("expected each loop to be a dim of some operand");
  return success();
}
