// Random attention, compiled, run and compared: on the CPU with the reference evaluator, on another device with the
// CPU.
//
//   fovea-fuzz-attention [--seed=S] [--artifacts=N] [--draws=N] [--threads=N] [--device=DEVICE] [--lowering=...]
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
#include "tools/Outputs.h"

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
  std::string device = "cpu", lowering;
  bool onCpu() const { return device == "cpu"; }
};

/// An artifact on a device.
struct Instance {
  RuntimeHandle runtime;
  ModelHandle model;
  SessionHandle session;

  Instance(const Settings &settings, const std::string &device, const std::string &path)
      : runtime(createRuntime(settings.threads, device)), model(openModel(runtime, path)),
        session(createSession(runtime, model, "")) {}
  void bind(const npy::Arrays &inputs);
};

/// One generated program, compiled.
class Subject {
public:
  Subject(const fuzz::Generator &generator, const Settings &settings, const std::string &path, uint64_t index);
  /// Empty, or what is wrong.
  std::string run(uint64_t seed);

private:
  /// What the results have to be.
  npy::Arrays evaluate(const npy::Arrays &inputs);
  npy::Arrays runOnCpu(const npy::Arrays &inputs);

  const fuzz::Generator &generator;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> reference;
  std::unique_ptr<Instance> instance, cpu; ///< `cpu`: on another device, to compare with
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
  options.machines.push_back(*lowering::Machine::named(index % 4 == 3 ? "x86-64-v3" : "native", nullptr));
  if (std::string error; !settings.lowering.empty() && !options.lowering.parse(settings.lowering, error))
    throw Failure(FOVEA_INVALID, "--lowering: " + error);
  if (!settings.onCpu())
    options.variants.push_back(*lowering::Machine::ofShaders("portable"));
  bool environment = false;
  if (failed(runPhases(*module, options, "", "", [](const Phase &) { return mlir::success(); })) ||
      failed(emitArtifact(*module, path, {options.machines}, environment)))
    throw Failure(FOVEA_INTERNAL, "it cannot be compiled: " + errors);
  instance = std::make_unique<Instance>(settings, settings.device, path);
  if (!settings.onCpu())
    cpu = std::make_unique<Instance>(settings, "cpu", path);
}

void Instance::bind(const npy::Arrays &inputs) {
  for (const auto &[name, array] : inputs) {
    uint32_t index;
    call(fovea_model_find_input, model.get(), 0u, name.c_str(), &index);
    fovea_tensor tensor = {const_cast<std::byte *>(array.data.data()), array.data.size(), array.dtype,
                           static_cast<uint32_t>(array.dims.size()), array.dims.data()};
    call(fovea_session_bind_input, session.get(), index, static_cast<const fovea_tensor *>(&tensor));
  }
}

static std::string resultName(uint32_t n) { return fmt::format("result {}", n); }

npy::Arrays Subject::evaluate(const npy::Arrays &inputs) {
  auto function = *reference->getOps<mlir::func::FuncOp>().begin();
  std::vector<reference::Tensor> arguments;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const npy::Array &array = inputs[i].second;
    auto type = mlir::cast<mlir::RankedTensorType>(function.getArgumentTypes()[i]);
    arguments.push_back(*reference::fromBytes(type.getElementType(), array.dims,
                                              {reinterpret_cast<const char *>(array.data.data()), array.data.size()}));
  }
  std::string error;
  auto results = reference::evaluate(function, arguments, &error);
  if (failed(results))
    throw Failure(FOVEA_INTERNAL, "the reference evaluation failed: " + error);
  npy::Arrays wanted;
  for (uint32_t n = 0; n < results->size(); ++n) {
    const reference::Tensor &result = (*results)[n];
    std::vector<char> bytes = reference::toBytes(result);
    npy::Array array;
    fovea_tensor_info info;
    call(fovea_model_output, instance->model.get(), 0u, n, &info);
    array.dtype = info.dtype;
    array.dims.assign(result.shape.begin(), result.shape.end());
    array.data.resize(bytes.size());
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char *>(array.data.data()));
    wanted.emplace_back(resultName(n), std::move(array));
  }
  return wanted;
}

