// Operators on small integer tensors whose elements are followed one by one: how models compute shapes.
#include "frontends/onnx/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace fovea::frontend;

using ElementFn = llvm::function_ref<std::optional<DimExpr>(ArrayRef<DimExpr>)>;

static std::optional<Scalars> elementwise(ArrayRef<const Scalars *> inputs, Type type, ElementFn f) {
  auto shape = commonShape(inputs);
  if (!shape)
    return std::nullopt;
  Scalars result{*shape, {}, type};
  for (int64_t i = 0; i < elementCount(*shape); ++i) {
    SmallVector<DimExpr> elements;
    for (const Scalars *s : inputs)
      elements.push_back(s->elements[broadcastPlace(i, *shape, s->shape)]);
    auto element = f(elements);
    if (!element)
      return std::nullopt;
    result.elements.push_back(*element);
  }
  return result;
}

//===-- Elementwise ===//

/// 1 or 0; decided from the ranges where that is possible.
static DimExpr compare(Importer &im, arith::CmpIPredicate predicate, const DimExpr &x, const DimExpr &y) {
  if (x.getConstant() && y.getConstant()) // their difference may wrap around
    return arith::applyCmpPredicate(predicate, APInt(64, *x.getConstant(), true), APInt(64, *y.getConstant(), true));
  auto [low, high] = im.bounds(x - y);
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    if (low > 0 || high < 0 || (low == 0 && high == 0))
      return low == 0 && high == 0;
    break;
  case arith::CmpIPredicate::slt:
    if (high < 0 || low >= 0)
      return high < 0;
    break;
  case arith::CmpIPredicate::sle:
    if (high <= 0 || low > 0)
      return high <= 0;
    break;
  default:
    break;
  }
  Value truth = arith::CmpIOp::create(im.b, im.loc, predicate, im.index(x), im.index(y));
  return im.expr(arith::SelectOp::create(im.b, im.loc, truth, im.index(1), im.index(0)));
}

static DimExpr choose(Importer &im, const DimExpr &condition, const DimExpr &x, const DimExpr &y) {
  if (auto constant = condition.getConstant())
    return *constant ? x : y;
  if (x == y)
    return x;
  Value truth = arith::CmpIOp::create(im.b, im.loc, arith::CmpIPredicate::ne, im.index(condition), im.index(0));
  return im.expr(arith::SelectOp::create(im.b, im.loc, truth, im.index(x), im.index(y)));
}

static std::optional<DimExpr> modulo(Importer &im, const DimExpr &x, const DimExpr &y, bool truncated) {
  auto divisor = y.getConstant();
  if (!divisor || *divisor == 0)
    return std::nullopt;
  if (auto c = x.getConstant()) {
    int64_t r = *divisor == -1 ? 0 : *c % *divisor;
    return DimExpr(!truncated && r != 0 && (r < 0) != (*divisor < 0) ? r + *divisor : r);
  }
  if (im.bounds(x).first < 0 || *divisor < 0)
    return std::nullopt;
  if (x.dividedBy(y))
    return DimExpr(0);
  return im.expr(arith::RemSIOp::create(im.b, im.loc, im.index(x), im.index(y)));
}

static std::optional<DimExpr> binary(Importer &im, const Node &node, const DimExpr &x, const DimExpr &y) {
  using arith::CmpIPredicate;
  StringRef op = node.op();
  if (op == "Add" || op == "Sum")
    return x + y;
  if (op == "Sub")
    return x - y;
  if (op == "Mul")
    return x * y;
  if (op == "Div")
    return y.isConstant(0) ? std::nullopt : std::optional(im.quotient(x, y));
  if (op == "Mod")
    return modulo(im, x, y, node.integer("fmod", 0));
  if (op == "Max")
    return im.maximum(x, y);
  if (op == "Min")
    return im.minimum(x, y);
  if (op == "Equal")
    return compare(im, CmpIPredicate::eq, x, y);
  if (op == "Less")
    return compare(im, CmpIPredicate::slt, x, y);
  if (op == "LessOrEqual")
    return compare(im, CmpIPredicate::sle, x, y);
  if (op == "Greater")
    return compare(im, CmpIPredicate::slt, y, x);
  if (op == "GreaterOrEqual")
    return compare(im, CmpIPredicate::sle, y, x);
  if (op == "And")
    return x * y;
  assert(op == "Or");
  return choose(im, x, DimExpr(1), y);
}

