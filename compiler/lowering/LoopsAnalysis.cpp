// From the yields of a kernel backwards: which nests write which parts of which init. Reshapes, transposes,
// concatenations and insertions at the end of a kernel decide where results are written and cost nothing.
#include "compiler/lowering/LoopsTree.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

namespace {
/// Element (i0, ...) of a tensor is to be written to element offset + sum of ik * strides[k] of an init.
struct Place {
  BlockArgument init;
  DimExpr offset;
  SmallVector<DimExpr> strides;
};

class Analysis {
public:
  Analysis(const KernelView &kernel, data::DimAnalysis &dims, KernelLoops &loops, std::string &reason)
      : kernel(kernel), dims(dims), loops(loops), builder(loops, dims, reason) {}
  LogicalResult run();

private:
  LogicalResult write(Value tensor, const Place &place);
  LogicalResult writeConcat(tensor::ConcatOp op, const Place &place);
  LogicalResult writeRotary(attn::RotaryEmbeddingOp op, const Place &place);
  template <typename OpT> LogicalResult writeScan(OpT op, const Place &place);
  LogicalResult writeElements(Value tensor, const Place &place);
  Place rowMajor(BlockArgument init);
  Forms newLoops(Value tensor, Nest &nest);
  static Form formOf(const Place &place, ArrayRef<Form> at) {
    Form form{place.offset, {}};
    for (auto [f, stride] : llvm::zip(at, place.strides))
      form = form + f * stride;
    return form;
  }

  const KernelView &kernel;
  data::DimAnalysis &dims;
  KernelLoops &loops;
  TreeBuilder builder;
};
} // namespace

Place Analysis::rowMajor(BlockArgument init) {
  View view = *viewOfSource(init, dims);
  return {init, view.offset, view.strides};
}

LogicalResult Analysis::run() {
  SmallVector<OpOperand *> yields;
  for (OpOperand &operand : kernel.body->getTerminator()->getOpOperands())
    yields.push_back(&operand);
  // Producers first: what is yielded and used further is then read from its init.
  llvm::stable_sort(yields, [](OpOperand *a, OpOperand *b) {
    Operation *x = a->get().getDefiningOp(), *y = b->get().getDefiningOp();
    return y && (!x || (x != y && x->isBeforeInBlock(y)));
  });
  for (OpOperand *yield : yields) {
    BlockArgument init = kernel.initOf(*yield);
    // A result that is its own init, or was written along with another result of its operation.
    bool done = yield->get() == init;
    for (const Nest &nest : loops.nests)
      for (const Output &output : nest.outputs)
        done |= output.init == init;
    if (!done && failed(write(yield->get(), rowMajor(init))))
      return failure();
    builder.setWritten(yield->get(), init);
  }
  return success();
}

/// A loop for each dim of a tensor; their counters as forms.
Forms Analysis::newLoops(Value tensor, Nest &nest) {
  Forms at;
  for (const DimExpr &size : dims.shape(tensor)) {
    nest.loops.push_back(builder.newLoop(size));
    at.push_back(Form::variable(nest.loops.back()));
  }
  return at;
}

