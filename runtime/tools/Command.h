// What Fovea's runtime tools have in common as programs: conventions of the command line, exit codes, owning handles.
#pragma once

#include "fovea/fovea.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace fovea::tools {

// Ends the program with the status as its exit code.
class Failure : public std::runtime_error {
public:
  Failure(fovea_status status, const std::string &message) : std::runtime_error(message), status(status) {}
  fovea_status status;
};

// Parses the arguments, then runs `body`, whose result is the exit code. Messages go to stderr as "NAME: error: ...".
// Wrong usage is exit code 1.
int runCommand(CLI::App &app, int argc, char **argv, const std::function<int()> &body);

// Name, --version and the examples below --help.
void describeCommand(CLI::App &app, const std::string &examples);

void warn(const CLI::App &app, const std::string &message);

// Calls a function of the C API with an error of its own, and fails if that does.
template <typename Function, typename... Args> void call(Function function, Args... args) {
  fovea_error error;
  if (function(args..., &error) != FOVEA_OK)
    throw Failure(error.status, error.message);
}

struct Releaser {
  void operator()(fovea_runtime *runtime) const { fovea_runtime_destroy(runtime); }
  void operator()(fovea_model *model) const { fovea_model_close(model); }
  void operator()(fovea_session *session) const { fovea_session_destroy(session); }
};
using RuntimeHandle = std::unique_ptr<fovea_runtime, Releaser>;
using ModelHandle = std::unique_ptr<fovea_model, Releaser>;
using SessionHandle = std::unique_ptr<fovea_session, Releaser>;

RuntimeHandle createRuntime(uint32_t threads, const std::string &device = "cpu", const std::string &pipelineCache = "");
ModelHandle openModel(const RuntimeHandle &runtime, const std::string &path);
SessionHandle createSession(const RuntimeHandle &runtime, const ModelHandle &model, const std::string &entry);

} // namespace fovea::tools
