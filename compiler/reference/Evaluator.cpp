#include "compiler/reference/Evaluator.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace fovea::reference;

void fovea::reference::fault(const Twine &message) { throw Fault{message.str()}; }

llvm::StringMap<OpFunction> &fovea::reference::opFunctions() {
  static llvm::StringMap<OpFunction> functions;
  return functions;
}

//===-- Tensor ===//

Tensor::Tensor(Type elementType, ArrayRef<int64_t> shape) : elementType(elementType), shape(shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 0)
      fault("a dim has the size " + Twine(size));
    if (size != 0 && count > (int64_t(1) << 40) / size)
      fault("a tensor has more than 2^40 elements");
    count *= size;
  }
  data.resize(count, Element{.i = 0});
}

SmallVector<int64_t> Tensor::strides() const {
  SmallVector<int64_t> result(shape.size(), 1);
  for (int64_t d = static_cast<int64_t>(shape.size()) - 2; d >= 0; --d)
    result[d] = result[d + 1] * shape[d + 1];
  return result;
}

Element fovea::reference::roundTo(Type type, Element e) {
  if (type.isF64())
    return e;
  if (type.isF32())
    return {.f = static_cast<float>(e.f)};
  if (auto floats = dyn_cast<FloatType>(type)) {
    APFloat value(e.f);
    bool lost;
    value.convert(floats.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return {.f = value.convertToDouble()};
  }
  if (!type.isIntOrIndex() || type.isIndex() || type.getIntOrFloatBitWidth() >= 64)
    return e;
  unsigned width = type.getIntOrFloatBitWidth();
  if (width == 1)
    return {.i = e.i & 1};
  return {.i = static_cast<int64_t>(static_cast<uint64_t>(e.i) << (64 - width)) >> (64 - width)};
}

void Tensor::round() {
  if (elementType.isF64() || elementType.isIndex() || elementType.isInteger(64))
    return;
  for (Element &e : data)
    e = roundTo(elementType, e);
}

//===-- Evaluator ===//

TensorRef Evaluator::tensor(Value value) {
  auto it = tensors.find(value);
  if (it == tensors.end() && onDemand && value.getDefiningOp()) {
    run(value.getDefiningOp());
    it = tensors.find(value);
  }
  if (it == tensors.end())
    fault("the value of a tensor is not known here");
  return it->second;
}

Element Evaluator::scalar(Value value) {
  auto it = scalars.find(value);
  if (it == scalars.end() && onDemand && value.getDefiningOp()) {
    run(value.getDefiningOp());
    it = scalars.find(value);
  }
  if (it == scalars.end())
    fault("the value of a scalar is not known here");
  return it->second;
}

int64_t Evaluator::index(OpFoldResult value) {
  if (auto constant = getConstantIntValue(value))
    return *constant;
  return index(cast<Value>(value));
}

SmallVector<int64_t> Evaluator::indices(ArrayRef<OpFoldResult> values) {
  SmallVector<int64_t> result;
  for (OpFoldResult value : values)
    result.push_back(index(value));
  return result;
}

/// The sizes of a result are those that its type says.
static void checkType(Operation *op, Value result, const Tensor &tensor) {
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type || type.getElementType() != tensor.elementType ||
      failed(verifyCompatibleShape(type.getShape(), tensor.shape)))
    fault("the result does not have the sizes of its type");
}

void Evaluator::run(Operation *op) {
  try {
    auto it = opFunctions().find(op->getName().getStringRef());
    if (it != opFunctions().end())
      it->second(*this, op);
    else if (stepMakers().contains(op->getName().getStringRef()))
      runScalar(*this, op);
    else if (opFunctions().contains(op->getName().getDialectNamespace()))
      opFunctions()[op->getName().getDialectNamespace()](*this, op);
    else
      fault("the reference evaluator does not know this operation");
    for (Value result : op->getResults())
      if (auto known = tensors.find(result); known != tensors.end())
        checkType(op, result, *known->second);
  } catch (Fault &f) {
    // The innermost operation says where.
    if (StringRef(f.message).contains("': "))
      throw;
    std::string where;
    llvm::raw_string_ostream(where) << op->getLoc();
    fault("'" + op->getName().getStringRef() + "' at " + where + "': " + f.message);
  }
}

Operation *Evaluator::run(Block &block) {
  // A tensor is dropped after the last operation that reads it.
  DenseMap<Value, int> uses;
  auto forEachUse = [&](Operation &op, auto f) {
    llvm::SmallPtrSet<void *, 8> seen;
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (operand.getParentBlock() == &block && isa<TensorType>(operand.getType()) &&
            seen.insert(operand.getAsOpaquePointer()).second)
          f(operand);
    });
  };
  for (Operation &op : block)
    forEachUse(op, [&](Value v) { ++uses[v]; });
  for (Operation &op : block.without_terminator()) {
    run(&op);
    forEachUse(op, [&](Value v) {
      if (--uses[v] == 0)
        tensors.erase(v);
    });
  }
  return block.getTerminator();
}

//===-- Entry points ===//

template <typename F> static auto guarded(std::string *error, F f) -> FailureOr<decltype(f())> {
  try {
    return f();
  } catch (Fault &fault) {
    if (error)
      *error = fault.message;
    return failure();
  }
}

FailureOr<std::vector<Tensor>> fovea::reference::evaluate(Region &region, ArrayRef<Tensor> arguments,
                                                          std::string *error) {
  return guarded(error, [&] {
    Block &block = region.front();
    if (block.getNumArguments() != arguments.size())
      fault("expected " + Twine(block.getNumArguments()) + " inputs, got " + Twine(arguments.size()));
    Evaluator evaluator;
    evaluator.onDemand = true; // constants from outside of the region
    for (auto [value, argument] : llvm::zip(block.getArguments(), arguments)) {
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (!type || type.getElementType() != argument.elementType ||
          failed(verifyCompatibleShape(type.getShape(), argument.shape)))
        fault("input " + Twine(value.getArgNumber()) + " does not have the function's type");
      evaluator.set(value, argument);
    }
    std::vector<Tensor> results;
    for (Value result : evaluator.run(block)->getOperands())
      results.push_back(*evaluator.tensor(result));
    return results;
  });
}

FailureOr<std::vector<Tensor>> fovea::reference::evaluate(func::FuncOp function, ArrayRef<Tensor> inputs,
                                                          std::string *error) {
  return evaluate(function.getBody(), inputs, error);
}

FailureOr<Tensor> fovea::reference::evaluateConstant(Operation *op, std::string *error) {
  return guarded(error, [&] {
    if (op->getNumResults() != 1)
      fault("expected one result");
    Evaluator evaluator;
    evaluator.onDemand = true;
    return *evaluator.tensor(op->getResult(0));
  });
}

FailureOr<ElementsAttr> fovea::reference::foldToConstant(Operation *op) {
  FailureOr<Tensor> tensor = evaluateConstant(op);
  // Elements of 16-bit floats have no bytes here.
  if (failed(tensor) || isa<Float16Type, BFloat16Type>(tensor->elementType))
    return failure();
  return toAttribute(*tensor);
}
