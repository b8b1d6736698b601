// Panels that are made at run time: of a right operand that is no weight, and of the queries of attention.
#ifndef FOVEA_COMPILER_LOWERING_PANEL_H
#define FOVEA_COMPILER_LOWERING_PANEL_H

#include "compiler/lowering/KernelCode.h"

namespace fovea::lowering {

/// `rows` are as many vectors as each has lanes, a power of two; the result's vector i holds lane i of each.
KernelCode::Values transposeBlock(KernelCode &c, KernelCode::Values rows);

/// A matrix B(k, n) in memory.
struct PanelSource {
  mlir::Value origin, kStride, nStride;
};

/// Writes B(k, n) for k < length and n < width, times `scale` if that is not null, to to[k * width + n]. `element` is
/// that of B, of which computedType is written. Columns from
/// `columns` (>= 1) on are filled with something finite if all of B is. Rows of B are read where it has unit stride
/// along n, blocks are turned where along k.
void packPanel(KernelCode &c, mlir::Type element, const PanelSource &from, mlir::Value length, mlir::Value columns,
               int64_t width, int64_t lanes, mlir::Value to, mlir::Value scale = {});

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_PANEL_H
