// The operations of the tensor dialect: they move elements and compute none.
#include "compiler/reference/Evaluator.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace fovea::reference;

static Type elementTypeOf(Value v) { return cast<RankedTensorType>(v.getType()).getElementType(); }

static void evaluateEmpty(Evaluator &evaluator, Operation *op) {
  auto empty = cast<tensor::EmptyOp>(op);
  Tensor result(elementTypeOf(empty), evaluator.indices(empty.getMixedSizes()));
  // Whoever reads what nobody wrote shall notice.
  if (result.isFloat())
    for (Element &e : result.data)
      e.f = NAN;
  evaluator.set(empty, std::move(result));
}

static void evaluateDim(Evaluator &evaluator, Operation *op) {
  auto dim = cast<tensor::DimOp>(op);
  TensorRef source = evaluator.tensor(dim.getSource());
  int64_t d = evaluator.index(dim.getIndex());
  if (d < 0 || d >= source->rank())
    fault("dim " + Twine(d) + " of a tensor with " + Twine(source->rank()) + " dims");
  evaluator.setScalar(dim, {.i = source->shape[d]});
}

/// Places offset + i * stride; a fault if they are not all inside.
static void checkWindow(ArrayRef<int64_t> shape, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                        ArrayRef<int64_t> strides) {
  for (size_t d = 0; d < shape.size(); ++d) {
    int64_t last = offsets[d] + (sizes[d] - 1) * strides[d];
    if (sizes[d] < 0 || (sizes[d] > 0 && (offsets[d] < 0 || last < 0 || offsets[d] >= shape[d] || last >= shape[d])))
      fault("a slice of dim " + Twine(d) + " from " + Twine(offsets[d]) + " with " + Twine(sizes[d]) +
            " elements leaves the " + Twine(shape[d]) + " elements that there are");
  }
}

static void evaluateExtractSlice(Evaluator &evaluator, Operation *op) {
  auto slice = cast<tensor::ExtractSliceOp>(op);
  TensorRef source = evaluator.tensor(slice.getSource());
  SmallVector<int64_t> offsets = evaluator.indices(slice.getMixedOffsets()),
                       sizes = evaluator.indices(slice.getMixedSizes()),
                       steps = evaluator.indices(slice.getMixedStrides()), strides = source->strides(), shape;
  checkWindow(source->shape, offsets, sizes, steps);
  auto dropped = slice.getDroppedDims();
  for (auto [d, size] : llvm::enumerate(sizes))
    if (!dropped.test(d))
      shape.push_back(size);
  Tensor result(source->elementType, shape);
  size_t next = 0;
  forEachIndex(sizes, [&](ArrayRef<int64_t> at) {
    int64_t place = 0;
    for (size_t d = 0; d < at.size(); ++d)
      place += (offsets[d] + at[d] * steps[d]) * strides[d];
    result.data[next++] = source->data[place];
  });
  evaluator.set(slice.getResult(), std::move(result));
}

static void evaluateInsertSlice(Evaluator &evaluator, Operation *op) {
  auto slice = cast<tensor::InsertSliceOp>(op);
  TensorRef source = evaluator.tensor(slice.getSource());
  Tensor result = *evaluator.tensor(slice.getDest());
  SmallVector<int64_t> offsets = evaluator.indices(slice.getMixedOffsets()),
                       sizes = evaluator.indices(slice.getMixedSizes()),
                       steps = evaluator.indices(slice.getMixedStrides()), strides = result.strides();
  checkWindow(result.shape, offsets, sizes, steps);
  size_t next = 0;
  forEachIndex(sizes, [&](ArrayRef<int64_t> at) {
    int64_t place = 0;
    for (size_t d = 0; d < at.size(); ++d)
      place += (offsets[d] + at[d] * steps[d]) * strides[d];
    if (next == source->data.size())
      fault("the source of the slice is too small");
    result.data[place] = source->data[next++];
  });
  evaluator.set(slice.getResult(), std::move(result));
}

/// The same elements with another shape.
static void setReshaped(Evaluator &evaluator, Operation *op, const Tensor &source, ArrayRef<int64_t> shape) {
  Tensor result(source.elementType, shape);
  if (result.data.size() != source.data.size())
    fault("a reshape of " + Twine(source.data.size()) + " elements to " + Twine(result.data.size()));
  result.data = source.data;
  evaluator.set(op->getResult(0), std::move(result));
}

static void evaluateExpandShape(Evaluator &evaluator, Operation *op) {
  auto expand = cast<tensor::ExpandShapeOp>(op);
  TensorRef source = evaluator.tensor(expand.getSrc());
  SmallVector<int64_t> shape = evaluator.indices(expand.getMixedOutputShape());
  for (auto [d, group] : llvm::enumerate(expand.getReassociationIndices())) {
    int64_t product = 1;
    for (int64_t to : group)
      product *= shape[to];
    if (product != source->shape[d])
      fault("dim " + Twine(d) + " has " + Twine(source->shape[d]) + " elements, expanded it would have " +
            Twine(product));
  }
  setReshaped(evaluator, op, *source, shape);
}

