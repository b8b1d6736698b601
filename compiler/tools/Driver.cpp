#include "compiler/tools/Driver.h"
#include "compiler/pipeline/Artifact.h"
#include "compiler/pipeline/Costs.h"
#include "compiler/pipeline/Dot.h"
#include "compiler/pipeline/Explain.h"
#include "compiler/pipeline/OutputFile.h"
#include "compiler/pipeline/Plugin.h"
#include "compiler/pipeline/Progress.h"
#include "compiler/pipeline/Refusals.h"
#include "compiler/pipeline/Registration.h"
#include "compiler/tools/Dumps.h"
#include "compiler/tools/RequestOptions.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

using namespace mlir;
using namespace fovea;

/// How the message of a refusal begins: valid input that we cannot do. All other errors behind the import are bugs of
/// ours.
static constexpr llvm::StringLiteral kNotSupported = "not supported: ";

namespace {
struct Message {
  std::string node, text;
};

class Driver {
public:
  Driver(const CompileRequest &request, CompileOutcome &outcome)
      : request(request), outcome(outcome), options(outcome.options) {}
  int run();

private:
  int fail(int code, std::string message);
  /// The exit code for what the diagnostics say, after a phase or an emitter failed.
  int failAt(const std::string &where, ModuleOp before, StringRef resumeAfter, bool environment = false);
  int load();
  int runAllPhases();
  int dump(StringRef phase);
  void keep(StringRef phase);
  int emit();
  /// --require-fused makes an error of it.
  bool isRequired(const MissedRemark &remark) const;
  int explainAll();
  int write(const std::string &path, llvm::function_ref<LogicalResult(llvm::raw_ostream &)> contents);
  void receive(Diagnostic &diagnostic);
  std::string outputPath(StringRef extension) const;

  const CompileRequest &request;
  CompileOutcome &outcome;
  CompileOptions &options;
  frontend::ImportOptions importOptions;
  std::shared_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
  std::vector<frontend::WeightSource> weights;
  std::string from, current = "import"; ///< the phase that was done last; that which runs
  std::vector<Message> errors;
  std::vector<MissedRemark> missed;
  std::vector<std::string> attention;
  std::unique_ptr<Progress> progress;
};
} // namespace

int Driver::fail(int code, std::string message) {
  if (progress)
    progress->interrupt();
  while (!message.empty() && message.back() == '\n')
    message.pop_back();
  // One line, whatever a diagnostic holds.
  for (char &c : message)
    if (c == '\n')
      c = ' ';
  fmt::print(stderr, "fovea-compile: error: {}\n", message);
  return code;
}

void Driver::receive(Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
    errors.push_back({nodeOf(diagnostic.getLocation()), diagnostic.str()});
  else if (diagnostic.getSeverity() == DiagnosticSeverity::Remark)
    missed.push_back({current, nodeOf(diagnostic.getLocation()), diagnostic.str()});
}

static int exitCode(frontend::ImportError error) {
  switch (error) {
  case frontend::ImportError::input:
    return kInput;
  case frontend::ImportError::unsupported:
    return kUnsupported;
  case frontend::ImportError::environment:
    return kEnvironment;
  }
  llvm_unreachable("all are listed");
}

int Driver::load() {
  from = request.from;
  if (StringRef(request.model).ends_with(".mlir") || StringRef(request.model).ends_with(".mlirbc")) {
    if (!llvm::sys::fs::exists(request.model))
      return fail(kInput, fmt::format("cannot read \"{}\": there is no such file", request.model));
    LoadedDump loaded = readDump(*context, request.model);
    if (!loaded.module)
      return fail(kInput, errors.empty() ? loaded.error : fmt::format("{}: {}", loaded.error, errors.front().text));
    if (!from.empty() && !loaded.phase.empty() && from != loaded.phase)
      return fail(kInput, fmt::format("--compile-from: the dump \"{}\" was written after {}, got {}", request.model,
                                      loaded.phase, from));
    if (from.empty())
      from = loaded.phase;
    module = std::move(loaded.module);
    weights = std::move(loaded.weights);
  } else {
    if (!from.empty() && from != "import")
      return fail(kInput, fmt::format("--compile-from={}: expected a dump (.mlirbc or .mlir), got \"{}\"", from,
                                      request.model));
    frontend::ImportResult result = frontend::importOnnx(*context, request.model, importOptions);
    if (result.error)
      return fail(exitCode(result.error->kind), result.error->message);
    module = std::move(result.module);
    weights = std::move(result.weights);
  }
  if (from.empty())
    from = "import";
  if (!request.to.empty() && numberOf(request.to) < numberOf(from))
    return fail(kInput, fmt::format("--compile-to={}: expected a phase after {}", request.to, from));
  if (!request.schedules.empty() &&
      (numberOf(from) >= numberOf("tile") || (!request.to.empty() && numberOf(request.to) < numberOf("tile"))))
    return fail(kInput, lowering::kScheduleError.str() + "expected the phase tile to run, which makes the schedules");
  unsigned last = request.to.empty() ? phases().size() + 1 : numberOf(request.to);
  progress->expect(1 + last - numberOf(from) + (request.to.empty() ? 1 : 0));
  return kFine;
}

