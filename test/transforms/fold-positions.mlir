// Integer tensors that are linear in their indices, or one number everywhere, are made from indices.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(fold-positions,canonicalize))" -o %t.once
// RUN: FileCheck %s < %t.once
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(fold-positions,canonicalize))" -o %t.twice
// RUN: diff %t.once %t.twice

#i = affine_map<(i) -> (i)>
#id = affine_map<(i, j) -> (i, j)>

// Where positions do not follow one another a new sequence begins: nowhere.
// CHECK-LABEL: @no_packed_sequences
// CHECK-NOT: tensor.concat
// CHECK-NOT: data.cumsum
// CHECK: %[[ZERO:.*]] = arith.constant 0 : i64
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} outs(
// CHECK: linalg.yield %[[ZERO]]
// CHECK: return %[[Y]]
func.func @no_packed_sequences(%n: index) -> tensor<1x?xi64> {
  %c1 = arith.constant 1 : i64
  %true = arith.constant true
  %e = tensor.empty(%n) : tensor<?xi64>
  %p = linalg.generic {indexing_maps = [#i], iterator_types = ["parallel"]} outs(%e : tensor<?xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %r = arith.index_cast %i : index to i64
    linalg.yield %r : i64
  } -> tensor<?xi64>
  %x = tensor.expand_shape %p [[0, 1]] output_shape [1, %n] : tensor<?xi64> into tensor<1x?xi64>
  %first = tensor.extract_slice %x[0, 0] [1, 1] [1, 1] : tensor<1x?xi64> to tensor<1x1xi64>
  %e1 = tensor.empty() : tensor<1x1xi64>
  %before = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%first : tensor<1x1xi64>) outs(%e1 : tensor<1x1xi64>) {
  ^bb0(%a: i64, %o: i64):
    %r = arith.subi %a, %c1 : i64
    linalg.yield %r : i64
  } -> tensor<1x1xi64>
  %all = tensor.concat dim(1) %before, %x : (tensor<1x1xi64>, tensor<1x?xi64>) -> tensor<1x?xi64>
  %l = tensor.extract_slice %all[0, 1] [1, %n] [1, 1] : tensor<1x?xi64> to tensor<1x?xi64>
  %r = tensor.extract_slice %all[0, 0] [1, %n] [1, 1] : tensor<1x?xi64> to tensor<1x?xi64>
  %en = tensor.empty(%n) : tensor<1x?xi64>
  %d = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%l, %r : tensor<1x?xi64>, tensor<1x?xi64>) outs(%en : tensor<1x?xi64>) {
  ^bb0(%a: i64, %b: i64, %o: i64):
    %s = arith.subi %a, %b : i64
    %q = arith.cmpi eq, %s, %c1 : i64
    %f = arith.xori %q, %true : i1
    %w = arith.extui %f : i1 to i64
    linalg.yield %w : i64
  } -> tensor<1x?xi64>
  %y = data.cumsum axis(1) ins(%d : tensor<1x?xi64>) outs(%en : tensor<1x?xi64>) -> tensor<1x?xi64>
  return %y : tensor<1x?xi64>
}

// The parts do not continue each other.
// CHECK-LABEL: @broken
// CHECK: tensor.concat
func.func @broken(%n: index) -> tensor<?xi64> {
  %z = arith.constant dense<3> : tensor<2xi64>
  %e = tensor.empty(%n) : tensor<?xi64>
  %p = linalg.generic {indexing_maps = [#i], iterator_types = ["parallel"]} outs(%e : tensor<?xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %r = arith.index_cast %i : index to i64
    linalg.yield %r : i64
  } -> tensor<?xi64>
  %all = tensor.concat dim(0) %z, %p : (tensor<2xi64>, tensor<?xi64>) -> tensor<?xi64>
  return %all : tensor<?xi64>
}

// A lookup in a table of positions is the index, if that stays inside; an input may leave it, which is a fault.
// CHECK-LABEL: @lookups
// CHECK: %[[I:.*]] = linalg.index 0
// CHECK-NEXT: %[[P:.*]] = arith.index_cast %[[I]]
// CHECK-NOT: data.lookup
// CHECK: linalg.yield %[[P]]
// CHECK: data.lookup
// CHECK: return
func.func @lookups(%n: index, %x: tensor<?xi64>) -> (tensor<?xi64>, tensor<?xi64>) {
  %e = tensor.empty(%n) : tensor<?xi64>
  %p = linalg.generic {indexing_maps = [#i], iterator_types = ["parallel"]} outs(%e : tensor<?xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %r = arith.index_cast %i : index to i64
    linalg.yield %r : i64
  } -> tensor<?xi64>
  %y = linalg.generic {indexing_maps = [#i], iterator_types = ["parallel"]} outs(%e : tensor<?xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %r = data.lookup %p[%i] : tensor<?xi64>
    linalg.yield %r : i64
  } -> tensor<?xi64>
  %z = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]} ins(%x : tensor<?xi64>) outs(%e : tensor<?xi64>) {
  ^bb0(%a: i64, %o: i64):
    %i = arith.index_cast %a : i64 to index
    %r = data.lookup %p[%i] : tensor<?xi64>
    linalg.yield %r : i64
  } -> tensor<?xi64>
  return %y, %z : tensor<?xi64>, tensor<?xi64>
}
