#include "compiler/lowering/Weights.h"
#include "compiler/reference/Reference.h"
#include "compiler/transforms/View.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cstring>

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

static int64_t elementBytes(RankedTensorType type) { return std::max<int64_t>(1, type.getElementTypeBitWidth() / 8); }

int64_t fovea::lowering::packedBytes(exec::WeightDataOp weight) {
  return packedBytes(weight.getTensorType(), weight.getLayout());
}

int64_t fovea::lowering::packedBytes(RankedTensorType type, Attribute layout) {
  if (auto panels = dyn_cast<exec::PanelsAttr>(layout)) {
    int64_t width = panels.getWidth();
    return type.getDimSize(0) * ((type.getDimSize(1) + width - 1) / width * width) * elementBytes(type);
  }
  return type.getNumElements() * elementBytes(type);
}

std::string fovea::lowering::describeLayout(Attribute layout) {
  if (auto panels = dyn_cast<exec::PanelsAttr>(layout))
    return "panels of " + std::to_string(panels.getWidth());
  return "row major";
}

namespace {
/// A box of the weight whose elements lie in a constant with strides.
struct Piece {
  const char *data;
  SmallVector<int64_t> shape, strides, place; ///< strides in elements of the constant; place in the weight
};

class Packer {
public:
  LogicalResult collect(Value value, SmallVector<int64_t> place);
  SmallVector<Piece> pieces;

private:
  LogicalResult evaluate(Value value, SmallVector<int64_t> place);
  const char *bytesOf(arith::ConstantOp constant);
  std::vector<std::vector<char>> unpacked; ///< constants that had to be written out
};
} // namespace

/// The row-major bytes of a constant; without a copy where it has them.
const char *Packer::bytesOf(arith::ConstantOp constant) {
  auto type = cast<RankedTensorType>(constant.getType());
  // An empty tensor has no bytes to point at.
  static const char nothing = 0;
  if (type.getNumElements() == 0)
    return &nothing;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant.getValue())) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || static_cast<int64_t>(blob->getData().size()) < type.getNumElements() * elementBytes(type))
      return nullptr;
    return blob->getData().data();
  }
  auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!dense)
    return nullptr;
  bool bits = type.getElementType().isInteger(1);
  if (!dense.isSplat() && !bits)
    return dense.getRawData().data();
  int64_t size = elementBytes(type);
  std::vector<char> &bytes = unpacked.emplace_back(type.getNumElements() * size);
  if (bits) {
    for (auto [i, value] : llvm::enumerate(dense.getValues<bool>()))
      bytes[i] = value;
  } else {
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      std::memcpy(&bytes[i * size], dense.getRawData().data(), size);
  }
  return bytes.data();
}

/// What strides over one constant do not say (a dim that is split behind a transpose, a part of a concatenation) is
/// written out.
LogicalResult Packer::evaluate(Value value, SmallVector<int64_t> place) {
  FailureOr<reference::Tensor> tensor = reference::evaluateConstant(value.getDefiningOp());
  if (failed(tensor))
    return value.getDefiningOp()->emitError("a weight is made by an operation other than a view or a concatenation");
  std::vector<char> &bytes = unpacked.emplace_back(reference::toBytes(*tensor));
  Piece piece{bytes.data(), {}, {}, std::move(place)};
  llvm::append_range(piece.shape, cast<RankedTensorType>(value.getType()).getShape());
  piece.strides.assign(piece.shape.size(), 1);
  for (int64_t d = static_cast<int64_t>(piece.shape.size()) - 2; d >= 0; --d)
    piece.strides[d] = piece.strides[d + 1] * piece.shape[d + 1];
  pieces.push_back(std::move(piece));
  return success();
}

