// Sizes of tensors as polynomials, so that the compiler can tell that two dims are the same number without knowing it.
#ifndef FOVEA_DIALECTS_DATA_DIMEXPR_H
#define FOVEA_DIALECTS_DATA_DIMEXPR_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fovea::data {

/// What a size is made of: a dim of an input by its symbolic name, or an index value that is computed in some other
/// way.
struct DimAtom {
  std::string name;  ///< of a symbolic dim; empty for a value
  mlir::Value value; ///< for a value; for a name, some value that holds it, if known
  bool operator==(const DimAtom &o) const { return name == o.name && (!name.empty() || value == o.value); }
  bool operator<(const DimAtom &o) const;
};

/// A polynomial with integer coefficients over atoms, in a normal form: two are equal exactly if they are the same
/// polynomial.
class DimExpr {
public:
  using Monomial = std::vector<DimAtom>; ///< sorted; empty for the constant term

  DimExpr() = default;
  DimExpr(int64_t constant);
  static DimExpr symbol(llvm::StringRef name, mlir::Value value = {});
  static DimExpr value(mlir::Value value);

  DimExpr operator+(const DimExpr &o) const;
  DimExpr operator-(const DimExpr &o) const;
  DimExpr operator*(const DimExpr &o) const;
  bool operator==(const DimExpr &o) const { return terms == o.terms; }
  bool operator!=(const DimExpr &o) const { return !(*this == o); }

  std::optional<int64_t> getConstant() const;
  bool isConstant(int64_t c) const { return getConstant() == c; }
  /// This divided by `o`, if that is a polynomial (exact division by one monomial, or by an equal polynomial).
  std::optional<DimExpr> dividedBy(const DimExpr &o) const;
  /// The atoms that occur, each once, sorted.
  std::vector<DimAtom> atoms() const;
  const std::map<Monomial, int64_t> &getTerms() const { return terms; }
  /// For people: "4*batch*seq + 3".
  std::string str() const;

  /// This as an expression in the symbols that `index` gives the atoms.
  mlir::AffineExpr toAffine(mlir::MLIRContext *context, llvm::function_ref<unsigned(const DimAtom &)> index) const;
  static DimExpr fromAffine(mlir::AffineExpr expr, llvm::ArrayRef<DimExpr> symbols);

private:
  void add(Monomial m, int64_t coefficient);
  std::map<Monomial, int64_t> terms;
};

/// The name of a dynamic dim of an argument of a function: what its `exec.dims` says, else one that is its own.
std::string dimName(mlir::func::FuncOp function, unsigned argument, int64_t dim);

/// The sizes of the values of a function or kernel. Looks through the operations that compute indices (arith,
/// affine.apply, tensor.dim) and through those that make tensors; caches. Valid as long as the operations it has seen
/// live.
class DimAnalysis {
public:
  DimExpr get(mlir::Value tensor, int64_t dim);
  /// Of an index value.
  DimExpr get(mlir::Value index);
  DimExpr get(mlir::OpFoldResult size);
  llvm::SmallVector<DimExpr> shape(mlir::Value tensor);
  /// True if the two sizes are the same for all values of the symbolic dims.
  bool equal(mlir::Value a, int64_t dimA, mlir::Value b, int64_t dimB) { return get(a, dimA) == get(b, dimB); }
  void forget() { dims.clear(), indices.clear(); }

private:
  DimExpr compute(mlir::Value tensor, int64_t dim);
  DimExpr computeIndex(mlir::Value index);
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, DimExpr> dims;
  llvm::DenseMap<mlir::Value, DimExpr> indices;
};

/// The value of an expression, made of arith operations at the builder's place. Every atom must have a value that
/// dominates it. A constant becomes arith.constant.
mlir::Value materialize(mlir::OpBuilder &builder, mlir::Location loc, const DimExpr &expr);
/// The same, but a constant stays an attribute.
mlir::OpFoldResult materializeOrConstant(mlir::OpBuilder &builder, mlir::Location loc, const DimExpr &expr);

} // namespace fovea::data

#endif // FOVEA_DIALECTS_DATA_DIMEXPR_H
