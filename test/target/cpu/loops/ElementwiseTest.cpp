// Elementwise kernels: broadcasts, types, transposes, gathers, concatenation, padding.
#include "test/target/cpu/loops/Buffers.h"

#include <algorithm>
#include <numeric>

using namespace fovea::test;

namespace {

std::string generic(const std::string &inMaps, const std::string &iterators, const std::string &ins,
                    const std::string &outs, const std::string &body, const std::string &result) {
  return "linalg.generic {indexing_maps = [" + inMaps + "], iterator_types = [" + iterators + "]} ins(" + ins +
         ") outs(" + outs + ") {\n" + body + "\n} -> " + result + "\n";
}

const char *cpus[] = {"native", "x86-64-v3", "x86-64"};

TEST(Elementwise, broadcastOfRowAndColumn) {
  for (const char *cpu : cpus)
    for (int n : {1, 3, 16, 37, 64}) {
      int m = 5;
      std::string ms = std::to_string(m), ns = std::to_string(n), t = ms + "x" + ns + "xf32";
      LoopsKernel kernel(
          {{t, ""}, {ns + "xf32", ""}, {ms + "xf32", ""}}, {{t, ""}},
          "%0 = " +
              generic(
                  "affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(j)>, affine_map<(i,j)->(i)>, affine_map<(i,j)->(i,j)>",
                  "\"parallel\", \"parallel\"",
                  "%a0, %a1, %a2 : tensor<" + t + ">, tensor<" + ns + "xf32>, tensor<" + ms + "xf32>",
                  "%o0 : tensor<" + t + ">",
                  "^bb0(%x: f32, %y: f32, %z: f32, %o: f32):\n %p = arith.mulf %x, %y : f32\n %q = arith.addf %p, %z : "
                  "f32\n linalg.yield %q : f32",
                  "tensor<" + t + ">") +
              "exec.yield %0 : tensor<" + t + ">",
          0, cpu);
      auto a = randomValues<float>(m * n), b = randomValues<float>(n, 2), c = randomValues<float>(m, 3);
      auto out = runAll<float>(kernel, {a.data(), b.data(), c.data()}, {size_t(m * n)});
      std::vector<double> want;
      for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j)
          want.push_back(a[i * n + j] * b[j] + c[i]);
      expectNear(out[0], want, 1e-6);
    }
}

template <typename T> void checkType(const std::string &type, const std::string &op, T (*exact)(T, T)) {
  for (const char *cpu : cpus)
    for (int n : {0, 1, 7, 100, 5000}) {
      std::string t = "?x" + type;
      LoopsKernel kernel({{t, "(s0)"}, {t, "(s0)"}}, {{t, "(s0)"}},
                         "%0 = " +
                             generic("affine_map<(i)->(i)>, affine_map<(i)->(i)>, affine_map<(i)->(i)>", "\"parallel\"",
                                     "%a0, %a1 : tensor<" + t + ">, tensor<" + t + ">", "%o0 : tensor<" + t + ">",
                                     "^bb0(%x: " + type + ", %y: " + type + ", %o: " + type + "):\n %p = " + op +
                                         " %x, %y : " + type + "\n linalg.yield %p : " + type,
                                     "tensor<" + t + ">") +
                             "exec.yield %0 : tensor<" + t + ">",
                         1, cpu);
      auto a = randomValues<T>(n), b = randomValues<T>(n, 2);
      auto out = runAll<T>(kernel, {a.data(), b.data()}, {size_t(n)}, {n});
      for (int i = 0; i < n; ++i)
        ASSERT_EQ(out[0][i], exact(a[i], b[i])) << type << " " << i << " of " << n;
    }
}

