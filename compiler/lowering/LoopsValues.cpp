#include "compiler/lowering/LoopsCode.h"

#include "compiler/lowering/Elements.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

//===-- Small things ===//

Value NestCode::zeroOf(Type type) { return arith::ConstantOp::create(b, loc, b.getZeroAttr(type)); }

Value NestCode::binary(StringRef op, Value x, Value y) {
  int64_t wide = 0;
  for (Value v : {x, y})
    if (auto vector = dyn_cast<VectorType>(v.getType()))
      wide = vector.getNumElements();
  x = broadcastLanes(frame, x, wide), y = broadcastLanes(frame, y, wide);
  OperationState state(loc, op, ValueRange{x, y}, {x.getType()}, {});
  return b.create(state)->getResult(0);
}

/// 0, 1, 2, ...
Value NestCode::laneNumbers(int64_t lanes, Type element) {
  SmallVector<Attribute> numbers;
  for (int64_t i = 0; i < lanes; ++i)
    numbers.push_back(b.getIntegerAttr(element, i));
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(VectorType::get(lanes, element), numbers));
}

/// True in the first `left` lanes; `left` is less than 2^31.
Value NestCode::maskFor(int64_t lanes, Value left) {
  Value n = broadcastLanes(frame, arith::TruncIOp::create(b, loc, b.getI32Type(), left), lanes);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, laneNumbers(lanes, b.getI32Type()), n);
}

//===-- Places ===//

/// The value of a form (in the first lane). Counters that no loop runs over are 0.
Value NestCode::placeOf(const Form &form, const Point &point) {
  Value sum;
  for (auto &[v, c] : form.coefficients) {
    auto it = point.base.find(v);
    if (it == point.base.end() || !it->second)
      continue;
    Value term = c.isConstant(1) ? it->second : frame.mul(it->second, frame.size(c));
    sum = sum ? frame.add(sum, term) : term;
  }
  if (!sum)
    return frame.size(form.constant);
  return form.constant.isConstant(0) ? sum : frame.add(sum, frame.size(form.constant));
}

/// The same in all lanes, if it differs.
Value NestCode::indexOf(const Form &form, const Point &point) {
  Value first = placeOf(form, point);
  if (!point.lanes || !form.dependsOn(point.lane))
    return first;
  Value step = broadcastLanes(frame, frame.size(form.coefficient(point.lane)), point.lanes);
  Value offsets = binary("arith.muli", laneNumbers(point.lanes, b.getI64Type()), step);
  return binary("arith.addi", first, offsets);
}

//===-- Memory ===//

/// Element `place` of a buffer; in vectors if `step` is 1 (the next ones) or laneOffsets are given (those).
Value NestCode::load(Type element, Value base, Value place, Value laneOffsets, int64_t step, const Point &point) {
  Type memory = storedType(element);
  Value address = frame.address(base, element, place), loaded;
  Value mask = point.mask;
  if (point.lanes && point.guard) {
    Value guard = broadcastLanes(frame, point.guard, point.lanes);
    mask = mask ? binary("arith.andi", mask, guard) : guard;
  }
  unsigned bytes = memory.getIntOrFloatBitWidth() / 8;
  if (!laneOffsets && step == 0) {
    // Where no lane is in use there may be no element; the fault word always exists.
    if (point.guard)
      address = arith::SelectOp::create(b, loc, point.guard, address, frame.fault());
    loaded = frame.load(memory, address);
  } else {
    auto vector = VectorType::get(point.lanes, memory);
    Value nothing = zeroOf(vector);
    if (!laneOffsets) {
      loaded = mask ? LLVM::MaskedLoadOp::create(b, loc, vector, address, mask, nothing, b.getI32IntegerAttr(bytes),
                                                 UnitAttr())
                          .getResult()
                    : frame.load(vector, address);
    } else {
      if (!mask)
        mask = arith::ConstantOp::create(b, loc,
                                         DenseElementsAttr::get(VectorType::get(point.lanes, b.getI1Type()), true));
      Type pointers = VectorType::get(point.lanes, base.getType());
      Value addresses = LLVM::GEPOp::create(b, loc, pointers, memory, address, ArrayRef<LLVM::GEPArg>{laneOffsets});
      loaded =
          LLVM::masked_gather::create(b, loc, vector, addresses, mask, ValueRange{nothing}, b.getI32IntegerAttr(bytes));
    }
  }
  return fromStored(b, loc, loaded, element);
}

