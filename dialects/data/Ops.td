// The data dialect: what linalg cannot say and models need.
#ifndef FOVEA_DATA_OPS
#define FOVEA_DATA_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Data_Dialect : Dialect {
  let name = "data";
  let cppNamespace = "::fovea::data";
  let summary = "data movement and shapes that linalg does not cover";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

class Data_Op<string mnemonic, list<Trait> traits = []> : Op<Data_Dialect, mnemonic, traits>;

def LookupOp : Data_Op<"lookup", [NoMemoryEffect,
    TypesMatchWith<"result is an element of the table", "table", "result",
                   "::llvm::cast<::mlir::ShapedType>($_self).getElementType()">]> {
  let summary = "reads one element of a table at run-time indices, as ONNX Gather does";
  let description = [{
    `result = table[indices]`. Used inside the body of a `linalg.generic`, whose iteration space is the output of a gather. A negative
    index counts from the end of its dim. An index outside `[-size, size)` is a fault: the run fails and names the node, nothing outside
    the table is read.

    * `lookup_c1`: there are as many indices as the table has dims.

    Example:
    ```mlir
    %e = data.lookup %table[%id, %d] : tensor<30522x384xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$table, Variadic<Index>:$indices);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$table `[` $indices `]` attr-dict `:` type($table)";
  let hasVerifier = 1;
}

def ExpandOp : Data_Op<"expand", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "broadcasts to run-time sizes, where it is not known at compile time which dims are 1";
  let description = [{
    `out[i0, ..., in] = source[j0, ..., jn]` with `jd = id` where the source's dim is the result's, `0` where it is 1 (ONNX Expand,
    numpy.broadcast_to). The ranks are equal. A dim that is neither is a fault of the run. Where the sizes are known to be equal or 1
    at compile time, a `linalg.generic` with the fitting map says the same and is to be preferred.

    * `expand_c1`: source and result have the same rank and element type.
    * `expand_c2`: there is one size for each dynamic dim of the result.
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$sizes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source `to` `[` $sizes `]` attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

class Data_ScanOp<string mnemonic> : Data_Op<mnemonic, [Pure, DestinationStyleOpInterface]> {
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$init, I64Attr:$axis, UnitAttr:$exclusive, UnitAttr:$reverse);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`axis` `(` $axis `)` (`exclusive` $exclusive^)? (`reverse` $reverse^)? `ins` `(` $source `:` type($source) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def CumsumOp : Data_ScanOp<"cumsum"> {
  let summary = "running sum along one dim (ONNX CumSum)";
  let description = [{
    `out[.., i, ..] = sum over j <= i of source[.., j, ..]`; `exclusive` leaves j = i out, `reverse` sums from the other end. Integers
    wrap around; floats are summed in order.

    * `cumsum_c1`: source, init and result have the same type.
    * `cumsum_c2`: the axis is a dim of the source.
  }];
}

def CumprodOp : Data_ScanOp<"cumprod"> {
  let summary = "running product along one dim (ONNX CumProd)";
  let description = [{
    `data.cumsum` with products: `out[.., i, ..] = product over j <= i of source[.., j, ..]`.

    * `cumprod_c1`: source, init and result have the same type.
    * `cumprod_c2`: the axis is a dim of the source.
  }];
}

def TopKOp : Data_Op<"top_k", [NoMemoryEffect, DestinationStyleOpInterface]> {
  let summary = "the k largest or smallest elements of each row, in order, and where they stand (ONNX TopK)";
  let description = [{
    Along `axis`, of which the results have k elements: the largest ones in descending order (`smallest`: the smallest ones in ascending
    order) and their indices in the source. Of equal elements the one with the lower index comes first. NaN is greater than every number
    and equal to NaN; -0 equals 0. `natural`: integers are unsigned. A k above the size of the dim is a fault of the run.

    * `top_k_c1`: source, values and their init differ in no more than the size of the axis, values and init not at all.
    * `top_k_c2`: indices and their init have the shape of the values and the element type i64.
    * `top_k_c3`: the axis is a dim of the source, which has as many elements as the results or more.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$values_init, AnyRankedTensor:$indices_init, I64Attr:$axis,
                       UnitAttr:$smallest, UnitAttr:$natural);
  let results = (outs AnyRankedTensor:$values, AnyRankedTensor:$indices);
  let assemblyFormat = [{
    `axis` `(` $axis `)` (`smallest` $smallest^)? (`natural` $natural^)? `ins` `(` $source `:` type($source) `)`
    `outs` `(` $values_init `,` $indices_init `:` type($values_init) `,` type($indices_init) `)` attr-dict
    `->` type($values) `,` type($indices)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), /*start=*/1, /*length=*/2);
    }
  }];
}

def ScatterKind : I32EnumAttr<"ScatterKind", "how an update joins the element that is there", [
    I32EnumAttrCase<"set", 0>, I32EnumAttrCase<"add", 1>, I32EnumAttrCase<"mul", 2>, I32EnumAttrCase<"max", 3>, I32EnumAttrCase<"min", 4>]> {
  let cppNamespace = "::fovea::data";
}

def ScatterOp : Data_Op<"scatter", [NoMemoryEffect, DestinationStyleOpInterface]> {
  let summary = "a copy of a tensor with elements at run-time indices changed (ONNX ScatterElements, ScatterND)";
  let description = [{
    The result is the source; then for each element u of the updates in row-major order `result[place(u)]` becomes the update (`set`), or
    the sum, product, maximum or minimum of what it is and the update. `places` says where: its dims are u's indices, its symbols the
    components of the index `indices[u0, .., uq-1, :]`, which has a place for each symbol. A negative component counts from the end of its
    dim. One outside `[-size, size)` is a fault of the run; nothing outside is written. Every change is rounded to the element type;
    integers wrap around; the maximum and minimum of NaN are NaN; `add` and `max` of bools is or, `mul` and `min` and. `natural`: integers
    are unsigned.

    * `scatter_c1`: source, init and result have one type of at least one dim, updates its element type.
    * `scatter_c2`: the indices are integers; their last dim has a place for each symbol of `places`, the others are the first dims of the
      updates.
    * `scatter_c3`: `places` takes the dims of the updates to the dims of the source, each a dim or a symbol, none of them twice.
    * `scatter_c4`: a dim of the updates that is a place is no longer than the source's dim.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$indices, AnyRankedTensor:$updates, AnyRankedTensor:$init,
                       ScatterKind:$kind, AffineMapAttr:$places, UnitAttr:$natural);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $kind (`natural` $natural^)? `places` `(` $places `)` `ins` `(` $source `,` $indices `,` $updates `:` type($source) `,` type($indices)
    `,` type($updates) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

#endif
