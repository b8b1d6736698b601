#include "compiler/lowering/KeyParts.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

KeyParts::KeyParts(const DimExpr &rows, const DimExpr &columns, Type type, int64_t count)
    : count(count), bytes((rows * DimExpr(count) * columns + rows * DimExpr(2 * count)) * DimExpr(bytesOf(type))),
      rows(rows), columns(columns), type(type) {}

int64_t KeyParts::suitable(int64_t rows, std::optional<int64_t> keys) {
  constexpr int64_t kTasks = 64, kMostParts = 16, kLeastKeys = 256;
  int64_t most = keys.value_or(kMostParts * kLeastKeys) / kLeastKeys;
  return std::max<int64_t>(1, std::min({kMostParts, kTasks / std::max<int64_t>(1, rows), most}));
}

KeyParts::Places KeyParts::places(StageFrame &frame, KernelCode &c, BlockArgument memory, Value row, Value part) const {
  Value number = c.add(c.mul(row, count), part), base = frame.buffer(memory);
  DimExpr maxima = rows * DimExpr(count) * columns, sums = maxima + rows * DimExpr(count);
  auto at = [&](Value element) { return c.address(base, type, element); };
  return {at(c.mul(number, frame.size(columns))), at(c.add(frame.size(maxima), number)),
          at(c.add(frame.size(sums), number))};
}

LogicalResult KeyParts::verify(exec::KernelDefOp kernel, BlockArgument memory, data::DimAnalysis &dims) const {
  if (getElementTypeOrSelf(memory.getType()).isInteger(8) && dims.get(memory, 0) == bytes)
    return success();
  return kernel.emitError("expected ") << bytes.str() << " bytes of scratch memory for " << count << " parts";
}
