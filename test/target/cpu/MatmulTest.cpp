// Matrix products with everything that may stand around them, against plain double loops.
#include "Halves.h"
#include "KernelHarness.h"
#include "KernelTexts.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace fovea::lowering;
using namespace fovea::test;

namespace {

constexpr double kSqrtHalf = 0.70710678118654752440;

struct Numbers {
  std::mt19937 random{7};
  std::uniform_real_distribution<double> uniform{-1, 1};
  template <typename T> std::vector<T> operator()(int64_t count) {
    std::vector<T> v(count);
    for (T &x : v)
      x = static_cast<T>(uniform(random));
    return v;
  }
};

Machine machineFor(const std::string &name) {
  std::string error;
  auto machine = Machine::named(name, &error);
  EXPECT_TRUE(succeeded(machine)) << error;
  return *machine;
}

/// A K x N matrix as panels, what is past it filled with zeros.
template <typename T> std::vector<T> toPanels(const std::vector<T> &w, int64_t k, int64_t n) {
  int64_t width = panelWidthFor(n), panels = (n + width - 1) / width;
  std::vector<T> packed(panels * width * k, 0);
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < k; ++i)
      packed[(j / width * k + i) * width + j % width] = w[i * n + j];
  return packed;
}

template <typename T> void check(MatmulText text, const std::string &machineName, std::vector<int64_t> rows) {
  Machine machine = machineFor(machineName);
  bool dynamic = text.m < 0;
  auto kernel = LoadedKernel::compile(matmulText(text), "matmul", machine);
  ASSERT_TRUE(kernel) << matmulText(text);
  Numbers numbers;
  int64_t n = text.n, k = text.k;
  for (int64_t m : rows) {
    SCOPED_TRACE(machineName + ": " + std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k) +
                 (dynamic ? ", dynamic" : ""));
    auto a = numbers.operator()<T>(m * k), w = numbers.operator()<T>(k * n), bias = numbers.operator()<T>(n),
         residual = numbers.operator()<T>(m * n), scale = numbers.operator()<T>(n), shift = numbers.operator()<T>(n);
    std::vector<T> panels = text.panels ? toPanels(w, k, n) : w, guard(m * n + 64, T(77)), kept = guard, again,
                   keptAgain;
    std::vector<T> out = guard;
    auto run = [&](std::vector<T> &kept, std::vector<T> &out, int64_t pieces) {
      std::vector<void *> buffers{a.data(), panels.data()};
      if (text.bias)
        buffers.push_back(bias.data());
      if (text.residual)
        buffers.push_back(residual.data());
      if (!text.norm.empty()) {
        buffers.push_back(scale.data());
        if (text.norm == "layer")
          buffers.push_back(shift.data());
        if (text.keepSum)
          buffers.push_back(kept.data());
      }
      buffers.push_back(out.data());
      kernel->run(buffers, std::vector<int64_t>{m}, pieces);
    };
    run(kept, out, 1);
    for (int64_t pieces : {2, 3, 1000}) {
      again = keptAgain = guard;
      run(keptAgain, again, pieces);
      ASSERT_EQ(std::memcmp(again.data(), out.data(), out.size() * sizeof(T)), 0) << pieces << " pieces differ";
      ASSERT_EQ(std::memcmp(keptAgain.data(), kept.data(), out.size() * sizeof(T)), 0) << pieces << " pieces differ";
    }
    for (int64_t i = m * n; i < m * n + 64; ++i)
      ASSERT_EQ(double(out[i]), 77) << "written past the end";
    // Sums, and what stays as it is computed, are rounded once where elements are 16 bits wide.
    double tolerance = (sizeof(T) == 8 ? 1e-14 : 3e-6) * (std::sqrt(double(k)) + 4);
    auto allowed = [&](double value) { return tolerance + kRounding<T> * std::fabs(value); };
    for (int64_t i = 0; i < m; i += std::max<int64_t>(1, m / 23)) {
      std::vector<double> row(n);
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t x = 0; x < k; ++x)
          sum += double(a[i * k + x]) * double(w[x * n + j]);
        if (text.bias)
          sum += bias[j];
        if (text.activation == "gelu")
          sum = 0.5 * sum * (1 + std::erf(sum * kSqrtHalf));
        if (text.activation == "relu")
          sum = std::max(sum, 0.0);
        if (text.residual)
          sum += residual[i * n + j];
        row[j] = sum;
        if (text.keepSum)
          ASSERT_NEAR(double(kept[i * n + j]), sum, allowed(sum)) << "at " << i << ", " << j;
      }
      if (!text.norm.empty()) {
        double mean = 0, squares = 0;
        for (double x : row)
          mean += x / n;
        if (text.norm == "rms")
          mean = 0;
        for (double x : row)
          squares += (x - mean) * (x - mean) / n;
        for (int64_t j = 0; j < n; ++j)
          row[j] = (row[j] - mean) / std::sqrt(squares + 1e-5) * double(scale[j]) +
                   (text.norm == "layer" ? double(shift[j]) : 0);
      }
      for (int64_t j = 0; j < n; ++j)
        ASSERT_NEAR(double(out[i * n + j]), row[j], allowed(row[j])) << "at " << i << ", " << j;
    }
  }
}

