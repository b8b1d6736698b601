#include "compiler/lowering/AttentionRow.h"
#include "compiler/lowering/Body.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include "llvm/Support/SaveAndRestore.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using Values = KernelCode::Values;

Value RowWriter::exponential(Value x) { return math::ExpOp::create(c.b, c.loc, x); }

Value RowWriter::equals(Value x, double y) {
  return arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, x, c.number(x.getType(), y));
}

/// Keys of a part: as many in each, whole vectors, and not so few that a part costs more than it saves.
static Value partSize(KernelCode &c, Value keys, int64_t parts, int64_t lanes) {
  constexpr int64_t kLeast = 64;
  return c.max(c.constant(kLeast), c.mul(c.ceilDiv(c.ceilDiv(keys, parts), lanes), lanes));
}

Values RowWriter::overRuns(Value from, Value to, Values state, Runs body) {
  if (!form.blockMask || everywhere)
    return body(from, to, state);
  int64_t size = form.whole().getBlock()[1];
  Value first = c.div(from, size), last = c.select(c.less(from, to), c.ceilDiv(to, size), first);
  return c.loop(first, last, 1, state, [&](Value block, ValueRange s) {
    Value live = blockIsLive(frame, c, form, current.b, current.h, current.i, block);
    auto run = [&] { return body(c.max(from, c.mul(block, size)), c.min(to, c.mul(c.add(block, 1), size)), s); };
    if (!s.empty())
      return c.choose(live, SmallVector<Type>(s.getTypes()), run, [&] { return Values(s); });
    c.when(live, [&] { run(); });
    return Values{};
  });
}

/// A loop over vectors of keys, the last one of a run with a mask.
Values RowWriter::overKeys(Value from, Value to, Values state,
                           llvm::function_ref<Values(Value, Value, ValueRange)> body) {
  return overRuns(from, to, state, [&](Value from, Value to, ValueRange s) {
    Value whole = c.sub(to, c.rem(c.sub(to, from), c.constant(lanes)));
    Values next = c.loop(from, whole, lanes, s, [&](Value j, ValueRange s) { return body(j, {}, s); });
    return c.loop(whole, to, lanes, next,
                  [&](Value j, ValueRange s) { return body(j, c.lanesBelow(lanes, j, to), s); });
  });
}

/// True if a row has no live key.
Value RowWriter::noKeys(Value from, Value to) {
  if (!form.blockMask)
    return c.compare(arith::CmpIPredicate::sle, to, from);
  Value count = overRuns(from, to, {c.constant(0)},
                         [&](Value from, Value to, ValueRange s) { return Values{c.add(s[0], c.sub(to, from))}; })[0];
  return c.equal(count, c.constant(0));
}

/// A score so far, and what elements of a query and a key add to it.
Value RowWriter::addTerms(Value sum, Value x, Value y, Value d, Value mask) {
  if (op.getCombine().empty())
    return c.fma(x, y, sum);
  BodyContext context;
  context.lanes = isa<VectorType>(x.getType()) ? lanes : 0;
  context.mask = mask;
  Values arguments{x, y};
  if (op.getCombine().getNumArguments() == 3)
    arguments.push_back(context.lanes ? c.iota(lanes, d) : d);
  Value v = emitBody(frame, op.getCombine().front(), arguments, context)[0];
  return c.addf(sum, mask ? c.select(mask, v, c.number(wide, 0)) : v);
}

/// Lanes are added as a tree; one after the other they would take longer than the products.
Value RowWriter::sumOf(Value vector) {
  return vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD, vector, arith::FastMathFlags::reassoc);
}

