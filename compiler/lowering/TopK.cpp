// The k best elements of each row: one task a row. The best so far are a heap of indices with the worst on top, in the
// workspace; taken off one by one they are in order. n elements take n comparisons and, for each that is better than
// the worst, log k steps.
#include "compiler/lowering/SingleOp.h"
#include "dialects/data/Data.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using Values = KernelCode::Values;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

namespace {
struct TopKForm {
  SingleOp single;
  data::TopKOp op;
  SmallVector<DimExpr> rows; ///< sizes of the dims without the axis
  DimExpr count, k;
  Access source, values, indices;
  TopKForm(const KernelView &kernel, std::string &reason) : single(kernel, data::TopKOp::getOperationName(), reason) {}
  static FailureOr<std::unique_ptr<TopKForm>> of(const KernelView &kernel, std::string &reason);
};
} // namespace

FailureOr<std::unique_ptr<TopKForm>> TopKForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<TopKForm>(kernel, reason);
  SingleOp &single = form->single;
  if (!single)
    return failure();
  data::TopKOp op = form->op = cast<data::TopKOp>(single.op);
  SmallVector<DimExpr> from = single.dims.shape(op.getSource()), to = single.dims.shape(op.getValuesInit());
  if (failed(single.operand(op.getSource(), from, form->source, reason)) ||
      failed(single.result(op.getValues(), op.getValuesInit(), to, form->values, reason)) ||
      failed(single.result(op.getIndices(), op.getIndicesInit(), to, form->indices, reason)))
    return failure();
  for (auto [d, size] : llvm::enumerate(from)) {
    bool isAxis = d == op.getAxis();
    (isAxis ? form->count : form->rows.emplace_back()) = size;
    if (isAxis)
      single.expectAtMost(to[d], size);
    else
      single.expectEqual(to[d], size);
  }
  form->k = to[op.getAxis()];
  return form;
}

namespace {
/// Writes the code for one row.
class TopKWriter {
public:
  TopKWriter(StageFrame &frame, KernelCode &c, TopKForm &form)
      : frame(frame), c(c), form(form), i64(c.b.getI64Type()),
        element(getElementTypeOrSelf(form.op.getSource().getType())) {}
  void row(Value task);

private:
  Value at(Value place) { return c.address(frame.workspace(), i64, place); }
  Value indexAt(Value place) { return c.load(i64, at(place)); }
  Value valueOf(Value index) { return c.load(element, c.address(source, element, c.mul(index, sourceStep))); }
  Value both(Value x, Value y) { return arith::AndIOp::create(c.b, c.loc, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(c.b, c.loc, x, y); }
  Value isAbove(Value x, Value y);
  Value isBefore(Value i, Value j);
  void sift(Value start, Value end, Value item);

  StageFrame &frame;
  KernelCode &c;
  TopKForm &form;
  Type i64, element;
  Value source, sourceStep;
};
} // namespace

Value TopKWriter::isAbove(Value x, Value y) {
  if (!isa<FloatType>(x.getType()))
    return c.compare(form.op.getNatural() ? CmpIPredicate::ugt : CmpIPredicate::sgt, x, y);
  auto compare = [&](CmpFPredicate p, Value a, Value b) -> Value { return arith::CmpFOp::create(c.b, c.loc, p, a, b); };
  // Greater or unordered, of a y that is a number.
  return both(compare(CmpFPredicate::UGT, x, y), compare(CmpFPredicate::ORD, y, y));
}

/// Whether element i stands in front of element j in the result.
Value TopKWriter::isBefore(Value i, Value j) {
  Value x = valueOf(i), y = valueOf(j), above = isAbove(x, y), below = isAbove(y, x);
  if (form.op.getSmallest())
    std::swap(above, below);
  Value no = arith::ConstantOp::create(c.b, c.loc, c.b.getBoolAttr(false));
  return either(above, both(c.equal(below, no), c.less(i, j)));
}

/// Puts `item` where it belongs in the heap of places [start, end), whose place `start` is free; end > start.
void TopKWriter::sift(Value start, Value end, Value item) {
  Value last = c.sub(end, 1);
  auto loop = scf::WhileOp::create(
      c.b, c.loc, TypeRange{i64, i64}, ValueRange{start},
      [&](OpBuilder &b, Location loc, ValueRange hole) {
        Value child = c.add(c.mul(hole[0], 2), 1), left = c.min(child, last), right = c.min(c.add(child, 1), last);
        Value worse = c.select(isBefore(indexAt(left), indexAt(right)), right, left);
        Value down = both(c.less(child, end), isBefore(item, indexAt(worse)));
        scf::ConditionOp::create(b, loc, down, {hole[0], worse});
      },
      [&](OpBuilder &b, Location loc, ValueRange s) {
        c.store(indexAt(s[1]), at(s[0]));
        scf::YieldOp::create(b, loc, s[1]);
      });
  c.store(item, at(loop.getResult(0)));
}

void TopKWriter::row(Value task) {
  Values outer = indexOfTask(frame, c, task, form.rows), place = outer;
  int64_t axis = form.op.getAxis();
  place.insert(place.begin() + axis, Value());
  source = placeOf(frame, c, form.source, place), sourceStep = frame.size(form.source.strides[axis]);
  Value values = placeOf(frame, c, form.values, place), indices = placeOf(frame, c, form.indices, place);
  Value valueStep = frame.size(form.values.strides[axis]), indexStep = frame.size(form.indices.strides[axis]);
  Value n = frame.size(form.count), k = frame.size(form.k), zero = c.constant(0);
  c.loop(zero, k, 1, [&](Value i) { c.store(i, at(i)); });
  Value half = c.div(k, 2);
  c.loop(zero, half, 1, [&](Value i) {
    Value start = c.sub(c.sub(half, 1), i);
    sift(start, k, indexAt(start));
  });
  c.when(c.less(zero, k),
         [&] { c.loop(k, n, 1, [&](Value i) { c.when(isBefore(i, indexAt(zero)), [&] { sift(zero, k, i); }); }); });
  c.loop(zero, k, 1, [&](Value i) {
    Value end = c.sub(c.sub(k, 1), i), worst = indexAt(zero), item = indexAt(end);
    c.store(valueOf(worst), c.address(values, element, c.mul(end, valueStep)), {}, element);
    c.store(worst, c.address(indices, i64, c.mul(end, indexStep)));
    c.when(c.less(zero, end), [&] { sift(zero, end, item); });
  });
}

namespace {
class TopKLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "top_k"; }
  bool isFor(const Machine &) const override { return true; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<TopKForm>> form = TopKForm::of(kernel, reason);
    if (failed(form))
      return failure();
    double rows = typicalSize((*form)->rows), n = typicalSize((*form)->count),
           k = std::max(1.0, typicalSize((*form)->k));
    constexpr double kNanosecondsOfAnElement = 1, kNanosecondsOfAStep = 4;
    return (*form)->single.schedule(
        rows * (n * kNanosecondsOfAnElement + 2 * k * (1 + std::log2(k)) * kNanosecondsOfAStep) + 200);
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<TopKForm>> found = TopKForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("not a top_k: ") << reason, failure();
    TopKForm &form = **found;
    Stage stage =
        form.single.stage(kernel, machine, code, productOf(form.rows),
                          [&](StageFrame &frame, KernelCode &c, Value task) { TopKWriter(frame, c, form).row(task); });
    stage.workspaceBytes = form.single.inSymbols(form.k) * 8;
    return SmallVector<Stage>{stage};
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createTopKLowering() { return std::make_unique<TopKLowering>(); }
