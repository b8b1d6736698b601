// Random attention, compiled, run and compared with the reference evaluator.
//
//   fovea-fuzz-attention [--seed=S] [--artifacts=N] [--draws=N] [--threads=N] [--lowering=...]
//
// Artifact i is made from seed S + i, with symbolic dims, and run at several random sizes. The first difference ends
// the run; it prints the seed that makes the same artifact again, and the program.
#include "Generator.h"
#include "compiler/pipeline/Artifact.h"
#include "compiler/pipeline/Phases.h"
#include "compiler/pipeline/Registration.h"
#include "compiler/reference/Reference.h"
#include "tools/Command.h"
#include "tools/Comparison.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>

using namespace fovea;
using namespace fovea::tools;

namespace {
struct Settings {
  uint64_t seed = std::chrono::system_clock::now().time_since_epoch().count() % 1000000000;
  uint64_t artifacts = 0, draws = 20;
  uint32_t threads = 2;
  std::string lowering;
};

/// One generated program, compiled.
class Subject {
public:
  Subject(const fuzz::Generator &generator, const Settings &settings, const std::string &path, uint64_t index);
  /// Empty, or what is wrong.
  std::string run(uint64_t seed);

private:
  std::string text;
  const fuzz::Generator &generator;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> reference;
  RuntimeHandle runtime;
  ModelHandle model;
  SessionHandle session;
};
} // namespace

static mlir::DialectRegistry &registry() {
  static mlir::DialectRegistry registry = [] {
    mlir::DialectRegistry all;
    registerDialects(all);
    return all;
  }();
  return registry;
}

Subject::Subject(const fuzz::Generator &generator, const Settings &settings, const std::string &path, uint64_t index)
    : generator(generator), context(registry(), mlir::MLIRContext::Threading::DISABLED) {
  context.loadAllAvailableDialects();
  std::string errors;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      errors += diagnostic.str() + "\n";
    return mlir::success();
  });
  reference = mlir::parseSourceString<mlir::ModuleOp>(generator.text(), &context);
  if (!reference)
    throw Failure(FOVEA_INTERNAL, "the program cannot be parsed: " + errors);
  mlir::OwningOpRef<mlir::ModuleOp> module(mlir::cast<mlir::ModuleOp>(reference.get()->clone()));
  CompileOptions options;
  // Wide and narrow vectors in turn.
  options.machines.push_back(*cpu::Machine::named(index % 4 == 3 ? "x86-64-v3" : "native", nullptr));
  if (std::string error; !settings.lowering.empty() && !options.lowering.parse(settings.lowering, error))
    throw Failure(FOVEA_INVALID, "--lowering: " + error);
  bool environment = false;
  if (failed(runPhases(*module, options, "", "", [](const Phase &) { return mlir::success(); })) ||
      failed(emitArtifact(*module, path, {options.machines}, environment)))
    throw Failure(FOVEA_INTERNAL, "it cannot be compiled: " + errors);
  runtime = createRuntime(settings.threads);
  model = openModel(runtime, path);
  session = createSession(runtime, model, "");
}

