// Kernels of the loops lowering, written as a body and the types of what it reads and writes.
#ifndef FOVEA_TEST_TARGET_CPU_LOOPS_LOOPSKERNEL_H
#define FOVEA_TEST_TARGET_CPU_LOOPS_LOOPSKERNEL_H

#include "test/target/cpu/KernelHarness.h"

namespace fovea::test {

/// A tensor argument: type in MLIR's syntax ("4x?xf32"), and where it has `?` its shape in the symbols ("(4, s0)").
struct Argument {
  std::string type, shape;
};

class LoopsKernel {
public:
  /// Inputs are %a0, %a1, ..., inits %o0, ..., symbols %s0, ... in `body`, which ends with exec.yield.
  LoopsKernel(const std::vector<Argument> &inputs, const std::vector<Argument> &inits, const std::string &body,
              unsigned symbols = 0, const std::string &cpu = "native");
  /// Why there is no code; empty if there is.
  const std::string &refusal() const { return reason; }
  /// Runs all stages, each in `pieces` calls; returns the fault word.
  int64_t run(const std::vector<void *> &buffers, const std::vector<int64_t> &symbols = {}, int64_t pieces = 1) const;
  size_t stageCount() const { return kernel->stageCount(); }

private:
  std::string reason;
  std::unique_ptr<lowering::LoadedKernel> kernel;
};

} // namespace fovea::test

#endif // FOVEA_TEST_TARGET_CPU_LOOPS_LOOPSKERNEL_H
