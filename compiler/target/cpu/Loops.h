// The general kernel lowering: loop nests over expression trees.
#ifndef FOVEA_COMPILER_TARGET_CPU_LOOPS_H
#define FOVEA_COMPILER_TARGET_CPU_LOOPS_H

#include "compiler/target/cpu/Lowering.h"

namespace fovea::cpu {

/// Takes kernels of linalg operations, row operations of attn, data movement and views. Each result that is not
/// elementwise in another one's loops is a stage. Schedule: kind = "loops", lanes = elements of a vector.
class LoopsLowering final : public KernelLowering {
public:
  llvm::StringRef name() const override { return "loops"; }
  bool isFor(const Machine &) const override { return true; }
  mlir::FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, mlir::DictionaryAttr requested,
                                 std::string &reason) const override;
  mlir::FailureOr<llvm::SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine,
                                                 mlir::ModuleOp code) const override;
  llvm::SmallVector<Traffic> traffic(const KernelView &kernel) const override;
};

} // namespace fovea::cpu

#endif // FOVEA_COMPILER_TARGET_CPU_LOOPS_H
