// A matrix product of f16 for devices whose subgroups multiply matrices together (VK_KHR_cooperative_matrix), with sums
// in f32.
//
// Matrices are read and written whole, at aligned places; so the operands are first packed: in memory of the kernel's
// own stand the matrices that they are cut into, one behind the other, with zeros behind the last rows, columns and
// terms. A weight that lies such that its matrices can be read in place stays there. A subgroup makes a block of
// matrices of sums, which stay in registers over all terms and then lie in memory, cut in the same way. What follows
// the sums, of any layout, is done by one invocation for each of them; a normalisation of the rows by one for each row.
#include "compiler/lowering/MatmulShaders.h"
#include "compiler/lowering/SingleOp.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

namespace {
/// Rows and columns of matrices that an operand, or the sums, are cut into.
struct Cut {
  int64_t rows, columns, bytes;
  int64_t elements() const { return rows * columns; }
};

/// How many matrices there are, in the kernel's symbols.
struct Counts {
  AffineExpr rows, columns, terms, batch;
};

/// Where the parts of the kernel's own memory begin, in bytes before they are aligned. Sizes of memory are polynomials,
/// so a part is as large as it can be.
struct Places {
  DimExpr a, w, sums, norm, end;
};

struct Sizes {
  int64_t m, n, k, subgroup;     ///< of a matrix, and invocations
  int64_t rows = 1, columns = 1; ///< matrices of sums of a task
  Cut a() const { return {m, k, 2}; }
  Cut w() const { return {k, n, 2}; }
  Cut sums() const { return {m, n, 4}; }
};
} // namespace

/// Matrices are to start at multiples of that, and so are their rows.
static constexpr int64_t kAlignment = 16;

/// Whether the matrices of w can be read where they lie: whole ones, at aligned places. `transposed`: along k.
static bool isInPlace(const MatmulForm &form, const Sizes &sizes, bool &transposed) {
  const Access &w = form.w;
  if (form.panel) {
    transposed = false;
    std::optional<int64_t> k = form.k.getConstant();
    return k && *k % sizes.k == 0 && form.panel % sizes.n == 0 && sizes.n * 2 >= kAlignment;
  }
  int64_t rank = form.sizes.size();
  DimExpr row = w.strides[rank], column = w.strides[form.column];
  transposed = row.isConstant(1);
  std::optional<int64_t> stride = (transposed ? column : row).getConstant(), n = form.n.getConstant(),
                         k = form.k.getConstant(), offset = w.offset.getConstant();
  auto aligned = [](std::optional<int64_t> elements) { return elements && *elements * 2 % kAlignment == 0; };
  return (transposed || column.isConstant(1)) && n && k && *n % sizes.n == 0 && *k % sizes.k == 0 && aligned(stride) &&
         aligned(offset) && (transposed ? sizes.k : sizes.n) * 2 >= kAlignment &&
         llvm::all_of(form.batch, [&](int64_t d) { return aligned(w.strides[d].getConstant()); });
}

/// At least `size` rounded up to whole matrices.
static DimExpr padded(const DimExpr &size, int64_t to) {
  if (std::optional<int64_t> known = size.getConstant())
    return DimExpr((*known + to - 1) / to * to);
  return size + DimExpr(to - 1);
}

static Places placesOf(const MatmulForm &form, const Sizes &sizes) {
  DimExpr rows = form.count(form.rows), batch = form.count(form.batch), terms = padded(form.k, sizes.k);
  auto behind = [](const DimExpr &start, const DimExpr &bytes) { return start + bytes + DimExpr(kAlignment - 1); };
  bool transposed;
  Places p;
  p.a = DimExpr(0);
  p.w = behind(p.a, batch * padded(rows, sizes.m) * terms * 2);
  p.sums = isInPlace(form, sizes, transposed) ? p.w : behind(p.w, batch * padded(form.n, sizes.n) * terms * 2);
  p.norm = behind(p.sums, batch * padded(rows, sizes.m) * padded(form.n, sizes.n) * 4);
  p.end = form.norm ? p.norm + rows * form.n * 4 + DimExpr(kAlignment - 1) : p.norm;
  return p;
}

