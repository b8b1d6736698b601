// Attention with transposed scores: P^T[key][query], a block of queries of one head at a time.
//
//   the block's queries, turned and scaled          Qt[d][query]
//   register tiles of keys x queries over d         P^T, and the maxima lane by lane
//   2^(score - maximum), lane by lane               P^T, and the sums
//   register tiles of queries x value columns       the result, divided by the sums at the store
//
// Keys and values are read as they lie, and no reduction crosses lanes. Only where a head has many keys and rows are
// far apart, so that they would compete for few cache sets and need a page each, they are copied once a head; f16 and
// bf16 are always copied, as f32. If all
// scores of a block fit into the second-level cache this is exact; otherwise it is done for blocks of keys, and sums
// and results so far are rescaled when a maximum grows (Milakov and Gimelshein 2018).
//
// Weights that are a result, or that a region changes, have to be final: where the keys do not fit, their maxima and
// sums are found first and the scores computed once more. A mask of blocks takes keys block by block, and those that no
// query of the block sees are left out.
#include "compiler/target/cpu/AttentionScores.h"
#include "compiler/target/cpu/Body.h"
#include "compiler/target/cpu/MicroKernel.h"
#include "compiler/target/cpu/Panel.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>
#include <numbers>
#include <set>

using namespace mlir;
using namespace fovea;
using namespace fovea::cpu;
using Values = KernelCode::Values;

namespace {
/// The workspace, in bytes from its start.
struct Places {
  int64_t queries, maxima, sums, factors, results, turned, tapped, scores, total;
  Places(AttentionForm &form, const AttentionSchedule &s, int64_t lanes) {
    int64_t width = s.vectors * lanes, next = 0;
    auto take = [&](int64_t floats) { return std::exchange(next, next + llvm::alignTo(floats * 4, 64)); };
    queries = take(form.d * width);
    maxima = take(width), sums = take(width), factors = take(width);
    results = take(width * llvm::alignTo(form.e, lanes));
    turned = take(AttentionScores::turnedFloats(form, s.vectors, lanes));
    tapped = take(AttentionScores::tappedFloats(form, s.vectors, lanes));
    scores = take(std::min(form.n.getConstant().value_or(s.exact), s.exact) * width);
    total = next + 64;
  }
};

/// A matrix whose rows are keys.
struct Rows {
  Value origin, stride, step;
};

class AttentionWriter {
public:
  AttentionWriter(StageFrame &frame, KernelCode &c, AttentionForm &form, const AttentionSchedule &schedule)
      : frame(frame), c(c), form(form), s(schedule), lanes(c.machine.lanes(32)), at(form, schedule, lanes),
        f32(c.b.getF32Type()), type(c.vector(f32, lanes)) {}
  void write();
  Value blocks() { return c.ceilDiv(c.ceilDiv(frame.size(form.m), lanes), s.vectors); }

private:
  Value holdHead(Value b, Value h, Value held);
  void copyRows(const Rows &from, const Rows &to, int64_t columns);
  void block(Value b, Value h, Value i0, int64_t vectors);
  void start(AttentionScores &scores, Value h, int64_t vectors);
  void tapDead(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors);
  void keyBlock(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors, Value live, Value first,
                Value last);
  void visibleBlocks(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors, Value live);
  void softmax(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors);
  void scoreAgain(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors);
  void finish(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors, Value live);
  Value safe(Value maximum);
  Values products(const AttentionScores::Block &block, int64_t vectors, bool wantMaxima);
  Values combined(const AttentionScores::Block &block, const TileOperands &o, int64_t vectors, Values sums);
  /// With `rescales`, results so far are multiplied by the factors first.
  void values(const AttentionScores::Block &block, int64_t vectors, Value live, Value first, Value last, bool rescales);
  void valueTile(const AttentionScores::Block &block, int64_t vectors, Value live, Value first, Value last, Value q0,
                 int64_t rows, int64_t column, int64_t columns, bool rescales);
  Values weighValues(const AttentionScores::Block &block, const TileShape &tile, const TileOperands &o, Value q0,
                     Value live, Values sums);
  Values weighLive(const AttentionScores::Block &block, const TileShape &tile, const TileOperands &o, Value query,
                   Value from, Value to, ArrayRef<Value> shown, Values sums);
  Value place(int64_t bytes, int64_t element = 0) {
    return c.address(frame.workspace(), c.b.getI8Type(), bytes + element * 4);
  }
  Value lane(int64_t where, int64_t v) { return place(where, v * lanes); }
  /// Keys whose scores there is room for.
  int64_t heldKeys() const { return std::min(form.n.getConstant().value_or(s.exact), s.exact); }
  int64_t tileRows(int64_t vectors) const {
    return c.machine.vectorRegisters >= 32 ? (vectors >= 4 ? 6 : vectors == 3 ? 8 : 12) : 6;
  }

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  const AttentionSchedule &s;
  int64_t lanes;
  Places at;
  Type f32;
  VectorType type;
  Value copied; ///< keys and values of a head are copied
  Rows keys, valueRows;
};
} // namespace

