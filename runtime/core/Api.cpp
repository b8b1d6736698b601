// The C API: handles, null checks, and exceptions turned into statuses. What happens is elsewhere.
#include "core/Error.h"
#include "core/Model.h"
#include "core/Runtime.h"
#include "core/Session.h"
#include "fovea/fovea.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <system_error>

using namespace fovea;

struct fovea_runtime {
  std::shared_ptr<Runtime> shared;
};

struct fovea_model {
  std::shared_ptr<const Model> shared;
};

struct fovea_session {
  Session session;
};

static fovea_status report(fovea_error *error, fovea_status status, const char *message) noexcept {
  if (error) {
    error->status = status;
    std::snprintf(error->message, sizeof(error->message), "%s", message);
  }
  return status;
}

// Runs `body` and turns what it throws into a status. Nothing here allocates.
template <typename Body> static fovea_status guarded(fovea_error *error, Body body) noexcept {
  try {
    body();
    return report(error, FOVEA_OK, "");
  } catch (const Error &failure) {
    return report(error, failure.status, failure.what());
  } catch (const std::bad_alloc &) {
    return report(error, FOVEA_ENVIRONMENT, "out of memory");
  } catch (const std::length_error &) {
    return report(error, FOVEA_ENVIRONMENT, "out of memory");
  } catch (const std::system_error &failure) {
    return report(error, FOVEA_ENVIRONMENT, failure.what());
  } catch (const std::exception &failure) {
    return report(error, FOVEA_INTERNAL, failure.what());
  } catch (...) {
    return report(error, FOVEA_INTERNAL, "unknown exception");
  }
}

template <typename... Pointers> static void notNull(const Pointers *...pointers) {
  if (((pointers == nullptr) || ...))
    fail(FOVEA_INVALID, "expected handles and out-parameters, got null");
}

extern "C" {

const char *fovea_version(void) { return FOVEA_VERSION; }

const char *fovea_dtype_name(fovea_dtype dtype) {
  static constexpr const char *NAMES[] = {"f32", "f64", "f16", "bf16", "i8",  "i16", "i32",
                                          "i64", "u8",  "u16", "u32",  "u64", "bool"};
  const auto index = static_cast<uint32_t>(dtype);
  return index < std::size(NAMES) ? NAMES[index] : "?";
}

size_t fovea_dtype_size(fovea_dtype dtype) {
  static constexpr uint8_t SIZES[] = {4, 8, 2, 2, 1, 2, 4, 8, 1, 2, 4, 8, 1};
  const auto index = static_cast<uint32_t>(dtype);
  return index < std::size(SIZES) ? SIZES[index] : 0;
}

fovea_status fovea_runtime_create(const fovea_runtime_options *options, fovea_runtime **out, fovea_error *error) {
  return guarded(error, [&] {
    notNull(out);
    const fovea_runtime_options chosen = options ? *options : fovea_runtime_options{};
    if (!chosen.allocate != !chosen.release)
      fail(FOVEA_INVALID, "expected allocate and release together, got one of them");
    if (chosen.cpu_count != 0 && !chosen.cpus)
      fail(FOVEA_INVALID, "expected a list of ", chosen.cpu_count, " CPUs, got null");
    *out = new fovea_runtime{std::make_shared<Runtime>(chosen)};
  });
}

fovea_status fovea_devices(fovea_device_info *out, uint32_t capacity, uint32_t *count, fovea_error *error) {
  return guarded(error, [&] {
    notNull(count);
    const std::vector<fovea_device_info> devices = listDevices();
    *count = static_cast<uint32_t>(devices.size());
    if (capacity != 0)
      notNull(out);
    std::copy_n(devices.begin(), std::min<size_t>(capacity, devices.size()), out);
  });
}

void fovea_runtime_destroy(fovea_runtime *runtime) { delete runtime; }

uint32_t fovea_runtime_threads(const fovea_runtime *runtime) { return runtime ? runtime->shared->pool.threads() : 0; }

static void open(const fovea_runtime &runtime, MappedFile file, std::span<const std::byte> content, uint32_t flags,
                 const std::string &name, fovea_model **out) {
  if (flags & ~FOVEA_OPEN_VERIFY_WEIGHTS)
    fail(FOVEA_INVALID, "expected flags among FOVEA_OPEN_*, got ", flags);
  auto model = std::make_shared<const Model>(std::move(file), content, flags & FOVEA_OPEN_VERIFY_WEIGHTS,
                                             runtime.shared->device);
  if (*model->info().cpu)
    runtime.shared->log(FOVEA_LOG_INFO, text(name, ": kernels for ", model->info().cpu, " chosen"));
  for (uint32_t i = 0; i < model->info().entry_count; ++i)
    if (const fovea_entry_info &entry = model->entry(i).info; *entry.variant)
      runtime.shared->log(FOVEA_LOG_INFO,
                          text(name, ": variant ", entry.variant, " of entry ", quoted(entry.name), " chosen"));
  *out = new fovea_model{std::move(model)};
}

fovea_status fovea_model_open(const fovea_runtime *runtime, const char *path, uint32_t flags, fovea_model **out,
                              fovea_error *error) {
  return guarded(error, [&] {
    notNull(runtime, path, out);
    MappedFile file(path);
    const std::span<const std::byte> content(file.data(), file.size());
    try {
      open(*runtime, std::move(file), content, flags, quoted(path), out);
    } catch (const Error &failure) {
      fail(failure.status, quoted(path), ": ", failure.message);
    }
  });
}

fovea_status fovea_model_open_memory(const fovea_runtime *runtime, const void *data, size_t bytes, uint32_t flags,
                                     fovea_model **out, fovea_error *error) {
  return guarded(error, [&] {
    notNull(runtime, data, out);
    if (reinterpret_cast<uintptr_t>(data) % Buffer::ALIGNMENT != 0)
      fail(FOVEA_INVALID, "expected an artifact aligned to ", Buffer::ALIGNMENT, " bytes, got a misaligned address");
    open(*runtime, MappedFile(), {static_cast<const std::byte *>(data), bytes}, flags, "artifact in memory", out);
  });
}

void fovea_model_close(fovea_model *model) { delete model; }

fovea_status fovea_model_describe(const fovea_model *model, fovea_model_info *out, fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, out);
    *out = model->shared->info();
  });
}

