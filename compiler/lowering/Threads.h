// What lowerings for machines that run shaders say of the invocations of a workgroup that do a task together, and of
// what one of them has and reads.
#ifndef FOVEA_COMPILER_LOWERING_THREADS_H
#define FOVEA_COMPILER_LOWERING_THREADS_H

#include "compiler/lowering/KernelCode.h"
#include "compiler/lowering/Lowering.h"
#include "compiler/lowering/Matmul.h"

namespace fovea::lowering {

/// The number of this invocation in its workgroup.
mlir::Value invocation(KernelCode &c);

/// A number below `below`, or an address, that is the same for all invocations of a workgroup, so that drivers see it:
/// a load from an address made of such ones and of constants is one for all of them.
mlir::Value uniform(KernelCode &c, mlir::Value same, int64_t below = INT32_MAX);

/// `count` elements that lie one after the other, by vectors of four if `byFour`: `place` is then a multiple of four.
KernelCode::Values loadRun(KernelCode &c, mlir::Type element, mlir::Value place, int64_t count, bool byFour);

/// Whether every fourth element of dim `inner` can be the first of a vector: the dim's elements lie one after the
/// other, and whatever the other indices are, the first one is a multiple of four.
bool isByFour(const Access &access, size_t inner);
/// Whether each term of a size is a multiple of `n`.
bool isMultipleOf(const data::DimExpr &size, int64_t n);

/// Room for elements (f32 or f64) of an invocation's own, at computed places.
mlir::Value privateArray(KernelCode &c, mlir::Type element, int64_t count);

} // namespace fovea::lowering

#endif // FOVEA_COMPILER_LOWERING_THREADS_H
