// What the dialects' files share: the values of a run, the registry of operations, scalar programs.
#ifndef FOVEA_COMPILER_REFERENCE_EVALUATOR_H
#define FOVEA_COMPILER_REFERENCE_EVALUATOR_H

#include "compiler/reference/Reference.h"

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"

#include <memory>

namespace fovea::reference {

using TensorRef = std::shared_ptr<const Tensor>;

/// Inside of the evaluator a failure travels as an exception, to `evaluate`, which reports it.
struct Fault {
  std::string message;
};
[[noreturn]] void fault(const llvm::Twine &message);

/// The element rounded to the type: a float to its precision, an integer to its width.
Element roundTo(mlir::Type type, Element e);

//===-- Evaluator ===//

class Evaluator {
public:
  void set(mlir::Value value, TensorRef tensor) { tensors[value] = std::move(tensor); }
  void set(mlir::Value value, Tensor tensor) { set(value, std::make_shared<const Tensor>(std::move(tensor))); }
  void setScalar(mlir::Value value, Element e) { scalars[value] = e; }
  /// The value of a tensor or scalar; with `onDemand`, evaluates what makes it.
  TensorRef tensor(mlir::Value value);
  Element scalar(mlir::Value value);
  int64_t index(mlir::Value value) { return scalar(value).i; }
  /// Sizes, offsets and the like: constants or values.
  int64_t index(mlir::OpFoldResult value);
  llvm::SmallVector<int64_t> indices(llvm::ArrayRef<mlir::OpFoldResult> values);

  void run(mlir::Operation *op);
  /// Runs a block and returns its terminator.
  mlir::Operation *run(mlir::Block &block);

  /// If set, values that are not known are computed from what makes them, for folding.
  bool onDemand = false;

private:
  llvm::DenseMap<mlir::Value, TensorRef> tensors;
  llvm::DenseMap<mlir::Value, Element> scalars;
};

//===-- Registry ===//

using OpFunction = void (*)(Evaluator &, mlir::Operation *);
llvm::StringMap<OpFunction> &opFunctions();
/// A static object of this type in a dialect's file registers functions by the names of operations.
struct RegisterOpFunctions {
  RegisterOpFunctions(std::initializer_list<std::pair<const char *, OpFunction>> functions) {
    for (auto [name, function] : functions)
      opFunctions()[name] = function;
  }
};

//===-- Scalar programs ===//

struct Frame;
struct Step;
using StepFunction = void (*)(const Step &, Frame &);

/// One scalar operation: slots[result] = function(slots[operands...]).
struct Step {
  StepFunction function;
  unsigned result;
  llvm::SmallVector<unsigned, 4> operands;
  int64_t attribute = 0; ///< a predicate, a dim, a form
  unsigned width = 64;   ///< of an integer result
  mlir::Type type;       ///< of the result
  TensorRef table;       ///< what a lookup reads
};

struct Frame {
  std::vector<Element> slots;
  llvm::ArrayRef<int64_t> loop; ///< the indices of the loops around
  Element &in(const Step &step, unsigned i) { return slots[step.operands[i]]; }
  Element &out(const Step &step) { return slots[step.result]; }
};

/// The operations of a block without nested regions, prepared so that running it for each element walks no IR.
class ScalarProgram {
public:
  /// Values from outside are read from the evaluator once. The arguments of the block are slots 0, 1, ...
  ScalarProgram(Evaluator &evaluator, mlir::Block &block);
  /// The yielded elements, valid until the next run.
  llvm::ArrayRef<unsigned> results() const { return yielded; }
  Frame &frame() { return state; }
  void run() {
    for (const Step &step : steps)
      step.function(step, state);
  }

private:
  unsigned slot(Evaluator &evaluator, mlir::Value value);
  llvm::DenseMap<mlir::Value, unsigned> slots;
  std::vector<Step> steps;
  llvm::SmallVector<unsigned> yielded;
  Frame state;
};

/// The scalar operations by name; those whose function depends on types pick it here.
using StepMaker = StepFunction (*)(mlir::Operation *, Step &);
llvm::StringMap<StepMaker> &stepMakers();
struct RegisterSteps {
  RegisterSteps(std::initializer_list<std::pair<const char *, StepMaker>> makers) {
    for (auto [name, maker] : makers)
      stepMakers()[name] = maker;
  }
};
/// Runs a scalar operation outside of any program.
void runScalar(Evaluator &evaluator, mlir::Operation *op);

double gelu(double x, bool tanhForm);
double sigmoid(double x);

/// Calls `f` for each index tuple of the shape, in row-major order.
template <typename F> void forEachIndex(llvm::ArrayRef<int64_t> shape, F f) {
  llvm::SmallVector<int64_t> at(shape.size(), 0);
  for (int64_t size : shape)
    if (size <= 0)
      return;
  while (true) {
    f(llvm::ArrayRef<int64_t>(at));
    int64_t d = shape.size() - 1;
    while (d >= 0 && ++at[d] == shape[d])
      at[d--] = 0;
    if (d < 0)
      return;
  }
}

inline int64_t offsetOf(llvm::ArrayRef<int64_t> at, llvm::ArrayRef<int64_t> strides) {
  int64_t offset = 0;
  for (auto [i, stride] : llvm::zip_equal(at, strides))
    offset += i * stride;
  return offset;
}

} // namespace fovea::reference

#endif // FOVEA_COMPILER_REFERENCE_EVALUATOR_H
