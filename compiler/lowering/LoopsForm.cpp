#include "compiler/lowering/LoopsForm.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

std::optional<Form> fovea::lowering::formOf(AffineExpr expr, ArrayRef<Form> dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Form{data::DimExpr(constant.getValue()), {}};
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || (expr.getKind() != AffineExprKind::Add && expr.getKind() != AffineExprKind::Mul))
    return std::nullopt;
  auto x = formOf(binary.getLHS(), dims), y = formOf(binary.getRHS(), dims);
  if (!x || !y)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add)
    return *x + *y;
  if (y->coefficients.empty())
    return *x * y->constant;
  if (x->coefficients.empty())
    return *y * x->constant;
  return std::nullopt;
}

bool fovea::lowering::canMerge(ArrayRef<const Form *> forms, unsigned outer, unsigned inner,
                               const data::DimExpr &innerSize) {
  return llvm::all_of(forms, [&](const Form *f) { return f->coefficient(outer) == f->coefficient(inner) * innerSize; });
}
