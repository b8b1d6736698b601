// The exec dialect: what the runtime will be asked to do. Kernels, weights, buffers, dispatches.
#ifndef FOVEA_EXEC_OPS
#define FOVEA_EXEC_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/CommonAttrConstraints.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Exec_Dialect : Dialect {
  let name = "exec";
  let cppNamespace = "::fovea::exec";
  let summary = "kernels, dispatches, weights, buffers";
  let description = [{
    Attributes of an entry point's arguments and results, set by the frontend:
    `exec.name` (string), `exec.dims` (array: an integer for a static dim, a string for a symbolic one; `dims_c1`).
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasRegionArgAttrVerify = 1;
  let extraClassDeclaration = [{
    static constexpr ::llvm::StringLiteral kNameAttr = "exec.name";
    static constexpr ::llvm::StringLiteral kDimsAttr = "exec.dims";
    /// On an argument or a result of signless integers: they are unsigned for those who call the entry point.
    static constexpr ::llvm::StringLiteral kUnsignedAttr = "exec.unsigned";
    /// On a function or program for another target than the CPU: the target's name, and that of the entry point.
    static constexpr ::llvm::StringLiteral kTargetAttr = "exec.target";
    static constexpr ::llvm::StringLiteral kEntryAttr = "exec.entry";
    /// On a function: the ranges of symbolic dims, a dictionary of name to [min, max].
    static constexpr ::llvm::StringLiteral kRangesAttr = "exec.ranges";
  }];
}

class Exec_Op<string mnemonic, list<Trait> traits = []> : Op<Exec_Dialect, mnemonic, traits>;

def BufferType : TypeDef<Exec_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "a place in the arena, in an input, in an output or among the weights";
}

//===-- Layouts ------------------------------------------------------------------------------------------------------------------------===//

def RowMajorAttr : AttrDef<Exec_Dialect, "RowMajor"> {
  let mnemonic = "row_major";
  let summary = "elements in the order of the dims, nothing between them";
}

def PanelsAttr : AttrDef<Exec_Dialect, "Panels"> {
  let mnemonic = "panels";
  let summary = "a K x N matrix as ceil(N / width) panels of K x width, the last one filled up with zeros";
  let parameters = (ins "int64_t":$width);
  let assemblyFormat = "`<` $width `>`";
}

//===-- Kernels ------------------------------------------------------------------------------------------------------------------------===//

def KernelOp : Exec_Op<"kernel", [IsolatedFromAbove, AttrSizedOperandSegments, RecursiveMemoryEffects,
    SingleBlockImplicitTerminator<"YieldOp">, DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "a group of operations that runs as one kernel";
  let description = [{
    The body computes the results from `inputs` with tensor operations; the lowering of its kind makes one loop nest a stage of it.
    Block arguments: one index for each of `symbols`, then `inputs`, then `inits`. `shapes` holds for each input and then each init its shape as
    `affine_map<()[s0, ...] -> (...)>` in the symbols, so that all sizes in the body are known in terms of few numbers. `layouts` holds the
    layout of each input and init in memory. `schedule` says how the kernel is to be run (`kind` and the choices of that kind). `aliases` holds
    the pairs [init, input] that may be the same memory: whoever made the schedule knows that each element of the input is read for the last
    time before the element of the init that lies there is written. `name` is empty until the tile phase: then kernels of the same name are the
    same, and it becomes the name of their `exec.kernel_def`.

    It is destination-passing, but does not say so by MLIR's interface: generic patterns would fold casts into its operands and leave its block
    arguments behind.

    * `kernel_c1`: block arguments fit the operands. * `kernel_c2`: one shape for each input and init, with as many results as the tensor has
    dims, and static where the tensor is. * `kernel_c3`: one layout for each input and init. * `kernel_c4`: the yielded values have the types of the results.
    * `kernel_c5`: aliases are inits and inputs of the same bytes.
  }];
  let arguments = (ins StrAttr:$name, Variadic<Index>:$symbols, Variadic<AnyRankedTensor>:$inputs, Variadic<AnyRankedTensor>:$inits,
                       AffineMapArrayAttr:$shapes, OptionalAttr<ArrayAttr>:$layouts, OptionalAttr<DictionaryAttr>:$schedule,
                       OptionalAttr<ArrayAttr>:$aliases);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name (`symbols` `(` $symbols^ `)`)? (`ins` `(` $inputs^ `:` type($inputs) `)`)? `outs` `(` $inits `:` type($inits) `)` `shapes` $shapes
    (`layouts` $layouts^)? (`schedule` $schedule^)? (`aliases` $aliases^)? attr-dict-with-keyword $body `->` type($results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block::BlockArgListType getSymbolArgs() { return getBody().getArguments().take_front(getSymbols().size()); }
    ::mlir::Block::BlockArgListType getTensorArgs() { return getBody().getArguments().drop_front(getSymbols().size()); }
  }];
}

