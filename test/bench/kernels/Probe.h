// The speed of this core right now: multiply-adds in registers, nothing else. Clocks float and hosts slow cores down,
// so every time that a benchmark reports stands beside the probe that ran next to it.
#pragma once

#include <cstdint>
#include <ctime>
#include <sys/mman.h>

namespace fovea::bench {

/// Of the processor, for this thread: what other processes take is left out.
inline double seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/// f32 GF/s of vectors of `bits` (128 (without multiply-add), 256 or 512), measured for about 15 microseconds; more
/// `rounds` take longer and are steadier, reading the clock costs them less.
double probe(int bits, int64_t rounds = 6000);

/// Zeros in huge pages, as the runtime keeps its activations and weights.
class Floats {
public:
  explicit Floats(size_t count) : bytes((count * 4 + kHuge - 1) / kHuge * kHuge), count(count) {
    // Aligned to a huge page by hand.
    void *all = mmap(nullptr, bytes + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memory = reinterpret_cast<float *>((reinterpret_cast<uintptr_t>(all) + kHuge - 1) / kHuge * kHuge);
    madvise(memory, bytes, MADV_HUGEPAGE);
  }
  ~Floats() { munmap(memory, bytes); }
  Floats(const Floats &) = delete;
  float *data() { return memory; }
  float *begin() { return memory; }
  float *end() { return memory + count; }
  float &operator[](size_t i) { return memory[i]; }

private:
  static constexpr size_t kHuge = 2 << 20;
  size_t bytes, count;
  float *memory;
};

} // namespace fovea::bench
