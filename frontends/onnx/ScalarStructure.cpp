// Operators that build, take apart and rearrange lists of scalars.
#include "frontends/onnx/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fovea::frontend;

/// The number of elements; of absurd shapes some number above kMaxScalars.
int64_t fovea::frontend::elementCount(ArrayRef<int64_t> shape) {
  constexpr int64_t absurd = int64_t(1) << 31;
  int64_t n = 1;
  for (int64_t d : shape)
    n = std::min(n * std::min(d, absurd), absurd);
  return llvm::is_contained(shape, 0) ? 0 : n;
}

/// The place in a tensor of shape `own` that is read for the place `i` of the shape that it is broadcast to.
int64_t fovea::frontend::broadcastPlace(int64_t i, ArrayRef<int64_t> common, ArrayRef<int64_t> own) {
  int64_t place = 0, stride = 1;
  for (int64_t d = common.size() - 1, o = own.size() - 1; d >= 0 && o >= 0; --d, --o) {
    int64_t at = i % common[d];
    i /= common[d];
    if (own[o] != 1) {
      place += at * stride;
      stride *= own[o];
    }
  }
  return place;
}

std::optional<SmallVector<int64_t>> fovea::frontend::commonShape(ArrayRef<const Scalars *> inputs) {
  SmallVector<int64_t> common;
  for (const Scalars *s : inputs) {
    if (s->shape.size() > common.size())
      common.insert(common.begin(), s->shape.size() - common.size(), 1);
    for (size_t d = 0; d < s->shape.size(); ++d) {
      int64_t &to = common[common.size() - s->shape.size() + d];
      if (to != s->shape[d] && to != 1 && s->shape[d] != 1)
        return std::nullopt;
      to = to == 1 ? s->shape[d] : to;
    }
  }
  if (elementCount(common) > kMaxScalars)
    return std::nullopt;
  return common;
}

//-------------------------------------------------------------------------------------------------------------------===//

static std::optional<SmallVector<int64_t>> constants(const Scalars &s) {
  SmallVector<int64_t> values;
  for (const DimExpr &e : s.elements) {
    if (!e.getConstant())
      return std::nullopt;
    values.push_back(*e.getConstant());
  }
  return values;
}

std::optional<Scalars> fovea::frontend::evaluateShape(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  // Of a list of scalars the shape is known without its tensor.
  Shape shape;
  if (const Scalars *known = im.knownScalars(node, 0))
    shape = Shape(known->shape.begin(), known->shape.end());
  else
    shape = im.shape(im.input(node, 0));
  if (node.op() == "Size") {
    DimExpr product(1);
    for (const DimExpr &d : shape)
      product = product * d;
    return Scalars{{}, {product}, im.b.getI64Type()};
  }
  int64_t rank = shape.size(), start = node.integer("start", 0), end = node.integer("end", rank);
  start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<int64_t>(end < 0 ? end + rank : end, start, rank);
  Scalars result{{end - start}, {}, im.b.getI64Type()};
  result.elements.append(shape.begin() + start, shape.begin() + end);
  return result;
}

std::optional<Scalars> fovea::frontend::evaluateGather(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  auto indices = constants(*in[1]);
  if (!indices || in[0]->shape.size() != 1)
    return std::nullopt;
  Scalars result{in[1]->shape, {}, in[0]->type};
  for (int64_t i : *indices) {
    int64_t n = in[0]->elements.size(), at = i < 0 ? i + n : i;
    if (at < 0 || at >= n)
      failInput("index " + Twine(i) + " of a tensor with " + Twine(n) + " elements");
    result.elements.push_back(in[0]->elements[at]);
  }
  return result;
}

namespace {
/// Which elements of a list are read, in which order.
struct Reading {
  SmallVector<int64_t> shape, strides;
  int64_t first = 0;

  explicit Reading(ArrayRef<int64_t> shape) : shape(shape), strides(shape.size(), 1) {
    for (int64_t d = static_cast<int64_t>(shape.size()) - 2; d >= 0; --d)
      strides[d] = strides[d + 1] * shape[d + 1];
  }