/// True unless rows lie one after the other, or there are never enough of them. What is no f32 is always copied.
static bool mayCopy(const AttentionForm &form, const AttentionSchedule &s) {
  if (!form.element.isF32())
    return true;
  if (form.k.strides[2].isConstant(form.d) && form.v.strides[2].isConstant(form.e))
    return false;
  return form.n.getConstant().value_or(INT64_MAX) > s.copy && form.m.getConstant().value_or(INT64_MAX) > s.copy;
}

void AttentionWriter::copyRows(const Rows &from, const Rows &to, int64_t columns) {
  bool unit = KernelCode::known(from.step) == 1;
  c.loop(c.constant(0), frame.size(form.n), 1, [&](Value j) {
    Value source = c.address(from.origin, form.element, c.mul(j, from.stride)),
          target = c.address(to.origin, f32, c.mul(j, to.stride));
    for (int64_t column = 0; column < columns; column += lanes) {
      Value mask = column + lanes > columns ? c.lanesBelow(lanes, c.constant(column), c.constant(columns)) : Value();
      Value place = c.address(source, form.element, c.mul(from.step, column));
      VectorType stored = c.vector(form.element, lanes);
      c.store(unit ? c.load(stored, place, mask) : c.gather(stored, place, from.step, mask),
              c.address(target, f32, column), mask);
    }
  });
}

/// Sets the keys and values of head h, copying them unless those held are the ones; the number of the head that is held
/// afterwards.
Value AttentionWriter::holdHead(Value b, Value h, Value held) {
  Value g = form.group == 1 ? h : c.div(h, form.group);
  keys = {placeOf(frame, c, form.k, {b, g}), frame.size(form.k.strides[2]),
          form.d == 1 ? c.constant(1) : frame.size(form.k.strides[3])};
  valueRows = {placeOf(frame, c, form.v, {b, g}), frame.size(form.v.strides[2]), c.constant(1)};
  if (!copied)
    return held;
  Value number = c.add(c.mul(b, form.heads / form.group), g), n = frame.size(form.n);
  Rows keyCopy{place(at.total), c.constant(form.d), c.constant(1)};
  Rows valueCopy{c.address(keyCopy.origin, f32, c.mul(n, form.d)), c.constant(form.e), c.constant(1)};
  c.when(copied, [&] {
    c.when(c.compare(arith::CmpIPredicate::ne, number, held), [&] {
      copyRows(keys, keyCopy, form.d);
      copyRows(valueRows, valueCopy, form.e);
    });
  });
  auto pick = [&](Rows &rows, const Rows &copy) {
    rows = {c.select(copied, copy.origin, rows.origin), c.select(copied, copy.stride, rows.stride),
            c.select(copied, copy.step, rows.step)};
  };
  pick(keys, keyCopy), pick(valueRows, valueCopy);
  return number;
}

void AttentionWriter::write() {
  Value m = frame.size(form.m), blockCount = blocks(), heads = c.constant(form.heads),
        vectorCount = c.ceilDiv(m, lanes);
  std::set<int64_t> widths;
  if (std::optional<int64_t> rows = form.m.getConstant()) {
    int64_t total = llvm::divideCeil(*rows, lanes), count = llvm::divideCeil(total, s.vectors);
    for (int64_t i = 0; i < count; ++i)
      widths.insert((i + 1) * total / count - i * total / count);
  } else {
    for (int64_t v = 1; v <= s.vectors; ++v)
      widths.insert(v);
  }
  SmallVector<int64_t> cases(widths.begin(), widths.end());
  if (!form.element.isF32())
    copied = arith::ConstantIntOp::create(c.b, c.loc, 1, 1);
  else if (mayCopy(form, s))
    copied = c.compare(arith::CmpIPredicate::sgt, c.min(m, frame.size(form.n)), c.constant(s.copy));
  c.loop(frame.begin(), frame.end(), 1, Values{c.constant(-1)}, [&](Value task, ValueRange state) {
    Value index = c.rem(task, blockCount), head = c.div(task, blockCount), h = c.rem(head, heads),
          b = c.div(head, heads);
    Value from = c.div(c.mul(index, vectorCount), blockCount),
          to = c.div(c.mul(c.add(index, 1), vectorCount), blockCount);
    Value held = holdHead(b, h, state[0]);
    c.dispatch(c.sub(to, from), cases, [&](int64_t vectors) { block(b, h, c.mul(from, lanes), vectors); });
    return Values{held};
  });
}