static Counts countsOf(const MatmulForm &form, const Sizes &sizes, MLIRContext *context) {
  return {affineOf(form.count(form.rows), context).ceilDiv(sizes.m), affineOf(form.n, context).ceilDiv(sizes.n),
          affineOf(form.k, context).ceilDiv(sizes.k), affineOf(form.count(form.batch), context)};
}

namespace {
class CooperativeWriter {
public:
  CooperativeWriter(StageFrame &frame, KernelCode &c, MatmulForm &form, const Sizes &sizes)
      : frame(frame), c(c), form(form), sizes(sizes), at(placesOf(form, sizes)), rows(frame, c, form),
        epilogue(frame, c, form) {}
  void packA();
  void packW();
  void writeSums();
  void writeEpilogue();
  void writeNorm();

private:
  using Values = KernelCode::Values;
  /// Matrices of sums, in rows and columns, and of terms.
  Value rowMatrices() { return c.ceilDiv(frame.size(form.count(form.rows)), sizes.m); }
  Value columnMatrices() { return c.ceilDiv(frame.size(form.n), sizes.n); }
  Value termMatrices() { return c.ceilDiv(frame.size(form.k), sizes.k); }
  /// The address `elements` elements behind `region` in the kernel's own memory.
  Value own(const DimExpr &region, Type element, Value elements);
  using Place = llvm::function_ref<Value(ArrayRef<Value> batch, Value row, Value column)>;
  /// `outer` and `inner`: how many matrices there are of an operand, those along its terms being the inner ones.
  void pack(const DimExpr &region, const Cut &cut, bool termsAreColumns, Value outer, Value inner, Value height,
            Value width, Place place);
  Value loadMatrix(const Cut &cut, StringRef use, Value address, int64_t stride, bool transposed = false);
  Value asMemref(Value address, Type element);

  StageFrame &frame;
  KernelCode &c;
  MatmulForm &form;
  const Sizes sizes;
  const Places at;
  RowPlaces rows;
  MatmulEpilogue epilogue;
};
} // namespace

Value CooperativeWriter::own(const DimExpr &region, Type element, Value elements) {
  Value units = c.ceilDiv(frame.size(region), kAlignment);
  Value start = c.address(frame.buffer(form.kernel.outputs().back()), c.b.getI32Type(), c.mul(units, kAlignment / 4));
  return c.address(start, element, elements);
}

/// One task for each word, which is two elements of a row.
void CooperativeWriter::pack(const DimExpr &region, const Cut &cut, bool termsAreColumns, Value outer, Value inner,
                             Value height, Value width, Place place) {
  Type i16 = c.b.getI16Type(), i32 = c.b.getI32Type();
  c.loop(frame.begin(), frame.end(), 1, [&](Value task) {
    Value within = c.rem(task, c.constant(cut.elements() / 2)), matrix = c.div(task, cut.elements() / 2);
    Value i = c.div(within, cut.columns / 2), j = c.mul(c.rem(within, c.constant(cut.columns / 2)), 2);
    Value term = c.rem(matrix, inner), rest = c.div(matrix, inner), other = c.rem(rest, outer);
    Values batch = rows.indices(form.batch, c.div(rest, outer));
    Value row = c.add(c.mul(termsAreColumns ? other : term, cut.rows), i),
          column = c.add(c.mul(termsAreColumns ? term : other, cut.columns), j);
    auto element = [&](Value col) {
      Value isThere = arith::AndIOp::create(c.b, c.loc, c.less(row, height), c.less(col, width));
      Value bits = c.choose(
          isThere, {i16}, [&]() -> Values { return {frame.load(i16, place(batch, row, col), 2)}; },
          [&]() -> Values { return {arith::ConstantIntOp::create(c.b, c.loc, i16, 0)}; })[0];
      return arith::ExtUIOp::create(c.b, c.loc, i32, bits).getResult();
    };
    Value high =
        arith::ShLIOp::create(c.b, c.loc, element(c.add(column, 1)), arith::ConstantIntOp::create(c.b, c.loc, i32, 16));
    frame.store(arith::OrIOp::create(c.b, c.loc, element(column), high), own(region, i32, task), 4);
  });
}

