// Groups the operations of a function into kernels.
//
// Every operation that computes becomes part of exactly one exec.kernel. A group starts at an operation and takes in
// what can be done while its values are at hand:
//   contraction    the elementwise operations on its result, one after the other; then a normalisation of the rows
//   elementwise    a softmax or normalisation of the rows; elementwise operations that are not linalg's, and those on
//                  their results (linalg's have been merged by fuse-elementwise)
//   softmax, norm  the elementwise operation on its result
//   attention      the transposes and reshapes of its result (it writes where they would)
//   matching, top_k, scatter, recurrent layers, caches, pages   nothing: each is a kernel of its own, and what it reads
//                  lies in memory
// Reshapes, transposes and slices of inputs move into each kernel that reads through them. Where such a chain cannot be
// followed in place (a collapse of dims that do not lie one after the other), a copy is made a kernel of its own, and a
// remark says so.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Structured.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"
#include "dialects/exec/Exec.h"

#include "mlir/Analysis/TopologicalSortUtils.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;
using fovea::data::DimAtom;
using fovea::data::DimExpr;

namespace fovea {
#define GEN_PASS_DEF_FORMKERNELS
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

/// Operations that linalg has no loops for: each is a kernel of its own.
static bool standsAlone(Operation *op) {
  return isa<attn::BipartiteMatchOp, attn::LinearAttentionOp, attn::CausalConvWithStateOp, attn::CacheAppendOp,
             attn::PagedAppendOp, attn::PagedAttentionOp, data::TopKOp, data::ScatterOp>(op);
}

/// Operations that become (part of) kernels.
static bool computes(Operation *op) {
  if (isView(op) || isInit(op) || isa<tensor::EmptyOp>(op))
    return false;
  if (isConstantTensor(op->getNumResults() ? op->getResult(0) : Value()))
    return false;
  return isa<linalg::LinalgOp, data::StructuredOpInterface, attn::AttentionInterface, attn::SoftmaxOp,
             attn::LayerNormOp, attn::RmsNormOp, attn::RotaryEmbeddingOp, data::CumsumOp, data::CumprodOp,
             data::ExpandOp, tensor::ConcatOp, tensor::PadOp, tensor::InsertSliceOp, tensor::FromElementsOp,
             tensor::SplatOp>(op) ||
         standsAlone(op);
}

namespace {
struct Group {
  SmallVector<Operation *> ops; ///< in program order; views of the result included
  SmallVector<Value> results;   ///< values that others use
};

class KernelFormer {
public:
  explicit KernelFormer(mlir::func::FuncOp function) : function(function) {}
  LogicalResult run();

private:
  void settleReturns();
  void settleViews();
  void settleOperands();
  void copyBefore(OpOperand &operand);
  Value emptyOf(OpBuilder &b, Location loc, Value like);
  Group grow(Operation *seed);
  Operation *onlyUser(Value value);
  bool takesEpilogue(Value current, Operation *user);
  LogicalResult form(Group &group);

  mlir::func::FuncOp function;
  DimAnalysis dims;
  DenseSet<Operation *> taken;
};
} // namespace

Operation *KernelFormer::onlyUser(Value value) {
  SmallVector<Operation *> users = usersOf(value);
  return users.size() == 1 && users[0]->getBlock() == &function.getBody().front() ? users[0] : nullptr;
}

/// An empty tensor of the very type of another.
Value KernelFormer::emptyOf(OpBuilder &b, Location loc, Value like) {
  auto type = cast<RankedTensorType>(like.getType());
  SmallVector<Value> sizes;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d))
      sizes.push_back(data::materialize(b, loc, dims.get(like, d)));
  return tensor::EmptyOp::create(b, loc, type, sizes);
}

