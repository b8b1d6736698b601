#include "compiler/lowering/Body.h"
#include "compiler/lowering/Matmul.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;
using fovea::data::DimExpr;

/// Adds `factor` times the linear expression to the coefficients of the dims and to the constant; false if it is not
/// linear.
static bool addLinear(AffineExpr expr, const DimExpr &factor, MutableArrayRef<DimExpr> coefficients,
                      DimExpr &constant) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr)) {
    constant = constant + factor * DimExpr(c.getValue());
    return true;
  }
  if (auto d = dyn_cast<AffineDimExpr>(expr)) {
    coefficients[d.getPosition()] = coefficients[d.getPosition()] + factor;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (binary.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), factor, coefficients, constant) &&
           addLinear(binary.getRHS(), factor, coefficients, constant);
  if (auto c = dyn_cast<AffineConstantExpr>(binary.getRHS()); c && binary.getKind() == AffineExprKind::Mul)
    return addLinear(binary.getLHS(), factor * DimExpr(c.getValue()), coefficients, constant);
  return false;
}

FailureOr<Access> fovea::lowering::accessOf(Value tensor, AffineMap map, data::DimAnalysis &dims, std::string &reason) {
  FailureOr<View> view = viewOfSource(tensor, dims);
  if (failed(view)) {
    reason = "an operand is a reshape that cannot be read in place";
    return failure();
  }
  auto base = dyn_cast<BlockArgument>(view->base);
  if (!base) {
    reason = "an operand is computed by '" + view->base.getDefiningOp()->getName().getStringRef().str() +
             "' inside of the kernel";
    return failure();
  }
  Access access{base, view->offset, SmallVector<DimExpr>(map.getNumDims(), DimExpr(0))};
  for (auto [result, stride] : llvm::zip(map.getResults(), view->strides))
    if (!addLinear(result, stride, access.strides, access.offset)) {
      reason = "an operand is not read at a linear place";
      return failure();
    }
  return access;
}

DimExpr MatmulForm::count(ArrayRef<int64_t> which) const {
  DimExpr product(1);
  for (int64_t d : which)
    product = product * sizes[d];
  return product;
}

