// RUN: fovea-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(sample-raise-swiglu)' | FileCheck %s
// RUN: fovea-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(sample-raise-swiglu,sample-raise-swiglu)' | FileCheck %s

#map = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>

// CHECK-LABEL: @gated
// CHECK: %[[Y:.*]] = sample.swiglu ins(%arg1, %arg0 : tensor<?x8xf32>, tensor<?x8xf32>) outs(%arg2 : tensor<?x8xf32>)
// CHECK: return %[[Y]]
func.func @gated(%up: tensor<?x8xf32>, %gate: tensor<?x8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%up, %gate : tensor<?x8xf32>, tensor<?x8xf32>) outs(%init : tensor<?x8xf32>) {
  ^bb0(%u: f32, %g: f32, %out: f32):
    %s = attn.silu %g : f32
    %p = arith.mulf %u, %s : f32
    linalg.yield %p : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// A gate for each column is not one for each element.
// CHECK-LABEL: @by_column
// CHECK-NOT: sample.swiglu
func.func @by_column(%up: tensor<?x8xf32>, %gate: tensor<8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = linalg.generic {indexing_maps = [#map, #column, #map], iterator_types = ["parallel", "parallel"]}
      ins(%up, %gate : tensor<?x8xf32>, tensor<8xf32>) outs(%init : tensor<?x8xf32>) {
  ^bb0(%u: f32, %g: f32, %out: f32):
    %s = attn.silu %g : f32
    %p = arith.mulf %u, %s : f32
    linalg.yield %p : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// The square of a gate is no gate.
// CHECK-LABEL: @own_gate
// CHECK-NOT: sample.swiglu
func.func @own_gate(%up: tensor<?x8xf32>, %gate: tensor<?x8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%up, %gate : tensor<?x8xf32>, tensor<?x8xf32>) outs(%init : tensor<?x8xf32>) {
  ^bb0(%u: f32, %g: f32, %out: f32):
    %s = attn.silu %g : f32
    %p = arith.mulf %g, %s : f32
    linalg.yield %p : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
