// Attention that pools, as NumPy computes the formulas in f64.
// RUN: reference-check %s

func.func @channel_mean() -> (tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>) {
  %x = arith.constant dense<[[[[1.83, -0.73], [-0.39, -2.0]], [[-0.32, 0.53], [1.74, 1.69]], [[-0.69, 1.96], [-1.25, 1.29]]], [[[-1.37, -0.38], [-1.71, 1.43]], [[1.32, -1.44], [0.11, -0.97]], [[-0.03, 0.21], [-1.57, 1.46]]]]> : tensor<2x3x2x2xf32>
  %w1 = arith.constant dense<[[-0.89, -0.21], [-1.77, -1.99], [-1.22, -0.63]]> : tensor<3x2xf32>
  %b1 = arith.constant dense<[1.71, 1.56]> : tensor<2xf32>
  %w2 = arith.constant dense<[[-0.08, -0.18, 0.67], [1.44, -0.65, 1.17]]> : tensor<2x3xf32>
  %b2 = arith.constant dense<[-0.4, 0.38, 0.95]> : tensor<3xf32>
  %e = tensor.empty() : tensor<2x3x2x2xf32>
  %got = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x3x2x2xf32>, tensor<3x2xf32>, tensor<2x3xf32>) squeeze_bias(%b1 : tensor<2xf32>) expand_bias(%b2 : tensor<3xf32>)
      outs(%e : tensor<2x3x2x2xf32>) {pool = #attn.channel_pool<mean>} -> tensor<2x3x2x2xf32>
  %want0 = arith.constant dense<[[[[0.734401582, -0.292958008], [-0.156511813, -0.80262468]], [[-0.190039393, 0.314752745], [1.0333392, 1.00364554]], [[-0.497569473, 1.41338575], [-0.901393973, 0.93023858]]], [[[-1.26415134, -0.350640519], [-1.57788233, 1.31951564]], [[0.245496656, -0.267814534], [0.0204580547, -0.180402846]], [[-0.0298324367, 0.208827057], [-1.56123085, 1.45184525]]]]> : tensor<2x3x2x2xf32>
  return %got, %want0 : tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>
}

func.func @channel_mean_max() -> (tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>) {
  %x = arith.constant dense<[[[[1.83, -0.73], [-0.39, -2.0]], [[-0.32, 0.53], [1.74, 1.69]], [[-0.69, 1.96], [-1.25, 1.29]]], [[[-1.37, -0.38], [-1.71, 1.43]], [[1.32, -1.44], [0.11, -0.97]], [[-0.03, 0.21], [-1.57, 1.46]]]]> : tensor<2x3x2x2xf32>
  %w1 = arith.constant dense<[[-0.89, -0.21], [-1.77, -1.99], [-1.22, -0.63]]> : tensor<3x2xf32>
  %b1 = arith.constant dense<[1.71, 1.56]> : tensor<2xf32>
  %w2 = arith.constant dense<[[-0.08, -0.18, 0.67], [1.44, -0.65, 1.17]]> : tensor<2x3xf32>
  %b2 = arith.constant dense<[-0.4, 0.38, 0.95]> : tensor<3xf32>
  %e = tensor.empty() : tensor<2x3x2x2xf32>
  %got = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x3x2x2xf32>, tensor<3x2xf32>, tensor<2x3xf32>) squeeze_bias(%b1 : tensor<2xf32>) expand_bias(%b2 : tensor<3xf32>)
      outs(%e : tensor<2x3x2x2xf32>) {pool = #attn.channel_pool<mean_max>} -> tensor<2x3x2x2xf32>
  %want0 = arith.constant dense<[[[[0.5673467, -0.226318629], [-0.120909952, -0.620051038]], [[-0.218033195, 0.361117479], [1.1855555, 1.15148781]], [[-0.600225153, 1.70498739], [-1.08736441, 1.12216007]]], [[[-1.21787307, -0.337804209], [-1.52011894, 1.27121058]], [[0.330565065, -0.360616434], [0.0275470887, -0.242915237]], [[-0.0299349737, 0.209544816], [-1.56659695, 1.45683538]]]]> : tensor<2x3x2x2xf32>
  return %got, %want0 : tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>
}

