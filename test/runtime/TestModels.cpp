#include "TestModels.h"
#include "fovea/abi.h"

#include <cstring>

using namespace fovea;
using namespace fovea::artifact;

static constexpr int64_t MOST = 100000;

static std::unique_ptr<DimT> symbolic(const char *name, int64_t min, int64_t max) {
  auto dim = std::make_unique<DimT>();
  dim->name = name;
  dim->min = min;
  dim->max = max;
  return dim;
}

static std::unique_ptr<DimT> fixed(int64_t value) {
  auto dim = std::make_unique<DimT>();
  dim->value = value;
  return dim;
}

template <typename... Dims> static std::unique_ptr<TensorT> tensor(const char *name, DType dtype, Dims... dims) {
  auto result = std::make_unique<TensorT>();
  result->name = name;
  result->dtype = dtype;
  (result->dims.push_back(std::move(dims)), ...);
  return result;
}

static void addDispatch(EntryT &entry, uint32_t kernel, const char *node, int64_t flops) {
  auto dispatch = std::make_unique<DispatchT>();
  dispatch->kernel = kernel;
  dispatch->node = node;
  dispatch->flops = flops;
  dispatch->bytes = 8;
  entry.dispatches.push_back(std::move(dispatch));
}

static EntryT &addEntry(ManifestT &manifest, const char *name) {
  EntryT &entry = *manifest.entries.emplace_back(std::make_unique<EntryT>());
  entry.name = name;
  entry.prepare_reads_dims_only = true;
  entry.fault_nodes = {"first", "lookup"};
  return entry;
}

static void addMain(ManifestT &manifest) {
  EntryT &entry = addEntry(manifest, "main");
  entry.inputs.push_back(tensor("x", DType::f32, symbolic("n", 0, MOST)));
  entry.outputs.push_back(tensor("y", DType::f32, symbolic("n", 0, MOST)));
  entry.arena = "4*n";
  addDispatch(entry, 0, "affine", 2);
  addDispatch(entry, 1, "relu", 1);
  auto &buffer = *entry.buffers.emplace_back(std::make_unique<BufferT>());
  buffer.name = "t";
  buffer.bytes = "4*n";
  buffer.offset = "0";
  buffer.last = 1;
}

static void addCases(ManifestT &manifest) {
  EntryT &gather = addEntry(manifest, "gather");
  gather.inputs.push_back(tensor("table", DType::f32, symbolic("n", 0, MOST)));
  gather.inputs.push_back(tensor("index", DType::i64, symbolic("m", 0, MOST)));
  gather.outputs.push_back(tensor("y", DType::f32, symbolic("m", 0, MOST)));
  EntryT &range = addEntry(manifest, "range");
  range.inputs.push_back(tensor("size", DType::i64, fixed(1)));
  range.outputs.push_back(tensor("y", DType::f32, symbolic("k", 0, MOST)));
  range.prepare_reads_dims_only = false;
  EntryT &positions = addEntry(manifest, "positions");
  positions.inputs.push_back(tensor("x", DType::f32, symbolic("n", 0, MOST)));
  positions.outputs.push_back(tensor("y", DType::i64, symbolic("count", 0, MOST)));
  EntryT &broken = addEntry(manifest, "broken");
  broken.inputs.push_back(tensor("x", DType::f32, symbolic("n", 0, MOST)));
  broken.outputs.push_back(tensor("y", DType::f32, symbolic("n", 0, MOST)));
  EntryT &add = addEntry(manifest, "add");
  add.inputs.push_back(tensor("p", DType::i32, symbolic("n", 1, 8), fixed(2)));
  add.inputs.push_back(tensor("q", DType::i32, symbolic("n", 1, 8), fixed(2)));
  add.outputs.push_back(tensor("s", DType::i32, symbolic("n", 1, 8), fixed(2)));
  add.outputs.back()->over = 0;
}

// a and b, each at a multiple of `alignment`.
static test::Bytes addWeights(ManifestT &manifest, uint64_t alignment) {
  test::Bytes weights(2 * alignment);
  std::memcpy(weights.data(), &test::A, sizeof(float));
  std::memcpy(weights.data() + alignment, &test::B, sizeof(float));
  for (const char *name : {"a", "b"}) {
    auto &weight = *manifest.weights.emplace_back(std::make_unique<WeightT>());
    weight.name = name;
    weight.offset = alignment * (manifest.weights.size() - 1);
    weight.size = sizeof(float);
  }
  return weights;
}

static test::Artifact model(const char *hostImage) {
  test::Artifact file;
  file.manifest.abi_version = FOVEA_ABI_VERSION;
  file.manifest.producer = "test";
  addMain(file.manifest);
  for (const char *name : {"scale", "relu", "gather", "iota"})
    file.manifest.kernels.emplace_back(std::make_unique<KernelT>())->name = name;
  file.manifest.kernels[1]->workspace_bytes = 64;
  file.add(SectionKind::host, test::readFile(hostImage));
  file.add(SectionKind::kernels, test::readFile(KERNEL_IMAGE)).cpu = "baseline";
  return file;
}

static test::Artifact withWeights(test::Artifact file, uint64_t alignment) {
  file.add(SectionKind::weights, addWeights(file.manifest, alignment));
  return file;
}

test::Artifact test::affineModel() { return withWeights(model(AFFINE_HOST_IMAGE), 64); }

test::Artifact test::casesModel() {
  Artifact file = model(CASES_HOST_IMAGE);
  addCases(file.manifest);
  return withWeights(std::move(file), 64);
}

// Entries for Vulkan, of which each variant has shaders of its own.
static test::Artifact vulkanModel(const char *hostImage, const std::vector<const char *> &variants) {
  using namespace test;
  Artifact file = model(hostImage);
  Bytes code;
  auto addShader = [&](const char *name, const char *path, std::vector<uint8_t> bindings, uint32_t buffers) {
    const Bytes words = readFile(path);
    ShaderT &shader = *file.manifest.shaders.emplace_back(std::make_unique<ShaderT>());
    shader.name = name;
    shader.offset = code.size();
    shader.size = words.size();
    shader.bindings = std::move(bindings);
    shader.buffers = buffers;
    shader.inits = 1;
    shader.group_size = shader.tasks_of_group = 64;
    code.insert(code.end(), words.begin(), words.end());
  };
  for (const char *name : variants) {
    const auto variant = static_cast<uint32_t>(file.manifest.variants.size());
    file.manifest.variants.emplace_back(std::make_unique<VariantT>())->name = name;
    addMain(file.manifest);
    EntryT &entry = *file.manifest.entries.back();
    entry.target = Target::vulkan;
    entry.variant = variant;
    for (uint32_t i = 0; i < 2; ++i)
      entry.dispatches[i]->kernel = 2 * variant + i;
    addShader("scale", SCALE_SHADER, {0, 1, 2, 3}, 4);
    addShader("relu", RELU_SHADER, {0, 1, 255}, 2);
  }
  file.add(SectionKind::shaders, std::move(code));
  return withWeights(std::move(file), 256);
}

test::Artifact test::vulkanModel() { return ::vulkanModel(VULKAN_HOST_IMAGE, {"portable"}); }

test::Artifact test::variantsModel() {
  Artifact file = ::vulkanModel(VARIANTS_HOST_IMAGE, {"cpu", "portable"});
  file.manifest.variants[0]->device_types = {DeviceType::cpu};
  return file;
}
