// What sessions share: threads, memory, the log.
#pragma once

#include "core/Allocator.h"
#include "cpu/ThreadPool.h"
#include "fovea/fovea.h"

#include <string>

namespace fovea {

class Runtime {
public:
  explicit Runtime(const fovea_runtime_options &options)
      : allocator(options), pool(options.threads, {options.cpus, options.cpu_count}, allocator), logHook(options.log),
        logUser(options.log_user) {}

  void log(fovea_log_level level, const std::string &message) const {
    if (logHook)
      logHook(logUser, level, message.c_str());
  }

  const Allocator allocator;
  cpu::ThreadPool pool;

private:
  void (*const logHook)(void *, fovea_log_level, const char *);
  void *const logUser;
};

} // namespace fovea