TEST(Elementwise, types) {
  checkType<float>("f32", "arith.addf", [](float x, float y) { return x + y; });
  checkType<double>("f64", "arith.mulf", [](double x, double y) { return x * y; });
  checkType<int32_t>("i32", "arith.subi", [](int32_t x, int32_t y) { return x - y; });
  checkType<int64_t>("i64", "arith.muli", [](int64_t x, int64_t y) { return x * y; });
  checkType<int16_t>("i16", "arith.addi", [](int16_t x, int16_t y) -> int16_t { return x + y; });
  checkType<uint16_t>("i16", "arith.maxui", [](uint16_t x, uint16_t y) { return std::max(x, y); });
  checkType<uint32_t>("i32", "arith.divui", [](uint32_t x, uint32_t y) { return y ? x / y : x; });
  checkType<uint64_t>("i64", "arith.remui", [](uint64_t x, uint64_t y) { return y ? x % y : 0; });
  checkType<uint8_t>("i8", "arith.minui", [](uint8_t x, uint8_t y) { return std::min(x, y); });
  checkType<uint8_t>("i1", "arith.andi", [](uint8_t x, uint8_t y) -> uint8_t { return x & y; });
}

// All numbers of 16 bits, and what is rounded to them: exactly, with the machine's instructions and without.
template <typename T> void checkHalf(const std::string &type) {
  std::vector<double> numbers;
  for (unsigned bits = 0; bits < 65536; ++bits) {
    T half;
    half.bits = bits;
    double x = half;
    // The number, a quarter of its last place around it, and the ties between it and its neighbours.
    half.bits = bits & 0x7FFF ? bits - 1 : bits;
    double step = (x - double(half)) / 4;
    numbers.insert(numbers.end(), {x, x + step, x - step, x - 2 * step});
  }
  numbers.insert(numbers.end(), {65519.9, 65520, 3.4e38, 3.3961775292304601e38, 1e300, -1e300, 1e-300, 0x1p-25,
                                 0x1.8p-25, 1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-8 + 0x1p-40, NAN, INFINITY});
  std::string n = std::to_string(numbers.size());
  for (const char *cpu : cpus) {
    auto convert = [&](const std::string &from, const std::string &to, const char *op) {
      return LoopsKernel({{n + "x" + from, ""}}, {{n + "x" + to, ""}},
                         "%0 = " +
                             generic("affine_map<(i)->(i)>, affine_map<(i)->(i)>", "\"parallel\"",
                                     "%a0 : tensor<" + n + "x" + from + ">", "%o0 : tensor<" + n + "x" + to + ">",
                                     "^bb0(%x: " + from + ", %o: " + to + "):\n %p = " + op + " %x : " + from + " to " +
                                         to + "\n linalg.yield %p : " + to,
                                     "tensor<" + n + "x" + to + ">") +
                             "exec.yield %0 : tensor<" + n + "x" + to + ">",
                         0, cpu);
    };
    auto halves = runAll<T>(convert("f64", type, "arith.truncf"), {numbers.data()}, {numbers.size()})[0];
    auto wide = runAll<float>(convert(type, "f32", "arith.extf"), {halves.data()}, {numbers.size()})[0];
    for (size_t i = 0; i < numbers.size(); ++i) {
      T want(numbers[i]);
      if (std::isnan(numbers[i])) {
        ASSERT_TRUE(std::isnan(double(halves[i])) && std::isnan(wide[i])) << type << " on " << cpu;
        continue;
      }
      ASSERT_EQ(halves[i].bits, want.bits) << type << " of " << numbers[i] << " on " << cpu;
      ASSERT_EQ(double(wide[i]), double(want)) << type << " " << i << " on " << cpu;
    }
  }
  for (const char *op : {"arith.addf", "arith.mulf"})
    for (const char *cpu : cpus)
      for (int n : {0, 1, 7, 100, 5000}) {
        std::string t = "?x" + type;
        LoopsKernel kernel({{t, "(s0)"}, {t, "(s0)"}}, {{t, "(s0)"}},
                           "%0 = " +
                               generic("affine_map<(i)->(i)>, affine_map<(i)->(i)>, affine_map<(i)->(i)>",
                                       "\"parallel\"", "%a0, %a1 : tensor<" + t + ">, tensor<" + t + ">",
                                       "%o0 : tensor<" + t + ">",
                                       "^bb0(%x: " + type + ", %y: " + type + ", %o: " + type + "):\n %p = " + op +
                                           " %x, %y : " + type + "\n linalg.yield %p : " + type,
                                       "tensor<" + t + ">") +
                               "exec.yield %0 : tensor<" + t + ">",
                           1, cpu);
        auto a = randomValues<T>(n), b = randomValues<T>(n, 2);
        auto out = runAll<T>(kernel, {a.data(), b.data()}, {size_t(n)}, {n});
        for (int i = 0; i < n; ++i) {
          float x = double(a[i]), y = double(b[i]);
          ASSERT_EQ(out[0][i].bits, T(op[6] == 'a' ? x + y : x * y).bits) << type << " " << i << " of " << n;
        }
      }
}

