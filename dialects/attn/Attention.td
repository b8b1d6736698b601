// Attention and its tiled form. Included by Ops.td.
#ifndef FOVEA_ATTN_ATTENTION
#define FOVEA_ATTN_ATTENTION

include "dialects/attn/Interfaces.td"

def Causal : I32EnumAttr<"Causal", "which keys a query may see", [
    I32EnumAttrCase<"none", 0>, I32EnumAttrCase<"top_left", 1>, I32EnumAttrCase<"bottom_right", 2>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def CausalAttr : EnumAttr<Attn_Dialect, Causal, "causal"> { let assemblyFormat = "`<` $value `>`"; }

def Normalizer : I32EnumAttr<"Normalizer", "how scores become weights", [
    I32EnumAttrCase<"softmax", 0>, I32EnumAttrCase<"sigmoid", 1>, I32EnumAttrCase<"hardmax", 2>, I32EnumAttrCase<"none", 3>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def NormalizerAttr : EnumAttr<Attn_Dialect, Normalizer, "normalizer"> { let assemblyFormat = "`<` $value `>`"; }

def EmptyRows : I32EnumAttr<"EmptyRows", "what a fully masked row gives", [
    I32EnumAttrCase<"zero", 0>, I32EnumAttrCase<"nan", 1>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def EmptyRowsAttr : EnumAttr<Attn_Dialect, EmptyRows, "empty_rows"> { let assemblyFormat = "`<` $value `>`"; }

//===-- Operations ----------------------------------------------------------------------------------------------------------------------===//

def AttentionOp : Attn_TensorOp<"attention", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<AttentionInterface>]> {
  let summary = "attention of queries over keys and values";
  let description = [{
    For batch b, query head h, query i, key j, with `g = h / (H / G)` the head of keys and values that serves h:

        s(b,h,i,j) = scale * sum_d q(b,h,i,d) * k(b,g,j,d)     or, with a combine region, scale * sum_d combine(q(b,h,i,d), k(b,g,j,d))
        s'         = score region(s, b, h, i, j, captures)      identity if absent
        live(i,j)  = the structural masks: causal, window, lengths
        p(b,h,i,:) = normalizer of s' over the live j
        p'         = weight region(p, b, h, i, j, captures)      identity if absent
        out(b,h,i,:) = sum_j p'(b,h,i,j) * v(b,g,j,:)

    A key that is not live contributes nothing, whatever it holds. A row without a live key gives zeros (`empty_rows = zero`) or NaN
    (`nan`). Additive masks in the score region have no such meaning: they are numbers.

    `causal = top_left`: j <= i. `bottom_right`: j <= i + N - M. `window = [l, r]`: i + o - l <= j <= i + o + r, with o the offset of the
    alignment in use (0 without causal); -1 is unbounded. `lengths`: j < lengths(b).

    Region arguments: score and weight get the value (the element type in which the softmax is computed), b, h, i, j as index, then
    one element of each capture at `capture_maps` of (b, h, i, j). combine gets an element of q and one of k.

    Operands: q: B x H x M x D, k: B x G x N x D, v: B x G x N x E, init and result: B x H x M x E.
    Source: Vaswani et al. 2017, eq. 1; Bahdanau et al. 2015 (combine); ONNX Attention-23.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
                       Variadic<AnyRankedTensor>:$captures, Optional<AnyRankedTensor>:$lengths, AnyRankedTensor:$init,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale,
                       DefaultValuedAttr<CausalAttr, "::fovea::attn::Causal::none">:$causal,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{-1, -1}">:$window,
                       DefaultValuedAttr<NormalizerAttr, "::fovea::attn::Normalizer::softmax">:$normalizer,
                       DefaultValuedAttr<EmptyRowsAttr, "::fovea::attn::EmptyRows::zero">:$empty_rows,
                       DefaultValuedAttr<AffineMapArrayAttr, "{}">:$capture_maps);
  let results = (outs AnyRankedTensor:$result);
  let regions = (region AnyRegion:$combine, AnyRegion:$score, AnyRegion:$weight);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)`
    (`captures` `(` $captures^ `:` type($captures) `)`)? (`lengths` `(` $lengths^ `:` type($lengths) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict
    (`combine` $combine^)? (`score` $score^)? (`weight` $weight^)? `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def OnlineAttentionOp : Attn_TensorOp<"online_attention", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<AttentionInterface>]> {
  let summary = "softmax attention over a block of keys, going on from a maximum, a sum and an accumulator";
  let description = [{
    The tiled form of attention: the keys and values are a block of T from key number `offset` on, out of `keys` = N. With s' and live as for
    `attn.attention`, for the keys j = offset + t, t < T:

        max'         = max(max, max over live j of s'(j))
        alpha        = exp(max - max'), 1 where both are -inf
        sum'         = alpha * sum + sum over live j of exp(s'(j) - max')
        accumulator' = alpha * accumulator + sum over live j of exp(s'(j) - max') * v(j - offset)

    Over all blocks, in any order, from (-inf, 0, 0) on, attention is accumulator / sum; a row whose sum is 0 is empty. Everywhere but in the
    operands key and value, j is the key's number in the whole sequence: in the masks, in the score region and in the capture maps, so captures are
    not cut.

    Operands: q: B x H x M x D, k: B x G x T x D, v: B x G x T x E, max and sum: B x H x M, accumulator: B x H x M x E, these three of the
    score type.
    Source: Milakov and Gimelshein 2018; Rabe and Staats 2021; Dao et al. 2022.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
                       Variadic<AnyRankedTensor>:$captures, Optional<AnyRankedTensor>:$lengths, Index:$offset, Index:$keys,
                       AnyRankedTensor:$max, AnyRankedTensor:$sum, AnyRankedTensor:$accumulator,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale,
                       DefaultValuedAttr<CausalAttr, "::fovea::attn::Causal::none">:$causal,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{-1, -1}">:$window,
                       DefaultValuedAttr<AffineMapArrayAttr, "{}">:$capture_maps);
  let results = (outs AnyRankedTensor:$new_max, AnyRankedTensor:$new_sum, AnyRankedTensor:$new_accumulator);
  let regions = (region AnyRegion:$combine, AnyRegion:$score);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)`
    (`captures` `(` $captures^ `:` type($captures) `)`)? (`lengths` `(` $lengths^ `:` type($lengths) `)`)?
    `block` `(` $offset `of` $keys `)`
    `outs` `(` $max `,` $sum `,` $accumulator `:` type($max) `,` type($sum) `,` type($accumulator) `)` attr-dict
    (`combine` $combine^)? (`score` $score^)? `->` type($new_max) `,` type($new_sum) `,` type($new_accumulator)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getMaxMutable().getOperandNumber(), 3);
    }
  }];
}

def YieldOp : Attn_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "the value of a region of attention";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif
