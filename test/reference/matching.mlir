// Bipartite matching, its costs and losses, by hand and (ties) as SciPy decides.
// RUN: reference-check %s

func.func @match() -> (tensor<1x3xi64>, tensor<1x3xi64>, tensor<1xi64>, tensor<1xi64>) {
  %cost = arith.constant dense<[[[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]]]> : tensor<1x3x3xf64>
  %i = tensor.empty() : tensor<1x3xi64>
  %j = tensor.empty() : tensor<1xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<1x3x3xf64>) outs(%i, %j : tensor<1x3xi64>, tensor<1xi64>) -> tensor<1x3xi64>, tensor<1xi64>
  %want = arith.constant dense<[[1, 0, 2]]> : tensor<1x3xi64>
  %fine = arith.constant dense<0> : tensor<1xi64>
  return %columns, %want, %status, %fine : tensor<1x3xi64>, tensor<1x3xi64>, tensor<1xi64>, tensor<1xi64>
}

func.func @match_maximum() -> (tensor<1x3xi64>, tensor<1x3xi64>, tensor<1xi64>, tensor<1xi64>) {
  %cost = arith.constant dense<[[[4, 1, 3], [2, 0, 5], [3, 2, 2]]]> : tensor<1x3x3xi32>
  %i = tensor.empty() : tensor<1x3xi64>
  %j = tensor.empty() : tensor<1xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<1x3x3xi32>) outs(%i, %j : tensor<1x3xi64>, tensor<1xi64>) {maximize} -> tensor<1x3xi64>, tensor<1xi64>
  %want = arith.constant dense<[[0, 2, 1]]> : tensor<1x3xi64>
  %fine = arith.constant dense<0> : tensor<1xi64>
  return %columns, %want, %status, %fine : tensor<1x3xi64>, tensor<1x3xi64>, tensor<1xi64>, tensor<1xi64>
}

func.func @match_more_rows() -> (tensor<1x3xi64>, tensor<1x3xi64>, tensor<1xi64>, tensor<1xi64>) {
  %cost = arith.constant dense<[[[1.0, 5.0], [0.0, 9.0], [2.0, 2.0]]]> : tensor<1x3x2xf64>
  %i = tensor.empty() : tensor<1x3xi64>
  %j = tensor.empty() : tensor<1xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<1x3x2xf64>) outs(%i, %j : tensor<1x3xi64>, tensor<1xi64>) -> tensor<1x3xi64>, tensor<1xi64>
  %want = arith.constant dense<[[-1, 0, 1]]> : tensor<1x3xi64>
  %fine = arith.constant dense<0> : tensor<1xi64>
  return %columns, %want, %status, %fine : tensor<1x3xi64>, tensor<1x3xi64>, tensor<1xi64>, tensor<1xi64>
}

func.func @match_counts() -> (tensor<3x2xi64>, tensor<3x2xi64>, tensor<3xi64>, tensor<3xi64>) {
  %cost = arith.constant dense<[[[1.0, 0.0], [0.5, 0x7FF8000000000000]], [[1.0, 0.0], [0.5, 3.0]], [[0x7FF8000000000000, 0.0], [0.0, 0.0]]]> : tensor<3x2x2xf64>
  %n = arith.constant dense<[1, 2, 0]> : tensor<3xi64>
  %i = tensor.empty() : tensor<3x2xi64>
  %j = tensor.empty() : tensor<3xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<3x2x2xf64>) counts(%n : tensor<3xi64>) outs(%i, %j : tensor<3x2xi64>, tensor<3xi64>) -> tensor<3x2xi64>, tensor<3xi64>
  %want = arith.constant dense<[[-1, 0], [1, 0], [-1, -1]]> : tensor<3x2xi64>
  %fine = arith.constant dense<0> : tensor<3xi64>
  return %columns, %want, %status, %fine : tensor<3x2xi64>, tensor<3x2xi64>, tensor<3xi64>, tensor<3xi64>
}

func.func @match_infeasible() -> (tensor<2x2xi64>, tensor<2x2xi64>, tensor<2xi64>, tensor<2xi64>) {
  %cost = arith.constant dense<[[[1.0, 0x7FF0000000000000], [2.0, 0x7FF0000000000000]], [[1.0, 0x7FF0000000000000], [0x7FF0000000000000, 2.0]]]> : tensor<2x2x2xf64>
  %i = tensor.empty() : tensor<2x2xi64>
  %j = tensor.empty() : tensor<2xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<2x2x2xf64>) outs(%i, %j : tensor<2x2xi64>, tensor<2xi64>) -> tensor<2x2xi64>, tensor<2xi64>
  %want = arith.constant dense<[[-1, -1], [0, 1]]> : tensor<2x2xi64>
  %fine = arith.constant dense<[1, 0]> : tensor<2xi64>
  return %columns, %want, %status, %fine : tensor<2x2xi64>, tensor<2x2xi64>, tensor<2xi64>, tensor<2xi64>
}

