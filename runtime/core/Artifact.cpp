#include "core/Artifact.h"
#include "core/Error.h"
#include "fovea/abi.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <set>
#include <string_view>
#include <tuple>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace fovea;
using namespace fovea::artifact;

static_assert(static_cast<int>(DType::f32) == FOVEA_F32 && static_cast<int>(DType::bf16) == FOVEA_BF16 &&
              static_cast<int>(DType::i64) == FOVEA_I64 && static_cast<int>(DType::u64) == FOVEA_U64 &&
              static_cast<int>(DType::bool_) == FOVEA_BOOL && static_cast<int>(DType::MAX) == FOVEA_BOOL);

// More than any model needs, few enough for shapes to stay small objects.
static constexpr uint32_t MAX_RANK = 64;

static std::string_view view(const flatbuffers::String *string) {
  return string ? string->string_view() : std::string_view();
}

// A view of an absent vector is an empty one.
template <typename T> static auto size(const flatbuffers::Vector<T> *vector) { return vector ? vector->size() : 0; }

Artifact::Artifact(std::span<const std::byte> file) : file(file) {
  checkHeader();
  const auto *manifest = reinterpret_cast<const uint8_t *>(file.data()) + sizeof(Header);
  if (XXH3_64bits(manifest, head.manifest_bytes) != head.manifest_xxh3)
    fail(FOVEA_INVALID, "damaged artifact: the manifest does not match its checksum");
  flatbuffers::Verifier verifier(manifest, head.manifest_bytes);
  if (!VerifyManifestBuffer(verifier))
    fail(FOVEA_INVALID, "damaged artifact: the manifest is not well formed");
  root = GetManifest(manifest);
  if (root->abi_version() != FOVEA_ABI_VERSION)
    fail(FOVEA_UNSUPPORTED, "expected an artifact of ABI version ", FOVEA_ABI_VERSION, ", got version ",
         root->abi_version(),
         root->abi_version() > FOVEA_ABI_VERSION ? "; a newer runtime is needed" : "; compile the model again");
  checkSections();
  checkShaders();
  checkVariants();
  checkEntries();
}

void Artifact::checkHeader() {
  constexpr size_t prefix = offsetof(Header, format_version) + sizeof(head.format_version);
  const size_t present = std::min(file.size(), sizeof(MAGIC));
  if (std::memcmp(file.data() ? file.data() : reinterpret_cast<const std::byte *>(MAGIC), MAGIC, present) != 0)
    fail(FOVEA_INVALID, "not a Fovea artifact: the file does not start with the magic bytes \"FOVEA\"");
  // A newer version may have a longer header, so it is told before sizes are compared.
  std::memcpy(&head, file.data() ? file.data() : reinterpret_cast<const std::byte *>(&head),
              std::min(file.size(), sizeof(head)));
  if (file.size() >= prefix && head.format_version > FORMAT_VERSION)
    fail(FOVEA_UNSUPPORTED, "expected an artifact of format version ", FORMAT_VERSION, ", got version ",
         head.format_version, "; a newer runtime is needed");
  if (file.size() < sizeof(Header))
    fail(FOVEA_INVALID, "truncated artifact: expected a header of ", sizeof(Header), " bytes, got a file of ",
         file.size());
  if (head.format_version != FORMAT_VERSION)
    fail(FOVEA_UNSUPPORTED, "expected an artifact of format version ", FORMAT_VERSION, ", got version ",
         head.format_version, "; compile the model again");
  if (file.size() < head.file_bytes)
    fail(FOVEA_INVALID, "truncated artifact: ", file.size(), " of ", head.file_bytes, " bytes");
  if (file.size() > head.file_bytes)
    fail(FOVEA_INVALID, "damaged artifact: expected ", head.file_bytes, " bytes, got ", file.size());
  if (head.manifest_bytes > file.size() - sizeof(Header))
    fail(FOVEA_INVALID, "damaged artifact: expected a manifest within ", file.size(), " bytes, got one of ",
         head.manifest_bytes);
}

