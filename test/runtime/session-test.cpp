// Binding, preparing and running, through the C API.
#include "Harness.h"
#include "TestModels.h"

#include <cmath>
#include <numeric>

using namespace fovea;
using namespace fovea::test;

namespace {
struct Session : ::testing::TestWithParam<uint32_t> {
  RuntimeHandle runtime = makeRuntime(GetParam());
  AlignedFile file{casesModel().build()};
  ModelHandle model = open(runtime, file);

  SessionHandle session(const char *entry) { return makeSession(runtime, model, entry); }
};
} // namespace

INSTANTIATE_TEST_SUITE_P(Threads, Session, ::testing::Values(1, 2, 3));

static std::vector<float> ramp(size_t count) {
  std::vector<float> x(count);
  for (size_t i = 0; i < count; ++i)
    x[i] = static_cast<float>(i % 11) - 5;
  return x;
}

static std::vector<float> expectedAffine(const std::vector<float> &x) {
  std::vector<float> y;
  for (float value : x)
    y.push_back(std::max(A * value + B, 0.f));
  return y;
}

TEST_P(Session, RunsManyShapes) {
  const SessionHandle main = session("main");
  for (size_t n : {3, 0, 1, 1000, 7, 100000, 0, 99999, 2}) {
    std::vector<float> x = ramp(n);
    EXPECT_WORKS(bind(main, 0, FOVEA_F32, x, {static_cast<int64_t>(n)}));
    EXPECT_WORKS(run(main));
    EXPECT_EQ(output<float>(main), expectedAffine(x));
    // Again without a new shape.
    EXPECT_WORKS(run(main));
    EXPECT_EQ(output<float>(main), expectedAffine(x));
  }
}

TEST_P(Session, ReadsNewDataOfTheSameShape) {
  const SessionHandle main = session("main");
  std::vector<float> x = ramp(100), other(100, 3);
  EXPECT_WORKS(bind(main, 0, FOVEA_F32, x, {100}));
  EXPECT_WORKS(run(main));
  EXPECT_WORKS(bind(main, 0, FOVEA_F32, other, {100}));
  EXPECT_WORKS(run(main));
  EXPECT_EQ(output<float>(main), std::vector<float>(100, 7));
}

TEST_P(Session, WritesCallersMemory) {
  const SessionHandle main = session("main");
  std::vector<float> x = ramp(50), y(50, -1), small(49);
  EXPECT_WORKS(bind(main, 0, FOVEA_F32, x, {50}));
  fovea_error error;
  fovea_tensor shape;
  ASSERT_EQ(fovea_session_prepare(main.get(), &error), FOVEA_OK) << error.message;
  ASSERT_EQ(fovea_session_output(main.get(), 0, &shape, &error), FOVEA_OK) << error.message;
  EXPECT_EQ(shape.bytes, 200u);
  EXPECT_EQ(shape.data, nullptr);
  ASSERT_EQ(fovea_session_bind_output(main.get(), 0, y.data(), 200, &error), FOVEA_OK) << error.message;
  EXPECT_WORKS(run(main));
  EXPECT_EQ(y, expectedAffine(x));
  ASSERT_EQ(fovea_session_bind_output(main.get(), 0, small.data(), 196, &error), FOVEA_OK) << error.message;
  EXPECT_FAILS(run(main), FOVEA_INVALID, "expected 200 bytes for f32[50], got memory of 196");
  ASSERT_EQ(fovea_session_bind_output(main.get(), 0, nullptr, 0, &error), FOVEA_OK) << error.message;
  EXPECT_WORKS(run(main));
  EXPECT_EQ(output<float>(main), expectedAffine(x));
}

