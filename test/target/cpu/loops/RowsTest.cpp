// Reductions, softmax, normalisations, running sums, rotary embedding, convolutions.
#include "test/target/cpu/loops/Buffers.h"

using namespace fovea::test;

namespace {

const char *cpus[] = {"native", "x86-64-v3", "x86-64"};

std::string reduction(const std::string &op, const std::string &init, const std::string &from, const std::string &to,
                      const std::string &inMap, const std::string &outMap, const std::string &iterators,
                      const std::string &type = "f32") {
  return "%z = arith.constant " + init + " : " + type + "\n%f = linalg.fill ins(%z : " + type + ") outs(%o0 : tensor<" +
         to + ">) -> tensor<" + to + ">\n%r = linalg.generic {indexing_maps = [" + inMap + ", " + outMap +
         "], iterator_types = [" + iterators + "]} ins(%a0 : tensor<" + from + ">) outs(%f : tensor<" + to +
         ">) {\n^bb0(%x: " + type + ", %acc: " + type + "):\n  %s = " + op + " %x, %acc : " + type +
         "\n  linalg.yield %s : " + type + "\n} -> tensor<" + to + ">\n";
}

TEST(Rows, sumsOverEachAxis) {
  for (const char *cpu : cpus) {
    int64_t m = 5, n = 19, k = 70;
    auto x = randomValues<float>(m * n * k);
    const char *maps[] = {"affine_map<(i,j,k)->(j,k)>", "affine_map<(i,j,k)->(i,k)>", "affine_map<(i,j,k)->(i,j)>",
                          "affine_map<(i,j,k)->()>"};
    const char *shapes[] = {"19x70xf32", "5x70xf32", "5x19xf32", "f32"};
    const char *iterators[] = {"\"reduction\", \"parallel\", \"parallel\"", "\"parallel\", \"reduction\", \"parallel\"",
                               "\"parallel\", \"parallel\", \"reduction\"",
                               "\"reduction\", \"reduction\", \"reduction\""};
    for (int axis = 0; axis < 4; ++axis) {
      LoopsKernel kernel({{"5x19x70xf32", ""}}, {{shapes[axis], ""}},
                         reduction("arith.addf", "0.0", "5x19x70xf32", shapes[axis], "affine_map<(i,j,k)->(i,j,k)>",
                                   maps[axis], iterators[axis]) +
                             "exec.yield %r : tensor<" + shapes[axis] + ">",
                         0, cpu);
      size_t count = axis == 0 ? n * k : axis == 1 ? m * k : axis == 2 ? m * n : 1;
      std::vector<double> want(count);
      for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j)
          for (int l = 0; l < k; ++l)
            want[axis == 0 ? j * k + l : axis == 1 ? i * k + l : axis == 2 ? i * n + j : 0] += x[(i * n + j) * k + l];
      expectNear(runAll<float>(kernel, {x.data()}, {count})[0], want, 1e-4);
    }
  }
}

TEST(Rows, otherReductions) {
  for (int64_t n : {1, 15, 16, 64, 67, 1000}) {
    std::string from = "3x?xi64";
    auto x = randomValues<int64_t>(3 * n);
    for (auto [op, init] : {std::pair<const char *, const char *>{"arith.addi", "0"},
                            {"arith.maxsi", "-9223372036854775808"},
                            {"arith.minsi", "9223372036854775807"}}) {
      LoopsKernel kernel({{from, "(3, s0)"}}, {{"3xi64", ""}},
                         reduction(op, init, from, "3xi64", "affine_map<(i,j)->(i,j)>", "affine_map<(i,j)->(i)>",
                                   "\"parallel\", \"reduction\"", "i64") +
                             "exec.yield %r : tensor<3xi64>",
                         1);
      auto out = runAll<int64_t>(kernel, {x.data()}, {3}, {n});
      for (int i = 0; i < 3; ++i) {
        int64_t want = x[i * n];
        for (int j = 1; j < n; ++j) {
          int64_t v = x[i * n + j];
          want = op[6] == 'a' ? want + v : op[7] == 'a' ? std::max(want, v) : std::min(want, v);
        }
        ASSERT_EQ(out[0][i], want) << op << n;
      }
    }
  }
}

