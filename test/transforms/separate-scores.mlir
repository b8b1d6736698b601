// Scores that a model returns beside what attention makes of them; scores that others compute with.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(separate-scores))" -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(separate-scores))" -o %t.twice
// RUN: diff %t.once %t.twice

#id = affine_map<(b, i, j) -> (b, i, j)>
#q = affine_map<(b, i, j, d) -> (b, i, d)>
#k = affine_map<(b, i, j, d) -> (b, j, d)>
#s = affine_map<(b, i, j, d) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>

// CHECK-LABEL: @returned
// CHECK: %[[S:.*]] = linalg.generic
// CHECK: %[[CAPPED:.*]] = linalg.generic {{.*}} ins(%[[S]] :
// CHECK-NEXT: ^bb0
// CHECK-NEXT: math.tanh
// CHECK: %[[OWN:.*]] = linalg.generic
// CHECK: %[[OWNCAPPED:.*]] = linalg.generic {{.*}} ins(%[[OWN]] :
// CHECK-NEXT: ^bb0
// CHECK-NEXT: math.tanh
// CHECK: %[[P:.*]] = attn.softmax axis(2) ins(%[[OWNCAPPED]] :
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[P]],
// CHECK: return %[[Y]], %[[CAPPED]]
func.func @returned(%q: tensor<2x4x8xf32>, %k0: tensor<2x6x8xf32>, %v0: tensor<2x8x6xf32>) -> (tensor<2x4x8xf32>, tensor<2x4x6xf32>) {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%is : tensor<2x4x6xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %capped = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x: f32, %o: f32):
    %r = math.tanh %x : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = attn.softmax axis(2) ins(%capped : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %y = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x6xf32>, tensor<2x8x6xf32>) outs(%io : tensor<2x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x8xf32>
  return %y, %capped : tensor<2x4x8xf32>, tensor<2x4x6xf32>
}

// The maxima are computed from the weights: they stay where they are, once.
// CHECK-LABEL: @computed_with
// CHECK-COUNT-1: attn.softmax
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @computed_with(%q: tensor<2x4x8xf32>, %k0: tensor<2x6x8xf32>, %v0: tensor<2x8x6xf32>) -> (tensor<2x4x8xf32>, tensor<2x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x8xf32>
  %em = tensor.empty() : tensor<2x4xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %im = linalg.fill ins(%zero : f32) outs(%em : tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%is : tensor<2x4x6xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = attn.softmax axis(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %most = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%p : tensor<2x4x6xf32>) outs(%im : tensor<2x4xf32>) {
  ^bb0(%x: f32, %o: f32):
    %r = arith.maximumf %x, %o : f32
    linalg.yield %r : f32
  } -> tensor<2x4xf32>
  %y = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x6xf32>, tensor<2x8x6xf32>) outs(%io : tensor<2x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x8xf32>
  return %y, %most : tensor<2x4x8xf32>, tensor<2x4xf32>
}
