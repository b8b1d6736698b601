#include "compiler/pipeline/Artifact.h"
#include "compiler/target/cpu/Codegen.h"
#include "compiler/target/cpu/HostProgram.h"
#include "compiler/target/cpu/Lowering.h"
#include "compiler/target/cpu/Weights.h"

#include "fovea/abi.h"
#include "fovea/artifact.h"
#include "fovea/artifact_generated.h"

#include "mlir/Pass/PassManager.h"

#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

using namespace mlir;
using namespace fovea;
namespace format = fovea::artifact;

namespace {
struct KernelCode {
  std::string image; ///< shared object
  std::vector<std::string> stageNames, stageKinds, stageSchedules;
};

struct Section {
  format::SectionKind kind;
  uint64_t offset, size, hash;
  std::string cpu;
  std::vector<std::string> features;
};

class Emitter {
public:
  Emitter(ModuleOp module, const EmitOptions &options, bool &environment)
      : module(module), options(options), environment(environment) {}
  LogicalResult run(StringRef path);

private:
  LogicalResult compileKernels(const cpu::Machine &machine, KernelCode &code);
  LogicalResult compileHost(std::string &image);
  void placeWeights();
  LogicalResult write(StringRef path);
  LogicalResult writeSections(int file);
  LogicalResult put(int file, const char *data, uint64_t size, uint64_t offset);
  std::string manifest();
  LogicalResult systemError(const Twine &what) {
    environment = true;
    return module.emitError(what + ": " + std::strerror(errno));
  }

  ModuleOp module;
  const EmitOptions &options;
  bool &environment;
  std::vector<KernelCode> kernelImages;
  std::string hostImage;
  llvm::StringMap<cpu::CompiledKernel> kernels;
  llvm::StringMap<int64_t> weightOffsets;
  uint64_t weightBytes = 0;
  std::vector<cpu::HostEntry> entries;
  std::vector<std::string> faultNodes;
  std::vector<Section> sections;
};
} // namespace

static uint64_t alignUp(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

LogicalResult Emitter::compileKernels(const cpu::Machine &machine, KernelCode &result) {
  OwningOpRef<ModuleOp> code = ModuleOp::create(module.getLoc());
  std::vector<std::string> functions;
  kernels.clear();
  for (auto definition : module.getOps<exec::KernelDefOp>()) {
    StringRef kind = definition.getSchedule().getAs<StringAttr>("kind").getValue();
    auto lowering = llvm::find_if(cpu::kernelLowerings(), [&](const cpu::KernelLowering *l) { return l->name() == kind; });
    if (lowering == cpu::kernelLowerings().end())
      return definition.emitError("unknown lowering '") << kind << "'";
    FailureOr<SmallVector<cpu::Stage>> stages = (*lowering)->emit(definition, machine, *code);
    if (failed(stages))
      return failure();
    std::string schedule;
    llvm::raw_string_ostream(schedule) << definition.getSchedule();
    cpu::CompiledKernel &compiled = kernels[definition.getSymName()];
    compiled.firstStage = functions.size();
    for (const cpu::Stage &stage : *stages) {
      functions.push_back(stage.function);
      result.stageNames.push_back(stage.function);
      result.stageKinds.push_back(kind.str());
      result.stageSchedules.push_back(schedule);
    }
    compiled.stages = std::move(*stages);
  }
  PassManager passes(module.getContext());
  cpu::buildLowerToLLVMPipeline(passes, !machine.has("sse4.1"));
  if (failed(passes.run(*code)))
    return failure();
  cpu::addKernelImage(*code, functions);
  std::string error, text;
  FailureOr<std::string> object = cpu::compileToObject(*code, machine, &error, options.llvmPath.empty() ? nullptr : &text);
  if (failed(object))
    return module.emitError(error);
  if (!options.llvmPath.empty()) {
    std::error_code status;
    llvm::raw_fd_ostream(options.llvmPath, status) << text;
    if (status) {
      environment = true;
      return module.emitError("cannot write " + options.llvmPath + ": " + status.message());
    }
  }
  FailureOr<std::string> image = cpu::linkSharedObject(*object, &error);
  if (failed(image))
    return module.emitError(error);
  result.image = std::move(*image);
  return success();
}

LogicalResult Emitter::compileHost(std::string &image) {
  OwningOpRef<ModuleOp> code = ModuleOp::create(module.getLoc());
  if (failed(cpu::writeHostPrograms(module, *code, kernels, weightOffsets, entries)))
    return failure();
  PassManager passes(module.getContext());
  cpu::buildLowerToLLVMPipeline(passes);
  if (failed(passes.run(*code)))
    return failure();
  cpu::addHostImage(*code, entries);
  std::string error;
  // The host program runs wherever the runtime does.
  FailureOr<cpu::Machine> baseline = cpu::Machine::named("x86-64", &error);
  if (failed(baseline))
    return module.emitError(error);
  FailureOr<std::string> object = cpu::compileToObject(*code, *baseline, &error);
  if (failed(object))
    return module.emitError(error);
  FailureOr<std::string> linked = cpu::linkSharedObject(*object, &error);
  if (failed(linked))
    return module.emitError(error);
  image = std::move(*linked);
  return success();
}

void Emitter::placeWeights() {
  for (auto weight : module.getOps<exec::WeightDataOp>()) {
    weightBytes = alignUp(weightBytes, format::WEIGHT_ALIGNMENT);
    weightOffsets[weight.getSymName()] = weightBytes;
    weightBytes += cpu::packedBytes(weight);
  }
}

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

using Builder_ = flatbuffers::FlatBufferBuilder;

static flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<format::Tensor>>> tensors(Builder_ &fb, ArrayAttr list, DictionaryAttr ranges) {
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
    all.push_back(format::CreateTensor(fb, name, dtypeOf(tensor.getAs<TypeAttr>("type").getValue()), fb.CreateVector(dims)));
  }
  return fb.CreateVector(all);
}

