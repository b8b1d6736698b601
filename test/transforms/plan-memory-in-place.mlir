// A result takes the place of an input that dies, if all places where the kernel reads it allow for that; the inputs of the program do not die.
// RUN: fovea-opt %s --plan-memory | FileCheck %s

#s = affine_map<()[s0] -> (s0, 16)>

// CHECK: exec.kernel_def @{{.*}} attributes {aliases = {{\[\[}}0, 0]]}
// CHECK: exec.program @over inputs
// CHECK: %[[X:.*]] = exec.input_buffer 0
// CHECK: %[[A:.*]] = exec.arena_buffer %[[A_AT:.*]]
// CHECK: exec.dispatch @{{.*}} buffers(%[[X]], %[[A]])
// CHECK: %[[A2:.*]] = exec.arena_buffer %[[A_AT]]
// CHECK: %[[B:.*]] = exec.arena_buffer %[[A_AT]]
// CHECK: exec.dispatch @{{.*}} buffers(%[[A2]], %{{.*}}, %[[B]])
// The second operand may not be written over.
// CHECK: %[[B2:.*]] = exec.arena_buffer %[[A_AT]]
// CHECK: %[[B3:.*]] = exec.arena_buffer %[[A_AT]]
// CHECK: %[[C:.*]] = exec.arena_buffer %[[C_AT:.*]]
// CHECK: exec.dispatch @{{.*}} buffers(%[[B2]], %[[B3]], %[[C]])
// What is read once more later stays.
// CHECK: %[[C2:.*]] = exec.arena_buffer %[[C_AT]]
// CHECK: %[[D:.*]] = exec.arena_buffer %[[A_AT]]
// CHECK: exec.dispatch @{{.*}} buffers(%[[C2]], %[[D]])
// CHECK: exec.finish
func.func @over(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x16xf32>
  %e = tensor.empty(%n) : tensor<?x16xf32>
  %a = exec.kernel "exp" symbols(%n) ins(%x : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) shapes [#s, #s] layouts [#exec.row_major, #exec.row_major] schedule {kind = "rows"} aliases [[0, 0]] {
  ^bb0(%m: index, %i0: tensor<?x16xf32>, %out: tensor<?x16xf32>):
    %y = linalg.exp ins(%i0 : tensor<?x16xf32>) outs(%out : tensor<?x16xf32>) -> tensor<?x16xf32>
    exec.yield %y : tensor<?x16xf32>
  } -> tensor<?x16xf32>
  %b = exec.kernel "add" symbols(%n) ins(%a, %x : tensor<?x16xf32>, tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) shapes [#s, #s, #s] layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {kind = "rows"} aliases [[0, 0], [0, 1]] {
  ^bb0(%m: index, %i0: tensor<?x16xf32>, %i1: tensor<?x16xf32>, %out: tensor<?x16xf32>):
    %y = linalg.add ins(%i0, %i1 : tensor<?x16xf32>, tensor<?x16xf32>) outs(%out : tensor<?x16xf32>) -> tensor<?x16xf32>
    exec.yield %y : tensor<?x16xf32>
  } -> tensor<?x16xf32>
  %c = exec.kernel "twice" symbols(%n) ins(%b, %b : tensor<?x16xf32>, tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) shapes [#s, #s, #s] layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {kind = "rows"} aliases [[0, 0]] {
  ^bb0(%m: index, %i0: tensor<?x16xf32>, %i1: tensor<?x16xf32>, %out: tensor<?x16xf32>):
    %y = linalg.add ins(%i0, %i1 : tensor<?x16xf32>, tensor<?x16xf32>) outs(%out : tensor<?x16xf32>) -> tensor<?x16xf32>
    exec.yield %y : tensor<?x16xf32>
  } -> tensor<?x16xf32>
  %d = exec.kernel "exp" symbols(%n) ins(%c : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) shapes [#s, #s] layouts [#exec.row_major, #exec.row_major] schedule {kind = "rows"} aliases [[0, 0]] {
  ^bb0(%m: index, %i0: tensor<?x16xf32>, %out: tensor<?x16xf32>):
    %y = linalg.exp ins(%i0 : tensor<?x16xf32>) outs(%out : tensor<?x16xf32>) -> tensor<?x16xf32>
    exec.yield %y : tensor<?x16xf32>
  } -> tensor<?x16xf32>
  %f = exec.kernel "last" symbols(%n) ins(%c, %d : tensor<?x16xf32>, tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) shapes [#s, #s, #s] layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {kind = "rows"} aliases [[0, 0], [0, 1]] {
  ^bb0(%m: index, %i0: tensor<?x16xf32>, %i1: tensor<?x16xf32>, %out: tensor<?x16xf32>):
    %y = linalg.add ins(%i0, %i1 : tensor<?x16xf32>, tensor<?x16xf32>) outs(%out : tensor<?x16xf32>) -> tensor<?x16xf32>
    exec.yield %y : tensor<?x16xf32>
  } -> tensor<?x16xf32>
  return %f : tensor<?x16xf32>
}
