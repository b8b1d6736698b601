// The register tile: rows x (vectors * lanes) sums of products kept in registers over a loop along k. All of the time
// of a matrix product and most of that of attention is spent here.
//
// A is read by scalar loads and broadcasts from wherever its rows lie, B by vector loads; no operand of A is ever
// packed. With at most 9 rows LLVM keeps everything in registers although the rows' addresses are not known before run
// time (measured: 12 and more rows spill).
#ifndef FOVEA_COMPILER_LOWERING_MICROKERNEL_H
#define FOVEA_COMPILER_LOWERING_MICROKERNEL_H

#include "compiler/lowering/KernelCode.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace fovea::lowering {

struct TileShape {
  mlir::Type element; ///< of the sums and of A
  int64_t lanes, rows, vectors;
  mlir::Type right = element; ///< of B, which may be narrower
};

struct TileOperands {
  llvm::SmallVector<mlir::Value> a; ///< address of A(row, 0), for each row
  mlir::Value aStep;                ///< elements from A(row, k) to A(row, k + 1)
  mlir::Value b;                    ///< address of B(0, 0)
  mlir::Value bStep;                ///< elements from B(k, 0) to B(k + 1, 0)
  mlir::Value mask;                 ///< lanes of the last vector of B that may be read; null: all
  mlir::Value length;               ///< values of k
  mlir::Value prefetch;             ///< if not null: memory to be fetched meanwhile,
  int64_t prefetchLines = 0;        ///< that many lines in every 4 steps of k
};

/// The sums, row by row, starting from `sums`.
KernelCode::Values emitTile(KernelCode &c, const TileShape &tile, const TileOperands &operands,
                            KernelCode::Values sums);

/// Tiles that suit the registers: vectors is a divisor of `panelVectors`.
TileShape tileFor(const Machine &machine, mlir::Type element, int64_t panelVectors);

/// A function (a, aOffset, aStep, b, bStep, length, c, cStep, resume, prefetch) for one tile, shared by the kernels of
/// a module. `a` is a table of row addresses, to each of which aOffset elements are added; the sums are written to c,
/// and with `resume` go on from what is there.
struct TileFunction {
  TileShape tile;
  int64_t prefetchLines;
  int64_t aStep, bStep; ///< 0: given at run time
  bool fetchSums;       ///< c is far away: its lines are asked for before the sums are computed
};
mlir::func::FuncOp tileFunction(mlir::ModuleOp code, const Machine &machine, const TileFunction &what);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_MICROKERNEL_H
