// Attention with all its masks, against plain double loops.
#include "Halves.h"
#include "KernelHarness.h"
#include "KernelTexts.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>

using namespace fovea::lowering;
using namespace fovea::test;

namespace {

struct Case {
  AttentionText text;
  int64_t m = 0, n = 0; ///< sizes of this run, if dynamic
  int causal = 0;       ///< 0, 1 top_left, 2 bottom_right
  int64_t left = -1, right = -1;
  bool nan = false;
  float maskValue = -3.4e38f; ///< of masked keys
  std::string schedule = {};  ///< what the schedule is to be, as text of a dictionary
};

/// The kernel for a text. Cases in a row that differ in sizes and numbers only share one: compiling is what takes long.
LoadedKernel *compileOnce(const std::string &text, const std::string &lowering, const Machine &machine) {
  static std::string known;
  static std::unique_ptr<LoadedKernel> kernel;
  std::string key = machine.name + " " + lowering + " " + text;
  if (key != known || !kernel)
    kernel = LoadedKernel::compile(text, lowering, machine);
  known = key;
  return kernel.get();
}

template <typename T> void check(Case test, const std::string &machineName, const std::string &lowering = "attention") {
  AttentionText &o = test.text;
  int64_t m = o.m < 0 ? test.m : o.m, n = o.n < 0 ? test.n : o.n;
  if (test.causal)
    o.attributes += std::string(", causal = #attn.causal<") + (test.causal == 1 ? "top_left" : "bottom_right") + ">";
  if (test.left >= 0 || test.right >= 0)
    o.attributes += ", window = array<i64: " + std::to_string(test.left) + ", " + std::to_string(test.right) + ">";
  if (test.nan)
    o.attributes += ", empty_rows = #attn.empty_rows<nan>";
  std::string text = attentionText(o);
  if (!test.schedule.empty())
    text.replace(text.find("schedule {}"), 11, "schedule " + test.schedule);
  SCOPED_TRACE(machineName + ", " + lowering + ", " + std::to_string(m) + " queries, " + std::to_string(n) + " keys\n" +
               text);
  std::string error;
  auto machine = Machine::named(machineName, &error);
  ASSERT_TRUE(succeeded(machine));
  LoadedKernel *kernel = compileOnce(text, lowering, *machine);
  ASSERT_TRUE(kernel);
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  auto numbers = [&](int64_t count) {
    std::vector<T> v(count);
    for (T &x : v)
      x = static_cast<T>(normal(random));
    return v;
  };
  int64_t B = o.batch, H = o.heads, G = o.keyHeads, D = o.d, E = o.e;
  int64_t inner = (H + 2 * G) * D;
  auto q = numbers(B * H * m * D), k = numbers(B * G * n * D), v = numbers(B * G * n * E), qkv = numbers(B * m * inner),
       mask = numbers(B * H * m * n);
  if (o.mask == "keys")
    for (int64_t b = 0; b < B; ++b)
      for (int64_t j = 0; j < n; ++j)
        // The last batch is masked altogether.
        mask[b * n + j] = b == B - 1 || j % 3 == 1 ? test.maskValue : 0;
  std::vector<int64_t> lengths(B);
  for (int64_t b = 0; b < B; ++b)
    lengths[b] = std::max<int64_t>(0, n - 3 * b - (b == B - 1 ? n : 0));
  std::vector<T> out(B * H * m * E + 32, T(77)), guard = out;
  std::vector<char> scratch(o.scratchBytes() > 0 ? o.scratchBytes() : 0, char(0xff));
  using Wide = std::conditional_t<sizeof(T) == 8, double, float>;
  std::vector<Wide> table(D), weights(o.weights ? B * H * m * n + 32 : 0, Wide(77)), weightsGuard = weights;
  for (Wide &x : table)
    x = static_cast<Wide>(normal(random));
  auto run = [&](std::vector<T> &out, std::vector<Wide> &weights, int64_t pieces) {
    std::vector<void *> buffers;
    if (o.merged)
      buffers = {qkv.data()};
    else
      buffers = {q.data(), k.data(), v.data()};
    if (o.additive)
      buffers.push_back(table.data());
    if (o.mask == "keys" || o.mask == "full")
      buffers.push_back(mask.data());
    if (o.lengths)
      buffers.push_back(lengths.data());
    buffers.push_back(out.data());
    if (o.weights)
      buffers.push_back(weights.data());
    if (o.parts > 1)
      buffers.push_back(scratch.data());
    kernel->run(buffers, std::vector<int64_t>{o.m < 0 ? m : n}, pieces);
  };
  run(out, weights, 1);
  for (int64_t pieces : {2, 7, 1000}) {
    std::vector<T> again = guard;
    std::vector<Wide> weightsAgain = weightsGuard;
    run(again, weightsAgain, pieces);
    ASSERT_EQ(std::memcmp(again.data(), out.data(), out.size() * sizeof(T)), 0) << pieces << " pieces differ";
    ASSERT_EQ(std::memcmp(weightsAgain.data(), weights.data(), weights.size() * sizeof(Wide)), 0)
        << "weights of " << pieces << " pieces differ";
  }
  for (size_t i = o.weights ? B * H * m * n : 0; i < weights.size(); ++i)
    ASSERT_EQ(double(weights[i]), 77) << "weights written past the end";
  for (size_t i = B * H * m * E; i < out.size(); ++i)
    ASSERT_EQ(double(out[i]), 77) << "written past the end";
  auto at = [&](int which, int64_t b, int64_t h, int64_t i, int64_t d) -> double {
    if (o.merged)
      return qkv[(b * m + i) * inner + (which == 0 ? 0 : which == 1 ? H * D : (H + G) * D) + h * D + d];
    if (which == 0)
      return q[((b * H + h) * m + i) * D + d];
    return which == 1 ? k[((b * G + h) * n + i) * D + d] : v[((b * G + h) * n + i) * E + d];
  };
  double tolerance = sizeof(T) == 8 ? 1e-12 : 2e-5;
  for (int64_t b = 0; b < B; ++b)
    for (int64_t h = 0; h < H; ++h)
      for (int64_t i = 0; i < m; i += std::max<int64_t>(1, m / 37)) {
        int64_t g = h / (H / G), offset = test.causal == 2 ? n - m : 0;
        std::vector<double> p(n), row(E, 0);
        std::vector<bool> live(n, true);
        double maximum = -INFINITY, sum = 0;
        bool any = false;
        for (int64_t j = 0; j < n; ++j) {
          double s = 0;
          for (int64_t d = 0; d < D; ++d)
            s += o.additive ? table[d] * std::tanh(at(0, b, h, i, d) + at(1, b, g, j, d))
                            : at(0, b, h, i, d) * at(1, b, g, j, d);
          s *= o.scale;
          if (o.mask == "keys")
            s = sizeof(T) == 4 ? static_cast<float>(s + mask[b * n + j]) : s + mask[b * n + j];
          if (o.mask == "full")
            s += mask[((b * H + h) * m + i) * n + j];
          if (o.mask == "softcap")
            s = 2 * std::tanh(s / 2);
          if (test.causal && j > i + offset)
            live[j] = false;
          if ((test.left >= 0 && j < i + offset - test.left) || (test.right >= 0 && j > i + offset + test.right) ||
              (o.lengths && j >= lengths[b]))
            live[j] = false;
          p[j] = s;
          if (live[j])
            maximum = std::max(maximum, s), any = true;
        }
        any &= maximum != -INFINITY;
        for (int64_t j = 0; j < n; ++j)
          sum += p[j] = live[j] && any ? std::exp(p[j] - maximum) : 0;
        for (int64_t j = 0; j < n; ++j)
          if (live[j] && any)
            for (int64_t e = 0; e < E; ++e)
              row[e] += p[j] / sum * at(2, b, g, j, e);
        for (int64_t j = 0; o.weights && j < n; ++j) {
          double got = weights[((b * H + h) * m + i) * n + j];
          if (!any && test.nan && live[j])
            ASSERT_TRUE(std::isnan(got)) << "weight " << b << ", " << h << ", " << i << ", " << j << ": " << got;
          else
            ASSERT_NEAR(got, live[j] && any ? p[j] / sum : 0, tolerance)
                << "weight " << b << ", " << h << ", " << i << ", " << j;
        }
        for (int64_t e = 0; e < E; ++e) {
          double got = o.merged ? out[(b * m + i) * H * E + h * E + e] : out[((b * H + h) * m + i) * E + e];
          if (!any && test.nan)
            ASSERT_TRUE(std::isnan(got)) << b << ", " << h << ", " << i << ", " << e << ": " << got;
          else
            ASSERT_NEAR(got, row[e], tolerance + kRounding<T> * std::fabs(row[e]))
                << b << ", " << h << ", " << i << ", " << e;
        }
      }
}

class Attention : public testing::TestWithParam<std::string> {};

TEST_P(Attention, Sizes) {
  for (auto [m, n] : {std::pair<int64_t, int64_t>(1, 1), {1, 77}, {5, 3}, {17, 33}, {64, 64}, {130, 67}, {7, 600}})
    for (auto [d, e] : {std::pair<int64_t, int64_t>(8, 8), {32, 32}, {64, 64}, {80, 80}, {20, 7}, {1, 1}})
      check<float>({{2, 2, 2, m, n, d, e}}, GetParam());
}

TEST_P(Attention, DynamicSizes) {
  for (int64_t s : {1, 2, 15, 16, 31, 64, 127, 300})
    check<float>({{1, 2, 2, -1, -1, 16, 16}, s, s}, GetParam());
}

TEST_P(Attention, MergedProjections) {
  for (int64_t s : {5, 128, 197})
    check<float>({{2, 3, 3, s, s, 64, 64, true}}, GetParam());
  for (int64_t s : {5, 128, 197})
    check<float>({{2, 4, 2, -1, -1, 20, 20, true}, s, s}, GetParam());
}

TEST_P(Attention, GroupedHeads) {
  check<float>({{2, 6, 2, 33, 40, 32, 32}}, GetParam());
  check<float>({{1, 8, 1, 1, 100, 64, 64}}, GetParam());
}

TEST_P(Attention, Causal) {
  for (int causal : {1, 2})
    for (auto [m, n] : {std::pair<int64_t, int64_t>(1, 50), {65, 65}, {40, 100}, {100, 40}, {300, 300}})
      for (bool nan : {false, true})
        check<float>({{1, 2, 2, m, n, 32, 32}, 0, 0, causal, -1, -1, nan}, GetParam());
}

TEST_P(Attention, Windows) {
  for (auto [left, right] : {std::pair<int64_t, int64_t>(0, 0), {5, -1}, {-1, 3}, {20, 10}})
    for (int causal : {0, 1, 2}) {
      check<float>({{1, 2, 2, 150, 150, 16, 16}, 0, 0, causal, left, right}, GetParam());
      check<float>({{1, 1, 1, 100, 60, 16, 16}, 0, 0, causal, left, right, true}, GetParam());
    }
}

TEST_P(Attention, Lengths) {
  for (bool nan : {false, true}) {
    Case test{{3, 2, 2, 40, 70, 32, 32}, 0, 0, 0, -1, -1, nan};
    test.text.lengths = true;
    check<float>(test, GetParam());
    test.causal = 2;
    check<float>(test, GetParam());
  }
}

TEST_P(Attention, AdditiveMasks) {
  for (const char *mask : {"keys", "full", "softcap"}) {
    for (int64_t s : {1, 33, 128}) {
      Case test{{2, 2, 2, s, s, 32, 32}};
      test.text.mask = mask;
      check<float>(test, GetParam());
      test.maskValue = -INFINITY;
      check<float>(test, GetParam());
      test.causal = 1;
      check<float>(test, GetParam());
    }
    for (int64_t s : {1, 33, 128}) {
      Case dynamic{{2, 2, 2, -1, -1, 32, 32}, s, s};
      dynamic.text.mask = mask;
      check<float>(dynamic, GetParam());
    }
  }
}

// Weights as a result, whether all keys are held at once or not; odd sizes, masks, empty rows, no keys.
TEST_P(Attention, Weights) {
  for (const char *schedule : {"", "{exact = 64 : i64, block = 32 : i64}"})
    for (auto [m, n] : {std::pair<int64_t, int64_t>(1, 1), {33, 130}, {5, 0}}) {
      Case test{{2, 4, 2, m, n, 20, 7}};
      test.text.weights = true;
      test.schedule = schedule;
      check<float>(test, GetParam());
      test.text.lengths = true;
      test.causal = 2, test.left = 40, test.nan = true;
      check<float>(test, GetParam());
      if (!*schedule)
        check<float>(test, GetParam(), "attention-general");
    }
}

TEST_P(Attention, AdditiveScores) {
  for (auto [m, n] : {std::pair<int64_t, int64_t>(1, 1), {33, 70}, {17, 130}, {5, 0}}) {
    Case test{{2, 4, 2, m, n, 20, 7}, 0, 0, 1};
    test.text.additive = true;
    test.text.weights = n == 70;
    check<float>(test, GetParam());
    check<float>(test, GetParam(), "attention-general");
    test.schedule = "{exact = 64 : i64, block = 32 : i64}";
    check<float>(test, GetParam());
  }
  Case dynamic{{1, 2, 2, -1, -1, 20, 7}, 77, 77};
  dynamic.text.additive = true;
  check<float>(dynamic, GetParam());
}

// More keys than are held at once: blocks of 32 with a running maximum.
TEST_P(Attention, BlocksOfKeys) {
  for (int causal : {0, 1, 2})
    for (const char *mask : {"", "keys", "full"}) {
      Case test{{2, 2, 2, 100, 130, 32, 40}, 0, 0, causal};
      test.text.mask = mask;
      test.schedule = "{exact = 64 : i64, block = 32 : i64}";
      check<float>(test, GetParam());
      test.maskValue = -INFINITY;
      check<float>(test, GetParam());
      test.left = 10;
      check<float>(test, GetParam());
      test.text.lengths = true;
      test.nan = true;
      check<float>(test, GetParam());
    }
  Case merged{{1, 2, 2, -1, -1, 64, 64, true}, 777, 777};
  merged.schedule = "{exact = 64 : i64, block = 32 : i64}";
  check<float>(merged, GetParam());
}

// The lowering for everything does what the fast one does, and f64.
TEST_P(Attention, General) {
  for (int64_t s : {1, 33, 70}) {
    for (const char *mask : {"", "keys", "full", "softcap"})
      for (int causal : {0, 2}) {
        Case test{{2, 4, 2, s, s, 20, 20, true}, 0, 0, causal};
        test.text.mask = mask;
        check<float>(test, GetParam(), "attention-general");
        test.text.element = "f64";
        test.text.lengths = true;
        check<double>(test, GetParam(), "attention-general");
        test.maskValue = -INFINITY;
        test.nan = true;
        test.right = 5;
        test.text.element = "f32";
        check<float>(test, GetParam(), "attention-general");
      }
  }
  for (int64_t s : {1, 33, 70})
    check<double>({{1, 2, 2, -1, -1, 16, 16, false, 0.125, "", "", false, "f64"}, s, s}, GetParam(),
                  "attention-general");
}

// Rows whose keys are split into parts that are merged; fewer keys than parts, masks of whole parts, empty rows.
TEST_P(Attention, Parts) {
  for (auto [m, n, parts, mask] : {std::tuple<int64_t, int64_t, int64_t, const char *>(1, 1, 16, "keys"),
                                   {1, 40, 2, ""},
                                   {1, 1000, 16, "keys"},
                                   {3, 333, 5, "softcap"},
                                   {2, 320, 5, "keys"}}) {
    Case test{{2, 4, 2, m, n, 20, 20}, 0, 0, 2};
    test.text.mask = mask;
    test.text.parts = parts;
    check<float>(test, GetParam(), "attention-general");
    test.maskValue = -INFINITY;
    test.text.lengths = true;
    test.nan = true;
    test.left = 70;
    check<float>(test, GetParam(), "attention-general");
    test.text.element = "f64";
    test.text.e = 7;
    check<double>(test, GetParam(), "attention-general");
  }
  Case dynamic{{1, 2, 1, 1, -1, 64, 64}, 1, 777};
  dynamic.text.parts = 4;
  check<float>(dynamic, GetParam(), "attention-general");
}

TEST(AttentionPlan, SplitsFewRowsWithManyKeys) {
  auto parts = [](AttentionText text) {
    auto kernel = LoadedKernel::compile(attentionText(text), "attention-general", *Machine::named("native"));
    return kernel ? kernel->schedule : "";
  };
  EXPECT_NE(parts({1, 8, 2, 4, 40, 64, 64}).find("parts = 1 "), std::string::npos);
  AttentionText overridden{1, 8, 2, 1, 4096, 64, 64};
  overridden.parts = 3;
  EXPECT_NE(parts(overridden).find("parts = 3 "), std::string::npos);
  // Without the memory for the parts the kernel is refused, not run.
  std::string reason;
  EXPECT_FALSE(LoadedKernel::compile(attentionText({1, 8, 2, 1, 4096, 64, 64}), "attention-general",
                                     *Machine::named("native"), &reason));
  EXPECT_EQ(reason, "the kernel could not be emitted");
}

template <typename T> void checkHalf(const char *element, const std::string &machine) {
  for (const char *lowering : {"attention", "attention-general"}) {
    for (auto [m, n] : {std::pair<int64_t, int64_t>(1, 77), {17, 33}})
      check<T>({{2, 4, 2, m, n, 20, 7, false, 0.125, "", "", false, element}}, machine, lowering);
    for (const char *mask : {"keys", "full", "softcap"}) {
      Case test{{2, 4, 2, 33, 33, 20, 20, true, 0.125, "", mask, true, element}};
      test.maskValue = -INFINITY;
      test.causal = 2;
      check<T>(test, machine, lowering);
    }
  }
  Case split{{2, 4, 2, 2, 333, 20, 7, false, 0.125, "", "keys", false, element}};
  split.text.parts = 5;
  split.maskValue = -INFINITY;
  check<T>(split, machine, "attention-general");
  Case blocks{{2, 2, 2, 100, 130, 32, 40, false, 0.125, "", "full", false, element}};
  blocks.schedule = "{exact = 64 : i64, block = 32 : i64}";
  check<T>(blocks, machine);
}

TEST_P(Attention, Halves) {
  checkHalf<F16>("f16", GetParam());
  checkHalf<BF16>("bf16", GetParam());
}

// Machines without the instructions for f16.
TEST(AttentionOld, Halves) {
  checkHalf<F16>("f16", "x86-64");
  checkHalf<BF16>("bf16", "x86-64-v2");
}

TEST(AttentionPlan, RefusesWithAReason) {
  std::string reason, error;
  AttentionText text{1, 1, 1, 4, 4, 8, 8};
  text.element = "f64";
  EXPECT_FALSE(LoadedKernel::compile(attentionText(text), "attention", *Machine::named("native"), &reason));
  EXPECT_EQ(reason, "the elements are not f32, f16 or bf16");
}

INSTANTIATE_TEST_SUITE_P(Machines, Attention, testing::Values("native", "x86-64-v3"), [](const auto &info) {
  return info.param == "native" ? std::string("native") : std::string("avx2");
});

} // namespace
