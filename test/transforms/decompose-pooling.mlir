// Attention that pools, and memory, as reductions, products, gates and attention.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(decompose-attn,canonicalize,cse))" -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(decompose-attn,canonicalize,cse))" -o %t.twice
// RUN: diff %t.once %t.twice

// Both summaries go through the second product at once.
// CHECK-LABEL: @channel
// CHECK-NOT: exec.check
// CHECK-COUNT-2: iterator_types = ["parallel", "parallel", "reduction", "reduction"]
// CHECK-COUNT-3: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-NOT: "reduction"
// CHECK: attn.sigmoid
// CHECK: return
func.func @channel(%x: tensor<2x6x5x4xf32>, %w1: tensor<6x3xf32>, %w2: tensor<3x6xf32>) -> tensor<2x6x5x4xf32> {
  %0 = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x6x5x4xf32>, tensor<6x3xf32>, tensor<3x6xf32>) outs(%x : tensor<2x6x5x4xf32>) {pool = #attn.channel_pool<mean_max>} -> tensor<2x6x5x4xf32>
  return %0 : tensor<2x6x5x4xf32>
}

// CHECK-LABEL: @spatial
// CHECK-COUNT-2: tensor.pad {{.*}} low[0, 1, 1] high[0, 1, 1]
// CHECK: iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]
// CHECK: attn.sigmoid
func.func @spatial(%x: tensor<2x6x5x4xf32>, %f: tensor<2x3x3xf32>, %b: tensor<1xf32>) -> tensor<2x6x5x4xf32> {
  %0 = attn.spatial_attention ins(%x, %f : tensor<2x6x5x4xf32>, tensor<2x3x3xf32>) bias(%b : tensor<1xf32>) outs(%x : tensor<2x6x5x4xf32>) -> tensor<2x6x5x4xf32>
  return %0 : tensor<2x6x5x4xf32>
}

// One query of one head; lengths stay structural, a mask is a capture.
// CHECK-LABEL: @over_time
// CHECK: math.tanh
// CHECK: exec.check {{.*}}, "operands do not fit each other"
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}} : tensor<?x?xi1>) lengths(%{{.*}} : tensor<?xi64>)
// CHECK: arith.select
// CHECK: tensor.collapse_shape {{.*}} into tensor<?x4xf32>
func.func @over_time(%x: tensor<?x?x4xf32> {exec.dims = ["B", "T", 4]}, %w: tensor<4x3xf32>, %u: tensor<3xf32>, %n: tensor<?xi64> {exec.dims = ["C"]}, %m: tensor<?x?xi1> {exec.dims = ["B", "T"]},
                     %o: tensor<?x4xf32> {exec.dims = ["B", 4]}) -> tensor<?x4xf32> {
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<?x?x4xf32>, tensor<4x3xf32>, tensor<3xf32>) lengths(%n : tensor<?xi64>) mask(%m : tensor<?x?xi1>) outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// What has windows of single points is not pooled.
// CHECK-LABEL: @windows
// CHECK-COUNT-2: iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
// CHECK-NOT: "reduction"
// CHECK: attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<1x2x6x8xf32>, tensor<1x2x2x8xf32>, tensor<1x2x2x8xf32>)
func.func @windows(%q: tensor<1x2x6x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xf32> {
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) query_windows(grid [6] kernel [1] stride [1])
      key_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) outs(%q : tensor<1x2x6x8xf32>) {residual} -> tensor<1x2x6x8xf32>
  return %0 : tensor<1x2x6x8xf32>
}

// CHECK-LABEL: @read
// CHECK: attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x1x3x4xf32>, tensor<2x1x9x4xf32>, tensor<2x1x9x4xf32>)
// CHECK: tensor.collapse_shape
func.func @read(%m: tensor<2x9x4xf32>, %k: tensor<2x3x4xf32>, %s: tensor<2x3xf32>) -> tensor<2x3x4xf32> {
  %0 = attn.memory_read ins(%m, %k, %s : tensor<2x9x4xf32>, tensor<2x3x4xf32>, tensor<2x3xf32>) outs(%k : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// CHECK-LABEL: @write
// CHECK: attn.softmax axis(2)
// CHECK-NOT: attn.memory_write
// CHECK: return
func.func @write(%m: tensor<2x9x4xf32>, %k: tensor<2x3x4xf32>, %s: tensor<2x3xf32>) -> tensor<2x9x4xf32> {
  %0 = attn.memory_write ins(%m, %k, %s, %k, %k : tensor<2x9x4xf32>, tensor<2x3x4xf32>, tensor<2x3xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>) outs(%m : tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  return %0 : tensor<2x9x4xf32>
}
