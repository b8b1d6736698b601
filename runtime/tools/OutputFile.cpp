#include "tools/OutputFile.h"
#include "tools/npy.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace fovea;

bool tools::isSpecialFile(const std::string &path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

// 0 or an error number.
static int writeParts(const std::string &path, std::initializer_list<std::span<const std::byte>> parts) {
  std::FILE *file = std::fopen(path.c_str(), "wbe");
  if (!file)
    return errno;
  int reason = 0;
  for (const std::span<const std::byte> part : parts)
    if (reason == 0 && std::fwrite(part.data(), 1, part.size(), file) != part.size())
      reason = errno;
  if (std::fclose(file) != 0 && reason == 0)
    reason = errno;
  return reason;
}

void tools::writeFile(const std::string &path, std::initializer_list<std::span<const std::byte>> parts) {
  const bool special = isSpecialFile(path);
  const std::string target = special ? path : fmt::format("{}.{}.tmp", path, getpid());
  int reason = writeParts(target, parts);
  if (!special && reason == 0 && std::rename(target.c_str(), path.c_str()) != 0)
    reason = errno;
  if (reason == 0)
    return;
  if (!special)
    std::remove(target.c_str());
  throw npy::Error(FOVEA_ENVIRONMENT, fmt::format("cannot write '{}': {}", path, std::strerror(reason)));
}

void tools::writeFile(const std::string &path, std::string_view text) {
  writeFile(path, {std::as_bytes(std::span(text))});
}
