#include "compiler/lowering/Panel.h"

using namespace mlir;
using namespace fovea::lowering;
using Values = KernelCode::Values;

// log2(lanes) rounds of perfect shuffles: each moves one bit of the row number into the lane number.
Values fovea::lowering::transposeBlock(KernelCode &c, Values rows) {
  int64_t lanes = rows.size();
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < lanes / 2; ++i) {
    low.append({i, lanes + i});
    high.append({lanes / 2 + i, lanes + lanes / 2 + i});
  }
  for (int64_t round = 1; round < lanes; round *= 2) {
    Values next;
    for (int64_t i = 0; i < lanes / 2; ++i) {
      next.push_back(vector::ShuffleOp::create(c.b, c.loc, rows[i], rows[i + lanes / 2], low));
      next.push_back(vector::ShuffleOp::create(c.b, c.loc, rows[i], rows[i + lanes / 2], high));
    }
    rows = next;
  }
  return rows;
}

void fovea::lowering::packPanel(KernelCode &c, Type element, const PanelSource &from, Value length, Value columns,
                                int64_t width, int64_t lanes, Value to, Value scale) {
  VectorType type = c.vector(element, lanes);
  Type computed = computedType(element);
  Value factor = scale ? c.splat(c.vector(computed, lanes), scale) : Value();
  auto put = [&](Value v, Value k, int64_t column) {
    c.store(factor ? c.mulf(v, factor) : v, c.address(c.address(to, computed, c.mul(k, width)), computed, column));
  };
  Value zero = c.constant(0);
  bool unitN = KernelCode::known(from.nStride) == 1, unitK = KernelCode::known(from.kStride) == 1;
  // By rows of B, or lane by lane.
  auto byRows = [&](Value begin, Value end, int64_t firstColumn, int64_t lastColumn) {
    c.loop(begin, end, 1, [&](Value k) {
      Value row = c.address(from.origin, element, c.mul(k, from.kStride));
      for (int64_t column = firstColumn; column < lastColumn; column += lanes) {
        Value mask = c.lanesBelow(lanes, c.constant(column), columns);
        Value place = c.address(row, element, c.mul(from.nStride, column));
        put(unitN ? c.load(type, place, mask) : c.gather(type, place, from.nStride, mask), k, column);
      }
    });
  };
  if (!unitK)
    return byRows(zero, length, 0, width);
  Value whole = c.sub(length, c.rem(length, c.constant(lanes)));
  for (int64_t column = 0; column < width; column += lanes) {
    // Columns that do not exist repeat the last one.
    Values places;
    Value last = c.sub(columns, 1);
    for (int64_t i = 0; i < lanes; ++i)
      places.push_back(c.address(from.origin, element, c.mul(c.min(c.constant(column + i), last), from.nStride)));
    c.loop(zero, whole, lanes, [&](Value k) {
      Values rows;
      for (Value place : places)
        rows.push_back(c.load(type, c.address(place, element, k)));
      for (auto [i, v] : llvm::enumerate(transposeBlock(c, rows)))
        put(v, c.add(k, i), column);
    });
  }
  byRows(whole, length, 0, width);
}
