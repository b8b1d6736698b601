// What one session does on a device: its memory there, and the commands of a shape tuple, recorded once.
//
// The host program hands out addresses in an address space of the run's own, which nobody reads or writes through: the
// arena, the inputs, the outputs and the word of faults, one behind the other in one buffer, and the weights in
// another.
#pragma once

#include "vulkan/Program.h"

namespace fovea::vulkan {

class Run {
public:
  explicit Run(std::shared_ptr<const Program> program);
  ~Run();
  Run(const Run &) = delete;
  Run &operator=(const Run &) = delete;

  // Starts a recording for an arena, inputs and outputs of these sizes. What was recorded before is gone.
  void begin(size_t arenaBytes, std::span<const size_t> inputBytes, std::span<const size_t> outputBytes, bool timed);
  // Addresses for the host program.
  char *arena() const;
  char *weights() const;
  void *input(size_t number) const;
  void *output(size_t number) const;
  // Records a launch.
  void launch(uint32_t shader, void *const *buffers, const int64_t *scalars, int64_t tasks, int64_t workspaceBytes);
  void end();
  bool isRecorded() const { return recorded; }
  void discard() { recorded = false; }

  // Runs the recording on these inputs; the outputs are written where `outputs` says. Returns the word of faults.
  int64_t execute(std::span<const void *const> inputs, std::span<void *const> outputs);
  // Nanoseconds of each launch of the last timed run.
  std::vector<uint64_t> times() const;

private:
  struct Range {
    VkBuffer buffer;
    uint64_t offset, bytes;
    bool overlaps(const Range &other) const {
      return buffer == other.buffer && offset < other.offset + other.bytes && other.offset < offset + bytes;
    }
  };
  struct Launch {
    uint32_t shader;
    std::vector<Range> bindings; // of the shader's
    std::vector<Range> reads, writes;
    uint32_t push[PUSH_WORDS];
    uint32_t groups;
    uint64_t workspaceBytes;
  };
  Range rangeOf(const void *address, uint64_t bytes) const;
  void record();
  void barrier(const Launch &launch, std::vector<Range> &written, std::vector<Range> &read);
  void releaseRecording();

  std::shared_ptr<const Program> program;
  Device &device;
  DeviceBuffer memory, workspace, staging;
  std::vector<uint64_t> inputAt, outputAt; // in `memory`
  std::vector<size_t> inputBytes, outputBytes;
  uint64_t faultAt = 0, end_ = 0;
  std::vector<Launch> launches;
  bool recorded = false, timed = false;
  VkCommandPool commandPool = VK_NULL_HANDLE;
  VkDescriptorPool descriptorPool = VK_NULL_HANDLE;
  VkQueryPool queryPool = VK_NULL_HANDLE;
  VkCommandBuffer commands = VK_NULL_HANDLE;
};

} // namespace fovea::vulkan
