// The attn dialect; SPEC.md beside this file fixes the semantics.
#ifndef FOVEA_DIALECTS_ATTN_ATTN_H
#define FOVEA_DIALECTS_ATTN_ATTN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/VectorInterfaces.h"

#include "dialects/attn/Dialect.h.inc"
#include "dialects/attn/Enums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/attn/Attrs.h.inc"

namespace fovea::attn::detail {
/// Of any attention, from its query B x H x M x D and key B x G x N x D.
int64_t groupSize(mlir::Value query, mlir::Value key);
mlir::Type scoreType(mlir::Value query);

inline mlir::RankedTensorType typeOf(mlir::Value tensor) {
  return llvm::cast<mlir::RankedTensorType>(tensor.getType());
}
/// True if the tensors have as many dims as their letters say, and dims of one letter (or digit: that size) agree where
/// they are static.
bool fit(llvm::ArrayRef<std::pair<mlir::Value, llvm::StringRef>> tensors);
/// The same of two shapes.
bool agree(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);
/// f32 or f64: what operations that are decomposed compute in.
bool isReal(mlir::Type type);
} // namespace fovea::attn::detail

#include "dialects/attn/Interfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/attn/Ops.h.inc"

#endif // FOVEA_DIALECTS_ATTN_ATTN_H