void CooperativeWriter::packA() {
  Value terms = frame.size(form.a.strides[form.sizes.size()]);
  Type half = elementOf(form.a);
  pack(at.a, sizes.a(), /*termsAreColumns=*/true, rowMatrices(), termMatrices(), frame.size(form.count(form.rows)),
       frame.size(form.k), [&](ArrayRef<Value> batch, Value row, Value column) {
         Value start = c.address(rows.origin(form.a, batch), half, rows.row(form.a, row));
         return c.address(start, half, c.mul(column, terms));
       });
}

void CooperativeWriter::packW() {
  Type half = elementOf(form.w);
  pack(at.w, sizes.w(), /*termsAreColumns=*/false, columnMatrices(), termMatrices(), frame.size(form.k),
       frame.size(form.n), [&](ArrayRef<Value> batch, Value row, Value column) {
         return c.address(rows.origin(form.w, batch), half, c.add(c.mul(row, rows.step()), rows.column(column)));
       });
}

Value CooperativeWriter::asMemref(Value address, Type element) {
  auto type = MemRefType::get({ShapedType::kDynamic}, element);
  return UnrealizedConversionCastOp::create(c.b, c.loc, TypeRange(type), address).getResult(0);
}

Value CooperativeWriter::loadMatrix(const Cut &cut, StringRef use, Value address, int64_t stride, bool transposed) {
  Type half = c.b.getF16Type();
  Value zero = arith::ConstantIndexOp::create(c.b, c.loc, 0);
  return gpu::SubgroupMmaLoadMatrixOp::create(c.b, c.loc, gpu::MMAMatrixType::get({cut.rows, cut.columns}, half, use),
                                              asMemref(address, half), zero, c.b.getIndexAttr(stride),
                                              transposed ? c.b.getUnitAttr() : UnitAttr());
}

