// The passes over graphs and kernels; Passes.td describes each.
#ifndef FOVEA_COMPILER_TRANSFORMS_PASSES_H
#define FOVEA_COMPILER_TRANSFORMS_PASSES_H

#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"
#include "dialects/data/DimExpr.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"

namespace fovea {
#define GEN_PASS_DECL
#include "compiler/transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/transforms/Passes.h.inc"

/// A linalg.generic that reads a transpose reads its source through a permuted map.
void addTransposeFolding(mlir::RewritePatternSet &patterns);
/// Reshapes of dims of size 1, concatenations and lookups at loop indices become index maps of what reads them.
void addOperandFolding(mlir::RewritePatternSet &patterns);
/// Elementwise operations, products with weights and normalisations work on tensors without dims of size 1.
void addUnitDimDropping(mlir::RewritePatternSet &patterns);
} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_PASSES_H
