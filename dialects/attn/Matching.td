// Bipartite matching: what DETR and its kin need to assign predictions to targets. Included by Ops.td.
#ifndef FOVEA_ATTN_MATCHING
#define FOVEA_ATTN_MATCHING

def ClassCost : I32EnumAttr<"ClassCost", "what a wrong class costs", [I32EnumAttrCase<"softmax", 0>, I32EnumAttrCase<"focal", 1>]> {
  let cppNamespace = "::fovea::attn";
  let genSpecializedAttr = 0;
}
def ClassCostAttr : EnumAttr<Attn_Dialect, ClassCost, "class_cost"> { let assemblyFormat = "`<` $value `>`"; }

def DetrCostOp : Attn_TensorOp<"detr_cost"> {
  let summary = "what it costs to assign each target to each prediction: class, L1 distance and GIoU of boxes";
  let description = [{
    `result(b,q,t) = class_weight * class(b,q,t) + bbox_weight * L1(b,q,t) - giou_weight * GIoU(b,q,t)`, class being
    `-softmax(logits(b,q,:))[label(b,t)]` or a focal term of the sigmoid. Targets from counts(b) on cost 0, whatever they hold.

    Operands: logits B x Q x K, boxes B x Q x 4, labels B x T (i64), targets B x T x 4, counts B (i64); result B x Q x T. Boxes are centre x,
    centre y, width, height. Source: Carion et al. 2020, eq. 1 and A.2; Zhu et al. 2021 (focal); Rezatofighi et al. 2019 (GIoU).
  }];
  let arguments = (ins AnyRankedTensor:$logits, AnyRankedTensor:$boxes, AnyRankedTensor:$labels, AnyRankedTensor:$targets,
                       Optional<AnyRankedTensor>:$counts, AnyRankedTensor:$init,
                       DefaultValuedAttr<F64Attr, "1.0">:$class_weight, DefaultValuedAttr<F64Attr, "5.0">:$bbox_weight,
                       DefaultValuedAttr<F64Attr, "2.0">:$giou_weight,
                       DefaultValuedAttr<ClassCostAttr, "::fovea::attn::ClassCost::softmax">:$class_cost);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $logits `,` $boxes `,` $labels `,` $targets `:` type($logits) `,` type($boxes) `,` type($labels) `,` type($targets) `)`
    (`counts` `(` $counts^ `:` type($counts) `)`)? `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

def BipartiteMatchOp : Attn_TensorOp<"bipartite_match"> {
  let summary = "an assignment of rows to columns of least total cost, for each matrix of a batch";
  let description = [{
    `columns(b,:)` assigns min(R, counts(b)) rows to different columns so that the sum of their costs is least (largest with `maximize`);
    -1 for a row without a column. `status(b)` is 0, or 1 where every assignment costs infinitely much; all rows then get -1. Among
    equal assignments it takes the one that SciPy's `linear_sum_assignment` takes. NaN, and the infinity that would be the best of all
    costs, are a fault of the run.

    Operands: cost B x R x C (f32, f64, i32 or i64), counts B (i64): columns from counts(b) on do not exist. Results: columns B x R (i64),
    status B (i64). Source: Crouse 2016, the rectangular shortest augmenting path algorithm.
  }];
  let arguments = (ins AnyRankedTensor:$cost, Optional<AnyRankedTensor>:$counts, AnyRankedTensor:$columns_init,
                       AnyRankedTensor:$status_init, UnitAttr:$maximize);
  let results = (outs AnyRankedTensor:$columns, AnyRankedTensor:$status);
  let assemblyFormat = [{
    `ins` `(` $cost `:` type($cost) `)` (`counts` `(` $counts^ `:` type($counts) `)`)?
    `outs` `(` $columns_init `,` $status_init `:` type($columns_init) `,` type($status_init) `)` attr-dict
    `->` type($columns) `,` type($status)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      auto [first, count] = getODSOperandIndexAndLength(2);
      return ::mlir::MutableOperandRange(getOperation(), first, count + 1);
    }
  }];
}

def SetLossOp : Attn_TensorOp<"set_loss"> {
  let summary = "the losses of a set of predictions against the targets that they are matched with: class, L1, GIoU";
  let description = [{
    With column(b,q) the target of a query, -1 for none, and n the number of targets, at least 1: result[0] is the cross entropy of
    logits(b,q,:) against the target's label or, for none, the last class, each weighted (the last class with `eos_coef`, others with 1)
    and divided by the sum of the weights; result[1] the sum over matched queries of the L1 distance of the boxes, divided by n;
    result[2] the sum of 1 - GIoU, divided by n.

    Operands: logits B x Q x K, boxes B x Q x 4, labels B x T (i64), targets B x T x 4, columns B x Q (i64), counts B (i64); result: 3.
    Source: Carion et al. 2020, eq. 2 and A.2.
  }];
  let arguments = (ins AnyRankedTensor:$logits, AnyRankedTensor:$boxes, AnyRankedTensor:$labels, AnyRankedTensor:$targets,
                       AnyRankedTensor:$columns, Optional<AnyRankedTensor>:$counts, AnyRankedTensor:$init,
                       DefaultValuedAttr<F64Attr, "0.1">:$eos_coef);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $logits `,` $boxes `,` $labels `,` $targets `,` $columns `:` type($logits) `,` type($boxes) `,` type($labels) `,`
    type($targets) `,` type($columns) `)` (`counts` `(` $counts^ `:` type($counts) `)`)? `outs` `(` $init `:` type($init) `)` attr-dict
    `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }";
}

#endif
