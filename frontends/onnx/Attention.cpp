// Attention of opset 23 and later.
//
// A mask goes into the score region: a boolean one selects, a float one is added. What is causal, the window and the
// lengths become the structural masks of attn.attention; the position of the first query is its offset where no
// alignment that it knows says the same.
//
// A model that wants the scores as a result (qk_matmul_output) gets taps of the score region, the masked scores or the
// weights.
#include "frontends/onnx/Attention.h"

#include "frontends/onnx/ScoreRegion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

namespace {
struct Parts {
  Value query, key, value; ///< B x heads x length x size
  bool packed;             ///< the model has B x length x (heads * size)
  Capture mask;            ///< the tensor is null if there is none
  Value lengths, offset;   ///< null if there are none; offset: the position of query 0, for each batch
  double scale, softcap;
  bool isCausal;
  int64_t left, right; ///< of the window; -1 is unbounded
  attn::Causal structural = attn::Causal::none;
};
} // namespace

Value fovea::frontend::splitHeads(Importer &im, Value packed, int64_t heads) {
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

Value fovea::frontend::mergeHeads(Importer &im, Value split) {
  Shape s = im.shape(split);
  return im.reshape(im.transpose(split, {0, 2, 1, 3}), {s[0], s[2], s[1] * s[3]});
}

/// A mask whose last dim is shorter than the keys hides the rest.
static Value padMask(Importer &im, Value mask, const DimExpr &keys) {
  Shape s = im.shape(mask);
  DimExpr missing = keys - s.back();
  if (missing.isConstant(0))
    return mask;
  im.checkAtMost(s.back(), keys, "the mask is longer than the keys");
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
  return captureOf(im, padMask(im, mask, space[3]), space);
}

/// Query i stands at position i + offset; the offset is the length of what is cached.
static void setOffset(Importer &im, Parts &parts, const DimExpr &past) {
  Shape q = im.shape(parts.query), k = im.shape(parts.key);
  if (!parts.isCausal && parts.left < 0 && parts.right < 0)
    return;
  parts.structural = parts.isCausal ? attn::Causal::top_left : attn::Causal::none;
  auto toI64 = [&](const DimExpr &e) -> Value {
    return arith::IndexCastOp::create(im.b, im.loc, im.b.getI64Type(), im.index(e));
  };
  if (parts.lengths) {
    Value queries = tensor::FromElementsOp::create(im.b, im.loc, ValueRange(toI64(q[2])));
    parts.offset =
        im.map({parts.lengths, queries}, im.b.getI64Type(), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
          return arith::SubIOp::create(b, loc, e[0], e[1]);
        });
  } else if (parts.isCausal && !past.isConstant(0) && k[2] - q[2] == past) {
    parts.structural = attn::Causal::bottom_right;
  } else if (!past.isConstant(0)) {
    Value one = tensor::FromElementsOp::create(im.b, im.loc, ValueRange(toI64(past)));
    parts.offset = im.broadcastTo(one, {q[0]});
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
  if (parts.lengths)
    im.checkEqual(im.shape(parts.lengths)[0], q[0], "nonpad_kv_seqlen does not have a number for each batch");
  if (node.hasInput(3))
    parts.mask = readMask(im, node, {q[0], q[1], q[2], k[2]});
  parts.isCausal = node.integer("is_causal", 0);
  parts.left = node.integer("left_window_size", -1), parts.right = node.integer("right_window_size", -1);
  if (parts.left < -1 || parts.right < -1)
    failInput("a window of " + Twine(parts.left) + " and " + Twine(parts.right));
  setOffset(im, parts, past);
  return parts;
}

/// The score region: softcap, then the mask. The result `extra`, if it is a tap, is the score after the step that
/// `mode` names: 0 the scaled product, 1 softcap.
static void buildScore(Importer &im, attn::AttentionOp op, const Parts &parts, int64_t mode) {
  ScoreRegion score(im, op);
  Value tap = score.current();
  if (parts.softcap != 0)
    score.cap(parts.softcap);
  if (mode == 1)
    tap = score.current();
  if (parts.mask.tensor)
    score.mask(0);
  score.finish(op.hasExtra(attn::Extra::tap) ? ValueRange(tap) : ValueRange());
}

/// What of attention the mode of qk_matmul_output names.
static attn::Extra extraOf(int64_t mode) {
  switch (mode) {
  case 0:
  case 1:
    return attn::Extra::tap;
  case 2:
    return attn::Extra::scores;
  case 3:
    return attn::Extra::weights;
  default:
    failInput("qk_matmul_output_mode is " + Twine(mode));
  }
}

static void importAttention(Importer &im, const Node &node) {
  refuseUnsupported(im, node);
  Parts parts = readParts(im, node);
  Shape q = im.shape(parts.query), out{q[0], q[1], q[2], im.shape(parts.value)[3]};
  SmallVector<Value> captures;
  SmallVector<AffineMap> maps;
  if (parts.mask.tensor)
    captures.push_back(parts.mask.tensor), maps.push_back(parts.mask.map);
  Value init = im.empty(out, im.elementType(parts.query));
  SmallVector<Value> extraInits;
  SmallVector<Attribute> extras;
  int64_t mode = node.integer("qk_matmul_output_mode", 0);
  attn::Extra extra = extraOf(mode);
  if (node.hasOutput(3)) {
    extraInits.push_back(im.empty({q[0], q[1], q[2], im.shape(parts.key)[2]}, im.elementType(parts.query)));
    extras.push_back(attn::ExtraAttr::get(im.b.getContext(), extra));
  }
  auto op = attn::AttentionOp::create(
      im.b, im.loc, init.getType(), ValueRange(extraInits).getTypes(), parts.query, parts.key, parts.value, captures,
      parts.lengths, parts.offset, Value(), Value(), init, extraInits, llvm::APFloat(parts.scale), parts.structural,
      ArrayRef<int64_t>{parts.left, parts.right}, attn::Normalizer::softmax, attn::EmptyRows::zero,
      im.b.getAffineMapArrayAttr(maps), ArrayRef<int64_t>(), im.b.getArrayAttr(extras));
  if (!captures.empty() || parts.softcap != 0 || op.hasExtra(attn::Extra::tap))
    buildScore(im, op, parts, mode);
  Type element = im.elementType(im.input(node, 0));
  Value result = im.cast(op.getResult(), element);
  if (parts.packed)
    result = mergeHeads(im, result);
  im.setOutput(node, 0, result);
  if (node.hasOutput(3))
    im.setOutput(node, 3, im.cast(op.getExtraResults()[0], element));
}

static RegisterOps family{{"Attention", importAttention, 23}};
