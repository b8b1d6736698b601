#include "compiler/target/cpu/Body.h"

#include "compiler/conversion/ExpandMath.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::cpu;
using fovea::data::DimExpr;

//===-- Which bodies
//---------------------------------------------------------------------------------------------------------------===//

/// The table and the indices of an operation that reads one element of a tensor.
static std::pair<Value, ValueRange> tableOf(Operation *op) {
  if (auto lookup = dyn_cast<data::LookupOp>(op))
    return {lookup.getTable(), lookup.getIndices()};
  auto extract = cast<tensor::ExtractOp>(op);
  return {extract.getTensor(), extract.getIndices()};
}

static bool isScalarType(Type type) {
  return type.isIndex() || type.isInteger(1) || type.isInteger(8) || type.isInteger(16) || type.isInteger(32) ||
         type.isInteger(64) || isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type);
}

/// True for operations on scalars that become the same operation on vectors.
static bool isElementwise(Operation *op) {
  if (isa<attn::GeluOp, attn::SiluOp, attn::SigmoidOp, math::IPowIOp>(op))
    return true;
  if (isa<math::MathDialect>(op->getDialect()))
    return canExpandMath(op);
  return isa<arith::ArithDialect>(op->getDialect()) && op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1;
}

/// A clause on why `op` cannot be emitted; empty if it can.
static std::string refusal(Operation *op) {
  auto name = [&] { return ("'" + op->getName().getStringRef() + "'").str(); };
  if (isa<arith::ConstantOp, linalg::IndexOp, tensor::DimOp, arith::IndexCastOp, arith::IndexCastUIOp,
          affine::AffineApplyOp>(op))
    return {};
  if (isa<data::LookupOp, tensor::ExtractOp>(op)) {
    data::DimAnalysis dims;
    auto view = viewOfSource(tableOf(op).first, dims);
    return succeeded(view) && isa<BlockArgument>(view->base)
               ? ""
               : name() + " reads a table that is computed inside of the kernel";
  }
  if (!isElementwise(op))
    return name() + " has no scalar code";
  auto scalar = [](Value v) { return isScalarType(v.getType()); };
  return llvm::all_of(op->getOperands(), scalar) && llvm::all_of(op->getResults(), scalar)
             ? ""
             : name() + " has operands that are no scalars";
}

bool fovea::cpu::canEmitBody(Block &body, std::string &reason) {
  llvm::SmallPtrSet<Operation *, 8> seen;
  std::function<bool(Operation *)> visit = [&](Operation *op) {
    if (!seen.insert(op).second)
      return true;
    if (std::string why = refusal(op); !why.empty())
      return reason = why, false;
    if (isa<tensor::DimOp>(op))
      return true;
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp(); def && !isa<TensorType>(operand.getType()) && !visit(def))
        return false;
    return true;
  };
  for (Operation &op : body.without_terminator())
    if (!visit(&op))
      return false;
  for (Value yielded : body.getTerminator()->getOperands())
    if (Operation *def = yielded.getDefiningOp(); def && !visit(def))
      return false;
  return true;
}

//===-- Emission
//-------------------------------------------------------------------------------------------------------------------===//

Value fovea::cpu::broadcastLanes(StageFrame &frame, Value value, int64_t lanes) {
  if (!lanes || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(frame.builder(), frame.loc(), VectorType::get(lanes, value.getType()), value);
}

namespace {
/// One evaluation of a body.
class BodyEmitter {
public:
  BodyEmitter(StageFrame &frame, const BodyContext &context)
      : frame(frame), b(frame.builder()), loc(frame.loc()), context(context) {}
  void bind(Value from, Value to) { values[from] = to; }
  Value get(Value value);
  void emit(Operation *op);

private:
  Value emitElementwise(Operation *op);
  Value emitAffine(AffineExpr expr, ArrayRef<Value> dims, ArrayRef<Value> symbols);
  Value emitLookup(Operation *op);
  Value integer(int64_t value, Value like) { return broadcastLanes(frame, frame.constant(value), lanesOf(like)); }
  Value cast(Value value, Type element, bool isUnsigned);
  Value divisor(Value x, Value y, bool isSigned);
  Value integerPower(Value base, Value exponent);
  bool staysInside(Value index, const DimExpr &size);
  int64_t laneStep(Value index);
  static int64_t lanesOf(Value v) {
    return isa<VectorType>(v.getType()) ? mlir::cast<VectorType>(v.getType()).getNumElements() : 0;
  }
  void markFault(Value outside);

  StageFrame &frame;
  OpBuilder &b;
  Location loc;
  const BodyContext &context;
  llvm::DenseMap<Value, Value> values;
};
} // namespace

Value BodyEmitter::get(Value value) {
  if (Value known = values.lookup(value))
    return known;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    assert(value.getType().isIndex() && "a value from outside of the body is a symbol");
    return frame.symbol(argument.getArgNumber());
  }
  emit(value.getDefiningOp());
  return values.lookup(value);
}

