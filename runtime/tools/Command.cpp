#include "tools/Command.h"
#include "tools/npy.h"

#include <csignal>
#include <fmt/format.h>
#include <new>

using namespace fovea;
using namespace fovea::tools;

static int report(const CLI::App &app, int status, const std::string &message) {
  fmt::print(stderr, "{}: error: {}\n", app.get_name(), message);
  return status;
}

int tools::runCommand(CLI::App &app, int argc, char **argv, const std::function<int()> &body) {
  std::signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is an error of writing
  try {
    app.parse(argc, argv);
    const int status = body();
    // A full disk or a closed pipe shows only here.
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
      return report(app, FOVEA_ENVIRONMENT, "cannot write to standard output");
    return status;
  } catch (const CLI::ParseError &error) {
    // CLI11 has exit codes of its own for each kind of mistake.
    return app.exit(error) == 0 ? FOVEA_OK : FOVEA_INVALID;
  } catch (const Failure &failure) {
    return report(app, failure.status, failure.what());
  } catch (const npy::Error &error) {
    return report(app, error.status, error.what());
  } catch (const std::bad_alloc &) {
    return report(app, FOVEA_ENVIRONMENT, "out of memory");
  } catch (const std::exception &error) {
    return report(app, FOVEA_INTERNAL, error.what());
  }
}

void tools::describeCommand(CLI::App &app, const std::string &examples) {
  app.set_version_flag("--version", fmt::format("{} {}", app.get_name(), fovea_version()));
  app.footer("Examples:\n" + examples +
             "\nExit codes: 0 fine, 1 wrong input or usage, 2 not supported, 3 a fault of Fovea, 4 the environment");
}

void tools::warn(const CLI::App &app, const std::string &message) {
  fmt::print(stderr, "{}: note: {}\n", app.get_name(), message);
}

RuntimeHandle tools::createRuntime(uint32_t threads, const std::string &device, const std::string &pipelineCache) {
  fovea_runtime_options options = {};
  options.threads = threads;
  options.device = device.c_str();
  options.pipeline_cache = pipelineCache.empty() ? nullptr : pipelineCache.c_str();
  options.log = [](void *, fovea_log_level level, const char *message) {
    if (level == FOVEA_LOG_WARNING)
      std::fprintf(stderr, "warning: %s\n", message);
  };
  fovea_runtime *runtime = nullptr;
  call(fovea_runtime_create, &options, &runtime);
  return RuntimeHandle(runtime);
}

ModelHandle tools::openModel(const RuntimeHandle &runtime, const std::string &path) {
  fovea_model *model = nullptr;
  call(fovea_model_open, runtime.get(), path.c_str(), 0u, &model);
  return ModelHandle(model);
}

SessionHandle tools::createSession(const RuntimeHandle &runtime, const ModelHandle &model, const std::string &entry) {
  fovea_session *session = nullptr;
  call(fovea_session_create, runtime.get(), model.get(), entry.empty() ? nullptr : entry.c_str(), &session);
  return SessionHandle(session);
}
