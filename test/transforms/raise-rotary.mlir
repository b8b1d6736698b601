// Rotary embedding as exporters write it, over halves of the last dim.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(raise-rotary,canonicalize))" -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(raise-rotary,canonicalize))" -o %t.twice
// RUN: diff %t.once %t.twice

#id = affine_map<(b, h, p, d) -> (b, h, p, d)>
#table = affine_map<(b, h, p, d) -> (p, d)>

// CHECK: #[[T:.*]] = affine_map<(d0, d1, d2) -> (d2)>
// CHECK-LABEL: @halves
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x4x16x8xf32>, %[[C:[a-z0-9]+]]: tensor<16x8xf32>, %[[S:[a-z0-9]+]]: tensor<16x8xf32>
// CHECK-NOT: tensor.concat
// CHECK: attn.rotary_embedding ins(%[[X]], %[[C]], %[[S]] : {{.*}} {table_map = #[[T]]}
// CHECK: return
func.func @halves(%x: tensor<2x4x16x8xf32>, %cos: tensor<16x8xf32>, %sin: tensor<16x8xf32>) -> tensor<2x4x16x8xf32> {
  %e = tensor.empty() : tensor<2x4x16x8xf32>
  %eh = tensor.empty() : tensor<2x4x16x4xf32>
  %x1 = tensor.extract_slice %x[0, 0, 0, 0] [2, 4, 16, 4] [1, 1, 1, 1] : tensor<2x4x16x8xf32> to tensor<2x4x16x4xf32>
  %x2 = tensor.extract_slice %x[0, 0, 0, 4] [2, 4, 16, 4] [1, 1, 1, 1] : tensor<2x4x16x8xf32> to tensor<2x4x16x4xf32>
  %n = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x2 : tensor<2x4x16x4xf32>) outs(%eh : tensor<2x4x16x4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.negf %v : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x4xf32>
  %c = tensor.concat dim(3) %n, %x1 : (tensor<2x4x16x4xf32>, tensor<2x4x16x4xf32>) -> tensor<2x4x16x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #table, #id, #table, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x, %cos, %c, %sin : tensor<2x4x16x8xf32>, tensor<16x8xf32>, tensor<2x4x16x8xf32>, tensor<16x8xf32>) outs(%e : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %v: f32, %w: f32, %o: f32):
    %l = arith.mulf %a, %b : f32
    %m = arith.mulf %v, %w : f32
    %r = arith.addf %l, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// The halves the other way round are another rotation, which this operation does not have.
// CHECK-LABEL: @other_order
// CHECK-NOT: attn.rotary_embedding
// CHECK: tensor.concat
// CHECK-NOT: attn.rotary_embedding
// CHECK: return
func.func @other_order(%x: tensor<2x4x16x8xf32>, %cos: tensor<16x8xf32>, %sin: tensor<16x8xf32>) -> tensor<2x4x16x8xf32> {
  %e = tensor.empty() : tensor<2x4x16x8xf32>
  %eh = tensor.empty() : tensor<2x4x16x4xf32>
  %x1 = tensor.extract_slice %x[0, 0, 0, 0] [2, 4, 16, 4] [1, 1, 1, 1] : tensor<2x4x16x8xf32> to tensor<2x4x16x4xf32>
  %x2 = tensor.extract_slice %x[0, 0, 0, 4] [2, 4, 16, 4] [1, 1, 1, 1] : tensor<2x4x16x8xf32> to tensor<2x4x16x4xf32>
  %n = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x1 : tensor<2x4x16x4xf32>) outs(%eh : tensor<2x4x16x4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.negf %v : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x4xf32>
  %c = tensor.concat dim(3) %x2, %n : (tensor<2x4x16x4xf32>, tensor<2x4x16x4xf32>) -> tensor<2x4x16x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #table, #id, #table, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x, %cos, %c, %sin : tensor<2x4x16x8xf32>, tensor<16x8xf32>, tensor<2x4x16x8xf32>, tensor<16x8xf32>) outs(%e : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %v: f32, %w: f32, %o: f32):
    %l = arith.mulf %a, %b : f32
    %m = arith.mulf %v, %w : f32
    %r = arith.addf %l, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}
