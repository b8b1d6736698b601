// The tile phase on the CPU; see ScheduleKernels.cpp.
#ifndef FOVEA_COMPILER_LOWERING_SCHEDULEKERNELS_H
#define FOVEA_COMPILER_LOWERING_SCHEDULEKERNELS_H

#include "compiler/lowering/Machine.h"
#include "compiler/lowering/ScheduleOverride.h"
#include "dialects/exec/Exec.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

namespace fovea::lowering {

/// How errors begin that are about what the command line asks for.
inline constexpr llvm::StringLiteral kLoweringError = "--lowering: ", kScheduleError = "--schedule: ";

/// What `--lowering=[OP=]NAME`, `--lowering=[OP=]-NAME` and `--schedule` ask for.
struct LoweringChoice {
  struct Rule {
    std::string op; ///< holds for kernels with this operation; empty for all
    std::string lowering;
  };
  std::vector<Rule> forced, forbidden;
  std::vector<ScheduleOverride> overrides; ///< of two for the same value the later one holds
  /// For a kernel with these operations; a contraction is linalg.matmul, however it is written.
  LoweringChoice of(const llvm::StringSet<> &ops) const;
  bool forces(llvm::StringRef name) const { return holds(forced, name); }
  bool forbids(llvm::StringRef name) const { return holds(forbidden, name); }

  /// Reads what follows `--lowering=`; false, with one line in `error`, if there is no such lowering.
  bool parse(llvm::StringRef text, std::string &error);

private:
  static bool holds(const std::vector<Rule> &rules, llvm::StringRef name) {
    return llvm::any_of(rules, [&](const Rule &rule) { return rule.lowering == name; });
  }
};

/// Gives every exec.kernel of the module its schedule, layouts and name, and turns the constants that kernels read into
/// exec.weight_data. Kernels of the same name are the same. `machineOf` says for which machine a kernel is scheduled.
mlir::LogicalResult scheduleKernels(mlir::ModuleOp module,
                                    const std::function<const Machine &(exec::KernelOp)> &machineOf,
                                    const LoweringChoice &choice);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_SCHEDULEKERNELS_H
