// Nests whose inputs and outputs are contiguous along different counters: square tiles are loaded along the one,
// transposed in registers and evaluated and stored along the other.
#include "compiler/lowering/LoopsCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// Transposes a square of vectors: each of log2(n) steps moves a bit of the row's number into the lane's.
static Values transpose(OpBuilder &b, Location loc, Values rows) {
  int64_t n = rows.size();
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < n / 2; ++i) {
    low.push_back(i), low.push_back(n + i);
    high.push_back(n / 2 + i), high.push_back(n + n / 2 + i);
  }
  for (int64_t step = 1; step < n; step *= 2) {
    Values next;
    for (int64_t i = 0; i < n / 2; ++i) {
      next.push_back(vector::ShuffleOp::create(b, loc, rows[i], rows[i + n / 2], low));
      next.push_back(vector::ShuffleOp::create(b, loc, rows[i], rows[i + n / 2], high));
    }
    rows = next;
  }
  return rows;
}

/// One tile at the point. `leftAcross` and `leftAlong`: how many rows and lanes exist; null: all.
void NestCode::emitTile(const Point &point, Value leftAcross, Value leftAlong) {
  int64_t width = shape.lanes;
  unsigned across = shape.across, lane = shape.lane;
  auto next = [&](const Point &p, unsigned counter, int64_t by) {
    return by ? p.at(counter, frame.add(p.base.at(counter), frame.constant(by))) : p.at(counter, p.base.at(counter));
  };
  auto exists = [&](Value left, int64_t i) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, left, frame.constant(i));
  };
  Value mask = leftAcross ? maskFor(width, leftAcross) : Value();
  SmallVector<Point> points;
  for (int64_t i = 0; i < width; ++i) {
    Point p = next(point, across, i);
    p.lanes = width, p.lane = lane;
    points.push_back(p);
  }
  for (Node *leaf : transposedLeaves(nest, across, lane)) {
    Values rows;
    for (int64_t i = 0; i < width; ++i) {
      Point p = next(point, lane, i);
      p.lanes = width, p.lane = across, p.mask = mask;
      if (leftAlong)
        p.guard = exists(leftAlong, i);
      rows.push_back(loadAt(*leaf, p));
    }
    for (auto [p, column] : llvm::zip(points, transpose(b, loc, rows)))
      (*p.done)[leaf] = {column};
  }
  Value lanesMask = leftAlong ? maskFor(width, leftAlong) : Value();
  for (auto [i, p] : llvm::enumerate(points)) {
    p.mask = lanesMask;
    if (leftAcross) {
      Value row = broadcastLanes(frame, exists(leftAcross, i), width);
      p.mask = p.mask ? binary("arith.andi", p.mask, row) : row;
      p.guard = exists(leftAcross, i);
    }
  }
  emitOutputs(points);
}

/// A row of tiles: shape.block values of the counter `across`, all of the lanes' one.
void NestCode::emitTransposed(const Point &point) {
  Value width = frame.constant(shape.lanes), zero = frame.constant(0);
  Point start = point;
  if (!start.base.count(shape.across) || !start.base[shape.across])
    start.base[shape.across] = zero;
  Value leftAcross = arith::SubIOp::create(b, loc, sizeOf(shape.across), start.base[shape.across]);
  frame.loop(zero, sizeOf(shape.lane), shape.lanes, {}, [&](Value i, ValueRange) {
    Point p = start.at(shape.lane, i);
    Value leftAlong = arith::SubIOp::create(b, loc, sizeOf(shape.lane), i);
    Value full = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge,
                                       arith::MinSIOp::create(b, loc, leftAcross, leftAlong), width);
    auto branch = scf::IfOp::create(b, loc, full, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(branch.thenBlock()->getTerminator());
    emitTile(p, Value(), Value());
    b.setInsertionPoint(branch.elseBlock()->getTerminator());
    // Counts that masks can hold.
    emitTile(p, arith::MinSIOp::create(b, loc, leftAcross, width), arith::MinSIOp::create(b, loc, leftAlong, width));
    return Values();
  });
}
