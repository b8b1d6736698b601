// Building of tensor operations, and broadcasting as NumPy does it.
//
// A dim that is 1 for certain is read at 0 by the indexing map; nothing is stored for that. Where only the run tells
// whether a dim is 1 or equals the other one, data.expand settles it first.
#include "frontends/onnx/Importer.h"

#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea::frontend;

//===-- Operations ===//

Attribute Importer::number(Type element, double value) {
  if (auto type = dyn_cast<FloatType>(element)) {
    APFloat number(value);
    bool lost;
    number.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    return FloatAttr::get(type, number);
  }
  return b.getIntegerAttr(element, static_cast<int64_t>(value));
}

Value Importer::constant(Type element, double value) {
  return arith::ConstantOp::create(b, loc, cast<TypedAttr>(number(element, value)));
}

Value Importer::empty(ArrayRef<DimExpr> shape, Type element) {
  type(shape, element);
  return tensor::EmptyOp::create(b, loc, sizes(shape), element);
}

Value Importer::fill(ArrayRef<DimExpr> shape, Type element, double value) {
  return linalg::FillOp::create(b, loc, constant(element, value), empty(shape, element)).getResult(0);
}

Value Importer::generic(ValueRange inputs, ArrayRef<AffineMap> inMaps, Value init, AffineMap outMap, Body body) {
  SmallVector<AffineMap> maps(inMaps);
  maps.push_back(outMap);
  SmallVector<IteratorType> iterators(outMap.getNumDims(), IteratorType::reduction);
  for (AffineExpr e : outMap.getResults())
    iterators[cast<AffineDimExpr>(e).getPosition()] = IteratorType::parallel;
  auto op = linalg::GenericOp::create(b, loc, init.getType(), inputs, init, maps, iterators,
                                      [&](OpBuilder &builder, Location where, ValueRange arguments) {
                                        linalg::YieldOp::create(builder, where, body(builder, where, arguments));
                                      });
  return op.getResult(0);
}

/// The element of a constant that has one, to be used inside of a body.
static TypedAttr oneElement(Value tensor) {
  auto constant = tensor.getDefiningOp<arith::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
  return dense && dense.getNumElements() == 1 ? cast<TypedAttr>(*dense.getValues<Attribute>().begin()) : nullptr;
}

Value Importer::map(ValueRange inputs, Type element, Body body) {
  SmallVector<Shape> shapes;
  for (Value input : inputs)
    shapes.push_back(shape(input));
  Shape common = broadcastShape(shapes);
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  SmallVector<TypedAttr> constants;
  for (Value input : inputs) {
    constants.push_back(oneElement(input));
    if (constants.back())
      continue;
    operands.push_back(settle(input, common));
    maps.push_back(broadcastMap(operands.back(), common));
  }
  return generic(operands, maps, empty(common, element), identity(common.size()),
                 [&](OpBuilder &builder, Location where, ValueRange arguments) {
                   SmallVector<Value> elements;
                   for (auto [i, constant] : llvm::enumerate(constants)) {
                     if (constant)
                       elements.push_back(arith::ConstantOp::create(builder, where, constant));
                     else
                       elements.push_back(arguments[elements.size() - llvm::count_if(ArrayRef(constants).take_front(i),
                                                                                     [](auto c) { return bool(c); })]);
                   }
                   return body(builder, where, elements);
                 });
}

Value Importer::transpose(Value tensor, ArrayRef<int64_t> permutation) {
  if (llvm::is_sorted(permutation))
    return tensor;
  Shape from = shape(tensor), to;
  for (int64_t d : permutation)
    to.push_back(from[d]);
  return linalg::TransposeOp::create(b, loc, tensor, empty(to, elementType(tensor)), permutation)->getResult(0);
}

Value Importer::slice(Value tensor, ArrayRef<DimExpr> starts, ArrayRef<DimExpr> lengths, ArrayRef<int64_t> strides) {
  bool whole = true;
  Shape from = shape(tensor);
  auto isEmpty = [](const DimExpr &length) { return length.isConstant(0); };
  if (llvm::any_of(lengths, isEmpty) || llvm::any_of(from, isEmpty))
    return empty(lengths, elementType(tensor)); // whatever the offsets are
  SmallVector<OpFoldResult> steps;
  for (auto [d, stride] : llvm::enumerate(strides)) {
    whole &= starts[d].isConstant(0) && lengths[d] == from[d] && stride == 1;
    steps.push_back(b.getIndexAttr(stride));
  }
  if (whole)
    return tensor;
  return tensor::ExtractSliceOp::create(b, loc, type(lengths, elementType(tensor)), tensor, sizes(starts),
                                        sizes(lengths), steps);
}

Value Importer::concat(ValueRange tensors, int64_t axis) {
  Shape result = shape(tensors.front());
  for (Value other : tensors.drop_front())
    for (auto [d, size] : llvm::enumerate(shape(other))) {
      if (static_cast<int64_t>(d) == axis) {
        result[d] = result[d] + size;
      } else {
        checkEqual(result[d], size, "the tensors to concatenate differ in dim " + Twine(d));
        if (size.getConstant())
          result[d] = size;
      }
    }
  if (tensors.size() == 1)
    return tensors.front();
  return tensor::ConcatOp::create(b, loc, type(result, elementType(tensors.front())), axis, tensors);
}

//===-- Broadcasting ===//

