// What one session does on a device: its memory there, and the commands of the shape tuples it has seen last.
//
// The host program hands out addresses in an address space of the run's own, which nobody reads or writes through: what
// is kept, the arena, the inputs and the outputs, one behind the other as in Layout, and the weights.
#pragma once

#include "vulkan/Recording.h"

#include <list>

namespace fovea::vulkan {

// Far from each other and from null; no object of this process needs to lie there.
inline char *const ARENA = reinterpret_cast<char *>(uintptr_t(1) << 60);
inline char *const WEIGHTS = reinterpret_cast<char *>(uintptr_t(1) << 61);

class Run {
public:
  explicit Run(std::shared_ptr<const Program> program);
  Run(const Run &) = delete;
  Run &operator=(const Run &) = delete;

  // Makes the recording of these sizes the current one; false if there is none.
  bool select(const std::vector<int64_t> &sizes);
  // Starts a recording. It becomes the current one at its end; the oldest ones are given up.
  void begin(Layout layout, bool timed);
  char *arena() const { return ARENA + started->layout().arenaAt; }
  void *input(size_t number) const { return ARENA + started->layout().inputAt[number]; }
  void *output(size_t number) const { return ARENA + started->layout().outputAt[number]; }
  void launch(uint32_t dispatch, uint32_t shader, void *const *buffers, const int64_t *scalars, int64_t tasks,
              int64_t workspaceBytes);
  void end(std::vector<int64_t> sizes);

  // What an output that is kept holds: given for the run to go on from, or read after one.
  void setKept(uint32_t output, std::span<const std::byte> bytes);
  void readKept(uint32_t output, std::span<std::byte> bytes) const;
  // Runs the current recording on these inputs; the outputs are written where `outputs` says, but for those that are
  // kept. Returns the word of faults.
  int64_t execute(std::span<const void *const> inputs, std::span<void *const> outputs);
  // The launches of the last run, if it was timed.
  std::vector<fovea_dispatch_time> times() const { return recordings.front().second->times(); }

private:
  void makeRoom(const Recording &recording);
  const Kept &keptAs(uint32_t output) const;

  std::shared_ptr<const Program> program;
  Memory memory;
  std::unique_ptr<Recording> started;
  // By the sizes, the last used first.
  std::list<std::pair<std::vector<int64_t>, std::unique_ptr<Recording>>> recordings;
  // What memory.run keeps.
  std::vector<Kept> kept;
};

} // namespace fovea::vulkan
