// Softmax attention of few queries for machines that run shaders (Dao et al. 2023, "Flash-Decoding"; Kwon et al. 2023):
// a workgroup has a query and some of the heads that share its keys, and goes over the keys in steps of as many as it
// has invocations. No score is ever in a buffer.
//
// Neighbouring invocations read neighbouring words: a few share the columns of a key, and many those of a value. So a
// step has two halves. In the first, the sharers of a key leave their parts of its score in shared memory, from which
// each invocation takes the score of one key; they agree on the maximum, and leave the keys' weights in shared memory.
// In the second, each invocation adds four columns of every so many-th value. Its state is small: four columns of each
// head, the sum of its own keys' weights, and the maximum, which is the same for all of them.
//
// Rows of a workgroup differ in the head only and so see the same keys; no other key is ever read.
#include "compiler/lowering/AttentionWorkgroup.h"
#include "compiler/lowering/Threads.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

static constexpr double kLowest = -std::numeric_limits<double>::infinity();
/// Values that an invocation loads before it needs one of them.
static constexpr int64_t kValuesAtOnce = 4;

/// Of the memory that scores and columns have by turns, for each head.
static int64_t scoreWords(const WorkgroupTile &tile) {
  return tile.group * std::max(tile.sharers, WorkgroupTile::kColumns);
}

int64_t WorkgroupTile::words(const AttentionForm &form) const {
  int64_t each = bytesOf(attn::AttentionInterface(form.op).getScoreType()) / 4;
  return (scoreWords(*this) + group) * heads * each + Workgroup::reduceWords(group, heads * each);
}

AttentionWorkgroup::AttentionWorkgroup(StageFrame &frame, KernelCode &c, AttentionForm &form, WorkgroupTile tile)
    : AttentionLane(frame, c, form), tile(tile), group(frame, c, tile.group, tile.heads * (bytesOf(type) / 4)) {
  int64_t each = tile.heads * (bytesOf(type) / 4);
  scores = frame.sharedMemory(scoreWords(tile) * each), weights = frame.sharedMemory(tile.group * each);
  Value lane = group.lane(), sharers = c.constant(tile.sharers), columnLanes = c.constant(tile.columnLanes(form));
  keyLane = c.div(lane, sharers), sharer = c.rem(lane, sharers);
  valueLane = c.div(lane, columnLanes), column = c.mul(c.rem(lane, columnLanes), WorkgroupTile::kColumns);
}

void AttentionWorkgroup::loadQueries() {
  Value from = c.mul(sharer, WorkgroupTile::kColumns);
  for (int64_t r = 0; r < tile.heads; ++r) {
    Value place = placeOf(frame, c, form.q, {b, c.add(h, r), i});
    Values &columns = queries.emplace_back();
    // A sharer has every so many-th four columns. Where there are several, all of them have the same number.
    for (int64_t d = 0; d < form.d; d += tile.sharers * WorkgroupTile::kColumns)
      for (int64_t x = d; x < std::min(d + WorkgroupTile::kColumns, form.d); ++x)
        columns.push_back(queryColumn(place, c.add(from, x)));
  }
}

/// The score of key `first` + lane for each head; behind the last key it is that of another one.
AttentionWorkgroup::Values AttentionWorkgroup::ownScores(Value first, Value end) {
  int64_t atOnce = tile.group / tile.sharers, heads = tile.heads;
  Value last = c.sub(end, 1), from = c.mul(sharer, WorkgroupTile::kColumns);
  auto sums = [&](Value key) {
    Value row = rowsOf(keyHead, form.k, {c.min(key, last)})[0];
    Values all(heads);
    for (int64_t d = 0, n = 0; d < form.d; d += tile.sharers * WorkgroupTile::kColumns)
      for (Value x : part(form.k, row, c.add(from, d), std::min(WorkgroupTile::kColumns, form.d - d), true)) {
        for (int64_t r = 0; r < heads; ++r)
          all[r] = n == 0 ? c.mulf(queries[r][n], x) : c.fma(queries[r][n], x, all[r]);
        ++n;
      }
    return all;
  };
  if (tile.sharers == 1)
    return sums(c.add(first, keyLane));
  Value lane = group.lane();
  c.loop(c.constant(0), c.constant(tile.sharers), 1, [&](Value s) {
    Values all = sums(c.add(c.add(first, keyLane), c.mul(s, atOnce)));
    for (int64_t r = 0; r < heads; ++r)
      c.store(all[r], word(scores, c.add(c.add(lane, c.mul(s, tile.group)), r * tile.sharers * tile.group)));
  });
  group.barrier();
  Values own(heads);
  Value begin = c.mul(lane, tile.sharers);
  for (int64_t r = 0; r < heads; ++r)
    for (int64_t s = 0; s < tile.sharers; ++s) {
      Value x = c.load(type, word(scores, c.add(begin, r * tile.sharers * tile.group + s)));
      own[r] = s == 0 ? x : c.addf(own[r], x);
    }
  return own;
}