/// The products of a query with as many keys as there are lanes, read in their order.
Value RowWriter::products(const Place &at, Value j) {
  Value q = placeOf(frame, c, form.q, {at.b, at.h, at.i}), k = placeOf(frame, c, form.k, {at.b, at.g, c.sub(j, first)});
  VectorType narrow = c.vector(form.element, lanes);
  int64_t count = llvm::divideCeil(form.d, lanes);
  Value tail = form.d % lanes ? c.lanesBelow(lanes, c.constant((count - 1) * lanes), c.constant(form.d)) : Value();
  auto load = [&](Value row, int64_t n) {
    return c.load(narrow, c.address(row, form.element, n * lanes), n == count - 1 ? tail : Value());
  };
  Values query, sums(lanes, c.number(wide, 0));
  for (int64_t n = 0; n < count; ++n)
    query.push_back(load(q, n));
  for (int64_t r = 0; r < lanes; ++r) {
    Value row = c.address(k, form.element, c.mul(frame.size(form.k.strides[2]), r));
    for (int64_t n = 0; n < count; ++n)
      sums[r] = c.fma(query[n], load(row, n), sums[r]);
  }
  // Each round adds the halves of two vectors and lets them take turns: key r ends up in lane r.
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < lanes / 2; ++i) {
    low.append({i, lanes + i});
    high.append({lanes / 2 + i, lanes + lanes / 2 + i});
  }
  for (int64_t count = lanes / 2; count > 0; count /= 2)
    for (int64_t r = 0; r < count; ++r)
      sums[r] = c.addf(vector::ShuffleOp::create(c.b, c.loc, sums[r], sums[r + count], low),
                       vector::ShuffleOp::create(c.b, c.loc, sums[r], sums[r + count], high));
  return c.mulf(sums[0], c.number(wide, op.getScale().convertToDouble()));
}

Value RowWriter::product(const Place &at, Value j) {
  Value q = placeOf(frame, c, form.q, {at.b, at.h, at.i}), k = placeOf(frame, c, form.k, {at.b, at.g, c.sub(j, first)});
  Value size = frame.size(form.keySize), zero = c.constant(0);
  bool unit = form.q.strides[3].isConstant(1) && form.k.strides[3].isConstant(1);
  Value sum = c.number(type, 0);
  if (unit) {
    VectorType narrow = c.vector(form.element, lanes);
    auto add = [&](Value sum, Value d, Value mask) {
      return addTerms(sum, c.load(narrow, c.address(q, form.element, d), mask),
                      c.load(narrow, c.address(k, form.element, d), mask), d, mask);
    };
    Value whole = wholeVectors(size);
    Values partial = c.loop(zero, whole, lanes, Values{c.number(wide, 0)},
                            [&](Value d, ValueRange s) { return Values{add(s[0], d, {})}; });
    partial = c.loop(whole, size, lanes, partial,
                     [&](Value d, ValueRange s) { return Values{add(s[0], d, c.lanesBelow(lanes, d, size))}; });
    sum = sumOf(partial[0]);
  } else {
    sum = c.loop(zero, size, 1, Values{sum}, [&](Value d, ValueRange s) {
      Value x = c.load(form.element, c.address(q, form.element, c.mul(d, frame.size(form.q.strides[3]))));
      Value y = c.load(form.element, c.address(k, form.element, c.mul(d, frame.size(form.k.strides[3]))));
      return Values{addTerms(s[0], x, y, d, {})};
    })[0];
  }
  return c.mulf(sum, c.number(type, op.getScale().convertToDouble()));
}

/// Scores of the keys, in the workspace.
void RowWriter::scores(const Place &at, Value from, Value to) {
  constexpr int64_t kMostVectors = 16;
  bool grouped = op.getCombine().empty() && !ShapedType::isDynamic(form.d) && form.d > 0 &&
                 form.d <= kMostVectors * lanes && form.q.strides[3].isConstant(1) && form.k.strides[3].isConstant(1);
  overRuns(from, to, {}, [&](Value from, Value to, ValueRange) {
    Value rest = from;
    if (grouped) {
      rest = c.add(from, wholeVectors(c.sub(to, from)));
      c.loop(from, rest, lanes, [&](Value j) { c.store(products(at, j), score(j)); });
    }
    c.loop(rest, to, 1, [&](Value j) { c.store(product(at, j), score(j)); });
    return Values{};
  });
  apply(op.getScore(), at, from, to);
}

