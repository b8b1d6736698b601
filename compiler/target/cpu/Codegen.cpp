#include "compiler/target/cpu/Codegen.h"
#include "compiler/conversion/Passes.h"
#include "runtime/include/fovea/abi.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Scalar/LoopIdiomRecognize.h"

LLD_HAS_DRIVER(elf)

using namespace mlir;
using namespace fovea::cpu;

void fovea::cpu::buildLowerToLLVMPipeline(OpPassManager &passes, bool expandRounding, bool expandHalf) {
  passes.addPass(createExpandMathPass(expandRounding, expandHalf));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createLoopInvariantCodeMotionPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createUBToLLVMConversionPass());
  // Patterns of the passes above create vector and poison operations late.
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createUBToLLVMConversionPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

void fovea::cpu::addKernelImage(ModuleOp code, ArrayRef<std::string> functions) {
  OpBuilder b(code.getContext());
  Location loc = code.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext()), i32 = b.getI32Type();
  for (auto function : code.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal())
      function.setLinkage(LLVM::Linkage::Internal);
  b.setInsertionPointToEnd(code.getBody());
  auto global = [&](StringRef name, Type type, LLVM::Linkage linkage, llvm::function_ref<Value()> make) {
    auto op = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, linkage, name, Attribute());
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&op.getInitializerRegion());
    LLVM::ReturnOp::create(b, loc, make());
    return op;
  };
  auto insert = [&](Value aggregate, Value value, int64_t position) -> Value {
    return LLVM::InsertValueOp::create(b, loc, aggregate, value, position);
  };
  auto table = LLVM::LLVMArrayType::get(pointer, functions.size());
  global("fovea_kernel_table", table, LLVM::Linkage::Internal, [&] {
    Value v = LLVM::UndefOp::create(b, loc, table);
    for (auto [i, name] : llvm::enumerate(functions))
      v = insert(v, LLVM::AddressOfOp::create(b, loc, pointer, name), i);
    return v;
  });
  auto image = LLVM::LLVMStructType::getLiteral(b.getContext(), {i32, i32, pointer});
  global("fovea_kernel_image", image, LLVM::Linkage::External, [&] {
    Value v = LLVM::UndefOp::create(b, loc, image);
    v = insert(v, LLVM::ConstantOp::create(b, loc, i32, b.getI32IntegerAttr(FOVEA_ABI_VERSION)), 0);
    v = insert(v, LLVM::ConstantOp::create(b, loc, i32, b.getI32IntegerAttr(functions.size())), 1);
    return insert(v, LLVM::AddressOfOp::create(b, loc, pointer, "fovea_kernel_table"), 2);
  });
}

static std::unique_ptr<llvm::TargetMachine> createTargetMachine(const fovea::lowering::Machine &machine,
                                                                std::string *error) {
  static bool once = [] {
    LLVMInitializeX86TargetInfo(), LLVMInitializeX86Target(), LLVMInitializeX86TargetMC(),
        LLVMInitializeX86AsmPrinter();
    // The idiom recogniser does not end on some attention kernels, and would only make calls to memcpy.
    llvm::DisableLIRP::All = true;
    return true;
  }();
  (void)once;
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, *error);
  if (!target)
    return nullptr;
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, machine.llvmCpu, machine.featureString(), {}, llvm::Reloc::PIC_, std::nullopt,
                                  llvm::CodeGenOptLevel::Aggressive));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &target) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions options;
  // Loops are written as they are to be: vectors, unrolling and register tiles have been chosen.
  options.LoopVectorization = options.SLPVectorization = options.LoopUnrolling = options.LoopInterleaving = false;
  llvm::PassBuilder builder(&target, options);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

