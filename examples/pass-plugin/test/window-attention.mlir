// RUN: fovea-opt %s --load-pass-plugin=%plugin --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sample-window-attention,canonicalize)' | FileCheck %s
// RUN: fovea-opt %s --load-pass-plugin=%plugin --split-input-file --pass-pipeline='builtin.module(sample-window-attention,canonicalize,sample-window-attention)' 2>%t | FileCheck %s

// Three keys back, none ahead; the region is left with nothing to do.
// CHECK-LABEL: @behind
// CHECK: attn.attention
// CHECK-SAME: window = array<i64: 3, 0>
// CHECK-NOT: score
func.func @behind(%x: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  %y = attn.attention ins(%x, %x, %x : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>) outs(%x : tensor<1x2x9x8xf32>)
  score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %lowest = arith.constant 0xFF800000 : f32
    %four = arith.constant 4 : index
    %behind = arith.subi %i, %j : index
    %near = arith.cmpi slt, %behind, %four : index
    %past = arith.cmpi sle, %j, %i : index
    %both = arith.andi %near, %past : i1
    %r = arith.select %both, %s, %lowest : f32
    attn.yield %r : f32
  } -> tensor<1x2x9x8xf32>
  return %y : tensor<1x2x9x8xf32>
}

// -----

// A distance in both directions, as exporters compute it, with what is far selected to -inf; scores stay capped.
// CHECK-LABEL: @distance
// CHECK: attn.attention
// CHECK-SAME: window = array<i64: 2, 2>
// CHECK: score
// CHECK: math.tanh
// CHECK-NOT: arith.select
func.func @distance(%x: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  %y = attn.attention ins(%x, %x, %x : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>) outs(%x : tensor<1x2x9x8xf32>)
  score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %lowest = arith.constant 0xFF800000 : f32
    %two = arith.constant 2 : i64
    %i64 = arith.index_cast %i : index to i64
    %j64 = arith.index_cast %j : index to i64
    %d = arith.subi %i64, %j64 : i64
    %distance = math.absi %d : i64
    %far = arith.cmpi sgt, %distance, %two : i64
    %capped = math.tanh %s : f32
    %r = arith.select %far, %lowest, %capped : f32
    attn.yield %r : f32
  } -> tensor<1x2x9x8xf32>
  return %y : tensor<1x2x9x8xf32>
}

// -----

// A window that the attention has already is narrowed.
// CHECK-LABEL: @narrowed
// CHECK: window = array<i64: 1, 4>
func.func @narrowed(%x: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  %y = attn.attention ins(%x, %x, %x : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>) outs(%x : tensor<1x2x9x8xf32>) {window = array<i64: 2, 4>}
  score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %lowest = arith.constant 0xFF800000 : f32
    %one = arith.constant 1 : index
    %next = arith.addi %j, %one : index
    %near = arith.cmpi sge, %next, %i : index
    %r = arith.select %near, %s, %lowest : f32
    attn.yield %r : f32
  } -> tensor<1x2x9x8xf32>
  return %y : tensor<1x2x9x8xf32>
}

// -----

// The distance is a tensor in front of the attention, as raising leaves it of ONNX's Range, Sub and Abs.
// CHECK-LABEL: @captured
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK-SAME: window = array<i64: 3, 3>
func.func @captured(%x: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  %empty = tensor.empty() : tensor<9x9xi64>
  %distances = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} outs(%empty : tensor<9x9xi64>) {
  ^bb0(%out: i64):
    %m = linalg.index 0 : index
    %n = linalg.index 1 : index
    %d = arith.subi %m, %n : index
    %d64 = arith.index_cast %d : index to i64
    %distance = math.absi %d64 : i64
    linalg.yield %distance : i64
  } -> tensor<9x9xi64>
  %y = attn.attention ins(%x, %x, %x : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>) captures(%distances : tensor<9x9xi64>) outs(%x : tensor<1x2x9x8xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (i, j)>]}
  score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %distance: i64):
    %lowest = arith.constant 0xFF800000 : f32
    %three = arith.constant 3 : i64
    %near = arith.cmpi sle, %distance, %three : i64
    %r = arith.select %near, %s, %lowest : f32
    attn.yield %r : f32
  } -> tensor<1x2x9x8xf32>
  return %y : tensor<1x2x9x8xf32>
}

