// The matmul lowering: which kernels it takes, and with which panels and blocks.
#include "compiler/lowering/Matmul.h"
#include "compiler/lowering/InPlace.h"
#include "compiler/lowering/MicroKernel.h"
#include "compiler/lowering/Traffic.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/View.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

// What a symbolic dim is taken to be where a number is needed.
static constexpr double kTypicalDim = 128;

static double typical(const DimExpr &expr) {
  double sum = 0;
  for (auto &[monomial, coefficient] : expr.getTerms()) {
    double product = coefficient;
    for (size_t i = 0; i < monomial.size(); ++i)
      product *= kTypicalDim;
    sum += product;
  }
  return sum;
}

DictionaryAttr MatmulSchedule::attributes(MLIRContext *context) const {
  Builder b(context);
  return b.getDictionaryAttr(
      {b.getNamedAttr("panel", b.getI64IntegerAttr(panel)), b.getNamedAttr("kc", b.getI64IntegerAttr(kc)),
       b.getNamedAttr("mc", b.getI64IntegerAttr(mc)), b.getNamedAttr("block", b.getI64IntegerAttr(block)),
       b.getNamedAttr("packed", b.getBoolAttr(packed))});
}

FailureOr<MatmulSchedule> MatmulSchedule::of(DictionaryAttr attributes) {
  MatmulSchedule s;
  for (auto [name, value] :
       {std::pair<StringRef, int64_t &>("panel", s.panel), {"kc", s.kc}, {"mc", s.mc}, {"block", s.block}}) {
    auto attr = attributes.getAs<IntegerAttr>(name);
    if (!attr)
      return failure();
    value = attr.getInt();
  }
  if (auto attr = attributes.getAs<BoolAttr>("packed"))
    s.packed = attr.getValue();
  return s;
}

bool MatmulForm::mayPack() const {
  if (!weight || !weight.hasOneUse())
    return false;
  unsigned place = weight.getArgNumber() - kernel.symbols;
  if (kernel.layouts)
    return isa<exec::PanelsAttr>(kernel.layouts[place]);
  auto op = dyn_cast<exec::KernelOp>(kernel.op);
  return op && (isConstantTensor(op.getInputs()[place]) || op.getInputs()[place].getDefiningOp<exec::WeightOp>());
}

int64_t MatmulForm::panelWidth() const {
  std::optional<int64_t> columns = n.getConstant();
  if (!columns)
    return 64;
  if (*columns % 48 == 0)
    return 48;
  return *columns <= 16 ? 16 : *columns <= 32 ? 32 : 64;
}

SmallVector<Attribute> MatmulForm::layouts() const {
  MLIRContext *context = kernel.op->getContext();
  SmallVector<Attribute> layouts(kernel.tensors().size(), exec::RowMajorAttr::get(context));
  if (panel)
    layouts[weight.getArgNumber() - kernel.symbols] = exec::PanelsAttr::get(context, panel);
  return layouts;
}

static FailureOr<MatmulSchedule> chooseBlocks(const MatmulForm &form, const Machine &machine, DictionaryAttr requested,
                                              std::string &reason) {
  MatmulSchedule s;
  const bool mayPack = s.packed = form.mayPack();
  if (auto packed = requested ? requested.getAs<BoolAttr>("packed") : BoolAttr())
    s.packed = packed.getValue();
  if (s.packed && !mayPack)
    return reason = "expected packed=false: the right-hand side is not a constant that this kernel alone reads",
           failure();
  s.panel = form.panelWidth();
  // Whole vectors on every machine.
  if (!takeRequested(requested, "panel", 16, 256, 16, s.panel, reason))
    return failure();
  int64_t element = form.element.getIntOrFloatBitWidth() / 8;
  // A panel takes a quarter of the second-level cache, so that the next one fits too; fewer than 256 steps would not
  // pay for their sums.
  s.kc = std::clamp<int64_t>(machine.l2Bytes / 4 / (s.panel * element) / 64 * 64, 256, 1024);
  if (!takeRequested(requested, "kc", 4, 1 << 14, 4, s.kc, reason))
    return failure();
  int64_t depth = std::min(s.kc, form.k.getConstant().value_or(s.kc));
  s.mc = std::clamp<int64_t>(machine.l2Bytes * 3 / 4 / (std::max<int64_t>(depth, 64) * element) / 16 * 16, 64, 256);
  if (form.norm) {
    // Values to be normalised stay in the cache too; small tasks, because a call takes as many of them at once as it is
    // given.
    int64_t columns = form.n.getConstant().value_or(1024);
    s.mc = std::clamp<int64_t>(machine.l2Bytes / 2 / (columns * element) / 16 * 16, 16, s.mc);
    s.block = 16;
  }
  // Without a normalisation tasks are panels of columns; with one they are whole rows.
  if (!takeRequested(requested, "mc", 1, 4096, 1, s.mc, reason) ||
      !takeRequested(requested, "block", form.norm ? 1 : 0, form.norm ? 4096 : 0, 1, s.block, reason))
    return failure();
  return s;
}