std::string Artifact::describe(const Section &section) const {
  if (section.kind() != SectionKind::kernels)
    return section.kind() == SectionKind::host      ? "host section"
           : section.kind() == SectionKind::shaders ? "shaders section"
                                                    : "weights section";
  uint32_t number = 0;
  for (const Section *other : *root->sections()) {
    if (other == &section)
      break;
    number += other->kind() == SectionKind::kernels;
  }
  const std::string_view cpu = view(section.cpu());
  return text("kernels section ", number, cpu.empty() ? "" : text(" (", cpu, ")"));
}

void Artifact::checkSection(const Section &section) {
  if (section.kind() > SectionKind::MAX)
    fail(FOVEA_INVALID, "damaged artifact: expected a section kind up to ", static_cast<int>(SectionKind::MAX),
         ", got ", static_cast<int>(section.kind()));
  if (section.offset() % SECTION_ALIGNMENT != 0)
    fail(FOVEA_INVALID, "damaged artifact: expected the ", describe(section), " at a multiple of ", SECTION_ALIGNMENT,
         ", got offset ", section.offset());
  if (section.offset() < sizeof(Header) + head.manifest_bytes || section.offset() > file.size() ||
      section.size() > file.size() - section.offset())
    fail(FOVEA_INVALID, "damaged artifact: expected the ", describe(section), " within ", file.size(),
         " bytes, got offset ", section.offset(), " and size ", section.size());
  if (section.kind() == SectionKind::weights || section.kind() == SectionKind::shaders)
    return;
  const auto *elf = reinterpret_cast<const Elf64_Ehdr *>(bytes(section).data());
  if (section.size() < sizeof(Elf64_Ehdr) || std::memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
      elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_ident[EI_DATA] != ELFDATA2LSB || elf->e_type != ET_DYN)
    fail(FOVEA_INVALID, "damaged artifact: expected a 64-bit little-endian ELF shared object as the ",
         describe(section));
}

void Artifact::checkSections() {
  const Section *kernels = nullptr;
  for (const Section *section : *root->sections()) {
    checkSection(*section);
    const Section **seen = section->kind() == SectionKind::host      ? &hostSection
                           : section->kind() == SectionKind::weights ? &weightSection
                           : section->kind() == SectionKind::shaders ? &shaderSection
                                                                     : &kernels;
    if (*seen && section->kind() != SectionKind::kernels)
      fail(FOVEA_INVALID, "damaged artifact: expected one ", describe(*section), ", got several");
    *seen = section;
  }
  if (!hostSection)
    fail(FOVEA_INVALID, "damaged artifact: expected a host section, got none");
  if (!kernels && root->kernels()->size() != 0)
    fail(FOVEA_INVALID, "damaged artifact: expected a kernels section, got none");
  const uint64_t weightBytes = weightSection ? weightSection->size() : 0;
  for (uint32_t i = 0; i < size(root->weights()); ++i) {
    const Weight &weight = *root->weights()->Get(i);
    if (weight.offset() > weightBytes || weight.size() > weightBytes - weight.offset())
      fail(FOVEA_INVALID, "damaged artifact: expected weight ", quoted(view(weight.name())), " within ", weightBytes,
           " bytes of weights, got offset ", weight.offset(), " and size ", weight.size());
  }
}

// SPIR-V starts with this word.
static constexpr uint32_t SPIRV_MAGIC = 0x07230203;
// Of a shader; the compiler's have a few dozen.
static constexpr uint32_t MAX_SYMBOLS = 4096;