class Matmul : public testing::TestWithParam<std::string> {};

TEST_P(Matmul, Shapes) {
  for (int64_t n : {1, 2, 16, 48, 50, 64, 100, 768})
    for (int64_t k : {1, 3, 64, 768}) {
      check<float>({-1, n, k}, GetParam(), {1, 2, 5, 7, 8, 9, 47, 128, 197});
      if (HasFatalFailure())
        return;
    }
}

TEST_P(Matmul, StaticRows) {
  for (int64_t m : {1, 2, 5, 7, 8, 9, 47, 128, 197, 600})
    for (auto [n, k] : {std::pair<int64_t, int64_t>(48, 768), {100, 64}, {64, 3072}})
      check<float>({m, n, k, true}, GetParam(), {m});
}

// Tiles of the last panel that lie behind the last column are not written.
TEST_P(Matmul, ColumnsThatEndAtATileOfAPanel) {
  for (int64_t n : {80, 112, 160})
    for (bool panels : {false, true}) {
      check<float>({-1, n, 64, true, false, "", "", false, panels}, GetParam(), {1, 9, 47});
      check<double>({-1, n, 64, true, false, "", "", false, panels, "f64"}, GetParam(), {1, 9, 47});
    }
}

TEST_P(Matmul, LongSums) {
  check<float>({-1, 768, 3072, true}, GetParam(), {1, 9, 197});
  check<float>({-1, 50, 3001}, GetParam(), {5, 300});
  check<float>({-1, 2500, 2049}, GetParam(), {3, 70});
}

TEST_P(Matmul, Epilogues) {
  for (bool bias : {false, true})
    for (bool residual : {false, true})
      for (const char *activation : {"", "relu", "gelu"})
        for (int64_t n : {50, 96, 160}) {
          MatmulText text{-1, n, 64, bias, residual, activation};
          check<float>(text, GetParam(), {1, 13, 40});
        }
}

TEST_P(Matmul, Norms) {
  for (const char *norm : {"layer", "rms"})
    for (bool keep : {false, true})
      for (auto [n, k] : {std::pair<int64_t, int64_t>(768, 64), {50, 3000}, {100, 32}}) {
        check<float>({-1, n, k, true, true, "", norm, keep}, GetParam(), {1, 8, 47, 128, 300});
        check<float>({47, n, k, false, true, "gelu", norm, keep}, GetParam(), {47});
      }
}

TEST_P(Matmul, RowMajorWeights) {
  for (auto [n, k] : {std::pair<int64_t, int64_t>(768, 64), {50, 1500}, {1, 7}})
    check<float>({-1, n, k, true, false, "", "", false, false}, GetParam(), {1, 8, 47, 300});
}

TEST_P(Matmul, Doubles) {
  for (auto [n, k] : {std::pair<int64_t, int64_t>(768, 64), {50, 1500}, {96, 3}})
    check<double>({-1, n, k, true, true, "relu", "layer", true, true, "f64"}, GetParam(), {1, 8, 47, 300});
}

// Weights in panels of 16 bits, other operands converted when they are packed or copied.
template <typename T> void checkHalf(const char *element, const std::string &machine) {
  for (auto [n, k] : {std::pair<int64_t, int64_t>(50, 1500), {96, 3}}) {
    check<T>({-1, n, k, true, true, "gelu", "", false, true, element}, machine, {1, 47});
    check<T>({33, n, k, true, false, "", "", false, false, element}, machine, {33});
  }
  check<T>({9, 48, 64, false, true, "relu", "layer", true, true, element}, machine, {9});
}

TEST_P(Matmul, Halves) {
  checkHalf<F16>("f16", GetParam());
  checkHalf<BF16>("bf16", GetParam());
}

// Machines without the instructions for f16.
TEST(MatmulOld, Halves) {
  checkHalf<F16>("f16", "x86-64");
  checkHalf<BF16>("bf16", "x86-64-v2");
}

