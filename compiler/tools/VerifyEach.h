// `--verify-each=reference`: whether each phase leaves the numbers as they are.
#ifndef FOVEA_COMPILER_TOOLS_VERIFYEACH_H
#define FOVEA_COMPILER_TOOLS_VERIFYEACH_H

#include "compiler/tools/Driver.h"
#include "tools/Comparison.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace fovea {

/// What the reference evaluator makes of a function at the inputs in question, under the outputs' names; throws
/// tools::Failure.
using EvaluateFunction = llvm::function_ref<npy::Arrays(mlir::func::FuncOp)>;

/// Holds the results after each phase that `outcome` keeps against those of the imported model. Prints the comparison
/// of the first phase that changes them and an error that names it and, where it is made of passes, the first pass that
/// does. The exit code: 3 then.
int verifyPhases(const CompileOutcome &outcome, const npy::Arrays &expected, EvaluateFunction evaluate,
                 const tools::Tolerance &tolerance);

} // namespace fovea

#endif // FOVEA_COMPILER_TOOLS_VERIFYEACH_H
