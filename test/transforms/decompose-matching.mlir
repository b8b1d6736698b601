// Costs and losses become elementwise operations and sums; the matching stays. Sizes that may differ are checked.
// RUN: fovea-opt %s --pass-pipeline="builtin.module(func.func(decompose-attn,canonicalize,cse))" -o %t.once
// RUN: FileCheck %s < %t.once
// Running the pass again changes nothing.
// RUN: fovea-opt %t.once --pass-pipeline="builtin.module(func.func(decompose-attn,canonicalize,cse))" -o %t.twice
// RUN: diff %t.once %t.twice

// CHECK-LABEL: @softmax
// CHECK-NOT: exec.check
// CHECK-NOT: attn.detr_cost
// CHECK: attn.softmax axis(2)
// CHECK: iterator_types = ["parallel", "parallel", "parallel"]
// CHECK: data.lookup {{.*}} : tensor<2x7x5xf32>
// CHECK: attn.bipartite_match
// CHECK: return
func.func @softmax(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>) -> (tensor<2x7xi64>, tensor<2xi64>) {
  %c = tensor.empty() : tensor<2x7x3xf32>
  %i = tensor.empty() : tensor<2x7xi64>
  %s = tensor.empty() : tensor<2xi64>
  %cost = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>)
      outs(%c : tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  %0, %1 = attn.bipartite_match ins(%cost : tensor<2x7x3xf32>) outs(%i, %s : tensor<2x7xi64>, tensor<2xi64>) -> tensor<2x7xi64>, tensor<2xi64>
  return %0, %1 : tensor<2x7xi64>, tensor<2xi64>
}

// The focal cost has no softmax. Batches of unknown sizes that have no common name may differ.
// CHECK-LABEL: @focal
// CHECK-NOT: attn.softmax
// CHECK: exec.check {{.*}}, "predictions and targets do not fit each other"
// CHECK-NOT: attn.softmax
// CHECK: attn.sigmoid
// CHECK-NOT: attn.detr_cost
// CHECK: return
func.func @focal(%logits: tensor<?x7x5xf32>, %boxes: tensor<?x7x4xf32>, %labels: tensor<?x3xi64>, %targets: tensor<?x3x4xf32>, %c: tensor<?x7x3xf32>) -> tensor<?x7x3xf32> {
  %cost = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<?x7x5xf32>, tensor<?x7x4xf32>, tensor<?x3xi64>, tensor<?x3x4xf32>)
      outs(%c : tensor<?x7x3xf32>) {class_cost = #attn.class_cost<focal>} -> tensor<?x7x3xf32>
  return %cost : tensor<?x7x3xf32>
}

// A target behind the last one is what queries without a target read.
// CHECK-LABEL: @loss
// CHECK-NOT: exec.check
// CHECK-DAG: tensor.pad {{.*}} low[0, 0] high[0, 1]
// CHECK-DAG: tensor.pad {{.*}} low[0, 0, 0] high[0, 1, 0]
// CHECK: attn.softmax axis(2) {{.*}} {log}
// CHECK-COUNT-4: iterator_types = ["reduction", "reduction"]
// CHECK-NOT: attn.set_loss
// CHECK: return
func.func @loss(%logits: tensor<2x7x5xf32>, %boxes: tensor<2x7x4xf32>, %labels: tensor<2x3xi64>, %targets: tensor<2x3x4xf32>, %columns: tensor<2x7xi64>,
                %n: tensor<2xi64>, %l: tensor<3xf32>) -> tensor<3xf32> {
  %loss = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<2x7x5xf32>, tensor<2x7x4xf32>, tensor<2x3xi64>, tensor<2x3x4xf32>, tensor<2x7xi64>)
      counts(%n : tensor<2xi64>) outs(%l : tensor<3xf32>) -> tensor<3xf32>
  return %loss : tensor<3xf32>
}