void AttentionWriter::block(Value b, Value h, Value i0, int64_t vectors) {
  int64_t width = vectors * lanes;
  Value zero = c.constant(0), one = c.constant(1), m = frame.size(form.m);
  Value live = c.min(c.constant(width), c.sub(m, i0)), last = c.sub(c.add(i0, live), 1);
  double scale = form.op.getScale().convertToDouble() * (form.naturalScores() ? 1 : std::numbers::log2e);
  packPanel(c, form.element,
            {placeOf(frame, c, form.q, {b, h, i0}), frame.size(form.q.strides[3]), frame.size(form.q.strides[2])},
            c.constant(form.d), live, width, lanes, place(at.queries),
            form.op.getCombine().empty() ? c.number(f32, scale) : Value());
  KeyRange range = keyRange(frame, c, form, b, i0, last);
  AttentionScores scores(frame, c, form, vectors, lanes);
  start(scores, h, vectors);
  AttentionScores::Block all{b,    h, i0, place(at.scores), range.begin, range.end, place(at.turned), place(at.tapped),
                             range};
  if (form.hasExtra(attn::Extra::tap))
    tapDead(scores, all, vectors);
  scores.storeDead(all);
  if (form.blockMask)
    return visibleBlocks(scores, all, vectors, live);
  Value yes = arith::ConstantIntOp::create(c.b, c.loc, 1, 1), size = c.constant(s.exact), blockCount = one;
  if (std::optional<int64_t> n = form.n.getConstant(); !n || *n > s.exact) {
    Value count = c.sub(range.end, range.begin);
    size = c.select(c.compare(arith::CmpIPredicate::sle, count, size), size, c.constant(s.block));
    blockCount = c.max(one, c.ceilDiv(count, size));
  }
  auto eachBlock = [&](llvm::function_ref<void(const AttentionScores::Block &, Value, Value)> body) {
    if (KernelCode::known(blockCount) == 1)
      return body(all, yes, yes);
    c.loop(zero, blockCount, 1, [&](Value i) {
      AttentionScores::Block part = all;
      part.from = c.add(range.begin, c.mul(i, size)), part.to = c.min(range.end, c.add(part.from, size));
      body(part, c.equal(i, zero), c.equal(c.add(i, 1), blockCount));
    });
  };
  if (form.normalizer() != attn::Normalizer::softmax || !form.needsWeights())
    return eachBlock([&](const AttentionScores::Block &part, Value first, Value last) {
      keyBlock(scores, part, vectors, live, first, last);
    });
  eachBlock([&](const AttentionScores::Block &part, Value, Value) { softmax(scores, part, vectors); });
  finish(scores, all, vectors, live);
  // What the sums have become is left for weigh(). After a weight region any row that has a key has a result: where
  // rows without keys are not zero, there are no dead keys.
  for (int64_t v = 0; v < vectors; ++v) {
    Value factor = c.load(type, lane(at.sums, v));
    c.store(factor, lane(at.factors, v));
    if (scores.weighsInPlace())
      c.store(c.select(c.less(zero, frame.size(form.n)), c.number(type, 1), factor), lane(at.sums, v));
  }
  Value several = c.compare(arith::CmpIPredicate::sgt, blockCount, one);
  eachBlock([&](const AttentionScores::Block &part, Value first, Value last) {
    if (KernelCode::known(blockCount) != 1)
      c.when(several, [&] { scoreAgain(scores, part, vectors); });
    Values factors;
    for (int64_t v = 0; v < vectors; ++v)
      factors.push_back(c.load(type, lane(at.factors, v)));
    scores.weigh(part, factors);
    values(part, vectors, live, first, last, /*rescales=*/false);
  });
}

