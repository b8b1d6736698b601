// A function of kernels with schedules becomes a host program over one arena; kernels that are alike have one definition.
// RUN: fovea-opt %s --plan-memory -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --plan-memory -o %t.twice
// RUN: diff %t.once %t.twice

#s = affine_map<()[s0] -> (s0, 16)>

// CHECK-COUNT-1: exec.kernel_def @
// CHECK-NOT: exec.kernel_def
// CHECK: exec.program @main inputs [{dims = ["n", 16], name = "x", type = f32}, {dims = [2], name = "u", type = ui8}] outputs [{dims = ["n", 16], name = "y", type = f32}]
// CHECK: %[[N:.*]] = exec.input_dim 0, 0
// CHECK: exec.arena_buffer
// CHECK-COUNT-3: exec.dispatch @
// CHECK: exec.finish
// CHECK-NOT: tensor
// CHECK-NOT: func.func
func.func @main(%x: tensor<?x16xf32> {exec.name = "x", exec.dims = ["n", 16]}, %u: tensor<2xi8> {exec.name = "u", exec.dims = [2], exec.unsigned}) -> (tensor<?x16xf32> {exec.name = "y", exec.dims = ["n", 16]}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x16xf32>
  %e = tensor.empty(%n) : tensor<?x16xf32>
  %a = exec.kernel "k" symbols(%n) ins(%x : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) shapes [#s, #s] layouts [#exec.row_major, #exec.row_major] schedule {kind = "rows"} {
  ^bb0(%m: index, %in: tensor<?x16xf32>, %out: tensor<?x16xf32>):
    %y = attn.softmax axis(1) ins(%in : tensor<?x16xf32>) outs(%out : tensor<?x16xf32>) -> tensor<?x16xf32>
    exec.yield %y : tensor<?x16xf32>
  } -> tensor<?x16xf32>
  %b = exec.kernel "k" symbols(%n) ins(%a : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) shapes [#s, #s] layouts [#exec.row_major, #exec.row_major] schedule {kind = "rows"} {
  ^bb0(%m: index, %in: tensor<?x16xf32>, %out: tensor<?x16xf32>):
    %y = attn.softmax axis(1) ins(%in : tensor<?x16xf32>) outs(%out : tensor<?x16xf32>) -> tensor<?x16xf32>
    exec.yield %y : tensor<?x16xf32>
  } -> tensor<?x16xf32>
  %c = exec.kernel "k" symbols(%n) ins(%b : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) shapes [#s, #s] layouts [#exec.row_major, #exec.row_major] schedule {kind = "rows"} {
  ^bb0(%m: index, %in: tensor<?x16xf32>, %out: tensor<?x16xf32>):
    %y = attn.softmax axis(1) ins(%in : tensor<?x16xf32>) outs(%out : tensor<?x16xf32>) -> tensor<?x16xf32>
    exec.yield %y : tensor<?x16xf32>
  } -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