TEST(Elementwise, halves) {
  checkHalf<F16>("f16");
  checkHalf<BF16>("bf16");
}

// A fused chain rounds where a truncation says so: 2049 is no f16.
TEST(Elementwise, truncationInsideOfABody) {
  for (const char *cpu : cpus) {
    LoopsKernel kernel({{"5xf32", ""}}, {{"5xf32", ""}},
                       "%0 = " +
                           generic("affine_map<(i)->(i)>, affine_map<(i)->(i)>", "\"parallel\"", "%a0 : tensor<5xf32>",
                                   "%o0 : tensor<5xf32>",
                                   "^bb0(%x: f32, %o: f32):\n %h = arith.truncf %x : f32 to f16\n %y = arith.extf %h "
                                   ": f16 to f32\n linalg.yield %y : f32",
                                   "tensor<5xf32>") +
                           "exec.yield %0 : tensor<5xf32>",
                       0, cpu);
    std::vector<float> x{2049, 1, -70000, 1e-9f, 2051};
    EXPECT_EQ(runAll<float>(kernel, {x.data()}, {5})[0], (std::vector<float>{2048, 1, -INFINITY, 0, 2052}));
  }
}

TEST(Elementwise, mixedTypesAndIndices) {
  std::string t = "3x21x";
  LoopsKernel kernel({{t + "i1", ""}, {t + "f32", ""}}, {{t + "i64", ""}},
                     "%0 = " +
                         generic("affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i,j)>",
                                 "\"parallel\", \"parallel\"", "%a0, %a1 : tensor<3x21xi1>, tensor<3x21xf32>",
                                 "%o0 : tensor<3x21xi64>", R"(
^bb0(%c: i1, %x: f32, %o: i64):
  %i = linalg.index 0 : index
  %j = linalg.index 1 : index
  %k = arith.constant 100 : index
  %ik = arith.muli %i, %k : index
  %s = arith.addi %ik, %j : index
  %s64 = arith.index_cast %s : index to i64
  %x64 = arith.fptosi %x : f32 to i64
  %r = arith.select %c, %s64, %x64 : i64
  linalg.yield %r : i64)",
                                 "tensor<3x21xi64>") +
                         "exec.yield %0 : tensor<3x21xi64>");
  auto c = randomValues<uint8_t>(63);
  auto x = randomValues<float>(63);
  auto out = runAll<int64_t>(kernel, {c.data(), x.data()}, {63});
  for (int i = 0; i < 63; ++i)
    ASSERT_EQ(out[0][i], c[i] ? i / 21 * 100 + i % 21 : int64_t(x[i]));
}