/// Maxima and sums before the first key: those of the sink, if there is one.
void AttentionWriter::start(AttentionScores &scores, Value h, int64_t vectors) {
  Value lowest = c.number(type, -std::numeric_limits<double>::infinity());
  Value maximum = lowest, sum = c.number(type, form.normalizer() == attn::Normalizer::softmax ? 0 : 1);
  if (form.sinks) {
    Value sink = c.splat(type, c.load(elementOf(*form.sinks), placeOf(frame, c, *form.sinks, {h})));
    if (!form.naturalScores())
      sink = c.mulf(sink, c.number(type, std::numbers::log2e));
    maximum = c.maxf(sink, lowest);
    sum = scores.exponential(c.subf(sink, safe(maximum)));
  }
  for (int64_t v = 0; v < vectors; ++v) {
    c.store(maximum, lane(at.maxima, v));
    c.store(sum, lane(at.sums, v));
  }
}

/// What is subtracted from scores: of rows without a live key so far, anything finite will do.
Value AttentionWriter::safe(Value maximum) {
  Value infinity = c.number(type, -std::numeric_limits<double>::infinity());
  Value empty = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, maximum, infinity);
  return c.select(empty, c.number(type, 0), maximum);
}

/// Taps are wanted for keys that no query sees, too.
void AttentionWriter::tapDead(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors) {
  if (!form.hasDeadKeys())
    return;
  int64_t size = std::max<int64_t>(1, std::min(heldKeys(), s.block));
  Value zero = c.constant(0), n = frame.size(form.n), before = c.min(all.from, n), behind = c.min(all.to, n);
  // The blocks before the live keys, then those behind them.
  Value count = c.ceilDiv(before, size);
  c.loop(zero, c.add(count, c.ceilDiv(c.sub(n, behind), size)), 1, [&](Value i) {
    Value isBefore = c.less(i, count);
    AttentionScores::Block part = all;
    part.from = c.select(isBefore, c.mul(i, size), c.add(behind, c.mul(c.sub(i, count), size)));
    part.to = c.min(c.select(isBefore, before, n), c.add(part.from, size));
    products(part, vectors, false);
    scores.tap(part);
  });
}

/// Scores become weights that are not divided by their sum yet, and maxima and sums go on.
void AttentionWriter::softmax(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors) {
  Values maxima = products(block, vectors, !scores.hasPass());
  if (scores.hasPass() || form.hasExtra(attn::Extra::tap))
    maxima = scores.pass(block, maxima, /*store=*/true);
  Values subtracted;
  for (int64_t v = 0; v < vectors; ++v) {
    Value before = c.load(type, lane(at.maxima, v)), maximum = c.maxf(maxima[v], before);
    c.store(maximum, lane(at.maxima, v));
    subtracted.push_back(safe(maximum));
    c.store(scores.exponential(c.subf(before, subtracted[v])), lane(at.factors, v));
  }
  Values sums = scores.exponentiate(block, subtracted);
  for (int64_t v = 0; v < vectors; ++v) {
    Value sum = c.fma(c.load(type, lane(at.sums, v)), c.load(type, lane(at.factors, v)), sums[v]);
    c.store(sum, lane(at.sums, v));
  }
}

/// The same weights once more, with the maxima of all keys.
void AttentionWriter::scoreAgain(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors) {
  Values unused = products(block, vectors, false);
  if (scores.hasPass())
    scores.pass(block, unused, /*store=*/false);
  Values maxima;
  for (int64_t v = 0; v < vectors; ++v)
    maxima.push_back(safe(c.load(type, lane(at.maxima, v))));
  scores.exponentiate(block, maxima);
}

/// Stores what is wanted of maxima and sums; the sums become factors, 1 / sum, or what an empty row gives.
void AttentionWriter::finish(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors, Value live) {
  for (int64_t v = 0; v < vectors; ++v) {
    Value sum = c.load(type, lane(at.sums, v)), none = c.number(type, 0);
    Value isEmpty = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, sum, none);
    for (const AttentionForm::Extra &extra : form.extras) {
      if (extra.access.strides.size() != 3)
        continue;
      Value row = c.load(type, lane(at.maxima, v));
      if (!form.naturalScores())
        row = c.mulf(row, c.number(type, std::numbers::ln2));
      if (extra.kind == attn::Extra::lse)
        row = c.select(isEmpty, c.number(type, -std::numeric_limits<double>::infinity()),
                       c.addf(row, math::LogOp::create(c.b, c.loc, sum)));
      c.store(row, placeOf(frame, c, extra.access, {all.b, all.h, c.add(all.i0, v * lanes)}),
              c.lanesBelow(lanes, c.constant(v * lanes), live), elementOf(extra.access));
    }
    Value inverse = c.divf(c.number(type, 1), sum);
    c.store(c.select(isEmpty, c.number(type, form.emptyValue()), inverse), lane(at.sums, v));
  }
}

