// Plans attention of few queries for machines that run shaders; AttentionWorkgroupCode.cpp writes it.
#include "compiler/lowering/AttentionWorkgroup.h"
#include "compiler/lowering/SingleOp.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// With fewer queries than that a workgroup of other queries' invocations has nothing to do.
static constexpr double kEnoughQueries = 16;
/// Columns of the queries, of all heads, that an invocation keeps in registers.
static constexpr int64_t kMostColumns = 128, kSuitableColumns = 64;

static WorkgroupTile suitableTile(AttentionForm &form, const Machine &machine) {
  WorkgroupTile tile{machine.deviceIsCpu ? 16 : 64, 1, 1, 1};
  while (tile.group < 128 && tile.columnLanes(form) > tile.group)
    tile.group *= 2;
  // Sixteen columns an invocation.
  while (form.d % (8 * tile.sharers) == 0 && form.d / tile.sharers > 16 && tile.sharers < 8)
    tile.sharers *= 2;
  for (int64_t heads = 2; heads <= 4; ++heads) {
    WorkgroupTile more = tile;
    more.heads = heads;
    if (form.group % heads == 0 && more.words(form) <= kMostSharedWords &&
        heads * form.d / tile.sharers <= kSuitableColumns)
      tile = more;
  }
  tile.parts = suitableParts(form, form.m.getConstant().value_or(1) * form.heads / tile.heads, machine);
  return tile;
}

namespace {
class AttentionWorkgroupLowering : public KernelLowering {
public:
  StringRef name() const override { return "attention-workgroup"; }
  bool isFor(const Machine &machine) const override { return machine.shaders; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
    if (failed(form))
      return failure();
    AttentionForm &f = **form;
    if (reason = refusalOfLanes(f); !reason.empty())
      return failure();
    WorkgroupTile tile = suitableTile(f, machine);
    if (!takeRequested(requested, "group", 8, 128, 8, tile.group, reason) ||
        !takeRequested(requested, "heads", 1, 8, 1, tile.heads, reason) ||
        !takeRequested(requested, "sharers", 1, 8, 1, tile.sharers, reason) ||
        !takeRequested(requested, "parts", 1, mostParts(f), 1, tile.parts, reason))
      return failure();
    auto refuse = [&](const Twine &why) { return reason = why.str(), failure(); };
    if (!llvm::isPowerOf2_64(tile.group))
      return refuse("a group of " + Twine(tile.group) + " invocations is no power of two");
    if (f.group % tile.heads != 0)
      return refuse(Twine(f.group) + " heads that share keys are not made of " + Twine(tile.heads) + " at a time");
    if (tile.group % tile.sharers != 0 || (tile.sharers > 1 && f.d % (tile.sharers * WorkgroupTile::kColumns) != 0))
      return refuse(Twine(tile.sharers) + " invocations do not have four columns each of a key alike");
    if (tile.heads * f.d / tile.sharers > kMostColumns)
      return refuse("queries of more than " + Twine(kMostColumns) + " columns do not stay in registers");
    if (tile.columnLanes(f) > tile.group)
      return refuse("values have more columns than four for each invocation");
    if (tile.words(f) > kMostSharedWords)
      return refuse("scores take more than a workgroup's shared memory");
    Builder b(kernel.op->getContext());
    auto named = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
    Schedule schedule;
    schedule.attributes = b.getDictionaryAttr({named("group", tile.group), named("heads", tile.heads),
                                               named("sharers", tile.sharers), named("parts", tile.parts)});
    schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(b.getContext()));
    if (tile.parts > 1)
      schedule.scratchBytes = affineOf(f.parts(tile.parts).bytes, b.getContext());
    // With few queries a GPU has nothing better. With many, and where a group's memory is memory as well, it is only
    // better than scores in memory.
    double queries = typicalSize(f.m), keys = typicalKeys(f, queries, typicalSize(f.n), 1);
    if (queries >= kEnoughQueries || machine.deviceIsCpu)
      schedule.nanoseconds = typicalSize(f.batch) * f.heads * queries * keys * 0.05 * (f.d + f.e);
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> found = AttentionForm::of(KernelView(kernel), reason);
    auto read = [&](StringRef name) { return kernel.getSchedule().getAs<IntegerAttr>(name); };
    auto group = read("group"), heads = read("heads"), sharers = read("sharers"), parts = read("parts");
    if (failed(found) || !group || !heads || !sharers || !parts)
      return kernel.emitError("not an attention with a group, heads, sharers and parts: ") << reason, failure();
    const WorkgroupTile tile{group.getInt(), heads.getInt(), sharers.getInt(), parts.getInt()};
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
           [&](Value task) { AttentionWorkgroup(frame, c, form, tile).task(task, *memory); });
    frame.finish();
    stage.tasks = affineOf(form.batch, context) * affineOf(form.m, context) * (form.heads / tile.heads * tile.parts);
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

std::unique_ptr<KernelLowering> fovea::lowering::createAttentionWorkgroupLowering() {
  return std::make_unique<AttentionWorkgroupLowering>();
}
