// The sample dialect: one operation that Fovea does not have.
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/data/Interfaces.td"

def Sample_Dialect : Dialect {
  let name = "sample";
  let cppNamespace = "::sample";
  let summary = "operations of a plugin";
  let dependentDialects = ["::fovea::attn::AttnDialect", "::mlir::arith::ArithDialect"];
}

def SwigluOp : Op<Sample_Dialect, "swiglu", [Pure, DestinationStyleOpInterface, DeclareOpInterfaceMethods<StructuredOpInterface>]> {
  let summary = "gated linear unit with the SiLU as its gate";
  let description = [{
    `result = gate / (1 + exp(-gate)) * up`, element by element (Shazeer 2020, eq. 6, without its products). All operands and the result have
    one float type and shape.
  }];
  let arguments = (ins AnyRankedTensor:$gate, AnyRankedTensor:$up, AnyRankedTensor:$init);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`ins` `(` $gate `,` $up `:` type($gate) `,` type($up) `)` `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}