TEST(Rows, maximumOfNaN) {
  LoopsKernel kernel({{"2x100xf32", ""}}, {{"2xf32", ""}},
                     reduction("arith.maximumf", "0xFF800000", "2x100xf32", "2xf32", "affine_map<(i,j)->(i,j)>",
                               "affine_map<(i,j)->(i)>", "\"parallel\", \"reduction\"") +
                         "exec.yield %r : tensor<2xf32>");
  auto x = randomValues<float>(200);
  x[37] = NAN, x[150] = 7;
  auto out = runAll<float>(kernel, {x.data()}, {2});
  EXPECT_TRUE(std::isnan(out[0][0]));
  EXPECT_EQ(out[0][1], 7);
}

TEST(Rows, argumentOfTheMaximum) {
  for (bool last : {true, false}) {
    std::string map = last ? "affine_map<(i,j)->(i)>" : "affine_map<(i,j)->(j)>", to = last ? "6" : "33";
    LoopsKernel kernel({{"6x33xf32", ""}}, {{to + "xf32", ""}, {to + "xi64", ""}},
                       "%m = arith.constant 0xFF800000 : f32\n%z = arith.constant 0 : i64\n%f = linalg.fill ins(%m "
                       ": f32) outs(%o0 : tensor<" +
                           to + "xf32>) -> tensor<" + to + "xf32>\n%g = linalg.fill ins(%z : i64) outs(%o1 : tensor<" +
                           to + "xi64>) -> tensor<" + to +
                           "xi64>\n%r:2 = linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>, " + map + ", " +
                           map + "], iterator_types = [" +
                           (last ? "\"parallel\", \"reduction\"" : "\"reduction\", \"parallel\"") +
                           "]} ins(%a0 : tensor<6x33xf32>) outs(%f, %g : tensor<" + to + "xf32>, tensor<" + to +
                           R"(xi64>) {
^bb0(%x: f32, %best: f32, %at: i64):
  %i = linalg.index )" + (last ? "1" : "0") +
                           R"( : index
  %i64 = arith.index_cast %i : index to i64
  %c = arith.cmpf ogt, %x, %best : f32
  %v = arith.select %c, %x, %best : f32
  %w = arith.select %c, %i64, %at : i64
  linalg.yield %v, %w : f32, i64
} -> (tensor<)" + to + "xf32>, tensor<" +
                           to + "xi64>)\nexec.yield %r#0, %r#1 : tensor<" + to + "xf32>, tensor<" + to + "xi64>");
    ASSERT_EQ(kernel.refusal(), "");
    auto x = randomValues<float>(6 * 33);
    std::vector<float> value(33);
    std::vector<int64_t> place(33);
    kernel.run({x.data(), value.data(), place.data()});
    for (int i = 0; i < (last ? 6 : 33); ++i) {
      int best = 0;
      auto at = [&](int j) { return last ? x[i * 33 + j] : x[j * 33 + i]; };
      for (int j = 1; j < (last ? 33 : 6); ++j)
        if (at(j) > at(best))
          best = j;
      ASSERT_EQ(place[i], best);
      ASSERT_EQ(value[i], at(best));
    }
  }
}

