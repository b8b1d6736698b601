// Attention of any form: combine and weight regions, every normaliser, f64 and narrow floats, any strides, blocks of
// keys with a running state. One query row at a time.
//
// Few queries and many keys (decoding with a cache) leave threads without work if a task is a row. Then the keys of a
// row are split, see KeyParts.h.
#include "compiler/lowering/AttentionRow.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

/// A size at compile time; a symbolic dim is taken for a typical one.
static double typical(const DimExpr &e) { return e.getConstant().value_or(128); }

/// Whether the keys of a row can be split. With a number of queries that is not known they are not: the parts' results
/// take memory for each query.
static bool maySplit(AttentionForm &form) {
  auto op = dyn_cast<attn::AttentionOp>(form.op.getOperation());
  return op && op.getNormalizer() == attn::Normalizer::softmax && !form.needsWeights() && form.m.getConstant() &&
         !op.hasExtra(attn::Extra::scores) && !op.hasExtra(attn::Extra::tap);
}

static int64_t partsFor(AttentionForm &form) {
  if (!maySplit(form))
    return 1;
  return KeyParts::suitable(form.batch.getConstant().value_or(1) * form.heads * *form.m.getConstant(),
                            form.n.getConstant());
}

namespace {
class AttentionGeneralLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "attention-general"; }
  bool isFor(const Machine &) const override { return true; }
  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override;
  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override;
  SmallVector<Traffic> traffic(const KernelView &kernel) const override;

private:
  using Body = llvm::function_ref<void(StageFrame &, KernelCode &, RowWriter &, Value task)>;
  static Stage emitStage(exec::KernelDefOp kernel, AttentionForm &form, const Machine &machine, ModuleOp code,
                         StringRef suffix, Body body);
  static Stage emitParts(exec::KernelDefOp kernel, AttentionForm &form, const KeyParts &parts, const Machine &machine,
                         ModuleOp code);
  static Stage emitMerge(exec::KernelDefOp kernel, AttentionForm &form, const KeyParts &parts, const Machine &machine,
                         ModuleOp code);
};
} // namespace

FailureOr<Schedule> AttentionGeneralLowering::plan(const KernelView &kernel, const Machine &, DictionaryAttr requested,
                                                   std::string &reason) const {
  FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
  if (failed(form))
    return failure();
  AttentionForm &f = **form;
  MLIRContext *context = kernel.op->getContext();
  Builder b(context);
  Schedule schedule;
  int64_t parts = partsFor(f);
  if (!takeRequested(requested, "parts", 1, maySplit(f) ? KeyParts::kMost : 1, 1, parts, reason))
    return failure();
  schedule.attributes = b.getDictionaryAttr(b.getNamedAttr("parts", b.getI64IntegerAttr(parts)));
  schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(context));
  if (parts > 1)
    schedule.scratchBytes = affineOf(f.parts(parts).bytes, context);
  double keys = typicalKeys(f, typical(f.m), typical(f.n), 1);
  schedule.nanoseconds =
      typical(f.batch) * f.heads * typical(f.m) * keys * (4 + 0.06 * (typical(f.keySize) + typical(f.valueSize))) + 200;
  return schedule;
}

SmallVector<Traffic> AttentionGeneralLowering::traffic(const KernelView &kernel) const {
  std::string reason;
  FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
  return failed(form) ? KernelLowering::traffic(kernel) : (*form)->traffic();
}

Stage AttentionGeneralLowering::emitStage(exec::KernelDefOp kernel, AttentionForm &form, const Machine &machine,
                                          ModuleOp code, StringRef suffix, Body body) {
  Stage stage;
  stage.function = kernel.getSymName().str() + suffix.str();
  StageFrame frame(KernelView(kernel), code, stage.function);
  KernelCode c(frame.builder(), frame.loc(), machine);
  c.loop(frame.begin(), frame.end(), 1, [&](Value task) {
    RowWriter writer(frame, c, form);
    body(frame, c, writer, task);
  });
  frame.finish();
  MLIRContext *context = kernel.getContext();
  stage.tasks = affineOf(form.batch, context) * form.heads * affineOf(form.m, context);
  stage.workspaceBytes = affineOf(form.n, context) * bytesOf(form.op.getScoreType()) + 64;
  return stage;
}

