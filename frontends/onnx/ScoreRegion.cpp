#include "frontends/onnx/ScoreRegion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

Capture fovea::frontend::captureOf(Importer &im, Value tensor, ArrayRef<DimExpr> space) {
  Value settled = im.settle(tensor, space);
  return {settled, im.broadcastMap(settled, space)};
}

ScoreRegion::ScoreRegion(Importer &im, attn::AttentionOp op) : guard(im.b), b(im.b), loc(im.loc) {
  SmallVector<Type> types{op.getScoreType()};
  types.append(4, b.getIndexType());
  for (Value capture : op.getCaptures())
    types.push_back(im.elementType(capture));
  block = b.createBlock(&op.getScore(), {}, types, SmallVector<Location>(types.size(), loc));
  score = block->getArgument(0);
}

void ScoreRegion::cap(double most) {
  Value bound = arith::ConstantOp::create(b, loc, b.getFloatAttr(score.getType(), most));
  Value ratio = arith::DivFOp::create(b, loc, score, bound);
  score = arith::MulFOp::create(b, loc, bound, math::TanhOp::create(b, loc, ratio));
}

void ScoreRegion::mask(unsigned n) {
  Value mask = block->getArgument(5 + n);
  Type type = score.getType();
  if (mask.getType().isInteger(1)) {
    auto hidden = b.getFloatAttr(type, -std::numeric_limits<double>::infinity());
    score = arith::SelectOp::create(b, loc, mask, score, arith::ConstantOp::create(b, loc, hidden));
    return;
  }
  unsigned from = mask.getType().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
  if (from < to)
    mask = arith::ExtFOp::create(b, loc, type, mask);
  else if (from > to)
    mask = arith::TruncFOp::create(b, loc, type, mask);
  score = arith::AddFOp::create(b, loc, score, mask);
}

void ScoreRegion::finish(ValueRange taps) {
  SmallVector<Value> results{score};
  llvm::append_range(results, taps);
  attn::YieldOp::create(b, loc, results);
}
