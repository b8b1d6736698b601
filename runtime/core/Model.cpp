#include "core/Model.h"
#include "core/Error.h"
#include "cpu/Features.h"
#include "vulkan/Variants.h"

#include <algorithm>
#include <elf.h>
#include <utility>

using namespace fovea;
using namespace fovea::artifact;

// Host programs keep sizes of tensors in slots; millions of them would be a damaged image.
static constexpr uint32_t MAX_SLOTS = 1u << 20;

static const char *orEmpty(const flatbuffers::String *string) { return string ? string->c_str() : ""; }

std::string fovea::shapeText(fovea_dtype dtype, std::span<const int64_t> dims) {
  std::string result = text(fovea_dtype_name(dtype), "[");
  for (size_t i = 0; i < dims.size(); ++i)
    result += text(i ? "," : "", dims[i]);
  return result + "]";
}

std::string fovea::shapeText(const fovea_tensor_info &info) {
  std::string result = text(fovea_dtype_name(info.dtype), "[");
  for (uint32_t i = 0; i < info.rank; ++i) {
    const fovea_dim &dim = info.dims[i];
    result += i ? "," : "";
    result += dim.name ? text(dim.name, "=", dim.min, "..", dim.max) : std::to_string(dim.min);
  }
  return result + "]";
}

std::string EntryInfo::inputText(uint32_t index) const {
  return text("input ", quoted(inputs[index].name), " of entry ", quoted(info.name));
}

std::string EntryInfo::outputText(uint32_t index) const {
  return text("output ", quoted(outputs[index].name), " of entry ", quoted(info.name));
}

Model::Model(MappedFile mapped, std::span<const std::byte> content, bool verifyWeights,
             std::shared_ptr<vulkan::Device> device)
    : mapping(std::move(mapped)), file(content) {
  const Manifest &manifest = file.manifest();
  if (const Section *weights = file.weights()) {
    if (verifyWeights)
      file.verify(*weights);
    weightData = reinterpret_cast<const char *>(file.bytes(*weights).data());
    modelInfo.weight_bytes = weights->size();
  }
  modelInfo.producer = orEmpty(manifest.producer());
  modelInfo.cpu = "";
  modelInfo.file_bytes = content.size();
  describeEntries(device.get());
  linkHost();
  if (device) {
    modelInfo.kernel_count = manifest.shaders() ? manifest.shaders()->size() : 0;
    if (file.shaders())
      file.verify(*file.shaders());
    onDevice = std::make_shared<vulkan::Program>(std::move(device), file);
  } else {
    modelInfo.kernel_count = manifest.kernels()->size();
    linkKernels();
  }
}

bool Model::isChosen(const Entry &entry, const vulkan::Device *device) const {
  if (!device || entry.target() != Target::vulkan)
    return !device && entry.target() == Target::cpu;
  const auto runs = [&](const Entry &one) {
    return vulkan::missing(*file.manifest().variants()->Get(one.variant()), device->info()).empty();
  };
  const auto isBetter = [&](const Entry *other) {
    return other->target() == Target::vulkan && other->name()->string_view() == entry.name()->string_view() &&
           other->variant() < entry.variant() && runs(*other);
  };
  const auto &all = *file.manifest().entries();
  return runs(entry) && std::none_of(all.begin(), all.end(), isBetter);
}

// Why none of the variants can run there; empty where there are none.
static std::string reasonsAgainst(const Manifest &manifest, const vulkan::Device *device) {
  std::string reasons;
  for (uint32_t i = 0; device && manifest.variants() && i < manifest.variants()->size(); ++i) {
    const Variant &variant = *manifest.variants()->Get(i);
    if (const std::string lacks = vulkan::missing(variant, device->info()); !lacks.empty())
      reasons += text(reasons.empty() ? "" : "; ", quoted(variant.name()->string_view()), " needs ", lacks);
  }
  return reasons;
}

