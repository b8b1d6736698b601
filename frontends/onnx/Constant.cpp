// What is made from nothing: constants, ranges, triangles.
#include "frontends/onnx/Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

static Value denseConstant(Importer &im, Type element, bool scalar, ArrayRef<Attribute> values) {
  SmallVector<int64_t> shape;
  if (!scalar)
    shape.push_back(values.size());
  return arith::ConstantOp::create(im.b, im.loc, DenseElementsAttr::get(RankedTensorType::get(shape, element), values));
}

static void importConstant(Importer &im, const Node &node) {
  if (node.proto.attribute_size() != 1)
    failInput("expected one value attribute");
  const onnx::AttributeProto &value = node.proto.attribute(0);
  StringRef kind = value.name();
  SmallVector<Attribute> numbers;
  if (kind == "value") {
    if (!mlirType(im.b.getContext(), value.t().data_type()))
      failUnsupported("a constant of type " + elementTypeName(value.t().data_type()));
    im.setConstant(node, value.t());
  } else if (kind == "value_float" || kind == "value_floats") {
    bool scalar = kind == "value_float";
    if (scalar)
      numbers.push_back(im.b.getF32FloatAttr(value.f()));
    for (float f : value.floats())
      numbers.push_back(im.b.getF32FloatAttr(f));
    im.setOutput(node, 0, denseConstant(im, im.b.getF32Type(), scalar, numbers));
  } else if (kind == "value_int" || kind == "value_ints") {
    bool scalar = kind == "value_int";
    SmallVector<int64_t> all = scalar ? SmallVector<int64_t>{value.i()} : node.integers(kind);
    if (static_cast<int64_t>(all.size()) <= kMaxScalars) {
      SmallVector<int64_t> shape;
      if (!scalar)
        shape.push_back(all.size());
      im.setScalars(node, {shape, SmallVector<DimExpr>(all.begin(), all.end()), im.b.getI64Type()});
      return;
    }
    for (int64_t i : all)
      numbers.push_back(im.b.getI64IntegerAttr(i));
    im.setOutput(node, 0, denseConstant(im, im.b.getI64Type(), scalar, numbers));
  } else {
    failUnsupported("a constant given by " + kind);
  }
}

static void importConstantOfShape(Importer &im, const Node &node) {
  Scalars target = im.shapeInput(node, 0);
  const onnx::AttributeProto *value = node.attribute("value");
  Value element;
  if (!value) {
    element = im.constant(im.b.getF32Type(), 0);
  } else {
    if (elementCount(value->t()) != 1)
      failInput("value has " + Twine(elementCount(value->t())) + " elements, expected 1");
    Value tensor = im.constantTensor(value->t(), "value");
    auto dense = cast<DenseElementsAttr>(tensor.getDefiningOp<arith::ConstantOp>().getValue());
    element = arith::ConstantOp::create(im.b, im.loc, cast<TypedAttr>(*dense.getValues<Attribute>().begin()));
  }
  auto constant = element.getDefiningOp<arith::ConstantOp>();
  if (RankedTensorType type = im.type(target.elements, element.getType()); type.hasStaticShape()) {
    im.setOutput(node, 0,
                 arith::ConstantOp::create(im.b, im.loc,
                                           DenseElementsAttr::get(type, ArrayRef<Attribute>(constant.getValue()))));
    return;
  }
  im.setOutput(
      node, 0,
      linalg::FillOp::create(im.b, im.loc, element, im.empty(target.elements, element.getType())).getResult(0));
}

/// start + i * step over `count` elements.
static Value range(Importer &im, Value start, Value step, const DimExpr &count) {
  Type element = im.elementType(start);
  Shape shape{count};
  AffineMap scalar = im.affineMap(1, {});
  return im.generic({start, step}, {scalar, scalar}, im.empty(shape, element), im.identity(1),
                    [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      Value i = linalg::IndexOp::create(b, loc, 0);
                      if (isa<IntegerType>(element)) {
                        Value at = arith::MulIOp::create(b, loc, arith::IndexCastOp::create(b, loc, element, i), e[1]);
                        return arith::AddIOp::create(b, loc, e[0], at);
                      }
                      Value at = arith::SIToFPOp::create(b, loc, element,
                                                         arith::IndexCastOp::create(b, loc, b.getI64Type(), i));
                      return arith::AddFOp::create(b, loc, e[0], arith::MulFOp::create(b, loc, at, e[1]));
                    });
}

