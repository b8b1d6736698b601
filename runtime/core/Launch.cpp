// The half of a session that compiled code calls: launches, faults, messages.
#include "core/Error.h"
#include "core/Session.h"

#include <chrono>
#include <new>

using namespace fovea;

std::string Session::faultText(int64_t fault) const {
  const int64_t number = fault & ((int64_t(1) << FOVEA_FAULT_KIND_SHIFT) - 1), kind = fault >> FOVEA_FAULT_KIND_SHIFT;
  const char *what = kind == FOVEA_FAULT_COST    ? "a cost is NaN or infinitely good"
                     : kind == FOVEA_FAULT_LOOPS ? "the device's driver ends loops that take so long"
                                                 : "an index is outside its table";
  const auto *nodes = entry.manifest->fault_nodes();
  if (number < 1 || !nodes || static_cast<uint64_t>(number) > nodes->size())
    return text(what, ", in node number ", number);
  return text(what, ", in node ", quoted(nodes->Get(static_cast<uint32_t>(number - 1))->string_view()));
}

// Host programs launch mostly in the order of the manifest; a branch skips some, a loop goes back.
uint32_t Session::dispatchOf(uint32_t kernel) {
  const uint32_t count = static_cast<uint32_t>(entry.dispatches.size());
  for (uint32_t step = 0; step < count; ++step) {
    const uint32_t candidate = (nextDispatch + step) % count;
    if (entry.dispatches[candidate].kernel == kernel) {
      nextDispatch = candidate + 1;
      return candidate;
    }
  }
  return UINT32_MAX;
}

int32_t Session::launch(uint32_t kernel, void *const *buffers, const int64_t *scalars, int64_t tasks, int64_t grain,
                        int64_t workspaceBytes) {
  if (deviceRun) {
    deviceRun->launch(dispatchOf(kernel), kernel, buffers, scalars, tasks, workspaceBytes);
    return FOVEA_OK;
  }
  if (kernel >= model->kernels().size() || tasks < 0 || workspaceBytes < 0)
    return giveUp(FOVEA_INTERNAL, text("launch of kernel ", kernel, " of ", model->kernels().size(), " with ", tasks,
                                       " tasks and a workspace of ", workspaceBytes, " bytes"));
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = profiling ? Clock::now() : Clock::time_point();
  int64_t found = 0;
  if (tasks > 0) {
    const cpu::Launch work = {model->kernels()[kernel],           buffers, scalars, tasks, grain,
                              static_cast<size_t>(workspaceBytes)};
    if (!runtime->pool.run(work, workspace, found))
      return giveUp(FOVEA_ENVIRONMENT, text("cannot allocate workspaces of ", workspaceBytes, " bytes for kernel ",
                                            quoted(model->kernelName(kernel))));
  }
  if (profiling) {
    const auto spent = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start);
    times.push_back({dispatchOf(kernel), kernel, tasks, static_cast<uint64_t>(spent.count())});
  }
  return found == 0 ? int32_t(FOVEA_OK) : giveUp(FOVEA_INVALID, faultText(found));
}

int32_t Session::giveUp(int32_t status, std::string message) {
  failure = std::move(message);
  return status;
}

int32_t Session::launchHook(fovea_host *host, uint32_t kernel, void *const *buffers, const int64_t *scalars,
                            int64_t tasks, int64_t grain, int64_t workspaceBytes) noexcept {
  try {
    return static_cast<Host *>(host)->session->launch(kernel, buffers, scalars, tasks, grain, workspaceBytes);
  } catch (const Error &error) {
    return static_cast<Host *>(host)->session->giveUp(error.status, error.message);
  } catch (const std::bad_alloc &) {
    return FOVEA_ENVIRONMENT;
  }
}

int32_t Session::failHook(fovea_host *host, int32_t status, const char *message) noexcept {
  try {
    return static_cast<Host *>(host)->session->giveUp(status, message ? message : "");
  } catch (const std::bad_alloc &) {
    return status;
  }
}
