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
#include "compiler/target/cpu/Attention.h"
#include "compiler/target/cpu/MicroKernel.h"
#include "compiler/target/cpu/Panel.h"

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
  int64_t queries, maxima, sums, factors, results, turned, scores, total;
  Places(AttentionForm &form, const AttentionSchedule &s, int64_t lanes) {
    int64_t width = s.vectors * lanes, next = 0;
    auto take = [&](int64_t floats) { return std::exchange(next, next + llvm::alignTo(floats * 4, 64)); };
    queries = take(form.d * width);
    maxima = take(width), sums = take(width), factors = take(width);
    results = take(width * llvm::alignTo(form.e, lanes));
    turned = take(AttentionScores::turnedFloats(form, s.vectors, lanes));
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
  void keyBlock(AttentionScores &scores, AttentionScores::Block &block, int64_t vectors, Value live, Value first,
                Value last);
  Values products(const AttentionScores::Block &block, int64_t vectors, bool wantMaxima);
  void values(const AttentionScores::Block &block, int64_t vectors, Value live, Value first, Value last);
  void valueTile(const AttentionScores::Block &block, int64_t vectors, Value live, Value first, Value last, Value q0,
                 int64_t rows, int64_t column, int64_t columns);
  Value place(int64_t bytes, int64_t element = 0) {
    return c.address(frame.workspace(), c.b.getI8Type(), bytes + element * 4);
  }
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
  double scale = form.op.getScale().convertToDouble() * (form.op.hasScoreRegion() ? 1 : std::numbers::log2e);
  packPanel(c, form.element,
            {placeOf(frame, c, form.q, {b, h, i0}), frame.size(form.q.strides[3]), frame.size(form.q.strides[2])},
            c.constant(form.d), live, width, lanes, place(at.queries), c.number(f32, scale));
  KeyRange range = keyRange(frame, c, form, b, i0, last);
  AttentionScores scores(frame, c, form, vectors, lanes);
  for (int64_t v = 0; v < vectors; ++v) {
    c.store(c.number(type, -std::numeric_limits<double>::infinity()), place(at.maxima, v * lanes));
    c.store(c.number(type, 0), place(at.sums, v * lanes));
  }
  AttentionScores::Block all{b, h, i0, place(at.scores), range.begin, range.end, place(at.turned), range};
  if (std::optional<int64_t> n = form.n.getConstant(); n && *n <= s.exact) {
    Value yes = arith::ConstantIntOp::create(c.b, c.loc, 1, 1);
    return keyBlock(scores, all, vectors, live, yes, yes);
  }
  Value count = c.sub(range.end, range.begin);
  Value size = c.select(c.compare(arith::CmpIPredicate::sle, count, c.constant(s.exact)), c.constant(s.exact),
                        c.constant(s.block));
  Value blockCount = c.max(one, c.ceilDiv(count, size));
  c.loop(zero, blockCount, 1, [&](Value i) {
    AttentionScores::Block part = all;
    part.from = c.add(range.begin, c.mul(i, size)), part.to = c.min(range.end, c.add(part.from, size));
    keyBlock(scores, part, vectors, live, c.equal(i, zero), c.equal(c.add(i, 1), blockCount));
  });
}

void AttentionWriter::keyBlock(AttentionScores &scores, AttentionScores::Block &block, int64_t vectors, Value live,
                               Value first, Value last) {
  Values maxima = products(block, vectors, !scores.hasPass());
  if (scores.hasPass())
    maxima = scores.pass(block, maxima);
  Values safe;
  Value infinity = c.number(type, -std::numeric_limits<double>::infinity()), none = c.number(type, 0);
  for (int64_t v = 0; v < vectors; ++v) {
    Value before = c.load(type, place(at.maxima, v * lanes)), maximum = c.maxf(maxima[v], before);
    c.store(maximum, place(at.maxima, v * lanes));
    // Rows without a live key so far: anything finite will do.
    Value empty = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, maximum, infinity);
    safe.push_back(c.select(empty, none, maximum));
    c.store(scores.exponential(c.subf(before, safe[v])), place(at.factors, v * lanes));
  }
  Values sums = scores.exponentiate(block, safe);
  for (int64_t v = 0; v < vectors; ++v) {
    Value sum = c.fma(c.load(type, place(at.sums, v * lanes)), c.load(type, place(at.factors, v * lanes)), sums[v]);
    c.store(sum, place(at.sums, v * lanes));
  }
  values(block, vectors, live, first, last);
}

/// Scores of the keys of a block, in units of log 2 unless there is a score region; their maxima if they are final.
Values AttentionWriter::products(const AttentionScores::Block &block, int64_t vectors, bool wantMaxima) {
  int64_t width = vectors * lanes, rows = tileRows(vectors);
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
    Values sums = emitTile(c, {f32, lanes, height, vectors}, o, Values(height * vectors, c.number(type, 0)));
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

void AttentionWriter::values(const AttentionScores::Block &block, int64_t vectors, Value live, Value first,
                             Value last) {
  Value zero = c.constant(0);
  c.when(last, [&] {
    double empty = form.emptyValue();
    for (int64_t v = 0; v < vectors; ++v) {
      Value sum = c.load(type, place(at.sums, v * lanes)), none = c.number(type, 0);
      Value isEmpty = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, sum, none);
      Value inverse = c.divf(c.number(type, 1), sum);
      c.store(c.select(isEmpty, c.number(type, empty), inverse), place(at.sums, v * lanes));
    }
  });
  int64_t width = vectors * lanes, total = llvm::divideCeil(form.e, lanes),
          most = c.machine.vectorRegisters >= 32 ? 4 : 2;
  int64_t groups = llvm::divideCeil(total, most);
  for (int64_t g = 0; g < groups; ++g) {
    int64_t column = g * total / groups, columns = (g + 1) * total / groups - column;
    // Rows split evenly: tall tiles first.
    int64_t tiles = llvm::divideCeil(width, tileRows(columns)), rows = width / tiles, tall = width - rows * tiles;
    if (tall)
      c.loop(zero, c.min(c.constant(tall), c.ceilDiv(live, rows + 1)), 1, [&](Value t) {
        valueTile(block, vectors, live, first, last, c.mul(t, rows + 1), rows + 1, column, columns);
      });
    c.loop(zero, c.max(zero, c.min(c.constant(tiles - tall), c.ceilDiv(c.sub(live, tall * (rows + 1)), rows))), 1,
           [&](Value t) {
             valueTile(block, vectors, live, first, last, c.add(c.mul(t, rows), tall * (rows + 1)), rows, column,
                       columns);
           });
  }
}

/// Queries q0 ... q0 + rows of the block, `columns` vectors of the values' columns.
void AttentionWriter::valueTile(const AttentionScores::Block &block, int64_t vectors, Value live, Value first,
                                Value last, Value q0, int64_t rows, int64_t column, int64_t columns) {
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
          Value factor = perQuery(at.factors, r);
          for (int64_t v = 0; v < columns; ++v)
            loaded.push_back(c.mulf(c.load(type, resultPlace(r, v)), factor));
        }
        return loaded;
      });
  TileOperands o;
  Value weights = c.address(block.scores, f32, q0);
  for (int64_t r = 0; r < rows; ++r)
    o.a.push_back(c.address(weights, f32, r));
  o.aStep = c.constant(width);
  o.b = c.address(c.address(valueRows.origin, f32, c.mul(block.from, valueRows.stride)), f32, column * lanes);
  o.bStep = valueRows.stride, o.length = c.sub(block.to, block.from), o.mask = mask;
  sums = emitTile(c, {f32, lanes, rows, columns}, o, sums);
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
