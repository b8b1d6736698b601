// Broken, foreign and newer artifacts: always a message, never a crash, and never code that runs.
#include "Harness.h"
#include "TestModels.h"
#include "core/Artifact.h"
#include "core/CodeImage.h"
#include "core/Error.h"
#include "cpu/Features.h"
#include "fovea/abi.h"
#include "fovea/artifact.h"

#include <cstdio>
#include <elf.h>
#include <filesystem>
#include <functional>

using namespace fovea;
using namespace fovea::artifact;

namespace {
struct Loading : ::testing::Test {
  test::RuntimeHandle runtime = test::makeRuntime(1);

  fovea_error load(const test::Bytes &file, uint32_t flags = 0) {
    test::ModelHandle model;
    return test::tryOpen(runtime, test::AlignedFile(file), model, flags);
  }

  // Loads the model as `change` leaves it.
  fovea_error loadChanged(const std::function<void(test::Artifact &)> &change) {
    test::Artifact model = test::affineModel();
    change(model);
    return load(model.build());
  }

  // The same, but places and checksums of sections may be changed too.
  fovea_error loadRearranged(const std::function<void(ManifestT &)> &change) {
    test::Artifact model = test::affineModel();
    model.build();
    change(model.manifest);
    return load(model.buildAsIs());
  }
};
} // namespace

TEST_F(Loading, Works) {
  EXPECT_WORKS(load(test::affineModel().build()));
  EXPECT_WORKS(load(test::affineModel().build(), FOVEA_OPEN_VERIFY_WEIGHTS));
}

TEST_F(Loading, RefusesEveryTruncation) {
  const test::AlignedFile file(test::affineModel().build());
  for (size_t length = 0; length < file.size; ++length) {
    fovea_model *model = nullptr;
    fovea_error error;
    ASSERT_EQ(fovea_model_open_memory(runtime.get(), file.data(), length, 0, &model, &error), FOVEA_INVALID) << length;
    ASSERT_EQ(std::string(error.message).find("truncated artifact: "), 0u) << length << ": " << error.message;
  }
}

TEST_F(Loading, RefusesBrokenShaders) {
  const auto refused = [&](const char *text, const std::function<void(test::Artifact &)> &change) {
    test::Artifact model = test::vulkanModel();
    change(model);
    EXPECT_FAILS(load(model.build()), FOVEA_INVALID, text);
  };
  EXPECT_WORKS(load(test::vulkanModel().build()));
  using Model = test::Artifact;
  const auto shader = [](Model &model) -> ShaderT & { return *model.manifest.shaders[1]; };
  refused("expected shader 'relu' within", [&](Model &m) { shader(m).size += 4; });
  refused("expected shader 'relu' within", [&](Model &m) { shader(m).offset = ~uint64_t(3); });
  refused("expected shader 'relu' within", [&](Model &m) { shader(m).size = 16; });
  refused("expected SPIR-V as shader 'relu'", [&](Model &m) { m.contents[2][shader(m).offset] ^= std::byte{1}; });
  refused("expected bindings, a workgroup and tasks", [&](Model &m) { shader(m).group_size = 0; });
  refused("expected bindings, a workgroup and tasks", [&](Model &m) { shader(m).inits = 3; });
  refused("that it can have", [&](Model &m) { shader(m).bindings[0] = 2; });
  refused("that it can have", [&](Model &m) { shader(m).shared = {7}; });
  refused("that it can have", [&](Model &m) { shader(m).compared = {7}; });
  refused("that it can have", [&](Model &m) { shader(m).symbols = ~0u; });
  refused("expected a kernel below 2, got 2", [](Model &m) { m.manifest.entries[1]->dispatches[0]->kernel = 2; });
  refused("unknown target", [](Model &m) { m.manifest.entries[1]->target = static_cast<Target>(2); });
  refused("expected one shaders section", [](Model &m) { m.add(SectionKind::shaders, {}); });
}