std::string Emitter::manifest() {
  Builder_ fb;
  std::vector<flatbuffers::Offset<format::Entry>> entries;
  unsigned number = 0;
  for (auto program : module.getOps<exec::ProgramOp>()) {
    auto inputs = tensors(fb, program.getInputs(), program.getRanges()), outputs = tensors(fb, program.getOutputs(), program.getRanges());
    std::vector<flatbuffers::Offset<format::Dispatch>> dispatches;
    for (const cpu::LaunchRecord &launch : this->entries[number].launches)
      dispatches.push_back(format::CreateDispatch(fb, launch.stage, fb.CreateString(launch.node)));
    std::vector<flatbuffers::Offset<flatbuffers::String>> nodes;
    for (const std::string &node : faultNodes)
      nodes.push_back(fb.CreateString(node));
    auto name = fb.CreateString(program.getSymName().str());
    auto d = fb.CreateVector(dispatches);
    auto n = fb.CreateVector(nodes);
    bool readsData = false;
    program.walk([&](exec::InputElementOp) { readsData = true; });
    format::EntryBuilder entry(fb);
    entry.add_name(name), entry.add_inputs(inputs), entry.add_outputs(outputs), entry.add_dispatches(d), entry.add_fault_nodes(n);
    entry.add_prepare_reads_dims_only(!readsData);
    entries.push_back(entry.Finish());
    ++number;
  }
  std::vector<flatbuffers::Offset<format::Kernel>> table;
  const KernelCode &code = kernelImages.front();
  for (size_t i = 0; i < code.stageNames.size(); ++i)
    table.push_back(format::CreateKernelDirect(fb, code.stageNames[i].c_str(), code.stageKinds[i].c_str(), code.stageSchedules[i].c_str()));
  std::vector<flatbuffers::Offset<format::Weight>> weights;
  for (auto weight : module.getOps<exec::WeightDataOp>())
    weights.push_back(format::CreateWeight(fb, fb.CreateString(weight.getSymName().str()), weightOffsets[weight.getSymName()],
                                           cpu::packedBytes(weight), fb.CreateString(cpu::describeLayout(weight.getLayout()))));
  std::vector<flatbuffers::Offset<format::Section>> list;
  for (const Section &section : sections) {
    std::vector<flatbuffers::Offset<flatbuffers::String>> features;
    for (const std::string &feature : section.features)
      features.push_back(fb.CreateString(feature));
    list.push_back(format::CreateSection(fb, section.kind, section.offset, section.size, section.hash, fb.CreateString(section.cpu),
                                         fb.CreateVector(features)));
  }
  auto e = fb.CreateVector(entries);
  auto k = fb.CreateVector(table);
  auto s = fb.CreateVector(list);
  auto w = fb.CreateVector(weights);
  auto producer = fb.CreateString("fovea-compile");
  format::ManifestBuilder manifest(fb);
  manifest.add_abi_version(FOVEA_ABI_VERSION), manifest.add_producer(producer), manifest.add_entries(e), manifest.add_kernels(k),
      manifest.add_sections(s), manifest.add_weights(w);
  fb.Finish(manifest.Finish(), "FOVM");
  return std::string(reinterpret_cast<const char *>(fb.GetBufferPointer()), fb.GetSize());
}

