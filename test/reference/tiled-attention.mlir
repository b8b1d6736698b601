// Attention whose keys are visited in blocks; the test runs each function before and after tile-attention-keys.

// Grouped heads, the last block is short.
func.func @plain() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5} -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// A number of keys that is not known.
func.func @dynamic() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %kd = tensor.cast %k : tensor<2x2x10x4xf32> to tensor<2x2x?x4xf32>
  %vd = tensor.cast %v : tensor<2x2x10x3xf32> to tensor<2x2x?x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %kd, %vd : tensor<2x4x5x4xf32>, tensor<2x2x?x4xf32>, tensor<2x2x?x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5} -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// Without keys every row is empty.
func.func @no_keys() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x0x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x0x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x0x4xf32>
  %ve = tensor.empty() : tensor<2x2x0x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x0x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x0x3xf32>
  %kd = tensor.cast %k : tensor<2x2x0x4xf32> to tensor<2x2x?x4xf32>
  %vd = tensor.cast %v : tensor<2x2x0x3xf32> to tensor<2x2x?x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %kd, %vd : tensor<2x4x5x4xf32>, tensor<2x2x?x4xf32>, tensor<2x2x?x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5, empty_rows = #attn.empty_rows<nan>} -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// The same, zeros.
func.func @no_keys_zero() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x0x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x0x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x0x4xf32>
  %ve = tensor.empty() : tensor<2x2x0x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x0x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x0x3xf32>
  %kd = tensor.cast %k : tensor<2x2x0x4xf32> to tensor<2x2x?x4xf32>
  %vd = tensor.cast %v : tensor<2x2x0x3xf32> to tensor<2x2x?x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %kd, %vd : tensor<2x4x5x4xf32>, tensor<2x2x?x4xf32>, tensor<2x2x?x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5} -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// Decoding.
func.func @one_query() -> tensor<2x4x1x3xf32> {
  %qe = tensor.empty() : tensor<2x4x1x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x1x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x1x4xf32>
  %ke = tensor.empty() : tensor<2x2x11x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x11x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x11x4xf32>
  %ve = tensor.empty() : tensor<2x2x11x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x11x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x11x3xf32>
  %init = tensor.empty() : tensor<2x4x1x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x1x4xf32>, tensor<2x2x11x4xf32>, tensor<2x2x11x3xf32>) outs(%init : tensor<2x4x1x3xf32>)
      {scale = 0.5, causal = #attn.causal<bottom_right>} -> tensor<2x4x1x3xf32>
  return %out : tensor<2x4x1x3xf32>
}

// Blocks behind the last query are not visited.
func.func @top_left() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x12x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x12x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x12x4xf32>
  %ve = tensor.empty() : tensor<2x2x12x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x12x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x12x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x12x4xf32>, tensor<2x2x12x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5, causal = #attn.causal<top_left>} -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// More keys than queries.
func.func @bottom_right() -> tensor<2x4x4x3xf32> {
  %qe = tensor.empty() : tensor<2x4x4x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x4x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x4x4xf32>
  %ke = tensor.empty() : tensor<2x2x11x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x11x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x11x4xf32>
  %ve = tensor.empty() : tensor<2x2x11x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x11x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x11x3xf32>
  %init = tensor.empty() : tensor<2x4x4x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x4x4xf32>, tensor<2x2x11x4xf32>, tensor<2x2x11x3xf32>) outs(%init : tensor<2x4x4x3xf32>)
      {scale = 0.5, causal = #attn.causal<bottom_right>} -> tensor<2x4x4x3xf32>
  return %out : tensor<2x4x4x3xf32>
}

// More queries than keys: the first ones see none.
func.func @empty_queries() -> tensor<2x4x9x3xf32> {
  %qe = tensor.empty() : tensor<2x4x9x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x9x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x9x4xf32>
  %ke = tensor.empty() : tensor<2x2x6x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x6x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x6x4xf32>
  %ve = tensor.empty() : tensor<2x2x6x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x6x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x6x3xf32>
  %init = tensor.empty() : tensor<2x4x9x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x9x4xf32>, tensor<2x2x6x4xf32>, tensor<2x2x6x3xf32>) outs(%init : tensor<2x4x9x3xf32>)
      {scale = 0.5, causal = #attn.causal<bottom_right>, empty_rows = #attn.empty_rows<nan>} -> tensor<2x4x9x3xf32>
  return %out : tensor<2x4x9x3xf32>
}

// A band.
func.func @window() -> tensor<2x4x9x3xf32> {
  %qe = tensor.empty() : tensor<2x4x9x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x9x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x9x4xf32>
  %ke = tensor.empty() : tensor<2x2x12x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x12x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x12x4xf32>
  %ve = tensor.empty() : tensor<2x2x12x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x12x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x12x3xf32>
  %init = tensor.empty() : tensor<2x4x9x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x9x4xf32>, tensor<2x2x12x4xf32>, tensor<2x2x12x3xf32>) outs(%init : tensor<2x4x9x3xf32>)
      {scale = 0.5, window = array<i64: 1, 2>} -> tensor<2x4x9x3xf32>
  return %out : tensor<2x4x9x3xf32>
}