void checkTransposes(const char *cpu) {
  std::vector<int64_t> shape = {3, 5, 18, 7}, order = {0, 1, 2, 3};
  size_t count = 3 * 5 * 18 * 7;
  auto a = randomValues<float>(count);
  auto text = [](const std::vector<int64_t> &s) {
    std::string r;
    for (int64_t d : s)
      r += std::to_string(d) + "x";
    return r + "f32";
  };
  do {
    std::vector<int64_t> to;
    for (int64_t d : order)
      to.push_back(shape[d]);
    std::string permutation;
    for (int64_t d : order)
      permutation += (permutation.empty() ? "" : ", ") + std::to_string(d);
    LoopsKernel kernel({{text(shape), ""}}, {{text(to), ""}},
                       "%0 = linalg.transpose ins(%a0 : tensor<" + text(shape) + ">) outs(%o0 : tensor<" + text(to) +
                           ">) permutation = [" + permutation + "]\nexec.yield %0 : tensor<" + text(to) + ">",
                       0, cpu);
    auto out = runAll<float>(kernel, {a.data()}, {count});
    std::vector<int64_t> i(4);
    size_t at = 0;
    for (i[0] = 0; i[0] < to[0]; ++i[0])
      for (i[1] = 0; i[1] < to[1]; ++i[1])
        for (i[2] = 0; i[2] < to[2]; ++i[2])
          for (i[3] = 0; i[3] < to[3]; ++i[3], ++at) {
            int64_t from[4];
            for (int d = 0; d < 4; ++d)
              from[order[d]] = i[d];
            ASSERT_EQ(out[0][at], a[((from[0] * shape[1] + from[1]) * shape[2] + from[2]) * shape[3] + from[3]])
                << permutation;
          }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Elementwise, transposesOfRankFour) {
  checkTransposes("native");
  checkTransposes("x86-64-v3");
}

TEST(Elementwise, gatherOfRows) {
  for (const char *cpu : cpus)
    for (bool faulty : {false, true}) {
      LoopsKernel kernel({{"?x20xf32", "(s0, 20)"}, {"9xi64", ""}}, {{"9x20xf32", ""}},
                         "%0 = " +
                             generic("affine_map<(i,j)->(i)>, affine_map<(i,j)->(i,j)>", "\"parallel\", \"parallel\"",
                                     "%a1 : tensor<9xi64>", "%o0 : tensor<9x20xf32>",
                                     R"(
^bb0(%id: i64, %o: f32):
  %i = arith.index_cast %id : i64 to index
  %j = linalg.index 1 : index
  %e = data.lookup %a0[%i, %j] : tensor<?x20xf32>
  linalg.yield %e : f32)",
                                     "tensor<9x20xf32>") +
                             "exec.yield %0 : tensor<9x20xf32>",
                         1, cpu);
      auto table = randomValues<float>(6 * 20);
      std::vector<int64_t> ids = {0, 5, -1, -6, 3, 2, 1, 4, faulty ? 6 : 0};
      int64_t fault = 0;
      auto out = runAll<float>(kernel, {table.data(), ids.data()}, {180}, {6}, &fault);
      EXPECT_EQ(fault != 0, faulty);
      for (int i = 0; i < (faulty ? 8 : 9); ++i)
        for (int j = 0; j < 20; ++j)
          ASSERT_EQ(out[0][i * 20 + j], table[(ids[i] + 6) % 6 * 20 + j]);
    }
}

TEST(Elementwise, gatherOfElements) {
  for (int64_t bad : {0, 5, -6}) {
    LoopsKernel kernel({{"4x5xf32", ""}, {"4x33xi32", ""}}, {{"4x33xf32", ""}},
                       "%0 = " +
                           generic("affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i,j)>", "\"parallel\", \"parallel\"",
                                   "%a1 : tensor<4x33xi32>", "%o0 : tensor<4x33xf32>",
                                   R"(
^bb0(%id: i32, %o: f32):
  %k = arith.index_cast %id : i32 to index
  %i = linalg.index 0 : index
  %e = data.lookup %a0[%i, %k] : tensor<4x5xf32>
  linalg.yield %e : f32)",
                                   "tensor<4x33xf32>") +
                           "exec.yield %0 : tensor<4x33xf32>");
    auto table = randomValues<float>(20);
    std::vector<int32_t> ids(132);
    for (int i = 0; i < 132; ++i)
      ids[i] = i % 10 - 5;
    if (bad)
      ids[131] = bad;
    int64_t fault = 0;
    auto out = runAll<float>(kernel, {table.data(), ids.data()}, {132}, {}, &fault);
    EXPECT_EQ(fault != 0, bad != 0);
    for (int i = 0; i < (bad ? 131 : 132); ++i)
      ASSERT_EQ(out[0][i], table[i / 33 * 5 + (ids[i] + 5) % 5]);
  }
}

