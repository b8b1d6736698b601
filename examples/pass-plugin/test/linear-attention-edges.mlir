// No keys; columns that are neither a multiple of four nor of a vector; few keys, where scores are cheaper.
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check --lowering=linear-attention
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check --lowering=linear-attention --cpu=x86-64-v2
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --explain | FileCheck %s
// CHECK: linear-attention
func.func @main(%q: tensor<1x1x4x3xf32> {exec.name = "q"}, %k: tensor<1x1x0x3xf32> {exec.name = "k"}, %v: tensor<1x1x0x5xf32> {exec.name = "v"},
                 %k9: tensor<1x1x90x3xf32> {exec.name = "k9"}, %v9: tensor<1x1x90x5xf32> {exec.name = "v9"})
    -> (tensor<1x1x4x5xf32> {exec.name = "zero"}, tensor<1x1x4x5xf32> {exec.name = "nan"}, tensor<1x1x4x5xf32> {exec.name = "y"}) {
  %init = tensor.empty() : tensor<1x1x4x5xf32>
  %zero = attn.attention ins(%q, %k, %v : tensor<1x1x4x3xf32>, tensor<1x1x0x3xf32>, tensor<1x1x0x5xf32>) outs(%init : tensor<1x1x4x5xf32>)
      {normalizer = #attn.normalizer<none>} -> tensor<1x1x4x5xf32>
  %nan = attn.attention ins(%q, %k, %v : tensor<1x1x4x3xf32>, tensor<1x1x0x3xf32>, tensor<1x1x0x5xf32>) outs(%init : tensor<1x1x4x5xf32>)
      {normalizer = #attn.normalizer<none>, empty_rows = #attn.empty_rows<nan>} -> tensor<1x1x4x5xf32>
  %y = attn.attention ins(%q, %k9, %v9 : tensor<1x1x4x3xf32>, tensor<1x1x90x3xf32>, tensor<1x1x90x5xf32>) outs(%init : tensor<1x1x4x5xf32>)
      {normalizer = #attn.normalizer<none>} -> tensor<1x1x4x5xf32>
  return %zero, %nan, %y : tensor<1x1x4x5xf32>, tensor<1x1x4x5xf32>, tensor<1x1x4x5xf32>
}