void Artifact::checkShaders() const {
  const uint64_t held = shaderSection ? shaderSection->size() : 0;
  for (uint32_t i = 0; i < size(root->shaders()); ++i) {
    const Shader &shader = *root->shaders()->Get(i);
    const std::string name = quoted(view(shader.name()));
    if (shader.offset() > held || shader.size() > held - shader.offset() || shader.offset() % 4 != 0 ||
        shader.size() % 4 != 0 || shader.size() < 20)
      fail(FOVEA_INVALID, "damaged artifact: expected shader ", name, " within ", held,
           " bytes of shaders, got offset ", shader.offset(), " and size ", shader.size());
    uint32_t magic;
    std::memcpy(&magic, bytes(*shaderSection).data() + shader.offset(), sizeof(magic));
    if (magic != SPIRV_MAGIC)
      fail(FOVEA_INVALID, "damaged artifact: expected SPIR-V as shader ", name);
    if (!shader.bindings() || shader.group_size() == 0 || shader.tasks_of_group() == 0 ||
        shader.inits() > shader.buffers())
      fail(FOVEA_INVALID, "damaged artifact: expected bindings, a workgroup and tasks of shader ", name);
    if (const uint32_t subgroup = shader.subgroup_size();
        (subgroup & (subgroup - 1)) != 0 || (subgroup && shader.group_size() % subgroup != 0))
      fail(FOVEA_INVALID, "damaged artifact: expected whole subgroups in a workgroup of shader ", name, ", got ",
           subgroup, " of ", shader.group_size());
    // Each device can bind what starts at such a place.
    const flatbuffers::Vector<uint8_t> *windows = shader.windows();
    if (windows && (windows->size() != shader.bindings()->size() || shader.window_bytes() % WEIGHT_ALIGNMENT != 0 ||
                    shader.window_bytes() > UINT32_MAX))
      fail(FOVEA_INVALID, "damaged artifact: expected a window for each binding of shader ", name, " and ",
           WEIGHT_ALIGNMENT, "-byte steps, got ", windows->size(), " of ", shader.window_bytes(), " bytes");
    auto isNoBuffer = [&](uint8_t buffer) { return buffer >= shader.buffers(); };
    const flatbuffers::Vector<uint8_t> *shared = shader.shared(), *compared = shader.compared();
    if (shader.symbols() > MAX_SYMBOLS || shader.buffers() > WORDS_BINDING ||
        std::any_of(shader.bindings()->begin(), shader.bindings()->end(),
                    [&](uint8_t binding) { return binding < WORDS_BINDING && isNoBuffer(binding); }) ||
        (shared && std::any_of(shared->begin(), shared->end(), isNoBuffer)) ||
        (compared && std::any_of(compared->begin(), compared->end(), isNoBuffer)))
      fail(FOVEA_INVALID, "damaged artifact: expected sizes and buffers of shader ", name, " that it can have");
  }
}

