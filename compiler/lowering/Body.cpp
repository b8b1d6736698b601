#include "compiler/lowering/BodyEmitter.h"

#include "compiler/conversion/ExpandMath.h"
#include "compiler/lowering/Elements.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

//===-- Which bodies ===//

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
  bool takesBits =
      isa<arith::BitcastOp>(op) && (isHalf(op->getOperand(0).getType()) || isHalf(op->getResult(0).getType()));
  if (!isElementwise(op) || takesBits)
    return name() + " has no scalar code";
  auto scalar = [](Value v) { return isScalarType(v.getType()); };
  return llvm::all_of(op->getOperands(), scalar) && llvm::all_of(op->getResults(), scalar)
             ? ""
             : name() + " has operands that are no scalars";
}

bool fovea::lowering::canEmitBody(Block &body, std::string &reason) {
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

//===-- Emission ===//

Value fovea::lowering::broadcastLanes(StageFrame &frame, Value value, int64_t lanes) {
  if (!lanes || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(frame.builder(), frame.loc(), VectorType::get(lanes, value.getType()), value);
}

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
                 : arith::ConstantOp::create(b, loc, computedConstant(mlir::cast<TypedAttr>(constant.getValue())));
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

/// The same operation on what its operands have become: index is i64, f16 and bf16 are f32, and all are vectors if one
/// is.
Value BodyEmitter::emitElementwise(Operation *op) {
  SmallVector<Value> operands;
  int64_t lanes = 0;
  for (Value operand : op->getOperands()) {
    operands.push_back(get(operand));
    lanes = std::max(lanes, lanesOf(operands.back()));
  }
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return conversion(operands[0], op->getResult(0).getType());
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
  type = computedType(type);
  copy->getResult(0).setType(lanes ? VectorType::get(lanes, type) : type);
  return copy->getResult(0);
}

/// A float to another type. f16 and bf16 are f32 here, rounded where the body says so and where they are stored.
Value BodyEmitter::conversion(Value value, Type to) {
  auto shaped = [&](Type element) { return lanesOf(value) ? Type(VectorType::get(lanesOf(value), element)) : element; };
  if (isHalf(to)) {
    Value half = arith::TruncFOp::create(b, loc, shaped(to), value);
    return arith::ExtFOp::create(b, loc, shaped(b.getF32Type()), half);
  }
  unsigned from = getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth(), width = to.getIntOrFloatBitWidth();
  if (from == width)
    return value;
  if (from < width)
    return arith::ExtFOp::create(b, loc, shaped(to), value);
  return arith::TruncFOp::create(b, loc, shaped(to), value);
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

SmallVector<Value> fovea::lowering::emitBody(StageFrame &frame, Block &body, ArrayRef<Value> arguments,
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

Value fovea::lowering::emitScalar(StageFrame &frame, Value value) {
  BodyContext context;
  return BodyEmitter(frame, context).get(value);
}
