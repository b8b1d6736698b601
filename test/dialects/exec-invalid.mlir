// One case a constraint and more; the label is in the message and in the function's name.
// RUN: fovea-opt %s --verify-diagnostics --split-input-file

// expected-error @+1 {{expected for argument 0 the size of each static dim and a name for each dynamic one, got ["rows"] [dims_c1]}}
func.func @dims_c1_count(%x: tensor<?x64xf32> {exec.dims = ["rows"]}) {
  return
}

// -----

// expected-error @+1 {{expected for argument 1 the size of each static dim and a name for each dynamic one, got [4, 64] [dims_c1]}}
func.func @dims_c1_dynamic(%x: index, %y: tensor<?x64xf32> {exec.dims = [4, 64]}) {
  return
}

// -----

// expected-error @+1 {{expected for argument 0 the size of each static dim and a name for each dynamic one, got ["rows", 32] [dims_c1]}}
func.func @dims_c1_static(%x: tensor<?x64xf32> {exec.dims = ["rows", 32]}) {
  return
}

// -----

// expected-error @+1 {{expected for argument 0 the size of each static dim and a name for each dynamic one, got "rows" [dims_c1]}}
func.func @dims_c1_array(%x: tensor<?xf32> {exec.dims = "rows"}) {
  return
}

// -----

func.func @kernel_c1(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected block arguments ('index', 'tensor<?x64xf32>', 'tensor<?x64xf32>'), got ('tensor<?x64xf32>', 'tensor<?x64xf32>') [kernel_c1]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (s0, 64)>] {
  ^bb0(%in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in : tensor<?x64xf32>
  } -> tensor<?x64xf32>
  return
}

// -----

func.func @kernel_c2_count(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected one shape for each input and init, got 1 for 2 [kernel_c2]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>] {
  ^bb0(%r: index, %in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in : tensor<?x64xf32>
  } -> tensor<?x64xf32>
  return
}

// -----

func.func @kernel_c2_rank(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected a shape of 2 sizes in 1 symbols, got affine_map<()[s0] -> (s0)> [kernel_c2]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (s0)>] {
  ^bb0(%r: index, %in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in : tensor<?x64xf32>
  } -> tensor<?x64xf32>
  return
}

// -----

func.func @kernel_c2_symbols(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected a shape of 2 sizes in 1 symbols, got affine_map<()[s0, s1] -> (s0, s1)> [kernel_c2]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0, s1] -> (s0, s1)>] {
  ^bb0(%r: index, %in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in : tensor<?x64xf32>
  } -> tensor<?x64xf32>
  return
}

// -----

func.func @kernel_c2_static(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected the size 64, got affine_map<()[s0] -> (s0, 65)> [kernel_c2]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (s0, 65)>] {
  ^bb0(%r: index, %in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in : tensor<?x64xf32>
  } -> tensor<?x64xf32>
  return
}

// -----

func.func @kernel_c3_count(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected one layout for each input and init, got 1 for 2 [kernel_c3]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (s0, 64)>] layouts [#exec.row_major] {
  ^bb0(%r: index, %in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in : tensor<?x64xf32>
  } -> tensor<?x64xf32>
  return
}

// -----

func.func @kernel_c3_kind(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected a layout, got 3 : i64 [kernel_c3]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (s0, 64)>] layouts [#exec.row_major, 3] {
  ^bb0(%r: index, %in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in : tensor<?x64xf32>
  } -> tensor<?x64xf32>
  return
}

// -----

func.func @kernel_c4_results(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected the inits to have the types of the results [kernel_c4]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (s0, 64)>] {
  ^bb0(%r: index, %in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in : tensor<?x64xf32>
  } -> tensor<64x?xf32>
  return
}

// -----

func.func @kernel_c4_yield(%n: index, %x: tensor<?x64xf32>, %init: tensor<?x64xf32>) {
  // expected-error @+1 {{expected the yielded values to have the types of the inits [kernel_c4]}}
  %0 = exec.kernel "k" symbols(%n) ins(%x : tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) shapes [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (s0, 64)>] {
  ^bb0(%r: index, %in: tensor<?x64xf32>, %out: tensor<?x64xf32>):
    exec.yield %in, %out : tensor<?x64xf32>, tensor<?x64xf32>
  } -> tensor<?x64xf32>
  return
}

// -----

