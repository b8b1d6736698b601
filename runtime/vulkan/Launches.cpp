// The half of a recording that notes launches: words, windows, ranges.
#include "vulkan/Run.h"

#include <algorithm>
#include <numeric>

using namespace fovea;
using namespace fovea::artifact;
using namespace fovea::vulkan;

// Tensors start where every device can bind them.
static constexpr uint64_t ALIGNMENT = 256;
static constexpr uint64_t FAULT_BYTES = 8;
// In the place of a shared buffer.
static constexpr uint32_t IN_WEIGHTS = 0x80000000;

static uint64_t aligned(uint64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }
static uint64_t wholeWords(uint64_t bytes) { return (bytes + 3) / 4 * 4; }

Layout::Layout(size_t arenaBytes, std::span<const size_t> inputs, std::span<const size_t> outputs,
               std::span<const uint32_t> over, const std::vector<bool> &keeps)
    : inputAt(inputs.size()), outputAt(outputs.size()), inputBytes(inputs.begin(), inputs.end()),
      outputBytes(outputs.begin(), outputs.end()) {
  uint64_t at = 0;
  auto place = [&](uint64_t bytes) {
    const uint64_t here = at;
    at += aligned(std::max<uint64_t>(bytes, 1));
    return here;
  };
  // First, so that the place depends on nothing else.
  std::vector<bool> isKept(inputs.size());
  for (uint32_t i = 0; i < outputs.size(); ++i)
    if (keeps[i]) {
      inputAt[over[i]] = outputAt[i] = place(outputs[i]);
      isKept[over[i]] = true;
      kept.push_back({i, outputAt[i], outputs[i]});
    }
  arenaAt = place(arenaBytes);
  // Outputs by the input that they replace.
  std::vector<size_t> replacing(inputs.size(), outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i)
    if (over[i] < inputs.size() && !isKept[over[i]] && inputs[over[i]] == outputs[i])
      replacing[over[i]] = i;
  inputsFrom = at;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!isKept[i] && replacing[i] == outputs.size())
      inputAt[i] = place(inputs[i]);
  outputsFrom = at;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (replacing[i] != outputs.size())
      inputAt[i] = outputAt[replacing[i]] = place(inputs[i]);
  inputsTo = at;
  for (size_t i = 0; i < outputs.size(); ++i)
    if (!keeps[i] && (over[i] >= inputs.size() || replacing[over[i]] != i))
      outputAt[i] = place(outputs[i]);
  faultAt = at;
  wordsAt = at + ALIGNMENT;
}

// The windows that the buffers without a binding of their own lie in.
struct Recording::Shared {
  struct Window {
    uint64_t from = UINT64_MAX, to = 0;
    void add(const Range &range) {
      from = std::min(from, range.offset / ALIGNMENT * ALIGNMENT);
      to = std::max(to, range.end());
    }
    bool empty() const { return from >= to; }
  } run, weights;
  std::vector<Range> ranges;
};

// A tensor without elements is never read; its window has a word all the same.
Recording::Range Recording::rangeOf(const void *address, uint64_t bytes) const {
  if (bytes == 0)
    return {Range::run, places.faultAt, FAULT_BYTES};
  const bool isWeight = address >= WEIGHTS;
  const auto offset = static_cast<uint64_t>(static_cast<const char *>(address) - (isWeight ? WEIGHTS : ARENA));
  return {isWeight ? Range::weights : Range::run, offset, wholeWords(bytes)};
}

void Recording::bind(Launch &launch, const artifact::Shader &shader, void *const *buffers, const int64_t *scalars,
                     Shared &shared) {
  const uint32_t symbols = shader.symbols(), count = shader.buffers();
  auto rangeOfBuffer = [&](uint8_t buffer) {
    if (buffer >= count)
      fail(FOVEA_INTERNAL, "kernel ", quoted(shader.name()->string_view()), " uses buffer ", static_cast<int>(buffer),
           " of ", count);
    const Range range = rangeOf(buffers[buffer], static_cast<uint64_t>(scalars[symbols + buffer]));
    launch.reads.push_back(range);
    if (buffer >= count - shader.inits())
      launch.writes.push_back(range);
    return range;
  };
  for (uint32_t i = 0; shader.shared() && i < shader.shared()->size(); ++i) {
    const Range &range = shared.ranges.emplace_back(rangeOfBuffer(shader.shared()->Get(i)));
    (range.where == Range::weights ? shared.weights : shared.run).add(range);
  }
  const Range fault = {Range::run, places.faultAt, FAULT_BYTES};
  auto window = [&](const Shared::Window &of, Range::Where where) {
    return of.empty() ? fault : Range{where, of.from, of.to - of.from};
  };
  for (uint32_t i = 0; i < shader.bindings()->size(); ++i) {
    const uint8_t binding = shader.bindings()->Get(i),
                  number = shader.windows() ? shader.windows()->Get(i) : WHOLE_BUFFER;
    switch (binding) {
    case WORDS_BINDING:
      launch.bindings.push_back({Range::run, places.wordsAt + words.size() * sizeof(uint32_t), 4});
      break;
    case MEMORY_BINDING:
      launch.bindings.push_back(window(shared.run, Range::run));
      break;
    case WEIGHTS_BINDING:
      launch.bindings.push_back(window(shared.weights, Range::weights));
      break;
    case FAULT_BINDING:
      for (std::vector<Range> *ranges : {&launch.bindings, &launch.reads, &launch.writes})
        ranges->push_back(fault);
      break;
    case WORKSPACE_BINDING:
      for (std::vector<Range> *ranges : {&launch.bindings, &launch.reads, &launch.writes})
        ranges->push_back({Range::workspace, 0, std::max<uint64_t>(launch.workspaceBytes, 4)});
      break;
    default:
      launch.bindings.push_back(windowOf(rangeOfBuffer(binding), shader, number));
    }
  }
}