  Scalars of(const Scalars &from) const {
    Scalars result{shape, {}, from.type};
    for (int64_t i = 0, count = elementCount(shape); i < count; ++i) {
      int64_t at = first, left = i;
      for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0; --d) {
        at += left % shape[d] * strides[d];
        left /= shape[d];
      }
      result.elements.push_back(from.elements[at]);
    }
    return result;
  }
};
} // namespace

std::optional<Scalars> fovea::frontend::evaluateSlice(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  auto starts = constants(*in[1]), ends = constants(*in[2]);
  if (!starts || !ends || starts->size() != ends->size())
    return std::nullopt;
  auto given = [&](size_t i, int64_t first, int64_t next) -> std::optional<SmallVector<int64_t>> {
    if (in.size() > i && in[i])
      return constants(*in[i]);
    SmallVector<int64_t> values;
    for (size_t a = 0; a < starts->size(); ++a)
      values.push_back(first + next * static_cast<int64_t>(a));
    return values;
  };
  auto axes = given(3, 0, 1), steps = given(4, 1, 0);
  if (!axes || !steps || axes->size() != starts->size() || steps->size() != starts->size() ||
      llvm::is_contained(*steps, 0))
    return std::nullopt;
  Reading read(in[0]->shape);
  int64_t rank = read.shape.size();
  for (auto [axis, start, end, step] : llvm::zip_equal(*axes, *starts, *ends, *steps)) {
    int64_t d = im.axis(axis, rank, node), n = read.shape[d];
    if (n == 0)
      continue;
    start = std::clamp<int64_t>(start < 0 ? start + n : start, 0, step > 0 ? n : n - 1);
    end = std::clamp<int64_t>(end < 0 ? end + n : end, step > 0 ? 0 : -1, n);
    int64_t room = step > 0 ? end - start : start - end;
    read.shape[d] = room <= 0 ? 0 : llvm::divideCeilSigned(room, step > 0 ? step : -step);
    read.first += start * read.strides[d];
    read.strides[d] *= step;
  }
  return read.of(*in[0]);
}

std::optional<Scalars> fovea::frontend::evaluateTranspose(Importer &im, const Node &node,
                                                          ArrayRef<const Scalars *> in) {
  Reading from(in[0]->shape), read = from;
  int64_t rank = from.shape.size();
  SmallVector<int64_t> order = node.integers("perm");
  if (order.empty())
    for (int64_t d = rank - 1; d >= 0; --d)
      order.push_back(d);
  if (static_cast<int64_t>(order.size()) != rank)
    return std::nullopt;
  for (auto [d, source] : llvm::enumerate(order)) {
    if (source < 0 || source >= rank)
      return std::nullopt;
    read.shape[d] = from.shape[source], read.strides[d] = from.strides[source];
  }
  return read.of(*in[0]);
}

std::optional<Scalars> fovea::frontend::evaluateConcat(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  Scalars result{{0}, {}, in[0]->type};
  for (const Scalars *s : in) {
    if (s->shape.size() != 1)
      return std::nullopt;
    result.elements.append(s->elements);
  }
  result.shape[0] = result.elements.size();
  return result;
}

std::optional<Scalars> fovea::frontend::evaluateReshape(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  Scalars result = *in[0];
  StringRef op = node.op();
  auto given = in.size() > 1 && in[1] ? constants(*in[1]) : SmallVector<int64_t>();
  if (!given)
    return std::nullopt;
  int64_t rank = result.shape.size();
  if (op == "Squeeze") {
    SmallVector<int64_t> axes = *given;
    for (int64_t &axis : axes)
      axis = im.axis(axis, rank, node);
    result.shape.clear();
    for (int64_t d = 0; d < rank; ++d)
      if (given->empty() ? in[0]->shape[d] != 1 : !llvm::is_contained(axes, d))
        result.shape.push_back(in[0]->shape[d]);
  } else if (op == "Unsqueeze") {
    int64_t full = rank + given->size();
    SmallVector<int64_t> axes = *given;
    for (int64_t &axis : axes)
      axis = im.axis(axis, full, node);
    llvm::sort(axes);
    for (int64_t axis : axes)
      result.shape.insert(result.shape.begin() + std::min<size_t>(axis, result.shape.size()), 1);
  } else if (op == "Reshape") {
    SmallVector<int64_t> shape = *given;
    int64_t known = 1;
    for (auto [d, size] : llvm::enumerate(shape)) {
      if (size == 0 && !node.integer("allowzero", 0) && static_cast<int64_t>(d) < rank)
        size = in[0]->shape[d];
      known *= size == -1 ? 1 : size;
    }
    for (int64_t &size : shape)
      if (size == -1 && known > 0)
        size = result.elements.size() / known;
    result.shape = shape;
  }
  if (llvm::any_of(result.shape, [](int64_t d) { return d < 0; }) ||
      elementCount(result.shape) != static_cast<int64_t>(result.elements.size()))
    return std::nullopt;
  return result;
}

