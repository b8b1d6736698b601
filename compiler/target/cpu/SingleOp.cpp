#include "compiler/target/cpu/SingleOp.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::cpu;
using fovea::data::DimExpr;

FailureOr<Access> fovea::cpu::sourceOf(Value operand, data::DimAnalysis &dims, std::string &reason) {
  int64_t rank = cast<RankedTensorType>(operand.getType()).getRank();
  return accessOf(operand, AffineMap::getMultiDimIdentityMap(rank, operand.getContext()), dims, reason);
}

FailureOr<Access> fovea::cpu::destinationOf(const KernelView &kernel, Value result, data::DimAnalysis &dims,
                                            std::string &reason) {
  FailureOr<Destination> to = viewOfDestination(result, dims);
  if (failed(to))
    return reason = "a result is reshaped in a way that cannot be written in place", failure();
  return Access{kernel.initOf(*to->terminal), to->view.offset, to->view.strides};
}

Value fovea::cpu::checkSizes(StageFrame &frame, KernelCode &c, ArrayRef<SizeCheck> checks) {
  Value end = frame.end();
  for (const SizeCheck &check : checks) {
    if (check.a == check.b)
      continue;
    auto predicate = check.atMost ? arith::CmpIPredicate::sle : arith::CmpIPredicate::eq;
    Value fine = c.compare(predicate, frame.size(check.a), frame.size(check.b));
    c.when(fine, [] {}, [&] { frame.store(c.constant(frame.faultNumber()), frame.fault()); });
    end = c.select(fine, end, frame.begin());
  }
  return end;
}

KernelCode::Values fovea::cpu::indexOfTask(StageFrame &frame, KernelCode &c, Value task, ArrayRef<DimExpr> sizes) {
  KernelCode::Values index(sizes.size());
  for (size_t d = sizes.size(); d-- > 0;) {
    Value size = frame.size(sizes[d]);
    index[d] = d == 0 ? task : c.rem(task, size);
    if (d != 0)
      task = c.div(task, size);
  }
  return index;
}

DimExpr fovea::cpu::productOf(ArrayRef<DimExpr> sizes) {
  DimExpr product(1);
  for (const DimExpr &size : sizes)
    product = product * size;
  return product;
}

AffineExpr fovea::cpu::affineOf(const DimExpr &size, MLIRContext *context) {
  return size.toAffine(
      context, [](const data::DimAtom &atom) -> unsigned { return cast<BlockArgument>(atom.value).getArgNumber(); });
}

double fovea::cpu::typicalSize(const DimExpr &size) { return static_cast<double>(size.getConstant().value_or(100)); }
