// From tensors to memory: a function of kernels becomes a host program that dispatches outlined kernels on buffers.
//
// What lies where is decided at compile time (ArenaPlan); offsets are computed once for each tuple of shapes. Results
// of the program are written where the caller wants them, which may be over an argument: which one is noted with the
// result. Kernels that are the same but for what they read and write become one definition.
#include "compiler/transforms/ArenaPlan.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

namespace fovea {
#define GEN_PASS_DEF_PLANMEMORY
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

namespace {
/// Of each kernel definition of the module, a kernel that it was made of.
using Definitions = SmallVector<std::pair<exec::KernelOp, StringAttr>>;

class Planner {
public:
  Planner(mlir::func::FuncOp function, Definitions &definitions)
      : function(function), b(function.getContext()), plan(function, dims), definitions(definitions) {}
  /// Leaves the function behind, for the definitions.
  LogicalResult run();

private:
  LogicalResult cloneSizes();
  Value bufferOf(Value tensor);
  StringAttr definitionOf(exec::KernelOp kernel);
  LogicalResult writeBody();

  mlir::func::FuncOp function;
  OpBuilder b;
  DimAnalysis dims;
  ArenaPlan plan;
  exec::ProgramOp program;
  IRMapping map;
  SmallVector<Value> slotOffsets;
  Definitions &definitions;
};
} // namespace

/// The arithmetic of sizes, and the sizes of inputs that it starts from.
LogicalResult Planner::cloneSizes() {
  Block &block = function.getBody().front();
  for (Operation &op : block.without_terminator()) {
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      auto argument = dyn_cast<BlockArgument>(dim.getSource());
      auto d = dim.getConstantIndex();
      if (argument && d)
        map.map(dim.getResult(), exec::InputDimOp::create(b, op.getLoc(), argument.getArgNumber(), *d).getResult());
      else if (d && !dim->use_empty())
        return op.emitError("the size of an intermediate tensor was not resolved");
    } else if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
      auto argument = dyn_cast<BlockArgument>(baseOf(extract.getTensor()));
      if (!argument)
        return op.emitError("not supported: a size depends on a value that is computed at run time");
      Value place = arith::ConstantIndexOp::create(b, op.getLoc(), 0);
      for (auto [d, index] : llvm::enumerate(extract.getIndices())) {
        OpBuilder::InsertionGuard guard(b);
        Value size;
        auto type = cast<RankedTensorType>(extract.getTensor().getType());
        if (type.isDynamicDim(d))
          size = exec::InputDimOp::create(b, op.getLoc(), argument.getArgNumber(), d);
        else
          size = arith::ConstantIndexOp::create(b, op.getLoc(), type.getDimSize(d));
        place = arith::AddIOp::create(b, op.getLoc(), arith::MulIOp::create(b, op.getLoc(), place, size),
                                      map.lookupOrDefault(index));
      }
      map.map(
          extract.getResult(),
          exec::InputElementOp::create(b, op.getLoc(), extract.getType(), argument.getArgNumber(), place).getResult());
    } else if (isa<arith::ArithDialect>(op.getDialect()) && !isa<RankedTensorType>(op.getResult(0).getType())) {
      b.clone(op, map);
    } else if (isa<exec::CheckOp>(op)) {
      b.clone(op, map);
    } else if (!isa<exec::KernelOp, exec::WeightOp, tensor::EmptyOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp,
                    tensor::CastOp, arith::ConstantOp>(op) &&
               !op.use_empty()) {
      return op.emitError("an operation is left that is neither part of a kernel nor of the arithmetic of sizes");
    }
  }
  return success();
}

Value Planner::bufferOf(Value tensor) {
  Value base = baseOf(tensor);
  Location loc = tensor.getLoc();
  if (auto argument = dyn_cast<BlockArgument>(base))
    return exec::InputBufferOp::create(b, loc, argument.getArgNumber());
  if (auto weight = base.getDefiningOp<exec::WeightOp>())
    return exec::WeightBufferOp::create(b, loc, weight.getSourceAttr());
  if (std::optional<unsigned> output = plan.outputOf(base))
    return exec::OutputBufferOp::create(b, loc, *output);
  return exec::ArenaBufferOp::create(b, loc, slotOffsets[plan.slotOf(base)]);
}

