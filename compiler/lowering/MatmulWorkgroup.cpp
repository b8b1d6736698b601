// A matrix product for GPUs: a workgroup makes a tile of sums, each of its invocations a part of them in registers.
//
// The terms are taken in steps. In each step the workgroup copies the tile's rows of a and columns of w, for so many
// terms, to shared memory, each element once; then each invocation adds up what it finds there. So an element that is
// read from a buffer serves a whole row or column of the tile. In shared memory the elements of one term follow each
// other in both panels: an invocation reads its rows, and its columns, by vectors of four. Loads from buffers go along
// whichever dim of an operand is contiguous. What lies behind the last term is zero in both panels; rows and columns
// behind the last ones are those, and their sums are dropped. A normalisation of the rows is a second stage.
#include "compiler/lowering/MatmulShaders.h"
#include "compiler/lowering/SingleOp.h"
#include "compiler/lowering/Threads.h"
#include "compiler/lowering/Workgroup.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// Invocations that every device has in a workgroup; columns of one of them, terms of a round of its loop.
static constexpr int64_t kMostGroup = 128, kColumns = 4, kUnroll = 4;
/// Rows of an invocation, at most.
static constexpr int64_t kMostRows = 16;
/// A GPU has units for more workgroups than that.
static constexpr double kFewTiles = 64;

namespace {
struct Tile {
  int64_t rows, columns, terms, group;
  int64_t across() const { return columns / kColumns; } ///< invocations that share rows
  int64_t ownRows() const { return rows / (group / across()); }
  bool isValid() const {
    return columns % kColumns == 0 && terms % kUnroll == 0 && group % across() == 0 && rows % (group / across()) == 0 &&
           ownRows() <= kMostRows;
  }
};

/// A tile's part of an operand: `count` of its rows (of a) or columns (of w) for the terms of a step.
struct SharedPanel {
  SharedPanel(MatmulForm &form, bool isA, const Tile &tile);
  int64_t elements() const { return terms / kUnroll * stepOfUnroll; }

  MatmulForm &form;
  const Access &access;
  bool isA;
  int64_t count, terms;
  bool alongTerms; ///< neighbouring invocations copy neighbouring terms; otherwise neighbouring rows or columns
  int64_t run = 1; ///< elements that an invocation copies at once
  /// In shared memory: from a term to the next, and from the first of kUnroll terms to the next of them.
  int64_t stepOfTerm, stepOfUnroll;
};
} // namespace

/// Shared memory has 32 banks of a word on the GPUs of today: invocations that access different words of a bank wait
/// for each other, and vectors of four are accessed by 8 invocations at once. Reads are free of conflicts, since
/// neighbours read neighbouring vectors of columns, and the same rows. So are writes of neighbouring rows or columns.
/// Where neighbours write along the terms
///   - after loads of vectors, terms / 4 of them write to the same row or column, each kUnroll terms behind the other:
///     multiples of 32 words (of 8 rows or columns at least), but for the padding of 128 / terms words, which is room
///     for the rows or columns that the others of 32 invocations write to;
///   - after loads of single elements each has a term of its own, 4 banks behind the last one: no more than two meet.
SharedPanel::SharedPanel(MatmulForm &form, bool isA, const Tile &tile)
    : form(form), access(isA ? form.a : form.w), isA(isA), count(isA ? tile.rows : tile.columns), terms(tile.terms) {
  size_t rank = form.sizes.size();
  int64_t dim = isA ? (form.rows.empty() ? -1 : form.rows.back()) : form.column;
  bool isOnly = !isA || form.rows.size() == 1;
  alongTerms = access.strides[rank].isConstant(1) || dim < 0 || !access.strides[dim].isConstant(1);
  if (alongTerms && isByFour(access, rank) && isMultipleOf(form.k, 4))
    run = 4;
  if (!alongTerms && isOnly && isByFour(access, dim) && isMultipleOf(form.sizes[dim], 4))
    run = 4;
  if (!isA && form.panel)
    alongTerms = false, run = elementOf(form.w).isF32() ? 4 : 1;
  stepOfTerm = alongTerms && run == 1 ? count + 4 : count;
  int64_t padding = alongTerms && run == 4 ? std::max<int64_t>(4, 128 / terms / 4 * 4) : 0;
  stepOfUnroll = kUnroll * stepOfTerm + padding;
}

