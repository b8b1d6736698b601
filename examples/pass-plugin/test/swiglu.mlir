// The operation goes through fusion under its own name, into the kernel of the product in front of it; with its kernel's schedule it becomes what every
// target can lower.
// RUN: fovea-compile %s --plugin=%plugin --compile-to=fuse | FileCheck %s --check-prefix=FUSE
// RUN: fovea-compile %s --plugin=%plugin --compile-to=tile | FileCheck %s --check-prefix=TILE
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --require-fused --check
// RUN: fovea-inspect %t.fovea | FileCheck %s --check-prefix=KERNELS
// RUN: fovea-compile %s --plugin=%plugin --cpu=x86-64-v2 -o %t.v2.fovea --check
// A dump of any phase is gone on from, to the same artifact, by whoever has the plugin.
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --dump-phases=%t.dumps
// RUN: fovea-compile %t.dumps/4-fuse.mlirbc --plugin=%plugin -o %t.resumed.fovea
// RUN: cmp %t.fovea %t.resumed.fovea
// RUN: not fovea-compile %t.dumps/4-fuse.mlirbc -o %t.without.fovea 2>&1 | FileCheck %s --check-prefix=WITHOUT
// RUN: fovea-compile %s --plugin=%plugin --lowering=sample.swiglu=loops -o %t.loops.fovea --check
// RUN: fovea-inspect %t.loops.fovea | FileCheck %s --check-prefix=LOOPS

// FUSE-COUNT-2: exec.kernel
// FUSE: linalg.generic
// FUSE: sample.swiglu
// FUSE-NOT: sample.swiglu

// TILE-NOT: sample.swiglu
// TILE: attn.silu

// KERNELS-COUNT-2: matmul
// WITHOUT: fovea-compile: error: {{.*}}sample
// LOOPS: matmul
// LOOPS: loops

#a = affine_map<(r, c, k) -> (r, k)>
#w = affine_map<(r, c, k) -> (k, c)>
#out = affine_map<(r, c, k) -> (r, c)>
func.func @main(%x: tensor<?x24xf32> {exec.name = "x", exec.dims = ["rows", 24]}, %wg: tensor<24x40xf32> {exec.name = "wg", exec.dims = [24, 40]},
                %wu: tensor<24x40xf32> {exec.name = "wu", exec.dims = [24, 40]}) -> (tensor<?x40xf32> {exec.name = "y", exec.dims = ["rows", 40]}) {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x24xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%rows) : tensor<?x40xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x40xf32>) -> tensor<?x40xf32>
  %gate = linalg.generic {indexing_maps = [#a, #w, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %wg : tensor<?x24xf32>, tensor<24x40xf32>) outs(%zeros : tensor<?x40xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x40xf32>
  %up = linalg.generic {indexing_maps = [#a, #w, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %wu : tensor<?x24xf32>, tensor<24x40xf32>) outs(%zeros : tensor<?x40xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x40xf32>
  %y = sample.swiglu ins(%gate, %up : tensor<?x40xf32>, tensor<?x40xf32>) outs(%empty : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}
