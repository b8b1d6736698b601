// Softmax attention for machines that run shaders: an invocation keeps a query row, its running maximum and sum and its
// part of the result in registers, and goes over the keys once (Milakov, Gimelshein 2018; Rabe, Staats 2021). No score
// is ever in memory.
//
// A workgroup's invocations are rows of one head, so that keys and values are the same loads for all of them. Blocks of
// keys that no row of the workgroup sees are skipped; where only some rows see a key, the others step over it, so what
// it holds does not matter to them.
#include "compiler/lowering/Attention.h"
#include "compiler/lowering/Body.h"
#include "compiler/lowering/SingleOp.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

static constexpr int64_t kGroup = 64;
static constexpr double kLowest = -std::numeric_limits<double>::infinity();
/// More columns than that do not stay in registers.
static constexpr int64_t kMostColumns = 128;

namespace {
class Writer {
public:
  Writer(StageFrame &frame, KernelCode &c, AttentionForm &form, int64_t keys)
      : frame(frame), c(c), form(form), op(form.op), type(op.getScoreType()), keys(keys) {}
  void task(Value number);

private:
  using Values = KernelCode::Values;
  Value exponential(Value x) { return math::ExpOp::create(c.b, c.loc, x); }
  Value isLowest(Value x) {
    return arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, x, c.number(type, kLowest));
  }
  Value score(Value j);
  /// Goes over `count` keys from j on; the state is maximum, sum, columns of the result.
  Values step(Value j, int64_t count, ValueRange state);
  void finish(ValueRange state);

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  attn::AttentionInterface op;
  Type type;
  const int64_t keys;
  Value b, h, g, i;
  Values query;
};
} // namespace

Value Writer::score(Value j) {
  Value k = placeOf(frame, c, form.k, {b, g, j}), stride = frame.size(form.k.strides[3]), sum;
  for (int64_t d = 0; d < form.d; ++d) {
    Value x = c.load(form.element, c.address(k, form.element, c.mul(c.constant(d), stride)));
    sum = sum ? c.fma(query[d], x, sum) : c.mulf(query[d], x);
  }
  Region &region = op.getScore();
  if (region.empty())
    return sum;
  BodyContext context;
  Values arguments{sum, b, h, i, j};
  for (auto [capture, access] : llvm::zip(op.getCaptures(), form.captures))
    arguments.push_back(c.load(getElementTypeOrSelf(capture.getType()), placeOf(frame, c, access, {b, h, i, j})));
  return emitBody(frame, region.front(), arguments, context)[0];
}

Writer::Values Writer::step(Value j, int64_t count, ValueRange state) {
  Values scores;
  Value top = state[0];
  for (int64_t u = 0; u < count; ++u) {
    scores.push_back(score(c.add(j, u)));
    top = c.maxf(scores.back(), top);
  }
  // As long as all scores are -inf, anything finite will do.
  Value reference = c.select(isLowest(top), c.number(type, 0), top);
  Value alpha = exponential(c.subf(state[0], reference)), sum = c.mulf(state[1], alpha);
  Values weights, next{top};
  for (Value s : scores) {
    weights.push_back(exponential(c.subf(s, reference)));
    sum = c.addf(sum, weights.back());
  }
  next.push_back(sum);
  Value stride = frame.size(form.v.strides[3]);
  SmallVector<Value> rows;
  for (int64_t u = 0; u < count; ++u)
    rows.push_back(placeOf(frame, c, form.v, {b, g, c.add(j, u)}));
  for (int64_t e = 0; e < form.e; ++e) {
    Value column = c.mulf(state[2 + e], alpha);
    for (auto [row, weight] : llvm::zip(rows, weights))
      column = c.fma(weight, c.load(form.element, c.address(row, form.element, c.mul(c.constant(e), stride))), column);
    next.push_back(column);
  }
  return next;
}

void Writer::finish(ValueRange state) {
  Value top = state[0], sum = state[1], alpha;
  Value reference = c.select(isLowest(top), c.number(type, 0), top);
  if (form.sinks) {
    Value sink = c.load(elementOf(*form.sinks), placeOf(frame, c, *form.sinks, {h}));
    Value higher = c.maxf(sink, top);
    reference = c.select(isLowest(higher), c.number(type, 0), higher);
    alpha = exponential(c.subf(top, reference));
    sum = c.addf(c.mulf(sum, alpha), exponential(c.subf(sink, reference)));
    top = higher;
  }
  Value none = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, sum, c.number(type, 0));
  for (const AttentionForm::Extra &extra : form.extras) {
    Value value = top;
    if (extra.kind == attn::Extra::lse)
      value = c.select(none, c.number(type, kLowest), c.addf(reference, math::LogOp::create(c.b, c.loc, sum)));
    c.store(value, placeOf(frame, c, extra.access, {b, h, i}), {}, elementOf(extra.access));
  }
  Value factor = c.select(none, c.number(type, form.emptyValue()), c.divf(c.number(type, 1), sum));
  if (alpha)
    factor = c.mulf(factor, alpha);
  Type to = elementOf(form.out);
  Value row = placeOf(frame, c, form.out, {b, h, i}), stride = frame.size(form.out.strides[3]);
  for (int64_t e = 0; e < form.e; ++e)
    c.store(c.mulf(state[2 + e], factor), c.address(row, to, c.mul(c.constant(e), stride)), {}, to);
}