def KernelDefOp : Exec_Op<"kernel_def", [IsolatedFromAbove, Symbol, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "the code of one or more dispatches";
  let description = [{
    What `exec.kernel` is inside of a program, outlined: the same block arguments, `symbol_count` indices first, then inputs, then
    `init_count` inits. Which of its `aliases` are the same memory is each dispatch's choice.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$symbol_count, I64Attr:$init_count, AffineMapArrayAttr:$shapes,
                       ArrayAttr:$layouts, DictionaryAttr:$schedule, DefaultValuedAttr<ArrayAttr, "{}">:$aliases);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `symbols` $symbol_count `inits` $init_count `shapes` $shapes `layouts` $layouts `schedule` $schedule attr-dict-with-keyword $body";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block::BlockArgListType getSymbolArgs() { return getBody().getArguments().take_front(getSymbolCount()); }
    ::mlir::Block::BlockArgListType getTensorArgs() { return getBody().getArguments().drop_front(getSymbolCount()); }
    ::mlir::Block::BlockArgListType getInputArgs() { return getTensorArgs().drop_back(getInitCount()); }
    ::mlir::Block::BlockArgListType getInitArgs() { return getTensorArgs().take_back(getInitCount()); }
  }];
}

def YieldOp : Exec_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "the results of a kernel or of the making of a weight";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

//===-- Weights ------------------------------------------------------------------------------------------------------------------------===//

def WeightDataOp : Exec_Op<"weight_data", [IsolatedFromAbove, Symbol, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "a weight of the artifact: how it is made from the model's constants, and its layout";
  let description = [{
    The body has no arguments and yields one tensor, made from `arith.constant`s by operations that the reference evaluator knows;
    transposes, slices, reshapes and concatenations are streamed without a copy in between.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, AnyAttr:$layout);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `layout` $layout attr-dict-with-keyword $body";
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::RankedTensorType getTensorType();";
}

def WeightOp : Exec_Op<"weight", [Pure]> {
  let summary = "a weight as a value";
  let arguments = (ins FlatSymbolRefAttr:$source);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($result)";
}

//===-- The host program ---------------------------------------------------------------------------------------------------------------===//

def CheckOp : Exec_Op<"check", [MemoryEffects<[MemWrite]>]> {
  let summary = "fails the preparation of a run with a message unless the condition holds";
  let arguments = (ins I1:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict";
}

def InputDimOp : Exec_Op<"input_dim", [Pure]> {
  let summary = "the size of a dim of an input";
  let arguments = (ins I64Attr:$input, I64Attr:$dim);
  let results = (outs Index:$result);
  let assemblyFormat = "$input `,` $dim attr-dict";
}

def InputElementOp : Exec_Op<"input_element", [Pure]> {
  let summary = "an element of an input that shapes depend on, by its row-major place";
  let arguments = (ins I64Attr:$input, Index:$place);
  let results = (outs AnySignlessInteger:$result);
  let assemblyFormat = "$input `[` $place `]` attr-dict `:` type($result)";
}

def InputBufferOp : Exec_Op<"input_buffer", [Pure]> {
  let summary = "the memory of an input of the program, by number";
  let arguments = (ins I64Attr:$input);
  let results = (outs BufferType:$result);
  let assemblyFormat = "$input attr-dict";
}
def OutputBufferOp : Exec_Op<"output_buffer", [Pure]> {
  let summary = "the memory of an output of the program, by number";
  let arguments = (ins I64Attr:$output);
  let results = (outs BufferType:$result);
  let assemblyFormat = "$output attr-dict";
}
def ArenaBufferOp : Exec_Op<"arena_buffer", [Pure]> {
  let summary = "bytes of the arena from an offset on";
  let arguments = (ins Index:$offset);
  let results = (outs BufferType:$result);
  let assemblyFormat = "$offset attr-dict";
}
def WeightBufferOp : Exec_Op<"weight_buffer", [Pure]> {
  let summary = "the memory of a weight";
  let arguments = (ins FlatSymbolRefAttr:$source);
  let results = (outs BufferType:$result);
  let assemblyFormat = "$source attr-dict";
}

def DispatchOp : Exec_Op<"dispatch", [AttrSizedOperandSegments, MemoryEffects<[MemRead, MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a kernel on buffers";
  let description = [{
    `buffers` are those of the kernel's inputs and inits, in its order. * `dispatch_c1`: they are as many as the kernel has, and so are the symbols.
    * `dispatch_c2`: what is written is no other operand's memory, unless the kernel's aliases allow for that.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Index>:$symbols, Variadic<BufferType>:$buffers, StrAttr:$node);
  let assemblyFormat = "$kernel (`symbols` `(` $symbols^ `)`)? `buffers` `(` $buffers `)` `node` $node attr-dict";
  let extraClassDeclaration = [{
    /// The number of the input in whose memory the kernel writes an init; -1 if it is in none.
    int64_t getInputUnder(KernelDefOp kernel, unsigned init);
  }];
}

def FinishOp : Exec_Op<"finish", [Terminator]> {
  let summary = "ends a host program: the arena's size in bytes and the dims of all outputs";
  let arguments = (ins Index:$arena, Variadic<Index>:$output_dims);
  let assemblyFormat = "`arena` $arena `outputs` `(` $output_dims `)` attr-dict";
}

def ProgramOp : Exec_Op<"program", [IsolatedFromAbove, Symbol, SingleBlock, NoRegionArguments]> {
  let summary = "a host program: sizes, buffers, dispatches";
  let description = [{
    `inputs` and `outputs` are arrays of dictionaries {name, type, dims}. The body computes indices from `exec.input_dim`, makes buffers and
    dispatches kernels in order. What does not depend on a dispatch is computed once for each tuple of input shapes.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, ArrayAttr:$inputs, ArrayAttr:$outputs, DefaultValuedAttr<DictionaryAttr, "{}">:$ranges);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `inputs` $inputs `outputs` $outputs attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

#endif