void AttentionWriter::keyBlock(AttentionScores &scores, const AttentionScores::Block &block, int64_t vectors,
                               Value live, Value first, Value last) {
  bool isSoftmax = form.normalizer() == attn::Normalizer::softmax;
  if (isSoftmax) {
    softmax(scores, block, vectors);
    c.when(last, [&] { finish(scores, block, vectors, live); });
  } else {
    Values unused = products(block, vectors, false);
    if (scores.hasPass())
      scores.pass(block, unused, /*store=*/true);
    scores.activate(block);
    if (form.needsWeights())
      scores.weigh(block, {});
  }
  values(block, vectors, live, first, last, isSoftmax);
}

/// Blocks of keys that the mask of blocks shows to some query, and then one without keys, in which results are stored.
void AttentionWriter::visibleBlocks(AttentionScores &scores, const AttentionScores::Block &all, int64_t vectors,
                                    Value live) {
  constexpr int64_t kLeast = 64;
  int64_t rows = form.whole().getBlock()[0], columns = form.whole().getBlock()[1];
  int64_t size = std::min<int64_t>(llvm::alignTo(kLeast, columns), std::max<int64_t>(1, heldKeys()));
  Value yes = arith::ConstantIntOp::create(c.b, c.loc, 1, 1), no = arith::ConstantIntOp::create(c.b, c.loc, 0, 1);
  Value firstRow = c.div(all.i0, rows), lastRow = c.div(c.sub(c.add(all.i0, live), 1), rows);
  auto anyVisible = [&](Value from, Value to) {
    Value begin = c.div(from, columns), end = c.select(c.less(from, to), c.ceilDiv(to, columns), begin);
    return c.loop(begin, end, 1, Values{no}, [&](Value column, ValueRange s) {
      return c.loop(firstRow, c.add(lastRow, 1), 1, s, [&](Value row, ValueRange s) {
        Value bit = blockIsLive(frame, c, form, all.b, all.h, c.mul(row, rows), column);
        return Values{arith::OrIOp::create(c.b, c.loc, s[0], bit)};
      });
    })[0];
  };
  Value begin = c.div(all.from, size), end = c.select(c.less(all.from, all.to), c.ceilDiv(all.to, size), begin);
  c.loop(begin, c.add(end, 1), 1, Values{yes}, [&](Value i, ValueRange first) {
    Value last = c.equal(i, end);
    AttentionScores::Block part = all;
    part.from = c.select(last, all.to, c.max(all.from, c.mul(i, size)));
    part.to = c.select(last, all.to, c.min(all.to, c.mul(c.add(i, 1), size)));
    Value visited = arith::OrIOp::create(c.b, c.loc, last, anyVisible(part.from, part.to));
    return c.choose(
        visited, SmallVector<Type>{c.b.getI1Type()},
        [&] {
          keyBlock(scores, part, vectors, live, first[0], last);
          return Values{no};
        },
        [&] { return Values(first); });
  });
}

/// The tile of products with the combine region in place of the product: keys and d are scalars, queries lie in lanes.
Values AttentionWriter::combined(const AttentionScores::Block &block, const TileOperands &o, int64_t vectors,
                                 Values sums) {
  Block &body = form.op.getCombine().front();
  sums = c.loop(c.constant(0), o.length, 1, sums, [&](Value d, ValueRange state) {
    Values next;
    Value query = c.address(o.b, f32, c.mul(d, o.bStep));
    for (Value key : o.a)
      for (int64_t v = 0; v < vectors; ++v) {
        BodyContext context;
        context.lanes = lanes;
        context.mask = c.lanesBelow(lanes, c.add(block.i0, v * lanes), frame.size(form.m));
        Values arguments{c.load(type, c.address(query, f32, v * lanes)),
                         c.load(f32, c.address(key, f32, c.mul(d, o.aStep)))};
        if (body.getNumArguments() == 3)
          arguments.push_back(d);
        next.push_back(c.addf(state[next.size()], emitBody(frame, body, arguments, context)[0]));
      }
    return next;
  });
  for (Value &sum : sums)
    sum = c.mulf(sum, c.number(type, form.op.getScale().convertToDouble()));
  return sums;
}