namespace {
class Writer {
public:
  Writer(StageFrame &frame, KernelCode &c, MatmulForm &form, const Tile &tile)
      : frame(frame), c(c), form(form), tile(tile), places(frame, c, form), a(form, true, tile), w(form, false, tile) {}
  void write();

private:
  using Values = KernelCode::Values;
  /// What an invocation copies in every step: from a place in the buffer, for the first term, to one in shared memory.
  struct Copy {
    const SharedPanel &panel;
    Value term, from, to;
    Value isThere; ///< null: always; otherwise the last one of the panel is read where it is not
  };
  Value memory(const SharedPanel &panel);
  void addCopies(const SharedPanel &panel, Value origin, Value first, Value memory, Value lane,
                 SmallVectorImpl<Copy> &copies);
  void copyAll(ArrayRef<Copy> copies, Value step);
  Values fetch(const Copy &copy, Value step);
  void put(const Copy &copy, ValueRange elements);
  bool isByFour() const { return form.element.isF32(); }

  StageFrame &frame;
  KernelCode &c;
  MatmulForm &form;
  const Tile tile;
  RowPlaces places;
  const SharedPanel a, w;
};
} // namespace

Value Writer::memory(const SharedPanel &panel) {
  return frame.sharedMemory(panel.elements() * bytesOf(form.element) / 4, isByFour());
}

/// `first`: the row or column that the tile begins with; `origin`: the operand for indices of the batch.
void Writer::addCopies(const SharedPanel &panel, Value origin, Value first, Value memory, Value lane,
                       SmallVectorImpl<Copy> &copies) {
  Type stored = elementOf(panel.access);
  // Runs of rows or columns begin with multiples of their length, the last one too.
  const int64_t whole = panel.alongTerms ? 1 : panel.run;
  Value count = frame.size(panel.isA ? form.count(form.rows) : form.n),
        last = c.sub(c.mul(c.ceilDiv(count, whole), whole), c.constant(whole));
  const int64_t runs = panel.count * panel.terms / panel.run,
                inner = (panel.alongTerms ? panel.terms : panel.count) / panel.run;
  for (int64_t done = 0; done < runs; done += tile.group) {
    Value number = c.add(lane, done), isThere;
    if (done + tile.group > runs)
      isThere = c.less(number, c.constant(runs)), number = c.min(number, c.constant(runs - 1));
    Value at = c.mul(c.rem(number, c.constant(inner)), panel.run), outer = c.div(number, inner);
    Value term = panel.alongTerms ? at : outer, index = panel.alongTerms ? outer : at;
    Value source = c.min(c.add(first, index), last);
    Value place = panel.isA ? places.row(panel.access, source) : places.column(source);
    // Vectors along terms begin with multiples of kUnroll.
    Value to = panel.stepOfUnroll == kUnroll * panel.stepOfTerm ? c.mul(term, panel.stepOfTerm)
                                                                : c.mul(c.div(term, kUnroll), panel.stepOfUnroll);
    copies.push_back(
        {panel, term, c.address(origin, stored, place), c.address(memory, form.element, c.add(to, index)), isThere});
  }
}

Writer::Values Writer::fetch(const Copy &copy, Value step) {
  const SharedPanel &panel = copy.panel;
  Type stored = elementOf(panel.access);
  Value k = frame.size(form.k), term = c.add(step, copy.term), isTerm;
  if (!isMultipleOf(form.k, tile.terms)) {
    isTerm = c.less(term, k);
    term = c.min(term, c.sub(k, panel.alongTerms ? panel.run : 1));
  }
  Value stride = panel.isA ? frame.size(panel.access.strides[form.sizes.size()]) : places.step();
  Value from = c.address(copy.from, stored, c.mul(term, stride));
  Values elements = loadRun(c, stored, from, panel.run, panel.run == 4);
  if (isTerm)
    for (Value &element : elements)
      element = c.select(isTerm, element, c.number(form.element, 0));
  return elements;
}

