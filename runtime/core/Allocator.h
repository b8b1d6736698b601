// The memory that grows with models: arenas, workspaces, owned outputs. Goes through the caller's hooks where there are
// any.
#pragma once

#include "fovea/fovea.h"

#include <cstddef>

namespace fovea {

class Allocator {
public:
  Allocator() = default;
  explicit Allocator(const fovea_runtime_options &options);

  // Null on failure. `bytes` is not 0.
  void *allocate(size_t bytes, size_t alignment) const noexcept;
  void release(void *memory, size_t bytes, size_t alignment) const noexcept;

private:
  void *(*allocateHook)(void *, size_t, size_t) = nullptr;
  void (*releaseHook)(void *, void *, size_t, size_t) = nullptr;
  void *user = nullptr;
};

// A piece of memory that grows and never moves otherwise. Growing loses the contents.
class Buffer {
public:
  static constexpr size_t ALIGNMENT = 64;

  explicit Buffer(const Allocator &allocator) : allocator(&allocator) {}
  Buffer(Buffer &&other) noexcept;
  Buffer &operator=(Buffer &&) = delete;
  ~Buffer() { free(); }

  // False, and the buffer empty, if memory is refused.
  [[nodiscard]] bool reserve(size_t bytes) noexcept;
  void free() noexcept;

  char *data() const { return static_cast<char *>(memory); }
  size_t capacity() const { return held; }

private:
  const Allocator *allocator;
  void *memory = nullptr;
  size_t held = 0;
};

} // namespace fovea
