// Reductions inside of expressions: over vectors along a reduced dim with several accumulators, or element by element
// in every lane.
#include "compiler/lowering/LoopsCode.h"

#include "compiler/lowering/Elements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

static constexpr unsigned kGroups = 4; // accumulators, so that additions overlap

/// Combines the lanes of a vector by halves.
Value NestCode::horizontal(Value v, unsigned i, Combine combine) {
  for (int64_t wide = cast<VectorType>(v.getType()).getNumElements(); wide > 1; wide /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t l = 0; l < wide / 2; ++l)
      low.push_back(l), high.push_back(l + wide / 2);
    Value x = vector::ShuffleOp::create(b, loc, v, v, low), y = vector::ShuffleOp::create(b, loc, v, v, high);
    v = combine(i, x, y);
  }
  return vector::ExtractOp::create(b, loc, v, ArrayRef<int64_t>{0});
}

/// One counter in vectors. `state` has `groups` copies of the accumulators, used in turn.
Values NestCode::overLanes(unsigned counter, int64_t width, Point point, Values state, unsigned groups, Step step) {
  size_t n = state.size() / groups;
  std::optional<int64_t> count = loops.sizes[counter].getConstant();
  Value size = sizeOf(counter), at = frame.constant(0);
  auto pointAt = [&](Value i) {
    Point p = point.at(counter, i);
    p.lanes = width, p.lane = counter;
    return p;
  };
  auto runGroup = [&](Values all, unsigned group, Point p) {
    Values mine(all.begin() + group * n, all.begin() + (group + 1) * n);
    mine = step(p, mine);
    llvm::copy(mine, all.begin() + group * n);
    return all;
  };
  for (int64_t vectors : {int64_t(groups), int64_t(1)}) {
    int64_t stride = vectors * width;
    if (count && *count < stride)
      continue;
    if (count && vectors == 1 && groups > 1 && *count % (groups * width) < width)
      continue;
    Value end = size;
    if (!count || *count % stride != 0) {
      Value length = arith::SubIOp::create(b, loc, size, at);
      end = arith::SubIOp::create(b, loc, size, arith::RemSIOp::create(b, loc, length, frame.constant(stride)));
    }
    state = frame.loop(at, end, stride, state, [&](Value i, ValueRange s) {
      Values all(s.begin(), s.end());
      for (int64_t u = 0; u < vectors; ++u)
        all = runGroup(all, u, pointAt(u ? frame.add(i, frame.constant(u * width)) : i));
      return all;
    });
    at = end;
    if (groups == 1)
      break;
  }
  if (count && *count % width == 0)
    return state;
  Value left = arith::SubIOp::create(b, loc, size, at);
  auto tail = [&]() {
    Point p = pointAt(at);
    p.mask = maskFor(width, left);
    unsigned group = groups > 1 ? 1 : 0;
    Values next = runGroup(state, group, p);
    for (size_t i = group * n; i < (group + 1) * n; ++i)
      next[i] = arith::SelectOp::create(b, loc, p.mask, next[i], state[i]);
    return next;
  };
  if (count)
    return tail();
  Value any = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, left, frame.constant(0));
  auto branch = scf::IfOp::create(b, loc, ValueRange(state).getTypes(), any, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(branch.thenBlock());
  Values next = tail();
  scf::YieldOp::create(b, loc, next);
  b.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(b, loc, state);
  return Values(branch.getResults());
}

