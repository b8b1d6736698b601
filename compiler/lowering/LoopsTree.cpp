#include "compiler/lowering/LoopsTree.h"

#include "compiler/lowering/Body.h"
#include "dialects/attn/Attn.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

static Type elementOf(Value v) { return getElementTypeOrSelf(v.getType()); }

Node &TreeBuilder::newNode(Node::Kind kind, Operation *op, Type element) {
  Node &node = loops.nodes.emplace_back();
  node.kind = kind, node.op = op, node.element = element;
  return node;
}

LogicalResult TreeBuilder::addChild(Node &node, Value tensor, ArrayRef<Form> place) {
  FailureOr<Ref> child = build(tensor, place);
  if (succeeded(child))
    node.children.push_back(*child);
  return child;
}

FailureOr<Ref> TreeBuilder::leafOf(const View &view, ArrayRef<Form> place, Type element) {
  Node &node = newNode(Node::leaf, nullptr, element);
  node.buffer = isa<BlockArgument>(view.base) ? cast<BlockArgument>(view.base) : written.lookup(view.base);
  node.address = Form{view.offset, {}};
  for (auto [form, stride] : llvm::zip(place, view.strides))
    node.address = node.address + form * stride;
  return Ref{&node};
}

FailureOr<Ref> TreeBuilder::buildScalar(Value value) {
  Node &node = newNode(Node::scalar, nullptr, value.getType());
  node.value = value;
  return Ref{&node};
}

FailureOr<Ref> TreeBuilder::build(Value tensor, ArrayRef<Form> place) {
  for (const Known &k : known)
    if (k.tensor == tensor && ArrayRef(k.place) == place)
      return k.ref;
  Type element = elementOf(tensor);
  Operation *op = tensor.getDefiningOp();
  FailureOr<Ref> ref = failure();
  // Another result of the same operation at the same place is the same node.
  if (auto linalgOp = dyn_cast_or_null<linalg::LinalgOp>(op); linalgOp && op->getNumResults() > 1)
    for (const Known &k : known)
      if (k.tensor.getDefiningOp() == op && ArrayRef(k.place) == place && k.ref.node->op == op &&
          linalgOp.getIndexingMapMatchingResult(cast<OpResult>(k.tensor)) ==
              linalgOp.getIndexingMapMatchingResult(cast<OpResult>(tensor)))
        return Ref{k.ref.node, cast<OpResult>(tensor).getResultNumber()};
  auto view = viewOfSource(tensor, dims);
  if (succeeded(view) && (isa<BlockArgument>(view->base) || written.contains(view->base))) {
    ref = leafOf(*view, place, element);
  } else if (isView(op)) {
    ref = buildView(op, place);
  } else if (auto row = dyn_cast<attn::SoftmaxOp>(op)) {
    ref = buildRow(op, row.getAxis(), 1, place);
  } else if (auto row = dyn_cast<attn::LayerNormOp>(op)) {
    ref = buildRow(op, row.getAxis(), place.size() - row.getAxis(), place);
  } else if (auto row = dyn_cast<attn::RmsNormOp>(op)) {
    ref = buildRow(op, row.getAxis(), place.size() - row.getAxis(), place);
  } else if (isa<linalg::LinalgOp>(op)) {
    ref = buildLinalg(op, cast<OpResult>(tensor).getResultNumber(), place);
  } else if (isa<tensor::PadOp, tensor::ConcatOp, tensor::InsertSliceOp>(op)) {
    ref = buildParts(op, place);
  } else if (isa<data::ExpandOp>(op)) {
    ref = buildExpand(op, place);
  } else if (auto splat = dyn_cast<tensor::SplatOp>(op)) {
    ref = buildScalar(splat.getInput());
  } else if (isa<tensor::EmptyOp>(op)) {
    // Of no defined value; nobody may depend on it.
    Node &node = newNode(Node::scalar, op, element);
    ref = Ref{&node};
  } else if (auto elements = dyn_cast<tensor::FromElementsOp>(op)) {
    if (elements.getElements().size() == 1) {
      ref = buildScalar(elements.getElements().front());
    } else if (place.size() == 1) {
      Node &node = newNode(Node::part, op, element);
      for (auto [i, e] : llvm::enumerate(elements.getElements())) {
        node.children.push_back(*buildScalar(e));
        node.bounds.push_back({Bound{place[0], DimExpr(i), DimExpr(i + 1)}});
      }
      ref = Ref{&node};
    } else {
      return refuse("'tensor.from_elements' of several dims");
    }
  } else if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!dense || !dense.isSplat())
      return refuse("a constant tensor inside of the kernel");
    Node &node = newNode(Node::scalar, op, element);
    ref = Ref{&node};
  } else {
    return refuse("'" + op->getName().getStringRef() + "' cannot be computed element by element");
  }
  if (succeeded(ref))
    known.push_back({tensor, Forms(place), *ref});
  return ref;
}

