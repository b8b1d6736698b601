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
  let summary = "attention, positional encoding, pooling attention, linear attention, memory, caches, bipartite matching";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let useDefaultAttributePrinterParser = 1;
}

class Attn_Op<string mnemonic, list<Trait> traits = []> : Op<Attn_Dialect, mnemonic, traits>;
class Attn_TensorOp<string mnemonic, list<Trait> traits = []>
    : Attn_Op<mnemonic, !listconcat([DestinationStyleOpInterface, RecursiveMemoryEffects], traits)>;

//===-- Attributes -------------------------------------------------------------------------------------------------------------------===//

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

include "dialects/attn/Attention.td"

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

include "dialects/attn/Positional.td"
include "dialects/attn/Pooling.td"
include "dialects/attn/Memory.td"
include "attn/Matching.td"
include "dialects/attn/Recurrent.td"
include "dialects/attn/Cache.td"

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