TEST(Rows, softmax) {
  for (const char *cpu : cpus)
    for (int axis : {0, 1, 2})
      for (const char *extra : {"", "{guarded}", "{log}"})
        for (int64_t n : {1, 7, 64, 131}) {
          int64_t shape[] = {3, 5, 18};
          shape[axis] = n;
          std::string t =
              std::to_string(shape[0]) + "x" + std::to_string(shape[1]) + "x" + std::to_string(shape[2]) + "xf32";
          LoopsKernel kernel({{t, ""}}, {{t, ""}},
                             "%0 = attn.softmax axis(" + std::to_string(axis) + ") ins(%a0 : tensor<" + t +
                                 ">) outs(%o0 : tensor<" + t + ">) " + extra + " -> tensor<" + t +
                                 ">\nexec.yield %0 : tensor<" + t + ">",
                             0, cpu);
          size_t count = shape[0] * shape[1] * shape[2];
          auto x = randomValues<float>(count);
          for (float &v : x)
            v *= 5;
          int64_t stride = axis == 2 ? 1 : axis == 1 ? shape[2] : shape[1] * shape[2];
          // The first row is all -inf; the last one has one of them.
          for (int64_t j = 0; j < n; ++j)
            x[j * stride] = -INFINITY;
          if (n > 1)
            x[count - 1] = -INFINITY;
          auto out = runAll<float>(kernel, {x.data()}, {count});
          std::vector<double> want(count);
          for (size_t i = 0; i < count; ++i) {
            if (i / stride % n != 0)
              continue;
            double maximum = -INFINITY, sum = 0;
            for (int64_t j = 0; j < n; ++j)
              maximum = std::max<double>(maximum, x[i + j * stride]);
            for (int64_t j = 0; j < n; ++j)
              sum += std::exp(x[i + j * stride] - maximum);
            for (int64_t j = 0; j < n; ++j) {
              double d = x[i + j * stride] - maximum, y = extra[1] == 'l' ? d - std::log(sum) : std::exp(d) / sum;
              want[i + j * stride] = extra[1] == 'g' && std::isnan(y) ? 0 : y;
            }
          }
          expectNear(out[0], want, 2e-6);
        }
}

// Rows of 16-bit floats: computed in f32, rounded once.
template <typename T> void checkHalfRows(const std::string &type) {
  for (const char *cpu : cpus)
    for (int64_t n : {1, 9, 67, 300}) {
      std::string ns = std::to_string(n), t = "4x" + ns + "x" + type, p = ns + "x" + type, tensor = "tensor<" + t + ">",
                  row = "tensor<4x" + type + ">";
      auto into = [&](int i) { return " outs(%o" + std::to_string(i) + " : " + tensor + ") -> " + tensor + "\n"; };
      LoopsKernel kernel(
          {{t, ""}, {p, ""}, {p, ""}}, {{t, ""}, {t, ""}, {t, ""}, {t, ""}, {"4x" + type, ""}},
          "%s = attn.softmax axis(1) ins(%a0 : " + tensor + ")" + into(0) +
              "%l = attn.layer_norm axis(1) epsilon(1.0e-05) ins(%a0 : " + tensor + ") scale(%a1 : tensor<" + p +
              ">) bias(%a2 : tensor<" + p + ">)" + into(1) + "%r = attn.rms_norm axis(1) epsilon(1.0e-06) ins(%a0 : " +
              tensor + ") scale(%a1 : tensor<" + p + ">)" + into(2) + "%c = attn.softmax axis(0) ins(%a0 : " + tensor +
              ")" + into(3) + "%z = arith.constant 0.0 : " + type + "\n%f = linalg.fill ins(%z : " + type +
              ") outs(%o4 : " + row + ") -> " + row +
              "\n%q = linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i)>], "
              "iterator_types = [\"parallel\", \"reduction\"]} ins(%a0 : " +
              tensor + ") outs(%f : " + row + ") {\n^bb0(%x: " + type + ", %acc: " + type +
              "):\n  %y = arith.addf %x, %acc : " + type + "\n  linalg.yield %y : " + type + "\n} -> " + row +
              "\nexec.yield %s, %l, %r, %c, %q : " + tensor + ", " + tensor + ", " + tensor + ", " + tensor + ", " +
              row,
          0, cpu);
      auto x = randomValues<T>(4 * n), scale = randomValues<T>(n, 3), bias = randomValues<T>(n, 4);
      size_t count = 4 * n;
      auto out = runAll<T>(kernel, {x.data(), scale.data(), bias.data()}, {count, count, count, count, 4});
      std::vector<double> softmax(count), layer(count), rms(count), columns(count), sums(4);
      auto at = [&](int64_t i, int64_t j) -> double { return x[i * n + j]; };
      for (int64_t i = 0; i < 4; ++i) {
        double mean = 0, square = 0, variance = 0, total = 0;
        for (int64_t j = 0; j < n; ++j)
          mean += at(i, j) / n, square += at(i, j) * at(i, j) / n, total += std::exp(at(i, j)), sums[i] += at(i, j);
        for (int64_t j = 0; j < n; ++j)
          variance += (at(i, j) - mean) * (at(i, j) - mean) / n;
        for (int64_t j = 0; j < n; ++j) {
          double column = 0;
          for (int64_t k = 0; k < 4; ++k)
            column += std::exp(at(k, j));
          softmax[i * n + j] = std::exp(at(i, j)) / total, columns[i * n + j] = std::exp(at(i, j)) / column;
          layer[i * n + j] = (at(i, j) - mean) / std::sqrt(variance + 1e-5) * double(scale[j]) + double(bias[j]);
          rms[i * n + j] = at(i, j) / std::sqrt(square + 1e-6) * double(scale[j]);
        }
      }
      double tolerance = kRounding<T> + 1e-5;
      expectNear(out[0], softmax, tolerance);
      expectNear(out[1], layer, tolerance);
      expectNear(out[2], rms, tolerance);
      expectNear(out[3], columns, tolerance);
      expectNear(out[4], sums, tolerance);
    }
}