LogicalResult Packer::collect(Value value, SmallVector<int64_t> place) {
  if (auto concat = value.getDefiningOp<tensor::ConcatOp>()) {
    for (Value input : concat.getInputs()) {
      if (failed(collect(input, place)))
        return failure();
      place[concat.getDim()] += cast<RankedTensorType>(input.getType()).getDimSize(concat.getDim());
    }
    return success();
  }
  data::DimAnalysis dims;
  FailureOr<View> view = viewOfSource(value, dims);
  auto constant = succeeded(view) ? view->base.getDefiningOp<arith::ConstantOp>() : nullptr;
  if (!constant)
    return evaluate(value, std::move(place));
  const char *bytes = bytesOf(constant);
  if (!bytes)
    return constant.emitError("the data of a weight is missing");
  Piece piece{
      bytes + *view->offset.getConstant() * elementBytes(cast<RankedTensorType>(value.getType())), {}, {}, place};
  llvm::append_range(piece.shape, cast<RankedTensorType>(value.getType()).getShape());
  for (const data::DimExpr &stride : view->strides)
    piece.strides.push_back(*stride.getConstant());
  pieces.push_back(std::move(piece));
  return success();
}

/// Copies the elements of a piece to `target` with the strides `to`.
template <typename T> static void copyBox(const Piece &piece, char *target, ArrayRef<int64_t> to) {
  int64_t rank = piece.shape.size();
  const T *from = reinterpret_cast<const T *>(piece.data);
  T *out = reinterpret_cast<T *>(target);
  if (rank == 0) {
    *out = *from;
    return;
  }
  if (llvm::is_contained(piece.shape, 0))
    return;
  SmallVector<int64_t> index(rank, 0);
  int64_t inner = piece.shape[rank - 1], fromStride = piece.strides[rank - 1], toStride = to[rank - 1];
  for (;;) {
    const T *f = from;
    T *t = out;
    for (int64_t d = 0; d < rank - 1; ++d)
      f += index[d] * piece.strides[d], t += (index[d] + piece.place[d]) * to[d];
    t += piece.place[rank - 1] * toStride;
    for (int64_t i = 0; i < inner; ++i)
      t[i * toStride] = f[i * fromStride];
    int64_t d = rank - 2;
    for (; d >= 0 && ++index[d] == piece.shape[d]; --d)
      index[d] = 0;
    if (d < 0)
      return;
  }
}

/// Copies a piece of a K x N matrix into panels of `width` columns.
template <typename T> static void copyPanels(const Piece &piece, char *target, int64_t rows, int64_t width) {
  const T *from = reinterpret_cast<const T *>(piece.data);
  T *out = reinterpret_cast<T *>(target);
  // Blocks of rows: where the source is transposed, the columns read at once stay in the cache.
  constexpr int64_t kBlock = 64;
  int64_t columns = piece.shape[1];
  for (int64_t n = 0; n < columns;) {
    int64_t column = n + piece.place[1], panel = column / width, first = column % width;
    int64_t count = std::min(columns - n, width - first);
    for (int64_t k0 = 0; k0 < piece.shape[0]; k0 += kBlock)
      for (int64_t k = k0; k < std::min(piece.shape[0], k0 + kBlock); ++k) {
        T *t = out + (panel * rows + k + piece.place[0]) * width + first;
        const T *f = from + k * piece.strides[0] + n * piece.strides[1];
        for (int64_t j = 0; j < count; ++j)
          t[j] = f[j * piece.strides[1]];
      }
    n += count;
  }
}

LogicalResult fovea::lowering::packWeight(exec::WeightDataOp weight, char *target) {
  RankedTensorType type = weight.getTensorType();
  Packer packer;
  if (failed(packer.collect(weight.getBody().front().getTerminator()->getOperand(0),
                            SmallVector<int64_t>(type.getRank(), 0))))
    return failure();
  auto panels = dyn_cast<exec::PanelsAttr>(weight.getLayout());
  SmallVector<int64_t> strides(type.getRank(), 1);
  for (int64_t d = type.getRank() - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * type.getDimSize(d + 1);
  auto copy = [&](auto zero) {
    using T = decltype(zero);
    for (const Piece &piece : packer.pieces) {
      if (panels)
        copyPanels<T>(piece, target, type.getDimSize(0), panels.getWidth());
      else
        copyBox<T>(piece, target, strides);
    }
  };
  switch (elementBytes(type)) {
  case 1:
    copy(uint8_t());
    break;
  case 2:
    copy(uint16_t());
    break;
  case 4:
    copy(uint32_t());
    break;
  default:
    copy(uint64_t());
  }
  return success();
}
