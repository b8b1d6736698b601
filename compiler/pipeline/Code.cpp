#include "compiler/pipeline/Code.h"
#include "compiler/lowering/Lowering.h"
#include "compiler/lowering/Weights.h"
#include "compiler/target/cpu/Codegen.h"

#include "fovea/artifact.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace fovea;

/// The machine that a kernel's schedule names, empty for the CPU.
static StringRef targetOf(exec::KernelDefOp definition) {
  auto target = definition.getSchedule().getAs<StringAttr>("target");
  return target ? target.getValue() : "";
}

/// Writes the stages of all kernels for such a machine into the module `code`.
static LogicalResult emitStages(ModuleOp module, const lowering::Machine &machine, ModuleOp code, CompiledCode &result,
                                std::vector<std::string> &functions, std::vector<KernelStage> &table) {
  for (auto definition : module.getOps<exec::KernelDefOp>()) {
    if (targetOf(definition) != (machine.shaders ? StringRef(machine.name) : ""))
      continue;
    StringRef kind = definition.getSchedule().getAs<StringAttr>("kind").getValue();
    auto lowering = llvm::find_if(lowering::kernelLowerings(),
                                  [&](const lowering::KernelLowering *l) { return l->name() == kind; });
    if (lowering == lowering::kernelLowerings().end())
      return definition.emitError("unknown lowering '") << kind << "'";
    FailureOr<SmallVector<lowering::Stage>> stages = (*lowering)->emit(definition, machine, code);
    if (failed(stages))
      return failure();
    if (auto bytes = definition.getSchedule().getAs<IntegerAttr>(lowering::kBindingBytesKey)) {
      SmallVector<int64_t> windows;
      for (auto [tensor, layout] : llvm::zip(definition.getTensorArgs(), definition.getLayouts()))
        windows.push_back(lowering::windowsOf(tensor, layout, bytes.getInt()));
      for (const lowering::Stage &stage : *stages) {
        Operation *function = code.lookupSymbol(stage.function);
        function->setAttr(lowering::kWindowsAttr, DenseI64ArrayAttr::get(module.getContext(), windows));
        function->setAttr(lowering::kWindowBytesAttr, bytes);
      }
    }
    std::string schedule;
    llvm::raw_string_ostream(schedule) << definition.getSchedule();
    cpu::CompiledKernel &compiled = result.definitions[definition.getSymName()];
    compiled.firstStage = functions.size();
    for (const lowering::Stage &stage : *stages) {
      auto workspace = dyn_cast<AffineConstantExpr>(stage.workspaceBytes);
      functions.push_back(stage.function);
      table.push_back({stage.function, kind.str(), schedule, targetOf(definition).str(),
                       workspace ? workspace.getValue() : -1, static_cast<unsigned>(definition.getSymbolCount()),
                       static_cast<unsigned>(definition.getTensorArgs().size()),
                       static_cast<unsigned>(definition.getInitCount())});
    }
    compiled.stages = std::move(*stages);
  }
  return success();
}

static LogicalResult compileKernels(ModuleOp module, const lowering::Machine &machine, bool wantLLVM,
                                    CompiledCode &result) {
  OwningOpRef<ModuleOp> code = ModuleOp::create(module.getLoc());
  KernelCode &kernels = result.kernels.emplace_back();
  std::vector<std::string> functions;
  if (failed(emitStages(module, machine, *code, result, functions, kernels.stages)))
    return failure();
  PassManager passes(module.getContext());
  cpu::buildLowerToLLVMPipeline(passes, !machine.has("sse4.1"), !machine.has("f16c"));
  if (failed(passes.run(*code)))
    return failure();
  cpu::addKernelImage(*code, functions);
  std::string error;
  FailureOr<std::string> object = cpu::compileToObject(*code, machine, &error, wantLLVM ? &kernels.llvmText : nullptr);
  if (failed(object))
    return module.emitError(error);
  kernels.object = std::move(*object);
  return success();
}

