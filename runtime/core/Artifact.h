// The reader of .fovea files: checks everything that is data and trusts nothing before; loads no code.
//
// What is checked, in this order: header, sizes, the manifest's checksum, the FlatBuffer, the manifest's own rules, the
// bounds of sections, their ELF headers. Checksums of sections are a separate step, so that reading stays independent
// of the weights' size.
#pragma once

#include "fovea/artifact.h"
#include "fovea/artifact_generated.h"
#include "fovea/fovea.h"

#include <cstddef>
#include <span>
#include <string>

namespace fovea {

class Artifact {
public:
  // A view that owns nothing: `file` must outlive it and not change. Fails with FOVEA_INVALID for what is no artifact
  // or damaged, FOVEA_UNSUPPORTED for one made for another version.
  explicit Artifact(std::span<const std::byte> file);

  const artifact::Manifest &manifest() const { return *root; }
  const artifact::Header &header() const { return head; }

  // Null where there is none.
  const artifact::Section *host() const { return hostSection; }
  const artifact::Section *weights() const { return weightSection; }
  const artifact::Section *shaders() const { return shaderSection; }

  std::span<const std::byte> bytes(const artifact::Section &section) const {
    return file.subspan(section.offset(), section.size());
  }

  // Fails with FOVEA_INVALID if the section's bytes are not those that were written.
  void verify(const artifact::Section &section) const;

  // "kernels section 2 (x86-64-v4)", for messages.
  std::string describe(const artifact::Section &section) const;

private:
  void checkHeader();
  void checkSections();
  void checkSection(const artifact::Section &section);
  void checkShaders() const;
  void checkVariants() const;
  void checkEntries() const;
  void checkEntry(const artifact::Entry &entry) const;

  std::span<const std::byte> file;
  artifact::Header head = {};
  const artifact::Manifest *root = nullptr;
  const artifact::Section *hostSection = nullptr;
  const artifact::Section *weightSection = nullptr;
  const artifact::Section *shaderSection = nullptr;
};

} // namespace fovea
