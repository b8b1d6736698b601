#include "compiler/transforms/LinearPositions.h"
#include "compiler/transforms/Ops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea;

static std::optional<LinearPosition> bounded(LinearPosition l) {
  constexpr int64_t kMost = 1 << 24, kMostStep = 16;
  bool fits = llvm::all_of(l.steps, [](int64_t s) { return s >= -kMostStep && s <= kMostStep; });
  return fits && l.constant >= -kMost && l.constant <= kMost ? std::optional(l) : std::nullopt;
}

/// Narrow integers wrap, which linear functions do not.
static bool holds(Type type, const LinearPosition &value) {
  if (type.isInteger(1))
    return value.isConstant() && (value.constant == 0 || value.constant == 1);
  return type.isIndex() || (type.isInteger() && type.getIntOrFloatBitWidth() >= 32);
}

static std::optional<LinearPosition> combine(const LinearPosition &x, const LinearPosition &y, int64_t factor) {
  LinearPosition sum{x.constant + factor * y.constant, x.steps};
  for (auto [s, t] : llvm::zip(sum.steps, y.steps))
    s += factor * t;
  return bounded(sum);
}

std::optional<LinearPosition> LinearPositions::of(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || !tensor.getDefiningOp() || !(type.getElementType().isIntOrIndex()))
    return std::nullopt;
  if (auto it = known.find(tensor); it != known.end())
    return it->second;
  std::optional<LinearPosition> result = compute(tensor.getDefiningOp());
  if (result && !holds(type.getElementType(), *result))
    result.reset();
  known[tensor] = result;
  return result;
}

std::optional<LinearPosition> LinearPositions::compute(Operation *op) {
  unsigned rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto dense = dyn_cast<DenseIntElementsAttr>(constant.getValue());
    if (!dense || !dense.isSplat() || dense.getElementType().getIntOrFloatBitWidth() > 64)
      return std::nullopt;
    APInt value = dense.getSplatValue<APInt>();
    return bounded({value.getBitWidth() == 1 ? static_cast<int64_t>(value.getZExtValue()) : value.getSExtValue(),
                    SmallVector<int64_t>(rank, 0)});
  }
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return ofGeneric(generic);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return ofSlice(slice);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return ofConcat(concat);
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    return ofReshape(op);
  if (isa<tensor::CastOp>(op))
    return of(op->getOperand(0));
  if (auto cumsum = dyn_cast<data::CumsumOp>(op))
    return ofCumsum(cumsum);
  return std::nullopt;
}

/// Whether an index in the loops over `result` lies in dim `d` of a table: a number, or the number of an element of a
/// dim that is as long.
bool LinearPositions::staysInside(const LinearPosition &index, Value table, int64_t d, Value result) {
  int64_t size = cast<RankedTensorType>(table.getType()).getDimSize(d);
  if (index.isConstant())
    return !ShapedType::isDynamic(size) && index.constant >= 0 && index.constant < size;
  for (auto [loop, step] : llvm::enumerate(index.steps)) {
    LinearPosition one{0, SmallVector<int64_t>(index.steps.size(), 0)};
    one.steps[loop] = 1;
    if (index.constant == 0 && index.steps == one.steps)
      return dims.equal(result, loop, table, d);
  }
  return false;
}

std::optional<LinearPosition> LinearPositions::valueOf(Value value, const Body &body, unsigned loops) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)) && constant.getBitWidth() <= 64)
    return bounded(
        {constant.getBitWidth() == 1 ? static_cast<int64_t>(constant.getZExtValue()) : constant.getSExtValue(),
         SmallVector<int64_t>(loops, 0)});
  auto it = body.find(value);
  return it == body.end() ? std::nullopt : std::optional(it->second);
}

