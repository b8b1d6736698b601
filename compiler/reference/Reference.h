// The reference evaluator: what the IR means, slow, obvious and in double precision. It is the oracle for all targets
// and folds constants.
//
// Floats are computed as doubles inside of an operation; the result of each operation that makes a tensor is rounded to
// its element type. Integers, bools and indices are 64 bits wide and wrap around at their width.
#ifndef FOVEA_COMPILER_REFERENCE_REFERENCE_H
#define FOVEA_COMPILER_REFERENCE_REFERENCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"

#include <string>
#include <vector>

namespace fovea::reference {

/// A float as a double, or an integer with its sign extended (a bool as 0 or 1).
union Element {
  double f;
  int64_t i;
};

struct Tensor {
  mlir::Type elementType;
  llvm::SmallVector<int64_t> shape;
  std::vector<Element> data; ///< row-major

  Tensor() = default;
  Tensor(mlir::Type elementType, llvm::ArrayRef<int64_t> shape);
  bool isFloat() const { return llvm::isa<mlir::FloatType>(elementType); }
  int64_t rank() const { return shape.size(); }
  /// The distance in elements from one index of each dim to the next.
  llvm::SmallVector<int64_t> strides() const;
  /// Rounds each element to the element type.
  void round();
};

/// Runs a function. On failure `error` says why, with the operation's location.
llvm::FailureOr<std::vector<Tensor>> evaluate(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> inputs,
                                              std::string *error = nullptr);

/// Runs a region with one block that takes the arguments and yields tensors; values from outside must be constants.
llvm::FailureOr<std::vector<Tensor>> evaluate(mlir::Region &region, llvm::ArrayRef<Tensor> arguments,
                                              std::string *error = nullptr);

/// The value of the operation's only result, whose operands are all made, in the end, from constants by operations
/// without effects.
llvm::FailureOr<Tensor> evaluateConstant(mlir::Operation *op, std::string *error = nullptr);
/// The same as an attribute; the data of large ones is a resource.
llvm::FailureOr<mlir::ElementsAttr> foldToConstant(mlir::Operation *op);

/// Elements of an attribute; failure if its kind or type is not known.
llvm::FailureOr<Tensor> fromAttribute(mlir::ElementsAttr attribute);
mlir::ElementsAttr toAttribute(const Tensor &tensor, llvm::StringRef name = "folded");

/// Bytes as they lie in memory, a bool in one byte; failure if the number of bytes does not fit.
llvm::FailureOr<Tensor> fromBytes(mlir::Type elementType, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<char> bytes);
std::vector<char> toBytes(const Tensor &tensor);

} // namespace fovea::reference

#endif // FOVEA_COMPILER_REFERENCE_REFERENCE_H