/// The score or weight region for all keys of the row.
void RowWriter::apply(Region &region, const Place &at, Value from, Value to) {
  if (region.empty())
    return;
  overKeys(from, to, {}, [&](Value j, Value mask, ValueRange) {
    BodyContext context;
    context.lanes = lanes;
    context.mask = mask;
    Values arguments{c.load(wide, score(j), mask), at.b, at.h, at.i, c.iota(lanes, j)};
    for (auto [capture, access] : llvm::zip(op.getCaptures(), form.captures)) {
      Type element = getElementTypeOrSelf(capture.getType());
      Value place = placeOf(frame, c, access, {at.b, at.h, at.i, j});
      const data::DimExpr &stride = access.strides[3];
      if (stride.isConstant(0))
        arguments.push_back(c.load(element, place));
      else if (stride.isConstant(1))
        arguments.push_back(c.load(c.vector(element, lanes), place, mask));
      else
        arguments.push_back(c.gather(c.vector(element, lanes), place, frame.size(stride), mask));
    }
    Values results = emitBody(frame, region.front(), arguments, context);
    c.store(results[0], score(j), mask);
    unsigned tap = 0;
    if (&region == &op.getScore())
      for (const AttentionForm::Extra &extra : form.extras)
        if (extra.kind == attn::Extra::tap)
          storeExtra(extra, at, results[++tap], j, mask);
    return Values{};
  });
}

void RowWriter::storeExtra(const AttentionForm::Extra &extra, const Place &at, Value value, Value j, Value mask) {
  Value place = placeOf(frame, c, extra.access, {at.b, at.h, at.i, j});
  const data::DimExpr &stride = extra.access.strides[3];
  if (stride.isConstant(1))
    c.store(value, place, mask, elementOf(extra.access));
  else
    c.scatter(value, place, frame.size(stride), mask, elementOf(extra.access));
}

void RowWriter::storeRow(attn::Extra kind, const Place &at, const KeyRange &range, double dead) {
  for (const AttentionForm::Extra &extra : form.extras) {
    if (extra.kind != kind)
      continue;
    auto fill = [&](Value from, Value to) {
      overKeys(from, to, {}, [&](Value j, Value mask, ValueRange) {
        storeExtra(extra, at, c.number(wide, dead), j, mask);
        return Values{};
      });
    };
    // Behind the live keys may be before them, if there are none.
    Value zero = c.constant(0), n = frame.size(form.n);
    llvm::SaveAndRestore all(everywhere, true);
    if (form.blockMask) {
      fill(zero, n);
    } else {
      fill(zero, c.min(range.begin, n));
      fill(c.min(range.end, n), n);
    }
    everywhere = false;
    overKeys(range.begin, range.end, {}, [&](Value j, Value mask, ValueRange) {
      storeExtra(extra, at, c.load(wide, score(j), mask), j, mask);
      return Values{};
    });
  }
}

/// The logarithm of the denominator, and the maximum.
void RowWriter::storeSoftmax(const Place &at, const Softmax &softmax) {
  for (const AttentionForm::Extra &extra : form.extras) {
    Value value;
    if (extra.kind == attn::Extra::lse)
      value = c.select(equals(softmax.sum, 0), c.number(type, -std::numeric_limits<double>::infinity()),
                       c.addf(softmax.reference, math::LogOp::create(c.b, c.loc, softmax.sum)));
    else if (extra.kind == attn::Extra::row_max)
      value = softmax.max;
    if (value)
      c.store(value, placeOf(frame, c, extra.access, {at.b, at.h, at.i}), {}, elementOf(extra.access));
  }
}

Value RowWriter::sinkMaximum(const Place &at) {
  Value lowest = c.number(type, -std::numeric_limits<double>::infinity());
  if (!form.sinks)
    return lowest;
  return c.maxf(c.load(elementOf(*form.sinks), placeOf(frame, c, *form.sinks, {at.h})), lowest);
}

Value RowWriter::addSink(const Place &at, Value sum, Value reference) {
  if (!form.sinks)
    return sum;
  Value sink = c.load(elementOf(*form.sinks), placeOf(frame, c, *form.sinks, {at.h}));
  return c.addf(sum, exponential(c.subf(sink, reference)));
}

