#include "Probe.h"

#include <algorithm>
#include <immintrin.h>

namespace fovea::bench {

// 12 chains of multiply-adds hide their latency on two units. A macro, because the function that holds them has to be
// compiled for the vectors.
#define CHAIN(sum) asm volatile("vfmadd231ps %1, %2, %0" : "+v"(sum) : "v"(x), "v"(y));
#define BURN(Vector, x, y)                                                                                             \
  Vector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;                           \
  for (int64_t n = 0; n < rounds; ++n) {                                                                               \
    CHAIN(a) CHAIN(b) CHAIN(c) CHAIN(d) CHAIN(e) CHAIN(f) CHAIN(g) CHAIN(h) CHAIN(i) CHAIN(j) CHAIN(k) CHAIN(l)        \
  }                                                                                                                    \
  return double(rounds) * 12 * 2 * (sizeof(Vector) / 4);

__attribute__((target("avx512f"))) static double burn512(int64_t rounds) {
  __m512 x = _mm512_set1_ps(1.0f), y = _mm512_set1_ps(0.0f);
  BURN(__m512, x, y)
}
__attribute__((target("avx2,fma"))) static double burn256(int64_t rounds) {
  __m256 x = _mm256_set1_ps(1.0f), y = _mm256_set1_ps(0.0f);
  BURN(__m256, x, y)
}

double probe(int bits, int64_t rounds) {
  auto run = bits >= 512 ? burn512 : burn256;
  double best = 0;
  // The best of three: an interrupt would look like a slow clock.
  for (int i = 0; i < 3; ++i) {
    double start = seconds(), flops = run(rounds);
    best = std::max(best, flops / (seconds() - start) * 1e-9);
  }
  return best;
}

} // namespace fovea::bench
