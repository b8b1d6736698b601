// The pass in a compile: the results stay, and keys outside of the window are not computed (the kernel has no score region left).
// RUN: fovea-compile %s --plugin=%plugin --insert=after:raise=sample-window-attention -o %t.fovea --check --explain | FileCheck %s
// RUN: fovea-compile %s --plugin=%plugin --insert=after:raise=sample-window-attention --compile-to=fuse | FileCheck %s --check-prefix=FUSE
// RUN: fovea-compile %s --plugin=%plugin --insert=after:fuse=sample-window-attention -o %t.fovea --check
// CHECK: inserted after raise: sample-window-attention
// CHECK: y: {{.*}} agree
// FUSE: window = array<i64: 4, 4>
// FUSE-NOT: score
func.func @main(%q: tensor<?x2x?x16xf32> {exec.name = "q", exec.dims = ["batch", 2, "queries", 16]},
                %k: tensor<?x2x?x16xf32> {exec.name = "k", exec.dims = ["batch", 2, "keys", 16]})
    -> (tensor<?x2x?x16xf32> {exec.name = "y", exec.dims = ["batch", 2, "queries", 16]}) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : tensor<?x2x?x16xf32>
  %m = tensor.dim %q, %c2 : tensor<?x2x?x16xf32>
  %init = tensor.empty(%b, %m) : tensor<?x2x?x16xf32>
  %y = attn.attention ins(%q, %k, %k : tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>) outs(%init : tensor<?x2x?x16xf32>)
  score {
  ^bb0(%s: f32, %bb: index, %h: index, %i: index, %j: index):
    %lowest = arith.constant 0xFF800000 : f32
    %five = arith.constant 5 : i64
    %i64 = arith.index_cast %i : index to i64
    %j64 = arith.index_cast %j : index to i64
    %d = arith.subi %j64, %i64 : i64
    %distance = math.absi %d : i64
    %near = arith.cmpi slt, %distance, %five : i64
    %r = arith.select %near, %s, %lowest : f32
    attn.yield %r : f32
  } -> tensor<?x2x?x16xf32>
  return %y : tensor<?x2x?x16xf32>
}
