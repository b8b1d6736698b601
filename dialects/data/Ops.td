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

def CumsumOp : Data_Op<"cumsum", [Pure, DestinationStyleOpInterface]> {
  let summary = "running sum along one dim (ONNX CumSum)";
  let description = [{
    `out[.., i, ..] = sum over j <= i of source[.., j, ..]`; `exclusive` leaves j = i out, `reverse` sums from the other end. Integers
    wrap around; floats are summed in order.

    * `cumsum_c1`: source, init and result have the same type.
    * `cumsum_c2`: the axis is a dim of the source.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$init, I64Attr:$axis, UnitAttr:$exclusive, UnitAttr:$reverse);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`axis` `(` $axis `)` (`exclusive` $exclusive^)? (`reverse` $reverse^)? `ins` `(` $source `:` type($source) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

#endif
