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

static test::Artifact model(bool withCases) {
  test::Artifact file;
  file.manifest.abi_version = FOVEA_ABI_VERSION;
  file.manifest.producer = "test";
  addMain(file.manifest);
  if (withCases)
    addCases(file.manifest);
  for (const char *name : {"scale", "relu", "gather", "iota"})
    file.manifest.kernels.emplace_back(std::make_unique<KernelT>())->name = name;
  file.manifest.kernels[1]->workspace_bytes = 64;

  // a and b, each at a multiple of 64.
  test::Bytes weights(128);
  std::memcpy(weights.data(), &test::A, sizeof(float));
  std::memcpy(weights.data() + 64, &test::B, sizeof(float));
  for (uint64_t offset : {0, 64}) {
    auto &weight = *file.manifest.weights.emplace_back(std::make_unique<WeightT>());
    weight.name = offset ? "b" : "a";
    weight.offset = offset;
    weight.size = sizeof(float);
  }
  file.add(SectionKind::host, test::readFile(withCases ? CASES_HOST_IMAGE : AFFINE_HOST_IMAGE));
  file.add(SectionKind::kernels, test::readFile(KERNEL_IMAGE)).cpu = "baseline";
  file.add(SectionKind::weights, std::move(weights));
  return file;
}

test::Artifact test::affineModel() { return model(false); }

test::Artifact test::casesModel() { return model(true); }
