// A matrix product for machines that run shaders: an invocation keeps a tile of sums in registers and reads its
// operands where they lie.
//
// The columns of a workgroup's invocations are neighbours, so that a load of w is one access to consecutive memory, and
// its rows are the same, so that a load of a is the same for all of them. There is no shared memory in it: on devices
// that are CPUs a workgroup's copy costs more than the caches that they have, and few rows have nothing to share. A
// normalisation of the rows is a second stage, one invocation a row; between the two the values lie in memory of the
// kernel's own.
#include "compiler/lowering/MatmulShaders.h"
#include "compiler/lowering/SingleOp.h"
#include "compiler/lowering/Threads.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

static constexpr int64_t kGroup = 64, kUnroll = 4;

namespace {
struct Tile {
  int64_t rows, columns; ///< of an invocation; its columns are kGroup apart
  bool uniform;          ///< loads that are the same for a workgroup are said to be
};

class Writer {
public:
  Writer(StageFrame &frame, KernelCode &c, MatmulForm &form, Tile tile)
      : frame(frame), c(c), form(form), tile(tile), places(frame, c, form) {}
  void writeSums();

private:
  using Values = KernelCode::Values;
  int64_t wRun();
  Values aRun(Value row, Value at, int64_t count);

  StageFrame &frame;
  KernelCode &c;
  MatmulForm &form;
  const Tile tile;
  RowPlaces places;
};
} // namespace

/// Neighbouring columns that an invocation has: four if it can load them at once.
int64_t Writer::wRun() {
  bool inRuns = form.panel ? elementOf(form.w).isF32()
                           : (form.column >= 0 && isMultipleOf(form.n, 4) && isByFour(form.w, form.column));
  return inRuns && tile.columns % 4 == 0 ? 4 : 1;
}

/// Elements at ... at + count of a row of a.
Writer::Values Writer::aRun(Value row, Value at, int64_t count) {
  const DimExpr &step = form.a.strides[form.sizes.size()];
  Type type = elementOf(form.a);
  if (isByFour(form.a, form.sizes.size()))
    return loadRun(c, type, c.address(row, type, at), count, count % 4 == 0);
  Values all;
  for (int64_t u = 0; u < count; ++u)
    all.push_back(c.load(type, c.address(row, type, c.mul(c.add(at, u), frame.size(step)))));
  return all;
}

void Writer::writeSums() {
  Value m = frame.size(form.count(form.rows)), n = frame.size(form.n), k = frame.size(form.k);
  Value bands = c.ceilDiv(m, tile.rows), strips = c.ceilDiv(n, tile.columns * kGroup);
  Value lane = invocation(c);
  c.loop(frame.begin(), frame.end(), 1, [&](Value task) {
    Value strip = c.rem(task, strips), rest = c.div(task, strips);
    auto same = [&](Value x, int64_t below = INT32_MAX) { return tile.uniform ? uniform(c, x, below) : x; };
    Value m0 = same(c.mul(c.rem(rest, bands), tile.rows)),
          n0 = c.add(c.mul(strip, tile.columns * kGroup), c.mul(lane, wRun()));
    Values batch = places.indices(form.batch, c.div(rest, bands));
    Type aType = elementOf(form.a), wType = elementOf(form.w);
    Value aOrigin = same(places.origin(form.a, batch)), wOrigin = places.origin(form.w, batch);
    // Rows and columns behind the last ones read the last ones; their sums are not written.
    Values rows, columns, places_;
    for (int64_t i = 0; i < tile.rows; ++i) {
      Value row = c.min(c.add(m0, i), c.sub(m, c.constant(1)));
      rows.push_back(c.address(aOrigin, aType, places.row(form.a, row)));
    }
    const int64_t run = wRun();
    Value lastRun = c.sub(c.mul(c.ceilDiv(n, run), run), c.constant(run));
    for (int64_t j = 0; j < tile.columns; j += run) {
      for (int64_t i = 0; i < run; ++i)
        columns.push_back(c.add(n0, j * kGroup + i));
      places_.push_back(c.address(wOrigin, wType, places.column(c.min(columns[j], lastRun))));
    }
    const int64_t below = form.k.getConstant().value_or(INT32_MAX);
    auto steps = [&](Value at, int64_t count, ValueRange sums) {
      at = same(at, below);
      SmallVector<Values> a;
      for (Value row : rows)
        a.push_back(aRun(row, at, count));
      Values next(sums);
      for (int64_t u = 0; u < count; ++u) {
        Values w;
        for (Value place : places_)
          llvm::append_range(
              w, loadRun(c, wType, c.address(place, wType, c.mul(c.add(at, u), places.step())), run, run == 4));
        for (int64_t i = 0; i < tile.rows; ++i)
          for (int64_t j = 0; j < tile.columns; ++j)
            next[i * tile.columns + j] = c.fma(a[i][u], w[j], next[i * tile.columns + j]);
      }
      return next;
    };
    Values sums(tile.rows * tile.columns, c.number(form.element, 0));
    Value whole = c.sub(k, c.rem(k, c.constant(kUnroll)));
    sums = c.loop(c.constant(0), whole, kUnroll, sums,
                  [&](Value at, ValueRange state) { return steps(at, kUnroll, state); });
    sums = c.loop(whole, k, 1, sums, [&](Value at, ValueRange state) { return steps(at, 1, state); });
    finishSums(frame, c, form, batch, m0, columns, sums);
  });
}

