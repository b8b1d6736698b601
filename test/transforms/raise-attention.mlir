// The forms in which models have attention, as they are behind fuse-elementwise and normalize-views.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(raise-attention,canonicalize,cse))" -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(raise-attention,canonicalize,cse))" -o %t.twice
// RUN: diff %t.once %t.twice

#id = affine_map<(b, h, i, j) -> (b, h, i, j)>
#ij = affine_map<(b, h, i, j) -> (i, j)>
#bj = affine_map<(b, h, i, j) -> (b, j)>
#q = affine_map<(b, h, i, j, d) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d) -> (b, h, j, d)>
#s = affine_map<(b, h, i, j, d) -> (b, h, i, j)>
#sv = affine_map<(b, h, i, e, j) -> (b, h, i, j)>
#v = affine_map<(b, h, i, e, j) -> (b, h, j, e)>
#o = affine_map<(b, h, i, e, j) -> (b, h, i, e)>

// CHECK-LABEL: @scaled_query_and_key
// CHECK: attn.attention
// CHECK-SAME: scale = 2.500000e-01
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @scaled_query_and_key(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %qs = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%q : tensor<2x4x16x8xf32>) outs(%eo : tensor<2x4x16x8xf32>) {
  ^bb0(%x: f32, %o: f32):
    %c = arith.constant 0.5 : f32
    %r = arith.mulf %x, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  %ks = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%k0 : tensor<2x4x16x8xf32>) outs(%eo : tensor<2x4x16x8xf32>) {
  ^bb0(%x: f32, %o: f32):
    %c = arith.constant 0.5 : f32
    %r = arith.mulf %x, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%qs, %ks : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @scale_by_division
// CHECK: attn.attention
// CHECK-SAME: scale = 1.250000e-01
// CHECK-NOT: score
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @scale_by_division(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %c = arith.constant 8.0 : f32
    %r = arith.divf %x, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @unguarded_is_nan
// CHECK: attn.attention
// CHECK-SAME: empty_rows = #attn.empty_rows<nan>
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @unguarded_is_nan(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @guarded_is_zero
// CHECK: attn.attention
// CHECK-NOT: empty_rows = #attn.empty_rows<nan>
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @guarded_is_zero(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %guarded = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %n = arith.cmpf uno, %x, %x : f32
    %r = arith.select %n, %zero, %x : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%guarded, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @grouped_heads
// CHECK: attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x4x16x8xf32>, tensor<2x2x16x8xf32>, tensor<2x2x16x8xf32>)
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @grouped_heads(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x2x16x8xf32>, %v0: tensor<2x2x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %ke = tensor.empty() : tensor<2x2x2x16x8xf32>
  %kr = linalg.generic {indexing_maps = [affine_map<(b, g, r, j, d) -> (b, g, j, d)>, affine_map<(b, g, r, j, d) -> (b, g, r, j, d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%k0 : tensor<2x2x16x8xf32>) outs(%ke : tensor<2x2x2x16x8xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  } -> tensor<2x2x2x16x8xf32>
  %kg = tensor.collapse_shape %kr [[0], [1, 2], [3], [4]] : tensor<2x2x2x16x8xf32> into tensor<2x4x16x8xf32>
  %ve = tensor.empty() : tensor<2x2x2x16x8xf32>
  %vr = linalg.generic {indexing_maps = [affine_map<(b, g, r, j, d) -> (b, g, j, d)>, affine_map<(b, g, r, j, d) -> (b, g, r, j, d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%v0 : tensor<2x2x16x8xf32>) outs(%ve : tensor<2x2x2x16x8xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  } -> tensor<2x2x2x16x8xf32>
  %vg = tensor.collapse_shape %vr [[0], [1, 2], [3], [4]] : tensor<2x2x2x16x8xf32> into tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %kg : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %vg : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @where_mask
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}} : tensor<2x16xi1>)
// CHECK-NOT: causal
// CHECK: arith.select
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @where_mask(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>, %mask: tensor<2x16xi1>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, affine_map<(b, h, i, j) -> (b, j)>, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %mask : tensor<2x4x16x16xf32>, tensor<2x16xi1>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %m: i1, %o: f32):
    %r = arith.select %m, %x, %inf : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @added_mask
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}} : tensor<2x16xf32>)
// CHECK-NOT: causal
// CHECK: arith.addf
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @added_mask(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>, %mask: tensor<2x16xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, affine_map<(b, h, i, j) -> (b, j)>, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %mask : tensor<2x4x16x16xf32>, tensor<2x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %m: f32, %o: f32):
    %r = arith.addf %m, %x : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @causal_infinite
// CHECK: attn.attention
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @causal_infinite(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant 0xFF800000 : f32
    %c = arith.cmpi sle, %j, %i : index
    %w = arith.select %c, %zero, %low : f32
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @causal_lowest
// CHECK: attn.attention
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @causal_lowest(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant -3.40282347E+38 : f32
    %c = arith.cmpi sle, %j, %i : index
    %w = arith.select %c, %zero, %low : f32
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @causal_commuted
// CHECK: attn.attention
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @causal_commuted(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant 0xFF800000 : f32
    %c = arith.cmpi sge, %i, %j : index
    %w = arith.select %c, %zero, %low : f32
    %r = arith.addf %w, %x : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @causal_negated
// CHECK: attn.attention
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @causal_negated(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant 0xFF800000 : f32
    %c = arith.cmpi sgt, %j, %i : index
    %w = arith.select %c, %low, %zero : f32
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @causal_scaled
// CHECK: attn.attention
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK-SAME: scale = 1.250000e-01
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @causal_scaled(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant -3.40282347E+38 : f32
    %c = arith.cmpi sle, %j, %i : index
    %w = arith.select %c, %zero, %low : f32
    %e = arith.constant 0.125 : f32
    %xs = arith.mulf %x, %e : f32
    %r = arith.addf %xs, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// Not structural: the other way round, a mask of -10000 (whose keys take part), or a finite one beside another mask (a row whose causal keys all
// have the lowest value is uniform over more than those).
// CHECK-LABEL: @not_causal_reversed
// CHECK: attn.attention
// CHECK-NOT: causal
// CHECK: arith.select
// CHECK: return
func.func @not_causal_reversed(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant 0xFF800000 : f32
    %c = arith.cmpi sle, %i, %j : index
    %w = arith.select %c, %zero, %low : f32
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @not_causal_small
// CHECK: attn.attention
// CHECK-NOT: causal
// CHECK: arith.select
// CHECK: return
func.func @not_causal_small(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant -10000.0 : f32
    %c = arith.cmpi sle, %j, %i : index
    %w = arith.select %c, %zero, %low : f32
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @not_causal_beside_padding
// CHECK: attn.attention
// CHECK-NOT: causal
// CHECK: arith.select
// CHECK: return
func.func @not_causal_beside_padding(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>, %mask: tensor<2x16xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, affine_map<(b, h, i, j) -> (b, j)>, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %mask : tensor<2x4x16x16xf32>, tensor<2x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %m: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant -3.40282347E+38 : f32
    %c = arith.cmpi sle, %j, %i : index
    %w = arith.select %c, %zero, %low : f32
    %xm = arith.addf %x, %m : f32
    %r = arith.addf %xm, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// CHECK-LABEL: @causal_infinite_beside_padding
// CHECK: attn.attention
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK: return
func.func @causal_infinite_beside_padding(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>, %mask: tensor<2x16xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %masked = linalg.generic {indexing_maps = [#id, affine_map<(b, h, i, j) -> (b, j)>, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %mask : tensor<2x4x16x16xf32>, tensor<2x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %m: f32, %o: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %low = arith.constant 0xFF800000 : f32
    %c = arith.cmpi sle, %j, %i : index
    %w = arith.select %c, %zero, %low : f32
    %xm = arith.addf %x, %m : f32
    %r = arith.addf %xm, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// The score region works in f32; what the graph computed in f16 stays f16.
// CHECK-LABEL: @half_precision
// CHECK: attn.attention
// CHECK: ^bb0(%[[S:.*]]: f32
// CHECK: %[[H:.*]] = arith.truncf %[[S]] : f32 to f16
// CHECK: %[[T:.*]] = math.tanh %[[H]] : f16
// CHECK: %[[E:.*]] = arith.extf %[[T]] : f16 to f32
// CHECK: attn.yield %[[E]] : f32
func.func @half_precision(%q: tensor<2x4x16x8xf16>, %k0: tensor<2x4x16x8xf16>, %v0: tensor<2x4x16x8xf16>) -> tensor<2x4x16x8xf16> {
  %zero = arith.constant 0.0 : f16
  %inf = arith.constant 0xFC00 : f16
  %es = tensor.empty() : tensor<2x4x16x16xf16>
  %eo = tensor.empty() : tensor<2x4x16x8xf16>
  %is = linalg.fill ins(%zero : f16) outs(%es : tensor<2x4x16x16xf16>) -> tensor<2x4x16x16xf16>
  %io = linalg.fill ins(%zero : f16) outs(%eo : tensor<2x4x16x8xf16>) -> tensor<2x4x16x8xf16>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf16>, tensor<2x4x16x8xf16>) outs(%is : tensor<2x4x16x16xf16>) {
  ^bb0(%a: f16, %b: f16, %o: f16):
    %m = arith.mulf %a, %b : f16
    %r = arith.addf %o, %m : f16
    linalg.yield %r : f16
  } -> tensor<2x4x16x16xf16>
  %masked = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf16>) outs(%es : tensor<2x4x16x16xf16>) {
  ^bb0(%x: f16, %o: f16):
    %r = math.tanh %x : f16
    linalg.yield %r : f16
  } -> tensor<2x4x16x16xf16>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x16x16xf16>) outs(%es : tensor<2x4x16x16xf16>) -> tensor<2x4x16x16xf16>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf16>, tensor<2x4x16x8xf16>) outs(%io : tensor<2x4x16x8xf16>) {
  ^bb0(%a: f16, %b: f16, %o: f16):
    %m = arith.mulf %a, %b : f16
    %r = arith.addf %o, %m : f16
    linalg.yield %r : f16
  } -> tensor<2x4x16x8xf16>
  return %y : tensor<2x4x16x8xf16>
}

// Attention that the model itself names, of heads that it repeated: they are read once.
// CHECK-LABEL: @named_with_repeated_heads
// CHECK-NOT: linalg.generic
// CHECK: attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x4x16x8xf32>, tensor<2x2x16x8xf32>, tensor<2x2x16x8xf32>)
// CHECK: return
func.func @named_with_repeated_heads(%q: tensor<2x4x16x8xf32>, %k: tensor<2x2x16x8xf32>) -> tensor<2x4x16x8xf32> {
  %e = tensor.empty() : tensor<2x2x2x16x8xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(b, g, r, j, d) -> (b, g, j, d)>, affine_map<(b, g, r, j, d) -> (b, g, r, j, d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%k : tensor<2x2x16x8xf32>) outs(%e : tensor<2x2x2x16x8xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  } -> tensor<2x2x2x16x8xf32>
  %c = tensor.collapse_shape %r [[0], [1, 2], [3], [4]] : tensor<2x2x2x16x8xf32> into tensor<2x4x16x8xf32>
  %y = attn.attention ins(%q, %c, %c : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%q : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}


// A constant table that is causal.
// CHECK-LABEL: @causal_table_added
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK: return
func.func @causal_table_added(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: f32, %o: f32):
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// The lowest float instead of -inf.
// CHECK-LABEL: @causal_table_lowest
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK: return
func.func @causal_table_lowest(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[0.0, -3.40282347E+38, -3.40282347E+38, -3.40282347E+38], [0.0, 0.0, -3.40282347E+38, -3.40282347E+38], [0.0, 0.0, 0.0, -3.40282347E+38], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: f32, %o: f32):
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// A table of bools that chooses between scores and the lowest float.
// CHECK-LABEL: @causal_table_where
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK: return
func.func @causal_table_where(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[true, false, false, false], [true, true, false, false], [true, true, true, false], [true, true, true, true]]> : tensor<4x4xi1>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xi1>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: i1, %o: f32):
    %low = arith.constant 0xFF7FFFFF : f32
    %r = arith.select %w, %x, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// The same as a number that is added.
// CHECK-LABEL: @causal_table_select
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK-SAME: causal = #attn.causal<top_left>
// CHECK: return
func.func @causal_table_select(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[false, true, true, true], [false, false, true, true], [false, false, false, true], [false, false, false, false]]> : tensor<4x4xi1>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xi1>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: i1, %o: f32):
    %low = arith.constant 0xFF800000 : f32
    %a = arith.select %w, %low, %zero : f32
    %r = arith.addf %x, %a : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// A band is a window.
// CHECK-LABEL: @window_table
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK-SAME: window = array<i64: 1, 2>
// CHECK: return
func.func @window_table(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[0.0, 0.0, 0.0, 0xFF800000], [0.0, 0.0, 0.0, 0.0], [0xFF800000, 0.0, 0.0, 0.0], [0xFF800000, 0xFF800000, 0.0, 0.0]]> : tensor<4x4xf32>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: f32, %o: f32):
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// Both.
// CHECK-LABEL: @causal_window_table
// CHECK: attn.attention
// CHECK-NOT: captures
// CHECK-SAME: causal = #attn.causal<top_left>{{.*}}window = array<i64: 2, -1>
// CHECK: return
func.func @causal_window_table(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000], [0xFF800000, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: f32, %o: f32):
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// The first row has no live key.
// CHECK-LABEL: @not_causal_table_strict
// CHECK: attn.attention
// CHECK-SAME: captures(
// CHECK-NOT: attn.causal
// CHECK-NOT: window
// CHECK: return
func.func @not_causal_table_strict(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[0xFF800000, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000]]> : tensor<4x4xf32>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: f32, %o: f32):
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// One key more is dead.
// CHECK-LABEL: @not_causal_table_hole
// CHECK: attn.attention
// CHECK-SAME: captures(
// CHECK-NOT: attn.causal
// CHECK-NOT: window
// CHECK: return
func.func @not_causal_table_hole(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000], [0.0, 0xFF800000, 0.0, 0.0]]> : tensor<4x4xf32>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: f32, %o: f32):
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// Such a number may be outweighed by scores.
// CHECK-LABEL: @not_causal_table_small
// CHECK: attn.attention
// CHECK-SAME: captures(
// CHECK-NOT: attn.causal
// CHECK-NOT: window
// CHECK: return
func.func @not_causal_table_small(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[0.0, -1.0e+4, -1.0e+4, -1.0e+4], [0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, 0.0, -1.0e+4], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t : tensor<2x4x4x4xf32>, tensor<4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: f32, %o: f32):
    %r = arith.addf %x, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// A row whose live keys are all padding sees the others.
// CHECK-LABEL: @not_causal_table_beside_padding
// CHECK: attn.attention
// CHECK-SAME: captures(
// CHECK-NOT: attn.causal
// CHECK-NOT: window
// CHECK: return
func.func @not_causal_table_beside_padding(%q: tensor<2x4x4x8xf32>, %k0: tensor<2x4x4x8xf32>, %v0: tensor<2x4x4x8xf32>, %mask: tensor<2x4xf32>) -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %t = arith.constant dense<[[0.0, -3.40282347E+38, -3.40282347E+38, -3.40282347E+38], [0.0, 0.0, -3.40282347E+38, -3.40282347E+38], [0.0, 0.0, 0.0, -3.40282347E+38], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %es = tensor.empty() : tensor<2x4x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x4x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) outs(%is : tensor<2x4x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %masked = linalg.generic {indexing_maps = [#id, #ij, #bj, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %t, %mask : tensor<2x4x4x4xf32>, tensor<4x4xf32>, tensor<2x4xf32>) outs(%es : tensor<2x4x4x4xf32>) {
  ^bb0(%x: f32, %w: f32, %p: f32, %o: f32):
    %m = arith.addf %x, %p : f32
    %r = arith.addf %m, %w : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x4xf32>
  %p = attn.softmax axis(3) ins(%masked : tensor<2x4x4x4xf32>) outs(%es : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x4x4xf32>, tensor<2x4x4x8xf32>) outs(%io : tensor<2x4x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// Rows whose bias is -inf at every key have no key: what sets them to 0 is the attention's own way with empty rows.
#b4 = affine_map<(b, h, i, j) -> (i, j)>
#r4 = affine_map<(b, h, i, j) -> (i, 0)>
#m2 = affine_map<(i, j) -> (i, j)>
#m1 = affine_map<(i, j) -> (i)>
// CHECK-LABEL: @rows_without_keys_are_zero
// CHECK: attn.attention
// CHECK-NOT: empty_rows = #attn.empty_rows<nan>
// CHECK: arith.addf
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @rows_without_keys_are_zero(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>, %bias: tensor<16x16xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %em = tensor.empty() : tensor<16xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %im = linalg.fill ins(%inf : f32) outs(%em : tensor<16xf32>) -> tensor<16xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k0 : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %biased = linalg.generic {indexing_maps = [#id, #b4, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %bias : tensor<2x4x16x16xf32>, tensor<16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %m: f32, %o: f32):
    %r = arith.addf %x, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%biased : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %most = linalg.generic {indexing_maps = [#m2, #m1], iterator_types = ["parallel", "reduction"]} ins(%bias : tensor<16x16xf32>) outs(%im : tensor<16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %r = arith.maximumf %o, %x : f32
    linalg.yield %r : f32
  } -> tensor<16xf32>
  %column = tensor.expand_shape %most [[0, 1]] output_shape [16, 1] : tensor<16xf32> into tensor<16x1xf32>
  %guarded = linalg.generic {indexing_maps = [#r4, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%column, %p : tensor<16x1xf32>, tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%m: f32, %x: f32, %o: f32):
    %masked = arith.cmpf oeq, %m, %inf : f32
    %r = arith.select %masked, %zero, %x : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%guarded, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

// What is computed of the weights is the weight region. It sees weights of masked keys as well, so that a causal mask stays in the score region.
// CHECK-LABEL: @weights
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}} : tensor<16x16xf32>)
// CHECK-NOT: causal
// CHECK-SAME: score {
// CHECK: arith.select
// CHECK: } weight {
// CHECK: ^bb0(%[[P:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[G:.*]]: f32):
// CHECK: %[[R:.*]] = arith.addf %[[P]], %[[G]]
// CHECK: attn.yield %[[R]]
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @weights(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x16x8xf32>, %v: tensor<2x4x16x8xf32>, %gate: tensor<16x16xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %m = arith.mulf %x, %y : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %low = arith.constant 0xFF800000 : f32
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %c = arith.cmpi sle, %j, %i : index
    %r = arith.select %c, %x, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%t : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %w = linalg.generic {indexing_maps = [#id, #ij, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p, %gate : tensor<2x4x16x16xf32>, tensor<16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %g: f32, %o: f32):
    %r = arith.addf %x, %g : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %out = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%w, %v : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %m = arith.mulf %x, %y : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %out : tensor<2x4x16x8xf32>
}

// Luong's local-p: weights times a Gaussian around a place that is predicted for each query. The place is a capture, the Gaussian is computed of it.
// CHECK-LABEL: @local_window
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}} : tensor<2x16xf32>)
// CHECK-NOT: score {
// CHECK: weight {
// CHECK: ^bb0(%[[P:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[J:.*]]: index, %[[AT:.*]]: f32):
// CHECK: arith.index_cast %[[J]]
// CHECK: arith.subf %{{.*}}, %[[AT]]
// CHECK: %[[G:.*]] = math.exp
// CHECK: arith.mulf %[[P]], %[[G]]
// CHECK-NOT: attn.softmax
// CHECK: return
func.func @local_window(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x16x8xf32>, %at: tensor<2x16xf32>) -> tensor<2x4x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x16x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %is = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %io = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q, %k : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>) outs(%is : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %m = arith.mulf %x, %y : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = attn.softmax axis(3) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %w = linalg.generic {indexing_maps = [#id, affine_map<(b, h, i, j) -> (b, i)>, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p, %at : tensor<2x4x16x16xf32>, tensor<2x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %c: f32, %o: f32):
    %width = arith.constant -8.0 : f32
    %j = linalg.index 3 : index
    %n = arith.index_cast %j : index to i64
    %f = arith.sitofp %n : i64 to f32
    %d = arith.subf %f, %c : f32
    %square = arith.mulf %d, %d : f32
    %e = arith.divf %square, %width : f32
    %g = math.exp %e : f32
    %r = arith.mulf %x, %g : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %out = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%w, %k : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %m = arith.mulf %x, %y : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %out : tensor<2x4x16x8xf32>
}

// A bias that was unsqueezed for the batch is read as it was before; dims that a reshape splits are left alone.
// CHECK-LABEL: @captures_without_units
// CHECK: %[[SPLIT:.*]] = tensor.expand_shape
// CHECK: attn.attention
// CHECK-SAME: captures(%{{.*}}, %[[SPLIT]] : tensor<4x16x16xf32>, tensor<4x16xf32>)
// CHECK: return
func.func @captures_without_units(%q: tensor<2x4x16x8xf32>, %bias: tensor<4x16x16xf32>, %slopes: tensor<64xf32>) -> tensor<2x4x16x8xf32> {
  %whole = tensor.expand_shape %bias [[0, 1], [2], [3]] output_shape [1, 4, 16, 16] : tensor<4x16x16xf32> into tensor<1x4x16x16xf32>
  %split = tensor.expand_shape %slopes [[0, 1]] output_shape [4, 16] : tensor<64xf32> into tensor<4x16xf32>
  %eo = tensor.empty() : tensor<2x4x16x8xf32>
  %y = attn.attention ins(%q, %q, %q : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>)
      captures(%whole, %split : tensor<1x4x16x16xf32>, tensor<4x16xf32>) outs(%eo : tensor<2x4x16x8xf32>)
      {capture_maps = [affine_map<(b, h, i, j) -> (0, h, i, j)>, affine_map<(b, h, i, j) -> (h, j)>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %x: f32, %z: f32):
    %sum = arith.addf %s, %x : f32
    %all = arith.addf %sum, %z : f32
    attn.yield %all : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}
