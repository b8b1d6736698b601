// Normalisations written out as reductions and elementwise operations; a divisor that is not the size is no mean.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(raise-norms,canonicalize,cse))" -o %t.once
// RUN: FileCheck %s < %t.once
// Running the pass again changes nothing.
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(raise-norms,canonicalize,cse))" -o %t.twice
// RUN: diff %t.once %t.twice

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#last = affine_map<(i, j) -> (j)>

// CHECK-LABEL: @layer_norm
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[S:[a-z0-9]+]]: tensor<64xf32>, %[[B:[a-z0-9]+]]: tensor<64xf32>
// CHECK-NOT: reduction
// CHECK: attn.layer_norm axis(1) epsilon({{9.99|1.0}}{{.*}}) ins(%[[X]] : tensor<?x64xf32>) scale(%[[S]] : tensor<64xf32>) bias(%[[B]] : tensor<64xf32>)
// CHECK-NOT: reduction
// CHECK: return
func.func @layer_norm(%x: tensor<?x64xf32>, %scale: tensor<64xf32>, %bias: tensor<64xf32>) -> tensor<?x64xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 64.0 : f32
  %m = arith.constant 64.0 : f32
  %eps = arith.constant 1.000000e-05 : f32
  %two = arith.constant 2.0 : f32
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%rows) : tensor<?x64xf32>
  %er = tensor.empty(%rows) : tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %d = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %sum : tensor<?x64xf32>, tensor<?xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %mean = arith.divf %w, %m : f32
    %r = arith.subf %v, %mean : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.mulf %v, %v : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %var = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%q : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #last, #last, #id], iterator_types = ["parallel", "parallel"]} ins(%d, %var, %scale, %bias : tensor<?x64xf32>, tensor<?xf32>, tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %g: f32, %b: f32, %o: f32):
    %a = arith.divf %w, %n : f32
    %p = arith.addf %a, %eps : f32
    %root = math.sqrt %p : f32
    %t = arith.divf %v, %root : f32
    %u = arith.mulf %t, %g : f32
    %r = arith.addf %u, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: @layer_norm_by_power
// CHECK-NOT: reduction
// CHECK: attn.layer_norm
// CHECK-NOT: reduction
// CHECK: return
func.func @layer_norm_by_power(%x: tensor<?x64xf32>, %scale: tensor<64xf32>, %bias: tensor<64xf32>) -> tensor<?x64xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 64.0 : f32
  %m = arith.constant 64.0 : f32
  %eps = arith.constant 1.000000e-05 : f32
  %two = arith.constant 2.0 : f32
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%rows) : tensor<?x64xf32>
  %er = tensor.empty(%rows) : tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %d = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %sum : tensor<?x64xf32>, tensor<?xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %mean = arith.divf %w, %m : f32
    %r = arith.subf %v, %mean : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = math.powf %v, %two : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %var = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%q : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #last, #last, #id], iterator_types = ["parallel", "parallel"]} ins(%d, %var, %scale, %bias : tensor<?x64xf32>, tensor<?xf32>, tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %g: f32, %b: f32, %o: f32):
    %a = arith.divf %w, %n : f32
    %p = arith.addf %a, %eps : f32
    %root = math.sqrt %p : f32
    %t = arith.divf %v, %root : f32
    %u = arith.mulf %t, %g : f32
    %r = arith.addf %u, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: @layer_norm_without_bias