TEST(Rows, halves) {
  checkHalfRows<F16>("f16");
  checkHalfRows<BF16>("bf16");
}

TEST(Rows, normalisationsOfSums) {
  for (const char *cpu : cpus)
    for (int64_t n : {1, 9, 48, 100}) {
      std::string t = "4x6x" + std::to_string(n) + "xf32", p = std::to_string(n) + "xf32";
      LoopsKernel kernel({{t, ""}, {t, ""}, {p, ""}, {p, ""}}, {{t, ""}, {t, ""}, {t, ""}},
                         "%s = linalg.add ins(%a0, %a1 : tensor<" + t + ">, tensor<" + t + ">) outs(%o0 : tensor<" + t +
                             ">) -> tensor<" + t + ">\n%l = attn.layer_norm axis(2) epsilon(1.0e-05) ins(%s : tensor<" +
                             t + ">) scale(%a2 : tensor<" + p + ">) bias(%a3 : tensor<" + p + ">) outs(%o1 : tensor<" +
                             t + ">) -> tensor<" + t +
                             ">\n%r = attn.rms_norm axis(2) epsilon(1.0e-06) ins(%a0 : tensor<" + t +
                             ">) scale(%a2 : tensor<" + p + ">) outs(%o2 : tensor<" + t + ">) -> tensor<" + t +
                             ">\nexec.yield %s, %l, %r : tensor<" + t + ">, tensor<" + t + ">, tensor<" + t + ">",
                         0, cpu);
      auto x = randomValues<float>(24 * n), y = randomValues<float>(24 * n, 2), scale = randomValues<float>(n, 3),
           bias = randomValues<float>(n, 4);
      size_t count = 24 * n;
      auto out = runAll<float>(kernel, {x.data(), y.data(), scale.data(), bias.data()}, {count, count, count});
      std::vector<double> layer, rms;
      for (int i = 0; i < 24; ++i) {
        double mean = 0, variance = 0, square = 0;
        for (int j = 0; j < n; ++j)
          mean += (double(x[i * n + j]) + y[i * n + j]) / n, square += double(x[i * n + j]) * x[i * n + j] / n;
        for (int j = 0; j < n; ++j)
          variance += std::pow(double(x[i * n + j]) + y[i * n + j] - mean, 2) / n;
        for (int j = 0; j < n; ++j) {
          layer.push_back((double(x[i * n + j]) + y[i * n + j] - mean) / std::sqrt(variance + 1e-5) * scale[j] +
                          bias[j]);
          rms.push_back(x[i * n + j] / std::sqrt(square + 1e-6) * scale[j]);
        }
      }
      expectNear(out[1], layer, 2e-5);
      expectNear(out[2], rms, 1e-5);
    }
}