TEST_F(Loading, RefusesBrokenVariants) {
  using Model = test::Artifact;
  const auto refused = [&](const char *text, const std::function<void(VariantT &, Model &)> &change) {
    Model model = test::variantsModel();
    change(*model.manifest.variants[0], model);
    EXPECT_FAILS(load(model.build()), FOVEA_INVALID, text);
  };
  EXPECT_WORKS(load(test::variantsModel().build()));
  const char *const impossible = "no device can meet the requirements of variant 'cpu': ";
  const auto cannot = [&](const std::string &what, const std::function<void(VariantT &)> &change) {
    refused((impossible + what).c_str(), [&](VariantT &variant, Model &) { change(variant); });
  };
  cannot("device type 9", [](auto &v) { v.device_types[0] = static_cast<DeviceType>(9); });
  cannot("subgroups of 3", [](auto &v) { v.subgroup_size = 3; });
  cannot("subgroups of 256", [](auto &v) { v.subgroup_size = 256; });
  cannot("workgroups of 4294967295 invocations", [](auto &v) { v.invocations = ~0u; });
  cannot("4294967295 bytes of shared memory", [](auto &v) { v.shared_bytes = ~0u; });
  const auto matrix = [](VariantT &v) -> CooperativeMatrixT & {
    CooperativeMatrixT &added = *v.cooperative.emplace_back(std::make_unique<CooperativeMatrixT>());
    added.m = added.n = added.k = 16;
    return added;
  };
  cannot("cooperative matrices of 16x16x0", [&](auto &v) { matrix(v).k = 0; });
  cannot("cooperative matrices of an unknown dtype", [&](auto &v) { matrix(v).sums = static_cast<DType>(99); });
  refused("printable name for a feature", [](VariantT &v, Model &) { v.features = {"a\nb"}; });
  refused("printable name for a variant", [](VariantT &v, Model &) { v.name = ""; });
  refused("there are two variants 'portable'", [](VariantT &v, Model &) { v.name = "portable"; });
  refused("expected a variant below 2, got 2", [](VariantT &, Model &m) { m.manifest.entries[1]->variant = 2; });
  refused("expected a variant below 1, got 1", [](VariantT &, Model &m) { m.manifest.entries[0]->variant = 1; });
  refused("there are two entries 'main'", [](VariantT &, Model &m) { m.manifest.entries[1]->variant = 1; });
  refused("expected whole subgroups in a workgroup of shader 'scale', got 128 of 64",
          [](VariantT &, Model &m) { m.manifest.shaders[0]->subgroup_size = 128; });
}

TEST_F(Loading, RefusesEveryFlippedByte) {
  test::Artifact model = test::affineModel();
  const test::Bytes whole = model.build();
  const test::AlignedFile file(whole);
  auto refused = [&](size_t at, uint32_t flags) {
    fovea_model *opened = nullptr;
    file.data()[at] ^= std::byte{0x10};
    const fovea_status status = fovea_model_open_memory(runtime.get(), file.data(), file.size, flags, &opened, nullptr);
    file.data()[at] ^= std::byte{0x10};
    fovea_model_close(opened);
    return status != FOVEA_OK;
  };
  Header header;
  std::memcpy(&header, whole.data(), sizeof(header));
  for (size_t at = 0; at < sizeof(header) + header.manifest_bytes; ++at)
    EXPECT_TRUE(refused(at, 0)) << at;
  for (const auto &section : model.manifest.sections) {
    const bool isWeights = section->kind == SectionKind::weights;
    for (size_t at = section->offset; at < section->offset + section->size; at += isWeights ? 1 : 37)
      EXPECT_TRUE(refused(at, FOVEA_OPEN_VERIFY_WEIGHTS)) << at;
    EXPECT_EQ(refused(section->offset, 0), !isWeights);
  }
}

TEST_F(Loading, TellsWhatIsWrongWithTheHeader) {
  test::Bytes file = test::affineModel().build();
  EXPECT_FAILS(load({}), FOVEA_INVALID, "truncated artifact: expected a header of 32 bytes, got a file of 0");
  const std::string other = "PK\3\4 this is a zip file and no artifact";
  const auto *start = reinterpret_cast<const std::byte *>(other.data());
  EXPECT_FAILS(load({start, start + other.size()}), FOVEA_INVALID, "not a Fovea artifact");
  test::Bytes newer = file;
  newer[8] = std::byte{4};
  EXPECT_FAILS(load(newer), FOVEA_UNSUPPORTED,
               "expected an artifact of format version 3, got version 4; a newer runtime is needed");
  test::Bytes older = file;
  older[8] = std::byte{0};
  EXPECT_FAILS(load(older), FOVEA_UNSUPPORTED, "compile the model again");
  test::Bytes longer = file;
  longer.push_back(std::byte{});
  EXPECT_FAILS(load(longer), FOVEA_INVALID, "damaged artifact: expected");
  test::Bytes shorter(file.begin(), file.end() - 1);
  EXPECT_FAILS(load(shorter), FOVEA_INVALID,
               std::to_string(shorter.size()) + " of " + std::to_string(file.size()) + " bytes");
  test::Bytes manifest = file;
  manifest[40] ^= std::byte{1};
  EXPECT_FAILS(load(manifest), FOVEA_INVALID, "the manifest does not match its checksum");
}

