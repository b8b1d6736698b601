// What fovea-compile does, without its command line: from a model or a dump through the phases to whatever is to be
// written.
#ifndef FOVEA_COMPILER_TOOLS_DRIVER_H
#define FOVEA_COMPILER_TOOLS_DRIVER_H

#include "compiler/pipeline/Phases.h"
#include "dialects/data/DimExpr.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>
#include <vector>

namespace fovea {

/// Exit codes, the same for all of Fovea's tools.
enum ExitCode { kFine = 0, kInput = 1, kUnsupported = 2, kInternal = 3, kEnvironment = 4 };

/// The options of the command line, as text.
struct CompileRequest {
  std::string model, output, dumpFolder, from, to, emit = "artifact", externalData, explainFile;
  std::vector<std::string> targets{"cpu"}, cpus{"native"}, dims, variants{"portable", "cpu", "cooperative"}, lowerings,
      schedules, inserts, plugins;
  /// Operations whose refusals are errors; without names and with the flag set, all.
  bool requireFused = false;
  std::vector<std::string> fusedOperations;
  int64_t bindingBytes = 128 << 20; ///< of Vulkan devices
  bool timing = false, explain = false, dumpText = false;
  bool keepImported = false; ///< for a comparison with the reference evaluator
  bool keepPhases = false;   ///< the same after each phase
  std::string command;       ///< for the reproducer
};

/// The IR after a phase.
struct PhaseResult {
  std::string name;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

struct CompileOutcome {
  int code = kFine;
  std::string artifact;                       ///< empty unless one was written
  data::DimExpr flops;                        ///< of all entries, in the names of the dims
  std::shared_ptr<mlir::MLIRContext> context; ///< of `phases`
  CompileOptions options;
  std::vector<PhaseResult> phases; ///< before the first one, with keepImported; up to tile, with keepPhases
};

/// Compiles. Messages go to stderr as "fovea-compile: error: ...", one line each; what the user asked to see goes to
/// stdout.
CompileOutcome compile(const CompileRequest &request);

} // namespace fovea

#endif // FOVEA_COMPILER_TOOLS_DRIVER_H