TEST(Elementwise, emptyTableIsAFault) {
  LoopsKernel kernel({{"?xf32", "(s0)"}, {"1xi64", ""}}, {{"1xf32", ""}},
                     "%0 = " +
                         generic("affine_map<(i)->(i)>, affine_map<(i)->(i)>", "\"parallel\"", "%a1 : tensor<1xi64>",
                                 "%o0 : tensor<1xf32>", R"(
^bb0(%id: i64, %o: f32):
  %i = arith.index_cast %id : i64 to index
  %e = data.lookup %a0[%i] : tensor<?xf32>
  linalg.yield %e : f32)",
                                 "tensor<1xf32>") +
                         "exec.yield %0 : tensor<1xf32>",
                     1);
  int64_t id = 0, fault = 0;
  runAll<float>(kernel, {nullptr, &id}, {1}, {0}, &fault);
  EXPECT_NE(fault, 0);
}

TEST(Elementwise, concatenation) {
  for (int dim : {0, 1}) {
    std::string a = dim ? "4x6xf32" : "3x10xf32", b = dim ? "4x17xf32" : "2x10xf32", to = dim ? "4x23xf32" : "5x10xf32";
    LoopsKernel kernel({{a, ""}, {b, ""}}, {{to, ""}},
                       "%0 = tensor.concat dim(" + std::to_string(dim) + ") %a0, %a1 : (tensor<" + a + ">, tensor<" +
                           b + ">) -> tensor<" + to + ">\nexec.yield %0 : tensor<" + to + ">");
    EXPECT_EQ(kernel.stageCount(), 2u);
    int rowsA = dim ? 4 : 3, colsA = dim ? 6 : 10, rowsB = dim ? 4 : 2, colsB = dim ? 17 : 10;
    auto x = randomValues<float>(rowsA * colsA), y = randomValues<float>(rowsB * colsB, 2);
    size_t count = dim ? 4 * 23 : 50;
    auto out = runAll<float>(kernel, {x.data(), y.data()}, {count});
    for (size_t i = 0; i < count; ++i) {
      int columns = dim ? 23 : 10, r = i / columns, c = i % columns;
      bool first = dim ? c < 6 : r < 3;
      ASSERT_EQ(out[0][i], first ? x[r * colsA + c] : y[(dim ? r : r - 3) * colsB + (dim ? c - 6 : c)]);
    }
  }
}

TEST(Elementwise, concatenationInsideOfAnExpression) {
  LoopsKernel kernel(
      {{"4x6xf32", ""}, {"4x17xf32", ""}}, {{"4x23xf32", ""}},
      "%0 = tensor.concat dim(1) %a0, %a1 : (tensor<4x6xf32>, tensor<4x17xf32>) -> tensor<4x23xf32>\n%1 = " +
          generic("affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i,j)>", "\"parallel\", \"parallel\"",
                  "%0 : tensor<4x23xf32>", "%o0 : tensor<4x23xf32>",
                  "^bb0(%x: f32, %o: f32):\n %y = arith.negf %x : f32\n linalg.yield %y : f32", "tensor<4x23xf32>") +
          "exec.yield %1 : tensor<4x23xf32>");
  auto x = randomValues<float>(24), y = randomValues<float>(68, 2);
  auto out = runAll<float>(kernel, {x.data(), y.data()}, {92});
  for (int i = 0; i < 92; ++i)
    ASSERT_EQ(out[0][i], i % 23 < 6 ? -x[i / 23 * 6 + i % 23] : -y[i / 23 * 17 + i % 23 - 6]);
}

