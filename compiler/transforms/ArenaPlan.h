// Which tensors between the kernels of a function share memory.
#ifndef FOVEA_COMPILER_TRANSFORMS_ARENAPLAN_H
#define FOVEA_COMPILER_TRANSFORMS_ARENAPLAN_H

#include "dialects/data/DimExpr.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

namespace fovea {

/// Buffers whose lifetimes do not overlap share a slot of the arena; a slot is as large as the largest of them. Slots
/// are assigned largest first (Pisarchyk and Lee 2020, greedy by size, over slots instead of addresses, so that it
/// works for symbolic sizes too). A result takes the place of an input that is read there for the last time, where the
/// kernel's aliases allow for that.
class ArenaPlan {
public:
  static constexpr int64_t kAlignment = 256; // what Vulkan devices ask for at most; a CPU's vectors need 64

  ArenaPlan(mlir::func::FuncOp function, data::DimAnalysis &dims);
  /// In the order of the function.
  llvm::ArrayRef<exec::KernelOp> kernels() const { return allKernels; }
  /// Bytes of what lies in each slot, each size once.
  const std::vector<std::vector<data::DimExpr>> &slotSizes() const { return sizes; }
  /// The result of the program that a tensor is, if it is one.
  std::optional<unsigned> outputOf(mlir::Value base) const;
  /// The argument of the program that one of its results may be written over, if the caller gives both the same memory:
  /// the kernel that makes the result allows for it, and nothing reads the argument afterwards. An argument is under
  /// one result at most.
  std::optional<unsigned> inputUnder(unsigned output) const;
  /// Of a result of a kernel that is no result of the program.
  unsigned slotOf(mlir::Value base) const { return buffers.find(base)->second.slot; }
  /// Leaves the plan readable on the program: name, size, offset and lifetime of each buffer, which one it is written
  /// over, and the arena's size, as expressions in the dims.
  void describe(exec::ProgramOp program) const;

private:
  struct Buffer {
    mlir::Value tensor;
    data::DimExpr bytes;
    int64_t typicalBytes;
    unsigned first, last; ///< numbers of the kernels that write it first and read it last
    unsigned slot = 0;
    const Buffer *over = nullptr; ///< what it is written over
  };
  bool replaces(const Buffer &result, const Buffer &input) const;
  void assignSlots();
  void findInputsUnder(mlir::Block &block);

  llvm::SmallVector<exec::KernelOp> allKernels;
  llvm::MapVector<mlir::Value, Buffer> buffers;
  llvm::DenseMap<mlir::Value, unsigned> outputs; ///< kernels' results that are results of the program
  llvm::DenseMap<unsigned, unsigned> inputsUnder;
  std::vector<std::vector<data::DimExpr>> sizes;
};

/// The tensor that a reshaped one is, in memory.
mlir::Value baseOf(mlir::Value tensor);

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_ARENAPLAN_H