/// Scores of the keys of a block, in units of log 2 unless there is a score region; their maxima if they are final.
Values AttentionWriter::products(const AttentionScores::Block &block, int64_t vectors, bool wantMaxima) {
  Region &combine = form.op.getCombine();
  int64_t width = vectors * lanes, rows = combine.empty() ? tileRows(vectors) : 2;
  Value keyStride = keys.stride, firstKey = c.address(keys.origin, f32, c.mul(block.from, keyStride));
  Values initial(vectors, c.number(type, -std::numeric_limits<double>::infinity()));
  Value count = c.sub(block.to, block.from), zero = c.constant(0);
  auto tile = [&](Value key, int64_t height, ValueRange state) {
    TileOperands o;
    Value first = c.address(firstKey, f32, c.mul(key, keyStride)),
          target = c.address(block.scores, f32, c.mul(key, width));
    for (int64_t r = 0; r < height; ++r)
      o.a.push_back(c.address(first, f32, c.mul(keyStride, r)));
    o.aStep = keys.step;
    o.b = place(at.queries), o.bStep = c.constant(width), o.length = c.constant(form.d);
    Values none(height * vectors, c.number(type, 0));
    Values sums =
        combine.empty() ? emitTile(c, {f32, lanes, height, vectors}, o, none) : combined(block, o, vectors, none);
    Values next(state);
    for (int64_t r = 0; r < height; ++r)
      for (int64_t v = 0; v < vectors; ++v) {
        Value sum = sums[r * vectors + v];
        c.store(sum, c.address(target, f32, r * width + v * lanes));
        if (wantMaxima)
          next[v] = c.maxf(sum, next[v]);
      }
    return next;
  };
  // The last tile is moved back over its predecessor, which changes nothing; few keys are done one by one.
  auto tiles = [&] {
    return c.loop(zero, c.ceilDiv(count, rows), 1, initial, [&](Value t, ValueRange state) {
      return tile(c.min(c.mul(t, rows), c.sub(count, rows)), rows, state);
    });
  };
  auto single = [&] {
    return c.loop(zero, count, 1, initial, [&](Value key, ValueRange state) { return tile(key, 1, state); });
  };
  return c.choose(c.compare(arith::CmpIPredicate::sge, count, c.constant(rows)), SmallVector<Type>(vectors, type),
                  tiles, single);
}

void AttentionWriter::values(const AttentionScores::Block &block, int64_t vectors, Value live, Value first, Value last,
                             bool rescales) {
  Value zero = c.constant(0);
  int64_t width = vectors * lanes, total = llvm::divideCeil(form.e, lanes),
          most = c.machine.vectorRegisters >= 32 ? 4 : 2;
  int64_t groups = llvm::divideCeil(total, most);
  for (int64_t g = 0; g < groups; ++g) {
    int64_t column = g * total / groups, columns = (g + 1) * total / groups - column;
    // Rows split evenly: tall tiles first.
    int64_t tiles = llvm::divideCeil(width, tileRows(columns)), rows = width / tiles, tall = width - rows * tiles;
    if (tall)
      c.loop(zero, c.min(c.constant(tall), c.ceilDiv(live, rows + 1)), 1, [&](Value t) {
        valueTile(block, vectors, live, first, last, c.mul(t, rows + 1), rows + 1, column, columns, rescales);
      });
    c.loop(zero, c.max(zero, c.min(c.constant(tiles - tall), c.ceilDiv(c.sub(live, tall * (rows + 1)), rows))), 1,
           [&](Value t) {
             valueTile(block, vectors, live, first, last, c.add(c.mul(t, rows), tall * (rows + 1)), rows, column,
                       columns, rescales);
           });
  }
}

