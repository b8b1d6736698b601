#include "tools/Profile.h"
#include "tools/Command.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>
#include <vector>

using namespace fovea;
using namespace fovea::tools;

namespace {
struct Sum {
  std::string node, kernel;
  uint64_t launches = 0, nanoseconds = 0;
  double flops = 0, bytes = 0;
};
} // namespace

nlohmann::json tools::profileJson(const fovea_session *session, const fovea_model *model) {
  const uint32_t entry = fovea_session_entry(session);
  fovea_entry_info info;
  call(fovea_model_entry, model, entry, &info);
  const fovea_dispatch_time *times;
  size_t count;
  call(fovea_session_profile, session, &times, &count);

  std::map<std::pair<uint32_t, uint32_t>, Sum> sums;
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    Sum &sum = sums[{times[i].dispatch, times[i].kernel}];
    fovea_dispatch_info dispatch = {};
    if (times[i].dispatch != UINT32_MAX)
      call(fovea_model_dispatch, model, entry, times[i].dispatch, &dispatch);
    sum.node = dispatch.node ? dispatch.node : "";
    sum.kernel = fovea_model_kernel_name(model, times[i].kernel);
    sum.launches += 1;
    sum.nanoseconds += times[i].nanoseconds;
    sum.flops += static_cast<double>(dispatch.flops);
    sum.bytes += static_cast<double>(dispatch.bytes);
    total += times[i].nanoseconds;
  }
  std::vector<Sum> sorted;
  for (auto &[key, sum] : sums)
    sorted.push_back(std::move(sum));
  std::sort(sorted.begin(), sorted.end(), [](const Sum &a, const Sum &b) { return a.nanoseconds > b.nanoseconds; });

  nlohmann::json dispatches = nlohmann::json::array();
  for (const Sum &sum : sorted) {
    const double nanoseconds = static_cast<double>(sum.nanoseconds);
    nlohmann::json line = {{"node", sum.node},
                           {"kernel", sum.kernel},
                           {"launches", sum.launches},
                           {"seconds", nanoseconds * 1e-9},
                           {"share", total ? nanoseconds / static_cast<double>(total) : 0},
                           {"flops", sum.flops},
                           {"bytes", sum.bytes}};
    if (sum.flops > 0 && sum.nanoseconds)
      line["gflops"] = sum.flops / nanoseconds;
    if (sum.bytes > 0 && sum.nanoseconds)
      line["gbytes_per_s"] = sum.bytes / nanoseconds;
    dispatches.push_back(std::move(line));
  }
  nlohmann::json profile = {
      {"entry", info.name}, {"total_s", static_cast<double>(total) * 1e-9}, {"dispatches", std::move(dispatches)}};
  if (*info.variant)
    profile["variant"] = info.variant;
  return profile;
}

std::string tools::profileTable(const nlohmann::json &profile) {
  auto rate = [](const nlohmann::json &line, const char *key) {
    return line.contains(key) ? fmt::format("{:.1f}", line[key].get<double>()) : std::string("-");
  };
  size_t nodeWidth = 4, kernelWidth = 6;
  for (const nlohmann::json &line : profile["dispatches"]) {
    nodeWidth = std::max(nodeWidth, line["node"].get<std::string>().size());
    kernelWidth = std::max(kernelWidth, line["kernel"].get<std::string>().size());
  }
  std::string table = fmt::format("{:<{}}  {:<{}}  {:>8}  {:>10}  {:>6}  {:>8}  {:>8}\n", "node", nodeWidth, "kernel",
                                  kernelWidth, "launches", "us", "share", "GF/s", "GB/s");
  for (const nlohmann::json &line : profile["dispatches"])
    table += fmt::format("{:<{}}  {:<{}}  {:>8}  {:>10.1f}  {:>5.1f}%  {:>8}  {:>8}\n", line["node"].get<std::string>(),
                         nodeWidth, line["kernel"].get<std::string>(), kernelWidth, line["launches"].get<uint64_t>(),
                         line["seconds"].get<double>() * 1e6, line["share"].get<double>() * 100, rate(line, "gflops"),
                         rate(line, "gbytes_per_s"));
  return table + fmt::format("total {:.1f} us{}\n", profile["total_s"].get<double>() * 1e6,
                             profile.contains("variant") ? ", variant " + profile["variant"].get<std::string>() : "");
}

double tools::profiledFlops(const nlohmann::json &profile) {
  double flops = 0;
  for (const nlohmann::json &line : profile["dispatches"])
    flops += line["flops"].get<double>();
  return flops;
}
