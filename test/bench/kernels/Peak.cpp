// The probes of this machine's limits for programs in other languages: one C function each, see test/bench/peak.py.
#include "Probe.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <immintrin.h>
#include <thread>
#include <vector>

using namespace fovea::bench;

static double onThreads(int threads, auto &&measure) {
  std::vector<double> rates(std::max(threads, 1));
  std::atomic<size_t> arrived{0};
  auto work = [&](size_t index) {
    // All start together: clocks and memory depend on how many are busy.
    arrived.fetch_add(1);
    while (arrived.load() < rates.size())
      std::this_thread::yield();
    rates[index] = measure(index);
  };
  std::vector<std::thread> others;
  for (size_t index = 1; index < rates.size(); ++index)
    others.emplace_back(work, index);
  work(0);
  for (std::thread &other : others)
    other.join();
  double sum = 0;
  for (double rate : rates)
    sum += rate;
  return sum;
}

static double wall() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

extern "C" __attribute__((visibility("default"))) int fovea_bench_vector_bits() {
  return __builtin_cpu_supports("avx512f") ? 512 : 256;
}

/// f32 GF/s of `threads` threads together, each probed for `milliseconds`: its median, in time of the processor.
extern "C" __attribute__((visibility("default"))) double fovea_bench_multiply_adds(int threads, double milliseconds) {
  const int bits = fovea_bench_vector_bits();
  return onThreads(threads, [&](size_t) {
    std::vector<double> rates;
    const double end = wall() + milliseconds * 1e-3;
    do
      rates.push_back(probe(bits, 60000));
    while (wall() < end);
    std::nth_element(rates.begin(), rates.begin() + rates.size() / 2, rates.end());
    return rates[rates.size() / 2];
  });
}

__attribute__((target("avx2"))) static double readOnce(const float *data, size_t bytes) {
  const double start = seconds();
  // Four streams a thread read faster than one.
  const size_t quarter = bytes / 4 / 256 * 256;
  const char *p = reinterpret_cast<const char *>(data);
  __m256i sum[4] = {};
  for (size_t at = 0; at < quarter; at += 64)
    for (size_t stream = 0; stream < 4; ++stream) {
      const __m256i *line = reinterpret_cast<const __m256i *>(p + stream * quarter + at);
      sum[stream] =
          _mm256_xor_si256(sum[stream], _mm256_xor_si256(_mm256_load_si256(line), _mm256_load_si256(line + 1)));
    }
  asm volatile("" ::"x"(_mm256_xor_si256(_mm256_xor_si256(sum[0], sum[1]), _mm256_xor_si256(sum[2], sum[3]))));
  return 4 * quarter / (seconds() - start) * 1e-9;
}

/// GB/s that `threads` threads together read, each from `bytes` of its own: the best of five, in time of the processor.
extern "C" __attribute__((visibility("default"))) double fovea_bench_read(int threads, uint64_t bytes) {
  return onThreads(threads, [&](size_t) {
    Floats data(bytes / 4);
    std::fill(data.begin(), data.end(), 1.0f);
    double best = 0;
    for (int i = 0; i < 5; ++i)
      best = std::max(best, readOnce(data.data(), bytes));
    return best;
  });
}