TEST(Rows, normalisationOverTwoDimsAndAfterwards) {
  std::string t = "4x6x10xf32", p = "6x10xf32";
  LoopsKernel kernel({{t, ""}, {p, ""}}, {{t, ""}}, R"(
%e = tensor.empty() : tensor<4x6x10xf32>
%l = attn.layer_norm axis(1) epsilon(1.0e-05) ins(%a0 : tensor<4x6x10xf32>) scale(%a1 : tensor<6x10xf32>) outs(%e : tensor<4x6x10xf32>) -> tensor<4x6x10xf32>
%t = linalg.tanh ins(%l : tensor<4x6x10xf32>) outs(%o0 : tensor<4x6x10xf32>) -> tensor<4x6x10xf32>
exec.yield %t : tensor<4x6x10xf32>)");
  EXPECT_EQ(kernel.stageCount(), 1u);
  auto x = randomValues<float>(240), scale = randomValues<float>(60, 3);
  auto out = runAll<float>(kernel, {x.data(), scale.data()}, {240});
  std::vector<double> want;
  for (int i = 0; i < 4; ++i) {
    double mean = 0, variance = 0;
    for (int j = 0; j < 60; ++j)
      mean += x[i * 60 + j] / 60.0;
    for (int j = 0; j < 60; ++j)
      variance += std::pow(x[i * 60 + j] - mean, 2) / 60;
    for (int j = 0; j < 60; ++j)
      want.push_back(std::tanh((x[i * 60 + j] - mean) / std::sqrt(variance + 1e-5) * scale[j]));
  }
  expectNear(out[0], want, 1e-5);
}

TEST(Rows, meanIsSubtracted) {
  // A reduction inside of an elementwise operation's rows.
  LoopsKernel kernel({{"9x50xf32", ""}}, {{"9x50xf32", ""}}, R"(
%z = arith.constant 0.0 : f32
%e = tensor.empty() : tensor<9xf32>
%f = linalg.fill ins(%z : f32) outs(%e : tensor<9xf32>) -> tensor<9xf32>
%s = linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i)>], iterator_types = ["parallel", "reduction"]} ins(%a0 : tensor<9x50xf32>) outs(%f : tensor<9xf32>) {
^bb0(%x: f32, %acc: f32):
  %y = arith.addf %acc, %x : f32
  linalg.yield %y : f32
} -> tensor<9xf32>
%r = linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i)>, affine_map<(i,j)->(i,j)>], iterator_types = ["parallel", "parallel"]} ins(%a0, %s : tensor<9x50xf32>, tensor<9xf32>) outs(%o0 : tensor<9x50xf32>) {
^bb0(%x: f32, %sum: f32, %o: f32):
  %n = arith.constant 0.02 : f32
  %m = arith.mulf %sum, %n : f32
  %y = arith.subf %x, %m : f32
  linalg.yield %y : f32
} -> tensor<9x50xf32>
exec.yield %r : tensor<9x50xf32>)");
  EXPECT_EQ(kernel.stageCount(), 1u);
  auto x = randomValues<float>(450);
  auto out = runAll<float>(kernel, {x.data()}, {450});
  std::vector<double> want;
  for (int i = 0; i < 9; ++i) {
    double sum = 0;
    for (int j = 0; j < 50; ++j)
      sum += x[i * 50 + j];
    for (int j = 0; j < 50; ++j)
      want.push_back(x[i * 50 + j] - sum / 50);
  }
  expectNear(out[0], want, 1e-5);
}

