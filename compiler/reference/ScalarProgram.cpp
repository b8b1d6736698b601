#include "compiler/reference/Evaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea::reference;

llvm::StringMap<StepMaker> &fovea::reference::stepMakers() {
  static llvm::StringMap<StepMaker> makers;
  return makers;
}

unsigned ScalarProgram::slot(Evaluator &evaluator, Value value) {
  auto [it, fresh] = slots.try_emplace(value, state.slots.size());
  if (fresh)
    state.slots.push_back(evaluator.scalar(value));
  return it->second;
}

static Step makeStep(Operation *op) {
  Step step{};
  step.type = op->getResult(0).getType();
  if (step.type.isIntOrFloat())
    step.width = step.type.getIntOrFloatBitWidth();
  auto it = stepMakers().find(op->getName().getStringRef());
  step.function = it == stepMakers().end() ? nullptr : it->second(op, step);
  if (!step.function)
    fault("the reference evaluator does not know '" + op->getName().getStringRef() + "' on these types");
  return step;
}

ScalarProgram::ScalarProgram(Evaluator &evaluator, Block &block) {
  auto define = [&](Value value) {
    slots[value] = state.slots.size();
    state.slots.push_back({.i = 0});
    return slots[value];
  };
  for (Value argument : block.getArguments())
    define(argument);
  for (Operation &op : block.without_terminator()) {
    if (isa<arith::ConstantOp>(op)) {
      evaluator.run(&op);
      slot(evaluator, op.getResult(0));
      continue;
    }
    Step step = makeStep(&op);
    for (Value operand : op.getOperands())
      if (isa<TensorType>(operand.getType()))
        step.table = evaluator.tensor(operand);
      else
        step.operands.push_back(slot(evaluator, operand));
    step.result = define(op.getResult(0));
    steps.push_back(std::move(step));
  }
  for (Value value : block.getTerminator()->getOperands())
    yielded.push_back(slot(evaluator, value));
}

void fovea::reference::runScalar(Evaluator &evaluator, Operation *op) {
  Step step = makeStep(op);
  Frame frame;
  for (Value operand : op->getOperands()) {
    if (isa<TensorType>(operand.getType())) {
      step.table = evaluator.tensor(operand);
      continue;
    }
    step.operands.push_back(frame.slots.size());
    frame.slots.push_back(evaluator.scalar(operand));
  }
  step.result = frame.slots.size();
  frame.slots.push_back({.i = 0});
  step.function(step, frame);
  evaluator.setScalar(op->getResult(0), roundTo(step.type, frame.slots.back()));
}

//===-- Steps that read tensors and loops ===//

/// `wrap`: a negative index counts from the end.
template <bool wrap> static void readTable(const Step &step, Frame &frame) {
  int64_t offset = 0;
  for (auto [d, size] : llvm::enumerate(step.table->shape)) {
    int64_t i = frame.in(step, d).i;
    int64_t at = wrap && i < 0 ? i + size : i;
    if (at < 0 || at >= size)
      fault("index " + Twine(i) + " of dim " + Twine(d) + " with " + Twine(size) + " elements");
    offset = offset * size + at;
  }
  frame.out(step) = step.table->data[offset];
}

static RegisterSteps steps{
    {"data.lookup", [](Operation *, Step &) -> StepFunction { return readTable<true>; }},
    {"tensor.extract", [](Operation *, Step &) -> StepFunction { return readTable<false>; }},
    {"linalg.index",
     [](Operation *op, Step &step) -> StepFunction {
       step.attribute = cast<linalg::IndexOp>(op).getDim();
       return [](const Step &s, Frame &f) { f.out(s).i = f.loop[s.attribute]; };
     }},
};
