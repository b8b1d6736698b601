// Short forms for the operations that hand-scheduled kernels are made of: integers, addresses, vectors, loops. Integers
// are i64, addresses !llvm.ptr. Constants are folded while writing, so that static sizes become displacements and empty
// loops vanish.
#ifndef FOVEA_COMPILER_LOWERING_KERNELCODE_H
#define FOVEA_COMPILER_LOWERING_KERNELCODE_H

#include "compiler/lowering/Elements.h"
#include "compiler/lowering/Machine.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <functional>
#include <optional>

namespace fovea::lowering {

class KernelCode {
public:
  using Values = llvm::SmallVector<mlir::Value>;
  using LoopBody = std::function<Values(mlir::Value i, mlir::ValueRange state)>;

  KernelCode(mlir::OpBuilder &b, mlir::Location loc, const Machine &machine) : b(b), loc(loc), machine(machine) {}

  mlir::Value constant(int64_t value) { return mlir::arith::ConstantIntOp::create(b, loc, b.getI64Type(), value); }
  mlir::Value number(mlir::Type type, double value); ///< of a float type, or a splat of a vector of floats
  static std::optional<int64_t> known(mlir::Value v);

  mlir::Value add(mlir::Value x, mlir::Value y) { return b.createOrFold<mlir::arith::AddIOp>(loc, x, y); }
  mlir::Value sub(mlir::Value x, mlir::Value y) { return b.createOrFold<mlir::arith::SubIOp>(loc, x, y); }
  mlir::Value mul(mlir::Value x, mlir::Value y) { return b.createOrFold<mlir::arith::MulIOp>(loc, x, y); }
  mlir::Value div(mlir::Value x, mlir::Value y) { return b.createOrFold<mlir::arith::DivSIOp>(loc, x, y); }
  mlir::Value rem(mlir::Value x, mlir::Value y) { return b.createOrFold<mlir::arith::RemSIOp>(loc, x, y); }
  mlir::Value min(mlir::Value x, mlir::Value y) { return b.createOrFold<mlir::arith::MinSIOp>(loc, x, y); }
  mlir::Value max(mlir::Value x, mlir::Value y) { return b.createOrFold<mlir::arith::MaxSIOp>(loc, x, y); }
  mlir::Value add(mlir::Value x, int64_t y) { return add(x, constant(y)); }
  mlir::Value sub(mlir::Value x, int64_t y) { return sub(x, constant(y)); }
  mlir::Value mul(mlir::Value x, int64_t y) { return mul(x, constant(y)); }
  mlir::Value div(mlir::Value x, int64_t y) { return div(x, constant(y)); }
  mlir::Value ceilDiv(mlir::Value x, int64_t y) { return div(add(x, y - 1), y); }
  mlir::Value ceilDiv(mlir::Value x, mlir::Value y) { return div(sub(add(x, y), 1), y); }
  mlir::Value less(mlir::Value x, mlir::Value y) { return compare(mlir::arith::CmpIPredicate::slt, x, y); }
  mlir::Value equal(mlir::Value x, mlir::Value y) { return compare(mlir::arith::CmpIPredicate::eq, x, y); }
  mlir::Value compare(mlir::arith::CmpIPredicate p, mlir::Value x, mlir::Value y) {
    return b.createOrFold<mlir::arith::CmpIOp>(loc, p, x, y);
  }
  mlir::Value select(mlir::Value c, mlir::Value x, mlir::Value y) {
    return b.createOrFold<mlir::arith::SelectOp>(loc, c, x, y);
  }

  mlir::VectorType vector(mlir::Type element, int64_t lanes) { return mlir::VectorType::get({lanes}, element); }
  mlir::Value splat(mlir::VectorType type, mlir::Value scalar) {
    return mlir::vector::BroadcastOp::create(b, loc, type, scalar);
  }
  mlir::Value addf(mlir::Value x, mlir::Value y) { return mlir::arith::AddFOp::create(b, loc, x, y); }
  mlir::Value subf(mlir::Value x, mlir::Value y) { return mlir::arith::SubFOp::create(b, loc, x, y); }
  mlir::Value mulf(mlir::Value x, mlir::Value y) { return mlir::arith::MulFOp::create(b, loc, x, y); }
  mlir::Value divf(mlir::Value x, mlir::Value y) { return mlir::arith::DivFOp::create(b, loc, x, y); }
  /// x * y + z, in one rounding where the machine has the instruction.
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z);
  /// The larger one; y where one of them is NaN (one instruction on x86).
  mlir::Value maxf(mlir::Value x, mlir::Value y);
  /// 0, 1, 2, ... as i64 lanes, plus `from`.
  mlir::Value iota(int64_t lanes, mlir::Value from);
  /// Lanes l with from + l < to.
  mlir::Value lanesBelow(int64_t lanes, mlir::Value from, mlir::Value to);

  mlir::Value address(mlir::Value pointer, mlir::Type element, mlir::Value elements);
  mlir::Value address(mlir::Value pointer, mlir::Type element, int64_t elements) {
    return address(pointer, element, constant(elements));
  }
  /// `type` is that of memory, the value is of computedType(type).
  mlir::Value load(mlir::Type type, mlir::Value pointer);
  /// `element` is that of memory if it is not the value's.
  void store(mlir::Value value, mlir::Value pointer, mlir::Value mask = {}, mlir::Type element = {});
  /// Lanes outside of the mask read nothing and are zero; no mask: all lanes.
  mlir::Value load(mlir::VectorType type, mlir::Value pointer, mlir::Value mask);
  /// Lane l at pointer[l * stride].
  mlir::Value gather(mlir::VectorType type, mlir::Value pointer, mlir::Value stride, mlir::Value mask);
  void scatter(mlir::Value value, mlir::Value pointer, mlir::Value stride, mlir::Value mask, mlir::Type element = {});
  /// Fetches the line of `pointer` into the second-level cache, or into the first one in order to write it.
  void prefetch(mlir::Value pointer, bool forWriting = false);

  Values loop(mlir::Value from, mlir::Value to, int64_t step, mlir::ValueRange state, const LoopBody &body);
  void loop(mlir::Value from, mlir::Value to, int64_t step, const std::function<void(mlir::Value i)> &body);
  /// while (condition(state)) state = body(state)
  Values repeat(mlir::ValueRange state, llvm::function_ref<mlir::Value(mlir::ValueRange)> condition,
                llvm::function_ref<Values(mlir::ValueRange)> body);
  void when(mlir::Value condition, const std::function<void()> &then, const std::function<void()> &otherwise = {});
  Values choose(mlir::Value condition, mlir::TypeRange types, const std::function<Values()> &then,
                const std::function<Values()> &otherwise);
  /// Runs the case of the value; there must be one.
  void dispatch(mlir::Value value, llvm::ArrayRef<int64_t> cases, const std::function<void(int64_t)> &body);

  mlir::OpBuilder &b;
  mlir::Location loc;
  const Machine &machine;

private:
  mlir::Value pointers(mlir::VectorType type, mlir::Value pointer, mlir::Value stride);
};

/// Bytes of a float or integer element in memory; a bool is one byte.
int64_t bytesOf(mlir::Type element);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_KERNELCODE_H