func.func @spatial() -> (tensor<1x3x3x4xf32>, tensor<1x3x3x4xf32>) {
  %x = arith.constant dense<[[[[0.01, 0.76, 0.79, -1.98], [-1.84, -1.4, -1.15, -1.19], [-1.8, -1.13, 0.4, 1.54]], [[-0.6, -0.53, -0.33, 0.72], [1.14, 1.76, -0.5, 0.83], [-0.63, 1.3, -1.08, 1.48]], [[0.02, 0.9, 0.14, -0.74], [-0.02, -1.8, -1.83, 0.12], [-0.09, 1.33, -1.92, 0.23]]]]> : tensor<1x3x3x4xf32>
  %f = arith.constant dense<[[[-0.04, 0.39, 0.92], [0.1, 0.25, -0.03], [0.46, -1.01, 0.21]], [[0.69, -1.24, 1.96], [0.99, 1.82, -0.82], [-0.23, -0.95, -1.81]]]> : tensor<2x3x3xf32>
  %b = arith.constant dense<[-1.93]> : tensor<1xf32>
  %e = tensor.empty() : tensor<1x3x3x4xf32>
  %got = attn.spatial_attention ins(%x, %f : tensor<1x3x3x4xf32>, tensor<2x3x3xf32>) bias(%b : tensor<1xf32>) outs(%e : tensor<1x3x3x4xf32>) -> tensor<1x3x3x4xf32>
  %want0 = arith.constant dense<[[[[0.000918154797, 0.353317317, 0.728136984, -0.0632168135], [-1.07127283, -0.475778296, -0.00465153624, -0.0203002999], [-0.135213144, -0.0863051365, 0.0376162816, 0.49445637]], [[-0.0550892878, -0.246392339, -0.304158487, 0.0229879322], [0.663723386, 0.598121287, -0.00202240706, 0.0141590327], [-0.0473246005, 0.0992890951, -0.10156396, 0.475191836]], [[0.00183630959, 0.418402085, 0.129036934, -0.0236264859], [-0.0116442699, -0.611714952, -0.00740200984, 0.00204708907], [-0.00676065721, 0.101580382, -0.180558152, 0.0738473799]]]]> : tensor<1x3x3x4xf32>
  return %got, %want0 : tensor<1x3x3x4xf32>, tensor<1x3x3x4xf32>
}

// NaN and infinity are not live; nor is anything of the last sequence.
func.func @over_time() -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %x = arith.constant dense<[[[-1.01, 1.45], [0x7FC00000, 0x7FC00000], [-1.0, -1.74], [-1.23, 0.71]], [[0.01, 0.2], [-0.19, -0.9], [-0.05, 1.69], [0x7F800000, 0x7F800000]], [[-1.0, -1.23], [-0.7, -1.63], [1.74, -0.54], [-1.3, -2.0]]]> : tensor<3x4x2xf32>
  %w = arith.constant dense<[[-1.76, -1.14, -0.33], [0.41, 1.92, 1.56]]> : tensor<2x3xf32>
  %u = arith.constant dense<[-1.03, 0.45, 1.69]> : tensor<3xf32>
  %b = arith.constant dense<[-1.59, 1.42, -0.42]> : tensor<3xf32>
  %n = arith.constant dense<[4, 2, 0]> : tensor<3xi64>
  %m = arith.constant dense<[[true, false, true, true], [true, true, true, true], [true, true, true, true]]> : tensor<3x4xi1>
  %e = tensor.empty() : tensor<3x2xf32>
  %got = attn.attention_pool ins(%x, %w, %u : tensor<3x4x2xf32>, tensor<2x3xf32>, tensor<3xf32>) bias(%b : tensor<3xf32>) lengths(%n : tensor<3xi64>) mask(%m : tensor<3x4xi1>)
      outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %want0 = arith.constant dense<[[-1.09800488, 1.0518725], [-0.0170247921, 0.0513636432], [0.0, 0.0]]> : tensor<3x2xf32>
  return %got, %want0 : tensor<3x2xf32>, tensor<3x2xf32>
}

