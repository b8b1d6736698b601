#include "compiler/pipeline/Artifact.h"
#include "compiler/lowering/Weights.h"
#include "compiler/pipeline/Code.h"
#include "compiler/pipeline/Costs.h"
#include "compiler/pipeline/OutputFile.h"
#include "compiler/target/cpu/Codegen.h"

#include "fovea/abi.h"
#include "fovea/artifact.h"
#include "fovea/artifact_generated.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <xxhash.h>

#include <cstring>

using namespace mlir;
using namespace fovea;
namespace format = fovea::artifact;

namespace {
struct Section {
  format::SectionKind kind;
  uint64_t offset, size, hash;
  std::string cpu;
  std::vector<std::string> features;
};

struct PlanTables;
using Builder_ = flatbuffers::FlatBufferBuilder;

class Emitter {
public:
  Emitter(ModuleOp module, const EmitOptions &options, bool &environment)
      : module(module), options(options), environment(environment) {}
  LogicalResult run(StringRef path);

private:
  LogicalResult link(const std::string &object, std::string &image);
  LogicalResult write(StringRef path);
  LogicalResult writeSections(llvm::raw_fd_ostream &file);
  void findVariants();
  uint32_t variantOf(exec::ProgramOp program);
  flatbuffers::Offset<format::Variant> variant(Builder_ &fb, const lowering::Machine &machine);
  PlanTables plan(Builder_ &fb, exec::ProgramOp program, const cpu::HostEntry &entry);
  std::string manifest();

  ModuleOp module;
  const EmitOptions &options;
  bool &environment;
  CompiledCode code;
  std::vector<lowering::Machine> variants; ///< of programs for Vulkan, the most demanding first
  std::vector<std::string> kernelImages;
  std::string hostImage, shaderWords;
  std::vector<Section> sections;
};
} // namespace

static format::DType dtypeOf(Type type) {
  if (type.isF32())
    return format::DType::f32;
  if (type.isF64())
    return format::DType::f64;
  if (type.isF16())
    return format::DType::f16;
  if (type.isBF16())
    return format::DType::bf16;
  if (type.isInteger(1))
    return format::DType::bool_;
  bool isUnsigned = type.isUnsignedInteger();
  switch (type.getIntOrFloatBitWidth()) {
  case 8:
    return isUnsigned ? format::DType::u8 : format::DType::i8;
  case 16:
    return isUnsigned ? format::DType::u16 : format::DType::i16;
  case 32:
    return isUnsigned ? format::DType::u32 : format::DType::i32;
  default:
    return isUnsigned ? format::DType::u64 : format::DType::i64;
  }
}

static flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<format::Tensor>>>
tensors(Builder_ &fb, ArrayAttr list, DictionaryAttr ranges) {
  std::vector<flatbuffers::Offset<format::Tensor>> all;
  for (auto tensor : list.getAsRange<DictionaryAttr>()) {
    std::vector<flatbuffers::Offset<format::Dim>> dims;
    for (Attribute dim : tensor.getAs<ArrayAttr>("dims")) {
      if (auto size = dyn_cast<IntegerAttr>(dim)) {
        dims.push_back(format::CreateDim(fb, 0, size.getInt()));
        continue;
      }
      int64_t low = 0, high = INT32_MAX;
      if (auto range = ranges.getAs<DenseI64ArrayAttr>(cast<StringAttr>(dim).getValue()))
        low = range[0], high = range[1];
      dims.push_back(format::CreateDim(fb, fb.CreateString(cast<StringAttr>(dim).str()), 0, low, high));
    }
    auto name = fb.CreateString(tensor.getAs<StringAttr>("name").str());
    auto over = tensor.getAs<IntegerAttr>("over");
    all.push_back(format::CreateTensor(fb, name, dtypeOf(tensor.getAs<TypeAttr>("type").getValue()),
                                       fb.CreateVector(dims), over ? static_cast<int32_t>(over.getInt()) : -1));
  }
  return fb.CreateVector(all);
}

namespace {
struct PlanTables {
  std::vector<flatbuffers::Offset<format::Dispatch>> dispatches;
  std::vector<flatbuffers::Offset<format::Buffer>> buffers;
};
} // namespace

