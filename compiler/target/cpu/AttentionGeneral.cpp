// Attention of any form: combine and weight regions, every normaliser, f64 and narrow floats, any strides. One query
// row at a time, its scores in the workspace; what runs along keys, or along the columns of keys and values where these
// lie one after the other, is done a vector at a time.
#include "compiler/target/cpu/Attention.h"
#include "compiler/target/cpu/Body.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::cpu;
using Values = KernelCode::Values;

namespace {
class RowWriter {
public:
  RowWriter(StageFrame &frame, KernelCode &c, AttentionForm &form)
      : frame(frame), c(c), form(form), op(form.op), type(op.getScoreType()),
        lanes(c.machine.lanes(type.getIntOrFloatBitWidth())), wide(c.vector(type, lanes)) {}
  void row(Value b, Value h, Value i);

private:
  struct Place {
    Value b, h, g, i;
  };
  void products(const Place &at, Value from, Value to);
  Value product(const Place &at, Value j);
  Value terms(Value x, Value y, Value mask);
  Values overKeys(Value from, Value to, Values state,
                  llvm::function_ref<Values(Value j, Value mask, ValueRange state)> body);
  void apply(Region &region, const Place &at, Value from, Value to);
  Value maximum(Value from, Value to);
  Value normalize(Value from, Value to);
  void combineValues(const Place &at, Value from, Value to, Value factor);
  Value score(Value j) { return c.address(frame.workspace(), type, j); }
  Value widened(Value v) {
    Type to = isa<VectorType>(v.getType()) ? Type(wide) : type;
    return v.getType() == to ? v : arith::ExtFOp::create(c.b, c.loc, to, v);
  }
  Value negativeInfinity(Type t) { return c.number(t, -std::numeric_limits<double>::infinity()); }

  StageFrame &frame;
  KernelCode &c;
  AttentionForm &form;
  attn::AttentionOp op;
  Type type;
  int64_t lanes;
  VectorType wide;
};
} // namespace

/// A loop over vectors of keys, the last one with a mask.
Values RowWriter::overKeys(Value from, Value to, Values state,
                           llvm::function_ref<Values(Value, Value, ValueRange)> body) {
  Value whole = c.sub(to, c.rem(c.sub(to, from), c.constant(lanes)));
  state = c.loop(from, whole, lanes, state, [&](Value j, ValueRange s) { return body(j, {}, s); });
  return c.loop(whole, to, lanes, state, [&](Value j, ValueRange s) { return body(j, c.lanesBelow(lanes, j, to), s); });
}

/// What elements of a query and a key add to the score.
Value RowWriter::terms(Value x, Value y, Value mask) {
  if (op.getCombine().empty())
    return c.mulf(widened(x), widened(y));
  BodyContext context;
  context.lanes = isa<VectorType>(x.getType()) ? lanes : 0;
  context.mask = mask;
  Value v = emitBody(frame, op.getCombine().front(), {x, y}, context)[0];
  return mask ? c.select(mask, v, c.number(wide, 0)) : v;
}

Value RowWriter::product(const Place &at, Value j) {
  Value q = placeOf(frame, c, form.q, {at.b, at.h, at.i}), k = placeOf(frame, c, form.k, {at.b, at.g, j});
  Value size = c.constant(form.d), zero = c.constant(0);
  bool unit = form.q.strides[3].isConstant(1) && form.k.strides[3].isConstant(1);
  int64_t whole = unit ? form.d / lanes * lanes : 0;
  Value sum = c.number(type, 0);
  if (unit) {
    VectorType narrow = c.vector(form.element, lanes);
    auto at = [&](Value d, Value mask) {
      return terms(c.load(narrow, c.address(q, form.element, d), mask),
                   c.load(narrow, c.address(k, form.element, d), mask), mask);
    };
    Value partial = c.loop(zero, c.constant(whole), lanes, Values{c.number(wide, 0)},
                           [&](Value d, ValueRange s) { return Values{c.addf(s[0], at(d, {}))}; })[0];
    if (form.d % lanes)
      partial = c.addf(partial, at(c.constant(whole), c.lanesBelow(lanes, c.constant(whole), size)));
    sum = vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD, partial);
  } else {
    sum = c.loop(zero, size, 1, Values{sum}, [&](Value d, ValueRange s) {
      Value x = c.load(form.element, c.address(q, form.element, c.mul(d, frame.size(form.q.strides[3]))));
      Value y = c.load(form.element, c.address(k, form.element, c.mul(d, frame.size(form.k.strides[3]))));
      return Values{c.addf(s[0], terms(x, y, {}))};
    })[0];
  }
  // A combine region stands for scale * product.
  return op.getCombine().empty() ? c.mulf(sum, c.number(type, op.getScale().convertToDouble())) : sum;
}

