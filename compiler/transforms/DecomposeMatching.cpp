// The costs and losses around bipartite matching as elementwise operations and sums, which fuse with what is around
// them; the matching itself stays. Sizes that are only known at run time are checked first.
//
// A lookup must have a valid index wherever it stands, also where its element is not used. So the target of a query
// without one is the column behind the last target, which labels and boxes are padded with; a label that counts from
// the end, as lookups allow, is moved out of range.
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

namespace fovea {
#define GEN_PASS_DEF_DECOMPOSEMATCHING
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
/// The numbers in the body of an elementwise operation.
struct Scalars {
  OpBuilder &b;
  Location loc;
  Type type;

  Value number(double value) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value)); }
  Value integer(int64_t value) { return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value)); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value min(Value x, Value y) { return arith::MinimumFOp::create(b, loc, x, y); }
  Value max(Value x, Value y) { return arith::MaximumFOp::create(b, loc, x, y); }
  Value select(Value c, Value x, Value y) { return arith::SelectOp::create(b, loc, c, x, y); }
  Value compare(arith::CmpIPredicate p, Value x, Value y) { return arith::CmpIOp::create(b, loc, p, x, y); }
  Value index(Value x) { return arith::IndexCastOp::create(b, loc, b.getIndexType(), x); }
  Value loop(int64_t d) { return linalg::IndexOp::create(b, loc, d); }
  Value asInteger(Value x) { return arith::IndexCastOp::create(b, loc, b.getI64Type(), x); }
  Value lookup(Value table, ValueRange at) {
    return data::LookupOp::create(b, loc, typeOf(table).getElementType(), table, at);
  }
  /// x / y, or 0 where y is 0.
  Value quotient(Value x, Value y) {
    Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, y, number(0));
    return select(none, number(0), div(x, y));
  }
  /// The sum of the distances of the four coordinates.
  Value distance(ValueRange x, ValueRange y) {
    Value sum;
    for (auto [p, q] : llvm::zip(x, y)) {
      Value d = math::AbsFOp::create(b, loc, sub(p, q));
      sum = sum ? add(sum, d) : d;
    }
    return sum;
  }
  /// Generalized intersection over union (Rezatofighi et al. 2019) of boxes given by centre and size.
  Value generalizedIoU(ValueRange x, ValueRange y) {
    Value both, hull, half = number(0.5);
    for (unsigned d : {0u, 1u}) {
      Value xHalf = mul(x[d + 2], half), yHalf = mul(y[d + 2], half);
      Value xFrom = sub(x[d], xHalf), xTo = add(x[d], xHalf), yFrom = sub(y[d], yHalf), yTo = add(y[d], yHalf);
      Value shared = max(number(0), sub(min(xTo, yTo), max(xFrom, yFrom)));
      Value around = sub(max(xTo, yTo), min(xFrom, yFrom));
      both = both ? mul(both, shared) : shared, hull = hull ? mul(hull, around) : around;
    }
    Value all = sub(add(mul(x[2], x[3]), mul(y[2], y[3])), both);
    return sub(quotient(both, all), quotient(sub(hull, all), hull));
  }
};

/// Writes what an operation stands for in front of it.
class Decomposition {
public:
  explicit Decomposition(Operation *op) : op(op), b(op), loc(op->getLoc()) {}

protected:
  using Body = llvm::function_ref<Value(Scalars &, ValueRange)>;
  /// One element for each tuple of the loops' indices; the letters of an operand are the loops that its dims run along.
  Value elementwise(Type type, StringRef loops, ArrayRef<std::pair<Value, StringRef>> operands, Value like, Body body);
  /// The sum over all loops, of rank 0.
  Value sum(Type type, StringRef loops, ArrayRef<std::pair<Value, StringRef>> operands, Body body);
  linalg::GenericOp generic(Value init, StringRef loops, StringRef result,
                            ArrayRef<std::pair<Value, StringRef>> operands, Body body);
  Value softmax(Value logits, bool log);
  SmallVector<Value> coordinates(Value boxes);
  Value paddedBehind(Value targets);
  void require(Value x, int64_t i, Value y, int64_t j);

  Operation *op;
  OpBuilder b;
  Location loc;
  DimAnalysis dims;
};
} // namespace

linalg::GenericOp Decomposition::generic(Value init, StringRef loops, StringRef result,
                                         ArrayRef<std::pair<Value, StringRef>> operands, Body body) {
  SmallVector<AffineMap> maps;
  SmallVector<Value> inputs;
  auto mapOf = [&](StringRef letters) {
    SmallVector<AffineExpr> exprs;
    for (char letter : letters)
      exprs.push_back(b.getAffineDimExpr(loops.find(letter)));
    return AffineMap::get(loops.size(), 0, exprs, b.getContext());
  };
  for (auto &[tensor, letters] : operands)
    inputs.push_back(tensor), maps.push_back(mapOf(letters));
  maps.push_back(mapOf(result));
  auto kind = result.empty() && !loops.empty() ? utils::IteratorType::reduction : utils::IteratorType::parallel;
  return linalg::GenericOp::create(b, loc, init.getType(), inputs, init, maps,
                                   SmallVector<utils::IteratorType>(loops.size(), kind),
                                   [&](OpBuilder &inner, Location loc, ValueRange args) {
                                     Scalars s{inner, loc, typeOf(init).getElementType()};
                                     linalg::YieldOp::create(inner, loc, body(s, args));
                                   });
}

