// Test data, and comparison of what a kernel wrote with plain loops.
#ifndef FOVEA_TEST_TARGET_CPU_LOOPS_BUFFERS_H
#define FOVEA_TEST_TARGET_CPU_LOOPS_BUFFERS_H

#include "test/target/cpu/Halves.h"
#include "test/target/cpu/loops/LoopsKernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

namespace fovea::test {

template <typename T> std::vector<T> randomValues(size_t n, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<T> values(n);
  for (T &v : values)
    if constexpr (std::is_floating_point_v<T>)
      v = std::uniform_real_distribution<T>(-2, 2)(random);
    else if constexpr (std::is_same_v<T, F16> || std::is_same_v<T, BF16>)
      v = std::uniform_real_distribution<double>(-2, 2)(random);
    else if constexpr (sizeof(T) == 1)
      v = random() % 2;
    else
      v = static_cast<T>(static_cast<int>(random() % 2001) - 1000);
  return values;
}

/// Runs with outputs of these sizes, whole and in 3 and 1000 pieces: the bits must be the same, and nothing after
/// the ends may change.
template <typename T>
std::vector<std::vector<T>> runAll(const LoopsKernel &kernel, std::vector<void *> inputs,
                                   const std::vector<size_t> &sizes, const std::vector<int64_t> &symbols = {},
                                   int64_t *fault = nullptr) {
  EXPECT_EQ(kernel.refusal(), "");
  std::vector<std::vector<T>> first;
  if (!kernel.refusal().empty()) {
    for (size_t size : sizes)
      first.emplace_back(size);
    return first;
  }
  for (int64_t pieces : {1, 3, 1000}) {
    std::vector<std::vector<T>> outputs;
    std::vector<void *> buffers = inputs;
    constexpr size_t kGuard = 64;
    for (size_t size : sizes) {
      outputs.emplace_back(size + kGuard);
      std::memset(outputs.back().data(), 0x5A, outputs.back().size() * sizeof(T));
    }
    for (auto &output : outputs)
      buffers.push_back(output.data());
    int64_t found = kernel.run(buffers, symbols, pieces);
    if (fault)
      *fault = found;
    else
      EXPECT_EQ(found, 0);
    for (auto [output, size] : llvm::zip(outputs, sizes)) {
      for (size_t i = size * sizeof(T); i < output.size() * sizeof(T); ++i)
        EXPECT_EQ(reinterpret_cast<unsigned char *>(output.data())[i], 0x5A) << "after the end";
      output.resize(size);
    }
    if (pieces == 1)
      first = outputs;
    else
      for (size_t o = 0; o < sizes.size(); ++o)
        EXPECT_EQ(std::memcmp(first[o].data(), outputs[o].data(), sizes[o] * sizeof(T)), 0)
            << pieces << " pieces give other bits";
  }
  return first;
}

template <typename T> void expectNear(const std::vector<T> &got, const std::vector<double> &want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  int shown = 0;
  for (size_t i = 0; i < got.size() && shown < 5; ++i) {
    bool bothNaN = std::isnan(double(got[i])) && std::isnan(want[i]);
    double value = got[i];
    if (!bothNaN && value != want[i] &&
        !(std::fabs(value - want[i]) <= tolerance * std::max(1.0, std::fabs(want[i])))) {
      ++shown;
      ADD_FAILURE() << "element " << i << " is " << value << ", not " << want[i];
    }
  }
}

} // namespace fovea::test

#endif // FOVEA_TEST_TARGET_CPU_LOOPS_BUFFERS_H