TEST(Elementwise, padding) {
  for (const char *cpu : cpus) {
    LoopsKernel kernel({{"3x?xf32", "(3, s0)"}}, {{"6x?xf32", "(6, s0 + 5)"}}, R"(
%c = arith.constant 1.5 : f32
%0 = tensor.pad %a0 low[1, 2] high[2, 3] {
^bb0(%i: index, %j: index):
  tensor.yield %c : f32
} : tensor<3x?xf32> to tensor<6x?xf32>
exec.yield %0 : tensor<6x?xf32>)",
                       1, cpu);
    for (int n : {0, 1, 14, 40}) {
      auto x = randomValues<float>(3 * n);
      auto out = runAll<float>(kernel, {n ? x.data() : nullptr}, {size_t(6 * (n + 5))}, {n});
      for (int i = 0; i < 6; ++i)
        for (int j = 0; j < n + 5; ++j) {
          bool inside = i >= 1 && i < 4 && j >= 2 && j < n + 2;
          ASSERT_EQ(out[0][i * (n + 5) + j], inside ? x[(i - 1) * n + j - 2] : 1.5f);
        }
    }
  }
}

TEST(Elementwise, sliceAndInsert) {
  LoopsKernel kernel({{"6x20xf32", ""}, {"2x20xf32", ""}}, {{"6x20xf32", ""}, {"3x9xf32", ""}}, R"(
%s = tensor.extract_slice %a0[1, 3] [3, 9] [2, 1] : tensor<6x20xf32> to tensor<3x9xf32>
%i = tensor.insert_slice %a1 into %a0[2, 0] [2, 20] [1, 1] : tensor<2x20xf32> into tensor<6x20xf32>
exec.yield %i, %s : tensor<6x20xf32>, tensor<3x9xf32>)");
  auto x = randomValues<float>(120), y = randomValues<float>(40, 2);
  auto out = runAll<float>(kernel, {x.data(), y.data()}, {120, 27});
  for (int i = 0; i < 120; ++i)
    ASSERT_EQ(out[0][i], i / 20 == 2 || i / 20 == 3 ? y[i - 40] : x[i]);
  for (int i = 0; i < 27; ++i)
    ASSERT_EQ(out[1][i], x[(1 + i / 9 * 2) * 20 + 3 + i % 9]);
}

TEST(Elementwise, expandToRunTimeSizes) {
  LoopsKernel kernel({{"?x?xf32", "(s0, s1)"}}, {{"?x?xf32", "(s2, s3)"}}, R"(
%0 = data.expand %a0 to [%s2, %s3] : tensor<?x?xf32> -> tensor<?x?xf32>
exec.yield %0 : tensor<?x?xf32>)",
                     4);
  auto x = randomValues<float>(7 * 19);
  for (auto [m, n] : {std::pair{1, 1}, {7, 1}, {1, 19}, {7, 19}}) {
    auto out = runAll<float>(kernel, {x.data()}, {133}, {m, n, 7, 19});
    for (int i = 0; i < 133; ++i)
      ASSERT_EQ(out[0][i], x[(m == 1 ? 0 : i / 19) * n + (n == 1 ? 0 : i % 19)]);
  }
  int64_t fault = 0;
  runAll<float>(kernel, {x.data()}, {133}, {7, 2, 7, 19}, &fault);
  EXPECT_NE(fault, 0);
}

