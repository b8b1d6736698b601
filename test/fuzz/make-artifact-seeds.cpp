// Writes the corpus of fuzz_artifact: small models whose code is an ELF header and nothing else, whole ones and one for
// each rule that an artifact can break.   make-artifact-seeds FOLDER
#include "TestModels.h"
#include "fovea/artifact.h"

#include <cstdio>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <functional>

using namespace fovea;
using namespace fovea::artifact;
using test::Bytes;

static Bytes elfHeader() {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
  header.e_machine = EM_X86_64;
  const auto *start = reinterpret_cast<const std::byte *>(&header);
  return {start, start + sizeof(header)};
}

static test::Artifact withoutCode(test::Artifact model) {
  model.contents[0] = model.contents[1] = elfHeader();
  return model;
}

namespace {
/// A rule that is broken: before places and checksums are computed, or after.
struct Rule {
  const char *name;
  std::function<void(test::Artifact &)> before, after;
};
} // namespace

static EntryT &entry(test::Artifact &model) { return *model.manifest.entries[0]; }
static SectionT &section(test::Artifact &model, size_t i) { return *model.manifest.sections[i]; }

/// The same for shaders.
static ShaderT &shader(test::Artifact &model, size_t i = 0) { return *model.manifest.shaders[i]; }
static std::vector<Rule> shaderRules() {
  using A = test::Artifact;
  return {
      {"shader-good", {}, {}},
      {"shader-offset", [](A &a) { shader(a).offset = ~uint64_t(3); }, {}},
      {"shader-alignment", [](A &a) { shader(a).offset = 2; }, {}},
      {"shader-size", [](A &a) { shader(a, 1).size += 4; }, {}},
      {"shader-short", [](A &a) { shader(a).size = 16; }, {}},
      {"shader-magic", [](A &a) { a.contents[2][0] ^= std::byte{1}; }, {}},
      {"shader-bindings", [](A &a) { shader(a).bindings[0] = 100; }, {}},
      {"shader-shared", [](A &a) { shader(a).shared = {0, 4}; }, {}},
      {"shader-buffers", [](A &a) { shader(a).buffers = 252; }, {}},
      {"shader-symbols", [](A &a) { shader(a).symbols = ~0u; }, {}},
      {"shader-inits", [](A &a) { shader(a).inits = 5; }, {}},
      {"shader-group", [](A &a) { shader(a).group_size = 0; }, {}},
      {"shader-tasks", [](A &a) { shader(a).tasks_of_group = 0; }, {}},
      {"shader-dispatch", [](A &a) { a.manifest.entries[1]->dispatches[0]->kernel = 2; }, {}},
      {"shader-target", [](A &a) { a.manifest.entries[1]->target = static_cast<Target>(7); }, {}},
      {"two-shaders", [](A &a) { a.add(SectionKind::shaders, {}); }, {}},
      {"no-shaders", {}, [](A &a) { section(a, 2).kind = SectionKind::kernels; }},
  };
}

/// And for variants.
static VariantT &variant(test::Artifact &model) { return *model.manifest.variants[0]; }
static std::vector<Rule> variantRules() {
  using A = test::Artifact;
  return {
      {"variants-good", {}, {}},
      {"variant-name", [](A &a) { variant(a).name = "a\nb"; }, {}},
      {"variant-twice", [](A &a) { variant(a).name = "portable"; }, {}},
      {"variant-of-entry", [](A &a) { a.manifest.entries[2]->variant = 2; }, {}},
      {"variant-of-cpu", [](A &a) { entry(a).variant = 1; }, {}},
      {"variant-type", [](A &a) { variant(a).device_types = {static_cast<DeviceType>(9)}; }, {}},
      {"variant-feature", [](A &a) { variant(a).features = {"shaderInt64", ""}; }, {}},
      {"variant-subgroup", [](A &a) { variant(a).subgroup_size = 3; }, {}},
      {"variant-invocations", [](A &a) { variant(a).invocations = ~0u; }, {}},
      {"variant-shared", [](A &a) { variant(a).shared_bytes = ~0u; }, {}},
      {"variant-matrix", [](A &a) { variant(a).cooperative.push_back(std::make_unique<CooperativeMatrixT>()); }, {}},
      {"no-variants", [](A &a) { a.manifest.variants.clear(); }, {}},
      {"shader-subgroup", [](A &a) { shader(a).subgroup_size = 128; }, {}},
  };
}

