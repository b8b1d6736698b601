// NumPy's files: .npy (one array) and .npz (a zip of them), as numpy.save and numpy.savez write them.
//
// Read: versions 1 to 3, little-endian, C or Fortran order (turned into C order), the dtypes of fovea.h. What NumPy
// cannot say travels by its bits: bf16 as uint16. Written: version 1, C order, stored uncompressed; the same arrays
// give the same bytes. Broken files give an Error, never more memory than they have contents for.
#pragma once

#include "fovea/fovea.h"

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fovea::npy {

class Error : public std::runtime_error {
public:
  Error(fovea_status status, const std::string &message) : std::runtime_error(message), status(status) {}

  // FOVEA_INVALID for contents, FOVEA_UNSUPPORTED for valid files with arrays that Fovea has no dtype for,
  // FOVEA_ENVIRONMENT for what the system refuses.
  fovea_status status;
};

// As aligned as kernels like their tensors.
template <typename T> struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <typename U> CacheLineAllocator(const CacheLineAllocator<U> &) {}
  T *allocate(size_t count) { return static_cast<T *>(::operator new(count * sizeof(T), std::align_val_t(64))); }
  void deallocate(T *memory, size_t) { ::operator delete(memory, std::align_val_t(64)); }
  bool operator==(const CacheLineAllocator &) const { return true; }
};
using Bytes = std::vector<std::byte, CacheLineAllocator<std::byte>>;

struct Array {
  fovea_dtype dtype = FOVEA_F32;
  std::vector<int64_t> dims;
  Bytes data;
};

// An array that lies elsewhere, to be written.
struct View {
  fovea_dtype dtype;
  std::span<const int64_t> dims;
  const void *data;

  View(fovea_dtype dtype, std::span<const int64_t> dims, const void *data) : dtype(dtype), dims(dims), data(data) {}
  View(const Array &array) : View(array.dtype, array.dims, array.data.data()) {}
  size_t bytes() const;
};

// Names without ".npy", in the file's order.
using Arrays = std::vector<std::pair<std::string, Array>>;
using Views = std::vector<std::pair<std::string, View>>;

Array parse(std::span<const std::byte> file);
Arrays parseZip(std::span<const std::byte> file);
std::vector<std::byte> serialise(const View &view);

Array read(const std::string &path);
Arrays readZip(const std::string &path);
// Write to a file beside `path` and rename it, so that no half-written file is ever seen.
void write(const std::string &path, const View &view);
void writeZip(const std::string &path, const Views &views);

// Reads `size` bytes or fewer into `target`, 0 at the end; fails with Error.
class Source {
public:
  virtual ~Source() = default;
  virtual size_t read(std::byte *target, size_t size) = 0;
};
// Reads one array of a source that holds `size` bytes in all.
Array parse(Source &source, uint64_t size);

} // namespace fovea::npy
