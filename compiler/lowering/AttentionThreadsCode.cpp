// Softmax attention for machines that run shaders: an invocation keeps a few query rows, their running maxima and sums
// and their parts of the result, and goes over the keys once (Milakov, Gimelshein 2018; Rabe, Staats 2021). No score is
// ever in memory.
//
// A workgroup's invocations have rows of one head, so that keys and values are the same loads for all of them: on GPUs
// from shared memory, where the workgroup has copied a block of them, each element by one invocation; all read the same
// word at a time, which is one access. Blocks of keys that no row of the workgroup sees are skipped; where only some
// rows see a key, the others step over it, so what it holds does not matter to them.
#include "compiler/lowering/AttentionThreads.h"
#include "compiler/lowering/Threads.h"
#include "compiler/lowering/Workgroup.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// Columns of keys whose loads stand together; loads of an invocation that do when it copies.
static constexpr int64_t kChunk = 8, kCopies = 8;
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

AttentionThreads::Values AttentionThreads::rowsIn(const Source &source, const Values &numbers) {
  if (!block)
    return rowsOf(source.head, source.access, numbers);
  return llvm::map_to_vector(numbers, [&](Value number) {
    return c.address(source.memory, type, c.mul(c.sub(number, block), source.columns));
  });
}

AttentionThreads::Values AttentionThreads::elements(const Source &source, Value row, int64_t from, int64_t count) {
  if (!block)
    return part(source.access, row, c.constant(from), count, from % 4 == 0);
  return loadRun(c, type, c.address(row, type, from), count, isByFour(source) && from % 4 == 0);
}

/// Rows of the block from `first` on. Neighbouring invocations copy neighbouring elements, and all loads of a round are
/// on their way before the first of them is waited for.
void AttentionThreads::copyRows(const Source &source, Value first) {
  const int64_t run = isByFour(source) && lowering::isByFour(source.access, 3) ? 4 : 1, runs = source.columns / run,
                all = tile.shared * runs,
                round = std::min<int64_t>(kCopies, llvm::divideCeil(all, tile.group)) * tile.group;
  Value lane = invocation(c);
  auto copy = [&](Value done) {
    SmallVector<Value> numbers, places;
    SmallVector<Values> moved;
    for (int64_t at = 0; at < round; at += tile.group) {
      numbers.push_back(c.add(c.add(lane, done), at));
      Value number = c.min(numbers.back(), c.constant(all - 1)), row = c.div(number, runs),
            column = c.mul(c.rem(number, c.constant(runs)), run);
      Value from = rowsOf(source.head, source.access, {c.add(first, row)})[0];
      places.push_back(c.address(source.memory, type, c.add(c.mul(row, source.columns), column)));
      moved.push_back(part(source.access, from, column, run, run == 4));
    }
    for (auto [number, place, elements] : llvm::zip(numbers, places, moved)) {
      Value four =
          run == 4 ? vector::FromElementsOp::create(c.b, c.loc, c.vector(type, 4), elements).getResult() : elements[0];
      if (all % round == 0)
        c.store(four, place);
      else
        c.when(c.less(number, c.constant(all)), [&] { c.store(four, place); });
    }
  };
  if (round >= all)
    copy(c.constant(0));
  else
    c.loop(c.constant(0), c.constant(all), round, copy);
}

AttentionThreads::Values AttentionThreads::allSeen(Value begin, Value end, Values state) {
  if (tile.shared) {
    Workgroup group(frame, c, tile.group);
    for (Source *source : {&*keys, &*values})
      source->memory = frame.sharedMemory(tile.shared * source->columns * bytesOf(type) / 4, isByFour(*source));
    Value whole = c.add(begin, c.mul(c.div(c.sub(end, begin), tile.shared), tile.shared));
    state = c.loop(begin, whole, tile.shared, state, [&](Value first, ValueRange s) {
      group.barrier(); // until all have read the block before
      copyRows(*keys, first), copyRows(*values, first);
      group.barrier();
      block = first;
      Values next = c.loop(first, c.add(first, tile.shared), tile.keys, s,
                           [&](Value j, ValueRange s) { return step(j, tile.keys, s); });
      block = {};
      return next;
    });
    begin = whole;
  }
  return c.loop(begin, end, tile.keys, state, [&](Value j, ValueRange s) { return step(j, tile.keys, s); });
}

SmallVector<AttentionThreads::Values> AttentionThreads::scores(const Values &numbers) {
  int64_t count = numbers.size();
  Values places = rowsIn(*keys, numbers);
  SmallVector<Values> sums(count, Values(rows.size()));
  for (int64_t from = 0; from < form.d; from += kChunk) {
    int64_t to = std::min(form.d, from + kChunk);
    SmallVector<Values> x(count);
    for (int64_t u = 0; u < count; ++u)
      x[u] = elements(*keys, places[u], from, to - from);
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
  Values places = rowsIn(*values, numbers);
  SmallVector<Values> parts(count);
  for (int64_t e = 0; e < form.e; ++e) {
    if (e % 4 == 0)
      for (int64_t u = 0; u < count; ++u)
        parts[u] = elements(*values, places[u], e, std::min<int64_t>(form.e - e, 4));
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
  Value keyHead = placeOf(frame, c, form.k, {b, g, zero}), valueHead = placeOf(frame, c, form.v, {b, g, zero});
  if (tile.uniform)
    keyHead = uniform(c, keyHead), valueHead = uniform(c, valueHead);
  keys.emplace(Source{form.k, keyHead, form.d, {}}), values.emplace(Source{form.v, valueHead, form.e, {}});
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
  state = allSeen(begin, wholeEnd, state);
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