LogicalResult Analysis::write(Value tensor, const Place &place) {
  Operation *op = tensor.getDefiningOp();
  Place from{place.init, place.offset, {}};
  if (isa_and_nonnull<tensor::CastOp>(op))
    return write(op->getOperand(0), place);
  if (auto transpose = dyn_cast_or_null<linalg::TransposeOp>(op)) {
    from.strides.assign(place.strides.size(), DimExpr(0));
    for (auto [to, d] : llvm::enumerate(transpose.getPermutation()))
      from.strides[d] = place.strides[to];
    return write(transpose.getInput(), from);
  }
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op)) {
    from.strides.assign(collapse.getSrcType().getRank(), DimExpr(0));
    for (auto [d, group] : llvm::enumerate(collapse.getReassociationIndices())) {
      DimExpr stride = place.strides[d];
      for (int64_t inner : llvm::reverse(group)) {
        from.strides[inner] = stride;
        stride = stride * dims.get(collapse.getSrc(), inner);
      }
    }
    return write(collapse.getSrc(), from);
  }
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op)) {
    bool merges = true;
    for (auto group : expand.getReassociationIndices()) {
      std::optional<DimExpr> inner, next;
      for (int64_t d : llvm::reverse(group)) {
        DimExpr size = dims.get(op->getResult(0), d);
        if (size.isConstant(1))
          continue;
        merges &= !next || *next == place.strides[d];
        if (!inner)
          inner = place.strides[d];
        next = place.strides[d] * size;
      }
      from.strides.push_back(inner.value_or(DimExpr(0)));
    }
    if (merges)
      return write(expand.getSrc(), from);
  }
  if (auto concat = dyn_cast_or_null<tensor::ConcatOp>(op))
    return writeConcat(concat, place);
  if (auto rotary = dyn_cast_or_null<attn::RotaryEmbeddingOp>(op))
    return writeRotary(rotary, place);
  if (auto scan = dyn_cast_or_null<data::CumsumOp>(op))
    return writeScan(scan, place);
  if (auto scan = dyn_cast_or_null<data::CumprodOp>(op))
    return writeScan(scan, place);
  if (auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(op)) {
    // All of the destination first, unless it is in its place; then the slice.
    auto dest = dyn_cast<BlockArgument>(insert.getDest());
    bool there = dest && dest == place.init && rowMajor(dest).strides == place.strides && place.offset.isConstant(0);
    if (!there && !insert.getDest().getDefiningOp<tensor::EmptyOp>() && failed(write(insert.getDest(), place)))
      return failure();
    auto dropped = insert.getDroppedDims();
    SmallVector<OpFoldResult> steps = insert.getMixedStrides();
    for (auto [d, offset] : llvm::enumerate(insert.getMixedOffsets())) {
      from.offset = from.offset + dims.get(offset) * place.strides[d];
      if (!dropped.test(d))
        from.strides.push_back(dims.get(steps[d]) * place.strides[d]);
    }
    return write(insert.getSource(), from);
  }
  return writeElements(tensor, place);
}

LogicalResult Analysis::writeConcat(tensor::ConcatOp op, const Place &place) {
  Place at = place;
  for (Value input : op.getInputs()) {
    if (failed(write(input, at)))
      return failure();
    at.offset = at.offset + dims.get(input, op.getDim()) * place.strides[op.getDim()];
  }
  return success();
}

/// Both elements of a pair at a time; then what is not rotated.
LogicalResult Analysis::writeRotary(attn::RotaryEmbeddingOp op, const Place &place) {
  int64_t last = place.strides.size() - 1;
  DimExpr size = dims.get(op.getSource(), last), rotated = op.getRotaryDim() ? DimExpr(*op.getRotaryDim()) : size;
  auto half = rotated.dividedBy(DimExpr(2));
  if (!half)
    return builder.refuse("the rotated dim is not known to be even");
  Nest nest;
  Forms lead = newLoops(op.getSource(), nest);
  lead.pop_back();
  loops.sizes[nest.loops.back()] = *half;
  Form pair = Form::variable(nest.loops.back());
  bool halves = op.getForm() == attn::RotaryForm::half;
  Form first = halves ? pair : pair * DimExpr(2), second = first + (halves ? *half : DimExpr(1));
  FailureOr<Ref> rotate = builder.buildRotate(op, lead, first, second, pair);
  if (failed(rotate))
    return failure();
  for (unsigned i : {0u, 1u}) {
    Forms at = lead;
    at.push_back(i ? second : first);
    nest.outputs.push_back({Ref{rotate->node, i}, place.init, formOf(place, at)});
  }
  loops.nests.push_back(nest);
  if (rotated == size)
    return success();
  Nest rest;
  Forms at = newLoops(op.getSource(), rest);
  loops.sizes[rest.loops.back()] = size - rotated;
  at.back() = at.back() + rotated;
  FailureOr<Ref> same = builder.build(op.getSource(), at);
  if (failed(same))
    return failure();
  rest.outputs.push_back({*same, place.init, formOf(place, at)});
  loops.nests.push_back(rest);
  return success();
}

