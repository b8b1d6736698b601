#include "compiler/target/cpu/Lowering.h"

using namespace fovea::cpu;

static std::vector<std::unique_ptr<KernelLowering>> &owned() {
  static std::vector<std::unique_ptr<KernelLowering>> lowerings;
  return lowerings;
}

static std::vector<const KernelLowering *> &all() {
  static std::vector<const KernelLowering *> lowerings;
  return lowerings;
}

void fovea::cpu::registerKernelLowering(std::unique_ptr<KernelLowering> lowering) {
  all().push_back(lowering.get());
  owned().push_back(std::move(lowering));
}

llvm::ArrayRef<const KernelLowering *> fovea::cpu::kernelLowerings() {
  static bool once = [] {
    registerKernelLowering(createMatmulLowering());
    registerKernelLowering(createAttentionLowering());
    registerKernelLowering(createAttentionGeneralLowering());
    registerKernelLowering(createMatchingLowering());
    registerKernelLowering(createLoopsLowering());
    return true;
  }();
  (void)once;
  return all();
}