// CHECK: attn.layer_norm
// CHECK-SAME: scale(
// CHECK-NOT: bias(
// CHECK: arith.mulf
// CHECK: return
func.func @layer_norm_without_bias(%x: tensor<?x64xf32>, %scale: tensor<64xf32>, %bias: tensor<64xf32>) -> tensor<?x64xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 64.0 : f32
  %m = arith.constant 64.0 : f32
  %eps = arith.constant 1.000000e-05 : f32
  %two = arith.constant 2.0 : f32
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%rows) : tensor<?x64xf32>
  %er = tensor.empty(%rows) : tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %d = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %sum : tensor<?x64xf32>, tensor<?xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %mean = arith.divf %w, %m : f32
    %r = arith.subf %v, %mean : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.mulf %v, %v : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %var = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%q : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #last, #last, #id], iterator_types = ["parallel", "parallel"]} ins(%d, %var, %scale, %bias : tensor<?x64xf32>, tensor<?xf32>, tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %g: f32, %b: f32, %o: f32):
    %a = arith.divf %w, %n : f32
    %p = arith.addf %a, %eps : f32
    %root = math.sqrt %p : f32
    %t = arith.divf %v, %root : f32
    %u = arith.mulf %t, %g : f32
    %r = arith.mulf %u, %u : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: @rms_norm
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[S:[a-z0-9]+]]: tensor<64xf32>
// CHECK-NOT: reduction
// CHECK: attn.rms_norm axis(1) epsilon({{9.99|1.0}}{{.*}}) ins(%[[X]] : tensor<?x64xf32>) scale(%[[S]] : tensor<64xf32>)
// CHECK-NOT: reduction
// CHECK: arith.addf
// CHECK: return
func.func @rms_norm(%x: tensor<?x64xf32>, %scale: tensor<64xf32>, %bias: tensor<64xf32>) -> tensor<?x64xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 64.0 : f32
  %m = arith.constant 64.0 : f32
  %eps = arith.constant 1.000000e-05 : f32
  %two = arith.constant 2.0 : f32
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%rows) : tensor<?x64xf32>
  %er = tensor.empty(%rows) : tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.mulf %v, %v : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %var = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%q : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #last, #last, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %var, %scale, %bias : tensor<?x64xf32>, tensor<?xf32>, tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %g: f32, %b: f32, %o: f32):
    %a = arith.divf %w, %n : f32
    %p = arith.addf %a, %eps : f32
    %root = math.sqrt %p : f32
    %t = arith.divf %v, %root : f32
    %u = arith.mulf %t, %g : f32
    %r = arith.addf %u, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: @no_mean_of_squares
// CHECK-NOT: attn.
// CHECK: return
func.func @no_mean_of_squares(%x: tensor<?x64xf32>, %scale: tensor<64xf32>, %bias: tensor<64xf32>) -> tensor<?x64xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 63.0 : f32
  %m = arith.constant 64.0 : f32
  %eps = arith.constant 1.000000e-05 : f32
  %two = arith.constant 2.0 : f32
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%rows) : tensor<?x64xf32>
  %er = tensor.empty(%rows) : tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %d = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %sum : tensor<?x64xf32>, tensor<?xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %mean = arith.divf %w, %m : f32
    %r = arith.subf %v, %mean : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.mulf %v, %v : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %var = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%q : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #last, #last, #id], iterator_types = ["parallel", "parallel"]} ins(%d, %var, %scale, %bias : tensor<?x64xf32>, tensor<?xf32>, tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %g: f32, %b: f32, %o: f32):
    %a = arith.divf %w, %n : f32
    %p = arith.addf %a, %eps : f32
    %root = math.sqrt %p : f32
    %t = arith.divf %v, %root : f32
    %u = arith.mulf %t, %g : f32
    %r = arith.addf %u, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: @no_mean
// CHECK-NOT: attn.layer_norm
// CHECK: attn.rms_norm
// CHECK: return
func.func @no_mean(%x: tensor<?x64xf32>, %scale: tensor<64xf32>, %bias: tensor<64xf32>) -> tensor<?x64xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 64.0 : f32
  %m = arith.constant 63.0 : f32
  %eps = arith.constant 1.000000e-05 : f32
  %two = arith.constant 2.0 : f32
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%rows) : tensor<?x64xf32>
  %er = tensor.empty(%rows) : tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %d = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %sum : tensor<?x64xf32>, tensor<?xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %mean = arith.divf %w, %m : f32
    %r = arith.subf %v, %mean : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.mulf %v, %v : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  %var = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%q : tensor<?x64xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #last, #last, #id], iterator_types = ["parallel", "parallel"]} ins(%d, %var, %scale, %bias : tensor<?x64xf32>, tensor<?xf32>, tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %w: f32, %g: f32, %b: f32, %o: f32):
    %a = arith.divf %w, %n : f32
    %p = arith.addf %a, %eps : f32
    %root = math.sqrt %p : f32
    %t = arith.divf %v, %root : f32
    %u = arith.mulf %t, %g : f32
    %r = arith.addf %u, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