// Names reach users and terminals, and C strings end at the first zero byte.
static void checkName(std::string_view name, const char *what) {
  if (name.empty() || std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    fail(FOVEA_INVALID, "damaged artifact: expected a printable name for ", what, ", got ", quoted(name));
}

static void checkTensors(const flatbuffers::Vector<flatbuffers::Offset<Tensor>> &tensors, std::string_view entry,
                         const char *what) {
  std::set<std::string_view> names;
  for (const Tensor *tensor : tensors) {
    checkName(view(tensor->name()), what);
    const std::string name = text(what, " ", quoted(view(tensor->name())), " of entry ", quoted(entry));
    if (!names.insert(view(tensor->name())).second)
      fail(FOVEA_INVALID, "damaged artifact: there are two of ", name);
    if (tensor->dtype() > DType::MAX)
      fail(FOVEA_INVALID, "damaged artifact: unknown dtype ", static_cast<int>(tensor->dtype()), " of ", name);
    if (tensor->dims()->size() > MAX_RANK)
      fail(FOVEA_INVALID, "damaged artifact: expected at most ", MAX_RANK, " dims, got ", tensor->dims()->size(),
           " of ", name);
    for (const Dim *dim : *tensor->dims()) {
      const bool isStatic = view(dim->name()).empty();
      if (!isStatic)
        checkName(view(dim->name()), "a dim");
      const int64_t low = isStatic ? dim->value() : dim->min(), high = isStatic ? dim->value() : dim->max();
      if (low < 0 || high < low)
        fail(FOVEA_INVALID, "damaged artifact: expected a range of dims, got ", low, "..", high, " in ", name);
    }
  }
}

// What Vulkan allows for any device; a larger one is damage.
static constexpr uint32_t MAX_SUBGROUP = 128, MAX_INVOCATIONS = 1u << 16, MAX_SHARED_BYTES = 1u << 30;

void Artifact::checkVariants() const {
  std::set<std::string_view> names;
  for (uint32_t i = 0; i < size(root->variants()); ++i) {
    const Variant &variant = *root->variants()->Get(i);
    const std::string_view name = view(variant.name());
    checkName(name, "a variant");
    if (!names.insert(name).second)
      fail(FOVEA_INVALID, "damaged artifact: there are two variants ", quoted(name));
    auto impossible = [&](const auto &...what) {
      fail(FOVEA_INVALID, "damaged artifact: no device can meet the requirements of variant ", quoted(name), ": ",
           what...);
    };
    for (uint32_t t = 0; t < size(variant.device_types()); ++t)
      if (const auto type = static_cast<DeviceType>(variant.device_types()->Get(t)); type > DeviceType::MAX)
        impossible("device type ", static_cast<int>(type));
    for (uint32_t f = 0; f < size(variant.features()); ++f)
      checkName(view(variant.features()->Get(f)), "a feature");
    if (const uint32_t subgroup = variant.subgroup_size(); (subgroup & (subgroup - 1)) != 0 || subgroup > MAX_SUBGROUP)
      impossible("subgroups of ", subgroup);
    if (variant.invocations() > MAX_INVOCATIONS)
      impossible("workgroups of ", variant.invocations(), " invocations");
    if (variant.shared_bytes() > MAX_SHARED_BYTES)
      impossible(variant.shared_bytes(), " bytes of shared memory");
    for (uint32_t c = 0; c < size(variant.cooperative()); ++c) {
      const CooperativeMatrix &matrix = *variant.cooperative()->Get(c);
      if (matrix.operands() > DType::MAX || matrix.sums() > DType::MAX)
        impossible("cooperative matrices of an unknown dtype");
      if (matrix.m() == 0 || matrix.n() == 0 || matrix.k() == 0)
        impossible("cooperative matrices of ", matrix.m(), "x", matrix.n(), "x", matrix.k());
    }
  }
}

void Artifact::checkEntry(const Entry &entry) const {
  const std::string_view name = view(entry.name());
  if (entry.target() > Target::MAX)
    fail(FOVEA_INVALID, "damaged artifact: unknown target ", static_cast<int>(entry.target()), " of an entry");
  const uint32_t kernels = entry.target() == Target::vulkan ? size(root->shaders()) : root->kernels()->size();
  checkName(name, "an entry");
  const uint32_t variants = entry.target() == Target::vulkan ? size(root->variants()) : 1;
  if (entry.variant() >= variants)
    fail(FOVEA_INVALID, "damaged artifact: expected a variant below ", variants, ", got ", entry.variant(),
         " of entry ", quoted(name));
  checkTensors(*entry.inputs(), name, "input");
  checkTensors(*entry.outputs(), name, "output");
  std::set<int32_t> under;
  for (const Tensor *output : *entry.outputs()) {
    const int32_t input = output->over();
    if (input != -1 &&
        (input < 0 || static_cast<uint32_t>(input) >= entry.inputs()->size() ||
         entry.inputs()->Get(static_cast<uint32_t>(input))->dtype() != output->dtype() || !under.insert(input).second))
      fail(FOVEA_INVALID, "damaged artifact: output ", quoted(view(output->name())), " of entry ", quoted(name),
           " cannot be written over input number ", input);
  }
  for (uint32_t i = 0; i < size(entry.dispatches()); ++i)
    if (uint32_t kernel = entry.dispatches()->Get(i)->kernel(); kernel >= kernels)
      fail(FOVEA_INVALID, "damaged artifact: expected a kernel below ", kernels, ", got ", kernel, " in dispatch ", i,
           " of entry ", quoted(name));
}

void Artifact::checkEntries() const {
  if (root->entries()->size() == 0)
    fail(FOVEA_INVALID, "damaged artifact: expected an entry, got none");
  std::set<std::tuple<std::string_view, Target, uint32_t>> names;
  for (const Entry *entry : *root->entries()) {
    checkEntry(*entry);
    if (!names.insert({view(entry->name()), entry->target(), entry->variant()}).second)
      fail(FOVEA_INVALID, "damaged artifact: there are two entries ", quoted(view(entry->name())));
  }
}

void Artifact::verify(const Section &section) const {
  const std::span<const std::byte> content = bytes(section);
  if (XXH3_64bits(content.data(), content.size()) != section.xxh3())
    fail(FOVEA_INVALID, "damaged artifact: the ", describe(section), " does not match its checksum");
}
