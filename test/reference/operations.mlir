// Operations that no ONNX operator becomes, or not in all forms.
// RUN: reference-check %s

func.func @softmax_guarded() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %x = arith.constant dense<[[0.0, 0.0], [0xFF800000, 0xFF800000]]> : tensor<2x2xf32>
  %init = tensor.empty() : tensor<2x2xf32>
  %got = attn.softmax axis(1) ins(%x : tensor<2x2xf32>) outs(%init : tensor<2x2xf32>) {guarded} -> tensor<2x2xf32>
  %want = arith.constant dense<[[0.5, 0.5], [0.0, 0.0]]> : tensor<2x2xf32>
  return %got, %want : tensor<2x2xf32>, tensor<2x2xf32>
}

func.func @softmax_empty_row() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = arith.constant dense<0xFF800000> : tensor<2xf32>
  %init = tensor.empty() : tensor<2xf32>
  %got = attn.softmax axis(0) ins(%x : tensor<2xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  %want = arith.constant dense<0x7FC00000> : tensor<2xf32>
  return %got, %want : tensor<2xf32>, tensor<2xf32>
}

func.func @rotary_embedding_full_tables() -> (tensor<1x4xf32>, tensor<1x4xf32>) {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %c = arith.constant dense<[[0.5, 2.0]]> : tensor<1x2xf32>
  %s = arith.constant dense<[[1.0, 3.0]]> : tensor<1x2xf32>
  %init = tensor.empty() : tensor<1x4xf32>
  %got = attn.rotary_embedding ins(%x, %c, %s : tensor<1x4xf32>, tensor<1x2xf32>, tensor<1x2xf32>) outs(%init : tensor<1x4xf32>)
      {table_map = affine_map<(d0) -> (d0)>, rotary_dim = 2 : i64} -> tensor<1x4xf32>
  %want = arith.constant dense<[[-1.5, 7.0, 3.0, 4.0]]> : tensor<1x4xf32>
  return %got, %want : tensor<1x4xf32>, tensor<1x4xf32>
}

func.func @gelu_limits() -> (tensor<3xf32>, tensor<3xf32>) {
  %x = arith.constant dense<[0xFF800000, 0x7F800000, 0x7FC00000]> : tensor<3xf32>
  %init = tensor.empty() : tensor<3xf32>
  %got = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<3xf32>) outs(%init : tensor<3xf32>) {
  ^bb0(%e: f32, %o: f32):
    %r = attn.gelu %e : f32
    linalg.yield %r : f32
  } -> tensor<3xf32>
  %want = arith.constant dense<[0.0, 0x7F800000, 0x7FC00000]> : tensor<3xf32>
  return %got, %want : tensor<3xf32>, tensor<3xf32>
}

func.func @kernel() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %init = tensor.empty() : tensor<2xf32>
  %got = exec.kernel "double" ins(%x : tensor<2xf32>) outs(%init : tensor<2xf32>)
      shapes [affine_map<() -> (2)>, affine_map<() -> (2)>] {
  ^bb0(%a: tensor<2xf32>, %o: tensor<2xf32>):
    %r = linalg.add ins(%a, %a : tensor<2xf32>, tensor<2xf32>) outs(%o : tensor<2xf32>) -> tensor<2xf32>
    exec.yield %r : tensor<2xf32>
  } -> tensor<2xf32>
  %want = arith.constant dense<[2.0, 4.0]> : tensor<2xf32>
  return %got, %want : tensor<2xf32>, tensor<2xf32>
}

exec.weight_data @w layout #exec.row_major {
  %c = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  exec.yield %c : tensor<2xf32>
}

func.func @weight() -> (tensor<2xf32>, tensor<2xf32>) {
  %got = exec.weight @w : tensor<2xf32>
  %want = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  return %got, %want : tensor<2xf32>, tensor<2xf32>
}

func.func @check() attributes {fault = "this must not be"} {
  %no = arith.constant false
  exec.check %no, "this must not be"
  return
}

func.func @lookup_outside() -> tensor<1xf32> attributes {fault = "index 2 of dim 0 with 2 elements"} {
  %t = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %init = tensor.empty() : tensor<1xf32>
  %got = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%init : tensor<1xf32>) {
  ^bb0(%o: f32):
    %i = arith.constant 2 : index
    %e = data.lookup %t[%i] : tensor<2xf32>
    linalg.yield %e : f32
  } -> tensor<1xf32>
  return %got : tensor<1xf32>
}

func.func @slice_outside() -> tensor<?xf32> attributes {fault = "leaves the 2 elements"} {
  %t = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %n = arith.constant 3 : index
  %got = tensor.extract_slice %t[0] [%n] [1] : tensor<2xf32> to tensor<?xf32>
  return %got : tensor<?xf32>
}

func.func @sums_disagree() -> tensor<?xf32> attributes {fault = "disagree on the size of loop 0"} {
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %n = arith.constant 3 : index
  %cast = tensor.cast %a : tensor<2xf32> to tensor<?xf32>
  %init = tensor.empty(%n) : tensor<?xf32>
  %got = linalg.add ins(%cast, %cast : tensor<?xf32>, tensor<?xf32>) outs(%init : tensor<?xf32>) -> tensor<?xf32>
  return %got : tensor<?xf32>
}

