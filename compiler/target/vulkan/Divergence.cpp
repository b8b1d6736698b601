#include "compiler/target/vulkan/Divergence.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"

using namespace mlir;
using namespace fovea::vulkan;

/// Whether what decides how often the regions of `op` run is divergent.
bool Divergence::decides(Operation *op) const {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return contains(loop.getLowerBound()) || contains(loop.getUpperBound()) || contains(loop.getStep());
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return contains(branch.getCondition());
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return contains(loop.getConditionOp().getCondition());
  if (auto choice = dyn_cast<scf::IndexSwitchOp>(op))
    return contains(choice.getArg());
  return false;
}

/// What tells one invocation from another: in a stage gpu.thread_id, in a shader the builtin that it becomes.
static bool isNumber(Operation *op) {
  auto address = dyn_cast<spirv::AddressOfOp>(op);
  if (!address)
    return isa<gpu::ThreadIdOp>(op);
  auto variable = SymbolTable::lookupNearestSymbolFrom<spirv::GlobalVariableOp>(op, address.getVariableAttr());
  auto builtin = variable ? variable->getAttrOfType<StringAttr>("built_in") : StringAttr();
  return builtin && builtin.getValue() == spirv::stringifyBuiltIn(spirv::BuiltIn::LocalInvocationId);
}

bool Divergence::step(Operation *op) {
  bool changed = false;
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    changed |= mark(loop.getInductionVar(), contains(loop.getLowerBound()) || contains(loop.getStep()));
    auto yields = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    for (unsigned i = 0; i < loop.getNumResults(); ++i) {
      bool carried = contains(loop.getInitArgs()[i]) || contains(yields.getOperand(i));
      changed |= mark(loop.getRegionIterArg(i), carried);
      changed |= mark(loop.getResult(i), carried || decides(loop));
    }
    return changed;
  }
  if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    for (unsigned i = 0; i < loop.getInits().size(); ++i)
      changed |=
          mark(loop.getBeforeArguments()[i], contains(loop.getInits()[i]) || contains(loop.getYieldOp().getOperand(i)));
    for (unsigned i = 0; i < loop.getNumResults(); ++i) {
      bool passed = contains(loop.getConditionOp().getArgs()[i]);
      changed |= mark(loop.getAfterArguments()[i], passed);
      changed |= mark(loop.getResult(i), passed || decides(loop));
    }
    return changed;
  }
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (unsigned i = 0; i < branch.getNumResults(); ++i)
      changed |= mark(branch.getResult(i), decides(branch) || contains(branch.thenYield().getOperand(i)) ||
                                               contains(branch.elseYield().getOperand(i)));
    return changed;
  }
  if (isa<gpu::SubgroupBroadcastOp>(op)) // says that its operand is the same for all
    return false;
  bool any = isNumber(op) || llvm::any_of(op->getOperands(), [&](Value v) { return contains(v); });
  for (Value result : op->getResults())
    changed |= mark(result, any);
  return changed;
}

Divergence::Divergence(Operation *function) {
  for (bool changed = true; changed;) {
    changed = false;
    function->walk([&](Operation *op) { changed |= step(op); });
  }
}

Operation *Divergence::around(Operation *op) const {
  for (Operation *parent = op->getParentOp(); parent; parent = parent->getParentOp())
    if (decides(parent))
      return parent;
  return nullptr;
}
