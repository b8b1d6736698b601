// RUN: fovea-opt %s | fovea-opt | FileCheck %s
// RUN: fovea-opt %s --emit-bytecode | fovea-opt | FileCheck %s
// RUN: fovea-opt %s --mlir-print-op-generic | fovea-opt | FileCheck %s

// CHECK-LABEL: @lookup
// CHECK: data.lookup %{{.*}}[%{{.*}}, %{{.*}}] : tensor<?x8xf32>
// CHECK: data.lookup %{{.*}}[] : tensor<i1>
func.func @lookup(%t: tensor<?x8xf32>, %s: tensor<i1>, %i: index) -> (f32, i1) {
  %0 = data.lookup %t[%i, %i] : tensor<?x8xf32>
  %1 = data.lookup %s[] : tensor<i1>
  return %0, %1 : f32, i1
}

// CHECK-LABEL: @expand
// CHECK: data.expand %{{.*}} to[%{{.*}}] : tensor<?x1xf32> -> tensor<?x7xf32>
func.func @expand(%x: tensor<?x1xf32>, %n: index) -> tensor<?x7xf32> {
  %0 = data.expand %x to [%n] : tensor<?x1xf32> -> tensor<?x7xf32>
  return %0 : tensor<?x7xf32>
}

// CHECK-LABEL: @cumsum
// CHECK: data.cumsum axis(0) ins(%{{.*}} : tensor<4x?xi64>) outs(%{{.*}} : tensor<4x?xi64>) -> tensor<4x?xi64>
// CHECK: data.cumsum axis(1) exclusive reverse ins(%{{.*}} : tensor<4x?xi64>) outs(%{{.*}} : tensor<4x?xi64>) -> tensor<4x?xi64>
func.func @cumsum(%x: tensor<4x?xi64>) -> tensor<4x?xi64> {
  %0 = data.cumsum axis(0) ins(%x : tensor<4x?xi64>) outs(%x : tensor<4x?xi64>) -> tensor<4x?xi64>
  %1 = data.cumsum axis(1) exclusive reverse ins(%0 : tensor<4x?xi64>) outs(%x : tensor<4x?xi64>) -> tensor<4x?xi64>
  return %1 : tensor<4x?xi64>
}