/// A reshape, transpose or slice of what the kernel itself computes.
FailureOr<Ref> TreeBuilder::buildView(Operation *op, ArrayRef<Form> place) {
  Value source = op->getOperand(0);
  int64_t rank = cast<RankedTensorType>(source.getType()).getRank();
  Forms from(rank, Form{});
  if (isa<tensor::CastOp>(op))
    return build(source, place);
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    for (auto [to, d] : llvm::enumerate(transpose.getPermutation()))
      from[d] = place[to];
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    auto dropped = slice.getDroppedDims();
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(), steps = slice.getMixedStrides();
    for (int64_t d = 0, kept = 0; d < rank; ++d)
      from[d] = (dropped.test(d) ? Form{} : place[kept++] * dims.get(steps[d])) + dims.get(offsets[d]);
  } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    for (auto [d, group] : llvm::enumerate(expand.getReassociationIndices()))
      for (int64_t inner : group)
        from[d] = from[d] * dims.get(op->getResult(0), inner) + place[inner];
  } else {
    auto collapse = cast<tensor::CollapseShapeOp>(op);
    for (auto [d, group] : llvm::enumerate(collapse.getReassociationIndices())) {
      int64_t wide = -1;
      for (int64_t inner : group) {
        if (dims.get(source, inner).isConstant(1))
          continue;
        if (wide >= 0)
          return refuse("a reshape merges dims of a tensor that the kernel computes");
        wide = inner;
      }
      if (wide >= 0)
        from[wide] = place[d];
    }
  }
  return build(source, from);
}

FailureOr<Ref> TreeBuilder::buildLinalg(Operation *op, unsigned result, ArrayRef<Form> place) {
  auto linalgOp = cast<linalg::LinalgOp>(op);
  if (!canEmitBody(*linalgOp.getBlock(), reason))
    return failure();
  SmallVector<utils::IteratorType> iterators = linalgOp.getIteratorTypesArray();
  bool reduction = linalgOp.getNumReductionLoops() > 0;
  Node &node = newNode(reduction ? Node::reduce : Node::map, op, elementOf(op->getResult(result)));
  node.index.resize(iterators.size());
  node.extents.assign(iterators.size(), DimExpr(0));
  llvm::SmallBitVector set(iterators.size());
  AffineMap map = linalgOp.getIndexingMapMatchingResult(cast<OpResult>(op->getResult(result)));
  for (auto [p, expr] : llvm::enumerate(map.getResults())) {
    if (isa<AffineConstantExpr>(expr))
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return refuse("an output of '" + op->getName().getStringRef() + "' is written at a computed place");
    node.index[dim.getPosition()] = place[p];
    node.extents[dim.getPosition()] = dims.get(op->getResult(result), p);
    set.set(dim.getPosition());
  }
  // Sizes of the other dims, from whichever operand is indexed by them alone.
  for (auto [d, iterator] : llvm::enumerate(iterators)) {
    if (set.test(d))
      continue;
    bool found = false;
    for (OpOperand &operand : op->getOpOperands()) {
      if (found || !isa<RankedTensorType>(operand.get().getType()))
        continue;
      for (auto [p, expr] : llvm::enumerate(linalgOp.getMatchingIndexingMap(&operand).getResults()))
        if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() == d && !found) {
          node.extents[d] = dims.get(operand.get(), p);
          found = true;
        }
    }
    if (!found)
      return refuse("the size of a dim of '" + op->getName().getStringRef() + "' is not that of an operand");
    if (iterator == utils::IteratorType::parallel) {
      // A parallel dim that the result does not have: only of size 1 it says something.
      if (!node.extents[d].isConstant(1))
        return refuse("a parallel dim of '" + op->getName().getStringRef() + "' is missing in its result");
      continue;
    }
    node.loops.push_back(newLoop(node.extents[d]));
    node.index[d] = Form::variable(node.loops.back());
  }
  for (OpOperand &operand : op->getOpOperands()) {
    // What the body does not look at need not be read.
    if (linalgOp.getMatchingBlockArgument(&operand).use_empty()) {
      node.children.push_back(Ref{});
      continue;
    }
    if (!isa<RankedTensorType>(operand.get().getType())) {
      node.children.push_back(*buildScalar(operand.get()));
      continue;
    }
    Forms at;
    for (AffineExpr expr : linalgOp.getMatchingIndexingMap(&operand).getResults()) {
      auto form = formOf(expr, node.index);
      if (!form)
        return refuse("an indexing map of '" + op->getName().getStringRef() + "' is not linear");
      at.push_back(*form);
    }
    if (failed(addChild(node, operand.get(), at)))
      return failure();
  }
  return Ref{&node, result};
}

