// A loaded artifact: mapped, checked, linked, described for the C API. Immutable, so any number of threads may use one.
#pragma once

#include "core/Artifact.h"
#include "core/CodeImage.h"
#include "core/MappedFile.h"
#include "fovea/abi.h"
#include "fovea/fovea.h"
#include "vulkan/Program.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

// "f32[batch=1..8,3]"
std::string shapeText(const fovea_tensor_info &info);
// "f32[2,3]"
std::string shapeText(fovea_dtype dtype, std::span<const int64_t> dims);

struct EntryInfo {
  fovea_entry_info info;
  std::vector<fovea_tensor_info> inputs;
  std::vector<fovea_tensor_info> outputs;
  std::vector<fovea_dispatch_info> dispatches;
  const artifact::Entry *manifest;
  uint32_t number; // in the host image

  // "input 'x' of entry 'main'"
  std::string inputText(uint32_t index) const;
  std::string outputText(uint32_t index) const;
};

class Model {
public:
  // `mapping` may be empty if `file` is the caller's memory.
  // On the CPU if there is no `device`.
  Model(MappedFile mapping, std::span<const std::byte> file, bool verifyWeights,
        std::shared_ptr<vulkan::Device> device);
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  const fovea_model_info &info() const { return modelInfo; }
  const EntryInfo &entry(uint32_t index) const;
  uint32_t findEntry(std::string_view name) const;
  uint32_t findInput(uint32_t entry, std::string_view name) const;
  uint32_t findOutput(uint32_t entry, std::string_view name) const;
  const fovea_tensor_info &input(uint32_t entry, uint32_t index) const;
  const fovea_tensor_info &output(uint32_t entry, uint32_t index) const;
  // The input whose memory an output may be written to; UINT32_MAX for none.
  uint32_t inputUnder(uint32_t entry, uint32_t output) const;
  const fovea_dispatch_info &dispatch(uint32_t entry, uint32_t index) const;
  // Null if out of range.
  const char *kernelName(uint32_t kernel) const;

  const fovea_entry &code(uint32_t entry) const { return host->entries[entries[entry].number]; }
  // Null on the CPU.
  const std::shared_ptr<const vulkan::Program> &program() const { return onDevice; }
  std::span<const fovea_kernel_fn> kernels() const { return kernelTable; }
  // Null where the artifact has no weights.
  const char *weights() const { return weightData; }
  // What the manifest says that any kernel needs at most.
  size_t workspaceBytes() const;

private:
  // Of those for the CPU, or of those for the device the first variant that can run there.
  void describeEntries(const vulkan::Device *device);
  bool isChosen(const artifact::Entry &entry, const vulkan::Device *device) const;
  void linkHost();
  void linkKernels();
  const artifact::Section *chooseKernels() const;

  MappedFile mapping;
  Artifact file;
  fovea_model_info modelInfo = {};
  std::vector<EntryInfo> entries;
  // Never moves its elements: the infos point into it.
  std::deque<std::vector<fovea_dim>> dims;
  std::optional<CodeImage> hostImage;
  std::optional<CodeImage> kernelImage;
  const fovea_host_image *host = nullptr;
  std::span<const fovea_kernel_fn> kernelTable;
  const char *weightData = nullptr;
  std::shared_ptr<const vulkan::Program> onDevice;
};

} // namespace fovea
