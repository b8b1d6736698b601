// Models on a Vulkan device, under the layer that makes calls fail and counts objects. Needs a driver; lavapipe will
// do.
#include "Harness.h"
#include "TestModels.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace fovea;
using namespace fovea::test;

namespace {
struct Vulkan : ::testing::Test {
  AlignedFile file{vulkanModel().build()};
  std::string folder = std::filesystem::temp_directory_path() / ("fovea-vulkan-" + std::to_string(getpid()));
  std::string reportFile = folder + "/report";

  void SetUp() override {
    std::filesystem::create_directories(folder);
    setenv("VK_LAYER_PATH", LAYER_FOLDER, 1);
    setenv("VK_INSTANCE_LAYERS", "VK_LAYER_FOVEA_test", 1);
    setenv("FOVEA_LAYER_REPORT", reportFile.c_str(), 1);
    set(0, 0);
  }
  void TearDown() override {
    std::filesystem::remove_all(folder);
    for (const char *name : {"VK_INSTANCE_LAYERS", "FOVEA_LAYER_MINIMUM", "FOVEA_LAYER_HIDE", "FOVEA_LAYER_FAIL_AT",
                             "FOVEA_LAYER_TYPE", "FOVEA_LAYER_LIMIT"})
      unsetenv(name);
  }

  // Of the next instance: which call fails, and how.
  static void set(long failAt, int result) {
    setenv("FOVEA_LAYER_FAIL_AT", std::to_string(failAt).c_str(), 1);
    setenv("FOVEA_LAYER_FAIL_WITH", std::to_string(result).c_str(), 1);
  }

  // What the layer has seen since the last report; all objects have to be gone.
  struct Report {
    long calls = -1, recordings = -1, leaks = -1;
  };
  Report report() const {
    Report seen;
    std::ifstream in(reportFile);
    std::string line, last;
    while (std::getline(in, line))
      last = line;
    std::sscanf(last.c_str(), "calls=%ld recordings=%ld leaks=%ld", &seen.calls, &seen.recordings, &seen.leaks);
    EXPECT_EQ(seen.leaks, 0) << last;
    in.close();
    std::filesystem::remove(reportFile);
    return seen;
  }
};
} // namespace

static fovea_error runOnce(const SessionHandle &session, size_t count) {
  std::vector<float> x(count), expected(count);
  for (size_t i = 0; i < count; ++i) {
    x[i] = static_cast<float>(i % 11) - 5;
    expected[i] = std::max(A * x[i] + B, 0.f);
  }
  EXPECT_WORKS(bind(session, 0, FOVEA_F32, x, {static_cast<int64_t>(count)}));
  const fovea_error error = run(session);
  if (error.status == FOVEA_OK) {
    EXPECT_EQ(output<float>(session), expected);
  }
  return error;
}

// A runtime of one thread and the model on it, or why there is none.
static fovea_error start(const AlignedFile &file, const char *device, RuntimeHandle &handle, ModelHandle &model) {
  fovea_runtime_options options = {};
  options.threads = 1;
  options.device = device;
  fovea_runtime *runtime = nullptr;
  fovea_error error;
  if (fovea_runtime_create(&options, &runtime, &error) != FOVEA_OK)
    return error;
  handle.reset(runtime);
  return tryOpen(handle, file, model);
}

// From nothing to the outputs, profiled as well; the first error.
static fovea_error runAll(const AlignedFile &file, const char *device) {
  RuntimeHandle handle;
  ModelHandle model;
  fovea_error error = start(file, device, handle, model);
  if (error.status != FOVEA_OK)
    return error;
  const SessionHandle session = makeSession(handle, model, nullptr);
  if ((error = runOnce(session, 100)).status != FOVEA_OK)
    return error;
  EXPECT_EQ(fovea_session_set_profiling(session.get(), 1, nullptr), FOVEA_OK);
  return runOnce(session, 1000);
}

TEST_F(Vulkan, RunsManyShapes) {
  {
    const RuntimeHandle runtime = makeRuntime(1, "vulkan");
    const ModelHandle model = open(runtime, file);
    const SessionHandle session = makeSession(runtime, model, "main");
    for (size_t n : {3, 0, 1, 1000, 63, 64, 65, 100000, 0, 99999, 2})
      EXPECT_WORKS(runOnce(session, n));
  }
  report();
}

