#include "compiler/lowering/LoopsCode.h"

#include "compiler/lowering/Elements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

Point Point::at(unsigned counter, Value value) const {
  Point p = *this;
  p.base[counter] = value;
  p.done = std::make_shared<std::map<Node *, Values>>();
  return p;
}

DimExpr NestCode::outerTasks() const {
  DimExpr tasks(1);
  for (unsigned v : shape.outer)
    tasks = tasks * loops.sizes[v];
  return tasks;
}

void NestCode::emit() {
  checkBroadcasts();
  formWorkgroup();
  Value zero = frame.constant(0), one = frame.constant(1);
  // Digits of a task's number, the last one first; blocks of lanes are the last digit.
  SmallVector<Value> sizes;
  SmallVector<int64_t> counters;
  int64_t blocked = shape.across >= 0 ? shape.across : shape.lane;
  if (shape.block) {
    Value blocks = arith::CeilDivSIOp::create(b, loc, sizeOf(blocked), frame.constant(shape.block));
    sizes.push_back(blocks), counters.push_back(-1);
  }
  for (unsigned v : llvm::reverse(shape.outer))
    sizes.push_back(sizeOf(v)), counters.push_back(v);
  Values digits;
  Value rest = frame.begin();
  for (auto [i, size] : llvm::enumerate(sizes)) {
    if (i + 1 == sizes.size()) {
      digits.push_back(rest);
      break;
    }
    // No tasks are asked for where a size is 0, but the division comes before the loop.
    Value divisor = arith::MaxSIOp::create(b, loc, size, one);
    digits.push_back(arith::RemSIOp::create(b, loc, rest, divisor));
    rest = arith::DivSIOp::create(b, loc, rest, divisor);
  }
  frame.loop(frame.begin(), frame.end(), 1, digits, [&](Value, ValueRange state) {
    Point point;
    Value first;
    for (auto [digit, counter] : llvm::zip(state, counters))
      if (counter < 0)
        first = frame.mul(digit, frame.constant(shape.block));
      else
        point.base[counter] = digit;
    if (first)
      point.base[blocked] = first;
    emitTask(point);
    // The next task: one more, with carries.
    Values next;
    Value carry = one;
    for (auto [i, digit] : llvm::enumerate(state)) {
      Value sum = frame.add(digit, carry);
      if (i + 1 == state.size()) {
        next.push_back(sum);
        break;
      }
      Value full = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, sum, sizes[i]);
      next.push_back(arith::SelectOp::create(b, loc, full, zero, sum));
      carry = arith::SelectOp::create(b, loc, full, one, zero);
    }
    return next;
  });
}

void NestCode::emitTask(Point point) {
  known.clear();
  together = group != nullptr;
  if (shape.across >= 0)
    return emitTransposed(point);
  if (shape.lane < 0 || shape.laneInside) {
    if (emitSoftmaxInPlace(point))
      return;
    prepare(point);
    emitInner(point, shape.inner);
    return;
  }
  // The lanes' loop is around what is inside: its statistics are vectors.
  Value size = sizeOf(shape.lane), from = frame.constant(0), to = size;
  std::optional<int64_t> count = loops.sizes[shape.lane].getConstant();
  if (shape.block) {
    from = point.base[shape.lane];
    to = arith::MinSIOp::create(b, loc, frame.add(from, frame.constant(shape.block)), size);
    count = count && *count % shape.block == 0 ? std::optional<int64_t>(shape.block) : std::nullopt;
  }
  emitLanes(point, from, to, count, shape.inner.empty() ? shape.unroll : 1, [&](MutableArrayRef<Point> points) {
    if (shape.inner.empty())
      return emitOutputs(points);
    known.clear();
    prepare(points[0]);
    emitInner(points[0], shape.inner);
  });
}

/// Calls `body` at points that together cover [from, to) of the lanes' counter; `count` is their number, if known.
void NestCode::emitLanes(const Point &point, Value from, Value to, std::optional<int64_t> count, int64_t unroll,
                         llvm::function_ref<void(MutableArrayRef<Point>)> body) {
  int64_t width = shape.lanes, wide = width * unroll;
  unsigned lane = shape.lane;
  auto pointAt = [&](Value i) {
    Point p = point.at(lane, i);
    p.lanes = width, p.lane = lane;
    return p;
  };
  auto run = [&](Value start, int64_t vectors) {
    SmallVector<Point> points;
    for (int64_t u = 0; u < vectors; ++u)
      points.push_back(pointAt(u ? frame.add(start, frame.constant(u * width)) : start));
    body(points);
  };
  auto multiple = [&](Value first, int64_t step) -> Value {
    Value length = arith::SubIOp::create(b, loc, to, first);
    Value tail = arith::RemSIOp::create(b, loc, length, frame.constant(step));
    return arith::SubIOp::create(b, loc, to, tail);
  };
  Value at = from;
  for (int64_t vectors : {unroll, int64_t(1)}) {
    int64_t step = vectors * width;
    if (count && *count < step)
      continue;
    if (count && vectors == 1 && unroll > 1 && *count % wide < width)
      continue;
    Value end = count && *count % step == 0 ? to : multiple(at, step);
    frame.loop(at, end, step, {}, [&](Value i, ValueRange) {
      run(i, vectors);
      return Values();
    });
    at = end;
    if (unroll == 1)
      break;
  }
  if (count && *count % width == 0)
    return;
  // What is left is less than a vector.
  Value left = arith::SubIOp::create(b, loc, to, at);
  OpBuilder::InsertionGuard guard(b);
  if (!count) {
    Value any = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, left, frame.constant(0));
    auto branch = scf::IfOp::create(b, loc, any, /*withElseRegion=*/false);
    b.setInsertionPoint(branch.thenBlock()->getTerminator());
  }
  Point p = pointAt(at);
  p.mask = maskFor(width, left);
  body(MutableArrayRef(&p, 1));
}

