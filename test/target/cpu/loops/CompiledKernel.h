// Compiles one exec.kernel_def with the loops lowering and runs it on buffers.
#ifndef FOVEA_TEST_TARGET_CPU_LOOPS_COMPILEDKERNEL_H
#define FOVEA_TEST_TARGET_CPU_LOOPS_COMPILEDKERNEL_H

#include "compiler/target/cpu/Loops.h"
#include "runtime/include/fovea/abi.h"
#include "test/conversion/CompiledModule.h"

#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>
#include <vector>

namespace fovea::test {

/// A tensor argument: type in MLIR's syntax ("4x?xf32"), and where it has `?` its shape in the symbols ("(4, s0)").
struct Argument {
  std::string type, shape;
};

class CompiledKernel {
public:
  /// Inputs are %a0, %a1, ..., inits %o0, ..., symbols %s0, ... in `body`, which ends with exec.yield.
  CompiledKernel(const std::vector<Argument> &inputs, const std::vector<Argument> &inits, const std::string &body,
                 unsigned symbols = 0, const std::string &cpu = "native");
  /// Why the lowering does not take the kernel; empty if it does.
  const std::string &refusal() const { return reason; }
  /// Runs all stages; in ranges of `range` tasks, the last ones first, if that is not 0. Returns the fault word.
  int64_t run(const std::vector<void *> &buffers, const std::vector<int64_t> &symbols = {}, int64_t range = 0) const;
  double predicted() const { return nanoseconds; }
  size_t stageCount() const { return stages.size(); }
  const std::string &llvmText() const { return compiled->llvmText(); }

private:
  std::string reason;
  double nanoseconds = 0;
  mlir::SmallVector<cpu::Stage> stages;
  std::unique_ptr<CompiledModule> compiled;
};

} // namespace fovea::test

#endif // FOVEA_TEST_TARGET_CPU_LOOPS_COMPILEDKERNEL_H