/// min(x, c) for a dim that is such a value.
static arith::MinSIOp asMinimum(const DimExpr &e) {
  std::vector<fovea::data::DimAtom> atoms = e.atoms();
  if (atoms.size() != 1 || !atoms[0].name.empty() || e != DimExpr::value(atoms[0].value))
    return nullptr;
  return atoms[0].value.getDefiningOp<arith::MinSIOp>();
}

/// True if two different sizes that broadcast against each other can only be right if they are equal.
bool Importer::equalOrBroken(const DimExpr &x, const DimExpr &y) {
  if (bounds(x).first >= 2 && bounds(y).first >= 2)
    return true;
  for (const auto &[a, other] : {std::pair(x, y), std::pair(y, x)})
    if (arith::MinSIOp min = asMinimum(a)) {
      // min(y, c) with c >= 2 is 1 exactly if y is.
      DimExpr l = dims.get(min.getLhs()), r = dims.get(min.getRhs());
      if ((l == other && bounds(r).first >= 2) || (r == other && bounds(l).first >= 2))
        return true;
    }
  return false;
}

DimExpr Importer::broadcastDim(const DimExpr &x, const DimExpr &y) {
  if (x == y || y.isConstant(1))
    return x;
  if (x.isConstant(1))
    return y;
  if (x.getConstant() && y.getConstant())
    failInput("dims " + x.str() + " and " + y.str() + " do not broadcast");
  if (equalOrBroken(x, y)) {
    for (const auto &[a, other] : {std::pair(x, y), std::pair(y, x)})
      if (arith::MinSIOp min = asMinimum(a);
          min && (dims.get(min.getLhs()) == other || dims.get(min.getRhs()) == other)) {
        minima.emplace_back(min.getResult(), loc);
        return other;
      }
    checkEqual(x, y, "dims " + x.str() + " and " + y.str() + " do not broadcast");
    return x.getConstant() ? x : y;
  }
  if (x.getConstant() || y.getConstant()) // not 1: the other one is equal or 1
    return x.getConstant() ? x : y;
  Value l = index(x), r = index(y), one = index(1);
  auto equals = [&](Value a, Value c) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, a, c);
  };
  Value fine = arith::OrIOp::create(b, loc, equals(l, r), arith::OrIOp::create(b, loc, equals(l, one), equals(r, one)));
  check(fine, "dims " + x.str() + " and " + y.str() + " do not broadcast");
  return expr(arith::SelectOp::create(b, loc, equals(l, one), r, l));
}

Shape Importer::broadcastShape(ArrayRef<Shape> shapes) {
  size_t rank = 0;
  for (const Shape &s : shapes)
    rank = std::max(rank, s.size());
  Shape result(rank, DimExpr(1));
  for (const Shape &s : shapes)
    for (size_t d = 0; d < s.size(); ++d) {
      DimExpr &to = result[rank - s.size() + d];
      to = broadcastDim(to, s[d]);
    }
  return result;
}

Value Importer::settle(Value tensor, ArrayRef<DimExpr> common) {
  Shape own = shape(tensor), target;
  bool open = false;
  if (own.size() > common.size())
    failInput(Twine(own.size()) + " dims do not broadcast to " + Twine(common.size()));
  for (auto [have, want] : llvm::zip(own, common.take_back(own.size()))) {
    if (have.getConstant() && want.getConstant() && have != want && !have.isConstant(1))
      failInput("dims " + have.str() + " and " + want.str() + " do not broadcast");
    bool certain = have == want || have.isConstant(1) || equalOrBroken(have, want);
    open |= !certain;
    target.push_back(certain ? have : want);
  }
  if (!open)
    return tensor;
  RankedTensorType result = type(target, elementType(tensor));
  SmallVector<Value> dynamic;
  for (const DimExpr &e : target)
    if (!e.getConstant())
      dynamic.push_back(index(e));
  return data::ExpandOp::create(b, loc, result, tensor, dynamic);
}

AffineMap Importer::broadcastMap(Value tensor, ArrayRef<DimExpr> common) {
  Shape own = shape(tensor);
  size_t rank = common.size();
  SmallVector<AffineExpr> results;
  for (auto [d, have] : llvm::enumerate(own)) {
    size_t to = rank - own.size() + d;
    results.push_back(have.isConstant(1) && !common[to].isConstant(1) ? b.getAffineConstantExpr(0) : dim(to));
  }
  return affineMap(rank, results);
}

Value Importer::broadcastTo(Value tensor, ArrayRef<DimExpr> target) {
  Shape own = shape(tensor);
  if (own.size() == target.size() && llvm::equal(own, target))
    return tensor;
  Value settled = settle(tensor, target);
  own = shape(settled);
  if (own.size() == target.size() && llvm::equal(own, target))
    return settled;
  return generic(settled, broadcastMap(settled, target), empty(target, elementType(tensor)), identity(target.size()),
                 [](OpBuilder &, Location, ValueRange arguments) { return arguments[0]; });
}

/// Once all is built: min(x, c), found to have to be x, becomes x, and the run checks that x <= c.
void Importer::assumeMinima() {
  llvm::SmallPtrSet<Operation *, 4> done;
  for (auto [value, where] : minima) {
    auto min = value.getDefiningOp<arith::MinSIOp>();
    if (!done.insert(min).second)
      continue;
    bool left = dims.get(min.getRhs()).getConstant().has_value();
    Value size = left ? min.getLhs() : min.getRhs(), limit = left ? min.getRhs() : min.getLhs();
    b.setInsertionPoint(min);
    loc = where;
    check(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, size, limit),
          "the size " + dims.get(size).str() + " is larger than " + dims.get(limit).str());
    min.getResult().replaceAllUsesWith(size);
  }
}
