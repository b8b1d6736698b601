// Linear attention: a task is some columns of the state of one batch row and head of the key, whose recurrence is that
// of no other column. They stay in the workspace, which the nearest cache holds, from the first position to the last;
// each position passes over them to decay and ask, to write, and to be read once for each query head.
#include "compiler/lowering/SingleOp.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;

namespace {
struct LinearAttentionForm {
  SingleOp single;
  attn::LinearAttentionOp op;
  DimExpr batch, length, heads, keyHeads, d, e;
  Access query, key, value; ///< in (b, t, head, column)
  Access result;            ///< in (b, t, head, column)
  Access newState;          ///< in (b, head, row, column)
  std::optional<Access> state;
  std::optional<Access> decay; ///< in (b, t, head, row)
  std::optional<Access> beta;  ///< in (b, t, head)
  bool decayOfRows = false;    ///< each row has its own
  LinearAttentionForm(const KernelView &kernel, std::string &reason)
      : single(kernel, attn::LinearAttentionOp::getOperationName(), reason) {}
  static FailureOr<std::unique_ptr<LinearAttentionForm>> of(const KernelView &kernel, std::string &reason);

  /// f64 if any operand is, else f32.
  Type computed() const {
    bool isDouble = elementOf(query).isF64() || elementOf(newState).isF64();
    return isDouble ? Type(Float64Type::get(single.op->getContext())) : Float32Type::get(single.op->getContext());
  }
};

/// Writes the code for one task.
class LinearAttentionWriter {
public:
  LinearAttentionWriter(StageFrame &frame, KernelCode &c, LinearAttentionForm &form, int64_t vectors)
      : frame(frame), c(c), form(form), vectors(vectors), type(form.computed()),
        lanes(c.machine.lanes(type.getIntOrFloatBitWidth())), wide(c.vector(type, lanes)), d(frame.size(form.d)) {}
  void task(Value b, Value g, Value first);
  /// Columns of a task.
  static int64_t columns(LinearAttentionForm &form, const Machine &machine, int64_t &vectors) {
    int64_t lanes = machine.lanes(form.computed().getIntOrFloatBitWidth());
    vectors = std::clamp<int64_t>((form.e.getConstant().value_or(4 * lanes) + lanes - 1) / lanes, 1, 4);
    return vectors * lanes;
  }

private:
  Value row(Value i) { return c.address(frame.workspace(), type, c.mul(i, vectors * lanes)); }
  Values load(Value i);
  void store(Value i, ValueRange values);
  Values columnsOf(const Access &access, ArrayRef<Value> indices);
  void storeColumns(const Access &access, ArrayRef<Value> indices, ValueRange values);
  Value scalar(const Access &access, ArrayRef<Value> indices) {
    Value x = c.load(elementOf(access), placeOf(frame, c, access, indices));
    return c.splat(wide, convertFloat(c, x, type));
  }
  Values zeros() { return Values(vectors, c.number(wide, 0)); }
  void decays(Value b, Value t, Value g);
  void position(Value b, Value t, Value g);

  StageFrame &frame;
  KernelCode &c;
  LinearAttentionForm &form;
  int64_t vectors;
  Type type;
  int64_t lanes;
  VectorType wide;
  Value d, first;
  Values masks; ///< columns that there are
  Value common; ///< the factor of all rows, if they have one
};
} // namespace