fovea_status fovea_model_entry(const fovea_model *model, uint32_t entry, fovea_entry_info *out, fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, out);
    *out = model->shared->entry(entry).info;
  });
}

fovea_status fovea_model_input(const fovea_model *model, uint32_t entry, uint32_t input, fovea_tensor_info *out,
                               fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, out);
    *out = model->shared->input(entry, input);
  });
}

fovea_status fovea_model_output(const fovea_model *model, uint32_t entry, uint32_t output, fovea_tensor_info *out,
                                fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, out);
    *out = model->shared->output(entry, output);
  });
}

fovea_status fovea_model_output_over(const fovea_model *model, uint32_t entry, uint32_t output, uint32_t *out,
                                     fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, out);
    *out = model->shared->inputUnder(entry, output);
  });
}

fovea_status fovea_model_find_entry(const fovea_model *model, const char *name, uint32_t *out, fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, name, out);
    *out = model->shared->findEntry(name);
  });
}

fovea_status fovea_model_find_input(const fovea_model *model, uint32_t entry, const char *name, uint32_t *out,
                                    fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, name, out);
    *out = model->shared->findInput(entry, name);
  });
}

fovea_status fovea_model_find_output(const fovea_model *model, uint32_t entry, const char *name, uint32_t *out,
                                     fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, name, out);
    *out = model->shared->findOutput(entry, name);
  });
}

fovea_status fovea_model_dispatch(const fovea_model *model, uint32_t entry, uint32_t dispatch, fovea_dispatch_info *out,
                                  fovea_error *error) {
  return guarded(error, [&] {
    notNull(model, out);
    *out = model->shared->dispatch(entry, dispatch);
  });
}

const char *fovea_model_kernel_name(const fovea_model *model, uint32_t kernel) {
  return model ? model->shared->kernelName(kernel) : nullptr;
}

fovea_status fovea_session_create(fovea_runtime *runtime, fovea_model *model, const char *entry, fovea_session **out,
                                  fovea_error *error) {
  return guarded(error, [&] {
    notNull(runtime, model, out);
    uint32_t index = 0;
    if (entry)
      index = model->shared->findEntry(entry);
    else if (model->shared->info().entry_count > 1)
      fail(FOVEA_INVALID, "expected the name of an entry, got none: the model has ", model->shared->info().entry_count);
    *out = new fovea_session{Session(runtime->shared, model->shared, index)};
  });
}

void fovea_session_destroy(fovea_session *session) { delete session; }

uint32_t fovea_session_entry(const fovea_session *session) { return session ? session->session.entryIndex() : 0; }

fovea_status fovea_session_bind_input(fovea_session *session, uint32_t input, const fovea_tensor *tensor,
                                      fovea_error *error) {
  return guarded(error, [&] {
    notNull(session, tensor);
    session->session.bindInput(input, *tensor);
  });
}

fovea_status fovea_session_bind_output(fovea_session *session, uint32_t output, void *data, size_t bytes,
                                       fovea_error *error) {
  return guarded(error, [&] {
    notNull(session);
    session->session.bindOutput(output, data, bytes);
  });
}

fovea_status fovea_session_keep_output(fovea_session *session, uint32_t output, int on, fovea_error *error) {
  return guarded(error, [&] {
    notNull(session);
    session->session.keepOutput(output, on != 0);
  });
}

fovea_status fovea_session_prepare(fovea_session *session, fovea_error *error) {
  return guarded(error, [&] {
    notNull(session);
    session->session.prepare();
  });
}

fovea_status fovea_session_run(fovea_session *session, fovea_error *error) {
  return guarded(error, [&] {
    notNull(session);
    session->session.run();
  });
}

fovea_status fovea_session_output(const fovea_session *session, uint32_t output, fovea_tensor *out,
                                  fovea_error *error) {
  return guarded(error, [&] {
    notNull(session, out);
    *out = session->session.output(output);
  });
}

fovea_status fovea_session_read_output(const fovea_session *session, uint32_t output, void *data, size_t bytes,
                                       fovea_error *error) {
  return guarded(error, [&] {
    notNull(session);
    session->session.readOutput(output, data, bytes);
  });
}

fovea_status fovea_session_describe(const fovea_session *session, fovea_session_info *out, fovea_error *error) {
  return guarded(error, [&] {
    notNull(session, out);
    *out = session->session.describe();
  });
}

fovea_status fovea_session_set_profiling(fovea_session *session, int on, fovea_error *error) {
  return guarded(error, [&] {
    notNull(session);
    session->session.setProfiling(on != 0);
  });
}

fovea_status fovea_session_profile(const fovea_session *session, const fovea_dispatch_time **out, size_t *count,
                                   fovea_error *error) {
  return guarded(error, [&] {
    notNull(session, out, count);
    *out = session->session.profile().data();
    *count = session->session.profile().size();
  });
}

} // extern "C"
