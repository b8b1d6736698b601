// The floating point control word while compiled code runs: the default one, so that results depend neither on what the
// caller has set (flush to zero, rounding) nor on which thread took which task.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fovea::cpu {

class DefaultFloatingPointMode {
public:
  DefaultFloatingPointMode() : before(read()) { write(DEFAULT); }
  ~DefaultFloatingPointMode() { write(before); }
  DefaultFloatingPointMode(const DefaultFloatingPointMode &) = delete;
  DefaultFloatingPointMode &operator=(const DefaultFloatingPointMode &) = delete;

private:
#if defined(__x86_64__)
  // Exceptions masked, denormals kept, round to nearest.
  static constexpr uint64_t DEFAULT = 0x1f80;
  static uint64_t read() { return _mm_getcsr(); }
  static void write(uint64_t mode) { _mm_setcsr(static_cast<uint32_t>(mode)); }
#elif defined(__aarch64__)
  static constexpr uint64_t DEFAULT = 0;
  static uint64_t read() {
    uint64_t mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void write(uint64_t mode) { asm volatile("msr fpcr, %0" ::"r"(mode)); }
#else
  static constexpr uint64_t DEFAULT = 0;
  static uint64_t read() { return 0; }
  static void write(uint64_t) {}
#endif

  uint64_t before;
};

} // namespace fovea::cpu