// The FlatBuffers verifier and the rules behind it must stand alone: here the checksum is right.
TEST_F(Loading, SurvivesEveryChangedManifestByte) {
  const test::Bytes whole = test::affineModel().build();
  Header header;
  std::memcpy(&header, whole.data(), sizeof(header));
  for (size_t at = sizeof(header); at < sizeof(header) + header.manifest_bytes; ++at)
    for (int change : {0x01, 0x80, 0xff}) {
      test::Bytes file = whole;
      file[at] ^= static_cast<std::byte>(change);
      test::sealHeader(file);
      try {
        const test::AlignedFile aligned(file);
        const Artifact artifact({aligned.data(), aligned.size});
        for (const Section *section : *artifact.manifest().sections())
          (void)artifact.describe(*section);
      } catch (const Error &error) {
        EXPECT_NE(error.status, FOVEA_INTERNAL) << error.message;
      }
    }
}

TEST_F(Loading, RefusesManifestsThatContradictThemselves) {
  using M = ManifestT;
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.abi_version = 2; }), FOVEA_UNSUPPORTED,
               "ABI version 1, got version 2; a newer runtime");
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.entries.clear(); }), FOVEA_INVALID, "expected an entry, got none");
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.entries[0]->name = "a\nb"; }), FOVEA_INVALID,
               "printable name for an entry, got 'a?b'");
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.entries[0]->name = ""; }), FOVEA_INVALID,
               "printable name for an entry");
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.entries[0]->inputs[0]->dtype = static_cast<DType>(99); }),
               FOVEA_INVALID, "unknown dtype 99 of input 'x' of entry 'main'");
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.entries[0]->inputs[0]->dims[0]->min = 200000; }), FOVEA_INVALID,
               "200000..100000");
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.entries[0]->dispatches[0]->kernel = 4; }), FOVEA_INVALID,
               "a kernel below 4, got 4");
  EXPECT_FAILS(loadChanged([](auto &m) {
                 m.manifest.entries[0]->inputs.push_back(std::make_unique<TensorT>(*m.manifest.entries[0]->inputs[0]));
               }),
               FOVEA_INVALID, "there are two of input 'x'");
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.weights[1]->size = 65; }), FOVEA_INVALID,
               "expected weight 'b' within 128 bytes");
  EXPECT_FAILS(loadChanged([](auto &m) { m.add(SectionKind::host, m.contents[0]); }), FOVEA_INVALID,
               "one host section, got several");
  EXPECT_FAILS(loadChanged([](auto &m) { m.contents[1].resize(20); }), FOVEA_INVALID,
               "ELF shared object as the kernels section 0 (baseline)");
  EXPECT_FAILS(loadChanged([](auto &m) { m.manifest.kernels.pop_back(); }), FOVEA_INTERNAL,
               "expected a kernel image of ABI version 1 with 3");
  EXPECT_FAILS(loadChanged([](auto &m) { std::swap(m.contents[0], m.contents[1]); }), FOVEA_INTERNAL,
               "to export fovea_host_image");
  EXPECT_FAILS(loadRearranged([](M &m) { m.sections[0]->offset += 8; }), FOVEA_INVALID,
               "host section at a multiple of 4096");
  EXPECT_FAILS(loadRearranged([](M &m) { m.sections[0]->offset = 0; }), FOVEA_INVALID, "host section within");
  EXPECT_FAILS(loadRearranged([](M &m) { m.sections[1]->offset = ~uint64_t(4095); }), FOVEA_INVALID,
               "kernels section 0 (baseline) within");
  EXPECT_FAILS(loadRearranged([](M &m) { m.sections[2]->size = ~uint64_t(0); }), FOVEA_INVALID,
               "weights section within");
  EXPECT_FAILS(loadRearranged([](M &m) { m.sections[1]->xxh3 ^= 1; }), FOVEA_INVALID,
               "kernels section 0 (baseline) does not match");
  EXPECT_FAILS(loadRearranged([](M &m) { m.sections[0]->kind = static_cast<SectionKind>(9); }), FOVEA_INVALID,
               "section kind");
}

