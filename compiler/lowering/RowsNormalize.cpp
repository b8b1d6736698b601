// softmax, layer_norm, rms_norm: statistics of a row, computed once before the loops over its elements, and the
// elements from these. The source is an expression and is evaluated again in each pass: what it reads lies in the cache
// by then, and no buffer for the row is needed.
#include "compiler/lowering/LoopsCode.h"

#include "compiler/conversion/ExpandMath.h"
#include "compiler/lowering/Elements.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

/// e^d for d <= 0.
Value NestCode::exponential(Value d) {
  Type type = d.getType();
  if (!getElementTypeOrSelf(type).isF32())
    return math::ExpOp::create(b, loc, d);
  TypedAttr scale = b.getF32FloatAttr(1.4426950408889634f);
  if (auto vector = dyn_cast<VectorType>(type))
    scale = DenseElementsAttr::get(vector, scale);
  return emitExp2NonPositive(b, loc, binary("arith.mulf", d, arith::ConstantOp::create(b, loc, scale)));
}

Values NestCode::statistics(Node &node, Point &point) {
  return node.kind == Node::softmax ? softmaxStatistics(node, point) : normStatistics(node, point);
}

static Value greater(OpBuilder &b, Location loc, Value x, Value y) {
  // Of x and NaN y; a NaN in x is left to the sum, which it makes NaN.
  return arith::SelectOp::create(b, loc, arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y), x, y);
}

/// A constant of an element type, in as many lanes as the point has.
static Value constantAt(OpBuilder &b, Location loc, Type element, double value, int64_t lanes) {
  TypedAttr attribute = b.getFloatAttr(element, value);
  if (lanes)
    attribute = DenseElementsAttr::get(VectorType::get(lanes, element), attribute);
  return arith::ConstantOp::create(b, loc, attribute);
}

/// The maximum, the sum of e^(x - maximum), and its reciprocal. `keep` is given the exponentials.
Values NestCode::softmaxStatistics(Node &node, Point &point, llvm::function_ref<void(Value, Point &)> keep) {
  Type element = computedType(node.element);
  int64_t lane = laneOfReduction(loops, node), width = lanesOf({Ref{&node}}, machine);
  auto constant = [&](double value) { return constantAt(b, loc, element, value, point.lanes); };
  auto source = [&](Point &at) { return lanes(evaluate(node.children[0], at), at); };
  auto larger = [&](unsigned, Value x, Value y) { return greater(b, loc, x, y); };
  Value maximum = over(node.loops, lane, width, point, {constant(-INFINITY)}, larger,
                       [&](Point &at, Values s) -> Values { return {greater(b, loc, source(at), s[0])}; })[0];
  auto add = [&](unsigned, Value x, Value y) { return binary("arith.addf", x, y); };
  Value sum = over(node.loops, lane, width, point, {constant(0)}, add, [&](Point &at, Values s) -> Values {
    Value e = exponential(binary("arith.subf", source(at), maximum));
    if (keep)
      keep(e, at);
    return {binary("arith.addf", s[0], e)};
  })[0];
  return {maximum, sum, binary("arith.divf", constant(1), sum)};
}

/// The mean (none for rms_norm) and the reciprocal of the deviation.
Values NestCode::normStatistics(Node &node, Point &point) {
  Type element = computedType(node.element);
  auto layer = dyn_cast<attn::LayerNormOp>(node.op);
  double epsilon = (layer ? layer.getEpsilon() : cast<attn::RmsNormOp>(node.op).getEpsilon()).convertToDouble();
  int64_t lane = laneOfReduction(loops, node), width = lanesOf({Ref{&node}}, machine);
  auto constant = [&](double value) { return constantAt(b, loc, element, value, point.lanes); };
  auto source = [&](Point &at) { return lanes(evaluate(node.children[0], at), at); };
  auto add = [&](unsigned, Value x, Value y) { return binary("arith.addf", x, y); };
  DimExpr length(1);
  for (unsigned v : node.loops)
    length = length * loops.sizes[v];
  Value count = arith::SIToFPOp::create(b, loc, element, frame.size(length));
  Value mean;
  if (layer) {
    Value sum = over(node.loops, lane, width, point, {constant(0)}, add,
                     [&](Point &at, Values s) -> Values { return {binary("arith.addf", s[0], source(at))}; })[0];
    mean = binary("arith.divf", sum, count);
  }
  Value squares = over(node.loops, lane, width, point, {constant(0)}, add, [&](Point &at, Values s) -> Values {
    Value x = source(at);
    if (mean)
      x = binary("arith.subf", x, mean);
    Value product = binary("arith.mulf", x, x);
    return {binary("arith.addf", s[0], product)};
  })[0];
  Value variance = binary("arith.addf", binary("arith.divf", squares, count), constant(epsilon));
  Value reciprocal = binary("arith.divf", constant(1), math::SqrtOp::create(b, loc, variance));
  return {mean ? mean : reciprocal, reciprocal};
}

