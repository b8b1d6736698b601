// Attention of opset 23 and later.
//
// A mask goes into the score region: a boolean one selects, a float one is added. What is causal and the window become
// the structural masks of attn.attention where the offset of the queries is the one that it knows, and a selection in
// the region otherwise.
//
// A model that wants the scores as a result (qk_matmul_output) gets them from operations of their own, beside
// attn.attention.
#include "frontends/onnx/Importer.h"

#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

namespace {
/// What the score region reads at (b, h, i, j).
struct Capture {
  Value tensor;
  AffineMap map;
};

struct Parts {
  Value query, key, value; ///< B x heads x length x size
  bool packed;             ///< the model has B x length x (heads * size)
  Capture mask, offset;    ///< the tensors are null if there is none; offset: the position of query 0
  Value lengths;
  double scale, softcap;
  bool isCausal;
  int64_t left, right; ///< of the window; -1 is unbounded
  attn::Causal structural = attn::Causal::none;
};
} // namespace

/// B x length x (heads * size) as B x heads x length x size.
static Value splitHeads(Importer &im, Value packed, int64_t heads) {
  Shape s = im.shape(packed);
  if (heads < 1)
    failInput("q_num_heads and kv_num_heads are needed for operands with 3 dims");
  auto width = s[2].getConstant();
  if (!width)
    failUnsupported("a symbolic last dim");
  if (*width % heads != 0)
    failInput("the last dim " + s[2].str() + " does not divide into " + Twine(heads) + " heads");
  return im.transpose(im.reshape(packed, {s[0], s[1], DimExpr(heads), DimExpr(*width / heads)}), {0, 2, 1, 3});
}

/// A mask whose last dim is shorter than the keys hides the rest.
static Value padMask(Importer &im, Value mask, const DimExpr &keys) {
  Shape s = im.shape(mask);
  DimExpr missing = keys - s.back();
  if (missing.isConstant(0) || s.back().isConstant(1))
    return mask;
  if (im.bounds(missing).first < 0) {
    im.checkEqual(s.back(), keys,
                  "the mask does not have the length of the keys; a shorter one is not supported for symbolic sizes");
    return mask;
  }
  SmallVector<OpFoldResult> low(s.size(), im.b.getIndexAttr(0)), high = low;
  high.back() = im.size(missing);
  s.back() = keys;
  Type element = im.elementType(mask);
  Value hidden = im.constant(element, isa<FloatType>(element) ? -std::numeric_limits<double>::infinity() : 0);
  return tensor::PadOp::create(im.b, im.loc, im.type(s, element), mask, low, high, hidden);
}

static Capture readMask(Importer &im, const Node &node, ArrayRef<DimExpr> space) {
  Value mask = im.input(node, 3);
  if (im.rank(mask) < 1 || im.rank(mask) > 4)
    failInput("the mask has " + Twine(im.rank(mask)) + " dims");
  if (isa<IntegerType>(im.elementType(mask)) && !im.elementType(mask).isInteger(1))
    failUnsupported("a mask of integers");
  mask = im.settle(padMask(im, mask, space[3]), space);
  return {mask, im.broadcastMap(mask, space)};
}

/// Query i stands at position i + offset; the offset is the length of what is cached.
static void setOffset(Importer &im, Parts &parts, const DimExpr &past) {
  Shape q = im.shape(parts.query), k = im.shape(parts.key);
  if (!parts.isCausal && parts.left < 0 && parts.right < 0)
    return;
  auto toI64 = [&](const DimExpr &e) -> Value {
    return arith::IndexCastOp::create(im.b, im.loc, im.b.getI64Type(), im.index(e));
  };
  if (parts.lengths) {
    Value queries = tensor::FromElementsOp::create(im.b, im.loc, ValueRange(toI64(q[2])));
    Value offset =
        im.map({parts.lengths, queries}, im.b.getI64Type(), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
          return arith::SubIOp::create(b, loc, e[0], e[1]);
        });
    parts.offset = {offset, im.affineMap(4, {im.dim(0)})};
  } else if (past.isConstant(0)) {
    parts.structural = parts.isCausal ? attn::Causal::top_left : attn::Causal::none;
  } else if (parts.isCausal && k[2] - q[2] == past) {
    parts.structural = attn::Causal::bottom_right;
  } else {
    auto scalar = RankedTensorType::get({}, im.b.getI64Type());
    parts.offset = {tensor::FromElementsOp::create(im.b, im.loc, scalar, toI64(past)), im.affineMap(4, {})};
  }
}