std::optional<LinearPosition> LinearPositions::ofLookup(data::LookupOp lookup, linalg::GenericOp op, const Body &body) {
  std::optional<LinearPosition> table = of(lookup.getTable());
  if (!table)
    return std::nullopt;
  std::optional<LinearPosition> sum = LinearPosition{table->constant, SmallVector<int64_t>(op.getNumLoops(), 0)};
  for (auto [d, index] : llvm::enumerate(lookup.getIndices())) {
    std::optional<LinearPosition> at = valueOf(index, body, op.getNumLoops());
    if (!at || !sum || !staysInside(*at, lookup.getTable(), d, op.getResult(0)))
      return std::nullopt;
    sum = combine(*sum, *at, table->steps[d]);
  }
  return sum;
}

LinearPositions::Body LinearPositions::ofBody(linalg::GenericOp op) {
  unsigned loops = op.getNumLoops();
  Body values;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    std::optional<LinearPosition> tensor = of(operand->get());
    if (!tensor)
      continue;
    LinearPosition inLoops{tensor->constant, SmallVector<int64_t>(loops, 0)};
    bool isLinear = true;
    for (auto [expr, step] : llvm::zip(op.getMatchingIndexingMap(operand).getResults(), tensor->steps)) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        inLoops.steps[dim.getPosition()] += step;
      else
        isLinear &= step == 0;
    }
    if (isLinear)
      values[op.getMatchingBlockArgument(operand)] = inLoops;
  }
  auto get = [&](Value v) { return valueOf(v, values, loops); };
  auto number = [&](int64_t c) { return LinearPosition{c, SmallVector<int64_t>(loops, 0)}; };
  for (Operation &inner : op.getBlock()->without_terminator()) {
    std::optional<LinearPosition> result;
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      result = number(0);
      result->steps[index.getDim()] = 1;
    } else if (isa<arith::IndexCastOp, arith::ExtSIOp>(inner)) {
      // A wider bool would be -1 or 0.
      if (!inner.getOperand(0).getType().isInteger(1))
        result = get(inner.getOperand(0));
    } else if (isa<arith::ExtUIOp>(inner)) {
      if (inner.getOperand(0).getType().isInteger(1))
        result = get(inner.getOperand(0));
    } else if (isa<arith::AddIOp, arith::SubIOp>(inner) && !inner.getResult(0).getType().isInteger(1)) {
      auto x = get(inner.getOperand(0)), y = get(inner.getOperand(1));
      if (x && y)
        result = combine(*x, *y, isa<arith::AddIOp>(inner) ? 1 : -1);
    } else if (isa<arith::XOrIOp, arith::AndIOp, arith::OrIOp>(inner)) {
      auto x = get(inner.getOperand(0)), y = get(inner.getOperand(1));
      if (x && y && x->isConstant() && y->isConstant()) {
        int64_t p = x->constant, q = y->constant;
        result = number(isa<arith::XOrIOp>(inner) ? p ^ q : isa<arith::AndIOp>(inner) ? (p & q) : (p | q));
      }
    } else if (auto lookup = dyn_cast<data::LookupOp>(inner)) {
      result = ofLookup(lookup, op, values);
    } else if (auto cmp = dyn_cast<arith::CmpIOp>(inner); cmp && cmp.getPredicate() < arith::CmpIPredicate::ult) {
      auto x = get(cmp.getLhs()), y = get(cmp.getRhs());
      auto difference = x && y && !cmp.getLhs().getType().isInteger(1) ? combine(*x, *y, -1) : std::nullopt;
      if (difference && difference->isConstant())
        result =
            number(arith::applyCmpPredicate(cmp.getPredicate(), APInt(64, difference->constant, true), APInt(64, 0)));
    }
    if (result && holds(inner.getResult(0).getType(), *result))
      values[inner.getResult(0)] = *result;
  }
  return values;
}

std::optional<LinearPosition> LinearPositions::ofGeneric(linalg::GenericOp op) {
  if (!isPointwise(op))
    return std::nullopt;
  return valueOf(op.getBlock()->getTerminator()->getOperand(0), ofBody(op), op.getNumLoops());
}

