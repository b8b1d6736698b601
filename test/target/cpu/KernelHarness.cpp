#include "KernelHarness.h"

#include "compiler/pipeline/Registration.h"
#include "compiler/target/cpu/Codegen.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace fovea;
using namespace fovea::cpu;
using namespace fovea::lowering;

static int64_t evaluate(AffineExpr expr, ArrayRef<int64_t> symbols) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return c.getValue();
  if (auto s = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[s.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t x = evaluate(binary.getLHS(), symbols), y = evaluate(binary.getRHS(), symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return x + y;
  case AffineExprKind::Mul:
    return x * y;
  case AffineExprKind::FloorDiv:
    return llvm::divideFloorSigned(x, y);
  case AffineExprKind::CeilDiv:
    return llvm::divideCeilSigned(x, y);
  default:
    return x - llvm::divideFloorSigned(x, y) * y;
  }
}

static std::string textOf(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return text;
}

std::unique_ptr<LoadedKernel> LoadedKernel::compile(const std::string &text, llvm::StringRef name,
                                                    const Machine &machine, std::string *refusal) {
  auto loaded = std::make_unique<LoadedKernel>();
  auto fail = [&](llvm::StringRef stage, const std::string &reason) -> std::unique_ptr<LoadedKernel> {
    if (refusal)
      *refusal = reason;
    else
      std::fprintf(stderr, "%s: %s\n", stage.str().c_str(), reason.c_str());
    return nullptr;
  };
  DialectRegistry registry;
  registerDialects(registry);
  loaded->context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  loaded->context->loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, ParserConfig(loaded->context.get()));
  if (!module)
    return fail("parse", "the text is no module");
  auto kernel = *module->getOps<exec::KernelDefOp>().begin();
  const KernelLowering *lowering = nullptr;
  for (const KernelLowering *candidate : kernelLowerings())
    if (candidate->name() == name)
      lowering = candidate;
  if (!lowering)
    return fail("plan", "there is no lowering " + name.str());
  std::string reason;
  FailureOr<Schedule> schedule = lowering->plan(KernelView(kernel), machine, kernel.getSchedule(), reason);
  if (failed(schedule))
    return fail("plan", reason);
  loaded->nanoseconds = schedule->nanoseconds;
  kernel.setScheduleAttr(schedule->attributes);
  kernel.setLayoutsAttr(ArrayAttr::get(loaded->context.get(), schedule->layouts));
  loaded->schedule = textOf(kernel.getSchedule());
  OwningOpRef<ModuleOp> code = ModuleOp::create(UnknownLoc::get(loaded->context.get()));
  FailureOr<SmallVector<fovea::lowering::Stage>> stages = lowering->emit(kernel, machine, *code);
  if (failed(stages) || failed(verify(*code)))
    return fail("emit", "the kernel could not be emitted");
  if (std::getenv("FOVEA_PRINT_CODE"))
    code->print(llvm::errs());
  PassManager passes(loaded->context.get());
  buildLowerToLLVMPipeline(passes, !machine.has("sse4.1"), !machine.has("f16c"));
  if (failed(passes.run(*code)))
    return fail("lower", "lowering to the LLVM dialect failed");
  std::vector<std::string> functions;
  for (const auto &stage : *stages)
    functions.push_back(stage.function);
  addKernelImage(*code, functions);
  std::string error, llvmText;
  bool print = std::getenv("FOVEA_PRINT_LLVM") != nullptr;
  FailureOr<std::string> object = compileToObject(*code, machine, &error, print ? &llvmText : nullptr);
  if (failed(object))
    return fail("codegen", error);
  if (print)
    llvm::errs() << llvmText;
  FailureOr<std::string> image = linkSharedObject({*object}, &error);
  if (failed(image))
    return fail("link", error);
  if (const char *path = std::getenv("FOVEA_SAVE_IMAGE")) {
    std::FILE *file = std::fopen(path, "wb");
    std::fwrite(image->data(), 1, image->size(), file);
    std::fclose(file);
  }
  int fd = loaded->descriptor = memfd_create("kernel", MFD_CLOEXEC);
  if (fd < 0 || write(fd, image->data(), image->size()) != static_cast<ssize_t>(image->size()))
    return fail("load", "cannot write the image to memory");
  std::string path = "/proc/self/fd/" + std::to_string(fd);
  loaded->library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!loaded->library)
    return fail("load", dlerror());
  auto *table = static_cast<const fovea_kernel_image *>(dlsym(loaded->library, "fovea_kernel_image"));
  for (auto [i, stage] : llvm::enumerate(*stages))
    loaded->stages.push_back({stage.tasks, stage.workspaceBytes, table->kernels[i]});
  return loaded;
}

LoadedKernel::~LoadedKernel() {
  if (library)
    dlclose(library);
  if (descriptor >= 0)
    close(descriptor);
}

int64_t LoadedKernel::tasks(ArrayRef<int64_t> symbols, unsigned stage) const {
  return evaluate(stages[stage].tasks, symbols);
}

void LoadedKernel::run(ArrayRef<void *> buffers, ArrayRef<int64_t> symbols, int64_t pieces) {
  fovea_kernel_args args{buffers.data(), symbols.data(), &fault};
  for (const Stage &stage : stages) {
    size_t bytes = evaluate(stage.workspace, symbols);
    if (bytes + 64 > capacity) {
      capacity = bytes + 64;
      memory.reset(new char[capacity]);
      // What a kernel reads before it wrote it shows.
      std::fill(memory.get(), memory.get() + capacity, char(0xff));
    }
    void *workspace = reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(memory.get()) + 63) / 64 * 64);
    int64_t count = evaluate(stage.tasks, symbols);
    for (int64_t i = pieces; i-- > 0;)
      if (int64_t begin = i * count / pieces, end = (i + 1) * count / pieces; begin < end)
        stage.function(&args, begin, end, workspace);
  }
}
