// Products of one tensor with constant matrices on their way to attention become one product.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(merge-projections,canonicalize))" -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(merge-projections,canonicalize))" -o %t.twice
// RUN: diff %t.once %t.twice

#x = affine_map<(b, m, n, k) -> (b, m, k)>
#w = affine_map<(b, m, n, k) -> (k, n)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

// CHECK-LABEL: @query_key_value
// CHECK: %[[W:.*]] = tensor.concat dim(1)
// CHECK-SAME: -> tensor<32x96xf32>
// CHECK: %[[P:.*]] = linalg.generic
// CHECK-SAME: "reduction"
// CHECK-SAME: outs(%{{.*}} : tensor<1x16x96xf32>)
// CHECK: tensor.extract_slice %[[P]][0, 0, 0] [1, 16, 32]
// CHECK: tensor.extract_slice %[[P]][0, 0, 32] [1, 16, 32]
// CHECK: tensor.extract_slice %[[P]][0, 0, 64] [1, 16, 32]
// CHECK-NOT: "reduction"
// CHECK: attn.attention
func.func @query_key_value(%x: tensor<1x16x32xf32>) -> tensor<1x1x16x32xf32> {
  %wq = arith.constant dense<1.0> : tensor<32x32xf32>
  %wk = arith.constant dense<2.0> : tensor<32x32xf32>
  %wv = arith.constant dense<3.0> : tensor<32x32xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x16x32xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x16x32xf32>) -> tensor<1x16x32xf32>
  %q = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %wq : tensor<1x16x32xf32>, tensor<32x32xf32>) outs(%i : tensor<1x16x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x16x32xf32>
  %k = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %wk : tensor<1x16x32xf32>, tensor<32x32xf32>) outs(%i : tensor<1x16x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x16x32xf32>
  %v = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %wv : tensor<1x16x32xf32>, tensor<32x32xf32>) outs(%i : tensor<1x16x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x16x32xf32>
  %q4 = tensor.expand_shape %q [[0, 1], [2], [3]] output_shape [1, 1, 16, 32] : tensor<1x16x32xf32> into tensor<1x1x16x32xf32>
  %k4 = tensor.expand_shape %k [[0, 1], [2], [3]] output_shape [1, 1, 16, 32] : tensor<1x16x32xf32> into tensor<1x1x16x32xf32>
  %v4 = tensor.expand_shape %v [[0, 1], [2], [3]] output_shape [1, 1, 16, 32] : tensor<1x16x32xf32> into tensor<1x1x16x32xf32>
  %init = tensor.empty() : tensor<1x1x16x32xf32>
  %y = attn.attention ins(%q4, %k4, %v4 : tensor<1x1x16x32xf32>, tensor<1x1x16x32xf32>, tensor<1x1x16x32xf32>) outs(%init : tensor<1x1x16x32xf32>) -> tensor<1x1x16x32xf32>
  return %y : tensor<1x1x16x32xf32>
}

// A gate and its partner do not lead to attention: the second takes the first in its epilogue.
// CHECK-LABEL: @gate
// CHECK-NOT: tensor.concat
// CHECK: return
func.func @gate(%x: tensor<1x16x32xf32>) -> (tensor<1x16x32xf32>, tensor<1x16x32xf32>) {
  %wq = arith.constant dense<1.0> : tensor<32x32xf32>
  %wk = arith.constant dense<2.0> : tensor<32x32xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x16x32xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x16x32xf32>) -> tensor<1x16x32xf32>
  %q = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %wq : tensor<1x16x32xf32>, tensor<32x32xf32>) outs(%i : tensor<1x16x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x16x32xf32>
  %k = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %wk : tensor<1x16x32xf32>, tensor<32x32xf32>) outs(%i : tensor<1x16x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x16x32xf32>
  return %q, %k : tensor<1x16x32xf32>, tensor<1x16x32xf32>
}