Value NestCode::loadAt(Node &node, Point &point) {
  Value base = frame.buffer(node.buffer), place = placeOf(node.address, point), offsets;
  DimExpr step = point.lanes ? node.address.coefficient(point.lane) : DimExpr(0);
  if (!step.isConstant(0) && !step.isConstant(1))
    offsets = binary("arith.muli", laneNumbers(point.lanes, b.getI64Type()), frame.size(step));
  return load(node.element, base, place, offsets, step.isConstant(1), point);
}

Value NestCode::loadBroadcast(Node &node, Point &point) {
  Value base = frame.buffer(node.buffer), place = placeOf(node.address, point), offsets;
  DimExpr step = point.lanes ? node.address.coefficient(point.lane) : DimExpr(0);
  Value laneStep = step.isConstant(0) ? Value() : frame.size(step);
  for (Node::Unknown &u : node.unknown) {
    Value one = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, frame.size(u.size), frame.constant(1));
    Value stride = arith::SelectOp::create(b, loc, one, frame.constant(0), frame.size(u.stride));
    place = frame.add(place, frame.mul(placeOf(u.form, point), stride));
    if (!point.lanes || !u.form.dependsOn(point.lane))
      continue;
    Value along = frame.mul(stride, frame.size(u.form.coefficient(point.lane)));
    laneStep = laneStep ? frame.add(laneStep, along) : along;
  }
  if (laneStep)
    offsets = binary("arith.muli", laneNumbers(point.lanes, b.getI64Type()), laneStep);
  return load(node.element, base, place, offsets, 0, point);
}

void NestCode::storeAt(Value value, const Output &output, const Point &point) {
  Value base = frame.buffer(output.init), place = placeOf(output.place, point);
  Type element = getElementTypeOrSelf(output.init.getType()), memory = storedType(element);
  value = toStored(b, loc, lanes(value, point), element);
  Value address = frame.address(base, element, place);
  DimExpr step = point.lanes ? output.place.coefficient(point.lane) : DimExpr(0);
  IntegerAttr alignment = b.getI32IntegerAttr(memory.getIntOrFloatBitWidth() / 8);
  if (!point.lanes || (step.isConstant(1) && !point.mask)) {
    frame.store(value, address);
  } else if (step.isConstant(1)) {
    LLVM::MaskedStoreOp::create(b, loc, value, address, point.mask, alignment);
  } else {
    Value offsets = binary("arith.muli", laneNumbers(point.lanes, b.getI64Type()), frame.size(step));
    Type pointers = VectorType::get(point.lanes, base.getType());
    Value addresses = LLVM::GEPOp::create(b, loc, pointers, memory, address, ArrayRef<LLVM::GEPArg>{offsets});
    Value mask = point.mask;
    if (!mask)
      mask =
          arith::ConstantOp::create(b, loc, DenseElementsAttr::get(VectorType::get(point.lanes, b.getI1Type()), true));
    LLVM::masked_scatter::create(b, loc, value, addresses, mask, alignment);
  }
}

//===-- Nodes ===//

/// The values at all points; each node is computed once a point.
Values NestCode::evaluate(Ref ref, MutableArrayRef<Point> points) {
  Node &node = *ref.node;
  if (auto it = known.find(&node); it != known.end() && node.kind == Node::reduce)
    return Values(points.size(), it->second[ref.result]);
  if (auto it = points[0].done->find(&node); it != points[0].done->end()) {
    Values values;
    for (Point &p : points)
      values.push_back((*p.done)[&node][ref.result]);
    return values;
  }
  std::vector<Values> results(points.size());
  if (node.kind == Node::reduce) {
    results = reduce(node, points);
  } else if (node.kind == Node::map) {
    std::vector<Values> arguments(points.size());
    for (auto [operand, child] : llvm::enumerate(node.children)) {
      Values at = child.node ? evaluate(child, points)
                             : Values(points.size(),
                                      zeroOf(computedType(
                                          cast<linalg::LinalgOp>(node.op).getBlock()->getArgument(operand).getType())));
      for (size_t i = 0; i < points.size(); ++i)
        arguments[i].push_back(at[i]);
    }
    for (size_t i = 0; i < points.size(); ++i)
      results[i] = emitBodyAt(node, arguments[i], points[i]);
  } else {
    for (size_t i = 0; i < points.size(); ++i) {
      Point &p = points[i];
      switch (node.kind) {
      case Node::leaf:
        results[i] = {loadAt(node, p)};
        break;
      case Node::broadcast:
        results[i] = {loadBroadcast(node, p)};
        break;
      case Node::scalar:
        if (node.value)
          results[i] = {emitScalar(frame, node.value)};
        else if (auto constant = dyn_cast<arith::ConstantOp>(node.op))
          results[i] = {arith::ConstantOp::create(
              b, loc, computedConstant(cast<DenseElementsAttr>(constant.getValue()).getSplatValue<TypedAttr>()))};
        else
          results[i] = {zeroOf(computedType(node.element))};
        break;
      case Node::part:
        results[i] = {evaluatePart(node, p)};
        break;
      case Node::rotate:
        results[i] = evaluateRotate(node, p);
        break;
      default:
        results[i] = {evaluateRow(node, p)};
      }
    }
  }
  Values values;
  for (size_t i = 0; i < points.size(); ++i) {
    (*points[i].done)[&node] = results[i];
    values.push_back(results[i][ref.result]);
  }
  return values;
}