template <typename OpT> LogicalResult Analysis::writeScan(OpT op, const Place &place) {
  Nest nest;
  Forms at = newLoops(op.getSource(), nest);
  FailureOr<Ref> source = builder.build(op.getSource(), at);
  if (failed(source))
    return failure();
  nest.outputs.push_back({*source, place.init, formOf(place, at)});
  nest.scan = nest.loops[op.getAxis()];
  nest.reverse = op.getReverse(), nest.exclusive = op.getExclusive();
  nest.product = std::is_same_v<OpT, data::CumprodOp>;
  loops.nests.push_back(nest);
  return success();
}

LogicalResult Analysis::writeElements(Value tensor, const Place &place) {
  Nest nest;
  Forms at = newLoops(tensor, nest);
  FailureOr<Ref> value = builder.build(tensor, at);
  if (failed(value))
    return failure();
  nest.outputs.push_back({*value, place.init, formOf(place, at)});
  // Other results of the same operation are written along, where they are in the same order.
  if (auto linalgOp = tensor.getDefiningOp<linalg::LinalgOp>())
    for (OpResult other : linalgOp->getResults()) {
      if (other == tensor ||
          linalgOp.getIndexingMapMatchingResult(other) != linalgOp.getIndexingMapMatchingResult(cast<OpResult>(tensor)))
        continue;
      auto to = viewOfDestination(other, dims);
      if (failed(to) || to->terminal->getOwner() != kernel.body->getTerminator())
        continue;
      FailureOr<Ref> ref = builder.build(other, at);
      if (failed(ref))
        return failure();
      BlockArgument init = kernel.initOf(*to->terminal);
      nest.outputs.push_back({*ref, init, formOf(Place{init, to->view.offset, to->view.strides}, at)});
    }
  loops.nests.push_back(nest);
  return success();
}

std::unique_ptr<KernelLoops> fovea::lowering::analyzeLoops(const KernelView &kernel, data::DimAnalysis &dims,
                                                           std::string &reason) {
  auto loops = std::make_unique<KernelLoops>();
  if (failed(Analysis(kernel, dims, *loops, reason).run()))
    return nullptr;
  // Sizes must be known from the kernel's symbols.
  auto isKnown = [&](const DimExpr &e) {
    return llvm::all_of(e.atoms(), [&](const data::DimAtom &atom) {
      auto argument = dyn_cast_or_null<BlockArgument>(atom.value);
      return atom.name.empty() && argument && argument.getOwner() == kernel.body &&
             argument.getArgNumber() < kernel.symbols;
    });
  };
  bool known = llvm::all_of(loops->sizes, isKnown);
  auto check = [&](const Form &form) {
    known &= isKnown(form.constant);
    for (auto &[v, c] : form.coefficients)
      known &= isKnown(c);
  };
  for (Nest &nest : loops->nests)
    for (Output &output : nest.outputs) {
      check(output.place);
      walkNodes(output.value, [&](Node &node) {
        check(node.address);
        for (const Form &form : node.index)
          check(form);
        for (auto &bounds : node.bounds)
          for (const Bound &bound : bounds)
            check(bound.form), known &= isKnown(bound.low) && isKnown(bound.high);
        for (const Node::Unknown &u : node.unknown)
          check(u.form), known &= isKnown(u.stride) && isKnown(u.size) && isKnown(u.target);
      });
    }
  if (!known) {
    reason = "a size does not follow from the kernel's symbols";
    return nullptr;
  }
  return loops;
}
