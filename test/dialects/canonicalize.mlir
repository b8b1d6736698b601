// RUN: fovea-opt %s --canonicalize | FileCheck %s
// RUN: fovea-opt %s --canonicalize --canonicalize | FileCheck %s

// Regions that pass their value on go, and with them the captures that only they had.
// CHECK-LABEL: @identity_regions
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK-NOT: score
// CHECK-NOT: weight
// CHECK: return
func.func @identity_regions(%q: tensor<1x2x4x8xf32>, %mask: tensor<4xf32>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %0 = attn.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) captures(%mask : tensor<4xf32>)
      outs(%o : tensor<1x2x4x8xf32>) {capture_maps = [affine_map<(b, h, i, j) -> (j)>]}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %m: f32):
        attn.yield %s : f32
      } weight {
      ^bb0(%p: f32, %b: index, %h: index, %i: index, %j: index, %m: f32):
        attn.yield %p : f32
      } -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// What is captured twice alike is captured once; through another map it is another capture; unused ones go.
// CHECK-LABEL: @captures
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<4x4xf32>, %[[B:[a-z0-9]+]]: tensor<4xf32>
// CHECK: attn.attention
// CHECK-SAME: captures(%[[A]], %[[A]] : tensor<4x4xf32>, tensor<4x4xf32>)
// CHECK-SAME: capture_maps = [#[[M:.*]], #[[N:.*]]]
// CHECK: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[X:.*]]: f32, %[[Y:.*]]: f32):
// CHECK: %[[T:.*]] = arith.addf %[[S]], %[[X]]
// CHECK: %[[U:.*]] = arith.addf %[[T]], %[[X]]
// CHECK: arith.addf %[[U]], %[[Y]]
func.func @captures(%q: tensor<1x2x4x8xf32>, %a: tensor<4x4xf32>, %u: tensor<4xf32>, %o: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %0 = attn.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
      captures(%u, %a, %a, %a : tensor<4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%o : tensor<1x2x4x8xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (j)>, affine_map<(b, h, i, j) -> (i, j)>, affine_map<(b, h, i, j) -> (i, j)>,
                       affine_map<(b, h, i, j) -> (j, i)>]}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %n: f32, %x: f32, %y: f32, %z: f32):
        %t = arith.addf %s, %x : f32
        %v = arith.addf %t, %y : f32
        %w = arith.addf %v, %z : f32
        attn.yield %w : f32
      } -> tensor<1x2x4x8xf32>
  return %0 : tensor<1x2x4x8xf32>
}

// Operands take the sizes that are known, also where regions are empty; an init takes the result along.
// CHECK-LABEL: @casts
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x2x4x8xf32>
// CHECK: %[[A:.*]] = attn.attention ins(%[[X]], %[[X]], %[[X]] : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
// CHECK-SAME: outs(%[[X]] : tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
// CHECK: tensor.cast %[[A]]
// CHECK: attn.online_attention ins(%[[X]], %[[X]], %[[X]] : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
// CHECK-SAME: outs(%{{.*}}, %{{.*}}, %[[X]] : tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x8xf32>
func.func @casts(%x: tensor<1x2x4x8xf32>, %r: tensor<1x2x4xf32>, %n: index) -> (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) {
  %y = tensor.cast %x : tensor<1x2x4x8xf32> to tensor<?x2x?x8xf32>
  %0 = attn.attention ins(%y, %y, %y : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) outs(%y : tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  %1:3 = attn.online_attention ins(%y, %y, %y : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) block(%n of %n)
      outs(%r, %r, %y : tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<?x2x?x8xf32>) -> tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<?x2x?x8xf32>
  return %0, %1#2 : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>
}

// Results besides the output that nobody reads go, and taps with what the region yields for them.
// CHECK-LABEL: @extras
// CHECK-SAME: %{{.*}}: tensor<1x2x4x8xf32>, %[[L:[a-z0-9]+]]: tensor<1x2x4xf32>, %[[W:[a-z0-9]+]]: tensor<1x2x4x4xf32>
// CHECK: %[[A:.*]], %[[T0:.*]] = attn.attention
// CHECK-SAME: outs(%{{.*}}, %[[W]] : tensor<1x2x4x8xf32>, tensor<1x2x4x4xf32>) {extras = [#attn.extra<tap>]} score {
// CHECK: %[[T:.*]] = arith.addf
// CHECK: attn.yield %{{.*}}, %[[T]] : f32, f32
// CHECK: %[[B:.*]] = attn.attention
// CHECK-NOT: score
// CHECK: return %[[A]], %[[T0]], %[[B]]
func.func @extras(%q: tensor<1x2x4x8xf32>, %l: tensor<1x2x4xf32>, %w: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x8xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x8xf32>) {
  %0:4 = attn.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
      outs(%q, %w, %l, %w : tensor<1x2x4x8xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x4xf32>)
      {extras = [#attn.extra<tap>, #attn.extra<lse>, #attn.extra<tap>]}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %t = arith.addf %s, %s : f32
        attn.yield %s, %s, %t : f32, f32, f32
      } -> tensor<1x2x4x8xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x4xf32>
  %1:2 = attn.attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
      outs(%q, %w : tensor<1x2x4x8xf32>, tensor<1x2x4x4xf32>) {extras = [#attn.extra<tap>]}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        attn.yield %s, %s : f32, f32
      } -> tensor<1x2x4x8xf32>, tensor<1x2x4x4xf32>
  return %0#0, %0#3, %1#0 : tensor<1x2x4x8xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x8xf32>
}

// Regions and captures of the tiled form, as above.
// CHECK-LABEL: @online_captures
// CHECK-SAME: %{{.*}}: tensor<1x2x4x8xf32>, %[[A:[a-z0-9]+]]: tensor<4xf32>
// CHECK: attn.online_attention
// CHECK-NOT: captures
// CHECK-NOT: score
// CHECK: attn.online_attention
// CHECK-SAME: captures(%[[A]] : tensor<4xf32>)
// CHECK: return
func.func @online_captures(%q: tensor<1x2x4x8xf32>, %a: tensor<4xf32>, %r: tensor<1x2x4xf32>, %n: index) -> (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) {
  %0:3 = attn.online_attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) captures(%a : tensor<4xf32>) block(%n of %n)
      outs(%r, %r, %q : tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x8xf32>) {capture_maps = [affine_map<(b, h, i, j) -> (j)>]}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
        attn.yield %s : f32
      } -> tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x8xf32>
  %1:3 = attn.online_attention ins(%q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) captures(%a, %a : tensor<4xf32>, tensor<4xf32>)
      block(%n of %n) outs(%r, %r, %q : tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x8xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (j)>, affine_map<(b, h, i, j) -> (j)>]}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %c: f32, %d: f32):
        %t = arith.addf %c, %d : f32
        attn.yield %t : f32
      } -> tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x8xf32>
  return %0#2, %1#2 : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>
}

