// Fuzzes the reader of .fovea files: as the bytes are, and once more with a header that fits them, so that checksum and
// size do not shield the manifest. Nothing is linked or run.
#include "core/Artifact.h"
#include "core/Error.h"
#include "fovea/artifact.h"

#include <cstdlib>
#include <cstring>
#include <memory>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace fovea;

static void readAll(std::span<const std::byte> bytes) {
  try {
    const Artifact file(bytes);
    size_t sum = 0;
    for (const artifact::Section *section : *file.manifest().sections()) {
      sum += file.describe(*section).size();
      for (std::byte byte : file.bytes(*section))
        sum += static_cast<size_t>(byte);
    }
    for (const artifact::Entry *entry : *file.manifest().entries())
      for (const auto *tensors : {entry->inputs(), entry->outputs()})
        for (const artifact::Tensor *tensor : *tensors)
          for (const artifact::Dim *dim : *tensor->dims())
            sum += tensor->name()->size() + (dim->name() ? dim->name()->size() : 0);
    file.verify(*file.host());
    // The sum keeps the reads above.
    if (sum == SIZE_MAX)
      std::abort();
  } catch (const Error &error) {
    // Damage is never Fovea's fault.
    if (error.status == FOVEA_INTERNAL || error.message.empty())
      std::abort();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::unique_ptr<std::byte, void (*)(std::byte *)> file(
      static_cast<std::byte *>(std::aligned_alloc(64, (size + 64) / 64 * 64)),
      [](std::byte *memory) { std::free(memory); });
  std::memcpy(file.get(), data, size);
  readAll({file.get(), size});
  artifact::Header header;
  if (size < sizeof(header))
    return 0;
  std::memcpy(&header, file.get(), sizeof(header));
  std::memcpy(header.magic, artifact::MAGIC, sizeof(header.magic));
  header.format_version = artifact::FORMAT_VERSION;
  header.file_bytes = size;
  if (header.manifest_bytes > size - sizeof(header))
    header.manifest_bytes = static_cast<uint32_t>(size - sizeof(header));
  header.manifest_xxh3 = XXH3_64bits(file.get() + sizeof(header), header.manifest_bytes);
  std::memcpy(file.get(), &header, sizeof(header));
  readAll({file.get(), size});
  return 0;
}