Value RowWriter::maximum(Value from, Value to) {
  Value lowest = c.number(wide, -std::numeric_limits<double>::infinity());
  Values best = overKeys(from, to, {lowest}, [&](Value j, Value mask, ValueRange s) {
    Value x = c.load(wide, score(j), mask);
    if (mask)
      x = c.select(mask, x, lowest);
    return Values{c.maxf(x, s[0])};
  });
  return vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::MAXNUMF, best[0]);
}

/// Weights exp(score - maximum) in place of the scores; the maximum goes on from `before`.
RowWriter::Softmax RowWriter::exponentiate(Value from, Value to, Value before) {
  Softmax r;
  r.max = c.maxf(maximum(from, to), before);
  // Rows whose live scores are all -inf: anything finite will do.
  r.reference = c.select(equals(r.max, -std::numeric_limits<double>::infinity()), c.number(type, 0), r.max);
  Value top = c.splat(wide, r.reference);
  Values sums = overKeys(from, to, {c.number(wide, 0)}, [&](Value j, Value mask, ValueRange s) {
    Value p = exponential(c.subf(c.load(wide, score(j), mask), top));
    c.store(p, score(j), mask);
    return Values{c.addf(s[0], mask ? c.select(mask, p, c.number(wide, 0)) : p)};
  });
  r.sum = sumOf(sums[0]);
  return r;
}

/// Makes weights of the scores.
RowWriter::Softmax RowWriter::normalize(const Place &at, Value from, Value to) {
  Value one = c.number(type, 1), empty = c.number(type, form.emptyValue());
  attn::Normalizer normalizer = form.normalizer();
  Softmax r;
  if (normalizer == attn::Normalizer::sigmoid)
    overKeys(from, to, {}, [&](Value j, Value mask, ValueRange) {
      c.store(attn::SigmoidOp::create(c.b, c.loc, c.load(wide, score(j), mask)), score(j), mask);
      return Values{};
    });
  if (normalizer == attn::Normalizer::sigmoid || normalizer == attn::Normalizer::none) {
    r.factor = c.select(noKeys(from, to), empty, one);
  } else if (normalizer == attn::Normalizer::hardmax) {
    // The first of the largest.
    Value top = maximum(from, to);
    auto overEach = [&](Values state, llvm::function_ref<Values(Value, ValueRange)> body) {
      return overRuns(from, to, state, [&](Value from, Value to, ValueRange s) {
        return c.loop(from, to, 1, s, [&](Value j, ValueRange s) { return body(j, s); });
      });
    };
    Value first = overEach({to}, [&](Value j, ValueRange s) {
      Value hit = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, c.load(type, score(j)), top);
      return Values{c.min(s[0], c.select(hit, j, to))};
    })[0];
    overEach({}, [&](Value j, ValueRange) {
      c.store(c.select(c.equal(j, first), one, c.number(type, 0)), score(j));
      return Values{};
    });
    r.factor = c.select(equals(top, -std::numeric_limits<double>::infinity()), empty, one);
  } else {
    r = exponentiate(from, to, sinkMaximum(at));
    r.sum = addSink(at, r.sum, r.reference);
    r.factor = c.select(equals(r.sum, 0), empty, c.divf(one, r.sum));
  }
  return r;
}

void RowWriter::overColumns(bool vectors, llvm::function_ref<void(Type, Value, Value)> body) {
  Value zero = c.constant(0), size = frame.size(form.valueSize);
  if (!vectors)
    return c.loop(zero, size, 1, [&](Value e) { body(type, e, {}); });
  Value whole = wholeVectors(size);
  c.loop(zero, whole, lanes, [&](Value e) { body(wide, e, {}); });
  c.loop(whole, size, lanes, [&](Value e) { body(wide, e, c.lanesBelow(lanes, e, size)); });
}

