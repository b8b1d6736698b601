// A query of a head: the scores of its keys, or of a part of them, lie in the workspace until the largest is known;
// keys and values are read where the table says, page by page, and copied nowhere.
#include "compiler/lowering/PagedAttention.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using Values = KernelCode::Values;

/// The page of a block of keys; page 0, with a fault, if there is no such page. There are pages.
Value PagedAttentionWriter::numberOfPage(Value block) {
  Value page = loadIndex(frame, c, form.table, {b, block});
  Value inside = c.compare(arith::CmpIPredicate::ult, page, frame.size(form.pages));
  c.when(inside, [] {}, [&] { fault(); });
  return c.select(inside, page, c.constant(0));
}

/// Calls the body with each key that the query sees and the place of its row in `access`.
Values PagedAttentionWriter::overKeys(Values state, const Access &access,
                                      llvm::function_ref<Values(Value j, Value at, ValueRange)> body) {
  Value slots = c.max(frame.size(form.slots), c.constant(1)); // without slots there are no keys
  // A query that sees nothing asks for no page.
  Value begin = c.div(first, slots), end = c.select(c.less(first, last), c.ceilDiv(last, slots), begin);
  return c.loop(begin, end, 1, state, [&](Value block, ValueRange outer) {
    Value at = placeOf(frame, c, access, {numberOfPage(block), g}), start = c.mul(block, slots);
    Value from = c.max(first, start), to = c.min(last, c.add(start, slots));
    return c.loop(from, to, 1, Values(outer), [&](Value j, ValueRange inner) {
      Value row = c.address(at, element, c.mul(c.sub(j, start), frame.size(access.strides[2])));
      return body(j, row, inner);
    });
  });
}

/// The range of keys; it is empty, with a fault, where the table has no place for them.
void PagedAttentionWriter::findKeys(Value i) {
  Value zero = c.constant(0), most = c.mul(frame.size(form.blocks), frame.size(form.slots));
  Value length = c.load(c.b.getI64Type(), placeOf(frame, c, form.lengths, {b}));
  Value noPages = c.equal(frame.size(form.pages), zero);
  Value outside = c.compare(arith::CmpIPredicate::ugt, length, c.select(noPages, zero, most));
  c.when(outside, [&] { fault(); });
  length = c.select(outside, zero, length);
  Value own = c.add(c.sub(length, frame.size(form.queries)), i); // the key of the query's own position
  first = zero, last = length;
  if (form.op.getCausal())
    last = c.max(zero, c.min(last, c.add(own, 1)));
  if (int64_t window = form.op.getWindow(); window >= 0)
    first = c.min(last, c.max(zero, c.sub(own, window)));
}

/// The query, times the scale, and zeros up to a whole vector.
void PagedAttentionWriter::loadQuery(Value h, Value i) {
  Value from = placeOf(frame, c, form.query, {b, h, i}), scale = c.number(wide, form.op.getScale().convertToDouble());
  c.loop(c.constant(0), d, lanes, [&](Value k) {
    Value x = loadColumns(frame, c, memory, from, k, form.query.strides[3], c.lanesBelow(lanes, k, d));
    c.store(c.mulf(x, scale), c.address(frame.workspace(), type, k));
  });
}

Value PagedAttentionWriter::product(Value key) {
  Value sum = c.loop(c.constant(0), d, lanes, Values{c.number(wide, 0)}, [&](Value k, ValueRange s) {
    Value y = loadColumns(frame, c, memory, key, k, form.key.strides[3], maskOf(form.d, k));
    return Values{c.fma(c.load(wide, c.address(frame.workspace(), type, k)), y, s[0])};
  })[0];
  return vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD, sum);
}

/// The scores to exponentials of their distance from the largest one; their sum.
Value PagedAttentionWriter::exponentiate(Value largest) {
  Value count = c.sub(last, first), shift = c.splat(wide, largest);
  Value sums = c.loop(c.constant(0), count, lanes, Values{c.number(wide, 0)}, [&](Value j, ValueRange s) {
    Value at = c.address(scoresAt, type, j), mask = c.lanesBelow(lanes, j, count);
    Value x = math::ExpOp::create(c.b, c.loc, c.subf(c.load(wide, at, mask), shift));
    c.store(x, at, mask);
    return Values{c.addf(s[0], c.select(mask, x, c.number(wide, 0)))};
  })[0];
  return vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD, sums);
}

/// Up to eight vectors of columns at a time, in registers.
void PagedAttentionWriter::overColumns(llvm::function_ref<Values(ArrayRef<Value> columns, ArrayRef<Value> masks)> sums,
                                       Store store) {
  constexpr int64_t kMostVectors = 8;
  std::optional<int64_t> known = form.e.getConstant();
  int64_t vectors = std::clamp<int64_t>((known.value_or(4 * lanes) + lanes - 1) / lanes, 1, kMostVectors);
  c.loop(c.constant(0), e, vectors * lanes, [&](Value column) {
    Values columns, masks;
    for (int64_t v = 0; v < vectors; ++v) {
      columns.push_back(c.add(column, v * lanes));
      masks.push_back(known && *known % (vectors * lanes) == 0 ? Value() : c.lanesBelow(lanes, columns.back(), e));
    }
    for (auto [sum, column, mask] : llvm::zip(sums(columns, masks), columns, masks))
      store(sum, column, mask ? mask : c.lanesBelow(lanes, column, e));
  });
}