namespace {
class MatmulThreadsLowering : public KernelLowering {
public:
  StringRef name() const override { return "matmul-threads"; }
  bool isFor(const Machine &machine) const override { return machine.shaders; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<MatmulForm>> form = MatmulForm::of(kernel, reason);
    if (failed(form))
      return failure();
    MatmulForm &f = **form;
    // Enough invocations before large tiles.
    double m = typicalSize(f.count(f.rows)), n = typicalSize(f.n);
    Tile tile{m >= 64 ? 8 : m >= 4 ? 4 : 1, n >= 512 ? 4 : n >= 128 ? 2 : 1, machine.deviceIsCpu};
    // What one load of w then serves pays for what the driver spills.
    if (machine.deviceIsCpu && m >= 128)
      tile.rows = 16, tile.columns = std::min<int64_t>(tile.columns, 2);
    int64_t uniform = tile.uniform;
    if (!takeRequested(requested, "rows", 1, 32, 1, tile.rows, reason) ||
        !takeRequested(requested, "columns", 1, 8, 1, tile.columns, reason) ||
        !takeRequested(requested, "uniform", 0, 1, 1, uniform, reason))
      return failure();
    Schedule schedule =
        shaderSchedule(f, name(), {{"rows", tile.rows}, {"columns", tile.columns}, {"uniform", uniform}});
    schedule.scratchBytes = passedOnBytes(f);
    schedule.nanoseconds = 0; // better than loops over scalars, whatever the sizes
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<MatmulForm>> form = MatmulForm::of(KernelView(kernel), reason);
    auto rows = kernel.getSchedule().getAs<IntegerAttr>("rows"),
         columns = kernel.getSchedule().getAs<IntegerAttr>("columns"),
         uniform = kernel.getSchedule().getAs<IntegerAttr>("uniform");
    if (failed(form) || !rows || !columns || !uniform)
      return kernel.emitError("not a matrix product with rows and columns of a tile: ") << reason, failure();
    MatmulForm &f = **form;
    Tile tile{rows.getInt(), columns.getInt(), uniform.getInt() != 0};
    MLIRContext *context = kernel.getContext();
    AffineExpr m = affineOf(f.count(f.rows), context), tasks = affineOf(f.count(f.batch), context) *
                                                               m.ceilDiv(tile.rows) *
                                                               affineOf(f.n, context).ceilDiv(tile.columns * kGroup);
    SmallVector<Stage> stages;
    stages.push_back(shaderStage(kernel, "_sums", tasks, machine, code, [&](StageFrame &frame, KernelCode &c) {
      frame.setGroupSize(kGroup);
      Writer(frame, c, f, tile).writeSums();
    }));
    if (f.norm)
      stages.push_back(shaderStage(kernel, "_norm", m, machine, code,
                                   [&](StageFrame &frame, KernelCode &c) { normalizeRows(frame, c, f); }));
    return stages;
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createMatmulThreadsLowering() {
  return std::make_unique<MatmulThreadsLowering>();
}