// expected-error @+1 {{expected 1 indices, then tensors, at least 3 of them inits, got ('index', 'tensor<?xf32>', 'tensor<?xf32>') [kernel_c1]}}
exec.kernel_def @kernel_c1_definition_few symbols 1 inits 3 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected -1 indices, then tensors, at least 1 of them inits, got ('index', 'tensor<?xf32>', 'tensor<?xf32>') [kernel_c1]}}
exec.kernel_def @kernel_c1_definition_negative symbols -1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected 1 indices, then tensors, at least 1 of them inits, got ('index', 'index', 'tensor<?xf32>') [kernel_c1]}}
exec.kernel_def @kernel_c1_definition_types symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} {
^bb0(%n: index, %in: index, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected no block arguments and one yielded tensor [weight_data_c1]}}
exec.weight_data @weight_data_c1 layout #exec.row_major {
^bb0(%x: tensor<4xf32>):
  exec.yield %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{expected no block arguments and one yielded tensor [weight_data_c1]}}
exec.weight_data @weight_data_c1_empty layout #exec.row_major {
}

// -----

// expected-error @+1 {{expected a layout, got "columns" [weight_data_c2]}}
exec.weight_data @weight_data_c2 layout "columns" {
  %c = arith.constant dense<1.0> : tensor<4xf32>
  exec.yield %c : tensor<4xf32>
}

// -----

// expected-error @+1 {{expected a matrix for a layout of panels, got 'tensor<4xf32>' [weight_data_c3]}}
exec.weight_data @weight_data_c3 layout #exec.panels<64> {
  %c = arith.constant dense<1.0> : tensor<4xf32>
  exec.yield %c : tensor<4xf32>
}

// -----

// expected-error @+1 {{expected a panel of at least 1 column, got 0 [weight_data_c3]}}
exec.weight_data @weight_data_c3_width layout #exec.panels<0> {
  %c = arith.constant dense<1.0> : tensor<4x4xf32>
  exec.yield %c : tensor<4x4xf32>
}

// -----

// expected-error @+1 {{expected the body to end with exec.finish, got exec.yield [program_c1]}}
exec.program @program_c1 inputs [] outputs [] {
  exec.yield
}

// -----

// expected-error @+1 {{expected `over` of an output to be the number of an input of its type, of each at most once, got 1 : i64 [program_c2]}}
exec.program @program_c2 inputs [{dims = [3], name = "x", type = f32}] outputs [{dims = [3], name = "y", over = 1 : i64, type = f32}] {
  %0 = arith.constant 0 : index
  exec.finish arena %0 outputs()
}

// -----

// expected-error @+1 {{expected `over` of an output to be the number of an input of its type, of each at most once, got 0 : i64 [program_c2]}}
exec.program @program_c2_type inputs [{dims = [3], name = "x", type = f32}] outputs [{dims = [3], name = "y", over = 0 : i64, type = f16}] {
  %0 = arith.constant 0 : index
  exec.finish arena %0 outputs()
}

// -----

// expected-error @+1 {{expected `over` of an output to be the number of an input of its type, of each at most once, got 0 : i64 [program_c2]}}
exec.program @program_c2_twice inputs [{dims = [3], name = "x", type = f32}] outputs [{dims = [3], name = "y", over = 0 : i64, type = f32}, {dims = [3], name = "z", over = 0 : i64, type = f32}] {
  %0 = arith.constant 0 : index
  exec.finish arena %0 outputs()
}

// -----

// expected-error @+1 {{expected aliases to be pairs of an init below 1 and an input below 1, got [0, 1] [kernel_c5]}}
exec.kernel_def @kernel_c5_input symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0, 1]]} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected aliases to be pairs of an init below 1 and an input below 1, got [1, 0] [kernel_c5]}}
exec.kernel_def @kernel_c5_init symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[1, 0]]} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected aliases to be pairs of an init below 1 and an input below 1, got [0, -1] [kernel_c5]}}
exec.kernel_def @kernel_c5_negative symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0, -1]]} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected aliases to be pairs of an init below 1 and an input below 1, got [0] [kernel_c5]}}
exec.kernel_def @kernel_c5_pair symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0]]} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected aliases to be pairs of an init below 1 and an input below 1, got 3 : i64 [kernel_c5]}}
exec.kernel_def @kernel_c5_number symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} attributes {aliases = [3]} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected aliases of one element type and number of elements, row major, got 'tensor<?xf32>' and 'tensor<?xf64>' [kernel_c5]}}
exec.kernel_def @kernel_c5_type symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0, 0]]} {
^bb0(%n: index, %in: tensor<?xf64>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected aliases of one element type and number of elements, row major, got 'tensor<?xf32>' and 'tensor<?xf32>' [kernel_c5]}}
exec.kernel_def @kernel_c5_size symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0 * 2)>, affine_map<()[s0] -> (s0)>] layouts [#exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0, 0]]} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

// expected-error @+1 {{expected aliases of one element type and number of elements, row major, got 'tensor<?xf32>' and 'tensor<?xf32>' [kernel_c5]}}
exec.kernel_def @kernel_c5_layout symbols 1 inits 1 shapes [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>] layouts [#exec.panels<4>, #exec.row_major] schedule {} attributes {aliases = [[0, 0]]} {
^bb0(%n: index, %in: tensor<?xf32>, %out: tensor<?xf32>):
  exec.yield %out : tensor<?xf32>
}

// -----

exec.kernel_def @add symbols 0 inits 1 shapes [affine_map<() -> (4)>, affine_map<() -> (4)>, affine_map<() -> (4)>] layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0, 0]]} {
^bb0(%x: tensor<4xf32>, %y: tensor<4xf32>, %out: tensor<4xf32>):
  exec.yield %out : tensor<4xf32>
}
exec.program @dispatch_c1_kernel inputs [] outputs [] {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = exec.arena_buffer %c0
  %b = exec.arena_buffer %c64
  %same = exec.arena_buffer %c64
  // expected-error @+1 {{expected a kernel, got @sub [dispatch_c1]}}
  exec.dispatch @sub buffers(%a, %a, %b) node "n"
  exec.finish arena %c64 outputs()
}

