// Where fovea-run and fovea-bench take a session's inputs from: npy and npz files, random numbers.
#pragma once

#include "tools/Command.h"
#include "tools/npy.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fovea::tools {

struct InputOptions {
  std::vector<std::string> files;
  std::string archive;
  std::optional<uint64_t> seed;
  std::vector<std::string> dims;

  void addTo(CLI::App &app);
};

// Splits "NAME=VALUE" at its first '='; fails naming the option.
std::pair<std::string, std::string> splitAssignment(const std::string &option, const std::string &text);

// Inputs by name, kept in memory as long as a session reads them.
class Inputs {
public:
  // Reads the files.
  Inputs(const CLI::App &app, const InputOptions &options);

  // Binds every input of the session. Fails for a name that is no input, and for an input that is missing and may not
  // be random.
  void bind(fovea_session *session, const fovea_model *model);

  // Binds each output that may be written over an input to the memory of that input; says so.
  void bindOutputsOver(fovea_session *session, const fovea_model *model);

private:
  void add(std::string name, npy::Array array, const std::string &origin);
  npy::Array random(const fovea_tensor_info &info);
  int64_t dimOf(const fovea_dim &dim);

  const CLI::App &app;
  std::optional<uint64_t> seed;
  std::map<std::string, npy::Array> arrays;
  // Values of symbolic dims: given, or known from inputs of files.
  std::map<std::string, int64_t> dims;
};

} // namespace fovea::tools
