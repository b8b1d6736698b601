#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace fovea::data;

#include "dialects/data/Dialect.cpp.inc"
#include "dialects/data/Enums.cpp.inc"
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

template <typename OpT> static LogicalResult verifyScan(OpT op, StringRef types, StringRef axis) {
  auto type = cast<RankedTensorType>(op.getSource().getType());
  if (op.getInit().getType() != type || op.getResult().getType() != type)
    return op.emitOpError("expected source, init and result to have one type, got ")
           << type << ", " << op.getInit().getType() << " and " << op.getResult().getType() << " [" << types << "]";
  if (static_cast<int64_t>(op.getAxis()) < 0 || static_cast<int64_t>(op.getAxis()) >= type.getRank())
    return op.emitOpError("expected axis in [0, ")
           << type.getRank() << "), got " << op.getAxis() << " [" << axis << "]";
  return success();
}

LogicalResult CumsumOp::verify() { return verifyScan(*this, "cumsum_c1", "cumsum_c2"); }
LogicalResult CumprodOp::verify() { return verifyScan(*this, "cumprod_c1", "cumprod_c2"); }

/// Static sizes that differ.
static bool differ(int64_t a, int64_t b) { return a != b && !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b); }
/// A static size above another one.
static bool exceeds(int64_t a, int64_t b) { return differ(a, b) && a > b; }

LogicalResult TopKOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType()), values = cast<RankedTensorType>(getValues().getType());
  int64_t rank = source.getRank(), axis = getAxis();
  bool fits = values == getValuesInit().getType() && values.getRank() == rank &&
              values.getElementType() == source.getElementType();
  for (int64_t d = 0; fits && d < rank; ++d)
    fits &= d == axis || !differ(source.getDimSize(d), values.getDimSize(d));
  if (!fits)
    return emitOpError("expected source, values and their init to differ in dim ")
           << axis << " alone, got " << source << ", " << values << " and " << getValuesInit().getType()
           << " [top_k_c1]";
  auto indices = RankedTensorType::get(values.getShape(), IntegerType::get(getContext(), 64));
  if (getIndices().getType() != indices || getIndicesInit().getType() != indices)
    return emitOpError("expected indices and their init to be ")
           << indices << ", got " << getIndices().getType() << " and " << getIndicesInit().getType() << " [top_k_c2]";
  if (axis < 0 || axis >= rank || exceeds(values.getDimSize(axis), source.getDimSize(axis)))
    return emitOpError("expected dim ") << axis << " of " << source << " with as many elements as that of " << values
                                        << " or more [top_k_c3]";
  return success();
}

LogicalResult ScatterOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType()), indices = cast<RankedTensorType>(getIndices().getType()),
       updates = cast<RankedTensorType>(getUpdates().getType());
  if (getInit().getType() != source || getResult().getType() != source || source.getRank() == 0 ||
      updates.getElementType() != source.getElementType())
    return emitOpError("expected source, init and result to have one type of at least one dim, and updates its "
                       "elements, got ")
           << source << ", " << getInit().getType() << ", " << getResult().getType() << " and " << updates
           << " [scatter_c1]";
  AffineMap map = getPlaces();
  int64_t leading = indices.getRank() - 1, components = map.getNumSymbols();
  bool fits = isa<IntegerType>(indices.getElementType()) && leading >= 0 && leading <= updates.getRank() &&
              indices.getShape().back() == components;
  for (int64_t d = 0; fits && d < leading; ++d)
    fits &= !differ(indices.getDimSize(d), updates.getDimSize(d));
  if (!fits)
    return emitOpError("expected indices of ")
           << components << " components for the first dims of " << updates << ", got " << indices << " [scatter_c2]";
  llvm::SmallDenseSet<AffineExpr> seen;
  fits = map.getNumDims() == updates.getRank() && map.getNumResults() == source.getRank();
  for (AffineExpr place : map.getResults())
    fits &= isa<AffineDimExpr, AffineSymbolExpr>(place) && seen.insert(place).second;
  if (!fits)
    return emitOpError("expected places of ")
           << updates.getRank() << " dims in " << source.getRank() << ", different dims and symbols, got "
           << AffineMapAttr::get(map) << " [scatter_c3]";
  for (auto [d, place] : llvm::enumerate(map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(place);
        dim && exceeds(updates.getDimSize(dim.getPosition()), source.getDimSize(d)))
      return emitOpError("expected dim ") << dim.getPosition() << " of the updates to be no longer than dim " << d
                                          << " of the source, got " << updates << " and " << source << " [scatter_c4]";
  return success();
}
