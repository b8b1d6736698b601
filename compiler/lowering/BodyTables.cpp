// Elements of tables that a body reads: where they lie, and what happens to indices outside.
#include "compiler/lowering/BodyEmitter.h"
#include "compiler/lowering/Elements.h"
#include "compiler/transforms/View.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

std::pair<Value, ValueRange> fovea::lowering::tableOf(Operation *op) {
  if (auto lookup = dyn_cast<data::LookupOp>(op))
    return {lookup.getTable(), lookup.getIndices()};
  auto extract = cast<tensor::ExtractOp>(op);
  return {extract.getTensor(), extract.getIndices()};
}

/// True if an index cannot leave a dim of this size: it counts a dim of the iteration space that has the same size.
bool BodyEmitter::staysInside(Value index, const DimExpr &size) {
  APInt constant;
  if (auto known = size.getConstant(); known && matchPattern(index, m_ConstantInt(&constant)))
    return constant.getSExtValue() >= 0 && constant.getSExtValue() < *known;
  while (Operation *op = index.getDefiningOp()) {
    if (auto counter = dyn_cast<linalg::IndexOp>(op))
      return counter.getDim() < context.extents.size() && context.extents[counter.getDim()] == size;
    auto inner = dyn_cast<arith::IndexCastOp>(op);
    // A detour through a narrow integer could wrap around.
    if (!inner || (!inner.getType().isIndex() && inner.getType().getIntOrFloatBitWidth() < 64))
      return false;
    index = inner.getIn();
  }
  return false;
}

/// What an index grows by from lane to lane, or -1 if that is not known.
int64_t BodyEmitter::laneStep(Value index) {
  if (!lanesOf(get(index)))
    return 0;
  Operation *op = index.getDefiningOp();
  if (auto counter = dyn_cast_or_null<linalg::IndexOp>(op))
    return static_cast<int64_t>(counter.getDim()) == context.laneDim ? 1 : -1;
  return -1;
}

/// Stores the node to the fault word if `outside` is true (in some lane).
void BodyEmitter::markFault(Value outside) {
  if (lanesOf(outside))
    outside = vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, outside);
  Value fault = frame.fault();
  auto branch = scf::IfOp::create(b, loc, outside, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.thenBlock()->getTerminator());
  frame.store(frame.constant(frame.faultNumber()), fault);
}

Value BodyEmitter::emitLookup(Operation *op) {
  auto [table, indices] = tableOf(op);
  View view = *viewOfSource(table, frame.dims());
  SmallVector<DimExpr> shape = frame.dims().shape(table);
  Type element = getElementTypeOrSelf(table.getType()), memory = storedType(element);

  int64_t lanes = 0;
  for (Value index : indices)
    lanes = std::max(lanes, lanesOf(get(index)));
  // Contiguous: only indices of stride 0 and one of stride 1 vary, the latter by one.
  bool contiguous = lanes != 0;
  Value place = view.offset.isConstant(0) ? Value() : frame.size(view.offset), outside;
  for (auto [d, index] : llvm::enumerate(indices)) {
    Value i = get(index);
    if (!staysInside(index, shape[d])) {
      // Negative ones count from the end; what is then outside is clamped, and makes the run fail.
      Value size = broadcastLanes(frame, frame.size(shape[d]), lanesOf(i)), zero = integer(0, i);
      Value wrapped = arith::AddIOp::create(b, loc, i, size);
      i = arith::SelectOp::create(b, loc, arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, i, zero), wrapped,
                                  i);
      Value bad = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, i, size);
      i = arith::SelectOp::create(b, loc, bad, zero, i);
      if (outside) {
        int64_t both = std::max(lanesOf(outside), lanesOf(bad));
        bad = arith::OrIOp::create(b, loc, broadcastLanes(frame, outside, both), broadcastLanes(frame, bad, both));
      }
      outside = bad;
      contiguous &= !lanesOf(i);
    } else if (lanesOf(i)) {
      contiguous &= view.strides[d].isConstant(1) && laneStep(index) == 1;
    }
    if (shape[d].isConstant(1))
      continue;
    Value stride = frame.size(view.strides[d]);
    Value term = view.strides[d].isConstant(1)
                     ? i
                     : arith::MulIOp::create(b, loc, i, broadcastLanes(frame, stride, lanesOf(i))).getResult();
    if (place) {
      int64_t both = std::max(lanesOf(place), lanesOf(term));
      term = arith::AddIOp::create(b, loc, broadcastLanes(frame, place, both), broadcastLanes(frame, term, both));
    }
    place = term;
  }
  if (!place)
    place = frame.constant(0);

  Value mask;
  if (lanes) {
    mask = context.mask;
    if (outside) {
      outside = broadcastLanes(frame, outside, lanes);
      if (mask)
        outside = arith::AndIOp::create(b, loc, outside, mask);
    }
  } else if (outside && context.mask) {
    // The same index in all lanes: of no concern if no lane is in use.
    Value used = vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, context.mask);
    outside = arith::AndIOp::create(b, loc, outside, used);
  }
  if (outside)
    markFault(outside);

  Value base = context.table ? context.table(view.base) : frame.buffer(mlir::cast<BlockArgument>(view.base));
  DimExpr count(1);
  for (const DimExpr &size : shape)
    count = count * size;
  bool mayBeEmpty = !count.getConstant() || *count.getConstant() == 0;
  Value loaded;
  if (!lanesOf(place)) {
    Value address = frame.address(base, element, place);
    if (outside && mayBeEmpty && !lanes) // There may be no element at all to read; the fault word always exists.
      address = arith::SelectOp::create(b, loc, outside, frame.fault(), address);
    loaded = frame.load(memory, address);
  } else {
    auto type = VectorType::get(lanes, memory);
    unsigned bytes = memory.getIntOrFloatBitWidth() / 8;
    Value one = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
    Value all = mask ? mask : broadcastLanes(frame, one, lanes);
    if (outside)
      all =
          arith::AndIOp::create(b, loc, all, arith::XOrIOp::create(b, loc, outside, broadcastLanes(frame, one, lanes)));
    Value nothing = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    if (contiguous) {
      Value first = vector::ExtractOp::create(b, loc, place, ArrayRef<int64_t>{0});
      Value address = frame.address(base, element, first);
      loaded = all == mask || outside ? LLVM::MaskedLoadOp::create(b, loc, type, address, all, nothing,
                                                                   b.getI32IntegerAttr(bytes), UnitAttr())
                                            .getResult()
                                      : frame.load(type, address);
    } else {
      Type pointers = VectorType::get(lanes, base.getType());
      Value addresses = LLVM::GEPOp::create(b, loc, pointers, memory, base, ArrayRef<LLVM::GEPArg>{place});
      loaded =
          LLVM::masked_gather::create(b, loc, type, addresses, all, ValueRange{nothing}, b.getI32IntegerAttr(bytes));
    }
  }
  return fromStored(b, loc, loaded, element);
}