TEST_F(Vulkan, EveryCallMayFail) {
  EXPECT_WORKS(runAll(file, "vulkan"));
  const long calls = report().calls;
  EXPECT_GT(calls, 30);
  for (const auto &[result, text] : {std::pair(-2, "out of device memory"), {-4, "the device is lost"}})
    for (long at = 1; at <= calls; ++at) {
      SCOPED_TRACE(at);
      set(at, result);
      EXPECT_FAILS(runAll(file, "vulkan"), FOVEA_ENVIRONMENT, text);
      EXPECT_GE(report().calls, at);
      if (at % 8 != 0)
        continue;
      // The process goes on, on the CPU and on the device.
      EXPECT_WORKS(runAll(file, "cpu"));
      set(0, 0);
      EXPECT_WORKS(runAll(file, "vulkan"));
      report();
    }
}

TEST_F(Vulkan, ASessionGoesOnWhenMemoryIsThereAgain) {
  set(0, 0);
  EXPECT_WORKS(runAll(file, "vulkan"));
  const long calls = report().calls;
  bool wentOn = false;
  for (long at = 1; at <= calls; ++at) {
    SCOPED_TRACE(at);
    set(at, -2);
    {
      RuntimeHandle handle;
      ModelHandle model;
      if (start(file, "vulkan", handle, model).status != FOVEA_OK)
        continue;
      const SessionHandle session = makeSession(handle, model, nullptr);
      if (runOnce(session, 100).status == FOVEA_OK)
        break;
      wentOn = true;
      EXPECT_WORKS(runOnce(session, 100));
      EXPECT_WORKS(runOnce(session, 1000));
    }
    report();
  }
  EXPECT_TRUE(wentOn);
}

// Three runs that go on from each other, and what the last one left; the first error. After it, from the beginning.
static fovea_error runKept(const AlignedFile &file) {
  RuntimeHandle handle;
  ModelHandle model;
  fovea_error error = start(file, "vulkan", handle, model);
  if (error.status != FOVEA_OK)
    return error;
  const SessionHandle session = makeSession(handle, model, nullptr);
  EXPECT_EQ(fovea_session_keep_output(session.get(), 0, 1, &error), FOVEA_OK) << error.message;
  const auto attempt = [&] {
    std::vector<float> x(100), expected(100), got(100);
    for (size_t i = 0; i < 100; ++i)
      expected[i] = x[i] = static_cast<float>(i % 11) - 5;
    EXPECT_WORKS(bind(session, 0, FOVEA_F32, x, {100}));
    for (int step = 0; step < 3; ++step) {
      for (float &value : expected)
        value = std::max(A * value + B, 0.f);
      if (const fovea_error failed = run(session); failed.status != FOVEA_OK)
        return failed;
      std::fill(x.begin(), x.end(), NAN);
    }
    fovea_session_read_output(session.get(), 0, got.data(), 400, &error);
    if (error.status == FOVEA_OK) {
      EXPECT_EQ(got, expected);
    }
    return error;
  };
  const fovea_error first = attempt();
  if (first.status != FOVEA_OK && !std::strstr(first.message, "lost"))
    EXPECT_WORKS(attempt());
  return first;
}

TEST_F(Vulkan, WhatIsKeptIsNotLeakedAndBeginsAnewAfterAFailure) {
  Artifact model = vulkanModel();
  model.manifest.entries.back()->outputs[0]->over = 0;
  const AlignedFile kept{model.build()};
  EXPECT_WORKS(runKept(kept));
  const long calls = report().calls;
  for (const auto &[result, text] : {std::pair(-2, "out of device memory"), {-4, "the device is lost"}})
    for (long at = 1; at <= calls; ++at) {
      SCOPED_TRACE(at);
      set(at, result);
      EXPECT_FAILS(runKept(kept), FOVEA_ENVIRONMENT, text);
      report();
    }
}

TEST_F(Vulkan, RecordsEachShapeOnce) {
  {
    const RuntimeHandle runtime = makeRuntime(1, "vulkan");
    const ModelHandle model = open(runtime, file);
    const SessionHandle session = makeSession(runtime, model, "main");
    EXPECT_WORKS(runOnce(session, 2000)); // memory for all of them
    for (int round = 0; round < 5; ++round)
      for (size_t n : {1, 1000, 10, 500})
        EXPECT_WORKS(runOnce(session, n));
  }
  EXPECT_EQ(report().recordings, 5);
  {
    const RuntimeHandle runtime = makeRuntime(1, "vulkan");
    const ModelHandle model = open(runtime, file);
    const SessionHandle session = makeSession(runtime, model, "main");
    for (int round = 0; round < 2; ++round)
      for (size_t n = 20; n > 0; --n)
        EXPECT_WORKS(runOnce(session, n));
  }
  EXPECT_EQ(report().recordings, 40); // 20 shapes are more than a session keeps
}