void BodyEmitter::emit(Operation *op) {
  if (values.contains(op->getResult(0)))
    return;
  Value result;
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto value = dyn_cast<IntegerAttr>(constant.getValue());
    result = value && op->getResult(0).getType().isIndex()
                 ? frame.constant(value.getInt())
                 : arith::ConstantOp::create(b, loc, mlir::cast<TypedAttr>(constant.getValue()));
  } else if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    result = context.index(index.getDim());
  } else if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    result = frame.size(frame.dims().get(dim.getResult()));
  } else if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op)) {
    Type to = op->getResult(0).getType();
    result = cast(get(op->getOperand(0)), to.isIndex() ? b.getI64Type() : to, isa<arith::IndexCastUIOp>(op));
  } else if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<Value> operands;
    for (Value operand : apply.getMapOperands())
      operands.push_back(get(operand));
    AffineMap map = apply.getAffineMap();
    result = emitAffine(map.getResult(0), ArrayRef(operands).take_front(map.getNumDims()),
                        ArrayRef(operands).drop_front(map.getNumDims()));
  } else if (isa<data::LookupOp, tensor::ExtractOp>(op)) {
    result = emitLookup(op);
  } else {
    result = emitElementwise(op);
  }
  values[op->getResult(0)] = result;
}

/// The same operation on what its operands have become: index is i64, and all are vectors if one is.
Value BodyEmitter::emitElementwise(Operation *op) {
  SmallVector<Value> operands;
  int64_t lanes = 0;
  for (Value operand : op->getOperands()) {
    operands.push_back(get(operand));
    lanes = std::max(lanes, lanesOf(operands.back()));
  }
  if (isa<math::IPowIOp>(op))
    return integerPower(broadcastLanes(frame, operands[0], lanes), broadcastLanes(frame, operands[1], lanes));
  if (isa<arith::DivSIOp, arith::RemSIOp, arith::DivUIOp, arith::RemUIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>(op))
    operands[1] = divisor(broadcastLanes(frame, operands[0], lanes), broadcastLanes(frame, operands[1], lanes),
                          !isa<arith::DivUIOp, arith::RemUIOp>(op));
  IRMapping mapping;
  for (auto [from, to] : llvm::zip(op->getOperands(), operands))
    if (!mapping.contains(from))
      mapping.map(from, broadcastLanes(frame, to, lanes));
  Operation *copy = b.clone(*op, mapping);
  copy->setLoc(loc);
  Type type = op->getResult(0).getType();
  if (type.isIndex())
    type = b.getI64Type();
  copy->getResult(0).setType(lanes ? VectorType::get(lanes, type) : type);
  return copy->getResult(0);
}

/// A divisor that does not trap: 1 instead of 0, and instead of -1 where the quotient would not fit (there 1 gives what
/// wraps around). Lanes that are not in use divide too.
Value BodyEmitter::divisor(Value x, Value y, bool isSigned) {
  Type type = y.getType();
  unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  auto number = [&](const APInt &value) -> Value {
    TypedAttr attr = IntegerAttr::get(getElementTypeOrSelf(type), value);
    if (auto vector = dyn_cast<VectorType>(type))
      attr = DenseElementsAttr::get(vector, value);
    return arith::ConstantOp::create(b, loc, attr);
  };
  auto equals = [&](Value v, const APInt &value) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, v, number(value));
  };
  Value bad = equals(y, APInt::getZero(width));
  if (isSigned)
    bad = arith::OrIOp::create(
        b, loc, bad,
        arith::AndIOp::create(b, loc, equals(y, APInt::getAllOnes(width)), equals(x, APInt::getSignedMinValue(width))));
  return arith::SelectOp::create(b, loc, bad, number(APInt(width, 1)), y);
}

