#include "compiler/lowering/AttentionScores.h"
#include "compiler/conversion/ExpandMath.h"
#include "compiler/lowering/Body.h"
#include "compiler/lowering/Panel.h"

#include <limits>
#include <numbers>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
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

int64_t AttentionScores::tappedFloats(AttentionForm &form, int64_t vectors, int64_t lanes) {
  int64_t taps = llvm::count_if(form.extras, [](const auto &extra) { return extra.kind == attn::Extra::tap; });
  return taps * lanes * vectors * lanes;
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

/// A region for one key and a vector of queries; the key belongs to the group of keys from `group` on.
Values AttentionScores::region(const Block &block, Region &region, Value score, Value j, Value group, int64_t v) {
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
  return emitBody(frame, region.front(), arguments, context);
}

Value AttentionScores::hideDead(const Block &block, Value score, Value j, int64_t v, bool banded, double dead) {
  attn::AttentionInterface op = form.op;
  Value i = c.add(block.i0, v * lanes), hidden = c.number(type, dead);
  if (banded) {
    // Queries before the first that sees the key, and those after the last one.
    Value first = c.sub(j, block.range.offset);
    if (form.causal())
      score = c.select(c.lanesBelow(lanes, i, first), hidden, score);
    if (int64_t right = op.getWindow()[1]; right >= 0)
      score = c.select(c.lanesBelow(lanes, i, c.sub(first, right)), hidden, score);
    if (int64_t left = op.getWindow()[0]; left >= 0)
      score = c.select(c.lanesBelow(lanes, i, c.add(first, left + 1)), score, hidden);
  }
  if (form.blockMask) // a vector of queries lies in one block
    score =
        c.select(blockIsLive(frame, c, form, block.b, block.h, i, c.div(j, form.whole().getBlock()[1])), score, hidden);
  return score;
}

/// A block of lanes x lanes of P^T, of keys from `from` on and the queries of vector `v`, times the factor if there is
/// one, turned and stored. A factor of NaN leaves keys that are not live alone. `whole`: no key is behind `to`.
void AttentionScores::storeTurned(const Block &block, const Access &extra, Value source, Value from, Value to,
                                  int64_t v, Value factor, bool whole) {
  Value mask = whole ? Value() : c.lanesBelow(lanes, from, to), m = frame.size(form.m);
  Value last = whole ? c.constant(lanes) : c.sub(c.sub(to, from), 1);
  Value stride = frame.size(extra.strides[2]);
  std::optional<int64_t> count = form.m.getConstant();
  bool hides = factor && form.banded();
  auto load = [&](bool hides) {
    Values rows;
    for (int64_t r = 0; r < lanes; ++r) {
      Value row = c.address(source, type.getElementType(), c.mul(c.min(c.constant(r), last), vectors * lanes));
      rows.push_back(c.load(type, c.address(row, type.getElementType(), v * lanes)));
      if (factor)
        rows.back() = c.mulf(rows.back(), factor);
      if (hides)
        rows.back() = hideDead(block, rows.back(), c.add(from, r), v, /*banded=*/true, 0);
    }
    return rows;
  };
  auto loadPartly = [&] {
    Value partly = c.b.createOrFold<arith::OrIOp>(c.loc, c.less(from, block.range.wholeBegin),
                                                  c.less(block.range.wholeEnd, c.add(from, lanes)));
    return c.choose(partly, SmallVector<Type>(lanes, type), [&] { return load(true); }, [&] { return load(false); });
  };
  Values columns = transposeBlock(c, hides ? loadPartly() : load(false));
  Value i = c.add(block.i0, v * lanes), origin = placeOf(frame, c, extra, {block.b, block.h, i, from});
  // Queries that do not exist are written where the last one then is.
  Value most = count && *count % lanes == 0 ? c.constant(lanes) : c.sub(c.sub(m, 1), i);
  for (int64_t q = lanes - 1; q >= 0; --q) {
    Value place = c.address(origin, elementOf(extra), c.mul(stride, c.min(c.constant(q), most)));
    c.store(columns[q], place, mask, elementOf(extra));
    // Each line is of another row: stores to what is not in the first-level cache wait for each other.
    if (whole)
      c.prefetch(c.address(place, elementOf(extra), 2 * lanes), /*forWriting=*/true);
  }
}

Values AttentionScores::passKeys(const Block &block, Value from, Value to, bool masked, const Step &step,
                                 Values maxima) {
  Type element = type.getElementType();
  int64_t width = vectors * lanes;
  auto keys = [&](Value from, Value to, Value group, ValueRange maxima) {
    return c.loop(from, to, 1, maxima, [&](Value j, ValueRange state) {
      Values next;
      for (int64_t v = 0; v < vectors; ++v) {
        Value place = score(block, j, v), s = c.load(type, place);
        if (!step.factors.empty())
          s = c.mulf(s, step.factors[v]);
        if (step.region) {
          Values results = region(block, *step.region, s, j, group, v);
          s = results[0];
          for (unsigned tap = 1; step.taps && tap < results.size(); ++tap) {
            Value row = c.add(c.mul(c.sub(j, group), width), (tap - 1) * lanes * width + v * lanes);
            c.store(results[tap], c.address(block.tapped, element, row));
          }
        }
        if (step.dead && (masked || form.blockMask))
          s = hideDead(block, s, j, v, masked, *step.dead);
        if (step.changes)
          c.store(s, place);
        next.push_back(c.maxf(s, state[v]));
      }
      return next;
    });
  };
  bool turns = step.region && turnedFloats(form, vectors, lanes);
  if (!turns && !stores(step))
    return keys(from, to, from, maxima);
  return c.loop(from, to, lanes, maxima, [&](Value group, ValueRange state) {
    if (turns)
      turn(block, group, to);
    Value end = c.min(to, c.add(group, lanes));
    Values next = keys(group, end, group, state);
    int64_t tap = 0;
    for (const AttentionForm::Extra &extra : form.extras) {
      bool isTap = extra.kind == attn::Extra::tap;
      Value source = isTap ? c.address(block.tapped, element, tap * lanes * width) : score(block, group, 0);
      for (int64_t v = 0; v < vectors && isStored(step, extra); ++v)
        storeTurned(block, extra.access, source, group, end, v);
      tap += isTap;
    }
    return next;
  });
}

bool AttentionScores::isStored(const Step &step, const AttentionForm::Extra &extra) {
  return extra.kind == step.extra || (step.taps && extra.kind == attn::Extra::tap);
}

bool AttentionScores::stores(const Step &step) const {
  return llvm::any_of(form.extras, [&](const auto &extra) { return isStored(step, extra); });
}

/// Keys that all queries see need no masks; beside stores these cost little, and the code is written once.
Values AttentionScores::passBands(const Block &block, const Step &step, Values maxima) {
  if (!form.banded() || !step.dead)
    return passKeys(block, block.from, block.to, false, step, maxima);
  if (stores(step))
    return passKeys(block, block.from, block.to, true, step, maxima);
  Value left = c.max(block.from, c.min(block.to, block.range.wholeBegin)),
        right = c.max(left, c.min(block.to, block.range.wholeEnd));
  if (form.op.getWindow()[0] >= 0)
    maxima = passKeys(block, block.from, left, true, step, maxima);
  maxima = passKeys(block, left, right, false, step, maxima);
  return passKeys(block, right, block.to, true, step, maxima);
}

Values AttentionScores::pass(const Block &block, Values maxima, bool store) {
  Step step;
  step.region = form.op.hasScoreRegion() ? &form.op.getScore() : nullptr;
  step.taps = store;
  if (store)
    step.extra = attn::Extra::scores;
  step.dead = form.normalizer() == attn::Normalizer::none ? 0 : -std::numeric_limits<double>::infinity();
  step.changes = step.region || form.banded() || form.blockMask;
  return passBands(block, step, maxima);
}

void AttentionScores::tap(const Block &block) {
  Step step;
  step.region = &form.op.getScore(), step.taps = true, step.changes = false;
  passBands(block, step, Values(vectors, c.number(type, 0)));
}

bool AttentionScores::weighsInPlace() const { return !form.whole().getWeight().empty(); }

void AttentionScores::weigh(const Block &block, ArrayRef<Value> factors) {
  if (!weighsInPlace()) {
    Value count = c.sub(block.to, block.from), whole = c.sub(block.to, c.rem(count, c.constant(lanes)));
    for (const AttentionForm::Extra &extra : form.extras) {
      if (extra.kind != attn::Extra::weights)
        continue;
      for (int64_t v = 0; v < vectors; ++v) {
        Value factor = factors.empty() ? Value() : factors[v];
        auto store = [&](Value group, bool isWhole) {
          storeTurned(block, extra.access, score(block, group, 0), group, block.to, v, factor, isWhole);
        };
        c.loop(block.from, whole, lanes, [&](Value group) { store(group, true); });
        c.when(c.less(whole, block.to), [&] { store(whole, false); });
      }
    }
    return;
  }
  Step step;
  step.region = &form.whole().getWeight();
  step.extra = attn::Extra::weights;
  step.factors = factors, step.dead = 0;
  passBands(block, step, Values(vectors, c.number(type, 0)));
}

void AttentionScores::storeDead(const Block &all) {
  Value n = frame.size(form.n), end = c.min(frame.size(form.m), c.add(all.i0, vectors * lanes));
  for (const AttentionForm::Extra &extra : form.extras) {
    bool scores = extra.kind == attn::Extra::scores;
    if (!form.hasDeadKeys() || (!scores && extra.kind != attn::Extra::weights))
      continue;
    Value dead = c.number(type, scores ? -std::numeric_limits<double>::infinity() : 0);
    c.loop(all.i0, end, 1, [&](Value i) {
      auto fill = [&](Value from, Value to) {
        c.loop(from, to, lanes, [&](Value j) {
          c.store(dead, placeOf(frame, c, extra.access, {all.b, all.h, i, j}), c.lanesBelow(lanes, j, to),
                  elementOf(extra.access));
        });
      };
      fill(c.constant(0), c.min(all.from, n));
      fill(c.min(all.to, n), n);
    });
  }
}

Value AttentionScores::exponential(Value x) {
  // The difference first: a mask of -3.4e38 in all of a row must leave zeros, not infinities.
  if (form.naturalScores())
    x = c.mulf(x, c.number(x.getType(), std::numbers::log2e));
  return emitExp2NonPositive(c.b, c.loc, x);
}

Values AttentionScores::exponentiate(const Block &block, ArrayRef<Value> maxima) {
  // Weights are stored a line of each row at a time, too far apart for the machine to foresee: each key of a group asks
  // for the lines of one row in each vector. Few weights stay in the second-level cache.
  data::DimExpr bytes = form.batch * data::DimExpr(form.heads) * form.m * form.n * data::DimExpr(4);
  bool few = bytes.getConstant().value_or(INT64_MAX) <= c.machine.l2Bytes / 2;
  const AttentionForm::Extra *weights = llvm::find_if(
      form.extras, [&](const AttentionForm::Extra &extra) { return extra.kind == attn::Extra::weights && !few; });
  return c.loop(block.from, block.to, 1, Values(vectors, c.number(type, 0)), [&](Value j, ValueRange state) {
    Values next;
    Value row = c.b.createOrFold<arith::AndIOp>(c.loc, c.sub(j, block.from), c.constant(lanes - 1)),
          group = c.sub(j, row);
    for (int64_t v = 0; v < vectors; ++v) {
      if (weights != form.extras.end())
        c.prefetch(
            placeOf(frame, c, weights->access, {block.b, block.h, c.add(c.add(block.i0, v * lanes), row), group}));
      Value place = score(block, j, v), p = exponential(c.subf(c.load(type, place), maxima[v]));
      c.store(p, place);
      next.push_back(c.addf(state[v], p));
    }
    return next;
  });
}

void AttentionScores::activate(const Block &block) {
  if (form.normalizer() != attn::Normalizer::sigmoid)
    return;
  c.loop(block.from, block.to, 1, [&](Value j) {
    for (int64_t v = 0; v < vectors; ++v) {
      Value place = score(block, j, v);
      c.store(attn::SigmoidOp::create(c.b, c.loc, c.load(type, place)), place);
    }
  });
}
