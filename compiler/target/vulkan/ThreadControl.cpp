// Loops and branches of a stage's function; the loop over its tasks is the invocations.
#include "compiler/lowering/Lowering.h"
#include "compiler/target/vulkan/ThreadCode.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::vulkan;

SmallVector<Value> ThreadCode::getLike(ValueRange from, ValueRange like) {
  SmallVector<Value> out;
  for (auto [v, l] : llvm::zip(from, like))
    out.push_back(getWide(v, isWide(typeOf(l))));
  return out;
}

LogicalResult ThreadCode::loop(scf::ForOp op) {
  if (llvm::any_of(op.getResultTypes(), llvm::IsaPred<LLVM::LLVMPointerType>))
    return refuse(op, "a loop that carries addresses");
  // The loop over the tasks: there is one.
  if (op.getLowerBound() == function.getArgument(1) && op.getUpperBound() == function.getArgument(2)) {
    set(op.getInductionVar(), task);
    for (auto [argument, init] : llvm::zip(op.getRegionIterArgs(), getLike(op.getInitArgs(), op.getRegionIterArgs())))
      set(argument, init);
    if (!op->use_empty())
      return refuse(op, "tasks that pass something on");
    return translate(*op.getBody());
  }
  Value from = getIndex(op.getLowerBound()), to = getIndex(op.getUpperBound()), step = getIndex(op.getStep());
  SmallVector<Value> inits = getLike(op.getInitArgs(), op.getRegionIterArgs());
  auto made = scf::ForOp::create(b, loc, from, to, step, inits);
  OpBuilder::InsertionGuard guard(b);
  set(op.getInductionVar(), made.getInductionVar());
  for (auto [argument, is] : llvm::zip(op.getRegionIterArgs(), made.getRegionIterArgs()))
    set(argument, is);
  if (inits.empty())
    b.setInsertionPoint(made.getBody()->getTerminator());
  else
    b.setInsertionPointToEnd(made.getBody());
  if (failed(translate(*op.getBody())))
    return failure();
  if (!inits.empty())
    scf::YieldOp::create(b, loc, getLike(op.getBody()->getTerminator()->getOperands(), op.getResults()));
  for (auto [result, is] : llvm::zip(op.getResults(), made.getResults()))
    set(result, is);
  return success();
}

LogicalResult ThreadCode::branch(scf::IfOp op) {
  SmallVector<Type> types;
  for (Value result : op.getResults()) {
    if (isa<LLVM::LLVMPointerType>(result.getType()))
      return refuse(op, "a branch that gives an address");
    types.push_back(typeOf(result));
  }
  auto made = scf::IfOp::create(b, loc, types, get(op.getCondition()), /*withElseRegion=*/op.elseBlock() != nullptr);
  OpBuilder::InsertionGuard guard(b);
  for (auto [source, target] : llvm::zip(op->getRegions(), made->getRegions())) {
    if (source.empty())
      continue;
    Block &block = target.front();
    if (types.empty())
      b.setInsertionPoint(block.getTerminator());
    else
      b.setInsertionPointToEnd(&block);
    if (failed(translate(source.front())))
      return failure();
    if (!types.empty())
      scf::YieldOp::create(b, loc, getLike(source.front().getTerminator()->getOperands(), op.getResults()));
  }
  for (auto [result, is] : llvm::zip(op.getResults(), made.getResults()))
    set(result, is);
  return success();
}

LogicalResult ThreadCode::loop(scf::WhileOp op) {
  SmallVector<Value> inits = getLike(op.getInits(), op.getBeforeArguments());
  SmallVector<Type> types;
  for (Value result : op.getResults())
    types.push_back(typeOf(result));
  auto made = scf::WhileOp::create(b, loc, types, inits);
  OpBuilder::InsertionGuard guard(b);
  auto start = [&](Region &source, Region &target, TypeRange arguments) {
    Block *block = b.createBlock(&target, {}, arguments, SmallVector<Location>(arguments.size(), loc));
    for (auto [argument, is] : llvm::zip(source.getArguments(), block->getArguments()))
      set(argument, is);
  };
  start(op.getBefore(), made.getBefore(), ValueRange(inits).getTypes());
  if (failed(translate(op.getBefore().front())))
    return failure();
  scf::ConditionOp condition = op.getConditionOp();
  scf::ConditionOp::create(b, loc, get(condition.getCondition()), getLike(condition.getArgs(), op.getResults()));
  start(op.getAfter(), made.getAfter(), types);
  if (failed(translate(op.getAfter().front())))
    return failure();
  scf::YieldOp::create(b, loc, getLike(op.getYieldOp().getOperands(), op.getBeforeArguments()));
  for (auto [result, is] : llvm::zip(op.getResults(), made.getResults()))
    set(result, is);
  return success();
}

/// All invocations of a workgroup meet, and see what each of them has written to its memory and to buffers.
LogicalResult ThreadCode::barrier(Operation *op) {
  if (!function->hasAttr(lowering::kGroupSizeAttr))
    return refuse(op, "a barrier without a workgroup");
  if (Operation *around = divergence.around(op))
    return refuse(op,
                  "a barrier that not every invocation comes to, within '" + around->getName().getStringRef() + "'");
  auto semantics = spirv::MemorySemantics::AcquireRelease | spirv::MemorySemantics::UniformMemory |
                   spirv::MemorySemantics::WorkgroupMemory;
  spirv::ControlBarrierOp::create(b, loc, spirv::Scope::Workgroup, spirv::Scope::Workgroup, semantics);
  return success();
}

LogicalResult ThreadCode::choose(scf::IndexSwitchOp op) {
  if (op.getNumResults())
    return refuse(op, "a choice that gives values");
  OpBuilder::InsertionGuard guard(b);
  for (auto [value, region] : llvm::zip(op.getCases(), op.getCaseRegions())) {
    Value is = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, getIndex(op.getArg()), constant(value));
    auto made = scf::IfOp::create(b, loc, is, /*withElseRegion=*/true);
    b.setInsertionPoint(made.thenBlock()->getTerminator());
    if (failed(translate(region.front())))
      return failure();
    b.setInsertionPoint(made.elseBlock()->getTerminator());
  }
  return translate(op.getDefaultRegion().front());
}
