// Reshapes and transposes meet their inverses.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(normalize-views))" -o %t.once
// RUN: FileCheck %s < %t.once
// Running the pass again changes nothing.
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(normalize-views))" -o %t.twice
// RUN: diff %t.once %t.twice

#id3 = affine_map<(i, j, k) -> (i, j, k)>

// Sequence first and back around an elementwise operation, and flatten and restore, meet their inverses.
// CHECK-LABEL: @there_and_back
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x64xf32>
// CHECK-NOT: linalg.transpose
// CHECK-NOT: collapse_shape
// CHECK: linalg.generic {{.*}} ins(%[[X]] : tensor<?x?x64xf32>)
// CHECK-NOT: linalg.transpose
// CHECK-NOT: expand_shape
// CHECK: return
func.func @there_and_back(%x: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x64xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?x64xf32>
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x?x64xf32> into tensor<?x64xf32>
  %whole = tensor.expand_shape %flat [[0, 1], [2]] output_shape [%b, %s, 64] : tensor<?x64xf32> into tensor<?x?x64xf32>
  %e = tensor.empty(%s, %b) : tensor<?x?x64xf32>
  %f = tensor.empty(%b, %s) : tensor<?x?x64xf32>
  %t = linalg.transpose ins(%whole : tensor<?x?x64xf32>) outs(%e : tensor<?x?x64xf32>) permutation = [1, 0, 2]
  %g = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%t : tensor<?x?x64xf32>) outs(%e : tensor<?x?x64xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = math.tanh %v : f32
    linalg.yield %r : f32
  } -> tensor<?x?x64xf32>
  %u = linalg.transpose ins(%g : tensor<?x?x64xf32>) outs(%f : tensor<?x?x64xf32>) permutation = [1, 0, 2]
  return %u : tensor<?x?x64xf32>
}

// A split into heads is no inverse of anything and stays.
// CHECK-LABEL: @heads
// CHECK: tensor.expand_shape
// CHECK: linalg.transpose
// CHECK-SAME: permutation = [0, 2, 1, 3]
func.func @heads(%x: tensor<2x16x64xf32>) -> tensor<2x4x16x16xf32> {
  %h = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [2, 16, 4, 16] : tensor<2x16x64xf32> into tensor<2x16x4x16xf32>
  %e = tensor.empty() : tensor<2x4x16x16xf32>
  %t = linalg.transpose ins(%h : tensor<2x16x4x16xf32>) outs(%e : tensor<2x4x16x16xf32>) permutation = [0, 2, 1, 3]
  return %t : tensor<2x4x16x16xf32>
}
