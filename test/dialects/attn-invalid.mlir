// One case a constraint and more; the label is in the message and in the function's name.
// RUN: fovea-opt %s --verify-diagnostics --split-input-file

func.func @attention_c1_query(%q: tensor<8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected query to have 4 dims, got 'tensor<8x16x64xf32>' [attention_c1]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c1_result(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x16x24xf32>) {
  // expected-error @+1 {{expected result to have 4 dims, got 'tensor<2x16x24xf32>' [attention_c1]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x16x24xf32>) -> tensor<2x16x24xf32>
  return
}

// -----

func.func @attention_c2_mixed(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf16>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected query, key, value and result to have one float type, got 'tensor<2x8x16x64xf32>', 'tensor<2x2x32x64xf16>', 'tensor<2x2x32x24xf32>' and 'tensor<2x8x16x24xf32>' [attention_c2]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf16>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c2_integers(%q: tensor<2x8x16x64xi32>, %k: tensor<2x2x32x64xi32>, %v: tensor<2x2x32x24xi32>, %init: tensor<2x8x16x24xi32>) {
  // expected-error @+1 {{expected query, key, value and result to have one float type, got 'tensor<2x8x16x64xi32>', 'tensor<2x2x32x64xi32>', 'tensor<2x2x32x24xi32>' and 'tensor<2x8x16x24xi32>' [attention_c2]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xi32>, tensor<2x2x32x64xi32>, tensor<2x2x32x24xi32>) outs(%init : tensor<2x8x16x24xi32>) -> tensor<2x8x16x24xi32>
  return
}

// -----

func.func @attention_c3(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x?xf32>) {
  // expected-error @+1 {{expected the init to have the result's type 'tensor<2x8x16x24xf32>', got 'tensor<2x8x16x?xf32>' [attention_c3]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x?xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c4(%q: tensor<2x8x16x64xf32>, %k: tensor<3x2x32x64xf32>, %v: tensor<3x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected one batch size, got 'tensor<2x8x16x64xf32>', 'tensor<3x2x32x64xf32>', 'tensor<3x2x32x24xf32>' and 'tensor<2x8x16x24xf32>' [attention_c4]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<3x2x32x64xf32>, tensor<3x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c5_multiple(%q: tensor<2x8x16x64xf32>, %k: tensor<2x3x32x64xf32>, %v: tensor<2x3x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected static heads, the query's a multiple of the key's and value's, got 'tensor<2x8x16x64xf32>', 'tensor<2x3x32x64xf32>', 'tensor<2x3x32x24xf32>' and 'tensor<2x8x16x24xf32>' [attention_c5]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x3x32x64xf32>, tensor<2x3x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c5_dynamic(%q: tensor<2x?x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x?x16x24xf32>) {
  // expected-error @+1 {{expected static heads, the query's a multiple of the key's and value's, got 'tensor<2x?x16x64xf32>', 'tensor<2x2x32x64xf32>', 'tensor<2x2x32x24xf32>' and 'tensor<2x?x16x24xf32>' [attention_c5]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x?x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x?x16x24xf32>) -> tensor<2x?x16x24xf32>
  return
}

// -----

func.func @attention_c5_none(%q: tensor<2x0x16x64xf32>, %k: tensor<2x0x32x64xf32>, %v: tensor<2x0x32x24xf32>, %init: tensor<2x0x16x24xf32>) {
  // expected-error @+1 {{expected static heads, the query's a multiple of the key's and value's, got 'tensor<2x0x16x64xf32>', 'tensor<2x0x32x64xf32>', 'tensor<2x0x32x24xf32>' and 'tensor<2x0x16x24xf32>' [attention_c5]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x0x16x64xf32>, tensor<2x0x32x64xf32>, tensor<2x0x32x24xf32>) outs(%init : tensor<2x0x16x24xf32>) -> tensor<2x0x16x24xf32>
  return
}

// -----

func.func @attention_c6_depth(%q: tensor<2x8x16x32xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected query B x H x M x D, key B x G x N x D, value B x G x N x E, result B x H x M x E, got 'tensor<2x8x16x32xf32>', 'tensor<2x2x32x64xf32>', 'tensor<2x2x32x24xf32>' and 'tensor<2x8x16x24xf32>' [attention_c6]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x32xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c6_keys(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x31x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected query B x H x M x D, key B x G x N x D, value B x G x N x E, result B x H x M x E, got 'tensor<2x8x16x64xf32>', 'tensor<2x2x32x64xf32>', 'tensor<2x2x31x24xf32>' and 'tensor<2x8x16x24xf32>' [attention_c6]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x31x24xf32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c6_queries(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x17x24xf32>) {
  // expected-error @+1 {{expected query B x H x M x D, key B x G x N x D, value B x G x N x E, result B x H x M x E, got 'tensor<2x8x16x64xf32>', 'tensor<2x2x32x64xf32>', 'tensor<2x2x32x24xf32>' and 'tensor<2x8x17x24xf32>' [attention_c6]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x17x24xf32>) -> tensor<2x8x17x24xf32>
  return
}

// -----

func.func @attention_c6_elements(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x25xf32>) {
  // expected-error @+1 {{expected query B x H x M x D, key B x G x N x D, value B x G x N x E, result B x H x M x E, got 'tensor<2x8x16x64xf32>', 'tensor<2x2x32x64xf32>', 'tensor<2x2x32x24xf32>' and 'tensor<2x8x16x25xf32>' [attention_c6]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x25xf32>) -> tensor<2x8x16x25xf32>
  return
}

// -----

func.func @attention_c7_arguments(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected the score region to have arguments ('f32', 'index', 'index', 'index', 'index'), got ('f32') [attention_c7]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) score {
  ^bb0(%s: f32):
    attn.yield %s : f32
  } -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c7_yield(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected the weight region to yield one 'f32' [attention_c7]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) weight {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    attn.yield %b : index
  } -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c7_yields_two(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected the score region to yield one 'f32' [attention_c7]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    attn.yield %s, %s : f32, f32
  } -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c7_combine(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected the combine region to have arguments ('f32', 'f32'), got ('f32') [attention_c7]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) combine {
  ^bb0(%x: f32):
    attn.yield %x : f32
  } -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c7_no_terminator(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected the score region to yield one 'f32' [attention_c7]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
  } -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c7_two_blocks(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected one block in the score region [attention_c7]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    cf.br ^bb1
  ^bb1:
    attn.yield %s : f32
  } -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c8_count(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected window to be [left, right], each at least -1 [attention_c8]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) {window = array<i64: 1>} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c8_negative(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected window to be [left, right], each at least -1 [attention_c8]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) {window = array<i64: 1, -2>} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c9_type(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{expected lengths to be a tensor of B i64, got 'tensor<2xi32>' [attention_c9]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) lengths(%n : tensor<2xi32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c9_size(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %n: tensor<3xi64>) {
  // expected-error @+1 {{expected lengths to be a tensor of B i64, got 'tensor<3xi64>' [attention_c9]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) lengths(%n : tensor<3xi64>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c10_count(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %c: tensor<32xf32>) {
  // expected-error @+1 {{expected one map for each capture, got 0 for 1 [attention_c10]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) captures(%c : tensor<32xf32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c10_dims(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %c: tensor<32xf32>) {
  // expected-error @+1 {{expected a map of (b, h, i, j) to the dims of 'tensor<32xf32>', got affine_map<(d0, d1) -> (d1)> [attention_c10]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) captures(%c : tensor<32xf32>) outs(%init : tensor<2x8x16x24xf32>) {capture_maps = [affine_map<(i, j) -> (j)>]} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c10_rank(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %c: tensor<32xf32>) {
  // expected-error @+1 {{expected a map of (b, h, i, j) to the dims of 'tensor<32xf32>', got affine_map<(d0, d1, d2, d3) -> (d2, d3)> [attention_c10]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) captures(%c : tensor<32xf32>) outs(%init : tensor<2x8x16x24xf32>) {capture_maps = [affine_map<(b, h, i, j) -> (i, j)>]} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c7_taps(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %t: tensor<2x8x16x32xf32>) {
  // expected-error @+1 {{expected the score region to yield 2 values of type 'f32', the score and one for each tap [attention_c7]}}
  %0:2 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init, %t : tensor<2x8x16x24xf32>, tensor<2x8x16x32xf32>) {extras = [#attn.extra<tap>]} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    attn.yield %s : f32
  } -> tensor<2x8x16x24xf32>, tensor<2x8x16x32xf32>
  return
}

// -----

func.func @attention_c7_untapped(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected the score region to yield one 'f32' [attention_c7]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    attn.yield %s, %s : f32, f32
  } -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c11_count(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected an init and a result for each of 1 extras, got 0 and 0 [attention_c11]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) {extras = [#attn.extra<lse>]} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c11_rank(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %l: tensor<2x8x16x32xf32>) {
  // expected-error @+1 {{expected init and result of lse to be B x H x M of the score or the element type, got 'tensor<2x8x16x32xf32>' and 'tensor<2x8x16x32xf32>' [attention_c11]}}
  %0:2 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init, %l : tensor<2x8x16x24xf32>, tensor<2x8x16x32xf32>) {extras = [#attn.extra<lse>]} -> tensor<2x8x16x24xf32>, tensor<2x8x16x32xf32>
  return
}

// -----

func.func @attention_c11_sizes(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %w: tensor<2x8x16x31xf32>) {
  // expected-error @+1 {{expected init and result of weights to be B x H x M x N of the score or the element type, got 'tensor<2x8x16x31xf32>' and 'tensor<2x8x16x31xf32>' [attention_c11]}}
  %0:2 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init, %w : tensor<2x8x16x24xf32>, tensor<2x8x16x31xf32>) {extras = [#attn.extra<weights>]} -> tensor<2x8x16x24xf32>, tensor<2x8x16x31xf32>
  return
}

// -----

func.func @attention_c11_type(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %m: tensor<2x8x16xf64>) {
  // expected-error @+1 {{expected init and result of row_max to be B x H x M of the score or the element type, got 'tensor<2x8x16xf64>' and 'tensor<2x8x16xf64>' [attention_c11]}}
  %0:2 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init, %m : tensor<2x8x16x24xf32>, tensor<2x8x16xf64>) {extras = [#attn.extra<row_max>]} -> tensor<2x8x16x24xf32>, tensor<2x8x16xf64>
  return
}

// -----

func.func @attention_c11_normalizer(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %l: tensor<2x8x16xf32>) {
  // expected-error @+1 {{expected softmax, which alone has lse, got sigmoid [attention_c11]}}
  %0:2 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init, %l : tensor<2x8x16x24xf32>, tensor<2x8x16xf32>) {extras = [#attn.extra<lse>], normalizer = #attn.normalizer<sigmoid>} -> tensor<2x8x16x24xf32>, tensor<2x8x16xf32>
  return
}

// -----

func.func @attention_c11_tap(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %t: tensor<2x8x16x32xf32>) {
  // expected-error @+1 {{expected a score region that yields what is tapped [attention_c11]}}
  %0:2 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init, %t : tensor<2x8x16x24xf32>, tensor<2x8x16x32xf32>) {extras = [#attn.extra<tap>]} -> tensor<2x8x16x24xf32>, tensor<2x8x16x32xf32>
  return
}

// -----

func.func @attention_c12_type(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %o: tensor<2xi32>) {
  // expected-error @+1 {{expected offset to be a tensor of B i64, got 'tensor<2xi32>' [attention_c12]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) offset(%o : tensor<2xi32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c12_size(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %o: tensor<3xi64>) {
  // expected-error @+1 {{expected offset to be a tensor of B i64, got 'tensor<3xi64>' [attention_c12]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) offset(%o : tensor<3xi64>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c12_alignment(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %o: tensor<2xi64>) {
  // expected-error @+1 {{expected causal to be none or top_left, as the offset aligns, got bottom_right [attention_c12]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) offset(%o : tensor<2xi64>) outs(%init : tensor<2x8x16x24xf32>) {causal = #attn.causal<bottom_right>} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c13_size(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %s: tensor<2xf32>) {
  // expected-error @+1 {{expected sinks to be a tensor of H numbers of the score or the element type, got 'tensor<2xf32>' [attention_c13]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) sinks(%s : tensor<2xf32>) outs(%init : tensor<2x8x16x24xf32>) -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c13_normalizer(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %s: tensor<8xf32>) {
  // expected-error @+1 {{expected softmax, which alone has sinks, got none [attention_c13]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) sinks(%s : tensor<8xf32>) outs(%init : tensor<2x8x16x24xf32>) {normalizer = #attn.normalizer<none>} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c14_sizes(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %m: tensor<1x8x3x4xi1>) {
  // expected-error @+1 {{expected the block mask to be (B or 1) x (H or 1) x ceil(M / 5) x ceil(N / 8) i1, got 'tensor<1x8x3x4xi1>' [attention_c14]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block_mask(%m : tensor<1x8x3x4xi1>) outs(%init : tensor<2x8x16x24xf32>) {block = array<i64: 5, 8>} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c14_heads(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %m: tensor<1x2x4x4xi1>) {
  // expected-error @+1 {{expected the block mask to be (B or 1) x (H or 1) x ceil(M / 4) x ceil(N / 8) i1, got 'tensor<1x2x4x4xi1>' [attention_c14]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block_mask(%m : tensor<1x2x4x4xi1>) outs(%init : tensor<2x8x16x24xf32>) {block = array<i64: 4, 8>} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c14_block(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>, %m: tensor<1x1x4x4xi1>) {
  // expected-error @+1 {{expected block to be [queries, keys], each at least 1, got [4, 0] [attention_c14]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block_mask(%m : tensor<1x1x4x4xi1>) outs(%init : tensor<2x8x16x24xf32>) {block = array<i64: 4, 0>} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @attention_c14_unmasked(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %init: tensor<2x8x16x24xf32>) {
  // expected-error @+1 {{expected a block mask for blocks of [4, 8] [attention_c14]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) outs(%init : tensor<2x8x16x24xf32>) {block = array<i64: 4, 8>} -> tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c1_sum(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16x1xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected sum to have 3 dims, got 'tensor<2x8x16x1xf32>' [online_attention_c1]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16x1xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16x1xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c1_key(%q: tensor<2x8x16x64xf32>, %k: tensor<2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected key to have 4 dims, got 'tensor<2x32x64xf32>' [online_attention_c1]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x32x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c2_mixed(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf16>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected query, key and value to have one float type, got 'tensor<2x8x16x64xf32>', 'tensor<2x2x32x64xf16>' and 'tensor<2x2x32x24xf32>' [online_attention_c2]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf16>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c2_state(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf64>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected max, sum and accumulator to have elements of the score type 'f32', got 'tensor<2x8x16xf64>', 'tensor<2x8x16xf32>' and 'tensor<2x8x16x24xf32>' [online_attention_c2]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf64>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf64>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c3(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected results of the types of max, sum and accumulator, got 'tensor<2x8x16xf32>', 'tensor<2x8x16xf32>', 'tensor<2x8x?x24xf32>' [online_attention_c3]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x?x24xf32>
  return
}

// -----

func.func @online_attention_c4(%q: tensor<2x8x16x64xf32>, %k: tensor<3x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected one batch size, got 'tensor<2x8x16x64xf32>', 'tensor<3x2x32x64xf32>', 'tensor<2x2x32x24xf32>' and 'tensor<2x8x16x24xf32>' [online_attention_c4]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<3x2x32x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c5(%q: tensor<2x8x16x64xf32>, %k: tensor<2x3x32x64xf32>, %v: tensor<2x3x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected static heads, the query's a multiple of the key's and value's, got 'tensor<2x8x16x64xf32>', 'tensor<2x3x32x64xf32>', 'tensor<2x3x32x24xf32>' and 'tensor<2x8x16x24xf32>' [online_attention_c5]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x3x32x64xf32>, tensor<2x3x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c6_keys(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x33x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected query B x H x M x D, key B x G x T x D, value B x G x T x E, accumulator B x H x M x E, got 'tensor<2x8x16x64xf32>', 'tensor<2x2x33x64xf32>', 'tensor<2x2x32x24xf32>' and 'tensor<2x8x16x24xf32>' [online_attention_c6]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x33x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c6_state(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x17xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected max and sum B x H x M, got 'tensor<2x8x16xf32>' and 'tensor<2x8x17xf32>' beside 'tensor<2x8x16x24xf32>' [online_attention_c6]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x17xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x17xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c7(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected the score region to yield one 'f32' [online_attention_c7]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) score {
  ^bb0(%x: f32, %b: index, %h: index, %i: index, %j: index):
    attn.yield %j : index
  } -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c8(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %n: index) {
  // expected-error @+1 {{expected window to be [left, right], each at least -1 [online_attention_c8]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) {window = array<i64: -2, 0>} -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c9(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %l: tensor<2xi32>, %n: index) {
  // expected-error @+1 {{expected lengths to be a tensor of B i64, got 'tensor<2xi32>' [online_attention_c9]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) lengths(%l : tensor<2xi32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @online_attention_c10(%q: tensor<2x8x16x64xf32>, %k: tensor<2x2x32x64xf32>, %v: tensor<2x2x32x24xf32>, %m: tensor<2x8x16xf32>, %s: tensor<2x8x16xf32>, %a: tensor<2x8x16x24xf32>, %c: tensor<32xf32>, %n: index) {
  // expected-error @+1 {{expected one map for each capture, got 0 for 1 [online_attention_c10]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16x64xf32>, tensor<2x2x32x64xf32>, tensor<2x2x32x24xf32>) captures(%c : tensor<32xf32>) block(%n of %n) outs(%m, %s, %a : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>) -> tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16x24xf32>
  return
}

// -----

func.func @softmax_c1_init(%x: tensor<2x8xf32>, %i: tensor<2x9xf32>) {
  // expected-error @+1 {{expected source, init and result to have one float type, got 'tensor<2x8xf32>', 'tensor<2x9xf32>' and 'tensor<2x8xf32>' [softmax_c1]}}
  %0 = attn.softmax axis(1) ins(%x : tensor<2x8xf32>) outs(%i : tensor<2x9xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @softmax_c1_integers(%x: tensor<2x8xi64>) {
  // expected-error @+1 {{expected source, init and result to have one float type, got 'tensor<2x8xi64>', 'tensor<2x8xi64>' and 'tensor<2x8xi64>' [softmax_c1]}}
  %0 = attn.softmax axis(1) ins(%x : tensor<2x8xi64>) outs(%x : tensor<2x8xi64>) -> tensor<2x8xi64>
  return
}

// -----

func.func @softmax_c2_axis(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{expected axis in [0, 2), got 2 [softmax_c2]}}
  %0 = attn.softmax axis(2) ins(%x : tensor<2x8xf32>) outs(%x : tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c1_init(%x: tensor<2x8xf32>, %i: tensor<2x9xf32>) {
  // expected-error @+1 {{expected source, init and result to have one float type, got 'tensor<2x8xf32>', 'tensor<2x9xf32>' and 'tensor<2x8xf32>' [layer_norm_c1]}}
  %0 = attn.layer_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) outs(%i : tensor<2x9xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c1_integers(%x: tensor<2x8xi64>) {
  // expected-error @+1 {{expected source, init and result to have one float type, got 'tensor<2x8xi64>', 'tensor<2x8xi64>' and 'tensor<2x8xi64>' [layer_norm_c1]}}
  %0 = attn.layer_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xi64>) outs(%x : tensor<2x8xi64>) -> tensor<2x8xi64>
  return
}

// -----

func.func @layer_norm_c2_axis(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{expected axis in [0, 2), got 2 [layer_norm_c2]}}
  %0 = attn.layer_norm axis(2) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) outs(%x : tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c1_init(%x: tensor<2x8xf32>, %i: tensor<2x9xf32>) {
  // expected-error @+1 {{expected source, init and result to have one float type, got 'tensor<2x8xf32>', 'tensor<2x9xf32>' and 'tensor<2x8xf32>' [rms_norm_c1]}}
  %0 = attn.rms_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) outs(%i : tensor<2x9xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c1_integers(%x: tensor<2x8xi64>) {
  // expected-error @+1 {{expected source, init and result to have one float type, got 'tensor<2x8xi64>', 'tensor<2x8xi64>' and 'tensor<2x8xi64>' [rms_norm_c1]}}
  %0 = attn.rms_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xi64>) outs(%x : tensor<2x8xi64>) -> tensor<2x8xi64>
  return
}

// -----

func.func @rms_norm_c2_axis(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{expected axis in [0, 2), got 2 [rms_norm_c2]}}
  %0 = attn.rms_norm axis(2) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) outs(%x : tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c2_scale(%x: tensor<2x8xf32>, %s: tensor<9xf32>) {
  // expected-error @+1 {{expected scale to have the dims of 'tensor<2x8xf32>' from 1 on, got 'tensor<9xf32>' [layer_norm_c2]}}
  %0 = attn.layer_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) scale(%s : tensor<9xf32>) outs(%x : tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c2_element(%x: tensor<2x8xf32>, %s: tensor<8xf16>) {
  // expected-error @+1 {{expected scale to have the dims of 'tensor<2x8xf32>' from 1 on, got 'tensor<8xf16>' [layer_norm_c2]}}
  %0 = attn.layer_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) scale(%s : tensor<8xf16>) outs(%x : tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c2_scale(%x: tensor<2x8xf32>, %s: tensor<9xf32>) {
  // expected-error @+1 {{expected scale to have the dims of 'tensor<2x8xf32>' from 1 on, got 'tensor<9xf32>' [rms_norm_c2]}}
  %0 = attn.rms_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) scale(%s : tensor<9xf32>) outs(%x : tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c2_element(%x: tensor<2x8xf32>, %s: tensor<8xf16>) {
  // expected-error @+1 {{expected scale to have the dims of 'tensor<2x8xf32>' from 1 on, got 'tensor<8xf16>' [rms_norm_c2]}}
  %0 = attn.rms_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) scale(%s : tensor<8xf16>) outs(%x : tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c2_bias(%x: tensor<2x8xf32>, %s: tensor<2x8xf32>) {
  // expected-error @+1 {{expected bias to have the dims of 'tensor<2x8xf32>' from 1 on, got 'tensor<2x8xf32>' [layer_norm_c2]}}
  %0 = attn.layer_norm axis(1) epsilon(1.0e-5) ins(%x : tensor<2x8xf32>) bias(%s : tensor<2x8xf32>) outs(%x : tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rotary_embedding_c1(%x: tensor<2x4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %i: tensor<2x4x9xf32>) {
  // expected-error @+1 {{expected source, init and result to have one float type, got 'tensor<2x4x8xf32>', 'tensor<2x4x9xf32>' and 'tensor<2x4x8xf32>' [rotary_embedding_c1]}}
  %0 = attn.rotary_embedding ins(%x, %c, %s : tensor<2x4x8xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<2x4x9xf32>) {table_map = affine_map<(b, p) -> (p)>} -> tensor<2x4x8xf32>
  return
}

// -----

func.func @rotary_embedding_c2_odd(%x: tensor<2x4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %i: tensor<2x4x8xf32>) {
  // expected-error @+1 {{expected an even rotary_dim up to 8, got 3 [rotary_embedding_c2]}}
  %0 = attn.rotary_embedding ins(%x, %c, %s : tensor<2x4x8xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<2x4x8xf32>) {table_map = affine_map<(b, p) -> (p)>, rotary_dim = 3 : i64} -> tensor<2x4x8xf32>
  return
}

// -----

func.func @rotary_embedding_c2_large(%x: tensor<2x4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %i: tensor<2x4x8xf32>) {
  // expected-error @+1 {{expected an even rotary_dim up to 8, got 10 [rotary_embedding_c2]}}
  %0 = attn.rotary_embedding ins(%x, %c, %s : tensor<2x4x8xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<2x4x8xf32>) {table_map = affine_map<(b, p) -> (p)>, rotary_dim = 10 : i64} -> tensor<2x4x8xf32>
  return
}

// -----

func.func @rotary_embedding_c2_dynamic(%x: tensor<2x4x?xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %i: tensor<2x4x?xf32>) {
  // expected-error @+1 {{expected a static last dim, got 'tensor<2x4x?xf32>' [rotary_embedding_c2]}}
  %0 = attn.rotary_embedding ins(%x, %c, %s : tensor<2x4x?xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<2x4x?xf32>) {table_map = affine_map<(b, p) -> (p)>} -> tensor<2x4x?xf32>
  return
}

// -----

func.func @rotary_embedding_c3_entries(%x: tensor<2x4x8xf32>, %c: tensor<4x5xf32>, %s: tensor<4x5xf32>, %i: tensor<2x4x8xf32>) {
  // expected-error @+1 {{expected cos and sin of one type with 8 or 4 elements in the last dim, got 'tensor<4x5xf32>' and 'tensor<4x5xf32>' [rotary_embedding_c3]}}
  %0 = attn.rotary_embedding ins(%x, %c, %s : tensor<2x4x8xf32>, tensor<4x5xf32>, tensor<4x5xf32>) outs(%i : tensor<2x4x8xf32>) {table_map = affine_map<(b, p) -> (p)>} -> tensor<2x4x8xf32>
  return
}

// -----

func.func @rotary_embedding_c3_types(%x: tensor<2x4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x8xf32>, %i: tensor<2x4x8xf32>) {
  // expected-error @+1 {{expected cos and sin of one type with 8 or 4 elements in the last dim, got 'tensor<4x4xf32>' and 'tensor<4x8xf32>' [rotary_embedding_c3]}}
  %0 = attn.rotary_embedding ins(%x, %c, %s : tensor<2x4x8xf32>, tensor<4x4xf32>, tensor<4x8xf32>) outs(%i : tensor<2x4x8xf32>) {table_map = affine_map<(b, p) -> (p)>} -> tensor<2x4x8xf32>
  return
}

// -----

func.func @rotary_embedding_c4_dims(%x: tensor<2x4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %i: tensor<2x4x8xf32>) {
  // expected-error @+1 {{expected table_map to take the 2 leading dims of the source to the 1 leading dims of the tables, got affine_map<(d0) -> (d0)> [rotary_embedding_c4]}}
  %0 = attn.rotary_embedding ins(%x, %c, %s : tensor<2x4x8xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<2x4x8xf32>) {table_map = affine_map<(p) -> (p)>} -> tensor<2x4x8xf32>
  return
}

// -----

func.func @rotary_embedding_c4_results(%x: tensor<2x4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %i: tensor<2x4x8xf32>) {
  // expected-error @+1 {{expected table_map to take the 2 leading dims of the source to the 1 leading dims of the tables, got affine_map<(d0, d1) -> (d0, d1)> [rotary_embedding_c4]}}
  %0 = attn.rotary_embedding ins(%x, %c, %s : tensor<2x4x8xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<2x4x8xf32>) {table_map = affine_map<(b, p) -> (b, p)>} -> tensor<2x4x8xf32>
  return
}

// -----

func.func @detr_cost_c1_rank(%logits: tensor<2x7xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got 'tensor<2x7xf32>', 'tensor<2x7x4xf32>', 'tensor<2x3xi64>' and 'tensor<2x3x4xf32>' [detr_cost_c1]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @detr_cost_c1_four(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x5xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got 'tensor<2x7x5xf32>', 'tensor<2x7x5xf32>', 'tensor<2x3xi64>' and 'tensor<2x3x4xf32>' [detr_cost_c1]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x5xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @detr_cost_c1_targets(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x4xi64>, %targets: tensor<2x3x4xf32>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got 'tensor<2x7x5xf32>', 'tensor<2x7x4xf32>', 'tensor<2x4xi64>' and 'tensor<2x3x4xf32>' [detr_cost_c1]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x4xi64>, tensor<2x3x4xf32>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @detr_cost_c1_batch(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<3x3x4xf32>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got 'tensor<2x7x5xf32>', 'tensor<2x7x4xf32>', 'tensor<2x3xi64>' and 'tensor<3x3x4xf32>' [detr_cost_c1]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<3x3x4xf32>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @detr_cost_c2_mixed(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf64>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected logits, boxes, targets and result to be all f32 or all f64 and labels i64, got 'tensor<2x7x5xf32>', 'tensor<2x7x4xf64>', 'tensor<2x3x4xf32>', 'tensor<2x7x3xf32>' and 'tensor<2x3xi64>' [detr_cost_c2]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf64>, tensor<2x3xi64>, tensor<2x3x4xf32>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @detr_cost_c2_labels(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi32>, %targets: tensor<2x3x4xf32>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected logits, boxes, targets and result to be all f32 or all f64 and labels i64, got 'tensor<2x7x5xf32>', 'tensor<2x7x4xf32>', 'tensor<2x3x4xf32>', 'tensor<2x7x3xf32>' and 'tensor<2x3xi32>' [detr_cost_c2]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi32>, tensor<2x3x4xf32>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @detr_cost_c2_half(%logits: tensor<2x7x5xf16>, %boxes: tensor<2x7x4xf16>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf16>, %init: tensor<2x7x3xf16>) {
  // expected-error @+1 {{expected logits, boxes, targets and result to be all f32 or all f64 and labels i64, got 'tensor<2x7x5xf16>', 'tensor<2x7x4xf16>', 'tensor<2x3x4xf16>', 'tensor<2x7x3xf16>' and 'tensor<2x3xi64>' [detr_cost_c2]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf16>, tensor<2x7x4xf16>, tensor<2x3xi64>, tensor<2x3x4xf16>) outs(%init : tensor<2x7x3xf16>) -> tensor<2x7x3xf16>
  return
}

// -----

func.func @set_loss_c1_rank(%logits: tensor<2x7xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got 'tensor<2x7xf32>', 'tensor<2x7x4xf32>', 'tensor<2x3xi64>' and 'tensor<2x3x4xf32>' [set_loss_c1]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @set_loss_c1_four(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x5xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got 'tensor<2x7x5xf32>', 'tensor<2x7x5xf32>', 'tensor<2x3xi64>' and 'tensor<2x3x4xf32>' [set_loss_c1]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x5xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @set_loss_c1_targets(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x4xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got 'tensor<2x7x5xf32>', 'tensor<2x7x4xf32>', 'tensor<2x4xi64>' and 'tensor<2x3x4xf32>' [set_loss_c1]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x4xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @set_loss_c1_batch(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<3x3x4xf32>, %columns: tensor<2x7xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected logits B x Q x K, boxes B x Q x 4, labels B x T and targets B x T x 4, got 'tensor<2x7x5xf32>', 'tensor<2x7x4xf32>', 'tensor<2x3xi64>' and 'tensor<3x3x4xf32>' [set_loss_c1]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<3x3x4xf32>, tensor<2x7xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @set_loss_c2_mixed(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf64>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected logits, boxes, targets and result to be all f32 or all f64 and labels i64, got 'tensor<2x7x5xf32>', 'tensor<2x7x4xf64>', 'tensor<2x3x4xf32>', 'tensor<3xf32>' and 'tensor<2x3xi64>' [set_loss_c2]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf64>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @set_loss_c2_labels(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi32>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected logits, boxes, targets and result to be all f32 or all f64 and labels i64, got 'tensor<2x7x5xf32>', 'tensor<2x7x4xf32>', 'tensor<2x3x4xf32>', 'tensor<3xf32>' and 'tensor<2x3xi32>' [set_loss_c2]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi32>, tensor<2x3x4xf32>, tensor<2x7xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @set_loss_c2_half(%logits: tensor<2x7x5xf16>, %boxes: tensor<2x7x4xf16>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf16>, %columns: tensor<2x7xi64>, %init: tensor<3xf16>) {
  // expected-error @+1 {{expected logits, boxes, targets and result to be all f32 or all f64 and labels i64, got 'tensor<2x7x5xf16>', 'tensor<2x7x4xf16>', 'tensor<2x3x4xf16>', 'tensor<3xf16>' and 'tensor<2x3xi64>' [set_loss_c2]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf16>, tensor<2x7x4xf16>, tensor<2x3xi64>, tensor<2x3x4xf16>, tensor<2x7xi64>) outs(%init : tensor<3xf16>) -> tensor<3xf16>
  return
}

// -----

func.func @detr_cost_c3_shape(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %init: tensor<2x3x7xf32>) {
  // expected-error @+1 {{expected init and result to be of one type B x Q x T, got 'tensor<2x3x7xf32>' and 'tensor<2x3x7xf32>' [detr_cost_c3]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>) outs(%init : tensor<2x3x7xf32>) -> tensor<2x3x7xf32>
  return
}

// -----

func.func @detr_cost_c3_init(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %init: tensor<2x7x?xf32>) {
  // expected-error @+1 {{expected init and result to be of one type B x Q x T, got 'tensor<2x7x?xf32>' and 'tensor<2x7x3xf32>' [detr_cost_c3]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>) outs(%init : tensor<2x7x?xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @detr_cost_c4_size(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %n: tensor<3xi64>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<3xi64>' [detr_cost_c4]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>) counts(%n : tensor<3xi64>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @bipartite_match_c4_size(%cost: tensor<2x7x3xf32>, %n: tensor<3xi64>, %i: tensor<2x7xi64>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<3xi64>' [bipartite_match_c4]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) counts(%n : tensor<3xi64>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return
}

// -----

func.func @set_loss_c5_size(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %n: tensor<3xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<3xi64>' [set_loss_c5]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) counts(%n : tensor<3xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @detr_cost_c4_type(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %n: tensor<2xi32>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<2xi32>' [detr_cost_c4]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>) counts(%n : tensor<2xi32>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @bipartite_match_c4_type(%cost: tensor<2x7x3xf32>, %n: tensor<2xi32>, %i: tensor<2x7xi64>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<2xi32>' [bipartite_match_c4]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) counts(%n : tensor<2xi32>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return
}

// -----

func.func @set_loss_c5_type(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %n: tensor<2xi32>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<2xi32>' [set_loss_c5]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) counts(%n : tensor<2xi32>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @detr_cost_c4_rank(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %n: tensor<2x1xi64>, %init: tensor<2x7x3xf32>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<2x1xi64>' [detr_cost_c4]}}
  %0 = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>) counts(%n : tensor<2x1xi64>) outs(%init : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  return
}

// -----

func.func @bipartite_match_c4_rank(%cost: tensor<2x7x3xf32>, %n: tensor<2x1xi64>, %i: tensor<2x7xi64>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<2x1xi64>' [bipartite_match_c4]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) counts(%n : tensor<2x1xi64>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return
}

// -----

func.func @set_loss_c5_rank(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %n: tensor<2x1xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected counts to be a tensor of B i64, got 'tensor<2x1xi64>' [set_loss_c5]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) counts(%n : tensor<2x1xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @bipartite_match_c1_rank(%cost: tensor<7x3xf32>, %i: tensor<2x7xi64>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected cost to be a tensor of B x R x C f32, f64, i32 or i64, got 'tensor<7x3xf32>' [bipartite_match_c1]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<7x3xf32>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return
}

// -----

func.func @bipartite_match_c1_half(%cost: tensor<2x7x3xf16>, %i: tensor<2x7xi64>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected cost to be a tensor of B x R x C f32, f64, i32 or i64, got 'tensor<2x7x3xf16>' [bipartite_match_c1]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf16>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return
}

// -----

func.func @bipartite_match_c1_narrow(%cost: tensor<2x7x3xi8>, %i: tensor<2x7xi64>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected cost to be a tensor of B x R x C f32, f64, i32 or i64, got 'tensor<2x7x3xi8>' [bipartite_match_c1]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xi8>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return
}

// -----

func.func @bipartite_match_c2_rows(%cost: tensor<2x7x3xf32>, %i: tensor<2x3xi64>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected columns to be B x R i64 and status B i64, got 'tensor<2x3xi64>' and 'tensor<2xi64>' [bipartite_match_c2]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) outs(%i, %s : tensor<2x3xi64>, tensor<2xi64>) -> tensor<2x3xi64>, tensor<2xi64>
  return
}

// -----

func.func @bipartite_match_c2_type(%cost: tensor<2x7x3xf32>, %i: tensor<2x7xi32>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected columns to be B x R i64 and status B i64, got 'tensor<2x7xi32>' and 'tensor<2xi64>' [bipartite_match_c2]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) outs(%i, %s : tensor<2x7xi32>, tensor<2xi64>) -> tensor<2x7xi32>, tensor<2xi64>
  return
}

// -----

func.func @bipartite_match_c2_status(%cost: tensor<2x7x3xf32>, %i: tensor<2x7xi64>, %s: tensor<3xi64>) {
  // expected-error @+1 {{expected columns to be B x R i64 and status B i64, got 'tensor<2x7xi64>' and 'tensor<3xi64>' [bipartite_match_c2]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) outs(%i, %s : tensor<2x7xi64>, tensor<3xi64>) -> tensor<2x7xi64>, tensor<3xi64>
  return
}

// -----

func.func @bipartite_match_c2_status_type(%cost: tensor<2x7x3xf32>, %i: tensor<2x7xi64>, %s: tensor<2xi1>) {
  // expected-error @+1 {{expected columns to be B x R i64 and status B i64, got 'tensor<2x7xi64>' and 'tensor<2xi1>' [bipartite_match_c2]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi1>) -> tensor<2x7xi64>, tensor<2xi1>
  return
}

// -----

func.func @bipartite_match_c3(%cost: tensor<2x7x3xf32>, %i: tensor<2x?xi64>, %s: tensor<2xi64>) {
  // expected-error @+1 {{expected the inits to have the results' types 'tensor<2x7xi64>' and 'tensor<2xi64>', got 'tensor<2x?xi64>' and 'tensor<2xi64>' [bipartite_match_c3]}}
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) outs(%i, %s : tensor<2x?xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return
}

// -----

func.func @set_loss_c3_shape(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %init: tensor<4xf32>) {
  // expected-error @+1 {{expected init and result to be of one type with 3 elements, got 'tensor<4xf32>' and 'tensor<4xf32>' [set_loss_c3]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @set_loss_c3_init(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>, %init: tensor<?xf32>) {
  // expected-error @+1 {{expected init and result to be of one type with 3 elements, got 'tensor<?xf32>' and 'tensor<3xf32>' [set_loss_c3]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>) outs(%init : tensor<?xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @set_loss_c4_size(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x6xi64>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected columns to be a tensor of B x Q i64, got 'tensor<2x6xi64>' [set_loss_c4]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x6xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @set_loss_c4_type(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi32>, %init: tensor<3xf32>) {
  // expected-error @+1 {{expected columns to be a tensor of B x Q i64, got 'tensor<2x7xi32>' [set_loss_c4]}}
  %0 = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi32>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @sinusoidal_encoding_c1_half(%p: tensor<3xi64>, %i: tensor<3x8xf16>) {
  // expected-error @+1 {{expected init and result to have one type of f32 or f64, got 'tensor<3x8xf16>' and 'tensor<3x8xf16>' [sinusoidal_encoding_c1]}}
  %0 = attn.sinusoidal_encoding ins(%p : tensor<3xi64>) outs(%i : tensor<3x8xf16>) -> tensor<3x8xf16>
  return
}

// -----

func.func @sinusoidal_encoding_c1_init(%p: tensor<3xi64>, %i: tensor<3x?xf32>) {
  // expected-error @+1 {{expected init and result to have one type of f32 or f64, got 'tensor<3x?xf32>' and 'tensor<3x8xf32>' [sinusoidal_encoding_c1]}}
  %0 = attn.sinusoidal_encoding ins(%p : tensor<3xi64>) outs(%i : tensor<3x?xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @sinusoidal_encoding_c2_element(%p: tensor<3xi32>, %i: tensor<3x8xf32>) {
  // expected-error @+1 {{expected positions of i64 or the result's type with all dims but the last of 'tensor<3x8xf32>', got 'tensor<3xi32>' [sinusoidal_encoding_c2]}}
  %0 = attn.sinusoidal_encoding ins(%p : tensor<3xi32>) outs(%i : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @sinusoidal_encoding_c2_dims(%p: tensor<4xi64>, %i: tensor<3x8xf32>) {
  // expected-error @+1 {{expected positions of i64 or the result's type with all dims but the last of 'tensor<3x8xf32>', got 'tensor<4xi64>' [sinusoidal_encoding_c2]}}
  %0 = attn.sinusoidal_encoding ins(%p : tensor<4xi64>) outs(%i : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @sinusoidal_encoding_c2_none(%p: tensor<3xi64>, %i: tensor<3x8xf32>) {
  // expected-error @+1 {{expected positions along at least one axis [sinusoidal_encoding_c2]}}
  %0 = "attn.sinusoidal_encoding"(%i) : (tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @sinusoidal_encoding_c3_odd(%p: tensor<3xi64>, %i: tensor<3x7xf32>) {
  // expected-error @+1 {{expected a static last dim that divides by 2, got 'tensor<3x7xf32>' [sinusoidal_encoding_c3]}}
  %0 = attn.sinusoidal_encoding ins(%p : tensor<3xi64>) outs(%i : tensor<3x7xf32>) -> tensor<3x7xf32>
  return
}

// -----

func.func @sinusoidal_encoding_c3_dynamic(%p: tensor<3xi64>, %i: tensor<3x?xf32>) {
  // expected-error @+1 {{expected a static last dim that divides by 2, got 'tensor<3x?xf32>' [sinusoidal_encoding_c3]}}
  %0 = attn.sinusoidal_encoding ins(%p : tensor<3xi64>) outs(%i : tensor<3x?xf32>) -> tensor<3x?xf32>
  return
}

// -----

func.func @sinusoidal_encoding_c3_axes(%p: tensor<3xi64>, %i: tensor<3x6xf32>) {
  // expected-error @+1 {{expected a static last dim that divides by 4, got 'tensor<3x6xf32>' [sinusoidal_encoding_c3]}}
  %0 = attn.sinusoidal_encoding ins(%p, %p : tensor<3xi64>, tensor<3xi64>) outs(%i : tensor<3x6xf32>) -> tensor<3x6xf32>
  return
}

// -----

func.func @sinusoidal_encoding_c4(%p: tensor<3xi64>, %i: tensor<3x8xf32>) {
  // expected-error @+1 {{expected a positive temperature, got 0.000000e+00 [sinusoidal_encoding_c4]}}
  %0 = attn.sinusoidal_encoding ins(%p : tensor<3xi64>) outs(%i : tensor<3x8xf32>) {temperature = 0.0 : f64} -> tensor<3x8xf32>
  return
}

// -----

func.func @mask_positions_c1_mask(%m: tensor<2x3xi8>, %i: tensor<2x3xf32>) {
  // expected-error @+1 {{expected init and result of one type of f32 or f64 with the dims of a mask of i1, got 'tensor<2x3xf32>', 'tensor<2x3xf32>' and 'tensor<2x3xi8>' [mask_positions_c1]}}
  %0 = attn.mask_positions axis(1) ins(%m : tensor<2x3xi8>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @mask_positions_c1_dims(%m: tensor<2x3xi1>, %i: tensor<2x4xf32>) {
  // expected-error @+1 {{expected init and result of one type of f32 or f64 with the dims of a mask of i1, got 'tensor<2x4xf32>', 'tensor<2x4xf32>' and 'tensor<2x3xi1>' [mask_positions_c1]}}
  %0 = attn.mask_positions axis(1) ins(%m : tensor<2x3xi1>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @mask_positions_c1_half(%m: tensor<2x3xi1>, %i: tensor<2x3xf16>) {
  // expected-error @+1 {{expected init and result of one type of f32 or f64 with the dims of a mask of i1, got 'tensor<2x3xf16>', 'tensor<2x3xf16>' and 'tensor<2x3xi1>' [mask_positions_c1]}}
  %0 = attn.mask_positions axis(1) ins(%m : tensor<2x3xi1>) outs(%i : tensor<2x3xf16>) -> tensor<2x3xf16>
  return
}

// -----

func.func @mask_positions_c2(%m: tensor<2x3xi1>, %i: tensor<2x3xf32>) {
  // expected-error @+1 {{expected axis in [0, 2), got 2 [mask_positions_c2]}}
  %0 = attn.mask_positions axis(2) ins(%m : tensor<2x3xi1>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @learned_encoding_c1_mixed(%t: tensor<9x5xf64>, %p: tensor<3xi64>, %i: tensor<3x5xf32>) {
  // expected-error @+1 {{expected table, init and result to be all f32 or all f64, init and result of one type, got 'tensor<9x5xf64>', 'tensor<3x5xf32>' and 'tensor<3x5xf32>' [learned_encoding_c1]}}
  %0 = attn.learned_encoding ins(%t : tensor<9x5xf64>) positions(%p : tensor<3xi64>) outs(%i : tensor<3x5xf32>) {offset = 0 : i64} -> tensor<3x5xf32>
  return
}

// -----

func.func @learned_encoding_c1_half(%t: tensor<9x5xf16>, %p: tensor<3xi64>, %i: tensor<3x5xf16>) {
  // expected-error @+1 {{expected table, init and result to be all f32 or all f64, init and result of one type, got 'tensor<9x5xf16>', 'tensor<3x5xf16>' and 'tensor<3x5xf16>' [learned_encoding_c1]}}
  %0 = attn.learned_encoding ins(%t : tensor<9x5xf16>) positions(%p : tensor<3xi64>) outs(%i : tensor<3x5xf16>) {offset = 0 : i64} -> tensor<3x5xf16>
  return
}

// -----

func.func @learned_encoding_c2_table(%t: tensor<9xf32>, %p: tensor<3xi64>, %i: tensor<3x5xf32>) {
  // expected-error @+1 {{expected table P x D and result L... x D, without positions N x D, got 'tensor<9xf32>' and 'tensor<3x5xf32>' [learned_encoding_c2]}}
  %0 = attn.learned_encoding ins(%t : tensor<9xf32>) positions(%p : tensor<3xi64>) outs(%i : tensor<3x5xf32>) {offset = 0 : i64} -> tensor<3x5xf32>
  return
}

// -----

func.func @learned_encoding_c2_width(%t: tensor<9x6xf32>, %p: tensor<3xi64>, %i: tensor<3x5xf32>) {
  // expected-error @+1 {{expected table P x D and result L... x D, without positions N x D, got 'tensor<9x6xf32>' and 'tensor<3x5xf32>' [learned_encoding_c2]}}
  %0 = attn.learned_encoding ins(%t : tensor<9x6xf32>) positions(%p : tensor<3xi64>) outs(%i : tensor<3x5xf32>) {offset = 0 : i64} -> tensor<3x5xf32>
  return
}

// -----

func.func @learned_encoding_c2_rows(%t: tensor<9x5xf32>, %i: tensor<2x3x5xf32>) {
  // expected-error @+1 {{expected table P x D and result L... x D, without positions N x D, got 'tensor<9x5xf32>' and 'tensor<2x3x5xf32>' [learned_encoding_c2]}}
  %0 = attn.learned_encoding ins(%t : tensor<9x5xf32>) outs(%i : tensor<2x3x5xf32>) {offset = 0 : i64} -> tensor<2x3x5xf32>
  return
}

// -----

func.func @learned_encoding_c3_element(%t: tensor<9x5xf32>, %p: tensor<3xi32>, %i: tensor<3x5xf32>) {
  // expected-error @+1 {{expected positions of i64 with all dims but the last of 'tensor<3x5xf32>', got 'tensor<3xi32>' [learned_encoding_c3]}}
  %0 = attn.learned_encoding ins(%t : tensor<9x5xf32>) positions(%p : tensor<3xi32>) outs(%i : tensor<3x5xf32>) {offset = 0 : i64} -> tensor<3x5xf32>
  return
}

// -----

func.func @learned_encoding_c3_dims(%t: tensor<9x5xf32>, %p: tensor<4xi64>, %i: tensor<3x5xf32>) {
  // expected-error @+1 {{expected positions of i64 with all dims but the last of 'tensor<3x5xf32>', got 'tensor<4xi64>' [learned_encoding_c3]}}
  %0 = attn.learned_encoding ins(%t : tensor<9x5xf32>) positions(%p : tensor<4xi64>) outs(%i : tensor<3x5xf32>) {offset = 0 : i64} -> tensor<3x5xf32>
  return
}

// -----

func.func @learned_encoding_c4(%t: tensor<9x5xf32>, %p: tensor<3xi64>, %i: tensor<3x5xf32>) {
  // expected-error @+1 {{expected an offset of at least 0, got -1 [learned_encoding_c4]}}
  %0 = attn.learned_encoding ins(%t : tensor<9x5xf32>) positions(%p : tensor<3xi64>) outs(%i : tensor<3x5xf32>) {offset = -1 : i64} -> tensor<3x5xf32>
  return
}

// -----

func.func @rotary_frequencies_c1_sin(%p: tensor<3xi64>, %i: tensor<3x8xf32>, %j: tensor<3x4xf32>) {
  // expected-error @+1 {{expected cos, sin and their inits to have one type of f32 or f64, got 'tensor<3x8xf32>', 'tensor<3x4xf32>', 'tensor<3x8xf32>' and 'tensor<3x4xf32>' [rotary_frequencies_c1]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x4xf32>) -> tensor<3x8xf32>, tensor<3x4xf32>
  return
}

// -----

func.func @rotary_frequencies_c1_half(%p: tensor<3xi64>, %i: tensor<3x8xf16>, %j: tensor<3x8xf16>) {
  // expected-error @+1 {{expected cos, sin and their inits to have one type of f32 or f64, got 'tensor<3x8xf16>', 'tensor<3x8xf16>', 'tensor<3x8xf16>' and 'tensor<3x8xf16>' [rotary_frequencies_c1]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf16>, tensor<3x8xf16>) -> tensor<3x8xf16>, tensor<3x8xf16>
  return
}

// -----

func.func @rotary_frequencies_c2_dims(%p: tensor<4xi64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected positions of i64 or the result's type with all dims but the last, static, of 'tensor<3x8xf32>', got 'tensor<4xi64>' [rotary_frequencies_c2]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<4xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rotary_frequencies_c2_element(%p: tensor<3xf64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected positions of i64 or the result's type with all dims but the last, static, of 'tensor<3x8xf32>', got 'tensor<3xf64>' [rotary_frequencies_c2]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xf64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rotary_frequencies_c2_dynamic(%p: tensor<3xi64>, %i: tensor<3x?xf32>, %j: tensor<3x?xf32>) {
  // expected-error @+1 {{expected positions of i64 or the result's type with all dims but the last, static, of 'tensor<3x?xf32>', got 'tensor<3xi64>' [rotary_frequencies_c2]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x?xf32>, tensor<3x?xf32>) -> tensor<3x?xf32>, tensor<3x?xf32>
  return
}

// -----

func.func @rotary_frequencies_c3_theta(%p: tensor<3xi64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected theta and factor to be positive, got -1.000000e+00 and 1.000000e+00 [rotary_frequencies_c3]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) {theta = -1.0 : f64} -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rotary_frequencies_c3_factor(%p: tensor<3xi64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected theta and factor to be positive, got 1.000000e+04 and 0.000000e+00 [rotary_frequencies_c3]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) {factor = 0.0 : f64} -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rotary_frequencies_c4_yarn(%p: tensor<3xi64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected an original_context of at least 1, got 0 [rotary_frequencies_c4]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) {scaling = #attn.rotary_scaling<yarn>} -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rotary_frequencies_c4_dynamic(%p: tensor<3xi64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected an original_context of at least 1, got 0 [rotary_frequencies_c4]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) {scaling = #attn.rotary_scaling<dynamic_ntk>} -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rotary_frequencies_c4_llama3(%p: tensor<3xi64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected an original_context of at least 1, got -1 [rotary_frequencies_c4]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) {scaling = #attn.rotary_scaling<llama3>, original_context = -1 : i64} -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rotary_frequencies_c5_ntk(%p: tensor<3xi64>, %i: tensor<3x1xf32>, %j: tensor<3x1xf32>) {
  // expected-error @+1 {{expected at least 2 frequencies with ntk and dynamic_ntk, got 'tensor<3x1xf32>' [rotary_frequencies_c5]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x1xf32>, tensor<3x1xf32>) {scaling = #attn.rotary_scaling<ntk>} -> tensor<3x1xf32>, tensor<3x1xf32>
  return
}

// -----

func.func @rotary_frequencies_c5_yarn(%p: tensor<3xi64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected beta_fast > beta_slow > 0 and theta > 1, got 1.000000e+00, 1.000000e+00 and 1.000000e+04 [rotary_frequencies_c5]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) {scaling = #attn.rotary_scaling<yarn>, original_context = 64 : i64, beta_fast = 1.0 : f64} -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rotary_frequencies_c5_llama3(%p: tensor<3xi64>, %i: tensor<3x8xf32>, %j: tensor<3x8xf32>) {
  // expected-error @+1 {{expected high_frequency_factor > low_frequency_factor > 0, got 4.000000e+00 and 4.000000e+00 [rotary_frequencies_c5]}}
  %0, %1 = attn.rotary_frequencies ins(%p : tensor<3xi64>) outs(%i, %j : tensor<3x8xf32>, tensor<3x8xf32>) {scaling = #attn.rotary_scaling<llama3>, original_context = 64 : i64, low_frequency_factor = 4.0 : f64} -> tensor<3x8xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @relative_bias_c1_rank(%t: tensor<8x2xf32>, %i: tensor<2x3xf32>) {
  // expected-error @+1 {{expected init and result to have one type H x M x N of f32 or f64, got 'tensor<2x3xf32>' and 'tensor<2x3xf32>' [relative_bias_c1]}}
  %0 = attn.relative_bias ins(%t : tensor<8x2xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @relative_bias_c1_init(%t: tensor<8x2xf32>, %i: tensor<2x3x?xf32>) {
  // expected-error @+1 {{expected init and result to have one type H x M x N of f32 or f64, got 'tensor<2x3x?xf32>' and 'tensor<2x3x4xf32>' [relative_bias_c1]}}
  %0 = attn.relative_bias ins(%t : tensor<8x2xf32>) outs(%i : tensor<2x3x?xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @relative_bias_c2_heads(%t: tensor<8x3xf32>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected a table K x H, K static, of the result's type 'tensor<2x3x4xf32>', got 'tensor<8x3xf32>' [relative_bias_c2]}}
  %0 = attn.relative_bias ins(%t : tensor<8x3xf32>) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @relative_bias_c2_element(%t: tensor<8x2xf64>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected a table K x H, K static, of the result's type 'tensor<2x3x4xf32>', got 'tensor<8x2xf64>' [relative_bias_c2]}}
  %0 = attn.relative_bias ins(%t : tensor<8x2xf64>) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @relative_bias_c2_dynamic(%t: tensor<?x2xf32>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected a table K x H, K static, of the result's type 'tensor<2x3x4xf32>', got 'tensor<?x2xf32>' [relative_bias_c2]}}
  %0 = attn.relative_bias ins(%t : tensor<?x2xf32>) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @relative_bias_c3_one(%t: tensor<1x2xf32>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected at least 2 buckets, got 1 [relative_bias_c3]}}
  %0 = attn.relative_bias ins(%t : tensor<1x2xf32>) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @relative_bias_c3_odd(%t: tensor<7x2xf32>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected at least 4 buckets, an even number, got 7 [relative_bias_c3]}}
  %0 = attn.relative_bias ins(%t : tensor<7x2xf32>) outs(%i : tensor<2x3x4xf32>) {bidirectional} -> tensor<2x3x4xf32>
  return
}

// -----

func.func @relative_bias_c4_small(%t: tensor<8x2xf32>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected max_distance in [5, 65536], got 4 [relative_bias_c4]}}
  %0 = attn.relative_bias ins(%t : tensor<8x2xf32>) outs(%i : tensor<2x3x4xf32>) {max_distance = 4 : i64} -> tensor<2x3x4xf32>
  return
}

// -----

func.func @relative_bias_c4_large(%t: tensor<8x2xf32>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected max_distance in [5, 65536], got 70000 [relative_bias_c4]}}
  %0 = attn.relative_bias ins(%t : tensor<8x2xf32>) outs(%i : tensor<2x3x4xf32>) {max_distance = 70000 : i64} -> tensor<2x3x4xf32>
  return
}

// -----

func.func @grid_bias_c1(%t0: tensor<15x2xf32>, %i: tensor<6x6xf32>) {
  // expected-error @+1 {{expected init and result to have one type H x M x N of f32 or f64, got 'tensor<6x6xf32>' and 'tensor<6x6xf32>' [grid_bias_c1]}}
  %0 = attn.grid_bias grid [2, 3] ins(%t0 : tensor<15x2xf32>) outs(%i : tensor<6x6xf32>) -> tensor<6x6xf32>
  return
}

// -----

func.func @grid_bias_c2_zero(%t0: tensor<15x2xf32>, %i: tensor<2x6x6xf32>) {
  // expected-error @+1 {{expected sizes of the grid in [1, 65536], got 0 [grid_bias_c2]}}
  %0 = attn.grid_bias grid [2, 0] ins(%t0 : tensor<15x2xf32>) outs(%i : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  return
}

// -----

func.func @grid_bias_c2_points(%t0: tensor<15x2xf32>, %i: tensor<2x6x5xf32>) {
  // expected-error @+1 {{expected as many queries and keys as the grid has points, 6, got 'tensor<2x6x5xf32>' [grid_bias_c2]}}
  %0 = attn.grid_bias grid [2, 3] ins(%t0 : tensor<15x2xf32>) outs(%i : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @grid_bias_c2_empty(%t0: tensor<15x2xf32>, %i: tensor<2x6x6xf32>) {
  // expected-error @+1 {{expected as many queries and keys as the grid has points, 1, got 'tensor<2x6x6xf32>' [grid_bias_c2]}}
  %0 = attn.grid_bias grid [] ins(%t0 : tensor<15x2xf32>) outs(%i : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  return
}

// -----

func.func @grid_bias_c2_large(%t0: tensor<15x2xf32>, %i: tensor<2x6x6xf32>) {
  // expected-error @+1 {{expected a smaller grid [grid_bias_c2]}}
  %0 = attn.grid_bias grid [65536, 65536, 65536] ins(%t0 : tensor<15x2xf32>) outs(%i : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  return
}

// -----

func.func @grid_bias_c3_count(%t0: tensor<3x2xf32>, %t1: tensor<3x2xf32>, %t2: tensor<3x2xf32>, %i: tensor<2x6x6xf32>) {
  // expected-error @+1 {{expected one table, or one for each of the 2 dims of the grid, got 3 [grid_bias_c3]}}
  %0 = attn.grid_bias grid [2, 3] ins(%t0, %t1, %t2 : tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>) outs(%i : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  return
}

// -----

func.func @grid_bias_c3_rows(%t0: tensor<16x2xf32>, %i: tensor<2x6x6xf32>) {
  // expected-error @+1 {{expected a table 15 x H of the result's type, got 'tensor<16x2xf32>' [grid_bias_c3]}}
  %0 = attn.grid_bias grid [2, 3] ins(%t0 : tensor<16x2xf32>) outs(%i : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  return
}

// -----

func.func @grid_bias_c3_axis(%t0: tensor<3x2xf32>, %t1: tensor<3x2xf32>, %i: tensor<2x6x6xf32>) {
  // expected-error @+1 {{expected a table 5 x H of the result's type, got 'tensor<3x2xf32>' [grid_bias_c3]}}
  %0 = attn.grid_bias grid [2, 3] ins(%t0, %t1 : tensor<3x2xf32>, tensor<3x2xf32>) outs(%i : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  return
}

// -----

func.func @grid_bias_c3_element(%t0: tensor<15x2xf64>, %i: tensor<2x6x6xf32>) {
  // expected-error @+1 {{expected a table 15 x H of the result's type, got 'tensor<15x2xf64>' [grid_bias_c3]}}
  %0 = attn.grid_bias grid [2, 3] ins(%t0 : tensor<15x2xf64>) outs(%i : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  return
}

// -----

func.func @alibi_bias_c1(%i: tensor<2x3x4xf16>) {
  // expected-error @+1 {{expected init and result to have one type H x M x N of f32 or f64, got 'tensor<2x3x4xf16>' and 'tensor<2x3x4xf16>' [alibi_bias_c1]}}
  %0 = attn.alibi_bias outs(%i : tensor<2x3x4xf16>) -> tensor<2x3x4xf16>
  return
}

// -----

func.func @alibi_bias_c2(%i: tensor<?x3x4xf32>) {
  // expected-error @+1 {{expected a static number of heads, got 'tensor<?x3x4xf32>' [alibi_bias_c2]}}
  %0 = attn.alibi_bias outs(%i : tensor<?x3x4xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @channel_attention_c1_result(%x: tensor<2x6x5xf32>, %w1: tensor<6x3xf32>, %w2: tensor<3x6xf32>, %i: tensor<2x6x4xf32>) {
  // expected-error @+1 {{expected source, init and result of one type and parameters of its elements, all f32 or all f64, got 'tensor<2x6x5xf32>', 'tensor<6x3xf32>', 'tensor<3x6xf32>', 'tensor<2x6x4xf32>' and 'tensor<2x6x4xf32>' [channel_attention_c1]}}
  %0 = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x6x5xf32>, tensor<6x3xf32>, tensor<3x6xf32>) outs(%i : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
  return
}

// -----

func.func @channel_attention_c1_mixed(%x: tensor<2x6x5xf32>, %w1: tensor<6x3xf64>, %w2: tensor<3x6xf64>, %i: tensor<2x6x5xf32>) {
  // expected-error @+1 {{expected source, init and result of one type and parameters of its elements, all f32 or all f64, got 'tensor<2x6x5xf32>', 'tensor<6x3xf64>', 'tensor<3x6xf64>', 'tensor<2x6x5xf32>' and 'tensor<2x6x5xf32>' [channel_attention_c1]}}
  %0 = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x6x5xf32>, tensor<6x3xf64>, tensor<3x6xf64>) outs(%i : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @channel_attention_c2(%x: tensor<2x6xf32>, %w1: tensor<6x3xf32>, %w2: tensor<3x6xf32>, %i: tensor<2x6xf32>) {
  // expected-error @+1 {{expected source B x C x L..., got 'tensor<2x6xf32>' [channel_attention_c2]}}
  %0 = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x6xf32>, tensor<6x3xf32>, tensor<3x6xf32>) outs(%i : tensor<2x6xf32>) -> tensor<2x6xf32>
  return
}

// -----

func.func @channel_attention_c3_squeeze(%x: tensor<2x6x5xf32>, %w1: tensor<5x3xf32>, %w2: tensor<3x6xf32>, %i: tensor<2x6x5xf32>) {
  // expected-error @+1 {{expected squeeze C x R, expand R x C and biases R and C, got 'tensor<5x3xf32>', 'tensor<3x6xf32>', 'tensor<2x6x5xf32>' [channel_attention_c3]}}
  %0 = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x6x5xf32>, tensor<5x3xf32>, tensor<3x6xf32>) outs(%i : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @channel_attention_c3_hidden(%x: tensor<2x6x5xf32>, %w1: tensor<6x3xf32>, %w2: tensor<4x6xf32>, %i: tensor<2x6x5xf32>) {
  // expected-error @+1 {{expected squeeze C x R, expand R x C and biases R and C, got 'tensor<6x3xf32>', 'tensor<4x6xf32>', 'tensor<2x6x5xf32>' [channel_attention_c3]}}
  %0 = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x6x5xf32>, tensor<6x3xf32>, tensor<4x6xf32>) outs(%i : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @channel_attention_c3_bias(%x: tensor<2x6x5xf32>, %w1: tensor<6x3xf32>, %w2: tensor<3x6xf32>, %b1: tensor<6xf32>, %i: tensor<2x6x5xf32>) {
  // expected-error @+1 {{expected squeeze C x R, expand R x C and biases R and C, got 'tensor<6x3xf32>', 'tensor<6xf32>', 'tensor<3x6xf32>', 'tensor<2x6x5xf32>' [channel_attention_c3]}}
  %0 = attn.channel_attention ins(%x, %w1, %w2 : tensor<2x6x5xf32>, tensor<6x3xf32>, tensor<3x6xf32>) squeeze_bias(%b1 : tensor<6xf32>) outs(%i : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @spatial_attention_c1(%x: tensor<2x6x5x4xf32>, %f: tensor<2x3x3xf64>, %i: tensor<2x6x5x4xf32>) {
  // expected-error @+1 {{expected source, init and result of one type and parameters of its elements, all f32 or all f64, got 'tensor<2x6x5x4xf32>', 'tensor<2x3x3xf64>', 'tensor<2x6x5x4xf32>' and 'tensor<2x6x5x4xf32>' [spatial_attention_c1]}}
  %0 = attn.spatial_attention ins(%x, %f : tensor<2x6x5x4xf32>, tensor<2x3x3xf64>) outs(%i : tensor<2x6x5x4xf32>) -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @spatial_attention_c2(%x: tensor<2x6x5xf32>, %f: tensor<2x3x3xf32>, %i: tensor<2x6x5xf32>) {
  // expected-error @+1 {{expected source B x C x H x W, got 'tensor<2x6x5xf32>' [spatial_attention_c2]}}
  %0 = attn.spatial_attention ins(%x, %f : tensor<2x6x5xf32>, tensor<2x3x3xf32>) outs(%i : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @spatial_attention_c3_even(%x: tensor<2x6x5x4xf32>, %f: tensor<2x4x4xf32>, %i: tensor<2x6x5x4xf32>) {
  // expected-error @+1 {{expected filter 2 x K x K, K static and odd, and a bias of one element, got 'tensor<2x4x4xf32>', 'tensor<2x6x5x4xf32>' [spatial_attention_c3]}}
  %0 = attn.spatial_attention ins(%x, %f : tensor<2x6x5x4xf32>, tensor<2x4x4xf32>) outs(%i : tensor<2x6x5x4xf32>) -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @spatial_attention_c3_planes(%x: tensor<2x6x5x4xf32>, %f: tensor<1x3x3xf32>, %i: tensor<2x6x5x4xf32>) {
  // expected-error @+1 {{expected filter 2 x K x K, K static and odd, and a bias of one element, got 'tensor<1x3x3xf32>', 'tensor<2x6x5x4xf32>' [spatial_attention_c3]}}
  %0 = attn.spatial_attention ins(%x, %f : tensor<2x6x5x4xf32>, tensor<1x3x3xf32>) outs(%i : tensor<2x6x5x4xf32>) -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @spatial_attention_c3_dynamic(%x: tensor<2x6x5x4xf32>, %f: tensor<2x?x?xf32>, %i: tensor<2x6x5x4xf32>) {
  // expected-error @+1 {{expected filter 2 x K x K, K static and odd, and a bias of one element, got 'tensor<2x?x?xf32>', 'tensor<2x6x5x4xf32>' [spatial_attention_c3]}}
  %0 = attn.spatial_attention ins(%x, %f : tensor<2x6x5x4xf32>, tensor<2x?x?xf32>) outs(%i : tensor<2x6x5x4xf32>) -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @spatial_attention_c3_bias(%x: tensor<2x6x5x4xf32>, %f: tensor<2x3x3xf32>, %b: tensor<6xf32>, %i: tensor<2x6x5x4xf32>) {
  // expected-error @+1 {{expected filter 2 x K x K, K static and odd, and a bias of one element, got 'tensor<2x3x3xf32>', 'tensor<6xf32>', 'tensor<2x6x5x4xf32>' [spatial_attention_c3]}}
  %0 = attn.spatial_attention ins(%x, %f : tensor<2x6x5x4xf32>, tensor<2x3x3xf32>) bias(%b : tensor<6xf32>) outs(%i : tensor<2x6x5x4xf32>) -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @attention_pool_c1_mixed(%x: tensor<2x5x4xf32>, %w: tensor<4x3xf64>, %u: tensor<3xf64>, %i: tensor<2x4xf32>) {
  // expected-error @+1 {{expected source, parameters, init and result to be all f32 or all f64, init and result of one type, got 'tensor<2x5x4xf32>', 'tensor<4x3xf64>', 'tensor<3xf64>', 'tensor<2x4xf32>' and 'tensor<2x4xf32>' [attention_pool_c1]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf64>, tensor<3xf64>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @attention_pool_c1_half(%x: tensor<2x5x4xf16>, %w: tensor<4x3xf16>, %u: tensor<3xf16>, %i: tensor<2x4xf16>) {
  // expected-error @+1 {{expected source, parameters, init and result to be all f32 or all f64, init and result of one type, got 'tensor<2x5x4xf16>', 'tensor<4x3xf16>', 'tensor<3xf16>', 'tensor<2x4xf16>' and 'tensor<2x4xf16>' [attention_pool_c1]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf16>, tensor<4x3xf16>, tensor<3xf16>) outs(%i : tensor<2x4xf16>) -> tensor<2x4xf16>
  return
}

// -----

func.func @attention_pool_c2_weight(%x: tensor<2x5x4xf32>, %w: tensor<5x3xf32>, %u: tensor<3xf32>, %i: tensor<2x4xf32>) {
  // expected-error @+1 {{expected source B x T x D, weight D x A, query A, bias A and result B x D, got 'tensor<2x5x4xf32>', 'tensor<5x3xf32>', 'tensor<3xf32>', 'tensor<2x4xf32>' and 'tensor<2x4xf32>' [attention_pool_c2]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<5x3xf32>, tensor<3xf32>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @attention_pool_c2_bias(%x: tensor<2x5x4xf32>, %w: tensor<4x3xf32>, %u: tensor<3xf32>, %b: tensor<4xf32>, %i: tensor<2x4xf32>) {
  // expected-error @+1 {{expected source B x T x D, weight D x A, query A, bias A and result B x D, got 'tensor<2x5x4xf32>', 'tensor<4x3xf32>', 'tensor<3xf32>', 'tensor<4xf32>', 'tensor<2x4xf32>' and 'tensor<2x4xf32>' [attention_pool_c2]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) bias(%b : tensor<4xf32>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @attention_pool_c2_result(%x: tensor<2x5x4xf32>, %w: tensor<4x3xf32>, %u: tensor<3xf32>, %i: tensor<2x3xf32>) {
  // expected-error @+1 {{expected source B x T x D, weight D x A, query A, bias A and result B x D, got 'tensor<2x5x4xf32>', 'tensor<4x3xf32>', 'tensor<3xf32>', 'tensor<2x3xf32>' and 'tensor<2x3xf32>' [attention_pool_c2]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) outs(%i : tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @attention_pool_c3_element(%x: tensor<2x5x4xf32>, %w: tensor<4x3xf32>, %u: tensor<3xf32>, %l: tensor<2xi32>, %i: tensor<2x4xf32>) {
  // expected-error @+1 {{expected lengths to be a tensor of B i64, got 'tensor<2xi32>' [attention_pool_c3]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) lengths(%l : tensor<2xi32>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @attention_pool_c3_batch(%x: tensor<2x5x4xf32>, %w: tensor<4x3xf32>, %u: tensor<3xf32>, %l: tensor<3xi64>, %i: tensor<2x4xf32>) {
  // expected-error @+1 {{expected lengths to be a tensor of B i64, got 'tensor<3xi64>' [attention_pool_c3]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) lengths(%l : tensor<3xi64>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @attention_pool_c4_element(%x: tensor<2x5x4xf32>, %w: tensor<4x3xf32>, %u: tensor<3xf32>, %m: tensor<2x5xi8>, %i: tensor<2x4xf32>) {
  // expected-error @+1 {{expected mask to be a tensor of B x T i1, got 'tensor<2x5xi8>' [attention_pool_c4]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) mask(%m : tensor<2x5xi8>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @attention_pool_c4_dims(%x: tensor<2x5x4xf32>, %w: tensor<4x3xf32>, %u: tensor<3xf32>, %m: tensor<2x4xi1>, %i: tensor<2x4xf32>) {
  // expected-error @+1 {{expected mask to be a tensor of B x T i1, got 'tensor<2x4xi1>' [attention_pool_c4]}}
  %0 = attn.attention_pool ins(%x, %w, %u : tensor<2x5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) mask(%m : tensor<2x4xi1>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @pooled_attention_c1(%q: tensor<2x3x6x8xf32>, %k: tensor<2x3x6x8xf64>, %v: tensor<2x3x6x8xf64>, %i: tensor<2x3x2x8xf32>) {
  // expected-error @+1 {{expected query, key, value, init and result to be all f32 or all f64, init and result of one type, got 'tensor<2x3x6x8xf32>', 'tensor<2x3x6x8xf64>', 'tensor<2x3x6x8xf64>', 'tensor<2x3x2x8xf32>' and 'tensor<2x3x2x8xf32>' [pooled_attention_c1]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x3x6x8xf32>, tensor<2x3x6x8xf64>, tensor<2x3x6x8xf64>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2] stride [2]) outs(%i : tensor<2x3x2x8xf32>) -> tensor<2x3x2x8xf32>
  return
}

// -----

func.func @pooled_attention_c2_depth(%q: tensor<2x3x6x8xf32>, %k: tensor<2x3x6x7xf32>, %v: tensor<2x3x6x8xf32>, %i: tensor<2x3x2x8xf32>) {
  // expected-error @+1 {{expected query B x H x P x D, key B x H x Q x D, value B x H x Q x E and result B x H x P' x E, H static and not 0, got 'tensor<2x3x6x8xf32>', 'tensor<2x3x6x7xf32>', 'tensor<2x3x6x8xf32>', 'tensor<2x3x2x8xf32>' and 'tensor<2x3x2x8xf32>' [pooled_attention_c2]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x3x6x8xf32>, tensor<2x3x6x7xf32>, tensor<2x3x6x8xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2] stride [2]) outs(%i : tensor<2x3x2x8xf32>) -> tensor<2x3x2x8xf32>
  return
}

// -----

func.func @pooled_attention_c2_heads(%q: tensor<2x?x6x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x8xf32>, %i: tensor<2x3x2x8xf32>) {
  // expected-error @+1 {{expected query B x H x P x D, key B x H x Q x D, value B x H x Q x E and result B x H x P' x E, H static and not 0, got 'tensor<2x?x6x8xf32>', 'tensor<2x3x6x8xf32>', 'tensor<2x3x6x8xf32>', 'tensor<2x3x2x8xf32>' and 'tensor<2x3x2x8xf32>' [pooled_attention_c2]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x?x6x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2] stride [2]) outs(%i : tensor<2x3x2x8xf32>) -> tensor<2x3x2x8xf32>
  return
}

// -----

func.func @pooled_attention_c3_kernel(%q: tensor<2x3x6x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x8xf32>, %i: tensor<2x3x2x8xf32>) {
  // expected-error @+1 {{expected one kernel and stride of at least 1 for each dim of a grid, no kernel larger than it [pooled_attention_c3]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>) query_windows(grid [2, 3] kernel [2, 4] stride [1, 1]) key_windows(grid [6] kernel [2] stride [2]) outs(%i : tensor<2x3x2x8xf32>) -> tensor<2x3x2x8xf32>
  return
}

// -----

func.func @pooled_attention_c3_stride(%q: tensor<2x3x6x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x8xf32>, %i: tensor<2x3x2x8xf32>) {
  // expected-error @+1 {{expected one kernel and stride of at least 1 for each dim of a grid, no kernel larger than it [pooled_attention_c3]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2] stride [0]) outs(%i : tensor<2x3x2x8xf32>) -> tensor<2x3x2x8xf32>
  return
}

// -----

func.func @pooled_attention_c3_count(%q: tensor<2x3x6x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x8xf32>, %i: tensor<2x3x2x8xf32>) {
  // expected-error @+1 {{expected one kernel and stride of at least 1 for each dim of a grid, no kernel larger than it [pooled_attention_c3]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2, 1] stride [2]) outs(%i : tensor<2x3x2x8xf32>) -> tensor<2x3x2x8xf32>
  return
}

// -----

func.func @pooled_attention_c4_queries(%q: tensor<2x3x6x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x8xf32>, %i: tensor<2x3x2x8xf32>) {
  // expected-error @+1 {{expected 8 queries, 6 keys and values and 3 results, got 'tensor<2x3x6x8xf32>', 'tensor<2x3x6x8xf32>', 'tensor<2x3x6x8xf32>', 'tensor<2x3x2x8xf32>' and 'tensor<2x3x2x8xf32>' [pooled_attention_c4]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>) query_windows(grid [2, 4] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2] stride [2]) outs(%i : tensor<2x3x2x8xf32>) -> tensor<2x3x2x8xf32>
  return
}

// -----

func.func @pooled_attention_c4_result(%q: tensor<2x3x6x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x8xf32>, %i: tensor<2x3x3x8xf32>) {
  // expected-error @+1 {{expected 6 queries, 6 keys and values and 2 results, got 'tensor<2x3x6x8xf32>', 'tensor<2x3x6x8xf32>', 'tensor<2x3x6x8xf32>', 'tensor<2x3x3x8xf32>' and 'tensor<2x3x3x8xf32>' [pooled_attention_c4]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2] stride [2]) outs(%i : tensor<2x3x3x8xf32>) -> tensor<2x3x3x8xf32>
  return
}

// -----

func.func @pooled_attention_c5(%q: tensor<2x3x6x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x7xf32>, %i: tensor<2x3x2x7xf32>) {
  // expected-error @+1 {{expected D and E to be equal with residual, got 'tensor<2x3x6x8xf32>' and 'tensor<2x3x2x7xf32>' [pooled_attention_c5]}}
  %0 = attn.pooled_attention ins(%q, %k, %v : tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x7xf32>) query_windows(grid [2, 3] kernel [2, 2] stride [1, 1]) key_windows(grid [6] kernel [2] stride [2]) outs(%i : tensor<2x3x2x7xf32>) {residual} -> tensor<2x3x2x7xf32>
  return
}

// -----

func.func @memory_read_c1_mixed(%m: tensor<2x9x4xf32>, %k: tensor<2x3x4xf64>, %s: tensor<2x3xf32>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected all operands to be f32 or all f64 and init and result of one type, got 'tensor<2x9x4xf32>', 'tensor<2x3x4xf64>', 'tensor<2x3xf32>', 'tensor<2x3x4xf32>' and 'tensor<2x3x4xf32>' [memory_read_c1]}}
  %0 = attn.memory_read ins(%m, %k, %s : tensor<2x9x4xf32>, tensor<2x3x4xf64>, tensor<2x3xf32>) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @memory_read_c1_half(%m: tensor<2x9x4xf16>, %k: tensor<2x3x4xf16>, %s: tensor<2x3xf16>, %i: tensor<2x3x4xf16>) {
  // expected-error @+1 {{expected all operands to be f32 or all f64 and init and result of one type, got 'tensor<2x9x4xf16>', 'tensor<2x3x4xf16>', 'tensor<2x3xf16>', 'tensor<2x3x4xf16>' and 'tensor<2x3x4xf16>' [memory_read_c1]}}
  %0 = attn.memory_read ins(%m, %k, %s : tensor<2x9x4xf16>, tensor<2x3x4xf16>, tensor<2x3xf16>) outs(%i : tensor<2x3x4xf16>) -> tensor<2x3x4xf16>
  return
}

// -----

func.func @memory_read_c2_width(%m: tensor<2x9x4xf32>, %k: tensor<2x3x5xf32>, %s: tensor<2x3xf32>, %i: tensor<2x3x5xf32>) {
  // expected-error @+1 {{expected memory B x N x W, keys B x R x W, strengths B x R and result B x R x W, got 'tensor<2x9x4xf32>', 'tensor<2x3x5xf32>', 'tensor<2x3xf32>', 'tensor<2x3x5xf32>' and 'tensor<2x3x5xf32>' [memory_read_c2]}}
  %0 = attn.memory_read ins(%m, %k, %s : tensor<2x9x4xf32>, tensor<2x3x5xf32>, tensor<2x3xf32>) outs(%i : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @memory_read_c2_strengths(%m: tensor<2x9x4xf32>, %k: tensor<2x3x4xf32>, %s: tensor<2x4xf32>, %i: tensor<2x3x4xf32>) {
  // expected-error @+1 {{expected memory B x N x W, keys B x R x W, strengths B x R and result B x R x W, got 'tensor<2x9x4xf32>', 'tensor<2x3x4xf32>', 'tensor<2x4xf32>', 'tensor<2x3x4xf32>' and 'tensor<2x3x4xf32>' [memory_read_c2]}}
  %0 = attn.memory_read ins(%m, %k, %s : tensor<2x9x4xf32>, tensor<2x3x4xf32>, tensor<2x4xf32>) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @memory_write_c1(%m: tensor<2x9x4xf32>, %k: tensor<2x3x4xf64>, %s: tensor<2x3xf32>, %x: tensor<2x3x4xf32>, %i: tensor<2x9x4xf32>) {
  // expected-error @+1 {{expected all operands to be f32 or all f64 and init and result of one type, got 'tensor<2x9x4xf32>', 'tensor<2x3x4xf64>', 'tensor<2x3xf32>', 'tensor<2x3x4xf32>', 'tensor<2x3x4xf32>', 'tensor<2x9x4xf32>' and 'tensor<2x9x4xf32>' [memory_write_c1]}}
  %0 = attn.memory_write ins(%m, %k, %s, %x, %x : tensor<2x9x4xf32>, tensor<2x3x4xf64>, tensor<2x3xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>) outs(%i : tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  return
}

// -----

func.func @memory_write_c2_erase(%m: tensor<2x9x4xf32>, %k: tensor<2x3x4xf32>, %s: tensor<2x3xf32>, %x: tensor<2x2x4xf32>, %i: tensor<2x9x4xf32>) {
  // expected-error @+1 {{expected memory and result B x N x W, keys, erase and add B x R x W and strengths B x R, got 'tensor<2x9x4xf32>', 'tensor<2x3x4xf32>', 'tensor<2x3xf32>', 'tensor<2x2x4xf32>', 'tensor<2x2x4xf32>', 'tensor<2x9x4xf32>' and 'tensor<2x9x4xf32>' [memory_write_c2]}}
  %0 = attn.memory_write ins(%m, %k, %s, %x, %x : tensor<2x9x4xf32>, tensor<2x3x4xf32>, tensor<2x3xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) outs(%i : tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  return
}

// -----

func.func @memory_write_c2_result(%m: tensor<2x9x4xf32>, %k: tensor<2x3x4xf32>, %s: tensor<2x3xf32>, %x: tensor<2x3x4xf32>, %i: tensor<2x8x4xf32>) {
  // expected-error @+1 {{expected memory and result B x N x W, keys, erase and add B x R x W and strengths B x R, got 'tensor<2x9x4xf32>', 'tensor<2x3x4xf32>', 'tensor<2x3xf32>', 'tensor<2x3x4xf32>', 'tensor<2x3x4xf32>', 'tensor<2x8x4xf32>' and 'tensor<2x8x4xf32>' [memory_write_c2]}}
  %0 = attn.memory_write ins(%m, %k, %s, %x, %x : tensor<2x9x4xf32>, tensor<2x3x4xf32>, tensor<2x3xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>) outs(%i : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @linear_attention_c1(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x2x7xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x8x6xf32>, %g: tensor<2x5x2x8xf32>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x4x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected query B x T x H x D, key B x T x G x D, value B x T x G x E and result B x T x H x E, got 'tensor<2x5x4x8xf32>', 'tensor<2x5x2x7xf32>', 'tensor<2x5x2x6xf32>' and 'tensor<2x5x4x6xf32>' [linear_attention_c1]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x2x7xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x8x6xf32>) decay(%g : tensor<2x5x2x8xf32>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c1_rank(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x12xf32>, %s: tensor<2x2x8x6xf32>, %g: tensor<2x5x2x8xf32>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x4x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected query B x T x H x D, key B x T x G x D, value B x T x G x E and result B x T x H x E, got 'tensor<2x5x4x8xf32>', 'tensor<2x5x2x8xf32>', 'tensor<2x5x12xf32>' and 'tensor<2x5x4x6xf32>' [linear_attention_c1]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x12xf32>) state(%s : tensor<2x2x8x6xf32>) decay(%g : tensor<2x5x2x8xf32>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c2(%q: tensor<2x5x3x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x8x6xf32>, %g: tensor<2x5x2x8xf32>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x3x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected a static number of query heads that is a multiple of those of the key, got 'tensor<2x5x3x8xf32>' and 'tensor<2x5x2x8xf32>' [linear_attention_c2]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x3x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x8x6xf32>) decay(%g : tensor<2x5x2x8xf32>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x3x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x3x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c2_dynamic(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x?x8xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x8x6xf32>, %g: tensor<2x5x2x8xf32>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x4x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected a static number of query heads that is a multiple of those of the key, got 'tensor<2x5x4x8xf32>' and 'tensor<2x5x?x8xf32>' [linear_attention_c2]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x?x8xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x8x6xf32>) decay(%g : tensor<2x5x2x8xf32>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c3(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x8x6xf32>, %g: tensor<2x5x2x8xf16>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x4x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected query, key, value, decay, beta and result of one float type and states of one, got operands 'tensor<2x5x4x8xf32>', 'tensor<2x5x2x8xf32>', 'tensor<2x5x2x6xf32>', 'tensor<2x2x8x6xf32>', 'tensor<2x5x2x8xf16>', 'tensor<2x5x2xf32>', 'tensor<2x5x4x6xf32>', 'tensor<2x2x8x6xf32>' [linear_attention_c3]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x8x6xf32>) decay(%g : tensor<2x5x2x8xf16>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c3_states(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x8x6xf64>, %g: tensor<2x5x2x8xf32>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x4x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected query, key, value, decay, beta and result of one float type and states of one, got operands 'tensor<2x5x4x8xf32>', 'tensor<2x5x2x8xf32>', 'tensor<2x5x2x6xf32>', 'tensor<2x2x8x6xf64>', 'tensor<2x5x2x8xf32>', 'tensor<2x5x2xf32>', 'tensor<2x5x4x6xf32>', 'tensor<2x2x8x6xf32>' [linear_attention_c3]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x8x6xf64>) decay(%g : tensor<2x5x2x8xf32>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c4(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x6x8xf32>, %g: tensor<2x5x2x8xf32>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x4x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected states B x G x D x E, got 'tensor<2x2x6x8xf32>' and 'tensor<2x2x8x6xf32>' [linear_attention_c4]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x6x8xf32>) decay(%g : tensor<2x5x2x8xf32>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c5(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x8x6xf32>, %g: tensor<2x5x2x6xf32>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x4x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected a decay B x T x G x D or B x T x G x 1, got 'tensor<2x5x2x6xf32>' [linear_attention_c5]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x8x6xf32>) decay(%g : tensor<2x5x2x6xf32>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c6(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x8x6xf32>, %g: tensor<2x5x2x8xf32>, %b: tensor<2x5x4xf32>, %i: tensor<2x5x4x6xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected beta to be B x T x G or B x T x 1, got 'tensor<2x5x4xf32>' [linear_attention_c6]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x8x6xf32>) decay(%g : tensor<2x5x2x8xf32>) beta(%b : tensor<2x5x4xf32>) outs(%i, %n : tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @linear_attention_c7(%q: tensor<2x5x4x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %s: tensor<2x2x8x6xf32>, %g: tensor<2x5x2x8xf32>, %b: tensor<2x5x2xf32>, %i: tensor<2x5x4x7xf32>, %n: tensor<2x2x8x6xf32>) {
  // expected-error @+1 {{expected the inits to have the results' types 'tensor<2x5x4x6xf32>' and 'tensor<2x2x8x6xf32>', got 'tensor<2x5x4x7xf32>' and 'tensor<2x2x8x6xf32>' [linear_attention_c7]}}
  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<2x5x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>) state(%s : tensor<2x2x8x6xf32>) decay(%g : tensor<2x5x2x8xf32>) beta(%b : tensor<2x5x2xf32>) outs(%i, %n : tensor<2x5x4x7xf32>, tensor<2x2x8x6xf32>) -> tensor<2x5x4x6xf32>, tensor<2x2x8x6xf32>
  return
}

// -----

func.func @causal_conv_with_state_c1(%x: tensor<2x6x9xf32>, %w: tensor<5x4xf32>, %c: tensor<6xf32>, %s: tensor<2x6x3xf32>, %i: tensor<2x6x9xf32>, %n: tensor<2x6x3xf32>) {
  // expected-error @+1 {{expected source and result B x C x T, weight C x K and bias C, got 'tensor<2x6x9xf32>', 'tensor<2x6x9xf32>', 'tensor<5x4xf32>' and a bias [causal_conv_with_state_c1]}}
  %0, %1 = attn.causal_conv_with_state ins(%x, %w : tensor<2x6x9xf32>, tensor<5x4xf32>) bias(%c : tensor<6xf32>) state(%s : tensor<2x6x3xf32>) outs(%i, %n : tensor<2x6x9xf32>, tensor<2x6x3xf32>) -> tensor<2x6x9xf32>, tensor<2x6x3xf32>
  return
}

// -----

func.func @causal_conv_with_state_c2(%x: tensor<2x6x9xf32>, %w: tensor<6x4xf32>, %c: tensor<6xf64>, %s: tensor<2x6x3xf32>, %i: tensor<2x6x9xf32>, %n: tensor<2x6x3xf32>) {
  // expected-error @+1 {{expected all operands and results to be of one float type, got 'tensor<2x6x9xf32>', 'tensor<6x4xf32>', 'tensor<6xf64>', 'tensor<2x6x3xf32>', 'tensor<2x6x9xf32>', 'tensor<2x6x3xf32>' [causal_conv_with_state_c2]}}
  %0, %1 = attn.causal_conv_with_state ins(%x, %w : tensor<2x6x9xf32>, tensor<6x4xf32>) bias(%c : tensor<6xf64>) state(%s : tensor<2x6x3xf32>) outs(%i, %n : tensor<2x6x9xf32>, tensor<2x6x3xf32>) -> tensor<2x6x9xf32>, tensor<2x6x3xf32>
  return
}

// -----

func.func @causal_conv_with_state_c3(%x: tensor<2x6x9xf32>, %w: tensor<6x5xf32>, %c: tensor<6xf32>, %s: tensor<2x6x3xf32>, %i: tensor<2x6x9xf32>, %n: tensor<2x6x3xf32>) {
  // expected-error @+1 {{expected states B x C x (K - 1) and K of 1 at least, got 'tensor<2x6x3xf32>' and 'tensor<2x6x3xf32>' for a weight of 'tensor<6x5xf32>' [causal_conv_with_state_c3]}}
  %0, %1 = attn.causal_conv_with_state ins(%x, %w : tensor<2x6x9xf32>, tensor<6x5xf32>) bias(%c : tensor<6xf32>) state(%s : tensor<2x6x3xf32>) outs(%i, %n : tensor<2x6x9xf32>, tensor<2x6x3xf32>) -> tensor<2x6x9xf32>, tensor<2x6x3xf32>
  return
}

// -----

func.func @causal_conv_with_state_c3_empty(%x: tensor<2x6x9xf32>, %w: tensor<6x0xf32>, %c: tensor<6xf32>, %s: tensor<2x6x?xf32>, %i: tensor<2x6x9xf32>, %n: tensor<2x6x?xf32>) {
  // expected-error @+1 {{expected states B x C x (K - 1) and K of 1 at least, got 'tensor<2x6x?xf32>' and 'tensor<2x6x?xf32>' for a weight of 'tensor<6x0xf32>' [causal_conv_with_state_c3]}}
  %0, %1 = attn.causal_conv_with_state ins(%x, %w : tensor<2x6x9xf32>, tensor<6x0xf32>) bias(%c : tensor<6xf32>) state(%s : tensor<2x6x?xf32>) outs(%i, %n : tensor<2x6x9xf32>, tensor<2x6x?xf32>) -> tensor<2x6x9xf32>, tensor<2x6x?xf32>
  return
}

// -----

func.func @causal_conv_with_state_c4(%x: tensor<2x6x9xf32>, %w: tensor<6x4xf32>, %c: tensor<6xf32>, %s: tensor<2x6x3xf32>, %i: tensor<2x6x8xf32>, %n: tensor<2x6x3xf32>) {
  // expected-error @+1 {{expected the inits to have the results' types 'tensor<2x6x9xf32>' and 'tensor<2x6x3xf32>', got 'tensor<2x6x8xf32>' and 'tensor<2x6x3xf32>' [causal_conv_with_state_c4]}}
  %0, %1 = attn.causal_conv_with_state ins(%x, %w : tensor<2x6x9xf32>, tensor<6x4xf32>) bias(%c : tensor<6xf32>) state(%s : tensor<2x6x3xf32>) outs(%i, %n : tensor<2x6x8xf32>, tensor<2x6x3xf32>) -> tensor<2x6x9xf32>, tensor<2x6x3xf32>
  return
}

// -----

func.func @cache_append_c1(%c: tensor<2x3x9x4xf32>, %u: tensor<2x3x2x4xf32>, %p: tensor<2xi64>, %i: tensor<2x3x9x4xf32>) {
  // expected-error @+1 {{expected an axis behind the batch, of 'tensor<2x3x9x4xf32>', got 0 [cache_append_c1]}}
  %0 = attn.cache_append axis(0) ins(%c, %u : tensor<2x3x9x4xf32>, tensor<2x3x2x4xf32>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
  return
}

// -----

func.func @cache_append_c1_high(%c: tensor<2x3x9x4xf32>, %u: tensor<2x3x2x4xf32>, %p: tensor<2xi64>, %i: tensor<2x3x9x4xf32>) {
  // expected-error @+1 {{expected an axis behind the batch, of 'tensor<2x3x9x4xf32>', got 4 [cache_append_c1]}}
  %0 = attn.cache_append axis(4) ins(%c, %u : tensor<2x3x9x4xf32>, tensor<2x3x2x4xf32>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
  return
}

// -----

func.func @cache_append_c2(%c: tensor<2x3x9x4xf32>, %u: tensor<2x3x10x4xf32>, %p: tensor<2xi64>, %i: tensor<2x3x9x4xf32>) {
  // expected-error @+1 {{expected an update of the cache's type, not longer than it along dim 2, got 'tensor<2x3x10x4xf32>' for 'tensor<2x3x9x4xf32>' [cache_append_c2]}}
  %0 = attn.cache_append axis(2) ins(%c, %u : tensor<2x3x9x4xf32>, tensor<2x3x10x4xf32>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
  return
}

// -----

func.func @cache_append_c2_type(%c: tensor<2x3x9x4xf32>, %u: tensor<2x3x2x4xf16>, %p: tensor<2xi64>, %i: tensor<2x3x9x4xf32>) {
  // expected-error @+1 {{expected an update of the cache's type, not longer than it along dim 2, got 'tensor<2x3x2x4xf16>' for 'tensor<2x3x9x4xf32>' [cache_append_c2]}}
  %0 = attn.cache_append axis(2) ins(%c, %u : tensor<2x3x9x4xf32>, tensor<2x3x2x4xf16>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
  return
}

// -----

func.func @cache_append_c2_size(%c: tensor<2x3x9x4xf32>, %u: tensor<2x4x2x4xf32>, %p: tensor<2xi64>, %i: tensor<2x3x9x4xf32>) {
  // expected-error @+1 {{expected an update of the cache's type, not longer than it along dim 2, got 'tensor<2x4x2x4xf32>' for 'tensor<2x3x9x4xf32>' [cache_append_c2]}}
  %0 = attn.cache_append axis(2) ins(%c, %u : tensor<2x3x9x4xf32>, tensor<2x4x2x4xf32>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
  return
}

// -----

func.func @cache_append_c3(%c: tensor<2x3x9x4xf32>, %u: tensor<2x3x2x4xf32>, %p: tensor<3xi64>, %i: tensor<2x3x9x4xf32>) {
  // expected-error @+1 {{expected positions to be a tensor of B i64, got 'tensor<3xi64>' [cache_append_c3]}}
  %0 = attn.cache_append axis(2) ins(%c, %u : tensor<2x3x9x4xf32>, tensor<2x3x2x4xf32>) positions(%p : tensor<3xi64>) outs(%i : tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
  return
}

// -----

func.func @cache_append_c3_type(%c: tensor<2x3x9x4xf32>, %u: tensor<2x3x2x4xf32>, %p: tensor<2xi32>, %i: tensor<2x3x9x4xf32>) {
  // expected-error @+1 {{expected positions to be a tensor of B i64, got 'tensor<2xi32>' [cache_append_c3]}}
  %0 = attn.cache_append axis(2) ins(%c, %u : tensor<2x3x9x4xf32>, tensor<2x3x2x4xf32>) positions(%p : tensor<2xi32>) outs(%i : tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
  return
}

// -----

func.func @cache_append_c4(%c: tensor<2x3x9x4xf32>, %u: tensor<2x3x2x4xf32>, %p: tensor<2xi64>, %i: tensor<2x3x8x4xf32>) {
  // expected-error @+1 {{expected init and result to be of one type, of the cache's shape and elements, got 'tensor<2x3x8x4xf32>' and 'tensor<2x3x8x4xf32>' [cache_append_c4]}}
  %0 = attn.cache_append axis(2) ins(%c, %u : tensor<2x3x9x4xf32>, tensor<2x3x2x4xf32>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x3x8x4xf32>) -> tensor<2x3x8x4xf32>
  return
}

// -----

func.func @paged_append_c1(%p: tensor<9x2x4x8xf32>, %u: tensor<3x2x5x7xf32>, %t: tensor<3x6xi32>, %s: tensor<3xi64>, %i: tensor<9x2x4x8xf32>) {
  // expected-error @+1 {{expected pages P x G x S x D and an update B x G x T x D of the same elements, got 'tensor<9x2x4x8xf32>' and 'tensor<3x2x5x7xf32>' [paged_append_c1]}}
  %0 = attn.paged_append ins(%p, %u, %t, %s : tensor<9x2x4x8xf32>, tensor<3x2x5x7xf32>, tensor<3x6xi32>, tensor<3xi64>) outs(%i : tensor<9x2x4x8xf32>) -> tensor<9x2x4x8xf32>
  return
}

// -----

func.func @paged_append_c1_type(%p: tensor<9x2x4x8xf32>, %u: tensor<3x2x5x8xf16>, %t: tensor<3x6xi32>, %s: tensor<3xi64>, %i: tensor<9x2x4x8xf32>) {
  // expected-error @+1 {{expected pages P x G x S x D and an update B x G x T x D of the same elements, got 'tensor<9x2x4x8xf32>' and 'tensor<3x2x5x8xf16>' [paged_append_c1]}}
  %0 = attn.paged_append ins(%p, %u, %t, %s : tensor<9x2x4x8xf32>, tensor<3x2x5x8xf16>, tensor<3x6xi32>, tensor<3xi64>) outs(%i : tensor<9x2x4x8xf32>) -> tensor<9x2x4x8xf32>
  return
}

// -----

func.func @paged_append_c2(%p: tensor<9x2x4x8xf32>, %u: tensor<3x2x5x8xf32>, %t: tensor<2x6xi32>, %s: tensor<3xi64>, %i: tensor<9x2x4x8xf32>) {
  // expected-error @+1 {{expected a table of B x N i32 or i64, got 'tensor<2x6xi32>' [paged_append_c2]}}
  %0 = attn.paged_append ins(%p, %u, %t, %s : tensor<9x2x4x8xf32>, tensor<3x2x5x8xf32>, tensor<2x6xi32>, tensor<3xi64>) outs(%i : tensor<9x2x4x8xf32>) -> tensor<9x2x4x8xf32>
  return
}

// -----

func.func @paged_append_c2_type(%p: tensor<9x2x4x8xf32>, %u: tensor<3x2x5x8xf32>, %t: tensor<3x6xf32>, %s: tensor<3xi64>, %i: tensor<9x2x4x8xf32>) {
  // expected-error @+1 {{expected a table of B x N i32 or i64, got 'tensor<3x6xf32>' [paged_append_c2]}}
  %0 = attn.paged_append ins(%p, %u, %t, %s : tensor<9x2x4x8xf32>, tensor<3x2x5x8xf32>, tensor<3x6xf32>, tensor<3xi64>) outs(%i : tensor<9x2x4x8xf32>) -> tensor<9x2x4x8xf32>
  return
}

// -----

func.func @paged_append_c3(%p: tensor<9x2x4x8xf32>, %u: tensor<3x2x5x8xf32>, %t: tensor<3x6xi32>, %s: tensor<3xi32>, %i: tensor<9x2x4x8xf32>) {
  // expected-error @+1 {{expected positions to be a tensor of B i64, got 'tensor<3xi32>' [paged_append_c3]}}
  %0 = attn.paged_append ins(%p, %u, %t, %s : tensor<9x2x4x8xf32>, tensor<3x2x5x8xf32>, tensor<3x6xi32>, tensor<3xi32>) outs(%i : tensor<9x2x4x8xf32>) -> tensor<9x2x4x8xf32>
  return
}

// -----

func.func @paged_append_c4(%p: tensor<9x2x4x8xf32>, %u: tensor<3x2x5x8xf32>, %t: tensor<3x6xi32>, %s: tensor<3xi64>, %i: tensor<8x2x4x8xf32>) {
  // expected-error @+1 {{expected init and result to be of one type, of the pages' shape and elements, got 'tensor<8x2x4x8xf32>' and 'tensor<8x2x4x8xf32>' [paged_append_c4]}}
  %0 = attn.paged_append ins(%p, %u, %t, %s : tensor<9x2x4x8xf32>, tensor<3x2x5x8xf32>, tensor<3x6xi32>, tensor<3xi64>) outs(%i : tensor<8x2x4x8xf32>) -> tensor<8x2x4x8xf32>
  return
}

// -----

func.func @paged_attention_c1(%q: tensor<3x4x2x8xf32>, %k: tensor<9x2x4x7xf32>, %v: tensor<9x2x4x6xf32>, %t: tensor<3x6xi64>, %n: tensor<3xi64>, %i: tensor<3x4x2x6xf32>) {
  // expected-error @+1 {{expected query B x H x M x D, key P x G x S x D, value P x G x S x E and result B x H x M x E, got 'tensor<3x4x2x8xf32>', 'tensor<9x2x4x7xf32>', 'tensor<9x2x4x6xf32>' and 'tensor<3x4x2x6xf32>' [paged_attention_c1]}}
  %0 = attn.paged_attention ins(%q, %k, %v : tensor<3x4x2x8xf32>, tensor<9x2x4x7xf32>, tensor<9x2x4x6xf32>) table(%t : tensor<3x6xi64>) lengths(%n : tensor<3xi64>) outs(%i : tensor<3x4x2x6xf32>) -> tensor<3x4x2x6xf32>
  return
}

// -----

func.func @paged_attention_c2(%q: tensor<3x3x2x8xf32>, %k: tensor<9x2x4x8xf32>, %v: tensor<9x2x4x6xf32>, %t: tensor<3x6xi64>, %n: tensor<3xi64>, %i: tensor<3x3x2x6xf32>) {
  // expected-error @+1 {{expected a static number of query heads that is a multiple of those of the key, got 'tensor<3x3x2x8xf32>' and 'tensor<9x2x4x8xf32>' [paged_attention_c2]}}
  %0 = attn.paged_attention ins(%q, %k, %v : tensor<3x3x2x8xf32>, tensor<9x2x4x8xf32>, tensor<9x2x4x6xf32>) table(%t : tensor<3x6xi64>) lengths(%n : tensor<3xi64>) outs(%i : tensor<3x3x2x6xf32>) -> tensor<3x3x2x6xf32>
  return
}

// -----

func.func @paged_attention_c3(%q: tensor<3x4x2x8xf32>, %k: tensor<9x2x4x8xf16>, %v: tensor<9x2x4x6xf32>, %t: tensor<3x6xi64>, %n: tensor<3xi64>, %i: tensor<3x4x2x6xf32>) {
  // expected-error @+1 {{expected query, key, value and result of one float type, got 'tensor<3x4x2x8xf32>', 'tensor<9x2x4x8xf16>', 'tensor<9x2x4x6xf32>' and 'tensor<3x4x2x6xf32>' [paged_attention_c3]}}
  %0 = attn.paged_attention ins(%q, %k, %v : tensor<3x4x2x8xf32>, tensor<9x2x4x8xf16>, tensor<9x2x4x6xf32>) table(%t : tensor<3x6xi64>) lengths(%n : tensor<3xi64>) outs(%i : tensor<3x4x2x6xf32>) -> tensor<3x4x2x6xf32>
  return
}

// -----

func.func @paged_attention_c4(%q: tensor<3x4x2x8xf32>, %k: tensor<9x2x4x8xf32>, %v: tensor<9x2x4x6xf32>, %t: tensor<3x6xi8>, %n: tensor<3xi64>, %i: tensor<3x4x2x6xf32>) {
  // expected-error @+1 {{expected a table of B x N i32 or i64, got 'tensor<3x6xi8>' [paged_attention_c4]}}
  %0 = attn.paged_attention ins(%q, %k, %v : tensor<3x4x2x8xf32>, tensor<9x2x4x8xf32>, tensor<9x2x4x6xf32>) table(%t : tensor<3x6xi8>) lengths(%n : tensor<3xi64>) outs(%i : tensor<3x4x2x6xf32>) -> tensor<3x4x2x6xf32>
  return
}

// -----

func.func @paged_attention_c5(%q: tensor<3x4x2x8xf32>, %k: tensor<9x2x4x8xf32>, %v: tensor<9x2x4x6xf32>, %t: tensor<3x6xi64>, %n: tensor<2xi64>, %i: tensor<3x4x2x6xf32>) {
  // expected-error @+1 {{expected lengths to be a tensor of B i64, got 'tensor<2xi64>' [paged_attention_c5]}}
  %0 = attn.paged_attention ins(%q, %k, %v : tensor<3x4x2x8xf32>, tensor<9x2x4x8xf32>, tensor<9x2x4x6xf32>) table(%t : tensor<3x6xi64>) lengths(%n : tensor<2xi64>) outs(%i : tensor<3x4x2x6xf32>) -> tensor<3x4x2x6xf32>
  return
}

// -----

func.func @paged_attention_c6(%q: tensor<3x4x2x8xf32>, %k: tensor<9x2x4x8xf32>, %v: tensor<9x2x4x6xf32>, %t: tensor<3x6xi64>, %n: tensor<3xi64>, %i: tensor<3x4x2x6xf32>) {
  // expected-error @+1 {{expected the init to have the result's type 'tensor<?x4x2x6xf32>', got 'tensor<3x4x2x6xf32>' [paged_attention_c6]}}
  %0 = attn.paged_attention ins(%q, %k, %v : tensor<3x4x2x8xf32>, tensor<9x2x4x8xf32>, tensor<9x2x4x6xf32>) table(%t : tensor<3x6xi64>) lengths(%n : tensor<3xi64>) outs(%i : tensor<3x4x2x6xf32>) -> tensor<?x4x2x6xf32>
  return
}
