// Memory that is addressed by content: what neural Turing machines read and write with. Included by Ops.td.
#ifndef FOVEA_ATTN_MEMORY
#define FOVEA_ATTN_MEMORY

def MemoryReadOp : Attn_TensorOp<"memory_read"> {
  let summary = "what heads find in a memory by content";
  let description = [{
    `result(b,r,:) = sum over n of w(b,r,n) memory(b,n,:)`, w being the softmax over n of `strengths(b,r) * cosine(keys(b,r,:), memory(b,n,:))`.

    Operands: memory B x N x W, keys B x R x W, strengths B x R; result B x R x W. Source: Graves et al. 2014, eq. 2, 5 and 6.
  }];
  let arguments = (ins AnyRankedTensor:$memory, AnyRankedTensor:$keys, AnyRankedTensor:$strengths, AnyRankedTensor:$init);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $memory `,` $keys `,` $strengths `:` type($memory) `,` type($keys) `,` type($strengths) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def MemoryWriteOp : Attn_TensorOp<"memory_write"> {
  let summary = "a memory after heads have erased and added by content";
  let description = [{
    `result(b,n,:) = memory(b,n,:) * product over r of (1 - w(b,r,n) erase(b,r,:)) + sum over r of w(b,r,n) add(b,r,:)`, w as in memory_read.

    Operands: memory B x N x W, keys B x R x W, strengths B x R, erase and add B x R x W; result B x N x W. Source: Graves et al. 2014, eq. 3 to 6.
  }];
  let arguments = (ins AnyRankedTensor:$memory, AnyRankedTensor:$keys, AnyRankedTensor:$strengths, AnyRankedTensor:$erase, AnyRankedTensor:$add,
                       AnyRankedTensor:$init);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $memory `,` $keys `,` $strengths `,` $erase `,` $add `:` type($memory) `,` type($keys) `,` type($strengths) `,` type($erase) `,` type($add) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

#endif
