// Reads at run-time indices: Gather, GatherElements, GatherND as lookups; at constant ones as slices.
#include "frontends/onnx/Gather.h"

#include "dialects/data/Data.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea::frontend;

/// The integers of a constant.
static std::optional<SmallVector<int64_t>> constantIntegers(Value tensor) {
  auto constant = tensor.getDefiningOp<arith::ConstantOp>();
  if (!constant)
    return std::nullopt;
  SmallVector<int64_t> values;
  if (auto dense = dyn_cast<DenseIntElementsAttr>(constant.getValue())) {
    for (const APInt &value : dense.getValues<APInt>())
      values.push_back(value.getSExtValue());
    return values;
  }
  auto append = [&](auto array) {
    for (auto value : array)
      values.push_back(value);
    return values;
  };
  if (auto i64 = DenseI64ResourceElementsAttr(); (i64 = dyn_cast<DenseI64ResourceElementsAttr>(constant.getValue())))
    if (auto array = i64.tryGetAsArrayRef())
      return append(*array);
  if (auto i32 = DenseI32ResourceElementsAttr(); (i32 = dyn_cast<DenseI32ResourceElementsAttr>(constant.getValue())))
    if (auto array = i32.tryGetAsArrayRef())
      return append(*array);
  return std::nullopt;
}

/// Indices in sequence are a slice of the table.
static Value gatherRange(Importer &im, Value table, Value indices, int64_t axis, ArrayRef<DimExpr> result) {
  auto at = constantIntegers(indices);
  auto size = im.shape(table)[axis].getConstant();
  if (!at || at->empty() || !size)
    return nullptr;
  for (auto [i, value] : llvm::enumerate(*at)) {
    if (value < -*size || value >= *size)
      failInput("index " + Twine(value) + " of a dim with " + Twine(*size) + " elements");
    value = value < 0 ? value + *size : value;
    if (value != at->front() + static_cast<int64_t>(i))
      return nullptr;
  }
  Shape starts(im.rank(table), DimExpr(0)), sizes = im.shape(table);
  starts[axis] = at->front(), sizes[axis] = at->size();
  return im.reshape(im.slice(table, starts, sizes, SmallVector<int64_t>(starts.size(), 1)), result);
}

static Value toIndex(OpBuilder &b, Location loc, Value v) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), v);
}

Value fovea::frontend::lookUpRows(Importer &im, Value table, Value indices) {
  im.checkIndices(indices);
  Shape result = im.shape(indices);
  unsigned last = result.size();
  result.push_back(im.shape(table)[1]);
  Type element = im.elementType(table);
  SmallVector<AffineExpr> read;
  for (unsigned d = 0; d < last; ++d)
    read.push_back(im.dim(d));
  return im.generic(indices, im.affineMap(last + 1, read), im.empty(result, element), im.identity(last + 1),
                    [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                      return fovea::data::LookupOp::create(
                          b, loc, element, table,
                          ValueRange{toIndex(b, loc, e[0]), linalg::IndexOp::create(b, loc, last)});
                    });
}

static void importGather(Importer &im, const Node &node) {
  Value table = im.input(node, 0), indices = im.input(node, 1);
  im.checkIndices(indices);
  int64_t rank = im.rank(table), inner = im.rank(indices), axis = im.axis(node.integer("axis", 0), rank, node);
  Shape from = im.shape(table), at = im.shape(indices), result(from.begin(), from.begin() + axis);
  result.append(at);
  result.append(from.begin() + axis + 1, from.end());
  if (Value slice = gatherRange(im, table, indices, axis, result)) {
    im.setOutput(node, 0, slice);
    return;
  }
  SmallVector<AffineExpr> read;
  for (int64_t d = 0; d < inner; ++d)
    read.push_back(im.dim(axis + d));
  Type element = im.elementType(table);
  im.setOutput(node, 0,
               im.generic(indices, im.affineMap(result.size(), read), im.empty(result, element),
                          im.identity(result.size()), [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                            SmallVector<Value> place;
                            for (int64_t d = 0; d < rank; ++d)
                              if (d == axis)
                                place.push_back(toIndex(b, loc, e[0]));
                              else
                                place.push_back(linalg::IndexOp::create(b, loc, d < axis ? d : d + inner - 1));
                            return fovea::data::LookupOp::create(b, loc, element, table, place);
                          }));
}

