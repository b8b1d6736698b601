// Operations that only say where an element lies become index maps of what reads them.
//
// Exporters compute masks and positions with gathers from grids of indices, unsqueezes and concatenations. Here an
// elementwise operation that reads through a reshape of dims of size 1 reads the source; one that reads a concatenation
// at a fixed place reads the part; a lookup at the indices of the loops is an operand with a map. What is left are
// captures that attention can take into its score region.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"
#include "dialects/data/Data.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;

/// Makes `operand` read `source` at `exprs` of the loops.
static void redirect(PatternRewriter &rewriter, linalg::GenericOp op, OpOperand *operand, Value source,
                     ArrayRef<AffineExpr> exprs) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[operand->getOperandNumber()] = AffineMap::get(op.getNumLoops(), 0, exprs, rewriter.getContext());
  rewriter.modifyOpInPlace(op, [&] {
    operand->set(source);
    op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
  });
}

/// Each loop needs an operand or result with that dim as it is; redirecting must not lose the last one. Results have
/// all parallel loops.
static bool isFree(linalg::GenericOp op) { return op.getNumReductionLoops() == 0 && isPointwise(op); }

namespace {
/// Reads through an expand_shape that adds dims of size 1, and through a collapse_shape that drops such.
struct FoldUnitReshape : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op))
      return failure();
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      Value source;
      SmallVector<AffineExpr> exprs;
      auto pick = [&](ArrayRef<int64_t> group, RankedTensorType wide,
                      llvm::function_ref<void(std::optional<int64_t>)> use) {
        std::optional<int64_t> chosen;
        for (int64_t member : group)
          if (wide.getDimSize(member) != 1) {
            if (chosen)
              return false;
            chosen = member;
          }
        use(chosen);
        return true;
      };
      bool units = true;
      if (auto expand = operand->get().getDefiningOp<tensor::ExpandShapeOp>()) {
        source = expand.getSrc();
        for (const ReassociationIndices &group : expand.getReassociationIndices())
          units = units && pick(group, cast<RankedTensorType>(expand.getType()), [&](std::optional<int64_t> member) {
                    exprs.push_back(member ? map.getResult(*member) : rewriter.getAffineConstantExpr(0));
                  });
      } else if (auto collapse = operand->get().getDefiningOp<tensor::CollapseShapeOp>()) {
        source = collapse.getSrc();
        // What becomes a single number has no groups.
        if (collapse.getReassociationIndices().empty())
          exprs.assign(cast<RankedTensorType>(source.getType()).getRank(), rewriter.getAffineConstantExpr(0));
        for (auto [d, group] : llvm::enumerate(collapse.getReassociationIndices()))
          units = units && pick(group, cast<RankedTensorType>(collapse.getSrc().getType()),
                                [&, d = d](std::optional<int64_t> member) {
                                  for (int64_t m : group)
                                    exprs.push_back(m == member ? map.getResult(d) : rewriter.getAffineConstantExpr(0));
                                });
      } else {
        continue;
      }
      if (!units || isConstantTensor(source))
        continue;
      redirect(rewriter, op, operand, source, exprs);
      return success();
    }
    return failure();
  }
};

/// Reads a concatenation at a constant place along its dim.
struct FoldConcat : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op))
      return failure();
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto concat = operand->get().getDefiningOp<tensor::ConcatOp>();
      if (!concat)
        continue;
      AffineMap map = op.getMatchingIndexingMap(operand);
      auto place = dyn_cast<AffineConstantExpr>(map.getResult(concat.getDim()));
      if (!place)
        continue;
      int64_t at = place.getValue();
      for (Value input : concat.getInputs()) {
        int64_t size = cast<RankedTensorType>(input.getType()).getDimSize(concat.getDim());
        if (ShapedType::isDynamic(size))
          break;
        if (at < size) {
          SmallVector<AffineExpr> exprs(map.getResults());
          exprs[concat.getDim()] = rewriter.getAffineConstantExpr(at);
          redirect(rewriter, op, operand, input, exprs);
          return success();
        }
        at -= size;
      }
    }
    return failure();
  }
};

/// Small integers are looked at by the passes; they leave the file that they were mapped from.
struct InlineSmallIntegers : OpRewritePattern<arith::ConstantOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ConstantOp op, PatternRewriter &rewriter) const override {
    auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue());
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!resource || !isa<IntegerType>(type.getElementType()) || type.getElementTypeBitWidth() < 8 ||
        type.getNumElements() > (1 << 16))
      return failure();
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob ||
        static_cast<int64_t>(blob->getData().size()) != type.getNumElements() * type.getElementTypeBitWidth() / 8)
      return failure();
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, DenseElementsAttr::getFromRawBuffer(type, blob->getData()));
    return success();
  }
};