void Model::describeEntries(const vulkan::Device *device) {
  const Target target = device ? Target::vulkan : Target::cpu;
  auto describe = [this](const auto &tensors) {
    std::vector<fovea_tensor_info> infos;
    for (const Tensor *tensor : tensors) {
      std::vector<fovea_dim> &shape = dims.emplace_back();
      for (const Dim *dim : *tensor->dims()) {
        const bool isStatic = !dim->name() || dim->name()->size() == 0;
        shape.push_back(isStatic ? fovea_dim{nullptr, dim->value(), dim->value()}
                                 : fovea_dim{dim->name()->c_str(), dim->min(), dim->max()});
      }
      infos.push_back({tensor->name()->c_str(), static_cast<fovea_dtype>(tensor->dtype()),
                       static_cast<uint32_t>(shape.size()), shape.data()});
    }
    return infos;
  };
  uint32_t number = 0;
  for (const Entry *entry : *file.manifest().entries()) {
    const uint32_t own = number++;
    if (!isChosen(*entry, device))
      continue;
    EntryInfo info = {{}, describe(*entry->inputs()), describe(*entry->outputs()), {}, entry, own};
    for (uint32_t i = 0; entry->dispatches() && i < entry->dispatches()->size(); ++i) {
      const Dispatch &dispatch = *entry->dispatches()->Get(i);
      const flatbuffers::String *name = target == Target::vulkan
                                            ? file.manifest().shaders()->Get(dispatch.kernel())->name()
                                            : file.manifest().kernels()->Get(dispatch.kernel())->name();
      info.dispatches.push_back(
          {dispatch.kernel(), name->c_str(), orEmpty(dispatch.node()), dispatch.flops(), dispatch.bytes()});
    }
    info.info = {entry->name()->c_str(), static_cast<uint32_t>(info.inputs.size()),
                 static_cast<uint32_t>(info.outputs.size()), static_cast<uint32_t>(info.dispatches.size()),
                 device ? file.manifest().variants()->Get(entry->variant())->name()->c_str() : ""};
    entries.push_back(std::move(info));
  }
  modelInfo.entry_count = static_cast<uint32_t>(entries.size());
  if (const std::string reasons = reasonsAgainst(file.manifest(), device); entries.empty() && !reasons.empty())
    fail(FOVEA_UNSUPPORTED, "no code of this model runs on ", quoted(device->info().name), ": variant ", reasons,
         "; compile with --vulkan-variants=portable");
  if (entries.empty())
    fail(FOVEA_UNSUPPORTED, "the artifact was not compiled for ", target == Target::vulkan ? "Vulkan" : "the CPU",
         "; compile the model with --target=", target == Target::vulkan ? "vulkan" : "cpu", " or --target=cpu,vulkan");
}

// The ELF header was checked to be there by the reader.
static uint16_t machineOf(std::span<const std::byte> elf) {
  return reinterpret_cast<const Elf64_Ehdr *>(elf.data())->e_machine;
}

void Model::linkHost() {
  const Section &section = *file.host();
  if (const uint16_t machine = machineOf(file.bytes(section)); machine != cpu::elfMachine())
    fail(FOVEA_ENVIRONMENT, "the model is compiled for ", cpu::machineName(machine), ", this machine is ",
         cpu::machineName(cpu::elfMachine()));
  file.verify(section);
  hostImage.emplace(file.bytes(section), file.describe(section));
  host = static_cast<const fovea_host_image *>(hostImage->symbol("fovea_host_image"));
  if (host->abi_version != FOVEA_ABI_VERSION || host->entry_count != file.manifest().entries()->size() ||
      !host->entries)
    fail(FOVEA_INTERNAL, "expected a host image of ABI version ", FOVEA_ABI_VERSION, " with ",
         file.manifest().entries()->size(), " entries, got version ", host->abi_version, " with ", host->entry_count);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    uint64_t dimCount = 0;
    for (const fovea_tensor_info &output : entries[i].outputs)
      dimCount += output.rank;
    const fovea_entry &code = this->code(i);
    if (!code.prepare || !code.run || code.slot_count > MAX_SLOTS || code.arena_slot >= code.slot_count ||
        code.output_slot + dimCount > code.slot_count)
      fail(FOVEA_INTERNAL, "entry ", quoted(entries[i].info.name), ": expected functions, an arena slot and ", dimCount,
           " slots for the outputs' dims, got ", code.slot_count, " slots, arena slot ", code.arena_slot,
           ", first output slot ", code.output_slot);
  }
}

