#include "compiler/target/vulkan/WideIntegers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea::vulkan;

Type fovea::vulkan::withoutLane(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getNumElements() == 1 ? vector.getElementType() : type;
}

bool fovea::vulkan::isI64(Type type) { return withoutLane(type).isInteger(64); }

/// A load of one of the kernel's symbols: from the array that field 1 of its arguments points to.
static bool loadsSymbol(LLVM::LoadOp load) {
  // The address of the first one is the array's.
  Value address = load.getAddr();
  if (auto element = address.getDefiningOp<LLVM::GEPOp>())
    address = element.getBase();
  auto array = address.getDefiningOp<LLVM::LoadOp>();
  auto field = array ? array.getAddr().getDefiningOp<LLVM::GEPOp>() : nullptr;
  auto arguments = field ? dyn_cast<BlockArgument>(field.getBase()) : nullptr;
  return arguments && arguments.getArgNumber() == 0 && arguments.getOwner()->isEntryBlock();
}

bool WideIntegers::mark(Value value) { return isI64(value.getType()) && wide.insert(value).second; }

/// All of them are wide if one is.
bool WideIntegers::join(ArrayRef<Value> values) {
  bool any = llvm::any_of(values, [&](Value v) { return wide.contains(v); }), changed = false;
  for (Value v : values)
    changed |= any && mark(v);
  return changed;
}

bool WideIntegers::startsWide(Operation *op) {
  if (auto load = dyn_cast<LLVM::LoadOp>(op))
    return !loadsSymbol(load);
  if (isa<LLVM::MaskedLoadOp, LLVM::masked_gather, arith::FPToSIOp, arith::FPToUIOp, arith::BitcastOp>(op))
    return true;
  if (auto entry = dyn_cast<vector::ExtractOp>(op)) // of a table
    return entry.getSourceVectorType().getNumElements() > 1;
  if (isa<arith::ExtSIOp, arith::ExtUIOp>(op))
    return withoutLane(op->getOperand(0).getType()).isInteger(32);
  APInt constant;
  return matchPattern(op, m_ConstantInt(&constant)) && constant.getBitWidth() == 64 && !constant.isSignedIntN(32);
}

bool WideIntegers::step(Operation *op) {
  bool changed = false;
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    auto yields = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    for (unsigned i = 0; i < loop.getNumResults(); ++i)
      changed |= join({loop.getInitArgs()[i], loop.getRegionIterArg(i), yields.getOperand(i), loop.getResult(i)});
    return changed;
  }
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (unsigned i = 0; i < branch.getNumResults(); ++i)
      changed |= join({branch.thenYield().getOperand(i), branch.elseYield().getOperand(i), branch.getResult(i)});
    return changed;
  }
  if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    auto condition = loop.getConditionOp();
    auto yields = loop.getYieldOp();
    for (unsigned i = 0; i < loop.getInits().size(); ++i)
      changed |= join({loop.getInits()[i], loop.getBeforeArguments()[i], yields.getOperand(i)});
    for (unsigned i = 0; i < loop.getNumResults(); ++i)
      changed |= join({condition.getArgs()[i], loop.getAfterArguments()[i], loop.getResult(i)});
    return changed;
  }
  if (op->getNumRegions() || isa<LLVM::LLVMDialect, gpu::GPUDialect>(op->getDialect()))
    return false;
  bool any = llvm::any_of(op->getOperands(), [&](Value v) { return wide.contains(v); });
  for (Value result : op->getResults())
    changed |= any && mark(result);
  return changed;
}

WideIntegers::WideIntegers(Operation *function) {
  function->walk([&](Operation *op) {
    if (op->getNumResults() == 1 && isI64(op->getResult(0).getType()) && startsWide(op))
      wide.insert(op->getResult(0));
  });
  for (bool changed = true; changed;) {
    changed = false;
    function->walk([&](Operation *op) { changed |= step(op); });
  }
}
