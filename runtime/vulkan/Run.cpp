#include "vulkan/Run.h"

#include <algorithm>
#include <cstring>

using namespace fovea;
using namespace fovea::vulkan;

// Recordings that a session keeps.
static constexpr size_t MOST_KEPT = 8;

Run::Run(std::shared_ptr<const Program> shared) : program(std::move(shared)), memory(program->device()) {}

bool Run::select(const std::vector<int64_t> &sizes) {
  const auto found = std::find_if(kept.begin(), kept.end(), [&](const auto &one) { return one.first == sizes; });
  if (found == kept.end())
    return false;
  kept.splice(kept.begin(), kept, found);
  return true;
}

void Run::begin(Layout layout, bool timed) {
  started = std::make_unique<Recording>(*program, std::move(layout), timed);
}

void Run::launch(uint32_t dispatch, uint32_t shader, void *const *buffers, const int64_t *scalars, int64_t tasks,
                 int64_t workspaceBytes) {
  if (shader >= program->shaderCount() || tasks < 0 || workspaceBytes < 0)
    fail(FOVEA_INTERNAL, "launch of shader ", shader, " of ", program->shaderCount(), " with ", tasks,
         " tasks and a workspace of ", workspaceBytes, " bytes");
  if (tasks > 0)
    started->launch(dispatch, shader, buffers, scalars, tasks, workspaceBytes);
}

void Run::end(std::vector<int64_t> sizes) {
  std::unique_ptr<Recording> done = std::move(started);
  const uint64_t run = done->runBytes(), workspace = done->workspaceBytes(), staging = done->layout().stagingBytes();
  // What is recorded holds on to the buffers there are.
  if (run > memory.run.size() || workspace > memory.workspace.size() || staging > memory.staging.size())
    kept.clear();
  memory.run.reserve(run);
  memory.workspace.reserve(workspace);
  memory.staging.reserve(staging);
  done->record(memory);
  kept.emplace_front(std::move(sizes), std::move(done));
  if (kept.size() > MOST_KEPT)
    kept.pop_back();
}

int64_t Run::execute(std::span<const void *const> inputs, std::span<void *const> outputs) {
  const Recording &recording = *kept.front().second;
  const Layout &layout = recording.layout();
  for (size_t i = 0; i < inputs.size(); ++i)
    if (layout.inputBytes[i])
      std::memcpy(memory.staging.data() + (layout.inputAt[i] - layout.inputsFrom), inputs[i], layout.inputBytes[i]);
  program->device().run(recording.commands());
  for (size_t i = 0; i < outputs.size(); ++i)
    if (layout.outputBytes[i])
      std::memcpy(outputs[i], memory.staging.data() + (layout.outputAt[i] - layout.inputsFrom), layout.outputBytes[i]);
  int64_t fault;
  std::memcpy(&fault, memory.staging.data() + (layout.faultAt - layout.inputsFrom), sizeof(fault));
  return fault;
}
