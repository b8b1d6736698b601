// Which results of a kernel may be written over which of its inputs.
//
// That is safe if each element of the input is read for the last time before the element of the result that lies in
// its place is written, whichever thread runs which task when. What the code of a lowering reads and writes in which
// order only that lowering knows; what holds for all of them is asked here.
#ifndef FOVEA_COMPILER_LOWERING_INPLACE_H
#define FOVEA_COMPILER_LOWERING_INPLACE_H

#include "compiler/lowering/Lowering.h"

namespace fovea::lowering {

/// Inputs whose elements are read at places that are computed: by lookups in bodies and where scalars are made.
llvm::DenseSet<mlir::Value> lookedUpInputs(const KernelView &kernel, data::DimAnalysis &dims);

/// Numbers of inits and inputs of the same bytes, of which `mayWriteOver(init, input)` says that it is safe.
llvm::SmallVector<std::pair<unsigned, unsigned>>
aliasesOf(const KernelView &kernel,
          llvm::function_ref<bool(mlir::BlockArgument init, mlir::BlockArgument input)> mayWriteOver);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_INPLACE_H
