// A kernel around one matrix product, as the matmul lowering sees it: what its loops are, where its operands lie, what
// is done to the sums.
#ifndef FOVEA_COMPILER_LOWERING_MATMUL_H
#define FOVEA_COMPILER_LOWERING_MATMUL_H

#include "compiler/lowering/KernelCode.h"
#include "compiler/lowering/Lowering.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace fovea::lowering {

/// An operand as a linear function of loop indices: base[offset + sum of index[d] * strides[d]].
struct Access {
  mlir::BlockArgument base;
  data::DimExpr offset;
  llvm::SmallVector<data::DimExpr> strides;
};

/// What stands in its memory.
inline mlir::Type elementOf(const Access &access) {
  return llvm::cast<mlir::RankedTensorType>(access.base.getType()).getElementType();
}

/// Resolves the views between a tensor and an argument of the kernel; `map` takes the loops' indices to the tensor's.
/// Fails with a reason.
mlir::FailureOr<Access> accessOf(mlir::Value tensor, mlir::AffineMap map, data::DimAnalysis &dims, std::string &reason);

/// A result of the kernel and where it goes.
struct MatmulOutput {
  mlir::Value value;
  Access access; ///< in the dims of the product
};

/// out[batch, rows, n] = epilogue(sum over k of a[batch, rows, k] * w[batch, k, n]), and perhaps a normalisation of
/// each row of it.
struct MatmulForm {
  KernelView kernel;
  data::DimAnalysis dims;
  mlir::linalg::LinalgOp product;
  mlir::Type element;                     ///< of the sums: f32 or f64
  llvm::SmallVector<data::DimExpr> sizes; ///< of the dims of the product's result
  llvm::SmallVector<int64_t> batch, rows; ///< dims of the result, outermost first
  int64_t column = -1;                    ///< the dim of the result that runs along n, -1 if there is none (N = 1)
  data::DimExpr n, k;
  Access a, w;                ///< in the dims of the result, then k
  mlir::BlockArgument weight; ///< w, if it is a K x N matrix as an input, read as it is
  int64_t panel = 0;          ///< the weight lies in panels of so many columns (exec.panels); 0: where w says
  llvm::SmallVector<mlir::linalg::GenericOp> epilogue;
  llvm::SmallVector<llvm::SmallVector<Access>>
      operands; ///< of each operation of the epilogue; base is null for values computed before it
  mlir::Operation *norm = nullptr;
  llvm::SmallVector<MatmulOutput> outputs;

  explicit MatmulForm(const KernelView &kernel) : kernel(kernel) {}
  static mlir::FailureOr<std::unique_ptr<MatmulForm>> of(const KernelView &kernel, std::string &reason);

  data::DimExpr count(llvm::ArrayRef<int64_t> which) const;
  /// A weight that is read by the product alone and is known at compile time, or lies in panels already.
  bool mayPack() const;
  /// Columns of the panels that it is to lie in: the same for all machines, because a weight is stored once.
  int64_t panelWidth() const;
  /// Chooses panels if there may be any, but not for a single column, which they would only make longer.
  void packForShaders() { panel = mayPack() && !n.isConstant(1) ? panelWidth() : 0; }
  /// The layouts of the kernel's tensors: panels for the weight if there are to be any, else row-major.
  llvm::SmallVector<mlir::Attribute> layouts() const;
  /// True if every element of `input` is read for the last time before an element of `init` is written in its place.
  bool mayWriteOver(mlir::BlockArgument init, mlir::BlockArgument input) const;
  /// Elements that are computed and stored, and no more, if so: the sums may be written to the output directly.
  bool plain() const { return epilogue.empty() && !norm; }
};

/// The choices of a schedule, as they are printed: panel, kc, mc, block (rows of a task; 0: tasks are panels).
struct MatmulSchedule {
  int64_t panel = 0, kc = 0, mc = 0, block = 0;
  bool packed = false; ///< the weight lies in panels; otherwise panels are made at run time
  mlir::DictionaryAttr attributes(mlir::MLIRContext *context) const;
  static mlir::FailureOr<MatmulSchedule> of(mlir::DictionaryAttr attributes);
};