func.func @windows_mean() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[1.13, -0.71], [0.5, 0.03], [-1.58, 1.04], [1.29, -0.07], [-0.45, 1.79], [-0.5, 1.52]], [[-0.33, -0.51], [-0.55, -1.76], [-0.89, -1.08], [-1.75, 0.17], [-0.23, -1.9], [-1.38, 1.67]]]]> : tensor<1x2x6x2xf32>
  %k = arith.constant dense<[[[[-1.47, -0.51], [1.8, -1.55], [-0.36, 1.2], [-1.92, -1.73], [1.72, 0.74]], [[-0.96, -0.08], [-1.0, 1.57], [1.8, -1.72], [0.1, -1.26], [-0.38, 0.96]]]]> : tensor<1x2x5x2xf32>
  %v = arith.constant dense<[[[[0.85, -1.24], [-0.67, -0.3], [-0.45, 0.73], [1.15, -0.66], [-0.24, -1.73]], [[-0.53, 1.79], [0.01, 0.23], [0.42, 0.27], [1.22, -0.96], [-0.73, 1.55]]]]> : tensor<1x2x5x2xf32>
  %e = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.pooled_attention ins(%q, %k, %v : tensor<1x2x6x2xf32>, tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1])
      key_windows(grid [5] kernel [2] stride [2]) outs(%e : tensor<1x2x2x2xf32>) {scale = 0.5 : f64, pool = #attn.window_pool<mean>} -> tensor<1x2x2x2xf32>
  %want0 = arith.constant dense<[[[[0.200424532, -0.428108661], [0.2665854, -0.223264436]], [[0.393705107, 0.189842203], [0.312863898, 0.29126798]]]]> : tensor<1x2x2x2xf32>
  return %got, %want0 : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

func.func @windows_max() -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  %q = arith.constant dense<[[[[1.13, -0.71], [0.5, 0.03], [-1.58, 1.04], [1.29, -0.07], [-0.45, 1.79], [-0.5, 1.52]], [[-0.33, -0.51], [-0.55, -1.76], [-0.89, -1.08], [-1.75, 0.17], [-0.23, -1.9], [-1.38, 1.67]]]]> : tensor<1x2x6x2xf32>
  %k = arith.constant dense<[[[[-1.47, -0.51], [1.8, -1.55], [-0.36, 1.2], [-1.92, -1.73], [1.72, 0.74]], [[-0.96, -0.08], [-1.0, 1.57], [1.8, -1.72], [0.1, -1.26], [-0.38, 0.96]]]]> : tensor<1x2x5x2xf32>
  %v = arith.constant dense<[[[[0.85, -1.24], [-0.67, -0.3], [-0.45, 0.73], [1.15, -0.66], [-0.24, -1.73]], [[-0.53, 1.79], [0.01, 0.23], [0.42, 0.27], [1.22, -0.96], [-0.73, 1.55]]]]> : tensor<1x2x5x2xf32>
  %e = tensor.empty() : tensor<1x2x2x2xf32>
  %got = attn.pooled_attention ins(%q, %k, %v : tensor<1x2x6x2xf32>, tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1])
      key_windows(grid [5] kernel [2] stride [2]) outs(%e : tensor<1x2x2x2xf32>) {scale = 0.5 : f64, pool = #attn.window_pool<max>, residual} -> tensor<1x2x2x2xf32>
  %want0 = arith.constant dense<[[[[2.30027762, 2.0402865], [1.56875304, 2.2410521]], [[0.220466526, 1.40668668], [-0.142394399, 3.36251197]]]]> : tensor<1x2x2x2xf32>
  return %got, %want0 : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}
