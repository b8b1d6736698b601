// RUN: fovea-opt %s | fovea-opt | FileCheck %s
// RUN: fovea-opt %s --emit-bytecode | fovea-opt | FileCheck %s
// RUN: fovea-opt %s --mlir-print-op-generic | fovea-opt | FileCheck %s

// CHECK: #[[S:.*]] = affine_map<()[s0] -> (s0, 4)>
#shape = affine_map<()[s0] -> (s0, 4)>

// CHECK-LABEL: @kernel
// CHECK: exec.kernel "k" symbols(%{{.*}}) ins(%{{.*}} : tensor<?x4xf32>) outs(%{{.*}}, %{{.*}} : tensor<?x4xf32>, tensor<?x4xf32>) shapes [#[[S]], #[[S]], #[[S]]] layouts [#exec.row_major, #exec.panels<64>, #exec.row_major] schedule {kind = "loops"} {
// CHECK: exec.yield %{{.*}}, %{{.*}} : tensor<?x4xf32>, tensor<?x4xf32>
// CHECK: exec.kernel "constant" outs(%{{.*}} : tensor<4xf32>) shapes
func.func @kernel(%n: index, %x: tensor<?x4xf32>, %z: tensor<4xf32>) -> (tensor<?x4xf32>, tensor<4xf32>) {
  %0:2 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x4xf32>) outs(%x, %x : tensor<?x4xf32>, tensor<?x4xf32>) shapes [#shape, #shape, #shape]
      layouts [#exec.row_major, #exec.panels<64>, #exec.row_major] schedule {kind = "loops"} {
  ^bb0(%r: index, %in: tensor<?x4xf32>, %a: tensor<?x4xf32>, %b: tensor<?x4xf32>):
    exec.yield %in, %in : tensor<?x4xf32>, tensor<?x4xf32>
  } -> tensor<?x4xf32>, tensor<?x4xf32>
  %1 = exec.kernel "constant" outs(%z : tensor<4xf32>) shapes [affine_map<() -> (4)>] {
  ^bb0(%a: tensor<4xf32>):
    exec.yield %a : tensor<4xf32>
  } -> tensor<4xf32>
  return %0#0, %1 : tensor<?x4xf32>, tensor<4xf32>
}

// CHECK-LABEL: @over_its_input
// CHECK: exec.kernel "k" symbols(%{{.*}}) ins(%{{.*}}) outs(%{{.*}}) shapes [#[[S]], #[[S]]] layouts [#exec.row_major, #exec.row_major] aliases {{\[\[}}0, 0]] {
func.func @over_its_input(%n: index, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x4xf32>) outs(%x : tensor<?x4xf32>) shapes [#shape, #shape] layouts [#exec.row_major, #exec.row_major] aliases [[0, 0]] {
  ^bb0(%r: index, %in: tensor<?x4xf32>, %a: tensor<?x4xf32>):
    exec.yield %in : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK: exec.kernel_def @code symbols 1 inits 1 shapes [#[[S]], #[[S]]] layouts [#exec.row_major, #exec.row_major] schedule {kind = "loops"} attributes {aliases = {{\[\[}}0, 0]]}
exec.kernel_def @code symbols 1 inits 1 shapes [#shape, #shape] layouts [#exec.row_major, #exec.row_major] schedule {kind = "loops"} attributes {aliases = [[0, 0]]} {
^bb0(%r: index, %in: tensor<?x4xf32>, %out: tensor<?x4xf32>):
  exec.yield %in : tensor<?x4xf32>
}

// CHECK: exec.weight_data @w layout #exec.panels<32>
exec.weight_data @w layout #exec.panels<32> {
  %c = arith.constant dense<1.0> : tensor<4x4xf32>
  exec.yield %c : tensor<4x4xf32>
}

// CHECK-LABEL: @reads
// CHECK: exec.weight @w : tensor<4x4xf32>
func.func @reads() -> tensor<4x4xf32> {
  %0 = exec.weight @w : tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK: exec.program @main inputs [{dims = ["n", 4], name = "x", type = f32}] outputs [{dims = ["n", 4], name = "y", type = f32}] attributes {ranges = {n = [1, 8]}} {
// CHECK: exec.input_dim 0, 0
// CHECK: exec.input_element 0[%{{.*}}] : i64
// CHECK: exec.check %{{.*}}, "too large"
// CHECK: exec.input_buffer 0
// CHECK: exec.arena_buffer %{{.*}}
// CHECK: exec.weight_buffer @w
// CHECK: exec.output_buffer 0
// CHECK: exec.dispatch @code symbols(%{{.*}}) buffers(%{{.*}}, %{{.*}}) node "Node"
// CHECK: exec.finish arena %{{.*}} outputs(%{{.*}})
exec.program @main inputs [{dims = ["n", 4], name = "x", type = f32}] outputs [{dims = ["n", 4], name = "y", type = f32}] attributes {ranges = {n = [1, 8]}} {
  %c0 = arith.constant 0 : index
  %n = exec.input_dim 0, 0
  %e = exec.input_element 0[%c0] : i64
  %zero = arith.constant 0 : i64
  %fits = arith.cmpi sge, %e, %zero : i64
  exec.check %fits, "too large"
  %x = exec.input_buffer 0
  %t = exec.arena_buffer %c0
  %w = exec.weight_buffer @w
  %y = exec.output_buffer 0
  exec.dispatch @code symbols(%n) buffers(%x, %t) node "Node"
  exec.dispatch @code symbols(%n) buffers(%w, %y) node "Node"
  exec.finish arena %c0 outputs(%n)
}
