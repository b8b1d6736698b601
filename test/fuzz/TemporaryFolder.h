// A folder for what a fuzz target has to read from files. In memory, where the system has such a place.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unistd.h>

namespace fovea::fuzz {

class TemporaryFolder {
public:
  TemporaryFolder() {
    const char *memory = "/dev/shm";
    const std::filesystem::path place =
        access(memory, W_OK) == 0 ? std::filesystem::path(memory) : std::filesystem::temp_directory_path();
    std::string name = place / "fovea-fuzz-XXXXXX";
    if (!mkdtemp(name.data()))
      std::abort();
    folder = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;

  std::filesystem::path operator/(const char *name) const { return folder / name; }

  /// Makes a file; its path.
  std::string write(const char *name, const void *data, size_t size) const {
    const std::string path = folder / name;
    std::FILE *file = std::fopen(path.c_str(), "wb");
    if (!file || std::fwrite(data, 1, size, file) != size || std::fclose(file) != 0)
      std::abort();
    return path;
  }

private:
  std::filesystem::path folder;
};

} // namespace fovea::fuzz
