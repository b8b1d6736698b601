// Softmax over many keys becomes a loop over blocks of keys.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(tile-attention-keys{block=32},canonicalize,cse))" -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(tile-attention-keys{block=32},canonicalize,cse))" -o %t.twice
// RUN: diff %t.once %t.twice
// RUN: not fovea-opt %s --pass-pipeline="builtin.module(func.func(tile-attention-keys{block=0}))" 2>&1 | FileCheck %s --check-prefix=BLOCK
// BLOCK: error: expected a block of at least 1 key, got 0

// CHECK-LABEL: @whole_blocks
// CHECK-SAME: %[[Q:.*]]: tensor<2x4x8x16xf32>, %[[K:.*]]: tensor<2x2x96x16xf32>, %[[V:.*]]: tensor<2x2x96x24xf32>, %[[O:.*]]: tensor<2x4x8x24xf32>
// CHECK-DAG: %[[LOW:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG: %[[NONE:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK-DAG: %[[N:.*]] = arith.constant 96 : index
// CHECK-DAG: %[[STEP:.*]] = arith.constant 32 : index
// CHECK: %[[MAX:.*]] = linalg.fill ins(%[[LOW]]
// CHECK: %[[SUM:.*]] = linalg.fill ins(%[[NONE]]
// CHECK: %[[ACC:.*]] = linalg.fill ins(%[[NONE]]
// CHECK: %[[R:.*]]:3 = scf.for %[[J:.*]] = %{{.*}} to %[[N]] step %[[STEP]] iter_args(%[[M1:.*]] = %[[MAX]], %[[S1:.*]] = %[[SUM]], %[[A1:.*]] = %[[ACC]])
// CHECK: %[[KB:.*]] = tensor.extract_slice %[[K]][0, 0, %[[J]], 0] [2, 2, 32, 16]
// CHECK: %[[VB:.*]] = tensor.extract_slice %[[V]][0, 0, %[[J]], 0] [2, 2, 32, 24]
// CHECK: %[[M2:.*]], %[[S2:.*]], %[[A2:.*]] = attn.online_attention ins(%[[Q]], %[[KB]], %[[VB]] : {{.*}} block(%[[J]] of %[[N]]) outs(%[[M1]], %[[S1]], %[[A1]]
// CHECK-SAME: scale = 2.500000e-01
// CHECK: scf.yield %[[M2]], %[[S2]], %[[A2]]
// CHECK: linalg.generic {{.*}} ins(%[[R]]#2, %[[R]]#1 : {{.*}} outs(%[[O]]
// CHECK: ^bb0(%[[A:.*]]: f32, %[[S:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[E:.*]] = arith.cmpf oeq, %[[S]], %[[NONE]]
// CHECK: %[[D:.*]] = arith.select %[[E]], %[[ONE]], %[[S]]
// CHECK: arith.divf %[[A]], %[[D]]
func.func @whole_blocks(%q: tensor<2x4x8x16xf32>, %k: tensor<2x2x96x16xf32>, %v: tensor<2x2x96x24xf32>, %o: tensor<2x4x8x24xf32>) -> tensor<2x4x8x24xf32> {
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x2x96x16xf32>, tensor<2x2x96x24xf32>) outs(%o : tensor<2x4x8x24xf32>)
      {scale = 0.25 : f64} -> tensor<2x4x8x24xf32>
  return %0 : tensor<2x4x8x24xf32>
}

// The score region and its captures stay as they are; f16 is accumulated in f32 and rounded once.
// CHECK-LABEL: @dynamic
// CHECK-SAME: %[[MASK:[a-z0-9]+]]: tensor<?x?xf16>, %[[L:[a-z0-9]+]]: tensor<?xi64>
// CHECK-DAG: %[[NAN:.*]] = arith.constant 0x7FC00000 : f32
// CHECK-DAG: %[[STEP:.*]] = arith.constant 32 : index
// CHECK: %[[N:.*]] = tensor.dim %{{.*}}, %c2
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %[[N]] step %[[STEP]]
// CHECK: %[[REST:.*]] = arith.subi %[[N]], %[[J]]
// CHECK: %[[T:.*]] = arith.minsi %[[REST]], %[[STEP]]
// CHECK: tensor.extract_slice %{{.*}}[0, 0, %[[J]], 0] [%{{.*}}, 4, %[[T]], 16]
// CHECK: attn.online_attention {{.*}} captures(%[[MASK]] : tensor<?x?xf16>) lengths(%[[L]] : tensor<?xi64>) block(%[[J]] of %[[N]])
// CHECK-SAME: tensor<?x4x?xf32>, tensor<?x4x?xf32>, tensor<?x4x?x16xf32>
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: f16):
// CHECK: arith.select %{{.*}}, %[[NAN]]
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @dynamic(%q: tensor<?x4x?x16xf16>, %k: tensor<?x4x?x16xf16>, %v: tensor<?x4x?x16xf16>, %mask: tensor<?x?xf16>, %lengths: tensor<?xi64>,
                   %o: tensor<?x4x?x16xf16>) -> tensor<?x4x?x16xf16> {
  %0 = attn.attention ins(%q, %k, %v : tensor<?x4x?x16xf16>, tensor<?x4x?x16xf16>, tensor<?x4x?x16xf16>) captures(%mask : tensor<?x?xf16>)
      lengths(%lengths : tensor<?xi64>) outs(%o : tensor<?x4x?x16xf16>)
      {empty_rows = #attn.empty_rows<nan>, capture_maps = [affine_map<(b, h, i, j) -> (i, j)>]}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f16):
        %w = arith.extf %c : f16 to f32
        %r = arith.addf %s, %w : f32
        attn.yield %r : f32
      } -> tensor<?x4x?x16xf16>
  return %0 : tensor<?x4x?x16xf16>
}

