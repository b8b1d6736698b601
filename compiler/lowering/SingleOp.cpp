#include "compiler/lowering/SingleOp.h"
#include "compiler/lowering/InPlace.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

SingleOp::SingleOp(const KernelView &kernel, StringRef name, std::string &reason) : kernel(kernel) {
  Operation *found = nullptr;
  for (Operation &other : kernel.body->without_terminator()) {
    if (other.getName().getStringRef() == name && !found) {
      found = &other;
    } else if (!isView(&other) && !isInit(&other) &&
               llvm::any_of(other.getResultTypes(), llvm::IsaPred<RankedTensorType>)) {
      reason = "'" + other.getName().getStringRef().str() + "' is not, or stands beside, '" + name.str() + "'";
      return;
    }
  }
  op = found;
  if (!op)
    reason = "there is no '" + name.str() + "'";
}

void SingleOp::expectEqual(const DimExpr &a, const DimExpr &b) {
  if (a != b)
    checks.push_back({a, b, /*atMost=*/false});
}

void SingleOp::expectAtMost(const DimExpr &a, const DimExpr &b) {
  if (a != b)
    checks.push_back({a, b, /*atMost=*/true});
}

void SingleOp::expectSizes(Value tensor, ArrayRef<DimExpr> sizes) {
  for (auto [a, b] : llvm::zip_equal(dims.shape(tensor), sizes))
    expectEqual(a, b);
}

LogicalResult SingleOp::operand(Value tensor, ArrayRef<DimExpr> sizes, Access &access, std::string &reason) {
  expectSizes(tensor, sizes);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(sizes.size(), op->getContext());
  FailureOr<Access> found = accessOf(tensor, identity, dims, reason);
  if (failed(found))
    return failure();
  access = *found;
  return success();
}

LogicalResult SingleOp::operand(Value tensor, ArrayRef<DimExpr> sizes, std::optional<Access> &access,
                                std::string &reason) {
  return !tensor ? success() : operand(tensor, sizes, access.emplace(), reason);
}

LogicalResult SingleOp::result(Value tensor, Value init, ArrayRef<DimExpr> sizes, Access &access, std::string &reason) {
  expectSizes(init, sizes);
  FailureOr<Destination> to = viewOfDestination(tensor, dims);
  if (failed(to))
    return reason = "a result is reshaped in a way that cannot be written in place", failure();
  access = {kernel.initOf(*to->terminal), to->view.offset, to->view.strides};
  return success();
}

LogicalResult SingleOp::contiguousResult(Value tensor, Value init, ArrayRef<DimExpr> sizes, Access &access,
                                         std::string &reason) {
  if (failed(result(tensor, init, sizes, access, reason)))
    return failure();
  if (!access.strides.back().isConstant(1) && !sizes.back().isConstant(1))
    return reason = "a result is transposed in a way that cannot be written in place", failure();
  return success();
}

bool SingleOp::coincide(const Access &result, const Access &operand, Value tensor, Operation *op) {
  if (result.offset != operand.offset || result.strides != operand.strides)
    return false;
  data::DimAnalysis dims;
  unsigned reads = 0;
  for (OpOperand *other : cast<DestinationStyleOpInterface>(op).getDpsInputOperands())
    if (FailureOr<View> view = viewOfSource(other->get(), dims); failed(view) || view->base == operand.base)
      reads += other->get() == tensor ? 1 : 2;
  return reads == 1;
}

SmallVector<std::pair<unsigned, unsigned>>
SingleOp::stateAliases(const Access &newState, const std::optional<Access> &state, Value tensor) const {
  return aliasesOf(kernel, [&](BlockArgument init, BlockArgument input) {
    return init == newState.base && state && input == state->base && coincide(newState, *state, tensor, op);
  });
}

Value SingleOp::checkedEnd(StageFrame &frame, KernelCode &c) const {
  Value end = frame.end();
  for (const Check &check : checks) {
    auto predicate = check.atMost ? arith::CmpIPredicate::sle : arith::CmpIPredicate::eq;
    Value fine = c.compare(predicate, frame.size(check.a), frame.size(check.b));
    c.when(fine, [] {}, [&] { frame.store(c.constant(frame.faultNumber()), frame.fault()); });
    end = c.select(fine, end, frame.begin());
  }
  return end;
}

