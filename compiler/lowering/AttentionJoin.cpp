// The second stage of attention for shaders whose keys are split over workgroups, see KeyParts.h: what the parts of a
// row have left becomes its result. A workgroup does a row, an invocation some columns of it; each of them looks at the
// maxima and sums of all parts, of which there are few.
#include "compiler/lowering/AttentionLane.h"
#include "compiler/lowering/Threads.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

static constexpr int64_t kGroup = 32;
static constexpr double kLowest = -std::numeric_limits<double>::infinity();

int64_t fovea::lowering::mostParts(AttentionForm &form) { return form.m.getConstant() ? KeyParts::kMost : 1; }

int64_t fovea::lowering::suitableParts(AttentionForm &form, int64_t workgroups, const Machine &machine) {
  workgroups *= form.batch.getConstant().value_or(1);
  constexpr int64_t kTypicalKeys = 4096;
  int64_t wanted = machine.deviceIsCpu ? 16 : 256, leastKeys = machine.deviceIsCpu ? 1024 : 256;
  int64_t most = std::min(mostParts(form), form.n.getConstant().value_or(kTypicalKeys) / leastKeys);
  return std::clamp<int64_t>(wanted / std::max<int64_t>(1, workgroups), 1, std::max<int64_t>(1, most));
}

FailureOr<BlockArgument> fovea::lowering::memoryOfParts(exec::KernelDefOp kernel, AttentionForm &form, int64_t parts) {
  if (parts == 1)
    return BlockArgument();
  BlockArgument memory = kernel.getInitArgs().back();
  if (failed(form.parts(parts).verify(kernel, memory, form.dims)))
    return failure();
  return memory;
}

namespace {
class Joiner : AttentionLane {
public:
  Joiner(StageFrame &frame, KernelCode &c, AttentionForm &form, int64_t parts, BlockArgument memory)
      : AttentionLane(frame, c, form), parts(parts), memory(memory) {}
  void row(Value number);

private:
  Value over(double from, llvm::function_ref<Value(Value part, Value before)> body) {
    return c.loop(c.constant(0), c.constant(parts), 1, Values{c.number(type, from)},
                  [&](Value p, ValueRange s) { return Values{body(p, s[0])}; })[0];
  }

  const int64_t parts;
  BlockArgument memory;
};
} // namespace

void Joiner::row(Value number) {
  Value m = frame.size(form.m), head = c.div(number, m), i = c.rem(number, m);
  b = c.div(head, c.constant(form.heads));
  Value h = c.rem(head, c.constant(form.heads));
  KeyParts::Places places = placesOfPart(memory, parts, h, i, c.constant(0));
  auto load = [&](Value of, Value at) { return c.load(type, c.address(of, type, at)); };
  Value top = over(kLowest, [&](Value p, Value before) { return c.maxf(load(places.maximum, p), before); });
  Value zero = reference(top);
  auto factor = [&](Value p) { return exponential(c.subf(load(places.maximum, p), zero)); };
  Value sum = over(0, [&](Value p, Value before) { return c.fma(factor(p), load(places.sum, p), before); });
  Ending end = ending(h, top, sum);
  Type to = elementOf(form.out);
  Value place = placeOf(frame, c, form.out, {b, h, i}), stride = frame.size(form.out.strides[3]);
  Value lane = invocation(c);
  c.loop(lane, c.constant(form.e), kGroup, [&](Value e) {
    Value column = over(0, [&](Value p, Value before) {
      return c.fma(factor(p), load(places.result, c.add(c.mul(p, form.e), e)), before);
    });
    c.store(c.mulf(column, end.factor), c.address(place, to, c.mul(e, stride)), {}, to);
  });
  c.when(c.equal(lane, c.constant(0)), [&] { storeExtras(h, i, end); });
}

Stage fovea::lowering::emitJoinOfParts(exec::KernelDefOp kernel, AttentionForm &form, int64_t parts,
                                       const Machine &machine, ModuleOp code) {
  MLIRContext *context = kernel.getContext();
  Stage stage;
  stage.function = kernel.getSymName().str() + "_join";
  StageFrame frame(KernelView(kernel), code, stage.function);
  frame.setGroupSize(kGroup);
  KernelCode c(frame.builder(), frame.loc(), machine);
  c.loop(frame.begin(), frame.end(), 1,
         [&](Value task) { Joiner(frame, c, form, parts, kernel.getInitArgs().back()).row(task); });
  frame.finish();
  stage.tasks = affineOf(form.batch, context) * affineOf(form.m, context) * form.heads;
  stage.workspaceBytes = getAffineConstantExpr(0, context);
  return stage;
}