TEST_P(Session, KeepsAnOutputFromRunToRun) {
  const SessionHandle main = session("main"), add = session("add");
  fovea_error error;
  EXPECT_EQ(fovea_session_keep_output(main.get(), 0, 1, &error), FOVEA_INVALID);
  EXPECT_TRUE(std::strstr(error.message, "replaces no input")) << error.message;
  EXPECT_EQ(fovea_session_keep_output(add.get(), 1, 1, &error), FOVEA_INVALID);
  ASSERT_EQ(fovea_session_keep_output(add.get(), 0, 1, &error), FOVEA_OK) << error.message;
  std::vector<int32_t> p = {1, 2, 3, 4}, q = {10, 20, 30, 40}, got(4);
  EXPECT_FAILS(run(add), FOVEA_INVALID, "is missing");
  EXPECT_WORKS(bind(add, 0, FOVEA_I32, p, {2, 2}));
  EXPECT_WORKS(bind(add, 1, FOVEA_I32, q, {2, 2}));
  const auto read = [&](size_t bytes) {
    fovea_session_read_output(add.get(), 0, got.data(), bytes, &error);
    return error;
  };
  EXPECT_FAILS(read(16), FOVEA_INVALID, "has not been computed yet");
  for (int i = 0; i < 3; ++i) {
    EXPECT_WORKS(run(add));
    std::fill(p.begin(), p.end(), -1);
  }
  EXPECT_FAILS(read(15), FOVEA_INVALID, "expected 16 bytes");
  EXPECT_WORKS(read(16));
  EXPECT_EQ(got, (std::vector<int32_t>{31, 62, 93, 124}));
  EXPECT_EQ(output<int32_t>(add), got);
  // Binding begins anew, with another shape, too.
  std::vector<int32_t> more = {1, 2, 3, 4, 5, 6}, other = {1, 1, 1, 1, 1, 1};
  EXPECT_WORKS(bind(add, 0, FOVEA_I32, more, {3, 2}));
  EXPECT_WORKS(bind(add, 1, FOVEA_I32, other, {3, 2}));
  EXPECT_WORKS(run(add));
  EXPECT_WORKS(run(add));
  EXPECT_EQ(output<int32_t>(add), (std::vector<int32_t>{3, 4, 5, 6, 7, 8}));
  ASSERT_EQ(fovea_session_keep_output(add.get(), 0, 0, &error), FOVEA_OK) << error.message;
  EXPECT_FAILS(run(add), FOVEA_INVALID, "is missing");
  EXPECT_WORKS(bind(add, 0, FOVEA_I32, more, {3, 2}));
  EXPECT_WORKS(run(add));
  EXPECT_WORKS(run(add));
  EXPECT_EQ(output<int32_t>(add), (std::vector<int32_t>{2, 3, 4, 5, 6, 7}));
}

TEST_P(Session, WritesOverTheInputThatTheArtifactNames) {
  const SessionHandle main = session("main"), add = session("add");
  const uint32_t entry = fovea_session_entry(add.get());
  fovea_error error;
  uint32_t under = 7;
  ASSERT_EQ(fovea_model_output_over(model.get(), entry, 0, &under, &error), FOVEA_OK) << error.message;
  EXPECT_EQ(under, 0u);
  ASSERT_EQ(fovea_model_output_over(model.get(), fovea_session_entry(main.get()), 0, &under, &error), FOVEA_OK);
  EXPECT_EQ(under, UINT32_MAX);
  EXPECT_EQ(fovea_model_output_over(model.get(), entry, 1, &under, &error), FOVEA_INVALID);

  std::vector<int32_t> p = {1, 2, 3, 4, 9, 9}, q = {10, 20, 30, 40, 9, 9};
  EXPECT_WORKS(bind(add, 0, FOVEA_I32, p, {2, 2}));
  EXPECT_WORKS(bind(add, 1, FOVEA_I32, q, {2, 2}));
  const auto runInto = [&](int32_t *memory) {
    EXPECT_EQ(fovea_session_bind_output(add.get(), 0, memory, 16, &error), FOVEA_OK) << error.message;
    return run(add);
  };
  EXPECT_FAILS(runInto(q.data()), FOVEA_INVALID,
               "output 's' of entry 'add': expected memory of its own, got some of input 'q' of entry 'add'");
  EXPECT_FAILS(runInto(p.data() + 2), FOVEA_INVALID,
               "got some of input 'p' of entry 'add', of which it may have exactly all");
  EXPECT_EQ(p, (std::vector<int32_t>{1, 2, 3, 4, 9, 9}));
  EXPECT_WORKS(runInto(p.data()));
  EXPECT_WORKS(run(add));
  EXPECT_EQ(p, (std::vector<int32_t>{21, 42, 63, 84, 9, 9}));
  EXPECT_WORKS(runInto(p.data() + 0));
  EXPECT_WORKS(bind(add, 1, FOVEA_I32, p, {2, 2}));
  EXPECT_FAILS(run(add), FOVEA_INVALID, "got some of input 'q' of entry 'add'");
}

