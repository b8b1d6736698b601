#include "compiler/lowering/KernelCode.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <numeric>

using namespace mlir;
using namespace fovea::lowering;

int64_t fovea::lowering::bytesOf(Type element) {
  return element.isIndex() ? 8 : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

Value KernelCode::number(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr = b.getFloatAttr(element, value);
  if (auto vectorType = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vectorType, cast<FloatAttr>(attr).getValue());
  return arith::ConstantOp::create(b, loc, attr);
}

std::optional<int64_t> KernelCode::known(Value v) {
  APInt constant;
  if (v && matchPattern(v, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  return std::nullopt;
}

Value KernelCode::fma(Value x, Value y, Value z) {
  if (machine.has("fma"))
    return math::FmaOp::create(b, loc, x, y, z);
  return addf(mulf(x, y), z);
}

Value KernelCode::maxf(Value x, Value y) {
  return arith::SelectOp::create(b, loc, arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y), x, y);
}

Value KernelCode::iota(int64_t lanes, Value from) {
  SmallVector<int64_t> steps(lanes);
  std::iota(steps.begin(), steps.end(), 0);
  VectorType type = vector(b.getI64Type(), lanes);
  Value v = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(steps)));
  return arith::AddIOp::create(b, loc, splat(type, from), v);
}

Value KernelCode::lanesBelow(int64_t lanes, Value from, Value to) {
  // 32-bit lanes: the comparison then takes one vector. What lies far outside of the range is cut off first.
  SmallVector<int32_t> steps(lanes);
  std::iota(steps.begin(), steps.end(), 0);
  VectorType type = vector(b.getI32Type(), lanes);
  Value v = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(steps)));
  Value count = max(constant(0), min(sub(to, from), constant(lanes)));
  Value limit = splat(type, arith::TruncIOp::create(b, loc, b.getI32Type(), count));
  return compare(arith::CmpIPredicate::slt, v, limit);
}

Value KernelCode::address(Value pointer, Type element, Value elements) {
  if (known(elements) == 0)
    return pointer;
  return LLVM::GEPOp::create(b, loc, pointer.getType(), storedType(element), pointer, ArrayRef<LLVM::GEPArg>{elements});
}

Value KernelCode::load(Type type, Value pointer) {
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::LoadOp::create(b, loc, type, pointer, 8);
  Value stored = LLVM::LoadOp::create(b, loc, storedType(type), pointer, bytesOf(getElementTypeOrSelf(type)));
  return fromStored(b, loc, stored, type);
}

void KernelCode::store(Value value, Value pointer, Value mask, Type element) {
  if (isa<LLVM::LLVMPointerType>(value.getType())) {
    LLVM::StoreOp::create(b, loc, value, pointer, 8);
    return;
  }
  value = toStored(b, loc, value, element ? element : value.getType());
  int64_t alignment = bytesOf(getElementTypeOrSelf(value.getType()));
  if (mask)
    LLVM::MaskedStoreOp::create(b, loc, value, pointer, mask, alignment);
  else
    LLVM::StoreOp::create(b, loc, value, pointer, alignment);
}

Value KernelCode::load(VectorType type, Value pointer, Value mask) {
  if (!mask)
    return load(type, pointer);
  Type memory = storedType(type);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(memory));
  Value v = LLVM::MaskedLoadOp::create(b, loc, memory, pointer, mask, zero,
                                       b.getI32IntegerAttr(bytesOf(type.getElementType())), UnitAttr());
  return fromStored(b, loc, v, type);
}

Value KernelCode::pointers(VectorType type, Value pointer, Value stride) {
  VectorType indices = vector(b.getI64Type(), type.getDimSize(0));
  Value offsets = arith::MulIOp::create(b, loc, iota(type.getDimSize(0), constant(0)), splat(indices, stride));
  Type addresses = VectorType::get(type.getShape(), LLVM::LLVMPointerType::get(b.getContext()));
  return LLVM::GEPOp::create(b, loc, addresses, type.getElementType(), pointer, ArrayRef<LLVM::GEPArg>{offsets});
}

