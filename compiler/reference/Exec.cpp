// Kernels, weights and checks of the exec dialect.
#include "compiler/reference/Evaluator.h"

#include "dialects/exec/Exec.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::reference;

static void evaluateKernel(Evaluator &evaluator, Operation *op) {
  auto kernel = cast<exec::KernelOp>(op);
  for (auto [argument, symbol] : llvm::zip(kernel.getSymbolArgs(), kernel.getSymbols()))
    evaluator.setScalar(argument, evaluator.scalar(symbol));
  SmallVector<Value> operands(kernel.getInputs());
  llvm::append_range(operands, kernel.getInits());
  for (auto [argument, operand] : llvm::zip(kernel.getTensorArgs(), operands))
    evaluator.set(argument, evaluator.tensor(operand));
  Operation *yield = evaluator.run(kernel.getBody().front());
  for (auto [result, value] : llvm::zip(kernel.getResults(), yield->getOperands()))
    evaluator.set(result, evaluator.tensor(value));
}

static void evaluateCheck(Evaluator &evaluator, Operation *op) {
  auto check = cast<exec::CheckOp>(op);
  if (!evaluator.scalar(check.getCondition()).i)
    fault(check.getMessage());
}

static void evaluateWeight(Evaluator &evaluator, Operation *op) {
  auto weight = cast<exec::WeightOp>(op);
  auto source = SymbolTable::lookupNearestSymbolFrom<exec::WeightDataOp>(op, weight.getSourceAttr());
  if (!source)
    fault("there is no weight " + weight.getSource());
  Operation *yield = evaluator.run(source.getBody().front());
  evaluator.set(weight.getResult(), evaluator.tensor(yield->getOperand(0)));
}

static RegisterOpFunctions functions{
    {"exec.kernel", evaluateKernel}, {"exec.check", evaluateCheck}, {"exec.weight", evaluateWeight}};
