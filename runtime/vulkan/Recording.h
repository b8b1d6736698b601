// The commands of one shape tuple: launches, recorded once, run any number of times.
#pragma once

#include "fovea/fovea.h"
#include "vulkan/Program.h"

#include <array>

namespace fovea::vulkan {

// Where in the run's memory an output stays from one run to the next. In bytes.
struct Kept {
  uint32_t output;
  uint64_t at;
  size_t bytes;
  bool operator==(const Kept &) const = default;
};

// The memory of a run: what is kept, the arena, the inputs, the outputs, the word of faults and the words that launches
// cannot push, one behind the other in one buffer. Inputs that outputs are written over come last, and are the first
// outputs; those that are kept have one place with their output. Places in bytes.
struct Layout {
  // `over`: of each output the input that it may be written over, or none of them. `keeps`: whether it is kept.
  Layout(size_t arenaBytes, std::span<const size_t> inputBytes, std::span<const size_t> outputBytes,
         std::span<const uint32_t> over, const std::vector<bool> &keeps);

  std::vector<Kept> kept;
  std::vector<uint64_t> inputAt, outputAt;
  std::vector<size_t> inputBytes, outputBytes;
  uint64_t arenaAt = 0, inputsFrom = 0, inputsTo = 0, outputsFrom = 0, faultAt = 0, wordsAt = 0;
  // Whether a tensor there travels through the staging buffer: it is neither kept nor empty.
  bool isStaged(uint64_t at, size_t bytes) const { return bytes != 0 && at >= inputsFrom; }
  // Of the staging buffer, which has inputs, outputs and the word of faults.
  uint64_t stagingBytes() const { return wordsAt - inputsFrom; }
};

// Where a session's runs take place. Grows only while no recording uses it.
struct Memory {
  explicit Memory(Device &device)
      : run(device, DeviceBuffer::local), workspace(device, DeviceBuffer::local),
        staging(device, DeviceBuffer::staging) {}
  DeviceBuffer run, workspace, staging;
};

class Recording {
public:
  Recording(const Program &program, Layout layout, bool timed);
  ~Recording();
  Recording(const Recording &) = delete;
  Recording &operator=(const Recording &) = delete;

  const Layout &layout() const { return places; }
  // Notes a launch. `buffers` are places in the address spaces of Run.h; `dispatch` is for times().
  void launch(uint32_t dispatch, uint32_t shader, void *const *buffers, const int64_t *scalars, int64_t tasks,
              int64_t workspaceBytes);
  // What the launches need at least.
  uint64_t runBytes() const { return places.wordsAt + words.size() * sizeof(uint32_t); }
  uint64_t workspaceBytes() const;
  // Records all launches for this memory.
  void record(const Memory &memory);
  VkCommandBuffer commands() const { return commandBuffer; }
  // The launches of the last run, with their times (0 where the device cannot tell); none unless timed.
  std::vector<fovea_dispatch_time> times() const;

private:
  struct Range {
    enum Where : uint8_t { run, workspace, weights } where;
    uint64_t offset, bytes;
    uint64_t end() const { return offset + bytes; }
    bool overlaps(const Range &other) const {
      return where == other.where && offset < other.end() && other.offset < end();
    }
  };
  struct Launch {
    uint32_t dispatch, shader;
    int64_t tasks;
    std::vector<Range> bindings; // of the shader
    std::vector<Range> reads, writes;
    std::array<uint32_t, artifact::PUSH_WORDS> push;
    uint32_t groups;
    uint64_t workspaceBytes;
  };
  struct Shared;

  Range rangeOf(const void *address, uint64_t bytes) const;
  static Range windowOf(Range range, const artifact::Shader &shader, uint8_t number);
  void bind(Launch &launch, const artifact::Shader &shader, void *const *buffers, const int64_t *scalars,
            Shared &shared);
  void checkWindows(const Launch &launch, const artifact::Shader &shader) const;
  VkBuffer bufferOf(const Range &range) const;
  void makePools();
  void order(VkPipelineStageFlags from, VkAccessFlags fromAccess, VkPipelineStageFlags to, VkAccessFlags toAccess);
  void copyIn();
  void copyOut();
  void recordLaunch(const Launch &launch, uint32_t number);
  void barrier(const Launch &launch);

  const Program &program;
  Device &device;
  const Layout places;
  const bool timed, stamped; // stamped: the device can tell times
  std::vector<Launch> launches;
  std::vector<uint32_t> words; // of all launches, behind the pushed ones
  const Memory *memory = nullptr;
  std::vector<Range> written, read; // since the last barrier for them; while it is being recorded
  VkCommandPool commandPool = VK_NULL_HANDLE;
  VkDescriptorPool descriptorPool = VK_NULL_HANDLE;
  VkQueryPool queryPool = VK_NULL_HANDLE;
  VkCommandBuffer commandBuffer = VK_NULL_HANDLE;
};

} // namespace fovea::vulkan