/// Launches with their cost where it is a number, and the buffers of the arena, whose lifetimes count launches as the
/// dispatches of the manifest do.
PlanTables Emitter::plan(Builder_ &fb, exec::ProgramOp program, const cpu::HostEntry &entry) {
  PlanTables tables;
  SymbolTable symbols(module);
  std::vector<std::pair<uint32_t, uint32_t>> launchesOf;
  for (auto dispatch : program.getBody().getOps<exec::DispatchOp>()) {
    auto kernel = symbols.lookup<exec::KernelDefOp>(dispatch.getKernel());
    KernelCost cost = costOf(kernel, dispatch);
    uint32_t first = tables.dispatches.size(), count = code.definitions[dispatch.getKernel()].stages.size();
    // The stages of a kernel share its operations; the first one stands for all, so that sums are right.
    for (uint32_t i = 0; i < count; ++i) {
      const cpu::LaunchRecord &launch = entry.launches[first + i];
      tables.dispatches.push_back(format::CreateDispatch(fb, launch.stage, fb.CreateString(launch.node),
                                                         i == 0 ? cost.flops.getConstant().value_or(0) : 0,
                                                         i == 0 ? cost.bytes.getConstant().value_or(0) : 0));
    }
    launchesOf.emplace_back(first, first + std::max(count, 1u) - 1);
  }
  auto planned = program->getAttrOfType<ArrayAttr>("plan");
  if (!planned) // IR written by hand
    return tables;
  for (auto buffer : planned.getAsRange<DictionaryAttr>()) {
    auto text = [&](StringRef key) { return fb.CreateString(buffer.getAs<StringAttr>(key).str()); };
    auto name = text("name"), bytes = text("bytes"), offset = text("offset");
    tables.buffers.push_back(format::CreateBuffer(fb, name, bytes, offset,
                                                  launchesOf[buffer.getAs<IntegerAttr>("first").getInt()].first,
                                                  launchesOf[buffer.getAs<IntegerAttr>("last").getInt()].second));
  }
  return tables;
}

static constexpr StringRef targetAttr = exec::ExecDialect::kTargetAttr;

void Emitter::findVariants() {
  for (auto program : module.getOps<exec::ProgramOp>())
    if (auto target = program->getAttrOfType<StringAttr>(targetAttr))
      if (llvm::none_of(variants, [&](const lowering::Machine &known) { return known.name == target.getValue(); }))
        variants.push_back(*lowering::Machine::ofTarget(target.getValue()));
  llvm::stable_sort(variants, [](const auto &a, const auto &b) { return a.demands() > b.demands(); });
}

uint32_t Emitter::variantOf(exec::ProgramOp program) {
  auto target = program->getAttrOfType<StringAttr>(targetAttr);
  return target ? llvm::find_if(variants, [&](const auto &known) { return known.name == target.getValue(); }) -
                      variants.begin()
                : 0;
}

/// What a device must offer to be better served by this variant than by a less demanding one. What the portable one
/// needs, and what others share with it, stands with each shader: a kernel says so when it is to run.
flatbuffers::Offset<format::Variant> Emitter::variant(Builder_ &fb, const lowering::Machine &machine) {
  vulkan::Requirements needs = vulkan::requirementsOf(machine);
  for (auto [shader, stage] : llvm::zip(code.shaders, code.shaderStages))
    if (stage.target == machine.name && machine.demands() > 0)
      needs.add(shader);
  std::vector<format::DeviceType> types;
  if (machine.deviceIsCpu)
    types.push_back(format::DeviceType::cpu);
  std::vector<flatbuffers::Offset<flatbuffers::String>> features;
  for (const std::string &feature : needs.features)
    features.push_back(fb.CreateString(feature));
  std::vector<flatbuffers::Offset<format::CooperativeMatrix>> matrices;
  if (auto &matrix = machine.cooperativeMatrix; matrix.m)
    matrices.push_back(
        format::CreateCooperativeMatrix(fb, matrix.m, matrix.n, matrix.k, format::DType::f16, format::DType::f32));
  auto name = fb.CreateString(machine.variant());
  auto t = fb.CreateVector(types);
  auto f = fb.CreateVector(features);
  auto c = fb.CreateVector(matrices);
  return format::CreateVariant(fb, name, t, needs.minorVersion, f, machine.subgroupSize, needs.invocations,
                               needs.sharedBytes, c);
}

