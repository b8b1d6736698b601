// Bipartite matching for machines that run shaders: a workgroup a matrix, by the same steps as Matching.cpp and with
// the same choices between equally near columns.
//
// Every column belongs to one invocation, which keeps its distance and its place in the list of open columns. A step
// takes one column from the list and moves the last one into its place: each invocation does that to its own columns
// at the next step, so the list itself is in no memory. A step then needs no more than the reduction that finds the
// nearest column. Costs are read where they lie. All else is in shared memory where that is enough, and a step's loop
// over an invocation's columns is unrolled there: lavapipe of Mesa 22 leaves every loop once an invocation has done
// 65535 rounds of all its loops together (LP_MAX_TGSI_LOOP_ITERATIONS), and so the rounds are about the steps of the
// searches, rows * (rows + 1) / 2 at most. What was left too early is found at the end.
#include "compiler/lowering/Matching.h"
#include "compiler/lowering/Workgroup.h"
#include "runtime/include/fovea/abi.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using Values = KernelCode::Values;

static constexpr int64_t kGroup = 64;
static constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Of a column and of a row, all arrays together.
static constexpr int64_t kColumnWords = 7, kRowWords = 3;
/// A distance, a key and a column.
static constexpr int64_t kNearestWords = 4;
/// The shared memory that is left for a matrix, and the columns that loops are unrolled for.
static constexpr int64_t kMatrixWords = kMostSharedWords - Workgroup::reduceWords(kGroup, kNearestWords),
                         kUnrolledColumns = 6 * kGroup;
/// Steps back along a path in one round of a loop, and columns of an invocation.
static constexpr int64_t kPathSteps = 4, kColumnsOfRound = 4;

/// Words for a matrix of so many rows and columns at most, either way.
static int64_t wordsOf(int64_t rows, int64_t columns) {
  return kColumnWords * std::max(rows, columns) + kRowWords * std::min(rows, columns);
}

/// Whether shared memory is enough; none if the run has to see.
static std::optional<bool> isSmall(const MatchingForm &form) {
  auto rows = form.rows.getConstant(), columns = form.columns.getConstant();
  if (!rows || !columns)
    return std::nullopt;
  return std::max(*rows, *columns) <= kUnrolledColumns && wordsOf(*rows, *columns) <= kMatrixWords;
}

/// Columns of a matrix in shared memory, turned where it has more rows, and words for it.
static int64_t mostColumns(const MatchingForm &form) {
  return isSmall(form) ? std::max(*form.rows.getConstant(), *form.columns.getConstant()) : kUnrolledColumns;
}
static int64_t mostWords(const MatchingForm &form) {
  return isSmall(form) ? std::max<int64_t>(wordsOf(*form.rows.getConstant(), *form.columns.getConstant()), 1)
                       : kMatrixWords;
}

namespace {
class Writer {
public:
  Writer(StageFrame &frame, KernelCode &c, MatchingForm &form, bool inShared)
      : frame(frame), c(c), form(form), inShared(inShared), group(frame, c, kGroup, kNearestWords),
        f64(c.b.getF64Type()), i64(c.b.getI64Type()), i32(c.b.getI32Type()),
        element(getElementTypeOrSelf(form.op.getCost().getType())), infinity(c.number(f64, kInfinity)) {}
  /// Whether the sizes of this run are for this code.
  Value isMine();
  void matrix(Value b);

private:
  /// Of columns: potential, distance from the start, the row before it on the way there, place in the list (kDonePlace
  /// for those that are done), row. Of rows: potential, column.
  enum Array { kV, kDistance, kU, kFrom, kPlace, kRowOf, kColumnOf, kArrays };
  static constexpr int64_t kDonePlace = -1, kNoPlace = -2;
  /// How a search ended.
  static constexpr int64_t kSearching = -1, kUnreachable = -2;