void CooperativeWriter::writeSums() {
  Type half = c.b.getF16Type(), single = c.b.getF32Type();
  Value down = rowMatrices(), across = columnMatrices(), terms = termMatrices();
  Value bands = c.ceilDiv(down, sizes.rows), strips = c.ceilDiv(across, sizes.columns);
  bool transposed = false, inPlace = isInPlace(form, sizes, transposed);
  int64_t rank = form.sizes.size();
  auto last = [&](Value count) { return c.sub(count, c.constant(1)); };
  c.loop(frame.begin(), frame.end(), 1, [&](Value task) {
    Value j0 = c.mul(c.rem(task, strips), sizes.columns), rest = c.div(task, strips);
    Value i0 = c.mul(c.rem(rest, bands), sizes.rows), batch = c.div(rest, bands);
    // Matrices behind the last ones are the last ones; their sums are not written.
    Values a, w;
    for (int64_t i = 0; i < sizes.rows; ++i) {
      Value matrix = c.add(c.mul(batch, down), c.min(c.add(i0, i), last(down)));
      a.push_back(own(at.a, half, c.mul(c.mul(matrix, terms), sizes.a().elements())));
    }
    Values batchIndices = rows.indices(form.batch, batch);
    for (int64_t j = 0; j < sizes.columns; ++j) {
      Value column = c.min(c.add(j0, j), last(across));
      if (inPlace)
        w.push_back(c.address(rows.origin(form.w, batchIndices), half, rows.column(c.mul(column, sizes.n))));
      else
        w.push_back(own(at.w, half, c.mul(c.mul(c.add(c.mul(batch, across), column), terms), sizes.w().elements())));
    }
    auto sumsType = gpu::MMAMatrixType::get({sizes.m, sizes.n}, single, "COp");
    Value zero = gpu::SubgroupMmaConstantMatrixOp::create(c.b, c.loc, sumsType, c.number(single, 0));
    Values sums(sizes.rows * sizes.columns, zero);
    sums = c.loop(c.constant(0), terms, 1, sums, [&](Value t, ValueRange state) {
      Values left, right, next;
      for (Value start : a)
        left.push_back(loadMatrix(sizes.a(), "AOp", c.address(start, half, c.mul(t, sizes.a().elements())), sizes.k));
      for (Value start : w) {
        if (!inPlace) {
          right.push_back(
              loadMatrix(sizes.w(), "BOp", c.address(start, half, c.mul(t, sizes.w().elements())), sizes.n));
          continue;
        }
        Value place = c.address(start, half, c.mul(c.mul(t, sizes.k), rows.step()));
        int64_t stride = form.panel ? form.panel : *form.w.strides[transposed ? form.column : rank].getConstant();
        right.push_back(loadMatrix(sizes.w(), "BOp", place, stride, transposed));
      }
      for (int64_t i = 0; i < sizes.rows; ++i)
        for (int64_t j = 0; j < sizes.columns; ++j)
          next.push_back(gpu::SubgroupMmaComputeOp::create(c.b, c.loc, sumsType, left[i], right[j],
                                                           state[i * sizes.columns + j], UnitAttr(), UnitAttr()));
      return next;
    });
    for (int64_t i = 0; i < sizes.rows; ++i)
      for (int64_t j = 0; j < sizes.columns; ++j) {
        Value row = c.add(i0, i), column = c.add(j0, j);
        Value isThere = arith::AndIOp::create(c.b, c.loc, c.less(row, down), c.less(column, across));
        c.when(isThere, [&] {
          Value matrix = c.add(c.mul(c.add(c.mul(batch, down), row), across), column);
          Value place = own(at.sums, single, c.mul(matrix, sizes.sums().elements()));
          gpu::SubgroupMmaStoreMatrixOp::create(c.b, c.loc, sums[i * sizes.columns + j], asMemref(place, single),
                                                ValueRange(arith::ConstantIndexOp::create(c.b, c.loc, 0)),
                                                c.b.getIndexAttr(sizes.n), UnitAttr());
        });
      }
  });
}

void CooperativeWriter::writeEpilogue() {
  Type single = c.b.getF32Type();
  Value m = frame.size(form.count(form.rows)), n = frame.size(form.n), down = rowMatrices(), across = columnMatrices();
  c.loop(frame.begin(), frame.end(), 1, [&](Value task) {
    Value column = c.rem(task, n), rest = c.div(task, n), row = c.rem(rest, m), batch = c.div(rest, m);
    Value matrix = c.add(c.mul(c.add(c.mul(batch, down), c.div(row, sizes.m)), across), c.div(column, sizes.n));
    Value within = c.add(c.mul(c.rem(row, c.constant(sizes.m)), sizes.n), c.rem(column, c.constant(sizes.n)));
    Value sum = c.load(single, own(at.sums, single, c.add(c.mul(matrix, sizes.sums().elements()), within)));
    sum = c.splat(c.vector(single, 1), sum);
    if (Value left = epilogue.finish(rows.indices(form.batch, batch), row, sum, {column, {}, 1}))
      c.store(left, own(at.norm, single, c.add(c.mul(row, n), column)));
  });
}

void CooperativeWriter::writeNorm() { normalizeRows(frame, c, form, own(at.norm, c.b.getF32Type(), c.constant(0))); }

