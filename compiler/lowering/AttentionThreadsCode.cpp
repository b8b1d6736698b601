// Softmax attention for machines that run shaders: an invocation keeps a few query rows, their running maxima and sums
// and their parts of the result, and goes over the keys once (Milakov, Gimelshein 2018; Rabe, Staats 2021). No score is
// ever in memory.
//
// A workgroup's invocations have rows of one head, so that keys and values are the same loads for all of them. Blocks
// of keys that no row of the workgroup sees are skipped; where only some rows see a key, the others step over it, so
// what it holds does not matter to them.
#include "compiler/lowering/AttentionThreads.h"
#include "compiler/lowering/Threads.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// Columns of keys whose loads stand together.
static constexpr int64_t kChunk = 8;
static constexpr double kLowest = -std::numeric_limits<double>::infinity();

Value AttentionThreads::sees(const ThreadRow &row, Value j) {
  Value begun = c.compare(arith::CmpIPredicate::sle, row.range.begin, j);
  return arith::AndIOp::create(c.b, c.loc, begun, c.less(j, row.range.end));
}

void AttentionThreads::loadQuery(ThreadRow &row) {
  Value q = placeOf(frame, c, form.q, {b, row.h, row.i});
  if (!tile.arrays) {
    for (int64_t d = 0; d < form.d; ++d)
      row.query.push_back(queryColumn(q, c.constant(d)));
    return;
  }
  row.array = privateArray(c, type, form.d + form.e + tile.keys);
  c.loop(c.constant(0), c.constant(form.d), 1,
         [&](Value d) { c.store(queryColumn(q, d), c.address(row.array, type, d)); });
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
      x[u] = part(form.k, keys[u], c.constant(from), to - from, from % 4 == 0);
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
        sum = region(row.h, row.i, sum, numbers[u]);
  return sums;
}

AttentionThreads::Values AttentionThreads::step(Value j, int64_t count, ValueRange state, ArrayRef<Value> seen) {
  Values numbers;
  if (tile.uniform)
    j = uniform(c, j, form.n.getConstant().value_or(INT32_MAX));
  for (int64_t u = 0; u < count; ++u)
    numbers.push_back(c.add(j, u));
  SmallVector<Values> all = scores(numbers), weights(rows.size());
  Values alphas, next(state);
  auto changed = [&](size_t r, Value to, Value from) { return seen.empty() ? to : c.select(seen[r], to, from); };
  for (size_t r = 0; r < rows.size(); ++r) {
    Value before = state[r * stateSize()], sum = state[r * stateSize() + 1], top = before;
    for (const Values &scores : all)
      top = c.maxf(scores[r], top);
    Value zero = reference(top);
    alphas.push_back(exponential(c.subf(before, zero)));
    Value newSum = c.mulf(sum, alphas.back());
    for (const Values &scores : all) {
      weights[r].push_back(exponential(c.subf(scores[r], zero)));
      newSum = c.addf(newSum, weights[r].back());
    }
    next[r * stateSize()] = changed(r, top, before), next[r * stateSize() + 1] = changed(r, newSum, sum);
  }
  Values places = rowsOf(valueHead, form.v, numbers);
  SmallVector<Values> parts(count);
  for (int64_t e = 0; e < form.e; ++e) {
    if (e % 4 == 0)
      for (int64_t u = 0; u < count; ++u)
        parts[u] = part(form.v, places[u], c.constant(e), std::min<int64_t>(form.e - e, 4), true);
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
      [&] { return step(j, 1, state, rows.size() > 1 ? ArrayRef<Value>(seen) : ArrayRef<Value>()); },
      [&] { return Values(state); });
}

void AttentionThreads::eachColumn(const ThreadRow &row, ValueRange state,
                                  const std::function<void(Value, Value)> &body) {
  if (tile.arrays)
    return c.loop(c.constant(0), c.constant(form.e), 1,
                  [&](Value e) { body(e, c.load(type, c.address(row.array, type, c.add(e, form.d)))); });
  for (int64_t e = 0; e < form.e; ++e)
    body(c.constant(e), state[2 + e]);
}