/// Adds what the values of the block's keys, times their weights, give for the tile's queries, from q0 on. With a mask
/// of blocks this goes by the blocks of keys.
Values AttentionWriter::weighValues(const AttentionScores::Block &block, const TileShape &tile, const TileOperands &o,
                                    Value q0, Value live, Values sums) {
  Value query = c.add(block.i0, q0);
  if (!form.blockMask)
    return weighLive(block, tile, o, query, block.from, block.to, {}, sums);
  int64_t size = form.whole().getBlock()[1];
  Value first = c.div(block.from, size),
        behind = c.select(c.less(block.from, block.to), c.ceilDiv(block.to, size), first);
  Value lastQuery = c.sub(c.add(block.i0, live), 1);
  return c.loop(first, behind, 1, sums, [&](Value column, ValueRange state) {
    Values shown;
    for (int64_t r = 0; r < tile.rows; ++r)
      shown.push_back(blockIsLive(frame, c, form, block.b, block.h, c.min(c.add(query, r), lastQuery), column));
    Value from = c.max(block.from, c.mul(column, size)), to = c.min(block.to, c.mul(c.add(column, 1), size));
    return weighLive(block, tile, o, query, from, to, shown, state);
  });
}

/// The same for keys `from` ... `to`, which the mask of blocks, if there is one, shows to the rows `shown`. Keys that
/// are dead for all rows are left out. Those that are dead for some are done one by one, and only for the others: a
/// weight of 0 does not hide a value that is no number.
Values AttentionWriter::weighLive(const AttentionScores::Block &block, const TileShape &tile, const TileOperands &o,
                                  Value query, Value from, Value to, ArrayRef<Value> shown, Values sums) {
  auto weightOf = [&](Value key) { return c.mul(c.sub(key, block.from), o.aStep); };
  auto whole = [&](Value from, Value to) {
    TileOperands part = o;
    for (Value &row : part.a)
      row = c.address(row, f32, weightOf(from));
    part.b = c.address(o.b, f32, c.mul(c.sub(from, block.from), o.bStep)), part.length = c.sub(to, from);
    return emitTile(c, tile, part, sums);
  };
  if (!form.banded() && shown.empty())
    return whole(from, to);
  attn::AttentionInterface op = form.op;
  // Query i sees keys i + offset - left ... i + offset + right.
  int64_t left = op.getWindow()[0], right = form.causal() ? 0 : op.getWindow()[1];
  Value stands = c.add(query, block.range.offset), last = c.add(stands, tile.rows - 1);
  Value begin = from, end = to, wholeBegin = from, wholeEnd = to;
  if (right >= 0)
    end = c.min(end, c.add(last, right + 1)), wholeEnd = c.min(wholeEnd, c.add(stands, right + 1));
  if (left >= 0)
    begin = c.max(begin, c.sub(stands, left)), wholeBegin = c.max(wholeBegin, c.sub(last, left));
  if (!shown.empty()) {
    Value any = shown[0], all = shown[0];
    for (Value row : shown.drop_front())
      any = arith::OrIOp::create(c.b, c.loc, any, row), all = arith::AndIOp::create(c.b, c.loc, all, row);
    end = c.select(any, end, begin), wholeEnd = c.select(all, wholeEnd, begin);
  }
  end = c.max(begin, end), wholeBegin = c.min(wholeBegin, end);
  wholeEnd = c.max(wholeBegin, c.min(wholeEnd, end));
  sums = whole(wholeBegin, wholeEnd);
  Value before = c.sub(wholeBegin, begin);
  return c.loop(c.constant(0), c.add(before, c.sub(end, wholeEnd)), 1, sums, [&](Value t, ValueRange state) {
    Value key = c.select(c.less(t, before), c.add(begin, t), c.add(wholeEnd, c.sub(t, before)));
    Value place = c.address(o.b, f32, c.mul(c.sub(key, block.from), o.bStep));
    Values row, next(state);
    for (int64_t v = 0; v < tile.vectors; ++v)
      row.push_back(c.load(type, c.address(place, f32, v * lanes), v == tile.vectors - 1 ? o.mask : Value()));
    for (int64_t r = 0; r < tile.rows; ++r) {
      Value live = shown.empty() ? Value() : shown[r], at = c.add(stands, r);
      auto require = [&](Value condition) {
        live = live ? c.b.createOrFold<arith::AndIOp>(c.loc, live, condition) : condition;
      };
      if (right >= 0)
        require(c.less(key, c.add(at, right + 1)));
      if (left >= 0)
        require(c.less(c.sub(at, left + 1), key));
      Value mask = c.splat(c.vector(c.b.getI1Type(), lanes), live);
      Value weight = c.splat(type, c.load(f32, c.address(o.a[r], f32, weightOf(key))));
      for (int64_t v = 0; v < tile.vectors; ++v) {
        Value &sum = next[r * tile.vectors + v];
        sum = c.select(mask, c.fma(weight, row[v], sum), sum);
      }
    }
    return next;
  });
}