void RowWriter::combineValues(const Place &at, Value from, Value to, bool vectors, Store store) {
  Value v = placeOf(frame, c, form.v, {at.b, at.g}), rowStride = frame.size(form.v.strides[2]),
        stride = frame.size(form.v.strides[3]);
  vectors &= form.v.strides[3].isConstant(1);
  if (vectors && !ShapedType::isDynamic(form.e)) {
    // Rows of values are read once and as they lie: as many columns at a time as there are sums in registers.
    constexpr int64_t kSums = 8;
    int64_t count = llvm::divideCeil(form.e, lanes), tail = form.e % lanes;
    Value tailMask = tail ? c.lanesBelow(lanes, c.constant(0), c.constant(tail)) : Value();
    for (int64_t column = 0; column < count; column += kSums) {
      int64_t columns = std::min(kSums, count - column);
      auto mask = [&](int64_t n) { return column + n == count - 1 ? tailMask : Value(); };
      Value origin = c.address(v, form.element, column * lanes);
      Values sums = overRuns(from, to, Values(columns, c.number(wide, 0)), [&](Value from, Value to, ValueRange s) {
        return c.loop(from, to, 1, s, [&](Value j, ValueRange s) {
          Value p = c.splat(wide, c.load(type, score(j)));
          Value row = c.address(origin, form.element, c.mul(c.sub(j, first), rowStride));
          Values next;
          for (int64_t n = 0; n < columns; ++n)
            next.push_back(c.fma(
                p, c.load(c.vector(form.element, lanes), c.address(row, form.element, n * lanes), mask(n)), s[n]));
          return next;
        });
      });
      for (int64_t n = 0; n < columns; ++n)
        store(sums[n], c.constant((column + n) * lanes), mask(n));
    }
    return;
  }
  overColumns(vectors, [&](Type t, Value e, Value mask) {
    Value column = c.address(v, form.element, c.mul(e, stride));
    Value sum = overRuns(from, to, {c.number(t, 0)}, [&](Value from, Value to, ValueRange s) {
      return c.loop(from, to, 1, s, [&](Value j, ValueRange s) {
        Value place = c.address(column, form.element, c.mul(c.sub(j, first), rowStride));
        Value x = isa<VectorType>(t) ? c.load(c.vector(form.element, lanes), place, mask) : c.load(form.element, place);
        return Values{c.fma(spread(c.load(type, score(j)), t), x, s[0])};
      });
    })[0];
    store(sum, e, mask);
  });
}

void RowWriter::storeResult(const Place &at, Value value, Value e, Value mask) {
  Type to = elementOf(form.out);
  Value row = placeOf(frame, c, form.out, {at.b, at.h, at.i});
  c.store(value, c.address(row, to, c.mul(e, frame.size(form.out.strides[3]))), mask, to);
}

RowWriter::Place RowWriter::placeFor(Value b, Value h, Value i) {
  held = first = c.constant(0);
  return current = {b, h, form.group == 1 ? h : c.div(h, form.group), i};
}

void RowWriter::row(Value b, Value h, Value i) {
  Place at = placeFor(b, h, i);
  KeyRange range = keyRange(frame, c, form, b, i, i);
  if (form.hasExtra(attn::Extra::tap)) {
    llvm::SaveAndRestore all(everywhere, true);
    scores(at, c.constant(0), frame.size(form.n));
  } else {
    scores(at, range.begin, range.end);
  }
  storeRow(attn::Extra::scores, at, range, -std::numeric_limits<double>::infinity());
  Softmax softmax = normalize(at, range.begin, range.end);
  storeSoftmax(at, softmax);
  Value factor = softmax.factor;
  if (form.needsWeights()) {
    // The region sees weights that are final.
    overKeys(range.begin, range.end, {}, [&](Value j, Value mask, ValueRange) {
      c.store(c.mulf(c.load(wide, score(j), mask), c.splat(wide, factor)), score(j), mask);
      return Values{};
    });
    apply(form.whole().getWeight(), at, range.begin, range.end);
    storeRow(attn::Extra::weights, at, range, 0);
    // A row without live keys is as empty as it was.
    factor = c.select(noKeys(range.begin, range.end), factor, c.number(type, 1));
  }
  combineValues(at, range.begin, range.end, resultInVectors(), [&](Value sum, Value e, Value mask) {
    storeResult(at, c.mulf(sum, spread(factor, sum.getType())), e, mask);
  });
}

/// An element of a state, or a vector of them.
Value RowWriter::stateAt(const AttentionForm::State &state, ArrayRef<Value> indices, Type t, Value mask) {
  if (!state.access)
    return c.number(t, state.value);
  Value place = placeOf(frame, c, *state.access, indices);
  return isa<VectorType>(t) ? c.load(cast<VectorType>(t), place, mask) : c.load(t, place);
}