TEST_F(Vulkan, MinimumProfile) {
  setenv("FOVEA_LAYER_MINIMUM", "1", 1);
  setenv("FOVEA_LAYER_HIDE", "int64,float64", 1);
  EXPECT_WORKS(runAll(file, "vulkan"));
  setenv("FOVEA_LAYER_HIDE", "timeline", 1);
  EXPECT_FAILS(runAll(file, "vulkan"), FOVEA_ENVIRONMENT, "it has no timeline semaphores");
}

TEST_F(Vulkan, WhatTheDeviceLacksIsSaid) {
  setenv("FOVEA_LAYER_MINIMUM", "1", 1);
  setenv("FOVEA_LAYER_HIDE", "int64,float64", 1);
  const auto refused = [&](const char *text, const std::function<void(artifact::ShaderT &)> &change) {
    Artifact model = vulkanModel();
    change(*model.manifest.shaders[0]);
    EXPECT_FAILS(runAll(AlignedFile(model.build()), "vulkan"), FOVEA_UNSUPPORTED, text);
    report();
  };
  refused("kernel 'scale' needs 64-bit integers (shaderInt64)", [](auto &shader) { shader.int64 = true; });
  refused("kernel 'scale' needs f64 (shaderFloat64)", [](auto &shader) { shader.float64 = true; });
  refused("workgroups of 256 invocations", [](auto &shader) { shader.group_size = 256; });
  refused("9 storage buffers", [](auto &shader) { shader.bindings.assign(9, 0); });
}

// Beyond a limit there is one message with both numbers, and the device goes on living.
TEST_F(Vulkan, LimitsAreSaid) {
  const std::vector<std::pair<const char *, std::string>> limits = {
      {"maxMemoryAllocationSize=65536", "has 65536 at most (maxMemoryAllocationSize)"},
      {"maxBufferSize=65536", "has 65536 at most (maxBufferSize)"},
      {"maxStorageBufferRange=65536", "a tensor of 80000 bytes, and"},
      {"maxStorageBufferRange=65536", "binds 65536 at most (maxStorageBufferRange)"},
      {"maxComputeWorkGroupCount=2", "313 workgroups, and"},
      {"maxComputeWorkGroupCount=2", "runs 4 at most (maxComputeWorkGroupCount)"}};
  for (const auto &[limit, text] : limits) {
    SCOPED_TRACE(limit);
    setenv("FOVEA_LAYER_LIMIT", limit, 1);
    {
      const RuntimeHandle runtime = makeRuntime(1, "vulkan");
      const ModelHandle model = open(runtime, file);
      const SessionHandle session = makeSession(runtime, model, "main");
      EXPECT_WORKS(runOnce(session, 100));
      EXPECT_FAILS(runOnce(session, 20000), FOVEA_UNSUPPORTED, text.c_str());
      EXPECT_WORKS(runOnce(session, 100));
    }
    report();
  }
  setenv("FOVEA_LAYER_LIMIT", "maxComputeWorkGroupInvocations=128", 1);
  Artifact model = vulkanModel();
  model.manifest.shaders[0]->group_size = 256;
  EXPECT_FAILS(runAll(AlignedFile(model.build()), "vulkan"), FOVEA_UNSUPPORTED,
               "workgroups of 256 invocations (maxComputeWorkGroupInvocations is 128)");
  setenv("FOVEA_LAYER_LIMIT", "maxComputeSharedMemorySize=16384", 1);
  model.manifest.shaders[0]->group_size = 64;
  model.manifest.shaders[0]->shared_bytes = 20000;
  EXPECT_FAILS(runAll(AlignedFile(model.build()), "vulkan"), FOVEA_UNSUPPORTED,
               "20000 bytes of shared memory (maxComputeSharedMemorySize is 16384)");
}

// The weights do not fit: there is no model then, but the device can hold others.
TEST_F(Vulkan, WeightsBeyondALimit) {
  setenv("FOVEA_LAYER_LIMIT", "maxMemoryAllocationSize=300", 1);
  const RuntimeHandle runtime = makeRuntime(1, "vulkan");
  ModelHandle model;
  const fovea_error error = tryOpen(runtime, file, model);
  EXPECT_FAILS(error, FOVEA_UNSUPPORTED, "device memory of 512 bytes, and");
  EXPECT_FAILS(error, FOVEA_UNSUPPORTED, "has 300 at most (maxMemoryAllocationSize)");
}

