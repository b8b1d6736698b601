// Verification of the operations along rows and of rotary embedding.
#include "dialects/attn/Attn.h"

using namespace mlir;
using namespace fovea::attn;

template <typename OpT> static LogicalResult verifySame(OpT op, StringRef label) {
  auto type = cast<RankedTensorType>(op.getSource().getType());
  if (!isa<FloatType>(type.getElementType()) || op.getInit().getType() != type || op.getResult().getType() != type)
    return op.emitOpError("expected source, init and result to have one float type, got ")
           << type << ", " << op.getInit().getType() << " and " << op.getResult().getType() << " [" << label << "]";
  return success();
}

LogicalResult SoftmaxOp::verify() {
  if (failed(verifySame(*this, "softmax_c1")))
    return failure();
  int64_t rank = cast<RankedTensorType>(getSource().getType()).getRank();
  if (int64_t axis = getAxis(); axis < 0 || axis >= rank)
    return emitOpError("expected axis in [0, ") << rank << "), got " << getAxis() << " [softmax_c2]";
  return success();
}

template <typename OpT> static LogicalResult verifyParameter(OpT op, Value parameter, StringRef name, StringRef label) {
  auto type = cast<RankedTensorType>(op.getSource().getType());
  int64_t axis = op.getAxis();
  if (axis < 0 || axis >= type.getRank())
    return op.emitOpError("expected axis in [0, ") << type.getRank() << "), got " << axis << " [" << label << "]";
  if (!parameter)
    return success();
  auto p = cast<RankedTensorType>(parameter.getType());
  if (p.getElementType() != type.getElementType() ||
      failed(verifyCompatibleShape(p.getShape(), type.getShape().drop_front(axis))))
    return op.emitOpError("expected ") << name << " to have the dims of " << type << " from " << axis << " on, got "
                                       << p << " [" << label << "]";
  return success();
}

LogicalResult LayerNormOp::verify() {
  if (failed(verifySame(*this, "layer_norm_c1")) ||
      failed(verifyParameter(*this, getScale(), "scale", "layer_norm_c2")) ||
      failed(verifyParameter(*this, getBias(), "bias", "layer_norm_c2")))
    return failure();
  return success();
}

LogicalResult RmsNormOp::verify() {
  if (failed(verifySame(*this, "rms_norm_c1")) || failed(verifyParameter(*this, getScale(), "scale", "rms_norm_c2")))
    return failure();
  return success();
}

LogicalResult RotaryEmbeddingOp::verify() {
  if (failed(verifySame(*this, "rotary_embedding_c1")))
    return failure();
  auto type = cast<RankedTensorType>(getSource().getType()), cos = cast<RankedTensorType>(getCos().getType());
  if (type.getRank() < 1 || type.isDynamicDim(type.getRank() - 1))
    return emitOpError("expected a static last dim, got ") << type << " [rotary_embedding_c2]";
  int64_t last = type.getDimSize(type.getRank() - 1), rotated = getRotaryDim().value_or(last);
  if (rotated < 0 || rotated % 2 != 0 || rotated > last)
    return emitOpError("expected an even rotary_dim up to ") << last << ", got " << rotated << " [rotary_embedding_c2]";
  if (getSin().getType() != cos || cos.getElementType() != type.getElementType() || cos.getRank() < 1 ||
      (cos.getShape().back() != rotated && cos.getShape().back() != rotated / 2))
    return emitOpError("expected cos and sin of one type with ")
           << rotated << " or " << rotated / 2 << " elements in the last dim, got " << cos << " and "
           << getSin().getType() << " [rotary_embedding_c3]";
  AffineMap map = getTableMap();
  if (map.getNumDims() != type.getRank() - 1 || map.getNumSymbols() != 0 || map.getNumResults() != cos.getRank() - 1)
    return emitOpError("expected table_map to take the ")
           << type.getRank() - 1 << " leading dims of the source to the " << cos.getRank() - 1
           << " leading dims of the tables, got " << getTableMapAttr() << " [rotary_embedding_c4]";
  return success();
}
