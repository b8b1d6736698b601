// GroupQueryAttention of com.microsoft: rotary embedding, a cache with room for what comes, and attention over it.
//
// A row of the batch has seqlens_k(b) + 1 keys, of which the last are new. In the first call, where all keys are new,
// they start the cache, and rows of the batch with fewer keys than the others are padded behind them.
#include "frontends/onnx/Gather.h"
#include "frontends/onnx/Rotary.h"
#include "frontends/onnx/microsoft/Attend.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;
namespace attn = fovea::attn;

static void refuseUnsupported(const Node &node) {
  for (StringRef type : {"k_quant_type", "v_quant_type"})
    if (node.string(type, "NONE") != "NONE")
      failUnsupported(type + " " + node.string(type, ""));
  require(node, "sliding_window_cache", 0);
  require(node, "qk_output", 0);
  require(node, "kv_cache_bit_width", 0);
  refuseOutput(node, 3, "output_qk");
  refuseInput(node, 12, "k_scale");
  refuseInput(node, 13, "v_scale");
  refuseInput(node, 14, "q_norm_weight");
  refuseInput(node, 15, "k_norm_weight");
}

/// Query, key and value with their heads apart.
static void readOperands(Importer &im, const Node &node, Attend &a) {
  int64_t heads = headsOf(node, "num_heads"), groups = headsOf(node, "kv_num_heads");
  Value query = im.input(node, 0), key, value;
  if (heads % groups != 0)
    failInput("num_heads " + Twine(heads) + " is no multiple of kv_num_heads " + Twine(groups));
  if (node.hasInput(1) != node.hasInput(2))
    failInput("key and value must be given together");
  if (im.rank(query) != 3)
    failInput("the query has " + Twine(im.rank(query)) + " dims, expected 3");
  if (node.hasInput(1)) {
    key = im.input(node, 1), value = im.input(node, 2);
    if (im.rank(key) != 3 || im.rank(value) != 3)
      failInput("expected key and value with 3 dims");
  } else {
    auto width = im.shape(query)[2].getConstant();
    if (!width || *width % (heads + 2 * groups) != 0)
      failInput("the query does not divide into " + Twine(heads + 2 * groups) + " heads");
    int64_t size = *width / (heads + 2 * groups);
    key = sliceLast(im, query, heads * size, groups * size);
    value = sliceLast(im, query, (heads + groups) * size, groups * size);
    query = sliceLast(im, query, 0, heads * size);
  }
  im.checkEqual(im.shape(key)[1], im.shape(query)[1], "query and key differ in length");
  a.query = splitHeads(im, query, heads), a.key = splitHeads(im, key, groups), a.value = splitHeads(im, value, groups);
}

/// For each row of the batch, the number of the first new key. Null if that is 0 for certain.
static Value firstPositions(Importer &im, Value lengths, const DimExpr &queries, const DimExpr &total) {
  if (queries == total)
    return nullptr;
  Value news = toTensor(im, queries), all = toTensor(im, total);
  return im.map({lengths, news, all}, im.b.getI64Type(), [](OpBuilder &b, Location loc, ValueRange e) -> Value {
    Value zero = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
    Value prompt = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, e[1], e[2]);
    return arith::SelectOp::create(b, loc, prompt, zero, arith::SubIOp::create(b, loc, e[0], e[1]));
  });
}

/// The positions of the queries, batch x length.
static Value positionsOf(Importer &im, const Node &node, const DimExpr &batch, const DimExpr &queries,
                         const DimExpr &total, Value first) {
  Shape shape{batch, queries};
  Value given = node.hasInput(9) ? toI64(im, im.input(node, 9)) : Value();
  if (given && im.rank(given) != 2)
    failInput("position_ids has " + Twine(im.rank(given)) + " dims, expected 2");
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  if (given) {
    // In the first call the first of them counts, and the others go on from there.
    Value settled = im.settle(given, shape);
    AffineExpr zero = im.b.getAffineConstantExpr(0);
    operands = {settled, given, toTensor(im, queries), toTensor(im, total)};
    maps = {im.broadcastMap(settled, shape), im.affineMap(2, {zero, zero}), im.affineMap(2, {zero}),
            im.affineMap(2, {zero})};
  } else if (first) {
    operands = {first}, maps = {im.affineMap(2, {im.dim(0)})};
  }
  return im.generic(operands, maps, im.empty(shape, im.b.getI64Type()), im.identity(2),
                    [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      Value s = arith::IndexCastOp::create(b, loc, b.getI64Type(), linalg::IndexOp::create(b, loc, 1));
                      if (given) {
                        Value prompt = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, e[2], e[3]);
                        return arith::SelectOp::create(b, loc, prompt, arith::AddIOp::create(b, loc, e[1], s), e[0]);
                      }
                      return first ? arith::AddIOp::create(b, loc, e[0], s).getResult() : s;
                    });
}