/// An identity operation in front of an operand: a copy with the layout of its own shape.
void KernelFormer::copyBefore(OpOperand &operand) {
  OpBuilder b(operand.getOwner());
  Value source = operand.get();
  auto type = cast<RankedTensorType>(source.getType());
  Location loc = source.getLoc();
  Value empty = emptyOf(b, loc, source);
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  auto copy = linalg::GenericOp::create(
      b, loc, type, source, empty, {identity, identity},
      SmallVector<utils::IteratorType>(type.getRank(), utils::IteratorType::parallel),
      [](OpBuilder &b, Location loc, ValueRange args) { linalg::YieldOp::create(b, loc, args[0]); });
  operand.set(copy.getResult(0));
}

/// Makes each returned value the result of a kernel, seen at most through reshapes, and no value returned twice.
void KernelFormer::settleReturns() {
  DenseSet<Value> seen;
  DenseMap<Value, Value> copies; ///< the last one of each value
  for (OpOperand &operand : function.getBody().front().getTerminator()->getOpOperands()) {
    Value base = operand.get();
    while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(base.getDefiningOp()))
      base = base.getDefiningOp()->getOperand(0);
    Operation *op = base.getDefiningOp();
    if (!op || !(computes(op) || isa<exec::KernelOp>(op)) || !seen.insert(base).second) {
      // Another copy of a value is made from the one before: equal operations would become one.
      Value value = operand.get();
      if (Value copy = copies.lookup(value))
        operand.set(copy);
      copyBefore(operand);
      copies[value] = operand.get();
    }
  }
}

/// Makes every chain of views one that can be followed in place.
void KernelFormer::settleViews() {
  for (Operation &op : llvm::make_early_inc_range(function.getBody().front())) {
    auto collapse = dyn_cast<tensor::CollapseShapeOp>(op);
    if (!collapse || isConstantTensor(collapse.getResult()) || succeeded(viewOfSource(collapse.getResult(), dims)))
      continue;
    // The result of attention is written where its views put it.
    Value source = collapse.getSrc();
    bool writable = true;
    while (isView(source.getDefiningOp()) && writable) {
      writable = isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, linalg::TransposeOp>(source.getDefiningOp()) &&
                 onlyUser(source);
      source = source.getDefiningOp()->getOperand(0);
    }
    auto attention = source.getDefiningOp<attn::AttentionOp>();
    if (writable && attention && source == attention.getResult() && onlyUser(source))
      continue;
    op.emitRemark("a copy is needed: the dims that are merged here do not lie one after the other");
    copyBefore(collapse.getSrcMutable());
    dims.forget();
  }
}

/// Puts into memory what operations that stand alone would read from an init inside of their kernel.
void KernelFormer::settleOperands() {
  for (Operation &op : llvm::make_early_inc_range(function.getBody().front())) {
    if (!standsAlone(&op))
      continue;
    for (OpOperand *operand : cast<DestinationStyleOpInterface>(op).getDpsInputOperands()) {
      Value base = operand->get();
      while (isView(base.getDefiningOp()))
        base = base.getDefiningOp()->getOperand(0);
      if (isInit(base.getDefiningOp()) && isa<RankedTensorType>(base.getType()))
        copyBefore(*operand);
    }
  }
}

/// An elementwise operation that reads the value once, in the order of its loops.
bool KernelFormer::takesEpilogue(Value current, Operation *user) {
  if (!user || taken.contains(user) || !isElementwise(user))
    return false;
  int64_t reads = 0;
  for (OpOperand *operand : cast<DestinationStyleOpInterface>(user).getDpsInputOperands())
    if (operand->get() == current) {
      if (!accessOf(*operand).isIdentity())
        return false;
      ++reads;
    }
  return reads == 1 &&
         cast<RankedTensorType>(current.getType()).getRank() ==
             cast<RankedTensorType>(user->getResult(0).getType()).getRank() &&
         isa<FloatType>(getElementTypeOrSelf(user->getResult(0).getType()));
}

