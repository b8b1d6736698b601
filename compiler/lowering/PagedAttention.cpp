// Attention to keys and values in pages: a task is one query of one head, or a part of its keys (KeyParts.h).
#include "compiler/lowering/PagedAttention.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;

FailureOr<std::unique_ptr<PagedAttentionForm>> PagedAttentionForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<PagedAttentionForm>(kernel, reason);
  PagedAttentionForm &f = *form;
  if (!f.single)
    return failure();
  attn::PagedAttentionOp op = f.op = cast<attn::PagedAttentionOp>(f.single.op);
  data::DimAnalysis &dims = f.single.dims;
  SmallVector<DimExpr> q = dims.shape(op.getQuery()), v = dims.shape(op.getValue());
  f.batch = q[0], f.queries = q[2], f.d = q[3], f.pages = v[0], f.slots = v[2], f.e = v[3];
  f.blocks = dims.shape(op.getTable())[1];
  f.heads = attn::detail::typeOf(op.getQuery()).getDimSize(1);
  int64_t keyHeads = attn::detail::typeOf(op.getKey()).getDimSize(1);
  f.group = f.heads / keyHeads;
  DimExpr heads(f.heads), g(keyHeads);
  if (failed(f.single.operand(op.getQuery(), q, f.query, reason)) ||
      failed(f.single.operand(op.getKey(), {f.pages, g, f.slots, f.d}, f.key, reason)) ||
      failed(f.single.operand(op.getValue(), {f.pages, g, f.slots, f.e}, f.value, reason)) ||
      failed(f.single.operand(op.getTable(), {f.batch, f.blocks}, f.table, reason)) ||
      failed(f.single.operand(op.getLengths(), f.batch, f.lengths, reason)) ||
      failed(
          f.single.contiguousResult(op.getResult(), op.getInit(), {f.batch, heads, f.queries, f.e}, f.result, reason)))
    return failure();
  return form;
}

namespace {
class PagedAttentionLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "paged-attention"; }
  bool isFor(const Machine &) const override { return true; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<PagedAttentionForm>> form = PagedAttentionForm::of(kernel, reason);
    if (failed(form))
      return failure();
    PagedAttentionForm &f = **form;
    double rows = typicalSize(f.batch) * f.heads * typicalSize(f.queries), keys = typicalSize({f.blocks, f.slots});
    int64_t lanes = machine.lanes(f.computed().getIntOrFloatBitWidth());
    double vectors = std::ceil(typicalSize(f.d) / lanes) + std::ceil(typicalSize(f.e) / lanes);
    Schedule schedule = f.single.schedule(rows * keys * (vectors + 6) / 2.5 + 200);
    int64_t parts = f.suitableParts();
    if (!takeRequested(requested, "parts", 1, f.maySplit() ? KeyParts::kMost : 1, 1, parts, reason))
      return failure();
    Builder b(kernel.op->getContext());
    schedule.attributes = b.getDictionaryAttr(b.getNamedAttr("parts", b.getI64IntegerAttr(parts)));
    if (parts > 1)
      schedule.scratchBytes = affineOf(f.parts(parts).bytes, b.getContext());
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<PagedAttentionForm>> found = PagedAttentionForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("no attention to pages: ") << reason, failure();
    PagedAttentionForm &form = **found;
    auto attribute = kernel.getSchedule().getAs<IntegerAttr>("parts");
    KeyParts parts = form.parts(attribute ? attribute.getInt() : 1);
    BlockArgument memory = kernel.getInitArgs().back();
    SmallVector<DimExpr> space{form.batch, DimExpr(form.heads), form.queries}, partSpace = space;
    partSpace.push_back(DimExpr(parts.count));
    SmallVector<Stage> stages;
    auto add =
        [&](StringRef suffix, ArrayRef<DimExpr> space,
            llvm::function_ref<void(StageFrame &, KernelCode &, Value task, PagedAttentionWriter &, Values at)> write) {
          stages.push_back(form.single.stage(
              kernel, machine, code, productOf(space),
              [&](StageFrame &frame, KernelCode &c, Value task) {
                PagedAttentionWriter writer(frame, c, form);
                write(frame, c, task, writer, indexOfTask(frame, c, task, space));
              },
              suffix));
          int64_t lanes = machine.lanes(form.computed().getIntOrFloatBitWidth());
          stages.back().workspaceBytes = form.workspaceElements(lanes, parts.count) * bytesOf(form.computed());
        };
    if (parts.count == 1) {
      add("", space, [&](StageFrame &, KernelCode &, Value, PagedAttentionWriter &writer, Values at) {
        writer.row(at[0], at[1], at[2]);
      });
      return stages;
    }
    if (failed(parts.verify(kernel, memory, form.single.dims)))
      return failure();
    add("_parts", partSpace,
        [&](StageFrame &frame, KernelCode &c, Value task, PagedAttentionWriter &writer, Values at) {
          writer.part(at[0], at[1], at[2], at[3], parts.count,
                      parts.places(frame, c, memory, c.div(task, parts.count), at[3]));
        });
    add("_merge", space, [&](StageFrame &frame, KernelCode &c, Value task, PagedAttentionWriter &writer, Values at) {
      writer.merge(at[0], at[1], at[2], parts.count, parts.places(frame, c, memory, task, c.constant(0)));
    });
    return stages;
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createPagedAttentionLowering() {
  return std::make_unique<PagedAttentionLowering>();
}