// Part of a tensor that is larger than a binding may be.
Recording::Range Recording::windowOf(Range range, const artifact::Shader &shader, uint8_t number) {
  if (number == WHOLE_BUFFER)
    return range;
  const uint64_t before = number * shader.window_bytes();
  if (range.bytes <= before)
    fail(FOVEA_INTERNAL, "kernel ", quoted(shader.name()->string_view()), ": a tensor of ", range.bytes,
         " bytes, bound from byte ", before, " on");
  range.offset += before;
  range.bytes = std::min(range.bytes - before, shader.window_bytes());
  return range;
}

void Recording::checkWindows(const Launch &launch, const artifact::Shader &shader) const {
  const uint64_t limit = device.info().limits.maxStorageBufferRange;
  for (uint32_t i = 0; i < launch.bindings.size(); ++i)
    if (const Range &range = launch.bindings[i]; range.bytes > limit) {
      const uint8_t binding = shader.bindings()->Get(i);
      const char *what = binding == MEMORY_BINDING || binding == WEIGHTS_BINDING ? "tensors that lie within "
                         : binding == WORKSPACE_BINDING                          ? "a workspace of "
                                                                                 : "a tensor of ";
      fail(FOVEA_UNSUPPORTED, "kernel ", quoted(shader.name()->string_view()), ": ", what, range.bytes, " bytes, and ",
           quoted(device.info().name), " binds ", limit, " at most (maxStorageBufferRange)");
    }
}

void Recording::launch(uint32_t dispatch, uint32_t number, void *const *buffers, const int64_t *scalars, int64_t tasks,
                       int64_t workspaceBytes) {
  const artifact::Shader &shader = *program.pipeline(number).shader;
  auto asWord = [&](int64_t value, const char *what) {
    if (value < 0 || value > INT32_MAX)
      fail(FOVEA_UNSUPPORTED, "kernel ", quoted(shader.name()->string_view()), ": ", what, " of ", value,
           " is more than 32 bits can address");
    return static_cast<uint32_t>(value);
  };
  Launch launch = {};
  launch.dispatch = dispatch, launch.shader = number, launch.tasks = tasks;
  const uint64_t groups = (static_cast<uint64_t>(tasks) + shader.tasks_of_group() - 1) / shader.tasks_of_group();
  const uint32_t *const most = device.info().limits.maxComputeWorkGroupCount;
  if (groups > static_cast<uint64_t>(most[0]) * most[1])
    fail(FOVEA_UNSUPPORTED, "kernel ", quoted(shader.name()->string_view()), ": ", groups, " workgroups, and ",
         quoted(device.info().name), " runs ", static_cast<uint64_t>(most[0]) * most[1],
         " at most (maxComputeWorkGroupCount)");
  const uint64_t workspaceWords = wholeWords(static_cast<uint64_t>(workspaceBytes)) / 4;
  std::vector<uint32_t> all = {asWord(tasks, "a number of tasks"),
                               asWord(static_cast<int64_t>(workspaceWords), "a workspace")};
  launch.groups = static_cast<uint32_t>(groups);
  launch.workspaceBytes = workspaceWords * 4 * groups * shader.tasks_of_group();
  Shared shared;
  bind(launch, shader, buffers, scalars, shared);
  checkWindows(launch, shader);
  for (const Range &range : shared.ranges) {
    const bool isWeight = range.where == Range::weights;
    const uint64_t place = range.offset - (isWeight ? shared.weights : shared.run).from;
    all.push_back(static_cast<uint32_t>(place / 4) | (isWeight ? IN_WEIGHTS : 0));
  }
  for (uint32_t i = 0; shader.compared() && i < shader.compared()->size(); ++i) {
    const auto sameAs = [&](uint8_t other) { return buffers[other] == buffers[shader.compared()->Get(i)]; };
    const auto first = std::find_if(shader.compared()->begin(), shader.compared()->end(), sameAs);
    all.push_back(*first);
  }
  for (uint32_t i = 0; i < shader.symbols(); ++i)
    all.push_back(asWord(scalars[i], "a size"));
  std::copy_n(all.begin(), std::min<size_t>(all.size(), LAUNCH_WORDS), launch.push.begin());
  std::iota(launch.push.begin() + LAUNCH_WORDS, launch.push.end(), 0);
  if (all.size() > LAUNCH_WORDS) {
    for (uint32_t i = 0; i < launch.bindings.size(); ++i)
      if (shader.bindings()->Get(i) == WORDS_BINDING)
        launch.bindings[i].bytes = (all.size() - LAUNCH_WORDS) * sizeof(uint32_t);
    words.insert(words.end(), all.begin() + LAUNCH_WORDS, all.end());
  }
  words.resize(aligned(words.size() * sizeof(uint32_t)) / sizeof(uint32_t));
  launches.push_back(std::move(launch));
}

uint64_t Recording::workspaceBytes() const {
  uint64_t most = 4;
  for (const Launch &launch : launches)
    most = std::max(most, launch.workspaceBytes);
  return most;
}
