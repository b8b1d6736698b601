#include "test/target/cpu/loops/CompiledKernel.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace mlir;
using namespace fovea;

static std::string shapeOf(const test::Argument &argument) {
  if (!argument.shape.empty())
    return argument.shape;
  std::string shape = "(";
  size_t at = 0;
  for (size_t x; (x = argument.type.find('x', at)) != std::string::npos && isdigit(argument.type[at]); at = x + 1)
    shape += (at ? ", " : "") + argument.type.substr(at, x - at);
  return shape + ")";
}

test::CompiledKernel::CompiledKernel(const std::vector<Argument> &inputs, const std::vector<Argument> &inits,
                                     const std::string &body, unsigned symbols, const std::string &cpu) {
  std::string names, arguments, shapes, layouts;
  for (unsigned s = 0; s < symbols; ++s) {
    names += (s ? ", s" : "s") + std::to_string(s);
    arguments += (s ? ", %s" : "%s") + std::to_string(s) + ": index";
  }
  unsigned count = 0;
  for (const std::vector<Argument> *list : {&inputs, &inits})
    for (size_t i = 0; i < list->size(); ++i, ++count) {
      const Argument &argument = (*list)[i];
      arguments += std::string(arguments.empty() ? "" : ", ") + (list == &inputs ? "%a" : "%o") + std::to_string(i) +
                   ": tensor<" + argument.type + ">";
      shapes += std::string(count ? ", " : "") + "affine_map<()[" + names + "] -> " + shapeOf(argument) + ">";
      layouts += count ? ", #exec.row_major" : "#exec.row_major";
    }
  std::string text = "exec.kernel_def @kernel symbols " + std::to_string(symbols) + " inits " +
                     std::to_string(inits.size()) + " shapes [" + shapes + "] layouts [" + layouts +
                     "] schedule {} {\n^bb0(" + arguments + "):\n" + body + "\n}\n";
  auto module = parseSourceString<ModuleOp>(text, &context());
  if (!module) {
    std::fprintf(stderr, "a test kernel does not parse:\n%s", text.c_str());
    std::abort();
  }
  auto kernel = *module->getOps<exec::KernelDefOp>().begin();
  cpu::Machine machine = *cpu::Machine::named(cpu);
  cpu::LoopsLowering lowering;
  auto schedule = lowering.plan(cpu::KernelView(kernel), machine, reason);
  if (failed(schedule))
    return;
  nanoseconds = schedule->nanoseconds;
  kernel.setScheduleAttr(schedule->attributes);
  OwningOpRef<ModuleOp> code = ModuleOp::create(kernel.getLoc());
  auto emitted = lowering.emit(kernel, machine, *code);
  if (failed(emitted) || failed(verify(*code))) {
    std::fprintf(stderr, "no valid code for\n%s", text.c_str());
    code->dump();
    std::abort();
  }
  stages = *emitted;
  if (getenv("FOVEA_TEST_DUMP"))
    code->dump();
  std::vector<std::string> functions;
  for (const cpu::Stage &stage : stages)
    functions.push_back(stage.function);
  compiled = std::make_unique<CompiledModule>(*code, functions, machine);
  if (getenv("FOVEA_TEST_DUMP"))
    std::fprintf(stderr, "%s", compiled->llvmText().c_str());
}

static int64_t evaluate(AffineExpr expr, const std::vector<int64_t> &symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t x = evaluate(binary.getLHS(), symbols), y = evaluate(binary.getRHS(), symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return x + y;
  case AffineExprKind::Mul:
    return x * y;
  case AffineExprKind::CeilDiv:
    return (x + y - 1) / y;
  default:
    return x / y;
  }
}

int64_t test::CompiledKernel::run(const std::vector<void *> &buffers, const std::vector<int64_t> &symbols,
                                  int64_t range) const {
  int64_t fault = 0;
  fovea_kernel_args args{buffers.data(), symbols.data(), &fault};
  for (size_t i = 0; i < stages.size(); ++i) {
    auto *function = compiled->function<void(const fovea_kernel_args *, int64_t, int64_t, void *)>(i);
    int64_t tasks = evaluate(stages[i].tasks, symbols);
    if (!range && tasks)
      function(&args, 0, tasks, nullptr);
    for (int64_t end = tasks; range && end > 0; end -= range)
      function(&args, std::max<int64_t>(0, end - range), end, nullptr);
  }
  return fault;
}
