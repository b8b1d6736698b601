// Every form of each operation survives a round trip through text and through bytecode, and the generic form says the same.
// RUN: fovea-opt %s | fovea-opt | FileCheck %s
// RUN: fovea-opt %s --emit-bytecode | fovea-opt | FileCheck %s
// RUN: fovea-opt %s --mlir-print-op-generic | fovea-opt | FileCheck %s

// CHECK-LABEL: @attention_plain
// CHECK: attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32>) outs(%{{.*}} : tensor<2x8x?x32xf32>) -> tensor<2x8x?x32xf32>
func.func @attention_plain(%q: tensor<2x8x?x64xf32>, %k: tensor<2x2x?x64xf32>, %v: tensor<2x2x?x32xf32>, %o: tensor<2x8x?x32xf32>) -> tensor<2x8x?x32xf32> {
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32>) outs(%o : tensor<2x8x?x32xf32>) -> tensor<2x8x?x32xf32>
  return %0 : tensor<2x8x?x32xf32>
}

// CHECK-LABEL: @attention_all
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}}, %{{.*}} : tensor<?x?xi1>, tensor<8xf16>) lengths(%{{.*}} : tensor<?xi64>)
// CHECK-SAME: causal = #attn.causal<bottom_right>
// CHECK-SAME: empty_rows = #attn.empty_rows<nan>
// CHECK-SAME: normalizer = #attn.normalizer<sigmoid>
// CHECK-SAME: scale = 5.000000e-01
// CHECK-SAME: window = array<i64: 3, -1>
// CHECK-SAME: combine {
// CHECK: ^bb0(%{{.*}}: f16, %{{.*}}: f16):
// CHECK: } score {
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: i1, %{{.*}}: f16):
// CHECK: } weight {
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: i1, %{{.*}}: f16):
func.func @attention_all(%q: tensor<?x8x?x64xf16>, %k: tensor<?x8x?x64xf16>, %v: tensor<?x8x?x64xf16>, %mask: tensor<?x?xi1>, %w: tensor<8xf16>,
                         %lengths: tensor<?xi64>, %o: tensor<?x8x?x64xf16>) -> tensor<?x8x?x64xf16> {
  %0 = attn.attention ins(%q, %k, %v : tensor<?x8x?x64xf16>, tensor<?x8x?x64xf16>, tensor<?x8x?x64xf16>)
      captures(%mask, %w : tensor<?x?xi1>, tensor<8xf16>) lengths(%lengths : tensor<?xi64>) outs(%o : tensor<?x8x?x64xf16>)
      {scale = 0.5 : f64, causal = #attn.causal<bottom_right>, window = array<i64: 3, -1>, normalizer = #attn.normalizer<sigmoid>,
       empty_rows = #attn.empty_rows<nan>, capture_maps = [affine_map<(b, h, i, j) -> (b, j)>, affine_map<(b, h, i, j) -> (h)>]}
      combine {
      ^bb0(%x: f16, %y: f16):
        %s = arith.addf %x, %y : f16
        %e = arith.extf %s : f16 to f32
        attn.yield %e : f32
      } score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %m: i1, %g: f16):
        %low = arith.constant 0xFF800000 : f32
        %r = arith.select %m, %s, %low : f32
        attn.yield %r : f32
      } weight {
      ^bb0(%p: f32, %b: index, %h: index, %i: index, %j: index, %m: i1, %g: f16):
        %e = arith.extf %g : f16 to f32
        %r = arith.mulf %p, %e : f32
        attn.yield %r : f32
      } -> tensor<?x8x?x64xf16>
  return %0 : tensor<?x8x?x64xf16>
}