// Heads out of a B x S x (H * D) buffer, a product for each: scores, and the product with values that lie along k.
TEST_P(Matmul, BatchesAndViews) {
  constexpr int64_t kB = 2, kS = 37, kH = 3, kD = 20;
  for (bool transposed : {false, true}) {
    // q k^T (k has unit stride along the sum) or p v (v has it along the columns), the latter written back as B x S x
    // (H * D).
    std::string text = transposed ? R"(
exec.kernel_def @kernel symbols 0 inits 1 shapes [affine_map<() -> (2, 37, 60)>, affine_map<() -> (2, 37, 60)>, affine_map<() -> (2, 3, 37, 37)>]
    layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {} {
^bb0(%a: tensor<2x37x60xf32>, %b: tensor<2x37x60xf32>, %out: tensor<2x3x37x37xf32>):
  %a4 = tensor.expand_shape %a [[0], [1], [2, 3]] output_shape [2, 37, 3, 20] : tensor<2x37x60xf32> into tensor<2x37x3x20xf32>
  %b4 = tensor.expand_shape %b [[0], [1], [2, 3]] output_shape [2, 37, 3, 20] : tensor<2x37x60xf32> into tensor<2x37x3x20xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3x37x37xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3x37x37xf32>) -> tensor<2x3x37x37xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(b, h, i, j, k) -> (b, i, h, k)>, affine_map<(b, h, i, j, k) -> (b, j, h, k)>, affine_map<(b, h, i, j, k) -> (b, h, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%a4, %b4 : tensor<2x37x3x20xf32>, tensor<2x37x3x20xf32>) outs(%z : tensor<2x3x37x37xf32>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %m = arith.mulf %x, %y : f32
    %r = arith.addf %s, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x3x37x37xf32>
  exec.yield %p : tensor<2x3x37x37xf32>
})"
                                  : R"(
exec.kernel_def @kernel symbols 0 inits 1 shapes [affine_map<() -> (2, 3, 37, 37)>, affine_map<() -> (2, 37, 60)>, affine_map<() -> (2, 37, 60)>]
    layouts [#exec.row_major, #exec.row_major, #exec.row_major] schedule {} {
^bb0(%a: tensor<2x3x37x37xf32>, %b: tensor<2x37x60xf32>, %out: tensor<2x37x60xf32>):
  %b4 = tensor.expand_shape %b [[0], [1], [2, 3]] output_shape [2, 37, 3, 20] : tensor<2x37x60xf32> into tensor<2x37x3x20xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x37x3x20xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x37x3x20xf32>) -> tensor<2x37x3x20xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(b, i, h, j, k) -> (b, h, i, k)>, affine_map<(b, i, h, j, k) -> (b, k, h, j)>, affine_map<(b, i, h, j, k) -> (b, i, h, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%a, %b4 : tensor<2x3x37x37xf32>, tensor<2x37x3x20xf32>) outs(%z : tensor<2x37x3x20xf32>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %m = arith.mulf %x, %y : f32
    %r = arith.addf %s, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x37x3x20xf32>
  %f = tensor.collapse_shape %p [[0], [1], [2, 3]] : tensor<2x37x3x20xf32> into tensor<2x37x60xf32>
  exec.yield %f : tensor<2x37x60xf32>
})";
    Machine machine = machineFor(GetParam());
    auto kernel = LoadedKernel::compile(text, "matmul", machine);
    ASSERT_TRUE(kernel);
    Numbers numbers;
    auto a = numbers.operator()<float>(transposed ? kB * kS * kH * kD : kB * kH * kS * kS),
         b = numbers.operator()<float>(kB * kS * kH * kD);
    std::vector<float> out(transposed ? kB * kH * kS * kS : kB * kS * kH * kD), again(out.size());
    kernel->run({a.data(), b.data(), out.data()});
    kernel->run({a.data(), b.data(), again.data()}, {}, 5);
    ASSERT_EQ(out, again);
    for (int64_t batch = 0; batch < kB; ++batch)
      for (int64_t h = 0; h < kH; ++h)
        for (int64_t i = 0; i < kS; ++i)
          for (int64_t j = 0; j < (transposed ? kS : kD); ++j) {
            double sum = 0;
            for (int64_t k = 0; k < (transposed ? kD : kS); ++k)
              sum += transposed
                         ? double(a[((batch * kS + i) * kH + h) * kD + k]) * b[((batch * kS + j) * kH + h) * kD + k]
                         : double(a[((batch * kH + h) * kS + i) * kS + k]) * b[((batch * kS + k) * kH + h) * kD + j];
            float got =
                transposed ? out[((batch * kH + h) * kS + i) * kS + j] : out[((batch * kS + i) * kH + h) * kD + j];
            ASSERT_NEAR(got, sum, 1e-4) << batch << ", " << h << ", " << i << ", " << j;
          }
  }
}

TEST(MatmulPlan, RefusesWithAReason) {
  std::string reason;
  std::string text = R"(
exec.kernel_def @kernel symbols 0 inits 1 shapes [affine_map<() -> (4, 4)>, affine_map<() -> (4, 4)>] layouts [#exec.row_major, #exec.row_major] schedule {} {
^bb0(%a: tensor<4x4xf32>, %out: tensor<4x4xf32>):
  %e = tensor.empty() : tensor<4x4xf32>
  %r = attn.softmax axis(1) ins(%a : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  exec.yield %r : tensor<4x4xf32>
})";
  EXPECT_FALSE(LoadedKernel::compile(text, "matmul", machineFor("native"), &reason));
  EXPECT_EQ(reason, "there is no product");
}

INSTANTIATE_TEST_SUITE_P(Machines, Matmul, testing::Values("native", "x86-64-v3"), [](const auto &info) {
  return info.param == "native" ? std::string("native") : std::string("avx2");
});

} // namespace
