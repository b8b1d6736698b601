// Arithmetic on sizes: what the ranges of the named dims decide is decided here, the rest is left to the run.
#include "frontends/onnx/Importer.h"

#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;
namespace exec = fovea::exec;
namespace data = fovea::data;

//-----------------------------------------------------------------------------------------------------------------------===//

RankedTensorType Importer::type(ArrayRef<DimExpr> shape, Type element) {
  SmallVector<int64_t> sizes;
  int64_t elements = 1;
  bool tooMany = false, isEmpty = false;
  for (const DimExpr &e : shape) {
    auto size = e.getConstant();
    sizes.push_back(size.value_or(ShapedType::kDynamic));
    if (!size)
      continue;
    if (*size < 0)
      failInput("a dim has the size " + Twine(*size));
    isEmpty |= *size == 0;
    tooMany |= llvm::MulOverflow(elements, *size, elements) || elements > int64_t(1) << 59;
  }
  if (tooMany && !isEmpty)
    failInput("a tensor has more than 2^59 elements");
  return RankedTensorType::get(sizes, element);
}

SmallVector<OpFoldResult> Importer::sizes(ArrayRef<DimExpr> shape) {
  SmallVector<OpFoldResult> all;
  for (const DimExpr &e : shape)
    all.push_back(size(e));
  return all;
}

static int64_t saturate(__int128 v) {
  constexpr int64_t limit = std::numeric_limits<int64_t>::max();
  return v > limit ? limit : v < -limit ? -limit : static_cast<int64_t>(v);
}

std::pair<int64_t, int64_t> Importer::bounds(const DimExpr &expr, int64_t leastDim) {
  constexpr int64_t limit = std::numeric_limits<int64_t>::max();
  __int128 low = 0, high = 0;
  for (auto &[monomial, coefficient] : expr.getTerms()) {
    __int128 lo = 1, hi = 1;
    for (const data::DimAtom &atom : monomial) {
      std::pair<int64_t, int64_t> range{-limit, limit};
      if (!atom.name.empty()) {
        range = {leastDim, std::numeric_limits<int32_t>::max()};
        if (auto it = ranges.find(atom.name); it != ranges.end())
          range = {it->second.min, it->second.max};
      } else if (auto known = valueBounds.find(atom.value); known != valueBounds.end()) {
        range = known->second;
      } else if (auto min = atom.value.getDefiningOp<arith::MinSIOp>()) {
        auto a = bounds(dims.get(min.getLhs())), b = bounds(dims.get(min.getRhs()));
        range = {std::min(a.first, b.first), std::min(a.second, b.second)};
        valueBounds[atom.value] = range;
      } else if (auto max = atom.value.getDefiningOp<arith::MaxSIOp>()) {
        auto a = bounds(dims.get(max.getLhs())), b = bounds(dims.get(max.getRhs()));
        range = {std::max(a.first, b.first), std::max(a.second, b.second)};
        valueBounds[atom.value] = range;
      }
      __int128 corners[] = {lo * range.first, lo * range.second, hi * range.first, hi * range.second};
      lo = saturate(*std::min_element(corners, corners + 4));
      hi = saturate(*std::max_element(corners, corners + 4));
    }
    __int128 a = lo * coefficient, b = hi * coefficient;
    // What is out of range stays unbounded, whatever is added.
    int64_t least = saturate(std::min(a, b)), most = saturate(std::max(a, b));
    low = low == -limit || least == -limit ? -limit : saturate(low + least);
    high = high == limit || most == limit ? limit : saturate(high + most);
  }
  return {saturate(low), saturate(high)};
}

/// Whether a difference of sizes is at least 0 as long as no dim is empty. Bounds that only an empty dim would cross
/// are not worth run-time sizes: the run checks that there is none.
bool Importer::assumeNotEmpty(const DimExpr &difference) {
  if (bounds(difference, /*leastDim=*/1).first < 0)
    return false;
  for (const data::DimAtom &atom : difference.atoms())
    if (atom.name.empty())
      return false;
  if (assumed.insert(difference.str()).second)
    check(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, index(difference), index(0)),
          "the size " + difference.str() + " is negative; empty dims are not supported here");
  return true;
}

