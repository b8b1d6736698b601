#include "compiler/lowering/Loops.h"

#include "compiler/lowering/InPlace.h"
#include "compiler/lowering/LoopsCode.h"
#include "compiler/lowering/Traffic.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

/// Elements of a nest's vectors: the machine's, and no more than the schedule says.
static int64_t lanesWithin(const Nest &nest, const Machine &machine, int64_t most) {
  SmallVector<Ref> roots;
  for (const Output &output : nest.outputs)
    roots.push_back(output.value);
  return std::min(lanesOf(roots, machine), most);
}

FailureOr<Schedule> LoopsLowering::plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                                        std::string &reason) const {
  data::DimAnalysis dims;
  std::unique_ptr<KernelLoops> loops = analyzeLoops(kernel, dims, reason);
  if (!loops)
    return failure();
  Builder b(kernel.op->getContext());
  Schedule schedule;
  schedule.aliases =
      aliasesOf(kernel, [&](BlockArgument init, BlockArgument input) { return mayWriteOver(*loops, init, input); });
  int64_t most = 1, lanes = 1;
  for (Nest &nest : loops->nests)
    most = std::max(most, lanesWithin(nest, machine, INT64_MAX));
  if (!takeRequested(requested, "lanes", 1, most, 1, most, reason))
    return failure();
  if (!llvm::isPowerOf2_64(most))
    return reason = "expected lanes as a power of two, got " + std::to_string(most), failure();
  int64_t workgroups = 0, least = machine.deviceIsCpu ? kLeastOfWorkgroupOnCpu : kLeastOfWorkgroup;
  bool canForm = false;
  for (Nest &nest : loops->nests) {
    NestShape shape = shapeNest(*loops, nest, machine, lanesWithin(nest, machine, most));
    schedule.nanoseconds += shape.nanoseconds + 500; // a launch
    lanes = std::max(lanes, shape.lanes);
    if (machine.shaders && suitsWorkgroups(*loops, nest, shape, kLeastOfWorkgroup)) {
      canForm = true;
      workgroups |= suitsWorkgroups(*loops, nest, shape, least);
    }
  }
  if (!takeRequested(requested, "workgroups", 0, canForm, 1, workgroups, reason))
    return failure();
  NamedAttrList attributes;
  attributes.set("kind", b.getStringAttr(name()));
  attributes.set("lanes", b.getI64IntegerAttr(lanes));
  if (workgroups)
    attributes.set("workgroups", b.getI64IntegerAttr(workgroups));
  schedule.attributes = attributes.getDictionary(b.getContext());
  schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(b.getContext()));
  return schedule;
}

FailureOr<SmallVector<Stage>> LoopsLowering::emit(exec::KernelDefOp kernel, const Machine &machine,
                                                  ModuleOp code) const {
  KernelView view(kernel);
  data::DimAnalysis dims;
  std::string reason;
  std::unique_ptr<KernelLoops> loops = analyzeLoops(view, dims, reason);
  if (!loops)
    return kernel.emitError("loops cannot do this kernel: ") << reason;
  // No vector is to be longer than the schedule says.
  int64_t most = INT64_MAX;
  if (auto lanes = kernel.getSchedule().getAs<IntegerAttr>("lanes"))
    most = llvm::PowerOf2Ceil(lanes.getInt());
  SmallVector<Stage> stages;
  for (auto [i, nest] : llvm::enumerate(loops->nests)) {
    NestShape shape = shapeNest(*loops, nest, machine, lanesWithin(nest, machine, most));
    Stage stage;
    stage.function = (kernel.getSymName() + "_" + Twine(i)).str();
    StageFrame frame(view, code, stage.function);
    NestCode nestCode(frame, *loops, nest, shape, machine, kernel.getSchedule().contains("workgroups"));
    nestCode.emit();
    frame.finish();
    MLIRContext *context = kernel.getContext();
    stage.tasks = affineOf(nestCode.outerTasks(), context);
    if (shape.block)
      stage.tasks = stage.tasks *
                    affineOf(loops->sizes[shape.across >= 0 ? shape.across : shape.lane], context).ceilDiv(shape.block);
    stage.workspaceBytes = getAffineConstantExpr(0, context);
    stage.grain = shape.grain;
    stages.push_back(stage);
  }
  return stages;
}

SmallVector<Traffic> LoopsLowering::traffic(const KernelView &kernel) const {
  data::DimAnalysis dims;
  std::string reason;
  std::unique_ptr<KernelLoops> loops = analyzeLoops(kernel, dims, reason);
  if (!loops)
    return KernelLowering::traffic(kernel);
  TrafficCounter counter(dims);
  auto add = [&](BlockArgument tensor, const Form &form) {
    SmallVector<TrafficCounter::Extent> extents;
    for (auto &[v, stride] : form.coefficients)
      extents.emplace_back(stride, loops->sizes[v]);
    counter.add(tensor, form.constant, extents);
  };
  DenseSet<Value> tables = lookedUpInputs(kernel, dims);
  for (BlockArgument input : kernel.inputs())
    if (tables.contains(input))
      counter.addWhole(input);
  for (const Nest &nest : loops->nests) {
    SmallVector<Ref> roots;
    for (const Output &output : nest.outputs) {
      roots.push_back(output.value);
      add(output.init, output.place);
    }
    walkNodes(roots, [&](Node &node) {
      if (node.kind == Node::leaf)
        add(node.buffer, node.address);
      else if (node.kind == Node::broadcast)
        counter.addWhole(node.buffer);
    });
    counter.nextStage();
  }
  return counter.take();
}

std::unique_ptr<KernelLowering> fovea::lowering::createLoopsLowering() { return std::make_unique<LoopsLowering>(); }
