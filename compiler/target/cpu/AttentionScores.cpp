#include "compiler/conversion/ExpandMath.h"
#include "compiler/target/cpu/Attention.h"
#include "compiler/target/cpu/Body.h"
#include "compiler/target/cpu/Panel.h"

#include <limits>
#include <numbers>

using namespace mlir;
using namespace fovea;
using namespace fovea::cpu;
using Values = KernelCode::Values;

Value AttentionScores::score(const Block &block, Value j, int64_t v) {
  Value key = c.address(block.scores, type.getElementType(), c.mul(c.sub(j, block.from), vectors * lanes));
  return c.address(key, type.getElementType(), v * lanes);
}

/// Captures that lie along keys, such as a mask for each query and key, are turned in blocks of lanes x lanes: a gather
/// costs far more.
bool AttentionScores::isTurned(AttentionForm &form, unsigned capture) {
  const Access &access = form.captures[capture];
  return access.strides[3].isConstant(1) && !access.strides[2].isConstant(0) && !access.strides[2].isConstant(1) &&
         computedType(elementOf(access)).isF32();
}

int64_t AttentionScores::turnedFloats(AttentionForm &form, int64_t vectors, int64_t lanes) {
  int64_t count = 0;
  for (unsigned i = 0; i < form.captures.size(); ++i)
    count += isTurned(form, i);
  return count * lanes * vectors * lanes;
}

/// Writes down the turned captures of the keys from `from` on, as many as there are lanes and not past `to`.
void AttentionScores::turn(const Block &block, Value from, Value to) {
  Value place = block.turned, mask = c.lanesBelow(lanes, from, to);
  for (auto [i, access] : llvm::enumerate(form.captures)) {
    if (!isTurned(form, i))
      continue;
    Value stride = frame.size(access.strides[2]);
    for (int64_t v = 0; v < vectors; ++v) {
      Value first = c.add(block.i0, v * lanes), last = c.sub(c.sub(frame.size(form.m), 1), first);
      // Queries that do not exist repeat the last one; a block has at least one.
      if (std::optional<int64_t> m = form.m.getConstant(); m && *m % lanes == 0)
        last = c.constant(lanes);
      Value origin = placeOf(frame, c, access, {block.b, block.h, first, from});
      Values rows;
      for (int64_t r = 0; r < lanes; ++r)
        rows.push_back(c.load(c.vector(elementOf(access), lanes),
                              c.address(origin, elementOf(access), c.mul(c.min(c.constant(r), last), stride)), mask));
      for (auto [key, row] : llvm::enumerate(transposeBlock(c, rows)))
        c.store(row, c.address(place, type.getElementType(), (key * vectors + v) * lanes));
    }
    place = c.address(place, type.getElementType(), lanes * vectors * lanes);
  }
}

/// The score region for one key and a vector of queries; the key belongs to the group of keys from `group` on.
Value AttentionScores::region(const Block &block, Value score, Value j, Value group, int64_t v) {
  attn::AttentionInterface op = form.op;
  Value i = c.add(block.i0, v * lanes);
  BodyContext context;
  context.lanes = lanes;
  // Lanes beyond the last query.
  if (std::optional<int64_t> m = form.m.getConstant(); !m || *m % lanes)
    context.mask = c.lanesBelow(lanes, i, frame.size(form.m));
  Values arguments{score, block.b, block.h, c.iota(lanes, i), j};
  Value turned = block.turned;
  for (auto [number, capture, access] : llvm::enumerate(op.getCaptures(), form.captures)) {
    Type element = getElementTypeOrSelf(capture.getType());
    if (isTurned(form, number)) {
      Value key = c.address(turned, type.getElementType(), c.mul(c.sub(j, group), vectors * lanes));
      arguments.push_back(c.load(type, c.address(key, type.getElementType(), v * lanes)));
      turned = c.address(turned, type.getElementType(), lanes * vectors * lanes);
      continue;
    }
    Value place = placeOf(frame, c, access, {block.b, block.h, i, j});
    const data::DimExpr &stride = access.strides[2];
    if (stride.isConstant(0))
      arguments.push_back(c.load(element, place));
    else if (stride.isConstant(1))
      arguments.push_back(c.load(c.vector(element, lanes), place, context.mask));
    else
      arguments.push_back(c.gather(c.vector(element, lanes), place, frame.size(stride), context.mask));
  }
  return emitBody(frame, op.getScore().front(), arguments, context)[0];
}

Values AttentionScores::passKeys(const Block &block, Value from, Value to, bool masked, Values maxima) {
  attn::AttentionInterface op = form.op;
  auto keys = [&](Value from, Value to, Value group, ValueRange maxima) {
    return c.loop(from, to, 1, maxima, [&](Value j, ValueRange state) {
      Values next;
      for (int64_t v = 0; v < vectors; ++v) {
        Value place = score(block, j, v), s = c.load(type, place);
        if (op.hasScoreRegion())
          s = region(block, s, j, group, v);
        if (masked) {
          // Queries before the first that sees the key, and those after the last one.
          Value i = c.add(block.i0, v * lanes), first = c.sub(j, block.range.offset),
                dead = c.number(type, -std::numeric_limits<double>::infinity());
          if (form.causal())
            s = c.select(c.lanesBelow(lanes, i, first), dead, s);
          if (int64_t right = op.getWindow()[1]; right >= 0)
            s = c.select(c.lanesBelow(lanes, i, c.sub(first, right)), dead, s);
          if (int64_t left = op.getWindow()[0]; left >= 0)
            s = c.select(c.lanesBelow(lanes, i, c.add(first, left + 1)), s, dead);
        }
        if (masked || op.hasScoreRegion())
          c.store(s, place);
        next.push_back(c.maxf(s, state[v]));
      }
      return next;
    });
  };
  if (!turnedFloats(form, vectors, lanes))
    return keys(from, to, from, maxima);
  return c.loop(from, to, lanes, maxima, [&](Value group, ValueRange state) {
    turn(block, group, to);
    return keys(group, c.min(to, c.add(group, lanes)), group, state);
  });
}

Values AttentionScores::pass(const Block &block, Values maxima) {
  if (!form.banded())
    return passKeys(block, block.from, block.to, false, maxima);
  Value left = c.max(block.from, c.min(block.to, block.range.wholeBegin)),
        right = c.max(left, c.min(block.to, block.range.wholeEnd));
  if (form.op.getWindow()[0] >= 0)
    maxima = passKeys(block, block.from, left, true, maxima);
  maxima = passKeys(block, left, right, false, maxima);
  return passKeys(block, right, block.to, true, maxima);
}

Value AttentionScores::exponential(Value x) {
  // The difference first: a mask of -3.4e38 in all of a row must leave zeros, not infinities.
  if (form.op.hasScoreRegion())
    x = c.mulf(x, c.number(x.getType(), std::numbers::log2e));
  return emitExp2NonPositive(c.b, c.loc, x);
}

Values AttentionScores::exponentiate(const Block &block, ArrayRef<Value> maxima) {
  return c.loop(block.from, block.to, 1, Values(vectors, c.number(type, 0)), [&](Value j, ValueRange state) {
    Values next;
    for (int64_t v = 0; v < vectors; ++v) {
      Value place = score(block, j, v), p = exponential(c.subf(c.load(type, place), maxima[v]));
      c.store(p, place);
      next.push_back(c.addf(state[v], p));
    }
    return next;
  });
}