/// With `guarded`, what is NaN becomes 0.
Value NestCode::guarded(attn::SoftmaxOp op, Value y) {
  if (!op.getGuarded())
    return y;
  Value isNaN = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, y, y);
  return arith::SelectOp::create(b, loc, isNaN, zeroOf(y.getType()), y);
}

/// An element of the row at the point.
Value NestCode::evaluateRow(Node &node, Point &point) {
  Values s;
  if (auto it = known.find(&node); it != known.end()) {
    s = it->second;
  } else {
    // Statistics that change with every element: a row inside of another one's loops.
    Point p = point.at(~0u, Value());
    bool onLanes = point.lanes && llvm::is_contained(dependencies(node), unsigned(point.lane));
    if (!onLanes)
      p.lanes = 0, p.lane = -1, p.mask = Value();
    s = statistics(node, p);
  }
  Value x = evaluate(node.children[1], point), y;
  if (auto softmax = dyn_cast<attn::SoftmaxOp>(node.op)) {
    Value d = binary("arith.subf", x, s[0]);
    y = softmax.getLog() ? binary("arith.subf", d, math::LogOp::create(b, loc, s[1]))
                         : binary("arith.mulf", exponential(d), s[2]);
    return guarded(softmax, y);
  }
  y = isa<attn::LayerNormOp>(node.op) ? binary("arith.subf", x, s[0]) : x;
  y = binary("arith.mulf", y, s[1]);
  if (node.children[2].node)
    y = binary("arith.mulf", y, evaluate(node.children[2], point));
  if (node.children[3].node)
    y = binary("arith.addf", y, evaluate(node.children[3], point));
  return y;
}

/// A nest that is nothing but softmax along contiguous rows: the exponentials are kept in the output row instead of
/// being computed twice.
bool NestCode::emitSoftmaxInPlace(Point &point) {
  if (nest.outputs.size() != 1 || shape.lane < 0 || !shape.laneInside || !shape.inner.empty())
    return false;
  Output &output = nest.outputs.front();
  Node &node = *output.value.node;
  Type element = node.element;
  auto softmax = dyn_cast_or_null<attn::SoftmaxOp>(node.op);
  if (node.kind != Node::softmax || softmax.getLog() || node.loops.size() != 1 ||
      !output.place.coefficient(shape.lane).isConstant(1) || isHalf(element))
    return false;
  bool nested = false;
  walkNodes(output.value, [&](Node &n) { nested |= &n != &node && n.hasLoops(); });
  if (nested)
    return false;
  // The output's element at the counter of the statistics.
  Output row = output;
  row.place.coefficients.erase(shape.lane);
  row.place = row.place + Form::variable(node.loops[0]);
  Values s = softmaxStatistics(node, point, [&](Value e, Point &at) { storeAt(e, row, at); });
  Value reciprocal = binary("arith.divf", constantAt(b, loc, element, 1, 0), s[1]);
  emitLanes(point, frame.constant(0), sizeOf(shape.lane), loops.sizes[shape.lane].getConstant(), shape.unroll,
            [&](MutableArrayRef<Point> points) {
              Values values;
              for (Point &p : points) {
                Value e = load(element, frame.buffer(output.init), placeOf(output.place, p), Value(), 1, p);
                values.push_back(guarded(softmax, binary("arith.mulf", e, reciprocal)));
              }
              for (auto [p, value] : llvm::zip(points, values))
                storeAt(value, output, p);
            });
  return true;
}
