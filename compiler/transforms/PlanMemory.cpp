// From tensors to memory: a function of kernels becomes a host program that dispatches outlined kernels on buffers.
//
// Buffers whose lifetimes do not overlap share a slot of the arena; a slot is as large as the largest of them. Slots
// are assigned at compile time, largest first (Pisarchyk and Lee 2020, greedy by size, over slots instead of addresses,
// so that it works for symbolic sizes too); their offsets are computed once for each tuple of shapes. A result takes
// the place of an input that is read there for the last time, where the kernel's aliases allow for that. Results of the
// program are written where the caller wants them. Kernels that are the same but for what they read and write become
// one definition.
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace fovea;
using fovea::data::DimAnalysis;
using fovea::data::DimExpr;

namespace fovea {
#define GEN_PASS_DEF_PLANMEMORY
#include "compiler/transforms/Passes.h.inc"
} // namespace fovea

static constexpr int64_t kAlignment = 64;
/// What a symbolic dim is taken for where sizes are compared at compile time.
static constexpr int64_t kTypicalDim = 128;

namespace {
struct Buffer {
  Value tensor;
  DimExpr bytes;
  int64_t typicalBytes;
  unsigned first, last; ///< numbers of the kernels that write it first and read it last
  unsigned slot = 0;
  const Buffer *over = nullptr; ///< what it is written over
};

class Planner {
public:
  Planner(mlir::func::FuncOp function) : function(function), b(function.getContext()) {}
  LogicalResult run();

private:
  LogicalResult collect();
  bool replaces(const Buffer &result, const Buffer &input);
  void assignSlots();
  LogicalResult cloneSizes();
  Value bufferOf(Value tensor);
  void describePlan();
  StringAttr definitionOf(exec::KernelOp kernel);
  LogicalResult writeBody();

  mlir::func::FuncOp function;
  OpBuilder b;
  DimAnalysis dims;
  exec::ProgramOp program;
  IRMapping map;
  SmallVector<exec::KernelOp> kernels;
  llvm::MapVector<Value, Buffer> buffers;
  DenseMap<Value, unsigned> outputs; ///< kernels' results that are results of the program
  std::vector<std::vector<DimExpr>> slotSizes;
  SmallVector<Value> slotOffsets;
  Value arenaBytes;
  SmallVector<exec::KernelDefOp> definitions;
};
} // namespace

static int64_t elementBytes(Value tensor) {
  Type element = getElementTypeOrSelf(tensor.getType());
  return element.isIndex() ? 8 : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

/// The tensor that a reshaped one is, in memory.
static Value baseOf(Value tensor) {
  while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(tensor.getDefiningOp()))
    tensor = tensor.getDefiningOp()->getOperand(0);
  return tensor;
}

static int64_t typical(const DimExpr &expr) {
  int64_t sum = 0;
  for (auto &[monomial, coefficient] : expr.getTerms()) {
    int64_t product = coefficient;
    for (size_t i = 0; i < monomial.size(); ++i)
      product *= kTypicalDim;
    sum += product;
  }
  return sum;
}

/// Kernels in order, results of the program, and the lifetime of everything in between.
LogicalResult Planner::collect() {
  Block &block = function.getBody().front();
  for (auto kernel : block.getOps<exec::KernelOp>())
    kernels.push_back(kernel);
  for (auto [i, value] : llvm::enumerate(block.getTerminator()->getOperands()))
    outputs[baseOf(value)] = i;
  for (auto [number, kernel] : llvm::enumerate(kernels)) {
    for (Value input : kernel.getInputs())
      if (auto it = buffers.find(baseOf(input)); it != buffers.end())
        it->second.last = number;
    for (Value result : kernel.getResults()) {
      if (outputs.contains(result))
        continue;
      DimExpr bytes(elementBytes(result));
      for (const DimExpr &size : dims.shape(result))
        bytes = bytes * size;
      buffers[result] =
          Buffer{result, bytes, typical(bytes), static_cast<unsigned>(number), static_cast<unsigned>(number)};
    }
  }
  return success();
}

/// Whether a kernel may write its result over an input, which dies there: in all places where the kernel reads it.
bool Planner::replaces(const Buffer &result, const Buffer &input) {
  if (input.last != result.first || input.first >= input.last)
    return false;
  exec::KernelOp kernel = kernels[result.first];
  ArrayAttr aliases = kernel.getAliasesAttr();
  unsigned init = cast<OpResult>(result.tensor).getResultNumber();
  for (auto [number, operand] : llvm::enumerate(kernel.getInputs()))
    if (baseOf(operand) == input.tensor &&
        (!aliases || !llvm::is_contained(aliases, b.getI64ArrayAttr({init, static_cast<int64_t>(number)}))))
      return false;
  return true;
}

