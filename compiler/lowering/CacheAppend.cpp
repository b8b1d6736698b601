// Appending to a cache: a task is one row of the dims in front of the positions. Where the result is the cache's memory
// only the new entries are written; otherwise the cache is copied first. Elements are moved as they are, whatever their
// type.
#include "compiler/lowering/InPlace.h"
#include "compiler/lowering/SingleOp.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;

namespace {
struct CacheAppendForm {
  SingleOp single;
  attn::CacheAppendOp op;
  unsigned axis = 0;
  SmallVector<DimExpr> shape; ///< of the cache
  DimExpr added;              ///< entries of the update
  Access cache, update, result;
  std::optional<Access> positions;
  CacheAppendForm(const KernelView &kernel, std::string &reason)
      : single(kernel, attn::CacheAppendOp::getOperationName(), reason) {}
  static FailureOr<std::unique_ptr<CacheAppendForm>> of(const KernelView &kernel, std::string &reason);

  /// The result may be the cache's memory.
  bool inPlace() { return SingleOp::coincide(result, cache, op.getCache(), op); }
  ArrayRef<DimExpr> rows() const { return ArrayRef(shape).take_front(axis); }
};

/// Writes the code for one row.
class CacheAppendWriter {
public:
  CacheAppendWriter(StageFrame &frame, KernelCode &c, CacheAppendForm &form) : frame(frame), c(c), form(form) {}
  void row(Value task);

private:
  Value place(const Access &access, ArrayRef<Value> row, Value entry) {
    SmallVector<Value> indices(row);
    indices.push_back(entry);
    return placeOf(frame, c, access, indices);
  }
  void copy(const Access &from, Value source, Value target, unsigned dim) {
    copyElements(frame, c, from, source, form.result, target, form.shape, dim);
  }
  Value startOf(Value b, Value &count);

  StageFrame &frame;
  KernelCode &c;
  CacheAppendForm &form;
};
} // namespace

FailureOr<std::unique_ptr<CacheAppendForm>> CacheAppendForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<CacheAppendForm>(kernel, reason);
  CacheAppendForm &f = *form;
  if (!f.single)
    return failure();
  attn::CacheAppendOp op = f.op = cast<attn::CacheAppendOp>(f.single.op);
  f.axis = op.getAxis();
  f.shape = f.single.dims.shape(op.getCache());
  SmallVector<DimExpr> update = f.shape;
  update[f.axis] = f.added = f.single.dims.shape(op.getUpdate())[f.axis];
  if (failed(f.single.operand(op.getCache(), f.shape, f.cache, reason)) ||
      failed(f.single.operand(op.getUpdate(), update, f.update, reason)) ||
      failed(f.single.operand(op.getPositions(), f.shape[0], f.positions, reason)) ||
      failed(f.single.result(op.getResult(), op.getInit(), f.shape, f.result, reason)))
    return failure();
  return form;
}

/// The place of the first new entry; `count` becomes 0, with a fault, where they do not fit.
Value CacheAppendWriter::startOf(Value b, Value &count) {
  Value length = frame.size(form.shape[form.axis]), zero = c.constant(0);
  Value start = form.positions ? c.load(c.b.getI64Type(), placeOf(frame, c, *form.positions, {b})) : zero;
  Value room = c.sub(length, count), outside = c.less(room, zero);
  if (form.op.getRing()) {
    start = c.rem(start, c.max(length, c.constant(1)));
    start = c.select(c.less(start, zero), c.add(start, length), start);
  } else {
    Value misplaced = c.b.createOrFold<arith::OrIOp>(c.loc, c.less(start, zero), c.less(room, start));
    outside = c.b.createOrFold<arith::OrIOp>(c.loc, outside, misplaced);
  }
  c.when(outside, [&] { frame.store(c.constant(frame.faultNumber()), frame.fault()); });
  count = c.select(outside, zero, count);
  return start;
}

void CacheAppendWriter::row(Value task) {
  Values row = indexOfTask(frame, c, task, form.rows());
  Value zero = c.constant(0), length = frame.size(form.shape[form.axis]), count = frame.size(form.added);
  auto copyAll = [&] { copy(form.cache, place(form.cache, row, zero), place(form.result, row, zero), form.axis); };
  if (form.inPlace()) {
    c.when(sameMemory(frame, c, form.cache, form.result), [] {}, copyAll);
  } else {
    copyAll();
  }
  Value start = startOf(row[0], count);
  c.loop(zero, count, 1, [&](Value s) {
    Value entry = c.add(start, s);
    if (form.op.getRing())
      entry = c.select(c.less(entry, length), entry, c.sub(entry, length));
    copy(form.update, place(form.update, row, s), place(form.result, row, entry), form.axis + 1);
  });
}

namespace {
class CacheAppendLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "cache-append"; }
  bool isFor(const Machine &) const override { return true; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<CacheAppendForm>> form = CacheAppendForm::of(kernel, reason);
    if (failed(form))
      return failure();
    CacheAppendForm &f = **form;
    double bytes = bytesOf(elementOf(f.cache)) * typicalSize(f.shape);
    Schedule schedule = f.single.schedule(bytes / 16 + 200);
    schedule.aliases =
        aliasesOf(kernel, [&](BlockArgument, BlockArgument input) { return input == f.cache.base && f.inPlace(); });
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<CacheAppendForm>> found = CacheAppendForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("no cache to append to: ") << reason, failure();
    CacheAppendForm &form = **found;
    return SmallVector<Stage>{form.single.stage(
        kernel, machine, code, productOf(form.rows()),
        [&](StageFrame &frame, KernelCode &c, Value task) { CacheAppendWriter(frame, c, form).row(task); })};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createCacheAppendLowering() {
  return std::make_unique<CacheAppendLowering>();
}