// CHECK-LABEL: @attention_extras
// CHECK: %{{.*}}, %{{.*}}:4 = attn.attention
// CHECK-SAME: offset(%{{.*}} : tensor<?xi64>) sinks(%{{.*}} : tensor<8xf16>) block_mask(%{{.*}} : tensor<?x1x?x?xi1>)
// CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8x?x64xf16>, tensor<?x8x?xf32>, tensor<?x8x?x?xf16>, tensor<?x8x?xf16>, tensor<?x8x?x?xf32>)
// CHECK-SAME: block = array<i64: 64, 32>
// CHECK-SAME: extras = [#attn.extra<lse>, #attn.extra<weights>, #attn.extra<row_max>, #attn.extra<tap>]
// CHECK-SAME: combine {
// CHECK: ^bb0(%{{.*}}: f16, %{{.*}}: f16, %{{.*}}: index):
// CHECK: } score {
// CHECK: attn.yield %{{.*}}, %{{.*}} : f32, f32
// CHECK: } -> tensor<?x8x?x64xf16>, tensor<?x8x?xf32>, tensor<?x8x?x?xf16>, tensor<?x8x?xf16>, tensor<?x8x?x?xf32>
func.func @attention_extras(%q: tensor<?x8x?x64xf16>, %o: tensor<?xi64>, %sinks: tensor<8xf16>, %blocks: tensor<?x1x?x?xi1>, %lse: tensor<?x8x?xf32>,
                            %max: tensor<?x8x?xf16>, %w: tensor<?x8x?x?xf16>, %t: tensor<?x8x?x?xf32>) -> tensor<?x8x?x?xf16> {
  %0:5 = attn.attention ins(%q, %q, %q : tensor<?x8x?x64xf16>, tensor<?x8x?x64xf16>, tensor<?x8x?x64xf16>) offset(%o : tensor<?xi64>)
      sinks(%sinks : tensor<8xf16>) block_mask(%blocks : tensor<?x1x?x?xi1>)
      outs(%q, %lse, %w, %max, %t : tensor<?x8x?x64xf16>, tensor<?x8x?xf32>, tensor<?x8x?x?xf16>, tensor<?x8x?xf16>, tensor<?x8x?x?xf32>)
      {causal = #attn.causal<top_left>, block = array<i64: 64, 32>,
       extras = [#attn.extra<lse>, #attn.extra<weights>, #attn.extra<row_max>, #attn.extra<tap>]}
      combine {
      ^bb0(%x: f16, %y: f16, %d: index):
        %s = arith.addf %x, %y : f16
        %e = arith.extf %s : f16 to f32
        attn.yield %e : f32
      } score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        attn.yield %s, %s : f32, f32
      } -> tensor<?x8x?x64xf16>, tensor<?x8x?xf32>, tensor<?x8x?x?xf16>, tensor<?x8x?xf16>, tensor<?x8x?x?xf32>
  return %0#2 : tensor<?x8x?x?xf16>
}

// The tiled form with all it may have; the state is of the score type.
// CHECK-LABEL: @online_attention_all
// CHECK: attn.online_attention
// CHECK-SAME: captures(%{{.*}} : tensor<?x?xi1>) lengths(%{{.*}} : tensor<?xi64>) block(%{{.*}} of %{{.*}}) outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8x?xf32>, tensor<?x8x?xf32>, tensor<?x8x?x32xf32>)
// CHECK-SAME: causal = #attn.causal<bottom_right>
// CHECK-SAME: scale = 5.000000e-01
// CHECK-SAME: window = array<i64: 3, -1>
// CHECK-SAME: combine {
// CHECK: } score {
// CHECK: } -> tensor<?x8x?xf32>, tensor<?x8x?xf32>, tensor<?x8x?x32xf32>
func.func @online_attention_all(%q: tensor<?x8x?x64xf16>, %k: tensor<?x2x?x64xf16>, %v: tensor<?x2x?x32xf16>, %mask: tensor<?x?xi1>, %lengths: tensor<?xi64>,
                                %offset: index, %keys: index, %m: tensor<?x8x?xf32>, %a: tensor<?x8x?x32xf32>) -> tensor<?x8x?x32xf32> {
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<?x8x?x64xf16>, tensor<?x2x?x64xf16>, tensor<?x2x?x32xf16>) captures(%mask : tensor<?x?xi1>)
      lengths(%lengths : tensor<?xi64>) block(%offset of %keys) outs(%m, %m, %a : tensor<?x8x?xf32>, tensor<?x8x?xf32>, tensor<?x8x?x32xf32>)
      {scale = 0.5 : f64, causal = #attn.causal<bottom_right>, window = array<i64: 3, -1>, capture_maps = [affine_map<(b, h, i, j) -> (b, j)>]}
      combine {
      ^bb0(%x: f16, %y: f16):
        %s = arith.addf %x, %y : f16
        %e = arith.extf %s : f16 to f32
        attn.yield %e : f32
      } score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: i1):
        %low = arith.constant 0xFF800000 : f32
        %r = arith.select %c, %s, %low : f32
        attn.yield %r : f32
      } -> tensor<?x8x?xf32>, tensor<?x8x?xf32>, tensor<?x8x?x32xf32>
  return %0#2 : tensor<?x8x?x32xf32>
}

