// Memory that is refused: at each allocation in turn, through the caller's hook and through operator new. Each attempt
// must end in FOVEA_ENVIRONMENT or work, and give everything back.
#include "Harness.h"
#include "TestModels.h"

#include <atomic>
#include <cstdlib>
#include <new>

using namespace fovea;

// Allocations of this thread until one fails; negative: none does.
static thread_local int newsLeft = -1;
static thread_local bool newFailed = false;

static void *allocate(size_t bytes, size_t alignment) {
  if (newsLeft == 0) {
    newFailed = true;
    throw std::bad_alloc();
  }
  newsLeft -= newsLeft > 0;
  void *memory = nullptr;
  if (posix_memalign(&memory, std::max(alignment, sizeof(void *)), bytes + (bytes == 0)) != 0)
    throw std::bad_alloc();
  return memory;
}

void *operator new(size_t bytes) { return allocate(bytes, 16); }
void *operator new(size_t bytes, std::align_val_t alignment) { return allocate(bytes, static_cast<size_t>(alignment)); }
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }
void operator delete(void *memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void *memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {
struct Hook {
  int left = -1;
  bool failed = false;
  std::atomic<int64_t> held = 0;
};
} // namespace

static void *hookAllocate(void *user, size_t bytes, size_t alignment) {
  Hook &hook = *static_cast<Hook *>(user);
  if (hook.left == 0) {
    hook.failed = true;
    return nullptr;
  }
  hook.left -= hook.left > 0;
  hook.held += static_cast<int64_t>(bytes);
  return std::aligned_alloc(alignment, bytes);
}

static void hookRelease(void *user, void *memory, size_t bytes, size_t) {
  static_cast<Hook *>(user)->held -= static_cast<int64_t>(bytes);
  std::free(memory);
}

// Everything from creation to output; returns the first failure. `x` and `y` are ready beforehand.
static fovea_error attempt(Hook &hook, const test::AlignedFile &file, std::vector<float> &x,
                           std::vector<int64_t> &index) {
  fovea_runtime_options options = {};
  options.threads = 3;
  options.allocate = hookAllocate;
  options.release = hookRelease;
  options.allocator_user = &hook;
  fovea_runtime *runtime = nullptr;
  fovea_model *model = nullptr;
  fovea_session *main = nullptr, *gather = nullptr;
  fovea_error error;
  const int64_t dims[] = {static_cast<int64_t>(x.size())};
  const fovea_tensor in = {x.data(), x.size() * sizeof(float), FOVEA_F32, 1, dims};
  const fovea_tensor at = {index.data(), index.size() * sizeof(int64_t), FOVEA_I64, 1, dims};
  // The last run fails with a fault, whose message needs memory too.
  if (fovea_runtime_create(&options, &runtime, &error) == FOVEA_OK &&
      fovea_model_open_memory(runtime, file.data(), file.size, 0, &model, &error) == FOVEA_OK &&
      fovea_session_create(runtime, model, "main", &main, &error) == FOVEA_OK &&
      fovea_session_bind_input(main, 0, &in, &error) == FOVEA_OK &&
      fovea_session_set_profiling(main, 1, &error) == FOVEA_OK && fovea_session_run(main, &error) == FOVEA_OK &&
      fovea_session_create(runtime, model, "gather", &gather, &error) == FOVEA_OK &&
      fovea_session_bind_input(gather, 0, &in, &error) == FOVEA_OK &&
      fovea_session_bind_input(gather, 1, &at, &error) == FOVEA_OK)
    fovea_session_run(gather, &error);
  fovea_session_destroy(main);
  fovea_session_destroy(gather);
  fovea_model_close(model);
  fovea_runtime_destroy(runtime);
  return error;
}

namespace {
struct Allocation : ::testing::Test {
  test::AlignedFile file{test::casesModel().build()};
  std::vector<float> x = std::vector<float>(1000, 1);
  std::vector<int64_t> index = std::vector<int64_t>(1000, 1000);
};
} // namespace

TEST_F(Allocation, HookFailsAtEachCall) {
  int failures = 0;
  for (bool failed = true; failed; ++failures) {
    Hook hook;
    hook.left = failures;
    const fovea_error error = attempt(hook, file, x, index);
    failed = hook.failed;
    EXPECT_EQ(error.status, failed ? FOVEA_ENVIRONMENT : FOVEA_INVALID) << error.message;
    EXPECT_EQ(hook.held, 0);
  }
  // Workspaces of three threads, the second session's, arena, outputs.
  EXPECT_GT(failures, 6);
}

TEST_F(Allocation, NewFailsAtEachCall) {
  int failures = 0;
  for (bool failed = true; failed; ++failures) {
    Hook hook;
    newFailed = false;
    newsLeft = failures;
    const fovea_error error = attempt(hook, file, x, index);
    newsLeft = -1;
    failed = newFailed;
    EXPECT_EQ(error.status, failed ? FOVEA_ENVIRONMENT : FOVEA_INVALID) << failures << ": " << error.message;
    EXPECT_EQ(hook.held, 0);
  }
  EXPECT_GT(failures, 20);
}

TEST_F(Allocation, RefusesMisalignedMemory) {
  fovea_runtime_options options = {};
  options.allocate = [](void *, size_t bytes, size_t alignment) -> void * {
    return static_cast<char *>(std::aligned_alloc(alignment, bytes + alignment)) + 8;
  };
  options.release = [](void *, void *memory, size_t, size_t) { std::free(static_cast<char *>(memory) - 8); };
  options.threads = 1;
  fovea_runtime *runtime = nullptr;
  fovea_session *session = nullptr;
  fovea_error error;
  ASSERT_EQ(fovea_runtime_create(&options, &runtime, &error), FOVEA_OK) << error.message;
  const test::RuntimeHandle owner(runtime);
  const test::ModelHandle model = test::open(owner, file);
  fovea_session_create(runtime, model.get(), "main", &session, &error);
  EXPECT_FAILS(error, FOVEA_ENVIRONMENT, "cannot allocate workspaces of 64 bytes for 1 threads");
}