func.func @encoding_row_outside() -> tensor<1x1xf32> attributes {fault = "row 2 of a table with 2 rows"} {
  %t = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %p = arith.constant dense<1> : tensor<1xi64>
  %init = tensor.empty() : tensor<1x1xf32>
  %got = attn.learned_encoding ins(%t : tensor<2x1xf32>) positions(%p : tensor<1xi64>) outs(%init : tensor<1x1xf32>) {offset = 1 : i64} -> tensor<1x1xf32>
  return %got : tensor<1x1xf32>
}

func.func @encoding_sizes() -> tensor<?x2xf32> attributes {fault = "positions and encoding do not fit each other"} {
  %p = arith.constant dense<[0, 1]> : tensor<2xi64>
  %n = arith.constant 3 : index
  %init = tensor.empty(%n) : tensor<?x2xf32>
  %cast = tensor.cast %p : tensor<2xi64> to tensor<?xi64>
  %got = attn.sinusoidal_encoding ins(%cast : tensor<?xi64>) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %got : tensor<?x2xf32>
}

func.func @memory_sizes() -> tensor<1x1x2xf32> attributes {fault = "memory and keys do not fit each other"} {
  %m = arith.constant dense<1.0> : tensor<1x3x2xf32>
  %k = arith.constant dense<1.0> : tensor<1x1x2xf32>
  %s = arith.constant dense<1.0> : tensor<1x2xf32>
  %cast = tensor.cast %s : tensor<1x2xf32> to tensor<1x?xf32>
  %init = tensor.empty() : tensor<1x1x2xf32>
  %got = attn.memory_read ins(%m, %k, %cast : tensor<1x3x2xf32>, tensor<1x1x2xf32>, tensor<1x?xf32>) outs(%init : tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
  return %got : tensor<1x1x2xf32>
}

func.func @pool_sizes() -> tensor<1x2xf32> attributes {fault = "operands do not fit each other"} {
  %x = arith.constant dense<1.0> : tensor<1x3x2xf32>
  %w = arith.constant dense<1.0> : tensor<2x1xf32>
  %u = arith.constant dense<1.0> : tensor<1xf32>
  %n = arith.constant dense<1> : tensor<2xi64>
  %cast = tensor.cast %n : tensor<2xi64> to tensor<?xi64>
  %init = tensor.empty() : tensor<1x2xf32>
  %got = attn.attention_pool ins(%x, %w, %u : tensor<1x3x2xf32>, tensor<2x1xf32>, tensor<1xf32>) lengths(%cast : tensor<?xi64>) outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %got : tensor<1x2xf32>
}

func.func @top_k_ties_and_nan() -> (tensor<6xi64>, tensor<6xi64>) {
  %x = arith.constant dense<[1.0, 0x7FC00000, 2.0, -0.0, 2.0, 0.0]> : tensor<6xf32>
  %v = tensor.empty() : tensor<6xf32>
  %i = tensor.empty() : tensor<6xi64>
  %values, %got = data.top_k axis(0) ins(%x : tensor<6xf32>) outs(%v, %i : tensor<6xf32>, tensor<6xi64>) -> tensor<6xf32>, tensor<6xi64>
  %want = arith.constant dense<[1, 2, 4, 0, 3, 5]> : tensor<6xi64>
  return %got, %want : tensor<6xi64>, tensor<6xi64>
}

func.func @top_k_smallest_natural() -> (tensor<3xi8>, tensor<3xi8>) {
  %x = arith.constant dense<[-1, 3, 0, 5]> : tensor<4xi8>
  %v = tensor.empty() : tensor<3xi8>
  %i = tensor.empty() : tensor<3xi64>
  %got, %indices = data.top_k axis(0) smallest natural ins(%x : tensor<4xi8>) outs(%v, %i : tensor<3xi8>, tensor<3xi64>) -> tensor<3xi8>, tensor<3xi64>
  %want = arith.constant dense<[0, 3, 5]> : tensor<3xi8>
  return %got, %want : tensor<3xi8>, tensor<3xi8>
}

func.func @scatter_twice_at_one_place() -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %x = arith.constant dense<1.0> : tensor<3x2xf32>
  %i = arith.constant dense<[[-1], [0], [2]]> : tensor<3x1xi64>
  %u = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %init = tensor.empty() : tensor<3x2xf32>
  %got = data.scatter add places(affine_map<(d0, d1)[s0] -> (s0, d1)>) ins(%x, %i, %u : tensor<3x2xf32>, tensor<3x1xi64>, tensor<3x2xf32>)
      outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  %want = arith.constant dense<[[4.0, 5.0], [1.0, 1.0], [7.0, 9.0]]> : tensor<3x2xf32>
  return %got, %want : tensor<3x2xf32>, tensor<3x2xf32>
}

func.func @cumprod_reverse() -> (tensor<3xi32>, tensor<3xi32>) {
  %x = arith.constant dense<[2, 3, 4]> : tensor<3xi32>
  %init = tensor.empty() : tensor<3xi32>
  %got = data.cumprod axis(0) exclusive reverse ins(%x : tensor<3xi32>) outs(%init : tensor<3xi32>) -> tensor<3xi32>
  %want = arith.constant dense<[12, 4, 1]> : tensor<3xi32>
  return %got, %want : tensor<3xi32>, tensor<3xi32>
}
