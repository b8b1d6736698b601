#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace fovea::data;

#include "dialects/data/Dialect.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/data/Ops.cpp.inc"

void DataDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/data/Ops.cpp.inc"
      >();
}

LogicalResult LookupOp::verify() {
  auto table = cast<RankedTensorType>(getTable().getType());
  if (table.getRank() != static_cast<int64_t>(getIndices().size()))
    return emitOpError("expected ") << table.getRank() << " indices for " << table << ", got " << getIndices().size()
                                    << " [lookup_c1]";
  return success();
}

LogicalResult ExpandOp::verify() {
  auto from = cast<RankedTensorType>(getSource().getType()), to = cast<RankedTensorType>(getResult().getType());
  if (from.getRank() != to.getRank() || from.getElementType() != to.getElementType())
    return emitOpError("expected one rank and element type, got ") << from << " and " << to << " [expand_c1]";
  if (static_cast<size_t>(to.getNumDynamicDims()) != getSizes().size())
    return emitOpError("expected ") << to.getNumDynamicDims() << " sizes for " << to << ", got " << getSizes().size()
                                    << " [expand_c2]";
  return success();
}

LogicalResult ExpandOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &dims) {
  auto type = cast<RankedTensorType>(getResult().getType());
  SmallVector<OpFoldResult> sizes;
  unsigned next = 0;
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size) ? OpFoldResult(getSizes()[next++]) : builder.getIndexAttr(size));
  dims.push_back(std::move(sizes));
  return success();
}

OpFoldResult ExpandOp::fold(FoldAdaptor) {
  auto type = cast<RankedTensorType>(getResult().getType());
  return getSource().getType() == type && type.hasStaticShape() ? getSource() : Value();
}

LogicalResult CumsumOp::verify() {
  auto type = cast<RankedTensorType>(getSource().getType());
  if (getInit().getType() != type || getResult().getType() != type)
    return emitOpError("expected source, init and result to have one type, got ")
           << type << ", " << getInit().getType() << " and " << getResult().getType() << " [cumsum_c1]";
  if (static_cast<int64_t>(getAxis()) < 0 || static_cast<int64_t>(getAxis()) >= type.getRank())
    return emitOpError("expected axis in [0, ") << type.getRank() << "), got " << getAxis() << " [cumsum_c2]";
  return success();
}