TEST(Elementwise, resultsOfOneOperation) {
  LoopsKernel kernel({{"40xf32", ""}}, {{"40xf32", ""}, {"40xf32", ""}},
                     "%0:2 = " +
                         generic("affine_map<(i)->(i)>, affine_map<(i)->(i)>, affine_map<(i)->(i)>", "\"parallel\"",
                                 "%a0 : tensor<40xf32>", "%o0, %o1 : tensor<40xf32>, tensor<40xf32>",
                                 "^bb0(%x: f32, %o: f32, %p: f32):\n %y = arith.negf %x : f32\n %z = math.absf %x : "
                                 "f32\n linalg.yield %y, %z : f32, f32",
                                 "(tensor<40xf32>, tensor<40xf32>)") +
                         "exec.yield %0#0, %0#1 : tensor<40xf32>, tensor<40xf32>");
  EXPECT_EQ(kernel.stageCount(), 1u);
  auto x = randomValues<float>(40);
  auto out = runAll<float>(kernel, {x.data()}, {40, 40});
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(out[0][i] == -x[i] && out[1][i] == std::fabs(x[i]));
}

TEST(Elementwise, reshapeAtTheEndAndScalars) {
  LoopsKernel kernel(
      {{"6x8xf32", ""}, {"f32", ""}}, {{"48xf32", ""}, {"f32", ""}},
      "%e = tensor.empty() : tensor<6x8xf32>\n%0 = " +
          generic("affine_map<(i,j)->(i,j)>, affine_map<(i,j)->()>, affine_map<(i,j)->(i,j)>",
                  "\"parallel\", \"parallel\"", "%a0, %a1 : tensor<6x8xf32>, tensor<f32>", "%e : tensor<6x8xf32>",
                  "^bb0(%x: f32, %s: f32, %o: f32):\n %y = arith.mulf %x, %s : f32\n linalg.yield %y : f32",
                  "tensor<6x8xf32>") +
          "%1 = tensor.collapse_shape %0 [[0, 1]] : tensor<6x8xf32> into tensor<48xf32>\n%2 = " +
          generic("affine_map<()->()>, affine_map<()->()>", "", "%a1 : tensor<f32>", "%o1 : tensor<f32>",
                  "^bb0(%s: f32, %o: f32):\n %y = math.exp %s : f32\n linalg.yield %y : f32", "tensor<f32>") +
          "exec.yield %1, %2 : tensor<48xf32>, tensor<f32>");
  auto x = randomValues<float>(48);
  float s = 1.25f;
  auto out = runAll<float>(kernel, {x.data(), &s}, {48, 1});
  for (int i = 0; i < 48; ++i)
    ASSERT_EQ(out[0][i], x[i] * s);
  EXPECT_NEAR(out[1][0], std::exp(1.25), 1e-6);
}

TEST(Elementwise, refusalsHaveAReason) {
  LoopsKernel kernel(
      {{"4x6xf32", ""}}, {{"24xf32", ""}},
      "%e = tensor.empty() : tensor<24xf32>\n%g = tensor.empty() : tensor<4x6xf32>\n%n = " +
          generic("affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i,j)>", "\"parallel\", \"parallel\"",
                  "%a0 : tensor<4x6xf32>", "%g : tensor<4x6xf32>",
                  "^bb0(%x: f32, %o: f32):\n %y = arith.negf %x : f32\n linalg.yield %y : f32", "tensor<4x6xf32>") +
          "%c = tensor.collapse_shape %n [[0, 1]] : tensor<4x6xf32> into tensor<24xf32>\n%1 = " +
          generic("affine_map<(i)->(i)>, affine_map<(i)->(i)>", "\"parallel\"", "%c : tensor<24xf32>",
                  "%o0 : tensor<24xf32>", "^bb0(%x: f32, %o: f32):\n %y = arith.negf %x : f32\n linalg.yield %y : f32",
                  "tensor<24xf32>") +
          "exec.yield %1 : tensor<24xf32>");
  EXPECT_EQ(kernel.refusal(), "a reshape merges dims of a tensor that the kernel computes");
}

} // namespace
