#include "compiler/transforms/Decomposition.h"
#include "dialects/data/Data.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using attn::detail::typeOf;

//===-- Scalars ===//

Value Scalars::lookup(Value table, ValueRange at) {
  return data::LookupOp::create(b, loc, typeOf(table).getElementType(), table, at);
}

Value Scalars::wide(Value x) {
  Type f64 = b.getF64Type();
  if (x.getType().isIndex())
    x = asInteger(x);
  if (x.getType().isInteger())
    return arith::SIToFPOp::create(b, loc, f64, x);
  return x.getType() == f64 ? x : arith::ExtFOp::create(b, loc, f64, x);
}

Value Scalars::narrow(Value x) { return x.getType() == type ? x : arith::TruncFOp::create(b, loc, type, x); }

Value Scalars::quotient(Value x, Value y) {
  Value zero = numberOf(x.getType(), 0), none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, y, zero);
  return select(none, zero, div(x, y));
}

//===-- Loops ===//

Value Decomposition::generic(Value init, ArrayRef<AffineMap> maps, ArrayRef<Value> operands, Body body) {
  unsigned loops = maps.back().getNumDims();
  SmallVector<utils::IteratorType> kinds(loops, utils::IteratorType::reduction);
  for (AffineExpr expr : maps.back().getResults())
    kinds[cast<AffineDimExpr>(expr).getPosition()] = utils::IteratorType::parallel;
  return linalg::GenericOp::create(b, loc, init.getType(), operands, init, maps, kinds,
                                   [&](OpBuilder &inner, Location loc, ValueRange args) {
                                     Scalars s{inner, loc, typeOf(init).getElementType()};
                                     linalg::YieldOp::create(inner, loc, body(s, args));
                                   })
      .getResult(0);
}

Value Decomposition::generic(Value init, StringRef loops, StringRef result, Operands operands, Body body) {
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
  return generic(init, maps, inputs, body);
}

Value Decomposition::elementwise(Type type, StringRef loops, Operands operands, Sizes sizes, Body body) {
  return generic(empty(sizes, type), loops, loops, operands, body);
}

Value Decomposition::sum(Type type, StringRef loops, Operands operands, Body body) {
  return generic(filled({}, type, 0), loops, "", operands,
                 [&](Scalars &s, ValueRange args) -> Value { return s.add(args.back(), body(s, args)); });
}

Value Decomposition::product(Type type, StringRef loops, StringRef result, Operands operands, Sizes sizes) {
  return generic(filled(sizes, type, 0), loops, result, operands,
                 [](Scalars &s, ValueRange args) { return s.add(args[2], s.mul(args[0], args[1])); });
}

Value Decomposition::softmax(Value logits, bool log) {
  Value init = cast(empty(sizesOf(logits), typeOf(logits).getElementType()), logits.getType());
  return attn::SoftmaxOp::create(b, loc, logits.getType(), logits, init, 2, /*guarded=*/false, log);
}

attn::AttentionOp Decomposition::attention(const Attention &a) {
  auto init =
      empty({size(a.query, 0), size(a.query, 1), size(a.query, 2), size(a.value, 3)}, typeOf(a.query).getElementType());
  SmallVector<Attribute> maps;
  if (a.capture)
    maps.push_back(AffineMapAttr::get(a.captureMap));
  return attn::AttentionOp::create(b, loc, a.query, a.key, a.value, a.capture ? ValueRange(a.capture) : ValueRange(),
                                   a.lengths, init, a.scale, maps);
}

//===-- Tensors ===//

Decomposition::Sizes Decomposition::sizesOf(Value tensor) {
  Sizes sizes;
  for (const data::DimExpr &size : dims.shape(tensor))
    sizes.push_back(data::materializeOrConstant(b, loc, size));
  return sizes;
}

Value Decomposition::filled(const Sizes &sizes, Type type, double value) {
  Value number = arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  return linalg::FillOp::create(b, loc, number, empty(sizes, type)).getResult(0);
}

Value Decomposition::row(ArrayRef<double> values, Type type) {
  SmallVector<Attribute> elements;
  for (double value : values)
    elements.push_back(b.getFloatAttr(type, value));
  auto tensor = RankedTensorType::get(values.size(), type);
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(tensor, elements));
}

Value Decomposition::reshaped(Value tensor, ArrayRef<ReassociationIndices> groups, const Sizes &sizes) {
  SmallVector<int64_t> shape;
  for (OpFoldResult size : sizes)
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  RankedTensorType from = typeOf(tensor), to = RankedTensorType::get(shape, from.getElementType());
  if (to.getRank() < from.getRank())
    return tensor::CollapseShapeOp::create(b, loc, to, tensor, groups);
  return tensor::ExpandShapeOp::create(b, loc, to, tensor, groups, sizes);
}

Value Decomposition::withUnit(Value tensor, int64_t d) {
  Sizes sizes = sizesOf(tensor);
  SmallVector<ReassociationIndices> groups;
  // The new dim goes with the one behind it, or at the end with the one before.
  for (int64_t i = 0, next = 0, rank = sizes.size(); i < rank; ++i) {
    groups.push_back({next++});
    if (i == d || (d == rank && i == rank - 1))
      groups.back().push_back(next++);
  }
  sizes.insert(sizes.begin() + d, fixed(1));
  // Sizes that only the type of the source does not say are said first.
  SmallVector<int64_t> shape;
  for (auto [i, size] : llvm::enumerate(sizes))
    if (static_cast<int64_t>(i) != d)
      shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  return reshaped(cast(tensor, RankedTensorType::get(shape, typeOf(tensor).getElementType())), groups, sizes);
}

Value Decomposition::cast(Value tensor, Type type) {
  return tensor.getType() == type ? tensor : tensor::CastOp::create(b, loc, type, tensor).getResult();
}

//===-- What must fit ===//

void Decomposition::check(arith::CmpIPredicate predicate, const data::DimExpr &x, const data::DimExpr &y) {
  Value holds = arith::CmpIOp::create(b, loc, predicate, data::materialize(b, loc, x), data::materialize(b, loc, y));
  exec::CheckOp::create(b, loc, holds, b.getStringAttr(misfit));
}

void Decomposition::require(const data::DimExpr &x, const data::DimExpr &y) {
  if (x != y)
    check(arith::CmpIPredicate::eq, x, y);
}

void Decomposition::requireAtMost(const data::DimExpr &x, const data::DimExpr &most) {
  if ((most - x).getConstant().value_or(-1) < 0)
    check(arith::CmpIPredicate::sle, x, most);
}

void Decomposition::replace(ValueRange values) {
  for (auto [from, to] : llvm::zip_equal(op->getResults(), values))
    from.replaceAllUsesWith(cast(to, from.getType()));
  op->erase();
}