// The variant that was chosen, and whether it runs; "" and the error if there is none.
static std::string variantOf(const AlignedFile &file, fovea_error &error) {
  const RuntimeHandle runtime = makeRuntime(1, "vulkan");
  ModelHandle model;
  if ((error = tryOpen(runtime, file, model)).status != FOVEA_OK)
    return "";
  fovea_entry_info entry;
  EXPECT_EQ(fovea_model_entry(model.get(), 0, &entry, nullptr), FOVEA_OK);
  const SessionHandle session = makeSession(runtime, model, "main");
  EXPECT_EQ(fovea_session_set_profiling(session.get(), 1, nullptr), FOVEA_OK);
  EXPECT_WORKS(error = runOnce(session, 1000));
  const fovea_dispatch_time *times = nullptr;
  size_t count = 0;
  EXPECT_EQ(fovea_session_profile(session.get(), &times, &count, nullptr), FOVEA_OK);
  // Each variant of the model has two shaders of its own.
  EXPECT_EQ(count, 2u);
  for (size_t i = 0; i < count; ++i)
    EXPECT_EQ(times[i].kernel, (std::string(entry.variant) == "cpu" ? 0 : 2) + i);
  return entry.variant;
}

TEST_F(Vulkan, ChoosesTheVariantByTheDevice) {
  const auto chosen = [](const std::function<void(artifact::VariantT &)> &change) {
    Artifact model = variantsModel();
    change(*model.manifest.variants[0]);
    fovea_error error;
    return variantOf(AlignedFile(model.build()), error);
  };
  using artifact::VariantT;
  EXPECT_EQ(chosen([](VariantT &) {}), "cpu");
  setenv("FOVEA_LAYER_TYPE", "2", 1);
  EXPECT_EQ(chosen([](VariantT &) {}), "portable");
  EXPECT_EQ(chosen([](VariantT &v) { v.device_types.push_back(artifact::DeviceType::discrete_gpu); }), "cpu");
  setenv("FOVEA_LAYER_TYPE", "4", 1);
  EXPECT_EQ(chosen([](VariantT &v) { v.features = {"timelineSemaphore"}; }), "cpu");
  EXPECT_EQ(chosen([](VariantT &v) { v.features = {"timelineSemaphore", "no-such-feature"}; }), "portable");
  EXPECT_EQ(chosen([](VariantT &v) { v.features = {"shaderInt64"}; }), "cpu");
  EXPECT_EQ(chosen([](VariantT &v) { v.minor_version = 99; }), "portable");
  EXPECT_EQ(chosen([](VariantT &v) { v.subgroup_size = 128; }), "portable");
  EXPECT_EQ(chosen([](VariantT &v) { v.invocations = 256; }), "cpu");
  EXPECT_EQ(chosen([](VariantT &v) { v.shared_bytes = 1u << 30; }), "portable");
  EXPECT_EQ(chosen([](VariantT &v) {
              artifact::CooperativeMatrixT &matrix =
                  *v.cooperative.emplace_back(std::make_unique<artifact::CooperativeMatrixT>());
              matrix.m = matrix.n = matrix.k = 77;
            }),
            "portable");
  setenv("FOVEA_LAYER_HIDE", "int64", 1);
  EXPECT_EQ(chosen([](VariantT &v) { v.features = {"shaderInt64"}; }), "portable");
  setenv("FOVEA_LAYER_MINIMUM", "1", 1);
  EXPECT_EQ(chosen([](VariantT &v) { v.invocations = 256; }), "portable");
  report();
}

TEST_F(Vulkan, SaysWhyNoVariantRuns) {
  setenv("FOVEA_LAYER_TYPE", "2", 1);
  Artifact model = variantsModel();
  model.manifest.variants[1]->features = {"no-such-feature", "nor-this"};
  model.manifest.variants[1]->subgroup_size = 128;
  fovea_error error;
  EXPECT_EQ(variantOf(AlignedFile(model.build()), error), "");
  EXPECT_FAILS(error, FOVEA_UNSUPPORTED,
               "variant 'cpu' needs a device of type cpu (it is discrete gpu); 'portable' needs "
               "no-such-feature, nor-this, subgroups of 128 (it has ");
}

