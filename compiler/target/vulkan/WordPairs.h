// 64-bit integers as two 32-bit words, for what no device has to offer 64-bit integers for.
#ifndef FOVEA_COMPILER_TARGET_VULKAN_WORDPAIRS_H
#define FOVEA_COMPILER_TARGET_VULKAN_WORDPAIRS_H

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace fovea::vulkan {

/// Writes arithmetic of pairs: vector<2xi32>, the lower word first. Exact for all 64-bit values, with the wrap-around
/// of two's complement; a division by zero gives some number.
class WordPairs {
public:
  explicit WordPairs(mlir::OpBuilder &b) : b(b) {}

  static mlir::Type type(mlir::MLIRContext *context);
  static bool isPair(mlir::Type type);
  /// Whether operation() or a conversion below does what the operation does, on i64 values.
  static bool cover(mlir::Operation *op);

  mlir::Value pair(mlir::Location loc, mlir::Value low, mlir::Value high);
  mlir::Value constant(mlir::Location loc, int64_t value);
  mlir::Value low(mlir::Location loc, mlir::Value v) { return word(loc, v, 0); }
  mlir::Value high(mlir::Location loc, mlir::Value v) { return word(loc, v, 1); }
  /// Of an i32 or i1.
  mlir::Value extended(mlir::Location loc, mlir::Value v, bool isSigned);
  /// The same operation on operands of which those that are i64 there are pairs.
  mlir::Value operation(mlir::Operation *op, mlir::ValueRange operands);
  mlir::Value select(mlir::Location loc, mlir::Value condition, mlir::Value x, mlir::Value y);
  /// The nearest f32, the even one of two.
  mlir::Value toFloat(mlir::Location loc, mlir::Value v, bool isSigned);
  /// Of an f32, towards zero; the lowest integer for what is none.
  mlir::Value fromFloat(mlir::Location loc, mlir::Value v, bool isSigned);

private:
  using Value = mlir::Value;
  struct Words {
    Value low, high;
  };
  Words words(Value v) { return {word(at, v, 0), word(at, v, 1)}; }
  Value pair(Words w) { return pair(at, w.low, w.high); }
  Value word(mlir::Location loc, Value v, int32_t number);
  Value number(int64_t v);
  template <typename Op> Value make(Value x, Value y) { return b.createOrFold<Op>(at, x, y); }
  Value choose(Value condition, Value x, Value y) { return b.createOrFold<mlir::arith::SelectOp>(at, condition, x, y); }
  Value is(mlir::arith::CmpIPredicate predicate, Value x, Value y) {
    return b.createOrFold<mlir::arith::CmpIOp>(at, predicate, x, y);
  }
  Words choose(Value condition, Words x, Words y) {
    return {choose(condition, x.low, y.low), choose(condition, x.high, y.high)};
  }
  Value compare(mlir::arith::CmpIPredicate predicate, Words x, Words y);
  Words add(Words x, Words y);
  Words sub(Words x, Words y);
  Words mul(Words x, Words y);
  Words magnitude(Words x);
  Words negatedIf(Value condition, Words x);
  Words shifted(mlir::Operation *op, Words x, Value by);
  Words shiftedLeft(Words x, Value by);
  /// Quotient and rest.
  std::pair<Words, Words> divided(Words x, Words y);
  std::pair<Words, Words> dividedByBits(Words x, Words y);

  mlir::OpBuilder &b;
  mlir::Location at = b.getUnknownLoc();
};

} // namespace fovea::vulkan

#endif // FOVEA_COMPILER_TARGET_VULKAN_WORDPAIRS_H
