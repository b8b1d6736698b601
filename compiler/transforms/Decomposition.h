// Writing what an operation stands for as linalg, tensor and attn operations in front of it: what the families of the
// attn dialect share that stock passes are to fuse and tile.
#ifndef FOVEA_COMPILER_TRANSFORMS_DECOMPOSITION_H
#define FOVEA_COMPILER_TRANSFORMS_DECOMPOSITION_H

#include "dialects/attn/Attn.h"
#include "dialects/data/DimExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace fovea {

/// The families. Each replaces the operation if it knows it, and says so.
bool decomposeMatching(mlir::Operation *op);
bool decomposeMemory(mlir::Operation *op);
bool decomposePooling(mlir::Operation *op);
bool decomposePositional(mlir::Operation *op);

/// The numbers in a body; `type` is that of its result.
struct Scalars {
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type type;

  using Value = mlir::Value;
  using Predicate = mlir::arith::CmpIPredicate;
  Value number(double value) { return numberOf(type, value); }
  Value numberOf(mlir::Type type, double value) {
    return mlir::arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  }
  Value integer(int64_t value) { return mlir::arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value)); }
  Value place(int64_t value) { return mlir::arith::ConstantIndexOp::create(b, loc, value); }
  Value add(Value x, Value y) { return mlir::arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return mlir::arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return mlir::arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return mlir::arith::DivFOp::create(b, loc, x, y); }
  Value min(Value x, Value y) { return mlir::arith::MinimumFOp::create(b, loc, x, y); }
  Value max(Value x, Value y) { return mlir::arith::MaximumFOp::create(b, loc, x, y); }
  Value addi(Value x, Value y) { return mlir::arith::AddIOp::create(b, loc, x, y); }
  Value subi(Value x, Value y) { return mlir::arith::SubIOp::create(b, loc, x, y); }
  Value select(Value c, Value x, Value y) { return mlir::arith::SelectOp::create(b, loc, c, x, y); }
  Value compare(Predicate p, Value x, Value y) { return mlir::arith::CmpIOp::create(b, loc, p, x, y); }
  Value index(Value x) { return mlir::arith::IndexCastOp::create(b, loc, b.getIndexType(), x); }
  Value loop(int64_t d) { return mlir::linalg::IndexOp::create(b, loc, d); }
  Value asInteger(Value x) { return mlir::arith::IndexCastOp::create(b, loc, b.getI64Type(), x); }
  Value lookup(Value table, mlir::ValueRange at);
  /// A number in f64, and back in the type of the result. An i64 or index is exact up to 2^53.
  Value wide(Value x);
  Value narrow(Value x);
  /// x / y, or 0 where y is 0.
  Value quotient(Value x, Value y);
};

class Decomposition {
public:
  /// `misfit`: what a run is told whose sizes differ.
  Decomposition(mlir::Operation *op, llvm::StringRef misfit) : op(op), misfit(misfit), b(op), loc(op->getLoc()) {}

protected:
  using Value = mlir::Value;
  using Type = mlir::Type;
  using Sizes = llvm::SmallVector<mlir::OpFoldResult>;
  using Operands = llvm::ArrayRef<std::pair<Value, llvm::StringRef>>;
  using Body = llvm::function_ref<Value(Scalars &, mlir::ValueRange)>;

  /// Loops are letters; the letters of an operand are the loops that its dims run along. Loops that the result does not
  /// have are reductions, whose body gets the value so far behind the operands' elements.
  Value generic(Value init, llvm::StringRef loops, llvm::StringRef result, Operands operands, Body body);
  /// The same by maps from the loops, the last one that of the result.
  Value generic(Value init, llvm::ArrayRef<mlir::AffineMap> maps, llvm::ArrayRef<Value> operands, Body body);
  /// One element for each tuple of the loops' indices.
  Value elementwise(Type type, llvm::StringRef loops, Operands operands, Value like, Body body) {
    return elementwise(type, loops, operands, sizesOf(like), body);
  }
  Value elementwise(Type type, llvm::StringRef loops, Operands operands, Sizes sizes, Body body);
  /// The sum of the body's values over all loops, of rank 0.
  Value sum(Type type, llvm::StringRef loops, Operands operands, Body body);
  /// The sum of products over the loops that the result does not have.
  Value product(Type type, llvm::StringRef loops, llvm::StringRef result, Operands operands, Sizes sizes);
  /// Along the last of three dims.
  Value softmax(Value logits, bool log);
  /// Softmax attention; rows without a live key are zeros.
  struct Attention {
    Value query, key, value;
    double scale = 1;
    Value capture, lengths;     ///< or none
    mlir::AffineMap captureMap; ///< of the capture
  };
  attn::AttentionOp attention(const Attention &parts);

  mlir::OpFoldResult size(Value tensor, int64_t d) { return data::materializeOrConstant(b, loc, dims.get(tensor, d)); }
  Sizes sizesOf(Value tensor);
  mlir::OpFoldResult fixed(int64_t size) { return b.getIndexAttr(size); }
  Value filled(const Sizes &sizes, Type type, double value);
  Value empty(const Sizes &sizes, Type type) { return mlir::tensor::EmptyOp::create(b, loc, sizes, type); }
  /// Letters for the first dims of a tensor of any rank.
  static llvm::StringRef letters(int64_t count) {
    return llvm::StringRef("ABCDEFGHIJKLMNOPQRSTUVWXYZ").take_front(count);
  }
  /// A constant along one dim.
  Value row(llvm::ArrayRef<double> values, Type type);
  /// The tensor with a dim of size 1 in front of dim d.
  Value withUnit(Value tensor, int64_t d);
  Value reshaped(Value tensor, llvm::ArrayRef<mlir::ReassociationIndices> groups, const Sizes &sizes);
  /// A tensor of the same sizes as another type that says more or less about them.
  Value cast(Value tensor, Type type);

  /// Dim i of x and dim j of y are the same number, or the run is refused.
  void require(Value x, int64_t i, Value y, int64_t j) { require(dims.get(x, i), dims.get(y, j)); }
  void require(const data::DimExpr &x, const data::DimExpr &y);
  void requireAtMost(const data::DimExpr &x, const data::DimExpr &most);
  /// The values take the place of the operation's results.
  void replace(mlir::ValueRange values);

private:
  void check(mlir::arith::CmpIPredicate predicate, const data::DimExpr &x, const data::DimExpr &y);

protected:
  mlir::Operation *op;
  llvm::StringRef misfit;
  mlir::OpBuilder b;
  mlir::Location loc;
  data::DimAnalysis dims;
};

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_DECOMPOSITION_H
