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
