#include "compiler/tools/RequestOptions.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

#include <fmt/format.h>

using namespace mlir;
using namespace fovea;

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

static bool isPhase(StringRef name) {
  return name == "import" || llvm::any_of(phases(), [&](const Phase &phase) { return name == phase.name; });
}

unsigned fovea::numberOf(StringRef name) {
  for (auto [i, phase] : llvm::enumerate(phases()))
    if (name == phase.name)
      return i + 2;
  return 1;
}

/// The least demanding first, so that it is the others that are left out where nothing differs.
static int readVariants(const CompileRequest &request, CompileOptions &options, std::string &error) {
  if (request.bindingBytes < 256 || request.bindingBytes % 256 != 0 || request.bindingBytes > INT32_MAX) {
    error = fmt::format("--vulkan-max-buffer-bytes: expected a multiple of 256 from 256 to {}, got {}",
                        INT32_MAX / 256 * 256, request.bindingBytes);
    return kInput;
  }
  for (const std::string &name : request.variants) {
    std::string why;
    FailureOr<lowering::Machine> machine = lowering::Machine::ofShaders(name, &why);
    if (failed(machine) || llvm::any_of(options.variants, [&](auto &known) { return known.name == machine->name; })) {
      error = "--vulkan-variants: " + (failed(machine) ? why : fmt::format("'{}' is there twice", name));
      return kInput;
    }
    machine->bindingBytes = request.bindingBytes;
    options.variants.push_back(*machine);
  }
  llvm::stable_sort(options.variants, [](const auto &a, const auto &b) { return a.demands() < b.demands(); });
  return kFine;
}

int fovea::readOptions(const CompileRequest &request, CompileOptions &options, frontend::ImportOptions &importOptions,
                       std::string &error) {
  auto fail = [&](ExitCode code, std::string message) {
    error = std::move(message);
    return code;
  };
  bool forCpu = false, forVulkan = false;
  for (const std::string &target : request.targets) {
    if (target != "cpu" && target != "vulkan")
      return fail(kUnsupported, fmt::format("target '{}' is not supported; there are cpu and vulkan", target));
    (target == "cpu" ? forCpu : forVulkan) = true;
  }
  for (const std::string &name : request.cpus) {
    if (!forCpu)
      break;
    std::string why;
    FailureOr<lowering::Machine> machine = lowering::Machine::named(name, &why);
    if (failed(machine))
      return fail(kInput, "--cpu: " + why);
    options.machines.push_back(*machine);
  }
  if (int code = forVulkan ? readVariants(request, options, error) : kFine)
    return code;
  for (const char *code : {"static-lib", "llvm"})
    if (request.emit == code && !forCpu)
      return fail(kInput, fmt::format("--emit={}: expected cpu among the targets", code));
  if (request.emit == "spirv" && !forVulkan)
    return fail(kInput, "--emit=spirv: expected vulkan among the targets");
  if (request.emit == "static-lib" && forVulkan)
    return fail(kUnsupported, "--emit=static-lib: an archive is for the CPU alone");
  if (request.emit == "static-lib" && options.machines.size() != 1)
    return fail(kInput, fmt::format("--emit=static-lib: expected one CPU, got {}: an archive has one table of kernels",
                                    options.machines.size()));
  for (const std::string &text : request.dims) {
    std::string name;
    frontend::DimRange range;
    if (!parseDim(text, name, range))
      return fail(kInput, fmt::format("--dim: expected NAME=N or NAME=LO..HI, got '{}'", text));
    importOptions.dims[name] = range;
  }
  for (const std::string &text : request.lowerings)
    if (std::string why; !options.lowering.parse(text, why))
      return fail(kInput, lowering::kLoweringError.str() + why);
  for (const std::string &text : request.schedules)
    if (std::string why; failed(lowering::ScheduleOverride::parse(text, options.lowering.overrides, why)))
      return fail(kInput, lowering::kScheduleError.str() + why);
  for (const std::string &text : request.inserts) {
    auto [place, pipeline] = StringRef(text).split('=');
    if (!place.consume_front("after:") || pipeline.empty() || !isPhase(place) || place == "import")
      return fail(kInput, fmt::format("--insert: expected after:PHASE=PIPELINE, got '{}'", text));
    OpPassManager parsed("builtin.module");
    std::string why;
    llvm::raw_string_ostream stream(why);
    if (failed(parsePassPipeline(pipeline, parsed, stream)))
      return fail(kInput, fmt::format("--insert: '{}' is no pipeline of passes: {}", pipeline.str(), why));
    options.inserted.emplace_back(place.str(), pipeline.str());
  }
  for (const std::string &name : {request.from, request.to})
    if (!name.empty() && !isPhase(name))
      return fail(kInput, fmt::format("expected a phase (import, raise, simplify, fuse, tile, plan), got '{}'", name));
  importOptions.allowExternalData = request.externalData;
  return kFine;
}
