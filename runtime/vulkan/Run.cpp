#include "vulkan/Run.h"

#include <algorithm>
#include <cstring>

using namespace fovea;
using namespace fovea::vulkan;

// Recordings that a session keeps.
static constexpr size_t MOST_RECORDINGS = 8;

Run::Run(std::shared_ptr<const Program> shared) : program(std::move(shared)), memory(program->device()) {}

bool Run::select(const std::vector<int64_t> &sizes) {
  const auto found =
      std::find_if(recordings.begin(), recordings.end(), [&](const auto &one) { return one.first == sizes; });
  if (found == recordings.end())
    return false;
  recordings.splice(recordings.begin(), recordings, found);
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

// Memory for a recording. What is kept moves along, if it has the same size still.
void Run::makeRoom(const Recording &recording) {
  const uint64_t run = recording.runBytes(), workspace = recording.workspaceBytes(),
                 staging = recording.layout().stagingBytes();
  const std::vector<Kept> &next = recording.layout().kept;
  // What is recorded holds on to the buffers there are, and to the places in them.
  if (run > memory.run.size() || workspace > memory.workspace.size() || staging > memory.staging.size() || next != kept)
    recordings.clear();
  memory.workspace.reserve(workspace);
  memory.staging.reserve(staging);
  std::vector<VkBufferCopy> moves;
  for (const Kept &to : next)
    for (const Kept &from : kept)
      if (from.output == to.output && from.bytes == to.bytes && to.bytes != 0)
        moves.push_back({from.at, to.at, to.bytes});
  if (moves.empty()) {
    kept.clear();
    memory.run.reserve(run);
  } else if (run > memory.run.size() || next != kept) {
    DeviceBuffer larger(program->device(), DeviceBuffer::local);
    larger.reserve(run);
    program->device().copy(memory.run.handle(), larger.handle(), moves);
    memory.run.swap(larger);
  }
  kept = next;
}

void Run::end(std::vector<int64_t> sizes) {
  std::unique_ptr<Recording> done = std::move(started);
  makeRoom(*done);
  done->record(memory);
  recordings.emplace_front(std::move(sizes), std::move(done));
  if (recordings.size() > MOST_RECORDINGS)
    recordings.pop_back();
}

const Kept &Run::keptAs(uint32_t output) const {
  return *std::find_if(kept.begin(), kept.end(), [&](const Kept &one) { return one.output == output; });
}

void Run::setKept(uint32_t output, std::span<const std::byte> bytes) {
  program->device().upload(bytes, memory.run.handle(), keptAs(output).at);
}

void Run::readKept(uint32_t output, std::span<std::byte> bytes) const {
  program->device().download(memory.run.handle(), keptAs(output).at, bytes);
}

int64_t Run::execute(std::span<const void *const> inputs, std::span<void *const> outputs) {
  const Recording &recording = *recordings.front().second;
  const Layout &layout = recording.layout();
  for (size_t i = 0; i < inputs.size(); ++i)
    if (layout.isStaged(layout.inputAt[i], layout.inputBytes[i]))
      std::memcpy(memory.staging.data() + (layout.inputAt[i] - layout.inputsFrom), inputs[i], layout.inputBytes[i]);
  program->device().run(recording.commands());
  for (size_t i = 0; i < outputs.size(); ++i)
    if (layout.isStaged(layout.outputAt[i], layout.outputBytes[i]))
      std::memcpy(outputs[i], memory.staging.data() + (layout.outputAt[i] - layout.inputsFrom), layout.outputBytes[i]);
  int64_t fault;
  std::memcpy(&fault, memory.staging.data() + (layout.faultAt - layout.inputsFrom), sizeof(fault));
  return fault;
}
