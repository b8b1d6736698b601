// The tile phase on the CPU: a lowering and a schedule for each kernel, and the layout of each weight.
//
// Every registered lowering is asked; of those that can do a kernel the one with the lowest predicted time is taken,
// unless the user forces or forbids one. Operations that are not linalg's but structured become so first. Constants
// that kernels read become weights of the artifact, one for each layout that is asked for, each stored once.
#include "compiler/target/cpu/ScheduleKernels.h"
#include "compiler/target/cpu/Lowering.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Structured.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::cpu;

namespace {
class Scheduler {
public:
  Scheduler(ModuleOp module, const Machine &machine, const LoweringChoice &choice)
      : module(module), machine(machine), allChoices(choice) {}
  LogicalResult run();

private:
  LogicalResult schedule(exec::KernelOp kernel);
  FlatSymbolRefAttr weightFor(Value constant, Attribute layout);

  ModuleOp module;
  const Machine &machine;
  const LoweringChoice &allChoices;
  DenseMap<std::pair<Value, Attribute>, FlatSymbolRefAttr> weights;
  unsigned weightCount = 0;
};
} // namespace

/// Copies what makes a constant to the builder's place.
static Value cloneConstant(OpBuilder &b, Value value, IRMapping &map) {
  if (Value done = map.lookupOrNull(value))
    return done;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    cloneConstant(b, operand, map);
  return b.clone(*op, map)->getResult(cast<OpResult>(value).getResultNumber());
}

FlatSymbolRefAttr Scheduler::weightFor(Value constant, Attribute layout) {
  FlatSymbolRefAttr &known = weights[{constant, layout}];
  if (known)
    return known;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto data = exec::WeightDataOp::create(b, constant.getLoc(), "w" + std::to_string(weightCount++), layout);
  b.createBlock(&data.getBody());
  IRMapping map;
  exec::YieldOp::create(b, constant.getLoc(), cloneConstant(b, constant, map));
  // The same constant may have been written down twice.
  for (auto other : module.getOps<exec::WeightDataOp>())
    if (other != data && other.getLayout() == layout &&
        OperationEquivalence::isRegionEquivalentTo(&other.getBody(), &data.getBody(),
                                                   OperationEquivalence::IgnoreLocations)) {
      data.erase();
      --weightCount;
      return known = FlatSymbolRefAttr::get(other.getSymNameAttr());
    }
  return known = FlatSymbolRefAttr::get(data.getSymNameAttr());
}

/// The kernel with one more init, of bytes, that it yields as it is.
static exec::KernelOp withScratch(exec::KernelOp kernel, AffineExpr bytes) {
  OpBuilder b(kernel);
  Location loc = kernel.getLoc();
  SmallVector<data::DimExpr> symbols;
  for (Value symbol : kernel.getSymbols())
    symbols.push_back(data::DimExpr::value(symbol));
  OpFoldResult size = data::materializeOrConstant(b, loc, data::DimExpr::fromAffine(bytes, symbols));
  Value scratch = tensor::EmptyOp::create(b, loc, ArrayRef(size), b.getI8Type());
  SmallVector<Value> inits(kernel.getInits());
  inits.push_back(scratch);
  SmallVector<Attribute> shapes(kernel.getShapes().getValue());
  shapes.push_back(AffineMapAttr::get(AffineMap::get(0, symbols.size(), bytes)));
  auto larger = exec::KernelOp::create(b, loc, ValueRange(inits).getTypes(), kernel.getName(), kernel.getSymbols(),
                                       kernel.getInputs(), inits, b.getArrayAttr(shapes), ArrayAttr(), DictionaryAttr(),
                                       ArrayAttr());
  larger->setDiscardableAttrs(kernel->getDiscardableAttrDictionary());
  larger.getBody().takeBody(kernel.getBody());
  Block &body = larger.getBody().front();
  BlockArgument argument = body.addArgument(scratch.getType(), loc);
  body.getTerminator()->insertOperands(body.getTerminator()->getNumOperands(), argument);
  kernel.replaceAllUsesWith(larger.getResults().drop_back());
  kernel.erase();
  return larger;
}

bool LoweringChoice::parse(StringRef text, std::string &error) {
  auto [first, second] = text.split('=');
  StringRef op = second.empty() ? StringRef() : first, name = second.empty() ? first : second;
  bool forbid = name.consume_front("-");
  std::string known;
  for (const KernelLowering *lowering : kernelLowerings())
    known += (known.empty() ? "" : ", ") + lowering->name().str();
  if (!llvm::any_of(kernelLowerings(), [&](const KernelLowering *lowering) { return lowering->name() == name; })) {
    error = ("expected [OP=][-]NAME with one of " + known + ", got '" + text + "'").str();
    return false;
  }
  (forbid ? forbidden : forced).push_back({op.str(), name.str()});
  return true;
}

