// The costs and losses around bipartite matching as elementwise operations and sums, which fuse with what is around
// them; the matching itself stays. Sizes that are only known at run time are checked first.
//
// A lookup must have a valid index wherever it stands, also where its element is not used. So the target of a query
// without one is the column behind the last target, which labels and boxes are padded with; a label that counts from
// the end, as lookups allow, is moved out of range.
#include "compiler/transforms/Decomposition.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using attn::detail::typeOf;

/// The sum of the distances of the four coordinates.
static Value distance(Scalars &s, ValueRange x, ValueRange y) {
  Value sum;
  for (auto [p, q] : llvm::zip(x, y)) {
    Value d = math::AbsFOp::create(s.b, s.loc, s.sub(p, q));
    sum = sum ? s.add(sum, d) : d;
  }
  return sum;
}

/// Generalized intersection over union (Rezatofighi et al. 2019) of boxes given by centre and size.
static Value generalizedIoU(Scalars &s, ValueRange x, ValueRange y) {
  Value both, hull, half = s.number(0.5);
  for (unsigned d : {0u, 1u}) {
    Value xHalf = s.mul(x[d + 2], half), yHalf = s.mul(y[d + 2], half);
    Value xFrom = s.sub(x[d], xHalf), xTo = s.add(x[d], xHalf), yFrom = s.sub(y[d], yHalf), yTo = s.add(y[d], yHalf);
    Value shared = s.max(s.number(0), s.sub(s.min(xTo, yTo), s.max(xFrom, yFrom)));
    Value around = s.sub(s.max(xTo, yTo), s.min(xFrom, yFrom));
    both = both ? s.mul(both, shared) : shared, hull = hull ? s.mul(hull, around) : around;
  }
  Value all = s.sub(s.add(s.mul(x[2], x[3]), s.mul(y[2], y[3])), both);
  return s.sub(s.quotient(both, all), s.quotient(s.sub(hull, all), hull));
}

namespace {
/// What both operations do with predictions and targets.
class MatchingDecomposition : protected Decomposition {
protected:
  explicit MatchingDecomposition(Operation *op) : Decomposition(op, "predictions and targets do not fit each other") {}
  SmallVector<Value> coordinates(Value boxes);
  Value paddedBehind(Value targets);
};
} // namespace

/// The four slices of B x N x 4, each B x N.
SmallVector<Value> MatchingDecomposition::coordinates(Value boxes) {
  SmallVector<OpFoldResult> sizes, strides(3, b.getIndexAttr(1));
  for (int64_t d : {0, 1})
    sizes.push_back(data::materializeOrConstant(b, loc, dims.get(boxes, d)));
  sizes.push_back(b.getIndexAttr(1));
  RankedTensorType type = RankedTensorType::get(typeOf(boxes).getShape().drop_back(), typeOf(boxes).getElementType());
  SmallVector<Value> slices;
  for (int64_t d = 0; d < 4; ++d) {
    SmallVector<OpFoldResult> offsets{b.getIndexAttr(0), b.getIndexAttr(0), b.getIndexAttr(d)};
    slices.push_back(tensor::ExtractSliceOp::create(b, loc, type, boxes, offsets, sizes, strides));
  }
  return slices;
}

/// B x T ... with one more target, of zeros.
Value MatchingDecomposition::paddedBehind(Value targets) {
  RankedTensorType type = typeOf(targets);
  SmallVector<OpFoldResult> low(type.getRank(), b.getIndexAttr(0)), high = low;
  high[1] = b.getIndexAttr(1);
  SmallVector<int64_t> shape(type.getShape());
  if (!ShapedType::isDynamic(shape[1]))
    ++shape[1];
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
  return tensor::PadOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), targets, low, high, zero,
                               /*nofold=*/false);
}

namespace {
class CostDecomposition : MatchingDecomposition {
public:
  explicit CostDecomposition(attn::DetrCostOp cost) : MatchingDecomposition(cost), cost(cost) {}
  void run() { replace(result()); }

private:
  Value result();
  Value classCosts();
  attn::DetrCostOp cost;
};

class LossDecomposition : MatchingDecomposition {
public:
  explicit LossDecomposition(attn::SetLossOp loss) : MatchingDecomposition(loss), loss(loss) {}
  void run() { replace(result()); }

private:
  Value result();
  Value place(Scalars &s, Value column, Value past);
  Value label(Scalars &s, Value column, Value labels, Value past, Value classes);
  Value count();
  attn::SetLossOp loss;
};
} // namespace