Values NestCode::over(ArrayRef<unsigned> counters, int64_t lane, int64_t width, Point &point, Values start,
                      Combine combine, Step step) {
  bool vectors = combine && !point.lanes && lane >= 0 && width > 1, shared = combine && together;
  size_t n = start.size();
  unsigned groups = 1;
  Values state = start;
  if (vectors) {
    std::optional<int64_t> size = loops.sizes[lane].getConstant();
    if (size && *size < width)
      width = llvm::PowerOf2Ceil(std::max<int64_t>(*size, 1));
    groups = size && *size < kGroups * width ? 1 : kGroups;
    state.clear();
    for (unsigned g = 0; g < groups; ++g)
      for (Value v : start)
        state.push_back(vector::BroadcastOp::create(b, loc, VectorType::get(width, v.getType()), v));
  }
  std::function<Values(Point, ArrayRef<unsigned>, Values)> nestOf = [&](Point p, ArrayRef<unsigned> rest,
                                                                        Values s) -> Values {
    if (rest.empty()) {
      if (vectors)
        return overLanes(lane, width, p, s, groups, step);
      Point q = p.at(~0u, Value());
      return step(q, s);
    }
    if (vectors && rest.front() == lane)
      return nestOf(p, rest.drop_front(), s);
    auto inside = [&](Value i, ValueRange inner) {
      return nestOf(p.at(rest.front(), i), rest.drop_front(), Values(inner));
    };
    if (shared && rest.front() == lane)
      return spread(lane, s, inside);
    return frame.loop(frame.constant(0), sizeOf(rest.front()), 1, s, inside);
  };
  state = nestOf(point, counters, state);
  if (shared)
    return join(state, combine);
  if (!vectors)
    return state;
  Values results;
  for (size_t i = 0; i < n; ++i) {
    Value sum = state[i];
    if (groups == 4) {
      Value x = combine(i, state[i], state[n + i]), y = combine(i, state[2 * n + i], state[3 * n + i]);
      sum = combine(i, x, y);
    }
    results.push_back(width == 1 ? vector::ExtractOp::create(b, loc, sum, ArrayRef<int64_t>{0}).getResult()
                                 : horizontal(sum, i, combine));
  }
  return results;
}

Operation *fovea::lowering::combinerOf(Block &body, TypedAttr &neutral) {
  if (body.getTerminator()->getNumOperands() != 1)
    return nullptr;
  BlockArgument accumulator = body.getArguments().back();
  Operation *op = body.getTerminator()->getOperand(0).getDefiningOp();
  if (!op || op->getNumOperands() != 2 || !accumulator.hasOneUse() || *accumulator.user_begin() != op ||
      op->getOperand(0) == op->getOperand(1))
    return nullptr;
  auto kind = llvm::TypeSwitch<Operation *, std::optional<arith::AtomicRMWKind>>(op)
                  .Case([](arith::AddFOp) { return arith::AtomicRMWKind::addf; })
                  .Case([](arith::MulFOp) { return arith::AtomicRMWKind::mulf; })
                  .Case([](arith::MaximumFOp) { return arith::AtomicRMWKind::maximumf; })
                  .Case([](arith::MinimumFOp) { return arith::AtomicRMWKind::minimumf; })
                  .Case([](arith::MaxNumFOp) { return arith::AtomicRMWKind::maximumf; })
                  .Case([](arith::MinNumFOp) { return arith::AtomicRMWKind::minimumf; })
                  .Case([](arith::AddIOp) { return arith::AtomicRMWKind::addi; })
                  .Case([](arith::MulIOp) { return arith::AtomicRMWKind::muli; })
                  .Case([](arith::MaxSIOp) { return arith::AtomicRMWKind::maxs; })
                  .Case([](arith::MinSIOp) { return arith::AtomicRMWKind::mins; })
                  .Case([](arith::MaxUIOp) { return arith::AtomicRMWKind::maxu; })
                  .Case([](arith::MinUIOp) { return arith::AtomicRMWKind::minu; })
                  .Case([](arith::OrIOp) { return arith::AtomicRMWKind::ori; })
                  .Case([](arith::AndIOp) { return arith::AtomicRMWKind::andi; })
                  .Default(std::nullopt);
  if (!kind)
    return nullptr;
  Type type = computedType(accumulator.getType());
  OpBuilder builder(op->getContext());
  if (auto floating = dyn_cast<FloatType>(type)) {
    double value = *kind == arith::AtomicRMWKind::mulf ? 1 : 0;
    if (*kind == arith::AtomicRMWKind::maximumf || *kind == arith::AtomicRMWKind::minimumf)
      value = *kind == arith::AtomicRMWKind::maximumf ? -INFINITY : INFINITY;
    // -0 is what leaves every sum as it is.
    neutral = builder.getFloatAttr(floating, *kind == arith::AtomicRMWKind::addf ? -0.0 : value);
    return op;
  }
  if (!type.isInteger())
    return nullptr;
  unsigned bits = type.getIntOrFloatBitWidth();
  APInt value = APInt::getZero(bits);
  if (*kind == arith::AtomicRMWKind::muli)
    value = APInt(bits, 1);
  else if (*kind == arith::AtomicRMWKind::maxs)
    value = APInt::getSignedMinValue(bits);
  else if (*kind == arith::AtomicRMWKind::mins)
    value = APInt::getSignedMaxValue(bits);
  else if (*kind == arith::AtomicRMWKind::minu || *kind == arith::AtomicRMWKind::andi)
    value = APInt::getAllOnes(bits);
  neutral = builder.getIntegerAttr(type, value);
  return op;
}

