// From a shader with scf, arith and math in it to checked SPIR-V words.
#include "compiler/conversion/Passes.h"
#include "compiler/target/vulkan/LowerLoops.h"
#include "compiler/target/vulkan/Shader.h"

#include "mlir/Conversion/ArithToSPIRV/ArithToSPIRV.h"
#include "mlir/Conversion/MathToSPIRV/MathToSPIRV.h"
#include "mlir/Conversion/SCFToSPIRV/SCFToSPIRV.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/Dialect/SPIRV/Transforms/Passes.h"
#include "mlir/Dialect/SPIRV/Transforms/SPIRVConversion.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/SPIRV/Serialization.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

#include <spirv-tools/libspirv.hpp>

using namespace mlir;
using namespace fovea;
using namespace fovea::vulkan;

void fovea::vulkan::loadDialects(MLIRContext &context) { context.loadDialect<gpu::GPUDialect, spirv::SPIRVDialect>(); }

/// Cooperative matrices are the one thing that this memory model is for.
static bool hasMatrices(spirv::ModuleOp module) { return module.getMemoryModel() == spirv::MemoryModel::Vulkan; }

/// SPIR-V 1.3 is what every Vulkan 1.1 takes, 1.6 what cooperative matrices need; of the capabilities those are
/// declared that are used.
static spirv::TargetEnvAttr targetEnv(spirv::ModuleOp module) {
  using spirv::Capability;
  MLIRContext *context = module.getContext();
  SmallVector<Capability> capabilities{Capability::Shader, Capability::Int64, Capability::Float64};
  SmallVector<spirv::Extension> extensions;
  if (hasMatrices(module)) {
    capabilities.append({Capability::Float16, Capability::VulkanMemoryModel, Capability::CooperativeMatrixKHR});
    extensions.append({spirv::Extension::SPV_KHR_cooperative_matrix});
  }
  auto triple = spirv::VerCapExtAttr::get(hasMatrices(module) ? spirv::Version::V_1_6 : spirv::Version::V_1_3,
                                          capabilities, extensions, context);
  return spirv::TargetEnvAttr::get(triple, spirv::getDefaultResourceLimits(context), spirv::ClientAPI::Vulkan,
                                   spirv::Vendor::Unknown, spirv::DeviceType::Unknown,
                                   spirv::TargetEnvAttr::kUnknownDeviceID);
}

static LogicalResult convert(spirv::ModuleOp module) {
  MLIRContext *context = module.getContext();
  spirv::TargetEnvAttr env = targetEnv(module);
  module->setAttr(spirv::getTargetEnvAttrName(), env);
  std::unique_ptr<SPIRVConversionTarget> target = SPIRVConversionTarget::get(env);
  SPIRVTypeConverter types(env);
  ScfToSPIRVContext loops;
  RewritePatternSet patterns(context);
  populateSCFToSPIRVPatterns(types, loops, patterns);
  populateLoopPatterns(patterns);
  arith::populateArithToSPIRVPatterns(types, patterns);
  populateMathToSPIRVPatterns(types, patterns);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  SmallVector<Operation *> functions;
  for (auto function : module.getOps<spirv::FuncOp>())
    functions.push_back(function);
  return applyFullConversion(functions, *target, std::move(patterns));
}

/// Sums and products are not to be contracted or reordered: the polynomials depend on each rounding, and comparisons on
/// NaN and infinities being kept.
static void keepPrecise(spirv::ModuleOp module) {
  UnitAttr unit = UnitAttr::get(module.getContext());
  module.walk([&](Operation *op) {
    if (isa<spirv::FAddOp, spirv::FSubOp, spirv::FMulOp, spirv::FDivOp, spirv::FNegateOp>(op))
      op->setAttr("no_contraction", unit);
  });
}