func.func @match_ties() -> (tensor<4x4xi64>, tensor<4x4xi64>, tensor<4xi64>, tensor<4xi64>) {
  %cost = arith.constant dense<[[[1, 1, 1, 1, 1], [1, 1, 0, 0, 1], [0, 0, 1, 1, 1], [0, 1, 1, 0, 1]], [[0, 1, 0, 0, 1], [0, 0, 1, 1, 1], [1, 0, 1, 1, 1], [1, 1, 0, 0, 1]], [[0, 1, 0, 1, 0], [1, 0, 0, 1, 0], [0, 0, 1, 1, 0], [1, 1, 0, 0, 0]], [[0, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]]]> : tensor<4x4x5xi64>
  %i = tensor.empty() : tensor<4x4xi64>
  %j = tensor.empty() : tensor<4xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<4x4x5xi64>) outs(%i, %j : tensor<4x4xi64>, tensor<4xi64>) -> tensor<4x4xi64>, tensor<4xi64>
  %want = arith.constant dense<[[0, 2, 1, 3], [2, 0, 1, 3], [0, 1, 4, 2], [0, 3, 2, 1]]> : tensor<4x4xi64>
  %fine = arith.constant dense<0> : tensor<4xi64>
  return %columns, %want, %status, %fine : tensor<4x4xi64>, tensor<4x4xi64>, tensor<4xi64>, tensor<4xi64>
}

func.func @match_nan() -> tensor<1x1xi64> attributes {fault = "a cost is NaN or infinitely good"} {
  %cost = arith.constant dense<[[[1.0, 0x7FF8000000000000]]]> : tensor<1x1x2xf64>
  %i = tensor.empty() : tensor<1x1xi64>
  %j = tensor.empty() : tensor<1xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<1x1x2xf64>) outs(%i, %j : tensor<1x1xi64>, tensor<1xi64>) -> tensor<1x1xi64>, tensor<1xi64>
  return %columns : tensor<1x1xi64>
}

func.func @match_negative_infinity() -> tensor<1x1xi64> attributes {fault = "a cost is NaN or infinitely good"} {
  %cost = arith.constant dense<[[[1.0, 0xFFF0000000000000]]]> : tensor<1x1x2xf64>
  %i = tensor.empty() : tensor<1x1xi64>
  %j = tensor.empty() : tensor<1xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<1x1x2xf64>) outs(%i, %j : tensor<1x1xi64>, tensor<1xi64>) -> tensor<1x1xi64>, tensor<1xi64>
  return %columns : tensor<1x1xi64>
}

func.func @match_count_outside() -> tensor<1x1xi64> attributes {fault = "count 3 of 2 columns"} {
  %cost = arith.constant dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf64>
  %n = arith.constant dense<3> : tensor<1xi64>
  %i = tensor.empty() : tensor<1x1xi64>
  %j = tensor.empty() : tensor<1xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<1x1x2xf64>) counts(%n : tensor<1xi64>) outs(%i, %j : tensor<1x1xi64>, tensor<1xi64>) -> tensor<1x1xi64>, tensor<1xi64>
  return %columns : tensor<1x1xi64>
}

// The first query is the first target, the second one the second, a point; the third is apart from both.
func.func @cost() -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>) {
  %logits = arith.constant dense<[[[0.0, 0.0], [1.0986123, 0.0], [0.0, 1.0986123]]]> : tensor<1x3x2xf32>
  %boxes = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0], [2.5, 0.5, 1.0, 1.0]]]> : tensor<1x3x4xf32>
  %targets = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]]> : tensor<1x2x4xf32>
  %labels = arith.constant dense<[[0, 1]]> : tensor<1x2xi64>
  %init = tensor.empty() : tensor<1x3x2xf32>
  %got = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x2xi64>, tensor<1x2x4xf32>) outs(%init : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %want = arith.constant dense<[[[-2.5, 9.5], [9.25, -0.25], [10.4166667, 20.45]]]> : tensor<1x3x2xf32>
  return %got, %want : tensor<1x3x2xf32>, tensor<1x3x2xf32>
}

func.func @cost_focal() -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>) {
  %logits = arith.constant dense<[[[0.0, 0.0], [1.0986123, 0.0], [0.0, 1.0986123]]]> : tensor<1x3x2xf32>
  %boxes = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0], [2.5, 0.5, 1.0, 1.0]]]> : tensor<1x3x4xf32>
  %targets = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]]> : tensor<1x2x4xf32>
  %labels = arith.constant dense<[[0, 1]]> : tensor<1x2xi64>
  %init = tensor.empty() : tensor<1x3x2xf32>
  %got = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x2xi64>, tensor<1x2x4xf32>) outs(%init : tensor<1x3x2xf32>) {class_cost = #attn.class_cost<focal>} -> tensor<1x3x2xf32>
  %want = arith.constant dense<[[[-2.0866434, 9.9133566], [9.4196521, -0.0866434], [10.5800233, 20.6196521]]]> : tensor<1x3x2xf32>
  return %got, %want : tensor<1x3x2xf32>, tensor<1x3x2xf32>
}

