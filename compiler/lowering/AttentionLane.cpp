#include "compiler/lowering/AttentionLane.h"
#include "compiler/lowering/Body.h"
#include "compiler/lowering/Threads.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

static constexpr double kLowest = -std::numeric_limits<double>::infinity();

std::string fovea::lowering::refusalOfLanes(AttentionForm &form) {
  if (form.online() || form.normalizer() != attn::Normalizer::softmax)
    return "it is no softmax over all keys";
  if (form.needsWeights() || form.hasExtra(attn::Extra::scores) || form.hasExtra(attn::Extra::tap))
    return "weights or scores are wanted";
  if (!form.op.getCombine().empty() || form.blockMask)
    return "it has a combine region or a mask of blocks";
  if (!form.hasStaticSizes())
    return "the size of the keys or values is not known before run time";
  if (form.d == 0 || form.e == 0)
    return "keys or values are empty";
  return {};
}

Value AttentionLane::exponential(Value x) { return math::ExpOp::create(c.b, c.loc, x); }

Value AttentionLane::isLowest(Value x) {
  return arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, x, c.number(type, kLowest));
}

Value AttentionLane::queryColumn(Value row, Value d) {
  Value x = c.load(form.element, c.address(row, form.element, c.mul(d, frame.size(form.q.strides[3]))));
  return c.mulf(x, c.number(type, op.getScale().convertToDouble()));
}

AttentionLane::Values AttentionLane::rowsOf(Value head, const Access &access, const Values &numbers) {
  Values rows;
  for (Value number : numbers)
    rows.push_back(c.address(head, form.element, c.mul(number, frame.size(access.strides[2]))));
  return rows;
}

AttentionLane::Values AttentionLane::part(const Access &access, Value row, Value from, int64_t count, bool byFour) {
  if (isByFour(access, 3))
    return loadRun(c, form.element, c.address(row, form.element, from), count, byFour);
  Values all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(
        c.load(form.element, c.address(row, form.element, c.mul(c.add(from, i), frame.size(access.strides[3])))));
  return all;
}

Value AttentionLane::region(Value h, Value i, Value score, Value j) {
  BodyContext context;
  Values arguments{score, b, h, i, j};
  for (auto [capture, access] : llvm::zip(op.getCaptures(), form.captures))
    arguments.push_back(c.load(getElementTypeOrSelf(capture.getType()), placeOf(frame, c, access, {b, h, i, j})));
  return emitBody(frame, op.getScore().front(), arguments, context)[0];
}

AttentionLane::Ending AttentionLane::ending(Value h, Value top, Value sum) {
  Ending end{top, reference(top), sum, {}, {}};
  Value alpha;
  if (form.sinks) {
    Value sink = c.load(elementOf(*form.sinks), placeOf(frame, c, *form.sinks, {h}));
    end.top = c.maxf(sink, top), end.reference = reference(end.top);
    alpha = exponential(c.subf(top, end.reference));
    end.sum = c.addf(c.mulf(sum, alpha), exponential(c.subf(sink, end.reference)));
  }
  end.none = arith::CmpFOp::create(c.b, c.loc, arith::CmpFPredicate::OEQ, end.sum, c.number(type, 0));
  end.factor = c.select(end.none, c.number(type, form.emptyValue()), c.divf(c.number(type, 1), end.sum));
  if (alpha)
    end.factor = c.mulf(end.factor, alpha);
  return end;
}

void AttentionLane::storeExtras(Value h, Value i, const Ending &end) {
  for (const AttentionForm::Extra &extra : form.extras) {
    Value value = end.top;
    if (extra.kind == attn::Extra::lse)
      value =
          c.select(end.none, c.number(type, kLowest), c.addf(end.reference, math::LogOp::create(c.b, c.loc, end.sum)));
    c.store(value, placeOf(frame, c, extra.access, {b, h, i}), {}, elementOf(extra.access));
  }
}

void AttentionLane::takePart(Value part, int64_t parts, int64_t step, Value &begin, Value &end) {
  Value each = c.mul(c.ceilDiv(c.sub(end, begin), parts * step), step);
  begin = c.min(end, c.add(begin, c.mul(part, each))), end = c.min(end, c.add(begin, each));
}

KeyParts::Places AttentionLane::placesOfPart(BlockArgument memory, int64_t parts, Value h, Value i, Value part) {
  Value row = c.add(c.mul(c.add(c.mul(b, form.heads), h), frame.size(form.m)), i);
  return form.parts(parts).places(frame, c, memory, row, part);
}
