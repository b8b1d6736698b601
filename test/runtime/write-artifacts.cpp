// Writes the test models, good and bad, for tests that call the tools.   write-artifacts FOLDER
#include "TestModels.h"

#include <cstdio>
#include <string>

using namespace fovea;
using test::Bytes;

static void writeModels(const std::string &folder) {
  test::Artifact affine = test::affineModel();
  const Bytes good = affine.build();
  test::writeFile(folder + "affine.fovea", good);
  test::writeFile(folder + "cases.fovea", test::casesModel().build());
  test::writeFile(folder + "vulkan.fovea", test::vulkanModel().build());
  test::writeFile(folder + "variants.fovea", test::variantsModel().build());
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

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: write-artifacts FOLDER\n");
    return 1;
  }
  writeModels(std::string(argv[1]) + "/");
}