/// Sorts the loops of the product into batch, rows, columns and k, and finds its operands.
static LogicalResult readProduct(MatmulForm &form, std::string &reason) {
  linalg::LinalgOp op = form.product;
  Value result = op->getResult(0);
  form.element = computedType(getElementTypeOrSelf(result.getType()));
  if (!form.element.isF32() && !form.element.isF64())
    return reason = "the sums are neither f32 nor f64", failure();
  for (Value input : op.getDpsInputs())
    if (computedType(getElementTypeOrSelf(input.getType())) != form.element)
      return reason = "the operands do not have the type of the sums", failure();
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  if (reductions.size() != 1)
    return reason = "the sum runs over " + std::to_string(reductions.size()) + " dims, not one", failure();
  unsigned kLoop = reductions[0];
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!out.isProjectedPermutation() || out.getNumResults() + 1 != op.getNumLoops())
    return reason = "the result is not indexed by the parallel loops", failure();
  form.sizes = form.dims.shape(result);
  // Loops renamed: dims of the result in its order, then k.
  SmallVector<AffineExpr> rename(op.getNumLoops());
  for (auto [position, expr] : llvm::enumerate(out.getResults()))
    rename[cast<AffineDimExpr>(expr).getPosition()] = getAffineDimExpr(position, op.getContext());
  int64_t rank = form.sizes.size();
  rename[kLoop] = getAffineDimExpr(rank, op.getContext());
  SmallVector<AffineMap> maps;
  for (OpOperand *operand : op.getDpsInputOperands())
    maps.push_back(op.getMatchingIndexingMap(operand).replaceDimsAndSymbols(rename, {}, rank + 1, 0));
  for (AffineMap map : maps)
    if (!map.isFunctionOfDim(rank))
      return reason = "an operand does not depend on k", failure();
  auto exclusive = [&](int which) {
    SmallVector<int64_t> found;
    for (int64_t d = 0; d < rank; ++d)
      if (maps[which].isFunctionOfDim(d) && !maps[1 - which].isFunctionOfDim(d))
        found.push_back(d);
    return found;
  };
  int w = 1;
  if (exclusive(1).size() > 1)
    w = 0;
  SmallVector<int64_t> columns = exclusive(w);
  if (columns.size() > 1)
    return reason = "both operands have several dims that the other one lacks", failure();
  if (!columns.empty())
    form.column = columns[0];
  for (int64_t d = 0; d < rank; ++d) {
    bool inA = maps[1 - w].isFunctionOfDim(d), inW = maps[w].isFunctionOfDim(d);
    if (inW && d != form.column)
      form.batch.push_back(d);
    else if (inA && d != form.column)
      form.rows.push_back(d);
    else if (d != form.column)
      return reason = "a dim of the result occurs in no operand", failure();
  }
  form.n = form.column < 0 ? DimExpr(1) : form.sizes[form.column];
  OpOperand *wOperand = op.getDpsInputOperand(w), *aOperand = op.getDpsInputOperand(1 - w);
  for (auto [d, expr] : llvm::enumerate(op.getMatchingIndexingMap(aOperand).getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && dim.getPosition() == kLoop)
      form.k = form.dims.get(aOperand->get(), d);
  if (form.k.getTerms().empty())
    return reason = "k is zero or is not a dim of the left operand", failure();
  FailureOr<Access> a = accessOf(aOperand->get(), maps[1 - w], form.dims, reason),
                    b = accessOf(wOperand->get(), maps[w], form.dims, reason);
  if (failed(a) || failed(b))
    return failure();
  form.a = *a, form.w = *b;
  AffineMap natural =
      form.column < 0
          ? AffineMap()
          : AffineMap::get(rank + 1, 0,
                           {getAffineDimExpr(rank, op.getContext()), getAffineDimExpr(form.column, op.getContext())},
                           op.getContext());
  if (auto argument = dyn_cast<BlockArgument>(wOperand->get()); argument && form.batch.empty() && maps[w] == natural)
    form.weight = argument;
  if (form.weight && form.kernel.layouts)
    if (auto panels = dyn_cast<exec::PanelsAttr>(form.kernel.layouts[form.weight.getArgNumber() - form.kernel.symbols]))
      form.panel = panels.getWidth();
  return success();
}

/// The operations on the sums, one after the other.
static LogicalResult readEpilogue(MatmulForm &form, std::string &reason) {
  DenseSet<Value> computed{form.product->getResult(0)};
  for (Operation &op : form.kernel.body->without_terminator()) {
    if (&op == form.product || isView(&op) || isInit(&op) ||
        !llvm::any_of(op.getResultTypes(), llvm::IsaPred<RankedTensorType>))
      continue;
    if (auto generic = dyn_cast<linalg::GenericOp>(op); generic && !form.norm) {
      AffineMap identity = AffineMap::getMultiDimIdentityMap(form.sizes.size(), op.getContext());
      if (generic.getNumReductionLoops() || form.dims.shape(generic.getResult(0)) != form.sizes ||
          !canEmitBody(*generic.getBlock(), reason))
        return reason = reason.empty() ? "an operation after the product is not elementwise" : reason, failure();
      for (OpOperand &init : generic.getDpsInitsMutable())
        if (generic.getMatchingIndexingMap(&init) != identity ||
            generic.getBlock()->getArgument(init.getOperandNumber()).use_begin() !=
                generic.getBlock()->getArgument(init.getOperandNumber()).use_end())
          return reason = "an operation after the product reads or permutes its init", failure();
      SmallVector<Access> accesses;
      for (OpOperand *operand : generic.getDpsInputOperands()) {
        AffineMap map = generic.getMatchingIndexingMap(operand);
        if (computed.contains(operand->get())) {
          if (map != identity)
            return reason = "an operation after the product reads it in another order", failure();
          accesses.push_back({});
        } else if (!isa<RankedTensorType>(operand->get().getType())) {
          return reason = "an operation after the product reads a scalar operand", failure();
        } else if (auto access = accessOf(operand->get(), map, form.dims, reason); succeeded(access)) {
          accesses.push_back(*access);
        } else {
          return failure();
        }
      }
      form.epilogue.push_back(generic);
      form.operands.push_back(accesses);
      computed.insert(generic->result_begin(), generic->result_end());
    } else if (isLastDimNorm(&op) && !form.norm) {
      int64_t rank = form.sizes.size();
      if (form.column != rank - 1 || !computed.contains(op.getOperand(0)) || !form.batch.empty() ||
          computedType(getElementTypeOrSelf(op.getOperand(0).getType())) != form.element)
        return reason = "the normalisation is not over the columns of the product", failure();
      for (unsigned i = 1; i + 1 < op.getNumOperands(); ++i)
        if (failed(
                accessOf(op.getOperand(i), AffineMap::getMultiDimIdentityMap(1, op.getContext()), form.dims, reason)))
          return failure();
      form.norm = &op;
    } else {
      return reason = "'" + op.getName().getStringRef().str() + "' stands behind the product", failure();
    }
  }
  return success();
}

