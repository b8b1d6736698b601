#include "compiler/lowering/Threads.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

Value fovea::lowering::invocation(KernelCode &c) {
  Value x = gpu::ThreadIdOp::create(c.b, c.loc, gpu::Dimension::x);
  return arith::IndexCastOp::create(c.b, c.loc, c.b.getI64Type(), x);
}

Value fovea::lowering::uniform(KernelCode &c, Value same, int64_t below) {
  if (KernelCode::known(same))
    return same;
  auto op = gpu::SubgroupBroadcastOp::create(c.b, c.loc, same.getType(), same, Value(),
                                             gpu::BroadcastType::first_active_lane);
  op->setAttr(kBelowAttr, c.b.getI64IntegerAttr(below));
  return op;
}

KernelCode::Values fovea::lowering::loadRun(KernelCode &c, Type element, Value place, int64_t count, bool byFour) {
  KernelCode::Values all;
  for (int64_t i = 0; i < count;) {
    Value at = c.address(place, element, i);
    if (!byFour || count - i < 4) {
      all.push_back(c.load(element, at)), ++i;
      continue;
    }
    Value four = c.load(c.vector(element, 4), at);
    for (int64_t end = i + 4; i < end; ++i)
      all.push_back(vector::ExtractOp::create(c.b, c.loc, four, i % 4));
  }
  return all;
}

bool fovea::lowering::isMultipleOf(const data::DimExpr &size, int64_t n) {
  return llvm::all_of(size.getTerms(), [&](const auto &term) { return term.second % n == 0; });
}

bool fovea::lowering::isByFour(const Access &access, size_t inner) {
  bool byFour = elementOf(access).isF32() && isMultipleOf(access.offset, 4);
  for (auto [d, stride] : llvm::enumerate(access.strides))
    byFour &= d == inner ? stride.isConstant(1) : isMultipleOf(stride, 4);
  return byFour;
}

Value fovea::lowering::privateArray(KernelCode &c, Type element, int64_t count) {
  Type word = c.b.getF32Type(), pointer = LLVM::LLVMPointerType::get(c.b.getContext());
  return LLVM::AllocaOp::create(c.b, c.loc, pointer, word, c.constant(count * bytesOf(element) / bytesOf(word)));
}