Values NestCode::emitBodyAt(Node &node, Values arguments, const Point &point) {
  BodyContext context;
  // What is the same in all lanes is computed once.
  bool varies = llvm::any_of(arguments, [](Value v) { return isa<VectorType>(v.getType()); });
  for (const Form &form : node.index)
    varies |= point.lanes && form.dependsOn(point.lane);
  context.lanes = varies ? point.lanes : 0;
  context.index = [&](int64_t dim) { return indexOf(node.index[dim], point); };
  context.mask = varies ? point.mask : Value();
  if (varies && point.guard) {
    Value guard = broadcastLanes(frame, point.guard, point.lanes);
    context.mask = context.mask ? binary("arith.andi", context.mask, guard) : guard;
  }
  if (point.lanes)
    for (auto [d, form] : llvm::enumerate(node.index))
      if (form.coefficient(point.lane).isConstant(1))
        context.laneDim = d;
  context.extents = node.extents;
  return emitBody(frame, *cast<linalg::LinalgOp>(node.op).getBlock(), arguments, context);
}

Value NestCode::evaluatePart(Node &node, Point &point) {
  Value result;
  // The last one is the default; what is before it takes precedence.
  for (int64_t i = node.children.size() - 1; i >= 0; --i) {
    Value inside;
    for (Bound &bound : node.bounds[i]) {
      // One comparison, as unsigned, of what lies between.
      Value low = frame.size(bound.low), length = frame.size(bound.high - bound.low), at = indexOf(bound.form, point);
      Value from = binary("arith.subi", at, low);
      int64_t wide = isa<VectorType>(from.getType()) ? point.lanes : 0;
      Value in = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, from, broadcastLanes(frame, length, wide));
      inside = inside ? binary("arith.andi", inside, in) : in;
    }
    Point p = point.at(~0u, Value());
    if (inside) {
      if (isa<VectorType>(inside.getType())) {
        p.mask = p.mask ? binary("arith.andi", p.mask, inside) : inside;
        Value any = vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, p.mask);
        p.guard = p.guard ? binary("arith.andi", p.guard, any) : any;
      } else {
        p.guard = p.guard ? binary("arith.andi", p.guard, inside) : inside;
      }
    }
    Value value = evaluate(node.children[i], p);
    if (result && inside) {
      int64_t wide =
          llvm::any_of(ArrayRef<Value>{result, value, inside}, [](Value v) { return isa<VectorType>(v.getType()); })
              ? point.lanes
              : 0;
      result = arith::SelectOp::create(b, loc, broadcastLanes(frame, inside, wide), broadcastLanes(frame, value, wide),
                                       broadcastLanes(frame, result, wide));
    } else {
      result = value;
    }
  }
  return result;
}

Values NestCode::evaluateRotate(Node &node, Point &point) {
  Values v;
  for (Ref child : node.children)
    v.push_back(evaluate(child, point));
  Value first = binary("arith.subf", binary("arith.mulf", v[0], v[2]), binary("arith.mulf", v[1], v[3]));
  Value second = binary("arith.addf", binary("arith.mulf", v[1], v[4]), binary("arith.mulf", v[0], v[5]));
  return {first, second};
}
