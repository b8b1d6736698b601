// The tile phase on the CPU: a lowering and a schedule for each kernel, and the layout of each weight.
//
// Every registered lowering is asked; of those that can do a kernel the one with the lowest predicted time is taken,
// unless the user forces or forbids one. Operations that are not linalg's but structured become so first. Constants
// that kernels read become weights of the artifact, one for each layout that is asked for, each stored once.
//
// A kernel that several machines run shaders of is scheduled for each. Where nothing differs it is one kernel, that of
// the first machine; a program whose kernels are all those of another machine's is left out.
//
// Kernels are named by the schedules that were found for them; schedules that the user overrides are planned once more,
// around the values that are given. So names do not depend on overrides.
#include "compiler/lowering/ScheduleKernels.h"
#include "compiler/lowering/Lowering.h"
#include "compiler/transforms/Ops.h"
#include "compiler/transforms/Structured.h"
#include "compiler/transforms/View.h"
#include "dialects/attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::lowering;

namespace {
class Scheduler {
public:
  using MachineOf = std::function<const Machine &(exec::KernelOp)>;
  Scheduler(ModuleOp module, const MachineOf &machineOf, const LoweringChoice &choice)
      : module(module), machineOf(machineOf), allChoices(choice) {}
  LogicalResult run();

private:
  LogicalResult choose(exec::KernelOp kernel);
  void set(exec::KernelOp kernel, const KernelLowering &lowering, const Schedule &schedule);
  void share();
  void dropCopies();
  void name();
  LogicalResult override(exec::KernelOp kernel);
  LogicalResult checkRules();
  LogicalResult checkOverrides();
  exec::KernelOp placeScratch(exec::KernelOp kernel);
  LogicalResult placeWeights(exec::KernelOp kernel, const KernelLowering &lowering);
  FlatSymbolRefAttr weightFor(Value constant, Attribute layout);

