// What an operation says of itself so that passes treat it like linalg's, whichever dialect it belongs to.
#ifndef FOVEA_DATA_INTERFACES
#define FOVEA_DATA_INTERFACES

include "mlir/IR/OpBase.td"

def StructuredOpInterface : OpInterface<"StructuredOpInterface"> {
  let cppNamespace = "::fovea::data";
  let description = [{
    An operation over tensors that is one loop nest with a scalar body. It has DestinationStyleOpInterface
    too; its operands are the inputs, then the inits, all of them tensors.

    The loops and accesses are what tiling and fusion need: form-kernels takes the operation into the kernel of a neighbour where these
    allow it, under its own name. The body is what a target needs: when a kernel gets its schedule, `expandStructured` (compiler/transforms)
    writes the loops, accesses and body as a `linalg.generic`, which every target lowers. The reference evaluator does not look at any of them:
    an operation registers a function there, against which the body is held.
  }];
  let methods = [
    InterfaceMethod<"The loops, outermost first.", "::llvm::SmallVector<::mlir::utils::IteratorType>", "getLoops">,
    InterfaceMethod<"For each operand a map from the loops to the place of the element that is read or written. Each loop is a dim of some operand.",
                    "::llvm::SmallVector<::mlir::AffineMap>", "getAccesses">,
    InterfaceMethod<[{
      The elements of the results, from one element of each operand; those of inits are the running values of a reduction. Made of
      operations that bodies of `linalg.generic` may have.
    }], "::llvm::SmallVector<::mlir::Value>", "buildBody", (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::ValueRange":$elements)>,
  ];
  let verify = "return ::fovea::data::verifyStructuredOp($_op);";
}

#endif
