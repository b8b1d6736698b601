// Compiles a model to an artifact.
#include "compiler/pipeline/Artifact.h"
#include "compiler/pipeline/Phases.h"
#include "compiler/pipeline/Registration.h"
#include "frontends/onnx/Onnx.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <unistd.h>

using namespace mlir;
using namespace fovea;

/// Exit codes, the same for all of Fovea's tools.
enum ExitCode { kFine = 0, kInput = 1, kUnsupported = 2, kInternal = 3, kEnvironment = 4 };

namespace {
struct Arguments {
  std::string model, output, target = "cpu", dumpFolder, from, to, emit = "artifact", externalData;
  std::vector<std::string> cpus{"native"}, dims, lowerings, inserts;
  bool timing = false, listOps = false, explain = false;
};

class Driver {
public:
  explicit Driver(Arguments arguments) : arguments(std::move(arguments)) {}
  int run();

private:
  int fail(int code, const std::string &message) {
    fmt::print(stderr, "fovea-compile: error: {}\n", message);
    return code;
  }
  int parseOptions();
  int load();
  LogicalResult phaseDone(StringRef name);
  void progress(StringRef name);

  Arguments arguments;
  CompileOptions options;
  frontend::ImportOptions importOptions;
  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
  std::vector<std::string> errors;
  std::vector<std::pair<std::string, double>> times;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  unsigned phaseCount = 0;
};
} // namespace

/// The node of the source model that a location names.
static std::string locationName(Location location) {
  std::string name = "?";
  location->walk([&](Location part) {
    if (auto named = dyn_cast<NameLoc>(part)) {
      name = named.getName().str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name;
}

/// "NAME=N" or "NAME=LO..HI".
static bool parseDim(const std::string &text, std::string &name, frontend::DimRange &range) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return false;
  name = text.substr(0, equals);
  StringRef value = StringRef(text).substr(equals + 1);
  auto [low, high] = value.split("..");
  if (low.getAsInteger(10, range.min) || range.min < 0)
    return false;
  range.max = range.min;
  return !value.contains("..") || (!high.getAsInteger(10, range.max) && range.max >= range.min);
}

int Driver::parseOptions() {
  if (arguments.target != "cpu")
    return fail(kUnsupported, fmt::format("target '{}' is not supported; this build compiles for cpu", arguments.target));
  for (const std::string &name : arguments.cpus) {
    std::string error;
    FailureOr<cpu::Machine> machine = cpu::Machine::named(name, &error);
    if (failed(machine))
      return fail(kInput, "--cpu: " + error);
    options.machines.push_back(*machine);
  }
  for (const std::string &text : arguments.dims) {
    std::string name;
    frontend::DimRange range;
    if (!parseDim(text, name, range))
      return fail(kInput, fmt::format("--dim: expected NAME=N or NAME=LO..HI, got '{}'", text));
    importOptions.dims[name] = range;
  }
  for (const std::string &text : arguments.lowerings) {
    if (text.starts_with("-"))
      options.lowering.forbidden.push_back(text.substr(1));
    else
      options.lowering.forced.push_back(text);
  }
  for (const std::string &text : arguments.inserts) {
    auto [place, pipeline] = StringRef(text).split('=');
    if (!place.consume_front("after:") || pipeline.empty() ||
        llvm::none_of(phases(), [&](const Phase &phase) { return place == phase.name; }))
      return fail(kInput, fmt::format("--insert: expected after:PHASE=PIPELINE, got '{}'", text));
    options.inserted.emplace_back(place.str(), pipeline.str());
  }
  for (const std::string &name : {arguments.from, arguments.to})
    if (!name.empty() && name != "import" && llvm::none_of(phases(), [&](const Phase &phase) { return name == phase.name; }))
      return fail(kInput, fmt::format("expected a phase (import, raise, simplify, fuse, tile, plan), got '{}'", name));
  importOptions.allowExternalData = arguments.externalData;
  return kFine;
}

void Driver::progress(StringRef name) {
  auto now = std::chrono::steady_clock::now();
  times.emplace_back(name.str(), std::chrono::duration<double>(now - started).count());
  started = now;
  ++phaseCount;
  if (!isatty(STDERR_FILENO))
    return;
  unsigned total = phases().size() + 2;
  fmt::print(stderr, "\r[{:<{}}] {}/{} {:<10}{}", std::string(phaseCount * 3, '='), total * 3, phaseCount, total, name.str(),
             phaseCount == total ? "\n" : "");
}

LogicalResult Driver::phaseDone(StringRef name) {
  progress(name);
  if (arguments.dumpFolder.empty())
    return success();
  llvm::SmallString<128> path(arguments.dumpFolder);
  llvm::sys::path::append(path, fmt::format("{}-{}.mlir", phaseCount, name.str()));
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (code)
    return module->emitError("cannot write ") << path << ": " << code.message();
  module->print(file, OpPrintingFlags().elideLargeElementsAttrs(16).elideLargeResourceString(64).enableDebugInfo(false));
  return success();
}

int Driver::load() {
  if (StringRef(arguments.model).ends_with(".mlir")) {
    ParserConfig config(context.get());
    module = parseSourceFile<ModuleOp>(arguments.model, config);
    return module ? kFine : fail(kInput, errors.empty() ? "cannot read " + arguments.model : errors.front());
  }
  frontend::ImportResult result = frontend::importOnnx(*context, arguments.model, importOptions);
  if (result.error)
    return fail(result.error->kind == frontend::ImportError::input ? kInput : kUnsupported, result.error->message);
  module = std::move(result.module);
  return kFine;
}

int Driver::run() {
  if (int code = parseOptions())
    return code;
  DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  context->getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
      std::string text;
      llvm::raw_string_ostream(text) << diagnostic.getLocation() << ": " << diagnostic;
      errors.push_back(text);
    } else if (diagnostic.getSeverity() == DiagnosticSeverity::Remark && arguments.explain) {
      fmt::print("missed: {}: {}\n", locationName(diagnostic.getLocation()), diagnostic.str());
    }
    return success();
  });
  if (!arguments.dumpFolder.empty())
    if (std::error_code code = llvm::sys::fs::create_directories(arguments.dumpFolder))
      return fail(kEnvironment, fmt::format("cannot create {}: {}", arguments.dumpFolder, code.message()));
  if (int code = load())
    return code;
  auto internal = [&](StringRef where) {
    return fail(kInternal, fmt::format("internal error in {}: {}", where.str(), errors.empty() ? "no message" : errors.front()));
  };
  if (failed(verify(*module)) || failed(phaseDone("import")))
    return internal("import");
  std::string last = "raise";
  LogicalResult result = runPhases(*module, options, arguments.from, arguments.to, [&](const Phase &phase) {
    last = phase.name;
    return phaseDone(phase.name);
  });
  if (failed(result))
    return internal("the phase after " + last);
  if (arguments.emit == "mlir" || !arguments.to.empty()) {
    std::error_code code;
    llvm::raw_fd_ostream file(arguments.output.empty() ? "-" : arguments.output, code);
    if (code)
      return fail(kEnvironment, fmt::format("cannot write {}: {}", arguments.output, code.message()));
    module->print(file, OpPrintingFlags().elideLargeElementsAttrs(16).elideLargeResourceString(64));
    return kFine;
  }
  EmitOptions emit{options.machines, arguments.emit == "llvm" ? arguments.output : ""};
  bool environment = false;
  std::string path = arguments.output;
  if (failed(emitArtifact(*module, path, emit, environment)))
    return environment ? fail(kEnvironment, errors.empty() ? "cannot write the artifact" : errors.front()) : internal("emit");
  progress("emit");
  if (arguments.timing)
    for (auto &[name, seconds] : times)
      fmt::print(stderr, "{:>10} {:8.3f} s\n", name, seconds);
  return kFine;
}

