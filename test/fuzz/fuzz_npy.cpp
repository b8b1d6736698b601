// Fuzzes the readers of .npy and .npz files, from memory and from a file, which must give the same. What is read must
// survive being written and read again.
#include "test/fuzz/TemporaryFolder.h"
#include "tools/npy.h"

#include <cstdlib>
#include <cstring>
#include <optional>

using namespace fovea;

namespace fovea::npy {
static bool operator==(const Array &a, const Array &b) {
  return a.dtype == b.dtype && a.dims == b.dims && a.data == b.data;
}
} // namespace fovea::npy

static void require(bool condition) {
  if (!condition)
    std::abort();
}

template <typename Read> static auto attempt(const Read &read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const npy::Error &error) {
    // Nothing is ever our fault, or the environment's.
    require(std::strlen(error.what()) != 0 && (error.status == FOVEA_INVALID || error.status == FOVEA_UNSUPPORTED));
    return std::nullopt;
  }
}

/// libzip takes no names that are not text, and none twice where they differ only in their coding.
static bool isPlain(const npy::Arrays &arrays) {
  for (const auto &[name, array] : arrays)
    for (unsigned char c : name)
      if (c < 0x20 || c > 0x7e)
        return false;
  return !arrays.empty();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const fuzz::TemporaryFolder folder;
  static const std::string copy = folder / "copy";
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte *>(data), size);
  const std::string file = folder.write("input", data, size);

  const auto array = attempt([&] { return npy::parse(bytes); });
  require(attempt([&] { return npy::read(file); }) == array);
  if (array) {
    npy::write(copy, *array);
    require(npy::read(copy) == *array && npy::parse(npy::serialise(*array)) == *array);
  }

  const auto archive = attempt([&] { return npy::parseZip(bytes); });
  require(attempt([&] { return npy::readZip(file); }) == archive);
  if (archive && isPlain(*archive)) {
    npy::writeZip(copy, npy::Views(archive->begin(), archive->end()));
    require(npy::readZip(copy) == *archive);
  }
  return 0;
}
