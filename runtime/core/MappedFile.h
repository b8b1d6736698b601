// A file mapped read-only. Pages are shared with every other process that maps it.
#pragma once

#include <cstddef>
#include <string>

namespace fovea {

class MappedFile {
public:
  MappedFile() = default;
  // Fails with FOVEA_ENVIRONMENT if the file cannot be opened or mapped, or is no regular file. An empty file maps to
  // no bytes.
  explicit MappedFile(const std::string &path);
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  const std::byte *data() const { return bytes; }
  size_t size() const { return length; }

private:
  const std::byte *bytes = nullptr;
  size_t length = 0;
};

} // namespace fovea