// In double precision the score region works on f64.
// CHECK-LABEL: @attention_f64
// CHECK: ^bb0(%{{.*}}: f64
func.func @attention_f64(%q: tensor<1x1x4x4xf64>, %o: tensor<1x1x4x4xf64>) -> tensor<1x1x4x4xf64> {
  %0 = attn.attention ins(%q, %q, %q : tensor<1x1x4x4xf64>, tensor<1x1x4x4xf64>, tensor<1x1x4x4xf64>) outs(%o : tensor<1x1x4x4xf64>)
      {normalizer = #attn.normalizer<hardmax>}
      score {
      ^bb0(%s: f64, %b: index, %h: index, %i: index, %j: index):
        %r = math.tanh %s : f64
        attn.yield %r : f64
      } -> tensor<1x1x4x4xf64>
  return %0 : tensor<1x1x4x4xf64>
}

// CHECK-LABEL: @rows
// CHECK: attn.softmax axis(1) ins(%{{.*}} : tensor<?x?xf32>) outs(%{{.*}} : tensor<?x?xf32>) -> tensor<?x?xf32>
// CHECK: attn.softmax axis(0) ins(%{{.*}} : tensor<?x?xf32>) outs(%{{.*}} : tensor<?x?xf32>) {guarded} -> tensor<?x?xf32>
// CHECK: attn.softmax axis(1) ins(%{{.*}} : tensor<?x?xf32>) outs(%{{.*}} : tensor<?x?xf32>) {log} -> tensor<?x?xf32>
// CHECK: attn.layer_norm axis(1) epsilon({{[^)]*}}) ins(%{{.*}} : tensor<?x?xf32>) scale(%{{.*}} : tensor<?xf32>) bias(%{{.*}} : tensor<?xf32>) outs
// CHECK: attn.layer_norm axis(0) epsilon({{[^)]*}}) ins(%{{.*}} : tensor<?x?xf32>) outs
// CHECK: attn.layer_norm axis(1) epsilon({{[^)]*}}) ins(%{{.*}} : tensor<?x?xf32>) bias(%{{.*}} : tensor<?xf32>) outs
// CHECK: attn.rms_norm axis(1) epsilon({{[^)]*}}) ins(%{{.*}} : tensor<?x?xf32>) scale(%{{.*}} : tensor<?xf32>) outs
// CHECK: attn.rms_norm axis(1) epsilon({{[^)]*}}) ins(%{{.*}} : tensor<?x?xf32>) outs
func.func @rows(%x: tensor<?x?xf32>, %s: tensor<?xf32>) -> tensor<?x?xf32> {
  %0 = attn.softmax axis(1) ins(%x : tensor<?x?xf32>) outs(%x : tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = attn.softmax axis(0) ins(%0 : tensor<?x?xf32>) outs(%x : tensor<?x?xf32>) {guarded} -> tensor<?x?xf32>
  %2 = attn.softmax axis(1) ins(%1 : tensor<?x?xf32>) outs(%x : tensor<?x?xf32>) {log} -> tensor<?x?xf32>
  %3 = attn.layer_norm axis(1) epsilon(1.0e-05) ins(%2 : tensor<?x?xf32>) scale(%s : tensor<?xf32>) bias(%s : tensor<?xf32>) outs(%x : tensor<?x?xf32>) -> tensor<?x?xf32>
  %4 = attn.layer_norm axis(0) epsilon(1.0e-05) ins(%3 : tensor<?x?xf32>) outs(%x : tensor<?x?xf32>) -> tensor<?x?xf32>
  %5 = attn.layer_norm axis(1) epsilon(1.0e-05) ins(%4 : tensor<?x?xf32>) bias(%s : tensor<?xf32>) outs(%x : tensor<?x?xf32>) -> tensor<?x?xf32>
  %6 = attn.rms_norm axis(1) epsilon(1.0e-06) ins(%5 : tensor<?x?xf32>) scale(%s : tensor<?xf32>) outs(%x : tensor<?x?xf32>) -> tensor<?x?xf32>
  %7 = attn.rms_norm axis(1) epsilon(1.0e-06) ins(%6 : tensor<?x?xf32>) outs(%x : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %7 : tensor<?x?xf32>
}

// CHECK-LABEL: @rotary
// CHECK: attn.rotary_embedding ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) outs(%{{.*}} : tensor<2x?x8xf32>) {table_map = #{{.*}}} -> tensor<2x?x8xf32>
// CHECK: attn.rotary_embedding
// CHECK-SAME: form = #attn.rotary<interleaved>
// CHECK-SAME: rotary_dim = 4
func.func @rotary(%x: tensor<2x?x8xf32>, %c: tensor<?x4xf32>) -> tensor<2x?x8xf32> {
  %0 = attn.rotary_embedding ins(%x, %c, %c : tensor<2x?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) outs(%x : tensor<2x?x8xf32>) {table_map = affine_map<(b, p) -> (p)>} -> tensor<2x?x8xf32>
  %1 = attn.rotary_embedding ins(%0, %c, %c : tensor<2x?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) outs(%x : tensor<2x?x8xf32>) {table_map = affine_map<(b, p) -> (p)>, form = #attn.rotary<interleaved>, rotary_dim = 4 : i64} -> tensor<2x?x8xf32>
  return %1 : tensor<2x?x8xf32>
}

// CHECK-LABEL: @scalars
// CHECK: attn.gelu %{{.*}} : f32
// CHECK: attn.gelu %{{.*}} form<tanh> : f32
// CHECK: attn.silu %{{.*}} : f32
// CHECK: attn.sigmoid %{{.*}} : f32
// CHECK: attn.gelu %{{.*}} : vector<[4]xf64>
func.func @scalars(%x: f32, %v: vector<[4]xf64>) -> (f32, vector<[4]xf64>) {
  %0 = attn.gelu %x : f32
  %1 = attn.gelu %0 form<tanh> : f32
  %2 = attn.silu %1 : f32
  %3 = attn.sigmoid %2 : f32
  %4 = attn.gelu %v : vector<[4]xf64>
  return %3, %4 : f32, vector<[4]xf64>
}

// CHECK-LABEL: @matching
// CHECK: attn.detr_cost ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x?x5xf32>, tensor<2x?x4xf32>, tensor<2x?xi64>, tensor<2x?x4xf32>) outs(%{{.*}} : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
// CHECK: attn.detr_cost
// CHECK-SAME: counts(%{{.*}} : tensor<2xi64>) outs
// CHECK-SAME: bbox_weight = 1.000000e+00
// CHECK-SAME: class_cost = #attn.class_cost<focal>
// CHECK: attn.bipartite_match ins(%{{.*}} : tensor<2x?x?xf32>) outs(%{{.*}}, %{{.*}} : tensor<2x?xi64>, tensor<2xi64>) -> tensor<2x?xi64>, tensor<2xi64>
// CHECK: attn.bipartite_match ins(%{{.*}} : tensor<2x?x?xf32>) counts(%{{.*}} : tensor<2xi64>) outs(%{{.*}}, %{{.*}} : tensor<2x?xi64>, tensor<2xi64>) {maximize} -> tensor<2x?xi64>, tensor<2xi64>
// CHECK: attn.set_loss ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x?x5xf32>, tensor<2x?x4xf32>, tensor<2x?xi64>, tensor<2x?x4xf32>, tensor<2x?xi64>) outs(%{{.*}} : tensor<3xf32>) -> tensor<3xf32>
// CHECK: attn.set_loss
// CHECK-SAME: counts(%{{.*}} : tensor<2xi64>) outs
// CHECK-SAME: eos_coef = 5.000000e-01
func.func @matching(%logits: tensor<2x?x5xf32>, %boxes: tensor<2x?x4xf32>, %labels: tensor<2x?xi64>, %targets: tensor<2x?x4xf32>, %n: tensor<2xi64>,
                    %c: tensor<2x?x?xf32>, %i: tensor<2x?xi64>, %s: tensor<2xi64>, %l: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x?x5xf32>, tensor<2x?x4xf32>, tensor<2x?xi64>, tensor<2x?x4xf32>) outs(%c : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %1 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x?x5xf32>, tensor<2x?x4xf32>, tensor<2x?xi64>, tensor<2x?x4xf32>) counts(%n : tensor<2xi64>)
      outs(%c : tensor<2x?x?xf32>) {class_cost = #attn.class_cost<focal>, bbox_weight = 1.0 : f64} -> tensor<2x?x?xf32>
  %2, %3 = attn.bipartite_match ins(%0 : tensor<2x?x?xf32>) outs(%i, %s : tensor<2x?xi64>, tensor<2xi64>) -> tensor<2x?xi64>, tensor<2xi64>
  %4, %5 = attn.bipartite_match ins(%1 : tensor<2x?x?xf32>) counts(%n : tensor<2xi64>) outs(%i, %s : tensor<2x?xi64>, tensor<2xi64>) {maximize} -> tensor<2x?xi64>, tensor<2xi64>
  %6 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %2 : tensor<2x?x5xf32>, tensor<2x?x4xf32>, tensor<2x?xi64>, tensor<2x?x4xf32>, tensor<2x?xi64>) outs(%l : tensor<3xf32>) -> tensor<3xf32>
  %7 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %4 : tensor<2x?x5xf32>, tensor<2x?x4xf32>, tensor<2x?xi64>, tensor<2x?x4xf32>, tensor<2x?xi64>) counts(%n : tensor<2xi64>)
      outs(%l : tensor<3xf32>) {eos_coef = 0.5 : f64} -> tensor<3xf32>
  return %6, %7 : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: @positional
// CHECK: attn.sinusoidal_encoding ins(%{{.*}}, %{{.*}} : tensor<?xi64>, tensor<?xi64>) outs(%{{.*}} : tensor<?x8xf32>)
// CHECK-SAME: axes = #attn.axes<added>
// CHECK-SAME: layout = #attn.sinusoid_layout<halves>
// CHECK: attn.mask_positions axis(1) ins(%{{.*}} : tensor<2x?xi1>) outs(%{{.*}} : tensor<2x?xf32>) {normalize, offset = -5.000000e-01 : f64} -> tensor<2x?xf32>
// CHECK: attn.learned_encoding ins(%{{.*}} : tensor<9x8xf32>) outs(%{{.*}} : tensor<?x8xf32>) -> tensor<?x8xf32>
// CHECK: attn.learned_encoding ins(%{{.*}} : tensor<9x8xf32>) positions(%{{.*}} : tensor<?xi64>) outs(%{{.*}} : tensor<?x8xf32>) {offset = 2 : i64} -> tensor<?x8xf32>
// CHECK: attn.rotary_frequencies ins(%{{.*}} : tensor<?xi64>) outs(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<?x8xf32>)
// CHECK-SAME: scaling = #attn.rotary_scaling<yarn>
// CHECK: attn.relative_bias ins(%{{.*}} : tensor<9x8xf32>) outs(%{{.*}} : tensor<8x4x4xf32>) {bottom_right} -> tensor<8x4x4xf32>
// CHECK: attn.grid_bias grid [2, 2] ins(%{{.*}} : tensor<9x8xf32>) outs(%{{.*}} : tensor<8x4x4xf32>) -> tensor<8x4x4xf32>
// CHECK: attn.alibi_bias outs(%{{.*}} : tensor<8x4x4xf32>) -> tensor<8x4x4xf32>
func.func @positional(%p: tensor<?xi64>, %mask: tensor<2x?xi1>, %m: tensor<2x?xf32>, %table: tensor<9x8xf32>, %e: tensor<?x8xf32>, %b: tensor<8x4x4xf32>) {
  %0 = attn.sinusoidal_encoding ins(%p, %p : tensor<?xi64>, tensor<?xi64>) outs(%e : tensor<?x8xf32>)
      {layout = #attn.sinusoid_layout<halves>, axes = #attn.axes<added>} -> tensor<?x8xf32>
  %1 = attn.mask_positions axis(1) ins(%mask : tensor<2x?xi1>) outs(%m : tensor<2x?xf32>) {normalize, offset = -0.5 : f64} -> tensor<2x?xf32>
  %2 = attn.learned_encoding ins(%table : tensor<9x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = attn.learned_encoding ins(%table : tensor<9x8xf32>) positions(%p : tensor<?xi64>) outs(%e : tensor<?x8xf32>) {offset = 2 : i64} -> tensor<?x8xf32>
  %4, %5 = attn.rotary_frequencies ins(%p : tensor<?xi64>) outs(%e, %e : tensor<?x8xf32>, tensor<?x8xf32>)
      {scaling = #attn.rotary_scaling<yarn>, factor = 4.0 : f64, original_context = 64 : i64} -> tensor<?x8xf32>, tensor<?x8xf32>
  %6 = attn.relative_bias ins(%table : tensor<9x8xf32>) outs(%b : tensor<8x4x4xf32>) {bottom_right} -> tensor<8x4x4xf32>
  %7 = attn.grid_bias grid [2, 2] ins(%table : tensor<9x8xf32>) outs(%b : tensor<8x4x4xf32>) -> tensor<8x4x4xf32>
  %8 = attn.alibi_bias outs(%b : tensor<8x4x4xf32>) -> tensor<8x4x4xf32>
  return
}

// CHECK-LABEL: @pooling
// CHECK: attn.channel_attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x6x?x?xf32>, tensor<6x3xf32>, tensor<3x6xf32>) squeeze_bias(%{{.*}} : tensor<3xf32>) expand_bias(%{{.*}} : tensor<6xf32>) outs(%{{.*}} : tensor<?x6x?x?xf32>) {pool = #attn.channel_pool<mean_max>} -> tensor<?x6x?x?xf32>
// CHECK: attn.spatial_attention ins(%{{.*}}, %{{.*}} : tensor<?x6x?x?xf32>, tensor<2x3x3xf32>) outs(%{{.*}} : tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xf32>
// CHECK: attn.attention_pool ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x6xf32>, tensor<6x3xf32>, tensor<3xf32>) bias(%{{.*}} : tensor<3xf32>) lengths(%{{.*}} : tensor<?xi64>) mask(%{{.*}} : tensor<?x?xi1>) outs(%{{.*}} : tensor<?x6xf32>) -> tensor<?x6xf32>
// CHECK: attn.pooled_attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x2x6x8xf32>, tensor<?x2x6x8xf32>, tensor<?x2x6x8xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2] stride [2]) outs(%{{.*}} : tensor<?x2x2x8xf32>)
// CHECK-SAME: pool = #attn.window_pool<max>
// CHECK-SAME: residual
func.func @pooling(%x: tensor<?x6x?x?xf32>, %w1: tensor<6x3xf32>, %b1: tensor<3xf32>, %w2: tensor<3x6xf32>, %b2: tensor<6xf32>, %f: tensor<2x3x3xf32>, %h: tensor<?x?x6xf32>,
                   %n: tensor<?xi64>, %mask: tensor<?x?xi1>, %r: tensor<?x6xf32>, %q: tensor<?x2x6x8xf32>, %o: tensor<?x2x2x8xf32>) {
  %0 = attn.channel_attention ins(%x, %w1, %w2 : tensor<?x6x?x?xf32>, tensor<6x3xf32>, tensor<3x6xf32>) squeeze_bias(%b1 : tensor<3xf32>) expand_bias(%b2 : tensor<6xf32>)
      outs(%x : tensor<?x6x?x?xf32>) {pool = #attn.channel_pool<mean_max>} -> tensor<?x6x?x?xf32>
  %1 = attn.spatial_attention ins(%x, %f : tensor<?x6x?x?xf32>, tensor<2x3x3xf32>) outs(%x : tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xf32>
  %2 = attn.attention_pool ins(%h, %w1, %b1 : tensor<?x?x6xf32>, tensor<6x3xf32>, tensor<3xf32>) bias(%b1 : tensor<3xf32>) lengths(%n : tensor<?xi64>)
      mask(%mask : tensor<?x?xi1>) outs(%r : tensor<?x6xf32>) -> tensor<?x6xf32>
  %3 = attn.pooled_attention ins(%q, %q, %q : tensor<?x2x6x8xf32>, tensor<?x2x6x8xf32>, tensor<?x2x6x8xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1])
      key_windows(grid [6] kernel [2] stride [2]) outs(%o : tensor<?x2x2x8xf32>) {scale = 0.5 : f64, pool = #attn.window_pool<max>, residual} -> tensor<?x2x2x8xf32>
  return
}

// CHECK-LABEL: @memory
// CHECK: attn.memory_read ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x4xf64>, tensor<?x2x4xf64>, tensor<?x2xf64>) outs(%{{.*}} : tensor<?x2x4xf64>) -> tensor<?x2x4xf64>
// CHECK: attn.memory_write ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x4xf64>, tensor<?x2x4xf64>, tensor<?x2xf64>, tensor<?x2x4xf64>, tensor<?x2x4xf64>) outs(%{{.*}} : tensor<?x?x4xf64>) -> tensor<?x?x4xf64>
func.func @memory(%m: tensor<?x?x4xf64>, %k: tensor<?x2x4xf64>, %s: tensor<?x2xf64>) {
  %0 = attn.memory_read ins(%m, %k, %s : tensor<?x?x4xf64>, tensor<?x2x4xf64>, tensor<?x2xf64>) outs(%k : tensor<?x2x4xf64>) -> tensor<?x2x4xf64>
  %1 = attn.memory_write ins(%m, %k, %s, %k, %k : tensor<?x?x4xf64>, tensor<?x2x4xf64>, tensor<?x2xf64>, tensor<?x2x4xf64>, tensor<?x2x4xf64>) outs(%m : tensor<?x?x4xf64>) -> tensor<?x?x4xf64>
  return
}

// CHECK-LABEL: @recurrent
// CHECK: attn.linear_attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x4x8xf16>, tensor<?x?x2x8xf16>, tensor<?x?x2x6xf16>) state(%{{.*}} : tensor<?x2x8x6xf32>) decay(%{{.*}} : tensor<?x?x2x1xf16>) beta(%{{.*}} : tensor<?x?x1xf16>) outs(%{{.*}}, %{{.*}} : tensor<?x?x4x6xf16>, tensor<?x2x8x6xf32>) {scale = 5.000000e-01 : f64} -> tensor<?x?x4x6xf16>, tensor<?x2x8x6xf32>
// CHECK: attn.linear_attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x4x8xf16>, tensor<?x?x2x8xf16>, tensor<?x?x2x6xf16>) outs(%{{.*}}, %{{.*}} : tensor<?x?x4x6xf16>, tensor<?x2x8x6xf32>) -> tensor<?x?x4x6xf16>, tensor<?x2x8x6xf32>
// CHECK: attn.causal_conv_with_state ins(%{{.*}}, %{{.*}} : tensor<2x6x?xf32>, tensor<6x4xf32>) bias(%{{.*}} : tensor<6xf32>) state(%{{.*}} : tensor<2x6x3xf32>) outs(%{{.*}}, %{{.*}} : tensor<2x6x?xf32>, tensor<2x6x3xf32>) {silu} -> tensor<2x6x?xf32>, tensor<2x6x3xf32>
// CHECK: attn.cache_append axis(1) ins(%{{.*}}, %{{.*}} : tensor<?x9x8xi1>, tensor<?x?x8xi1>) positions(%{{.*}} : tensor<?xi64>) outs(%{{.*}} : tensor<?x9x8xi1>) {ring} -> tensor<?x9x8xi1>
func.func @recurrent(%q: tensor<?x?x4x8xf16>, %k: tensor<?x?x2x8xf16>, %v: tensor<?x?x2x6xf16>, %s: tensor<?x2x8x6xf32>, %g: tensor<?x?x2x1xf16>, %b: tensor<?x?x1xf16>,
                     %o: tensor<?x?x4x6xf16>, %x: tensor<2x6x?xf32>, %w: tensor<6x4xf32>, %c: tensor<6xf32>, %h: tensor<2x6x3xf32>,
                     %cache: tensor<?x9x8xi1>, %new: tensor<?x?x8xi1>, %p: tensor<?xi64>) {
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<?x?x4x8xf16>, tensor<?x?x2x8xf16>, tensor<?x?x2x6xf16>) state(%s : tensor<?x2x8x6xf32>)
      decay(%g : tensor<?x?x2x1xf16>) beta(%b : tensor<?x?x1xf16>) outs(%o, %s : tensor<?x?x4x6xf16>, tensor<?x2x8x6xf32>) {scale = 0.5 : f64}
      -> tensor<?x?x4x6xf16>, tensor<?x2x8x6xf32>
  %2, %3 = attn.linear_attention ins(%q, %k, %v : tensor<?x?x4x8xf16>, tensor<?x?x2x8xf16>, tensor<?x?x2x6xf16>)
      outs(%o, %s : tensor<?x?x4x6xf16>, tensor<?x2x8x6xf32>) -> tensor<?x?x4x6xf16>, tensor<?x2x8x6xf32>
  %4, %5 = attn.causal_conv_with_state ins(%x, %w : tensor<2x6x?xf32>, tensor<6x4xf32>) bias(%c : tensor<6xf32>) state(%h : tensor<2x6x3xf32>)
      outs(%x, %h : tensor<2x6x?xf32>, tensor<2x6x3xf32>) {silu} -> tensor<2x6x?xf32>, tensor<2x6x3xf32>
  %6 = attn.cache_append axis(1) ins(%cache, %new : tensor<?x9x8xi1>, tensor<?x?x8xi1>) positions(%p : tensor<?xi64>) outs(%cache : tensor<?x9x8xi1>) {ring}
      -> tensor<?x9x8xi1>
  return
}

// CHECK-LABEL: @pages
// CHECK: attn.paged_append ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x2x4x8xf16>, tensor<?x2x?x8xf16>, tensor<?x?xi32>, tensor<?xi64>) outs(%{{.*}} : tensor<?x2x4x8xf16>) -> tensor<?x2x4x8xf16>
// CHECK: attn.paged_attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4x?x8xf16>, tensor<?x2x4x8xf16>, tensor<?x2x4x8xf16>) table(%{{.*}} : tensor<?x?xi32>) lengths(%{{.*}} : tensor<?xi64>) outs(%{{.*}} : tensor<?x4x?x8xf16>) {causal, scale = 5.000000e-01 : f64, window = 7 : i64} -> tensor<?x4x?x8xf16>
// CHECK: attn.paged_attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4x?x8xf16>, tensor<?x2x4x8xf16>, tensor<?x2x4x8xf16>) table(%{{.*}} : tensor<?x?xi32>) lengths(%{{.*}} : tensor<?xi64>) outs(%{{.*}} : tensor<?x4x?x8xf16>) -> tensor<?x4x?x8xf16>
func.func @pages(%k: tensor<?x2x4x8xf16>, %v: tensor<?x2x4x8xf16>, %new: tensor<?x2x?x8xf16>, %t: tensor<?x?xi32>, %p: tensor<?xi64>, %q: tensor<?x4x?x8xf16>) {
  %0 = attn.paged_append ins(%k, %new, %t, %p : tensor<?x2x4x8xf16>, tensor<?x2x?x8xf16>, tensor<?x?xi32>, tensor<?xi64>) outs(%k : tensor<?x2x4x8xf16>) -> tensor<?x2x4x8xf16>
  %1 = attn.paged_attention ins(%q, %0, %v : tensor<?x4x?x8xf16>, tensor<?x2x4x8xf16>, tensor<?x2x4x8xf16>) table(%t : tensor<?x?xi32>) lengths(%p : tensor<?xi64>)
      outs(%q : tensor<?x4x?x8xf16>) {causal, scale = 0.5 : f64, window = 7 : i64} -> tensor<?x4x?x8xf16>
  %2 = attn.paged_attention ins(%q, %k, %v : tensor<?x4x?x8xf16>, tensor<?x2x4x8xf16>, tensor<?x2x4x8xf16>) table(%t : tensor<?x?xi32>) lengths(%p : tensor<?xi64>)
      outs(%q : tensor<?x4x?x8xf16>) -> tensor<?x4x?x8xf16>
  return
}
