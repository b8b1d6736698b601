// GELU and SiLU however their factors are ordered; other constants or arguments are left alone.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(raise-activations,canonicalize))" -o %t.once
// RUN: FileCheck %s < %t.once
// Running the pass again changes nothing.
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(raise-activations,canonicalize))" -o %t.twice
// RUN: diff %t.once %t.twice

#id = affine_map<(i) -> (i)>

// CHECK-LABEL: @gelu_erf
// CHECK: %[[R:.*]] = attn.gelu %{{.*}} : f32
// CHECK-NEXT: linalg.yield %[[R]]
func.func @gelu_erf(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%v: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %root2 = arith.constant 1.41421354 : f32
    %three = arith.constant 3.0 : f32
    %cubic = arith.constant 4.471500e-02 : f32
    %c = arith.constant 0.797884583 : f32
    %a = arith.divf %v, %root2 : f32
    %b = math.erf %a : f32
    %d = arith.addf %b, %one : f32
    %f = arith.mulf %v, %d : f32
    %r = arith.mulf %f, %half : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// CHECK-LABEL: @gelu_erf_half_first
// CHECK: %[[R:.*]] = attn.gelu %{{.*}} : f32
// CHECK-NEXT: linalg.yield %[[R]]
func.func @gelu_erf_half_first(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%v: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %root2 = arith.constant 1.41421354 : f32
    %three = arith.constant 3.0 : f32
    %cubic = arith.constant 4.471500e-02 : f32
    %c = arith.constant 0.797884583 : f32
    %h = arith.mulf %half, %v : f32
    %a = arith.divf %v, %root2 : f32
    %b = math.erf %a : f32
    %d = arith.addf %one, %b : f32
    %r = arith.mulf %d, %h : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// CHECK-LABEL: @gelu_tanh
// CHECK: %[[R:.*]] = attn.gelu %{{.*}} form<tanh> : f32
// CHECK-NEXT: linalg.yield %[[R]]
func.func @gelu_tanh(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%v: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %root2 = arith.constant 1.41421354 : f32
    %three = arith.constant 3.0 : f32
    %cubic = arith.constant 4.471500e-02 : f32
    %c = arith.constant 0.797884583 : f32
    %p = math.powf %v, %three : f32
    %q = arith.mulf %p, %cubic : f32
    %s = arith.addf %v, %q : f32
    %t = arith.mulf %s, %c : f32
    %u = math.tanh %t : f32
    %w = arith.addf %u, %one : f32
    %h = arith.mulf %v, %half : f32
    %r = arith.mulf %h, %w : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// CHECK-LABEL: @silu
// CHECK: %[[R:.*]] = attn.silu %{{.*}} : f32
// CHECK-NEXT: linalg.yield %[[R]]
func.func @silu(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%v: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %root2 = arith.constant 1.41421354 : f32
    %three = arith.constant 3.0 : f32
    %cubic = arith.constant 4.471500e-02 : f32
    %c = arith.constant 0.797884583 : f32
    %n = arith.negf %v : f32
    %a = math.exp %n : f32
    %b = arith.addf %a, %one : f32
    %d = arith.divf %one, %b : f32
    %r = arith.mulf %v, %d : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// CHECK-LABEL: @other_constant
// CHECK-NOT: attn.gelu
// CHECK: math.erf
// CHECK-NOT: attn.gelu
// CHECK: return
func.func @other_constant(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%v: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %root2 = arith.constant 1.41421354 : f32
    %three = arith.constant 3.0 : f32
    %cubic = arith.constant 4.471500e-02 : f32
    %c = arith.constant 0.797884583 : f32
    %a = arith.divf %v, %three : f32
    %b = math.erf %a : f32
    %d = arith.addf %b, %one : f32
    %f = arith.mulf %v, %d : f32
    %r = arith.mulf %f, %half : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// CHECK-LABEL: @other_argument
// CHECK-NOT: attn.silu
// CHECK: arith.divf
// CHECK-NOT: attn.silu
// CHECK: return
func.func @other_argument(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%v: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %root2 = arith.constant 1.41421354 : f32
    %three = arith.constant 3.0 : f32
    %cubic = arith.constant 4.471500e-02 : f32
    %c = arith.constant 0.797884583 : f32
    %n = arith.negf %v : f32
    %a = math.exp %n : f32
    %b = arith.addf %a, %one : f32
    %d = arith.divf %one, %b : f32
    %w = arith.addf %v, %one : f32
    %r = arith.mulf %w, %d : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}
