// A kernel that is one operation, the views of its operands and nothing else.
#ifndef FOVEA_COMPILER_LOWERING_SINGLEOP_H
#define FOVEA_COMPILER_LOWERING_SINGLEOP_H

#include "compiler/lowering/Attention.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/View.h"

namespace fovea::lowering {

class SingleOp {
public:
  /// `op` is null, with a reason, if the kernel is not one operation of this kind.
  SingleOp(const KernelView &kernel, llvm::StringRef name, std::string &reason);
  explicit operator bool() const { return op; }

  /// Where an operand or a result lies, in its own dims, which have these sizes: what is not known to be so is checked
  /// when the kernel runs. No access is given for a null operand.
  mlir::LogicalResult operand(mlir::Value tensor, llvm::ArrayRef<data::DimExpr> sizes, std::optional<Access> &access,
                              std::string &reason);
  mlir::LogicalResult operand(mlir::Value tensor, llvm::ArrayRef<data::DimExpr> sizes, Access &access,
                              std::string &reason);
  mlir::LogicalResult result(mlir::Value tensor, mlir::Value init, llvm::ArrayRef<data::DimExpr> sizes, Access &access,
                             std::string &reason);
  /// The same of a result whose last dim is written element after element.
  mlir::LogicalResult contiguousResult(mlir::Value tensor, mlir::Value init, llvm::ArrayRef<data::DimExpr> sizes,
                                       Access &access, std::string &reason);
  void expectEqual(const data::DimExpr &a, const data::DimExpr &b);
  void expectAtMost(const data::DimExpr &a, const data::DimExpr &b);

  /// Whether the result lies, element by element, where this operand would, which is read nowhere else.
  static bool coincide(const Access &result, const Access &operand, mlir::Value tensor, mlir::Operation *op);

  /// The aliases of an operation whose new state may be written over the old one, if there is one.
  llvm::SmallVector<std::pair<unsigned, unsigned>>
  stateAliases(const Access &newState, const std::optional<Access> &state, mlir::Value tensor) const;

  /// The end of a stage's tasks: its begin, with a fault, if sizes do not fit each other.
  mlir::Value checkedEnd(StageFrame &frame, KernelCode &c) const;
  /// A size in the kernel's symbols.
  mlir::AffineExpr inSymbols(const data::DimExpr &size) const { return affineOf(size, op->getContext()); }
  /// A stage without workspace that does `write` for each task; none, and a fault, if sizes do not fit each other.
  using Write = llvm::function_ref<void(StageFrame &frame, KernelCode &c, mlir::Value task)>;
  Stage stage(exec::KernelDefOp kernel, const Machine &machine, mlir::ModuleOp code, const data::DimExpr &tasks,
              Write write, llvm::StringRef suffix = "") const;
  /// A schedule without choices, all tensors row-major.
  Schedule schedule(double nanoseconds) const;

  KernelView kernel;
  data::DimAnalysis dims;
  mlir::Operation *op = nullptr;

private:
  void expectSizes(mlir::Value tensor, llvm::ArrayRef<data::DimExpr> sizes);
  /// Sizes that only the run can compare: a == b, or a <= b.
  struct Check {
    data::DimExpr a, b;
    bool atMost;
  };
  llvm::SmallVector<Check> checks;
};

/// The index of a task in a space of these sizes, row-major.
KernelCode::Values indexOfTask(StageFrame &frame, KernelCode &c, mlir::Value task, llvm::ArrayRef<data::DimExpr> sizes);
data::DimExpr productOf(llvm::ArrayRef<data::DimExpr> sizes);
/// What a size, or the product of sizes, is taken to be where it is not known, in estimates.
double typicalSize(const data::DimExpr &size);
double typicalSize(llvm::ArrayRef<data::DimExpr> sizes);

/// A vector of the elements from column `j` on of the row at `row`, whose dim has this stride.
mlir::Value loadColumns(StageFrame &frame, KernelCode &c, mlir::VectorType type, mlir::Value row, mlir::Value j,
                        const data::DimExpr &stride, mlir::Value mask);
/// An index that is an i64 or a shorter integer in memory.
mlir::Value loadIndex(StageFrame &frame, KernelCode &c, const Access &access, llvm::ArrayRef<mlir::Value> indices);
/// Copies what stands at `source` to `target`, in the dims of this shape from `dim` on. Elements are moved as they are,
/// whatever their type.
void copyElements(StageFrame &frame, KernelCode &c, const Access &from, mlir::Value source, const Access &to,
                  mlir::Value target, llvm::ArrayRef<data::DimExpr> shape, unsigned dim);
/// Whether two tensors have one buffer in this run.
mlir::Value sameMemory(StageFrame &frame, KernelCode &c, const Access &a, const Access &b);
/// A float or a vector of floats of the type `element`, from or to a wider or narrower one.
mlir::Value convertFloat(KernelCode &c, mlir::Value x, mlir::Type element);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_SINGLEOP_H
