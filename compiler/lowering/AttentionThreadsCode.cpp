// Softmax attention for machines that run shaders: an invocation keeps a few query rows, their running maxima and sums
// and their parts of the result, and goes over the keys once (Milakov, Gimelshein 2018; Rabe, Staats 2021). No score is
// ever in memory.
//
// A workgroup's invocations have rows of one head, so that keys and values are the same loads for all of them. Blocks
// of keys that no row of the workgroup sees are skipped; where only some rows see a key, the others step over it, so
// what it holds does not matter to them.
#include "compiler/lowering/AttentionThreads.h"
#include "compiler/lowering/Body.h"
#include "compiler/lowering/Threads.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// Columns of keys whose loads stand together.
static constexpr int64_t kChunk = 8;
static constexpr double kLowest = -std::numeric_limits<double>::infinity();

Value AttentionThreads::exponential(Value x) { return math::ExpOp::create(c.b, c.loc, x); }

Value AttentionThreads::isLowest(Value x) {
  return arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, x, c.number(type, kLowest));
}

Value AttentionThreads::sees(const ThreadRow &row, Value j) {
  Value begun = c.compare(arith::CmpIPredicate::sle, row.range.begin, j);
  return arith::AndIOp::create(c.b, c.loc, begun, c.less(j, row.range.end));
}

void AttentionThreads::loadQuery(ThreadRow &row) {
  Value q = placeOf(frame, c, form.q, {b, h, row.i}), stride = frame.size(form.q.strides[3]),
        scale = c.number(type, op.getScale().convertToDouble());
  auto load = [&](Value d) {
    return c.mulf(c.load(form.element, c.address(q, form.element, c.mul(d, stride))), scale);
  };
  if (!tile.arrays) {
    for (int64_t d = 0; d < form.d; ++d)
      row.query.push_back(load(c.constant(d)));
    return;
  }
  row.array = privateArray(c, type, form.d + form.e + tile.keys);
  c.loop(c.constant(0), c.constant(form.d), 1, [&](Value d) { c.store(load(d), c.address(row.array, type, d)); });
  c.loop(c.constant(form.d), c.constant(form.d + form.e), 1,
         [&](Value e) { c.store(c.number(type, 0), c.address(row.array, type, e)); });
}

SmallVector<AttentionThreads::Values> AttentionThreads::scores(const Values &numbers) {
  int64_t count = numbers.size();
  Values keys = rowsOf(keyHead, form.k, numbers);
  SmallVector<Values> sums(count, Values(rows.size()));
  for (int64_t from = 0; from < form.d; from += kChunk) {
    int64_t to = std::min(form.d, from + kChunk);
    SmallVector<Values> x(count);
    for (int64_t u = 0; u < count; ++u)
      x[u] = part(form.k, keys[u], from, to);
    for (auto [r, row] : llvm::enumerate(rows)) {
      for (int64_t d = from; d < to; ++d) {
        Value y = query(row, d);
        for (int64_t u = 0; u < count; ++u)
          sums[u][r] = d == 0 ? c.mulf(y, x[u][0]) : c.fma(y, x[u][d - from], sums[u][r]);
      }
      // Stored, sums have to be there: compilers are tempted to put them off until all keys are loaded, and spill
      // these.
      for (int64_t u = 0; tile.arrays && u < count; ++u)
        c.store(sums[u][r], c.address(row.array, type, form.d + form.e + u));
    }
  }
  if (op.hasScoreRegion())
    for (int64_t u = 0; u < count; ++u)
      for (auto [sum, row] : llvm::zip(sums[u], rows))
        sum = region(row, sum, numbers[u]);
  return sums;
}

AttentionThreads::Values AttentionThreads::rowsOf(Value head, const Access &access, const Values &numbers) {
  Values rows;
  for (Value number : numbers)
    rows.push_back(c.address(head, form.element, c.mul(number, frame.size(access.strides[2]))));
  return rows;
}

AttentionThreads::Values AttentionThreads::part(const Access &access, Value row, int64_t from, int64_t to) {
  const data::DimExpr &stride = access.strides[3];
  if (isByFour(access, 3))
    return loadRun(c, form.element, c.address(row, form.element, from), to - from, from % 4 == 0);
  Values all;
  for (int64_t i = from; i < to; ++i)
    all.push_back(c.load(form.element, c.address(row, form.element, c.mul(c.constant(i), frame.size(stride)))));
  return all;
}

Value AttentionThreads::region(const ThreadRow &row, Value score, Value j) {
  BodyContext context;
  Values arguments{score, b, h, row.i, j};
  for (auto [capture, access] : llvm::zip(op.getCaptures(), form.captures))
    arguments.push_back(c.load(getElementTypeOrSelf(capture.getType()), placeOf(frame, c, access, {b, h, row.i, j})));
  return emitBody(frame, op.getScore().front(), arguments, context)[0];
}

AttentionThreads::Values AttentionThreads::step(Value j, int64_t count, Value end, ValueRange state,
                                                ArrayRef<Value> seen) {
  Values numbers, isThere;
  if (tile.uniform)
    j = uniform(c, j, form.n.getConstant().value_or(INT32_MAX));
  Value last = c.sub(end, 1);
  for (int64_t u = 0; u < count; ++u)
    numbers.push_back(u ? c.min(c.add(j, u), last) : j);
  SmallVector<Values> all = scores(numbers), weights(rows.size());
  // Behind the last key it is the last one again, without a weight.
  for (int64_t u = 1; u < count; ++u)
    for (Value &score : all[u])
      score = c.select(c.less(c.add(j, u), end), score, c.number(type, kLowest));
  Values alphas, next(state);
  auto changed = [&](size_t r, Value to, Value from) { return seen.empty() ? to : c.select(seen[r], to, from); };
  for (size_t r = 0; r < rows.size(); ++r) {
    Value before = state[r * stateSize()], sum = state[r * stateSize() + 1], top = before;
    for (const Values &scores : all)
      top = c.maxf(scores[r], top);
    // As long as all scores are -inf, anything finite will do.
    Value reference = c.select(isLowest(top), c.number(type, 0), top);
    alphas.push_back(exponential(c.subf(before, reference)));
    Value newSum = c.mulf(sum, alphas.back());
    for (const Values &scores : all) {
      weights[r].push_back(exponential(c.subf(scores[r], reference)));
      newSum = c.addf(newSum, weights[r].back());
    }
    next[r * stateSize()] = changed(r, top, before), next[r * stateSize() + 1] = changed(r, newSum, sum);
  }
  Values places = rowsOf(valueHead, form.v, numbers);
  SmallVector<Values> parts(count);
  for (int64_t e = 0; e < form.e; ++e) {
    if (e % 4 == 0)
      for (int64_t u = 0; u < count; ++u)
        parts[u] = part(form.v, places[u], e, std::min(form.e, e + 4));
    for (auto [r, row] : llvm::enumerate(rows)) {
      Value place = tile.arrays ? c.address(row.array, type, form.d + e) : Value();
      Value before = place ? c.load(type, place) : state[r * stateSize() + 2 + e];
      Value column = c.mulf(before, alphas[r]);
      for (int64_t u = 0; u < count; ++u)
        column = c.fma(weights[r][u], parts[u][e % 4], column);
      column = changed(r, column, before);
      if (place)
        c.store(column, place);
      else
        next[r * stateSize() + 2 + e] = column;
    }
  }
  return next;
}

AttentionThreads::Values AttentionThreads::maskedStep(Value j, ValueRange state) {
  Values seen;
  Value any;
  for (const ThreadRow &row : rows) {
    seen.push_back(sees(row, j));
    any = any ? arith::OrIOp::create(c.b, c.loc, any, seen.back()).getResult() : seen.back();
  }
  // A key must not reach a row that does not see it, whatever it holds.
  return c.choose(
      any, SmallVector<Type>(state.size(), type),
      [&] { return step(j, 1, c.add(j, 1), state, rows.size() > 1 ? ArrayRef<Value>(seen) : ArrayRef<Value>()); },
      [&] { return Values(state); });
}

