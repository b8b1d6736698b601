// The report of a compile: what became of each node, and what was refused on the way.
#ifndef FOVEA_COMPILER_PIPELINE_EXPLAIN_H
#define FOVEA_COMPILER_PIPELINE_EXPLAIN_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

#include <string>
#include <vector>

namespace fovea {

/// A refusal to raise, fuse or tile something.
struct MissedRemark {
  std::string phase, node, reason;
};

/// The node of the source model that a location names; "?" if none.
std::string nodeOf(mlir::Location location);

/// Nodes of the source that are attention: operators of that name, and those raised to it.
std::vector<std::string> attentionNodes(mlir::ModuleOp module);

/// The report as JSON: kernels in program order (of a planned module), attention nodes with their kernels, totals,
/// missed remarks in groups.
llvm::json::Object explain(mlir::ModuleOp module, llvm::ArrayRef<std::string> attention,
                           llvm::ArrayRef<MissedRemark> missed);
/// The same for people.
std::string explainText(const llvm::json::Object &report);

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_EXPLAIN_H