/// The first message of the validator; empty if the module is valid.
static std::string validate(ArrayRef<uint32_t> words) {
  spvtools::SpirvTools tools(SPV_ENV_VULKAN_1_2);
  std::string message;
  tools.SetMessageConsumer([&](spv_message_level_t, const char *, const spv_position_t &, const char *text) {
    if (message.empty())
      message = text;
  });
  if (tools.IsValid() && tools.Validate(words.data(), words.size()))
    return {};
  return message.empty() ? "SPIRV-Tools do not say why" : message;
}

LogicalResult fovea::vulkan::finishShader(spirv::ModuleOp module, Shader &shader) {
  PassManager tidy(module.getContext(), spirv::ModuleOp::getOperationName());
  tidy.enableVerifier(false); // there is more than SPIR-V in it yet
  tidy.addPass(createCSEPass());
  if (failed(tidy.run(module)))
    return failure();
  shader.figures = figuresOf(module, shader.groupSize);
  if (failed(convert(module)))
    return failure();
  PassManager passes(module.getContext(), spirv::ModuleOp::getOperationName());
  // Blocks stay as they are: merged, the body of a loop would become its continue construct (see LowerLoops.h).
  GreedyRewriteConfig keepBlocks;
  keepBlocks.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  passes.addPass(createCanonicalizerPass(keepBlocks));
  passes.addPass(createCSEPass());
  passes.addPass(spirv::createSPIRVUpdateVCEPass());
  if (failed(passes.run(module)))
    return failure();
  keepPrecise(module);
  if (hasMatrices(module)) { // the pass above leaves the memory model's capability out
    spirv::VerCapExtAttr triple = *module.getVceTriple();
    SmallVector<spirv::Capability> capabilities(triple.getCapabilities());
    if (!llvm::is_contained(capabilities, spirv::Capability::VulkanMemoryModel))
      capabilities.push_back(spirv::Capability::VulkanMemoryModel);
    module.setVceTripleAttr(spirv::VerCapExtAttr::get(
        triple.getVersion(), capabilities, SmallVector<spirv::Extension>(triple.getExtensions()), module.getContext()));
  }
  for (spirv::Capability capability : module.getVceTriple()->getCapabilities()) {
    shader.int64 |= capability == spirv::Capability::Int64;
    shader.float64 |= capability == spirv::Capability::Float64;
  }
  for (auto variable : module.getOps<spirv::GlobalVariableOp>())
    if (auto type = cast<spirv::PointerType>(variable.getType());
        type.getStorageClass() == spirv::StorageClass::Workgroup)
      shader.sharedBytes += cast<spirv::SPIRVType>(type.getPointeeType()).getSizeInBytes().value_or(0);
  SmallVector<uint32_t> words;
  if (failed(spirv::serialize(module, words)))
    return module.emitError("the shader '") << shader.name << "' cannot be written as SPIR-V";
  // The exception: SPIRV-Tools before 2024 do not know KHR cooperative matrices; the tests validate those by newer
  // ones.
  if (std::string message = hasMatrices(module) ? "" : validate(words); !message.empty())
    return module.emitError("the shader '") << shader.name << "' is no valid SPIR-V: " << message;
  shader.words.assign(words.begin(), words.end());
  return success();
}

FailureOr<std::vector<Shader>> fovea::vulkan::compileShaders(ModuleOp code, ArrayRef<std::string> functions) {
  PassManager passes(code.getContext());
  passes.addPass(createExpandMathPass(/*expandRounding=*/true, /*expandHalf=*/true));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  if (failed(passes.run(code)))
    return failure();
  std::vector<Shader> shaders;
  for (const std::string &name : functions) {
    Shader &shader = shaders.emplace_back();
    shader.name = name;
    FailureOr<spirv::ModuleOp> module = writeThreadShader(code.lookupSymbol<mlir::func::FuncOp>(name), code, shader);
    if (failed(module) || failed(finishShader(*module, shader)))
      return failure();
    module->erase();
  }
  return shaders;
}