  ModuleOp module;
  const MachineOf &machineOf;
  const LoweringChoice &allChoices;
  SmallVector<exec::KernelOp> kernels;
  llvm::StringSet<> allOps;                                ///< those of `kernels`
  DenseMap<Operation *, const KernelLowering *> lowerings; ///< of each kernel
  DenseMap<Operation *, const Machine *> machines;         ///< of each kernel; another's where they share it
  DenseMap<Operation *, std::string> refusals;             ///< why a kernel got no lowering that knows its operation
  DenseMap<Operation *, AffineExpr> scratch;               ///< bytes, of kernels that want some
  std::vector<std::vector<bool>> used;                     ///< which values of allChoices.overrides some kernel took
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

/// The kernel with the memory that its schedule wants for itself: one more init, of bytes, that it yields as it is.
exec::KernelOp Scheduler::placeScratch(exec::KernelOp kernel) {
  AffineExpr bytes = scratch[kernel];
  if (!bytes)
    return kernel;
  OpBuilder b(kernel);
  Location loc = kernel.getLoc();
  SmallVector<data::DimExpr> symbols;
  for (Value symbol : kernel.getSymbols())
    symbols.push_back(data::DimExpr::value(symbol));
  OpFoldResult size = data::materializeOrConstant(b, loc, data::DimExpr::fromAffine(bytes, symbols));
  Value memory = tensor::EmptyOp::create(b, loc, ArrayRef(size), b.getI8Type());
  SmallVector<Value> inits(kernel.getInits());
  inits.push_back(memory);
  SmallVector<Attribute> shapes(kernel.getShapes().getValue()), layouts(kernel.getLayoutsAttr().getValue());
  shapes.push_back(AffineMapAttr::get(AffineMap::get(0, symbols.size(), bytes)));
  layouts.push_back(exec::RowMajorAttr::get(b.getContext()));
  auto larger = exec::KernelOp::create(b, loc, ValueRange(inits).getTypes(), kernel.getName(), kernel.getSymbols(),
                                       kernel.getInputs(), inits, b.getArrayAttr(shapes), b.getArrayAttr(layouts),
                                       kernel.getScheduleAttr(), kernel.getAliasesAttr());
  larger->setDiscardableAttrs(kernel->getDiscardableAttrDictionary());
  larger.getBody().takeBody(kernel.getBody());
  Block &body = larger.getBody().front();
  BlockArgument argument = body.addArgument(memory.getType(), loc);
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

LogicalResult Scheduler::choose(exec::KernelOp kernel) {
  KernelView view(kernel);
  llvm::StringSet<> ops;
  for (Operation &op : view.body->without_terminator()) {
    ops.insert(op.getName().getStringRef());
    if (isContraction(&op))
      ops.insert("linalg.matmul");
  }
  for (const auto &op : ops)
    allOps.insert(op.getKey());
  LoweringChoice choice = allChoices.of(ops);
  for (auto op : llvm::make_early_inc_range(view.body->getOps<data::StructuredOpInterface>()))
    expandStructured(op);
  const Machine &machine = machineOf(kernel);
  machines[kernel] = &machine;
  const KernelLowering *best = nullptr;
  Schedule chosen;
  std::string reasons;
  bool special = false; // some lowering that knows the operation can do it
  for (const KernelLowering *lowering : kernelLowerings()) {
    std::string reason;
    if (!lowering->isFor(machine))
      continue;
    if (choice.forbids(lowering->name())) {
      reason = "it is forbidden";
    } else if (FailureOr<Schedule> schedule = lowering->plan(view, machine, {}, reason); succeeded(schedule)) {
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
    refusals[kernel] =
        ("scheduled as " + best->name() + (reasons.empty() ? ", which is expected to be faster" : ": ") + reasons)
            .str();
  set(kernel, *best, chosen);
  return success();
}

void Scheduler::set(exec::KernelOp kernel, const KernelLowering &lowering, const Schedule &schedule) {
  Builder b(kernel.getContext());
  NamedAttrList attributes(schedule.attributes);
  attributes.set("kind", b.getStringAttr(lowering.name()));
  if (const Machine &machine = *machines[kernel]; machine.shaders) {
    attributes.set("target", b.getStringAttr(machine.name));
    if (needsWindows(KernelView(kernel), schedule.layouts, machine.bindingBytes))
      attributes.set(kBindingBytesKey, b.getI64IntegerAttr(machine.bindingBytes));
  }
  kernel.setScheduleAttr(attributes.getDictionary(b.getContext()));
  kernel.setLayoutsAttr(b.getArrayAttr(schedule.layouts));
  SmallVector<Attribute> aliases;
  for (auto [init, input] : schedule.aliases)
    aliases.push_back(b.getI64ArrayAttr({init, input}));
  kernel.setAliasesAttr(aliases.empty() ? ArrayAttr() : b.getArrayAttr(aliases));
  kernel->setAttr("predicted_ns", b.getI64IntegerAttr(static_cast<int64_t>(schedule.nanoseconds)));
  lowerings[kernel] = &lowering;
  scratch[kernel] = schedule.scratchBytes;
}

/// Kernels that are the same but for the machine become those of the first one that has them.
void Scheduler::share() {
  auto setTarget = [&](exec::KernelOp kernel, StringRef name) {
    NamedAttrList attributes(kernel.getScheduleAttr());
    attributes.set("target", StringAttr::get(kernel.getContext(), name));
    kernel.setScheduleAttr(attributes.getDictionary(kernel.getContext()));
  };
  SmallVector<exec::KernelOp> distinct;
  for (exec::KernelOp kernel : kernels) {
    if (!machines[kernel]->shaders)
      continue;
    const Machine *own = machines[kernel];
    auto same = llvm::find_if(distinct, [&](exec::KernelOp other) {
      if (lowerings[other] != lowerings[kernel] || scratch[other] != scratch[kernel])
        return false;
      setTarget(kernel, machines[other]->name);
      return isSameKernel(other, kernel);
    });
    if (same != distinct.end()) {
      machines[kernel] = machines[*same];
      continue;
    }
    setTarget(kernel, own->name);
    distinct.push_back(kernel);
  }
}

void Scheduler::dropCopies() {
  SmallVector<Operation *> programs;
  for (auto function : llvm::make_early_inc_range(module.getOps<mlir::func::FuncOp>())) {
    if (!function->hasAttr(exec::ExecDialect::kTargetAttr))
      continue;
    auto kernelsOf = [](Operation *program) {
      SmallVector<exec::KernelOp> found;
      program->walk([&](exec::KernelOp kernel) { found.push_back(kernel); });
      return found;
    };
    SmallVector<exec::KernelOp> own = kernelsOf(function);
    bool isCopy = llvm::any_of(programs, [&](Operation *other) {
      return other->getAttr(exec::ExecDialect::kEntryAttr) == function->getAttr(exec::ExecDialect::kEntryAttr) &&
             llvm::equal(own, kernelsOf(other), [](exec::KernelOp a, exec::KernelOp b) { return isSameKernel(a, b); });
    });
    if (!isCopy) {
      programs.push_back(function);
      continue;
    }
    llvm::erase_if(kernels, [&](exec::KernelOp kernel) { return llvm::is_contained(own, kernel); });
    function.erase();
  }
}

void Scheduler::name() {
  SmallVector<exec::KernelOp> distinct;
  for (exec::KernelOp kernel : kernels) {
    auto same = llvm::find_if(distinct, [&](exec::KernelOp other) { return isSameKernel(other, kernel); });
    if (same != distinct.end()) {
      kernel.setName(same->getName());
      continue;
    }
    kernel.setName((lowerings[kernel]->name() + "_" + Twine(distinct.size())).str());
    distinct.push_back(kernel);
  }
}

LogicalResult Scheduler::override(exec::KernelOp kernel) {
  const KernelLowering &lowering = *lowerings[kernel];
  NamedAttrList requested;
  auto refuse = [&](StringRef reason) {
    return kernel.emitError(kScheduleError)
           << "kernel '" << kernel.getName() << "' (" << lowering.name() << "): " << reason;
  };
  std::string reason;
  for (auto [wanted, taken] : llvm::zip(allChoices.overrides, used))
    if (wanted.kernel == "*" || wanted.kernel == kernel.getName() || wanted.kernel == lowering.name())
      if (failed(wanted.apply(kernel.getScheduleAttr(), requested, taken, reason)))
        return refuse(reason);
  if (requested.empty())
    return success();
  FailureOr<Schedule> schedule =
      lowering.plan(KernelView(kernel), *machines[kernel], requested.getDictionary(kernel.getContext()), reason);
  if (failed(schedule))
    return refuse(reason);
  for (NamedAttribute value : requested)
    if (schedule->attributes.get(value.getName()) != value.getValue())
      return refuse("its lowering does not take " + value.getName().str() + " as asked for");
  set(kernel, lowering, *schedule);
  return success();
}

/// A rule for an operation that is in no kernel is a mistake.
LogicalResult Scheduler::checkRules() {
  for (const std::vector<LoweringChoice::Rule> *rules : {&allChoices.forced, &allChoices.forbidden})
    for (const LoweringChoice::Rule &rule : *rules) {
      if (rule.op.empty() || allOps.contains(rule.op))
        continue;
      auto names = llvm::to_vector(allOps.keys());
      llvm::sort(names);
      return module.emitError(kLoweringError)
             << "expected an operation of a kernel (" << llvm::join(names, ", ") << "), got '" << rule.op << "'";
    }
  return success();
}

/// Values that no kernel took are a mistake too.
LogicalResult Scheduler::checkOverrides() {
  for (auto [wanted, taken] : llvm::zip(allChoices.overrides, used))
    for (auto [value, was] : llvm::zip(wanted.values, taken)) {
      if (was)
        continue;
      if (wanted.kernel == "*")
        return module.emitError(kScheduleError) << "there is no '" << value.first << "' in the schedule of any kernel";
      return module.emitError(kScheduleError)
             << "expected the name of a kernel (--explain shows them), a lowering that is used, or *, got '"
             << wanted.kernel << "'";
    }
  return success();
}

LogicalResult Scheduler::placeWeights(exec::KernelOp kernel, const KernelLowering &lowering) {
  OpBuilder b(kernel);
  for (auto [operand, layout] : llvm::zip(kernel.getInputsMutable(), kernel.getLayoutsAttr())) {
    if (!isConstantTensor(operand.get())) {
      if (!isa<exec::RowMajorAttr>(layout))
        return kernel.emitError("the lowering '")
               << lowering.name() << "' asked for a packed layout of a value that is computed at run time";
      continue;
    }
    operand.set(
        exec::WeightOp::create(b, operand.get().getLoc(), operand.get().getType(), weightFor(operand.get(), layout)));
  }
  return success();
}

LogicalResult Scheduler::run() {
  module.walk([&](exec::KernelOp kernel) { kernels.push_back(kernel); });
  for (exec::KernelOp kernel : kernels)
    if (failed(choose(kernel)))
      return failure();
  if (failed(checkRules()))
    return failure();
  share();
  name();
  for (const ScheduleOverride &wanted : allChoices.overrides)
    used.emplace_back(wanted.values.size());
  for (exec::KernelOp kernel : kernels)
    if (failed(override(kernel)))
      return failure();
  if (failed(checkOverrides()))
    return failure();
  dropCopies();
  for (exec::KernelOp kernel : kernels)
    if (auto refusal = refusals.find(kernel); refusal != refusals.end() && machines[kernel] == &machineOf(kernel))
      kernel.emitRemark(refusal->second);
  for (exec::KernelOp kernel : kernels)
    if (failed(placeWeights(placeScratch(kernel), *lowerings[kernel])))
      return failure();
  return success();
}

LogicalResult fovea::lowering::scheduleKernels(ModuleOp module, const Scheduler::MachineOf &machineOf,
                                               const LoweringChoice &choice) {
  return Scheduler(module, machineOf, choice).run();
}