/// Masked stores of one lane become ordinary ones. LLVM 22 makes a scalar store of them as well, but in the wrong width
/// if the lane was truncated just before: 4 bytes for an f16 or bf16, over the element behind it.
static void storeSingleLanes(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
      auto *call = dyn_cast<llvm::IntrinsicInst>(&instruction);
      if (!call || call->getIntrinsicID() != llvm::Intrinsic::masked_store)
        continue;
      llvm::Value *value = call->getArgOperand(0), *pointer = call->getArgOperand(1);
      auto *mask = dyn_cast<llvm::Constant>(call->getArgOperand(2));
      unsigned lanes = cast<llvm::FixedVectorType>(value->getType())->getNumElements(), lane = 0, live = 0;
      for (unsigned i = 0; mask && i < lanes; ++i) {
        llvm::Constant *bit = mask->getAggregateElement(i);
        if (!bit || !bit->isNullValue())
          lane = i, ++live;
      }
      if (!mask || live != 1)
        continue;
      llvm::IRBuilder<> b(call);
      llvm::Value *element = b.CreateExtractElement(value, lane);
      uint64_t bytes = element->getType()->getScalarSizeInBits() / 8;
      b.CreateAlignedStore(element, b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), pointer, lane * bytes),
                           llvm::Align(bytes));
      call->eraseFromParent();
    }
}

FailureOr<std::string> fovea::cpu::compileToObject(ModuleOp code, const lowering::Machine &machine, std::string *error,
                                                   std::string *llvmText) {
  std::unique_ptr<llvm::TargetMachine> target = createTargetMachine(machine, error);
  if (!target)
    return failure();
  registerBuiltinDialectTranslation(*code.getContext());
  registerLLVMDialectTranslation(*code.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(code, context, "fovea");
  if (!module) {
    *error = "the module could not be translated to LLVM IR";
    return failure();
  }
  // Before anything is optimised: without them the optimiser assumes another machine.
  module->setTargetTriple(target->getTargetTriple());
  module->setDataLayout(target->createDataLayout());
  for (llvm::Function &function : *module) {
    function.addFnAttr("target-cpu", machine.llvmCpu);
    function.addFnAttr("target-features", machine.featureString());
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
  optimize(*module, *target);
  storeSingleLanes(*module);
  if (llvmText) {
    llvm::raw_string_ostream stream(*llvmText);
    module->print(stream, nullptr);
  }
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (target->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile)) {
    *error = "LLVM cannot write objects for " + machine.llvmCpu;
    return failure();
  }
  passes.run(*module);
  return std::string(object.begin(), object.end());
}

/// The linker gives text only. The objects are ours, so what the system says of files is not about them.
static bool isOfSystem(StringRef message) {
  return llvm::any_of(std::initializer_list<std::errc>{std::errc::no_space_on_device, std::errc::file_too_large,
                                                       std::errc::not_enough_memory, std::errc::permission_denied,
                                                       std::errc::read_only_file_system, std::errc::io_error},
                      [&](std::errc code) { return message.contains(std::make_error_code(code).message()); });
}

FailureOr<std::string> fovea::cpu::linkSharedObject(ArrayRef<std::string> objects, std::string *error,
                                                    bool *environment) {
  auto refuse = [&](const Twine &message, bool system) {
    *error = message.str();
    if (environment)
      *environment = system;
    return failure();
  };
  llvm::SmallString<128> directory;
  if (std::error_code code = llvm::sys::fs::createUniqueDirectory("fovea-link", directory))
    return refuse("cannot write a temporary folder: " + code.message(), true);
  // What is left behind of a temporary folder is no reason to fail.
  auto cleanup = llvm::make_scope_exit([&] { (void)llvm::sys::fs::remove_directories(directory); });
  std::string output = (directory + "/image.so").str();
  std::vector<std::string> arguments{
      "ld.lld",      "-shared",         "-o", output,       "--gc-sections", "-z",
      "noexecstack", "--build-id=none", "-s", "--threads=1"}; // where no thread can be made, lld ends the process
  for (auto [i, object] : llvm::enumerate(objects)) {
    std::string path = (directory + "/" + llvm::Twine(i) + ".o").str();
    std::error_code code;
    llvm::raw_fd_ostream file(path, code);
    if (!code)
      file << object, file.close(), code = file.error();
    if (code) {
      file.clear_error();
      return refuse("cannot write " + path + ": " + code.message(), true);
    }
    arguments.push_back(path);
  }
  std::vector<const char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(argv, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return refuse("cannot write a linked image: " + messages, isOfSystem(messages));
  auto buffer = llvm::MemoryBuffer::getFile(output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return refuse("cannot read " + output + ": " + buffer.getError().message(), true);
  return (*buffer)->getBuffer().str();
}
