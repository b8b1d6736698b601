// Every operation that computes lies in exactly one kernel; views of inputs move into the kernels that read through them.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(form-kernels,canonicalize,cse))" --verify-diagnostics -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(form-kernels,canonicalize,cse))" -o %t.twice
// RUN: diff %t.once %t.twice

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#last = affine_map<(m, n) -> (n)>

// A product takes in bias, residual and the normalisation of its rows.
// CHECK: #[[SHAPE:.*]] = affine_map<()[s0] -> (s0, 32)>
// CHECK-LABEL: @epilogue
// CHECK: exec.kernel "" symbols(%{{.*}}) ins({{.*}}) outs(%{{.*}} : tensor<?x32xf32>) shapes [#[[SHAPE]]
// CHECK: linalg.generic
// CHECK: linalg.generic
// CHECK: attn.layer_norm
// CHECK: exec.yield
// CHECK-NOT: exec.kernel
// CHECK: return
func.func @epilogue(%x: tensor<?x32xf32>, %bias: tensor<32xf32>) -> tensor<?x32xf32> {
  %w = arith.constant dense<1.0> : tensor<32x32xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x32xf32>
  %e = tensor.empty(%n) : tensor<?x32xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  %p = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<?x32xf32>, tensor<32x32xf32>) outs(%i : tensor<?x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x32xf32>
  %r = linalg.generic {indexing_maps = [#id, #last, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %bias, %x : tensor<?x32xf32>, tensor<32xf32>, tensor<?x32xf32>) outs(%e : tensor<?x32xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    %t = arith.addf %s, %c : f32
    linalg.yield %t : f32
  } -> tensor<?x32xf32>
  %y = attn.layer_norm axis(1) epsilon(1.0e-5) ins(%r : tensor<?x32xf32>) outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// A returned input is copied; merging dims that do not lie one after the other needs a copy, and says so.
// CHECK-LABEL: @copies
// CHECK: exec.kernel
// CHECK: return
func.func @copies(%x: tensor<4x8x2xf32>) -> (tensor<4x8x2xf32>, tensor<8xf32>, tensor<8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4x2xf32>
  %t = linalg.transpose ins(%x : tensor<4x8x2xf32>) outs(%e : tensor<8x4x2xf32>) permutation = [1, 0, 2]
  // expected-remark @+1 {{a copy is needed: the dims that are merged here do not lie one after the other}}
  %f = tensor.collapse_shape %t [[0, 1, 2]] : tensor<8x4x2xf32> into tensor<64xf32>
  %h = tensor.extract_slice %f[0] [8] [1] : tensor<64xf32> to tensor<8xf32>
  %eh = tensor.empty() : tensor<8xf32>
  %y = attn.softmax axis(0) ins(%h : tensor<8xf32>) outs(%eh : tensor<8xf32>) -> tensor<8xf32>
  return %x, %y, %y : tensor<4x8x2xf32>, tensor<8xf32>, tensor<8xf32>
}

// A matching is a kernel of its own, with both results.
// CHECK-LABEL: @matching
// CHECK: exec.kernel
// CHECK: linalg.generic
// CHECK-NOT: attn.bipartite_match
// CHECK: %[[K:.*]]:2 = exec.kernel
// CHECK-NOT: linalg.generic
// CHECK: %[[C:.*]], %[[S:.*]] = attn.bipartite_match
// CHECK-NEXT: exec.yield %[[C]], %[[S]]
// CHECK-NOT: exec.kernel
// CHECK: return %[[K]]#0, %[[K]]#1
func.func @matching(%x: tensor<2x5x4xf32>) -> (tensor<2x5xi64>, tensor<2xi64>) {
  %e = tensor.empty() : tensor<2x5x4xf32>
  %i = tensor.empty() : tensor<2x5xi64>
  %s = tensor.empty() : tensor<2xi64>
  %cost = linalg.generic {indexing_maps = [affine_map<(b, r, c) -> (b, r, c)>, affine_map<(b, r, c) -> (b, r, c)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x5x4xf32>) outs(%e : tensor<2x5x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<2x5x4xf32>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<2x5x4xf32>) outs(%i, %s : tensor<2x5xi64>, tensor<2xi64>) -> tensor<2x5xi64>, tensor<2xi64>
  return %columns, %status : tensor<2x5xi64>, tensor<2xi64>
}

// Appending to a cache and layers with a state are kernels of their own; what they read lies in memory, a state of zeros too.
// CHECK-LABEL: @stateful
// CHECK: exec.kernel
// CHECK: attn.cache_append
// CHECK-NEXT: exec.yield
// CHECK: exec.kernel
// CHECK: linalg.fill
// CHECK: exec.kernel
// CHECK-NOT: linalg.fill
// CHECK: %[[R:.*]], %[[S:.*]] = attn.linear_attention
// CHECK-NEXT: exec.yield %[[R]], %[[S]]
// CHECK-NOT: exec.kernel
// CHECK: return
func.func @stateful(%cache: tensor<2x9x4xf32>, %new: tensor<2x1x4xf32>, %at: tensor<2xi64>, %x: tensor<2x5x3x4xf32>)
    -> (tensor<2x9x4xf32>, tensor<2x5x3x4xf32>, tensor<2x3x4x4xf32>) {
  %i = tensor.empty() : tensor<2x9x4xf32>
  %0 = attn.cache_append axis(1) ins(%cache, %new : tensor<2x9x4xf32>, tensor<2x1x4xf32>) positions(%at : tensor<2xi64>) outs(%i : tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3x4x4xf32>
  %state = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
  %j = tensor.empty() : tensor<2x5x3x4xf32>
  %1, %2 = attn.linear_attention ins(%x, %x, %x : tensor<2x5x3x4xf32>, tensor<2x5x3x4xf32>, tensor<2x5x3x4xf32>) state(%state : tensor<2x3x4x4xf32>)
      outs(%j, %e : tensor<2x5x3x4xf32>, tensor<2x3x4x4xf32>) -> tensor<2x5x3x4xf32>, tensor<2x3x4x4xf32>
  return %0, %1, %2 : tensor<2x9x4xf32>, tensor<2x5x3x4xf32>, tensor<2x3x4x4xf32>
}