void Planner::assignSlots() {
  SmallVector<Buffer *> order;
  for (auto &[value, buffer] : buffers)
    order.push_back(&buffer);
  llvm::stable_sort(order, [](Buffer *x, Buffer *y) { return x->typicalBytes > y->typicalBytes; });
  SmallVector<SmallVector<Buffer *>> slots;
  for (Buffer *buffer : order) {
    auto isFree = [&](ArrayRef<Buffer *> slot) {
      return llvm::all_of(slot, [&](Buffer *other) {
        return buffer->first > other->last || buffer->last < other->first || replaces(*buffer, *other) ||
               replaces(*other, *buffer);
      });
    };
    // Best of all is the memory of an input, which is in the cache.
    auto isInput = [&](ArrayRef<Buffer *> slot) {
      return isFree(slot) && llvm::any_of(slot, [&](Buffer *other) { return replaces(*buffer, *other); });
    };
    auto it = llvm::find_if(slots, isInput);
    if (it == slots.end())
      it = llvm::find_if(slots, isFree);
    if (it == slots.end())
      it = slots.insert(slots.end(), SmallVector<Buffer *>());
    buffer->slot = it - slots.begin();
    it->push_back(buffer);
  }
  for (auto &slot : slots)
    for (Buffer *buffer : slot)
      if (auto under = llvm::find_if(slot, [&](Buffer *other) { return replaces(*buffer, *other); });
          under != slot.end())
        buffer->over = *under;
  for (auto &slot : slots) {
    slotSizes.emplace_back();
    for (Buffer *buffer : slot)
      if (!llvm::is_contained(slotSizes.back(), buffer->bytes))
        slotSizes.back().push_back(buffer->bytes);
  }
}

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
  if (auto it = outputs.find(base); it != outputs.end())
    return exec::OutputBufferOp::create(b, loc, it->second);
  return exec::ArenaBufferOp::create(b, loc, slotOffsets[buffers.find(base)->second.slot]);
}

static std::string bufferName(Value tensor) {
  auto result = cast<OpResult>(tensor);
  std::string name = nodeName(result.getOwner());
  if (result.getOwner()->getNumResults() > 1)
    name += "#" + std::to_string(result.getResultNumber());
  return name;
}