TEST_P(Session, RefusesInputsThatDoNotFit) {
  const SessionHandle main = session("main"), add = session("add");
  std::vector<float> x(4);
  EXPECT_FAILS(run(main), FOVEA_INVALID, "input 'x' of entry 'main' is missing");
  EXPECT_FAILS(bind(main, 1, FOVEA_F32, x, {4}), FOVEA_INVALID, "expected an input number below 1, got 1");
  EXPECT_FAILS(bind(main, 0, FOVEA_F64, x, {2}), FOVEA_INVALID, "expected f32[n=0..100000], got f64[2]");
  EXPECT_FAILS(bind(main, 0, FOVEA_F32, x, {2, 2}), FOVEA_INVALID, "got f32[2,2]");
  EXPECT_FAILS(bind(main, 0, FOVEA_F32, x, {100001}), FOVEA_INVALID, "got f32[100001]");
  EXPECT_FAILS(bind(main, 0, FOVEA_F32, x, {-1}), FOVEA_INVALID, "got f32[-1]");
  EXPECT_FAILS(bind(main, 0, FOVEA_F32, x, {5}), FOVEA_INVALID, "expected 20 bytes for f32[5], got 16");
  EXPECT_FAILS(bind(main, 0, static_cast<fovea_dtype>(77), x, {4}), FOVEA_INVALID, "got ?[4]");
  fovea_error error;
  const int64_t dims[] = {1};
  fovea_tensor tensor = {reinterpret_cast<char *>(x.data()) + 1, 8, FOVEA_F32, 1, dims};
  fovea_session_bind_input(main.get(), 0, &tensor, &error);
  EXPECT_FAILS(error, FOVEA_INVALID, "misaligned");
  tensor.data = nullptr;
  fovea_session_bind_input(main.get(), 0, &tensor, &error);
  EXPECT_FAILS(error, FOVEA_INVALID, "got null");
  tensor.dims = nullptr;
  fovea_session_bind_input(main.get(), 0, &tensor, &error);
  EXPECT_FAILS(error, FOVEA_INVALID, "expected dims, got null");

  std::vector<int32_t> p(8, 1), q(8, 2);
  EXPECT_FAILS(bind(add, 0, FOVEA_I32, p, {2, 3}), FOVEA_INVALID, "expected i32[n=1..8,2], got i32[2,3]");
  EXPECT_FAILS(bind(add, 0, FOVEA_I32, p, {9, 2}), FOVEA_INVALID, "got i32[9,2]");
  EXPECT_WORKS(bind(add, 0, FOVEA_I32, p, {4, 2}));
  EXPECT_WORKS(bind(add, 1, FOVEA_I32, q, {3, 2}));
  EXPECT_FAILS(run(add), FOVEA_INVALID, "input 'q' of entry 'add': expected dim 'n' of 4 as in input 'p', got 3");
  EXPECT_WORKS(bind(add, 1, FOVEA_I32, q, {4, 2}));
  EXPECT_WORKS(run(add));
  EXPECT_EQ(output<int32_t>(add), std::vector<int32_t>(8, 3));
}