TEST_F(Loading, ChoosesKernelsByCpu) {
  // The first variant that fits is taken, whatever comes after it.
  EXPECT_WORKS(loadChanged([](auto &m) {
    m.manifest.sections[1]->features = {"+no-such-feature"};
    m.add(SectionKind::kernels, m.contents[1]).features = {"sse2"};
  }));
  const fovea_error error = loadChanged([](auto &m) {
    m.manifest.sections[1]->features = {"sse2", "+no-such-feature", "nor-this"};
    auto &other = m.add(SectionKind::kernels, m.contents[1]);
    other.cpu = "moon";
    other.features = {"cheese"};
  });
  EXPECT_FAILS(error, FOVEA_ENVIRONMENT,
               "kernels section 0 (baseline) needs +no-such-feature nor-this; kernels section 1 (moon) needs cheese");
  auto forMachine = [](test::Bytes &elf, uint16_t machine) {
    reinterpret_cast<Elf64_Ehdr *>(elf.data())->e_machine = machine;
  };
  EXPECT_FAILS(loadChanged([&](auto &m) { forMachine(m.contents[0], EM_RISCV); }), FOVEA_ENVIRONMENT,
               "compiled for riscv64, this machine is");
  EXPECT_FAILS(loadChanged([&](auto &m) { forMachine(m.contents[1], EM_RISCV); }), FOVEA_ENVIRONMENT,
               "needs a machine that is riscv64");
}

TEST_F(Loading, ReportsFilesThatCannotBeRead) {
  fovea_model *model = nullptr;
  fovea_error error;
  const std::string folder = ::testing::TempDir();
  fovea_model_open(runtime.get(), (folder + "no-such.fovea").c_str(), 0, &model, &error);
  EXPECT_FAILS(error, FOVEA_ENVIRONMENT, "no-such.fovea': No such file or directory");
  fovea_model_open(runtime.get(), folder.c_str(), 0, &model, &error);
  EXPECT_FAILS(error, FOVEA_ENVIRONMENT, "is a folder");
  const std::string empty = folder + "empty.fovea";
  test::writeFile(empty, {});
  fovea_model_open(runtime.get(), empty.c_str(), 0, &model, &error);
  EXPECT_FAILS(error, FOVEA_INVALID, "empty.fovea': truncated artifact");
  std::filesystem::remove(empty);
  fovea_model_open(runtime.get(), folder.c_str(), 8, &model, &error);
  EXPECT_EQ(model, nullptr);
}

// The dynamic linker knows images by names that repeat, so a later one must not be taken for an earlier one.
TEST(CodeImage, LinksAgainAndAgain) {
  const test::Artifact model = test::casesModel();
  const test::Bytes &host = model.contents[0], &kernels = model.contents[1];
  for (int i = 0; i < 20; ++i) {
    const bool isHost = i % 2;
    const CodeImage image(isHost ? host : kernels, "test image");
    EXPECT_NE(image.symbol(isHost ? "fovea_host_image" : "fovea_kernel_image"), nullptr);
    EXPECT_THROW(image.symbol(isHost ? "fovea_kernel_image" : "fovea_host_image"), Error);
  }
  const CodeImage first(host, "first"), second(kernels, "second");
  EXPECT_NE(first.symbol("fovea_host_image"), second.symbol("fovea_kernel_image"));
}

TEST(CodeImage, LinksThroughAFolder) {
  const test::Artifact model = test::casesModel();
  const CodeImage image(CodeImage::ByFolder(), model.contents[0], "host section");
  const auto *host = static_cast<const fovea_host_image *>(image.symbol("fovea_host_image"));
  EXPECT_EQ(host->entry_count, 6u);
  try {
    const test::Bytes broken(100);
    CodeImage(broken, "host section");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.status, FOVEA_ENVIRONMENT);
    EXPECT_EQ(error.message.find("cannot link the host section: "), 0u) << error.message;
  }
}

#ifdef CLANG
// The table of features must know every name that --cpu=native writes into an artifact.
TEST(Features, CoverWhatTheCompilerCallsNative) {
  FILE *pipe =
      popen(CLANG " -march=native -x c -S -emit-llvm -o - - < /dev/null 2>/dev/null; echo 'void f(void) {}' | " CLANG
                  " -march=native -x c -S -emit-llvm -o - - 2>/dev/null",
            "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;)
    text += static_cast<char>(c);
  pclose(pipe);
  const std::string key = "\"target-features\"=\"";
  const size_t start = text.find(key);
  if (start == std::string::npos)
    GTEST_SKIP() << "no compiler to ask";
  const std::string list = text.substr(start + key.size(), text.find('"', start + key.size()) - start - key.size());
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    const std::string feature = list.substr(at, end - at);
    EXPECT_TRUE(cpu::offers(feature)) << feature;
    at = end + 1;
  }
}
#endif

TEST(Features, UnknownNamesAreNotOffered) {
  EXPECT_FALSE(cpu::offers("no-such-feature"));
  EXPECT_FALSE(cpu::offers("+"));
  EXPECT_TRUE(cpu::offers("-no-such-feature"));
}