std::string Subject::run(uint64_t seed) {
  double largest = 0;
  npy::Arrays inputs = generator.draw(seed, largest);
  auto function = *reference->getOps<mlir::func::FuncOp>().begin();
  std::vector<reference::Tensor> arguments;
  for (size_t i = 0; i < inputs.size(); ++i) {
    npy::Array &array = inputs[i].second;
    auto type = mlir::cast<mlir::RankedTensorType>(function.getArgumentTypes()[i]);
    arguments.push_back(*reference::fromBytes(type.getElementType(), array.dims,
                                              {reinterpret_cast<const char *>(array.data.data()), array.data.size()}));
    uint32_t index;
    call(fovea_model_find_input, model.get(), 0u, inputs[i].first.c_str(), &index);
    fovea_tensor tensor = {array.data.data(), array.data.size(), array.dtype, static_cast<uint32_t>(array.dims.size()),
                           array.dims.data()};
    call(fovea_session_bind_input, session.get(), index, static_cast<const fovea_tensor *>(&tensor));
  }
  std::string error;
  auto results = reference::evaluate(function, arguments, &error);
  if (failed(results))
    return "the reference evaluation failed: " + error;
  // In memory of ours, with a margin behind that nobody may write to.
  constexpr size_t margin = 64;
  std::vector<std::vector<char>> bytes;
  std::vector<npy::Bytes> memory;
  for (const reference::Tensor &result : *results) {
    bytes.push_back(reference::toBytes(result));
    memory.emplace_back(bytes.back().size() + margin, std::byte(0xa5));
  }
  for (uint32_t n = 0; n < memory.size(); ++n)
    call(fovea_session_bind_output, session.get(), n, static_cast<void *>(memory[n].data()), bytes[n].size());
  call(fovea_session_run, session.get());
  npy::Views outputs;
  npy::Arrays wanted;
  for (uint32_t n = 0; n < memory.size(); ++n) {
    std::string name = fmt::format("result {}", n);
    if (std::any_of(memory[n].end() - margin, memory[n].end(), [](std::byte b) { return b != std::byte(0xa5); }))
      return fmt::format("something was written behind {}", name);
    fovea_tensor output;
    call(fovea_session_output, session.get(), n, &output);
    outputs.emplace_back(name, npy::View(output.dtype, {output.dims, output.rank}, output.data));
    npy::Array expected;
    expected.dtype = output.dtype;
    expected.dims.assign((*results)[n].shape.begin(), (*results)[n].shape.end());
    expected.data.resize(bytes[n].size());
    std::copy(bytes[n].begin(), bytes[n].end(), reinterpret_cast<char *>(expected.data.data()));
    wanted.emplace_back(name, std::move(expected));
  }

  // Rounding of the scores is relative to their size and moves the weights by as much; a row of weights adds up to 1,
  // or to as many as there are keys.
  const fuzz::Precision &kind = generator.precision();
  double unit = kind.element == "f64" ? 1.1e-16 : 6e-8, keys = 130;
  double tolerance = unit * (64 + 16 * largest) * (kind.sums ? keys : 1) * (kind.unbounded ? largest : 1);
  // The result is rounded once more: two that are close may fall to neighbours.
  tolerance += kind.element == "bf16" ? 0x1p-7 : kind.element == "f16" ? 0x1p-10 : 0;
  ComparisonResult result = compare(outputs, wanted, {tolerance, tolerance});
  if (result.agrees)
    return "";
  std::string sizes;
  for (const auto &[name, array] : inputs)
    sizes += fmt::format(" {}[{}]", name, fmt::join(array.dims, ","));
  return fmt::format("{}inputs{}, tolerance {:.1e}", result.report, sizes, tolerance);
}

static int search(const Settings &settings) {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / fmt::format("fovea-attention-{}", getpid());
  std::filesystem::create_directories(folder);
  std::string path = folder / "attention.fovea";
  uint64_t done = 0;
  int code = 0;
  for (; !code && (!settings.artifacts || done < settings.artifacts); ++done) {
    uint64_t seed = settings.seed + done;
    fuzz::Generator generator(seed);
    std::string wrong;
    uint64_t draw = 0;
    try {
      Subject subject(generator, settings, path, seed);
      for (; draw < settings.draws && wrong.empty(); ++draw)
        wrong = subject.run(seed * 1000 + draw);
    } catch (const Failure &failure) {
      wrong = failure.what();
    }
    if (!wrong.empty()) {
      fmt::print("seed {}, draw {}: {}\n{}\n", seed, draw, wrong, generator.text());
      fmt::print("again with: fovea-fuzz-attention --seed={} --artifacts=1\n", seed);
      code = 1;
    }
  }
  std::filesystem::remove_all(folder);
  fmt::print("seed {}: {} artifacts, {} draws each{}\n", settings.seed, done, settings.draws,
             code ? ", a difference" : "");
  return code;
}

int main(int argc, char **argv) {
  CLI::App app("Random attention against the reference evaluator.", "fovea-fuzz-attention");
  Settings settings;
  app.add_option("--seed", settings.seed, "Of the first artifact (default: the time)");
  app.add_option("--artifacts", settings.artifacts, "How many; 0: until a difference is found")->capture_default_str();
  app.add_option("--draws", settings.draws, "Sizes and data for each")->capture_default_str();
  app.add_option("--threads", settings.threads, "Of the runtime")->capture_default_str();
  app.add_option("--lowering", settings.lowering, "As fovea-compile has it");
  return runCommand(app, argc, argv, [&] { return search(settings); });
}
