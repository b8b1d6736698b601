// Fuzzes the readers of .npy and .npz files. What is read must survive being written and read again.
#include "tools/npy.h"

#include <cstdlib>

using namespace fovea;

static void writeAndRead(const npy::Array &array) {
  const npy::Array back = npy::parse(npy::serialise(array));
  if (back.dtype != array.dtype || back.dims != array.dims || back.data != array.data)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::span<const std::byte> file(reinterpret_cast<const std::byte *>(data), size);
  try {
    writeAndRead(npy::parse(file));
  } catch (const npy::Error &) {
  }
  try {
    for (const auto &[name, array] : npy::parseZip(file))
      writeAndRead(array);
  } catch (const npy::Error &) {
  }
  return 0;
}
