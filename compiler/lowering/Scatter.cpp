// Scatter in two stages: the source is copied, then the updates are applied. Updates that differ in a dim that is a
// place cannot meet: these dims are the tasks, but for the last one, which is the inner loop. The others run in order.
#include "compiler/lowering/SingleOp.h"
#include "dialects/data/Data.h"
#include "runtime/include/fovea/abi.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;
using fovea::data::ScatterKind;
using Values = KernelCode::Values;

namespace {
struct ScatterForm {
  SingleOp single;
  data::ScatterOp op;
  Access source, indices, updates, result;
  SmallVector<DimExpr> shape, space;  ///< of the result and of the updates
  SmallVector<unsigned> tasks, loops; ///< dims of the updates
  ScatterForm(const KernelView &kernel, std::string &reason)
      : single(kernel, data::ScatterOp::getOperationName(), reason) {}
  static FailureOr<std::unique_ptr<ScatterForm>> of(const KernelView &kernel, std::string &reason);
  unsigned leading() const { return indices.strides.size() - 1; }
  SmallVector<DimExpr> taskSizes() const {
    return llvm::map_to_vector(tasks, [&](unsigned d) { return space[d]; });
  }
};
} // namespace

FailureOr<std::unique_ptr<ScatterForm>> ScatterForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<ScatterForm>(kernel, reason);
  SingleOp &single = form->single;
  if (!single)
    return failure();
  data::ScatterOp op = form->op = cast<data::ScatterOp>(single.op);
  form->shape = single.dims.shape(op.getInit()), form->space = single.dims.shape(op.getUpdates());
  SmallVector<DimExpr> places = single.dims.shape(op.getIndices());
  SmallVector<DimExpr> at(ArrayRef(form->space).take_front(places.size() - 1));
  at.push_back(places.back());
  if (failed(single.operand(op.getSource(), form->shape, form->source, reason)) ||
      failed(single.operand(op.getIndices(), at, form->indices, reason)) ||
      failed(single.operand(op.getUpdates(), form->space, form->updates, reason)) ||
      failed(single.result(op.getResult(), op.getInit(), form->shape, form->result, reason)))
    return failure();
  llvm::SmallBitVector isPlace(form->space.size());
  for (auto [d, place] : llvm::enumerate(op.getPlaces().getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(place)) {
      isPlace.set(dim.getPosition());
      single.expectAtMost(form->space[dim.getPosition()], form->shape[d]);
    }
  for (unsigned d = 0; d < form->space.size(); ++d)
    (isPlace[d] && d + 1 < form->space.size() ? form->tasks : form->loops).push_back(d);
  return form;
}

namespace {
class ScatterWriter {
public:
  ScatterWriter(StageFrame &frame, KernelCode &c, ScatterForm &form)
      : frame(frame), c(c), form(form), element(getElementTypeOrSelf(form.op.getSource().getType())) {}
  void copy(Value task);
  void update(Value task);

private:
  void loopFrom(size_t loop, Values u, Value inside);
  Value readIndices(ArrayRef<Value> u);
  Value combine(Value x, Value y);
  void apply(ArrayRef<Value> u);

  StageFrame &frame;
  KernelCode &c;
  ScatterForm &form;
  Type element;
  Values components; ///< of the index of the updates that are being applied
};
} // namespace

/// Everything along the last dim.
void ScatterWriter::copy(Value task) {
  Values outer = indexOfTask(frame, c, task, ArrayRef(form.shape).drop_back());
  Value from = placeOf(frame, c, form.source, outer), to = placeOf(frame, c, form.result, outer);
  const DimExpr &fromStep = form.source.strides.back(), &toStep = form.result.strides.back();
  Value count = frame.size(form.shape.back());
  if (fromStep.isConstant(1) && toStep.isConstant(1)) {
    LLVM::MemcpyOp::create(c.b, c.loc, to, from, c.mul(count, bytesOf(element)), /*isVolatile=*/false);
    return;
  }
  c.loop(c.constant(0), count, 1, [&](Value i) {
    Value x = c.load(element, c.address(from, element, c.mul(i, frame.size(fromStep))));
    c.store(x, c.address(to, element, c.mul(i, frame.size(toStep))), {}, element);
  });
}

/// Loads the index of an update; whether all of it is inside of the result. Reports it if not.
Value ScatterWriter::readIndices(ArrayRef<Value> u) {
  components.assign(form.op.getPlaces().getNumSymbols(), Value());
  Value inside = arith::ConstantOp::create(c.b, c.loc, c.b.getBoolAttr(true));
  Type type = elementOf(form.indices), i64 = c.b.getI64Type();
  Values at(u.begin(), u.begin() + form.leading());
  at.push_back(Value());
  for (auto [d, place] : llvm::enumerate(form.op.getPlaces().getResults())) {
    auto symbol = dyn_cast<AffineSymbolExpr>(place);
    if (!symbol)
      continue;
    at.back() = c.constant(symbol.getPosition());
    Value index = c.load(type, placeOf(frame, c, form.indices, at)), size = frame.size(form.shape[d]);
    if (type.getIntOrFloatBitWidth() < 64)
      index = arith::ExtSIOp::create(c.b, c.loc, i64, index);
    else if (type != i64)
      index = arith::TruncIOp::create(c.b, c.loc, i64, index);
    index = c.select(c.less(index, c.constant(0)), c.add(index, size), index);
    inside = arith::AndIOp::create(c.b, c.loc, inside, c.compare(arith::CmpIPredicate::ult, index, size));
    components[symbol.getPosition()] = index;
  }
  c.when(
      inside, [] {},
      [&] {
        constexpr int64_t kind = int64_t(FOVEA_FAULT_INDEX) << FOVEA_FAULT_KIND_SHIFT;
        frame.store(c.constant(frame.faultNumber() | kind), frame.fault());
      });
  return inside;
}