/// A constant of integers that holds the index of a loop at every place is that index.
struct FoldIndexGrid : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op))
      return failure();
    for (OpOperand *operand : op.getDpsInputOperands()) {
      DenseIntElementsAttr values;
      auto type = cast<RankedTensorType>(operand->get().getType());
      BlockArgument argument = op.getMatchingBlockArgument(operand);
      if (argument.use_empty() || !isa<IntegerType>(type.getElementType()) || type.getElementType().isInteger(1) ||
          !matchPattern(operand->get(), m_Constant(&values)) || type.getNumElements() > (1 << 20))
        continue;
      AffineMap map = op.getMatchingIndexingMap(operand);
      SmallVector<int64_t> strides(type.getRank(), 1);
      for (int64_t d = type.getRank() - 2; d >= 0; --d)
        strides[d] = strides[d + 1] * type.getDimSize(d + 1);
      for (auto [d, e] : llvm::enumerate(map.getResults())) {
        auto loop = dyn_cast<AffineDimExpr>(e);
        if (!loop || !isIndexOf(values, type, map, strides, d))
          continue;
        OpBuilder b = OpBuilder::atBlockBegin(op.getBlock());
        Value index = linalg::IndexOp::create(b, op.getLoc(), loop.getPosition());
        Value v = arith::IndexCastOp::create(b, op.getLoc(), type.getElementType(), index);
        rewriter.modifyOpInPlace(op, [&] { argument.replaceAllUsesWith(v); });
        return success();
      }
    }
    return failure();
  }

  /// Every element that the map can reach holds its index along dim `dim`.
  static bool isIndexOf(DenseIntElementsAttr values, RankedTensorType type, AffineMap map, ArrayRef<int64_t> strides,
                        int64_t dim) {
    int64_t at = 0;
    for (const APInt &value : values.getValues<APInt>()) {
      bool reached = true;
      for (auto [d, e] : llvm::enumerate(map.getResults()))
        if (auto constant = dyn_cast<AffineConstantExpr>(e))
          reached &= at / strides[d] % type.getDimSize(d) == constant.getValue();
      if (reached && value.getSExtValue() != at / strides[dim] % type.getDimSize(dim))
        return false;
      ++at;
    }
    return true;
  }
};

/// A constant of booleans that holds "column <= row" of two loops is that comparison.
struct FoldTriangle : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op))
      return failure();
    for (OpOperand *operand : op.getDpsInputOperands()) {
      DenseElementsAttr values;
      auto type = cast<RankedTensorType>(operand->get().getType());
      BlockArgument argument = op.getMatchingBlockArgument(operand);
      if (argument.use_empty() || !type.getElementType().isInteger(1) ||
          !matchPattern(operand->get(), m_Constant(&values)))
        continue;
      AffineMap map = op.getMatchingIndexingMap(operand);
      SmallVector<std::pair<unsigned, int64_t>> wide; // loop and size of the dims that vary
      bool plain = true;
      for (auto [d, e] : llvm::enumerate(map.getResults())) {
        if (type.getDimSize(d) == 1)
          continue;
        auto loop = dyn_cast<AffineDimExpr>(e);
        plain &= bool(loop);
        if (loop)
          wide.push_back({loop.getPosition(), type.getDimSize(d)});
      }
      if (!plain || wide.size() != 2)
        continue;
      bool triangle = true;
      for (auto [at, value] : llvm::enumerate(values.getValues<bool>())) {
        int64_t row = at / wide[1].second, column = at % wide[1].second;
        if (value != (column <= row)) {
          triangle = false;
          break;
        }
      }
      if (!triangle)
        continue;
      OpBuilder b = OpBuilder::atBlockBegin(op.getBlock());
      Value row = linalg::IndexOp::create(b, op.getLoc(), wide[0].first),
            column = linalg::IndexOp::create(b, op.getLoc(), wide[1].first);
      Value v = arith::CmpIOp::create(b, op.getLoc(), arith::CmpIPredicate::sle, column, row);
      rewriter.modifyOpInPlace(op, [&] { argument.replaceAllUsesWith(v); });
      return success();
    }
    return failure();
  }
};

/// A lookup at indices of loops, each as long as the table's dim, is an operand.
struct LookupToOperand : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isFree(op))
      return failure();
    DimAnalysis dims;
    for (auto lookup : op.getBlock()->getOps<data::LookupOp>()) {
      SmallVector<AffineExpr> exprs;
      for (auto [d, index] : llvm::enumerate(lookup.getIndices())) {
        Value v = index;
        while (auto cast = v.getDefiningOp<arith::IndexCastOp>())
          v = cast.getIn();
        APInt constant;
        if (auto loop = v.getDefiningOp<linalg::IndexOp>()) {
          if (dims.get(op.getResult(0), loop.getDim()) != dims.get(lookup.getTable(), d))
            break;
          exprs.push_back(rewriter.getAffineDimExpr(loop.getDim()));
        } else if (matchPattern(v, m_ConstantInt(&constant))) {
          auto size = dims.get(lookup.getTable(), d).getConstant();
          int64_t at = constant.getSExtValue();
          if (!size || at < -*size || at >= *size)
            break;
          exprs.push_back(rewriter.getAffineConstantExpr(at < 0 ? at + *size : at));
        } else {
          break;
        }
      }
      if (exprs.size() != lookup.getIndices().size())
        continue;
      replaceByInput(rewriter, op, lookup, lookup.getTable(),
                     AffineMap::get(op.getNumLoops(), 0, exprs, rewriter.getContext()));
      return success();
    }
    return failure();
  }
};
} // namespace

void fovea::addOperandFolding(RewritePatternSet &patterns) {
  patterns.add<FoldUnitReshape, FoldConcat, FoldIndexGrid, FoldTriangle, InlineSmallIntegers, LookupToOperand>(
      patterns.getContext());
}
