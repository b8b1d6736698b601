#include "compiler/pipeline/Costs.h"
#include "compiler/lowering/Lowering.h"
#include "compiler/transforms/Ops.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace fovea;
using data::DimExpr;

static DimExpr product(ArrayRef<DimExpr> sizes) {
  DimExpr all(1);
  for (const DimExpr &size : sizes)
    all = all * size;
  return all;
}

/// Of an element.
static int64_t bytesOf(Value tensor) {
  Type element = getElementTypeOrSelf(tensor.getType());
  return element.isIndex() ? 8 : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

/// How often the body of a linalg operation runs.
static DimExpr iterations(linalg::LinalgOp op, data::DimAnalysis &dims) {
  SmallVector<std::optional<DimExpr>> loops(op.getNumLoops());
  for (OpOperand &operand : op->getOpOperands())
    for (auto [d, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr); loop && !loops[loop.getPosition()])
        loops[loop.getPosition()] = dims.get(operand.get(), d);
  DimExpr all(1);
  for (const std::optional<DimExpr> &loop : loops)
    all = all * loop.value_or(DimExpr(1));
  return all;
}

/// Twice the pairs of a query and a key that one head computes: what causality and the window leave of them, in an
/// expression that is exact for static sizes. For symbolic ones a window counts whole at the ends of the sequence too,
/// and bottom-right causality is taken to have no more queries than keys.
static DimExpr twicePairs(attn::AttentionInterface attention, const DimExpr &m, const DimExpr &n) {
  std::optional<int64_t> queries = m.getConstant(), keys = n.getConstant();
  if (queries && keys)
    return DimExpr(2 * livePairs(attention, *queries, *keys));
  DimExpr all = DimExpr(2) * m * n;
  attn::Causal causal = attention.getCausal();
  int64_t left = attention.getWindow()[0], right = causal == attn::Causal::none ? attention.getWindow()[1] : 0;
  constexpr int64_t kMostKeys = INT32_MAX;
  if (!isa<attn::AttentionOp>(attention.getOperation()) || left > kMostKeys || right > kMostKeys)
    return all;
  if (left >= 0 && right >= 0)
    return DimExpr(2) * m * DimExpr(std::min(left + right + 1, keys.value_or(kMostKeys)));
  if (causal == attn::Causal::bottom_right || (causal == attn::Causal::top_left && m == n))
    return m * (DimExpr(2) * n - m + DimExpr(1));
  return all;
}

static DimExpr flopsOf(Operation *op, data::DimAnalysis &dims) {
  if (auto attention = dyn_cast<attn::AttentionInterface>(op)) {
    SmallVector<DimExpr> q = dims.shape(attention.getQuery()), v = dims.shape(attention.getValue());
    return q[0] * q[1] * twicePairs(attention, q[2], v[2]) * (q[3] + v[3]);
  }
  if (auto paged = dyn_cast<attn::PagedAttentionOp>(op)) { // as if every page of the table were full
    SmallVector<DimExpr> q = dims.shape(paged.getQuery()), v = dims.shape(paged.getValue());
    return DimExpr(2) * q[0] * q[1] * q[2] * dims.shape(paged.getTable())[1] * v[2] * (q[3] + v[3]);
  }
  if (auto generic = dyn_cast<linalg::LinalgOp>(op))
    return DimExpr(bodyCost(op->getRegion(0).front())) * iterations(generic, dims);
  int64_t each = isa<attn::SoftmaxOp>(op) ? 14 // an exponential, maximum, difference, sum, quotient
                 : isa<attn::LayerNormOp, attn::RmsNormOp>(op) ? 8
                 : isa<attn::RotaryEmbeddingOp>(op)            ? 3
                                                               : 0;
  return each ? DimExpr(each) * product(dims.shape(op->getResult(0))) : DimExpr(0);
}

namespace {
/// Sizes in a kernel's block arguments, in the names that a dispatch gives them.
class Renaming {
public:
  Renaming(exec::KernelDefOp kernel, exec::DispatchOp dispatch) : context(kernel.getContext()) {
    auto sizes = dispatch->getAttrOfType<ArrayAttr>("sizes");
    for (unsigned i = 0; i < kernel.getSymbolCount(); ++i) {
      StringRef name = sizes && i < sizes.size() ? cast<StringAttr>(sizes[i]).getValue() : StringRef("?");
      int64_t constant;
      if (!name.getAsInteger(10, constant))
        names.push_back(DimExpr(constant));
      else
        names.push_back(
            DimExpr::symbol(name.contains(' ') || name.contains('*') ? "(" + name.str() + ")" : name.str()));
    }
  }
  DimExpr operator()(AffineExpr expr) const { return DimExpr::fromAffine(expr, names); }
  DimExpr operator()(const DimExpr &expr) const {
    return (*this)(expr.toAffine(context, [](const data::DimAtom &atom) -> unsigned {
      auto argument = dyn_cast<BlockArgument>(atom.value);
      return argument ? argument.getArgNumber() : 0;
    }));
  }

private:
  MLIRContext *context;
  SmallVector<DimExpr> names;
};
} // namespace

/// True if the size is made of the kernel's symbols only, which is the rule; what a body computes itself has no name
/// outside.
static bool known(const DimExpr &expr, exec::KernelDefOp kernel) {
  return llvm::all_of(expr.atoms(), [&](const data::DimAtom &atom) {
    auto argument = dyn_cast_or_null<BlockArgument>(atom.value);
    return atom.name.empty() && argument && argument.getOwner() == &kernel.getBody().front();
  });
}

/// See KernelCost.
static DimExpr activationsOf(exec::KernelDefOp kernel, exec::DispatchOp dispatch, const Renaming &rename) {
  auto kind = kernel.getSchedule().getAs<StringAttr>("kind");
  const lowering::KernelLowering *found = nullptr;
  for (const lowering::KernelLowering *lowering : lowering::kernelLowerings())
    if (kind && lowering->name() == kind.getValue())
      found = lowering;
  DimExpr sum;
  if (!found)
    return sum;
  for (const lowering::Traffic &traffic : found->traffic(lowering::KernelView(kernel))) {
    unsigned place = traffic.tensor.getArgNumber() - kernel.getSymbolCount();
    if (place >= dispatch.getBuffers().size() || dispatch.getBuffers()[place].getDefiningOp<exec::WeightBufferOp>() ||
        !known(traffic.elements, kernel))
      continue;
    sum = sum + rename(traffic.elements) * DimExpr(bytesOf(traffic.tensor));
  }
  return sum;
}

KernelCost fovea::costOf(exec::KernelDefOp kernel, exec::DispatchOp dispatch) {
  Renaming rename(kernel, dispatch);
  data::DimAnalysis dims;
  KernelCost cost;
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (DimExpr flops = flopsOf(&op, dims); known(flops, kernel))
      cost.flops = cost.flops + rename(flops);
  for (auto [shape, argument] :
       llvm::zip(kernel.getShapes().getAsValueRange<AffineMapAttr>(), kernel.getTensorArgs())) {
    DimExpr bytes(bytesOf(argument));
    for (AffineExpr size : shape.getResults())
      bytes = bytes * rename(size);
    cost.bytes = cost.bytes + bytes;
  }
  cost.activations = activationsOf(kernel, dispatch, rename);
  return cost;
}

DimExpr fovea::totalFlops(ModuleOp module) {
  SymbolTable symbols(module);
  DimExpr flops;
  module.walk([&](exec::DispatchOp dispatch) {
    flops = flops + costOf(symbols.lookup<exec::KernelDefOp>(dispatch.getKernel()), dispatch).flops;
  });
  return flops;
}

SmallVector<std::string> fovea::shapesOf(exec::KernelDefOp kernel, exec::DispatchOp dispatch) {
  Renaming rename(kernel, dispatch);
  SmallVector<std::string> all;
  for (auto [shape, argument] :
       llvm::zip(kernel.getShapes().getAsValueRange<AffineMapAttr>(), kernel.getTensorArgs())) {
    std::string text;
    for (AffineExpr size : shape.getResults())
      text += rename(size).str() + " x ";
    llvm::raw_string_ostream(text) << getElementTypeOrSelf(argument.getType());
    all.push_back(text);
  }
  return all;
}