AttentionWorkgroup::Values AttentionWorkgroup::step(Value first, Value end, ValueRange state) {
  Value lane = group.lane(), j = c.add(first, lane), isThere = c.less(j, end);
  Values own = ownScores(first, end), next(state);
  for (int64_t r = 0; r < tile.heads; ++r) {
    if (op.hasScoreRegion())
      own[r] = region(c.add(h, r), i, own[r], c.min(j, c.sub(end, 1)));
    own[r] = c.select(isThere, own[r], c.number(type, kLowest));
  }
  Values tops = group.reduce(own, [&](ValueRange x, ValueRange y) {
    Values all;
    for (auto [a, b] : llvm::zip(x, y))
      all.push_back(c.maxf(a, b));
    return all;
  });
  for (int64_t r = 0; r < tile.heads; ++r) {
    Value *mine = &next[r * kState], before = mine[0];
    mine[0] = c.maxf(tops[r], before);
    Value zero = reference(mine[0]), alpha = exponential(c.subf(before, zero)),
          weight = exponential(c.subf(own[r], zero));
    c.store(weight, word(weights, c.add(lane, r * tile.group)));
    mine[1] = c.addf(c.mulf(mine[1], alpha), weight);
    for (int64_t x = 2; x < kState; ++x)
      mine[x] = c.mulf(mine[x], alpha);
  }
  group.barrier();
  return addValues(first, c.min(c.sub(end, first), c.constant(tile.group)), next);
}

/// Adds this invocation's columns of the values of so many keys, which have weights.
AttentionWorkgroup::Values AttentionWorkgroup::addValues(Value first, Value count, ValueRange state) {
  int64_t keyLanes = tile.keyLanes(form);
  auto columns = [&](Value row) {
    if (form.e % WorkgroupTile::kColumns == 0)
      return part(form.v, row, column, WorkgroupTile::kColumns, true);
    Values all; // those behind the last one are the last one again
    for (int64_t x = 0; x < WorkgroupTile::kColumns; ++x)
      llvm::append_range(all, part(form.v, row, c.min(c.add(column, x), c.constant(form.e - 1)), 1, false));
    return all;
  };
  auto add = [&](Value k, int64_t times, ValueRange state) {
    Values next(state), numbers;
    for (int64_t u = 0; u < times; ++u)
      numbers.push_back(c.add(c.add(first, k), u * keyLanes));
    SmallVector<Values> parts;
    for (Value row : rowsOf(valueHead, form.v, numbers))
      parts.push_back(columns(row));
    for (int64_t u = 0; u < times; ++u)
      for (int64_t r = 0; r < tile.heads; ++r) {
        Value weight = c.load(type, word(weights, c.add(k, u * keyLanes + r * tile.group)));
        for (int64_t x = 0; x < WorkgroupTile::kColumns; ++x) {
          Value &sum = next[r * kState + 2 + x];
          sum = c.fma(weight, parts[u][x], sum);
        }
      }
    return next;
  };
  Value begin = valueLane;
  if (tile.group % tile.columnLanes(form) != 0) // some have nothing to do
    begin = c.select(c.less(valueLane, c.constant(keyLanes)), valueLane, count);
  int64_t stride = kValuesAtOnce * keyLanes;
  Value rounds = c.div(c.max(c.sub(c.add(count, keyLanes - 1), begin), c.constant(0)), stride);
  Value wholeEnd = c.add(begin, c.mul(rounds, stride));
  Values next = c.loop(begin, wholeEnd, stride, state, [&](Value k, ValueRange s) { return add(k, kValuesAtOnce, s); });
  return c.loop(wholeEnd, count, keyLanes, next, [&](Value k, ValueRange s) { return add(k, 1, s); });
}