const Section *Model::chooseKernels() const {
  std::string reasons;
  for (const Section *section : *file.manifest().sections()) {
    if (section->kind() != SectionKind::kernels)
      continue;
    std::string missing;
    if (const uint16_t machine = machineOf(file.bytes(*section)); machine != cpu::elfMachine())
      missing = text(" a machine that is ", cpu::machineName(machine));
    else if (section->features())
      for (const flatbuffers::String *feature : *section->features())
        if (!cpu::offers(feature->string_view()))
          missing += text(" ", feature->string_view());
    if (missing.empty())
      return section;
    reasons += text(reasons.empty() ? "" : "; ", file.describe(*section), " needs", missing);
  }
  fail(FOVEA_ENVIRONMENT, "no kernels of this model run on this CPU: ", reasons,
       "; compile with --cpu=native on this machine");
}

void Model::linkKernels() {
  if (modelInfo.kernel_count == 0)
    return;
  const Section &section = *chooseKernels();
  file.verify(section);
  modelInfo.cpu = orEmpty(section.cpu());
  kernelImage.emplace(file.bytes(section), file.describe(section));
  const auto *image = static_cast<const fovea_kernel_image *>(kernelImage->symbol("fovea_kernel_image"));
  if (image->abi_version != FOVEA_ABI_VERSION || image->kernel_count != modelInfo.kernel_count || !image->kernels)
    fail(FOVEA_INTERNAL, "expected a kernel image of ABI version ", FOVEA_ABI_VERSION, " with ", modelInfo.kernel_count,
         " kernels, got version ", image->abi_version, " with ", image->kernel_count);
  kernelTable = {image->kernels, image->kernel_count};
  if (std::find(kernelTable.begin(), kernelTable.end(), nullptr) != kernelTable.end())
    fail(FOVEA_INTERNAL, "a kernel is missing in the ", file.describe(section));
}

size_t Model::workspaceBytes() const {
  int64_t most = 0;
  for (const Kernel *kernel : *file.manifest().kernels())
    most = std::max(most, kernel->workspace_bytes());
  return static_cast<size_t>(most);
}

template <typename List> static const auto &at(const List &list, uint32_t index, const char *what) {
  if (index >= list.size())
    fail(FOVEA_INVALID, "expected ", what, " number below ", list.size(), ", got ", index);
  return list[index];
}

template <typename List, typename NameOf>
static uint32_t find(const List &list, std::string_view name, const std::string &what, NameOf nameOf) {
  std::string known;
  for (uint32_t i = 0; i < list.size(); ++i) {
    if (nameOf(list[i]) == name)
      return i;
    known += text(i ? ", " : "", quoted(nameOf(list[i])));
  }
  fail(FOVEA_INVALID, "there is no ", what, " ", quoted(name), "; there is ", known.empty() ? "none" : known);
}

static std::string_view tensorName(const fovea_tensor_info &info) { return info.name; }

const EntryInfo &Model::entry(uint32_t index) const { return at(entries, index, "an entry"); }

uint32_t Model::findEntry(std::string_view name) const {
  return find(entries, name, "entry", [](const EntryInfo &entry) { return std::string_view(entry.info.name); });
}

uint32_t Model::findInput(uint32_t index, std::string_view name) const {
  return find(entry(index).inputs, name, text("input of entry ", quoted(entry(index).info.name), " called"),
              tensorName);
}

uint32_t Model::findOutput(uint32_t index, std::string_view name) const {
  return find(entry(index).outputs, name, text("output of entry ", quoted(entry(index).info.name), " called"),
              tensorName);
}

const fovea_tensor_info &Model::input(uint32_t index, uint32_t input) const {
  return at(entry(index).inputs, input, "an input");
}

const fovea_tensor_info &Model::output(uint32_t index, uint32_t output) const {
  return at(entry(index).outputs, output, "an output");
}

uint32_t Model::inputUnder(uint32_t index, uint32_t output) const {
  this->output(index, output);
  return static_cast<uint32_t>(entries[index].manifest->outputs()->Get(output)->over());
}

const fovea_dispatch_info &Model::dispatch(uint32_t index, uint32_t dispatch) const {
  return at(entry(index).dispatches, dispatch, "a dispatch");
}

const char *Model::kernelName(uint32_t kernel) const {
  if (kernel >= modelInfo.kernel_count)
    return nullptr;
  return onDevice ? file.manifest().shaders()->Get(kernel)->name()->c_str()
                  : file.manifest().kernels()->Get(kernel)->name()->c_str();
}