void RowWriter::onlineRow(Value b, Value h, Value i) {
  Place at = placeFor(b, h, i);
  KeyRange range = keyRange(frame, c, form, b, i, i);
  held = first = range.first;
  scores(at, range.begin, range.end);
  Value before = stateAt(form.max, {b, h, i}, type), sumBefore = stateAt(form.sum, {b, h, i}, type);
  Softmax softmax = exponentiate(range.begin, range.end, before);
  // Without any weight so far, what there is stays; so it does without a live key.
  Value unchanged = arith::OrIOp::create(c.b, c.loc, equals(softmax.max, -std::numeric_limits<double>::infinity()),
                                         c.compare(arith::CmpIPredicate::sle, range.end, range.begin));
  Value alpha = c.select(unchanged, c.number(type, 1), exponential(c.subf(before, softmax.reference)));
  c.store(softmax.max, placeOf(frame, c, form.newMax, {b, h, i}));
  c.store(c.fma(alpha, sumBefore, softmax.sum), placeOf(frame, c, form.newSum, {b, h, i}));
  bool vectors = resultInVectors() && (!form.accumulator.access || form.accumulator.access->strides[3].isConstant(1));
  combineValues(at, range.begin, range.end, vectors, [&](Value sum, Value e, Value mask) {
    Value old = stateAt(form.accumulator, {b, h, i, e}, sum.getType(), mask);
    storeResult(at, c.fma(spread(alpha, sum.getType()), old, sum), e, mask);
  });
}

RowWriter::Partial RowWriter::partialRow(Value b, Value h, Value i, Value part, int64_t parts, Value out) {
  Place at = placeFor(b, h, i);
  KeyRange range = keyRange(frame, c, form, b, i, i);
  Value size = partSize(c, c.sub(range.end, range.begin), parts, lanes);
  Value from = c.min(range.end, c.add(range.begin, c.mul(part, size))), to = c.min(range.end, c.add(from, size));
  held = from;
  scores(at, from, to);
  Softmax softmax = exponentiate(from, to, c.number(type, -std::numeric_limits<double>::infinity()));
  combineValues(at, from, to, true,
                [&](Value sum, Value e, Value mask) { c.store(sum, c.address(out, type, e), mask); });
  return {softmax.max, softmax.sum};
}

void RowWriter::mergeRow(Value b, Value h, Value i, int64_t parts, Value maxima, Value sums, Value results) {
  Place at = placeFor(b, h, i);
  Value zero = c.constant(0), count = c.constant(parts), none = c.number(type, 0);
  Value top = c.loop(zero, count, 1, Values{sinkMaximum(at)}, [&](Value p, ValueRange s) {
    return Values{c.maxf(c.load(type, c.address(maxima, type, p)), s[0])};
  })[0];
  Value reference = c.select(equals(top, -std::numeric_limits<double>::infinity()), none, top);
  // The factors of the parts, in the workspace.
  Value total = c.loop(zero, count, 1, Values{none}, [&](Value p, ValueRange s) {
    Value factor = exponential(c.subf(c.load(type, c.address(maxima, type, p)), reference));
    c.store(factor, score(p));
    return Values{c.fma(factor, c.load(type, c.address(sums, type, p)), s[0])};
  })[0];
  total = addSink(at, total, reference);
  storeSoftmax(at, {top, total, reference, {}});
  Value inverse = c.select(equals(total, 0), c.number(type, form.emptyValue()), c.divf(c.number(type, 1), total));
  overColumns(resultInVectors(), [&](Type t, Value e, Value mask) {
    Value sum = c.loop(zero, count, 1, Values{c.number(t, 0)}, [&](Value p, ValueRange s) {
      Value place = c.address(results, type, c.add(c.mul(p, frame.size(form.valueSize)), e));
      Value x = isa<VectorType>(t) ? c.load(wide, place, mask) : c.load(type, place);
      return Values{c.fma(spread(c.load(type, score(p)), t), x, s[0])};
    })[0];
    storeResult(at, c.mulf(sum, spread(inverse, t)), e, mask);
  });
}
