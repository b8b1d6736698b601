// Memory by content, as NumPy computes the formulas in f64.
// RUN: reference-check %s

// A row and a key without length: no angle, similarity 0.
func.func @read() -> (tensor<2x2x3xf32>, tensor<2x2x3xf32>) {
  %m = arith.constant dense<[[[-0.0, 1.84, -1.44], [0.0, 0.0, 0.0], [1.52, -1.48, 0.06], [-1.0, -0.63, 1.27]], [[-0.41, 1.14, -1.95], [2.0, 1.82, 0.71], [-1.21, 0.63, -1.24], [-0.51, -1.86, -1.72]]]> : tensor<2x4x3xf32>
  %k = arith.constant dense<[[[-1.37, -1.27, 1.35], [-1.02, 1.3, -1.98]], [[0.0, 0.0, 0.0], [1.27, -1.94, 1.73]]]> : tensor<2x2x3xf32>
  %s = arith.constant dense<[[4.36, 3.76], [1.36, 4.72]]> : tensor<2x2xf32>
  %o = tensor.empty() : tensor<2x2x3xf32>
  %got = attn.memory_read ins(%m, %k, %s : tensor<2x4x3xf32>, tensor<2x2x3xf32>, tensor<2x2xf32>) outs(%o : tensor<2x2x3xf32>) -> tensor<2x2x3xf32>
  %want0 = arith.constant dense<[[[-0.953657764, -0.630779516, 1.23564874], [-0.000518625896, 1.7502911, -1.36913606]], [[-0.0325, 0.4325, -1.05], [0.817860114, 0.125179357, -0.429462175]]]> : tensor<2x2x3xf32>
  return %got, %want0 : tensor<2x2x3xf32>, tensor<2x2x3xf32>
}

func.func @write() -> (tensor<2x4x3xf32>, tensor<2x4x3xf32>) {
  %m = arith.constant dense<[[[-0.0, 1.84, -1.44], [0.0, 0.0, 0.0], [1.52, -1.48, 0.06], [-1.0, -0.63, 1.27]], [[-0.41, 1.14, -1.95], [2.0, 1.82, 0.71], [-1.21, 0.63, -1.24], [-0.51, -1.86, -1.72]]]> : tensor<2x4x3xf32>
  %k = arith.constant dense<[[[-1.37, -1.27, 1.35], [-1.02, 1.3, -1.98]], [[0.0, 0.0, 0.0], [1.27, -1.94, 1.73]]]> : tensor<2x2x3xf32>
  %s = arith.constant dense<[[4.36, 3.76], [1.36, 4.72]]> : tensor<2x2xf32>
  %e = arith.constant dense<[[[0.95, 0.265, 0.14], [0.145, 0.435, 0.47]], [[0.985, 0.19, 0.83], [0.615, 0.335, 0.02]]]> : tensor<2x2x3xf32>
  %a = arith.constant dense<[[[0.62, -0.95, -0.78], [0.06, -1.73, 0.35]], [[-1.27, -0.98, 1.6], [0.35, -1.02, 0.8]]]> : tensor<2x2x3xf32>
  %o = tensor.empty() : tensor<2x4x3xf32>
  %got = attn.memory_write ins(%m, %k, %s, %e, %a : tensor<2x4x3xf32>, tensor<2x2x3xf32>, tensor<2x2xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>) outs(%o : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  %want0 = arith.constant dense<[[[0.057602208, -0.578318651, -0.459195683], [0.0109029156, -0.0760868664, 0.00170746517], [1.50910919, -1.49038701, 0.0510317425], [0.527748794, -1.39971146, 0.337341606]], [[-0.623283971, 0.83251367, -1.14036928], [0.883861046, 0.639411158, 1.38107874], [-1.22405425, 0.347724947, -0.577766031], [-0.433634492, -2.21176794, -0.584636458]]]> : tensor<2x4x3xf32>
  return %got, %want0 : tensor<2x4x3xf32>, tensor<2x4x3xf32>
}
