// How a kernel becomes code: the interface of kernel lowerings, and the frame in which each writes its stages.
#ifndef FOVEA_COMPILER_LOWERING_LOWERING_H
#define FOVEA_COMPILER_LOWERING_LOWERING_H

#include "compiler/lowering/Machine.h"
#include "dialects/data/DimExpr.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <functional>
#include <memory>

namespace fovea::lowering {

/// What kernels inside of a program (exec.kernel) and outlined ones (exec.kernel_def) have in common.
struct KernelView {
  mlir::Operation *op;
  mlir::Block *body;
  unsigned symbols, inits;
  mlir::ArrayAttr shapes, layouts; ///< layouts may be null before the tile phase
  explicit KernelView(exec::KernelOp kernel);
  explicit KernelView(exec::KernelDefOp kernel);
  mlir::Block::BlockArgListType tensors() const { return body->getArguments().drop_front(symbols); }
  mlir::Block::BlockArgListType inputs() const { return tensors().drop_back(inits); }
  mlir::Block::BlockArgListType outputs() const { return tensors().take_back(inits); }
  /// The init that receives operand `operand` of the terminator.
  mlir::BlockArgument initOf(mlir::OpOperand &operand) const { return outputs()[operand.getOperandNumber()]; }
};

/// A choice for one kernel: how it is to be run, which layouts it wants, and what that is expected to take.
struct Schedule {
  /// Printable and overridable: kind = the lowering's name, and its choices. All that code depends on of the machines
  /// that run shaders stands here: a kernel that is scheduled alike for two of them is one.
  mlir::DictionaryAttr attributes;
  llvm::SmallVector<mlir::Attribute> layouts; ///< one for each input and init
  /// Inits and inputs, by number, that may be the same memory; see InPlace.h.
  llvm::SmallVector<std::pair<unsigned, unsigned>> aliases;
  double nanoseconds = 0;        ///< predicted, one thread, symbolic dims at typical sizes
  mlir::AffineExpr scratchBytes; ///< memory that all stages share, in the kernel's symbols: one more init, at the end
};

/// One parallel loop of a kernel: `function` is a func.func in the code module with the signature of fovea_kernel_fn.
struct Stage {
  std::string function;
  mlir::AffineExpr tasks;          ///< in the kernel's symbols
  mlir::AffineExpr workspaceBytes; ///< a thread, in the kernel's symbols
  int64_t grain = 1;
};

/// On the function of a stage for shaders: that many invocations, a workgroup, do a task together, and gpu.thread_id
/// says which one it is. Without it each invocation does one. They meet at gpu.barrier, which all of them have to reach
/// or none, and see there what each of them has written; see Workgroup.h.
inline constexpr llvm::StringLiteral kGroupSizeAttr = "fovea.group_size";
/// Memory that the invocations of a workgroup share is an llvm.alloca of words (i32) in this address space; in all no
/// more than that many. With that alignment, in bytes, it is one of vectors of four words.
inline constexpr unsigned kSharedAddressSpace = 3, kMostSharedWords = (16 << 10) / 4, kByFourAlignment = 16;

/// On the same function: the subgroups of its workgroups have that many invocations.
inline constexpr llvm::StringLiteral kSubgroupSizeAttr = "fovea.subgroup_size";
/// On the same function: how many windows of so many bytes each tensor of the kernel is bound in. One window is all of
/// it.
inline constexpr llvm::StringLiteral kWindowsAttr = "fovea.windows", kWindowBytesAttr = "fovea.window_bytes";
/// In the schedule of a kernel with tensors of more bytes than that: they are to be bound in windows.
inline constexpr llvm::StringLiteral kBindingBytesKey = "binding_bytes";
/// How many windows a tensor of a kernel takes; 1 where its size is not known.
int64_t windowsOf(mlir::Value tensor, mlir::Attribute layout, int64_t windowBytes);
bool needsWindows(const KernelView &kernel, llvm::ArrayRef<mlir::Attribute> layouts, int64_t windowBytes);

/// On a gpu.subgroup_broadcast of an index in such a function: a bound of it.
inline constexpr llvm::StringLiteral kBelowAttr = "fovea.below";

/// Elements of a tensor of a kernel that a stage reads or writes, each counted once.
struct Traffic {
  mlir::BlockArgument tensor; ///< an input or an init
  data::DimExpr elements;     ///< in the kernel's symbols
};

/// A way to lower some kernels. Of those that are applicable the one with the lowest predicted time is taken.
class KernelLowering {
public:
  virtual ~KernelLowering() = default;
  virtual llvm::StringRef name() const = 0;
  /// Whether its code is for such a machine. What takes tasks one by one and asks the machine for its lanes is for all.
  virtual bool isFor(const Machine &machine) const { return !machine.shaders; }
  /// The schedule for a kernel, or failure if this lowering cannot do it; then `reason` says why in a clause.
  /// `requested` (may be null) fixes some of the schedule's attributes, of the types that they have without it; what is
  /// not fixed is chosen to suit, and a value with which there is no valid code is refused.
  virtual mlir::FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine,
                                         mlir::DictionaryAttr requested, std::string &reason) const = 0;
  /// Writes the stages of a kernel planned by this lowering into the module `code`; their names start with the kernel's
  /// name.
  virtual mlir::FailureOr<llvm::SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine,
                                                         mlir::ModuleOp code) const = 0;
  /// What the stages of such a kernel access. Of a lowering that does not say: every input and init whole, once.
  virtual llvm::SmallVector<Traffic> traffic(const KernelView &kernel) const;
};

