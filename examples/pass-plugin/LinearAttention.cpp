// A kernel lowering: attention without a normaliser and without masks is (q k^T) v = q (k^T v), whose right side needs
// no scores at all (Katharopoulos et al. 2020). It pays where there are more queries and keys than columns; the cost
// model decides.
#include "Passes.h"

#include "compiler/lowering/Attention.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using Values = KernelCode::Values;

namespace {
/// Writes the code for one head of keys and values, and the queries that share it.
class HeadWriter {
public:
  HeadWriter(StageFrame &frame, KernelCode &c, AttentionForm &form)
      : frame(frame), c(c), form(form), lanes(c.machine.lanes(32)), type(c.vector(c.b.getF32Type(), lanes)) {}

  void head(Value b, Value g) {
    overColumns([&](Value e, Value mask) { sums(b, g, e, mask); });
    Value group = c.constant(form.group), first = c.mul(g, group);
    c.loop(first, c.add(first, group), 1, [&](Value h) {
      c.loop(c.constant(0), frame.size(form.m), 1,
             [&](Value i) { overColumns([&](Value e, Value mask) { row(b, h, i, e, mask); }); });
    });
  }

private:
  void overColumns(llvm::function_ref<void(Value e, Value mask)> body) {
    int64_t whole = form.e / lanes * lanes;
    c.loop(c.constant(0), c.constant(whole), lanes, [&](Value e) { body(e, {}); });
    if (form.e % lanes)
      body(c.constant(whole), c.lanesBelow(lanes, c.constant(whole), c.constant(form.e)));
  }

  /// Row d of scale * k^T v, from column e on; D x E floats of workspace.
  Value place(Value d, Value e) { return c.address(frame.workspace(), c.b.getF32Type(), c.add(c.mul(d, form.e), e)); }

  void sums(Value b, Value g, Value e, Value mask) {
    // Some rows at a time share what is loaded of v.
    int64_t rows = form.d % 4 == 0 ? 4 : 1;
    c.loop(c.constant(0), c.constant(form.d), rows, [&](Value d) {
      Values zeros(rows, c.number(type, 0));
      Values sum = c.loop(c.constant(0), frame.size(form.n), 1, zeros, [&](Value j, ValueRange state) {
        Value v = c.load(type, placeOf(frame, c, form.v, {b, g, j, e}), mask);
        Values next;
        for (int64_t r = 0; r < rows; ++r) {
          Value k = c.load(c.b.getF32Type(), placeOf(frame, c, form.k, {b, g, j, c.add(d, r)}));
          next.push_back(c.fma(c.splat(type, k), v, state[r]));
        }
        return next;
      });
      Value scale = c.number(type, form.op.getScale().convertToDouble());
      for (int64_t r = 0; r < rows; ++r)
        c.store(c.mulf(sum[r], scale), place(c.add(d, r), e), mask);
    });
  }

  void row(Value b, Value h, Value i, Value e, Value mask) {
    Values sum =
        c.loop(c.constant(0), c.constant(form.d), 1, Values{c.number(type, 0)}, [&](Value d, ValueRange state) {
          Value q = c.load(c.b.getF32Type(), placeOf(frame, c, form.q, {b, h, i, d}));
          return Values{c.fma(c.splat(type, q), c.load(type, place(d, e), mask), state[0])};
        });
    if (double empty = form.emptyValue(); empty != 0) {
      Value none = c.equal(frame.size(form.n), c.constant(0));
      sum[0] = c.select(none, c.number(type, empty), sum[0]);
    }
    c.store(sum[0], placeOf(frame, c, form.out, {b, h, i, e}), mask);
  }

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  int64_t lanes;
  VectorType type;
};

class LinearAttention : public KernelLowering {
public:
  StringRef name() const override { return "linear-attention"; }

  /// There is nothing to choose, so nothing of `requested` to take: what is asked for must be in the schedule.
  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
    if (failed(form))
      return failure();
    AttentionForm &f = **form;
    if (reason = refusal(f); !reason.empty())
      return failure();
    Schedule schedule;
    schedule.attributes = DictionaryAttr::get(kernel.op->getContext());
    schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(kernel.op->getContext()));
    // One multiplication and addition a cycle and lane, for every key and every query.
    auto typical = [](const data::DimExpr &size) { return static_cast<double>(size.getConstant().value_or(128)); };
    double rows = typical(f.batch) * (f.heads / f.group * typical(f.n) + f.heads * typical(f.m));
    constexpr double kCyclesPerNanosecond = 2.5;
    schedule.nanoseconds = rows * f.d * llvm::divideCeil(f.e, machine.lanes(32)) / kCyclesPerNanosecond + 200;
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> found = AttentionForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("not an attention: ") << reason, failure();
    AttentionForm &form = **found;
    Stage stage;
    stage.function = kernel.getSymName().str();
    StageFrame frame(KernelView(kernel), code, stage.function);
    KernelCode c(frame.builder(), frame.loc(), machine);
    Value heads = c.constant(form.heads / form.group);
    c.loop(frame.begin(), frame.end(), 1,
           [&](Value task) { HeadWriter(frame, c, form).head(c.div(task, heads), c.rem(task, heads)); });
    frame.finish();
    auto symbol = [](const data::DimAtom &atom) -> unsigned { return cast<BlockArgument>(atom.value).getArgNumber(); };
    stage.tasks = form.batch.toAffine(kernel.getContext(), symbol) * (form.heads / form.group);
    stage.workspaceBytes = getAffineConstantExpr(form.d * form.e * 4, kernel.getContext());
    return SmallVector<Stage>{stage};
  }

private:
  /// What keeps this lowering from an attention, as a clause; empty if nothing does.
  static std::string refusal(AttentionForm &form) {
    auto op = dyn_cast<attn::AttentionOp>(form.op.getOperation());
    if (!op)
      return "it goes on from a state";
    if (op.getNormalizer() != attn::Normalizer::none)
      return "the scores are normalised";
    if (!op.getCombine().empty() || !op.getScore().empty() || !op.getWeight().empty())
      return "there is a combine, score or weight region";
    if (form.hasDeadKeys() || form.blockMask)
      return "keys are masked";
    if (!form.extras.empty())
      return "there are results besides the output";
    if (!form.element.isF32())
      return "the elements are not f32";
    if (form.d == 0 || form.e == 0)
      return "keys or values are empty";
    if (form.e > 1 && (!form.v.strides[3].isConstant(1) || !form.out.strides[3].isConstant(1)))
      return "the columns of the values or of the result do not lie one after the other";
    return {};
  }
};
} // namespace

std::unique_ptr<KernelLowering> sample::createLinearAttentionLowering() { return std::make_unique<LinearAttention>(); }