void AttentionWorkgroup::joinColumns(int64_t r, const std::function<void(Value, Value)> &body) {
  int64_t keyLanes = tile.keyLanes(form), padded = tile.columnLanes(form) * WorkgroupTile::kColumns;
  group.each(c.constant(0), c.constant(form.e), [&](Value e) {
    Value begin = c.add(e, r * scoreWords(tile));
    Value sum = c.loop(c.constant(0), c.constant(keyLanes), 1, Values{c.number(type, 0)}, [&](Value k, ValueRange s) {
      return Values{c.addf(s[0], c.load(type, word(scores, c.add(begin, c.mul(k, padded)))))};
    })[0];
    body(e, sum);
  });
}

void AttentionWorkgroup::task(Value number, BlockArgument memory) {
  auto next = [&](Value size) {
    Value index = c.rem(number, size);
    number = c.div(number, size);
    return index;
  };
  // Those that read the same keys follow each other.
  Value m = frame.size(form.m);
  i = next(m);
  Value some = next(c.constant(form.group / tile.heads)), p = next(c.constant(tile.parts)),
        g = next(c.constant(form.heads / form.group)), zero = c.constant(0);
  b = number, h = c.add(c.mul(g, form.group), c.mul(some, tile.heads));
  keyHead = placeOf(frame, c, form.k, {b, g, zero}), valueHead = placeOf(frame, c, form.v, {b, g, zero});
  KeyRange range = keyRange(frame, c, form, b, i, i);
  Value begin = range.begin, end = c.max(range.begin, range.end);
  if (memory)
    takePart(p, tile.parts, tile.group, begin, end);
  loadQueries();
  Values state(tile.heads * kState, c.number(type, 0));
  for (int64_t r = 0; r < tile.heads; ++r)
    state[r * kState] = c.number(type, kLowest);
  state = c.loop(begin, end, tile.group, state, [&](Value first, ValueRange s) { return step(first, end, s); });
  // The columns, where the scores were: these have been read by all.
  Values sums;
  Value at = c.add(c.mul(valueLane, tile.columnLanes(form) * WorkgroupTile::kColumns), column);
  c.when(c.less(valueLane, c.constant(tile.keyLanes(form))), [&] {
    for (int64_t r = 0; r < tile.heads; ++r)
      for (int64_t x = 0; x < WorkgroupTile::kColumns; ++x)
        c.store(state[r * kState + 2 + x], word(scores, c.add(at, r * scoreWords(tile) + x)));
  });
  for (int64_t r = 0; r < tile.heads; ++r)
    sums.push_back(state[r * kState + 1]);
  sums = group.reduce(sums, [&](ValueRange x, ValueRange y) {
    Values all;
    for (auto [a, b] : llvm::zip(x, y))
      all.push_back(c.addf(a, b));
    return all;
  });
  Type to = elementOf(form.out);
  for (int64_t r = 0; r < tile.heads; ++r) {
    Value head = c.add(h, r);
    if (memory) {
      KeyParts::Places places = placesOfPart(memory, tile.parts, head, i, p);
      joinColumns(r, [&](Value e, Value column) { c.store(column, c.address(places.result, type, e)); });
      c.when(group.isFirst(), [&] {
        c.store(state[r * kState], places.maximum);
        c.store(sums[r], places.sum);
      });
      continue;
    }
    Ending end = ending(head, state[r * kState], sums[r]);
    Value place = placeOf(frame, c, form.out, {b, head, i}), stride = frame.size(form.out.strides[3]);
    joinColumns(r, [&](Value e, Value column) {
      c.store(c.mulf(column, end.factor), c.address(place, to, c.mul(e, stride)), {}, to);
    });
    c.when(group.isFirst(), [&] { storeExtras(head, i, end); });
  }
}