TEST_F(Vulkan, DevicesHaveNames) {
  uint32_t count = 0;
  fovea_error error;
  ASSERT_EQ(fovea_devices(nullptr, 0, &count, &error), FOVEA_OK) << error.message;
  ASSERT_GE(count, 2u);
  std::vector<fovea_device_info> devices(count);
  ASSERT_EQ(fovea_devices(devices.data(), 1, &count, &error), FOVEA_OK) << error.message;
  EXPECT_STREQ(devices[0].name, "cpu");
  EXPECT_STREQ(devices[1].name, "");
  ASSERT_EQ(fovea_devices(devices.data(), count, &count, &error), FOVEA_OK) << error.message;
  EXPECT_STREQ(devices[1].name, "vulkan:0");
  EXPECT_EQ(fovea_devices(nullptr, 1, &count, &error), FOVEA_INVALID);
  EXPECT_WORKS(runAll(file, "vulkan:0"));
  EXPECT_WORKS(runAll(file, "cpu"));
  for (const char *unknown : {"", "tpu", "vulkan:", "vulkan:x", "vulkan:0x", "vulkan:-1", "Vulkan", "cpu:0"})
    EXPECT_FAILS(runAll(file, unknown), FOVEA_INVALID, "expected a device (cpu, vulkan or vulkan:N)");
  EXPECT_FAILS(runAll(file, "vulkan:99"), FOVEA_ENVIRONMENT, "expected a device below");
}

TEST_F(Vulkan, ModelsOfOneTargetOnly) {
  Artifact onlyCpu = affineModel();
  EXPECT_FAILS(runAll(AlignedFile(onlyCpu.build()), "vulkan"), FOVEA_UNSUPPORTED, "was not compiled for Vulkan");
}

TEST_F(Vulkan, DamagedShadersAreRefused) {
  const RuntimeHandle runtime = makeRuntime(1, "vulkan");
  Artifact model = vulkanModel();
  const Bytes whole = model.build();
  const artifact::SectionT &shaders = *model.manifest.sections[2];
  ASSERT_EQ(shaders.kind, artifact::SectionKind::shaders);
  for (size_t at = 0; at < shaders.size; at += 13) {
    Bytes damaged = whole;
    damaged[shaders.offset + at] ^= std::byte{0x10};
    ModelHandle opened;
    EXPECT_EQ(tryOpen(runtime, AlignedFile(damaged), opened).status, FOVEA_INVALID) << at;
  }
}

namespace {
struct Cached : Vulkan {
  std::string cache = folder + "/pipelines", warnings;

  fovea_error runCached() {
    warnings.clear();
    fovea_runtime_options options = {};
    options.threads = 1, options.device = "vulkan", options.pipeline_cache = cache.c_str();
    options.log_user = this;
    options.log = [](void *user, fovea_log_level level, const char *message) {
      if (level == FOVEA_LOG_WARNING)
        static_cast<Cached *>(user)->warnings += std::string(message) + "\n";
    };
    fovea_runtime *runtime = nullptr;
    fovea_error error;
    if (fovea_runtime_create(&options, &runtime, &error) != FOVEA_OK)
      return error;
    const RuntimeHandle handle(runtime);
    const ModelHandle model = open(handle, file);
    return runOnce(makeSession(handle, model, nullptr), 10);
  }
};
} // namespace

TEST_F(Cached, IsWrittenAndReadAgain) {
  EXPECT_WORKS(runCached());
  EXPECT_EQ(warnings, "");
  EXPECT_GT(readFile(cache).size(), size_t(24));
  // Taken as it is; what drivers put into it the second time is theirs.
  for (int again = 0; again < 2; ++again) {
    EXPECT_WORKS(runCached());
    EXPECT_EQ(warnings, "");
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2); // and the layer's report
}

TEST_F(Cached, BrokenFilesAreIgnored) {
  EXPECT_WORKS(runCached());
  const Bytes good = readFile(cache);
  for (size_t at : {size_t(0), size_t(10), size_t(20), good.size() - 1}) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    writeFile(cache, bad);
    EXPECT_WORKS(runCached());
    EXPECT_NE(warnings.find("is ignored"), std::string::npos) << at;
    EXPECT_EQ(readFile(cache), good); // made anew
    writeFile(cache, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at)));
    EXPECT_WORKS(runCached());
    EXPECT_NE(warnings.find("is ignored"), std::string::npos) << at;
  }
}

TEST_F(Cached, PlacesThatCannotBeWrittenAreSaid) {
  cache = folder + "/none/pipelines";
  EXPECT_WORKS(runCached());
  EXPECT_NE(warnings.find("is not written: No such file"), std::string::npos) << warnings;
}