LogicalResult Emitter::put(int file, const char *data, uint64_t size, uint64_t offset) {
  while (size > 0) {
    ssize_t n = pwrite(file, data, size, offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return systemError("cannot write the artifact");
    data += n, size -= n, offset += n;
  }
  return success();
}

LogicalResult Emitter::writeSections(int file) {
  // The manifest's size depends on nothing that is still unknown: offsets, sizes and hashes have fixed widths.
  auto add = [&](format::SectionKind kind, uint64_t size, std::string cpu, std::vector<std::string> features) {
    sections.push_back({kind, 0, size, 0, std::move(cpu), std::move(features)});
  };
  add(format::SectionKind::host, hostImage.size(), "", {});
  for (auto [machine, code] : llvm::zip(options.machines, kernelImages))
    add(format::SectionKind::kernels, code.image.size(), machine.llvmCpu, machine.features);
  add(format::SectionKind::weights, weightBytes, "", {});
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
  if (ftruncate(file, fileBytes) != 0)
    return systemError("cannot write the artifact");
  for (auto [i, section] : llvm::enumerate(sections)) {
    if (section.kind == format::SectionKind::weights)
      continue;
    const std::string &image = section.kind == format::SectionKind::host ? hostImage : kernelImages[i - 1].image;
    section.hash = XXH3_64bits(image.data(), image.size());
    if (failed(put(file, image.data(), image.size(), section.offset)))
      return failure();
  }
  // Weights are packed one after the other; no more than one is in memory.
  Section &weights = sections.back();
  XXH3_state_t *state = XXH3_createState();
  XXH3_64bits_reset(state);
  uint64_t written = 0;
  std::vector<char> buffer;
  for (auto weight : module.getOps<exec::WeightDataOp>()) {
    uint64_t start = weightOffsets[weight.getSymName()], size = cpu::packedBytes(weight);
    buffer.assign(start - written + size, 0);
    if (failed(cpu::packWeight(weight, buffer.data() + (start - written))) ||
        failed(put(file, buffer.data(), buffer.size(), weights.offset + written))) {
      XXH3_freeState(state);
      return failure();
    }
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
  if (failed(put(file, reinterpret_cast<const char *>(&header), sizeof header, 0)) ||
      failed(put(file, bytes.data(), bytes.size(), sizeof header)))
    return failure();
  return success();
}

LogicalResult Emitter::write(StringRef path) {
  std::string part = (path + ".part").str();
  int file = open(part.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0)
    return systemError("cannot write " + part);
  LogicalResult result = writeSections(file);
  if (close(file) != 0 && succeeded(result))
    result = systemError("cannot write " + part);
  if (succeeded(result) && rename(part.c_str(), path.str().c_str()) != 0)
    result = systemError("cannot rename " + part + " to " + path);
  if (failed(result))
    unlink(part.c_str());
  return result;
}

LogicalResult Emitter::run(StringRef path) {
  Builder b(module.getContext());
  for (auto definition : module.getOps<exec::KernelDefOp>())
    if (auto node = definition->getAttrOfType<StringAttr>("node")) {
      faultNodes.push_back(node.str());
      definition->setAttr("fault_number", b.getI64IntegerAttr(faultNodes.size()));
    }
  for (const cpu::Machine &machine : options.machines)
    if (failed(compileKernels(machine, kernelImages.emplace_back())))
      return failure();
  placeWeights();
  if (failed(compileHost(hostImage)))
    return failure();
  return write(path);
}

LogicalResult fovea::emitArtifact(ModuleOp module, StringRef path, const EmitOptions &options, bool &environment) {
  return Emitter(module, options, environment).run(path);
}