TEST_P(Session, NamesTheNodeOfAFault) {
  const SessionHandle gather = session("gather");
  std::vector<float> table = {10, 20, 30};
  std::vector<int64_t> index(1000, 2);
  index[777] = 3;
  EXPECT_WORKS(bind(gather, 0, FOVEA_F32, table, {3}));
  EXPECT_WORKS(bind(gather, 1, FOVEA_I64, index, {1000}));
  EXPECT_FAILS(run(gather), FOVEA_INVALID, "an index is outside its table, in node 'lookup'");
  index[777] = 0;
  EXPECT_WORKS(run(gather));
  EXPECT_EQ(output<float>(gather)[777], 10);
  EXPECT_EQ(output<float>(gather)[776], 30);
}

TEST_P(Session, FollowsShapesThatDependOnData) {
  const SessionHandle range = session("range");
  std::vector<int64_t> size = {5};
  EXPECT_WORKS(bind(range, 0, FOVEA_I64, size, {1}));
  for (int64_t k : {5, 900, 0, 17}) {
    size[0] = k;
    EXPECT_WORKS(run(range));
    std::vector<float> expected(static_cast<size_t>(k));
    std::iota(expected.begin(), expected.end(), 0.f);
    EXPECT_EQ(output<float>(range), expected);
  }
  size[0] = -3;
  EXPECT_FAILS(run(range), FOVEA_UNSUPPORTED, "entry 'range': node 'range': expected a size of 0 or more");
  size[0] = 100001;
  EXPECT_FAILS(run(range), FOVEA_INTERNAL, "expected f32[k=0..100000], got f32[100001] from the compiled code");
}

