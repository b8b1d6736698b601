// Between elementwise operations and in front of a normalisation: one kernel, whatever the dialects.
// RUN: fovea-compile %s --plugin=%plugin --compile-to=fuse | FileCheck %s
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check

// CHECK: func.func @main
// CHECK-COUNT-1: exec.kernel
// CHECK: sample.swiglu
// CHECK-NOT: exec.kernel
#map = affine_map<(i, j) -> (i, j)>
func.func @main(%x: tensor<5x33xf32> {exec.name = "x"}, %u: tensor<5x33xf32> {exec.name = "u"}) -> (tensor<5x33xf32> {exec.name = "y"}) {
  %empty = tensor.empty() : tensor<5x33xf32>
  %twice = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<5x33xf32>) outs(%empty : tensor<5x33xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<5x33xf32>
  %gated = sample.swiglu ins(%twice, %u : tensor<5x33xf32>, tensor<5x33xf32>) outs(%empty : tensor<5x33xf32>) -> tensor<5x33xf32>
  %root = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%gated : tensor<5x33xf32>) outs(%empty : tensor<5x33xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = math.absf %a : f32
    linalg.yield %s : f32
  } -> tensor<5x33xf32>
  %y = attn.rms_norm axis(1) epsilon(1.000000e-05) ins(%root : tensor<5x33xf32>) outs(%empty : tensor<5x33xf32>) -> tensor<5x33xf32>
  return %y : tensor<5x33xf32>
}
