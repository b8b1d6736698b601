#include "compiler/pipeline/Phases.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace fovea;

static LogicalResult run(PassManager &passes, ModuleOp module, const CompileOptions &options) {
  if (options.instrument)
    options.instrument(passes);
  return passes.run(module);
}

/// Runs passes over each function of the module, cleaning up before and behind.
static LogicalResult overFunctions(ModuleOp module, const CompileOptions &options,
                                   llvm::function_ref<void(OpPassManager &)> add) {
  PassManager passes(module.getContext());
  OpPassManager &functions = passes.nest<mlir::func::FuncOp>();
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  add(functions);
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  return run(passes, module, options);
}

static LogicalResult raise(ModuleOp module, const CompileOptions &options) {
  return overFunctions(module, options, [](OpPassManager &passes) {
    FuseElementwiseOptions chains;
    chains.duplicate = false;
    passes.addPass(createFoldConstants());
    passes.addPass(createFuseElementwise(chains));
    passes.addPass(createNormalizeViews());
    passes.addPass(createFuseElementwise(chains));
    passes.addPass(createFoldPositions());
    passes.addPass(createRaiseActivations());
    passes.addPass(createRaiseNorms());
    passes.addPass(createRaiseRotary());
    passes.addPass(createNormalizeViews());
    passes.addPass(createSeparateScores());
    passes.addPass(createFuseElementwise());
    passes.addPass(createRaiseAttention());
  });
}

static LogicalResult simplify(ModuleOp module, const CompileOptions &options) {
  return overFunctions(module, options, [](OpPassManager &passes) {
    passes.addPass(createDecomposeAttn());
    NormalizeViewsOptions smaller;
    smaller.dropUnits = true;
    passes.addPass(createFoldConstants());
    passes.addPass(createNormalizeViews(smaller));
    passes.addPass(createFuseElementwise());
    passes.addPass(createMergeProjections());
    passes.addPass(createNormalizeViews(smaller));
  });
}

static LogicalResult fuse(ModuleOp module, const CompileOptions &options) {
  return overFunctions(module, options, [](OpPassManager &passes) { passes.addPass(createFormKernels()); });
}

/// Each machine that runs shaders has functions of its own from here on, beside those for the CPU.
static void copyForVariants(ModuleOp module, const CompileOptions &options) {
  Builder b(module.getContext());
  for (auto function : llvm::make_early_inc_range(module.getOps<mlir::func::FuncOp>())) {
    if (options.variants.empty() || function.isExternal() || function->hasAttr(exec::ExecDialect::kTargetAttr))
      continue;
    StringAttr entry = function.getSymNameAttr();
    for (const lowering::Machine &machine : options.variants) {
      bool isLast = options.machines.empty() && &machine == &options.variants.back();
      mlir::func::FuncOp copy = isLast ? function : function.clone();
      if (!isLast)
        module.push_back(copy);
      copy->setAttr(exec::ExecDialect::kEntryAttr, entry);
      copy->setAttr(exec::ExecDialect::kTargetAttr, b.getStringAttr(machine.name));
      copy.setSymName((entry.getValue() + "." + machine.name).str());
      if (isLast)
        function->moveBefore(module.getBody(), module.getBody()->end());
    }
  }
}

static LogicalResult tile(ModuleOp module, const CompileOptions &options) {
  copyForVariants(module, options);
  auto machineOf = [&](exec::KernelOp kernel) -> const lowering::Machine & {
    auto target = kernel->getParentOp()->getAttrOfType<StringAttr>(exec::ExecDialect::kTargetAttr);
    if (!target)
      return options.machines.front();
    return *llvm::find_if(options.variants,
                          [&](const lowering::Machine &machine) { return machine.name == target.getValue(); });
  };
  return lowering::scheduleKernels(module, machineOf, options.lowering);
}

static LogicalResult plan(ModuleOp module, const CompileOptions &options) {
  // What made the weights has become part of them.
  if (failed(overFunctions(module, options, [](OpPassManager &) {})))
    return failure();
  PassManager passes(module.getContext());
  passes.addPass(createPlanMemory());
  return run(passes, module, options);
}

static const Phase kPhases[] = {
    {"raise", "decomposed attention, softmax, normalisation, GELU, rotary to the named operation", raise},
    {"simplify", "constants folded, transposes cancelled, projections merged, families around attention written out",
     simplify},
    {"fuse", "groups of operations to kernels", fuse},
    {"tile", "a schedule for each kernel, a layout for each weight", tile},
    {"plan", "tensors to buffers of one arena, the function to a host program", plan},
};

llvm::ArrayRef<Phase> fovea::phases() { return kPhases; }

LogicalResult fovea::runPhases(ModuleOp module, const CompileOptions &options, StringRef from, StringRef to,
                               const std::function<LogicalResult(const Phase &)> &done) {
  bool active = from.empty() || from == "import";
  if (to == "import")
    return success();
  for (const Phase &phase : kPhases) {
    if (active) {
      if (failed(phase.run(module, options)))
        return failure();
      for (auto &[name, pipeline] : options.inserted) {
        if (name != phase.name)
          continue;
        PassManager passes(module.getContext());
        if (failed(parsePassPipeline(pipeline, passes)) || failed(::run(passes, module, options)))
          return failure();
      }
      if (failed(done(phase)))
        return failure();
    }
    active |= from == phase.name;
    if (to == phase.name)
      break;
  }
  return success();
}
