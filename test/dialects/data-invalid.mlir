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

// -----

func.func @cumprod_c1(%x: tensor<4xf32>, %i: tensor<5xf32>) {
  // expected-error @+1 {{expected source, init and result to have one type, got 'tensor<4xf32>', 'tensor<5xf32>' and 'tensor<5xf32>' [cumprod_c1]}}
  %0 = data.cumprod axis(0) ins(%x : tensor<4xf32>) outs(%i : tensor<5xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @cumprod_c2(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected axis in [0, 1), got 1 [cumprod_c2]}}
  %0 = data.cumprod axis(1) ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @top_k_c1(%x: tensor<4x5xf32>, %v: tensor<3x2xf32>, %i: tensor<3x2xi64>) {
  // expected-error @+1 {{expected source, values and their init to differ in dim 1 alone, got 'tensor<4x5xf32>', 'tensor<3x2xf32>' and 'tensor<3x2xf32>' [top_k_c1]}}
  %0, %1 = data.top_k axis(1) ins(%x : tensor<4x5xf32>) outs(%v, %i : tensor<3x2xf32>, tensor<3x2xi64>) -> tensor<3x2xf32>, tensor<3x2xi64>
  return
}

// -----

func.func @top_k_c2(%x: tensor<4x5xf32>, %v: tensor<4x2xf32>, %i: tensor<4x2xi32>) {
  // expected-error @+1 {{expected indices and their init to be 'tensor<4x2xi64>', got 'tensor<4x2xi32>' and 'tensor<4x2xi32>' [top_k_c2]}}
  %0, %1 = data.top_k axis(1) ins(%x : tensor<4x5xf32>) outs(%v, %i : tensor<4x2xf32>, tensor<4x2xi32>) -> tensor<4x2xf32>, tensor<4x2xi32>
  return
}

// -----

func.func @top_k_c3(%x: tensor<4x5xf32>, %v: tensor<4x6xf32>, %i: tensor<4x6xi64>) {
  // expected-error @+1 {{expected dim 1 of 'tensor<4x5xf32>' with as many elements as that of 'tensor<4x6xf32>' or more [top_k_c3]}}
  %0, %1 = data.top_k axis(1) ins(%x : tensor<4x5xf32>) outs(%v, %i : tensor<4x6xf32>, tensor<4x6xi64>) -> tensor<4x6xf32>, tensor<4x6xi64>
  return
}

// -----

func.func @scatter_c1(%x: tensor<4x5xf32>, %i: tensor<2x1xi64>, %u: tensor<2x5xf64>) {
  // expected-error @+1 {{expected source, init and result to have one type of at least one dim, and updates its elements, got 'tensor<4x5xf32>', 'tensor<4x5xf32>', 'tensor<4x5xf32>' and 'tensor<2x5xf64>' [scatter_c1]}}
  %0 = data.scatter set places(affine_map<(d0, d1)[s0] -> (s0, d1)>) ins(%x, %i, %u : tensor<4x5xf32>, tensor<2x1xi64>, tensor<2x5xf64>) outs(%x : tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_c2(%x: tensor<4x5xf32>, %i: tensor<3x1xi64>, %u: tensor<2x5xf32>) {
  // expected-error @+1 {{expected indices of 1 components for the first dims of 'tensor<2x5xf32>', got 'tensor<3x1xi64>' [scatter_c2]}}
  %0 = data.scatter set places(affine_map<(d0, d1)[s0] -> (s0, d1)>) ins(%x, %i, %u : tensor<4x5xf32>, tensor<3x1xi64>, tensor<2x5xf32>) outs(%x : tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_c2_components(%x: tensor<4x5xf32>, %i: tensor<2x2xi64>, %u: tensor<2x5xf32>) {
  // expected-error @+1 {{expected indices of 1 components for the first dims of 'tensor<2x5xf32>', got 'tensor<2x2xi64>' [scatter_c2]}}
  %0 = data.scatter set places(affine_map<(d0, d1)[s0] -> (s0, d1)>) ins(%x, %i, %u : tensor<4x5xf32>, tensor<2x2xi64>, tensor<2x5xf32>) outs(%x : tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_c3(%x: tensor<4x5xf32>, %i: tensor<2x1xi64>, %u: tensor<2x5xf32>) {
  // expected-error @+1 {{expected places of 2 dims in 2, different dims and symbols, got affine_map<(d0, d1)[s0] -> (s0, s0)> [scatter_c3]}}
  %0 = data.scatter set places(affine_map<(d0, d1)[s0] -> (s0, s0)>) ins(%x, %i, %u : tensor<4x5xf32>, tensor<2x1xi64>, tensor<2x5xf32>) outs(%x : tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_c4(%x: tensor<4x5xf32>, %i: tensor<2x1xi64>, %u: tensor<2x6xf32>) {
  // expected-error @+1 {{expected dim 1 of the updates to be no longer than dim 1 of the source, got 'tensor<2x6xf32>' and 'tensor<4x5xf32>' [scatter_c4]}}
  %0 = data.scatter set places(affine_map<(d0, d1)[s0] -> (s0, d1)>) ins(%x, %i, %u : tensor<4x5xf32>, tensor<2x1xi64>, tensor<2x6xf32>) outs(%x : tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}
