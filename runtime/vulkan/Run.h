// What one session does on a device: its memory there, and the commands of the shape tuples it has seen last.
//
// The host program hands out addresses in an address space of the run's own, which nobody reads or writes through: the
// arena, the inputs and the outputs, one behind the other as in Layout, and the weights.
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
  void *input(size_t number) const { return ARENA + started->layout().inputAt[number]; }
  void *output(size_t number) const { return ARENA + started->layout().outputAt[number]; }
  void launch(uint32_t dispatch, uint32_t shader, void *const *buffers, const int64_t *scalars, int64_t tasks,
              int64_t workspaceBytes);
  void end(std::vector<int64_t> sizes);

  // Runs the current recording on these inputs; the outputs are written where `outputs` says. Returns the word of
  // faults.
  int64_t execute(std::span<const void *const> inputs, std::span<void *const> outputs);
  // The launches of the last run, if it was timed.
  std::vector<fovea_dispatch_time> times() const { return kept.front().second->times(); }

private:
  std::shared_ptr<const Program> program;
  Memory memory;
  std::unique_ptr<Recording> started;
  // By the sizes, the last used first.
  std::list<std::pair<std::vector<int64_t>, std::unique_ptr<Recording>>> kept;
};

} // namespace fovea::vulkan
