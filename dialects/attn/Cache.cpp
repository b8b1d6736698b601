// Verification of caches.
#include "dialects/attn/Attn.h"

using namespace mlir;
using namespace fovea::attn;
using fovea::attn::detail::agree;
using fovea::attn::detail::fit;
using fovea::attn::detail::typeOf;

LogicalResult CacheAppendOp::verify() {
  RankedTensorType cache = typeOf(getCache()), update = typeOf(getUpdate());
  int64_t axis = static_cast<int64_t>(getAxis());
  if (axis < 1 || axis >= cache.getRank())
    return emitOpError("expected an axis behind the batch, of ") << cache << ", got " << axis << " [cache_append_c1]";
  SmallVector<int64_t> sizes(update.getShape());
  bool fits = update.getRank() == cache.getRank() && update.getElementType() == cache.getElementType();
  if (fits) {
    int64_t length = cache.getDimSize(axis);
    fits = ShapedType::isDynamic(length) || ShapedType::isDynamic(sizes[axis]) || sizes[axis] <= length;
    sizes[axis] = length;
  }
  if (!fits || !agree(sizes, cache.getShape()))
    return emitOpError("expected an update of the cache's type, not longer than it along dim ")
           << axis << ", got " << update << " for " << cache << " [cache_append_c2]";
  if (Value positions = getPositions();
      positions && (typeOf(positions).getRank() != 1 || !typeOf(positions).getElementType().isInteger(64) ||
                    !agree(typeOf(positions).getShape(), cache.getShape().take_front(1))))
    return emitOpError("expected positions to be a tensor of B i64, got ")
           << positions.getType() << " [cache_append_c3]";
  if (getInit().getType() != getResult().getType() || typeOf(getResult()).getElementType() != cache.getElementType() ||
      !agree(typeOf(getResult()).getShape(), cache.getShape()))
    return emitOpError("expected init and result to be of one type, of the cache's shape and elements, got ")
           << getInit().getType() << " and " << getResult().getType() << " [cache_append_c4]";
  return success();
}

static bool isPageNumber(Value table) {
  Type element = typeOf(table).getElementType();
  return element.isInteger(32) || element.isInteger(64);
}

LogicalResult PagedAppendOp::verify() {
  if (!fit({{getPages(), "pgsd"}, {getUpdate(), "bgtd"}}) ||
      typeOf(getPages()).getElementType() != typeOf(getUpdate()).getElementType())
    return emitOpError("expected pages P x G x S x D and an update B x G x T x D of the same elements, got ")
           << getPages().getType() << " and " << getUpdate().getType() << " [paged_append_c1]";
  if (!fit({{getUpdate(), "bgtd"}, {getTable(), "bn"}}) || !isPageNumber(getTable()))
    return emitOpError("expected a table of B x N i32 or i64, got ") << getTable().getType() << " [paged_append_c2]";
  if (!fit({{getUpdate(), "bgtd"}, {getPositions(), "b"}}) || !typeOf(getPositions()).getElementType().isInteger(64))
    return emitOpError("expected positions to be a tensor of B i64, got ")
           << getPositions().getType() << " [paged_append_c3]";
  if (getInit().getType() != getResult().getType() ||
      typeOf(getResult()).getElementType() != typeOf(getPages()).getElementType() ||
      !fit({{getPages(), "pgsd"}, {getResult(), "pgsd"}}))
    return emitOpError("expected init and result to be of one type, of the pages' shape and elements, got ")
           << getInit().getType() << " and " << getResult().getType() << " [paged_append_c4]";
  return success();
}

LogicalResult PagedAttentionOp::verify() {
  Value q = getQuery(), k = getKey(), v = getValue(), result = getResult();
  if (!fit({{q, "bhmd"}, {k, "pgsd"}, {v, "pgse"}, {result, "bhme"}}))
    return emitOpError(
               "expected query B x H x M x D, key P x G x S x D, value P x G x S x E and result B x H x M x E, got ")
           << q.getType() << ", " << k.getType() << ", " << v.getType() << " and " << result.getType()
           << " [paged_attention_c1]";
  int64_t heads = typeOf(q).getDimSize(1), keyHeads = typeOf(k).getDimSize(1);
  if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0)
    return emitOpError("expected a static number of query heads that is a multiple of those of the key, got ")
           << q.getType() << " and " << k.getType() << " [paged_attention_c2]";
  Type element = typeOf(q).getElementType();
  if (!isa<FloatType>(element) ||
      llvm::any_of(ArrayRef<Value>{k, v, result}, [&](Value x) { return typeOf(x).getElementType() != element; }))
    return emitOpError("expected query, key, value and result of one float type, got ")
           << q.getType() << ", " << k.getType() << ", " << v.getType() << " and " << result.getType()
           << " [paged_attention_c3]";
  if (!fit({{q, "bhmd"}, {getTable(), "bn"}}) || !isPageNumber(getTable()))
    return emitOpError("expected a table of B x N i32 or i64, got ") << getTable().getType() << " [paged_attention_c4]";
  if (!fit({{q, "bhmd"}, {getLengths(), "b"}}) || !typeOf(getLengths()).getElementType().isInteger(64))
    return emitOpError("expected lengths to be a tensor of B i64, got ")
           << getLengths().getType() << " [paged_attention_c5]";
  if (getInit().getType() != result.getType())
    return emitOpError("expected the init to have the result's type ")
           << result.getType() << ", got " << getInit().getType() << " [paged_attention_c6]";
  return success();
}