/// The nodes of the source model that became a kernel.
static ArrayAttr nodesOf(exec::KernelOp kernel) {
  llvm::SetVector<StringAttr> names;
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (!op.hasTrait<OpTrait::ConstantLike>() && !isa<tensor::EmptyOp, tensor::DimOp>(op))
      op.getLoc()->walk([&](Location loc) {
        if (auto name = dyn_cast<NameLoc>(loc))
          names.insert(name.getName());
        return WalkResult::advance();
      });
  SmallVector<Attribute> all(names.begin(), names.end());
  return ArrayAttr::get(kernel.getContext(), all);
}

/// The definition of a kernel: an existing one if it is the same.
StringAttr Planner::definitionOf(exec::KernelOp kernel) {
  for (auto [known, name] : definitions)
    if (isSameKernel(known, kernel))
      return name;
  OpBuilder at(program);
  // The name that the tile phase gave, unless what came behind it changed one of several kernels of that name.
  StringRef given = kernel.getName().empty() ? "kernel" : kernel.getName();
  StringAttr name = at.getStringAttr(given);
  for (unsigned i = 1; SymbolTable::lookupSymbolIn(program->getParentOp(), name); ++i)
    name = at.getStringAttr(given + "_" + Twine(i));
  auto definition =
      exec::KernelDefOp::create(at, kernel.getLoc(), name, kernel.getSymbols().size(), kernel.getInits().size(),
                                kernel.getShapes(), kernel.getLayoutsAttr(), kernel.getScheduleAttr(),
                                kernel.getAliasesAttr() ? kernel.getAliasesAttr() : at.getArrayAttr({}));
  if (std::string node = faultNode(kernel); !node.empty())
    definition->setAttr("node", at.getStringAttr(node));
  definitions.emplace_back(kernel, name);
  IRMapping regionMap;
  kernel.getBody().cloneInto(&definition.getBody(), regionMap);
  return name;
}

LogicalResult Planner::writeBody() {
  Location loc = function.getLoc();
  if (failed(cloneSizes()))
    return failure();
  // Symbols of kernels are values of the function, so sizes are materialised through the same map.
  auto sizeOf = [&](const DimExpr &expr) -> Value {
    OpBuilder::InsertionGuard guard(b);
    OpBuilder at(function.getBody().front().getTerminator());
    Value original = data::materialize(at, loc, expr);
    std::function<Value(Value)> translate = [&](Value v) -> Value {
      if (Value done = map.lookupOrNull(v))
        return done;
      Operation *op = v.getDefiningOp();
      if (auto dim = dyn_cast<tensor::DimOp>(op)) {
        Value r = exec::InputDimOp::create(b, loc, cast<BlockArgument>(dim.getSource()).getArgNumber(),
                                           *dim.getConstantIndex());
        map.map(v, r);
        return r;
      }
      for (Value operand : op->getOperands())
        translate(operand);
      return b.clone(*op, map)->getResult(0);
    };
    return translate(original);
  };
  Value total = arith::ConstantIndexOp::create(b, loc, 0);
  for (const std::vector<DimExpr> &sizes : plan.slotSizes()) {
    slotOffsets.push_back(total);
    Value size;
    for (const DimExpr &bytes : sizes) {
      Value v = sizeOf(bytes);
      size = size ? arith::MaxSIOp::create(b, loc, size, v).getResult() : v;
    }
    Value up = arith::AddIOp::create(b, loc, size, arith::ConstantIndexOp::create(b, loc, ArenaPlan::kAlignment - 1));
    Value mask = arith::ConstantIndexOp::create(b, loc, -ArenaPlan::kAlignment);
    total = arith::AddIOp::create(b, loc, total, arith::AndIOp::create(b, loc, up, mask));
  }
  for (exec::KernelOp kernel : plan.kernels()) {
    SmallVector<Value> symbols, operands;
    for (Value symbol : kernel.getSymbols())
      symbols.push_back(sizeOf(dims.get(symbol)));
    for (Value input : kernel.getInputs())
      operands.push_back(bufferOf(input));
    for (Value result : kernel.getResults())
      operands.push_back(bufferOf(result));
    auto dispatch = exec::DispatchOp::create(b, kernel.getLoc(), FlatSymbolRefAttr::get(definitionOf(kernel)), symbols,
                                             operands, b.getStringAttr(nodeName(kernel)));
    // For the report of the compile and the manifest: sizes in the names of the dims, the nodes, the prediction.
    SmallVector<Attribute> sizes;
    for (Value symbol : kernel.getSymbols())
      sizes.push_back(b.getStringAttr(dims.get(symbol).str()));
    dispatch->setAttr("sizes", b.getArrayAttr(sizes));
    dispatch->setAttr("nodes", nodesOf(kernel));
    if (Attribute predicted = kernel->getAttr("predicted_ns"))
      dispatch->setAttr("predicted_ns", predicted);
  }
  SmallVector<Value> outputDims;
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    for (const DimExpr &size : dims.shape(value))
      outputDims.push_back(sizeOf(size));
  exec::FinishOp::create(b, loc, total, outputDims);
  return success();
}