static LogicalResult readOutputs(MatmulForm &form, std::string &reason) {
  for (OpOperand &operand : form.kernel.body->getTerminator()->getOpOperands()) {
    // From the yielded value back to the one that is computed; then its views forward.
    Value value = operand.get();
    if (isa<BlockArgument>(value)) // memory of the schedule's own
      continue;
    MatmulOutput output{value, {form.kernel.initOf(operand), DimExpr(0), {}}};
    while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp, linalg::TransposeOp>(
        value.getDefiningOp()))
      value = value.getDefiningOp()->getOperand(0);
    Operation *def = value.getDefiningOp();
    if (def != form.product && def != form.norm && !llvm::is_contained(form.epilogue, def))
      return reason = "a result is not computed from the product", failure();
    output.value = value;
    if (value == operand.get()) {
      FailureOr<Access> rowMajor =
          accessOf(output.access.base, AffineMap::getMultiDimIdentityMap(form.sizes.size(), def->getContext()),
                   form.dims, reason);
      if (failed(rowMajor))
        return failure();
      output.access = *rowMajor;
    } else {
      FailureOr<Destination> to = viewOfDestination(value, form.dims);
      if (failed(to))
        return reason = "a result is reshaped in a way that cannot be written in place", failure();
      output.access.offset = to->view.offset;
      output.access.strides = to->view.strides;
    }
    form.outputs.push_back(output);
  }
  return success();
}

/// A vector of the epilogue reads all of its operands before it writes, and no other vector has its elements; a
/// normalisation writes rows when all of their vectors have been through the epilogue.
bool MatmulForm::mayWriteOver(BlockArgument init, BlockArgument input) const {
  const Access *to = nullptr;
  for (const MatmulOutput &output : outputs)
    if (output.access.base == init)
      to = &output.access;
  if (!to || a.base == input || w.base == input)
    return false;
  data::DimAnalysis analysis;
  std::string reason;
  if (norm)
    for (unsigned i = 1; i + 1 < norm->getNumOperands(); ++i)
      if (auto parameter =
              accessOf(norm->getOperand(i), AffineMap::getMultiDimIdentityMap(1, norm->getContext()), analysis, reason);
          failed(parameter) || parameter->base == input)
        return false;
  bool reads = false;
  for (ArrayRef<Access> accesses : operands)
    for (const Access &from : accesses) {
      if (from.base != input)
        continue;
      reads = true;
      if (from.offset != to->offset)
        return false;
      for (auto [d, size] : llvm::enumerate(sizes))
        if (!size.isConstant(1) && from.strides[d] != to->strides[d])
          return false;
    }
  return reads;
}

FailureOr<std::unique_ptr<MatmulForm>> MatmulForm::of(const KernelView &kernel, std::string &reason) {
  auto form = std::make_unique<MatmulForm>(kernel);
  for (Operation &op : *kernel.body)
    if (isContraction(&op)) {
      if (form->product)
        return reason = "there are two products", failure();
      form->product = cast<linalg::LinalgOp>(op);
    }
  if (!form->product)
    return reason = "there is no product", failure();
  if (failed(readProduct(*form, reason)) || failed(readEpilogue(*form, reason)) || failed(readOutputs(*form, reason)))
    return failure();
  return form;
}
