#include "core/Allocator.h"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <utility>

using namespace fovea;

// From here on an arena is worth huge pages: fewer TLB misses, and fewer page faults in the first run.
static constexpr size_t HUGE_PAGE = size_t(2) << 20;

Allocator::Allocator(const fovea_runtime_options &options)
    : allocateHook(options.allocate), releaseHook(options.release), user(options.allocator_user) {}

void *Allocator::allocate(size_t bytes, size_t alignment) const noexcept {
  if (allocateHook) {
    void *memory = allocateHook(user, bytes, alignment);
    if (reinterpret_cast<uintptr_t>(memory) % alignment == 0)
      return memory;
    releaseHook(user, memory, bytes, alignment);
    return nullptr;
  }
  const bool large = bytes >= 2 * HUGE_PAGE;
  void *memory = nullptr;
  if (posix_memalign(&memory, large ? HUGE_PAGE : alignment, bytes) != 0)
    return nullptr;
  if (large)
    madvise(memory, bytes & ~(HUGE_PAGE - 1), MADV_HUGEPAGE);
  return memory;
}

void Allocator::release(void *memory, size_t bytes, size_t alignment) const noexcept {
  if (releaseHook)
    releaseHook(user, memory, bytes, alignment);
  else
    std::free(memory);
}

Buffer::Buffer(Buffer &&other) noexcept
    : allocator(other.allocator), memory(std::exchange(other.memory, nullptr)), held(std::exchange(other.held, 0)) {}

bool Buffer::reserve(size_t bytes) noexcept {
  if (bytes <= held)
    return true;
  free();
  // Whole cache lines, so that no two threads' memory shares one.
  const size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (rounded < bytes)
    return false;
  memory = allocator->allocate(rounded, ALIGNMENT);
  held = memory ? rounded : 0;
  return memory != nullptr;
}

void Buffer::free() noexcept {
  if (memory)
    allocator->release(memory, held, ALIGNMENT);
  memory = nullptr;
  held = 0;
}
