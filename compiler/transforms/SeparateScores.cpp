// Attention whose scores or weights are results of the model too.
//
// Such a model keeps Q K^T or what follows from it, so attention could not take these in. Here attention gets a chain
// of operations of its own, from the product of queries and keys to that of weights and values; what the model returns
// stays beside it. Where scores are read by other computations nothing is
// done: all of them would compute the scores again.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace fovea;

namespace fovea {
#define GEN_PASS_DEF_SEPARATESCORES
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

static constexpr unsigned kLongestChain = 8;

/// Appends the operations from a product to the one that makes `value`, each reading the one before elementwise.
static bool followBack(Value value, SmallVector<Operation *> &chain, unsigned depth = 0) {
  Operation *op = value.getDefiningOp();
  if (isContraction(op)) {
    chain.push_back(op);
    return true;
  }
  if (!isPointwise(op) || depth == kLongestChain)
    return false;
  auto generic = cast<linalg::GenericOp>(op);
  for (OpOperand *operand : generic.getDpsInputOperands())
    if (generic.getMatchingIndexingMap(operand).isIdentity() && followBack(operand->get(), chain, depth + 1)) {
      chain.push_back(op);
      return true;
    }
  return false;
}

/// Appends the operations that read `value` elementwise up to a product; the product. Null if there is none or several.
static Operation *followForth(Value value, SmallVector<Operation *> &chain) {
  for (unsigned depth = 0; depth < kLongestChain; ++depth) {
    Operation *next = nullptr, *product = nullptr;
    for (Operation *user : usersOf(value)) {
      Operation *&found = isContraction(user) ? product : next;
      if (found && isContraction(user))
        return nullptr;
      if (isContraction(user) || (isPointwise(user) && !user->use_empty()))
        found = user;
    }
    if (product || !next)
      return product;
    chain.push_back(next);
    value = next->getResult(0);
  }
  return nullptr;
}

/// What reads `op` leads to results of the function and to nothing that computes more than element by element.
static bool isReturned(Operation *op) {
  return isa<func::ReturnOp>(op) || isa<tensor::DimOp>(op) ||
         ((isPointwise(op) || isView(op) || isa<linalg::TransposeOp, tensor::CastOp>(op)) &&
          llvm::all_of(op->getUsers(), isReturned));
}

/// Gives the product of weights and values behind this softmax a chain of its own.
static void separate(attn::SoftmaxOp softmax) {
  SmallVector<Operation *> chain;
  if (!followBack(softmax.getSource(), chain))
    return;
  chain.push_back(softmax);
  Operation *product = followForth(softmax.getResult(), chain);
  if (!product)
    return;
  bool shared = false;
  for (Operation *op : chain)
    for (Operation *user : usersOf(op->getResult(0))) {
      if (user == product || llvm::is_contained(chain, user))
        continue;
      if (!isReturned(user))
        return;
      shared = true;
    }
  if (!shared)
    return;
  OpBuilder b(product);
  IRMapping own;
  for (Operation *op : chain)
    b.clone(*op, own);
  for (OpOperand &operand : product->getOpOperands())
    operand.set(own.lookupOrDefault(operand.get()));
  for (Operation *op : llvm::reverse(chain))
    if (isOpTriviallyDead(op))
      op->erase();
}

namespace {
struct SeparateScoresPass : fovea::impl::SeparateScoresBase<SeparateScoresPass> {
  void runOnOperation() override {
    SmallVector<attn::SoftmaxOp> all;
    getOperation().walk([&](attn::SoftmaxOp op) { all.push_back(op); });
    for (attn::SoftmaxOp softmax : all)
      separate(softmax);
  }
};
} // namespace