  // Integers are i32 in memory; here they are i64 as all integers of a stage, which a shader narrows again. What comes
  // from an extension would count as the model's own 64 bits.
  Value widened(Value x) {
    return arith::IndexCastOp::create(c.b, c.loc, i64, arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), x));
  }
  Value narrowed(Value x) { return c.b.createOrFold<arith::TruncIOp>(c.loc, i32, x); }
  Value real(Array array, Value i) { return c.load(f64, c.address(arrays[array], f64, i)); }
  Value integer(Array array, Value i) { return widened(c.load(i32, c.address(arrays[array], i32, i))); }
  void setReal(Array array, Value i, Value x) { c.store(x, c.address(arrays[array], f64, i)); }
  void setInteger(Array array, Value i, Value x) { c.store(narrowed(x), c.address(arrays[array], i32, i)); }

  Value compare(arith::CmpFPredicate p, Value x, Value y) { return arith::CmpFOp::create(c.b, c.loc, p, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(c.b, c.loc, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(c.b, c.loc, x, y); }
  Value negative(Value x) { return c.less(x, c.constant(0)); }
  void fault(int64_t kind) { c.store(c.constant(frame.faultNumber() | kind << FOVEA_FAULT_KIND_SHIFT), frame.fault()); }

  void place(Value base);
  Values everyColumn(Values state, llvm::function_ref<Values(Value j, ValueRange state)> body);
  void ownColumns(const std::function<void(Value j)> &body) { group.each(c.constant(0), columns, body); }
  Value cost(Value i, Value j);
  Value hasBadCost();
  Values better(ValueRange x, ValueRange y);
  Values look(Value row, Value length, Value taken, Value moved);
  void augment(Value start, Value length, Value end, Value taken);
  Value assign(Value start);
  void solve(Value b, Value r);

  StageFrame &frame;
  KernelCode &c;
  MatchingForm &form;
  const bool inShared;
  Workgroup group;
  Type f64, i64, i32, element;
  Value infinity, arrays[kArrays];
  Value turned, rows, columns;      ///< of the matrix, turned where it has more rows than columns
  Value costs, rowStep, columnStep; ///< where its costs lie
};
} // namespace

/// Gives every array its part of the words at `base`.
void Writer::place(Value base) {
  Value at = c.constant(0);
  for (int64_t array = 0; array < kArrays; ++array) {
    arrays[array] = c.address(base, i32, at);
    bool ofRows = array == kU || array == kColumnOf, isReal = array <= kU;
    at = c.add(at, c.mul(ofRows ? rows : columns, isReal ? 2 : 1));
  }
}

/// The same within a search: in few rounds of a loop, or in none.
Values Writer::everyColumn(Values state, llvm::function_ref<Values(Value, ValueRange)> body) {
  auto some = [&](Value first, int64_t count, Values state) {
    for (int64_t n = 0; n < count; ++n) {
      Value j = c.add(first, n * group.size);
      state = c.choose(
          c.less(j, columns), ValueRange(state).getTypes(), [&] { return body(j, state); }, [&] { return state; });
    }
    return state;
  };
  if (inShared)
    return some(group.lane(), (mostColumns(form) + group.size - 1) / group.size, state);
  return c.loop(group.lane(), columns, kColumnsOfRound * group.size, state,
                [&](Value first, ValueRange s) { return some(first, kColumnsOfRound, Values(s)); });
}

Value Writer::cost(Value i, Value j) {
  Value x = c.load(element, c.address(costs, element, c.add(c.mul(i, rowStep), c.mul(j, columnStep))));
  if (element.isInteger())
    x = arith::SIToFPOp::create(c.b, c.loc, f64, x);
  else if (element.isF32())
    x = arith::ExtFOp::create(c.b, c.loc, f64, x);
  return form.op.getMaximize() ? arith::NegFOp::create(c.b, c.loc, x).getResult() : x;
}