Value KernelCode::gather(VectorType type, Value pointer, Value stride, Value mask) {
  auto memory = cast<VectorType>(storedType(type));
  if (!mask)
    mask = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vector(b.getI1Type(), type.getDimSize(0)), true));
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(memory));
  Value v = LLVM::masked_gather::create(b, loc, memory, pointers(memory, pointer, stride), mask, ValueRange{zero},
                                        b.getI32IntegerAttr(bytesOf(memory.getElementType())));
  return fromStored(b, loc, v, type);
}

void KernelCode::scatter(Value value, Value pointer, Value stride, Value mask, Type element) {
  value = toStored(b, loc, value, element ? element : value.getType());
  auto type = cast<VectorType>(value.getType());
  if (!mask)
    mask = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vector(b.getI1Type(), type.getDimSize(0)), true));
  LLVM::masked_scatter::create(b, loc, value, pointers(type, pointer, stride), mask,
                               b.getI32IntegerAttr(bytesOf(type.getElementType())));
}

void KernelCode::prefetch(Value pointer, bool forWriting) {
  LLVM::Prefetch::create(b, loc, pointer, /*rw=*/forWriting, /*hint=*/forWriting ? 3 : 2, /*cache=*/1);
}

KernelCode::Values KernelCode::loop(Value from, Value to, int64_t step, ValueRange state, const LoopBody &body) {
  if (auto f = known(from), t = known(to); f && t && *f >= *t)
    return Values(state);
  auto loop = scf::ForOp::create(b, loc, from, to, constant(step), state);
  OpBuilder::InsertionGuard guard(b);
  Block *block = loop.getBody();
  if (state.empty())
    b.setInsertionPoint(block->getTerminator());
  else
    b.setInsertionPointToEnd(block);
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!state.empty())
    scf::YieldOp::create(b, loc, next);
  return Values(loop.getResults());
}

void KernelCode::loop(Value from, Value to, int64_t step, const std::function<void(Value)> &body) {
  if (auto f = known(from), t = known(to); f && t && *f < *t && *f + step >= *t)
    return body(from);
  loop(from, to, step, ValueRange{}, [&](Value i, ValueRange) {
    body(i);
    return Values{};
  });
}

void KernelCode::when(Value condition, const std::function<void()> &then, const std::function<void()> &otherwise) {
  if (auto c = known(condition)) {
    if (*c)
      then();
    else if (otherwise)
      otherwise();
    return;
  }
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.thenBlock()->getTerminator());
  then();
  if (otherwise) {
    b.setInsertionPoint(branch.elseBlock()->getTerminator());
    otherwise();
  }
}

KernelCode::Values KernelCode::repeat(ValueRange state, llvm::function_ref<Value(ValueRange)> condition,
                                      llvm::function_ref<Values(ValueRange)> body) {
  auto loop = scf::WhileOp::create(
      b, loc, state.getTypes(), state,
      [&](OpBuilder &inner, Location loc, ValueRange s) { scf::ConditionOp::create(inner, loc, condition(s), s); },
      [&](OpBuilder &inner, Location loc, ValueRange s) { scf::YieldOp::create(inner, loc, body(s)); });
  return Values(loop.getResults());
}

KernelCode::Values KernelCode::choose(Value condition, TypeRange types, const std::function<Values()> &then,
                                      const std::function<Values()> &otherwise) {
  if (auto c = known(condition))
    return *c ? then() : otherwise();
  auto branch = scf::IfOp::create(b, loc, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(branch.thenBlock());
  scf::YieldOp::create(b, loc, then());
  b.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(b, loc, otherwise());
  return Values(branch.getResults());
}

void KernelCode::dispatch(Value value, ArrayRef<int64_t> cases, const std::function<void(int64_t)> &body) {
  if (auto c = known(value))
    return body(*c);
  if (cases.size() == 1)
    return body(cases[0]);
  Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
  auto choice = scf::IndexSwitchOp::create(b, loc, TypeRange{}, index, cases.drop_back(), cases.size() - 1);
  OpBuilder::InsertionGuard guard(b);
  auto fill = [&](Region &region, int64_t c) {
    b.setInsertionPointToStart(&region.emplaceBlock());
    body(c);
    scf::YieldOp::create(b, loc);
  };
  for (auto [region, c] : llvm::zip(choice.getCaseRegions(), cases))
    fill(region, c);
  fill(choice.getDefaultRegion(), cases.back());
}
