// What sessions share: threads, memory, the log.
#pragma once

#include "core/Allocator.h"
#include "cpu/ThreadPool.h"
#include "fovea/fovea.h"
#include "vulkan/Device.h"

#include <string>

namespace fovea {

// Null for the CPU. Fails for a device that there is not or that cannot be used.
std::shared_ptr<vulkan::Device> openDevice(const char *name, const char *pipelineCache, const vulkan::Log &log);
std::vector<fovea_device_info> listDevices();

class Runtime {
public:
  explicit Runtime(const fovea_runtime_options &options)
      : allocator(options), pool(options.threads, {options.cpus, options.cpu_count}, allocator),
        device(openDevice(options.device, options.pipeline_cache,
                          [hook = options.log, user = options.log_user](const std::string &message) {
                            if (hook)
                              hook(user, FOVEA_LOG_WARNING, message.c_str());
                          })),
        logHook(options.log), logUser(options.log_user) {}

  void log(fovea_log_level level, const std::string &message) const {
    if (logHook)
      logHook(logUser, level, message.c_str());
  }

  const Allocator allocator;
  cpu::ThreadPool pool;
  // Null: the CPU.
  const std::shared_ptr<vulkan::Device> device;

private:
  void (*const logHook)(void *, fovea_log_level, const char *);
  void *const logUser;
};

} // namespace fovea
