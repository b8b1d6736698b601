// Kernels that are nothing else: f64, a transposed operand, no elements.
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check --cpu=x86-64-v2
func.func @main(%x: tensor<7x5xf64> {exec.name = "x"}, %u: tensor<5x7xf64> {exec.name = "u"}, %n: tensor<0x3xf32> {exec.name = "n"})
    -> (tensor<5x7xf64> {exec.name = "y"}, tensor<0x3xf32> {exec.name = "nothing"}) {
  %empty = tensor.empty() : tensor<5x7xf64>
  %t = linalg.transpose ins(%x : tensor<7x5xf64>) outs(%empty : tensor<5x7xf64>) permutation = [1, 0]
  %y = sample.swiglu ins(%t, %u : tensor<5x7xf64>, tensor<5x7xf64>) outs(%empty : tensor<5x7xf64>) -> tensor<5x7xf64>
  %none = tensor.empty() : tensor<0x3xf32>
  %z = sample.swiglu ins(%n, %n : tensor<0x3xf32>, tensor<0x3xf32>) outs(%none : tensor<0x3xf32>) -> tensor<0x3xf32>
  return %y, %z : tensor<5x7xf64>, tensor<0x3xf32>
}
