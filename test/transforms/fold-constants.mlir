// What follows from constants is computed at compile time, unless it is better left to who reads it.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(fold-constants))" -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(fold-constants))" -o %t.twice
// RUN: diff %t.once %t.twice

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>

// Angles of a rotary embedding: positions times frequencies, twice side by side.
// CHECK-LABEL: @table
// CHECK-NEXT: %[[T:.*]] = arith.constant dense<{{\[\[}}0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00], [1.000000e+00, 5.000000e-01, 1.000000e+00, 5.000000e-01]{{.*}}> : tensor<3x4xf32>
// CHECK-NEXT: return %[[T]]
func.func @table() -> tensor<3x4xf32> {
  %f = arith.constant dense<[1.0, 0.5]> : tensor<2xf32>
  %ep = tensor.empty() : tensor<3xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%ep : tensor<3xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %n = arith.index_cast %i : index to i64
    %r = arith.sitofp %n : i64 to f32
    linalg.yield %r : f32
  } -> tensor<3xf32>
  %a = linalg.generic {indexing_maps = [#row, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %f : tensor<3xf32>, tensor<2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %r = arith.mulf %x, %y : f32
    linalg.yield %r : f32
  } -> tensor<3x2xf32>
  %c = tensor.concat dim(1) %a, %a : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x4xf32>
  return %c : tensor<3x4xf32>
}

// One value everywhere stays one value.
// CHECK-LABEL: @splat
// CHECK: arith.constant dense<3> : tensor<1024xi64>
func.func @splat() -> tensor<1024xi64> {
  %t = arith.constant dense<1> : tensor<3xi64>
  %zero = arith.constant 0 : i64
  %e0 = tensor.empty() : tensor<i64>
  %e = tensor.empty() : tensor<1024xi64>
  %f = linalg.fill ins(%zero : i64) outs(%e0 : tensor<i64>) -> tensor<i64>
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]} ins(%t : tensor<3xi64>) outs(%f : tensor<i64>) {
  ^bb0(%x: i64, %o: i64):
    %r = arith.addi %x, %o : i64
    linalg.yield %r : i64
  } -> tensor<i64>
  %b = linalg.generic {indexing_maps = [affine_map<(i) -> ()>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%s : tensor<i64>) outs(%e : tensor<1024xi64>) {
  ^bb0(%x: i64, %o: i64):
    linalg.yield %x : i64
  } -> tensor<1024xi64>
  return %b : tensor<1024xi64>
}

// A mask of indices means more as it is, and is computed by who reads it.
// CHECK-LABEL: @generated
// CHECK: linalg.generic
// CHECK: arith.cmpi sle
func.func @generated() -> tensor<4x4xf32> {
  %e = tensor.empty() : tensor<4x4xf32>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %m = linalg.generic {indexing_maps = [affine_map<(i, j) -> ()>, #id], iterator_types = ["parallel", "parallel"]} ins(%low : tensor<f32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%x: f32, %o: f32):
    %zero = arith.constant 0.0 : f32
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %c = arith.cmpi sle, %j, %i : index
    %r = arith.select %c, %zero, %x : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  return %m : tensor<4x4xf32>
}

// A view of a constant stays one: weights are never copied.
// CHECK-LABEL: @view
// CHECK: linalg.transpose
func.func @view() -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  return %t : tensor<3x2xf32>
}

// Much larger than what it comes from.
// CHECK-LABEL: @grows
// CHECK: linalg.generic
func.func @grows() -> tensor<2x300000xf32> {
  %w = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2x300000xf32>
  %t = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<2xf32>) outs(%e : tensor<2x300000xf32>) {
  ^bb0(%x: f32, %o: f32):
    %r = arith.addf %x, %x : f32
    linalg.yield %r : f32
  } -> tensor<2x300000xf32>
  return %t : tensor<2x300000xf32>
}

// Inputs are no constants.
// CHECK-LABEL: @depends
// CHECK: linalg.generic
func.func @depends(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%w, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  return %t : tensor<2x2xf32>
}