static void refuseUnsupported(Importer &im, const Node &node) {
  if (node.hasInput(4) != node.hasInput(5))
    failInput("past_key and past_value must be given together");
  if (node.hasInput(4) && node.hasInput(6))
    failInput("past_key and nonpad_kv_seqlen exclude each other");
}

/// softmax_precision double: all of the attention is f64.
static bool wantsDouble(const Node &node) { return node.integer("softmax_precision", 1) == onnx::TensorProto::DOUBLE; }

static Parts readParts(Importer &im, const Node &node) {
  Parts parts;
  parts.query = im.input(node, 0), parts.key = im.input(node, 1), parts.value = im.input(node, 2);
  int64_t rank = im.rank(parts.query);
  if ((rank != 3 && rank != 4) || im.rank(parts.key) != rank || im.rank(parts.value) != rank)
    failInput("expected query, key and value with 3 or 4 dims each, got " + Twine(rank) + ", " +
              Twine(im.rank(parts.key)) + " and " + Twine(im.rank(parts.value)));
  parts.packed = rank == 3;
  im.checkFloat(parts.query);
  im.checkTypes({parts.query, parts.key, parts.value});
  if (parts.packed) {
    parts.query = splitHeads(im, parts.query, node.integer("q_num_heads", 0));
    parts.key = splitHeads(im, parts.key, node.integer("kv_num_heads", 0));
    parts.value = splitHeads(im, parts.value, node.integer("kv_num_heads", 0));
  }
  DimExpr past(0);
  if (node.hasInput(4)) {
    if (im.rank(im.input(node, 4)) != 4 || im.rank(im.input(node, 5)) != 4)
      failInput("expected past_key and past_value with 4 dims");
    im.checkTypes({parts.query, im.input(node, 4), im.input(node, 5)});
    past = im.shape(im.input(node, 4))[2];
    parts.key = im.concat({im.input(node, 4), parts.key}, 2);
    parts.value = im.concat({im.input(node, 5), parts.value}, 2);
  }
  im.setOutput(node, 1, parts.key);
  im.setOutput(node, 2, parts.value);
  if (wantsDouble(node))
    for (Value *tensor : {&parts.query, &parts.key, &parts.value})
      *tensor = im.cast(*tensor, im.b.getF64Type());
  Shape q = im.shape(parts.query), k = im.shape(parts.key), v = im.shape(parts.value);
  for (const DimExpr &heads : {q[1], k[1], v[1]})
    if (!heads.getConstant())
      failUnsupported("a symbolic number of heads");
  if (*k[1].getConstant() == 0 || *q[1].getConstant() % *k[1].getConstant() != 0 || k[1] != v[1])
    failInput("the " + q[1].str() + " heads of the query are no multiple of the " + k[1].str() + " of the key");
  im.checkEqual(k[0], q[0], "query and key differ in batch size");
  im.checkEqual(v[0], q[0], "query and value differ in batch size");
  im.checkEqual(k[3], q[3], "query and key differ in size");
  im.checkEqual(v[2], k[2], "key and value differ in length");
  parts.softcap = node.number("softcap", 0);
  auto size = q[3].getConstant();
  if (!node.has("scale") && !size)
    failUnsupported("a symbolic head size without a scale");
  parts.scale = node.has("scale") ? node.number("scale", 1) : 1 / std::sqrt(static_cast<double>(*size));
  if (node.hasInput(6))
    parts.lengths = im.input(node, 6);
  if (parts.lengths && (im.rank(parts.lengths) != 1 || !im.elementType(parts.lengths).isInteger(64)))
    failInput("expected nonpad_kv_seqlen to be a list of int64");
  if (node.hasInput(3))
    parts.mask = readMask(im, node, {q[0], q[1], q[2], k[2]});
  parts.isCausal = node.integer("is_causal", 0);
  parts.left = node.integer("left_window_size", -1), parts.right = node.integer("right_window_size", -1);
  if (parts.left < -1 || parts.right < -1)
    failInput("a window of " + Twine(parts.left) + " and " + Twine(parts.right));
  setOffset(im, parts, past);
  return parts;
}

