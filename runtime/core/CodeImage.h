// A linked code section: an ELF shared object taken from memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace fovea {

class CodeImage {
public:
  // Links `elf`, which need not outlive this. `name` is for messages. Goes through a memory file; where the system has
  // none, through a file in a private temporary folder, removed at once. Fails with FOVEA_ENVIRONMENT.
  CodeImage(std::span<const std::byte> elf, const std::string &name);
  CodeImage(CodeImage &&other) noexcept;
  CodeImage &operator=(CodeImage &&) = delete;
  ~CodeImage();

  // Fails with FOVEA_INTERNAL if the image does not export `name`.
  const void *symbol(const char *name) const;

  // For tests: link through a temporary folder.
  struct ByFolder {};
  CodeImage(ByFolder, std::span<const std::byte> elf, const std::string &name);

private:
  // Delegated to by the others, so that the destructor runs when they fail.
  explicit CodeImage(const std::string &name) : name(name) {}
  bool linkFromMemory(std::span<const std::byte> elf);
  void linkFromFolder(std::span<const std::byte> elf);

  std::string name;
  void *handle = nullptr;
  // Open as long as the image is linked: the dynamic linker knows it by the name /proc/self/fd/N, and would take a
  // later image under the same number for this one.
  int descriptor = -1;
};

} // namespace fovea
