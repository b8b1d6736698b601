// Verification of layers with a state.
#include "dialects/attn/Attn.h"

using namespace mlir;
using namespace fovea::attn;
using fovea::attn::detail::fit;
using fovea::attn::detail::typeOf;

/// Null operands have no dims and no elements.
static bool fitGiven(ArrayRef<std::pair<Value, StringRef>> tensors) {
  SmallVector<std::pair<Value, StringRef>> given;
  for (auto &tensor : tensors)
    if (tensor.first)
      given.push_back(tensor);
  return fit(given);
}

/// All tensors that are there have elements of one float type.
static bool isOneFloat(ArrayRef<Value> tensors) {
  Type element = getElementTypeOrSelf(tensors[0].getType());
  return isa<FloatType>(element) && llvm::all_of(tensors, [&](Value tensor) {
           return !tensor || getElementTypeOrSelf(tensor.getType()) == element;
         });
}

template <typename OpT> static LogicalResult verifyInits(OpT op, StringRef label) {
  if (op.getInit().getType() != op.getResult().getType() || op.getStateInit().getType() != op.getNewState().getType())
    return op.emitOpError("expected the inits to have the results' types ")
           << op.getResult().getType() << " and " << op.getNewState().getType() << ", got " << op.getInit().getType()
           << " and " << op.getStateInit().getType() << " [" << label << "]";
  return success();
}

LogicalResult LinearAttentionOp::verify() {
  Value q = getQuery(), k = getKey(), v = getValue(), result = getResult();
  if (!fit({{q, "bthd"}, {k, "btgd"}, {v, "btge"}, {result, "bthe"}}))
    return emitOpError(
               "expected query B x T x H x D, key B x T x G x D, value B x T x G x E and result B x T x H x E, got ")
           << q.getType() << ", " << k.getType() << ", " << v.getType() << " and " << result.getType()
           << " [linear_attention_c1]";
  int64_t heads = typeOf(q).getDimSize(2), keyHeads = typeOf(k).getDimSize(2);
  if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0)
    return emitOpError("expected a static number of query heads that is a multiple of those of the key, got ")
           << q.getType() << " and " << k.getType() << " [linear_attention_c2]";
  if (!isOneFloat({q, k, v, getDecay(), getBeta(), result}) || !isOneFloat({getNewState(), getState()}))
    return emitOpError(
               "expected query, key, value, decay, beta and result of one float type and states of one, got operands ")
           << getOperandTypes() << " [linear_attention_c3]";
  if (!fitGiven({{k, "btgd"}, {v, "btge"}, {getState(), "bgde"}, {getNewState(), "bgde"}}))
    return emitOpError("expected states B x G x D x E, got ")
           << (getState() ? getState() : getNewState()).getType() << " and " << getNewState().getType()
           << " [linear_attention_c4]";
  if (getDecay() && !fit({{k, "btgd"}, {getDecay(), "btgd"}}) && !fit({{k, "btgd"}, {getDecay(), "btg1"}}))
    return emitOpError("expected a decay B x T x G x D or B x T x G x 1, got ")
           << getDecay().getType() << " [linear_attention_c5]";
  if (getBeta() && !fit({{k, "btgd"}, {getBeta(), "btg"}}) && !fit({{k, "btgd"}, {getBeta(), "bt1"}}))
    return emitOpError("expected beta to be B x T x G or B x T x 1, got ")
           << getBeta().getType() << " [linear_attention_c6]";
  return verifyInits(*this, "linear_attention_c7");
}

LogicalResult CausalConvWithStateOp::verify() {
  if (!fitGiven({{getSource(), "bct"}, {getWeight(), "ck"}, {getBias(), "c"}, {getResult(), "bct"}}))
    return emitOpError("expected source and result B x C x T, weight C x K and bias C, got ")
           << getSource().getType() << ", " << getResult().getType() << ", " << getWeight().getType()
           << (getBias() ? " and a bias" : "") << " [causal_conv_with_state_c1]";
  if (!isOneFloat({getSource(), getWeight(), getBias(), getState(), getResult(), getNewState()}))
    return emitOpError("expected all operands and results to be of one float type, got ")
           << getOperandTypes() << " [causal_conv_with_state_c2]";
  int64_t kernel = typeOf(getWeight()).getDimSize(1),
          held = typeOf(getNewState()).getRank() == 3 ? typeOf(getNewState()).getDimSize(2) : ShapedType::kDynamic;
  bool known = !ShapedType::isDynamic(kernel) && !ShapedType::isDynamic(held);
  if (kernel == 0 || (known && held != kernel - 1) ||
      !fitGiven({{getSource(), "bct"}, {getState(), "bcs"}, {getNewState(), "bcs"}}))
    return emitOpError("expected states B x C x (K - 1) and K of 1 at least, got ")
           << (getState() ? getState() : getNewState()).getType() << " and " << getNewState().getType()
           << " for a weight of " << getWeight().getType() << " [causal_conv_with_state_c3]";
  return verifyInits(*this, "causal_conv_with_state_c4");
}