static void rotateOperands(Importer &im, const Node &node, Attend &a, Value positions) {
  Value cos = im.input(node, 7), sin = im.input(node, 8);
  im.checkTypes({a.query, a.key, cos, sin});
  if (im.rank(cos) != 2 || im.rank(sin) != 2)
    failInput("expected cos_cache and sin_cache with 2 dims");
  auto columns = im.shape(cos)[1].getConstant();
  if (!columns)
    failUnsupported("a symbolic last dim of cos_cache");
  cos = lookUpRows(im, cos, positions), sin = lookUpRows(im, sin, positions);
  bool interleaved = node.integer("rotary_interleaved", 0);
  a.query = rotate(im, a.query, cos, sin, 2, interleaved, *columns * 2);
  a.key = rotate(im, a.key, cos, sin, 2, interleaved, *columns * 2);
}

/// `count` zeros, constant.
static Value zeros(Importer &im, Type element, int64_t count) {
  auto type = RankedTensorType::get({count}, element);
  return arith::ConstantOp::create(im.b, im.loc, DenseElementsAttr::get(type, im.b.getFloatAttr(element, 0)));
}

static void importGroupQueryAttention(Importer &im, const Node &node) {
  refuseUnsupported(node);
  Attend a;
  readOperands(im, node, a);
  Shape q = im.shape(a.query);
  DimExpr total = oneSize(im, node, 6), queries = q[2], rows = total;
  Value last = im.reshape(toI64(im, im.input(node, 5)), {q[0]});
  a.lengths = add(im, last, toTensor(im, 1));
  Value first = firstPositions(im, a.lengths, queries, total);
  if (node.integer("do_rotary", 0))
    rotateOperands(im, node, a, positionsOf(im, node, q[0], queries, total, first));

  if (node.hasInput(3) != node.hasInput(4))
    failInput("past_key and past_value must be given together");
  Value pastKey, pastValue;
  if (node.hasInput(3)) {
    pastKey = im.input(node, 3), pastValue = im.input(node, 4);
    if (im.rank(pastKey) != 4 || im.rank(pastValue) != 4)
      failInput("expected past_key and past_value with 4 dims");
    rows = im.maximum(total, im.shape(pastKey)[2]);
  }
  if (first || pastKey) {
    Value starts = first ? first : toTensor(im, 0);
    a.key = insertRows(im, pastKey, a.key, starts, rows, Behind::zero);
    a.value = insertRows(im, pastValue, a.value, starts, rows, Behind::zero);
  }
  im.setOutput(node, 1, a.key);
  im.setOutput(node, 2, a.value);
  a.key = firstRows(im, a.key, total), a.value = firstRows(im, a.value, total);

  a.scale = scaleOf(im, node, a.query);
  a.softcap = node.number("softcap", 0);
  addBias(im, node, 10, a);
  if (node.hasInput(11))
    a.sinks = im.input(node, 11);
  else if (node.integer("smooth_softmax", 0) == 1)
    a.sinks = zeros(im, im.elementType(a.query), headsOf(node, "num_heads"));
  int64_t window = node.integer("local_window_size", -1);
  if (window == 0 || window < -1)
    failUnsupported("local_window_size = " + Twine(window));
  if (node.integer("causal", 1)) {
    a.causal = attn::Causal::bottom_right;
    a.window = window;
    // The last of the lengths hides what comes after a single query.
    if (queries.isConstant(1) && window < 0)
      a.causal = attn::Causal::none;
    else
      a.first = first;
  } else if (window != -1) {
    failInput("local_window_size without causal");
  }
  im.setOutput(node, 0, mergeHeads(im, attend(im, a)));
}

static RegisterOps family{{"GroupQueryAttention", importGroupQueryAttention, 1, 1, "com.microsoft"}};
