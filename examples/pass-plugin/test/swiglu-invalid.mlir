// RUN: fovea-opt %s --load-dialect-plugin=%plugin --split-input-file --verify-diagnostics

func.func @types(%gate: tensor<4x8xf32>, %up: tensor<4x8xf64>, %init: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @below {{expected operands and result to have one type of floats, got 'tensor<4x8xf64>' and 'tensor<4x8xf32>'}}
  %y = sample.swiglu ins(%gate, %up : tensor<4x8xf32>, tensor<4x8xf64>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

func.func @integers(%gate: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error @below {{expected operands and result to have one type of floats}}
  %y = sample.swiglu ins(%gate, %gate : tensor<4xi32>, tensor<4xi32>) outs(%gate : tensor<4xi32>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}