namespace {
/// Makes the steps from a score to what is normalised, in the score region and where the scores themselves are wanted.
struct ScoreSteps {
  OpBuilder &b;
  Location loc;
  const Parts &parts;
  Value score, i, j; ///< the score so far, and the indices of query and key

  Value number(double value) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(score.getType(), value)); }
  void hideUnless(Value visible) {
    score = arith::SelectOp::create(b, loc, visible, score, number(-std::numeric_limits<double>::infinity()));
  }
  Value shifted(Value position, int64_t by) {
    return arith::AddIOp::create(b, loc, position, arith::ConstantIndexOp::create(b, loc, by));
  }

  void cap() {
    if (parts.softcap == 0)
      return;
    Value most = number(parts.softcap);
    score =
        arith::MulFOp::create(b, loc, most, math::TanhOp::create(b, loc, arith::DivFOp::create(b, loc, score, most)));
  }
  void mask(Value mask) {
    if (mask.getType().isInteger(1)) {
      hideUnless(mask);
      return;
    }
    unsigned from = mask.getType().getIntOrFloatBitWidth(), to = score.getType().getIntOrFloatBitWidth();
    if (from < to)
      mask = arith::ExtFOp::create(b, loc, score.getType(), mask);
    else if (from > to)
      mask = arith::TruncFOp::create(b, loc, score.getType(), mask);
    score = arith::AddFOp::create(b, loc, score, mask);
  }
  /// Keys that a query at `position` may not see.
  void hideByPosition(Value position) {
    using arith::CmpIPredicate;
    if (parts.isCausal)
      hideUnless(arith::CmpIOp::create(b, loc, CmpIPredicate::sle, j, position));
    if (parts.left >= 0)
      hideUnless(arith::CmpIOp::create(b, loc, CmpIPredicate::sge, j, shifted(position, -parts.left)));
    if (parts.right >= 0)
      hideUnless(arith::CmpIOp::create(b, loc, CmpIPredicate::sle, j, shifted(position, parts.right)));
  }
  Value toIndex(Value integer) { return arith::IndexCastOp::create(b, loc, b.getIndexType(), integer); }
};
} // namespace

static void buildScore(Importer &im, attn::AttentionOp op, const Parts &parts) {
  OpBuilder::InsertionGuard guard(im.b);
  SmallVector<Type> types{op.getScoreType()};
  types.append(4, im.b.getIndexType());
  for (Value capture : op.getCaptures())
    types.push_back(im.elementType(capture));
  Block *block = im.b.createBlock(&op.getScore(), {}, types, SmallVector<Location>(types.size(), im.loc));
  ScoreSteps steps{im.b, im.loc, parts, block->getArgument(0), block->getArgument(3), block->getArgument(4)};
  unsigned next = 5;
  steps.cap();
  if (parts.mask.tensor)
    steps.mask(block->getArgument(next++));
  if (parts.offset.tensor)
    steps.hideByPosition(arith::AddIOp::create(im.b, im.loc, steps.i, steps.toIndex(block->getArgument(next++))));
  attn::YieldOp::create(im.b, im.loc, steps.score);
}