void Writer::task(Value number) {
  Value m = frame.size(form.m), bands = c.ceilDiv(m, kGroup), last = c.sub(m, 1);
  Value lane =
      arith::IndexCastOp::create(c.b, c.loc, c.b.getI64Type(), gpu::ThreadIdOp::create(c.b, c.loc, gpu::Dimension::x));
  Value head = c.div(number, bands), i0 = c.mul(c.rem(number, bands), kGroup);
  b = c.div(head, c.constant(form.heads)), h = c.rem(head, c.constant(form.heads));
  g = form.group == 1 ? h : c.div(h, form.group);
  // Invocations behind the last row do it again, and do not write.
  Value own = c.add(i0, lane);
  i = c.min(own, last);
  Value q = placeOf(frame, c, form.q, {b, h, i}), stride = frame.size(form.q.strides[3]),
        scale = c.number(type, op.getScale().convertToDouble());
  for (int64_t d = 0; d < form.d; ++d)
    query.push_back(c.mulf(c.load(form.element, c.address(q, form.element, c.mul(c.constant(d), stride))), scale));
  KeyRange all = keyRange(frame, c, form, b, i0, c.min(c.add(i0, kGroup - 1), last)),
           mine = keyRange(frame, c, form, b, i, i);
  Values state(2 + form.e, c.number(type, 0));
  state[0] = c.number(type, kLowest);
  SmallVector<Type> types(state.size(), type);
  auto some = [&](Value from, Value to, Values state) {
    return c.loop(from, to, 1, state, [&](Value j, ValueRange s) {
      Value live =
          arith::AndIOp::create(c.b, c.loc, c.compare(arith::CmpIPredicate::sle, mine.begin, j), c.less(j, mine.end));
      return c.choose(live, types, [&] { return step(j, 1, s); }, [&] { return Values(s); });
    });
  };
  Value begin = all.begin, end = c.max(all.begin, all.end);
  if (form.hasDeadKeys()) {
    Value wholeBegin = c.min(c.max(all.wholeBegin, begin), end), wholeEnd = c.max(c.min(all.wholeEnd, end), wholeBegin);
    state = some(begin, wholeBegin, state);
    begin = wholeBegin;
    Value blocks = c.add(begin, c.mul(c.div(c.sub(wholeEnd, begin), keys), keys));
    state = c.loop(begin, blocks, keys, state, [&](Value j, ValueRange s) { return step(j, keys, s); });
    state = some(blocks, end, state);
  } else {
    Value blocks = c.add(begin, c.mul(c.div(c.sub(end, begin), keys), keys));
    state = c.loop(begin, blocks, keys, state, [&](Value j, ValueRange s) { return step(j, keys, s); });
    state = c.loop(blocks, end, 1, state, [&](Value j, ValueRange s) { return step(j, 1, s); });
  }
  c.when(c.less(own, m), [&] { finish(state); });
}

namespace {
class AttentionThreadsLowering : public KernelLowering {
public:
  StringRef name() const override { return "attention-threads"; }
  bool isFor(const Machine &machine) const override { return machine.shaders; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &, DictionaryAttr requested,
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
    // Rows of a few queries leave most of a workgroup without work.
    if (typicalSize(f.m) < kGroup / 4)
      return refuse("there are too few queries for a workgroup");
    int64_t keys = std::max(f.d, f.e) > 64 ? 1 : 2;
    if (!takeRequested(requested, "keys", 1, 8, 1, keys, reason))
      return failure();
    Builder b(kernel.op->getContext());
    Schedule schedule;
    schedule.attributes = b.getDictionaryAttr(b.getNamedAttr("keys", b.getI64IntegerAttr(keys)));
    schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(b.getContext()));
    schedule.nanoseconds = 0; // better than what keeps scores in memory
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> found = AttentionForm::of(KernelView(kernel), reason);
    auto keys = kernel.getSchedule().getAs<IntegerAttr>("keys");
    if (failed(found) || !keys)
      return kernel.emitError("not an attention with keys of a step: ") << reason, failure();
    AttentionForm &form = **found;
    MLIRContext *context = kernel.getContext();
    Stage stage;
    stage.function = kernel.getSymName().str();
    StageFrame frame(KernelView(kernel), code, stage.function);
    KernelCode c(frame.builder(), frame.loc(), machine);
    c.loop(frame.begin(), frame.end(), 1, [&](Value task) { Writer(frame, c, form, keys.getInt()).task(task); });
    frame.finish();
    code.lookupSymbol(stage.function)->setAttr(kGroupSizeAttr, Builder(context).getI64IntegerAttr(kGroup));
    stage.tasks = affineOf(form.batch, context) * form.heads * affineOf(form.m, context).ceilDiv(kGroup);
    stage.workspaceBytes = getAffineConstantExpr(0, context);
    return SmallVector<Stage>{stage};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createAttentionThreadsLowering() {
  return std::make_unique<AttentionThreadsLowering>();
}