Stage SingleOp::stage(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code, const DimExpr &tasks,
                      Write write, StringRef suffix) const {
  Stage stage;
  stage.function = (kernel.getSymName() + suffix).str();
  StageFrame frame(KernelView(kernel), code, stage.function);
  KernelCode c(frame.builder(), frame.loc(), machine);
  c.loop(frame.begin(), checkedEnd(frame, c), 1, [&](Value task) { write(frame, c, task); });
  frame.finish();
  stage.tasks = inSymbols(tasks);
  stage.workspaceBytes = getAffineConstantExpr(0, kernel.getContext());
  return stage;
}

Schedule SingleOp::schedule(double nanoseconds) const {
  Schedule schedule;
  schedule.attributes = DictionaryAttr::get(op->getContext());
  schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(op->getContext()));
  schedule.nanoseconds = nanoseconds;
  return schedule;
}

KernelCode::Values fovea::lowering::indexOfTask(StageFrame &frame, KernelCode &c, Value task, ArrayRef<DimExpr> sizes) {
  KernelCode::Values index(sizes.size());
  for (size_t d = sizes.size(); d-- > 0;) {
    Value size = frame.size(sizes[d]);
    index[d] = d == 0 ? task : c.rem(task, size);
    if (d != 0)
      task = c.div(task, size);
  }
  return index;
}

DimExpr fovea::lowering::productOf(ArrayRef<DimExpr> sizes) {
  DimExpr product(1);
  for (const DimExpr &size : sizes)
    product = product * size;
  return product;
}

double fovea::lowering::typicalSize(const DimExpr &size) {
  return static_cast<double>(size.getConstant().value_or(128));
}

double fovea::lowering::typicalSize(ArrayRef<DimExpr> sizes) {
  double product = 1;
  for (const DimExpr &size : sizes)
    product *= typicalSize(size);
  return product;
}

Value fovea::lowering::loadColumns(StageFrame &frame, KernelCode &c, VectorType type, Value row, Value j,
                                   const DimExpr &stride, Value mask) {
  Type element = type.getElementType();
  // Of a dim of one element, which has no stride, the mask leaves the first lane.
  if (stride.isConstant(1) || stride.isConstant(0))
    return c.load(type, c.address(row, element, j), mask);
  Value step = frame.size(stride);
  return c.gather(type, c.address(row, element, c.mul(j, step)), step, mask);
}

Value fovea::lowering::loadIndex(StageFrame &frame, KernelCode &c, const Access &access, ArrayRef<Value> indices) {
  Type type = elementOf(access), i64 = c.b.getI64Type();
  Value index = c.load(type, placeOf(frame, c, access, indices));
  return type == i64 ? index : arith::ExtSIOp::create(c.b, c.loc, i64, index).getResult();
}

void fovea::lowering::copyElements(StageFrame &frame, KernelCode &c, const Access &from, Value source, const Access &to,
                                   Value target, ArrayRef<DimExpr> shape, unsigned dim) {
  Type element = elementOf(from), word = c.b.getIntegerType(bytesOf(element) * 8);
  if (dim == shape.size())
    return c.store(c.load(word, source), target);
  Value size = frame.size(shape[dim]), zero = c.constant(0);
  const DimExpr &sourceStep = from.strides[dim], &targetStep = to.strides[dim];
  auto one = [&](Value i) {
    copyElements(frame, c, from, c.address(source, element, c.mul(i, frame.size(sourceStep))), to,
                 c.address(target, element, c.mul(i, frame.size(targetStep))), shape, dim + 1);
  };
  if (dim + 1 < shape.size() || !sourceStep.isConstant(1) || !targetStep.isConstant(1))
    return c.loop(zero, size, 1, one);
  int64_t lanes = c.machine.lanes(word.getIntOrFloatBitWidth());
  Value whole = c.mul(c.div(size, lanes), lanes);
  VectorType type = c.vector(word, lanes);
  c.loop(zero, whole, lanes,
         [&](Value i) { c.store(c.load(type, c.address(source, word, i)), c.address(target, word, i)); });
  c.loop(whole, size, 1, one);
}

Value fovea::lowering::sameMemory(StageFrame &frame, KernelCode &c, const Access &a, const Access &b) {
  auto number = [&](const Access &access) {
    return LLVM::PtrToIntOp::create(c.b, c.loc, c.b.getI64Type(), frame.buffer(access.base));
  };
  return c.equal(number(a), number(b));
}

Value fovea::lowering::convertFloat(KernelCode &c, Value x, Type element) {
  Type from = getElementTypeOrSelf(x.getType());
  if (from == element)
    return x;
  Type to = element;
  if (auto vector = dyn_cast<VectorType>(x.getType()))
    to = vector.clone(element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(c.b, c.loc, to, x);
  return arith::TruncFOp::create(c.b, c.loc, to, x);
}