Value Decomposition::elementwise(Type type, StringRef loops, ArrayRef<std::pair<Value, StringRef>> operands, Value like,
                                 Body body) {
  SmallVector<OpFoldResult> sizes;
  for (const DimExpr &size : dims.shape(like))
    sizes.push_back(data::materializeOrConstant(b, loc, size));
  return generic(tensor::EmptyOp::create(b, loc, sizes, type), loops, loops, operands, body).getResult(0);
}

Value Decomposition::sum(Type type, StringRef loops, ArrayRef<std::pair<Value, StringRef>> operands, Body body) {
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value init = tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>{}, type);
  init = linalg::FillOp::create(b, loc, zero, init).getResult(0);
  return generic(init, loops, "", operands,
                 [&](Scalars &s, ValueRange args) -> Value { return s.add(args.back(), body(s, args)); })
      .getResult(0);
}

/// Along the last of three dims.
Value Decomposition::softmax(Value logits, bool log) {
  SmallVector<OpFoldResult> sizes;
  for (const DimExpr &size : dims.shape(logits))
    sizes.push_back(data::materializeOrConstant(b, loc, size));
  Value init = tensor::EmptyOp::create(b, loc, sizes, typeOf(logits).getElementType());
  if (init.getType() != logits.getType())
    init = tensor::CastOp::create(b, loc, logits.getType(), init);
  return attn::SoftmaxOp::create(b, loc, logits.getType(), logits, init, 2, /*guarded=*/false, log);
}

/// The four slices of B x N x 4, each B x N.
SmallVector<Value> Decomposition::coordinates(Value boxes) {
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
Value Decomposition::paddedBehind(Value targets) {
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

/// Dim i of x and dim j of y are the same number, or the run is refused.
void Decomposition::require(Value x, int64_t i, Value y, int64_t j) {
  DimExpr first = dims.get(x, i), second = dims.get(y, j);
  if (first == second)
    return;
  Value same = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, data::materialize(b, loc, first),
                                     data::materialize(b, loc, second));
  exec::CheckOp::create(b, loc, same, b.getStringAttr("predictions and targets do not fit each other"));
}

namespace {
class CostDecomposition : Decomposition {
public:
  explicit CostDecomposition(attn::DetrCostOp cost) : Decomposition(cost), cost(cost) {}
  Value run();

private:
  Value classCosts();
  attn::DetrCostOp cost;
};

class LossDecomposition : Decomposition {
public:
  explicit LossDecomposition(attn::SetLossOp loss) : Decomposition(loss), loss(loss) {}
  Value run();

private:
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

Value CostDecomposition::run() {
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
    total = s.add(total, s.mul(s.distance(box, target), s.number(cost.getBboxWeight().convertToDouble())));
    total = s.sub(total, s.mul(s.generalizedIoU(box, target), s.number(cost.getGiouWeight().convertToDouble())));
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
  return generic(init, "", "", {},
                 [&](Scalars &s, ValueRange) -> Value {
                   return arith::SIToFPOp::create(s.b, s.loc, s.type, s.asInteger(all));
                 })
      .getResult(0);
}

Value LossDecomposition::run() {
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
  Value distances = overPairs([](Scalars &s, ValueRange x, ValueRange y) { return s.distance(x, y); });
  Value overlaps =
      overPairs([](Scalars &s, ValueRange x, ValueRange y) { return s.sub(s.number(1), s.generalizedIoU(x, y)); });
  return elementwise(type, "i", {{entropy, ""}, {weights, ""}, {distances, ""}, {overlaps, ""}, {count(), ""}},
                     loss.getInit(), [&](Scalars &s, ValueRange args) {
                       Value i = s.asInteger(s.loop(0)), n = s.max(args[4], s.number(1));
                       auto is = [&](int64_t k) { return s.compare(arith::CmpIPredicate::eq, i, s.integer(k)); };
                       Value top = s.select(is(0), args[0], s.select(is(1), args[2], args[3]));
                       return s.div(top, s.select(is(0), args[1], n));
                     });
}

namespace {
struct DecomposeMatchingPass : fovea::impl::DecomposeMatchingBase<DecomposeMatchingPass> {
  void runOnOperation() override {
    auto replace = [](Operation *op, Value by) {
      OpBuilder b(op);
      if (by.getType() != op->getResult(0).getType())
        by = tensor::CastOp::create(b, op->getLoc(), op->getResult(0).getType(), by);
      op->getResult(0).replaceAllUsesWith(by);
      op->erase();
    };
    getOperation()->walk([&](Operation *op) {
      if (auto cost = dyn_cast<attn::DetrCostOp>(op))
        replace(op, CostDecomposition(cost).run());
      else if (auto loss = dyn_cast<attn::SetLossOp>(op))
        replace(op, LossDecomposition(loss).run());
    });
  }
};
} // namespace