void NestCode::emitInner(Point point, ArrayRef<unsigned> counters) {
  if (nest.scan >= 0)
    return emitScan(point);
  if (together && counters.size() == 1) {
    spread(counters.front(), {}, [&](Value i, ValueRange) {
      emitInner(point.at(counters.front(), i), {});
      return Values();
    });
    return;
  }
  if (!counters.empty()) {
    frame.loop(frame.constant(0), sizeOf(counters.front()), 1, {}, [&](Value i, ValueRange) {
      emitInner(point.at(counters.front(), i), counters.drop_front());
      return Values();
    });
    return;
  }
  if (!shape.laneInside || shape.lane < 0)
    return emitOutputs(MutableArrayRef(&point, 1));
  emitLanes(point, frame.constant(0), sizeOf(shape.lane), loops.sizes[shape.lane].getConstant(), shape.unroll,
            [&](MutableArrayRef<Point> points) { emitOutputs(points); });
}

/// A running sum or product, in order.
void NestCode::emitScan(Point point) {
  Value size = sizeOf(nest.scan), zero = frame.constant(0);
  Output &output = nest.outputs.front();
  Type element = computedType(output.value.node->element);
  bool floats = isa<FloatType>(element);
  Value start = zeroOf(element);
  if (nest.product)
    start = arith::ConstantOp::create(b, loc, b.getOneAttr(element));
  if (point.lanes)
    start = vector::BroadcastOp::create(b, loc, VectorType::get(point.lanes, element), start);
  StringRef combine = nest.product ? (floats ? "arith.mulf" : "arith.muli") : floats ? "arith.addf" : "arith.addi";
  frame.loop(zero, size, 1, {start}, [&](Value i, ValueRange state) -> Values {
    Value at = i;
    if (nest.reverse)
      at = arith::SubIOp::create(b, loc, arith::SubIOp::create(b, loc, size, frame.constant(1)), i);
    Point p = point.at(nest.scan, at);
    Value x = lanes(evaluate(output.value, p), p);
    Value sum = binary(combine, state[0], x);
    storeAt(nest.exclusive ? state[0] : sum, output, p);
    return {sum};
  });
}

void NestCode::emitOutputs(MutableArrayRef<Point> points) {
  // All values before any store: an input may be the memory of an init.
  SmallVector<Values> values;
  for (Output &output : nest.outputs)
    values.push_back(evaluate(output.value, points));
  auto store = [&] {
    for (auto [output, at] : llvm::zip(nest.outputs, values))
      for (auto [point, value] : llvm::zip(points, at))
        storeAt(value, output, point);
  };
  if (together)
    code->when(group->isFirst(), store);
  else
    store();
}

/// Statistics that do not change from here on inside.
void NestCode::prepare(const Point &point) {
  SmallVector<Ref> roots;
  for (Output &output : nest.outputs)
    roots.push_back(output.value);
  walkNodes(roots, [&](Node &node) {
    if (!node.hasLoops())
      return;
    bool onLanes = false;
    for (unsigned v : dependencies(node)) {
      // Merged or single counters are 0 and need no loop.
      if (llvm::is_contained(shape.inner, v) || (int64_t(v) == shape.lane && shape.laneInside))
        return;
      onLanes |= int64_t(v) == shape.lane;
      // A row inside of the loops of another one.
      if (!point.base.count(v) && llvm::any_of(loops.nodes, [&](Node &n) { return llvm::is_contained(n.loops, v); }))
        return;
    }
    // If nothing is left to loop over inside, the result itself is computed in place.
    if (node.kind == Node::reduce && shape.inner.empty() && !shape.laneInside)
      return;
    Point p = point.at(~0u, Value());
    if (!onLanes)
      p.lanes = 0, p.lane = -1, p.mask = Value();
    known[&node] = node.kind == Node::reduce ? reduce(node, MutableArrayRef(&p, 1)).front() : statistics(node, p);
  });
}

/// data.expand: sizes must be those of the result or 1.
void NestCode::checkBroadcasts() {
  SmallVector<Ref> roots;
  for (Output &output : nest.outputs)
    roots.push_back(output.value);
  walkNodes(roots, [&](Node &node) {
    for (Node::Unknown &u : node.unknown) {
      Value size = frame.size(u.size);
      Value one = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, size, frame.constant(1));
      Value other = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, size, frame.size(u.target));
      Value bad = arith::AndIOp::create(b, loc, one, other), fault = frame.fault();
      auto branch = scf::IfOp::create(b, loc, bad, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(branch.thenBlock()->getTerminator());
      frame.store(frame.constant(frame.faultNumber()), fault);
    }
  });
}