FailureOr<std::unique_ptr<LinearAttentionForm>> LinearAttentionForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<LinearAttentionForm>(kernel, reason);
  LinearAttentionForm &f = *form;
  if (!f.single)
    return failure();
  attn::LinearAttentionOp op = f.op = cast<attn::LinearAttentionOp>(f.single.op);
  data::DimAnalysis &dims = f.single.dims;
  SmallVector<DimExpr> q = dims.shape(op.getQuery()), v = dims.shape(op.getValue());
  f.batch = q[0], f.length = q[1], f.heads = q[2], f.d = q[3], f.keyHeads = v[2], f.e = v[3];
  auto isOne = [](Value tensor, unsigned dim) { return tensor && attn::detail::typeOf(tensor).getDimSize(dim) == 1; };
  f.decayOfRows = op.getDecay() && !isOne(op.getDecay(), 3);
  DimExpr one(1);
  SmallVector<DimExpr> decay{f.batch, f.length, f.keyHeads, f.decayOfRows ? f.d : one},
      beta{f.batch, f.length, isOne(op.getBeta(), 2) ? one : f.keyHeads}, state{f.batch, f.keyHeads, f.d, f.e};
  if (failed(f.single.operand(op.getQuery(), q, f.query, reason)) ||
      failed(f.single.operand(op.getKey(), {f.batch, f.length, f.keyHeads, f.d}, f.key, reason)) ||
      failed(f.single.operand(op.getValue(), {f.batch, f.length, f.keyHeads, f.e}, f.value, reason)) ||
      failed(f.single.operand(op.getState(), state, f.state, reason)) ||
      failed(f.single.operand(op.getDecay(), decay, f.decay, reason)) ||
      failed(f.single.operand(op.getBeta(), beta, f.beta, reason)) ||
      failed(f.single.contiguousResult(op.getResult(), op.getInit(), {f.batch, f.length, f.heads, f.e}, f.result,
                                       reason)) ||
      failed(f.single.contiguousResult(op.getNewState(), op.getStateInit(), state, f.newState, reason)))
    return failure();
  return form;
}

Values LinearAttentionWriter::load(Value i) {
  Values values;
  for (int64_t v = 0; v < vectors; ++v)
    values.push_back(c.load(wide, c.address(row(i), type, v * lanes)));
  return values;
}

void LinearAttentionWriter::store(Value i, ValueRange values) {
  for (int64_t v = 0; v < vectors; ++v)
    c.store(values[v], c.address(row(i), type, v * lanes));
}

Values LinearAttentionWriter::columnsOf(const Access &access, ArrayRef<Value> indices) {
  Value from = placeOf(frame, c, access, indices);
  VectorType memory = c.vector(elementOf(access), lanes);
  Values values;
  for (int64_t v = 0; v < vectors; ++v) {
    Value x = loadColumns(frame, c, memory, from, c.add(first, v * lanes), access.strides.back(), masks[v]);
    values.push_back(convertFloat(c, x, type));
  }
  return values;
}

void LinearAttentionWriter::storeColumns(const Access &access, ArrayRef<Value> indices, ValueRange values) {
  Type element = elementOf(access), stored = isHalf(element) ? c.b.getF32Type() : element;
  Value to = placeOf(frame, c, access, indices);
  for (int64_t v = 0; v < vectors; ++v)
    c.store(convertFloat(c, values[v], stored), c.address(to, element, c.add(first, v * lanes)), masks[v], element);
}

/// What the state is multiplied by at a position: `common`, or a factor for each row behind the state in the workspace.
void LinearAttentionWriter::decays(Value b, Value t, Value g) {
  if (!form.decay)
    return;
  if (!form.decayOfRows) {
    common = math::ExpOp::create(c.b, c.loc, scalar(*form.decay, {b, t, g}));
    return;
  }
  Value from = placeOf(frame, c, *form.decay, {b, t, g});
  VectorType memory = c.vector(elementOf(*form.decay), lanes);
  c.loop(c.constant(0), d, lanes, [&](Value i) {
    Value x = loadColumns(frame, c, memory, from, i, form.decay->strides.back(), c.lanesBelow(lanes, i, d));
    c.store(math::ExpOp::create(c.b, c.loc, convertFloat(c, x, type)), c.address(row(d), type, i));
  });
}

