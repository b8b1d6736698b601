// Encodings become elementwise operations over constant rows; biases become a part of the scores of the attention that captures them.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(decompose-attn,canonicalize,cse))" -o %t.once
// RUN: FileCheck %s < %t.once
// Running the pass again changes nothing.
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(decompose-attn,canonicalize,cse))" -o %t.twice
// RUN: diff %t.once %t.twice
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(decompose-attn,canonicalize,cse,fold-constants))" | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: @sinusoidal
// CHECK-NOT: exec.check
// CHECK: iterator_types = ["parallel", "parallel"]
// CHECK: math.cos %{{.*}} : f64
// CHECK: math.sin %{{.*}} : f64
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK-NOT: attn.sinusoidal_encoding
func.func @sinusoidal(%p: tensor<?xi64> {exec.dims = ["N"]}) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %p, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %0 = attn.sinusoidal_encoding ins(%p : tensor<?xi64>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// Constant positions make constant tables.
// FOLD-LABEL: @constant_tables
// FOLD-NOT: linalg.generic
// FOLD: return %cst
func.func @constant_tables() -> (tensor<3x8xf32>, tensor<3x8xf32>, tensor<3x8xf32>) {
  %p = arith.constant dense<[0, 5, 1]> : tensor<3xi64>
  %e = tensor.empty() : tensor<3x8xf32>
  %0 = attn.sinusoidal_encoding ins(%p : tensor<3xi64>) outs(%e : tensor<3x8xf32>) -> tensor<3x8xf32>
  %1, %2 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%e, %e : tensor<3x8xf32>, tensor<3x8xf32>) -> tensor<3x8xf32>, tensor<3x8xf32>
  return %0, %1, %2 : tensor<3x8xf32>, tensor<3x8xf32>, tensor<3x8xf32>
}

// Without positions it is a slice, with a check where the table may be too short.
// CHECK-LABEL: @learned
// CHECK-NOT: linalg.generic
// CHECK: exec.check {{.*}}, "positions and encoding do not fit each other"
// CHECK: tensor.extract_slice %{{.*}}[2, 0] [%{{.*}}, 8] [1, 1]
func.func @learned(%table: tensor<9x8xf32>, %e: tensor<?x8xf32> {exec.dims = ["N", 8]}) -> tensor<?x8xf32> {
  %0 = attn.learned_encoding ins(%table : tensor<9x8xf32>) outs(%e : tensor<?x8xf32>) {offset = 2 : i64} -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// One row a distance, looked up in the score; nothing of 8 x M x N.
// CHECK-LABEL: @relative
// CHECK: %[[ROWS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<257x8xf32>)
// CHECK-NOT: linalg.generic
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %[[H:.*]]: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK: arith.subi %[[J]], %[[I]] : index
// CHECK: %[[BIAS:.*]] = data.lookup %[[ROWS]][%{{.*}}, %[[H]]] : tensor<257x8xf32>
// CHECK: arith.addf %[[S]], %[[BIAS]] : f32
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @relative(%q: tensor<2x8x30x16xf32>, %k: tensor<2x8x40x16xf32>, %table: tensor<32x8xf32>, %o: tensor<2x8x30x16xf32>) -> tensor<2x8x30x16xf32> {
  %e = tensor.empty() : tensor<8x30x40xf32>
  %bias = attn.relative_bias ins(%table : tensor<32x8xf32>) outs(%e : tensor<8x30x40xf32>) -> tensor<8x30x40xf32>
  %0 = attn.attention ins(%q, %k, %k : tensor<2x8x30x16xf32>, tensor<2x8x40x16xf32>, tensor<2x8x40x16xf32>) captures(%bias : tensor<8x30x40xf32>) outs(%o : tensor<2x8x30x16xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (h, i, j)>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %sum = arith.addf %s, %c : f32
    attn.yield %sum : f32
  } -> tensor<2x8x30x16xf32>
  return %0 : tensor<2x8x30x16xf32>
}

// Two biases beside a mask, in the score and in the weight; the mask stays a capture.
// CHECK-LABEL: @both_regions
// CHECK-NOT: linalg.generic
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}} : tensor<4xf32>)
// CHECK: score
// CHECK: data.lookup {{.*}} : tensor<9x2xf32>
// CHECK: weight
// CHECK: math.absf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @both_regions(%q: tensor<1x2x4x8xf32>, %mask: tensor<4xf32>, %table: tensor<9x2xf32>) -> tensor<1x2x4x8xf32> {
  %e = tensor.empty() : tensor<2x4x4xf32>
  %grid = attn.grid_bias grid [2, 2] ins(%table : tensor<9x2xf32>) outs(%e : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %slope = attn.alibi_bias outs(%e : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %0 = attn.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
      captures(%grid, %mask, %slope : tensor<2x4x4xf32>, tensor<4xf32>, tensor<2x4x4xf32>) outs(%q : tensor<1x2x4x8xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (h, i, j)>, affine_map<(b, h, i, j) -> (j)>, affine_map<(b, h, i, j) -> (h, i, j)>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %g: f32, %m: f32, %a: f32):
    %x = arith.addf %s, %g : f32
    %y = arith.addf %x, %m : f32
    attn.yield %y : f32
  } weight {
  ^bb0(%p: f32, %b: index, %h: index, %i: index, %j: index, %g: f32, %m: f32, %a: f32):
    %x = arith.mulf %p, %a : f32
    attn.yield %x : f32
  } -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// What others read too, or at computed places, is made.
// CHECK-LABEL: @made
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4x4xf32>)
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}} : tensor<2x4x4xf32>)
func.func @made(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %e = tensor.empty() : tensor<2x4x4xf32>
  %slope = attn.alibi_bias outs(%e : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %0 = attn.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) captures(%slope : tensor<2x4x4xf32>) outs(%q : tensor<1x2x4x8xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (h, 3 - i, j)>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %sum = arith.addf %s, %c : f32
    attn.yield %sum : f32
  } -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// A bias that may be smaller than the scores is refused at run time, as reading beyond it would be.
// CHECK-LABEL: @smaller
// CHECK: %[[FITS:.*]] = arith.cmpi sle
// CHECK: exec.check %[[FITS]], "tables and bias do not fit each other"
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK: return
func.func @smaller(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x?x8xf32> {exec.dims = [1, 2, "N", 8]}, %s: tensor<?xf32> {exec.dims = ["S"]}) -> tensor<1x2x4x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %s, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<2x4x?xf32>
  %slope = attn.alibi_bias outs(%e : tensor<2x4x?xf32>) -> tensor<2x4x?xf32>
  %0 = attn.attention ins(%q, %k, %k : tensor<1x2x4x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>) captures(%slope : tensor<2x4x?xf32>) outs(%q : tensor<1x2x4x8xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (h, i, j)>]} score {
  ^bb0(%x: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %sum = arith.addf %x, %c : f32
    attn.yield %sum : f32
  } -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}