static std::vector<Rule> rules() {
  using A = test::Artifact;
  return {
      {"abi-newer", [](A &a) { ++a.manifest.abi_version; }, {}},
      {"abi-older", [](A &a) { --a.manifest.abi_version; }, {}},
      {"no-entries", [](A &a) { a.manifest.entries.clear(); }, {}},
      {"entry-twice", [](A &a) { a.manifest.entries.push_back(std::make_unique<EntryT>(entry(a))); }, {}},
      {"entry-name", [](A &a) { entry(a).name = "a\nb"; }, {}},
      {"input-name", [](A &a) { entry(a).inputs[0]->name.clear(); }, {}},
      {"input-twice", [](A &a) { entry(a).inputs.push_back(std::make_unique<TensorT>(*entry(a).inputs[0])); }, {}},
      {"dtype", [](A &a) { entry(a).outputs[0]->dtype = static_cast<DType>(99); }, {}},
      {"rank",
       [](A &a) {
         while (entry(a).inputs[0]->dims.size() < 65)
           entry(a).inputs[0]->dims.push_back(std::make_unique<DimT>());
       },
       {}},
      {"range", [](A &a) { entry(a).inputs[0]->dims[0]->min = 200000; }, {}},
      {"static-dim",
       [](A &a) {
         entry(a).inputs[0]->dims[0]->name.clear();
         entry(a).inputs[0]->dims[0]->value = -1;
       },
       {}},
      {"kernel", [](A &a) { entry(a).dispatches[0]->kernel = 4; }, {}},
      {"weight-size", [](A &a) { a.manifest.weights[1]->size = 65; }, {}},
      {"weight-offset", [](A &a) { a.manifest.weights[1]->offset = ~uint64_t(0); }, {}},
      {"two-hosts", [](A &a) { a.add(SectionKind::host, elfHeader()); }, {}},
      {"two-weights", [](A &a) { a.add(SectionKind::weights, {}); }, {}},
      {"no-host", [](A &a) { section(a, 0).kind = SectionKind::kernels; }, {}},
      {"no-kernels",
       [](A &a) {
         a.contents.erase(a.contents.begin() + 1);
         a.manifest.sections.erase(a.manifest.sections.begin() + 1);
       },
       {}},
      {"elf-short", [](A &a) { a.contents[1].resize(20); }, {}},
      {"elf-class", [](A &a) { a.contents[0][EI_CLASS] = std::byte{ELFCLASS32}; }, {}},
      {"many-kernels", [](A &a) { a.add(SectionKind::kernels, elfHeader()).features = {"+x", "-y"}; }, {}},
      {"section-kind", {}, [](A &a) { section(a, 2).kind = static_cast<SectionKind>(9); }},
      {"section-alignment", {}, [](A &a) { section(a, 0).offset += 8; }},
      {"section-in-manifest", {}, [](A &a) { section(a, 0).offset = 0; }},
      {"section-behind-file", {}, [](A &a) { section(a, 1).offset = ~uint64_t(4095); }},
      {"section-size", {}, [](A &a) { section(a, 2).size = ~uint64_t(0); }},
      {"section-checksum", {}, [](A &a) { section(a, 0).xxh3 ^= 1; }},
  };
}

/// Damage of the header, in the bytes of a good file.
static void writeHeaders(const std::string &folder, const Bytes &good) {
  auto write = [&](const char *name, size_t at, uint64_t value, size_t size) {
    Bytes file = good;
    std::memcpy(file.data() + at, &value, size);
    test::writeFile(folder + name, file);
  };
  write("magic.seed", 0, 0x4b50, 2);
  write("format-newer.seed", offsetof(Header, format_version), FORMAT_VERSION + 1, 4);
  write("format-older.seed", offsetof(Header, format_version), FORMAT_VERSION - 1, 4);
  write("manifest-size.seed", offsetof(Header, manifest_bytes), 0xffffffff, 4);
  write("manifest-checksum.seed", offsetof(Header, manifest_xxh3), 0, 8);
  write("file-longer.seed", offsetof(Header, file_bytes), good.size() - 1, 8);
  write("file-shorter.seed", offsetof(Header, file_bytes), good.size() + 1, 8);
  for (size_t size : {0, 7, 20, 32, 300})
    test::writeFile(folder + "first-" + std::to_string(size) + ".seed", Bytes(good.begin(), good.begin() + size));
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make-artifact-seeds FOLDER\n");
    return 1;
  }
  const std::string folder = std::string(argv[1]) + "/";
  std::filesystem::create_directories(folder);
  test::Artifact cases = withoutCode(test::casesModel());
  cases.manifest.sections[1]->features = {"avx2", "fma"};
  test::writeFile(folder + "cases.seed", cases.build());
  test::Artifact weightless = withoutCode(test::affineModel());
  weightless.manifest.sections.pop_back();
  weightless.contents.pop_back();
  weightless.manifest.weights.clear();
  test::writeFile(folder + "no-weights.seed", weightless.build());
  writeHeaders(folder, weightless.build());
  const auto write = [&](const Rule &rule, test::Artifact model) {
    if (rule.before)
      rule.before(model);
    Bytes file = model.build();
    if (rule.after) {
      rule.after(model);
      file = model.buildAsIs();
    }
    test::writeFile(folder + rule.name + ".seed", file);
  };
  for (const Rule &rule : rules())
    write(rule, withoutCode(test::affineModel()));
  for (const Rule &rule : shaderRules())
    write(rule, withoutCode(test::vulkanModel()));
  for (const Rule &rule : variantRules())
    write(rule, withoutCode(test::variantsModel()));
}