TEST(Rows, runningSums) {
  for (int axis : {0, 1})
    for (int form = 0; form < 4; ++form) {
      std::string words = std::string(form & 1 ? " exclusive unit" : "") + (form & 2 ? " reverse unit" : "");
      std::string properties = std::string("axis = ") + std::to_string(axis) + " : i64" +
                               (form & 1 ? ", exclusive" : "") + (form & 2 ? ", reverse" : "");
      LoopsKernel kernel(
          {{"7x21xi64", ""}}, {{"7x21xi64", ""}},
          "%0 = \"data.cumsum\"(%a0, %o0) <{" + properties +
              "}> : (tensor<7x21xi64>, tensor<7x21xi64>) -> tensor<7x21xi64>\nexec.yield %0 : tensor<7x21xi64>");
      auto x = randomValues<int64_t>(147);
      auto out = runAll<int64_t>(kernel, {x.data()}, {147});
      int n = axis ? 21 : 7, stride = axis ? 1 : 21;
      for (int i = 0; i < 147; ++i) {
        int at = i / stride % n, row = i - at * stride;
        int64_t want = 0;
        for (int j = 0; j < n; ++j)
          if (form & 2 ? (form & 1 ? j > at : j >= at) : (form & 1 ? j < at : j <= at))
            want += x[row + j * stride];
        ASSERT_EQ(out[0][i], want) << axis << words;
      }
    }
}

TEST(Rows, rotaryEmbedding) {
  for (bool interleaved : {false, true})
    for (bool full : {false, true})
      for (int rotated : {24, 16}) {
        std::string table = "7x" + std::to_string(full ? rotated : rotated / 2) + "xf32";
        LoopsKernel kernel(
            {{"3x7x24xf32", ""}, {table, ""}, {table, ""}}, {{"3x7x24xf32", ""}},
            "%0 = attn.rotary_embedding ins(%a0, %a1, %a2 : tensor<3x7x24xf32>, tensor<" + table + ">, tensor<" +
                table +
                ">) outs(%o0 : tensor<3x7x24xf32>) {table_map = affine_map<(h, i) -> (i)>, form = #attn.rotary<" +
                (interleaved ? "interleaved" : "half") + ">, rotary_dim = " + std::to_string(rotated) +
                " : i64} -> tensor<3x7x24xf32>\nexec.yield %0 : tensor<3x7x24xf32>");
        int columns = full ? rotated : rotated / 2;
        auto x = randomValues<float>(504), cosine = randomValues<float>(7 * columns, 2),
             sine = randomValues<float>(7 * columns, 3);
        auto out = runAll<float>(kernel, {x.data(), cosine.data(), sine.data()}, {504});
        std::vector<double> want(x.begin(), x.end());
        for (int r = 0; r < 21; ++r)
          for (int d = 0; d < rotated / 2; ++d) {
            int one = interleaved ? 2 * d : d, two = interleaved ? 2 * d + 1 : d + rotated / 2, row = r % 7 * columns;
            double c1 = cosine[row + (full ? one : d)], s1 = sine[row + (full ? one : d)],
                   c2 = cosine[row + (full ? two : d)], s2 = sine[row + (full ? two : d)];
            want[r * 24 + one] = x[r * 24 + one] * c1 - x[r * 24 + two] * s1;
            want[r * 24 + two] = x[r * 24 + two] * c2 + x[r * 24 + one] * s2;
          }
        expectNear(out[0], want, 1e-6);
      }
}