std::vector<Values> NestCode::reduce(Node &node, MutableArrayRef<Point> points) {
  auto op = cast<linalg::LinalgOp>(node.op);
  Block &body = *op.getBlock();
  unsigned inputs = op.getNumDpsInputs(), inits = op.getNumDpsInits();
  // The accumulators start as the inits.
  std::vector<Values> starts(points.size());
  bool onLanes = points[0].lanes && llvm::is_contained(dependencies(node), unsigned(points[0].lane));
  for (unsigned i = 0; i < inits; ++i) {
    Ref init = node.children[inputs + i];
    Values at = init.node ? evaluate(init, points)
                          : Values(points.size(), zeroOf(computedType(body.getArgument(inputs + i).getType())));
    for (size_t p = 0; p < points.size(); ++p)
      starts[p].push_back(onLanes ? lanes(at[p], points[p]) : at[p]);
  }
  auto step = [&](MutableArrayRef<Point> at, ArrayRef<Values> accumulators) {
    std::vector<Values> arguments(at.size());
    for (unsigned i = 0; i < inputs; ++i) {
      Ref child = node.children[i];
      Values values =
          child.node ? evaluate(child, at) : Values(at.size(), zeroOf(computedType(body.getArgument(i).getType())));
      for (size_t p = 0; p < at.size(); ++p)
        arguments[p].push_back(values[p]);
    }
    std::vector<Values> next;
    for (size_t p = 0; p < at.size(); ++p) {
      arguments[p].append(accumulators[p].begin(), accumulators[p].end());
      Values results = emitBodyAt(node, arguments[p], at[p]);
      for (auto [r, a] : llvm::zip(results, accumulators[p]))
        if (isa<VectorType>(a.getType()))
          r = broadcastLanes(frame, r, cast<VectorType>(a.getType()).getNumElements());
      next.push_back(results);
    }
    return next;
  };

  TypedAttr neutral;
  Operation *join = onLanes ? nullptr : combinerOf(body, neutral);
  if (join) {
    // The same for all points: none of them depends on the lanes.
    Point p = points[0].at(~0u, Value());
    p.lanes = 0, p.lane = -1, p.mask = Value();
    auto combine = [&](unsigned, Value x, Value y) {
      if (!isa<VectorType>(x.getType()) && isa<VectorType>(y.getType()))
        std::swap(x, y);
      return binary(join->getName().getStringRef(), x, y);
    };
    unsigned lane = laneOfReduction(loops, node);
    Value identity = arith::ConstantOp::create(b, loc, neutral);
    Values sum = over(node.loops, lane, lanesOf({Ref{&node}}, machine), p, {identity}, combine,
                      [&](Point &at, Values s) { return step(MutableArrayRef(&at, 1), {s}).front(); });
    std::vector<Values> results;
    for (size_t i = 0; i < points.size(); ++i)
      results.push_back({binary(join->getName().getStringRef(), starts[i][0], sum[0])});
    return results;
  }
  // In every lane (or for the one element) one after the other; all points in the same loops.
  std::vector<Point> places(points.begin(), points.end());
  for (Point &p : places) {
    p = p.at(~0u, Value());
    if (!onLanes)
      p.lanes = 0, p.lane = -1, p.mask = Value();
  }
  std::function<std::vector<Values>(std::vector<Point>, ArrayRef<unsigned>, std::vector<Values>)> nestOf =
      [&](std::vector<Point> at, ArrayRef<unsigned> rest, std::vector<Values> state) -> std::vector<Values> {
    if (rest.empty())
      return step(at, state);
    Values flat;
    for (Values &s : state)
      flat.append(s);
    auto unflatten = [&](ValueRange all) {
      std::vector<Values> split;
      for (size_t p = 0; p < at.size(); ++p)
        split.push_back(Values(all.slice(p * inits, inits)));
      return split;
    };
    return unflatten(frame.loop(frame.constant(0), sizeOf(rest.front()), 1, flat, [&](Value i, ValueRange inner) {
      std::vector<Point> next;
      for (Point &p : at)
        next.push_back(p.at(rest.front(), i));
      Values result;
      for (Values &s : nestOf(next, rest.drop_front(), unflatten(inner)))
        result.append(s);
      return result;
    }));
  };
  return nestOf(places, node.loops, starts);
}
