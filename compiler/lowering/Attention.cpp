// The attention lowering: attention of f32, f16 or bf16 with any masks, regions and results, but hardmax.
#include "compiler/lowering/Attention.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

DictionaryAttr AttentionSchedule::attributes(MLIRContext *context) const {
  Builder b(context);
  return b.getDictionaryAttr(
      {b.getNamedAttr("vectors", b.getI64IntegerAttr(vectors)), b.getNamedAttr("exact", b.getI64IntegerAttr(exact)),
       b.getNamedAttr("block", b.getI64IntegerAttr(block)), b.getNamedAttr("copy", b.getI64IntegerAttr(copy))});
}

AttentionSchedule AttentionSchedule::of(DictionaryAttr attributes) {
  AttentionSchedule s;
  for (auto [name, value] : {std::pair<StringRef, int64_t &>("vectors", s.vectors),
                             {"exact", s.exact},
                             {"block", s.block},
                             {"copy", s.copy}})
    if (auto attr = attributes.getAs<IntegerAttr>(name))
      value = attr.getInt();
  return s;
}

static double typical(const data::DimExpr &expr) {
  constexpr double kTypicalDim = 128;
  double sum = 0;
  for (auto &[monomial, coefficient] : expr.getTerms())
    sum += coefficient * std::pow(kTypicalDim, monomial.size());
  return sum;
}

namespace {
class AttentionLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "attention"; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, DictionaryAttr requested,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
    if (failed(form))
      return failure();
    AttentionForm &f = **form;
    if (reason = refusal(f, machine.lanes(32)); !reason.empty())
      return failure();
    AttentionSchedule s;
    // The widest tile whose sums fit the registers.
    s.vectors = machine.vectorRegisters >= 32 ? 4 : 2;
    // Weights that are stored want the first-level cache for more than the tile's scores.
    if (f.needsWeights() && f.m.getConstant().value_or(INT64_MAX) > s.vectors * machine.lanes(32))
      s.vectors = std::min<int64_t>(s.vectors, 3);
    if (!takeRequested(requested, "vectors", 1, machine.vectorRegisters >= 32 ? 4 : 2, 1, s.vectors, reason))
      return failure();
    // Scores take a quarter of the second-level cache; keys and values want the rest.
    s.exact = std::clamp<int64_t>(machine.l2Bytes / 4 / (s.vectors * machine.lanes(32) * 4), 512, 4096);
    // The room for scores is that of `exact` keys.
    if (!takeRequested(requested, "exact", 1, 1 << 16, 1, s.exact, reason))
      return failure();
    s.block = std::min(s.block, s.exact);
    if (!takeRequested(requested, "block", 1, s.exact, 1, s.block, reason) ||
        !takeRequested(requested, "copy", 0, INT32_MAX, 1, s.copy, reason))
      return failure();
    Schedule schedule;
    schedule.attributes = s.attributes(kernel.op->getContext());
    schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(kernel.op->getContext()));
    // Queries lie in lanes: those of the last vector are paid for whether they exist or not.
    double queries = std::ceil(typical(f.m) / machine.lanes(32)) * machine.lanes(32);
    double rows = typical(f.batch) * f.heads * queries, perCycle = 4.0 * machine.lanes(32);
    double keys = typicalKeys(f, typical(f.m), typical(f.n), s.vectors * machine.lanes(32));
    schedule.nanoseconds = rows * keys * (2.0 * (f.d + f.e) / perCycle / 0.85 + 10.0 / machine.lanes(32)) / 2.5 + 200;
    return schedule;
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(KernelView(kernel), reason);
    if (failed(form))
      return kernel.emitError("not an attention: ") << reason, failure();
    return emitAttention(kernel, **form, AttentionSchedule::of(kernel.getSchedule()), machine, code);
  }

  SmallVector<Traffic> traffic(const KernelView &kernel) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
    return failed(form) ? KernelLowering::traffic(kernel) : (*form)->traffic();
  }

private:
  /// A clause on what keeps this lowering from an attention; empty if nothing does.
  static std::string refusal(AttentionForm &form, int64_t lanes) {
    if (form.online())
      return "it goes on from a state";
    if (!form.hasStaticSizes())
      return "the size of the keys or values is not known before run time";
    attn::AttentionOp op = form.whole();
    if (!computedType(form.element).isF32())
      return "the elements are not f32, f16 or bf16";
    bool isSoftmax = op.getNormalizer() == attn::Normalizer::softmax, isNan = op.getEmptyRows() == attn::EmptyRows::nan;
    if (op.getNormalizer() == attn::Normalizer::hardmax)
      return "the normaliser is 'hardmax'";
    if (isNan && (!isSoftmax || (!op.getWeight().empty() && form.hasDeadKeys())))
      return "rows without keys are NaN, and the normaliser is not softmax or there is a weight region";
    for (const AttentionForm::Extra &extra : form.extras) {
      // A dim of one element or none has no stride.
      const data::DimExpr &size = extra.access.strides.size() == 3 ? form.m : form.n;
      if (size.getConstant().value_or(2) > 1 && !extra.access.strides.back().isConstant(1))
        return "the elements of a result besides the output do not lie one after the other";
    }
    if (op.getNormalizer() == attn::Normalizer::none && op.hasExtra(attn::Extra::scores))
      return "masked scores are a result, and they are the weights";
    if (form.blockMask) {
      if (op.getBlock()[0] % lanes != 0)
        return "the blocks of queries of the block mask are no multiple of " + std::to_string(lanes);
      if (!isSoftmax || form.needsWeights() || op.hasExtra(attn::Extra::scores) || op.hasExtra(attn::Extra::tap))
        return "there is a block mask, and scores or weights of all keys are needed";
    }
    if (form.e > 1 && (!form.v.strides[3].isConstant(1) || !form.out.strides[3].isConstant(1)))
      return "the columns of the values or of the result do not lie one after the other";
    if (form.d == 0 || form.e == 0)
      return "keys or values are empty";
    return {};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createAttentionLowering() {
  return std::make_unique<AttentionLowering>();
}
