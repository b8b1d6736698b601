// A model on a device: its weights there, its shaders as pipelines.
#pragma once

#include "core/Artifact.h"
#include "vulkan/Device.h"

#include <deque>

namespace fovea::vulkan {

// A shader as the runtime uses it; made when it is recorded for the first time.
struct Pipeline {
  const artifact::Shader *shader = nullptr;
  std::span<const std::byte> code;
  VkDescriptorSetLayout bindings = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;
};

class Program {
public:
  // Uploads the weights. `artifact` must outlive the program.
  Program(std::shared_ptr<Device> device, const Artifact &artifact);
  ~Program();
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;

  Device &device() const { return *onDevice; }
  VkBuffer weights() const { return weightBuffer.handle(); }
  size_t weightBytes() const { return weightBuffer.size(); }
  uint32_t shaderCount() const { return static_cast<uint32_t>(pipelines.size()); }
  // Several threads may ask. Fails with FOVEA_UNSUPPORTED if the device lacks what the shader needs.
  const Pipeline &pipeline(uint32_t shader) const;

private:
  void uploadWeights(std::span<const std::byte> bytes);
  void checkLimits(const artifact::Shader &shader) const;
  void build(Pipeline &pipeline) const;
  void destroy(Pipeline &pipeline) const;

  std::shared_ptr<Device> onDevice;
  DeviceBuffer weightBuffer;
  mutable std::mutex mutex;
  mutable std::deque<Pipeline> pipelines;
};

} // namespace fovea::vulkan
