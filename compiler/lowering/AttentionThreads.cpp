// Plans attention for machines that run shaders; AttentionThreadsCode.cpp writes it.
//
// On GPUs blocks of keys are copied to shared memory. On devices that are CPUs workgroups are small and their rows are
// in arrays, since loops that carry hundreds of values take such drivers seconds to compile; and loads are said to be
// uniform, which a GPU finds out by itself.
#include "compiler/lowering/AttentionThreads.h"
#include "compiler/lowering/SingleOp.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// More columns than that do not stay in registers.
static constexpr int64_t kMostColumns = 128, kFewestQueries = 16;

/// Fewer keys at a time would be barriers more than work.
static constexpr int64_t kFewestShared = 8;

/// Keys that shared memory has room for, with their values.
static int64_t sharedKeys(AttentionForm &form) {
  return 4 * kMostSharedWords / (bytesOf(form.op.getScoreType()) * (form.d + form.e));
}

static ThreadTile suitableTile(AttentionForm &form, const Machine &machine) {
  double queries = typicalSize(form.m);
  bool small = std::max(form.d, form.e) <= 64;
  if (!machine.deviceIsCpu) {
    ThreadTile tile{64, 1, small ? 2 : 1, false, false};
    // Half of the memory of a workgroup at most, so that several share a unit; and not for a few keys or queries.
    int64_t shared = llvm::bit_floor<uint64_t>(sharedKeys(form) / 2);
    if (queries >= kFewestQueries && shared >= kFewestShared && typicalSize(form.n) >= shared)
      tile.shared = shared;
    return tile;
  }
  // Enough workgroups before large ones.
  if (queries >= kFewestQueries)
    return {16, queries >= 64 && small ? 4 : 2, 2, true, true};
  // A load that is one for all is worth more than lanes that have something to do: of few rows, those that share keys
  // are together.
  int64_t rows = static_cast<int64_t>(queries) * form.group;
  ThreadTile tile{std::clamp<int64_t>(rows, 1, 16), 1, small ? 4 : 2, true, true, form.group};
  tile.parts = suitableParts(form, form.heads / form.group * ((rows + tile.group - 1) / tile.group), machine);
  return tile;
}

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
    if (reason = refusalOfLanes(f); !reason.empty())
      return failure();
    if (f.d > kMostColumns || f.e > kMostColumns)
      return refuse("heads of more than " + Twine(kMostColumns) + " columns do not stay in registers");
    ThreadTile tile = suitableTile(f, machine);
    int64_t arrays = tile.arrays, uniform = tile.uniform;
    if (!takeRequested(requested, "group", 1, 128, 1, tile.group, reason) ||
        !takeRequested(requested, "rows", 1, 8, 1, tile.rows, reason) ||
        !takeRequested(requested, "keys", 1, 16, 1, tile.keys, reason))
      return failure();
    tile.shared -= tile.shared % tile.keys;
    if (!takeRequested(requested, "arrays", 0, 1, 1, arrays, reason) ||
        !takeRequested(requested, "uniform", 0, 1, 1, uniform, reason) ||
        !takeRequested(requested, "heads", 1, f.group, 1, tile.heads, reason) ||
        !takeRequested(requested, "shared", 0, sharedKeys(f), tile.keys, tile.shared, reason) ||
        !takeRequested(requested, "parts", 1, mostParts(f), 1, tile.parts, reason))
      return failure();
    if (f.group % tile.heads != 0)
      return refuse(Twine(f.group) + " heads that share keys are not made of " + Twine(tile.heads) + " at a time");
    Builder b(kernel.op->getContext());
    auto named = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
    Schedule schedule;
    schedule.attributes =
        b.getDictionaryAttr({named("group", tile.group), named("rows", tile.rows), named("keys", tile.keys),
                             named("arrays", arrays), named("uniform", uniform), named("heads", tile.heads),
                             named("parts", tile.parts), named("shared", tile.shared)});
    schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(b.getContext()));
    if (tile.parts > 1)
      schedule.scratchBytes = affineOf(f.parts(tile.parts).bytes, b.getContext());
    // Better than what keeps scores in memory. On a GPU too few queries for a workgroup are better off with
    // attention-workgroup.
    double queries = typicalSize(f.m), keys = typicalKeys(f, queries, typicalSize(f.n), 1);
    if (queries < kFewestQueries && !machine.deviceIsCpu)
      schedule.nanoseconds = typicalSize(f.batch) * f.heads * queries * keys * 0.05 * (f.d + f.e);
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> found = AttentionForm::of(KernelView(kernel), reason);
    auto read = [&](StringRef name) { return kernel.getSchedule().getAs<IntegerAttr>(name); };
    auto group = read("group"), rows = read("rows"), keys = read("keys"), arrays = read("arrays"),
         uniform = read("uniform"), heads = read("heads"), parts = read("parts"), shared = read("shared");
    if (failed(found) || !group || !rows || !keys || !arrays || !uniform || !heads || !parts || !shared)
      return kernel.emitError("not an attention with a group, rows and keys of a step: ") << reason, failure();
    const ThreadTile tile{group.getInt(),        rows.getInt(),  keys.getInt(),  arrays.getInt() != 0,
                          uniform.getInt() != 0, heads.getInt(), parts.getInt(), shared.getInt()};
    AttentionForm &form = **found;
    MLIRContext *context = kernel.getContext();
    FailureOr<BlockArgument> memory = memoryOfParts(kernel, form, tile.parts);
    if (failed(memory))
      return failure();
    Stage stage;
    stage.function = kernel.getSymName().str() + (*memory ? "_parts" : "");
    StageFrame frame(KernelView(kernel), code, stage.function);
    KernelCode c(frame.builder(), frame.loc(), machine);
    c.loop(frame.begin(), frame.end(), 1,
           [&](Value task) { AttentionThreads(frame, c, form, tile).task(task, *memory); });
    frame.finish();
    code.lookupSymbol(stage.function)->setAttr(kGroupSizeAttr, Builder(context).getI64IntegerAttr(tile.group));
    stage.tasks = affineOf(form.batch, context) * (affineOf(form.m, context) * tile.heads).ceilDiv(tile.band()) *
                  (form.heads / tile.heads * tile.parts);
    stage.workspaceBytes = getAffineConstantExpr(0, context);
    SmallVector<Stage> stages{stage};
    if (*memory)
      stages.push_back(emitJoinOfParts(kernel, form, tile.parts, machine, code));
    return stages;
  }

  SmallVector<Traffic> traffic(const KernelView &kernel) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
    return failed(form) ? KernelLowering::traffic(kernel) : (*form)->traffic();
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createAttentionThreadsLowering() {
  return std::make_unique<AttentionThreadsLowering>();
}