std::string Emitter::manifest() {
  Builder_ fb;
  std::vector<flatbuffers::Offset<format::Entry>> entries;
  unsigned number = 0;
  for (auto program : module.getOps<exec::ProgramOp>()) {
    auto inputs = tensors(fb, program.getInputs(), program.getRanges()),
         outputs = tensors(fb, program.getOutputs(), program.getRanges());
    auto [dispatches, buffers] = plan(fb, program, code.entries[number]);
    std::vector<flatbuffers::Offset<flatbuffers::String>> nodes;
    for (const std::string &node : code.faultNodes)
      nodes.push_back(fb.CreateString(node));
    bool onVulkan = program->hasAttr(exec::ExecDialect::kTargetAttr);
    auto entryName = program->getAttrOfType<StringAttr>(exec::ExecDialect::kEntryAttr);
    auto name = fb.CreateString(entryName ? entryName.str() : program.getSymName().str());
    auto d = fb.CreateVector(dispatches);
    auto n = fb.CreateVector(nodes);
    auto p = fb.CreateVector(buffers);
    auto arenaText = program->getAttrOfType<StringAttr>("arena");
    auto arena = fb.CreateString(arenaText ? arenaText.str() : "");
    bool readsData = false;
    program.walk([&](exec::InputElementOp) { readsData = true; });
    format::EntryBuilder entry(fb);
    entry.add_name(name), entry.add_inputs(inputs), entry.add_outputs(outputs), entry.add_dispatches(d),
        entry.add_fault_nodes(n);
    entry.add_buffers(p), entry.add_arena(arena);
    entry.add_prepare_reads_dims_only(!readsData);
    entry.add_target(onVulkan ? format::Target::vulkan : format::Target::cpu);
    entry.add_variant(variantOf(program));
    entries.push_back(entry.Finish());
    ++number;
  }
  std::vector<flatbuffers::Offset<format::Kernel>> table;
  if (!code.kernels.empty())
    for (const KernelStage &stage : code.kernels.front().stages)
      table.push_back(format::CreateKernelDirect(fb, stage.name.c_str(), stage.kind.c_str(), stage.schedule.c_str(),
                                                 stage.workspaceBytes));
  std::vector<flatbuffers::Offset<format::Shader>> shaders;
  uint64_t offset = 0;
  for (auto [shader, stage] : llvm::zip(code.shaders, code.shaderStages)) {
    uint64_t size = shader.words.size() * sizeof(uint32_t);
    shaders.push_back(format::CreateShaderDirect(
        fb, shader.name.c_str(), stage.kind.c_str(), stage.schedule.c_str(), offset, size, &shader.bindings,
        stage.symbols, stage.buffers, stage.inits, shader.groupSize, shader.tasksOfGroup, shader.int64, shader.float64,
        &shader.shared, shader.sharedBytes, shader.subgroupSize, &shader.windows, shader.windowBytes,
        &shader.compared));
    offset += size;
  }
  std::vector<flatbuffers::Offset<format::Variant>> variantTable;
  for (const lowering::Machine &machine : variants)
    variantTable.push_back(variant(fb, machine));
  std::vector<flatbuffers::Offset<format::Weight>> weights;
  for (auto weight : module.getOps<exec::WeightDataOp>())
    weights.push_back(format::CreateWeight(fb, fb.CreateString(weight.getSymName().str()),
                                           code.weightOffsets[weight.getSymName()], lowering::packedBytes(weight),
                                           fb.CreateString(lowering::describeLayout(weight.getLayout()))));
  std::vector<flatbuffers::Offset<format::Section>> list;
  for (const Section &section : sections) {
    std::vector<flatbuffers::Offset<flatbuffers::String>> features;
    for (const std::string &feature : section.features)
      features.push_back(fb.CreateString(feature));
    list.push_back(format::CreateSection(fb, section.kind, section.offset, section.size, section.hash,
                                         fb.CreateString(section.cpu), fb.CreateVector(features)));
  }
  auto e = fb.CreateVector(entries);
  auto k = fb.CreateVector(table);
  auto s = fb.CreateVector(list);
  auto w = fb.CreateVector(weights);
  auto h = fb.CreateVector(shaders);
  auto v = fb.CreateVector(variantTable);
  auto producer = fb.CreateString("fovea-compile");
  format::ManifestBuilder manifest(fb);
  manifest.add_abi_version(FOVEA_ABI_VERSION), manifest.add_producer(producer), manifest.add_entries(e),
      manifest.add_kernels(k), manifest.add_sections(s), manifest.add_weights(w), manifest.add_shaders(h),
      manifest.add_variants(v);
  fb.Finish(manifest.Finish(), "FOVM");
  return std::string(reinterpret_cast<const char *>(fb.GetBufferPointer()), fb.GetSize());
}

