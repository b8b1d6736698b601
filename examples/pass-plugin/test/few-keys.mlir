// With fewer keys than columns the scores are cheaper: the cost model leaves this attention to Fovea's own lowering.
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check
// RUN: fovea-inspect %t.fovea | FileCheck %s
// CHECK: kind = "attention{{(-general)?}}",
func.func @main(%q: tensor<1x2x3x64xf32> {exec.name = "q"}, %k: tensor<1x2x2x64xf32> {exec.name = "k"}, %v: tensor<1x2x2x256xf32> {exec.name = "v"})
    -> (tensor<1x2x3x256xf32> {exec.name = "y"}) {
  %init = tensor.empty() : tensor<1x2x3x256xf32>
  %y = attn.attention ins(%q, %k, %v : tensor<1x2x3x64xf32>, tensor<1x2x2x64xf32>, tensor<1x2x2x256xf32>) outs(%init : tensor<1x2x3x256xf32>)
      {normalizer = #attn.normalizer<none>} -> tensor<1x2x3x256xf32>
  return %y : tensor<1x2x3x256xf32>
}