/// Nanoseconds of one thread: the products at the usual 90 % of two multiply-adds a cycle, or the weights from memory.
static double predict(const MatmulForm &form, const MatmulSchedule &s, const Machine &machine) {
  int64_t element = form.element.getIntOrFloatBitWidth();
  double clock = 2.5, perCycle = 4.0 * machine.lanes(element) * 0.9, bandwidth = 12;
  double n = typical(form.n), k = typical(form.k), m = typical(form.count(form.rows)),
         batch = typical(form.count(form.batch));
  double padded = std::ceil(n / s.panel) * s.panel;
  double compute = 2 * batch * std::max(m, 3.0) * padded * k / (perCycle * clock);
  double bytes = element / 8.0;
  double memory = batch * k * padded * bytes / bandwidth;
  double epilogue = batch * m * n * (0.1 + 0.3 * form.epilogue.size() + (form.norm ? 0.3 : 0)) * 16 /
                    machine.lanes(element) / clock / 4;
  double packing = s.packed ? 0 : batch * k * padded * bytes / 8;
  return std::max(compute, memory) + epilogue + packing + 200;
}

namespace {
class MatmulLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "matmul"; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<MatmulForm>> form = MatmulForm::of(kernel, reason);
    if (failed(form))
      return failure();
    MatmulForm &f = **form;
    if (f.norm && !f.n.getConstant())
      return reason = "rows of a size that is not known before run time are to be normalised", failure();
    FailureOr<MatmulSchedule> chosen = chooseBlocks(f, machine, requested, reason);
    if (failed(chosen))
      return failure();
    const MatmulSchedule &s = *chosen;
    Schedule schedule;
    schedule.attributes = s.attributes(kernel.op->getContext());
    f.panel = s.packed ? s.panel : 0;
    schedule.layouts = f.layouts();
    schedule.aliases =
        aliasesOf(kernel, [&](BlockArgument init, BlockArgument input) { return f.mayWriteOver(init, input); });
    schedule.nanoseconds = predict(f, s, machine);
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<MatmulForm>> form = MatmulForm::of(KernelView(kernel), reason);
    if (failed(form))
      return kernel.emitError("not a matrix product: ") << reason, failure();
    FailureOr<MatmulSchedule> schedule = MatmulSchedule::of(kernel.getSchedule());
    if (failed(schedule))
      return kernel.emitError("expected a schedule with panel, kc, mc and block, got ") << kernel.getSchedule(),
             failure();
    // The layout decides, and with it the panel's width.
    schedule->packed = (*form)->panel;
    if (schedule->packed)
      schedule->panel = (*form)->panel;
    return emitMatmul(kernel, **form, *schedule, machine, code);
  }

  SmallVector<Traffic> traffic(const KernelView &kernel) const override {
    std::string reason;
    FailureOr<std::unique_ptr<MatmulForm>> found = MatmulForm::of(kernel, reason);
    if (failed(found))
      return KernelLowering::traffic(kernel);
    MatmulForm &form = **found;
    TrafficCounter counter(form.dims);
    SmallVector<DimExpr> sizes = form.sizes;
    sizes.push_back(form.k); // which only the operands of the product are indexed by
    auto add = [&](const Access &access) {
      SmallVector<TrafficCounter::Extent> extents;
      for (auto [stride, size] : llvm::zip(access.strides, sizes))
        extents.emplace_back(stride, size);
      counter.add(access.base, access.offset, extents);
    };
    DenseSet<Value> tables = lookedUpInputs(kernel, form.dims);
    for (BlockArgument input : kernel.inputs())
      if (tables.contains(input))
        counter.addWhole(input);
    add(form.a), add(form.w);
    for (ArrayRef<Access> accesses : form.operands)
      for (const Access &access : accesses)
        if (access.base)
          add(access);
    if (form.norm)
      for (Value parameter : form.norm->getOperands().drop_front().drop_back())
        if (auto view = viewOfSource(parameter, form.dims); succeeded(view) && isa<BlockArgument>(view->base))
          counter.addWhole(cast<BlockArgument>(view->base));
    for (const MatmulOutput &output : form.outputs)
      add(output.access);
    return counter.take();
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createMatmulLowering() { return std::make_unique<MatmulLowering>(); }