void Writer::put(const Copy &copy, ValueRange elements) {
  const SharedPanel &panel = copy.panel;
  if (panel.run == 4 && !panel.alongTerms)
    return c.store(vector::FromElementsOp::create(c.b, c.loc, c.vector(form.element, 4), elements), copy.to);
  for (auto [i, element] : llvm::enumerate(elements))
    c.store(element, c.address(copy.to, form.element, i * panel.stepOfTerm));
}

/// All loads are on their way before the first of them is waited for.
void Writer::copyAll(ArrayRef<Copy> copies, Value step) {
  SmallVector<Values> fetched;
  for (const Copy &copy : copies)
    fetched.push_back(fetch(copy, step));
  for (size_t i = 0; i < copies.size(); ++i) {
    if (copies[i].isThere)
      c.when(copies[i].isThere, [&] { put(copies[i], fetched[i]); });
    else
      put(copies[i], fetched[i]);
  }
}

void Writer::write() {
  Workgroup group(frame, c, tile.group);
  Value aMemory = memory(a), wMemory = memory(w);
  Value m = frame.size(form.count(form.rows)), n = frame.size(form.n), k = frame.size(form.k);
  Value bands = c.ceilDiv(m, tile.rows), strips = c.ceilDiv(n, tile.columns), lane = group.lane();
  const int64_t ownRows = tile.ownRows();
  c.loop(frame.begin(), frame.end(), 1, [&](Value task) {
    Value rest = c.div(task, strips), m0 = c.mul(c.rem(rest, bands), tile.rows),
          n0 = c.mul(c.rem(task, strips), tile.columns);
    Values batch = places.indices(form.batch, c.div(rest, bands));
    SmallVector<Copy> copies;
    addCopies(a, places.origin(form.a, batch), m0, aMemory, lane, copies);
    addCopies(w, places.origin(form.w, batch), n0, wMemory, lane, copies);
    Value firstRow = c.mul(c.div(lane, tile.across()), ownRows),
          firstColumn = c.mul(c.rem(lane, c.constant(tile.across())), kColumns);
    auto unrolled = [&](Value round, ValueRange sums) {
      Value rows = c.address(aMemory, form.element, c.add(c.mul(round, a.stepOfUnroll), firstRow)),
            columns = c.address(wMemory, form.element, c.add(c.mul(round, w.stepOfUnroll), firstColumn));
      Values next(sums);
      for (int64_t u = 0; u < kUnroll; ++u) {
        Values x = loadRun(c, form.element, c.address(rows, form.element, u * a.stepOfTerm), ownRows,
                           isByFour() && ownRows % 4 == 0);
        Values y = loadRun(c, form.element, c.address(columns, form.element, u * w.stepOfTerm), kColumns, isByFour());
        for (int64_t i = 0; i < ownRows; ++i)
          for (int64_t j = 0; j < kColumns; ++j)
            next[i * kColumns + j] = c.fma(x[i], y[j], next[i * kColumns + j]);
      }
      return next;
    };
    Values sums(ownRows * kColumns, c.number(form.element, 0));
    sums = c.loop(c.constant(0), k, tile.terms, sums, [&](Value step, ValueRange state) {
      copyAll(copies, step);
      group.barrier();
      Values next = c.loop(c.constant(0), c.constant(tile.terms / kUnroll), 1, state, unrolled);
      group.barrier();
      return next;
    });
    Values columns;
    for (int64_t j = 0; j < kColumns; ++j)
      columns.push_back(c.add(c.add(n0, firstColumn), j));
    finishSums(frame, c, form, batch, c.add(m0, firstRow), columns, sums);
  });
}

/// Invocations for a tile: 64 to 128 with as many rows as pay for their loads, if there is such a number.
static int64_t suitableGroup(const Tile &tile) {
  int64_t best = 0;
  for (int64_t own : {8, 4, 2, 1, 16}) {
    int64_t group = tile.across() * tile.rows / own;
    if (tile.rows % own || group > kMostGroup)
      continue;
    if (group >= kMostGroup / 2)
      return group;
    best = std::max(best, group);
  }
  return best;
}

