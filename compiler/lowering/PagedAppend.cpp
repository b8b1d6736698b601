// Appending to pages, in two stages: what the pages hold is copied, unless the result is their memory; then the new
// entries are written. Rows of the batch that share a page write it one after the other: a task is a head.
#include "compiler/lowering/InPlace.h"
#include "compiler/lowering/SingleOp.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;

namespace {
struct PagedAppendForm {
  SingleOp single;
  attn::PagedAppendOp op;
  SmallVector<DimExpr> shape;   ///< of the pages: page, head, slot, column
  DimExpr batch, added, blocks; ///< added: entries of the update
  Access pages, update, result; ///< update in (b, head, entry, column)
  Access table, positions;      ///< in (b, block), in (b)
  PagedAppendForm(const KernelView &kernel, std::string &reason)
      : single(kernel, attn::PagedAppendOp::getOperationName(), reason) {}
  static FailureOr<std::unique_ptr<PagedAppendForm>> of(const KernelView &kernel, std::string &reason);

  /// The result may be the pages' memory.
  bool inPlace() { return SingleOp::coincide(result, pages, op.getPages(), op); }
  ArrayRef<DimExpr> rows() const { return ArrayRef(shape).take_front(2); }
};
} // namespace

FailureOr<std::unique_ptr<PagedAppendForm>> PagedAppendForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<PagedAppendForm>(kernel, reason);
  PagedAppendForm &f = *form;
  if (!f.single)
    return failure();
  attn::PagedAppendOp op = f.op = cast<attn::PagedAppendOp>(f.single.op);
  SmallVector<DimExpr> update = f.single.dims.shape(op.getUpdate());
  f.shape = f.single.dims.shape(op.getPages());
  f.batch = update[0], f.added = update[2], f.blocks = f.single.dims.shape(op.getTable())[1];
  update[1] = f.shape[1], update[3] = f.shape[3];
  if (failed(f.single.operand(op.getPages(), f.shape, f.pages, reason)) ||
      failed(f.single.operand(op.getUpdate(), update, f.update, reason)) ||
      failed(f.single.operand(op.getTable(), {f.batch, f.blocks}, f.table, reason)) ||
      failed(f.single.operand(op.getPositions(), f.batch, f.positions, reason)) ||
      failed(f.single.result(op.getResult(), op.getInit(), f.shape, f.result, reason)))
    return failure();
  return form;
}

/// One row of slots of one page.
static void emitCopy(StageFrame &frame, KernelCode &c, PagedAppendForm &form, Value task) {
  Values row = indexOfTask(frame, c, task, form.rows());
  copyElements(frame, c, form.pages, placeOf(frame, c, form.pages, row), form.result,
               placeOf(frame, c, form.result, row), form.shape, 2);
}

/// The new entries of one head.
static void emitAppend(StageFrame &frame, KernelCode &c, PagedAppendForm &form, Value g) {
  Value zero = c.constant(0), slots = frame.size(form.shape[2]), count = frame.size(form.added);
  Value room = c.sub(c.mul(frame.size(form.blocks), slots), count);
  auto fault = [&] { frame.store(c.constant(frame.faultNumber()), frame.fault()); };
  c.loop(zero, frame.size(form.batch), 1, [&](Value b) {
    Value start = c.load(c.b.getI64Type(), placeOf(frame, c, form.positions, {b}));
    // Also where there is less room than entries.
    Value outside = c.b.createOrFold<arith::OrIOp>(c.loc, c.less(start, zero), c.less(room, start));
    c.when(outside, fault);
    c.loop(zero, c.select(outside, zero, count), 1, [&](Value t) {
      Value entry = c.add(start, t), page = loadIndex(frame, c, form.table, {b, c.div(entry, slots)});
      Value there = c.compare(arith::CmpIPredicate::ult, page, frame.size(form.shape[0]));
      c.when(
          there,
          [&] {
            copyElements(frame, c, form.update, placeOf(frame, c, form.update, {b, g, t}), form.result,
                         placeOf(frame, c, form.result, {page, g, c.rem(entry, slots)}), form.shape, 3);
          },
          fault);
    });
  });
}

namespace {
class PagedAppendLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "paged-append"; }
  bool isFor(const Machine &) const override { return true; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<PagedAppendForm>> form = PagedAppendForm::of(kernel, reason);
    if (failed(form))
      return failure();
    PagedAppendForm &f = **form;
    Schedule schedule = f.single.schedule(bytesOf(elementOf(f.pages)) * typicalSize(f.shape) / 16 + 400);
    schedule.aliases =
        aliasesOf(kernel, [&](BlockArgument, BlockArgument input) { return input == f.pages.base && f.inPlace(); });
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<PagedAppendForm>> found = PagedAppendForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("no pages to append to: ") << reason, failure();
    PagedAppendForm &form = **found;
    SmallVector<Stage> stages;
    auto add = [&](StringRef suffix, ArrayRef<DimExpr> tasks, bool copies, auto write) {
      Stage stage;
      stage.function = (kernel.getSymName() + suffix).str();
      StageFrame frame(KernelView(kernel), code, stage.function);
      KernelCode c(frame.builder(), frame.loc(), machine);
      Value end = form.single.checkedEnd(frame, c);
      if (copies && form.inPlace())
        end = c.select(sameMemory(frame, c, form.pages, form.result), frame.begin(), end);
      c.loop(frame.begin(), end, 1, [&](Value task) { write(frame, c, form, task); });
      frame.finish();
      constexpr int64_t kGrain = 8; // a page of a head is a few kilobytes
      stage.grain = copies ? kGrain : 1;
      stage.tasks = form.single.inSymbols(productOf(tasks));
      stage.workspaceBytes = getAffineConstantExpr(0, kernel.getContext());
      stages.push_back(stage);
    };
    add("_copy", form.rows(), /*copies=*/true, emitCopy);
    add("_append", form.shape[1], /*copies=*/false, emitAppend);
    return stages;
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createPagedAppendLowering() {
  return std::make_unique<PagedAppendLowering>();
}