/// The values times their weights.
void PagedAttentionWriter::combine(Store store) {
  auto sums = [&](ArrayRef<Value> columns, ArrayRef<Value> masks) {
    Values none(columns.size(), c.number(wide, 0));
    return overKeys(none, form.value, [&](Value j, Value row, ValueRange before) {
      Values after;
      Value weight = c.splat(wide, c.load(type, scoreAt(j)));
      for (auto [column, mask, sum] : llvm::zip(columns, masks, before))
        after.push_back(c.fma(weight, loadColumns(frame, c, memory, row, column, form.value.strides[3], mask), sum));
      return after;
    });
  };
  overColumns(sums, store);
}

/// The scores of the keys from `first` to `last`, to the workspace; the largest.
Value PagedAttentionWriter::scores(Value h, Value i) {
  loadQuery(h, i);
  scoresAt = c.address(frame.workspace(), type, c.mul(c.ceilDiv(d, lanes), lanes));
  Value lowest = c.number(type, -std::numeric_limits<double>::infinity());
  return overKeys(Values{lowest}, form.key, [&](Value j, Value row, ValueRange s) {
    Value x = product(row);
    c.store(x, scoreAt(j));
    return Values{c.maxf(x, s[0])};
  })[0];
}

void PagedAttentionWriter::row(Value batchRow, Value h, Value i) {
  b = batchRow, g = c.div(h, form.group);
  findKeys(i);
  Value sum = exponentiate(scores(h, i)), none = c.equal(first, last), one = c.number(type, 1);
  Value out = placeOf(frame, c, form.result, {b, h, i}), factor = c.splat(wide, c.divf(one, c.select(none, one, sum)));
  combine([&](Value sum, Value column, Value mask) {
    c.store(c.mulf(sum, factor), c.address(out, element, column), mask, element);
  });
}

void PagedAttentionWriter::part(Value batchRow, Value h, Value i, Value part, int64_t count,
                                const KeyParts::Places &places) {
  b = batchRow, g = c.div(h, form.group);
  findKeys(i);
  Value size = c.ceilDiv(c.sub(last, first), count);
  first = c.min(last, c.add(first, c.mul(part, size))), last = c.min(last, c.add(first, size));
  Value largest = scores(h, i), lowest = c.number(type, -std::numeric_limits<double>::infinity());
  // Of a part whose scores are all -inf nothing is left, whatever the other parts have.
  Value isLowest = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, largest, lowest);
  c.store(exponentiate(c.select(isLowest, c.number(type, 0), largest)), places.sum);
  c.store(largest, places.maximum);
  combine(
      [&](Value sum, Value column, Value mask) { c.store(sum, c.address(places.result, type, column), mask, type); });
}

void PagedAttentionWriter::merge(Value batchRow, Value h, Value i, int64_t count, const KeyParts::Places &places) {
  b = batchRow;
  findKeys(i);
  Value zero = c.constant(0), parts = c.constant(count), nothing = c.number(type, 0), one = c.number(type, 1);
  Value lowest = c.number(type, -std::numeric_limits<double>::infinity());
  Value top = c.loop(zero, parts, 1, Values{lowest}, [&](Value p, ValueRange s) {
    return Values{c.maxf(c.load(type, c.address(places.maximum, type, p)), s[0])};
  })[0];
  Value isLowest = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, top, lowest);
  Value reference = c.select(isLowest, nothing, top);
  auto factorOf = [&](Value p) -> Value {
    return math::ExpOp::create(c.b, c.loc, c.subf(c.load(type, c.address(places.maximum, type, p)), reference));
  };
  Value total = c.loop(zero, parts, 1, Values{nothing}, [&](Value p, ValueRange s) {
    return Values{c.fma(factorOf(p), c.load(type, c.address(places.sum, type, p)), s[0])};
  })[0];
  Value none = c.equal(first, last), factor = c.splat(wide, c.divf(one, c.select(none, one, total)));
  Value out = placeOf(frame, c, form.result, {b, h, i});
  auto sums = [&](ArrayRef<Value> columns, ArrayRef<Value> masks) {
    return c.loop(zero, parts, 1, Values(columns.size(), c.number(wide, 0)), [&](Value p, ValueRange before) {
      Values after;
      Value times = c.splat(wide, factorOf(p)), row = c.address(places.result, type, c.mul(p, e));
      for (auto [column, mask, sum] : llvm::zip(columns, masks, before))
        after.push_back(c.fma(times, c.load(wide, c.address(row, type, column), mask), sum));
      return after;
    });
  };
  overColumns(sums, [&](Value sum, Value column, Value mask) {
    c.store(c.mulf(sum, factor), c.address(out, element, column), mask, element);
  });
}