void LinearAttentionWriter::position(Value b, Value t, Value g) {
  decays(b, t, g);
  auto decayed = [&](Value i) {
    Values s = load(i);
    if (!form.decay)
      return s;
    Value factor = form.decayOfRows ? c.splat(wide, c.load(type, c.address(row(d), type, i))) : common;
    for (Value &x : s)
      x = c.mulf(x, factor);
    return s;
  };
  Values u = columnsOf(form.value, {b, t, g});
  if (form.beta) {
    Values found = c.loop(c.constant(0), d, 1, zeros(), [&](Value i, ValueRange sums) {
      Values s = decayed(i), next;
      if (form.decay)
        store(i, s);
      Value k = scalar(form.key, {b, t, g, i});
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(c.fma(s[v], k, sums[v]));
      return next;
    });
    Value rate = scalar(*form.beta, {b, t, g});
    for (int64_t v = 0; v < vectors; ++v)
      u[v] = c.mulf(rate, c.subf(u[v], found[v]));
  }
  c.loop(c.constant(0), d, 1, [&](Value i) {
    Values s = form.beta ? load(i) : decayed(i);
    Value k = scalar(form.key, {b, t, g, i});
    for (int64_t v = 0; v < vectors; ++v)
      s[v] = c.fma(k, u[v], s[v]);
    store(i, s);
  });
  Value group = c.constant(*form.heads.getConstant() / *form.keyHeads.getConstant());
  Value scale = c.number(wide, form.op.getScale().convertToDouble());
  c.loop(c.constant(0), group, 1, [&](Value inGroup) {
    Value h = c.add(c.mul(g, group), inGroup);
    Values sums = c.loop(c.constant(0), d, 1, zeros(), [&](Value i, ValueRange sums) {
      Values s = load(i), next;
      Value q = scalar(form.query, {b, t, h, i});
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(c.fma(s[v], q, sums[v]));
      return next;
    });
    for (Value &x : sums)
      x = c.mulf(x, scale);
    storeColumns(form.result, {b, t, h}, sums);
  });
}

void LinearAttentionWriter::task(Value b, Value g, Value firstColumn) {
  first = firstColumn;
  masks.clear();
  for (int64_t v = 0; v < vectors; ++v)
    masks.push_back(c.lanesBelow(lanes, c.add(first, v * lanes), frame.size(form.e)));
  c.loop(c.constant(0), d, 1, [&](Value i) { store(i, form.state ? columnsOf(*form.state, {b, g, i}) : zeros()); });
  c.loop(c.constant(0), frame.size(form.length), 1, [&](Value t) { position(b, t, g); });
  c.loop(c.constant(0), d, 1, [&](Value i) { storeColumns(form.newState, {b, g, i}, load(i)); });
}

namespace {
class LinearAttentionLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "linear_attention"; }
  bool isFor(const Machine &) const override { return true; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<LinearAttentionForm>> form = LinearAttentionForm::of(kernel, reason);
    if (failed(form))
      return failure();
    LinearAttentionForm &f = **form;
    // Three passes over the state and one for each query head beyond the first.
    double passes = typicalSize(f.batch) * typicalSize(f.length) * (2 * typicalSize(f.keyHeads) + typicalSize(f.heads));
    int64_t lanes = machine.lanes(f.computed().getIntOrFloatBitWidth());
    Schedule schedule = f.single.schedule(passes * typicalSize(f.d) * (typicalSize(f.e) / lanes + 1) / 2.5 + 200);
    schedule.aliases = f.single.stateAliases(f.newState, f.state, f.op.getState());
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<LinearAttentionForm>> found = LinearAttentionForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("not a linear attention: ") << reason, failure();
    LinearAttentionForm &form = **found;
    int64_t vectors = 1, columns = LinearAttentionWriter::columns(form, machine, vectors);
    Stage stage = form.single.stage(
        kernel, machine, code, form.batch * form.keyHeads, [&](StageFrame &frame, KernelCode &c, Value task) {
          Value blocks = c.ceilDiv(frame.size(form.e), columns), heads = frame.size(form.keyHeads);
          Value head = c.div(task, blocks);
          LinearAttentionWriter(frame, c, form, vectors)
              .task(c.div(head, heads), c.rem(head, heads), c.mul(c.rem(task, blocks), columns));
        });
    // A task is a block of columns of a head.
    stage.tasks = stage.tasks * form.single.inSymbols(form.e).ceilDiv(columns);
    AffineExpr d = form.single.inSymbols(form.d);
    int64_t lanes = columns / vectors;
    stage.workspaceBytes = (d * columns + d + lanes) * bytesOf(form.computed());
    return SmallVector<Stage>{stage};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createLinearAttentionLowering() {
  return std::make_unique<LinearAttentionLowering>();
}