/// Notes at each kernel what its shaders ask of a GPU, for --explain.
static void describeShaders(ModuleOp module, const CompiledCode &code) {
  Builder b(module.getContext());
  for (auto definition : module.getOps<exec::KernelDefOp>()) {
    if (!definition.getSchedule().contains("target"))
      continue;
    const cpu::CompiledKernel &kernel = code.definitions.find(definition.getSymName())->second;
    SmallVector<Attribute> shaders;
    for (const vulkan::Shader &shader : ArrayRef(code.shaders).slice(kernel.firstStage, kernel.stages.size())) {
      const vulkan::Figures &f = shader.figures;
      auto number = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
      shaders.push_back(b.getDictionaryAttr(
          {b.getNamedAttr("name", b.getStringAttr(shader.name)), number("invocations", f.groupSize),
           number("registers", f.registers), number("shared_bytes", f.sharedBytes), number("loop_flops", f.flops),
           number("loop_buffer_bytes", f.bufferBytes), number("loop_shared_bytes", f.sharedTraffic),
           number("workgroups_of_unit", f.groupsOfUnit()),
           b.getNamedAttr("occupancy", b.getF64FloatAttr(f.occupancy()))}));
    }
    definition->setAttr("shaders", b.getArrayAttr(shaders));
  }
}

static LogicalResult compileAllShaders(ModuleOp module, CompiledCode &result) {
  llvm::SetVector<StringRef> targets;
  for (auto definition : module.getOps<exec::KernelDefOp>())
    if (StringRef target = targetOf(definition); !target.empty())
      targets.insert(target);
  if (targets.empty())
    return success();
  vulkan::loadDialects(*module.getContext());
  OwningOpRef<ModuleOp> code = ModuleOp::create(module.getLoc());
  std::vector<std::string> functions;
  for (StringRef target : targets) {
    std::string error;
    FailureOr<lowering::Machine> machine = lowering::Machine::ofTarget(target, &error);
    if (failed(machine))
      return module.emitError(error);
    if (failed(emitStages(module, *machine, *code, result, functions, result.shaderStages)))
      return failure();
  }
  FailureOr<std::vector<vulkan::Shader>> shaders = vulkan::compileShaders(*code, functions);
  if (failed(shaders))
    return failure();
  result.shaders = std::move(*shaders);
  describeShaders(module, result);
  return success();
}

static LogicalResult compileHost(ModuleOp module, CompiledCode &result) {
  OwningOpRef<ModuleOp> code = ModuleOp::create(module.getLoc());
  if (failed(cpu::writeHostPrograms(module, *code, result.definitions, result.weightOffsets, result.entries)))
    return failure();
  PassManager passes(module.getContext());
  cpu::buildLowerToLLVMPipeline(passes);
  if (failed(passes.run(*code)))
    return failure();
  cpu::addHostImage(*code, result.entries);
  std::string error;
  // The host program runs wherever the runtime does.
  FailureOr<lowering::Machine> baseline = lowering::Machine::named("x86-64", &error);
  if (failed(baseline))
    return module.emitError(error);
  FailureOr<std::string> object = cpu::compileToObject(*code, *baseline, &error);
  if (failed(object))
    return module.emitError(error);
  result.hostObject = std::move(*object);
  return success();
}

LogicalResult fovea::compileCode(ModuleOp module, ArrayRef<lowering::Machine> machines, bool wantLLVM,
                                 CompiledCode &code) {
  Builder b(module.getContext());
  for (auto definition : module.getOps<exec::KernelDefOp>())
    if (auto node = definition->getAttrOfType<StringAttr>("node")) {
      code.faultNodes.push_back(node.str());
      definition->setAttr("fault_number", b.getI64IntegerAttr(code.faultNodes.size()));
    }
  for (const lowering::Machine &machine : machines)
    if (failed(compileKernels(module, machine, wantLLVM, code)))
      return failure();
  if (failed(compileAllShaders(module, code)))
    return failure();
  for (auto weight : module.getOps<exec::WeightDataOp>()) {
    code.weightBytes = alignUp(code.weightBytes, artifact::WEIGHT_ALIGNMENT);
    code.weightOffsets[weight.getSymName()] = code.weightBytes;
    code.weightBytes += lowering::packedBytes(weight);
  }
  return compileHost(module, code);
}