int Driver::write(const std::string &path, llvm::function_ref<LogicalResult(llvm::raw_ostream &)> contents) {
  FailureOr<std::error_code> status = writeFile(path, contents);
  if (failed(status))
    return fail(kInternal, fmt::format("internal error: cannot write the contents of {}", path));
  return *status ? fail(kEnvironment, fmt::format("cannot write {}: {}", path, status->message())) : kFine;
}

int Driver::dump(StringRef phase) {
  if (request.dumpFolder.empty())
    return kFine;
  llvm::SmallString<128> path(request.dumpFolder);
  llvm::sys::path::append(path, fmt::format("{}-{}.mlirbc", numberOf(phase), phase.str()));
  if (int code =
          write(path.str().str(), [&](llvm::raw_ostream &out) { return writeDump(*module, phase, weights, out); }))
    return code;
  if (!request.dumpText)
    return kFine;
  llvm::sys::path::replace_extension(path, ".mlir");
  return write(path.str().str(), [&](llvm::raw_ostream &out) {
    printText(*module, out);
    return success();
  });
}

std::string Driver::outputPath(StringRef extension) const {
  if (!request.output.empty())
    return request.output;
  llvm::SmallString<128> path(request.model);
  llvm::sys::path::replace_extension(path, extension);
  return path.str().str();
}

int Driver::failAt(const std::string &where, ModuleOp before, StringRef resumeAfter, bool environment) {
  std::string text = errors.empty() ? "no message" : errors.front().text,
              node = errors.empty() ? "?" : errors.front().node;
  std::string prefix = node == "?" ? "" : fmt::format("node \"{}\": ", node);
  if (environment)
    return fail(kEnvironment, text);
  if (StringRef(text).starts_with(lowering::kScheduleError) || StringRef(text).starts_with(lowering::kLoweringError))
    return fail(kInput, text);
  if (StringRef(text).starts_with(kNotSupported))
    return fail(kUnsupported, prefix + text);
  std::string message = fmt::format("internal error in {}: {}{}", where, prefix, text);
  std::string path = outputPath(".fovea");
  path = (path == "-" ? "model" : path) + ".reproducer.mlirbc";
  FailureOr<std::error_code> written =
      writeFile(path, [&](llvm::raw_ostream &out) { return writeDump(before, resumeAfter, weights, out); });
  if (succeeded(written) && !*written)
    message +=
        fmt::format("; to reproduce: fovea-compile {} --compile-from={}{}", path, resumeAfter.str(), request.command);
  return fail(kInternal, message);
}

int Driver::runAllPhases() {
  if (failed(verify(*module)))
    return failAt("import", *module, "import");
  progress->done(from);
  if (int code = dump(from))
    return code;
  std::string previous = from;
  for (const Phase &phase : phases()) {
    if (numberOf(phase.name) <= numberOf(from))
      continue;
    if (!request.to.empty() && numberOf(phase.name) > numberOf(request.to))
      break;
    current = phase.name;
    // What a reproducer starts from; the IR is small, its weights are not part of it.
    OwningOpRef<ModuleOp> before(cast<ModuleOp>(module->getOperation()->clone()));
    if (failed(runPhases(*module, options, previous, phase.name, [](const Phase &) { return success(); })))
      return failAt("the phase " + current, *before, previous);
    if (attention.empty() && (current == "raise" || current == "simplify"))
      attention = attentionNodes(*module);
    previous = current;
    progress->done(current);
    // A plan is a program for the host; from there on the artifact speaks.
    if (request.keepPhases && current != "plan")
      keep(current);
    if (int code = dump(current))
      return code;
  }
  return kFine;
}

void Driver::keep(StringRef phase) {
  outcome.phases.push_back({phase.str(), OwningOpRef<ModuleOp>(cast<ModuleOp>(module->getOperation()->clone()))});
}

