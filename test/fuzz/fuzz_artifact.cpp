// Fuzzes the reader of .fovea files: the file as it is, mapped, and once more with a header that fits it, so that
// checksum and size do not shield the manifest. Nothing is linked or run.
#include "core/Artifact.h"
#include "core/Error.h"
#include "core/MappedFile.h"
#include "fovea/artifact.h"
#include "test/fuzz/TemporaryFolder.h"

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
  static const fuzz::TemporaryFolder folder;
  const std::string path = folder.write("model.fovea", data, size);
  const MappedFile file(path);
  readAll({file.data(), file.size()});
  artifact::Header header;
  if (size < sizeof(header))
    return 0;
  std::memcpy(&header, data, sizeof(header));
  std::memcpy(header.magic, artifact::MAGIC, sizeof(header.magic));
  header.format_version = artifact::FORMAT_VERSION;
  header.file_bytes = size;
  if (header.manifest_bytes > size - sizeof(header))
    header.manifest_bytes = static_cast<uint32_t>(size - sizeof(header));
  header.manifest_xxh3 = XXH3_64bits(data + sizeof(header), header.manifest_bytes);
  // No more than the file, so that a read past its end is seen.
  const std::unique_ptr<std::byte, void (*)(void *)> fitted(static_cast<std::byte *>(std::malloc(size)), std::free);
  std::memcpy(fitted.get(), data, size);
  std::memcpy(fitted.get(), &header, sizeof(header));
  readAll({fitted.get(), size});
  return 0;
}
