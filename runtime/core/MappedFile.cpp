#include "core/MappedFile.h"
#include "core/Error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace fovea;

namespace {
struct Descriptor {
  ~Descriptor() {
    if (number >= 0)
      close(number);
  }
  int number;
};
} // namespace

MappedFile::MappedFile(const std::string &path) {
  // Non-blocking, so that a pipe without a writer is refused below instead of waited for.
  Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat info = {};
  if (file.number < 0 || fstat(file.number, &info) != 0)
    fail(FOVEA_ENVIRONMENT, "cannot open ", quoted(path), ": ", std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    fail(FOVEA_ENVIRONMENT, "cannot open ", quoted(path), ": ",
         S_ISDIR(info.st_mode) ? "is a folder" : "not a regular file");
  length = static_cast<size_t>(info.st_size);
  if (length == 0)
    return;
  void *address = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED)
    fail(FOVEA_ENVIRONMENT, "cannot map ", quoted(path), ": ", std::strerror(errno));
  bytes = static_cast<const std::byte *>(address);
}

MappedFile::MappedFile(MappedFile &&other) noexcept
    : bytes(std::exchange(other.bytes, nullptr)), length(std::exchange(other.length, 0)) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(bytes, other.bytes);
  std::swap(length, other.length);
  return *this;
}

MappedFile::~MappedFile() {
  if (bytes)
    munmap(const_cast<std::byte *>(bytes), length);
}
