// Bipartite matching: one task a matrix of the batch, by shortest augmenting paths (Crouse 2016) in double precision.
//
// The matrix is copied to the workspace, turned where it has more rows than columns, its rows filled up with infinite
// costs to whole vectors. A search looks at all columns in vectors, in the order in which they lie. Which of several
// nearest columns it takes is decided by their places in a list that the algorithm keeps (SciPy's order): `key` is what
// makes this a maximum over lanes. It is m + place of a free column, m - 1 - place of one that has a row: a free one
// goes first, of the free ones the last in the list, of the others the first. A column that is done gets v = -inf,
// which keeps its distance infinite without a mask.
#include "compiler/lowering/Matching.h"
#include "runtime/include/fovea/abi.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;

FailureOr<std::unique_ptr<MatchingForm>> MatchingForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<MatchingForm>(kernel, reason);
  SingleOp &single = form->single;
  if (!single)
    return failure();
  attn::BipartiteMatchOp op = form->op = cast<attn::BipartiteMatchOp>(single.op);
  SmallVector<DimExpr> shape = single.dims.shape(op.getCost());
  form->batch = shape[0], form->rows = shape[1], form->columns = shape[2];
  ArrayRef<DimExpr> sizes(shape);
  if (failed(single.operand(op.getCost(), sizes, form->cost, reason)) ||
      failed(single.operand(op.getCounts(), sizes.take_front(1), form->counts, reason)) ||
      failed(single.result(op.getColumns(), op.getColumnsInit(), sizes.take_front(2), form->assigned, reason)) ||
      failed(single.result(op.getStatus(), op.getStatusInit(), sizes.take_front(1), form->status, reason)))
    return failure();
  return form;
}

namespace {
/// Writes the code for one matrix.
class MatchingWriter {
public:
  MatchingWriter(StageFrame &frame, KernelCode &c, MatchingForm &form)
      : frame(frame), c(c), form(form), f64(c.b.getF64Type()), i64(c.b.getI64Type()), lanes(c.machine.lanes(64)),
        reals(c.vector(f64, lanes)), integers(c.vector(i64, lanes)), infinity(c.number(f64, kInfinity)) {}
  void matrix(Value b);
  /// Elements of each array in the workspace, and of all of them: elements have 8 bytes.
  static AffineExpr arrayElements(AffineExpr rows, AffineExpr columns, const Machine &machine) {
    return rows + columns + kVectors * machine.lanes(64);
  }
  static AffineExpr elements(AffineExpr rows, AffineExpr columns, const Machine &machine) {
    return arrayElements(rows, columns, machine) * kArrays + rows * columns + rows * (kVectors * machine.lanes(64));
  }

private:
  /// Of columns: potential, distance from the start, the row before it on the way there, tie-break, row; the list of
  /// those that are not done; those that are done, their potentials and distances. Of rows: potential, column. The
  /// matrix.
  enum Array { kV, kDistance, kFrom, kKey, kRowOf, kOpen, kDone, kDoneV, kDoneDistance, kU, kColumnOf, kArrays };
  static constexpr int64_t kVectors = 2; ///< looked at together, with accumulators of their own
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();