std::optional<Scalars> fovea::frontend::evaluateConstantOfShape(Importer &im, const Node &node,
                                                                ArrayRef<const Scalars *> in) {
  auto shape = constants(*in[0]);
  const onnx::AttributeProto *value = node.attribute("value");
  if (!shape || !value || in[0]->shape.size() != 1 ||
      llvm::any_of(*shape, [](int64_t d) { return d < 0 || d > kMaxScalars; }) || elementCount(*shape) > kMaxScalars)
    return std::nullopt;
  Type type = mlirType(im.b.getContext(), value->t().data_type());
  if (!isa_and_nonnull<IntegerType>(type) || elementCount(value->t()) != 1)
    return std::nullopt;
  auto constant = im.constantTensor(value->t(), "value").getDefiningOp<arith::ConstantOp>();
  APInt element = *cast<DenseIntElementsAttr>(constant.getValue()).getValues<APInt>().begin();
  return Scalars{
      *shape,
      SmallVector<DimExpr>(elementCount(*shape), type.isInteger(1) ? element.getZExtValue() : element.getSExtValue()),
      type};
}

std::optional<Scalars> fovea::frontend::evaluateExpand(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  auto shape = constants(*in[1]);
  if (!shape || llvm::any_of(*shape, [](int64_t d) { return d < 0 || d > kMaxScalars; }))
    return std::nullopt;
  Scalars target{*shape, {}, in[0]->type};
  auto common = commonShape({in[0], &target});
  if (!common)
    return std::nullopt;
  Scalars result{*common, {}, in[0]->type};
  for (int64_t i = 0; i < elementCount(*common); ++i)
    result.elements.push_back(in[0]->elements[broadcastPlace(i, *common, in[0]->shape)]);
  return result;
}

std::optional<Scalars> fovea::frontend::evaluateRange(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  if (in.size() != 3 || in[0]->elements.size() != 1 || in[1]->elements.size() != 1 || in[2]->elements.size() != 1)
    return std::nullopt;
  auto start = in[0]->elements[0].getConstant(), limit = in[1]->elements[0].getConstant(),
       step = in[2]->elements[0].getConstant();
  if (!start || !limit || !step || *step == 0)
    return std::nullopt;
  Scalars result{{}, {}, in[0]->type};
  for (int64_t i = *start; *step > 0 ? i < *limit : i > *limit; i += *step) {
    if (static_cast<int64_t>(result.elements.size()) == kMaxScalars)
      return std::nullopt;
    result.elements.push_back(i);
  }
  result.shape = {static_cast<int64_t>(result.elements.size())};
  return result;
}

/// Reductions of a list to one element.
std::optional<Scalars> fovea::frontend::evaluateReduce(Importer &im, const Node &node, ArrayRef<const Scalars *> in) {
  bool empty = in.size() < 2 || !in[1] || in[1]->elements.empty();
  if (in[0]->shape.size() != 1 || in[0]->elements.empty() || (empty && node.integer("noop_with_empty_axes", 0)))
    return std::nullopt;
  DimExpr result = in[0]->elements[0];
  for (const DimExpr &e : ArrayRef(in[0]->elements).drop_front())
    result = node.op() == "ReduceProd"  ? result * e
             : node.op() == "ReduceSum" ? result + e
             : node.op() == "ReduceMax" ? im.maximum(result, e)
                                        : im.minimum(result, e);
  return Scalars{node.integer("keepdims", 1) ? SmallVector<int64_t>{1} : SmallVector<int64_t>{}, {result}, in[0]->type};
}
