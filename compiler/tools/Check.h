// `--check`: what was compiled, run and compared with given outputs or with what the reference evaluator makes of the
// imported model.
#ifndef FOVEA_COMPILER_TOOLS_CHECK_H
#define FOVEA_COMPILER_TOOLS_CHECK_H

#include "compiler/tools/Driver.h"
#include "tools/Comparison.h"

#include <string>

namespace fovea {

struct CheckRequest {
  std::string inputs;   ///< npz; empty for random ones
  std::string expected; ///< npz; empty for the reference evaluator
  tools::Tolerance tolerance;
  bool phases = false; ///< the IR after each phase that was kept, too
};

/// Prints a line for each output. The exit code where they differ: 3 from the reference evaluation (the compiler is
/// wrong), 1 from given outputs.
int checkArtifact(const CheckRequest &request, CompileOutcome &outcome);

} // namespace fovea

#endif // FOVEA_COMPILER_TOOLS_CHECK_H