// Operations whose result nobody reads go; each is free of side effects.
// CHECK-LABEL: @dead
// CHECK-NEXT: return
func.func @dead(%x: tensor<1x2x4x8xf32>, %r: tensor<4x8xf32>, %c: tensor<4x8xf32>, %i: tensor<4xi64>, %n: index, %f: f32, %e: tensor<4x0xi64>) {
  %0 = attn.attention ins(%x, %x, %x : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) outs(%x : tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  %1 = attn.softmax axis(1) ins(%r : tensor<4x8xf32>) outs(%r : tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = attn.layer_norm axis(1) epsilon(1.0e-5) ins(%r : tensor<4x8xf32>) outs(%r : tensor<4x8xf32>) -> tensor<4x8xf32>
  %3 = attn.rms_norm axis(1) epsilon(1.0e-5) ins(%r : tensor<4x8xf32>) outs(%r : tensor<4x8xf32>) -> tensor<4x8xf32>
  %4 = attn.rotary_embedding ins(%r, %c, %c : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) outs(%r : tensor<4x8xf32>) {table_map = affine_map<(p) -> (p)>} -> tensor<4x8xf32>
  %5 = attn.gelu %f : f32
  %6 = attn.silu %f : f32
  %7 = attn.sigmoid %f : f32
  %8 = data.cumsum axis(0) ins(%i : tensor<4xi64>) outs(%i : tensor<4xi64>) -> tensor<4xi64>
  %9 = data.expand %r to [%n] : tensor<4x8xf32> -> tensor<?x8xf32>
  %10 = data.lookup %r[%n, %n] : tensor<4x8xf32>
  %11 = data.cumprod axis(0) ins(%r : tensor<4x8xf32>) outs(%r : tensor<4x8xf32>) -> tensor<4x8xf32>
  %12:2 = data.top_k axis(0) ins(%i : tensor<4xi64>) outs(%i, %i : tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>, tensor<4xi64>
  %13 = data.scatter add places(affine_map<(d0) -> (d0)>) ins(%i, %e, %i : tensor<4xi64>, tensor<4x0xi64>, tensor<4xi64>) outs(%i : tensor<4xi64>) -> tensor<4xi64>
  return
}

// CHECK-LABEL: @expand_to_itself
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<?x3xf32>
// CHECK: %[[E:.*]] = data.expand %[[Y]]
// CHECK: return %[[X]], %[[E]]
func.func @expand_to_itself(%x: tensor<2x3xf32>, %y: tensor<?x3xf32>, %n: index) -> (tensor<2x3xf32>, tensor<?x3xf32>) {
  %0 = data.expand %x to [] : tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = data.expand %y to [%n] : tensor<?x3xf32> -> tensor<?x3xf32>
  return %0, %1 : tensor<2x3xf32>, tensor<?x3xf32>
}

// Counts that say that all targets exist go; others stay.
// CHECK-LABEL: @full_counts
// CHECK: attn.detr_cost
// CHECK-NOT: counts
// CHECK: attn.bipartite_match
// CHECK-NOT: counts
// CHECK: attn.set_loss
// CHECK-NOT: counts
// CHECK: attn.bipartite_match
// CHECK-SAME: counts
// CHECK: return
func.func @full_counts(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %c: tensor<2x7x3xf32>,
                       %i: tensor<2x7xi64>, %s: tensor<2xi64>, %l: tensor<3xf32>) -> (tensor<3xf32>, tensor<2x7xi64>) {
  %all = arith.constant dense<3> : tensor<2xi64>
  %some = arith.constant dense<[3, 2]> : tensor<2xi64>
  %cost = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>)
      counts(%all : tensor<2xi64>) outs(%c : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) counts(%all : tensor<2xi64>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  %loss = attn.set_loss ins(%logits, %boxes, %labels, %targets, %0 : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>)
      counts(%all : tensor<2xi64>) outs(%l : tensor<3xf32>) -> tensor<3xf32>
  %2, %3 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) counts(%some : tensor<2xi64>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return %loss, %2 : tensor<3xf32>, tensor<2x7xi64>
}

// Positions that count up are rows of the table from the first one on; others stay.
// CHECK-LABEL: @counted_positions
// CHECK: attn.learned_encoding ins(%{{.*}} : tensor<9x5xf32>) outs(%{{.*}} : tensor<3x5xf32>) {offset = 6 : i64}
// CHECK: attn.learned_encoding ins(%{{.*}} : tensor<9x5xf32>) positions(
func.func @counted_positions(%table: tensor<9x5xf32>, %o: tensor<3x5xf32>) -> (tensor<3x5xf32>, tensor<3x5xf32>) {
  %up = arith.constant dense<[4, 5, 6]> : tensor<3xi64>
  %other = arith.constant dense<[4, 5, 7]> : tensor<3xi64>
  %0 = attn.learned_encoding ins(%table : tensor<9x5xf32>) positions(%up : tensor<3xi64>) outs(%o : tensor<3x5xf32>) {offset = 2 : i64} -> tensor<3x5xf32>
  %1 = attn.learned_encoding ins(%table : tensor<9x5xf32>) positions(%other : tensor<3xi64>) outs(%o : tensor<3x5xf32>) {offset = 2 : i64} -> tensor<3x5xf32>
  return %0, %1 : tensor<3x5xf32>, tensor<3x5xf32>
}

// A factor of 1 scales nothing, but an amplitude of its own stays.
// CHECK-LABEL: @unit_scaling
// CHECK: attn.rotary_frequencies
// CHECK-NOT: #attn.rotary_scaling
// CHECK: attn.rotary_frequencies
// CHECK-SAME: #attn.rotary_scaling<yarn>
func.func @unit_scaling(%p: tensor<3xi64>, %o: tensor<3x8xf32>) -> (tensor<3x8xf32>, tensor<3x8xf32>) {
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%o, %o : tensor<3x8xf32>, tensor<3x8xf32>) {scaling = #attn.rotary_scaling<linear>} -> tensor<3x8xf32>, tensor<3x8xf32>
  %2, %3 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%o, %o : tensor<3x8xf32>, tensor<3x8xf32>)
      {scaling = #attn.rotary_scaling<yarn>, original_context = 64 : i64, attention_factor = 2.0 : f64} -> tensor<3x8xf32>, tensor<3x8xf32>
  return %0, %2 : tensor<3x8xf32>, tensor<3x8xf32>
}

// Lengths and masks that leave everything live go.
// CHECK-LABEL: @full_masks
// CHECK: attn.attention_pool
// CHECK-NOT: lengths
// CHECK-NOT: mask
// CHECK: attn.attention_pool
// CHECK-SAME: lengths
// CHECK-SAME: mask
func.func @full_masks(%x: tensor<2x5x4xf32>, %w: tensor<4x3xf32>, %u: tensor<3xf32>, %o: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %all = arith.constant dense<[5, 7]> : tensor<2xi64>
  %live = arith.constant dense<true> : tensor<2x5xi1>
  %some = arith.constant dense<[5, 4]> : tensor<2xi64>
  %none = arith.constant dense<false> : tensor<2x5xi1>
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) lengths(%all : tensor<2xi64>) mask(%live : tensor<2x5xi1>) outs(%o : tensor<2x4xf32>) -> tensor<2x4xf32>
  %1 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) lengths(%some : tensor<2xi64>) mask(%none : tensor<2x5xi1>) outs(%o : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}

// Windows of single points pool nothing.
// CHECK-LABEL: @single_points
// CHECK-NOT: attn.pooled_attention
// CHECK: attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%{{.*}} : tensor<1x2x6x8xf32>) {scale = 5.000000e-01 : f64}
func.func @single_points(%q: tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xf32> {
  %0 = attn.pooled_attention ins(%q, %q, %q : tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) query_windows(grid [6] kernel [1] stride [1])
      key_windows(grid [2, 3] kernel [1, 1] stride [1, 1]) outs(%q : tensor<1x2x6x8xf32>) {scale = 0.5 : f64} -> tensor<1x2x6x8xf32>
  return %0 : tensor<1x2x6x8xf32>
}
