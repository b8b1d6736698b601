// Positional encoding: tables of sinusoids, learned rows, rotary frequencies, biases that depend on the distance of query and key.
// Included by Ops.td.
#ifndef FOVEA_ATTN_POSITIONAL
#define FOVEA_ATTN_POSITIONAL

def SinusoidLayout : I32EnumAttr<"SinusoidLayout", "where the cosines stand", [
    I32EnumAttrCase<"interleaved", 0>, I32EnumAttrCase<"halves", 1>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def SinusoidLayoutAttr : EnumAttr<Attn_Dialect, SinusoidLayout, "sinusoid_layout"> { let assemblyFormat = "`<` $value `>`"; }

def Axes : I32EnumAttr<"Axes", "how the encodings of several axes become one", [
    I32EnumAttrCase<"concatenated", 0>, I32EnumAttrCase<"added", 1>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def AxesAttr : EnumAttr<Attn_Dialect, Axes, "axes"> { let assemblyFormat = "`<` $value `>`"; }

def RotaryScaling : I32EnumAttr<"RotaryScaling", "how frequencies are lowered for long contexts", [
    I32EnumAttrCase<"none", 0>, I32EnumAttrCase<"linear", 1>, I32EnumAttrCase<"ntk", 2>, I32EnumAttrCase<"yarn", 3>,
    I32EnumAttrCase<"llama3", 4>, I32EnumAttrCase<"dynamic_ntk", 5>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def RotaryScalingAttr : EnumAttr<Attn_Dialect, RotaryScaling, "rotary_scaling"> { let assemblyFormat = "`<` $value `>`"; }

//===-- Rows for positions ---------------------------------------------------------------------------------------------------------------===//

def SinusoidalEncodingOp : Attn_TensorOp<"sinusoidal_encoding"> {
  let summary = "sines and cosines of positions along one or more axes";
  let description = [{
    For a position p: sin(p / temperature^(2k/E)) and cos of the same for k < E/2, side by side (`interleaved`) or the sines first (`halves`).
    Several tensors of positions are axes: each gets E = D/axes elements of the last dim, in order (`concatenated`), or they are `added`, E = D.

    Operands: positions L... (i64 or the result's type); result L... x D. Source: Vaswani et al. 2017, section 3.5; Carion et al. 2020.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$positions, AnyRankedTensor:$init,
                       DefaultValuedAttr<F64Attr, "10000.0">:$temperature,
                       DefaultValuedAttr<SinusoidLayoutAttr, "::fovea::attn::SinusoidLayout::interleaved">:$layout,
                       DefaultValuedAttr<AxesAttr, "::fovea::attn::Axes::concatenated">:$axes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $positions `:` type($positions) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// E: how many elements of the last dim one axis fills.
    int64_t getWidth();
  }];
}

def MaskPositionsOp : Attn_TensorOp<"mask_positions"> {
  let summary = "positions along one dim, counted without what is masked";
  let description = [{
    `result = n(.., i, ..)`, the number of elements up to and with i along `axis` that are not masked; with `normalize`
    `(n + offset) / (n of the last i + epsilon) * scale`: the coordinates of an image in a padded batch.

    Operands: mask of any dims (i1, true is masked); result of the same dims. Source: Carion et al. 2020 (PositionEmbeddingSine); Zhu et al. 2021
    (offset -0.5).
  }];
  let arguments = (ins AnyRankedTensor:$mask, AnyRankedTensor:$init, I64Attr:$axis, UnitAttr:$normalize,
                       DefaultValuedAttr<F64Attr, "0.0">:$offset, DefaultValuedAttr<F64Attr, "6.283185307179586">:$scale,
                       DefaultValuedAttr<F64Attr, "1.0e-6">:$epsilon);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `axis` `(` $axis `)` `ins` `(` $mask `:` type($mask) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def LearnedEncodingOp : Attn_TensorOp<"learned_encoding"> {
  let summary = "rows of a table for positions";
  let description = [{
    `result(l..., d) = table(positions(l...) + offset, d)`; without positions `result(n, d) = table(n + offset, d)`. A row outside of the table is a
    fault of the run.

    Operands: table P x D, positions L... (i64), result L... x D, or N x D. Source: Gehring et al. 2017; Devlin et al. 2019 (offset 0), Lewis et
    al. 2020 (offset 2).
  }];
  let arguments = (ins AnyRankedTensor:$table, Optional<AnyRankedTensor>:$positions, AnyRankedTensor:$init,
                       DefaultValuedAttr<I64Attr, "0">:$offset);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $table `:` type($table) `)` (`positions` `(` $positions^ `:` type($positions) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def RotaryFrequenciesOp : Attn_TensorOp<"rotary_frequencies"> {
  let summary = "the tables of rotary embedding for positions";
  let description = [{
    `cos(l..., k) = a cos(positions(l...) f(k))`, `sin` alike, for k < R/2 with f(k) = theta^(-2k/R), lowered by `scaling` for contexts longer than those
    of training; a is 1, for `yarn` `attention_factor`, by default 0.1 ln(factor) + 1. SPEC.md has the formulas.

    Operands: positions L... (i64 or the result's type); cos and sin L... x R/2. Source: Su et al. 2021; Chen et al. 2023 (linear); bloc97 2023
    (ntk); emozilla 2023 (dynamic_ntk); Peng et al. 2024 (yarn); Grattafiori et al. 2024 (llama3).
  }];
  let arguments = (ins AnyRankedTensor:$positions, AnyRankedTensor:$cos_init, AnyRankedTensor:$sin_init,
                       DefaultValuedAttr<F64Attr, "10000.0">:$theta,
                       DefaultValuedAttr<RotaryScalingAttr, "::fovea::attn::RotaryScaling::none">:$scaling,
                       DefaultValuedAttr<F64Attr, "1.0">:$factor, DefaultValuedAttr<I64Attr, "0">:$original_context,
                       DefaultValuedAttr<F64Attr, "32.0">:$beta_fast, DefaultValuedAttr<F64Attr, "1.0">:$beta_slow,
                       DefaultValuedAttr<F64Attr, "1.0">:$low_frequency_factor,
                       DefaultValuedAttr<F64Attr, "4.0">:$high_frequency_factor, OptionalAttr<F64Attr>:$attention_factor);
  let results = (outs AnyRankedTensor:$cos, AnyRankedTensor:$sin);
  let assemblyFormat = [{
    `ins` `(` $positions `:` type($positions) `)` `outs` `(` $cos_init `,` $sin_init `:` type($cos_init) `,` type($sin_init) `)` attr-dict
    `->` type($cos) `,` type($sin)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getCosInitMutable().getOperandNumber(), 2);
    }
    /// f(k) for each pair k, scaled; with dynamic_ntk t(k).
    ::llvm::SmallVector<double> getFrequencies();
    /// With dynamic_ntk, the power of (s L / C - s + 1) that t(k) is multiplied with, for each pair k.
    ::llvm::SmallVector<double> getStretchPowers();
    /// What cosines and sines are multiplied with.
    double getAmplitude();
  }];
}

//===-- Biases of attention ------------------------------------------------------------------------------------------------------------===//

class Attn_BiasOp<string mnemonic, dag operands> : Attn_TensorOp<mnemonic> {
  let arguments = operands;
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
}

def RelativeBiasOp : Attn_BiasOp<"relative_bias", (ins AnyRankedTensor:$table, AnyRankedTensor:$init, UnitAttr:$bidirectional,
                                                   DefaultValuedAttr<I64Attr, "128">:$max_distance, UnitAttr:$bottom_right)> {
  let summary = "a learned bias for each head and bucket of distances of query and key";
  let description = [{
    `result(h,i,j) = table(bucket(j - i - o), h)`, o = N - M with `bottom_right`, else 0. Short distances have a bucket each, long ones share buckets
    whose width grows with the logarithm; from `max_distance` on there is one bucket. Without `bidirectional` all keys behind the query share bucket 0.

    Where attention captures the bias it becomes a part of the score; no H x M x N table exists.

    Operands: table K x H; result H x M x N. Source: Raffel et al. 2020 (T5), section 2.1.
  }];
  let assemblyFormat = "`ins` `(` $table `:` type($table) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// The row of the table for key minus query.
    int64_t getBucket(int64_t distance);
  }];
}

def GridBiasOp : Attn_BiasOp<"grid_bias", (ins Variadic<AnyRankedTensor>:$tables, AnyRankedTensor:$init, DenseI64ArrayAttr:$grid)> {
  let summary = "a learned bias for each head and offset of query and key in a grid";
  let description = [{
    Queries and keys are the points of a grid G1 x ... x Gn, row-major. With d_a = the difference of the coordinates of i and j along a, plus G_a - 1: one
    table gives `table(row-major number of (d_1, ..., d_n), h)` (Swin); n tables give `sum over a of table_a(d_a, h)` (decomposed).

    Where attention captures the bias it becomes a part of the score; no H x N x N table exists.

    Operands: table (2 G1 - 1) ... (2 Gn - 1) x H, or n tables 2 Ga - 1 x H; result H x N x N, N the product of the grid. Source: Liu et al. 2021,
    eq. 4; Li et al. 2022 (MViTv2), eq. 5.
  }];
  let assemblyFormat = "`grid` $grid `ins` `(` $tables `:` type($tables) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def AlibiBiasOp : Attn_BiasOp<"alibi_bias", (ins AnyRankedTensor:$init, UnitAttr:$bottom_right)> {
  let summary = "a bias that falls with the distance of query and key, at a slope of each head's own";
  let description = [{
    `result(h,i,j) = -slope(h) |i + o - j|`, o = N - M with `bottom_right`, else 0; `slope(h) = 2^(-8 (h + 1) / H)` where H is a power of two.

    Where attention captures the bias it becomes a part of the score; no H x M x N table exists.

    Result: H x M x N. Source: Press et al. 2022, section 3.
  }];
  let assemblyFormat = "`outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    double getSlope(int64_t head);
  }];
}

#endif
