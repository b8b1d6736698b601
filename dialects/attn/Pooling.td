// Attention that pools: over channels, over places, over time, and of pooled queries and keys. Included by Ops.td.
#ifndef FOVEA_ATTN_POOLING
#define FOVEA_ATTN_POOLING

def ChannelPool : I32EnumAttr<"ChannelPool", "what a channel is summed up by", [
    I32EnumAttrCase<"mean", 0>, I32EnumAttrCase<"mean_max", 1>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def ChannelPoolAttr : EnumAttr<Attn_Dialect, ChannelPool, "channel_pool"> { let assemblyFormat = "`<` $value `>`"; }

def WindowPool : I32EnumAttr<"WindowPool", "what a window is summed up by", [I32EnumAttrCase<"mean", 0>, I32EnumAttrCase<"max", 1>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def WindowPoolAttr : EnumAttr<Attn_Dialect, WindowPool, "window_pool"> { let assemblyFormat = "`<` $value `>`"; }

def ChannelAttentionOp : Attn_TensorOp<"channel_attention", [AttrSizedOperandSegments]> {
  let summary = "each channel scaled by a gate that all channels decide";
  let description = [{
    `result(b,c,...) = source(b,c,...) * sigmoid(mlp(mean over places of source)(b,c))`, with `mean_max` `sigmoid(mlp(mean) + mlp(max))`;
    `mlp(x) = max(x squeeze + squeeze_bias, 0) expand + expand_bias`.

    Operands: source B x C x L..., squeeze C x R, squeeze_bias R, expand R x C, expand_bias C; result as the source. Source: Hu et al. 2018, eq. 2 to 4;
    Woo et al. 2018, eq. 2.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$squeeze, Optional<AnyRankedTensor>:$squeeze_bias, AnyRankedTensor:$expand,
                       Optional<AnyRankedTensor>:$expand_bias, AnyRankedTensor:$init,
                       DefaultValuedAttr<ChannelPoolAttr, "::fovea::attn::ChannelPool::mean">:$pool);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $source `,` $squeeze `,` $expand `:` type($source) `,` type($squeeze) `,` type($expand) `)`
    (`squeeze_bias` `(` $squeeze_bias^ `:` type($squeeze_bias) `)`)? (`expand_bias` `(` $expand_bias^ `:` type($expand_bias) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def SpatialAttentionOp : Attn_TensorOp<"spatial_attention"> {
  let summary = "each place scaled by a gate that its neighbourhood decides";
  let description = [{
    `result(b,c,y,x) = source(b,c,y,x) * sigmoid(s(b,y,x))`, s being the convolution of the largest (plane 0) and the mean (plane 1) of the channels with
    `filter`, zeros around them, plus `bias`.

    Operands: source B x C x H x W, filter 2 x K x K, K odd, bias 1; result as the source. Source: Woo et al. 2018, eq. 3; the planes' order is that of its
    authors' code.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$filter, Optional<AnyRankedTensor>:$bias, AnyRankedTensor:$init);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $source `,` $filter `:` type($source) `,` type($filter) `)` (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def AttentionPoolOp : Attn_TensorOp<"attention_pool", [AttrSizedOperandSegments]> {
  let summary = "a sequence summed up by a learned query";
  let description = [{
    `result(b,:) = sum over t of p(b,t) source(b,t,:)`, p being the softmax over the live t of `sum over a of query(a) tanh(source(b,t,:) weight + bias)(a)`.
    t is live if t < lengths(b) and mask(b,t). A row without a live t gives zeros.

    Operands: source B x T x D, weight D x A, bias A, query A, lengths B (i64), mask B x T (i1); result B x D. Source: Yang et al. 2016, eq. 5 to 7;
    Raffel and Ellis 2016, eq. 1 (A = 1, query 1).
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$weight, AnyRankedTensor:$query, Optional<AnyRankedTensor>:$bias,
                       Optional<AnyRankedTensor>:$lengths, Optional<AnyRankedTensor>:$mask, AnyRankedTensor:$init);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $source `,` $weight `,` $query `:` type($source) `,` type($weight) `,` type($query) `)` (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`lengths` `(` $lengths^ `:` type($lengths) `)`)? (`mask` `(` $mask^ `:` type($mask) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def PooledAttentionOp : Attn_TensorOp<"pooled_attention"> {
  let summary = "attention of pooled queries over pooled keys and values, plus the pooled queries";
  let description = [{
    `result = attention(pool_q(query), pool_kv(key), pool_kv(value)) + pool_q(query)`, the sum with `residual`. Rows are the points of a grid, row-major; pool is
    the mean or the largest of the rows in windows of `kernel` points that start `stride` apart and lie in the grid.

    Operands: query B x H x P x D, key B x H x Q x D, value B x H x Q x E, P and Q the products of the grids; result B x H x P' x E, P' the product of
    `(grid - kernel) / stride + 1`. Source: Fan et al. 2021 (MViT), eq. 1; Li et al. 2022 (MViTv2), eq. 4 (residual).
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value, AnyRankedTensor:$init,
                       DenseI64ArrayAttr:$query_grid, DenseI64ArrayAttr:$query_kernel, DenseI64ArrayAttr:$query_stride,
                       DenseI64ArrayAttr:$key_grid, DenseI64ArrayAttr:$key_kernel, DenseI64ArrayAttr:$key_stride,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale,
                       DefaultValuedAttr<WindowPoolAttr, "::fovea::attn::WindowPool::mean">:$pool, UnitAttr:$residual);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)`
    `query_windows` `(` `grid` $query_grid `kernel` $query_kernel `stride` $query_stride `)`
    `key_windows` `(` `grid` $key_grid `kernel` $key_kernel `stride` $key_stride `)`
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

#endif
