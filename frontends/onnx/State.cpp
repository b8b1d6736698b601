// Operators that go on from a state and leave one: LinearAttention, CausalConvWithState, TensorScatter.
#include "frontends/onnx/Importer.h"

#include "dialects/attn/Attn.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::frontend;

/// B x T x (heads * size) as B x T x heads x size.
static Value splitHeads(Importer &im, Value packed, int64_t heads, StringRef name) {
  if (im.rank(packed) != 3)
    failInput("expected " + name + " with 3 dims, got " + Twine(im.rank(packed)));
  Shape s = im.shape(packed);
  auto width = s[2].getConstant();
  if (!width)
    failUnsupported("a symbolic last dim");
  if (*width % heads != 0)
    failInput("the last dim " + s[2].str() + " of " + name + " does not divide into " + Twine(heads) + " heads");
  return im.reshape(packed, {s[0], s[1], DimExpr(heads), DimExpr(*width / heads)});
}

static void checkShape(Importer &im, Value tensor, ArrayRef<DimExpr> shape, StringRef name) {
  Shape s = im.shape(tensor);
  if (s.size() != shape.size())
    failInput("expected " + name + " with " + Twine(shape.size()) + " dims, got " + Twine(s.size()));
  for (auto [got, expected] : llvm::zip(s, shape))
    im.checkEqual(expected, got, "a dim of " + name);
}

/// An optional operand that the update rule needs, or must not have.
static Value ruleInput(Importer &im, const Node &node, unsigned i, bool needed, StringRef name) {
  if (node.hasInput(i) != needed)
    failInput("update_rule " + node.string("update_rule", "gated_delta") + (needed ? " needs " : " has no ") + name);
  return needed ? im.input(node, i) : Value();
}

static void importLinearAttention(Importer &im, const Node &node) {
  int64_t heads = node.integer("q_num_heads", 0), keyHeads = node.integer("kv_num_heads", 0);
  if (keyHeads < 1 || heads < 1 || heads % keyHeads != 0)
    failInput("q_num_heads " + Twine(heads) + " is no multiple of kv_num_heads " + Twine(keyHeads));
  std::string rule = node.string("update_rule", "gated_delta");
  if (!llvm::is_contained({"linear", "gated", "delta", "gated_delta"}, rule))
    failInput("update_rule is " + rule);
  Value q = im.input(node, 0), k = im.input(node, 1), v = im.input(node, 2);
  Value state = node.hasInput(3) ? im.input(node, 3) : Value();
  Value decay = ruleInput(im, node, 4, StringRef(rule).starts_with("gated"), "decay");
  Value beta = ruleInput(im, node, 5, StringRef(rule).ends_with("delta"), "beta");
  im.checkFloat(q);
  im.checkTypes({q, k, v});
  for (Value rate : {decay, beta})
    if (rate)
      im.checkTypes({q, rate});
  q = splitHeads(im, q, heads, "query");
  k = splitHeads(im, k, keyHeads, "key");
  v = splitHeads(im, v, keyHeads, "value");
  Shape query = im.shape(q), value = im.shape(v);
  DimExpr batch = query[0], length = query[1], d = query[3], e = value[3], g(keyHeads), one(1);
  checkShape(im, k, {batch, length, g, d}, "key");
  checkShape(im, v, {batch, length, g, e}, "value");
  if (decay) {
    decay = splitHeads(im, decay, keyHeads, "decay");
    checkShape(im, decay, {batch, length, g, im.shape(decay)[3].isConstant(1) ? one : d}, "decay");
  }
  if (beta) {
    if (im.rank(beta) != 3 || !im.shape(beta)[2].getConstant())
      failUnsupported("a beta without 3 dims, the last one static");
    checkShape(im, beta, {batch, length, im.shape(beta)[2].isConstant(1) ? one : g}, "beta");
  }
  Shape states{batch, g, d, e};
  if (state) {
    im.checkFloat(state);
    checkShape(im, state, states, "past_state");
  }
  double scale = node.number("scale", 0);
  if (scale == 0)
    scale = 1 / std::sqrt(static_cast<double>(*d.getConstant()));
  Value init = im.empty({batch, length, query[2], e}, im.elementType(q));
  Value stateInit = im.empty(states, im.elementType(state ? state : q));
  auto op = attn::LinearAttentionOp::create(im.b, im.loc, init.getType(), stateInit.getType(), q, k, v, state, decay,
                                            beta, init, stateInit, llvm::APFloat(scale));
  im.setOutput(node, 0, im.reshape(op.getResult(), {batch, length, query[2] * e}));
  im.setOutput(node, 1, op.getNewState());
}

static void importCausalConv(Importer &im, const Node &node) {
  std::string activation = node.string("activation", "none");
  if (!llvm::is_contained({"none", "silu", "swish"}, activation))
    failInput("activation is " + activation);
  Value source = im.input(node, 0), weight = im.input(node, 1);
  Value bias = node.hasInput(2) ? im.input(node, 2) : Value(), state = node.hasInput(3) ? im.input(node, 3) : Value();
  im.checkFloat(source);
  im.checkTypes({source, weight});
  for (Value operand : {bias, state})
    if (operand)
      im.checkTypes({source, operand});
  if (im.rank(source) != 3)
    failInput("expected an input with 3 dims, got " + Twine(im.rank(source)));
  Shape s = im.shape(source), w = im.shape(weight);
  if (w.size() != 3 || w[2].isConstant(0))
    failInput("expected a weight of 3 dims, the last one not empty");
  checkShape(im, weight, {s[1], DimExpr(1), w[2]}, "weight");
  if (bias)
    checkShape(im, bias, s[1], "bias");
  Shape states{s[0], s[1], w[2] - DimExpr(1)};
  if (state)
    checkShape(im, state, states, "past_state");
  weight = im.reshape(weight, {w[0], w[2]});
  Value init = im.empty(s, im.elementType(source)), stateInit = im.empty(states, im.elementType(source));
  auto op = attn::CausalConvWithStateOp::create(im.b, im.loc, init.getType(), stateInit.getType(), source, weight, bias,
                                                state, init, stateInit, activation != "none");
  im.setOutput(node, 0, op.getResult());
  im.setOutput(node, 1, op.getNewState());
}

static void importTensorScatter(Importer &im, const Node &node) {
  std::string mode = node.string("mode", "linear");
  if (mode != "linear" && mode != "circular")
    failInput("mode is " + mode);
  Value cache = im.input(node, 0), update = im.input(node, 1);
  Value positions = node.hasInput(2) ? im.input(node, 2) : Value();
  im.checkTypes({cache, update});
  Shape shape = im.shape(cache), sizes = shape;
  int64_t axis = im.axis(node.integer("axis", -2), shape.size(), node);
  if (axis == 0)
    failInput("axis is that of the batch");
  if (im.rank(update) != im.rank(cache))
    failInput("past_cache has " + Twine(shape.size()) + " dims, update " + Twine(im.rank(update)));
  sizes[axis] = im.shape(update)[axis];
  checkShape(im, update, sizes, "update");
  if (im.bounds(shape[axis] - sizes[axis]).second < 0)
    failInput("an update of " + sizes[axis].str() + " entries for a cache of " + shape[axis].str());
  if (positions) {
    if (!im.elementType(positions).isInteger(64))
      failInput("expected write_indices of type int64");
    checkShape(im, positions, shape[0], "write_indices");
  }
  Value init = im.empty(shape, im.elementType(cache));
  im.setOutput(node, 0,
               attn::CacheAppendOp::create(im.b, im.loc, init.getType(), cache, update, positions, init, axis,
                                           mode == "circular")
                   .getResult());
}

static RegisterOps family{{"LinearAttention", importLinearAttention, 27},
                          {"CausalConvWithState", importCausalConv, 27},
                          {"TensorScatter", importTensorScatter, 24}};
