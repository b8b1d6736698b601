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

def Extra : I32EnumAttr<"Extra", "a result of attention besides the output", [
    I32EnumAttrCase<"lse", 0>, I32EnumAttrCase<"row_max", 1>, I32EnumAttrCase<"weights", 2>, I32EnumAttrCase<"scores", 3>,
    I32EnumAttrCase<"tap", 4>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def ExtraAttr : EnumAttr<Attn_Dialect, Extra, "extra"> { let assemblyFormat = "`<` $value `>`"; }
def ExtraArrayAttr : TypedArrayAttrBase<ExtraAttr, "results besides the output, in order">;

//===-- Operations ----------------------------------------------------------------------------------------------------------------------===//

def AttentionOp : Attn_TensorOp<"attention", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<AttentionInterface>]> {
  let summary = "attention of queries over keys and values";
  let description = [{
    For batch b, query head h, query i, key j, with `g = h / (H / G)` the head of keys and values that serves h:

        s(b,h,i,j) = scale * sum_d q(b,h,i,d) * k(b,g,j,d)     or, with a combine region, scale * sum_d combine(q(b,h,i,d), k(b,g,j,d), d)
        s'         = score region(s, b, h, i, j, captures)      identity if absent
        live(i,j)  = the structural masks: causal, window, lengths, block mask
        p(b,h,i,:) = normalizer of s' over the live j
        p'         = weight region(p, b, h, i, j, captures)      identity if absent
        out(b,h,i,:) = sum_j p'(b,h,i,j) * v(b,g,j,:)

    A key that is not live contributes nothing, whatever it holds. A row without a live key gives zeros (`empty_rows = zero`) or NaN
    (`nan`). Additive masks in the score region have no such meaning: they are numbers.

    With o = offset(b) if there is an offset, else N - M for `bottom_right`, else 0: `causal`: j <= i + o. `window = [l, r]`:
    i + o - l <= j <= i + o + r; -1 is unbounded. `lengths`: j < lengths(b). `block_mask`, of blocks of `block = [bm, bn]` queries and keys:
    block_mask(b, h, i / bm, j / bn). `sinks`: exp(sinks(h) - m) joins the denominator of the softmax.

    Region arguments: score and weight get the value (the element type in which the softmax is computed), b, h, i, j as index, then
    one element of each capture at `capture_maps` of (b, h, i, j). combine gets an element of q and one of k, and d if it has a third argument.

    `extras` names further results, in order: `lse`, the logarithm of the denominator; `row_max`, what is subtracted from the scores; `weights`, p';
    `scores`, s' over the live j and -inf elsewhere; `tap`, for the n-th of them what the score region yields n-th after the score, for every j.

    Operands: q: B x H x M x D, k: B x G x N x D, v: B x G x N x E, init and result: B x H x M x E; lse and row_max: B x H x M, the other extras:
    B x H x M x N.
    Source: Vaswani et al. 2017, eq. 1; Bahdanau et al. 2015 (combine); ONNX Attention-23.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
                       Variadic<AnyRankedTensor>:$captures, Optional<AnyRankedTensor>:$lengths, Optional<AnyRankedTensor>:$offset,
                       Optional<AnyRankedTensor>:$sinks, Optional<AnyRankedTensor>:$block_mask, AnyRankedTensor:$init,
                       Variadic<AnyRankedTensor>:$extra_inits,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale,
                       DefaultValuedAttr<CausalAttr, "::fovea::attn::Causal::none">:$causal,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{-1, -1}">:$window,
                       DefaultValuedAttr<NormalizerAttr, "::fovea::attn::Normalizer::softmax">:$normalizer,
                       DefaultValuedAttr<EmptyRowsAttr, "::fovea::attn::EmptyRows::zero">:$empty_rows,
                       DefaultValuedAttr<AffineMapArrayAttr, "{}">:$capture_maps,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$block,
                       DefaultValuedAttr<ExtraArrayAttr, "{}">:$extras);
  let results = (outs AnyRankedTensor:$result, Variadic<AnyRankedTensor>:$extra_results);
  let regions = (region AnyRegion:$combine, AnyRegion:$score, AnyRegion:$weight);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)`
    (`captures` `(` $captures^ `:` type($captures) `)`)? (`lengths` `(` $lengths^ `:` type($lengths) `)`)?
    (`offset` `(` $offset^ `:` type($offset) `)`)? (`sinks` `(` $sinks^ `:` type($sinks) `)`)?
    (`block_mask` `(` $block_mask^ `:` type($block_mask) `)`)?
    `outs` `(` $init (`,` $extra_inits^)? `:` type($init) (`,` type($extra_inits)^)? `)` attr-dict
    (`combine` $combine^)? (`score` $score^)? (`weight` $weight^)? `->` type($result) (`,` type($extra_results)^)?
  }];
  let builders = [
    // Softmax attention over all keys, or as many as lengths (may be null) has.
    OpBuilder<(ins "::mlir::Value":$query, "::mlir::Value":$key, "::mlir::Value":$value, "::mlir::ValueRange":$captures,
                   "::mlir::Value":$lengths, "::mlir::Value":$init, "double":$scale, "::llvm::ArrayRef<::mlir::Attribute>":$capture_maps)>];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getInitMutable().getOperandNumber(), 1 + getExtraInits().size());
    }
    ::fovea::attn::Extra getExtra(unsigned n) { return ::llvm::cast<::fovea::attn::ExtraAttr>(getExtras()[n]).getValue(); }
    int64_t countExtras(::fovea::attn::Extra kind) {
      return ::llvm::count(getExtras(), ::fovea::attn::ExtraAttr::get(getContext(), kind));
    }
    bool hasExtra(::fovea::attn::Extra kind) { return countExtras(kind) != 0; }
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