void AttentionThreads::finish(const ThreadRow &row, ValueRange state) {
  Ending end = ending(row.h, state[0], state[1]);
  storeExtras(row.h, row.i, end);
  Type to = elementOf(form.out);
  Value place = placeOf(frame, c, form.out, {b, row.h, row.i}), stride = frame.size(form.out.strides[3]);
  eachColumn(row, state, [&](Value e, Value column) {
    c.store(c.mulf(column, end.factor), c.address(place, to, c.mul(e, stride)), {}, to);
  });
}

void AttentionThreads::finishPart(const ThreadRow &row, ValueRange state, const KeyParts::Places &places) {
  c.store(state[0], places.maximum);
  c.store(state[1], places.sum);
  eachColumn(row, state, [&](Value e, Value column) { c.store(column, c.address(places.result, type, e)); });
}

void AttentionThreads::task(Value number, BlockArgument memory) {
  auto next = [&](Value size) {
    Value index = c.rem(number, size);
    number = c.div(number, size);
    return index;
  };
  // Those that read the same keys follow each other.
  Value all = c.mul(frame.size(form.m), tile.heads), last = c.sub(all, 1), zero = c.constant(0);
  Value first = c.mul(next(c.ceilDiv(all, tile.band())), tile.band()), lane = invocation(c);
  Value some = next(c.constant(form.group / tile.heads)), p = next(c.constant(tile.parts)),
        g = next(c.constant(form.heads / form.group));
  b = number;
  Value h = c.add(c.mul(g, form.group), c.mul(some, tile.heads));
  auto query = [&](Value row) { return c.div(row, c.constant(tile.heads)); };
  keyHead = placeOf(frame, c, form.k, {b, g, zero}), valueHead = placeOf(frame, c, form.v, {b, g, zero});
  if (tile.uniform)
    keyHead = uniform(c, keyHead), valueHead = uniform(c, valueHead);
  for (int64_t r = 0; r < tile.rows; ++r) {
    ThreadRow &row = rows.emplace_back();
    // Rows behind the last one are the last one again, and are not written.
    row.own = c.add(c.add(first, lane), r * tile.group);
    Value read = c.min(row.own, last);
    row.h = c.add(h, c.rem(read, c.constant(tile.heads))), row.i = query(read);
    loadQuery(row);
    if (form.hasDeadKeys())
      row.range = keyRange(frame, c, form, b, row.i, row.i);
  }
  KeyRange range = keyRange(frame, c, form, b, query(first), query(c.min(c.add(first, tile.band() - 1), last)));
  Values state(tile.rows * stateSize(), c.number(type, 0));
  for (int64_t r = 0; r < tile.rows; ++r)
    state[r * stateSize()] = c.number(type, kLowest);
  auto masked = [&](Value from, Value to, Values state) {
    return c.loop(from, to, 1, state, [&](Value j, ValueRange s) { return maskedStep(j, s); });
  };
  Value begin = range.begin, end = c.max(range.begin, range.end);
  if (memory)
    takePart(p, tile.parts, tile.keys, begin, end);
  Value wholeEnd = end;
  if (form.hasDeadKeys()) {
    Value wholeBegin = c.min(c.max(range.wholeBegin, begin), end);
    wholeEnd = c.max(c.min(range.wholeEnd, end), wholeBegin);
    // Only a window hides the first keys.
    if (op.getWindow()[0] >= 0)
      state = masked(begin, wholeBegin, state), begin = wholeBegin;
  }
  // Then those that are seen by all, and one by one the rest.
  wholeEnd = c.add(begin, c.mul(c.div(c.sub(wholeEnd, begin), tile.keys), tile.keys));
  state = c.loop(begin, wholeEnd, tile.keys, state, [&](Value j, ValueRange s) { return step(j, tile.keys, s); });
  if (form.hasDeadKeys())
    state = masked(wholeEnd, end, state);
  else if (tile.keys > 1)
    state = c.loop(wholeEnd, end, 1, state, [&](Value j, ValueRange s) { return step(j, 1, s); });
  for (auto [r, row] : llvm::enumerate(rows))
    c.when(c.less(row.own, all), [&, r = r, &row = row] {
      ValueRange own = ValueRange(state).slice(r * stateSize(), stateSize());
      memory ? finishPart(row, own, placesOfPart(memory, tile.parts, row.h, row.i, p)) : finish(row, own);
    });
}