namespace {
class MatmulCooperativeLowering : public KernelLowering {
public:
  StringRef name() const override { return "matmul-cooperative"; }
  bool isFor(const Machine &machine) const override { return machine.shaders && machine.cooperativeMatrix.m; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<MatmulForm>> form = formOf(kernel, reason);
    if (failed(form))
      return failure();
    MatmulForm &f = **form;
    f.packForShaders();
    if (needsWindows(kernel, f.layouts(), machine.bindingBytes))
      return reason = "a matrix would lie in two bindings", failure();
    double m = typicalSize(f.count(f.rows)), n = typicalSize(f.n);
    auto &matrix = machine.cooperativeMatrix;
    Sizes sizes{matrix.m, matrix.n, matrix.k, machine.subgroupSize, m > 2 * matrix.m ? 2 : 1, n > 2 * matrix.n ? 2 : 1};
    if (!takeRequested(requested, "rows", 1, 4, 1, sizes.rows, reason) ||
        !takeRequested(requested, "columns", 1, 4, 1, sizes.columns, reason))
      return failure();
    Schedule schedule = shaderSchedule(f, name(), {{"rows", sizes.rows}, {"columns", sizes.columns}});
    schedule.scratchBytes = affineOf(placesOf(f, sizes).end, kernel.op->getContext());
    // Where most of a matrix would be zeros a product of single elements takes less.
    schedule.nanoseconds = m * 2 < matrix.m || n * 2 < matrix.n ? 1 : 0;
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<MatmulForm>> form = formOf(KernelView(kernel), reason);
    auto rows = kernel.getSchedule().getAs<IntegerAttr>("rows"),
         columns = kernel.getSchedule().getAs<IntegerAttr>("columns");
    if (failed(form) || !rows || !columns || !isFor(machine))
      return kernel.emitError("not a matrix product of f16 with rows and columns of matrices: ") << reason, failure();
    MatmulForm &f = **form;
    auto &matrix = machine.cooperativeMatrix;
    Sizes sizes{matrix.m, matrix.n, matrix.k, machine.subgroupSize, rows.getInt(), columns.getInt()};
    MLIRContext *context = kernel.getContext();
    Counts counts = countsOf(f, sizes, context);
    SmallVector<Stage> stages;
    auto add = [&](StringRef suffix, AffineExpr tasks, void (CooperativeWriter::*write)()) {
      stages.push_back(shaderStage(kernel, suffix, tasks, machine, code, [&](StageFrame &frame, KernelCode &c) {
        CooperativeWriter writer(frame, c, f, sizes);
        (writer.*write)();
      }));
    };
    bool transposed;
    AffineExpr elements = affineOf(f.count(f.rows) * f.n, context);
    add("_a", counts.batch * counts.rows * counts.terms * (sizes.a().elements() / 2), &CooperativeWriter::packA);
    if (!isInPlace(f, sizes, transposed))
      add("_w", counts.batch * counts.columns * counts.terms * (sizes.w().elements() / 2), &CooperativeWriter::packW);
    add("_sums", counts.batch * counts.rows.ceilDiv(sizes.rows) * counts.columns.ceilDiv(sizes.columns),
        &CooperativeWriter::writeSums);
    auto sums = code.lookupSymbol(stages.back().function);
    for (StringRef name : {StringRef(kGroupSizeAttr), StringRef(kSubgroupSizeAttr)})
      sums->setAttr(name, Builder(context).getI64IntegerAttr(sizes.subgroup));
    add("_epilogue", counts.batch * elements, &CooperativeWriter::writeEpilogue);
    if (f.norm)
      add("_norm", affineOf(f.count(f.rows), context), &CooperativeWriter::writeNorm);
    return stages;
  }

private:
  static FailureOr<std::unique_ptr<MatmulForm>> formOf(const KernelView &kernel, std::string &reason) {
    FailureOr<std::unique_ptr<MatmulForm>> form = MatmulForm::of(kernel, reason);
    if (failed(form))
      return failure();
    if (!elementOf((*form)->a).isF16() || !elementOf((*form)->w).isF16())
      return reason = "the operands are not f16", failure();
    if ((*form)->column < 0)
      return reason = "there is one column", failure();
    return form;
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createMatmulCooperativeLowering() {
  return std::make_unique<MatmulCooperativeLowering>();
}
