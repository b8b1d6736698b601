// The general kernel lowering: loop nests over expression trees.
#ifndef FOVEA_COMPILER_LOWERING_LOOPS_H
#define FOVEA_COMPILER_LOWERING_LOOPS_H

#include "compiler/lowering/Lowering.h"

namespace fovea::lowering {

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

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_LOOPS_H
