// The graph of a module in Graphviz's language.
#ifndef FOVEA_COMPILER_PIPELINE_DOT_H
#define FOVEA_COMPILER_PIPELINE_DOT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace fovea {

/// One node for each operation, kernels as clusters; after the plan phase one node for each dispatch. Edges carry
/// shapes.
void writeDot(mlir::ModuleOp module, llvm::raw_ostream &stream);

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_DOT_H