int Driver::emit() {
  std::string stdoutOr = request.output.empty() ? "-" : request.output;
  if (request.emit == "dot")
    return write(stdoutOr, [&](llvm::raw_ostream &out) {
      writeDot(*module, out);
      return success();
    });
  if (request.emit == "mlir" || !request.to.empty())
    return write(stdoutOr, [&](llvm::raw_ostream &out) {
      if (StringRef(request.output).ends_with(".mlirbc"))
        return writeDump(*module, request.to.empty() ? "plan" : request.to, weights, out);
      printText(*module, out);
      return success();
    });
  current = "emit";
  EmitOptions emitOptions{options.machines};
  bool environment = false;
  LogicalResult result = success();
  if (request.emit == "llvm") {
    std::string text;
    llvm::raw_string_ostream stream(text);
    result = emitLLVM(*module, stream, emitOptions);
    if (int code =
            succeeded(result) ? write(stdoutOr, [&](llvm::raw_ostream &out) { return out << text, success(); }) : 0)
      return code;
  } else if (request.emit == "static-lib") {
    result = emitStaticLibrary(*module, outputPath(".a"), emitOptions, environment);
  } else if (request.emit == "spirv") {
    result = emitSpirv(*module, outputPath(".spirv"), emitOptions, environment);
  } else {
    outcome.artifact = outputPath(".fovea");
    outcome.flops = totalFlops(*module);
    result = emitArtifact(*module, outcome.artifact, emitOptions, environment);
  }
  if (failed(result))
    return failAt("the phase emit", *module, "plan", environment);
  progress->done("emit");
  return kFine;
}

bool Driver::isRequired(const MissedRemark &remark) const {
  const Refusal *refusal = refusalOf(remark.reason);
  return request.requireFused && (request.fusedOperations.empty() ||
                                  (refusal && llvm::is_contained(request.fusedOperations, refusal->operation)));
}

int Driver::explainAll() {
  if (request.explain) {
    llvm::json::Object report = explain(*module, attention, missed);
    llvm::json::Array inserted;
    for (auto &[phase, pipeline] : options.inserted)
      inserted.push_back(llvm::json::Object{{"after", phase}, {"pipeline", pipeline}});
    if (!inserted.empty())
      report["inserted"] = std::move(inserted);
    if (request.explainFile.empty())
      fmt::print("{}", explainText(report));
    else if (int code = write(request.explainFile, [&](llvm::raw_ostream &out) {
               out << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(report)));
               return success();
             }))
      return code;
  }
  int code = kFine;
  for (const MissedRemark &remark : missed)
    if (isRequired(remark))
      code = fail(kUnsupported,
                  fmt::format("--require-fused: missed {}: node \"{}\": {}", remark.phase, remark.node, remark.reason));
  return code;
}

int Driver::run() {
  registerPasses();
  DialectRegistry registry;
  registerDialects(registry);
  if (std::string error; !loadPlugins(request.plugins, registry, error))
    return fail(kInput, "--plugin: " + error);
  std::string wrong;
  if (int code = readOptions(request, options, importOptions, wrong))
    return fail(code, wrong);
  context = outcome.context = std::make_shared<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  // Collected, not printed: the engine takes no lock, and the report groups them.
  ScopedDiagnosticHandler collector(context.get(), [this](Diagnostic &diagnostic) {
    receive(diagnostic);
    return success();
  });
  if (!request.dumpFolder.empty())
    if (std::error_code code = llvm::sys::fs::create_directories(request.dumpFolder))
      return fail(kEnvironment, fmt::format("cannot create {}: {}", request.dumpFolder, code.message()));
  progress = std::make_unique<Progress>();
  if (int code = load())
    return code;
  if (request.keepImported || request.keepPhases)
    keep(from);
  if (int code = runAllPhases())
    return code;
  // Before anything is written: with --require-fused there is no artifact that does not fulfil it.
  if (llvm::any_of(missed, [&](const MissedRemark &remark) { return isRequired(remark); }))
    return explainAll();
  if (int code = emit())
    return code;
  progress->finish();
  if (int code = explainAll())
    return code;
  if (request.timing)
    for (auto &[name, seconds] : progress->times())
      fmt::print(stderr, "{:>10} {:8.3f} s\n", name, seconds);
  return kFine;
}

CompileOutcome fovea::compile(const CompileRequest &request) {
  CompileOutcome outcome;
  outcome.code = Driver(request, outcome).run();
  return outcome;
}