void RowWriter::products(const Place &at, Value from, Value to) {
  c.loop(from, to, 1, [&](Value j) { c.store(product(at, j), score(j)); });
}

/// The score or weight region for all keys of the row.
void RowWriter::apply(Region &region, const Place &at, Value from, Value to) {
  if (region.empty())
    return;
  overKeys(from, to, {}, [&](Value j, Value mask, ValueRange) {
    BodyContext context;
    context.lanes = lanes;
    context.mask = mask;
    Values arguments{c.load(wide, score(j), mask), at.b, at.h, at.i, c.iota(lanes, j)};
    for (auto [capture, access] : llvm::zip(op.getCaptures(), form.captures)) {
      Type element = getElementTypeOrSelf(capture.getType());
      Value place = placeOf(frame, c, access, {at.b, at.h, at.i, j});
      const data::DimExpr &stride = access.strides[3];
      if (stride.isConstant(0))
        arguments.push_back(c.load(element, place));
      else if (stride.isConstant(1))
        arguments.push_back(c.load(c.vector(element, lanes), place, mask));
      else
        arguments.push_back(c.gather(c.vector(element, lanes), place, frame.size(stride), mask));
    }
    c.store(emitBody(frame, region.front(), arguments, context)[0], score(j), mask);
    return Values{};
  });
}

Value RowWriter::maximum(Value from, Value to) {
  Values best = overKeys(from, to, {negativeInfinity(wide)}, [&](Value j, Value mask, ValueRange s) {
    Value x = c.load(wide, score(j), mask);
    if (mask)
      x = c.select(mask, x, negativeInfinity(wide));
    return Values{c.maxf(x, s[0])};
  });
  return vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::MAXNUMF, best[0]);
}

/// Makes weights of the scores; a factor for all of them, and NaN or 0 for a row without keys.
Value RowWriter::normalize(Value from, Value to) {
  Value one = c.number(type, 1);
  double emptyValue = op.getEmptyRows() == attn::EmptyRows::nan ? std::numeric_limits<double>::quiet_NaN() : 0;
  Value empty = c.number(type, emptyValue), noKeys = c.compare(arith::CmpIPredicate::sle, to, from);
  if (op.getNormalizer() == attn::Normalizer::sigmoid)
    overKeys(from, to, {}, [&](Value j, Value mask, ValueRange) {
      c.store(attn::SigmoidOp::create(c.b, c.loc, c.load(wide, score(j), mask)), score(j), mask);
      return Values{};
    });
  if (op.getNormalizer() == attn::Normalizer::sigmoid || op.getNormalizer() == attn::Normalizer::none)
    return c.select(noKeys, empty, one);
  Value top = maximum(from, to);
  if (op.getNormalizer() == attn::Normalizer::hardmax) {
    // The first of the largest.
    Value first = c.loop(from, to, 1, Values{to}, [&](Value j, ValueRange s) {
      Value hit = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, c.load(type, score(j)), top);
      return Values{c.min(s[0], c.select(hit, j, to))};
    })[0];
    c.loop(from, to, 1, [&](Value j) { c.store(c.select(c.equal(j, first), one, c.number(type, 0)), score(j)); });
    return c.select(noKeys, empty, one);
  }
  Value dead = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, top, negativeInfinity(type));
  top = c.splat(wide, c.select(dead, c.number(type, 0), top));
  Values sums = overKeys(from, to, {c.number(wide, 0)}, [&](Value j, Value mask, ValueRange s) {
    Value p = math::ExpOp::create(c.b, c.loc, c.subf(c.load(wide, score(j), mask), top));
    c.store(p, score(j), mask);
    return Values{c.addf(s[0], mask ? c.select(mask, p, c.number(wide, 0)) : p)};
  });
  Value sum = vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD, sums[0]);
  return c.select(dead, empty, c.divf(one, sum));
}