func.func @cost_counts() -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>) {
  %logits = arith.constant dense<[[[0.0, 0.0], [1.0986123, 0.0], [0.0, 1.0986123]]]> : tensor<1x3x2xf32>
  %boxes = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0], [2.5, 0.5, 1.0, 1.0]]]> : tensor<1x3x4xf32>
  %targets = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]]> : tensor<1x2x4xf32>
  %labels = arith.constant dense<[[0, -5]]> : tensor<1x2xi64>
  %init = tensor.empty() : tensor<1x3x2xf32>
  %n = arith.constant dense<1> : tensor<1xi64>
  %got = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x2xi64>, tensor<1x2x4xf32>) counts(%n : tensor<1xi64>) outs(%init : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %want = arith.constant dense<[[[-2.5, 0.0], [9.25, 0.0], [10.4166667, 0.0]]]> : tensor<1x3x2xf32>
  return %got, %want : tensor<1x3x2xf32>, tensor<1x3x2xf32>
}

func.func @cost_label_outside() -> tensor<1x3x2xf32> attributes {fault = "label 2 of 2 classes"} {
  %logits = arith.constant dense<[[[0.0, 0.0], [1.0986123, 0.0], [0.0, 1.0986123]]]> : tensor<1x3x2xf32>
  %boxes = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0], [2.5, 0.5, 1.0, 1.0]]]> : tensor<1x3x4xf32>
  %targets = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]]> : tensor<1x2x4xf32>
  %labels = arith.constant dense<[[0, 2]]> : tensor<1x2xi64>
  %init = tensor.empty() : tensor<1x3x2xf32>
  %got = attn.detr_cost ins(%logits, %boxes, %labels, %targets : tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x2xi64>, tensor<1x2x4xf32>) outs(%init : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %got : tensor<1x3x2xf32>
}

func.func @loss() -> (tensor<3xf32>, tensor<3xf32>) {
  %logits = arith.constant dense<[[[0.0, 0.0], [1.0986123, 0.0], [0.0, 1.0986123]]]> : tensor<1x3x2xf32>
  %boxes = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0], [2.5, 0.5, 1.0, 1.0]]]> : tensor<1x3x4xf32>
  %targets = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]]> : tensor<1x2x4xf32>
  %labels = arith.constant dense<[[0, 0]]> : tensor<1x2xi64>
  %columns = arith.constant dense<[[0, -1, 1]]> : tensor<1x3xi64>
  %init = tensor.empty() : tensor<3xf32>
  %got = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x2xi64>, tensor<1x2x4xf32>, tensor<1x3xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  %want = arith.constant dense<[1.0562243, 2.0, 0.8]> : tensor<3xf32>
  return %got, %want : tensor<3xf32>, tensor<3xf32>
}

func.func @loss_nothing_matched() -> (tensor<3xf32>, tensor<3xf32>) {
  %logits = arith.constant dense<[[[0.0, 0.0], [1.0986123, 0.0], [0.0, 1.0986123]]]> : tensor<1x3x2xf32>
  %boxes = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0], [2.5, 0.5, 1.0, 1.0]]]> : tensor<1x3x4xf32>
  %targets = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]]> : tensor<1x2x4xf32>
  %labels = arith.constant dense<[[9, 9]]> : tensor<1x2xi64>
  %columns = arith.constant dense<[[-1, -1, -1]]> : tensor<1x3xi64>
  %init = tensor.empty() : tensor<3xf32>
  %n = arith.constant dense<0> : tensor<1xi64>
  %got = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x2xi64>, tensor<1x2x4xf32>, tensor<1x3xi64>) counts(%n : tensor<1xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  %want = arith.constant dense<[0.7890412, 0.0, 0.0]> : tensor<3xf32>
  return %got, %want : tensor<3xf32>, tensor<3xf32>
}

func.func @loss_column_outside() -> tensor<3xf32> attributes {fault = "column 2 of 2 targets"} {
  %logits = arith.constant dense<[[[0.0, 0.0], [1.0986123, 0.0], [0.0, 1.0986123]]]> : tensor<1x3x2xf32>
  %boxes = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0], [2.5, 0.5, 1.0, 1.0]]]> : tensor<1x3x4xf32>
  %targets = arith.constant dense<[[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]]> : tensor<1x2x4xf32>
  %labels = arith.constant dense<[[0, 0]]> : tensor<1x2xi64>
  %columns = arith.constant dense<[[0, -1, 2]]> : tensor<1x3xi64>
  %init = tensor.empty() : tensor<3xf32>
  %got = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x2xi64>, tensor<1x2x4xf32>, tensor<1x3xi64>) outs(%init : tensor<3xf32>) -> tensor<3xf32>
  return %got : tensor<3xf32>
}