// Of 96 keys 40 queries that start with the first key see 40.
// CHECK-LABEL: @top_left
// CHECK-DAG: %[[TO:.*]] = arith.constant 40 : index
// CHECK-DAG: %[[FROM:.*]] = arith.constant 0 : index
// CHECK: scf.for %{{.*}} = %[[FROM]] to %[[TO]]
func.func @top_left(%q: tensor<1x1x40x16xf32>, %k: tensor<1x1x96x16xf32>, %o: tensor<1x1x40x16xf32>) -> tensor<1x1x40x16xf32> {
  %0 = attn.attention ins(%q, %k, %k : tensor<1x1x40x16xf32>, tensor<1x1x96x16xf32>, tensor<1x1x96x16xf32>) outs(%o : tensor<1x1x40x16xf32>)
      {causal = #attn.causal<top_left>} -> tensor<1x1x40x16xf32>
  return %0 : tensor<1x1x40x16xf32>
}

// The last 8 queries of 96, each with the 7 keys before it.
// CHECK-LABEL: @window
// CHECK-DAG: %[[FROM:.*]] = arith.constant 81 : index
// CHECK-NOT: scf.for
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 81, 0] [1, 1, 15, 16]
// CHECK: attn.online_attention {{.*}} block(%[[FROM]] of
func.func @window(%q: tensor<1x1x8x16xf32>, %k: tensor<1x1x96x16xf32>, %o: tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32> {
  %0 = attn.attention ins(%q, %k, %k : tensor<1x1x8x16xf32>, tensor<1x1x96x16xf32>, tensor<1x1x96x16xf32>) outs(%o : tensor<1x1x8x16xf32>)
      {causal = #attn.causal<bottom_right>, window = array<i64: 7, -1>} -> tensor<1x1x8x16xf32>
  return %0 : tensor<1x1x8x16xf32>
}

// One block, another normaliser, a weight region, results besides the output, an offset, sinks, a mask of blocks: left alone.
// CHECK-LABEL: @left_alone
// CHECK-NOT: online_attention
// CHECK-COUNT-7: attn.attention
// CHECK-NOT: online_attention
// CHECK: return
func.func @left_alone(%q: tensor<1x1x8x16xf32>, %k: tensor<1x1x32x16xf32>, %l: tensor<1x1x96x16xf32>, %o: tensor<1x1x8x16xf32>, %lse: tensor<1x1x8xf32>,
                      %offset: tensor<1xi64>, %sinks: tensor<1xf32>, %blocks: tensor<1x1x1x3xi1>)
    -> (tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>) {
  %0 = attn.attention ins(%q, %k, %k : tensor<1x1x8x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>) outs(%o : tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32>
  %1 = attn.attention ins(%q, %l, %l : tensor<1x1x8x16xf32>, tensor<1x1x96x16xf32>, tensor<1x1x96x16xf32>) outs(%o : tensor<1x1x8x16xf32>)
      {normalizer = #attn.normalizer<sigmoid>} -> tensor<1x1x8x16xf32>
  %2 = attn.attention ins(%q, %l, %l : tensor<1x1x8x16xf32>, tensor<1x1x96x16xf32>, tensor<1x1x96x16xf32>) outs(%o : tensor<1x1x8x16xf32>)
      weight {
      ^bb0(%p: f32, %b: index, %h: index, %i: index, %j: index):
        %r = arith.mulf %p, %p : f32
        attn.yield %r : f32
      } -> tensor<1x1x8x16xf32>
  %3:2 = attn.attention ins(%q, %l, %l : tensor<1x1x8x16xf32>, tensor<1x1x96x16xf32>, tensor<1x1x96x16xf32>)
      outs(%o, %lse : tensor<1x1x8x16xf32>, tensor<1x1x8xf32>) {extras = [#attn.extra<lse>]} -> tensor<1x1x8x16xf32>, tensor<1x1x8xf32>
  %4 = attn.attention ins(%q, %l, %l : tensor<1x1x8x16xf32>, tensor<1x1x96x16xf32>, tensor<1x1x96x16xf32>) offset(%offset : tensor<1xi64>)
      outs(%o : tensor<1x1x8x16xf32>) {causal = #attn.causal<top_left>} -> tensor<1x1x8x16xf32>
  %5 = attn.attention ins(%q, %l, %l : tensor<1x1x8x16xf32>, tensor<1x1x96x16xf32>, tensor<1x1x96x16xf32>) sinks(%sinks : tensor<1xf32>)
      outs(%o : tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32>
  %6 = attn.attention ins(%q, %l, %l : tensor<1x1x8x16xf32>, tensor<1x1x96x16xf32>, tensor<1x1x96x16xf32>) block_mask(%blocks : tensor<1x1x1x3xi1>)
      outs(%o : tensor<1x1x8x16xf32>) {block = array<i64: 8, 32>} -> tensor<1x1x8x16xf32>
  return %0, %1, %2, %3#1, %4, %5, %6 : tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>
}