/// Queries q0 ... q0 + rows of the block, `columns` vectors of the values' columns.
void AttentionWriter::valueTile(const AttentionScores::Block &block, int64_t vectors, Value live, Value first,
                                Value last, Value q0, int64_t rows, int64_t column, int64_t columns, bool rescales) {
  int64_t width = vectors * lanes, padded = llvm::alignTo(form.e, lanes), count = rows * columns;
  Value none = c.number(type, 0);
  Value mask;
  if ((column + columns) * lanes > form.e)
    mask = c.lanesBelow(lanes, c.constant((column + columns - 1) * lanes), c.constant(form.e));
  auto vectorMask = [&](int64_t v) { return v == columns - 1 ? mask : Value(); };
  Value results = c.address(place(at.results, column * lanes), f32, c.mul(q0, padded));
  auto resultPlace = [&](int64_t r, int64_t v) { return c.address(results, f32, r * padded + v * lanes); };
  auto perQuery = [&](int64_t where, int64_t r) {
    return c.splat(type, c.load(f32, c.address(c.address(place(where), f32, q0), f32, r)));
  };
  Values sums = c.choose(
      first, SmallVector<Type>(count, type), [&] { return Values(count, none); },
      [&] {
        Values loaded;
        for (int64_t r = 0; r < rows; ++r) {
          Value factor = rescales ? perQuery(at.factors, r) : Value();
          for (int64_t v = 0; v < columns; ++v) {
            Value sum = c.load(type, resultPlace(r, v));
            loaded.push_back(rescales ? c.mulf(sum, factor) : sum);
          }
        }
        return loaded;
      });
  TileOperands o;
  Value weights = c.address(block.scores, f32, q0);
  for (int64_t r = 0; r < rows; ++r)
    o.a.push_back(c.address(weights, f32, r));
  o.aStep = c.constant(width);
  o.b = c.address(c.address(valueRows.origin, f32, c.mul(block.from, valueRows.stride)), f32, column * lanes);
  o.bStep = valueRows.stride, o.mask = mask;
  sums = weighValues(block, {f32, lanes, rows, columns}, o, q0, live, sums);
  auto finish = [&] {
    Value out =
        c.address(placeOf(frame, c, form.out, {block.b, block.h, c.add(block.i0, q0)}), form.element, column * lanes);
    Value stride = frame.size(form.out.strides[2]);
    auto row = [&](int64_t r) {
      Value inverse = perQuery(at.sums, r), target = c.address(out, form.element, c.mul(stride, r));
      for (int64_t v = 0; v < columns; ++v)
        c.store(c.mulf(sums[r * columns + v], inverse), c.address(target, form.element, v * lanes), vectorMask(v),
                form.element);
    };
    c.when(
        c.compare(arith::CmpIPredicate::sle, c.add(q0, rows), live),
        [&] {
          for (int64_t r = 0; r < rows; ++r)
            row(r);
        },
        [&] {
          for (int64_t r = 0; r < rows; ++r)
            c.when(c.less(c.add(q0, r), live), [&] { row(r); });
        });
  };
  c.when(last, finish, [&] {
    for (int64_t i = 0; i < count; ++i)
      c.store(sums[i], resultPlace(i / columns, i % columns));
  });
}

SmallVector<Stage> fovea::cpu::emitAttention(exec::KernelDefOp kernel, AttentionForm &form,
                                             const AttentionSchedule &schedule, const Machine &machine, ModuleOp code) {
  Stage stage;
  stage.function = kernel.getSymName().str();
  StageFrame frame(KernelView(kernel), code, stage.function);
  KernelCode c(frame.builder(), frame.loc(), machine);
  AttentionWriter(frame, c, form, schedule).write();
  frame.finish();
  auto index = [](const data::DimAtom &atom) -> unsigned { return cast<BlockArgument>(atom.value).getArgNumber(); };
  int64_t lanes = machine.lanes(32);
  AffineExpr blocks = form.m.toAffine(kernel.getContext(), index).ceilDiv(lanes).ceilDiv(schedule.vectors);
  stage.tasks = form.batch.toAffine(kernel.getContext(), index) * form.heads * blocks;
  stage.workspaceBytes = getAffineConstantExpr(Places(form, schedule, lanes).total, kernel.getContext());
  if (mayCopy(form, schedule))
    stage.workspaceBytes = stage.workspaceBytes + form.n.toAffine(kernel.getContext(), index) * ((form.d + form.e) * 4);
  return {stage};
}