/// Whether any cost is NaN or -inf.
Value Writer::hasBadCost() {
  Values bad{arith::ConstantIntOp::create(c.b, c.loc, 0, 32)};
  bad = c.loop(c.constant(0), rows, 1, bad, [&](Value i, ValueRange s) {
    return group.each(c.constant(0), columns, s, [&](Value j, ValueRange s) {
      Value isFine = compare(arith::CmpFPredicate::OGT, cost(i, j), c.number(f64, -kInfinity));
      return Values{c.select(isFine, s[0], narrowed(c.constant(1)))};
    });
  });
  bad = group.reduce(bad, [&](ValueRange x, ValueRange y) { return Values{either(x[0], y[0])}; });
  return c.compare(arith::CmpIPredicate::ne, bad[0], narrowed(c.constant(0)));
}

/// Of two columns, as distance, key and number, the nearer one; of two that are equally near that with the larger key.
Values Writer::better(ValueRange x, ValueRange y) {
  Value tie = both(compare(arith::CmpFPredicate::OEQ, x[0], y[0]), c.compare(arith::CmpIPredicate::sgt, x[1], y[1]));
  Value first = either(compare(arith::CmpFPredicate::OLT, x[0], y[0]), tie);
  return {c.select(first, x[0], y[0]), c.select(first, x[1], y[1]), c.select(first, x[2], y[2])};
}

/// The distances of all columns after a step to `row`, at `length` from the start; the nearest of them with its key.
/// The last step has taken the column at place `taken`; that at place `moved` goes there.
Values Writer::look(Value row, Value length, Value taken, Value moved) {
  Value u = real(kU, row), last = c.sub(columns, 1);
  Value none = narrowed(c.constant(-1));
  Values nearest = everyColumn({infinity, none, none}, [&](Value j, ValueRange s) {
    Value place = integer(kPlace, j);
    place = c.select(c.equal(place, taken), c.constant(kDonePlace), c.select(c.equal(place, moved), taken, place));
    setInteger(kPlace, j, place);
    Value isOpen = c.compare(arith::CmpIPredicate::sge, place, c.constant(0));
    return c.choose(
        isOpen, s.getTypes(),
        [&] {
          // In this order of rounding, so that costs that tie in SciPy tie here.
          Value x = c.subf(c.subf(c.addf(length, cost(row, j)), u), real(kV, j));
          Value old = real(kDistance, j), nearer = compare(arith::CmpFPredicate::OLT, x, old);
          c.when(nearer, [&] { setReal(kDistance, j, x), setInteger(kFrom, j, row); });
          Value key = c.select(negative(integer(kRowOf, j)), c.add(columns, place), c.sub(last, place));
          return better(Values{c.select(nearer, x, old), narrowed(key), narrowed(j)}, s);
        },
        [&] { return Values(s); });
  });
  Values found = group.reduce(nearest, [&](ValueRange x, ValueRange y) { return better(x, y); });
  return {found[0], widened(found[1]), widened(found[2])};
}

/// New potentials, and the rows and columns along the way to column `end`, the last one taken.
void Writer::augment(Value start, Value length, Value end, Value taken) {
  ownColumns([&](Value j) {
    Value place = integer(kPlace, j);
    c.when(either(negative(place), c.equal(place, taken)), [&] {
      Value rest = c.subf(length, real(kDistance, j)), row = integer(kRowOf, j);
      setReal(kV, j, c.subf(real(kV, j), rest));
      c.when(c.compare(arith::CmpIPredicate::sge, row, c.constant(0)),
             [&] { setReal(kU, row, c.addf(real(kU, row), rest)); });
    });
  });
  group.barrier();
  c.when(group.isFirst(), [&] {
    setReal(kU, start, c.addf(real(kU, start), length));
    auto more = [&](ValueRange s) { return c.compare(arith::CmpIPredicate::ne, s[1], start); };
    auto back = [&](ValueRange s) {
      Value row = integer(kFrom, s[0]), next = integer(kColumnOf, row);
      setInteger(kRowOf, s[0], row);
      setInteger(kColumnOf, row, s[0]);
      return Values{next, row};
    };
    c.repeat({end, c.constant(-1)}, more, [&](ValueRange s) {
      Values state = back(s);
      for (int64_t n = 1; n < kPathSteps; ++n)
        state = c.choose(more(state), ValueRange(state).getTypes(), [&] { return back(state); }, [&] { return state; });
      return state;
    });
  });
  group.barrier();
}