TEST_P(Session, ShortensOutputsWhoseSizeRunFinds) {
  const SessionHandle positions = session("positions");
  std::vector<float> x = {0, 1, 0, 1, 1};
  EXPECT_WORKS(bind(positions, 0, FOVEA_F32, x, {5}));
  EXPECT_WORKS(run(positions));
  EXPECT_EQ(output<int64_t>(positions), (std::vector<int64_t>{1, 3, 4}));
  x = {1, 1, 1, 1, 1};
  EXPECT_WORKS(run(positions));
  EXPECT_EQ(output<int64_t>(positions), (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST_P(Session, ReportsCodeThatContradictsItself) {
  const SessionHandle broken = session("broken");
  std::vector<float> x(4);
  EXPECT_WORKS(bind(broken, 0, FOVEA_F32, x, {4}));
  EXPECT_FAILS(run(broken), FOVEA_INTERNAL, "launch of kernel 99 of 4");
}

TEST_P(Session, ProfilesLaunches) {
  const SessionHandle main = session("main");
  std::vector<float> x = ramp(1000);
  fovea_error error;
  const fovea_dispatch_time *times;
  size_t count;
  EXPECT_WORKS(bind(main, 0, FOVEA_F32, x, {1000}));
  fovea_session_set_profiling(main.get(), 1, &error);
  EXPECT_WORKS(run(main));
  ASSERT_EQ(fovea_session_profile(main.get(), &times, &count, &error), FOVEA_OK);
  ASSERT_EQ(count, 2u);
  EXPECT_EQ(times[1].dispatch, 1u);
  EXPECT_EQ(times[1].kernel, 1u);
  EXPECT_EQ(times[1].tasks, 1000);
  fovea_dispatch_info info;
  ASSERT_EQ(fovea_model_dispatch(model.get(), 0, times[1].dispatch, &info, &error), FOVEA_OK);
  EXPECT_STREQ(info.node, "relu");
  EXPECT_STREQ(info.kernel_name, fovea_model_kernel_name(model.get(), 1));
  fovea_session_info session;
  ASSERT_EQ(fovea_session_describe(main.get(), &session, &error), FOVEA_OK);
  EXPECT_EQ(session.arena_bytes, 4000u);
  EXPECT_EQ(session.slot_count, 2u);
  EXPECT_EQ(session.slots[1], 1000);
  fovea_session_set_profiling(main.get(), 0, &error);
  EXPECT_WORKS(run(main));
  ASSERT_EQ(fovea_session_profile(main.get(), &times, &count, &error), FOVEA_OK);
  EXPECT_EQ(count, 0u);
}

TEST_P(Session, OutlivesItsModelAndRuntime) {
  const SessionHandle main = session("main");
  model.reset();
  runtime.reset();
  std::vector<float> x = ramp(500);
  EXPECT_WORKS(bind(main, 0, FOVEA_F32, x, {500}));
  EXPECT_WORKS(run(main));
  EXPECT_EQ(output<float>(main), expectedAffine(x));
}

TEST_P(Session, RestoresTheCallersFloatingPointMode) {
#if defined(__x86_64__)
  const SessionHandle main = session("main");
  std::vector<float> x = ramp(500);
  EXPECT_WORKS(bind(main, 0, FOVEA_F32, x, {500}));
  const unsigned before = __builtin_ia32_stmxcsr(), flushing = before | 0x8040;
  __builtin_ia32_ldmxcsr(flushing);
  EXPECT_WORKS(run(main));
  EXPECT_EQ(__builtin_ia32_stmxcsr() & ~0x3fu, flushing & ~0x3fu);
  __builtin_ia32_ldmxcsr(before);
#endif
}

TEST(Api, RefusesWrongArguments) {
  const RuntimeHandle runtime = makeRuntime(1);
  const AlignedFile file(casesModel().build());
  const ModelHandle model = open(runtime, file);
  fovea_error error;
  fovea_session *session = nullptr;
  uint32_t index = 7;
  EXPECT_EQ(fovea_runtime_create(nullptr, nullptr, &error), FOVEA_INVALID);
  EXPECT_EQ(fovea_session_run(nullptr, nullptr), FOVEA_INVALID);
  fovea_session_create(runtime.get(), model.get(), nullptr, &session, &error);
  EXPECT_FAILS(error, FOVEA_INVALID, "expected the name of an entry, got none: the model has 6");
  fovea_session_create(runtime.get(), model.get(), "mian", &session, &error);
  EXPECT_FAILS(error, FOVEA_INVALID, "there is no entry 'mian'; there is 'main', 'gather'");
  fovea_model_find_output(model.get(), 0, "z", &index, &error);
  EXPECT_FAILS(error, FOVEA_INVALID, "there is no output of entry 'main' called 'z'; there is 'y'");
  EXPECT_EQ(index, 7u);
  fovea_model_find_input(model.get(), 1, "index", &index, &error);
  EXPECT_EQ(index, 1u);
  fovea_tensor_info info;
  EXPECT_EQ(fovea_model_input(model.get(), 6, 0, &info, &error), FOVEA_INVALID);
  EXPECT_EQ(fovea_model_input(model.get(), 5, 0, &info, &error), FOVEA_OK);
  EXPECT_STREQ(info.dims[0].name, "n");
  EXPECT_EQ(info.dims[1].name, nullptr);
  EXPECT_EQ(info.dims[1].max, 2);
  EXPECT_EQ(session, nullptr);
  EXPECT_EQ(fovea_model_kernel_name(model.get(), 4), nullptr);
  fovea_runtime_options options = {};
  fovea_runtime *other = nullptr;
  options.threads = 1025;
  EXPECT_EQ(fovea_runtime_create(&options, &other, &error), FOVEA_INVALID);
  const uint32_t cpus[] = {4000};
  options = {};
  options.cpus = cpus;
  options.cpu_count = 1;
  fovea_runtime_create(&options, &other, &error);
  EXPECT_FAILS(error, FOVEA_INVALID, "got CPU 4000");
  options = {};
  options.release = [](void *, void *, size_t, size_t) {};
  EXPECT_EQ(fovea_runtime_create(&options, &other, &error), FOVEA_INVALID);
  EXPECT_EQ(fovea_dtype_size(FOVEA_BF16), 2u);
  EXPECT_STREQ(fovea_dtype_name(FOVEA_BOOL), "bool");
}
