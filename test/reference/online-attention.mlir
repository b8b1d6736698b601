// attn.online_attention: one block. Expected values by NumPy, seed 5.

// From a state on.
func.func @online_attention_goes_on() -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %q = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [-0.000000000e+00, 5.000000000e-01], [1.000000000e+00, 0.000000000e+00]], [[-5.000000000e-01, -1.000000000e+00], [5.000000000e-01, 1.500000000e+00], [5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %k = arith.constant dense<[[[[-1.000000000e+00, 1.500000000e+00], [0.000000000e+00, -1.500000000e+00], [-0.000000000e+00, -1.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[-5.000000000e-01, -5.000000000e-01], [-5.000000000e-01, 5.000000000e-01], [-0.000000000e+00, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %m = arith.constant dense<[[[5.000000000e-01, 1.000000000e+00, -1.500000000e+00], [-5.000000000e-01, -1.000000000e+00, -0.000000000e+00]]]> : tensor<1x2x3xf32>
  %s = arith.constant dense<[[[3.250000000e+00, 1.000000000e+00, 1.000000000e+00], [1.250000000e+00, 2.000000000e+00, 1.250000000e+00]]]> : tensor<1x2x3xf32>
  %a = arith.constant dense<[[[[-1.000000000e+00, -1.500000000e+00], [0.000000000e+00, -1.000000000e+00], [1.000000000e+00, 5.000000000e-01]], [[-2.000000000e+00, 5.000000000e-01], [-1.000000000e+00, 0.000000000e+00], [0.000000000e+00, -2.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %offset = arith.constant 2 : index
  %keys = arith.constant 6 : index
  %got:3 = attn.online_attention ins(%q, %k, %v : tensor<1x2x3x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) block(%offset of %keys)
      outs(%m, %s, %a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>) {scale = 0.5}
      -> tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>
  %want_m = arith.constant dense<[[[1.125000000e+00, 1.000000000e+00, 0.000000000e+00], [7.500000000e-01, 8.750000000e-01, 7.500000000e-01]]]> : tensor<1x2x3xf32>
  %want_s = arith.constant dense<[[[3.600662865e+00, 2.074605821e+00, 2.829660820e+00], [2.423436576e+00, 1.638956892e+00, 2.543032917e+00]]]> : tensor<1x2x3xf32>
  %want_a = arith.constant dense<[[[[-1.122148400e+00, -7.334237539e-01], [-3.940505122e-01, -1.284463315e+00], [-5.801351697e-01, -1.917002498e-01]], [[-1.216261992e+00, 1.105996085e-01], [-7.210226085e-01, -5.307881960e-01], [-5.868869717e-01, -9.210204687e-01]]]]> : tensor<1x2x3x2xf32>
  return %got#0, %want_m, %got#1, %want_s, %got#2, %want_a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// From nothing on.
func.func @online_attention_starts() -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %q = arith.constant dense<[[[[5.000000000e-01, 2.500000000e+00], [5.000000000e-01, 1.000000000e+00], [1.000000000e+00, -5.000000000e-01]], [[-0.000000000e+00, 1.500000000e+00], [-5.000000000e-01, 0.000000000e+00], [-0.000000000e+00, 5.000000000e-01]]]]> : tensor<1x2x3x2xf32>
  %k = arith.constant dense<[[[[-5.000000000e-01, -0.000000000e+00], [0.000000000e+00, 0.000000000e+00], [-1.000000000e+00, 1.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[-1.500000000e+00, -1.000000000e+00], [-1.500000000e+00, 1.000000000e+00], [-5.000000000e-01, -1.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %m = arith.constant dense<[[[0xFF800000, 0xFF800000, 0xFF800000], [0xFF800000, 0xFF800000, 0xFF800000]]]> : tensor<1x2x3xf32>
  %s = arith.constant dense<[[[0.000000000e+00, 0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00, 0.000000000e+00]]]> : tensor<1x2x3xf32>
  %a = arith.constant dense<[[[[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]], [[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %offset = arith.constant 2 : index
  %keys = arith.constant 6 : index
  %got:3 = attn.online_attention ins(%q, %k, %v : tensor<1x2x3x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) block(%offset of %keys)
      outs(%m, %s, %a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>) {scale = 0.5}
      -> tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>
  %want_m = arith.constant dense<[[[1.000000000e+00, 2.500000000e-01, 0.000000000e+00], [7.500000000e-01, 2.500000000e-01, 2.500000000e-01]]]> : tensor<1x2x3xf32>
  %want_s = arith.constant dense<[[[1.692531909e+00, 2.466090062e+00, 2.251167336e+00], [1.944733105e+00, 2.661297686e+00, 2.557601566e+00]]]> : tensor<1x2x3xf32>
  %want_a = arith.constant dense<[[[[-1.538797863e+00, -9.567730262e-01], [-2.699135093e+00, -9.084884957e-01], [-2.904384451e+00, -2.511673358e-01]], [[-1.917099658e+00, -1.000000000e+00], [-2.991946528e+00, -1.103696120e+00], [-2.836402349e+00, -1.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  return %got#0, %want_m, %got#1, %want_s, %got#2, %want_a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// Keys and captures are counted in the whole.
func.func @online_attention_masks() -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %q = arith.constant dense<[[[[-0.000000000e+00, 1.500000000e+00], [-5.000000000e-01, -1.500000000e+00], [-2.000000000e+00, -0.000000000e+00]], [[-5.000000000e-01, 5.000000000e-01], [-5.000000000e-01, -5.000000000e-01], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x2x3x2xf32>
  %k = arith.constant dense<[[[[0.000000000e+00, -5.000000000e-01], [0.000000000e+00, 2.000000000e+00], [5.000000000e-01, -1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[1.500000000e+00, 5.000000000e-01], [-1.000000000e+00, 1.000000000e+00], [0.000000000e+00, -5.000000000e-01]]]]> : tensor<1x1x3x2xf32>
  %m = arith.constant dense<[[[-5.000000000e-01, -1.000000000e+00, 0.000000000e+00], [1.000000000e+00, -5.000000000e-01, 5.000000000e-01]]]> : tensor<1x2x3xf32>
  %s = arith.constant dense<[[[5.000000000e+00, 2.000000000e+00, 1.250000000e+00], [1.250000000e+00, 2.000000000e+00, 2.000000000e+00]]]> : tensor<1x2x3xf32>
  %a = arith.constant dense<[[[[-0.000000000e+00, 5.000000000e-01], [-5.000000000e-01, 0.000000000e+00], [5.000000000e-01, 5.000000000e-01]], [[1.000000000e+00, 5.000000000e-01], [5.000000000e-01, 2.000000000e+00], [5.000000000e-01, 0.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %offset = arith.constant 2 : index
  %keys = arith.constant 6 : index
  %bias = arith.constant dense<[5.000000000e-01, -1.000000000e+00, -5.000000000e-01, 1.000000000e+00, 5.000000000e-01, 1.500000000e+00, 0.000000000e+00, -1.500000000e+00, 2.000000000e+00]> : tensor<9xf32>
  %got:3 = attn.online_attention ins(%q, %k, %v : tensor<1x2x3x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) captures(%bias : tensor<9xf32>) block(%offset of %keys)
      outs(%m, %s, %a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>) {scale = 0.5, causal = #attn.causal<bottom_right>, capture_maps = [affine_map<(b, h, i, j) -> (j)>]} score {
  ^bb0(%x: f32, %b: index, %h: index, %i: index, %j: index, %c: f32):
    %y = arith.addf %x, %c : f32
    attn.yield %y : f32
  }
      -> tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>
  %want_m = arith.constant dense<[[[2.500000000e+00, 1.500000000e+00, 1.000000000e+00], [1.500000000e+00, 7.500000000e-01, 7.500000000e-01]]]> : tensor<1x2x3xf32>
  %want_s = arith.constant dense<[[[1.283153460e+00, 1.496416956e+00, 2.050858903e+00], [1.877596293e+00, 2.676462844e+00, 3.661054817e+00]]]> : tensor<1x2x3xf32>
  %want_a = arith.constant dense<[[[[-9.486728225e-01, 1.042002593e+00], [1.189897303e-01, -2.662088792e-01], [-4.813650392e-01, 1.111565080e+00]], [[-2.143198879e-01, 1.362981814e+00], [-1.485696836e-01, 1.014136610e+00], [9.757830950e-02, 4.411270168e-01]]]]> : tensor<1x2x3x2xf32>
  return %got#0, %want_m, %got#1, %want_s, %got#2, %want_a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// Keys behind the last one, as a block of a whole number of keys has at the end, are not live.
func.func @online_attention_behind() -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %q = arith.constant dense<[[[[1.000000000e+00, -1.000000000e+00], [1.500000000e+00, 0.000000000e+00], [-2.000000000e+00, -5.000000000e-01]], [[-5.000000000e-01, 1.500000000e+00], [-1.000000000e+00, -5.000000000e-01], [-5.000000000e-01, -5.000000000e-01]]]]> : tensor<1x2x3x2xf32>
  %k = arith.constant dense<[[[[-1.000000000e+00, 0.000000000e+00], [1.000000000e+00, 5.000000000e-01], [-1.000000000e+00, -1.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[0.000000000e+00, -5.000000000e-01], [-5.000000000e-01, -1.500000000e+00], [2.000000000e+00, 1.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %m = arith.constant dense<[[[-1.000000000e+00, 1.000000000e+00, 1.500000000e+00], [-2.500000000e+00, -5.000000000e-01, -5.000000000e-01]]]> : tensor<1x2x3xf32>
  %s = arith.constant dense<[[[1.250000000e+00, 1.000000000e+00, 1.000000000e+00], [1.000000000e+00, 5.000000000e+00, 5.000000000e+00]]]> : tensor<1x2x3xf32>
  %a = arith.constant dense<[[[[-5.000000000e-01, -1.000000000e+00], [2.500000000e+00, -1.000000000e+00], [-5.000000000e-01, 0.000000000e+00]], [[5.000000000e-01, 1.000000000e+00], [5.000000000e-01, -1.000000000e+00], [5.000000000e-01, 0.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %offset = arith.constant 4 : index
  %keys = arith.constant 6 : index
  %got:3 = attn.online_attention ins(%q, %k, %v : tensor<1x2x3x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) block(%offset of %keys)
      outs(%m, %s, %a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>) {scale = 0.5}
      -> tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>
  %want_m = arith.constant dense<[[[2.500000000e-01, 1.000000000e+00, 1.500000000e+00], [2.500000000e-01, 5.000000000e-01, 2.500000000e-01]]]> : tensor<1x2x3xf32>
  %want_s = arith.constant dense<[[[1.830497549e+00, 1.952574727e+00, 1.678970417e+00], [1.946424764e+00, 3.164049673e+00, 3.897094192e+00]]]> : tensor<1x2x3xf32>
  %want_a = arith.constant dense<[[[[-6.432523984e-01, -2.022688073e+00], [2.110599608e+00, -2.255088146e+00], [-5.362198785e-01, -4.119249654e-01]], [[-4.092845207e-01, -1.759817493e+00], [2.161348691e-02, -1.354858142e+00], [-3.144743789e-02, -1.302892143e+00]]]]> : tensor<1x2x3x2xf32>
  return %got#0, %want_m, %got#1, %want_s, %got#2, %want_a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// A block without a live key leaves the state as it is.
func.func @online_attention_no_live_key() -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %q = arith.constant dense<[[[[1.000000000e+00, -1.000000000e+00], [5.000000000e-01, 1.000000000e+00], [-5.000000000e-01, -0.000000000e+00]], [[2.000000000e+00, 1.500000000e+00], [1.000000000e+00, 5.000000000e-01], [1.000000000e+00, -0.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %k = arith.constant dense<[[[[-0.000000000e+00, -1.000000000e+00], [0.000000000e+00, -0.000000000e+00], [3.000000000e+00, -0.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[1.500000000e+00, 1.500000000e+00], [-0.000000000e+00, 1.000000000e+00], [-2.000000000e+00, 0.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %m = arith.constant dense<[[[1.000000000e+00, -2.500000000e+00, -1.000000000e+00], [1.000000000e+00, -5.000000000e-01, -1.000000000e+00]]]> : tensor<1x2x3xf32>
  %s = arith.constant dense<[[[1.250000000e+00, 1.250000000e+00, 1.250000000e+00], [1.250000000e+00, 1.250000000e+00, 1.250000000e+00]]]> : tensor<1x2x3xf32>
  %a = arith.constant dense<[[[[-0.000000000e+00, 1.500000000e+00], [5.000000000e-01, 5.000000000e-01], [-0.000000000e+00, -1.500000000e+00]], [[-5.000000000e-01, 5.000000000e-01], [0.000000000e+00, -1.000000000e+00], [-1.500000000e+00, 0.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %offset = arith.constant 2 : index
  %keys = arith.constant 6 : index
  %lengths = arith.constant dense<2> : tensor<1xi64>
  %got:3 = attn.online_attention ins(%q, %k, %v : tensor<1x2x3x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) lengths(%lengths : tensor<1xi64>) block(%offset of %keys)
      outs(%m, %s, %a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>) {scale = 0.5}
      -> tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>
  %want_m = arith.constant dense<[[[1.000000000e+00, -2.500000000e+00, -1.000000000e+00], [1.000000000e+00, -5.000000000e-01, -1.000000000e+00]]]> : tensor<1x2x3xf32>
  %want_s = arith.constant dense<[[[1.250000000e+00, 1.250000000e+00, 1.250000000e+00], [1.250000000e+00, 1.250000000e+00, 1.250000000e+00]]]> : tensor<1x2x3xf32>
  %want_a = arith.constant dense<[[[[0.000000000e+00, 1.500000000e+00], [5.000000000e-01, 5.000000000e-01], [0.000000000e+00, -1.500000000e+00]], [[-5.000000000e-01, 5.000000000e-01], [0.000000000e+00, -1.000000000e+00], [-1.500000000e+00, 0.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  return %got#0, %want_m, %got#1, %want_s, %got#2, %want_a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// So does one whose scores are -inf.
func.func @online_attention_dead() -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %q = arith.constant dense<[[[[-5.000000000e-01, -0.000000000e+00], [5.000000000e-01, -5.000000000e-01], [5.000000000e-01, 1.000000000e+00]], [[-1.000000000e+00, -2.000000000e+00], [1.000000000e+00, 0.000000000e+00], [5.000000000e-01, -1.500000000e+00]]]]> : tensor<1x2x3x2xf32>
  %k = arith.constant dense<[[[[1.500000000e+00, 5.000000000e-01], [-0.000000000e+00, -5.000000000e-01], [0.000000000e+00, -0.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[-5.000000000e-01, -1.000000000e+00], [1.500000000e+00, -0.000000000e+00], [0.000000000e+00, 0.000000000e+00]]]]> : tensor<1x1x3x2xf32>
  %m = arith.constant dense<[[[-2.500000000e+00, 5.000000000e-01, -5.000000000e-01], [-5.000000000e-01, 0.000000000e+00, -1.000000000e+00]]]> : tensor<1x2x3xf32>
  %s = arith.constant dense<[[[2.000000000e+00, 1.250000000e+00, 2.000000000e+00], [2.000000000e+00, 1.000000000e+00, 1.250000000e+00]]]> : tensor<1x2x3xf32>
  %a = arith.constant dense<[[[[-5.000000000e-01, -1.500000000e+00], [1.000000000e+00, -1.000000000e+00], [1.000000000e+00, -0.000000000e+00]], [[-5.000000000e-01, -5.000000000e-01], [5.000000000e-01, 1.000000000e+00], [-0.000000000e+00, 1.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %offset = arith.constant 2 : index
  %keys = arith.constant 6 : index
  %got:3 = attn.online_attention ins(%q, %k, %v : tensor<1x2x3x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) block(%offset of %keys)
      outs(%m, %s, %a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>) {scale = 0.5} score {
  ^bb0(%x: f32, %b: index, %h: index, %i: index, %j: index):
    %y = arith.constant 0xFF800000 : f32
    attn.yield %y : f32
  }
      -> tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>
  %want_m = arith.constant dense<[[[-2.500000000e+00, 5.000000000e-01, -5.000000000e-01], [-5.000000000e-01, 0.000000000e+00, -1.000000000e+00]]]> : tensor<1x2x3xf32>
  %want_s = arith.constant dense<[[[2.000000000e+00, 1.250000000e+00, 2.000000000e+00], [2.000000000e+00, 1.000000000e+00, 1.250000000e+00]]]> : tensor<1x2x3xf32>
  %want_a = arith.constant dense<[[[[-5.000000000e-01, -1.500000000e+00], [1.000000000e+00, -1.000000000e+00], [1.000000000e+00, 0.000000000e+00]], [[-5.000000000e-01, -5.000000000e-01], [5.000000000e-01, 1.000000000e+00], [0.000000000e+00, 1.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  return %got#0, %want_m, %got#1, %want_s, %got#2, %want_a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// From nothing on, nothing remains.
func.func @online_attention_dead_from_nothing() -> (tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %q = arith.constant dense<[[[[-2.500000000e+00, -1.500000000e+00], [2.000000000e+00, 1.000000000e+00], [5.000000000e-01, 5.000000000e-01]], [[2.000000000e+00, 5.000000000e-01], [0.000000000e+00, -1.000000000e+00], [-0.000000000e+00, -5.000000000e-01]]]]> : tensor<1x2x3x2xf32>
  %k = arith.constant dense<[[[[-5.000000000e-01, -5.000000000e-01], [-0.000000000e+00, -5.000000000e-01], [1.000000000e+00, -1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %v = arith.constant dense<[[[[-0.000000000e+00, 2.000000000e+00], [0.000000000e+00, 1.000000000e+00], [1.000000000e+00, 1.500000000e+00]]]]> : tensor<1x1x3x2xf32>
  %m = arith.constant dense<[[[0xFF800000, 0xFF800000, 0xFF800000], [0xFF800000, 0xFF800000, 0xFF800000]]]> : tensor<1x2x3xf32>
  %s = arith.constant dense<[[[0.000000000e+00, 0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00, 0.000000000e+00]]]> : tensor<1x2x3xf32>
  %a = arith.constant dense<[[[[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]], [[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  %offset = arith.constant 2 : index
  %keys = arith.constant 6 : index
  %got:3 = attn.online_attention ins(%q, %k, %v : tensor<1x2x3x2xf32>, tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) block(%offset of %keys)
      outs(%m, %s, %a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>) {scale = 0.5} score {
  ^bb0(%x: f32, %b: index, %h: index, %i: index, %j: index):
    %y = arith.constant 0xFF800000 : f32
    attn.yield %y : f32
  }
      -> tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>
  %want_m = arith.constant dense<[[[0xFF800000, 0xFF800000, 0xFF800000], [0xFF800000, 0xFF800000, 0xFF800000]]]> : tensor<1x2x3xf32>
  %want_s = arith.constant dense<[[[0.000000000e+00, 0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00, 0.000000000e+00]]]> : tensor<1x2x3xf32>
  %want_a = arith.constant dense<[[[[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]], [[0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00], [0.000000000e+00, 0.000000000e+00]]]]> : tensor<1x2x3x2xf32>
  return %got#0, %want_m, %got#1, %want_s, %got#2, %want_a : tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}
