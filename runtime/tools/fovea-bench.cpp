// Measures how long a run of a compiled model takes: warm-up, then runs for a while, then median, minimum and 90th
// percentile.
#include "tools/Command.h"
#include "tools/Inputs.h"
#include "tools/OutputFile.h"
#include "tools/Profile.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

using namespace fovea;
using namespace fovea::tools;

namespace {
struct Options {
  std::string model, entry, device = "cpu", json;
  uint32_t threads = 0;
  double seconds = 3, warmupSeconds = 0.5;
  bool keep = false;
  InputOptions inputs;
};

class Stopwatch {
public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }

private:
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};
} // namespace

static constexpr const char *EXAMPLES = R"(  fovea-bench model.fovea --random 1 --dim batch=8 --threads 1
  fovea-bench model.fovea --inputs inputs.npz --seconds 10 --json -
)";

static void addOptions(CLI::App &app, Options &options) {
  app.add_option("model", options.model, "The artifact that fovea-compile made")->type_name("MODEL.fovea")->required();
  app.add_option("--entry", options.entry, "The entry point (default: all)")->type_name("NAME");
  app.add_option("--device", options.device, "cpu (default) or vulkan[:INDEX]")->type_name("DEVICE");
  app.add_option("--threads", options.threads, "Threads to use (default: one for each CPU)")->type_name("N");
  options.inputs.addTo(app);
  app.add_option("--seconds", options.seconds, "How long to measure each entry point (default 3)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--warmup-seconds", options.warmupSeconds, "How long to run before (default 0.5)")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--keep", options.keep,
               "Keep outputs that may be written over inputs in the session, as a decode loop keeps its caches");
  app.add_option("--json", options.json, "Write the numbers as JSON to a file, or to standard output")
      ->type_name("FILE|-");
}

// Outputs that may be written over an input; one for each.
static void keepOutputs(fovea_session *session, const fovea_model *model) {
  const uint32_t index = fovea_session_entry(session);
  fovea_entry_info entry;
  call(fovea_model_entry, model, index, &entry);
  std::set<uint32_t> replaced;
  for (uint32_t i = 0; i < entry.output_count; ++i) {
    uint32_t over = UINT32_MAX;
    call(fovea_model_output_over, model, index, i, &over);
    if (over != UINT32_MAX && replaced.insert(over).second)
      call(fovea_session_keep_output, session, i, 1);
  }
  if (replaced.empty())
    throw Failure(FOVEA_INVALID,
                  fmt::format("--keep: entry '{}' has no output that may be written over an input", entry.name));
}

// Floating point operations of a run, which also is the first of the warm-up.
static double countFlops(fovea_session *session, const fovea_model *model) {
  call(fovea_session_set_profiling, session, 1);
  call(fovea_session_run, session);
  call(fovea_session_set_profiling, session, 0);
  return profiledFlops(profileJson(session, model));
}

static double quantile(const std::vector<double> &sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

static nlohmann::json measure(const CLI::App &app, const Options &options, const RuntimeHandle &runtime,
                              const ModelHandle &model, const std::string &entry, double loadSeconds) {
  const SessionHandle session = createSession(runtime, model, entry);
  Inputs inputs(app, options.inputs);
  inputs.bind(session.get(), model.get());
  if (options.keep)
    keepOutputs(session.get(), model.get());
  const double flops = countFlops(session.get(), model.get());
  for (const Stopwatch warmup; warmup.seconds() < options.warmupSeconds;)
    call(fovea_session_run, session.get());
  std::vector<double> times;
  const Stopwatch total;
  do {
    const Stopwatch one;
    call(fovea_session_run, session.get());
    times.push_back(one.seconds());
  } while (total.seconds() < options.seconds);
  std::sort(times.begin(), times.end());
  fovea_session_info info;
  call(fovea_session_describe, session.get(), &info);
  return {{"name", entry},
          {"runs", times.size()},
          {"median_s", quantile(times, 0.5)},
          {"min_s", times.front()},
          {"p90_s", quantile(times, 0.9)},
          {"load_s", loadSeconds},
          {"arena_bytes", info.arena_bytes},
          {"weight_bytes", info.weight_bytes},
          {"flops", flops}};
}

static void print(const nlohmann::json &entry) {
  const double median = entry["median_s"], flops = entry["flops"];
  fmt::print("{}: median {:.3f} ms, min {:.3f} ms, p90 {:.3f} ms of {} runs{}; load {:.2f} ms, arena {} bytes, weights "
             "{} bytes\n",
             entry["name"].get<std::string>(), median * 1e3, entry["min_s"].get<double>() * 1e3,
             entry["p90_s"].get<double>() * 1e3, entry["runs"].get<size_t>(),
             flops > 0 ? fmt::format(", {:.1f} GF/s", flops / median * 1e-9) : "", entry["load_s"].get<double>() * 1e3,
             entry["arena_bytes"].get<uint64_t>(), entry["weight_bytes"].get<uint64_t>());
}

static int run(const CLI::App &app, const Options &options) {
  const RuntimeHandle runtime = createRuntime(options.threads, options.device);
  const Stopwatch loading;
  const ModelHandle model = openModel(runtime, options.model);
  const double loadSeconds = loading.seconds();
  fovea_model_info info;
  call(fovea_model_describe, model.get(), &info);

  nlohmann::json entries = nlohmann::json::array();
  for (uint32_t i = 0; i < info.entry_count; ++i) {
    fovea_entry_info entry;
    call(fovea_model_entry, model.get(), i, &entry);
    if (options.entry.empty() || options.entry == entry.name)
      entries.push_back(measure(app, options, runtime, model, entry.name, loadSeconds));
  }
  uint32_t index;
  if (entries.empty())
    call(fovea_model_find_entry, model.get(), options.entry.c_str(), &index);

  if (options.json != "-")
    for (const nlohmann::json &entry : entries)
      print(entry);
  if (options.json.empty())
    return FOVEA_OK;
  const nlohmann::json result = {{"model", options.model},
                                 {"device", options.device},
                                 {"threads", fovea_runtime_threads(runtime.get())},
                                 {"entries", entries}};
  const std::string text = result.dump(2) + "\n";
  if (options.json == "-") {
    fmt::print("{}", text);
    return FOVEA_OK;
  }
  writeFile(options.json, text);
  return FOVEA_OK;
}

int main(int argc, char **argv) {
  CLI::App app("Measures how long a run of a compiled model takes.", "fovea-bench");
  Options options;
  describeCommand(app, EXAMPLES);
  addOptions(app, options);
  return runCommand(app, argc, argv, [&] { return run(app, options); });
}