// A band before the diagonal.
func.func @window_causal() -> tensor<2x4x4x3xf32> {
  %qe = tensor.empty() : tensor<2x4x4x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x4x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x4x4xf32>
  %ke = tensor.empty() : tensor<2x2x12x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x12x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x12x4xf32>
  %ve = tensor.empty() : tensor<2x2x12x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x12x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x12x3xf32>
  %kd = tensor.cast %k : tensor<2x2x12x4xf32> to tensor<2x2x?x4xf32>
  %vd = tensor.cast %v : tensor<2x2x12x3xf32> to tensor<2x2x?x3xf32>
  %init = tensor.empty() : tensor<2x4x4x3xf32>
  %out = attn.attention ins(%q, %kd, %vd : tensor<2x4x4x4xf32>, tensor<2x2x?x4xf32>, tensor<2x2x?x3xf32>) outs(%init : tensor<2x4x4x3xf32>)
      {scale = 0.5, causal = #attn.causal<bottom_right>, window = array<i64: 2, -1>} -> tensor<2x4x4x3xf32>
  return %out : tensor<2x4x4x3xf32>
}

// Windows wholly behind the keys.
func.func @window_behind() -> tensor<2x4x12x3xf32> {
  %qe = tensor.empty() : tensor<2x4x12x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x12x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x12x4xf32>
  %ke = tensor.empty() : tensor<2x2x6x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x6x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x6x4xf32>
  %ve = tensor.empty() : tensor<2x2x6x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x6x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x6x3xf32>
  %init = tensor.empty() : tensor<2x4x12x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x12x4xf32>, tensor<2x2x6x4xf32>, tensor<2x2x6x3xf32>) outs(%init : tensor<2x4x12x3xf32>)
      {scale = 0.5, window = array<i64: 1, 0>, empty_rows = #attn.empty_rows<nan>} -> tensor<2x4x12x3xf32>
  return %out : tensor<2x4x12x3xf32>
}

// Lengths of none and of more than there are.
func.func @lengths() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %lengths = arith.constant dense<[0, 99]> : tensor<2xi64>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) lengths(%lengths : tensor<2xi64>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5, empty_rows = #attn.empty_rows<nan>} -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// Lengths beside a mask.
func.func @lengths_mask() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %maske = tensor.empty() : tensor<10xf32>
  %mask = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%maske : tensor<10xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 4.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %s = math.sin %f1 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<10xf32>
  %lengths = arith.constant dense<[4, 0]> : tensor<2xi64>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) captures(%mask : tensor<10xf32>) lengths(%lengths : tensor<2xi64>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5, capture_maps = [affine_map<(b, h, i, j) -> (j)>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %y = arith.addf %s, %c : f32
    attn.yield %y : f32
  } -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// A mask for each head, query and key, read by the number of the key in the whole.
func.func @mask() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %maske = tensor.empty() : tensor<2x4x5x10xf32>
  %mask = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%maske : tensor<2x4x5x10xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 4.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x10xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) captures(%mask : tensor<2x4x5x10xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5, capture_maps = [affine_map<(b, h, i, j) -> (b, h, i, j)>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %y = arith.addf %s, %c : f32
    attn.yield %y : f32
  } -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// A bias of the distance: a map that is no projection.
func.func @bias() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %maske = tensor.empty() : tensor<14xf32>
  %mask = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%maske : tensor<14xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 4.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %s = math.sin %f1 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<14xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) captures(%mask : tensor<14xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5, capture_maps = [affine_map<(b, h, i, j) -> (j - i + 4)>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %y = arith.addf %s, %c : f32
    attn.yield %y : f32
  } -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// The region sees the number of the key; keys 3 to 6 are at -inf.
func.func @dead_block() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %lo = arith.constant 3 : index
    %hi = arith.constant 7 : index
    %inf = arith.constant 0xFF800000 : f32
    %a = arith.cmpi uge, %j, %lo : index
    %z = arith.cmpi ult, %j, %hi : index
    %az = arith.andi %a, %z : i1
    %t = math.tanh %s : f32
    %y = arith.select %az, %inf, %t : f32
    attn.yield %y : f32
  } -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// Every score is -inf.
func.func @all_dead() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5, empty_rows = #attn.empty_rows<nan>} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %y = arith.constant 0xFF800000 : f32
    attn.yield %y : f32
  } -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// Rows of -inf, of NaN, of large numbers, with one +inf.
func.func @numbers() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %inf = arith.constant 0xFF800000 : f32
    %nan = arith.constant 0x7FC00000 : f32
    %big = arith.constant 3.0e38 : f32
    %more = arith.constant 0x7F800000 : f32
    %zero = arith.constant 0 : index
    %two = arith.constant 2 : index
    %three = arith.constant 3 : index
    %four = arith.constant 4 : index
    %r0 = arith.cmpi eq, %i, %zero : index
    %r2 = arith.cmpi eq, %i, %two : index
    %r3 = arith.cmpi eq, %i, %three : index
    %r4 = arith.cmpi eq, %i, %four : index
    %j4 = arith.cmpi eq, %j, %four : index
    %rj = arith.andi %r4, %j4 : i1
    %x0 = arith.select %r0, %inf, %s : f32
    %x2 = arith.select %r2, %nan, %x0 : f32
    %x3 = arith.select %r3, %big, %x2 : f32
    %x4 = arith.select %rj, %more, %x3 : f32
    attn.yield %x4 : f32
  } -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// Bahdanau: a combine region, and a scale.
