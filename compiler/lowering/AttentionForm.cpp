#include "compiler/lowering/Attention.h"
#include "compiler/lowering/Body.h"
#include "compiler/lowering/InPlace.h"
#include "compiler/lowering/Traffic.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/View.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

FailureOr<std::unique_ptr<AttentionForm>> AttentionForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<AttentionForm>(kernel);
  for (Operation &op : kernel.body->without_terminator()) {
    if (auto attention = dyn_cast<attn::AttentionInterface>(op)) {
      if (form->op)
        return reason = "there are two attentions", failure();
      form->op = attention;
    } else if (!isView(&op) && !isInit(&op) && llvm::any_of(op.getResultTypes(), llvm::IsaPred<RankedTensorType>)) {
      return reason = "'" + op.getName().getStringRef().str() + "' stands beside the attention", failure();
    }
  }
  attn::AttentionInterface op = form->op;
  if (!op)
    return reason = "there is no attention", failure();
  MLIRContext *context = op.getContext();
  auto q = cast<RankedTensorType>(op.getQuery().getType()), v = cast<RankedTensorType>(op.getValue().getType());
  form->element = q.getElementType();
  form->heads = q.getDimSize(1), form->group = op.getGroupSize(), form->d = q.getDimSize(3), form->e = v.getDimSize(3);
  form->keySize = form->dims.get(op.getQuery(), 3), form->valueSize = form->dims.get(op.getValue(), 3);
  form->batch = form->dims.get(op.getQuery(), 0);
  form->m = form->dims.get(op.getQuery(), 2), form->n = form->dims.get(op.getKey(), 2);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(4, context);
  for (auto [operand, access] :
       {std::pair(op.getQuery(), &form->q), {op.getKey(), &form->k}, {op.getValue(), &form->v}}) {
    FailureOr<Access> found = accessOf(operand, identity, form->dims, reason);
    if (failed(found))
      return failure();
    *access = *found;
  }
  auto read = [&](Value tensor, std::optional<Access> &access) {
    if (!tensor)
      return success();
    // Dims of size 1 are for all.
    auto type = cast<RankedTensorType>(tensor.getType());
    SmallVector<AffineExpr> indices;
    for (int64_t d = 0; d < type.getRank(); ++d)
      indices.push_back(type.getDimSize(d) == 1 ? getAffineConstantExpr(0, context) : getAffineDimExpr(d, context));
    FailureOr<Access> found = accessOf(tensor, AffineMap::get(type.getRank(), 0, indices, context), form->dims, reason);
    if (failed(found))
      return failure();
    access = *found;
    return success();
  };
  if (failed(read(op.getLengths(), form->lengths)))
    return failure();
  if (attn::AttentionOp whole = form->whole())
    if (failed(read(whole.getOffset(), form->offset)) || failed(read(whole.getSinks(), form->sinks)) ||
        failed(read(whole.getBlockMask(), form->blockMask)))
      return failure();
  for (auto [capture, map] : llvm::zip(op.getCaptures(), op.getCaptureMaps())) {
    FailureOr<Access> found = accessOf(capture, cast<AffineMapAttr>(map).getValue(), form->dims, reason);
    if (failed(found))
      return failure();
    form->captures.push_back(*found);
  }
  for (Region &region : op->getRegions())
    if (!region.empty() && !canEmitBody(region.front(), reason))
      return failure();
  if (failed(form->readResults(reason)))
    return failure();
  return form;
}

SmallVector<Traffic> AttentionForm::traffic() {
  TrafficCounter counter(dims);
  auto add = [&](const Access &access, ArrayRef<data::DimExpr> sizes) {
    SmallVector<TrafficCounter::Extent> extents;
    for (auto [stride, size] : llvm::zip(access.strides, sizes))
      extents.emplace_back(stride, size);
    counter.add(access.base, access.offset, extents);
  };
  DenseSet<Value> tables = lookedUpInputs(kernel, dims);
  for (BlockArgument input : kernel.inputs())
    if (tables.contains(input))
      counter.addWhole(input);
  int64_t keyHeads = heads / group;
  add(q, {batch, heads, m, keySize});
  add(k, {batch, keyHeads, n, keySize});
  add(v, {batch, keyHeads, n, valueSize});
  for (const std::optional<Access> &perBatch : {lengths, offset})
    if (perBatch)
      add(*perBatch, {batch});
  if (sinks)
    add(*sinks, {heads});
  if (blockMask)
    counter.addWhole(blockMask->base);
  for (const Extra &extra : extras)
    extra.access.strides.size() == 3 ? add(extra.access, {batch, heads, m}) : add(extra.access, {batch, heads, m, n});
  for (const Access &capture : captures)
    add(capture, {batch, heads, m, n});
  add(out, {batch, heads, m, valueSize});
  if (online()) {
    for (const Access *access : {&newMax, &newSum})
      add(*access, {batch, heads, m});
    for (const State *state : {&max, &sum})
      if (state->access)
        add(*state->access, {batch, heads, m});
    if (accumulator.access)
      add(*accumulator.access, {batch, heads, m, valueSize});
  }
  SmallVector<Traffic> all = counter.take();
  if (kernel.body->getTerminator()->getOperands().back() == kernel.outputs().back()) {
    // One stage writes what parts of the keys leave, the next one reads it.
    TrafficCounter ofParts(dims);
    ofParts.addWhole(kernel.outputs().back());
    ofParts.nextStage();
    ofParts.addWhole(kernel.outputs().back());
    llvm::append_range(all, ofParts.take());
  }
  return all;
}