static void evaluateCollapseShape(Evaluator &evaluator, Operation *op) {
  auto collapse = cast<tensor::CollapseShapeOp>(op);
  TensorRef source = evaluator.tensor(collapse.getSrc());
  SmallVector<int64_t> shape;
  for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
    shape.push_back(1);
    for (int64_t from : group)
      shape.back() *= source->shape[from];
  }
  setReshaped(evaluator, op, *source, shape);
}

static void evaluateCast(Evaluator &evaluator, Operation *op) {
  evaluator.set(op->getResult(0), evaluator.tensor(op->getOperand(0)));
}

static void evaluatePad(Evaluator &evaluator, Operation *op) {
  auto pad = cast<tensor::PadOp>(op);
  TensorRef source = evaluator.tensor(pad.getSource());
  Value filler = pad.getConstantPaddingValue();
  if (!filler)
    fault("a padding value that is not the same everywhere");
  SmallVector<int64_t> low = evaluator.indices(pad.getMixedLowPad()), high = evaluator.indices(pad.getMixedHighPad()),
                       shape;
  for (size_t d = 0; d < low.size(); ++d) {
    if (low[d] < 0 || high[d] < 0)
      fault("a negative padding");
    shape.push_back(low[d] + source->shape[d] + high[d]);
  }
  if (filler.getParentBlock() == pad.getBody())
    evaluator.run(filler.getDefiningOp());
  Tensor result(source->elementType, shape);
  std::fill(result.data.begin(), result.data.end(), evaluator.scalar(filler));
  SmallVector<int64_t> strides = result.strides();
  int64_t origin = offsetOf(low, strides);
  size_t next = 0;
  forEachIndex(source->shape,
               [&](ArrayRef<int64_t> at) { result.data[origin + offsetOf(at, strides)] = source->data[next++]; });
  evaluator.set(pad.getResult(), std::move(result));
}

static void evaluateConcat(Evaluator &evaluator, Operation *op) {
  auto concat = cast<tensor::ConcatOp>(op);
  size_t axis = concat.getDim();
  SmallVector<TensorRef> parts;
  for (Value input : concat.getInputs())
    parts.push_back(evaluator.tensor(input));
  SmallVector<int64_t> shape = parts.front()->shape;
  shape[axis] = 0;
  for (const TensorRef &part : parts) {
    for (size_t d = 0; d < shape.size(); ++d)
      if (d != axis && part->shape[d] != shape[d])
        fault("the tensors differ in dim " + Twine(d) + ": " + Twine(shape[d]) + " and " + Twine(part->shape[d]));
    shape[axis] += part->shape[axis];
  }
  Tensor result(parts.front()->elementType, shape);
  SmallVector<int64_t> strides = result.strides();
  int64_t start = 0;
  for (const TensorRef &part : parts) {
    size_t next = 0;
    forEachIndex(part->shape, [&](ArrayRef<int64_t> at) {
      result.data[start * strides[axis] + offsetOf(at, strides)] = part->data[next++];
    });
    start += part->shape[axis];
  }
  evaluator.set(concat.getResult(), std::move(result));
}

static void evaluateFromElements(Evaluator &evaluator, Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Tensor result(type.getElementType(), type.getShape());
  for (auto [element, operand] : llvm::zip_equal(result.data, op->getOperands()))
    element = evaluator.scalar(operand);
  evaluator.set(op->getResult(0), std::move(result));
}

static void evaluateSplat(Evaluator &evaluator, Operation *op) {
  auto splat = cast<tensor::SplatOp>(op);
  SmallVector<int64_t> shape(splat.getType().getShape());
  unsigned next = 0;
  for (int64_t &size : shape)
    if (ShapedType::isDynamic(size))
      size = evaluator.index(splat.getDynamicSizes()[next++]);
  Tensor result(elementTypeOf(splat), shape);
  std::fill(result.data.begin(), result.data.end(), evaluator.scalar(splat.getInput()));
  evaluator.set(splat.getResult(), std::move(result));
}

static RegisterOpFunctions functions{
    {"tensor.empty", evaluateEmpty},
    {"tensor.dim", evaluateDim},
    {"tensor.extract_slice", evaluateExtractSlice},
    {"tensor.insert_slice", evaluateInsertSlice},
    {"tensor.expand_shape", evaluateExpandShape},
    {"tensor.collapse_shape", evaluateCollapseShape},
    {"tensor.cast", evaluateCast},
    {"tensor.pad", evaluatePad},
    {"tensor.concat", evaluateConcat},
    {"tensor.from_elements", evaluateFromElements},
    {"tensor.splat", evaluateSplat},
};
