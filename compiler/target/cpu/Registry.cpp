#include "compiler/target/cpu/Lowering.h"

using namespace fovea::cpu;

namespace {
struct Registry {
  std::vector<std::unique_ptr<KernelLowering>> owned;
  std::vector<const KernelLowering *> all;

  void add(std::unique_ptr<KernelLowering> lowering) {
    all.push_back(lowering.get());
    owned.push_back(std::move(lowering));
  }
  Registry() {
    add(createMatmulLowering());
    add(createAttentionLowering());
    add(createAttentionGeneralLowering());
    add(createMatchingLowering());
    add(createLoopsLowering());
  }
};
} // namespace

/// Fovea's own first, then those of plugins.
static Registry &registry() {
  static Registry registry;
  return registry;
}

void fovea::cpu::registerKernelLowering(std::unique_ptr<KernelLowering> lowering) {
  registry().add(std::move(lowering));
}

llvm::ArrayRef<const KernelLowering *> fovea::cpu::kernelLowerings() { return registry().all; }