void AttentionThreads::finish(const ThreadRow &row, ValueRange state) {
  Value top = state[0], sum = state[1], alpha;
  Value reference = c.select(isLowest(top), c.number(type, 0), top);
  if (form.sinks) {
    Value sink = c.load(elementOf(*form.sinks), placeOf(frame, c, *form.sinks, {h}));
    Value higher = c.maxf(sink, top);
    reference = c.select(isLowest(higher), c.number(type, 0), higher);
    alpha = exponential(c.subf(top, reference));
    sum = c.addf(c.mulf(sum, alpha), exponential(c.subf(sink, reference)));
    top = higher;
  }
  Value none = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, sum, c.number(type, 0));
  for (const AttentionForm::Extra &extra : form.extras) {
    Value value = top;
    if (extra.kind == attn::Extra::lse)
      value = c.select(none, c.number(type, kLowest), c.addf(reference, math::LogOp::create(c.b, c.loc, sum)));
    c.store(value, placeOf(frame, c, extra.access, {b, h, row.i}), {}, elementOf(extra.access));
  }
  Value factor = c.select(none, c.number(type, form.emptyValue()), c.divf(c.number(type, 1), sum));
  if (alpha)
    factor = c.mulf(factor, alpha);
  Type to = elementOf(form.out);
  Value place = placeOf(frame, c, form.out, {b, h, row.i}), stride = frame.size(form.out.strides[3]);
  auto store = [&](Value column, Value e) {
    c.store(c.mulf(column, factor), c.address(place, to, c.mul(e, stride)), {}, to);
  };
  if (tile.arrays)
    return c.loop(c.constant(0), c.constant(form.e), 1,
                  [&](Value e) { store(c.load(type, c.address(row.array, type, c.add(e, form.d))), e); });
  for (int64_t e = 0; e < form.e; ++e)
    store(state[2 + e], c.constant(e));
}

void AttentionThreads::task(Value number) {
  Value m = frame.size(form.m), bands = c.ceilDiv(m, tile.band()), last = c.sub(m, 1), lane = invocation(c);
  Value head = c.div(number, bands), i0 = c.mul(c.rem(number, bands), tile.band());
  b = c.div(head, c.constant(form.heads)), h = c.rem(head, c.constant(form.heads));
  g = form.group == 1 ? h : c.div(h, form.group);
  Value zero = c.constant(0);
  keyHead = placeOf(frame, c, form.k, {b, g, zero}), valueHead = placeOf(frame, c, form.v, {b, g, zero});
  if (tile.uniform)
    keyHead = uniform(c, keyHead), valueHead = uniform(c, valueHead);
  for (int64_t r = 0; r < tile.rows; ++r) {
    ThreadRow &row = rows.emplace_back();
    // Rows behind the last one are the last one again, and are not written.
    row.own = c.add(c.add(i0, lane), r * tile.group);
    row.i = c.min(row.own, last);
    loadQuery(row);
    if (form.hasDeadKeys())
      row.range = keyRange(frame, c, form, b, row.i, row.i);
  }
  KeyRange all = keyRange(frame, c, form, b, i0, c.min(c.add(i0, tile.band() - 1), last));
  Values state(tile.rows * stateSize(), c.number(type, 0));
  for (int64_t r = 0; r < tile.rows; ++r)
    state[r * stateSize()] = c.number(type, kLowest);
  auto masked = [&](Value from, Value to, Values state) {
    return c.loop(from, to, 1, state, [&](Value j, ValueRange s) { return maskedStep(j, s); });
  };
  Value begin = all.begin, end = c.max(all.begin, all.end), wholeEnd = end;
  if (form.hasDeadKeys()) {
    Value wholeBegin = c.min(c.max(all.wholeBegin, begin), end);
    wholeEnd = c.max(c.min(all.wholeEnd, end), wholeBegin);
    // Only a window hides the first keys.
    if (op.getWindow()[0] >= 0)
      state = masked(begin, wholeBegin, state), begin = wholeBegin;
  }
  state =
      c.loop(begin, wholeEnd, tile.keys, state, [&](Value j, ValueRange s) { return step(j, tile.keys, wholeEnd, s); });
  if (form.hasDeadKeys())
    state = masked(wholeEnd, end, state);
  for (auto [r, row] : llvm::enumerate(rows))
    c.when(c.less(row.own, m), [&] { finish(row, ValueRange(state).slice(r * stateSize(), stateSize())); });
}