Group KernelFormer::grow(Operation *seed) {
  Group group{{seed}, {}};
  Value current = seed->getResult(0);
  auto take = [&](Operation *op) {
    group.ops.push_back(op);
    taken.insert(op);
    current = op->getResult(0);
  };
  taken.insert(seed);
  if (isContraction(seed)) {
    for (Operation *user = onlyUser(current); takesEpilogue(current, user); user = onlyUser(current))
      take(user);
    for (Operation *user : usersOf(current))
      if (isLastDimNorm(user) && !taken.contains(user) && user->getOperand(0) == current) {
        if (!onlyUser(current))
          group.results.push_back(current);
        take(user);
        break;
      }
  } else if (isElementwise(seed) || isa<attn::SoftmaxOp>(seed) || isLastDimNorm(seed)) {
    for (Operation *user = onlyUser(current);
         isElementwise(seed) && takesEpilogue(current, user) &&
         (isa<data::StructuredOpInterface>(user) || isa<data::StructuredOpInterface>(group.ops.back()));
         user = onlyUser(current))
      take(user);
    if (Operation *user = onlyUser(current);
        user && isElementwise(seed) && !taken.contains(user) && user->getOperand(0) == current && isLastDimNorm(user))
      take(user);
    if (Operation *user = onlyUser(current); !isElementwise(group.ops.back()) && takesEpilogue(current, user))
      take(user);
  } else if (isa<attn::AttentionOp>(seed)) {
    for (Operation *user = onlyUser(current);
         isa_and_nonnull<linalg::TransposeOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(user);
         user = onlyUser(current))
      take(user);
  }
  for (Value result : group.ops.back()->getResults())
    group.results.push_back(result);
  // What an attention leaves besides its output is written as it is.
  if (group.ops.back() != seed)
    llvm::append_range(group.results,
                       seed->getResults().drop_front(isa<attn::AttentionOp>(seed) ? 1 : seed->getNumResults()));
  return group;
}

