// Computes at compile time what follows from the model's constants alone.
//
// The reference evaluator does the arithmetic. Three things stay as they are: views of constants (weights stay mapped
// and are laid out anew when they are packed), tensors that are made from nothing but indices and single numbers (their
// readers compute them for free, and see what they mean), and what would cost more than it saves: results that are much
// larger than what they come from, products of weights, long computations.
#include "compiler/reference/Reference.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace fovea;

namespace fovea {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

static constexpr int64_t kMostBytes = 4 << 20;   ///< of a result
static constexpr int64_t kMostGrowth = 1 << 20;  ///< of a result beyond what it comes from, in bytes
static constexpr int64_t kWeightBytes = 1 << 20; ///< constants from that size on only where the result is smaller
static constexpr double kMostWork = 1 << 22;     ///< scalar operations for one result; the evaluator does 20 in a us
static constexpr double kMostWorkOfAll = 1 << 25;

namespace {
/// How a value follows from constants.
struct Origin {
  bool isGenerated = true; ///< from indices and single numbers only
  double work = 0;
  llvm::SmallSetVector<Operation *, 4> constants;
};

class Folder {
public:
  explicit Folder(mlir::func::FuncOp function) : function(function) {}
  void run();

private:
  std::optional<Origin> originOf(Operation &op);
  bool pays(Operation &op, const Origin &origin) const;

  mlir::func::FuncOp function;
  llvm::DenseMap<Operation *, Origin> origins; ///< of operations that follow from constants
};
} // namespace

static int64_t elementsOf(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  return type && type.hasStaticShape() ? type.getNumElements() : 1;
}

static int64_t bytesOf(Value tensor) {
  Type element = getElementTypeOrSelf(tensor.getType());
  return elementsOf(tensor) * (element.isIndex() ? 8 : std::max(1u, element.getIntOrFloatBitWidth() / 8));
}

/// Scalar operations of one evaluation.
static double workOf(Operation &op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    double work = bodyCost(*linalgOp.getBlock()) + 1;
    for (int64_t range : linalgOp.getStaticLoopRanges())
      work *= range;
    return work;
  }
  double elements = 0;
  for (Value operand : op.getOperands())
    elements += elementsOf(operand);
  return 4 * (elements + elementsOf(op.getResult(0)));
}

/// Nothing, if the operation does not follow from constants or the evaluator should not try.
std::optional<Origin> Folder::originOf(Operation &op) {
  if (op.getNumResults() != 1 || isa<attn::AttentionOp>(op) || !isMemoryEffectFree(&op))
    return std::nullopt;
  auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
  if (type && (!type.hasStaticShape() || type.getNumElements() == 0))
    return std::nullopt;
  Origin origin;
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (type && !(dense && dense.isSplat())) {
      origin.isGenerated = false;
      origin.work = elementsOf(constant.getResult());
      origin.constants.insert(&op);
    }
    return origin;
  }
  llvm::SetVector<Value> used(op.operand_begin(), op.operand_end());
  getUsedValuesDefinedAbove(op.getRegions(), used);
  for (Value value : used) {
    auto known = origins.find(value.getDefiningOp());
    if (!value.getDefiningOp() || known == origins.end())
      return std::nullopt;
    origin.isGenerated &= known->second.isGenerated;
    origin.work += known->second.work;
    origin.constants.insert(known->second.constants.begin(), known->second.constants.end());
  }
  origin.isGenerated &= !type || isPointwise(&op) || isView(&op) || isInit(&op);
  origin.work += workOf(op);
  return origin;
}

bool Folder::pays(Operation &op, const Origin &origin) const {
  Value result = op.getResult(0);
  if (origin.isGenerated || isConstantTensor(result) || !isa<RankedTensorType>(result.getType()) ||
      getElementTypeOrSelf(result.getType()).isIndex())
    return false;
  int64_t from = 0, to = bytesOf(result);
  for (Operation *constant : origin.constants)
    from += bytesOf(constant->getResult(0));
  return origin.work <= kMostWork && to <= kMostBytes && to <= from + kMostGrowth && (from < kWeightBytes || to < from);
}

void Folder::run() {
  SmallVector<Operation *> worth;
  for (Operation &op : function.getBody().front().without_terminator())
    if (std::optional<Origin> origin = originOf(op)) {
      if (pays(op, *origin))
        worth.push_back(&op);
      origins[&op] = std::move(*origin);
    }
  DenseSet<Operation *> all(worth.begin(), worth.end());
  double work = 0;
  for (Operation *op : worth) {
    // What only such operations read disappears with them.
    bool isLast = llvm::any_of(op->getUsers(), [&](Operation *user) {
      Operation *top = function.getBody().front().findAncestorOpInBlock(*user);
      return !top || !all.contains(top);
    });
    if (!isLast || work + origins[op].work > kMostWorkOfAll)
      continue;
    work += origins[op].work;
    FailureOr<ElementsAttr> value = reference::foldToConstant(op);
    if (failed(value))
      continue;
    OpBuilder b(op);
    op->getResult(0).replaceAllUsesWith(arith::ConstantOp::create(b, op->getLoc(), cast<TypedAttr>(*value)));
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

namespace {
struct FoldConstantsPass : fovea::impl::FoldConstantsBase<FoldConstantsPass> {
  void runOnOperation() override {
    if (getOperation().getBody().hasOneBlock())
      Folder(getOperation()).run();
  }
};
} // namespace