Value ScatterWriter::combine(Value x, Value y) {
  auto make = [&]<typename FloatOp, typename IntOp, typename NaturalOp>() -> Value {
    if (isa<FloatType>(x.getType()))
      return FloatOp::create(c.b, c.loc, x, y);
    return form.op.getNatural() ? NaturalOp::create(c.b, c.loc, x, y).getResult()
                                : IntOp::create(c.b, c.loc, x, y).getResult();
  };
  bool truth = element.isInteger(1);
  switch (form.op.getKind()) {
  case ScatterKind::set:
    return y;
  case ScatterKind::add:
    return truth ? arith::OrIOp::create(c.b, c.loc, x, y).getResult()
                 : make.template operator()<arith::AddFOp, arith::AddIOp, arith::AddIOp>();
  case ScatterKind::mul:
    return make.template operator()<arith::MulFOp, arith::MulIOp, arith::MulIOp>();
  case ScatterKind::max: // true is the least signed number of one bit
    return truth ? arith::OrIOp::create(c.b, c.loc, x, y).getResult()
                 : make.template operator()<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>();
  case ScatterKind::min:
    return truth ? arith::AndIOp::create(c.b, c.loc, x, y).getResult()
                 : make.template operator()<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>();
  }
  llvm_unreachable("all kinds are handled");
}

void ScatterWriter::apply(ArrayRef<Value> u) {
  Values at;
  for (AffineExpr place : form.op.getPlaces().getResults()) {
    auto symbol = dyn_cast<AffineSymbolExpr>(place);
    at.push_back(symbol ? components[symbol.getPosition()] : u[cast<AffineDimExpr>(place).getPosition()]);
  }
  Value to = placeOf(frame, c, form.result, at), update = c.load(element, placeOf(frame, c, form.updates, u));
  if (form.op.getKind() != ScatterKind::set)
    update = combine(c.load(element, to), update);
  c.store(update, to, {}, element);
}

/// The loops from number `loop` on; `inside` where the index has been read.
void ScatterWriter::loopFrom(size_t loop, Values u, Value inside) {
  bool known = llvm::all_of(ArrayRef(u).take_front(form.leading()), [](Value v) { return bool(v); });
  if (!inside && known) {
    inside = readIndices(u);
    c.when(inside, [&] { loopFrom(loop, u, inside); });
    return;
  }
  if (loop == form.loops.size())
    return apply(u);
  c.loop(c.constant(0), frame.size(form.space[form.loops[loop]]), 1, [&](Value i) {
    Values next = u;
    next[form.loops[loop]] = i;
    loopFrom(loop + 1, next, inside);
  });
}

void ScatterWriter::update(Value task) {
  Values u(form.space.size()), outer = indexOfTask(frame, c, task, form.taskSizes());
  for (auto [d, i] : llvm::zip(form.tasks, outer))
    u[d] = i;
  loopFrom(0, u, Value());
}

namespace {
class ScatterLowering : public KernelLowering {
public:
  llvm::StringRef name() const override { return "scatter"; }
  bool isFor(const Machine &) const override { return true; }

  FailureOr<Schedule> plan(const KernelView &kernel, const Machine &, DictionaryAttr,
                           std::string &reason) const override {
    FailureOr<std::unique_ptr<ScatterForm>> form = ScatterForm::of(kernel, reason);
    if (failed(form))
      return failure();
    constexpr double kNanosecondsOfACopy = 0.3, kNanosecondsOfAnUpdate = 2;
    return (*form)->single.schedule(typicalSize((*form)->shape) * kNanosecondsOfACopy +
                                    typicalSize((*form)->space) * kNanosecondsOfAnUpdate + 400);
  }

  FailureOr<SmallVector<Stage>> emit(exec::KernelDefOp kernel, const Machine &machine, ModuleOp code) const override {
    std::string reason;
    FailureOr<std::unique_ptr<ScatterForm>> found = ScatterForm::of(KernelView(kernel), reason);
    if (failed(found))
      return kernel.emitError("not a scatter: ") << reason, failure();
    ScatterForm &form = **found;
    SmallVector<Stage> stages;
    auto add = [&](StringRef suffix, const DimExpr &tasks, void (ScatterWriter::*write)(Value)) {
      stages.push_back(form.single.stage(
          kernel, machine, code, tasks,
          [&](StageFrame &frame, KernelCode &c, Value task) { (ScatterWriter(frame, c, form).*write)(task); }, suffix));
    };
    add("_copy", productOf(ArrayRef(form.shape).drop_back()), &ScatterWriter::copy);
    add("_update", productOf(form.taskSizes()), &ScatterWriter::update);
    return stages;
  }
};
} // namespace

std::unique_ptr<KernelLowering> fovea::lowering::createScatterLowering() { return std::make_unique<ScatterLowering>(); }
