#include "core/CodeImage.h"
#include "core/Error.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

using namespace fovea;

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static bool writeAll(int descriptor, std::span<const std::byte> content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    content = content.subspan(static_cast<size_t>(written));
  }
  return true;
}

static std::string linkerMessage() {
  const char *message = dlerror();
  return message ? message : "unknown reason";
}

bool CodeImage::linkFromMemory(std::span<const std::byte> elf) {
  // Since Linux 6.3 a system can insist on being told that the file is to be executed; older ones refuse the flag.
  descriptor = memfd_create("fovea", MFD_CLOEXEC | MFD_EXEC);
  if (descriptor < 0 && errno == EINVAL)
    descriptor = memfd_create("fovea", MFD_CLOEXEC);
  if (descriptor < 0)
    return false;
  if (writeAll(descriptor, elf))
    handle = dlopen(text("/proc/self/fd/", descriptor).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle)
    return true;
  close(std::exchange(descriptor, -1));
  return false;
}

void CodeImage::linkFromFolder(std::span<const std::byte> elf) {
  const char *parent = std::getenv("TMPDIR");
  std::string folder = text(parent && *parent ? parent : "/tmp", "/fovea-XXXXXX");
  if (!mkdtemp(folder.data()))
    fail(FOVEA_ENVIRONMENT, "cannot link the ", name, ": cannot make the folder ", quoted(folder), ": ",
         std::strerror(errno));
  const std::string file = folder + "/image.so";
  const int target = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
  const bool written = target >= 0 && writeAll(target, elf);
  const int reason = errno;
  if (target >= 0)
    close(target);
  std::string message;
  if (!written)
    message = text("cannot write ", quoted(file), ": ", std::strerror(reason));
  else if (handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL); !handle)
    message = linkerMessage();
  unlink(file.c_str());
  rmdir(folder.c_str());
  if (!handle)
    fail(FOVEA_ENVIRONMENT, "cannot link the ", name, ": ", message);
}

CodeImage::CodeImage(std::span<const std::byte> elf, const std::string &name) : CodeImage(name) {
  if (!linkFromMemory(elf))
    linkFromFolder(elf);
}

CodeImage::CodeImage(ByFolder, std::span<const std::byte> elf, const std::string &name) : CodeImage(name) {
  linkFromFolder(elf);
}

CodeImage::CodeImage(CodeImage &&other) noexcept
    : name(std::move(other.name)), handle(std::exchange(other.handle, nullptr)),
      descriptor(std::exchange(other.descriptor, -1)) {}

CodeImage::~CodeImage() {
  if (handle)
    dlclose(handle);
  if (descriptor >= 0)
    close(descriptor);
}

const void *CodeImage::symbol(const char *symbol) const {
  const void *address = dlsym(handle, symbol);
  if (!address)
    fail(FOVEA_INTERNAL, "expected the ", name, " to export ", symbol, ", got no such symbol");
  return address;
}