// -----

// The diagonal of heads and keys is none of queries and keys.
// CHECK-LABEL: @heads
// CHECK-NOT: window
func.func @heads(%x: tensor<1x9x9x8xf32>) -> tensor<1x9x9x8xf32> {
  %empty = tensor.empty() : tensor<9x9xindex>
  %differences = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} outs(%empty : tensor<9x9xindex>) {
  ^bb0(%out: index):
    %m = linalg.index 0 : index
    %n = linalg.index 1 : index
    %d = arith.subi %m, %n : index
    linalg.yield %d : index
  } -> tensor<9x9xindex>
  // expected-remark @below {{it is no band around the diagonal}}
  %y = attn.attention ins(%x, %x, %x : tensor<1x9x9x8xf32>, tensor<1x9x9x8xf32>, tensor<1x9x9x8xf32>) captures(%differences : tensor<9x9xindex>) outs(%x : tensor<1x9x9x8xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (h, j)>]}
  score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %d: index):
    %lowest = arith.constant 0xFF800000 : f32
    %three = arith.constant 3 : index
    %near = arith.cmpi sle, %d, %three : index
    %r = arith.select %near, %s, %lowest : f32
    attn.yield %r : f32
  } -> tensor<1x9x9x8xf32>
  return %y : tensor<1x9x9x8xf32>
}

// -----

// CHECK-LABEL: @stripes
// CHECK-NOT: window
// CHECK: arith.select
func.func @stripes(%x: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  // expected-remark @below {{no window was made of the mask: it is no band around the diagonal}}
  %y = attn.attention ins(%x, %x, %x : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>) outs(%x : tensor<1x2x9x8xf32>)
  score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %lowest = arith.constant 0xFF800000 : f32
    %sum = arith.addi %i, %j : index
    %four = arith.constant 4 : index
    %near = arith.cmpi slt, %sum, %four : index
    %r = arith.select %near, %s, %lowest : f32
    attn.yield %r : f32
  } -> tensor<1x2x9x8xf32>
  return %y : tensor<1x2x9x8xf32>
}

// -----

// CHECK-LABEL: @from_the_last
// CHECK-NOT: window
func.func @from_the_last(%x: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  // expected-remark @below {{no window was made of the mask: the attention is causal from the last key on, the mask counts from the first}}
  %y = attn.attention ins(%x, %x, %x : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>) outs(%x : tensor<1x2x9x8xf32>) {causal = #attn.causal<bottom_right>}
  score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %lowest = arith.constant 0xFF800000 : f32
    %near = arith.cmpi sle, %i, %j : index
    %r = arith.select %near, %s, %lowest : f32
    attn.yield %r : f32
  } -> tensor<1x2x9x8xf32>
  return %y : tensor<1x2x9x8xf32>
}

// -----

// Under a sigmoid a masked score weighs nothing, and no key does too; but only softmax has been thought through.
// CHECK-LABEL: @sigmoid
// CHECK-NOT: window
func.func @sigmoid(%x: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  // expected-remark @below {{only under softmax}}
  %y = attn.attention ins(%x, %x, %x : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>) outs(%x : tensor<1x2x9x8xf32>) {normalizer = #attn.normalizer<sigmoid>}
  score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %lowest = arith.constant 0xFF800000 : f32
    %near = arith.cmpi sle, %i, %j : index
    %r = arith.select %near, %s, %lowest : f32
    attn.yield %r : f32
  } -> tensor<1x2x9x8xf32>
  return %y : tensor<1x2x9x8xf32>
}