Stage AttentionGeneralLowering::emitParts(exec::KernelDefOp kernel, AttentionForm &form, const KeyParts &parts,
                                          const Machine &machine, ModuleOp code) {
  BlockArgument scratch = kernel.getInitArgs().back();
  Type type = form.op.getScoreType();
  Stage stage = emitStage(
      kernel, form, machine, code, "_parts", [&](StageFrame &frame, KernelCode &c, RowWriter &writer, Value task) {
        // The rows that share a part of the keys follow each other.
        auto next = [&](Value size) {
          Value index = c.rem(task, size);
          task = c.div(task, size);
          return index;
        };
        Value m = frame.size(form.m), i = next(m), inGroup = next(c.constant(form.group)),
              part = next(c.constant(parts.count)), g = next(c.constant(form.heads / form.group)), b = task;
        Value h = c.add(c.mul(g, form.group), inGroup);
        Value number = c.add(c.mul(c.add(c.mul(b, form.heads), h), m), i);
        KeyParts::Places places = parts.places(frame, c, scratch, number, part);
        RowWriter::Partial partial = writer.partialRow(b, h, i, part, parts.count, places.result);
        c.store(partial.max, places.maximum);
        c.store(partial.sum, places.sum);
      });
  stage.tasks = stage.tasks * parts.count;
  // A part of the keys and what it is rounded up by.
  stage.workspaceBytes = (affineOf(form.n, kernel.getContext()).ceilDiv(parts.count) + 128) * bytesOf(type);
  return stage;
}

Stage AttentionGeneralLowering::emitMerge(exec::KernelDefOp kernel, AttentionForm &form, const KeyParts &parts,
                                          const Machine &machine, ModuleOp code) {
  BlockArgument scratch = kernel.getInitArgs().back();
  Type type = form.op.getScoreType();
  Stage stage = emitStage(kernel, form, machine, code, "_merge",
                          [&](StageFrame &frame, KernelCode &c, RowWriter &writer, Value task) {
                            Value m = frame.size(form.m), heads = c.constant(form.heads), head = c.div(task, m);
                            KeyParts::Places places = parts.places(frame, c, scratch, task, c.constant(0));
                            writer.mergeRow(c.div(head, heads), c.rem(head, heads), c.rem(task, m), parts.count,
                                            places.maximum, places.sum, places.result);
                          });
  stage.workspaceBytes = getAffineConstantExpr(parts.count * bytesOf(type) + 64, kernel.getContext());
  return stage;
}

FailureOr<SmallVector<Stage>> AttentionGeneralLowering::emit(exec::KernelDefOp kernel, const Machine &machine,
                                                             ModuleOp code) const {
  std::string reason;
  FailureOr<std::unique_ptr<AttentionForm>> found = AttentionForm::of(KernelView(kernel), reason);
  if (failed(found))
    return kernel.emitError("not an attention: ") << reason, failure();
  AttentionForm &form = **found;
  auto attribute = kernel.getSchedule().getAs<IntegerAttr>("parts");
  int64_t count = attribute ? attribute.getInt() : 1;
  if (count > 1) {
    KeyParts parts = form.parts(count);
    if (failed(parts.verify(kernel, kernel.getInitArgs().back(), form.dims)))
      return failure();
    return SmallVector<Stage>{emitParts(kernel, form, parts, machine, code),
                              emitMerge(kernel, form, parts, machine, code)};
  }
  bool online = form.online() != nullptr;
  return SmallVector<Stage>{
      emitStage(kernel, form, machine, code, "", [&](StageFrame &frame, KernelCode &c, RowWriter &writer, Value task) {
        Value m = frame.size(form.m), heads = c.constant(form.heads), head = c.div(task, m), b = c.div(head, heads),
              h = c.rem(head, heads), i = c.rem(task, m);
        online ? writer.onlineRow(b, h, i) : writer.row(b, h, i);
      })};
}

std::unique_ptr<KernelLowering> fovea::lowering::createAttentionGeneralLowering() {
  return std::make_unique<AttentionGeneralLowering>();
}