LoweringChoice LoweringChoice::of(const llvm::StringSet<> &ops) const {
  LoweringChoice result = *this;
  for (std::vector<Rule> *rules : {&result.forced, &result.forbidden})
    llvm::erase_if(*rules, [&](const Rule &rule) { return !rule.op.empty() && !ops.contains(rule.op); });
  return result;
}

LogicalResult Scheduler::schedule(exec::KernelOp kernel) {
  KernelView view(kernel);
  llvm::StringSet<> ops;
  for (Operation &op : view.body->without_terminator()) {
    ops.insert(op.getName().getStringRef());
    if (isContraction(&op))
      ops.insert("linalg.matmul");
  }
  LoweringChoice choice = allChoices.of(ops);
  for (auto op : llvm::make_early_inc_range(view.body->getOps<data::StructuredOpInterface>()))
    expandStructured(op);
  const KernelLowering *best = nullptr;
  Schedule chosen;
  std::string reasons;
  bool special = false; // some lowering that knows the operation can do it
  for (const KernelLowering *lowering : kernelLowerings()) {
    std::string reason;
    if (choice.forbids(lowering->name())) {
      reason = "it is forbidden";
    } else if (FailureOr<Schedule> schedule = lowering->plan(view, machine, reason); succeeded(schedule)) {
      special |= lowering->name() != "loops" && lowering->name() != "attention-general";
      bool forced = choice.forces(lowering->name());
      if (!best || forced || (schedule->nanoseconds < chosen.nanoseconds && !choice.forces(best->name())))
        best = lowering, chosen = *schedule;
      continue;
    }
    reasons += (reasons.empty() ? "" : "; ") + lowering->name().str() + ": " + reason;
  }
  if (!best)
    return kernel.emitError("not supported: no lowering can do this kernel: ") << reasons;
  // What is general is slower than what knows the operation, unless it was preferred to that.
  bool worthIt =
      llvm::any_of(*view.body, [](Operation &op) { return isContraction(&op) || isa<attn::AttentionInterface>(op); });
  if (!special && worthIt && !choice.forces(best->name()))
    kernel.emitRemark("scheduled as ") << best->name() << ": " << reasons;
  if (chosen.scratchBytes) {
    kernel = withScratch(kernel, chosen.scratchBytes);
    chosen.layouts.push_back(exec::RowMajorAttr::get(kernel.getContext()));
  }
  OpBuilder b(kernel);
  NamedAttrList attributes(chosen.attributes);
  attributes.set("kind", b.getStringAttr(best->name()));
  kernel.setScheduleAttr(attributes.getDictionary(b.getContext()));
  kernel.setLayoutsAttr(b.getArrayAttr(chosen.layouts));
  SmallVector<Attribute> aliases;
  for (auto [init, input] : chosen.aliases)
    aliases.push_back(b.getI64ArrayAttr({init, input}));
  kernel.setAliasesAttr(aliases.empty() ? ArrayAttr() : b.getArrayAttr(aliases));
  kernel->setAttr("predicted_ns", b.getI64IntegerAttr(static_cast<int64_t>(chosen.nanoseconds)));
  for (auto [operand, layout] : llvm::zip(kernel.getInputsMutable(), chosen.layouts)) {
    if (!isConstantTensor(operand.get())) {
      if (!isa<exec::RowMajorAttr>(layout))
        return kernel.emitError("the lowering '")
               << best->name() << "' asked for a packed layout of a value that is computed at run time";
      continue;
    }
    operand.set(
        exec::WeightOp::create(b, operand.get().getLoc(), operand.get().getType(), weightFor(operand.get(), layout)));
  }
  return success();
}

LogicalResult Scheduler::run() {
  SmallVector<exec::KernelOp> kernels;
  module.walk([&](exec::KernelOp kernel) { kernels.push_back(kernel); });
  for (exec::KernelOp kernel : kernels)
    if (failed(schedule(kernel)))
      return failure();
  return success();
}

LogicalResult fovea::cpu::scheduleKernels(ModuleOp module, const Machine &machine, const LoweringChoice &choice) {
  return Scheduler(module, machine, choice).run();
}
