// Causal convolution with a state: a task is one channel of one batch row, whose past and positions are put one after
// the other in the workspace. Then every position is computed alike, a vector of them at a time.
#include "compiler/lowering/SingleOp.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;

namespace {
struct CausalConvForm {
  SingleOp single;
  attn::CausalConvWithStateOp op;
  DimExpr batch, channels, length, taps, held; ///< held: positions of the state
  Access source, weight, result, newState;
  std::optional<Access> bias, state;
  CausalConvForm(const KernelView &kernel, std::string &reason)
      : single(kernel, attn::CausalConvWithStateOp::getOperationName(), reason) {}
  static FailureOr<std::unique_ptr<CausalConvForm>> of(const KernelView &kernel, std::string &reason);
};
} // namespace

FailureOr<std::unique_ptr<CausalConvForm>> CausalConvForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<CausalConvForm>(kernel, reason);
  CausalConvForm &f = *form;
  if (!f.single)
    return failure();
  attn::CausalConvWithStateOp op = f.op = cast<attn::CausalConvWithStateOp>(f.single.op);
  data::DimAnalysis &dims = f.single.dims;
  SmallVector<DimExpr> source = dims.shape(op.getSource());
  f.batch = source[0], f.channels = source[1], f.length = source[2], f.taps = dims.shape(op.getWeight())[1];
  f.held = dims.shape(op.getStateInit())[2];
  f.single.expectEqual(f.held + DimExpr(1), f.taps);
  SmallVector<DimExpr> state{f.batch, f.channels, f.held};
  if (failed(f.single.operand(op.getSource(), source, f.source, reason)) ||
      failed(f.single.operand(op.getWeight(), {f.channels, f.taps}, f.weight, reason)) ||
      failed(f.single.operand(op.getBias(), f.channels, f.bias, reason)) ||
      failed(f.single.operand(op.getState(), state, f.state, reason)) ||
      failed(f.single.contiguousResult(op.getResult(), op.getInit(), source, f.result, reason)) ||
      failed(f.single.contiguousResult(op.getNewState(), op.getStateInit(), state, f.newState, reason)))
    return failure();
  return form;
}

/// One channel of one batch row.
static void emitChannel(StageFrame &frame, KernelCode &c, CausalConvForm &form, Value b, Value channel) {
  Type element = elementOf(form.source), type = computedType(element);
  int64_t lanes = c.machine.lanes(type.getIntOrFloatBitWidth());
  VectorType wide = c.vector(type, lanes), memory = c.vector(element, lanes);
  Value zero = c.constant(0), held = frame.size(form.held), length = frame.size(form.length),
        taps = frame.size(form.taps);
  auto at = [&](Value i) { return c.address(frame.workspace(), type, i); };
  // Whole vectors: what stands behind the state is written over.
  auto fill = [&](Value to, Value count, llvm::function_ref<Value(Value j)> values) {
    c.loop(zero, count, lanes, [&](Value j) { c.store(values(j), at(c.add(to, j))); });
  };
  auto rowOf = [&](const Access &access) { return placeOf(frame, c, access, {b, channel}); };
  auto read = [&](const Access &access, Value count) {
    return [&, row = rowOf(access), count](Value j) {
      return loadColumns(frame, c, memory, row, j, access.strides.back(), c.lanesBelow(lanes, j, count));
    };
  };
  if (form.state)
    fill(zero, held, read(*form.state, held));
  else
    fill(zero, held, [&](Value) { return c.number(wide, 0); });
  fill(held, length, read(form.source, length));

  Value weights = placeOf(frame, c, form.weight, {channel}), step = frame.size(form.weight.strides[1]);
  auto tap = [&](Value t, Value j, Value sum) {
    Value w = c.load(element, c.address(weights, element, c.mul(j, step)));
    return c.fma(c.splat(wide, w), c.load(wide, at(c.add(t, j))), sum);
  };
  Value start =
      form.bias ? c.splat(wide, c.load(element, placeOf(frame, c, *form.bias, {channel}))) : c.number(wide, 0);
  Value out = rowOf(form.result);
  constexpr int64_t kMostUnrolled = 8;
  std::optional<int64_t> known = form.taps.getConstant();
  c.loop(zero, length, lanes, [&](Value t) {
    Value sum = start;
    if (known && *known <= kMostUnrolled)
      for (int64_t j = 0; j < *known; ++j)
        sum = tap(t, c.constant(j), sum);
    else
      sum = c.loop(zero, taps, 1, Values{sum}, [&](Value j, ValueRange s) { return Values{tap(t, j, s[0])}; })[0];
    if (form.op.getSilu())
      sum = attn::SiluOp::create(c.b, c.loc, sum);
    c.store(sum, c.address(out, element, t), c.lanesBelow(lanes, t, length), element);
  });
  Value last = rowOf(form.newState);
  c.loop(zero, held, lanes, [&](Value j) {
    Value x = c.load(wide, at(c.add(length, j)));
    c.store(x, c.address(last, element, j), c.lanesBelow(lanes, j, held), element);
  });
}

namespace {
class CausalConvLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "causal-conv"; }
  bool isFor(const Machine &) const override { return true; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<CausalConvForm>> form = CausalConvForm::of(kernel, reason);
    if (failed(form))
      return failure();
    CausalConvForm &f = **form;
    int64_t lanes = machine.lanes(computedType(elementOf(f.source)).getIntOrFloatBitWidth());
    double vectors = std::ceil(typicalSize(f.length) / lanes) * (typicalSize(f.taps) + 4);
    Schedule schedule = f.single.schedule(typicalSize(f.batch) * typicalSize(f.channels) * (vectors / 2.5 + 5) + 200);
    schedule.aliases = f.single.stateAliases(f.newState, f.state, f.op.getState());
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<CausalConvForm>> found = CausalConvForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("not a causal convolution: ") << reason, failure();
    CausalConvForm &form = **found;
    const SingleOp &single = form.single;
    Stage stage = single.stage(kernel, machine, code, form.batch * form.channels,
                               [&](StageFrame &frame, KernelCode &c, Value task) {
                                 Value channels = frame.size(form.channels);
                                 emitChannel(frame, c, form, c.div(task, channels), c.rem(task, channels));
                               });
    Type type = computedType(elementOf(form.source));
    constexpr int64_t kGrain = 8; // a channel of a few positions is less work than handing it out
    stage.grain = kGrain;
    stage.workspaceBytes = (single.inSymbols(form.held) + single.inSymbols(form.length) +
                            2 * machine.lanes(type.getIntOrFloatBitWidth())) *
                           bytesOf(type);
    return SmallVector<Stage>{stage};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createCausalConvLowering() {
  return std::make_unique<CausalConvLowering>();
}