func.func @additive() -> tensor<2x4x5x3xf32> {
  %qe = tensor.empty() : tensor<2x4x5x4xf32>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x4x5x4xf32>
  %ke = tensor.empty() : tensor<2x2x10x4xf32>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x4xf32>
  %ve = tensor.empty() : tensor<2x2x10x3xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf32>) {
  ^bb0(%o: f32):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    %y = arith.truncf %u : f64 to f32
    linalg.yield %y : f32
  } -> tensor<2x2x10x3xf32>
  %init = tensor.empty() : tensor<2x4x5x3xf32>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf32>, tensor<2x2x10x4xf32>, tensor<2x2x10x3xf32>) outs(%init : tensor<2x4x5x3xf32>)
      {scale = 0.5} combine {
  ^bb0(%x: f32, %y: f32):
    %a = arith.addf %x, %y : f32
    %t = math.tanh %a : f32
    attn.yield %t : f32
  } -> tensor<2x4x5x3xf32>
  return %out : tensor<2x4x5x3xf32>
}

// Double precision.
func.func @f64() -> tensor<2x4x5x3xf64> {
  %qe = tensor.empty() : tensor<2x4x5x4xf64>
  %q = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%qe : tensor<2x4x5x4xf64>) {
  ^bb0(%o: f64):
    %f0 = arith.constant 1.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    linalg.yield %u : f64
  } -> tensor<2x4x5x4xf64>
  %ke = tensor.empty() : tensor<2x2x10x4xf64>
  %k = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ke : tensor<2x2x10x4xf64>) {
  ^bb0(%o: f64):
    %f0 = arith.constant 2.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    linalg.yield %u : f64
  } -> tensor<2x2x10x4xf64>
  %ve = tensor.empty() : tensor<2x2x10x3xf64>
  %v = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%ve : tensor<2x2x10x3xf64>) {
  ^bb0(%o: f64):
    %f0 = arith.constant 3.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %i1 = linalg.index 1 : index
    %j1 = arith.index_cast %i1 : index to i64
    %k1 = arith.sitofp %j1 : i64 to f64
    %w1 = arith.constant 3.1 : f64
    %m1 = arith.mulf %k1, %w1 : f64
    %f2 = arith.addf %f1, %m1 : f64
    %i2 = linalg.index 2 : index
    %j2 = arith.index_cast %i2 : index to i64
    %k2 = arith.sitofp %j2 : i64 to f64
    %w2 = arith.constant 1.7 : f64
    %m2 = arith.mulf %k2, %w2 : f64
    %f3 = arith.addf %f2, %m2 : f64
    %i3 = linalg.index 3 : index
    %j3 = arith.index_cast %i3 : index to i64
    %k3 = arith.sitofp %j3 : i64 to f64
    %w3 = arith.constant 0.9 : f64
    %m3 = arith.mulf %k3, %w3 : f64
    %f4 = arith.addf %f3, %m3 : f64
    %s = math.sin %f4 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    linalg.yield %u : f64
  } -> tensor<2x2x10x3xf64>
  %init = tensor.empty() : tensor<2x4x5x3xf64>
  %maske = tensor.empty() : tensor<10xf64>
  %mask = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%maske : tensor<10xf64>) {
  ^bb0(%o: f64):
    %f0 = arith.constant 4.5 : f64
    %i0 = linalg.index 0 : index
    %j0 = arith.index_cast %i0 : index to i64
    %k0 = arith.sitofp %j0 : i64 to f64
    %w0 = arith.constant 7.3 : f64
    %m0 = arith.mulf %k0, %w0 : f64
    %f1 = arith.addf %f0, %m0 : f64
    %s = math.sin %f1 : f64
    %t = arith.constant 2.0 : f64
    %u = arith.mulf %s, %t : f64
    linalg.yield %u : f64
  } -> tensor<10xf64>
  %out = attn.attention ins(%q, %k, %v : tensor<2x4x5x4xf64>, tensor<2x2x10x4xf64>, tensor<2x2x10x3xf64>) captures(%mask : tensor<10xf64>) outs(%init : tensor<2x4x5x3xf64>)
      {scale = 0.5, causal = #attn.causal<bottom_right>, capture_maps = [affine_map<(b, h, i, j) -> (j)>]} score {
  ^bb0(%s: f64, %b: index, %h: index, %i: index, %j: index, %c: f64):
    %y = arith.addf %s, %c : f64
    attn.yield %y : f64
  } -> tensor<2x4x5x3xf64>
  return %out : tensor<2x4x5x3xf64>
}
