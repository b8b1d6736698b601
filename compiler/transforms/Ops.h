// What the passes ask about operations: which are elementwise, which are contractions, which only move data.
#ifndef FOVEA_COMPILER_TRANSFORMS_OPS_H
#define FOVEA_COMPILER_TRANSFORMS_OPS_H

#include "dialects/attn/Attn.h"
#include "dialects/exec/Exec.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/PatternMatch.h"

namespace fovea {

/// A linalg operation without reductions whose result is written in the order of its loops.
bool isPointwise(mlir::Operation *op);
/// sum over one or more dims of a product of two tensors of one float type, starting from zero; parallel loops first.
bool isContraction(mlir::Operation *op);
/// layer_norm or rms_norm over the last dim only.
bool isLastDimNorm(mlir::Operation *op);
/// A tensor made only of constants: arith.constant, or views, transposes and concatenations of such.
bool isConstantTensor(mlir::Value value);
/// A tensor.empty or a fill of one with a constant.
bool isInit(mlir::Operation *op);
/// The operand of an elementwise operation whose map is a permutation of all loops and that has this value.
bool readsInLoopOrder(mlir::linalg::LinalgOp op, mlir::OpOperand &operand);
/// Replaces `op` by the same operation with one input more, read at `map`, whose element stands for the result of
/// `inner` in the body.
void replaceByInput(mlir::RewriterBase &rewriter, mlir::linalg::GenericOp op, mlir::Operation *inner, mlir::Value input,
                    mlir::AffineMap map);
/// Arithmetic of one element of an elementwise body: what a cost model and duplication limits count. Transcendental
/// functions count 10.
int64_t bodyCost(mlir::Block &body);
/// Pairs of a query and a key in one head that causality and the window leave, where `rows` queries at a time are
/// computed with all keys that any of them sees. Lengths count as if all keys were there, as does what depends on where
/// a block of attn.online_attention begins.
int64_t livePairs(attn::AttentionInterface attention, int64_t queries, int64_t keys, int64_t rows = 1);
/// The value of a float constant, in double; nothing for anything else.
std::optional<double> floatConstant(mlir::Value value);
/// The users of a tensor, each once, without those that only ask for its size.
llvm::SmallVector<mlir::Operation *> usersOf(mlir::Value value);
/// The node that a fault of the kernel is reported for: its first one if it can fault, else empty.
std::string faultNode(exec::KernelOp kernel);
/// Kernels that one exec.kernel_def serves: the same body, shapes, layouts, schedule and aliases, and the same node to
/// report.
bool isSameKernel(exec::KernelOp a, exec::KernelOp b);
/// The name of the node of the source model, from an operation's location.
std::string nodeName(mlir::Operation *op);

} // namespace fovea

#endif // FOVEA_COMPILER_TRANSFORMS_OPS_H