int main(int argc, char **argv) {
  CLI::App app{"Compiles a model to an artifact that fovea-run and the runtime library run.\n"
               "Examples:\n"
               "  fovea-compile model.onnx -o model.fovea\n"
               "  fovea-compile model.onnx -o model.fovea --cpu=x86-64-v3,x86-64-v4 --dim batch=1 --dim seq=1..512"};
  Arguments arguments;
  app.set_version_flag("--version", "fovea-compile " FOVEA_VERSION);
  app.add_option("model", arguments.model, "The model: an ONNX file, or IR as .mlir");
  app.add_option("-o,--output", arguments.output, "Where to write (default: the model's name with .fovea)");
  app.add_option("--target", arguments.target, "cpu")->capture_default_str();
  app.add_option("--cpu", arguments.cpus, "CPUs to compile for: native, x86-64-v3, x86-64-v4, ...")->delimiter(',')->capture_default_str();
  app.add_option("--dim", arguments.dims, "NAME=N fixes a symbolic dim, NAME=LO..HI gives its range");
  app.add_option("--dump-phases", arguments.dumpFolder, "Write the IR after each phase into this folder");
  app.add_option("--compile-from", arguments.from, "Start after this phase (the model is IR)");
  app.add_option("--compile-to", arguments.to, "Stop after this phase and print the IR");
  app.add_option("--emit", arguments.emit, "artifact, mlir or llvm")->check(CLI::IsMember({"artifact", "mlir", "llvm"}));
  app.add_option("--insert", arguments.inserts, "after:PHASE=PIPELINE runs a pass pipeline after a phase");
  app.add_option("--lowering", arguments.lowerings, "NAME forces a kernel lowering where it applies, -NAME forbids it");
  app.add_option("--allow-external-data", arguments.externalData, "A folder from which external data may come");
  app.add_flag("--explain", arguments.explain, "Print what was not recognised, merged or scheduled as it could be, and why");
  app.add_flag("--timing", arguments.timing, "Print the time of each phase");
  app.add_flag("--list-onnx-ops", arguments.listOps, "List the ONNX operators that can be imported");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kFine : kInput;
  }
  if (arguments.listOps) {
    for (const frontend::OnnxOp &op : frontend::listOnnxOps())
      fmt::print("{}{}{} {}-{}\n", op.domain, op.domain.empty() ? "" : ".", op.name, op.since, op.until);
    return kFine;
  }
  if (arguments.model.empty()) {
    fmt::print(stderr, "fovea-compile: error: expected a model; see --help\n");
    return kInput;
  }
  if (arguments.output.empty() && arguments.emit == "artifact" && arguments.to.empty()) {
    llvm::SmallString<128> path(arguments.model);
    llvm::sys::path::replace_extension(path, ".fovea");
    arguments.output = path.str().str();
  }
  return Driver(std::move(arguments)).run();
}