/// What each class costs, for each query.
Value CostDecomposition::classCosts() {
  Value logits = cost.getLogits();
  double weight = cost.getClassWeight().convertToDouble();
  Type type = typeOf(logits).getElementType();
  if (cost.getClassCost() == attn::ClassCost::softmax) {
    Value p = softmax(logits, /*log=*/false);
    return elementwise(type, "bqk", {{p, "bqk"}}, logits,
                       [&](Scalars &s, ValueRange args) { return s.mul(args[0], s.number(-weight)); });
  }
  // Zhu et al. 2021, with alpha 0.25 and gamma 2.
  return elementwise(type, "bqk", {{logits, "bqk"}}, logits, [&](Scalars &s, ValueRange args) {
    Value p = attn::SigmoidOp::create(s.b, s.loc, args[0]), rest = s.sub(s.number(1), p), tiny = s.number(1e-8);
    Value right = s.mul(s.mul(rest, rest), math::LogOp::create(s.b, s.loc, s.add(p, tiny)));
    Value wrong = s.mul(s.mul(p, p), math::LogOp::create(s.b, s.loc, s.add(rest, tiny)));
    return s.add(s.mul(right, s.number(-0.25 * weight)), s.mul(wrong, s.number(0.75 * weight)));
  });
}

Value CostDecomposition::result() {
  Value logits = cost.getLogits(), boxes = cost.getBoxes(), targets = cost.getTargets(), labels = cost.getLabels();
  require(boxes, 0, logits, 0), require(boxes, 1, logits, 1);
  require(labels, 0, logits, 0), require(targets, 0, logits, 0), require(targets, 1, labels, 1);
  require(cost.getInit(), 0, logits, 0), require(cost.getInit(), 1, logits, 1), require(cost.getInit(), 2, labels, 1);
  Value table = classCosts(), classes = data::materialize(b, loc, dims.get(logits, 2));
  classes = arith::IndexCastOp::create(b, loc, b.getI64Type(), classes);
  SmallVector<std::pair<Value, StringRef>> operands;
  for (Value v : coordinates(boxes))
    operands.push_back({v, "bq"});
  for (Value v : coordinates(targets))
    operands.push_back({v, "bt"});
  operands.push_back({labels, "bt"});
  if (Value counts = cost.getCounts()) {
    require(counts, 0, logits, 0);
    operands.push_back({counts, "b"});
  }
  Type type = typeOf(logits).getElementType();
  return elementwise(type, "bqt", operands, cost.getInit(), [&](Scalars &s, ValueRange args) {
    Value label = args[8], exists;
    Value negative = s.compare(arith::CmpIPredicate::slt, label, s.integer(0));
    label = s.select(negative, classes, label);
    if (cost.getCounts()) {
      exists = s.compare(arith::CmpIPredicate::slt, s.asInteger(s.loop(2)), args[9]);
      label = s.select(exists, label, s.integer(0));
    }
    Value total = s.lookup(table, {s.loop(0), s.loop(1), s.index(label)});
    ValueRange box = args.slice(0, 4), target = args.slice(4, 4);
    total = s.add(total, s.mul(distance(s, box, target), s.number(cost.getBboxWeight().convertToDouble())));
    total = s.sub(total, s.mul(generalizedIoU(s, box, target), s.number(cost.getGiouWeight().convertToDouble())));
    return exists ? s.select(exists, total, s.number(0)) : total;
  });
}

/// The place of a query's target among the padded ones; what is behind stays outside.
Value LossDecomposition::place(Scalars &s, Value column, Value past) {
  Value none = s.compare(arith::CmpIPredicate::slt, column, s.integer(0));
  Value outside = s.compare(arith::CmpIPredicate::sge, column, past);
  Value beyond = arith::AddIOp::create(s.b, s.loc, past, s.integer(1));
  return s.select(none, past, s.select(outside, beyond, column));
}

/// The class that a query should have had: the last one if it has no target.
Value LossDecomposition::label(Scalars &s, Value column, Value labels, Value past, Value classes) {
  Value label = s.lookup(labels, {s.loop(0), s.index(place(s, column, past))});
  Value last = arith::SubIOp::create(s.b, s.loc, classes, s.integer(1));
  Value negative = s.compare(arith::CmpIPredicate::slt, label, s.integer(0));
  Value none = s.compare(arith::CmpIPredicate::slt, column, s.integer(0));
  return s.select(none, last, s.select(negative, classes, label));
}

