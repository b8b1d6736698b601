// Makes a program smaller that makes a command fail.
#include "compiler/pipeline/OutputFile.h"
#include "compiler/pipeline/Plugin.h"
#include "compiler/pipeline/Registration.h"
#include "compiler/tools/Driver.h"
#include "compiler/tools/Dumps.h"
#include "compiler/tools/Reduce.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Program.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

using namespace fovea;

static constexpr const char *kExamples =
    "Makes a program smaller as long as a command fails on it with the same exit code.\n"
    "Examples:\n"
    "  fovea-compile model.onnx --compile-to=import -o model.mlirbc\n"
    "  fovea-reduce model.mlirbc -o small.mlirbc -- fovea-compile {} -o small.fovea --verify-each=reference\n"
    "The last run of the command is the one to look at: its message may have become another one.";

namespace {
struct Request {
  std::string input, output;
  std::vector<std::string> command, plugins;
  unsigned seconds = 600;
};
} // namespace

static int fail(int code, const std::string &message) {
  fmt::print(stderr, "fovea-reduce: error: {}\n", message);
  return code;
}

/// Runs the command on a file; its exit code, or a negative number if it crashed or took too long.
static int runOn(const Request &request, llvm::StringRef program, llvm::StringRef path) {
  std::vector<std::string> words = request.command;
  for (std::string &word : words)
    for (size_t at = 0; (at = word.find("{}", at)) != std::string::npos; at += path.size())
      word.replace(at, 2, path.str());
  llvm::SmallVector<llvm::StringRef> arguments(words.begin(), words.end());
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(), llvm::StringRef(), llvm::StringRef()};
  return llvm::sys::ExecuteAndWait(program, arguments, std::nullopt, redirects, request.seconds);
}

static int run(const Request &request) {
  registerPasses();
  mlir::DialectRegistry registry;
  registerDialects(registry);
  if (std::string error; !loadPlugins(request.plugins, registry, error))
    return fail(kInput, "--plugin: " + error);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    if (message.empty() && diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      message = diagnostic.str();
    return mlir::success();
  });
  if (!llvm::sys::fs::exists(request.input))
    return fail(kInput, fmt::format("cannot read \"{}\": there is no such file", request.input));
  LoadedDump loaded = readDump(context, request.input);
  if (!loaded.module)
    return fail(kInput, message.empty() ? loaded.error : fmt::format("{}: {}", loaded.error, message));
  if (loaded.module->getOps<mlir::func::FuncOp>().empty())
    return fail(kUnsupported,
                fmt::format("\"{}\" holds no function; give a dump of a phase before plan", request.input));
  std::string phase = loaded.phase.empty() ? "import" : loaded.phase;
  auto program = llvm::sys::findProgramByName(request.command.front());
  if (!program)
    return fail(kInput, fmt::format("cannot run \"{}\": {}", request.command.front(), program.getError().message()));

  auto writeTo = [&](const std::string &path, mlir::ModuleOp module) {
    return writeFile(path, [&](llvm::raw_ostream &out) { return writeDump(module, phase, loaded.weights, out); });
  };
  llvm::SmallString<128> scratch;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile("fovea-reduce", "mlirbc", scratch))
    return fail(kEnvironment, fmt::format("cannot make a temporary file: {}", code.message()));
  llvm::FileRemover remover(scratch);
  bool written = true;
  auto codeOf = [&](mlir::ModuleOp module) {
    auto status = writeTo(scratch.str().str(), module);
    written &= succeeded(status) && !*status;
    return runOn(request, *program, scratch);
  };
  int expected = codeOf(*loaded.module);
  if (!written)
    return fail(kEnvironment, fmt::format("cannot write {}", scratch.str().str()));
  if (expected == 0)
    return fail(kInput, "the command succeeds on the whole program: there is nothing to look for");
  size_t before = countOperations(*loaded.module);
  reduce(
      loaded.module, [&](mlir::ModuleOp module) { return codeOf(module) == expected && written; },
      [](size_t left) { fmt::print(stderr, "{} operations\n", left); });
  auto status = writeTo(request.output, *loaded.module);
  if (failed(status) || *status)
    return fail(kEnvironment, fmt::format("cannot write {}", request.output));
  fmt::print("{}: {} of {} operations left, exit code {}\n", request.output, countOperations(*loaded.module), before,
             expected);
  return kFine;
}

int main(int argc, char **argv) {
  CLI::App app(kExamples, "fovea-reduce");
  Request request;
  app.set_version_flag("--version", "fovea-reduce " FOVEA_VERSION);
  app.add_option("program", request.input,
                 "IR with one function: .mlirbc or .mlir, as fovea-compile --compile-to writes it")
      ->required();
  app.add_option("-o,--output", request.output, "Where to write the smaller program, as bytecode")->required();
  app.add_option("--plugin", request.plugins, "A library with dialects of its own")->type_name("LIB.so");
  app.add_option("--timeout", request.seconds, "Seconds that the command may take")->capture_default_str();
  app.add_option("command", request.command, "After --: the command; {} is the program's file")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {
    return app.exit(success);
  } catch (const CLI::ParseError &error) {
    return fail(kInput, error.what());
  }
  return run(request);
}