LogicalResult Emitter::writeSections(llvm::raw_fd_ostream &file) {
  // The manifest's size depends on nothing that is still unknown: offsets, sizes and hashes have fixed widths.
  auto add = [&](format::SectionKind kind, uint64_t size, std::string cpu, std::vector<std::string> features) {
    sections.push_back({kind, 0, size, 0, std::move(cpu), std::move(features)});
  };
  add(format::SectionKind::host, hostImage.size(), "", {});
  for (auto [machine, image] : llvm::zip(options.machines, kernelImages))
    add(format::SectionKind::kernels, image.size(), machine.llvmCpu, machine.features);
  if (!shaderWords.empty())
    add(format::SectionKind::shaders, shaderWords.size(), "", {});
  add(format::SectionKind::weights, code.weightBytes, "", {});
  auto place = [&](uint64_t manifestBytes) {
    uint64_t offset = sizeof(format::Header) + manifestBytes;
    for (Section &section : sections) {
      section.offset = alignUp(offset, format::SECTION_ALIGNMENT);
      offset = section.offset + section.size;
    }
    return offset;
  };
  // Default values are left out of a FlatBuffer, so ask for the size with values that are none.
  for (Section &section : sections)
    section.offset = section.hash = 1;
  uint64_t manifestBytes = manifest().size();
  uint64_t fileBytes = place(manifestBytes);
  file.pwrite("", 1, fileBytes - 1); // the last section may be empty; gaps read as zeros
  for (auto [i, section] : llvm::enumerate(sections)) {
    if (section.kind == format::SectionKind::weights)
      continue;
    const std::string &image = section.kind == format::SectionKind::host      ? hostImage
                               : section.kind == format::SectionKind::shaders ? shaderWords
                                                                              : kernelImages[i - 1];
    section.hash = XXH3_64bits(image.data(), image.size());
    file.pwrite(image.data(), image.size(), section.offset);
  }
  // Weights are packed one after the other; no more than one is in memory.
  Section &weights = sections.back();
  XXH3_state_t *state = XXH3_createState();
  XXH3_64bits_reset(state);
  uint64_t written = 0;
  std::vector<char> buffer;
  for (auto weight : module.getOps<exec::WeightDataOp>()) {
    uint64_t start = code.weightOffsets[weight.getSymName()], size = lowering::packedBytes(weight);
    buffer.assign(start - written + size, 0);
    if (failed(lowering::packWeight(weight, buffer.data() + (start - written)))) {
      XXH3_freeState(state);
      return failure();
    }
    file.pwrite(buffer.data(), buffer.size(), weights.offset + written);
    XXH3_64bits_update(state, buffer.data(), buffer.size());
    written = start + size;
  }
  weights.hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  std::string bytes = manifest();
  if (bytes.size() != manifestBytes)
    return module.emitError("the manifest changed its size while the artifact was written");
  format::Header header{};
  std::memcpy(header.magic, format::MAGIC, sizeof header.magic);
  header.format_version = format::FORMAT_VERSION;
  header.manifest_bytes = bytes.size();
  header.manifest_xxh3 = XXH3_64bits(bytes.data(), bytes.size());
  header.file_bytes = fileBytes;
  file.pwrite(reinterpret_cast<const char *>(&header), sizeof header, 0);
  file.pwrite(bytes.data(), bytes.size(), sizeof header);
  return success();
}

LogicalResult Emitter::write(StringRef path) {
  FailureOr<std::error_code> status = writeFile(path, [&](llvm::raw_fd_ostream &out) { return writeSections(out); });
  if (failed(status))
    return failure();
  environment = bool(*status);
  if (*status)
    return module.emitError("cannot write " + path + ": " + status->message());
  return success();
}

LogicalResult Emitter::link(const std::string &object, std::string &image) {
  std::string error;
  FailureOr<std::string> linked = cpu::linkSharedObject(object, &error, &environment);
  if (failed(linked))
    return module.emitError(error);
  image = std::move(*linked);
  return success();
}

LogicalResult Emitter::run(StringRef path) {
  if (failed(compileCode(module, options.machines, /*wantLLVM=*/false, code)) ||
      failed(link(code.hostObject, hostImage)))
    return failure();
  for (const KernelCode &kernels : code.kernels)
    if (failed(link(kernels.object, kernelImages.emplace_back())))
      return failure();
  findVariants();
  for (const vulkan::Shader &shader : code.shaders)
    shaderWords.append(reinterpret_cast<const char *>(shader.words.data()), shader.words.size() * sizeof(uint32_t));
  return write(path);
}

LogicalResult fovea::emitSpirv(ModuleOp module, StringRef path, const EmitOptions &options, bool &environment) {
  CompiledCode code;
  if (failed(compileCode(module, {}, /*wantLLVM=*/false, code)))
    return failure();
  environment = true; // from here on it is the disk that can fail
  if (std::error_code status = llvm::sys::fs::create_directories(path))
    return module.emitError("cannot create " + path + ": " + status.message());
  for (const vulkan::Shader &shader : code.shaders) {
    llvm::SmallString<256> file(path);
    llvm::sys::path::append(file, shader.name + ".spv");
    FailureOr<std::error_code> status = writeFile(file, [&](llvm::raw_fd_ostream &out) {
      out.write(reinterpret_cast<const char *>(shader.words.data()), shader.words.size() * sizeof(uint32_t));
      return success();
    });
    if (failed(status) || *status)
      return module.emitError("cannot write " + file + ": " + status->message());
  }
  environment = false;
  return success();
}

LogicalResult fovea::emitArtifact(ModuleOp module, StringRef path, const EmitOptions &options, bool &environment) {
  return Emitter(module, options, environment).run(path);
}
