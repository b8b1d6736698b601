// Softmax attention as a loop over blocks of keys with a running maximum and sum.
//
// Milakov and Gimelshein 2018 (the online normaliser), Rabe and Staats 2021 and Dao et al. 2022 (attention with it): no
// row of scores is ever whole. The loop visits only the blocks that some query may see by causal and window; lengths
// are data, and masks inside of a block stay with the operation.
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace fovea;

namespace fovea {
#define GEN_PASS_DEF_TILEATTENTIONKEYS
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

namespace {
class KeyTiler {
public:
  KeyTiler(attn::AttentionOp op, int64_t block) : op(op), block(block), b(op), loc(op.getLoc()) {}
  void rewrite();

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
  Value sub(Value x, Value y) { return b.createOrFold<arith::SubIOp>(loc, x, y); }
  Value smaller(Value x, Value y) { return b.createOrFold<arith::MinSIOp>(loc, x, y); }
  Value larger(Value x, Value y) { return b.createOrFold<arith::MaxSIOp>(loc, x, y); }
  Value dim(Value tensor, int64_t d) {
    return getValueOrCreateConstantIndexOp(b, loc, tensor::getMixedSize(b, loc, tensor, d));
  }
  Value number(double value) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(op.getScoreType(), value)); }
  SmallVector<Value> initialState();
  std::pair<Value, Value> visibleKeys(Value all);
  Value blockOf(Value tensor, Value from, OpFoldResult count);
  SmallVector<Value> visit(Value from, OpFoldResult count, Value all, ValueRange state);
  Value quotient(Value sum, Value accumulator);

  attn::AttentionOp op;
  int64_t block;
  OpBuilder b;
  Location loc;
};
} // namespace

/// The operations that are tiled; a normaliser, a weight region or results that need whole rows are left alone, as is
/// what the tiled form does not have: an offset, sinks, a mask of blocks.
static bool isTiled(attn::AttentionOp op, int64_t block) {
  int64_t keys = cast<RankedTensorType>(op.getKey().getType()).getDimSize(2);
  return op.getNormalizer() == attn::Normalizer::softmax && op.getWeight().empty() && op.getExtras().empty() &&
         !op.getOffset() && !op.getSinks() && !op.getBlockMask() && (ShapedType::isDynamic(keys) || keys > block);
}

/// Maximum -inf, sum 0, accumulator 0.
SmallVector<Value> KeyTiler::initialState() {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, op.getInit());
  ArrayRef<OpFoldResult> rows = ArrayRef(sizes).take_front(3);
  SmallVector<Value> state;
  for (auto [shape, value] : {std::pair(rows, -std::numeric_limits<double>::infinity()), {rows, 0}, {sizes, 0}}) {
    auto stateType = RankedTensorType::get(type.getShape().take_front(shape.size()), op.getScoreType());
    SmallVector<Value> dynamic;
    for (auto [d, size] : llvm::enumerate(shape))
      if (stateType.isDynamicDim(d))
        dynamic.push_back(getValueOrCreateConstantIndexOp(b, loc, size));
    Value empty = tensor::EmptyOp::create(b, loc, stateType, dynamic);
    state.push_back(linalg::FillOp::create(b, loc, number(value), empty).getResult(0));
  }
  return state;
}

/// The first key that some query may see, and the one behind the last.
std::pair<Value, Value> KeyTiler::visibleKeys(Value all) {
  Value from = index(0), to = all, queries = dim(op.getQuery(), 2);
  Value shift = op.getCausal() == attn::Causal::bottom_right ? sub(all, queries) : index(0);
  // Query i sees keys i + shift - left ... i + shift + right.
  int64_t left = op.getWindow()[0], right = op.getWindow()[1];
  if (op.getCausal() != attn::Causal::none)
    to = smaller(to, add(queries, shift));
  if (right >= 0)
    to = smaller(to, add(add(queries, shift), index(right)));
  if (left >= 0)
    from = larger(from, sub(shift, index(left)));
  return {from, to};
}