TEST(Rows, convolutionWithSteps) {
  for (const char *cpu : cpus) {
    LoopsKernel kernel({{"2x3x21xf32", ""}, {"4x3x5xf32", ""}, {"4xf32", ""}}, {{"2x4x9xf32", ""}}, R"(
%f = linalg.generic {indexing_maps = [affine_map<(b,o,i)->(o)>, affine_map<(b,o,i)->(b,o,i)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%a2 : tensor<4xf32>) outs(%o0 : tensor<2x4x9xf32>) {
^bb0(%x: f32, %o: f32):
  linalg.yield %x : f32
} -> tensor<2x4x9xf32>
%r = linalg.generic {indexing_maps = [affine_map<(b,o,i,c,k)->(b,c,2*i+k)>, affine_map<(b,o,i,c,k)->(o,c,k)>, affine_map<(b,o,i,c,k)->(b,o,i)>], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%a0, %a1 : tensor<2x3x21xf32>, tensor<4x3x5xf32>) outs(%f : tensor<2x4x9xf32>) {
^bb0(%x: f32, %w: f32, %acc: f32):
  %p = arith.mulf %x, %w : f32
  %s = arith.addf %acc, %p : f32
  linalg.yield %s : f32
} -> tensor<2x4x9xf32>
exec.yield %r : tensor<2x4x9xf32>)",
                       0, cpu);
    auto x = randomValues<float>(126), w = randomValues<float>(60, 2), bias = randomValues<float>(4, 3);
    auto out = runAll<float>(kernel, {x.data(), w.data(), bias.data()}, {72});
    std::vector<double> want;
    for (int b = 0; b < 2; ++b)
      for (int o = 0; o < 4; ++o)
        for (int i = 0; i < 9; ++i) {
          double sum = bias[o];
          for (int c = 0; c < 3; ++c)
            for (int k = 0; k < 5; ++k)
              sum += x[(b * 3 + c) * 21 + 2 * i + k] * w[(o * 3 + c) * 5 + k];
          want.push_back(sum);
        }
    expectNear(out[0], want, 1e-5);
  }
}

TEST(Rows, matmulOfAnyType) {
  for (int n : {1, 33, 130}) {
    std::string ns = std::to_string(n);
    LoopsKernel kernel({{"5x17xi32", ""}, {"17x" + ns + "xi32", ""}}, {{"5x" + ns + "xi32", ""}},
                       "%z = arith.constant 0 : i32\n%f = linalg.fill ins(%z : i32) outs(%o0 : tensor<5x" + ns +
                           "xi32>) -> tensor<5x" + ns +
                           "xi32>\n%r = linalg.matmul ins(%a0, %a1 : tensor<5x17xi32>, tensor<17x" + ns +
                           "xi32>) outs(%f : tensor<5x" + ns + "xi32>) -> tensor<5x" + ns +
                           "xi32>\nexec.yield %r : tensor<5x" + ns + "xi32>");
    auto a = randomValues<int32_t>(85), b = randomValues<int32_t>(17 * n, 2);
    auto out = runAll<int32_t>(kernel, {a.data(), b.data()}, {size_t(5 * n)});
    for (int i = 0; i < 5; ++i)
      for (int j = 0; j < n; ++j) {
        int32_t sum = 0;
        for (int k = 0; k < 17; ++k)
          sum += a[i * 17 + k] * b[k * n + j];
        ASSERT_EQ(out[0][i * n + j], sum);
      }
  }
}

TEST(Rows, symbolicSizesAndNothing) {
  LoopsKernel kernel({{"?x?xf32", "(s0, s1)"}}, {{"?x?xf32", "(s0, s1)"}}, R"(
%0 = attn.softmax axis(1) ins(%a0 : tensor<?x?xf32>) outs(%o0 : tensor<?x?xf32>) -> tensor<?x?xf32>
exec.yield %0 : tensor<?x?xf32>)",
                     2);
  for (auto [m, n] : {std::pair{0, 5}, {5, 0}, {1, 1}, {3, 129}}) {
    auto x = randomValues<float>(m * n);
    auto out = runAll<float>(kernel, {x.data()}, {size_t(m * n)}, {m, n});
    for (int i = 0; i < m; ++i) {
      double sum = 0;
      for (int j = 0; j < n; ++j)
        sum += out[0][i * n + j];
      if (n)
        EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
}

TEST(Rows, inPlace) {
  // The input is the memory of the init.
  LoopsKernel kernel({{"6x100xf32", ""}}, {{"6x100xf32", ""}}, R"(
%0 = attn.softmax axis(1) ins(%a0 : tensor<6x100xf32>) outs(%o0 : tensor<6x100xf32>) -> tensor<6x100xf32>
exec.yield %0 : tensor<6x100xf32>)");
  auto x = randomValues<float>(600);
  auto out = runAll<float>(kernel, {x.data()}, {600});
  kernel.run({x.data(), x.data()});
  EXPECT_EQ(std::memcmp(x.data(), out[0].data(), 2400), 0);
}

} // namespace