/// Takes an integer of the schedule from `requested`, where it is there: from `least` to `most`, a multiple of `step`.
/// False with a reason for any other.
bool takeRequested(mlir::DictionaryAttr requested, llvm::StringRef name, int64_t least, int64_t most, int64_t step,
                   int64_t &value, std::string &reason);

/// A size in the symbols of a kernel.
mlir::AffineExpr affineOf(const data::DimExpr &size, mlir::MLIRContext *context);

/// All lowerings, in the order of their registration.
llvm::ArrayRef<const KernelLowering *> kernelLowerings();
/// Adds one. If another has its name it is not added, and the name is kept for `takenLoweringNames`.
void registerKernelLowering(std::unique_ptr<KernelLowering> lowering);
/// Names that were registered a second time since the process started.
llvm::ArrayRef<std::string> takenLoweringNames();
/// Fovea's own.
std::unique_ptr<KernelLowering> createMatmulLowering();
std::unique_ptr<KernelLowering> createAttentionLowering();
std::unique_ptr<KernelLowering> createAttentionGeneralLowering();
std::unique_ptr<KernelLowering> createMatchingLowering();
std::unique_ptr<KernelLowering> createTopKLowering();
std::unique_ptr<KernelLowering> createScatterLowering();
std::unique_ptr<KernelLowering> createLinearAttentionLowering();
std::unique_ptr<KernelLowering> createCausalConvLowering();
std::unique_ptr<KernelLowering> createCacheAppendLowering();
std::unique_ptr<KernelLowering> createPagedAppendLowering();
std::unique_ptr<KernelLowering> createPagedAttentionLowering();
std::unique_ptr<KernelLowering> createLoopsLowering();

/// The function of one stage while it is being written. All integers are i64, all addresses !llvm.ptr; loops are
/// scf.for over i64.
class StageFrame {
public:
  StageFrame(const KernelView &kernel, mlir::ModuleOp code, llvm::StringRef function);
  /// Ends the function; to be called once.
  void finish();

  mlir::OpBuilder &builder() { return b; }
  mlir::Location loc() const { return location; }
  mlir::Value begin() { return function.getArgument(1); }
  mlir::Value end() { return function.getArgument(2); }
  mlir::Value workspace() { return function.getArgument(3); }
  /// The address of a tensor argument's buffer.
  mlir::Value buffer(mlir::BlockArgument argument);
  /// The address of the fault word.
  mlir::Value fault();
  /// What to store there: the number of the node that the kernel comes from.
  int64_t faultNumber() const;
  /// A symbol of the kernel, as i64.
  mlir::Value symbol(unsigned index);
  /// A size or stride in the kernel's symbols, as i64; computed once, at the start of the function.
  mlir::Value size(const data::DimExpr &expr);
  mlir::Value constant(int64_t value);
  data::DimAnalysis &dims() { return analysis; }

  /// Of a stage for shaders: its tasks are done by workgroups of so many invocations.
  void setGroupSize(int64_t invocations);
  /// The address of so many 32-bit words that the invocations of a workgroup share. They hold nothing at first. Only
  /// `byFour` four floats from a multiple of four words on are one load or store.
  mlir::Value sharedMemory(int64_t words, bool byFour = false);

  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  /// The address `elements` elements after `pointer`.
  mlir::Value address(mlir::Value pointer, mlir::Type element, mlir::Value elements);
  mlir::Value address(mlir::Value pointer, mlir::Type element, int64_t elements);
  mlir::Value load(mlir::Type type, mlir::Value pointer, unsigned alignment = 0);
  void store(mlir::Value value, mlir::Value pointer, unsigned alignment = 0);
  /// for (i = from; i < to; i += step) carrying `state`; the body returns the next state.
  using Body = std::function<llvm::SmallVector<mlir::Value>(mlir::Value i, mlir::ValueRange state)>;
  llvm::SmallVector<mlir::Value> loop(mlir::Value from, mlir::Value to, int64_t step, mlir::ValueRange state,
                                      const Body &body);

private:
  KernelView kernel;
  mlir::OpBuilder b;
  mlir::Location location;
  mlir::func::FuncOp function;
  data::DimAnalysis analysis;
  mlir::Operation *prologueEnd = nullptr; ///< sizes are computed before this operation
  std::vector<std::pair<data::DimExpr, mlir::Value>> sizes;
  llvm::DenseMap<unsigned, mlir::Value> symbols, buffers;
  mlir::Value faultAddress;
};

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_LOWERING_H
