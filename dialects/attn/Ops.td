// The attn dialect: attention and the operations around it. SPEC.md fixes the semantics; labels such as attention_c1 are the same in
// the specification, in the verifier's messages and in the tests' names.
#ifndef FOVEA_ATTN_OPS
#define FOVEA_ATTN_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/CommonAttrConstraints.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/VectorInterfaces.td"

def Attn_Dialect : Dialect {
  let name = "attn";
  let cppNamespace = "::fovea::attn";
  let summary = "attention, positional encoding, pooling attention, bipartite matching";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let useDefaultAttributePrinterParser = 1;
}

class Attn_Op<string mnemonic, list<Trait> traits = []> : Op<Attn_Dialect, mnemonic, traits>;
class Attn_TensorOp<string mnemonic, list<Trait> traits = []>
    : Attn_Op<mnemonic, !listconcat([DestinationStyleOpInterface, RecursiveMemoryEffects], traits)>;

//===-- Attributes -------------------------------------------------------------------------------------------------------------------===//

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

def GeluForm : I32EnumAttr<"GeluForm", "which formula of GELU", [I32EnumAttrCase<"erf", 0>, I32EnumAttrCase<"tanh", 1>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def GeluFormAttr : EnumAttr<Attn_Dialect, GeluForm, "form"> { let assemblyFormat = "`<` $value `>`"; }

def RotaryForm : I32EnumAttr<"RotaryForm", "which elements are rotated together", [
    I32EnumAttrCase<"half", 0>, I32EnumAttrCase<"interleaved", 1>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def RotaryFormAttr : EnumAttr<Attn_Dialect, RotaryForm, "rotary"> { let assemblyFormat = "`<` $value `>`"; }

//===-- Attention --------------------------------------------------------------------------------------------------------------------===//

def AttentionOp : Attn_TensorOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "attention of queries over keys and values";
  let description = [{
    For batch b, query head h, query i, key j, with `g = h / (H / G)` the head of keys and values that serves h:

        s(b,h,i,j) = scale * sum_d q(b,h,i,d) * k(b,g,j,d)     or, with a combine region, sum_d combine(q(b,h,i,d), k(b,g,j,d))
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
    /// Queries per head of keys and values: H / G; the heads are static.
    int64_t getGroupSize();
    bool hasScoreRegion() { return !getScore().empty(); }
    /// The type in which scores and weights are computed.
    ::mlir::Type getScoreType();
  }];
}

def YieldOp : Attn_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "the value of a region of attention";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

//===-- Operations along rows ----------------------------------------------------------------------------------------------------------===//

def SoftmaxOp : Attn_TensorOp<"softmax"> {
  let summary = "softmax along one dim";
  let description = [{
    `y = exp(x - max x) / sum exp(x - max x)` along `axis`. A row of -inf gives NaN, as ONNX's Softmax does; with `guarded` zeros
    (what `Softmax, IsNaN, Where` computes).

    * `softmax_c1`: source, init and result have the same float type. * `softmax_c2`: the axis is a dim of the source.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$init, I64Attr:$axis, UnitAttr:$guarded, UnitAttr:$log);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`axis` `(` $axis `)` `ins` `(` $source `:` type($source) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def LayerNormOp : Attn_TensorOp<"layer_norm", [AttrSizedOperandSegments]> {
  let summary = "layer normalisation over the last dims";
  let description = [{
    Over the dims from `axis` on: `y = (x - mean x) / sqrt(var x + epsilon) * scale + bias`, var being the mean of the squared
    deviations (Ba et al. 2016, eq. 4; ONNX LayerNormalization-17). Computed in f32 or wider.

    * `layer_norm_c1`: source, init and result have the same float type. * `layer_norm_c2`: scale and bias have the shape of the dims
    from `axis` on.
  }];
  let arguments = (ins AnyRankedTensor:$source, Optional<AnyRankedTensor>:$scale, Optional<AnyRankedTensor>:$bias,
                       AnyRankedTensor:$init, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`axis` `(` $axis `)` `epsilon` `(` $epsilon `)` `ins` `(` $source `:` type($source) `)` (`scale` `(` $scale^ `:` type($scale) `)`)? (`bias` `(` $bias^ `:` type($bias) `)`)? `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def RmsNormOp : Attn_TensorOp<"rms_norm"> {
  let summary = "root mean square normalisation over the last dims";
  let description = [{
    Over the dims from `axis` on: `y = x / sqrt(mean(x^2) + epsilon) * scale` (Zhang and Sennrich 2019, eq. 4; ONNX
    RMSNormalization-23). Constraints as for layer_norm: `rms_norm_c1`, `rms_norm_c2`.
  }];
  let arguments = (ins AnyRankedTensor:$source, Optional<AnyRankedTensor>:$scale, AnyRankedTensor:$init, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`axis` `(` $axis `)` `epsilon` `(` $epsilon `)` `ins` `(` $source `:` type($source) `)` (`scale` `(` $scale^ `:` type($scale) `)`)? `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

//===-- Positional encoding ------------------------------------------------------------------------------------------------------------===//

def RotaryEmbeddingOp : Attn_TensorOp<"rotary_embedding"> {
  let summary = "rotary position embedding of the last dim";
  let description = [{
    Pairs (x1, x2) of the last dim D become `(x1 c1 - x2 s1, x2 c2 + x1 s2)`. `half`: x1 = x[d], x2 = x[d + R/2] for d < R/2;
    `interleaved`: x1 = x[2d], x2 = x[2d + 1]. R = `rotary_dim` (D by default); elements from R on pass unchanged. cos and sin hold either R
    values (c1, c2 at the places of x1, x2) or R/2 (c1 = c2), read at `table_map` of the leading dims of the source followed by the place.
    Source: Su et al. 2021, eq. 34; ONNX RotaryEmbedding-23.

    * `rotary_embedding_c1`: source, init and result have the same float type. * `rotary_embedding_c2`: rotary_dim is even and at
    most D. * `rotary_embedding_c3`: cos and sin have the same type and R or R/2 elements in the last dim. * `rotary_embedding_c4`: table_map has the
    leading dims of the source as dims and the leading dims of the tables as results.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$cos, AnyRankedTensor:$sin, AnyRankedTensor:$init,
                       AffineMapAttr:$table_map, DefaultValuedAttr<RotaryFormAttr, "::fovea::attn::RotaryForm::half">:$form,
                       OptionalAttr<I64Attr>:$rotary_dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`ins` `(` $source `,` $cos `,` $sin `:` type($source) `,` type($cos) `,` type($sin) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

include "attn/Matching.td"

//===-- Scalar functions ---------------------------------------------------------------------------------------------------------------===//

class Attn_ScalarOp<string mnemonic> : Attn_Op<mnemonic, [Pure, SameOperandsAndResultType, Elementwise, Scalarizable, Vectorizable, Tensorizable]> {
  let results = (outs FloatLike:$result);
}

def GeluOp : Attn_ScalarOp<"gelu"> {
  let summary = "Gaussian error linear unit of one value";
  let description = [{
    `erf`: `x/2 * (1 + erf(x / sqrt 2))`; `tanh`: `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))` (Hendrycks and Gimpel 2016).
    -inf gives 0 (the limit), NaN gives NaN. Used inside bodies of `linalg.generic`.
  }];
  let arguments = (ins FloatLike:$operand, DefaultValuedAttr<GeluFormAttr, "::fovea::attn::GeluForm::erf">:$form);
  let assemblyFormat = "$operand (`form` `` $form^)? attr-dict `:` type($result)";
}

def SiluOp : Attn_ScalarOp<"silu"> {
  let summary = "sigmoid linear unit (swish) of one value: x / (1 + exp(-x))";
  let arguments = (ins FloatLike:$operand);
  let assemblyFormat = "$operand attr-dict `:` type($result)";
}

def SigmoidOp : Attn_ScalarOp<"sigmoid"> {
  let summary = "logistic function of one value: 1 / (1 + exp(-x))";
  let arguments = (ins FloatLike:$operand);
  let assemblyFormat = "$operand attr-dict `:` type($result)";
}

#endif