/// Targets in the batch, as a float of rank 0.
Value LossDecomposition::count() {
  Type type = typeOf(loss.getLogits()).getElementType();
  if (Value counts = loss.getCounts()) {
    require(counts, 0, loss.getLogits(), 0);
    return sum(type, "b", {{counts, "b"}}, [&](Scalars &s, ValueRange args) -> Value {
      return arith::SIToFPOp::create(s.b, s.loc, s.type, args[0]);
    });
  }
  Value all = data::materialize(b, loc, dims.get(loss.getLabels(), 0) * dims.get(loss.getLabels(), 1));
  Value init = tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>{}, type);
  return generic(init, "", "", {}, [&](Scalars &s, ValueRange) -> Value {
    return arith::SIToFPOp::create(s.b, s.loc, s.type, s.asInteger(all));
  });
}

Value LossDecomposition::result() {
  Value logits = loss.getLogits(), boxes = loss.getBoxes(), columns = loss.getColumns();
  require(boxes, 0, logits, 0), require(boxes, 1, logits, 1);
  require(columns, 0, logits, 0), require(columns, 1, logits, 1);
  require(loss.getLabels(), 0, logits, 0), require(loss.getTargets(), 0, logits, 0);
  require(loss.getTargets(), 1, loss.getLabels(), 1);
  Type type = typeOf(logits).getElementType();
  auto integer = [&](Value tensor, int64_t d) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), data::materialize(b, loc, dims.get(tensor, d)));
  };
  Value past = integer(loss.getLabels(), 1), classes = integer(logits, 2);
  Value labels = paddedBehind(loss.getLabels()), targets = paddedBehind(loss.getTargets());
  Value logs = softmax(logits, /*log=*/true);
  auto weight = [&](Scalars &s, Value label) {
    Value last = arith::SubIOp::create(s.b, s.loc, classes, s.integer(1));
    return s.select(s.compare(arith::CmpIPredicate::eq, label, last), s.number(loss.getEosCoef().convertToDouble()),
                    s.number(1));
  };
  Value entropy = sum(type, "bq", {{columns, "bq"}}, [&](Scalars &s, ValueRange args) {
    Value k = label(s, args[0], labels, past, classes);
    Value log = s.lookup(logs, {s.loop(0), s.loop(1), s.index(k)});
    return s.mul(log, s.sub(s.number(0), weight(s, k)));
  });
  Value weights = sum(type, "bq", {{columns, "bq"}},
                      [&](Scalars &s, ValueRange args) { return weight(s, label(s, args[0], labels, past, classes)); });
  SmallVector<std::pair<Value, StringRef>> operands{{columns, "bq"}};
  for (Value v : coordinates(boxes))
    operands.push_back({v, "bq"});
  auto overPairs = [&](llvm::function_ref<Value(Scalars &, ValueRange, ValueRange)> term) {
    return sum(type, "bq", operands, [&](Scalars &s, ValueRange args) {
      SmallVector<Value> target;
      for (int64_t d = 0; d < 4; ++d)
        target.push_back(s.lookup(
            targets, {s.loop(0), s.index(place(s, args[0], past)), arith::ConstantIndexOp::create(s.b, s.loc, d)}));
      Value none = s.compare(arith::CmpIPredicate::slt, args[0], s.integer(0));
      return s.select(none, s.number(0), term(s, args.slice(1, 4), target));
    });
  };
  Value distances = overPairs([](Scalars &s, ValueRange x, ValueRange y) { return distance(s, x, y); });
  Value overlaps =
      overPairs([](Scalars &s, ValueRange x, ValueRange y) { return s.sub(s.number(1), generalizedIoU(s, x, y)); });
  return elementwise(type, "i", {{entropy, ""}, {weights, ""}, {distances, ""}, {overlaps, ""}, {count(), ""}},
                     loss.getInit(), [&](Scalars &s, ValueRange args) {
                       Value i = s.asInteger(s.loop(0)), n = s.max(args[4], s.number(1));
                       auto is = [&](int64_t k) { return s.compare(arith::CmpIPredicate::eq, i, s.integer(k)); };
                       Value top = s.select(is(0), args[0], s.select(is(1), args[2], args[3]));
                       return s.div(top, s.select(is(0), args[1], n));
                     });
}

bool fovea::decomposeMatching(Operation *op) {
  if (auto cost = dyn_cast<attn::DetrCostOp>(op))
    return CostDecomposition(cost).run(), true;
  if (auto loss = dyn_cast<attn::SetLossOp>(op))
    return LossDecomposition(loss).run(), true;
  return false;
}
