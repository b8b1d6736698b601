// What the attention operators of com.microsoft have in common: masks, caches, and the operation that they become.
//
// Their semantics are those of ONNX Runtime's CPU kernels, docs/ContribOperators.md where the kernels leave it open.
#ifndef FOVEA_FRONTENDS_ONNX_MICROSOFT_ATTEND_H
#define FOVEA_FRONTENDS_ONNX_MICROSOFT_ATTEND_H

#include "frontends/onnx/Attention.h"

#include "dialects/attn/Attn.h"

namespace fovea::frontend {

/// Attention as these operators describe it.
struct Attend {
  Value query, key, value; ///< B x heads x length x size
  double scale = 1, softcap = 0;
  SmallVector<Value> added;                 ///< to the scores, in turn; broadcast to B x heads x queries x keys
  Value lengths;                            ///< B, i64: keys from there on are hidden; null if none are
  attn::Causal causal = attn::Causal::none; ///< against the last key
  int64_t window = -1;                      ///< the keys that a query sees, from its own backwards; -1 is all
  Value first; ///< B, i64: number of the key of query 0; null if queries and keys end together or it does not matter
  Value sinks; ///< heads: a score for each that joins the softmax without a value
};

/// B x heads x queries x size of the value.
Value attend(Importer &importer, const Attend &attention);

/// The attribute `scale`, by default that of the size of a head.
double scaleOf(Importer &importer, const Node &node, Value query);
/// The number of heads that an attribute gives.
int64_t headsOf(const Node &node, StringRef attribute);
/// Refuses the node unless the attribute is absent or has this value.
void require(const Node &node, StringRef attribute, int64_t value);
/// Refuses the node if it has the input.
void refuseInput(const Node &node, unsigned input, StringRef name);
void refuseOutput(const Node &node, unsigned output, StringRef name);

/// Query, key and value of the input, projected by the weights and their bias, inputs 0 to 2; qkv_hidden_sizes are
/// their widths.
SmallVector<Value> project(Importer &importer, const Node &node, int64_t heads);
/// Adds the bias of the projections, one after the other in one tensor, to operands of which the last dim is the width.
/// Those that have their heads apart, and what follows them, have none.
void addProjectionBias(Importer &importer, Value bias, SmallVector<Value> &operands);

/// The bias of the scores.
void addBias(Importer &importer, const Node &node, unsigned input, Attend &attention);
/// The key padding mask: end positions, end and start positions, or numbers where 0 and less is hidden, for each key,
/// query and key, or as a square of which the last rows are in use. Query, key and bias must be set. What is hidden
/// gets mask_filter_value.
void addMask(Importer &importer, const Node &node, unsigned input, Attend &attention);

/// The attribute `unidirectional`: a query sees the `past` keys and, of the `fresh` ones behind them, those up to its
/// own; the last query sees them all. Query and key must be set.
void addUnidirectional(Importer &importer, const Node &node, const DimExpr &past, const DimExpr &fresh,
                       Attend &attention);

/// `size` elements of the last dim, from `start` on.
Value sliceLast(Importer &importer, Value tensor, int64_t start, int64_t size);
/// The element of a tensor that has one, as a size.
DimExpr oneSize(Importer &importer, const Node &node, unsigned input);
/// A tensor of one i64.
Value toTensor(Importer &importer, const DimExpr &size);
/// The sum, with broadcasting.
Value add(Importer &importer, Value x, Value y);
/// The operand as i64.
Value toI64(Importer &importer, Value integers);

/// What is behind the rows that are in use.
enum class Behind { keep, zero };
/// The cache (B x heads x any x size; null if there is none) with `length` rows, in which those from starts(b) on are
/// the fresh ones.
Value insertRows(Importer &importer, Value cache, Value fresh, Value starts, const DimExpr &length, Behind behind);
/// The first `length` rows of a cache.
Value firstRows(Importer &importer, Value cache, const DimExpr &length);

} // namespace fovea::frontend

#endif // FOVEA_FRONTENDS_ONNX_MICROSOFT_ATTEND_H
