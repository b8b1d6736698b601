#include "ArtifactBuilder.h"
#include "fovea/artifact.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace fovea;
using namespace fovea::artifact;

static uint64_t aligned(uint64_t offset) {
  return (offset + SECTION_ALIGNMENT - 1) / SECTION_ALIGNMENT * SECTION_ALIGNMENT;
}

static test::Bytes pack(const ManifestT &manifest) {
  flatbuffers::FlatBufferBuilder builder;
  FinishManifestBuffer(builder, Manifest::Pack(builder, &manifest));
  const auto *start = reinterpret_cast<const std::byte *>(builder.GetBufferPointer());
  return {start, start + builder.GetSize()};
}

SectionT &test::Artifact::add(SectionKind kind, Bytes content) {
  auto section = std::make_unique<SectionT>();
  section->kind = kind;
  contents.push_back(std::move(content));
  return *manifest.sections.emplace_back(std::move(section));
}

test::Bytes test::Artifact::build() {
  // Fields of default value are left out, so sizes are taken with all of them set.
  for (size_t i = 0; i < contents.size(); ++i) {
    manifest.sections[i]->offset = ~uint64_t(0);
    manifest.sections[i]->size = contents[i].size();
    manifest.sections[i]->xxh3 = XXH3_64bits(contents[i].data(), contents[i].size());
  }
  uint64_t offset = sizeof(Header) + pack(manifest).size();
  for (size_t i = 0; i < contents.size(); ++i) {
    manifest.sections[i]->offset = aligned(offset);
    offset = manifest.sections[i]->offset + contents[i].size();
  }
  return buildAsIs();
}

test::Bytes test::Artifact::buildAsIs() const {
  const Bytes packed = pack(manifest);
  Bytes file(sizeof(Header));
  Header header = {};
  std::memcpy(header.magic, MAGIC, sizeof(MAGIC));
  header.format_version = FORMAT_VERSION;
  header.manifest_bytes = static_cast<uint32_t>(packed.size());
  std::memcpy(file.data(), &header, sizeof(header));
  file.insert(file.end(), packed.begin(), packed.end());
  for (const Bytes &content : contents) {
    file.resize(aligned(file.size()));
    file.insert(file.end(), content.begin(), content.end());
  }
  sealHeader(file);
  return file;
}

void test::sealHeader(Bytes &file) {
  Header header;
  std::memcpy(&header, file.data(), sizeof(header));
  header.manifest_xxh3 = XXH3_64bits(file.data() + sizeof(header), header.manifest_bytes);
  header.file_bytes = file.size();
  std::memcpy(file.data(), &header, sizeof(header));
}

test::Bytes test::readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  if (!file)
    throw std::runtime_error("cannot read " + path);
  const auto *start = reinterpret_cast<const std::byte *>(content.data());
  return {start, start + content.size()};
}

void test::writeFile(const std::string &path, const Bytes &content) {
  std::ofstream file(path, std::ios::binary);
  if (!file.write(reinterpret_cast<const char *>(content.data()), static_cast<std::streamsize>(content.size())).flush())
    throw std::runtime_error("cannot write " + path);
}