namespace {
class MatmulWorkgroupLowering : public KernelLowering {
public:
  StringRef name() const override { return "matmul-workgroup"; }
  bool isFor(const Machine &machine) const override { return machine.shaders; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<MatmulForm>> form = MatmulForm::of(kernel, reason);
    if (failed(form))
      return failure();
    MatmulForm &f = **form;
    f.packForShaders();
    double m = typicalSize(f.count(f.rows)), n = typicalSize(f.n), k = typicalSize(f.k),
           batch = typicalSize(f.count(f.batch));
    Tile tile{m > 32 ? 64 : m > 16 ? 32 : 16, n > 32 ? 64 : 32, f.element.isF64() ? 8 : 16, 0};
    // Workgroups for all of a GPU before large tiles.
    auto tiles = [&] { return batch * std::ceil(m / tile.rows) * std::ceil(n / tile.columns); };
    for (int64_t *size : {&tile.rows, &tile.columns})
      if (*size == 64 && tiles() < kFewTiles)
        *size = 32;
    if (!takeRequested(requested, "rows", 4, 128, 4, tile.rows, reason) ||
        !takeRequested(requested, "columns", kColumns, 128, kColumns, tile.columns, reason) ||
        !takeRequested(requested, "terms", kUnroll, 64, kUnroll, tile.terms, reason))
      return failure();
    tile.group = suitableGroup(tile);
    if (!takeRequested(requested, "group", 1, kMostGroup, 1, tile.group, reason))
      return failure();
    if (!tile.group || !tile.isValid())
      return reason = "no " + std::to_string(tile.group ? tile.group : kMostGroup) + " invocations have up to " +
                      std::to_string(kMostRows) + " rows of " + std::to_string(kColumns) +
                      " columns each in a tile of " + std::to_string(tile.rows) + " x " + std::to_string(tile.columns),
             failure();
    int64_t bytes =
        (SharedPanel(f, true, tile).elements() + SharedPanel(f, false, tile).elements()) * bytesOf(f.element);
    if (bytes > 4 * kMostSharedWords)
      return reason = "its panels take " + std::to_string(bytes) + " bytes of shared memory, and a workgroup has " +
                      std::to_string(4 * kMostSharedWords),
             failure();
    Schedule schedule = shaderSchedule(
        f, name(), {{"rows", tile.rows}, {"columns", tile.columns}, {"terms", tile.terms}, {"group", tile.group}});
    schedule.scratchBytes = passedOnBytes(f);
    // A vector gets nothing from shared memory, nor does a device where that is memory like any other.
    schedule.nanoseconds = machine.deviceIsCpu || m < 16 || n < 32 || k < 16 ? 1 : 0;
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<MatmulForm>> form = MatmulForm::of(KernelView(kernel), reason);
    Tile tile{};
    bool areThere = true;
    for (auto [key, value] :
         {std::pair("rows", &tile.rows), {"columns", &tile.columns}, {"terms", &tile.terms}, {"group", &tile.group}}) {
      auto number = kernel.getSchedule().getAs<IntegerAttr>(key);
      areThere &= number && (*value = number.getInt()) > 0;
    }
    if (failed(form) || !areThere || !tile.isValid())
      return kernel.emitError("not a matrix product with a tile for its workgroups: ") << reason, failure();
    MatmulForm &f = **form;
    MLIRContext *context = kernel.getContext();
    AffineExpr m = affineOf(f.count(f.rows), context), tasks = affineOf(f.count(f.batch), context) *
                                                               m.ceilDiv(tile.rows) *
                                                               affineOf(f.n, context).ceilDiv(tile.columns);
    SmallVector<Stage> stages;
    stages.push_back(shaderStage(kernel, "_sums", tasks, machine, code,
                                 [&](StageFrame &frame, KernelCode &c) { Writer(frame, c, f, tile).write(); }));
    if (f.norm)
      stages.push_back(shaderStage(kernel, "_norm", m, machine, code,
                                   [&](StageFrame &frame, KernelCode &c) { normalizeRows(frame, c, f); }));
    return stages;
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createMatmulWorkgroupLowering() {
  return std::make_unique<MatmulWorkgroupLowering>();
}