/// Softmax and normalisations over `axes` dims from `axis` on.
FailureOr<Ref> TreeBuilder::buildRow(Operation *op, int64_t axis, int64_t axes, ArrayRef<Form> place) {
  bool isSoftmax = isa<attn::SoftmaxOp>(op);
  Node &node = newNode(isSoftmax ? Node::softmax : Node::norm, op, elementOf(op->getResult(0)));
  Forms inner(place);
  for (int64_t d = 0, e = place.size(); d < e; ++d) {
    if (d < axis || d >= axis + axes) {
      node.index.push_back(place[d]);
      continue;
    }
    node.loops.push_back(newLoop(dims.get(op->getOperand(0), d)));
    inner[d] = Form::variable(node.loops.back());
  }
  if (failed(addChild(node, op->getOperand(0), inner)) || failed(addChild(node, op->getOperand(0), place)))
    return failure();
  auto parameter = [&](Value v) {
    if (v)
      return addChild(node, v, place.drop_front(axis));
    node.children.push_back(Ref{});
    return success();
  };
  if (auto layer = dyn_cast<attn::LayerNormOp>(op))
    if (failed(parameter(layer.getScale())) || failed(parameter(layer.getBias())))
      return failure();
  if (auto rms = dyn_cast<attn::RmsNormOp>(op))
    if (failed(parameter(rms.getScale())) || failed(parameter({})))
      return failure();
  return Ref{&node};
}

/// Pad, concat, insert_slice: different sources in different places.
FailureOr<Ref> TreeBuilder::buildParts(Operation *op, ArrayRef<Form> place) {
  Node &node = newNode(Node::part, op, elementOf(op->getResult(0)));
  auto add = [&](Value source, ArrayRef<DimExpr> offsets, ArrayRef<int64_t> placeOf) {
    // placeOf: which dim of the result each dim of the source is.
    Forms at;
    SmallVector<Bound> bounds;
    for (auto [d, to] : llvm::enumerate(placeOf))
      at.push_back(place[to] + (DimExpr(0) - offsets[to]));
    for (int64_t to = 0, e = place.size(); to < e; ++to) {
      auto it = llvm::find(placeOf, to);
      DimExpr size = it == placeOf.end() ? DimExpr(1) : dims.get(source, it - placeOf.begin());
      if (!offsets[to].isConstant(0) || size != dims.get(op->getResult(0), to))
        bounds.push_back({place[to], offsets[to], offsets[to] + size});
    }
    node.bounds.push_back(bounds);
    return addChild(node, source, at);
  };
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, place.size()));
  SmallVector<DimExpr> none(place.size(), DimExpr(0));
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    SmallVector<DimExpr> low;
    for (OpFoldResult l : pad.getMixedLowPad()) {
      low.push_back(dims.get(l));
    }
    if (failed(add(pad.getSource(), low, all)))
      return failure();
    Value padding = pad.getConstantPaddingValue();
    if (!padding)
      return refuse("padding that depends on the place");
    node.children.push_back(*buildScalar(padding));
    node.bounds.emplace_back();
  } else if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    DimExpr at(0);
    for (Value input : concat.getInputs()) {
      SmallVector<DimExpr> offsets = none;
      offsets[concat.getDim()] = at;
      at = at + dims.get(input, concat.getDim());
      if (failed(add(input, offsets, all)))
        return failure();
      // Sizes of other dims are equal, in whatever words.
      llvm::erase_if(node.bounds.back(), [&](const Bound &b) { return !(b.form == place[concat.getDim()]); });
    }
  } else {
    auto insert = cast<tensor::InsertSliceOp>(op);
    SmallVector<DimExpr> offsets;
    SmallVector<int64_t> kept;
    auto dropped = insert.getDroppedDims();
    for (auto [d, offset] : llvm::enumerate(insert.getMixedOffsets())) {
      offsets.push_back(dims.get(offset));
      if (!dropped.test(d))
        kept.push_back(d);
    }
    if (!insert.hasUnitStride())
      return refuse("a slice with steps is inserted into a computed tensor");
    if (failed(add(insert.getSource(), offsets, kept)))
      return failure();
    node.bounds.emplace_back();
    if (failed(addChild(node, insert.getDest(), place)))
      return failure();
  }
  return Ref{&node};
}