/// The scores after the step that `mode` names: 0 the scaled product, 1 softcap, 2 masks, 3 softmax.
static Value importScores(Importer &im, Parts parts, int64_t mode) {
  // As attention itself has them: in f32 at least.
  if (im.elementType(parts.query).getIntOrFloatBitWidth() < 32)
    for (Value *tensor : {&parts.query, &parts.key})
      *tensor = im.cast(*tensor, im.b.getF32Type());
  Shape q = im.shape(parts.query), k = im.shape(parts.key), space{q[0], q[1], q[2], k[2]};
  Type element = im.elementType(parts.query);
  // Heads of the query by the head of the key that they share.
  DimExpr group(*q[1].getConstant() / *k[1].getConstant());
  Value query = im.reshape(parts.query, {q[0], k[1], group, q[2], q[3]});
  AffineExpr batch = im.dim(0), g = im.dim(1), h = im.dim(2), i = im.dim(3), j = im.dim(4), d = im.dim(5);
  Value product =
      im.generic({query, parts.key}, {im.affineMap(6, {batch, g, h, i, d}), im.affineMap(6, {batch, g, j, d})},
                 im.fill({q[0], k[1], group, q[2], k[2]}, element, 0), im.affineMap(6, {batch, g, h, i, j}),
                 [](OpBuilder &b, Location loc, ValueRange e) -> Value {
                   return arith::AddFOp::create(b, loc, e[2], arith::MulFOp::create(b, loc, e[0], e[1]));
                 });
  product = im.reshape(product, space);
  SmallVector<Value> operands{product};
  SmallVector<AffineMap> maps{im.identity(4)};
  for (const Capture &capture : {parts.mask, parts.offset, Capture{parts.lengths, im.affineMap(4, {batch})}})
    if (capture.tensor && mode >= 2)
      operands.push_back(capture.tensor), maps.push_back(capture.map);
  DimExpr structural = parts.structural == attn::Causal::bottom_right ? k[2] - q[2] : DimExpr(0);
  Value offset = mode >= 2 ? im.index(structural) : Value();
  Value scores = im.generic(
      operands, maps, im.empty(space, element), im.identity(4), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
        ScoreSteps steps{b, loc, parts, e[0], Value(), Value()};
        steps.score = arith::MulFOp::create(b, loc, e[0], steps.number(parts.scale));
        if (mode >= 1)
          steps.cap();
        if (mode < 2)
          return steps.score;
        steps.i = linalg::IndexOp::create(b, loc, 2), steps.j = linalg::IndexOp::create(b, loc, 3);
        unsigned next = 1;
        if (parts.mask.tensor)
          steps.mask(e[next++]);
        Value shift = parts.offset.tensor ? steps.toIndex(e[next++]) : offset;
        steps.hideByPosition(arith::AddIOp::create(b, loc, steps.i, shift));
        if (parts.lengths)
          steps.hideUnless(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, steps.j, steps.toIndex(e[next++])));
        return steps.score;
      });
  if (mode < 3)
    return scores;
  Value init = im.empty(space, element);
  return attn::SoftmaxOp::create(im.b, im.loc, init.getType(), scores, init, 3, /*guarded=*/true).getResult();
}

static void importAttention(Importer &im, const Node &node) {
  refuseUnsupported(im, node);
  Parts parts = readParts(im, node);
  Shape q = im.shape(parts.query), out{q[0], q[1], q[2], im.shape(parts.value)[3]};
  SmallVector<Value> captures;
  SmallVector<AffineMap> maps;
  for (const Capture &capture : {parts.mask, parts.offset})
    if (capture.tensor)
      captures.push_back(capture.tensor), maps.push_back(capture.map);
  Value init = im.empty(out, im.elementType(parts.query));
  // A window that counts from an offset of its own is in the score region.
  SmallVector<int64_t> window{-1, -1};
  if (!parts.offset.tensor)
    window = {parts.left, parts.right};
  auto op =
      attn::AttentionOp::create(im.b, im.loc, init.getType(), parts.query, parts.key, parts.value, captures,
                                parts.lengths, init, llvm::APFloat(parts.scale), parts.structural, window,
                                attn::Normalizer::softmax, attn::EmptyRows::zero, im.b.getAffineMapArrayAttr(maps));
  if (!captures.empty() || parts.softcap != 0)
    buildScore(im, op, parts);
  Type element = im.elementType(im.input(node, 0));
  Value result = im.cast(op.getResult(), element);
  if (parts.packed)
    result = im.reshape(im.transpose(result, {0, 2, 1, 3}), {out[0], out[2], out[1] * out[3]});
  im.setOutput(node, 0, result);
  if (node.hasOutput(3)) {
    int64_t mode = node.integer("qk_matmul_output_mode", 0);
    if (mode < 0 || mode > 3)
      failInput("qk_matmul_output_mode is " + Twine(mode));
    im.setOutput(node, 3, im.cast(importScores(im, parts, mode), element));
  }
}

static RegisterOps family{{"Attention", importAttention, 23}};
