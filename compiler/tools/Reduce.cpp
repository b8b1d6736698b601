#include "compiler/tools/Reduce.h"
#include "dialects/data/DimExpr.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace fovea;

static func::FuncOp functionOf(ModuleOp module) { return *module.getOps<func::FuncOp>().begin(); }

/// A computed tensor; constants and empty tensors are too cheap to be cut off.
static bool isComputed(Operation &op) {
  return op.getNumResults() > 0 && isa<RankedTensorType>(op.getResult(0).getType()) &&
         !op.hasTrait<OpTrait::ConstantLike>() && !isa<tensor::EmptyOp>(op);
}

static SmallVector<Operation *> computed(func::FuncOp function) {
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front())
    if (isComputed(op))
      ops.push_back(&op);
  return ops;
}

/// The dims of a value as they stand in the attributes of a function's arguments and results; null if one of them has
/// no name, and must have one.
static ArrayAttr dimsOf(Value value, bool plainNames) {
  Builder b(value.getContext());
  data::DimAnalysis dims;
  SmallVector<Attribute> names;
  for (const data::DimExpr &size : dims.shape(value)) {
    if (auto constant = size.getConstant()) {
      names.push_back(b.getI64IntegerAttr(*constant));
      continue;
    }
    for (const data::DimAtom &atom : size.atoms())
      if (atom.name.empty())
        return {};
    if (plainNames && !(size == data::DimExpr::symbol(size.str())))
      return {};
    names.push_back(b.getStringAttr(size.str()));
  }
  return b.getArrayAttr(names);
}

/// Removes what is not needed for the results, arguments too.
static void removeUnused(func::FuncOp function) {
  for (bool changed = true; changed;) {
    changed = false;
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
      if (!op.hasTrait<OpTrait::IsTerminator>() && op.use_empty() && isMemoryEffectFree(&op))
        op.erase(), changed = true;
  }
  for (unsigned i = function.getNumArguments(); i-- > 0;)
    // A program without inputs would be folded away.
    if (function.getArgument(i).use_empty() && function.getNumArguments() > 1)
      (void)function.eraseArgument(i);
}

/// Returns a value, and nothing else.
static bool returnOnly(func::FuncOp function, Value value) {
  ArrayAttr dims = dimsOf(value, /*plainNames=*/false);
  if (!dims)
    return false;
  Operation *end = function.getBody().front().getTerminator();
  end->setOperands(value);
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getFunctionType().getInputs(), value.getType()));
  Builder b(function.getContext());
  SmallVector<NamedAttribute> attributes{b.getNamedAttr(exec::ExecDialect::kNameAttr, b.getStringAttr("result")),
                                         b.getNamedAttr(exec::ExecDialect::kDimsAttr, dims)};
  function.setAllResultAttrs(ArrayRef<Attribute>(b.getDictionaryAttr(attributes)));
  return true;
}

/// Makes inputs of an operation's results.
static bool takeAsInput(func::FuncOp function, Operation *op) {
  Builder b(function.getContext());
  for (Value result : op->getResults()) {
    if (result.use_empty())
      continue;
    ArrayAttr dims = isa<RankedTensorType>(result.getType()) ? dimsOf(result, /*plainNames=*/true) : ArrayAttr();
    if (!dims)
      return false;
    // A name that no argument has.
    llvm::SmallDenseSet<Attribute> taken;
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      taken.insert(function.getArgAttr(i, exec::ExecDialect::kNameAttr));
    unsigned number = function.getNumArguments();
    StringAttr name;
    do
      name = b.getStringAttr("cut" + llvm::Twine(number++));
    while (taken.contains(name));
    NamedAttribute attributes[] = {b.getNamedAttr(exec::ExecDialect::kNameAttr, name),
                                   b.getNamedAttr(exec::ExecDialect::kDimsAttr, dims)};
    unsigned index = function.getNumArguments();
    if (failed(function.insertArgument(index, result.getType(), b.getDictionaryAttr(attributes), op->getLoc())))
      return false;
    result.replaceAllUsesWith(function.getArgument(index));
  }
  return true;
}

namespace {
class Reduction {
public:
  Reduction(OwningOpRef<ModuleOp> &module, Interesting interesting, llvm::function_ref<void(size_t)> step)
      : module(module), interesting(interesting), step(step) {}

  void run() {
    cutResults();
    for (bool changed = true; changed;) {
      changed = false;
      // From behind: what is close to the result cuts off most.
      changed |= forEach([](func::FuncOp function, Operation *op) { return takeAsInput(function, op); });
      changed |= forEach([](func::FuncOp, Operation *op) {
        if (op->getNumResults() != 1)
          return false;
        for (Value operand : op->getOperands())
          if (operand.getType() == op->getResult(0).getType() && !operand.getDefiningOp<tensor::EmptyOp>())
            return op->getResult(0).replaceAllUsesWith(operand), true;
        return false;
      });
    }
  }

private:
  /// Takes the changed module if it is still interesting.
  bool attempt(llvm::function_ref<bool(func::FuncOp)> change) {
    OwningOpRef<ModuleOp> candidate(cast<ModuleOp>(module.get()->clone()));
    func::FuncOp function = functionOf(*candidate);
    if (!change(function))
      return false;
    removeUnused(function);
    if (failed(verify(*candidate)) || !interesting(*candidate))
      return false;
    module = std::move(candidate);
    step(countOperations(*module));
    return true;
  }

  /// The earliest value that is interesting as the only result: by bisection, because what depends on it mostly is too.
  void cutResults() {
    size_t low = 0, high = computed(functionOf(*module)).size();
    OwningOpRef<ModuleOp> whole(cast<ModuleOp>(module.get()->clone()));
    while (low < high) {
      size_t middle = (low + high) / 2;
      OwningOpRef<ModuleOp> before(cast<ModuleOp>(whole.get()->clone()));
      std::swap(module, before);
      bool taken = attempt(
          [&](func::FuncOp function) { return returnOnly(function, computed(function)[middle]->getResult(0)); });
      if (taken)
        high = middle;
      else
        std::swap(module, before), low = middle + 1;
    }
    // Of several results one may do, where values in the middle do not.
    for (unsigned i = 0; functionOf(*module).getNumResults() > 1 && i < functionOf(*module).getNumResults(); ++i)
      attempt([&](func::FuncOp function) {
        return returnOnly(function, function.getBody().front().getTerminator()->getOperand(i));
      });
  }

  bool forEach(llvm::function_ref<bool(func::FuncOp, Operation *)> change) {
    bool changed = false;
    for (size_t i = computed(functionOf(*module)).size(); i-- > 0;) {
      changed |= attempt([&](func::FuncOp function) { return change(function, computed(function)[i]); });
      // Others may have gone with it.
      i = std::min(i, computed(functionOf(*module)).size());
    }
    return changed;
  }

  OwningOpRef<ModuleOp> &module;
  Interesting interesting;
  llvm::function_ref<void(size_t)> step;
};
} // namespace

size_t fovea::countOperations(ModuleOp module) { return computed(functionOf(module)).size(); }

void fovea::reduce(OwningOpRef<ModuleOp> &module, Interesting interesting, llvm::function_ref<void(size_t)> step) {
  Reduction(module, interesting, step).run();
}