// -----

exec.kernel_def @add symbols 0 inits 1 shapes [affine_map<() -> (4)>, affine_map<() -> (4)>, affine_map<() -> (4)>] layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0, 0]]} {
^bb0(%x: tensor<4xf32>, %y: tensor<4xf32>, %out: tensor<4xf32>):
  exec.yield %out : tensor<4xf32>
}
exec.program @dispatch_c1_buffers inputs [] outputs [] {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = exec.arena_buffer %c0
  %b = exec.arena_buffer %c64
  %same = exec.arena_buffer %c64
  // expected-error @+1 {{expected 0 symbols and 3 buffers, got 0 and 2 [dispatch_c1]}}
  exec.dispatch @add buffers(%a, %b) node "n"
  exec.finish arena %c64 outputs()
}

// -----

exec.kernel_def @add symbols 0 inits 1 shapes [affine_map<() -> (4)>, affine_map<() -> (4)>, affine_map<() -> (4)>] layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0, 0]]} {
^bb0(%x: tensor<4xf32>, %y: tensor<4xf32>, %out: tensor<4xf32>):
  exec.yield %out : tensor<4xf32>
}
exec.program @dispatch_c1_symbols inputs [] outputs [] {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = exec.arena_buffer %c0
  %b = exec.arena_buffer %c64
  %same = exec.arena_buffer %c64
  // expected-error @+1 {{expected 0 symbols and 3 buffers, got 1 and 3 [dispatch_c1]}}
  exec.dispatch @add symbols(%c0) buffers(%a, %a, %b) node "n"
  exec.finish arena %c64 outputs()
}

// -----

exec.kernel_def @add symbols 0 inits 1 shapes [affine_map<() -> (4)>, affine_map<() -> (4)>, affine_map<() -> (4)>] layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {} attributes {aliases = [[0, 0]]} {
^bb0(%x: tensor<4xf32>, %y: tensor<4xf32>, %out: tensor<4xf32>):
  exec.yield %out : tensor<4xf32>
}
exec.program @dispatch_c2_input inputs [] outputs [] {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = exec.arena_buffer %c0
  %b = exec.arena_buffer %c64
  %same = exec.arena_buffer %c64
  // expected-error @+1 {{expected init 0 to have memory of its own, got that of input 1 [dispatch_c2]}}
  exec.dispatch @add buffers(%a, %b, %same) node "n"
  exec.finish arena %c64 outputs()
}

// -----

exec.kernel_def @two symbols 0 inits 2 shapes [affine_map<() -> (4)>, affine_map<() -> (4)>] layouts [#exec.row_major, #exec.row_major] schedule {} {
^bb0(%x: tensor<4xf32>, %y: tensor<4xf32>):
  exec.yield %x, %y : tensor<4xf32>, tensor<4xf32>
}
exec.program @dispatch_c2_init inputs [] outputs [] {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = exec.arena_buffer %c0
  %b = exec.arena_buffer %c64
  %same = exec.arena_buffer %c64
  // expected-error @+1 {{expected init 1 to have memory of its own, got that of init 0 [dispatch_c2]}}
  exec.dispatch @two buffers(%b, %same) node "n"
  exec.finish arena %c64 outputs()
}