static std::optional<Scalars> evaluateBinary(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  static const llvm::StringSet<> comparisons{"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or"};
  Type type = comparisons.contains(node.op()) ? im.b.getI1Type() : in[0]->type;
  return elementwise(in, type, [&](ArrayRef<DimExpr> e) -> std::optional<DimExpr> {
    std::optional<DimExpr> result = e[0];
    for (const DimExpr &next : e.drop_front())
      if (result)
        result = binary(im, node, *result, next);
    return result;
  });
}

static std::optional<Scalars> evaluateUnary(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  StringRef op = node.op();
  Type type = in[0]->type;
  if (op == "Cast") {
    type = mlirType(im.b.getContext(), node.integer("to", 0));
    if (!isa_and_nonnull<IntegerType>(type))
      return std::nullopt;
  }
  return elementwise(in, type, [&](ArrayRef<DimExpr> e) -> std::optional<DimExpr> {
    // What only a run knows may not fit into few bits.
    if (type.getIntOrFloatBitWidth() < 32 && !type.isInteger(1) && !e[0].getConstant())
      return std::nullopt;
    if (op == "Neg")
      return DimExpr(0) - e[0];
    if (op == "Not")
      return DimExpr(1) - e[0];
    if (op == "Abs")
      return im.maximum(e[0], DimExpr(0) - e[0]);
    if (op == "Cast" && type.isInteger(1) && !in[0]->type.isInteger(1))
      return DimExpr(1) - compare(im, arith::CmpIPredicate::eq, e[0], 0);
    return e[0];
  });
}

static std::optional<Scalars> evaluateWhere(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  return elementwise(in, in[1]->type, [&](ArrayRef<DimExpr> e) { return choose(im, e[0], e[1], e[2]); });
}

using Evaluator = std::optional<Scalars> (*)(Importer &, const Node &, ArrayRef<const Scalars *>);

static const llvm::StringMap<Evaluator> &evaluators() {
  static const llvm::StringMap<Evaluator> table = [] {
    llvm::StringMap<Evaluator> t;
    for (const char *op : {"Add", "Sub", "Mul", "Div", "Mod", "Max", "Min", "Sum", "Equal", "Less", "LessOrEqual",
                           "Greater", "GreaterOrEqual", "And", "Or"})
      t[op] = evaluateBinary;
    for (const char *op : {"Neg", "Not", "Abs", "Cast", "Identity"})
      t[op] = evaluateUnary;
    for (const char *op : {"Reshape", "Squeeze", "Unsqueeze"})
      t[op] = evaluateReshape;
    for (const char *op : {"ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin"})
      t[op] = evaluateReduce;
    t["Shape"] = t["Size"] = evaluateShape;
    t["Where"] = evaluateWhere;
    t["Gather"] = evaluateGather;
    t["Slice"] = evaluateSlice;
    t["Transpose"] = evaluateTranspose;
    t["Concat"] = evaluateConcat;
    t["ConstantOfShape"] = evaluateConstantOfShape;
    t["Expand"] = evaluateExpand;
    t["Range"] = evaluateRange;
    return t;
  }();
  return table;
}

bool fovea::frontend::hasScalarForm(StringRef op) { return evaluators().contains(op); }

/// Inputs that an operator cannot do without, counted from the first.
static size_t requiredInputs(StringRef op, size_t given) {
  if (op == "Squeeze" || op.starts_with("Reduce"))
    return 1;
  if (op == "Slice" || op == "Where" || op == "Range")
    return 3;
  if (op == "Gather" || op == "Expand" || op == "Unsqueeze" || op == "Reshape")
    return 2;
  return std::max<size_t>(given, 1);
}

std::optional<Scalars> fovea::frontend::evaluateOnScalars(Importer &importer, const Node &node,
                                                          ArrayRef<const Scalars *> inputs) {
  bool reads = node.op() != "Shape" && node.op() != "Size";
  size_t required = reads ? requiredInputs(node.op(), inputs.size()) : 0;
  if (inputs.size() < required || llvm::is_contained(inputs.take_front(required), nullptr))
    return std::nullopt;
  return evaluators().lookup(node.op())(importer, node, inputs);
}