FailureOr<Ref> TreeBuilder::buildExpand(Operation *op, ArrayRef<Form> place) {
  Value source = op->getOperand(0);
  auto view = viewOfSource(source, dims);
  if (failed(view) || (!isa<BlockArgument>(view->base) && !written.contains(view->base)))
    return refuse("'data.expand' of a tensor that the kernel computes");
  Node &node = newNode(Node::broadcast, op, elementOf(source));
  node.buffer = isa<BlockArgument>(view->base) ? cast<BlockArgument>(view->base) : written.lookup(view->base);
  node.address = Form{view->offset, {}};
  for (int64_t d = 0, e = place.size(); d < e; ++d) {
    DimExpr size = dims.get(source, d), target = dims.get(op->getResult(0), d);
    if (size == target)
      node.address = node.address + place[d] * view->strides[d];
    else if (!size.isConstant(1))
      node.unknown.push_back({place[d], view->strides[d], size, target});
  }
  return Ref{&node};
}

/// The rotated pair of elements `first`, `second` of the last dim; `table` is the place of the first in cos and sin.
FailureOr<Ref> TreeBuilder::buildRotate(Operation *op, ArrayRef<Form> lead, const Form &first, const Form &second,
                                        const Form &table) {
  auto rotary = cast<attn::RotaryEmbeddingOp>(op);
  Node &node = newNode(Node::rotate, op, elementOf(rotary.getSource()));
  Forms tables;
  for (AffineExpr expr : rotary.getTableMap().getResults()) {
    auto form = formOf(expr, lead);
    if (!form)
      return refuse("the table map of 'attn.rotary_embedding' is not linear");
    tables.push_back(*form);
  }
  auto at = [](Forms lead, const Form &last) {
    lead.push_back(last);
    return lead;
  };
  // Full tables have an entry for each of the two elements, at their places; half tables one for both.
  auto cosType = cast<RankedTensorType>(rotary.getCos().getType());
  auto sourceType = cast<RankedTensorType>(rotary.getSource().getType());
  DimExpr rotated =
      rotary.getRotaryDim() ? DimExpr(*rotary.getRotaryDim()) : dims.get(rotary.getSource(), sourceType.getRank() - 1);
  bool full = dims.get(rotary.getCos(), cosType.getRank() - 1) == rotated;
  Form one = full ? first : table, other = full ? second : table;
  if (failed(addChild(node, rotary.getSource(), at(Forms(lead), first))) ||
      failed(addChild(node, rotary.getSource(), at(Forms(lead), second))) ||
      failed(addChild(node, rotary.getCos(), at(tables, one))) ||
      failed(addChild(node, rotary.getSin(), at(tables, one))) ||
      failed(addChild(node, rotary.getCos(), at(tables, other))) ||
      failed(addChild(node, rotary.getSin(), at(tables, other))))
    return failure();
  return Ref{&node};
}

void fovea::lowering::walkNodes(ArrayRef<Ref> roots, llvm::function_ref<void(Node &)> visit) {
  llvm::SmallPtrSet<Node *, 16> seen;
  std::function<void(Ref)> walk = [&](Ref ref) {
    if (!ref.node || !seen.insert(ref.node).second)
      return;
    for (Ref child : ref.node->children)
      walk(child);
    visit(*ref.node);
  };
  for (Ref root : roots)
    walk(root);
}