/// Bytes of workspace that a thread needs, and tasks.
mlir::AffineExpr matmulWorkspace(MatmulForm &form, const MatmulSchedule &schedule, const Machine &machine);
/// Writes the stage of a kernel.
mlir::FailureOr<llvm::SmallVector<Stage>> emitMatmul(exec::KernelDefOp kernel, MatmulForm &form,
                                                     const MatmulSchedule &schedule, const Machine &machine,
                                                     mlir::ModuleOp code);

/// For machines that run shaders: each invocation makes a tile of sums in registers.
std::unique_ptr<KernelLowering> createMatmulThreadsLowering();

/// For machines that run shaders: each workgroup makes a tile of sums, from tiles of the operands in shared memory.
std::unique_ptr<KernelLowering> createMatmulWorkgroupLowering();

/// For machines whose subgroups make products of f16 matrices together.
std::unique_ptr<KernelLowering> createMatmulCooperativeLowering();

/// The address of an operand for fixed indices of all dims but some.
class RowPlaces {
public:
  RowPlaces(StageFrame &frame, KernelCode &c, MatmulForm &form) : frame(frame), c(c), form(form) {}
  /// base + offset + the batch dims' part.
  mlir::Value origin(const Access &access, llvm::ArrayRef<mlir::Value> batchIndices);
  /// Elements from there to row `m`.
  mlir::Value row(const Access &access, mlir::Value m);
  /// Elements from w's origin to column `n`, and from one k to the next. In panels there are columns up to a multiple
  /// of the panel's width.
  mlir::Value column(mlir::Value n);
  mlir::Value step();
  /// The index of each row dim in row m.
  llvm::SmallVector<mlir::Value> indices(llvm::ArrayRef<int64_t> which, mlir::Value m);

private:
  StageFrame &frame;
  KernelCode &c;
  MatmulForm &form;
};

/// What happens to a tile of sums, or to a finished row.
class MatmulEpilogue {
public:
  MatmulEpilogue(StageFrame &frame, KernelCode &c, MatmulForm &form)
      : frame(frame), c(c), form(form), places(frame, c, form) {}
  /// Rows m0 .. m0 + rows of the columns from n0 on: `vectors` of them; sums at `sums`, `sumStep` elements a row.
  /// Writes the outputs, or with a normalisation to come the values to be normalised back to `sums`.
  void tile(llvm::ArrayRef<mlir::Value> batchIndices, mlir::Value m0, mlir::Value rows, mlir::Value n0, int64_t vectors,
            int64_t lanes, mlir::Value sums, mlir::Value sumStep);
  /// Normalises `rows` rows at `values`.
  void normalize(llvm::ArrayRef<mlir::Value> batchIndices, mlir::Value m0, mlir::Value rows, int64_t lanes,
                 mlir::Value values, mlir::Value step);

  struct Columns {
    mlir::Value from, mask;
    int64_t lanes;
  };
  /// What follows one vector of sums: row `m`, those columns. Writes the outputs that are not normalised; returns the
  /// values to be normalised, if there are such.
  mlir::Value finish(llvm::ArrayRef<mlir::Value> batchIndices, mlir::Value m, mlir::Value sums, const Columns &columns);

private:
  mlir::Value read(const Access &access, mlir::Value row, mlir::Type element, const Columns &columns);
  void write(const Access &access, mlir::Value row, mlir::Value value, const Columns &columns);
  mlir::Value rowOf(const Access &access, llvm::ArrayRef<mlir::Value> batchIndices, mlir::Value m);
  mlir::Value reduceRow(mlir::Value row, int64_t lanes, llvm::function_ref<mlir::Value(mlir::Value)> term);

  StageFrame &frame;
  KernelCode &c;
  MatmulForm &form;
  RowPlaces places;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_MATMUL_H
