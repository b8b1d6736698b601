// The two products of the fast attention kernel: scores of keys and queries, and the values weighted by them.
//
// A key that is dead for a query must not reach it, whatever its values hold: a weight of 0 does not hide what is no
// number. Keys that all queries of a tile see are done in the register tile, others one by one.
#include "compiler/lowering/AttentionCode.h"
#include "compiler/lowering/Body.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using Values = KernelCode::Values;

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
