// attn.attention: what ONNX has no case for. Expected values by NumPy, seed 5.
// RUN: reference-check %s

func.func @attention_scale() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) {scale = 0.5} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[-1.098277494e-01, -9.420512319e-01], [-1.972183138e-01, -1.000000000e+00]], [[-9.552922845e-02, -1.106706142e+00], [-1.223641336e-01, -9.617354274e-01]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_top_left() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) {causal = #attn.causal<top_left>} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [0.000000000e+00, -1.388649940e+00]], [[0.000000000e+00, -1.500000000e+00], [0.000000000e+00, -1.037929058e+00]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_bottom_right() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) {causal = #attn.causal<bottom_right>} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, -1.011488676e+00], [-2.186743766e-01, -1.000000000e+00]], [[0.000000000e+00, -1.250000000e+00], [-6.918529421e-02, -9.634955525e-01]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_window() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) {window = array<i64: 0, 1>} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, -1.011488676e+00], [-3.886499405e-01, -6.113500595e-01]], [[0.000000000e+00, -1.250000000e+00], [-7.402359694e-02, -9.259763956e-01]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_window_bottom_right() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) {causal = #attn.causal<bottom_right>, window = array<i64: 1, -1>} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, -1.011488676e+00], [-3.886499405e-01, -6.113500595e-01]], [[0.000000000e+00, -1.250000000e+00], [-7.402359694e-02, -9.259763956e-01]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_lengths() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %lengths = arith.constant dense<2> : tensor<1xi64>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) lengths(%lengths : tensor<1xi64>) outs(%init : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, -1.011488676e+00], [0.000000000e+00, -1.388649940e+00]], [[0.000000000e+00, -1.250000000e+00], [0.000000000e+00, -1.037929058e+00]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_empty_rows_zero() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %lengths = arith.constant dense<0> : tensor<1xi64>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) lengths(%lengths : tensor<1xi64>) outs(%init : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]], [[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_empty_rows_nan() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %lengths = arith.constant dense<0> : tensor<1xi64>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) lengths(%lengths : tensor<1xi64>) outs(%init : tensor<1x2x2x2xf32>) {empty_rows = #attn.empty_rows<nan>} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0x7FC00000, 0x7FC00000], [0x7FC00000, 0x7FC00000]], [[0x7FC00000, 0x7FC00000], [0x7FC00000, 0x7FC00000]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_sigmoid() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) {normalizer = #attn.normalizer<sigmoid>} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[-1.113500670e-01, -9.325386286e-01], [-3.395893574e-01, -1.735898018e+00]], [[-1.344707161e-01, -1.690618992e+00], [-1.344707161e-01, -1.035720229e+00]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_none() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) {normalizer = #attn.normalizer<none>} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[6.250000000e-01, 3.750000000e+00], [-3.750000000e-01, -1.000000000e+00]], [[5.000000000e-01, -7.500000000e-01], [5.000000000e-01, 2.375000000e+00]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_hardmax() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) {normalizer = #attn.normalizer<hardmax>} -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, -1.000000000e+00], [0.000000000e+00, -1.500000000e+00]], [[0.000000000e+00, -1.500000000e+00], [0.000000000e+00, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_score() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %bias = arith.constant dense<[[-5.000000000e-01, 5.000000000e-01, -0.000000000e+00], [-5.000000000e-01, 5.000000000e-01, 1.000000000e+00]]> : tensor<2x3xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) captures(%bias : tensor<2x3xf32>) outs(%init : tensor<1x2x2x2xf32>) {capture_maps = [affine_map<(b, h, i, j) -> (i, j)>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %t = math.tanh %s : f32
    %r = arith.addf %t, %c : f32
    attn.yield %r : f32
  } -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[-5.116323009e-02, -9.757184386e-01], [-3.507345915e-01, -7.275248766e-01]], [[-5.768765882e-02, -1.061268449e+00], [-1.374373883e-01, -8.881829381e-01]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_weight() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %bias = arith.constant dense<[[-5.000000000e-01, 5.000000000e-01, -0.000000000e+00], [-5.000000000e-01, 5.000000000e-01, 1.000000000e+00]]> : tensor<2x3xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) captures(%bias : tensor<2x3xf32>) outs(%init : tensor<1x2x2x2xf32>) {capture_maps = [affine_map<(b, h, i, j) -> (i, j)>]} weight {
  ^bb0(%p: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %r = arith.mulf %p, %c : f32
    attn.yield %r : f32
  } -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, -4.272782803e-01], [-2.186743766e-01, 4.668593034e-02]], [[0.000000000e+00, 1.124540567e-01], [-6.918529421e-02, -4.182979465e-01]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_combine() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) combine {
  ^bb0(%a: f32, %c: f32):
    %s = arith.addf %a, %c : f32
    %t = math.tanh %s : f32
    attn.yield %t : f32
  } -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[-1.530103087e-01, -1.099743485e+00], [-9.584929049e-02, -1.230017424e+00]], [[-1.269286871e-01, -1.186876893e+00], [-1.229641214e-01, -1.181039929e+00]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @attention_score_all_hidden() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01]], [[1.000000000e+00, 0.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  %k = arith.constant dense<[[[[5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00], [-1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %init = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.attention ins(%q, %k, %v : tensor<1x2x2x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) outs(%init : tensor<1x2x2x2xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %r = arith.constant 0xFF800000 : f32
    attn.yield %r : f32
  } -> tensor<1x2x2x2xf32>
  %want = arith.constant dense<[[[[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]], [[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]]]]> : tensor<1x2x2x2xf32>
  return %got, %want : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// No keys at all: the row is empty, whatever the normalizer.
func.func @attention_none_without_keys() -> (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) {
  %q = arith.constant dense<1.0> : tensor<1x1x1x2xf32>
  %k = arith.constant dense<1.0> : tensor<1x1x0x2xf32>
  %init = tensor.empty() : tensor<1x1x1x2xf32>
  %got = attn.attention ins(%q, %k, %k : tensor<1x1x1x2xf32>, tensor<1x1x0x2xf32>, tensor<1x1x0x2xf32>) outs(%init : tensor<1x1x1x2xf32>) {normalizer = #attn.normalizer<none>, empty_rows = #attn.empty_rows<nan>} -> tensor<1x1x1x2xf32>
  %want = arith.constant dense<0x7FC00000> : tensor<1x1x1x2xf32>
  return %got, %want : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>
}

func.func @attention_sigmoid_without_live_keys() -> (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) {
  %q = arith.constant dense<1.0> : tensor<1x1x1x2xf32>
  %k = arith.constant dense<1.0> : tensor<1x1x3x2xf32>
  %lengths = arith.constant dense<0> : tensor<1xi64>
  %init = tensor.empty() : tensor<1x1x1x2xf32>
  %got = attn.attention ins(%q, %k, %k : tensor<1x1x1x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) lengths(%lengths : tensor<1xi64>) outs(%init : tensor<1x1x1x2xf32>) {normalizer = #attn.normalizer<sigmoid>, empty_rows = #attn.empty_rows<nan>} -> tensor<1x1x1x2xf32>
  %want = arith.constant dense<0x7FC00000> : tensor<1x1x1x2xf32>
  return %got, %want : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>
}
