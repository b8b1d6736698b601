// Index expressions of loop nests: linear in the loops' counters, with sizes as coefficients. What all accesses of a
// kernel look like once reshapes, transposes, slices and indexing maps have been seen through; from this follow the
// order of loops, the vectorised one and which dims are one.
#ifndef FOVEA_COMPILER_LOWERING_LOOPSFORM_H
#define FOVEA_COMPILER_LOWERING_LOOPSFORM_H

#include "dialects/data/DimExpr.h"

#include "llvm/ADT/ArrayRef.h"

#include <map>

namespace fovea::lowering {

/// constant + sum of coefficients[v] * counter of loop v.
struct Form {
  data::DimExpr constant{0};
  std::map<unsigned, data::DimExpr> coefficients; ///< none is 0

  static Form variable(unsigned v) { return Form{data::DimExpr(0), {{v, data::DimExpr(1)}}}; }
  data::DimExpr coefficient(unsigned v) const {
    auto it = coefficients.find(v);
    return it == coefficients.end() ? data::DimExpr(0) : it->second;
  }
  bool dependsOn(unsigned v) const { return coefficients.count(v) != 0; }
  Form operator+(const Form &o) const {
    Form r = *this;
    r.constant = r.constant + o.constant;
    for (auto &[v, c] : o.coefficients) {
      data::DimExpr sum = r.coefficient(v) + c;
      if (sum.isConstant(0))
        r.coefficients.erase(v);
      else
        r.coefficients[v] = sum;
    }
    return r;
  }
  Form operator*(const data::DimExpr &factor) const {
    Form r;
    if (factor.isConstant(0))
      return r;
    r.constant = constant * factor;
    for (auto &[v, c] : coefficients)
      r.coefficients[v] = c * factor;
    return r;
  }
  Form operator+(const data::DimExpr &c) const { return *this + Form{c, {}}; }
  bool operator==(const Form &o) const { return constant == o.constant && coefficients == o.coefficients; }
};

using Forms = llvm::SmallVector<Form>;

/// The value of an affine expression in the forms of its dims; none for floordiv, mod and products of dims.
std::optional<Form> formOf(mlir::AffineExpr expr, llvm::ArrayRef<Form> dims);

/// True if counters `outer` and `inner` may be replaced by one that runs through both: in all forms they occur as outer
/// * size + inner.
bool canMerge(llvm::ArrayRef<const Form *> forms, unsigned outer, unsigned inner, const data::DimExpr &innerSize);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_LOOPSFORM_H