/// Rows `from` ... of keys or values.
Value KeyTiler::blockOf(Value tensor, Value from, OpFoldResult count) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor), offsets(4, b.getIndexAttr(0)),
                            strides(4, b.getIndexAttr(1));
  offsets[2] = getAsOpFoldResult(from), sizes[2] = count;
  return tensor::ExtractSliceOp::create(b, loc, tensor, offsets, sizes, strides);
}

SmallVector<Value> KeyTiler::visit(Value from, OpFoldResult count, Value all, ValueRange state) {
  Value key = blockOf(op.getKey(), from, count), value = blockOf(op.getValue(), from, count);
  auto online = attn::OnlineAttentionOp::create(b, loc, state[0].getType(), state[1].getType(), state[2].getType(),
                                                op.getQuery(), key, value, op.getCaptures(), op.getLengths(), from, all,
                                                state[0], state[1], state[2], op.getScaleAttr(), op.getCausalAttr(),
                                                op.getWindowAttr(), op.getCaptureMapsAttr());
  IRMapping map;
  op.getCombine().cloneInto(&online.getCombine(), map);
  op.getScore().cloneInto(&online.getScore(), map);
  return llvm::to_vector(ValueRange(online.getResults()));
}

/// accumulator / sum; rows without weight as `empty_rows` says.
Value KeyTiler::quotient(Value sum, Value accumulator) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  AffineMap all = b.getMultiDimIdentityMap(4);
  double empty = op.getEmptyRows() == attn::EmptyRows::nan ? std::numeric_limits<double>::quiet_NaN() : 1;
  auto generic =
      linalg::GenericOp::create(b, loc, type, ValueRange{accumulator, sum}, op.getInit(), {all, all.dropResult(3), all},
                                SmallVector<utils::IteratorType>(4, utils::IteratorType::parallel),
                                [&](OpBuilder &nested, Location, ValueRange args) {
                                  OpBuilder::InsertionGuard guard(b);
                                  b.setInsertionPointToEnd(nested.getInsertionBlock());
                                  Value isEmpty =
                                      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, args[1], number(0));
                                  Value divisor = arith::SelectOp::create(b, loc, isEmpty, number(empty), args[1]);
                                  Value result = arith::DivFOp::create(b, loc, args[0], divisor);
                                  if (type.getElementType() != op.getScoreType())
                                    result = arith::TruncFOp::create(b, loc, type.getElementType(), result);
                                  linalg::YieldOp::create(b, loc, result);
                                });
  return generic.getResult(0);
}

void KeyTiler::rewrite() {
  Value all = dim(op.getKey(), 2), step = index(block);
  SmallVector<Value> state = initialState();
  auto [from, to] = visibleKeys(all);
  std::optional<int64_t> first = getConstantIntValue(from), last = getConstantIntValue(to);
  bool whole = first && last && (*last - *first) % block == 0;
  auto loop = scf::ForOp::create(b, loc, from, to, step, state,
                                 [&, to = to](OpBuilder &nested, Location, Value at, ValueRange carried) {
                                   OpBuilder::InsertionGuard guard(b);
                                   b.setInsertionPointToEnd(nested.getInsertionBlock());
                                   OpFoldResult count = b.getIndexAttr(block);
                                   if (!whole)
                                     count = getAsOpFoldResult(smaller(step, sub(to, at)));
                                   scf::YieldOp::create(b, loc, visit(at, count, all, carried));
                                 });
  op.getResult().replaceAllUsesWith(quotient(loop.getResult(1), loop.getResult(2)));
  op.erase();
}

namespace {
struct TileAttentionKeysPass : fovea::impl::TileAttentionKeysBase<TileAttentionKeysPass> {
  using TileAttentionKeysBase::TileAttentionKeysBase;
  void runOnOperation() override {
    if (block < 1) {
      getOperation().emitError("expected a block of at least 1 key, got ") << block.getValue();
      return signalPassFailure();
    }
    SmallVector<attn::AttentionOp> found;
    getOperation().walk([&](attn::AttentionOp op) {
      if (isTiled(op, block))
        found.push_back(op);
    });
    for (attn::AttentionOp op : found)
      KeyTiler(op, block).rewrite();
  }
};
} // namespace
