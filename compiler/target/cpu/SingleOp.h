// Kernels that are one operation that linalg has no loops for, with views of what it reads and writes.
#ifndef FOVEA_COMPILER_TARGET_CPU_SINGLEOP_H
#define FOVEA_COMPILER_TARGET_CPU_SINGLEOP_H

#include "compiler/target/cpu/Matmul.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/View.h"

namespace fovea::cpu {

/// The only operation of the kernel that is neither a view nor an init; null with a reason.
template <typename OpT> OpT singleOp(const KernelView &kernel, std::string &reason) {
  OpT found;
  for (mlir::Operation &op : kernel.body->without_terminator()) {
    if (auto match = llvm::dyn_cast<OpT>(op); match && !found)
      found = match;
    else if (!isView(&op) && !isInit(&op) && llvm::any_of(op.getResultTypes(), llvm::IsaPred<mlir::RankedTensorType>))
      return reason = "'" + op.getName().getStringRef().str() + "' is no part of such a kernel", nullptr;
  }
  if (!found)
    reason = ("there is no '" + OpT::getOperationName() + "'").str();
  return found;
}

/// Where an operand lies, and where a result goes.
mlir::FailureOr<Access> sourceOf(mlir::Value operand, data::DimAnalysis &dims, std::string &reason);
mlir::FailureOr<Access> destinationOf(const KernelView &kernel, mlir::Value result, data::DimAnalysis &dims,
                                      std::string &reason);

/// Sizes that only the run can compare: a == b, or a <= b.
struct SizeCheck {
  data::DimExpr a, b;
  bool atMost = false;
};
/// The end of the stage's tasks; where a check fails, the beginning, and the fault is reported.
mlir::Value checkSizes(StageFrame &frame, KernelCode &c, llvm::ArrayRef<SizeCheck> checks);

/// The index of a task in a space of these sizes, row-major.
KernelCode::Values indexOfTask(StageFrame &frame, KernelCode &c, mlir::Value task, llvm::ArrayRef<data::DimExpr> sizes);
data::DimExpr productOf(llvm::ArrayRef<data::DimExpr> sizes);
/// A size in the symbols of a kernel.
mlir::AffineExpr affineOf(const data::DimExpr &size, mlir::MLIRContext *context);
/// What a size is taken to be where it is not known, in estimates.
double typicalSize(const data::DimExpr &size);

} // namespace fovea::cpu

#endif // FOVEA_COMPILER_TARGET_CPU_SINGLEOP_H