/// Gives row `start` a column; how the search ended.
Value Writer::assign(Value start) {
  ownColumns([&](Value j) {
    setReal(kDistance, j, infinity);
    setInteger(kPlace, j, c.sub(c.sub(columns, 1), j));
  });
  // State: the row, its distance, columns that are done, the column at the end, places of the column that was taken and
  // of that which is to be moved there.
  Value none = c.constant(kNoPlace);
  Values found = c.repeat(
      {start, c.number(f64, 0), c.constant(0), c.constant(kSearching), none, none},
      [&](ValueRange s) { return c.equal(s[3], c.constant(kSearching)); },
      [&](ValueRange s) {
        Values nearest = look(s[0], s[1], s[4], s[5]);
        Value length = nearest[0], key = nearest[1], j = nearest[2], last = c.sub(columns, 1);
        return c.choose(
            compare(arith::CmpFPredicate::OLT, length, infinity), ValueRange(s).getTypes(),
            [&] {
              Value taken = c.select(c.less(key, columns), c.sub(last, key), c.sub(key, columns));
              Value row = integer(kRowOf, j);
              return Values{row,   length,           c.add(s[2], 1), c.select(negative(row), j, c.constant(kSearching)),
                            taken, c.sub(last, s[2])};
            },
            [&] { return Values{s[0], s[1], s[2], c.constant(kUnreachable), s[4], s[5]}; });
      });
  c.when(c.compare(arith::CmpIPredicate::sge, found[3], c.constant(0)),
         [&] { augment(start, found[1], found[3], found[4]); });
  return found[3];
}

void Writer::solve(Value b, Value r) {
  Value bad = hasBadCost(), zero = c.number(f64, 0), none = c.constant(-1);
  c.when(both(bad, group.isFirst()), [&] { fault(FOVEA_FAULT_COST); });
  ownColumns([&](Value j) {
    setReal(kV, j, zero);
    setInteger(kRowOf, j, none);
    c.when(c.less(j, rows), [&] {
      setReal(kU, j, zero);
      setInteger(kColumnOf, j, none);
    });
  });
  group.barrier();
  // State: rows that are done, how the last search ended.
  Value yes = c.constant(0), no = c.constant(kUnreachable);
  Values end = c.repeat(
      {c.constant(0), c.select(bad, no, yes)},
      [&](ValueRange s) { return both(c.less(s[0], rows), c.compare(arith::CmpIPredicate::sge, s[1], c.constant(0))); },
      [&](ValueRange s) { return Values{c.add(s[0], 1), assign(s[0])}; });
  Value solved = c.compare(arith::CmpIPredicate::sge, end[1], c.constant(0));
  // Not a search that has ended, nor the last row: the driver has ended the loop.
  Value cut = either(c.equal(end[1], c.constant(kSearching)), both(solved, c.less(end[0], rows)));
  c.when(both(cut, group.isFirst()), [&] { fault(FOVEA_FAULT_LOOPS); });
  Value next = group.each(c.constant(0), columns, group.lane(), [&](Value i, ValueRange) {
    c.when(c.less(i, r), [&] {
      Value column = c.choose(
          turned, i64, [&] { return Values{integer(kRowOf, i)}; }, [&] { return Values{integer(kColumnOf, i)}; })[0];
      c.store(c.select(solved, column, none), placeOf(frame, c, form.assigned, {b, i}));
    });
    return Values{c.add(i, group.size)};
  })[0];
  // Nor are the columns of each step known to have been looked at, if this loop has not seen all of them.
  c.when(c.less(next, columns), [&] { fault(FOVEA_FAULT_LOOPS); });
  c.when(group.isFirst(),
         [&] { c.store(c.select(solved, c.constant(0), c.constant(1)), placeOf(frame, c, form.status, {b})); });
}