static std::optional<double> constantNumber(Value tensor) {
  auto constant = tensor.getDefiningOp<arith::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : nullptr;
  if (!dense || dense.getNumElements() != 1)
    return std::nullopt;
  APFloat value = *dense.begin();
  bool lost;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

static void importRange(Importer &im, const Node &node) {
  if (node.inputs() != 3)
    failInput("expected start, limit and delta");
  Value start = im.input(node, 0), step = im.input(node, 2);
  for (unsigned i = 0; i < 3; ++i)
    if (im.rank(im.input(node, i)) != 0) // one element is as good as a scalar
      failUnsupported("start, limit and delta that are not scalars");
  if (isa<FloatType>(im.elementType(start))) {
    auto first = constantNumber(start), limit = constantNumber(im.input(node, 1)), delta = constantNumber(step);
    if (!first || !limit || !delta || *delta == 0)
      failUnsupported("a range of floats that are not constant");
    im.setOutput(node, 0, range(im, start, step, std::max<int64_t>(0, std::ceil((*limit - *first) / *delta))));
    return;
  }
  DimExpr first = im.shapeInput(node, 0).elements[0], limit = im.shapeInput(node, 1).elements[0],
          delta = im.shapeInput(node, 2).elements[0];
  if (delta.isConstant(0))
    failInput("delta is 0");
  DimExpr count;
  if (auto constant = delta.getConstant())
    count = im.ceilQuotient(*constant > 0 ? limit - first : first - limit, std::abs(*constant));
  else
    count = im.expr(arith::CeilDivSIOp::create(im.b, im.loc, im.index(limit - first), im.index(delta)));
  im.setOutput(node, 0, range(im, start, step, im.maximum(count, 0)));
}

static void importTrilu(Importer &im, const Node &node) {
  Value in = im.input(node, 0);
  bool upper = node.integer("upper", 1);
  int64_t rank = im.rank(in);
  if (rank < 2)
    failInput("expected at least 2 dims, got " + Twine(rank));
  SmallVector<Value> operands{in};
  SmallVector<AffineMap> maps{im.identity(rank)};
  std::optional<int64_t> k = 0;
  if (node.hasInput(1)) {
    const Scalars *known = im.knownScalars(node, 1);
    if (known && known->elements.size() != 1)
      failInput("k has " + Twine(known->elements.size()) + " elements, expected 1");
    k = known ? known->elements[0].getConstant() : std::nullopt;
    if (!k) {
      operands.push_back(im.reshape(im.input(node, 1), {}));
      maps.push_back(im.affineMap(rank, {}));
    }
  }
  Type element = im.elementType(in);
  im.setOutput(node, 0,
               im.generic(operands, maps, im.empty(im.shape(in), element), im.identity(rank),
                          [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                            Value i = linalg::IndexOp::create(b, loc, rank - 2),
                                  j = linalg::IndexOp::create(b, loc, rank - 1);
                            Value shift = k ? arith::ConstantIndexOp::create(b, loc, *k).getResult()
                                            : arith::IndexCastOp::create(b, loc, b.getIndexType(), e[1]).getResult();
                            Value diagonal = arith::AddIOp::create(b, loc, i, shift);
                            auto keep = upper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
                            Value kept = arith::CmpIOp::create(b, loc, keep, j, diagonal);
                            Value zero = arith::ConstantOp::create(b, loc, cast<TypedAttr>(b.getZeroAttr(element)));
                            return arith::SelectOp::create(b, loc, kept, e[0], zero);
                          }));
}

static RegisterOps family{{"Constant", importConstant},
                          {"ConstantOfShape", importConstantOfShape},
                          {"Range", importRange},
                          {"Trilu", importTrilu, 14}};
