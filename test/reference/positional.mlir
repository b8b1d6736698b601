// Positional encoding, as NumPy computes the formulas in f64.
// RUN: reference-check %s

// The last angle has no digit left in f32.
func.func @sinusoidal() -> (tensor<4x6xf32>, tensor<4x6xf32>) {
  %p = arith.constant dense<[0, 1, 7, 123456]> : tensor<4xi64>
  %e = tensor.empty() : tensor<4x6xf32>
  %got = attn.sinusoidal_encoding ins(%p : tensor<4xi64>) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  %want0 = arith.constant dense<[[0.0, 1.0, 0.0, 1.0, 0.0, 1.0], [0.841470985, 0.540302306, 0.0463992235, 0.998922976, 0.00215443302, 0.999997679], [0.656986599, 0.753902254, 0.319224651, 0.947679071, 0.0150804712, 0.999886283], [-0.740283454, -0.672294882, 0.0548826877, 0.998492809, 0.87112393, -0.491063233]]> : tensor<4x6xf32>
  return %got, %want0 : tensor<4x6xf32>, tensor<4x6xf32>
}

func.func @sinusoidal_concatenated() -> (tensor<2x2x8xf32>, tensor<2x2x8xf32>) {
  %y = arith.constant dense<[[1.22, 1.23], [0.06, -0.86]]> : tensor<2x2xf32>
  %x = arith.constant dense<[[-1.78, -0.47], [-0.37, -1.82]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2x8xf32>
  %got = attn.sinusoidal_encoding ins(%y, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%e : tensor<2x2x8xf32>)
      {layout = #attn.sinusoid_layout<halves>, axes = #attn.axes<concatenated>, temperature = 20.0 : f64} -> tensor<2x2x8xf32>
  %want0 = arith.constant dense<[[[0.939099356, 0.269429228, 0.343645746, 0.963020192, -0.978196607, -0.387593972, -0.207681002, 0.921830198], [0.942488802, 0.271581932, 0.334237727, 0.962415323, -0.452886285, -0.104901839, 0.891568288, 0.994482581]], [[0.0599640065, 0.0134160054, 0.99820054, 0.999910001, -0.361615432, -0.0826401612, 0.932327346, 0.996579452], [-0.757842563, -0.191118815, 0.652437468, 0.98156691, -0.969109129, -0.395823458, -0.24663231, 0.918326625]]]> : tensor<2x2x8xf32>
  return %got, %want0 : tensor<2x2x8xf32>, tensor<2x2x8xf32>
}

func.func @sinusoidal_added() -> (tensor<2x2x8xf32>, tensor<2x2x8xf32>) {
  %y = arith.constant dense<[[1.22, 1.23], [0.06, -0.86]]> : tensor<2x2xf32>
  %x = arith.constant dense<[[-1.78, -0.47], [-0.37, -1.82]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2x8xf32>
  %got = attn.sinusoidal_encoding ins(%y, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%e : tensor<2x2x8xf32>)
      {layout = #attn.sinusoid_layout<halves>, axes = #attn.axes<added>, temperature = 20.0 : f64} -> tensor<2x2x8xf32>
  %want0 = arith.constant dense<[[[-0.0390972505, -0.200353144, -0.118164743, -0.0584610378, 0.135964745, 1.50434469, 1.88485039, 1.97403145], [0.489602517, 0.328963419, 0.166680093, 0.080014334, 1.22580602, 1.81097178, 1.9568979, 1.99031993]], [[-0.301651425, -0.145702471, -0.0692241558, -0.0327685724, 1.93052789, 1.98433065, 1.99648945, 1.99921468], [-1.72695169, -1.15380219, -0.586942273, -0.28206462, 0.405805158, 1.57040733, 1.89989353, 1.97740855]]]> : tensor<2x2x8xf32>
  return %got, %want0 : tensor<2x2x8xf32>, tensor<2x2x8xf32>
}

// The second image has a row without anything.
func.func @mask_positions() -> (tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>) {
  %m = arith.constant dense<[[[false, false, true], [false, false, true]], [[false, true, true], [true, true, true]]]> : tensor<2x2x3xi1>
  %e = tensor.empty() : tensor<2x2x3xf32>
  %y = attn.mask_positions axis(1) ins(%m : tensor<2x2x3xi1>) outs(%e : tensor<2x2x3xf32>) -> tensor<2x2x3xf32>
  %x = attn.mask_positions axis(2) ins(%m : tensor<2x2x3xi1>) outs(%e : tensor<2x2x3xf32>) {normalize} -> tensor<2x2x3xf32>
  %z = attn.mask_positions axis(1) ins(%m : tensor<2x2x3xi1>) outs(%e : tensor<2x2x3xf32>) {normalize, offset = -0.5 : f64, scale = 1.0 : f64, epsilon = 0.5 : f64} -> tensor<2x2x3xf32>
  %want0 = arith.constant dense<[[[1.0, 1.0, 0.0], [2.0, 2.0, 0.0]], [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]]> : tensor<2x2x3xf32>
  %want1 = arith.constant dense<[[[3.14159108, 6.28318217, 6.28318217], [3.14159108, 6.28318217, 6.28318217]], [[6.28317902, 6.28317902, 6.28317902], [0.0, 0.0, 0.0]]]> : tensor<2x2x3xf32>
  %want2 = arith.constant dense<[[[0.2, 0.2, -1.0], [0.6, 0.6, -1.0]], [[0.333333333, -1.0, -1.0], [0.333333333, -1.0, -1.0]]]> : tensor<2x2x3xf32>
  return %y, %want0, %x, %want1, %z, %want2 : tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<2x2x3xf32>
}

func.func @learned() -> (tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>) {
  %t = arith.constant dense<[[-1.8, 2.0, 0.61], [-1.06, -0.26, 1.9], [1.59, 1.38, -0.43], [-0.03, 0.71, -1.76], [0.22, -0.91, 1.52]]> : tensor<5x3xf32>
  %p = arith.constant dense<[[2, 0], [1, 2]]> : tensor<2x2xi64>
  %e = tensor.empty() : tensor<2x2x3xf32>
  %f = tensor.empty() : tensor<3x3xf32>
  %a = attn.learned_encoding ins(%t : tensor<5x3xf32>) positions(%p : tensor<2x2xi64>) outs(%e : tensor<2x2x3xf32>) {offset = 2 : i64} -> tensor<2x2x3xf32>
  %b = attn.learned_encoding ins(%t : tensor<5x3xf32>) outs(%f : tensor<3x3xf32>) {offset = 1 : i64} -> tensor<3x3xf32>
  %want0 = arith.constant dense<[[[0.22, -0.91, 1.52], [1.59, 1.38, -0.43]], [[-0.03, 0.71, -1.76], [0.22, -0.91, 1.52]]]> : tensor<2x2x3xf32>
  %want1 = arith.constant dense<[[-1.06, -0.26, 1.9], [1.59, 1.38, -0.43], [-0.03, 0.71, -1.76]]> : tensor<3x3xf32>
  return %a, %want0, %b, %want1 : tensor<2x2x3xf32>, tensor<2x2x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>
}

func.func @rotary_none() -> (tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) {
  %p = arith.constant dense<[[0, 1], [40, 5000]]> : tensor<2x2xi64>
  %e = tensor.empty() : tensor<2x2x4xf32>
  %c, %s = attn.rotary_frequencies ins(%p : tensor<2x2xi64>) outs(%e, %e : tensor<2x2x4xf32>, tensor<2x2x4xf32>)
      {theta = 100.0 : f64, scaling = #attn.rotary_scaling<none>, factor = 4.0 : f64, original_context = 64 : i64} -> tensor<2x2x4xf32>, tensor<2x2x4xf32>
  %want0 = arith.constant dense<[[[1.0, 1.0, 1.0, 1.0], [0.540302306, 0.95041528, 0.995004165, 0.999500042]], [[-0.666938062, 0.996578996, -0.653643621, 0.301137463], [0.154668406, -0.60762832, -0.883849273, 0.511170403]]]> : tensor<2x2x4xf32>
  %want1 = arith.constant dense<[[[0.0, 0.0, 0.0, 0.0], [0.841470985, 0.310983593, 0.0998334166, 0.0316175064]], [[0.74511316, 0.0826456535, -0.756802495, 0.95358074], [-0.987966439, -0.794221521, -0.467771805, 0.859479388]]]> : tensor<2x2x4xf32>
  return %c, %want0, %s, %want1 : tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>
}

func.func @rotary_linear() -> (tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) {
  %p = arith.constant dense<[[0, 1], [40, 5000]]> : tensor<2x2xi64>
  %e = tensor.empty() : tensor<2x2x4xf32>
  %c, %s = attn.rotary_frequencies ins(%p : tensor<2x2xi64>) outs(%e, %e : tensor<2x2x4xf32>, tensor<2x2x4xf32>)
      {theta = 100.0 : f64, scaling = #attn.rotary_scaling<linear>, factor = 4.0 : f64, original_context = 64 : i64} -> tensor<2x2x4xf32>, tensor<2x2x4xf32>
  %want0 = arith.constant dense<[[[1.0, 1.0, 1.0, 1.0], [0.968912422, 0.996876627, 0.999687516, 0.99996875]], [[-0.839071529, -0.999786073, 0.540302306, 0.95041528], [0.938036543, 0.849390578, 0.787714512, -0.255691181]]]> : tensor<2x2x4xf32>
  %want1 = arith.constant dense<[[[0.0, 0.0, 0.0, 0.0], [0.247403959, 0.0789746163, 0.0249973959, 0.0079056118]], [[-0.544021111, -0.0206835315, 0.841470985, 0.310983593], [-0.346536352, -0.527764764, -0.616040459, 0.966758512]]]> : tensor<2x2x4xf32>
  return %c, %want0, %s, %want1 : tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>
}

func.func @rotary_ntk() -> (tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) {
  %p = arith.constant dense<[[0, 1], [40, 5000]]> : tensor<2x2xi64>
  %e = tensor.empty() : tensor<2x2x4xf32>
  %c, %s = attn.rotary_frequencies ins(%p : tensor<2x2xi64>) outs(%e, %e : tensor<2x2x4xf32>, tensor<2x2x4xf32>)
      {theta = 100.0 : f64, scaling = #attn.rotary_scaling<ntk>, factor = 4.0 : f64, original_context = 64 : i64} -> tensor<2x2x4xf32>, tensor<2x2x4xf32>
  %want0 = arith.constant dense<[[[1.0, 1.0, 1.0, 1.0], [0.540302306, 0.980223021, 0.999212653, 0.99996875]], [[-0.666938062, -0.114208992, -0.0166039621, 0.95041528], [0.154668406, -0.985554937, -0.875273965, -0.255691181]]]> : tensor<2x2x4xf32>
  %want1 = arith.constant dense<[[[0.0, 0.0, 0.0, 0.0], [0.841470985, 0.197896006, 0.0396746105, 0.0079056118]], [[0.74511316, 0.993456746, 0.999862145, 0.310983593], [-0.987966439, -0.169356033, -0.483627424, 0.966758512]]]> : tensor<2x2x4xf32>
  return %c, %want0, %s, %want1 : tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>
}

func.func @rotary_yarn() -> (tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) {
  %p = arith.constant dense<[[0, 1], [40, 5000]]> : tensor<2x2xi64>
  %e = tensor.empty() : tensor<2x2x4xf32>
  %c, %s = attn.rotary_frequencies ins(%p : tensor<2x2xi64>) outs(%e, %e : tensor<2x2x4xf32>, tensor<2x2x4xf32>)
      {theta = 100.0 : f64, scaling = #attn.rotary_scaling<yarn>, factor = 4.0 : f64, original_context = 64 : i64} -> tensor<2x2x4xf32>, tensor<2x2x4xf32>
  %want0 = arith.constant dense<[[[1.13862944, 1.13862944, 1.13862944, 1.13862944], [0.61520411, 1.10675531, 1.13720645, 1.13859385]], [[-0.759395309, -1.13643781, -0.473837038, 1.08217081], [0.17611, -0.110391987, 0.274396378, -0.291137505]]]> : tensor<2x2x4xf32>
  %want1 = arith.constant dense<[[[0.0, 0.0, 0.0, 0.0], [0.958123633, 0.267525077, 0.0569077533, 0.00900156231]], [[0.848407778, -0.0706123325, 1.03535282, 0.354095073], [-1.12492767, -1.13326546, -1.10507177, 1.1007797]]]> : tensor<2x2x4xf32>
  return %c, %want0, %s, %want1 : tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>
}

func.func @rotary_llama3() -> (tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) {
  %p = arith.constant dense<[[0, 1], [40, 5000]]> : tensor<2x2xi64>
  %e = tensor.empty() : tensor<2x2x4xf32>
  %c, %s = attn.rotary_frequencies ins(%p : tensor<2x2xi64>) outs(%e, %e : tensor<2x2x4xf32>, tensor<2x2x4xf32>)
      {theta = 100.0 : f64, scaling = #attn.rotary_scaling<llama3>, factor = 4.0 : f64, original_context = 64 : i64} -> tensor<2x2x4xf32>, tensor<2x2x4xf32>
  %want0 = arith.constant dense<[[[1.0, 1.0, 1.0, 1.0], [0.540302306, 0.967752049, 0.99967579, 0.99996875]], [[-0.666938062, -0.724051275, 0.52456551, 0.95041528], [0.154668406, -0.62589322, -0.0893327567, -0.255691181]]]> : tensor<2x2x4xf32>
  %want1 = arith.constant dense<[[[0.0, 0.0, 0.0, 0.0], [0.841470985, 0.251904687, 0.0254620389, 0.0079056118]], [[0.74511316, -0.68974615, 0.851370087, 0.310983593], [-0.987966439, -0.779908762, 0.996001837, 0.966758512]]]> : tensor<2x2x4xf32>
  return %c, %want0, %s, %want1 : tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>
}

func.func @relative_bidirectional() -> (tensor<2x3x20xf32>, tensor<2x3x20xf32>) {
  %t = arith.constant dense<[[-1.74, 0.72], [1.48, -1.09], [1.58, 1.49], [-1.93, 0.83], [-2.0, 0.01], [-0.25, -1.19], [-0.7, 1.22], [-0.73, -1.4]]> : tensor<8x2xf32>
  %e = tensor.empty() : tensor<2x3x20xf32>
  %got = attn.relative_bias ins(%t : tensor<8x2xf32>) outs(%e : tensor<2x3x20xf32>) {bidirectional, max_distance = 16 : i64} -> tensor<2x3x20xf32>
  %want0 = arith.constant dense<[[[-1.74, -0.25, -0.7, -0.7, -0.7, -0.7, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73], [1.48, -1.74, -0.25, -0.7, -0.7, -0.7, -0.7, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73], [1.58, 1.48, -1.74, -0.25, -0.7, -0.7, -0.7, -0.7, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73]], [[0.72, -1.19, 1.22, 1.22, 1.22, 1.22, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4], [-1.09, 0.72, -1.19, 1.22, 1.22, 1.22, 1.22, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4], [1.49, -1.09, 0.72, -1.19, 1.22, 1.22, 1.22, 1.22, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4]]]> : tensor<2x3x20xf32>
  return %got, %want0 : tensor<2x3x20xf32>, tensor<2x3x20xf32>
}

func.func @relative_bottom_right() -> (tensor<2x3x20xf32>, tensor<2x3x20xf32>) {
  %t = arith.constant dense<[[-1.74, 0.72], [1.48, -1.09], [1.58, 1.49], [-1.93, 0.83], [-2.0, 0.01], [-0.25, -1.19], [-0.7, 1.22], [-0.73, -1.4]]> : tensor<8x2xf32>
  %e = tensor.empty() : tensor<2x3x20xf32>
  %got = attn.relative_bias ins(%t : tensor<8x2xf32>) outs(%e : tensor<2x3x20xf32>) {bottom_right, max_distance = 16 : i64} -> tensor<2x3x20xf32>
  %want0 = arith.constant dense<[[[-0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.7, -0.7, -0.7, -0.7, -0.25, -0.25, -2.0, -2.0, -1.93, 1.58, 1.48, -1.74, -1.74, -1.74], [-0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.7, -0.7, -0.7, -0.7, -0.25, -0.25, -2.0, -2.0, -1.93, 1.58, 1.48, -1.74, -1.74], [-0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.73, -0.7, -0.7, -0.7, -0.7, -0.25, -0.25, -2.0, -2.0, -1.93, 1.58, 1.48, -1.74]], [[-1.4, -1.4, -1.4, -1.4, -1.4, -1.4, 1.22, 1.22, 1.22, 1.22, -1.19, -1.19, 0.01, 0.01, 0.83, 1.49, -1.09, 0.72, 0.72, 0.72], [-1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, 1.22, 1.22, 1.22, 1.22, -1.19, -1.19, 0.01, 0.01, 0.83, 1.49, -1.09, 0.72, 0.72], [-1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, -1.4, 1.22, 1.22, 1.22, 1.22, -1.19, -1.19, 0.01, 0.01, 0.83, 1.49, -1.09, 0.72]]]> : tensor<2x3x20xf32>
  return %got, %want0 : tensor<2x3x20xf32>, tensor<2x3x20xf32>
}

func.func @grid_joint() -> (tensor<2x6x6xf32>, tensor<2x6x6xf32>) {
  %t = arith.constant dense<[[0.79, -0.21], [1.2, -1.06], [-0.72, 1.2], [0.03, 0.03], [-1.06, -1.94], [1.73, -1.66], [1.38, -0.53], [1.8, -0.4], [1.75, 0.22], [-1.04, 0.97], [0.7, 0.74], [-0.14, -1.11], [0.56, -1.57], [0.77, 0.54], [-0.49, 1.19]]> : tensor<15x2xf32>
  %e = tensor.empty() : tensor<2x6x6xf32>
  %got = attn.grid_bias grid [2, 3] ins(%t : tensor<15x2xf32>) outs(%e : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %want0 = arith.constant dense<[[[1.8, 1.38, 1.73, -0.72, 1.2, 0.79], [1.75, 1.8, 1.38, 0.03, -0.72, 1.2], [-1.04, 1.75, 1.8, -1.06, 0.03, -0.72], [0.56, -0.14, 0.7, 1.8, 1.38, 1.73], [0.77, 0.56, -0.14, 1.75, 1.8, 1.38], [-0.49, 0.77, 0.56, -1.04, 1.75, 1.8]], [[-0.4, -0.53, -1.66, 1.2, -1.06, -0.21], [0.22, -0.4, -0.53, 0.03, 1.2, -1.06], [0.97, 0.22, -0.4, -1.94, 0.03, 1.2], [-1.57, -1.11, 0.74, -0.4, -0.53, -1.66], [0.54, -1.57, -1.11, 0.22, -0.4, -0.53], [1.19, 0.54, -1.57, 0.97, 0.22, -0.4]]]> : tensor<2x6x6xf32>
  return %got, %want0 : tensor<2x6x6xf32>, tensor<2x6x6xf32>
}

func.func @grid_decomposed() -> (tensor<2x6x6xf32>, tensor<2x6x6xf32>) {
  %r = arith.constant dense<[[-1.22, -0.44], [1.19, -0.48], [0.85, 0.45]]> : tensor<3x2xf32>
  %c = arith.constant dense<[[1.76, 1.97], [0.89, 1.24], [-1.39, 0.85], [1.39, -0.4], [0.21, -0.08]]> : tensor<5x2xf32>
  %e = tensor.empty() : tensor<2x6x6xf32>
  %got = attn.grid_bias grid [2, 3] ins(%r, %c : tensor<3x2xf32>, tensor<5x2xf32>) outs(%e : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %want0 = arith.constant dense<[[[-0.2, 2.08, 2.95, -2.61, -0.33, 0.54], [2.58, -0.2, 2.08, 0.17, -2.61, -0.33], [1.4, 2.58, -0.2, -1.01, 0.17, -2.61], [-0.54, 1.74, 2.61, -0.2, 2.08, 2.95], [2.24, -0.54, 1.74, 2.58, -0.2, 2.08], [1.06, 2.24, -0.54, 1.4, 2.58, -0.2]], [[0.37, 0.76, 1.49, 0.41, 0.8, 1.53], [-0.88, 0.37, 0.76, -0.84, 0.41, 0.8], [-0.56, -0.88, 0.37, -0.52, -0.84, 0.41], [1.3, 1.69, 2.42, 0.37, 0.76, 1.49], [0.05, 1.3, 1.69, -0.88, 0.37, 0.76], [0.37, 0.05, 1.3, -0.56, -0.88, 0.37]]]> : tensor<2x6x6xf32>
  return %got, %want0 : tensor<2x6x6xf32>, tensor<2x6x6xf32>
}

func.func @alibi() -> (tensor<6x2x4xf32>, tensor<6x2x4xf32>) {
  %e = tensor.empty() : tensor<6x2x4xf32>
  %got = attn.alibi_bias outs(%e : tensor<6x2x4xf32>) -> tensor<6x2x4xf32>
  %want0 = arith.constant dense<[[[-0.0, -0.25, -0.5, -0.75], [-0.25, -0.0, -0.25, -0.5]], [[-0.0, -0.0625, -0.125, -0.1875], [-0.0625, -0.0, -0.0625, -0.125]], [[-0.0, -0.015625, -0.03125, -0.046875], [-0.015625, -0.0, -0.015625, -0.03125]], [[-0.0, -0.00390625, -0.0078125, -0.01171875], [-0.00390625, -0.0, -0.00390625, -0.0078125]], [[-0.0, -0.5, -1.0, -1.5], [-0.5, -0.0, -0.5, -1.0]], [[-0.0, -0.125, -0.25, -0.375], [-0.125, -0.0, -0.125, -0.25]]]> : tensor<6x2x4xf32>
  return %got, %want0 : tensor<6x2x4xf32>, tensor<6x2x4xf32>
}

func.func @alibi_bottom_right() -> (tensor<6x2x4xf32>, tensor<6x2x4xf32>) {
  %e = tensor.empty() : tensor<6x2x4xf32>
  %got = attn.alibi_bias outs(%e : tensor<6x2x4xf32>) {bottom_right} -> tensor<6x2x4xf32>
  %want0 = arith.constant dense<[[[-0.5, -0.25, -0.0, -0.25], [-0.75, -0.5, -0.25, -0.0]], [[-0.125, -0.0625, -0.0, -0.0625], [-0.1875, -0.125, -0.0625, -0.0]], [[-0.03125, -0.015625, -0.0, -0.015625], [-0.046875, -0.03125, -0.015625, -0.0]], [[-0.0078125, -0.00390625, -0.0, -0.00390625], [-0.01171875, -0.0078125, -0.00390625, -0.0]], [[-1.0, -0.5, -0.0, -0.5], [-1.5, -1.0, -0.5, -0.0]], [[-0.25, -0.125, -0.0, -0.125], [-0.375, -0.25, -0.125, -0.0]]]> : tensor<6x2x4xf32>
  return %got, %want0 : tensor<6x2x4xf32>, tensor<6x2x4xf32>
}
