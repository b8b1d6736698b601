// Layers with a state that goes from one position to the next: linear attention, causal convolution. Included by Ops.td.
#ifndef FOVEA_ATTN_RECURRENT
#define FOVEA_ATTN_RECURRENT

def LinearAttentionOp : Attn_TensorOp<"linear_attention", [AttrSizedOperandSegments]> {
  let summary = "attention without softmax: a D x E state that each position decays, corrects and reads";
  let description = [{
    For t = 0, 1, ..., with S the state before: `S = diag(exp decay(t)) S`, `u = beta(t) (value(t) - S^T key(t))` with beta and `u = value(t)` without,
    `S = S + key(t) u^T`, `result(t) = scale * S^T query(t)`. Operands that are not there do nothing: no decay, no correction, a state of zeros.

    Operands: query B x T x H x D, key B x T x G x D, value B x T x G x E, state B x G x D x E, decay B x T x G x D or B x T x G x 1, beta B x T x G or
    B x T x 1; results B x T x H x E and B x G x D x E. Source: Katharopoulos et al. 2020, eq. 16 to 20; Yang et al. 2024 (gated delta rule); ONNX
    LinearAttention-27.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value, Optional<AnyRankedTensor>:$state,
                       Optional<AnyRankedTensor>:$decay, Optional<AnyRankedTensor>:$beta, AnyRankedTensor:$init, AnyRankedTensor:$state_init,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs AnyRankedTensor:$result, AnyRankedTensor:$new_state);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)` (`state` `(` $state^ `:` type($state) `)`)?
    (`decay` `(` $decay^ `:` type($decay) `)`)? (`beta` `(` $beta^ `:` type($beta) `)`)?
    `outs` `(` $init `,` $state_init `:` type($init) `,` type($state_init) `)` attr-dict `->` type($result) `,` type($new_state)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getInitMutable().getOperandNumber(), 2);
    }
  }];
}

def CausalConvWithStateOp : Attn_TensorOp<"causal_conv_with_state", [AttrSizedOperandSegments]> {
  let summary = "a convolution of each channel with its own past, which goes on from a state";
  let description = [{
    With x = state followed by source, along the last dim: `result(b,c,t) = f(bias(c) + sum over j of weight(c,j) x(b,c,t+j))`, f being x / (1 + exp(-x)) with
    `silu` and nothing without; `new_state(b,c,:)` is the last K - 1 of x. No state is one of zeros.

    Operands: source B x C x T, weight C x K, bias C, state B x C x (K - 1); results B x C x T and B x C x (K - 1). Source: Gu and Dao 2023, section 3.4; ONNX
    CausalConvWithState-27.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$weight, Optional<AnyRankedTensor>:$bias, Optional<AnyRankedTensor>:$state,
                       AnyRankedTensor:$init, AnyRankedTensor:$state_init, UnitAttr:$silu);
  let results = (outs AnyRankedTensor:$result, AnyRankedTensor:$new_state);
  let assemblyFormat = [{
    `ins` `(` $source `,` $weight `:` type($source) `,` type($weight) `)` (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`state` `(` $state^ `:` type($state) `)`)? `outs` `(` $init `,` $state_init `:` type($init) `,` type($state_init) `)` attr-dict
    `->` type($result) `,` type($new_state)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getInitMutable().getOperandNumber(), 2);
    }
  }];
}

#endif