static void importGatherElements(Importer &im, const Node &node) {
  Value table = im.input(node, 0), indices = im.input(node, 1);
  im.checkIndices(indices);
  int64_t rank = im.rank(table), axis = im.axis(node.integer("axis", 0), rank, node);
  if (im.rank(indices) != rank)
    failInput("the indices have " + Twine(im.rank(indices)) + " dims, expected " + Twine(rank));
  Shape result = im.shape(indices);
  Type element = im.elementType(table);
  im.setOutput(node, 0,
               im.generic(indices, im.identity(rank), im.empty(result, element), im.identity(rank),
                          [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                            SmallVector<Value> place;
                            for (int64_t d = 0; d < rank; ++d)
                              place.push_back(d == axis ? toIndex(b, loc, e[0])
                                                        : linalg::IndexOp::create(b, loc, d).getResult());
                            return fovea::data::LookupOp::create(b, loc, element, table, place);
                          }));
}

static void importGatherND(Importer &im, const Node &node) {
  Value table = im.input(node, 0), indices = im.input(node, 1);
  im.checkIndices(indices);
  int64_t rank = im.rank(table), outer = im.rank(indices) - 1, batch = node.integer("batch_dims", 0);
  if (outer < 0)
    failInput("the indices are a scalar");
  Shape from = im.shape(table), at = im.shape(indices);
  auto count = at.back().getConstant();
  if (!count)
    failUnsupported("indices whose last dim is not static");
  if (batch < 0 || batch > outer || *count < 1 || batch + *count > rank)
    failInput("batch_dims " + Twine(batch) + " with indices of " + Twine(*count) + " dims for a tensor of " +
              Twine(rank));
  for (int64_t d = 0; d < batch; ++d)
    im.checkEqual(from[d], at[d], "batch dim " + Twine(d) + " differs");
  Shape result(at.begin(), at.end() - 1);
  result.append(from.begin() + batch + *count, from.end());
  SmallVector<Value> operands(*count, indices);
  SmallVector<AffineMap> maps;
  for (int64_t k = 0; k < *count; ++k) {
    SmallVector<AffineExpr> read;
    for (int64_t d = 0; d < outer; ++d)
      read.push_back(im.dim(d));
    read.push_back(im.b.getAffineConstantExpr(k));
    maps.push_back(im.affineMap(result.size(), read));
  }
  Type element = im.elementType(table);
  im.setOutput(node, 0,
               im.generic(operands, maps, im.empty(result, element), im.identity(result.size()),
                          [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                            SmallVector<Value> place;
                            for (int64_t d = 0; d < batch; ++d)
                              place.push_back(linalg::IndexOp::create(b, loc, d));
                            for (int64_t k = 0; k < *count; ++k)
                              place.push_back(toIndex(b, loc, e[k]));
                            for (int64_t d = outer; d < static_cast<int64_t>(result.size()); ++d)
                              place.push_back(linalg::IndexOp::create(b, loc, d));
                            return fovea::data::LookupOp::create(b, loc, element, table, place);
                          }));
}

/// The first elements along the time axis in the opposite order, as many as each entry of a batch says.
static void importReverseSequence(Importer &im, const Node &node) {
  Value in = im.input(node, 0), lengths = im.input(node, 1);
  im.checkIndices(lengths);
  int64_t rank = im.rank(in);
  int64_t batch = im.axis(node.integer("batch_axis", 1), rank, node),
          time = im.axis(node.integer("time_axis", 0), rank, node);
  if (rank < 2 || batch == time || im.rank(lengths) != 1)
    failInput("expected a tensor with a batch and a time axis, and a list of lengths");
  Shape shape = im.shape(in);
  im.checkEqual(shape[batch], im.shape(lengths)[0], "there is another number of lengths than entries in the batch");
  Type element = im.elementType(in);
  im.setOutput(node, 0,
               im.generic(lengths, im.affineMap(rank, {im.dim(batch)}), im.empty(shape, element), im.identity(rank),
                          [&](OpBuilder &b, Location loc, ValueRange e) -> Value {
                            SmallVector<Value> place;
                            for (int64_t d = 0; d < rank; ++d)
                              place.push_back(linalg::IndexOp::create(b, loc, d));
                            Value at = place[time], length = toIndex(b, loc, e[0]);
                            Value last =
                                arith::SubIOp::create(b, loc, length, arith::ConstantIndexOp::create(b, loc, 1));
                            Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at, length);
                            // A length above that of the axis leads outside of the table.
                            Value turned = arith::SubIOp::create(b, loc, last, at);
                            place[time] = arith::SelectOp::create(b, loc, inside, turned, at);
                            return fovea::data::LookupOp::create(b, loc, element, in, place);
                          }));
}

static RegisterOps family{{"Gather", importGather},
                          {"GatherElements", importGatherElements},
                          {"GatherND", importGatherND},
                          {"ReverseSequence", importReverseSequence}};