void RowWriter::combineValues(const Place &at, Value from, Value to, Value factor) {
  Value zero = c.constant(0), size = c.constant(form.e), eStride = frame.size(form.v.strides[3]),
        outStride = frame.size(form.out.strides[3]);
  Value v = placeOf(frame, c, form.v, {at.b, at.g}), rowStride = frame.size(form.v.strides[2]);
  Value out = placeOf(frame, c, form.out, {at.b, at.h, at.i});
  bool unit = form.v.strides[3].isConstant(1) && form.out.strides[3].isConstant(1);
  auto sumOf = [&](Type t, llvm::function_ref<Value(Value row)> load) {
    return c.loop(from, to, 1, Values{c.number(t, 0)}, [&](Value j, ValueRange s) {
      Value p = c.load(type, score(j));
      if (isa<VectorType>(t))
        p = c.splat(wide, p);
      return Values{c.fma(p, widened(load(c.address(v, form.element, c.mul(j, rowStride)))), s[0])};
    })[0];
  };
  auto narrowed = [&](Value x) {
    if (form.element == type)
      return x;
    Type to = isa<VectorType>(x.getType()) ? Type(c.vector(form.element, lanes)) : form.element;
    return Value(arith::TruncFOp::create(c.b, c.loc, to, x));
  };
  auto vectorAt = [&](Value e, Value mask) {
    Value sum = sumOf(
        wide, [&](Value row) { return c.load(c.vector(form.element, lanes), c.address(row, form.element, e), mask); });
    c.store(narrowed(c.mulf(sum, c.splat(wide, factor))), c.address(out, form.element, e), mask);
  };
  if (unit) {
    int64_t whole = form.e / lanes * lanes;
    c.loop(zero, c.constant(whole), lanes, [&](Value e) { vectorAt(e, {}); });
    if (form.e % lanes)
      vectorAt(c.constant(whole), c.lanesBelow(lanes, c.constant(whole), size));
    return;
  }
  c.loop(zero, size, 1, [&](Value e) {
    Value sum =
        sumOf(type, [&](Value row) { return c.load(form.element, c.address(row, form.element, c.mul(e, eStride))); });
    c.store(narrowed(c.mulf(sum, factor)), c.address(out, form.element, c.mul(e, outStride)));
  });
}

void RowWriter::row(Value b, Value h, Value i) {
  Place at{b, h, form.group == 1 ? h : c.div(h, form.group), i};
  KeyRange range = keyRange(frame, c, form, b, i, i);
  products(at, range.begin, range.end);
  apply(op.getScore(), at, range.begin, range.end);
  Value factor = normalize(range.begin, range.end);
  if (!op.getWeight().empty()) {
    // The region sees weights that are final.
    overKeys(range.begin, range.end, {}, [&](Value j, Value mask, ValueRange) {
      c.store(c.mulf(c.load(wide, score(j), mask), c.splat(wide, factor)), score(j), mask);
      return Values{};
    });
    apply(op.getWeight(), at, range.begin, range.end);
    Value dead = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::ORD, factor, factor);
    factor = c.select(dead, c.number(type, 1), factor);
  }
  combineValues(at, range.begin, range.end, factor);
}

namespace {
class AttentionGeneralLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "attention-general"; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &machine, std::string &reason) const override {
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
    if (failed(form))
      return failure();
    Schedule schedule;
    schedule.attributes = DictionaryAttr::get(kernel.op->getContext());
    schedule.layouts.assign(kernel.tensors().size(), exec::RowMajorAttr::get(kernel.op->getContext()));
    auto typical = [](const data::DimExpr &e) { return e.getConstant().value_or(128); };
    AttentionForm &f = **form;
    schedule.nanoseconds =
        double(typical(f.batch)) * f.heads * typical(f.m) * typical(f.n) * (5 + 0.1 * (f.d + f.e)) + 200;
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
    Value m = frame.size(form.m), heads = c.constant(form.heads);
    c.loop(frame.begin(), frame.end(), 1, [&](Value task) {
      Value head = c.div(task, m);
      RowWriter(frame, c, form).row(c.div(head, heads), c.rem(head, heads), c.rem(task, m));
    });
    frame.finish();
    auto index = [](const data::DimAtom &atom) -> unsigned { return cast<BlockArgument>(atom.value).getArgNumber(); };
    auto affine = [&](const data::DimExpr &e) { return e.toAffine(kernel.getContext(), index); };
    stage.tasks = affine(form.batch) * form.heads * affine(form.m);
    stage.workspaceBytes = affine(form.n) * bytesOf(form.op.getScoreType()) + 64;
    return SmallVector<Stage>{stage};
  }

  SmallVector<Traffic> traffic(const KernelView &kernel) const override {
    std::string reason;
    FailureOr<std::unique_ptr<AttentionForm>> form = AttentionForm::of(kernel, reason);
    return failed(form) ? KernelLowering::traffic(kernel) : (*form)->traffic();
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::cpu::createAttentionGeneralLowering() {
  return std::make_unique<AttentionGeneralLowering>();
}
