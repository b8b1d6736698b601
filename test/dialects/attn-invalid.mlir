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