/// Leaves the plan readable on the program: name, size, offset and lifetime of each buffer, which one it is written
/// over, and the arena's size, as expressions in the dims.
void Planner::describePlan() {
  DimExpr aligned;               // what is known to be a multiple of the alignment
  SmallVector<std::string> rest; // what has to be rounded up when it is known
  auto sum = [&] {
    std::string text = aligned.isConstant(0) && !rest.empty() ? "" : aligned.str();
    return text + (text.empty() || rest.empty() ? "" : " + ") + llvm::join(rest, " + ");
  };
  auto isMultiple = [](const DimExpr &e) {
    return llvm::all_of(e.getTerms(), [](const auto &term) { return term.second % kAlignment == 0; });
  };
  SmallVector<std::string> offsets;
  for (const std::vector<DimExpr> &sizes : slotSizes) {
    offsets.push_back(sum());
    if (llvm::all_of(sizes, [](const DimExpr &e) { return e.getConstant().has_value(); })) {
      int64_t most = 0;
      for (const DimExpr &e : sizes)
        most = std::max(most, *e.getConstant());
      aligned = aligned + DimExpr((most + kAlignment - 1) / kAlignment * kAlignment);
    } else if (sizes.size() == 1 && isMultiple(sizes[0])) {
      aligned = aligned + sizes[0];
    } else {
      std::string most = sizes[0].str();
      for (const DimExpr &e : ArrayRef(sizes).drop_front())
        most = "max(" + most + ", " + e.str() + ")";
      rest.push_back(llvm::all_of(sizes, isMultiple) ? most : "align64(" + most + ")");
    }
  }
  SmallVector<Attribute> all;
  for (auto &[value, buffer] : buffers) {
    NamedAttrList facts;
    facts.set("name", b.getStringAttr(bufferName(value)));
    facts.set("bytes", b.getStringAttr(buffer.bytes.str()));
    facts.set("offset", b.getStringAttr(offsets[buffer.slot]));
    facts.set("first", b.getI64IntegerAttr(buffer.first));
    facts.set("last", b.getI64IntegerAttr(buffer.last));
    if (buffer.over)
      facts.set("in_place_of", b.getStringAttr(bufferName(buffer.over->tensor)));
    all.push_back(facts.getDictionary(b.getContext()));
  }
  program->setAttr("plan", b.getArrayAttr(all));
  program->setAttr("arena", b.getStringAttr(sum()));
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
  // Kernels that can fault name their node, so they are the same only for the same node.
  bool faults = false;
  kernel.walk([&](Operation *op) { faults |= isa<data::LookupOp, data::ExpandOp, attn::BipartiteMatchOp>(op); });
  ArrayAttr aliases = kernel.getAliasesAttr() ? kernel.getAliasesAttr() : b.getArrayAttr({});
  StringAttr node = faults ? b.getStringAttr(nodeName(kernel)) : StringAttr();
  for (exec::KernelDefOp known : definitions)
    if (known.getSymbolCount() == kernel.getSymbols().size() && known.getShapes() == kernel.getShapes() &&
        known.getLayouts() == kernel.getLayoutsAttr() && known.getSchedule() == kernel.getScheduleAttr() &&
        known.getAliases() == aliases && known->getAttrOfType<StringAttr>("node") == node &&
        OperationEquivalence::isRegionEquivalentTo(&known.getBody(), &kernel.getBody(),
                                                   OperationEquivalence::IgnoreLocations))
      return known.getSymNameAttr();
  OpBuilder at(program);
  std::string kind = kernel.getScheduleAttr().getAs<StringAttr>("kind").str();
  StringAttr name = at.getStringAttr(kind + "_" + std::to_string(definitions.size()));
  auto definition =
      exec::KernelDefOp::create(at, kernel.getLoc(), name, kernel.getSymbols().size(), kernel.getInits().size(),
                                kernel.getShapes(), kernel.getLayoutsAttr(), kernel.getScheduleAttr(), aliases);
  if (node)
    definition->setAttr("node", node);
  definitions.push_back(definition);
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
  for (auto &sizes : slotSizes) {
    slotOffsets.push_back(total);
    Value size;
    for (const DimExpr &bytes : sizes) {
      Value v = sizeOf(bytes);
      size = size ? arith::MaxSIOp::create(b, loc, size, v).getResult() : v;
    }
    Value up = arith::AddIOp::create(b, loc, size, arith::ConstantIndexOp::create(b, loc, kAlignment - 1));
    Value mask = arith::ConstantIndexOp::create(b, loc, -kAlignment);
    total = arith::AddIOp::create(b, loc, total, arith::AndIOp::create(b, loc, up, mask));
  }
  for (exec::KernelOp kernel : kernels) {
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

/// What the manifest says of the arguments or results of a function.
static ArrayAttr describe(mlir::func::FuncOp function, bool inputs) {
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
        sizes.push_back(ShapedType::isDynamic(size)
                            ? Attribute(b.getStringAttr(cast<StringAttr>(name).str() + "." + std::to_string(d)))
                            : Attribute(b.getI64IntegerAttr(size)));
      dims = b.getArrayAttr(sizes);
    }
    all.push_back(b.getDictionaryAttr({b.getNamedAttr("name", name), b.getNamedAttr("dims", dims),
                                       b.getNamedAttr("type", TypeAttr::get(getElementTypeOrSelf(type)))}));
  }
  return b.getArrayAttr(all);
}

LogicalResult Planner::run() {
  if (failed(collect()))
    return failure();
  assignSlots();
  b.setInsertionPoint(function);
  auto ranges = function->getAttrOfType<DictionaryAttr>(exec::ExecDialect::kRangesAttr);
  program = exec::ProgramOp::create(b, function.getLoc(), function.getSymName(), describe(function, true),
                                    describe(function, false), ranges ? ranges : b.getDictionaryAttr({}));
  b.createBlock(&program.getBody());
  if (failed(writeBody()))
    return failure();
  describePlan();
  function.erase();
  return success();
}

namespace {
struct PlanMemoryPass : fovea::impl::PlanMemoryBase<PlanMemoryPass> {
  void runOnOperation() override {
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<mlir::func::FuncOp>()))
      if (!function.isExternal() && failed(Planner(function).run()))
        return signalPassFailure();
  }
};
} // namespace