Value Writer::isMine() {
  Value r = frame.size(form.rows), n = frame.size(form.columns), longer = c.max(r, n);
  Value words = c.add(c.mul(longer, kColumnWords), c.mul(c.min(r, n), kRowWords));
  Value isSmall = both(c.compare(arith::CmpIPredicate::sle, longer, c.constant(kUnrolledColumns)),
                       c.compare(arith::CmpIPredicate::sle, words, c.constant(kMatrixWords)));
  return inShared ? isSmall
                  : arith::XOrIOp::create(c.b, c.loc, isSmall, arith::ConstantIntOp::create(c.b, c.loc, 1, 1));
}

void Writer::matrix(Value b) {
  Value r = frame.size(form.rows), n = frame.size(form.columns);
  if (form.counts) {
    // In two words, of which the higher one has to be 0.
    Value at = placeOf(frame, c, *form.counts, {b});
    Value low = c.load(i32, at), high = c.load(i32, c.address(at, i32, 1)), zero = narrowed(c.constant(0));
    Value outside =
        either(c.compare(arith::CmpIPredicate::ne, high, zero), c.compare(arith::CmpIPredicate::ugt, low, narrowed(n)));
    c.when(both(outside, group.isFirst()), [&] { fault(FOVEA_FAULT_INDEX); });
    n = widened(c.select(outside, zero, low));
  }
  turned = c.less(n, r), rows = c.min(r, n), columns = c.max(r, n);
  Value rStep = frame.size(form.cost.strides[1]), nStep = frame.size(form.cost.strides[2]);
  rowStep = c.select(turned, nStep, rStep), columnStep = c.select(turned, rStep, nStep);
  costs = placeOf(frame, c, form.cost, {b});
  if (inShared)
    place(frame.sharedMemory(mostWords(form)));
  else
    place(frame.workspace());
  solve(b, r);
}

namespace {
class MatchingThreadsLowering : public KernelLowering {
public:
  StringRef name() const override { return "matching-threads"; }
  bool isFor(const Machine &machine) const override { return machine.shaders; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<MatchingForm>> form = MatchingForm::of(kernel, reason);
    if (failed(form))
      return failure();
    return (*form)->single.schedule(0); // there is no other
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<MatchingForm>> found = MatchingForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("not a matching: ") << reason, failure();
    MatchingForm &form = **found;
    const SingleOp &single = form.single;
    SmallVector<Stage> stages;
    std::optional<bool> known = isSmall(form);
    auto add = [&](StringRef suffix, bool inShared) {
      Stage &stage = stages.emplace_back(single.stage(
          kernel, machine, code, form.batch,
          [&](StageFrame &frame, KernelCode &c, Value b) {
            Writer writer(frame, c, form, inShared);
            c.when(known ? arith::ConstantIntOp::create(c.b, c.loc, 1, 1) : writer.isMine(), [&] { writer.matrix(b); });
          },
          suffix));
      if (!inShared)
        stage.workspaceBytes = (single.inSymbols(form.rows) + single.inSymbols(form.columns)) * (4 * kColumnWords);
    };
    // Where only the run knows the sizes, one of the two does nothing. Two shaders: drivers take the longer the larger
    // a shader is.
    if (known.value_or(true))
      add("_shared", /*inShared=*/true);
    if (!known.value_or(false))
      add("_workspace", /*inShared=*/false);
    return stages;
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createMatchingThreadsLowering() {
  return std::make_unique<MatchingThreadsLowering>();
}
