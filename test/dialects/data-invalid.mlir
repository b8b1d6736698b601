// One case a constraint and more; the label is in the message and in the function's name.
// RUN: fovea-opt %s --verify-diagnostics --split-input-file

func.func @lookup_c1(%t: tensor<4x8xf32>, %i: index) {
  // expected-error @+1 {{expected 2 indices for 'tensor<4x8xf32>', got 1 [lookup_c1]}}
  %0 = data.lookup %t[%i] : tensor<4x8xf32>
  return
}

// -----

func.func @expand_c1_rank(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected one rank and element type, got 'tensor<4xf32>' and 'tensor<2x4xf32>' [expand_c1]}}
  %0 = data.expand %x to [] : tensor<4xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @expand_c1_element(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected one rank and element type, got 'tensor<4xf32>' and 'tensor<4xf64>' [expand_c1]}}
  %0 = data.expand %x to [] : tensor<4xf32> -> tensor<4xf64>
  return
}

// -----

func.func @expand_c2(%x: tensor<1x4xf32>, %n: index) {
  // expected-error @+1 {{expected 1 sizes for 'tensor<?x4xf32>', got 2 [expand_c2]}}
  %0 = data.expand %x to [%n, %n] : tensor<1x4xf32> -> tensor<?x4xf32>
  return
}

// -----

func.func @cumsum_c1(%x: tensor<4xi64>, %i: tensor<4xi32>) {
  // expected-error @+1 {{expected source, init and result to have one type, got 'tensor<4xi64>', 'tensor<4xi32>' and 'tensor<4xi32>' [cumsum_c1]}}
  %0 = data.cumsum axis(0) ins(%x : tensor<4xi64>) outs(%i : tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----

func.func @cumsum_c2(%x: tensor<4xi64>) {
  // expected-error @+1 {{expected axis in [0, 1), got 1 [cumsum_c2]}}
  %0 = data.cumsum axis(1) ins(%x : tensor<4xi64>) outs(%x : tensor<4xi64>) -> tensor<4xi64>
  return
}
