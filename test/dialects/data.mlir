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

// CHECK-LABEL: @cumprod
// CHECK: data.cumprod axis(1) exclusive ins(%{{.*}} : tensor<4x?xf32>) outs(%{{.*}} : tensor<4x?xf32>) -> tensor<4x?xf32>
func.func @cumprod(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %0 = data.cumprod axis(1) exclusive ins(%x : tensor<4x?xf32>) outs(%x : tensor<4x?xf32>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// CHECK-LABEL: @top_k
// CHECK: data.top_k axis(0) smallest natural ins(%{{.*}} : tensor<7x?xi8>) outs(%{{.*}}, %{{.*}} : tensor<3x?xi8>, tensor<3x?xi64>) -> tensor<3x?xi8>, tensor<3x?xi64>
// CHECK: data.top_k axis(0) ins(
func.func @top_k(%x: tensor<7x?xi8>, %v: tensor<3x?xi8>, %i: tensor<3x?xi64>) -> (tensor<3x?xi8>, tensor<3x?xi64>) {
  %0, %1 = data.top_k axis(0) smallest natural ins(%x : tensor<7x?xi8>) outs(%v, %i : tensor<3x?xi8>, tensor<3x?xi64>) -> tensor<3x?xi8>, tensor<3x?xi64>
  %2, %3 = data.top_k axis(0) ins(%x : tensor<7x?xi8>) outs(%0, %i : tensor<3x?xi8>, tensor<3x?xi64>) -> tensor<3x?xi8>, tensor<3x?xi64>
  return %2, %1 : tensor<3x?xi8>, tensor<3x?xi64>
}

// CHECK-LABEL: @scatter
// CHECK: data.scatter max natural places(#map{{[0-9]*}}) ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<7x?xi8>, tensor<?x1xi32>, tensor<?x?xi8>) outs(%{{.*}} : tensor<7x?xi8>) -> tensor<7x?xi8>
func.func @scatter(%x: tensor<7x?xi8>, %i: tensor<?x1xi32>, %u: tensor<?x?xi8>) -> tensor<7x?xi8> {
  %0 = data.scatter max natural places(affine_map<(d0, d1)[s0] -> (s0, d1)>) ins(%x, %i, %u : tensor<7x?xi8>, tensor<?x1xi32>, tensor<?x?xi8>)
      outs(%x : tensor<7x?xi8>) -> tensor<7x?xi8>
  return %0 : tensor<7x?xi8>
}
