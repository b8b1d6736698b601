// Writes the test models, good and bad, for tests that call the tools; or, with --corpus, small seeds for fuzzing the
// reader.
#include "TestModels.h"

#include <cstdio>
#include <cstring>
#include <elf.h>
#include <string_view>

using namespace fovea;
using namespace fovea::artifact;
using test::Bytes;

static void writeModels(const std::string &folder) {
  test::Artifact affine = test::affineModel();
  const Bytes good = affine.build();
  test::writeFile(folder + "affine.fovea", good);
  test::writeFile(folder + "cases.fovea", test::casesModel().build());
  Bytes changed = good;
  changed[8] = std::byte{9};
  test::writeFile(folder + "newer.fovea", changed);
  test::writeFile(folder + "truncated.fovea", Bytes(good.begin(), good.end() - 100));
  changed = good;
  changed.back() ^= std::byte{1};
  test::writeFile(folder + "damaged-weights.fovea", changed);
  affine.manifest.sections[1]->features = {"+no-such-feature"};
  affine.manifest.sections[1]->cpu = "moon";
  test::writeFile(folder + "other-cpu.fovea", affine.build());
}

// Models whose code is an ELF header and nothing else.
static void writeCorpus(const std::string &folder) {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
  header.e_machine = EM_X86_64;
  const auto *start = reinterpret_cast<const std::byte *>(&header);
  const Bytes elf(start, start + sizeof(header));
  test::Artifact cases = test::casesModel();
  cases.contents[0] = cases.contents[1] = elf;
  cases.manifest.sections[1]->features = {"avx2", "fma"};
  const Bytes good = cases.build();
  test::writeFile(folder + "cases.seed", good);
  test::writeFile(folder + "truncated.seed", Bytes(good.begin(), good.begin() + 300));
  test::writeFile(folder + "header.seed", Bytes(good.begin(), good.begin() + 32));
  test::Artifact affine = test::affineModel();
  affine.contents[0] = affine.contents[1] = elf;
  affine.manifest.sections.pop_back();
  affine.contents.pop_back();
  affine.manifest.weights.clear();
  test::writeFile(folder + "no-weights.seed", affine.build());
  affine.manifest.sections[0]->offset = 12;
  test::writeFile(folder + "misplaced.seed", affine.buildAsIs());
  test::writeFile(folder + "empty.seed", {});
}

int main(int argc, char **argv) {
  const bool corpus = argc == 3 && argv[1] == std::string_view("--corpus");
  if (argc != 2 && !corpus) {
    std::fprintf(stderr, "usage: write-artifacts [--corpus] FOLDER\n");
    return 1;
  }
  const std::string folder = std::string(argv[argc - 1]) + "/";
  corpus ? writeCorpus(folder) : writeModels(folder);
}
