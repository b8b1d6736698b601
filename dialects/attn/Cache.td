// Caches of keys and values that grow while a model decodes. Included by Ops.td.
#ifndef FOVEA_ATTN_CACHE
#define FOVEA_ATTN_CACHE

def CacheAppendOp : Attn_TensorOp<"cache_append"> {
  let summary = "a cache with new entries at a position of its own for each row of the batch";
  let description = [{
    The cache, with entry s of `update` in place of entry `positions(b) + s` along `axis`; with `ring` of entry `(positions(b) + s) mod L`. No positions are
    zeros. Where the cache dies the result is written over it, and only the new entries are moved.

    Operands: cache B x ... x L x ..., update the same with S in place of L, positions B (i64); result as the cache. Source: ONNX TensorScatter-24.
  }];
  let arguments = (ins AnyRankedTensor:$cache, AnyRankedTensor:$update, Optional<AnyRankedTensor>:$positions, AnyRankedTensor:$init, I64Attr:$axis,
                       UnitAttr:$ring);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `axis` `(` $axis `)` `ins` `(` $cache `,` $update `:` type($cache) `,` type($update) `)` (`positions` `(` $positions^ `:` type($positions) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def PagedAppendOp : Attn_TensorOp<"paged_append"> {
  let summary = "pages of a cache with new entries, in the pages that a table has for each row of the batch";
  let description = [{
    The pages, with entry t of row b of `update` in place of slot `(positions(b) + t) mod S` of page `table(b, (positions(b) + t) / S)`, rows of the batch in
    their order. Where the pages die the result is written over them, and only the new entries are moved.

    Operands: pages P x G x S x D, update B x G x T x D, table B x N (i32 or i64), positions B (i64); result as the pages. Source: Kwon et al. 2023, section 4.
  }];
  let arguments = (ins AnyRankedTensor:$pages, AnyRankedTensor:$update, AnyRankedTensor:$table, AnyRankedTensor:$positions, AnyRankedTensor:$init);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $pages `,` $update `,` $table `,` $positions `:` type($pages) `,` type($update) `,` type($table) `,` type($positions) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def PagedAttentionOp : Attn_TensorOp<"paged_attention"> {
  let summary = "attention to keys and values that lie in pages, found through a table for each row of the batch";
  let description = [{
    Softmax attention of each row of the batch to its first `lengths(b)` keys; key j is slot `j mod S` of page `table(b, j / S)`. The M queries are the last
    ones: with `causal`, query i sees the keys up to `lengths(b) - M + i`, with `window` W those from W before that one on. A query that sees no key gives zeros.

    Operands: query B x H x M x D, key P x G x S x D, value P x G x S x E, table B x N (i32 or i64), lengths B (i64); result B x H x M x E. Source: Kwon et al.
    2023, section 4.1.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value, AnyRankedTensor:$table, AnyRankedTensor:$lengths,
                       AnyRankedTensor:$init, DefaultValuedAttr<F64Attr, "1.0">:$scale, UnitAttr:$causal, DefaultValuedAttr<I64Attr, "-1">:$window);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)` `table` `(` $table `:` type($table) `)`
    `lengths` `(` $lengths `:` type($lengths) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

#endif