  Value at(Array array, Value i) { return c.address(arrays[array], f64, i); }
  Value realAt(Array array, Value i) { return c.load(f64, at(array, i)); }
  Value integerAt(Array array, Value i) { return c.load(i64, at(array, i)); }
  Value compare(arith::CmpFPredicate p, Value x, Value y) { return arith::CmpFOp::create(c.b, c.loc, p, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(c.b, c.loc, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(c.b, c.loc, x, y); }
  Value negative(Value x) { return c.less(x, c.constant(0)); }
  void fault(int64_t kind) {
    frame.store(c.constant(frame.faultNumber() | kind << FOVEA_FAULT_KIND_SHIFT), frame.fault());
  }
  Value loadCosts(Value b);
  Value rowOfCosts(Value place, Value step, bool unit, Value to, Value invalid);
  Value assign(Value start);
  Values look(Value row, Value length);
  Values take(Value key, Value least, Value done);
  void augment(Value start, Value length, Value end, Value done);

  StageFrame &frame;
  KernelCode &c;
  MatchingForm &form;
  Type f64, i64;
  int64_t lanes;
  VectorType reals, integers;
  Value infinity;
  Value arrays[kArrays + 1];
  Value turned, rows, columns, stride; ///< of the matrix in the workspace
};
} // namespace

/// Copies one row in double precision, filled up with infinities. `invalid` with a bit set where a cost is NaN or -inf.
Value MatchingWriter::rowOfCosts(Value place, Value step, bool unit, Value to, Value invalid) {
  Type element = getElementTypeOrSelf(form.op.getCost().getType());
  VectorType type = c.vector(element, lanes);
  auto copy = [&](Value j, Value mask, Value bad) {
    Value from = c.address(place, element, unit ? j : c.mul(j, step));
    Value x = unit ? c.load(type, from, mask) : c.gather(type, from, step, mask);
    if (element.isInteger())
      x = arith::SIToFPOp::create(c.b, c.loc, reals, x);
    else if (element.isF32())
      x = arith::ExtFOp::create(c.b, c.loc, reals, x);
    if (form.op.getMaximize())
      x = arith::NegFOp::create(c.b, c.loc, x);
    if (mask)
      x = c.select(mask, x, c.number(reals, kInfinity));
    c.store(x, c.address(to, f64, j));
    Value fine = compare(arith::CmpFPredicate::OGT, x, c.number(reals, -kInfinity));
    return either(bad, c.select(fine, c.splat(integers, c.constant(0)), c.splat(integers, c.constant(1))));
  };
  Value whole = c.mul(c.div(columns, lanes), lanes);
  invalid = c.loop(c.constant(0), whole, lanes, Values{invalid},
                   [&](Value j, ValueRange s) { return Values{copy(j, {}, s[0])}; })[0];
  return c.loop(whole, stride, lanes, Values{invalid},
                [&](Value j, ValueRange s) { return Values{copy(j, c.lanesBelow(lanes, j, columns), s[0])}; })[0];
}

/// Fills the matrix in the workspace; true if a cost is NaN or -inf.
Value MatchingWriter::loadCosts(Value b) {
  Type element = getElementTypeOrSelf(form.op.getCost().getType());
  Value rowStep = frame.size(form.cost.strides[1]), columnStep = frame.size(form.cost.strides[2]);
  Value from = placeOf(frame, c, form.cost, {b});
  auto copy = [&](Value rowStep, Value columnStep, bool unit) {
    Value none = c.splat(integers, c.constant(0));
    return c.loop(c.constant(0), rows, 1, Values{none}, [&](Value i, ValueRange s) {
      return Values{rowOfCosts(c.address(from, element, c.mul(i, rowStep)), columnStep, unit,
                               c.address(arrays[kArrays], f64, c.mul(i, stride)), s[0])};
    });
  };
  Value invalid = c.choose(
      turned, integers, [&] { return copy(columnStep, rowStep, form.cost.strides[1].isConstant(1)); },
      [&] { return copy(rowStep, columnStep, form.cost.strides[2].isConstant(1)); })[0];
  Value bits = vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::OR, invalid);
  return c.compare(arith::CmpIPredicate::ne, bits, c.constant(0));
}

/// The distances of all columns after a step to `row`, at `length` from the start; the least of them and its key.
Values MatchingWriter::look(Value row, Value length) {
  Value costs = c.address(arrays[kArrays], f64, c.mul(row, stride));
  Value u = c.splat(reals, realAt(kU, row)), way = c.splat(reals, length), via = c.splat(integers, row);
  auto better = [&](Value x, Value key, Value best, Value bestKey) {
    Value tie = both(compare(arith::CmpFPredicate::OEQ, x, best), c.compare(arith::CmpIPredicate::sgt, key, bestKey));
    Value first = either(compare(arith::CmpFPredicate::OLT, x, best), tie);
    return Values{c.select(first, x, best), c.select(first, key, bestKey)};
  };
  Values state;
  for (int64_t n = 0; n < kVectors; ++n)
    state.append({c.number(reals, kInfinity), c.splat(integers, c.constant(-1))});
  state = c.loop(c.constant(0), stride, kVectors * lanes, state, [&](Value first, ValueRange s) {
    Values next;
    for (int64_t n = 0; n < kVectors; ++n) {
      Value j = c.add(first, n * lanes);
      // In this order of rounding, so that costs that tie in SciPy tie here.
      Value x = c.subf(c.subf(c.addf(way, c.load(reals, c.address(costs, f64, j))), u), c.load(reals, at(kV, j)));
      Value old = c.load(reals, at(kDistance, j)), nearer = compare(arith::CmpFPredicate::OLT, x, old);
      x = c.select(nearer, x, old);
      c.store(x, at(kDistance, j));
      c.store(c.select(nearer, via, c.load(integers, at(kFrom, j))), at(kFrom, j));
      next.append(better(x, c.load(integers, at(kKey, j)), s[2 * n], s[2 * n + 1]));
    }
    return next;
  });
  Values best{state[0], state[1]};
  for (int64_t n = 1; n < kVectors; ++n)
    best = better(state[2 * n], state[2 * n + 1], best[0], best[1]);
  Value least = vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::MINNUMF, best[0]);
  Value keys = c.select(compare(arith::CmpFPredicate::OEQ, best[0], c.splat(reals, least)), best[1],
                        c.splat(integers, c.constant(-1)));
  return {least, vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::MAXSI, keys)};
}