double AttentionForm::emptyValue() const {
  return whole() && whole().getEmptyRows() == attn::EmptyRows::nan ? std::numeric_limits<double>::quiet_NaN() : 0;
}

LogicalResult AttentionForm::readResults(std::string &reason) {
  auto place = [&](Value result, Access &access) {
    FailureOr<Destination> to = viewOfDestination(result, dims);
    if (failed(to))
      return reason = "the result is reshaped in a way that cannot be written in place", failure();
    access = {kernel.initOf(*to->terminal), to->view.offset, to->view.strides};
    return success();
  };
  attn::OnlineAttentionOp blocks = online();
  if (!blocks) {
    for (auto [n, result] : llvm::enumerate(whole().getExtraResults())) {
      extras.push_back({whole().getExtra(n), {}});
      if (failed(place(result, extras.back().access)))
        return failure();
    }
    return place(whole().getResult(), out);
  }
  return success(succeeded(place(blocks.getNewMax(), newMax)) && succeeded(place(blocks.getNewSum(), newSum)) &&
                 succeeded(place(blocks.getNewAccumulator(), out)) &&
                 succeeded(readState(max, blocks.getMax(), reason)) &&
                 succeeded(readState(sum, blocks.getSum(), reason)) &&
                 succeeded(readState(accumulator, blocks.getAccumulator(), reason)));
}

LogicalResult AttentionForm::readState(State &state, Value tensor, std::string &reason) {
  if (auto fill = tensor.getDefiningOp<linalg::FillOp>())
    if (std::optional<double> value = floatConstant(fill.getInputs()[0])) {
      state.value = *value;
      return success();
    }
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  FailureOr<Access> access =
      accessOf(tensor, AffineMap::getMultiDimIdentityMap(rank, tensor.getContext()), dims, reason);
  if (failed(access))
    return failure();
  state.access = *access;
  return success();
}

double fovea::lowering::typicalKeys(AttentionForm &form, double queries, double keys, int64_t rows) {
  auto m = static_cast<int64_t>(queries), n = static_cast<int64_t>(keys);
  return m > 0 ? static_cast<double>(livePairs(form.op, m, n, rows)) / m : keys;
}

Value fovea::lowering::placeOf(StageFrame &frame, KernelCode &c, const Access &access, ArrayRef<Value> indices) {
  Value place = frame.size(access.offset);
  for (auto [index, stride] : llvm::zip(indices, access.strides))
    if (index && !stride.isConstant(0))
      place = c.add(place, c.mul(index, frame.size(stride)));
  return c.address(frame.buffer(access.base), cast<RankedTensorType>(access.base.getType()).getElementType(), place);
}

Value fovea::lowering::blockIsLive(StageFrame &frame, KernelCode &c, AttentionForm &form, Value b, Value h, Value i,
                                   Value keys) {
  Value place = placeOf(frame, c, *form.blockMask, {b, h, c.div(i, form.whole().getBlock()[0]), keys});
  return c.load(elementOf(*form.blockMask), place);
}

KeyRange fovea::lowering::keyRange(StageFrame &frame, KernelCode &c, AttentionForm &form, Value b, Value i0,
                                   Value last) {
  attn::AttentionInterface op = form.op;
  Value zero = c.constant(0), n = frame.size(form.n);
  KeyRange r;
  r.first = r.begin = zero, r.end = n;
  if (attn::OnlineAttentionOp block = form.online()) {
    r.first = emitScalar(frame, block.getOffset());
    r.begin = c.max(zero, r.first), r.end = c.add(r.first, n);
    n = emitScalar(frame, block.getKeys());
    r.end = c.min(n, r.end);
  }
  r.offset = op.getCausal() == attn::Causal::bottom_right ? c.sub(n, frame.size(form.m)) : zero;
  if (form.offset) {
    constexpr int64_t kFar = int64_t(1) << 60; // sums with numbers of keys do not overflow
    r.offset = c.load(c.b.getI64Type(), placeOf(frame, c, *form.offset, {b}));
    r.offset = c.max(c.constant(-kFar), c.min(c.constant(kFar), r.offset));
  }
  if (form.lengths) {
    Value length = c.load(c.b.getI64Type(), placeOf(frame, c, *form.lengths, {b}));
    r.end = c.max(zero, c.min(r.end, length));
  }
  r.wholeBegin = r.begin, r.wholeEnd = r.end;
  Value all = r.end;
  // The last key that query i sees is i + offset + right, the first one i + offset - left.
  auto bound = [&](int64_t right) {
    r.end = c.min(r.end, c.add(c.add(last, r.offset), right + 1));
    r.wholeEnd = c.min(r.wholeEnd, c.add(c.add(i0, r.offset), right + 1));
  };
  if (form.causal())
    bound(0);
  if (int64_t right = op.getWindow()[1]; right >= 0)
    bound(right);
  if (int64_t left = op.getWindow()[0]; left >= 0) {
    r.begin = c.min(all, c.max(r.begin, c.sub(c.add(i0, r.offset), left)));
    r.wholeBegin = c.max(r.begin, c.sub(c.add(last, r.offset), left));
  }
  r.end = c.max(r.end, r.begin);
  return r;
}
