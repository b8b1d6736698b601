// Plans attention for machines that run shaders; AttentionThreadsCode.cpp writes it.
//
// On devices that are CPUs workgroups are small and their rows are in arrays, since loops that carry hundreds of values
// take such drivers seconds to compile; and loads are said to be uniform, which a GPU finds out by itself.
#include "compiler/lowering/AttentionThreads.h"
#include "compiler/lowering/SingleOp.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// More columns than that do not stay in registers.
static constexpr int64_t kMostColumns = 128, kFewestQueries = 16;

namespace {
class AttentionThreadsLowering : public KernelLowering {
public:
  StringRef name() const override { return "attention-threads"; }
  bool isFor(const Machine &machine) const override { return machine.shaders; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
    if (failed(form))
      return failure();
    AttentionForm &f = **form;
    auto refuse = [&](const Twine &why) { return reason = why.str(), failure(); };
    if (f.online() || f.normalizer() != attn::Normalizer::softmax)
      return refuse("it is no softmax over all keys");
    if (f.needsWeights() || f.hasExtra(attn::Extra::scores) || f.hasExtra(attn::Extra::tap))
      return refuse("weights or scores are wanted");
    if (!f.op.getCombine().empty() || f.blockMask)
      return refuse("it has a combine region or a mask of blocks");
    if (f.d > kMostColumns || f.e > kMostColumns)
      return refuse("heads of more than " + Twine(kMostColumns) + " columns do not stay in registers");
    // Enough workgroups before large ones.
    double queries = typicalSize(f.m);
    if (queries < kFewestQueries)
      return refuse("there are too few queries for a workgroup");
    bool small = std::max(f.d, f.e) <= 64;
    ThreadTile tile = machine.deviceIsCpu ? ThreadTile{16, queries >= 64 && small ? 4 : 2, 2, true, true}
                                          : ThreadTile{64, 1, small ? 2 : 1, false, false};
    int64_t arrays = tile.arrays, uniform = tile.uniform;
    if (!takeRequested(requested, "group", 1, 128, 1, tile.group, reason) ||
        !takeRequested(requested, "rows", 1, 8, 1, tile.rows, reason) ||
        !takeRequested(requested, "keys", 1, 16, 1, tile.keys, reason) ||
        !takeRequested(requested, "arrays", 0, 1, 1, arrays, reason) ||
        !takeRequested(requested, "uniform", 0, 1, 1, uniform, reason))
      return failure();
    Builder b(kernel.op->getContext());
    Schedule schedule;
    schedule.attributes = b.getDictionaryAttr({b.getNamedAttr("group", b.getI64IntegerAttr(tile.group)),
                                               b.getNamedAttr("rows", b.getI64IntegerAttr(tile.rows)),
                                               b.getNamedAttr("keys", b.getI64IntegerAttr(tile.keys)),
                                               b.getNamedAttr("arrays", b.getI64IntegerAttr(arrays)),
                                               b.getNamedAttr("uniform", b.getI64IntegerAttr(uniform))});
    schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(b.getContext()));
    schedule.nanoseconds = 0; // better than what keeps scores in memory
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> found = AttentionForm::of(KernelView(kernel), reason);
    auto group = kernel.getSchedule().getAs<IntegerAttr>("group"),
         rows = kernel.getSchedule().getAs<IntegerAttr>("rows"), keys = kernel.getSchedule().getAs<IntegerAttr>("keys"),
         arrays = kernel.getSchedule().getAs<IntegerAttr>("arrays"),
         uniform = kernel.getSchedule().getAs<IntegerAttr>("uniform");
    if (failed(found) || !group || !rows || !keys || !arrays || !uniform)
      return kernel.emitError("not an attention with a group, rows and keys of a step: ") << reason, failure();
    const ThreadTile tile{group.getInt(), rows.getInt(), keys.getInt(), arrays.getInt() != 0, uniform.getInt() != 0};
    AttentionForm &form = **found;
    MLIRContext *context = kernel.getContext();
    Stage stage;
    stage.function = kernel.getSymName().str();
    StageFrame frame(KernelView(kernel), code, stage.function);
    KernelCode c(frame.builder(), frame.loc(), machine);
    c.loop(frame.begin(), frame.end(), 1, [&](Value task) { AttentionThreads(frame, c, form, tile).task(task); });
    frame.finish();
    code.lookupSymbol(stage.function)->setAttr(kGroupSizeAttr, Builder(context).getI64IntegerAttr(tile.group));
    stage.tasks = affineOf(form.batch, context) * form.heads * affineOf(form.m, context).ceilDiv(tile.band());
    stage.workspaceBytes = getAffineConstantExpr(0, context);
    return SmallVector<Stage>{stage};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createAttentionThreadsLowering() {
  return std::make_unique<AttentionThreadsLowering>();
}
