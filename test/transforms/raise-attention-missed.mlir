// Each softmax that is not part of an attention says why, and stays.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(raise-attention))" --verify-diagnostics -o %t
// RUN: FileCheck %s < %t
// CHECK-NOT: attn.attention
// CHECK-COUNT-6: attn.softmax
// CHECK-NOT: attn.attention

#id = affine_map<(b, h, i, j) -> (b, h, i, j)>
#turned = affine_map<(b, h, i, j) -> (b, h, j, i)>
#q = affine_map<(b, h, i, j, d) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d) -> (b, h, j, d)>
#s = affine_map<(b, h, i, j, d) -> (b, h, i, j)>
#sv = affine_map<(b, h, i, e, j) -> (b, h, i, j)>
#v = affine_map<(b, h, i, e, j) -> (b, h, j, e)>
#o = affine_map<(b, h, i, e, j) -> (b, h, i, e)>

func.func private @use(tensor<2x4x16x16xf32>)

func.func @other_axis(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
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
  // expected-remark @+1 {{not raised to attention: it is not a softmax over the last dim}}
  %p = attn.softmax axis(2) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

func.func @turned_weights(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
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
  // expected-remark @+1 {{not raised to attention: its result is read in another order by an elementwise operation}}
  %p = attn.softmax axis(3) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %turned = linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %r = math.tanh %x : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%turned, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  return %y : tensor<2x4x16x8xf32>
}

func.func @gather_scores(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
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
  // expected-remark @+1 {{not raised to attention: the scores are read elsewhere too}}
  %p = attn.softmax axis(3) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  call @use(%s) : (tensor<2x4x16x16xf32>) -> ()
  return %y : tensor<2x4x16x8xf32>
}

func.func @weights_elsewhere(%q: tensor<2x4x16x8xf32>, %k0: tensor<2x4x16x8xf32>, %v0: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
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
  // expected-remark @+1 {{not raised to attention: its result is not read by exactly one product with values}}
  %p = attn.softmax axis(3) ins(%s : tensor<2x4x16x16xf32>) outs(%es : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = linalg.generic {indexing_maps = [#sv, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%p, %v0 : tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) outs(%io : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  call @use(%p) : (tensor<2x4x16x16xf32>) -> ()
  return %y : tensor<2x4x16x8xf32>
}

func.func @no_product(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-remark @+1 {{not raised to attention: its result is not read by exactly one product with values}}
  %0 = attn.softmax axis(1) ins(%x : tensor<4x8xf32>) outs(%x : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

func.func @rank_one(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-remark @+1 {{not raised to attention: scores of rank 1 are not rows of queries over keys}}
  %0 = attn.softmax axis(0) ins(%x : tensor<8xf32>) outs(%x : tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