/// Moves the column of this key from the list to those that are done, of which there are `done`; it and its row.
Values MatchingWriter::take(Value key, Value least, Value done) {
  Value last = c.sub(columns, 1);
  auto keyOf = [&](Value isFree, Value place) { return c.select(isFree, c.add(columns, place), c.sub(last, place)); };
  Value place = c.select(c.less(key, columns), c.sub(last, key), c.sub(key, columns));
  Value j = integerAt(kOpen, place), moved = integerAt(kOpen, c.sub(last, done));
  c.store(moved, at(kOpen, place));
  Value movedIsFree = c.compare(arith::CmpIPredicate::sge, integerAt(kKey, moved), columns);
  c.store(keyOf(movedIsFree, place), at(kKey, moved));
  c.store(j, at(kDone, done));
  c.store(realAt(kV, j), at(kDoneV, done));
  c.store(least, at(kDoneDistance, done));
  c.store(c.number(f64, -kInfinity), at(kV, j));
  c.store(infinity, at(kDistance, j));
  return {j, integerAt(kRowOf, j)};
}

/// New potentials, and the rows and columns along the way to column `end`.
void MatchingWriter::augment(Value start, Value length, Value end, Value done) {
  c.store(c.addf(realAt(kU, start), length), at(kU, start));
  c.loop(c.constant(0), done, 1, [&](Value n) {
    Value j = integerAt(kDone, n), row = integerAt(kRowOf, j), rest = c.subf(length, realAt(kDoneDistance, n));
    c.store(c.subf(realAt(kDoneV, n), rest), at(kV, j));
    c.when(c.compare(arith::CmpIPredicate::sge, row, c.constant(0)),
           [&] { c.store(c.addf(realAt(kU, row), rest), at(kU, row)); });
  });
  c.repeat(
      {end, c.constant(-1)}, [&](ValueRange s) { return c.compare(arith::CmpIPredicate::ne, s[1], start); },
      [&](ValueRange s) {
        Value row = integerAt(kFrom, s[0]), next = integerAt(kColumnOf, row);
        c.store(row, at(kRowOf, s[0]));
        c.store(s[0], at(kColumnOf, row));
        return Values{next, row};
      });
}

/// Gives row `start` a column; false if it can have none of finite cost.
Value MatchingWriter::assign(Value start) {
  Value last = c.sub(columns, 1);
  c.loop(c.constant(0), stride, lanes, [&](Value j) {
    Value i = c.iota(lanes, j), fromEnd = c.sub(c.splat(integers, last), i);
    Value isFree = c.less(c.load(integers, at(kRowOf, j)), c.splat(integers, c.constant(0)));
    c.store(c.number(reals, kInfinity), at(kDistance, j));
    c.store(fromEnd, at(kOpen, j));
    c.store(c.select(isFree, c.add(fromEnd, c.splat(integers, columns)), i), at(kKey, j));
  });
  // State: the row, its distance, columns that are done, the end: -1 not found, -2 not there.
  Values found = c.repeat(
      {start, c.number(f64, 0), c.constant(0), c.constant(-1)},
      [&](ValueRange s) { return c.equal(s[3], c.constant(-1)); },
      [&](ValueRange s) {
        Values best = look(s[0], s[1]);
        Value length = best[0], done = s[2];
        return c.choose(
            compare(arith::CmpFPredicate::OLT, length, infinity), ValueRange(s).getTypes(),
            [&] {
              Values taken = take(best[1], length, done);
              return Values{taken[1], length, c.add(done, 1), c.select(negative(taken[1]), taken[0], c.constant(-1))};
            },
            [&] { return Values{s[0], s[1], done, c.constant(-2)}; });
      });
  Value reached = c.compare(arith::CmpIPredicate::sge, found[3], c.constant(0));
  c.when(reached, [&] { augment(start, found[1], found[3], found[2]); });
  return reached;
}

void MatchingWriter::matrix(Value b) {
  Value r = frame.size(form.rows), n = frame.size(form.columns);
  if (form.counts) {
    Value count = c.load(i64, placeOf(frame, c, *form.counts, {b}));
    Value outside = c.compare(arith::CmpIPredicate::ugt, count, n);
    c.when(outside, [&] { fault(FOVEA_FAULT_INDEX); });
    n = c.select(outside, c.constant(0), count);
  }
  turned = c.less(n, r), rows = c.min(r, n), columns = c.max(r, n);
  stride = c.mul(c.ceilDiv(columns, kVectors * lanes), kVectors * lanes);
  Value step = c.add(c.add(r, frame.size(form.columns)), kVectors * lanes);
  for (int64_t a = 0; a <= kArrays; ++a)
    arrays[a] = c.address(frame.workspace(), f64, c.mul(step, a));
  Value bad = loadCosts(b);
  c.when(bad, [&] { fault(FOVEA_FAULT_COST); });
  c.loop(c.constant(0), stride, lanes, [&](Value j) {
    c.store(c.number(reals, 0), at(kV, j));
    c.store(c.splat(integers, c.constant(-1)), at(kRowOf, j));
  });
  c.loop(c.constant(0), rows, 1, [&](Value i) {
    c.store(c.number(f64, 0), at(kU, i));
    c.store(c.constant(-1), at(kColumnOf, i));
  });
  Value yes = arith::ConstantOp::create(c.b, c.loc, c.b.getBoolAttr(true));
  Value fine = arith::XOrIOp::create(c.b, c.loc, bad, yes);
  Value solved = c.repeat(
      {c.constant(0), fine}, [&](ValueRange s) { return both(c.less(s[0], rows), s[1]); },
      [&](ValueRange s) { return Values{c.add(s[0], 1), assign(s[0])}; })[1];
  Value results = c.select(turned, arrays[kRowOf], arrays[kColumnOf]);
  c.loop(c.constant(0), r, 1, [&](Value i) {
    Value column = c.load(i64, c.address(results, f64, i));
    c.store(c.select(solved, column, c.constant(-1)), placeOf(frame, c, form.assigned, {b, i}));
  });
  c.store(c.select(solved, c.constant(0), c.constant(1)), placeOf(frame, c, form.status, {b}));
}

namespace {
class MatchingLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "matching"; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<MatchingForm>> form = MatchingForm::of(kernel, reason);
    if (failed(form))
      return failure();
    MatchingForm &f = **form;
    double shorter = std::min(typicalSize(f.rows), typicalSize(f.columns)),
           longer = std::max(typicalSize(f.rows), typicalSize(f.columns));
    constexpr double kStepsOfARow = 4, kCyclesOfAVector = 6;
    return f.single.schedule(typicalSize(f.batch) * shorter * kStepsOfARow *
                                 (longer / machine.lanes(64) * kCyclesOfAVector + 40) / 2.5 +
                             200);
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<MatchingForm>> found = MatchingForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("not a matching: ") << reason, failure();
    MatchingForm &form = **found;
    Stage stage = form.single.stage(kernel, machine, code, form.batch, [&](StageFrame &frame, KernelCode &c, Value b) {
      MatchingWriter(frame, c, form).matrix(b);
    });
    const SingleOp &single = form.single;
    stage.workspaceBytes =
        MatchingWriter::elements(single.inSymbols(form.rows), single.inSymbols(form.columns), machine) * 8;
    return SmallVector<Stage>{stage};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createMatchingLowering() {
  return std::make_unique<MatchingLowering>();
}
