// The passes over graphs and kernels. The examples are tests: test/transforms/NAME.mlir holds each of them.
#ifndef FOVEA_TRANSFORMS_PASSES
#define FOVEA_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def FormKernels : Pass<"form-kernels", "::mlir::func::FuncOp"> {
  let summary = "group the operations of a function into exec.kernels";
  let description = [{
    Requires: a function of one block over linalg, tensor, attn and data operations.
    Ensures: every operation that computes lies in exactly one exec.kernel; what remains outside are constants, views of inputs and of
    kernels' results, and the arithmetic of sizes.
    Leaves alone: the order of what is computed within an operation.
  }];
  let dependentDialects = ["::fovea::exec::ExecDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def FoldConstants : Pass<"fold-constants", "::mlir::func::FuncOp"> {
  let summary = "compute what follows from constants alone";
  let description = [{
    Requires: a function of one block.
    Ensures: an operation on tensors all of whose operands come from constants is a constant, where that is small (4 MB; 1 MB more than what it
    comes from; smaller than that, if weights are among it) and quickly computed.
    Leaves alone: views of constants; tensors that are made from indices and single numbers by elementwise operations.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def FoldPositions : Pass<"fold-positions", "::mlir::func::FuncOp"> {
  let summary = "make integer tensors that are linear in their indices from indices";
  let description = [{
    Requires: a function of one block.
    Ensures: elementwise operations, concatenations and cumulative sums of integers whose elements are a linear function of their indices (or one number
    everywhere) read no tensors, and lookups in such tensors that provably stay inside are arithmetic.
    Leaves alone: dense constants, floats.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def FuseElementwise : Pass<"fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "merge elementwise operations into their readers";
  let description = [{
    Requires: linalg on tensors.
    Ensures: no elementwise operation is read by exactly one other elementwise operation; cheap ones are merged into all their readers;
    no linalg.generic reads a linalg.transpose.
    Leaves alone: reductions as readers.
    Options: without `duplicate`, only producers with one reader are merged (what raising wants to see).
  }];
  let options = [Option<"duplicate", "duplicate", "bool", "true", "Merge cheap producers into each of several readers">];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def PlanMemory : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "turn functions of kernels into host programs over buffers";
  let description = [{
    Requires: functions of exec.kernels with schedules, whose constants are exec.weights.
    Ensures: an exec.program for each function, an exec.kernel_def for each kernel that is different from all others, no tensors outside of
    those; buffers that live at the same time do not overlap. A result may lie over an input that dies where it is computed, if the kernel's
    `aliases` have the pair; inputs of the program and weights are never written.
  }];
  let dependentDialects = ["::fovea::exec::ExecDialect"];
}

def NormalizeViews : Pass<"normalize-views", "::mlir::func::FuncOp"> {
  let summary = "bring reshapes and transposes to one form";
  let description = [{
    Requires: linalg and attn on tensors.
    Ensures: merges of leading dims and transposes that keep the last dim stand behind products with a matrix, elementwise operations and
    normalisations, where they meet their inverses.
    Leaves alone: transposes and reshapes of constants, reductions.
    Options: with `drop-units`, dims of size 1 also leave those operations.
  }];
  let options = [Option<"dropUnits", "drop-units", "bool", "false", "Drop dims of size 1 from operations">];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def RaiseActivations : Pass<"raise-activations", "::mlir::func::FuncOp"> {
  let summary = "recognise GELU and SiLU in elementwise bodies";
  let description = [{
    Requires: elementwise operations merged, so that an activation stands in one body.
    Ensures: products that compute GELU (erf or tanh) or SiLU use attn.gelu or attn.silu.
    Leaves alone: other bodies; what else is multiplied.
  }];
  let dependentDialects = ["::fovea::attn::AttnDialect"];
}

def RaiseNorms : Pass<"raise-norms", "::mlir::func::FuncOp"> {
  let summary = "recognise layer and root mean square normalisation";
  let description = [{
    Requires: elementwise operations merged.
    Ensures: x / sqrt(mean(x^2) + epsilon) over the last dim, and (x - mean) / sqrt(mean((x - mean)^2) + epsilon), are attn.rms_norm and attn.layer_norm;
    a following product with (and sum with) a constant along that dim becomes scale (and bias).
    Leaves alone: normalisations over other dims.
  }];
  let dependentDialects = ["::fovea::attn::AttnDialect", "::mlir::tensor::TensorDialect"];
}

def RaiseAttention : Pass<"raise-attention", "::mlir::func::FuncOp"> {
  let summary = "recognise attention around a softmax";
  let description = [{
    Requires: elementwise operations merged, views normalised, softmax raised.
    Ensures: product, elementwise score, softmax, elementwise weight, product becomes attn.attention; heads that were repeated are read once; a causal mask that is structural
    becomes an attribute. Each softmax that is not part of an attention gets a remark with the reason.
    Leaves alone: additive masks keep their numbers.
  }];
  let dependentDialects = ["::fovea::attn::AttnDialect", "::mlir::tensor::TensorDialect"];
}

def RaiseRotary : Pass<"raise-rotary", "::mlir::func::FuncOp"> {
  let summary = "recognise rotary embedding";
  let description = [{
    Requires: elementwise operations merged.
    Ensures: x * cos + concat(-x2, x1) * sin over halves of the last dim is attn.rotary_embedding.
  }];
  let dependentDialects = ["::fovea::attn::AttnDialect", "::mlir::tensor::TensorDialect"];
}

def DecomposeAttn : Pass<"decompose-attn", "::mlir::func::FuncOp"> {
  let summary = "write the families around attention as elementwise operations, products, sums and attention";
  let description = [{
    Ensures: there are no operations of positional encoding (but rotary_embedding), pooling attention, memory, costs and losses of matching; what they were is
    linalg, tensor and attn operations. A bias that attention captures is a part of its score. Where sizes may differ at run time an exec.check
    refuses that.
    Leaves alone: attention, operations along rows, attn.bipartite_match, which become kernels of their own.
  }];
  let dependentDialects = ["::fovea::attn::AttnDialect", "::fovea::data::DataDialect", "::fovea::exec::ExecDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def MergeProjections : Pass<"merge-projections", "::mlir::func::FuncOp"> {
  let summary = "merge products of one tensor with several weights";
  let description = [{
    Requires: attention raised.
    Ensures: the products of one tensor with constant weights (each followed by at most a constant bias) that lead to query, key and value are one product
    with the weights side by side; each user reads a slice.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def TileAttentionKeys : Pass<"tile-attention-keys", "::mlir::func::FuncOp"> {
  let summary = "attention as a loop over blocks of keys";
  let description = [{
    Requires: attn on tensors.
    Ensures: softmax over more keys than a block, or over a number that is not known, is an scf.for over blocks of keys around attn.online_attention
    that carries maximum, sum and accumulator, and a quotient at the end; blocks that no query sees by causal and window are not visited.
    Leaves alone: other normalisers, weight regions, results besides the output, offsets, sinks and masks of blocks, attention over at most one block
    of keys.
    Options: `block`, how many keys are visited at a time.
  }];
  let options = [Option<"block", "block", "int64_t", "512", "Keys of a block">];
  let dependentDialects = ["::fovea::attn::AttnDialect", "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def SeparateScores : Pass<"separate-scores", "::mlir::func::FuncOp"> {
  let summary = "give attention scores of its own where the model returns them as well";
  let description = [{
    Requires: linalg and attn on tensors, softmax being attn.softmax.
    Ensures: what lies between the product of queries and keys and the product of weights and values is read by nothing else, if all other
    readers only lead to results of the function. raise-attention wants that.
    Leaves alone: scores and weights that other computations read.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

#endif
