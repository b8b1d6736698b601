// Runs an entry point of a compiled model once: inputs from files, outputs to files, a comparison, a profile.
#include "tools/Command.h"
#include "tools/Comparison.h"
#include "tools/Elements.h"
#include "tools/Inputs.h"
#include "tools/OutputFile.h"
#include "tools/Outputs.h"
#include "tools/Profile.h"
#include "tools/npy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <thread>

using namespace fovea;
using namespace fovea::tools;

namespace {
struct Options {
  std::string model, entry, device = "cpu", pipelineCache, outputArchive, expected, profile;
  uint32_t threads = 0;
  bool listDevices = false, inPlace = false;
  InputOptions inputs;
  std::vector<std::string> outputFiles;
  Tolerance tolerance;
};
} // namespace

static constexpr const char *EXAMPLES = R"(  fovea-run model.fovea --inputs inputs.npz --outputs outputs.npz
  fovea-run model.fovea --input x=x.npy --output y=y.npy --threads 4
  fovea-run model.fovea --random 1 --dim batch=8 --profile
  fovea-run model.fovea --inputs inputs.npz --expect expected.npz --rtol 1e-3
)";

static void addOptions(CLI::App &app, Options &options) {
  app.add_option("model", options.model, "The artifact that fovea-compile made")->type_name("MODEL.fovea");
  app.add_option("--entry", options.entry, "The entry point, where there are several")->type_name("NAME");
  app.add_option("--device", options.device, "cpu (default) or vulkan[:INDEX]")->type_name("DEVICE");
  app.add_option("--pipeline-cache", options.pipelineCache,
                 "Keep the pipelines of a Vulkan device in this file from one run to the next")
      ->type_name("FILE");
  app.add_option("--threads", options.threads, "Threads to use (default: one for each CPU)")->type_name("N");
  app.add_flag("--list-devices", options.listDevices, "Print the devices of this machine and end");
  options.inputs.addTo(app);
  app.add_option("--outputs", options.outputArchive, "Write all outputs to an npz file")->type_name("FILE.npz");
  app.add_option("--output", options.outputFiles, "Write an output to an npy file; may be given several times")
      ->type_name("NAME=FILE.npy");
  app.add_option("--expect", options.expected, "Compare outputs with these; exit code 1 if they differ")
      ->type_name("FILE.npz");
  app.add_option("--rtol", options.tolerance.relative, "Tolerance of floats, relative (default 1e-3)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--atol", options.tolerance.absolute, "Tolerance of floats, absolute (default 1e-4)")
      ->check(CLI::NonNegativeNumber);
  auto *profile = app.add_flag("--profile{-}", options.profile,
                               "Time each kernel in a second run; a table, or JSON with =FILE.json");
  app.add_flag("--in-place", options.inPlace, "Write outputs over the inputs that they may be written over")
      ->excludes(profile);
}

static void printSummary(const std::string &name, const npy::View &view) {
  constexpr size_t SHOWN = 6;
  const size_t count = elementCount(view.dims);
  double sum = 0;
  for (size_t i = 0; i < count; ++i)
    sum += element(view.dtype, view.data, i);
  std::string first;
  for (size_t i = 0; i < std::min(count, SHOWN); ++i)
    first += " " + elementText(view.dtype, view.data, i);
  fmt::print("{} {} mean {:.6g} first{}{}\n", name, shapeText(view.dtype, view.dims),
             count ? sum / static_cast<double>(count) : NAN, first, count > SHOWN ? " ..." : "");
}

static void writeOutputs(const Options &options, const npy::Views &outputs) {
  for (const std::string &text : options.outputFiles) {
    const auto [name, file] = splitAssignment("--output", text);
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&, &name = name](const auto &output) { return output.first == name; });
    npy::write(file, found->second);
  }
  if (!options.outputArchive.empty())
    npy::writeZip(options.outputArchive, outputs);
  if (options.outputFiles.empty() && options.outputArchive.empty())
    for (const auto &[name, view] : outputs)
      printSummary(name, view);
}

// Before the run, which may take long.
static void checkOutputNames(const Options &options, const fovea_session *session, const fovea_model *model) {
  for (const std::string &text : options.outputFiles) {
    uint32_t index;
    call(fovea_model_find_output, model, fovea_session_entry(session), splitAssignment("--output", text).first.c_str(),
         &index);
  }
}

static void profile(const Options &options, fovea_session *session, const fovea_model *model) {
  call(fovea_session_set_profiling, session, 1);
  call(fovea_session_run, session);
  const nlohmann::json result = profileJson(session, model);
  if (options.profile == "-") {
    fmt::print("{}", profileTable(result));
    return;
  }
  writeFile(options.profile, result.dump(2) + "\n");
}

static void listDevices() {
  uint32_t count = 0;
  call(fovea_devices, nullptr, 0u, &count);
  std::vector<fovea_device_info> devices(count);
  call(fovea_devices, devices.data(), count, &count);
  for (const fovea_device_info &device : devices) {
    const std::string threads = std::string_view(device.name) == "cpu"
                                    ? fmt::format("; {} threads", fovea_runtime_threads(createRuntime(0).get()))
                                    : "";
    fmt::print("{:<10}{}{}{}{}\n", device.name, device.description, threads,
               *device.unusable ? *device.description ? "; cannot be used: " : "cannot be used: " : "",
               device.unusable);
  }
}

static int run(const CLI::App &app, const Options &options) {
  if (options.listDevices) {
    listDevices();
    return FOVEA_OK;
  }
  if (options.model.empty())
    throw Failure(FOVEA_INVALID, "expected MODEL.fovea; see --help");
  const RuntimeHandle runtime = createRuntime(options.threads, options.device, options.pipelineCache);
  const ModelHandle model = openModel(runtime, options.model);
  const SessionHandle session = createSession(runtime, model, options.entry);
  checkOutputNames(options, session.get(), model.get());
  Inputs inputs(app, options.inputs);
  inputs.bind(session.get(), model.get());
  if (options.inPlace)
    inputs.bindOutputsOver(session.get(), model.get());
  const npy::Arrays expected = options.expected.empty() ? npy::Arrays() : npy::readZip(options.expected);

  call(fovea_session_run, session.get());
  if (!options.profile.empty())
    profile(options, session.get(), model.get());
  const npy::Views outputs = outputsOf(session.get(), model.get());
  writeOutputs(options, outputs);
  if (options.expected.empty())
    return FOVEA_OK;
  const ComparisonResult result = compare(outputs, expected, options.tolerance);
  fmt::print("{}", result.report);
  for (const std::string &name : result.unchecked)
    warn(app, fmt::format("output '{}' is unchecked: '{}' has no such array", name, options.expected));
  return result.agrees ? FOVEA_OK : FOVEA_INVALID;
}

int main(int argc, char **argv) {
  CLI::App app("Runs a compiled model once.", "fovea-run");
  Options options;
  describeCommand(app, EXAMPLES);
  addOptions(app, options);
  return runCommand(app, argc, argv, [&] { return run(app, options); });
}