/// The kernel of a group, in place of its last operation.
LogicalResult KernelFormer::form(Group &group) {
  Operation *last = group.ops.back();
  Location loc = group.ops.front()->getLoc();
  OpBuilder b(last);
  DenseSet<Operation *> inside(group.ops.begin(), group.ops.end());
  // Inputs: tensors that the group and the views in front of it read. Views and inits are cloned in front of the
  // operation that needs them.
  SmallVector<Operation *> body;
  SmallVector<Value> inputs;
  SmallVector<DimExpr> sizes; // whatever the kernel has to know
  std::function<void(Operation *)> visit = [&](Operation *op) {
    if (llvm::is_contained(body, op))
      return;
    SetVector<Value> read;
    for (Value operand : op->getOperands())
      read.insert(operand);
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (operand.getParentBlock() == op->getBlock())
          read.insert(operand);
    });
    for (Value value : read) {
      Operation *def = value.getDefiningOp();
      if (isa<IndexType>(value.getType())) {
        sizes.push_back(dims.get(value));
      } else if (def && (inside.contains(def) || isInit(def) || (isView(def) && !isConstantTensor(value)) ||
                         (isa<arith::ConstantOp>(def) && !isa<RankedTensorType>(value.getType())))) {
        visit(def);
      } else if (auto cast = value.getDefiningOp<arith::IndexCastOp>()) {
        visit(cast);
      } else if (isa<RankedTensorType>(value.getType()) && !llvm::is_contained(inputs, value)) {
        inputs.push_back(value);
      }
    }
    body.push_back(op);
  };
  for (Operation *op : group.ops)
    visit(op);
  for (Value v : inputs)
    llvm::append_range(sizes, dims.shape(v));
  for (Value v : group.results)
    llvm::append_range(sizes, dims.shape(v));
  SmallVector<DimAtom> atoms;
  for (const DimExpr &size : sizes)
    for (const DimAtom &atom : size.atoms())
      if (!llvm::is_contained(atoms, atom))
        atoms.push_back(atom);
  llvm::sort(atoms);
  auto indexOf = [&](const DimAtom &atom) -> unsigned { return llvm::find(atoms, atom) - atoms.begin(); };

  SmallVector<Value> symbols, inits;
  for (const DimAtom &atom : atoms) {
    DimExpr e = atom.name.empty() ? DimExpr::value(atom.value) : DimExpr::symbol(atom.name, atom.value);
    symbols.push_back(data::materialize(b, loc, e));
  }
  SmallVector<Attribute> shapes;
  auto addShape = [&](Value v) {
    SmallVector<AffineExpr> exprs;
    for (const DimExpr &size : dims.shape(v))
      exprs.push_back(size.toAffine(b.getContext(), indexOf));
    shapes.push_back(AffineMapAttr::get(AffineMap::get(0, atoms.size(), exprs, b.getContext())));
  };
  for (Value v : inputs)
    addShape(v);
  for (Value v : group.results) {
    addShape(v);
    inits.push_back(emptyOf(b, loc, v));
  }
  auto kernel = exec::KernelOp::create(b, loc, TypeRange(group.results), b.getStringAttr(""), symbols, inputs, inits,
                                       b.getArrayAttr(shapes), ArrayAttr(), DictionaryAttr(), ArrayAttr());
  Block *block = b.createBlock(&kernel.getBody());
  IRMapping map;
  SmallVector<DimExpr> arguments;
  for (size_t i = 0; i < symbols.size(); ++i)
    arguments.push_back(DimExpr::value(block->addArgument(b.getIndexType(), loc)));
  for (Value v : inputs)
    map.map(v, block->addArgument(v.getType(), loc));
  for (Value v : group.results)
    block->addArgument(v.getType(), loc);
  // Index values are computed anew from the kernel's symbols.
  auto translate = [&](Value index) {
    AffineExpr expr = dims.get(index).toAffine(b.getContext(), indexOf);
    return data::materialize(b, loc, DimExpr::fromAffine(expr, arguments));
  };
  for (Operation *op : body) {
    auto mapIndex = [&](Value operand) {
      if (isa<IndexType>(operand.getType()) && operand.getParentBlock() == op->getBlock() && !map.contains(operand))
        map.map(operand, translate(operand));
    };
    llvm::for_each(op->getOperands(), mapIndex);
    op->walk([&](Operation *inner) { llvm::for_each(inner->getOperands(), mapIndex); });
    b.clone(*op, map);
  }
  SmallVector<Value> yielded;
  for (Value v : group.results)
    yielded.push_back(map.lookup(v));
  exec::YieldOp::create(b, loc, yielded);
  for (auto [from, to] : llvm::zip(group.results, kernel.getResults()))
    from.replaceAllUsesWith(to);
  for (Operation *op : llvm::reverse(group.ops)) {
    // Sizes of values that no longer exist: those of the kernel's results are known by their shapes.
    for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
      if (isa<tensor::DimOp>(user)) {
        OpBuilder at(user);
        auto dim = cast<tensor::DimOp>(user);
        user->getResult(0).replaceAllUsesWith(
            data::materialize(at, loc, dims.get(dim.getSource(), *dim.getConstantIndex())));
        user->erase();
      }
    op->erase();
  }
  dims.forget();
  return success();
}

LogicalResult KernelFormer::run() {
  settleReturns();
  settleViews();
  settleOperands();
  SmallVector<Operation *> seeds;
  for (Operation &op : function.getBody().front())
    if (computes(&op))
      seeds.push_back(&op);
  SmallVector<Group> groups;
  for (Operation *op : seeds)
    if (!taken.contains(op))
      groups.push_back(grow(op));
  // A group stands where its last operation stood; a value of it that others read earlier moves behind it.
  for (Group &group : groups)
    if (failed(form(group)))
      return failure();
  sortTopologically(&function.getBody().front());
  return success();
}

namespace {
struct FormKernelsPass : fovea::impl::FormKernelsBase<FormKernelsPass> {
  void runOnOperation() override {
    if (failed(KernelFormer(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
