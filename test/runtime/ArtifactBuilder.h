// Writes .fovea files without the compiler: a manifest as an object, sections as bytes.
#pragma once

#include "fovea/artifact_generated.h"

#include <cstddef>
#include <string>
#include <vector>

namespace fovea::test {

using Bytes = std::vector<std::byte>;

struct Artifact {
  artifact::ManifestT manifest;
  // Contents of manifest.sections, one each.
  std::vector<Bytes> contents;

  // Adds a section; its place and checksum are filled in by build.
  artifact::SectionT &add(artifact::SectionKind kind, Bytes content);
  // The file. Places and checksums of sections are computed, everything else is taken as it is.
  Bytes build();
  // The file with the manifest as it is, places and checksums included; only the header is computed.
  Bytes buildAsIs() const;
};

// A file whose header fits the manifest and size again, after the bytes behind it were changed.
void sealHeader(Bytes &file);

Bytes readFile(const std::string &path);
void writeFile(const std::string &path, const Bytes &content);

} // namespace fovea::test
