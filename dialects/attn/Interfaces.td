// What all attentions have in common.
#ifndef FOVEA_ATTN_INTERFACES
#define FOVEA_ATTN_INTERFACES

include "mlir/IR/OpBase.td"

def AttentionInterface : OpInterface<"AttentionInterface"> {
  let description = "Queries that look at keys: operands, scores and structural masks, whatever becomes of the scores.";
  let cppNamespace = "::fovea::attn";
  let methods = [
    InterfaceMethod<"B x H x M x D", "::mlir::Value", "getQuery">,
    InterfaceMethod<"B x G x N x D", "::mlir::Value", "getKey">,
    InterfaceMethod<"B x G x N x E", "::mlir::Value", "getValue">,
    InterfaceMethod<"What the regions read", "::mlir::OperandRange", "getCaptures">,
    InterfaceMethod<"", "::mlir::MutableOperandRange", "getCapturesMutable">,
    InterfaceMethod<"One map of (b, h, i, j) for each capture", "::mlir::ArrayAttr", "getCaptureMaps">,
    InterfaceMethod<"", "void", "setCaptureMapsAttr", (ins "::mlir::ArrayAttr":$maps)>,
    InterfaceMethod<"B i64, or null", "::mlir::Value", "getLengths">,
    InterfaceMethod<"", "::llvm::APFloat", "getScale">,
    InterfaceMethod<"", "::fovea::attn::Causal", "getCausal">,
    InterfaceMethod<"[left, right]", "::llvm::ArrayRef<int64_t>", "getWindow">,
    InterfaceMethod<"", "::mlir::Region &", "getCombine">,
    InterfaceMethod<"", "::mlir::Region &", "getScore">,
    InterfaceMethod<"The regions that captures are arguments of, those that are not empty",
                    "::llvm::SmallVector<::mlir::Region *>", "getCapturingRegions">,
  ];
  let extraSharedClassDeclaration = [{
    /// Queries per head of keys and values: H / G; the heads are static.
    int64_t getGroupSize() { return ::fovea::attn::detail::groupSize($_op.getQuery(), $_op.getKey()); }
    bool hasScoreRegion() { return !$_op.getScore().empty(); }
    /// The type in which scores and weights are computed.
    ::mlir::Type getScoreType() { return ::fovea::attn::detail::scoreType($_op.getQuery()); }
  }];
}

#endif