/// What the manifest says of the arguments or results of a function; of results also which argument they may be written
/// over.
static ArrayAttr describe(mlir::func::FuncOp function, bool inputs, const ArenaPlan &plan) {
  Builder b(function.getContext());
  SmallVector<Attribute> all;
  auto types = inputs ? function.getArgumentTypes() : function.getResultTypes();
  for (auto [i, type] : llvm::enumerate(types)) {
    auto attribute = [&](StringRef name) {
      return inputs ? function.getArgAttr(i, name) : function.getResultAttr(i, name);
    };
    Attribute name = attribute(exec::ExecDialect::kNameAttr), dims = attribute(exec::ExecDialect::kDimsAttr);
    if (!name)
      name = b.getStringAttr((inputs ? "input" : "output") + std::to_string(i));
    if (!dims) {
      SmallVector<Attribute> sizes;
      for (auto [d, size] : llvm::enumerate(cast<RankedTensorType>(type).getShape()))
        sizes.push_back(!ShapedType::isDynamic(size) ? Attribute(b.getI64IntegerAttr(size))
                        : inputs ? Attribute(b.getStringAttr(data::dimName(function, i, d)))
                                 : b.getStringAttr(cast<StringAttr>(name).str() + "." + std::to_string(d)));
      dims = b.getArrayAttr(sizes);
    }
    Type element = getElementTypeOrSelf(type);
    if (attribute(exec::ExecDialect::kUnsignedAttr))
      element = IntegerType::get(b.getContext(), element.getIntOrFloatBitWidth(), IntegerType::Unsigned);
    NamedAttrList facts;
    facts.set("name", name), facts.set("dims", dims), facts.set("type", TypeAttr::get(element));
    std::optional<unsigned> under = inputs ? std::nullopt : plan.inputUnder(i);
    StringRef isUnsigned = exec::ExecDialect::kUnsignedAttr;
    if (under && function.getArgAttr(*under, isUnsigned) == attribute(isUnsigned))
      facts.set("over", b.getI64IntegerAttr(*under));
    all.push_back(facts.getDictionary(b.getContext()));
  }
  return b.getArrayAttr(all);
}

LogicalResult Planner::run() {
  b.setInsertionPoint(function);
  auto ranges = function->getAttrOfType<DictionaryAttr>(exec::ExecDialect::kRangesAttr);
  program = exec::ProgramOp::create(b, function.getLoc(), function.getSymName(), describe(function, true, plan),
                                    describe(function, false, plan), ranges ? ranges : b.getDictionaryAttr({}));
  for (StringRef name : {exec::ExecDialect::kTargetAttr, exec::ExecDialect::kEntryAttr})
    if (Attribute attribute = function->getAttr(name))
      program->setAttr(name, attribute);
  b.createBlock(&program.getBody());
  if (failed(writeBody()))
    return failure();
  plan.describe(program);
  return success();
}

namespace {
struct PlanMemoryPass : fovea::impl::PlanMemoryBase<PlanMemoryPass> {
  void runOnOperation() override {
    Definitions definitions;
    SmallVector<mlir::func::FuncOp> functions;
    for (auto function : getOperation().getOps<mlir::func::FuncOp>())
      if (!function.isExternal())
        functions.push_back(function);
    for (mlir::func::FuncOp function : functions)
      if (failed(Planner(function, definitions).run()))
        return signalPassFailure();
    for (mlir::func::FuncOp function : functions)
      function.erase();
  }
};
} // namespace
