#include "compiler/target/vulkan/LowerLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace fovea::vulkan;

namespace {
/// A loop being written: entry, header, the blocks of the body, continue, merge.
struct Loop {
  spirv::LoopOp op;
  Block *header, *next, *merge;
  SmallVector<Value> results; ///< variables

  Loop(ConversionPatternRewriter &b, Location loc, ValueRange starts, TypeRange resultTypes) {
    for (Type type : resultTypes) {
      auto pointer = spirv::PointerType::get(type, spirv::StorageClass::Function);
      results.push_back(
          spirv::VariableOp::create(b, loc, pointer, spirv::StorageClass::Function, /*initializer=*/nullptr));
    }
    op = spirv::LoopOp::create(b, loc, spirv::LoopControl::None);
    op.addEntryAndMergeBlock(b);
    Block *entry = op.getEntryBlock();
    merge = op.getMergeBlock();
    SmallVector<Location> locs(starts.size(), loc);
    header = b.createBlock(merge, starts.getTypes(), locs);
    next = b.createBlock(merge, starts.getTypes(), locs);
    b.setInsertionPointToEnd(next);
    spirv::BranchOp::create(b, loc, header, next->getArguments());
    b.setInsertionPointToEnd(entry);
    spirv::BranchOp::create(b, loc, header, starts);
  }
  void setResults(OpBuilder &b, Location loc, ValueRange values) {
    for (auto [variable, value] : llvm::zip(results, values))
      spirv::StoreOp::create(b, loc, variable, value);
  }
  /// Replaces `op` by what the results hold behind the loop.
  void finish(ConversionPatternRewriter &b, Operation *old) {
    b.setInsertionPointAfter(op);
    SmallVector<Value> values;
    for (Value variable : results)
      values.push_back(spirv::LoadOp::create(b, old->getLoc(), variable));
    b.replaceOp(old, values);
  }
};

struct LowerFor : OpConversionPattern<scf::ForOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(scf::ForOp op, OpAdaptor adaptor, ConversionPatternRewriter &b) const override {
    Location loc = op.getLoc();
    SmallVector<Value> starts{adaptor.getLowerBound()};
    llvm::append_range(starts, adaptor.getInitArgs());
    Loop loop(b, loc, starts, op.getResultTypes());
    b.setInsertionPoint(loop.op);
    loop.setResults(b, loc, adaptor.getInitArgs());
    Block *body = op.getBody();
    b.inlineRegionBefore(op.getRegion(), loop.op.getBody(), loop.next->getIterator());
    b.setInsertionPointToEnd(loop.header);
    Value more = spirv::SLessThanOp::create(b, loc, loop.header->getArgument(0), adaptor.getUpperBound());
    spirv::BranchConditionalOp::create(b, loc, more, body, loop.header->getArguments(), loop.merge, ValueRange());
    auto yield = cast<scf::YieldOp>(body->getTerminator());
    b.setInsertionPoint(yield);
    SmallVector<Value> following;
    following.push_back(spirv::IAddOp::create(b, loc, loop.header->getArgument(0), adaptor.getStep()));
    SmallVector<Value> yielded;
    if (failed(b.getRemappedValues(yield.getOperands(), yielded)))
      return failure();
    llvm::append_range(following, yielded);
    loop.setResults(b, loc, yielded);
    b.replaceOpWithNewOp<spirv::BranchOp>(yield, loop.next, following);
    loop.finish(b, op);
    return success();
  }
};

/// The loop is only left from its header, by a condition that the round before has found: what is computed before the
/// condition does not dominate what follows the loop. There lavapipe 22, and SwiftShader in what the validation layer
/// adds, would use it with the values of the last round for lanes that have left earlier.
struct LowerWhile : OpConversionPattern<scf::WhileOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(scf::WhileOp op, OpAdaptor adaptor, ConversionPatternRewriter &b) const override {
    Location loc = op.getLoc();
    SmallVector<Value> starts(adaptor.getInits());
    starts.push_back(spirv::ConstantOp::getOne(b.getI1Type(), loc, b));
    Loop loop(b, loc, starts, op.getResultTypes());
    Block *before = op.getBeforeBody(), *after = op.getAfterBody();
    b.inlineRegionBefore(op.getBefore(), loop.op.getBody(), loop.next->getIterator());
    b.inlineRegionBefore(op.getAfter(), loop.op.getBody(), loop.next->getIterator());
    b.setInsertionPointToEnd(loop.header);
    auto carried = loop.header->getArguments();
    spirv::BranchConditionalOp::create(b, loc, carried.back(), before, carried.drop_back(), loop.merge, ValueRange());
    auto condition = cast<scf::ConditionOp>(before->getTerminator());
    b.setInsertionPoint(condition);
    SmallVector<Value> passed, following, last;
    Value more = b.getRemappedValue(condition.getCondition());
    if (failed(b.getRemappedValues(condition.getArgs(), passed)))
      return failure();
    loop.setResults(b, loc, passed);
    for (Value start : adaptor.getInits())
      last.push_back(spirv::UndefOp::create(b, loc, start.getType()));
    last.push_back(more);
    b.replaceOpWithNewOp<spirv::BranchConditionalOp>(condition, more, after, passed, loop.next, last);
    auto yield = cast<scf::YieldOp>(after->getTerminator());
    b.setInsertionPoint(yield);
    if (failed(b.getRemappedValues(yield.getOperands(), following)))
      return failure();
    following.push_back(more);
    b.replaceOpWithNewOp<spirv::BranchOp>(yield, loop.next, following);
    loop.finish(b, op);
    return success();
  }
};
} // namespace

void fovea::vulkan::populateLoopPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerFor, LowerWhile>(patterns.getContext(), /*benefit=*/10);
}