/// base to the exponent by squaring, wrapping around. Negative exponents: 1 and -1 have an integer result, all else
/// gives 0.
Value BodyEmitter::integerPower(Value base, Value exponent) {
  Type type = base.getType();
  unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  auto number = [&](int64_t value) -> Value {
    TypedAttr attr = IntegerAttr::get(getElementTypeOrSelf(type), value);
    if (auto vector = dyn_cast<VectorType>(type))
      attr = DenseElementsAttr::get(vector, mlir::cast<IntegerAttr>(attr).getValue());
    return arith::ConstantOp::create(b, loc, attr);
  };
  Value zero = number(0), one = number(1);
  auto is = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  };
  auto odd = [&](Value x) { return is(arith::CmpIPredicate::ne, arith::AndIOp::create(b, loc, x, one), zero); };
  SmallVector<Value> state =
      frame.loop(frame.constant(0), frame.constant(width), 1, {one, base, exponent}, [&](Value, ValueRange s) {
        Value times = arith::MulIOp::create(b, loc, s[0], s[1]);
        return SmallVector<Value>{arith::SelectOp::create(b, loc, odd(s[2]), times, s[0]),
                                  arith::MulIOp::create(b, loc, s[1], s[1]), arith::ShRUIOp::create(b, loc, s[2], one)};
      });
  Value unit = arith::OrIOp::create(b, loc, is(arith::CmpIPredicate::eq, base, one),
                                    is(arith::CmpIPredicate::eq, base, number(-1)));
  Value inverse =
      arith::SelectOp::create(b, loc, unit, arith::SelectOp::create(b, loc, odd(exponent), base, one), zero);
  return arith::SelectOp::create(b, loc, is(arith::CmpIPredicate::slt, exponent, zero), inverse, state[0]);
}

/// An integer to another width.
Value BodyEmitter::cast(Value value, Type element, bool isUnsigned) {
  unsigned from = getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth(), to = element.getIntOrFloatBitWidth();
  Type type = lanesOf(value) ? Type(VectorType::get(lanesOf(value), element)) : element;
  if (from == to)
    return value;
  if (from > to)
    return arith::TruncIOp::create(b, loc, type, value);
  if (isUnsigned)
    return arith::ExtUIOp::create(b, loc, type, value);
  return arith::ExtSIOp::create(b, loc, type, value);
}

Value BodyEmitter::emitAffine(AffineExpr expr, ArrayRef<Value> dims, ArrayRef<Value> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return frame.constant(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = mlir::cast<AffineBinaryOpExpr>(expr);
  Value x = emitAffine(binary.getLHS(), dims, symbols), y = emitAffine(binary.getRHS(), dims, symbols);
  int64_t lanes = std::max(lanesOf(x), lanesOf(y));
  x = broadcastLanes(frame, x, lanes), y = broadcastLanes(frame, y, lanes);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(b, loc, x, y);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(b, loc, x, y);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(b, loc, x, y);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(b, loc, x, y);
  default: { // mod, which is never negative
    Value quotient = arith::FloorDivSIOp::create(b, loc, x, y);
    return arith::SubIOp::create(b, loc, x, arith::MulIOp::create(b, loc, quotient, y));
  }
  }
}

//===-- Tables
//---------------------------------------------------------------------------------------------------------------------===//

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
  Type element = getElementTypeOrSelf(table.getType()), memory = element.isInteger(1) ? b.getI8Type() : element;

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
  if (!element.isInteger(1))
    return loaded;
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(loaded.getType()));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, loaded, zero);
}

SmallVector<Value> fovea::cpu::emitBody(StageFrame &frame, Block &body, ArrayRef<Value> arguments,
                                        const BodyContext &context) {
  BodyEmitter emitter(frame, context);
  for (auto [argument, value] : llvm::zip(body.getArguments(), arguments))
    emitter.bind(argument, value);
  for (Operation &op : body.without_terminator())
    emitter.emit(&op);
  SmallVector<Value> results;
  for (Value yielded : body.getTerminator()->getOperands())
    results.push_back(broadcastLanes(frame, emitter.get(yielded), context.lanes));
  return results;
}

Value fovea::cpu::emitScalar(StageFrame &frame, Value value) {
  BodyContext context;
  return BodyEmitter(frame, context).get(value);
}
