#include "core/Allocator.h"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <utility>

using namespace fovea;

// Arenas and workspaces are worth huge pages: kernels walk them with large strides, so the TLB would be the limit
// otherwise. From the size on from which the rest of the last page is a small price.
static constexpr size_t HUGE_PAGE = size_t(2) << 20;
static constexpr size_t LARGE = size_t(512) << 10;

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
  void *memory = nullptr;
  if (bytes < LARGE)
    return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
  const size_t pages = (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
  if (pages < bytes || posix_memalign(&memory, HUGE_PAGE, pages) != 0)
    return nullptr;
  madvise(memory, pages, MADV_HUGEPAGE);
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
