// The C API with owners, for tests; a failed call is a failed test unless its status is asked for.
#pragma once

#include "ArtifactBuilder.h"
#include "fovea/fovea.h"

#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace fovea::test {

struct Releaser {
  void operator()(fovea_runtime *runtime) const { fovea_runtime_destroy(runtime); }
  void operator()(fovea_model *model) const { fovea_model_close(model); }
  void operator()(fovea_session *session) const { fovea_session_destroy(session); }
};
using RuntimeHandle = std::unique_ptr<fovea_runtime, Releaser>;
using ModelHandle = std::unique_ptr<fovea_model, Releaser>;
using SessionHandle = std::unique_ptr<fovea_session, Releaser>;

inline RuntimeHandle makeRuntime(uint32_t threads, const char *device = nullptr) {
  fovea_runtime_options options = {};
  options.threads = threads;
  options.device = device;
  fovea_runtime *runtime = nullptr;
  fovea_error error;
  EXPECT_EQ(fovea_runtime_create(&options, &runtime, &error), FOVEA_OK) << error.message;
  return RuntimeHandle(runtime);
}

// A file's bytes at the alignment that artifacts in memory need.
class AlignedFile {
public:
  explicit AlignedFile(const Bytes &content)
      : size(content.size()), memory(static_cast<std::byte *>(std::aligned_alloc(4096, (size + 4096) / 4096 * 4096))) {
    if (size)
      std::memcpy(memory.get(), content.data(), size);
  }
  std::byte *data() const { return memory.get(); }
  const size_t size;

private:
  struct Free {
    void operator()(std::byte *bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> memory;
};

inline fovea_error tryOpen(const RuntimeHandle &runtime, const AlignedFile &file, ModelHandle &model,
                           uint32_t flags = 0) {
  fovea_model *opened = nullptr;
  fovea_error error;
  fovea_model_open_memory(runtime.get(), file.data(), file.size, flags, &opened, &error);
  model.reset(opened);
  return error;
}

inline ModelHandle open(const RuntimeHandle &runtime, const AlignedFile &file) {
  ModelHandle model;
  const fovea_error error = tryOpen(runtime, file, model);
  EXPECT_EQ(error.status, FOVEA_OK) << error.message;
  return model;
}

inline SessionHandle makeSession(const RuntimeHandle &runtime, const ModelHandle &model, const char *entry) {
  fovea_session *session = nullptr;
  fovea_error error;
  EXPECT_EQ(fovea_session_create(runtime.get(), model.get(), entry, &session, &error), FOVEA_OK) << error.message;
  return SessionHandle(session);
}

template <typename T>
fovea_error bind(const SessionHandle &session, uint32_t input, fovea_dtype dtype, std::vector<T> &data,
                 std::vector<int64_t> dims) {
  const fovea_tensor tensor = {data.data(), data.size() * sizeof(T), dtype, static_cast<uint32_t>(dims.size()),
                               dims.data()};
  fovea_error error;
  fovea_session_bind_input(session.get(), input, &tensor, &error);
  return error;
}

inline fovea_error run(const SessionHandle &session) {
  fovea_error error;
  fovea_session_run(session.get(), &error);
  return error;
}

template <typename T> std::vector<T> output(const SessionHandle &session, uint32_t index = 0) {
  fovea_tensor tensor = {};
  fovea_error error;
  EXPECT_EQ(fovea_session_output(session.get(), index, &tensor, &error), FOVEA_OK) << error.message;
  const T *data = static_cast<const T *>(tensor.data);
  const size_t count = tensor.bytes / sizeof(T);
  return data ? std::vector<T>(data, data + count) : std::vector<T>();
}

#define EXPECT_FAILS(error, expectedStatus, text)                                                                      \
  do {                                                                                                                 \
    const fovea_error seen = (error);                                                                                  \
    EXPECT_EQ(seen.status, expectedStatus);                                                                            \
    EXPECT_NE(std::string(seen.message).find(text), std::string::npos) << seen.message;                                \
  } while (false)
#define EXPECT_WORKS(error)                                                                                            \
  do {                                                                                                                 \
    const fovea_error seen = (error);                                                                                  \
    EXPECT_EQ(seen.status, FOVEA_OK) << seen.message;                                                                  \
  } while (false)

} // namespace fovea::test