std::optional<LinearPosition> LinearPositions::ofSlice(tensor::ExtractSliceOp op) {
  std::optional<LinearPosition> source = of(op.getSource());
  if (!source)
    return std::nullopt;
  LinearPosition result{source->constant, {}};
  auto dropped = op.getDroppedDims();
  for (auto [d, step] : llvm::enumerate(source->steps)) {
    auto offset = getConstantIntValue(op.getMixedOffsets()[d]), stride = getConstantIntValue(op.getMixedStrides()[d]);
    if (step != 0 && (!offset || !stride || std::abs(*offset) > (1 << 20) || std::abs(*stride) > 1024))
      return std::nullopt;
    if (step != 0)
      result.constant += step * *offset;
    if (!dropped.test(d))
      result.steps.push_back(step == 0 ? 0 : step * *stride);
  }
  return bounded(result);
}

/// All parts continue one function.
std::optional<LinearPosition> LinearPositions::ofConcat(tensor::ConcatOp op) {
  uint64_t dim = op.getDim();
  std::optional<LinearPosition> whole;
  bool stepIsFree = false; // so far only parts of one element
  int64_t offset = 0;
  for (Value input : op.getInputs()) {
    std::optional<LinearPosition> part = of(input);
    if (!part || offset < 0)
      return std::nullopt;
    int64_t size = cast<RankedTensorType>(input.getType()).getDimSize(dim);
    if (size == 1)
      part->steps[dim] = 0;
    if (!whole) {
      whole = part;
      stepIsFree = size == 1;
    } else {
      int64_t here = whole->constant + offset * whole->steps[dim];
      if (stepIsFree) {
        // Through the first element and this one.
        if ((part->constant - whole->constant) % offset != 0)
          return std::nullopt;
        whole->steps[dim] = (part->constant - whole->constant) / offset;
        here = part->constant;
        stepIsFree = false;
      }
      SmallVector<int64_t> expected = whole->steps;
      if (size == 1)
        expected[dim] = 0;
      if (part->constant != here || part->steps != expected)
        return std::nullopt;
    }
    offset = ShapedType::isDynamic(size) ? -1 : offset + size;
  }
  return whole ? bounded(*whole) : std::nullopt;
}

/// Dims of one element come or go.
std::optional<LinearPosition> LinearPositions::ofReshape(Operation *op) {
  std::optional<LinearPosition> source = of(op->getOperand(0));
  if (!source)
    return std::nullopt;
  bool expands = isa<tensor::ExpandShapeOp>(op);
  auto wide = cast<RankedTensorType>(expands ? op->getResult(0).getType() : op->getOperand(0).getType());
  auto groups = expands ? cast<tensor::ExpandShapeOp>(op).getReassociationIndices()
                        : cast<tensor::CollapseShapeOp>(op).getReassociationIndices();
  LinearPosition result{source->constant,
                        SmallVector<int64_t>(cast<RankedTensorType>(op->getResult(0).getType()).getRank(), 0)};
  for (auto [d, group] : llvm::enumerate(groups)) {
    int64_t only = -1;
    bool isOne = true, anyStep = false;
    for (int64_t member : group) {
      anyStep |= source->steps[expands ? d : member] != 0;
      if (wide.getDimSize(member) == 1)
        continue;
      isOne &= only < 0;
      only = member;
    }
    if (anyStep && !isOne)
      return std::nullopt;
    if (only >= 0)
      result.steps[expands ? only : d] = source->steps[expands ? d : only];
  }
  return result;
}

std::optional<LinearPosition> LinearPositions::ofCumsum(data::CumsumOp op) {
  std::optional<LinearPosition> source = of(op.getSource());
  if (!source || !source->isConstant() || (op.getReverse() && source->constant != 0))
    return std::nullopt;
  source->steps[op.getAxis()] = source->constant;
  if (op.getExclusive())
    source->constant = 0;
  return bounded(*source);
}