npy::Arrays Subject::runOnCpu(const npy::Arrays &inputs) {
  cpu->bind(inputs);
  call(fovea_session_run, cpu->session.get());
  npy::Arrays wanted;
  for (const auto &[name, view] : outputsOf(cpu->session.get(), cpu->model.get())) {
    npy::Array array;
    array.dtype = view.dtype;
    array.dims.assign(view.dims.begin(), view.dims.end());
    const auto *data = static_cast<const std::byte *>(view.data);
    array.data.assign(data, data + view.bytes());
    wanted.emplace_back(resultName(wanted.size()), std::move(array));
  }
  return wanted;
}

std::string Subject::run(uint64_t seed) {
  double largest = 0;
  npy::Arrays inputs = generator.draw(seed, largest), wanted = cpu ? runOnCpu(inputs) : evaluate(inputs);
  instance->bind(inputs);
  fovea_session *session = instance->session.get();
  // In memory of ours, with a margin behind that nobody may write to.
  constexpr size_t margin = 64;
  std::vector<npy::Bytes> memory;
  for (const auto &[name, array] : wanted)
    memory.emplace_back(array.data.size() + margin, std::byte(0xa5));
  for (uint32_t n = 0; n < memory.size(); ++n)
    call(fovea_session_bind_output, session, n, static_cast<void *>(memory[n].data()), wanted[n].second.data.size());
  call(fovea_session_run, session);
  npy::Views outputs;
  for (uint32_t n = 0; n < memory.size(); ++n) {
    if (std::any_of(memory[n].end() - margin, memory[n].end(), [](std::byte b) { return b != std::byte(0xa5); }))
      return fmt::format("something was written behind {}", wanted[n].first);
    fovea_tensor output;
    call(fovea_session_output, session, n, &output);
    outputs.emplace_back(wanted[n].first, npy::View(output.dtype, {output.dims, output.rank}, output.data));
  }
  double tolerance = generator.precision().tolerance(largest);
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
  uint64_t done = 0, lacking = 0;
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
      // A device may lack an element type, and says so.
      bool lacks = !settings.onCpu() && failure.status == FOVEA_UNSUPPORTED;
      lacks ? void(++lacking) : void(wrong = failure.what());
    }
    if (!wrong.empty()) {
      fmt::print("seed {}, draw {}: {}\n{}\n", seed, draw, wrong, generator.text());
      fmt::print("again with: fovea-fuzz-attention --seed={} --artifacts=1 --device={}\n", seed, settings.device);
      code = 1;
    }
  }
  std::filesystem::remove_all(folder);
  fmt::print("seed {}: {} artifacts, {} draws each{}{}\n", settings.seed, done, settings.draws,
             lacking ? fmt::format(", {} need what the device does not offer", lacking) : "",
             code ? ", a difference" : "");
  if (done && lacking == done) {
    fmt::print("nothing was run\n");
    return 1;
  }
  return code;
}

int main(int argc, char **argv) {
  CLI::App app("Random attention against the reference evaluator or, on another device, the CPU.",
               "fovea-fuzz-attention");
  Settings settings;
  app.add_option("--seed", settings.seed, "Of the first artifact (default: the time)");
  app.add_option("--artifacts", settings.artifacts, "How many; 0: until a difference is found")->capture_default_str();
  app.add_option("--draws", settings.draws, "Sizes and data for each")->capture_default_str();
  app.add_option("--threads", settings.threads, "Of the runtime")->capture_default_str();
  app.add_option("--device", settings.device, "cpu, vulkan or vulkan:N")->capture_default_str();
  app.add_option("--lowering", settings.lowering, "As fovea-compile has it");
  return runCommand(app, argc, argv, [&] { return search(settings); });
}