DimExpr Importer::minimum(const DimExpr &a, const DimExpr &b) {
  // The difference of two numbers may wrap around.
  if (a.getConstant() && b.getConstant())
    return std::min(*a.getConstant(), *b.getConstant());
  auto [low, high] = bounds(b - a);
  if (low >= 0)
    return a;
  if (high <= 0 || assumeNotEmpty(a - b))
    return b;
  if (assumeNotEmpty(b - a))
    return a;
  return expr(arith::MinSIOp::create(this->b, loc, index(a), index(b)));
}

DimExpr Importer::maximum(const DimExpr &a, const DimExpr &b) {
  if (a.getConstant() && b.getConstant())
    return std::max(*a.getConstant(), *b.getConstant());
  auto [low, high] = bounds(b - a);
  if (low >= 0)
    return b;
  if (high <= 0 || assumeNotEmpty(a - b))
    return a;
  if (assumeNotEmpty(b - a))
    return b;
  return expr(arith::MaxSIOp::create(this->b, loc, index(a), index(b)));
}

DimExpr Importer::quotient(const DimExpr &a, const DimExpr &b) {
  if (b.isConstant(0))
    failInput("a size is divided by 0");
  if (b.isConstant(-1)) // the least number has no quotient
    return DimExpr(0) - a;
  if (a.getConstant() && b.getConstant())
    return *a.getConstant() / *b.getConstant();
  if (auto exact = a.dividedBy(b))
    return *exact;
  return expr(arith::DivSIOp::create(this->b, loc, index(a), index(b)));
}

DimExpr Importer::ceilQuotient(const DimExpr &a, int64_t divisor) {
  if (divisor == 1)
    return a;
  if (auto constant = a.getConstant())
    return llvm::divideCeilSigned(*constant, divisor);
  return expr(arith::CeilDivSIOp::create(b, loc, index(a), index(divisor)));
}

void Importer::check(Value condition, const Twine &message) {
  std::string where = isa<NameLoc>(loc) ? cast<NameLoc>(loc).getName().str() + ": " : "";
  exec::CheckOp::create(b, loc, condition, b.getStringAttr(where + message));
}

void Importer::checkEqual(const DimExpr &a, const DimExpr &b, const Twine &what) {
  DimExpr difference = a - b;
  if (difference.isConstant(0))
    return;
  auto [low, high] = bounds(difference);
  if (low > 0 || high < 0)
    failInput(what + ": expected " + a.str() + ", got " + b.str());
  check(arith::CmpIOp::create(this->b, loc, arith::CmpIPredicate::eq, index(a), index(b)), what);
}

void Importer::checkAtMost(const DimExpr &a, const DimExpr &b, const Twine &what) {
  if (a.getConstant() && b.getConstant() ? *a.getConstant() <= *b.getConstant() : bounds(b - a).first >= 0)
    return;
  if (a.getConstant() && b.getConstant())
    failInput(what + ": " + a.str() + " > " + b.str());
  check(arith::CmpIOp::create(this->b, loc, arith::CmpIPredicate::sle, index(a), index(b)), what);
}

int64_t Importer::axis(int64_t axis, int64_t rank, const Node &node) {
  if (axis < -rank || axis >= rank)
    failInput("axis " + Twine(axis) + " of a tensor with " + Twine(rank) + " dims");
  return axis < 0 ? axis + rank : axis;
}

void Importer::checkTypes(ValueRange tensors) {
  for (Value tensor : tensors)
    if (elementType(tensor) != elementType(tensors.front()))
      failInput("the operands have different element types");
}

void Importer::checkFloat(Value tensor) {
  if (!isa<FloatType>(elementType(tensor)))
    failInput("the operand is not a tensor of floats");
}

void Importer::checkIndices(Value tensor) {
  Type element = elementType(tensor);
  if (!isa<IntegerType>(element) || element.isInteger(1))
    failInput("the indices are not a tensor of integers");
}
