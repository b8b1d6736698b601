// Attention with transposed scores: P^T[key][query], a block of queries of one head at a time.
//
//   the block's queries, turned and scaled          Qt[d][query]
//   register tiles of keys x queries over d         P^T, and the maxima lane by lane
//   2^(score - maximum), lane by lane               P^T, and the sums
//   register tiles of queries x value columns       the result, divided by the sums at the store
//
// Keys and values are read as they lie, and no reduction crosses lanes. Only where a head has many keys and rows are
// far apart, so that they would compete for few cache sets and need a page each, they are copied once a head; f16 and
// bf16 are always copied, as f32. If all scores of a block fit into the second-level cache this is exact; otherwise it
// is done for blocks of keys, and sums and results so far are rescaled when a maximum grows (Milakov and Gimelshein
// 2018).
//
// Weights that are a result, or that a region changes, have to be final: where the keys do not fit, their maxima and
// sums are found first and the scores computed once more. A mask of blocks takes keys block by block, and those that no
// query of the block sees are left out.
#include "compiler/lowering/AttentionCode.h"
#include "compiler/lowering/Panel.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>
#include <numbers>
#include <set>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using Values = KernelCode::Values;

/// True unless rows lie one after the other, or there are never enough of them. What is no f32 is always copied.
static bool mayCopy(const AttentionForm &form, const AttentionSchedule &s) {
  if (!form.element.isF32())
    return true;
  if (form.k.strides[2].isConstant(form.d) && form.v.strides[2].isConstant(form.e))
    return false;
  return form.n.getConstant().value_or(INT64_MAX) > s.copy && form.m.getConstant().value_or(INT64_MAX) > s.copy;
}

void AttentionWriter::copyRows(const KeyRows &from, const KeyRows &to, int64_t columns) {
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
  KeyRows keyCopy{place(at.total), c.constant(form.d), c.constant(1)};
  KeyRows valueCopy{c.address(keyCopy.origin, f32, c.mul(n, form.d)), c.constant(form.e), c.constant(1)};
  c.when(copied, [&] {
    c.when(c.compare(arith::CmpIPredicate::ne, number, held), [&] {
      copyRows(keys, keyCopy, form.d);
      copyRows(valueRows, valueCopy, form.e);
    });
  });
  auto pick = [&](KeyRows &rows, const KeyRows &copy) {
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

SmallVector<Stage> fovea::lowering::emitAttention(exec::KernelDefOp kernel, AttentionForm &form,
                                                  const AttentionSchedule &schedule, const Machine &machine,
                                                  ModuleOp code) {
  Stage stage;
  stage.function = kernel.getSymName().str();
  StageFrame frame(KernelView(kernel), code, stage.function);
  KernelCode c(frame.builder(), frame.loc(), machine);
  AttentionWriter(frame, c, form, schedule).write();
  frame.finish();
  int64_t lanes = machine.lanes(32);
  AffineExpr blocks = affineOf(form.m, kernel.getContext()).ceilDiv(lanes).ceilDiv(schedule.vectors);
  stage.tasks = affineOf(form.batch, kernel.getContext()) * form.heads * blocks;
  stage.workspaceBytes = getAffineConstantExpr(AttentionPlaces(form, schedule, lanes).total, kernel.getContext());
  if (mayCopy(form, schedule))
    stage.workspaceBytes = stage.workspaceBytes + affineOf(form.n, kernel.getContext()) * ((form.d + form.e) * 4);
  return {stage};
}
