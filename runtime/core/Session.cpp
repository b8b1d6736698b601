#include "core/Session.h"
#include "core/Error.h"
#include "cpu/FloatingPointMode.h"

#include <algorithm>
#include <cstring>
#include <map>

using namespace fovea;

// Where tensors without elements lie: compiled code may form addresses, but reads and writes nothing.
alignas(64) static char nowhere[64];

static bool fits(const fovea_tensor_info &info, std::span<const int64_t> dims) {
  if (info.rank != dims.size())
    return false;
  for (uint32_t i = 0; i < info.rank; ++i)
    if (dims[i] < info.dims[i].min || dims[i] > info.dims[i].max)
      return false;
  return true;
}

// Bytes of a tensor whose dims are not negative; false if they do not fit into an address space.
static bool byteSize(fovea_dtype dtype, std::span<const int64_t> dims, size_t &bytes) {
  // A zero anywhere makes it empty, however large the others are.
  bytes = std::find(dims.begin(), dims.end(), 0) == dims.end() ? fovea_dtype_size(dtype) : 0;
  for (int64_t dim : dims)
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(dim), &bytes) || bytes > PTRDIFF_MAX)
      return false;
  return true;
}

static bool isFloat(fovea_dtype dtype) {
  return dtype == FOVEA_F32 || dtype == FOVEA_F64 || dtype == FOVEA_F16 || dtype == FOVEA_BF16;
}

static bool misaligned(const void *data, fovea_dtype dtype) {
  return reinterpret_cast<uintptr_t>(data) % fovea_dtype_size(dtype) != 0;
}

Session::Session(std::shared_ptr<Runtime> sharedRuntime, std::shared_ptr<const Model> sharedModel, uint32_t entryIndex)
    : runtime(std::move(sharedRuntime)), model(std::move(sharedModel)), index(entryIndex),
      entry(model->entry(entryIndex)), code(model->code(entryIndex)), inputs(entry.inputs.size()),
      slots(code.slot_count), preparedSlots(code.slot_count), arena(runtime->allocator), workspace(runtime->allocator),
      inputPointers(inputs.size(), nowhere), outputPointers(entry.outputs.size(), nowhere) {
  size_t dimCount = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    dimCount += entry.inputs[i].rank;
    inputs[i].dims.resize(entry.inputs[i].rank);
  }
  flatDims.resize(dimCount);
  outputs.reserve(entry.outputs.size());
  for (const fovea_tensor_info &info : entry.outputs)
    outputs.emplace_back(runtime->allocator).dims.resize(info.rank);
  static_cast<fovea_host &>(host) = {flatDims.data(),
                                     inputPointers.data(),
                                     outputPointers.data(),
                                     slots.data(),
                                     nullptr,
                                     model->weights(),
                                     &fault,
                                     launchHook,
                                     failHook};
  host.session = this;
  if (model->program()) {
    deviceRun = std::make_unique<vulkan::Run>(model->program());
    return;
  }
  if (const size_t bytes = model->workspaceBytes(); !workspace.reserve(bytes) || !runtime->pool.reserve(bytes))
    fail(FOVEA_ENVIRONMENT, "cannot allocate workspaces of ", bytes, " bytes for ", runtime->pool.threads(),
         " threads");
}

void Session::bindInput(uint32_t number, const fovea_tensor &tensor) {
  const fovea_tensor_info &info = model->input(index, number);
  if (tensor.rank != 0 && !tensor.dims)
    fail(FOVEA_INVALID, entry.inputText(number), ": expected dims, got null");
  const std::span<const int64_t> dims(tensor.dims, tensor.rank);
  if (tensor.dtype != info.dtype || !fits(info, dims))
    fail(FOVEA_INVALID, entry.inputText(number), ": expected ", shapeText(info), ", got ",
         shapeText(tensor.dtype, dims));
  size_t bytes = 0;
  if (!byteSize(info.dtype, dims, bytes))
    fail(FOVEA_INVALID, entry.inputText(number), ": ", shapeText(info.dtype, dims), " is larger than memory can be");
  if (tensor.bytes < bytes)
    fail(FOVEA_INVALID, entry.inputText(number), ": expected ", bytes, " bytes for ", shapeText(info.dtype, dims),
         ", got ", tensor.bytes);
  if (bytes != 0 && (!tensor.data || misaligned(tensor.data, info.dtype)))
    fail(FOVEA_INVALID, entry.inputText(number), ": expected memory aligned to ", fovea_dtype_size(info.dtype),
         " bytes, got ", tensor.data ? "a misaligned address" : "null");
  Input &input = inputs[number];
  prepared = prepared && input.bound && std::equal(dims.begin(), dims.end(), input.dims.begin());
  std::copy(dims.begin(), dims.end(), input.dims.begin());
  input.data = bytes ? tensor.data : nowhere;
  input.bytes = bytes;
  input.bound = true;
  overlapsChecked = false;
  for (uint32_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].kept != Output::no && model->inputUnder(index, i) == number)
      outputs[i].kept = Output::bound;
}

void Session::bindOutput(uint32_t number, void *data, size_t bytes) {
  const fovea_tensor_info &info = model->output(index, number);
  if (misaligned(data, info.dtype))
    fail(FOVEA_INVALID, entry.outputText(number), ": expected memory aligned to ", fovea_dtype_size(info.dtype),
         " bytes, got a misaligned address");
  if (data && outputs[number].kept != Output::no)
    fail(FOVEA_INVALID, entry.outputText(number), " is kept in the session and cannot be bound to memory");
  outputs[number].callerData = data;
  outputs[number].callerBytes = data ? bytes : 0;
  outputs[number].written = false;
  overlapsChecked = false;
}

void Session::keepOutput(uint32_t number, bool keep) {
  const uint32_t over = model->inputUnder(index, number);
  Output &output = outputs[number];
  if (keep == (output.kept != Output::no))
    return;
  prepared = false;
  if (!keep) {
    // What the input was bound to is older than what was kept.
    inputs[over].bound = inputs[over].bound && output.kept == Output::bound;
    output.kept = Output::no;
    return;
  }
  if (over >= inputs.size())
    fail(FOVEA_INVALID, entry.outputText(number), " replaces no input, so that there is no reason to keep it");
  if (output.callerData)
    fail(FOVEA_INVALID, entry.outputText(number), " is bound to memory and cannot be kept in the session");
  for (uint32_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].kept != Output::no && model->inputUnder(index, i) == over)
      fail(FOVEA_INVALID, entry.outputText(number), " replaces ", entry.inputText(over), ", as does ",
           entry.outputText(i), ", which is kept");
  if (deviceRun && !entry.manifest->prepare_reads_dims_only() && !isFloat(entry.outputs[number].dtype))
    fail(FOVEA_UNSUPPORTED, entry.outputText(number),
         " cannot be kept on a device: sizes of this model may depend on what it holds");
  output.kept = Output::bound;
}

void Session::checkDims() const {
  struct Seen {
    int64_t value;
    uint32_t input;
  };
  std::map<std::string_view, Seen> seen;
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].bound)
      fail(FOVEA_INVALID, entry.inputText(i), " is missing: nothing was bound to it");
    for (uint32_t d = 0; d < entry.inputs[i].rank; ++d) {
      const char *name = entry.inputs[i].dims[d].name;
      if (!name)
        continue;
      const auto [first, isNew] = seen.try_emplace(name, Seen{inputs[i].dims[d], i});
      if (!isNew && first->second.value != inputs[i].dims[d])
        fail(FOVEA_INVALID, entry.inputText(i), ": expected dim ", quoted(name), " of ", first->second.value,
             " as in input ", quoted(entry.inputs[first->second.input].name), ", got ", inputs[i].dims[d]);
    }
  }
}

void Session::callProgram(fovea_host_fn function, const char *what) {
  failure.clear();
  fault = 0;
  int32_t status = FOVEA_OK;
  {
    const cpu::DefaultFloatingPointMode mode;
    status = function(&host);
  }
  if (status == FOVEA_OK && fault != 0)
    status = giveUp(FOVEA_INVALID, faultText(fault));
  if (status == FOVEA_OK)
    return;
  const bool known = status > FOVEA_OK && status <= FOVEA_ENVIRONMENT;
  if (failure.empty() && status == FOVEA_ENVIRONMENT)
    failure = "out of memory";
  if (failure.empty())
    failure = text(what, " failed with status ", status, " and no message");
  fail(known ? static_cast<fovea_status>(status) : FOVEA_INTERNAL, "entry ", quoted(entry.info.name), ": ", failure);
}

void Session::readOutputDims() {
  const int64_t *dims = slots.data() + code.output_slot;
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    Output &output = outputs[i];
    const std::span<const int64_t> shape(dims, entry.outputs[i].rank);
    if (!fits(entry.outputs[i], shape))
      fail(FOVEA_INTERNAL, entry.outputText(i), ": expected ", shapeText(entry.outputs[i]), ", got ",
           shapeText(entry.outputs[i].dtype, shape), " from the compiled code");
    if (!byteSize(entry.outputs[i].dtype, shape, output.bytes))
      fail(FOVEA_ENVIRONMENT, entry.outputText(i), ": ", shapeText(entry.outputs[i].dtype, shape),
           " is larger than memory can be");
    std::copy(shape.begin(), shape.end(), output.dims.begin());
    dims += shape.size();
  }
}

void Session::prepare() {
  prepared = false;
  checkDims();
  int64_t *flat = flatDims.data();
  for (size_t i = 0; i < inputs.size(); ++i) {
    flat = std::copy(inputs[i].dims.begin(), inputs[i].dims.end(), flat);
    inputPointers[i] = const_cast<void *>(inputs[i].data);
  }
  std::fill(slots.begin(), slots.end(), 0);
  host.arena = nullptr;
  callProgram(code.prepare, "prepare");
  const int64_t arenaBytes = slots[code.arena_slot];
  if (arenaBytes < 0)
    fail(FOVEA_INTERNAL, "entry ", quoted(entry.info.name), ": expected an arena's size, got ", arenaBytes,
         " from the compiled code");
  readOutputDims();
  checkKept();
  if (!deviceRun && !arena.reserve(static_cast<size_t>(arenaBytes)))
    fail(FOVEA_ENVIRONMENT, "entry ", quoted(entry.info.name), ": cannot allocate an arena of ", arenaBytes, " bytes");
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    outputs[i].written = false;
    outputs[i].mostBytes = outputs[i].bytes;
    if (!outputs[i].callerData && !outputs[i].owned.reserve(outputs[i].bytes))
      fail(FOVEA_ENVIRONMENT, entry.outputText(i), ": cannot allocate ", outputs[i].bytes, " bytes");
  }
  preparedSlots = slots;
  prepared = true;
  overlapsChecked = false;
}

// Memory that the caller gave to an output must be its own, or exactly that of the input which it may replace.
void Session::checkOverlaps() const {
  const auto overlap = [](const void *a, size_t aBytes, const void *b, size_t bBytes) {
    const auto x = reinterpret_cast<uintptr_t>(a), y = reinterpret_cast<uintptr_t>(b);
    return x < y + bBytes && y < x + aBytes && aBytes != 0 && bBytes != 0;
  };
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    const Output &output = outputs[i];
    if (!output.callerData)
      continue;
    for (uint32_t j = 0; j < inputs.size(); ++j)
      if (overlap(output.callerData, output.mostBytes, inputs[j].data, inputs[j].bytes) &&
          (model->inputUnder(index, i) != j || output.callerData != inputs[j].data ||
           output.mostBytes != inputs[j].bytes))
        fail(FOVEA_INVALID, entry.outputText(i), ": expected memory of its own, got some of ", entry.inputText(j),
             model->inputUnder(index, i) == j ? ", of which it may have exactly all" : "");
    for (uint32_t j = 0; j < i; ++j)
      if (outputs[j].callerData &&
          overlap(output.callerData, output.mostBytes, outputs[j].callerData, outputs[j].mostBytes))
        fail(FOVEA_INVALID, entry.outputText(i), ": expected memory of its own, got some of ", entry.outputText(j));
  }
}

void Session::checkKept() const {
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].kept == Output::no)
      continue;
    const uint32_t over = model->inputUnder(index, i);
    if (outputs[i].kept == Output::lost)
      fail(FOVEA_INVALID, entry.outputText(i), " was kept, but a run failed: bind ", entry.inputText(over), " anew");
    if (outputs[i].dims != inputs[over].dims)
      fail(FOVEA_INVALID, entry.outputText(i), " is kept and becomes ", entry.inputText(over), ": expected ",
           shapeText(entry.inputs[over].dtype, inputs[over].dims), ", got ",
           shapeText(entry.outputs[i].dtype, outputs[i].dims));
  }
}

// An output that is kept and its input are one piece of memory.
void Session::fillKept() {
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    const Output &output = outputs[i];
    if (output.kept != Output::bound)
      continue;
    Input &input = inputs[model->inputUnder(index, i)];
    if (deviceRun) {
      deviceRun->setKept(i, {static_cast<const std::byte *>(input.data), output.mostBytes});
    } else if (output.mostBytes != 0) {
      std::memcpy(output.owned.data(), input.data, output.mostBytes);
      input.data = output.owned.data();
    }
  }
}

// From here on a failure leaves behind what nobody can say.
void Session::loseKept() {
  for (Output &output : outputs)
    if (output.kept != Output::no)
      output.kept = Output::lost;
}

void Session::holdKept() {
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].kept == Output::no)
      continue;
    outputs[i].kept = Output::held;
    // The caller's memory may go now.
    if (Input &input = inputs[model->inputUnder(index, i)]; deviceRun)
      input.data = nowhere, input.bytes = 0;
  }
}

void Session::placeOutputs() {
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    Output &output = outputs[i];
    if (output.callerData && output.callerBytes < output.mostBytes)
      fail(FOVEA_INVALID, entry.outputText(i), ": expected ", output.mostBytes, " bytes for ",
           shapeText(entry.outputs[i].dtype, output.dims), ", got memory of ", output.callerBytes);
    // The binding may have been taken back since prepare.
    if (!output.callerData && !output.owned.reserve(output.mostBytes))
      fail(FOVEA_ENVIRONMENT, entry.outputText(i), ": cannot allocate ", output.mostBytes, " bytes");
    void *memory = output.callerData ? output.callerData : output.owned.data();
    outputPointers[i] = memory && output.mostBytes ? memory : nowhere;
  }
  if (!overlapsChecked)
    checkOverlaps();
  overlapsChecked = true;
}

void Session::run() {
  if (!prepared || !entry.manifest->prepare_reads_dims_only())
    prepare();
  placeOutputs();
  checkKept();
  if (!deviceRun)
    fillKept();
  for (size_t i = 0; i < inputs.size(); ++i)
    inputPointers[i] = const_cast<void *>(inputs[i].data);
  if (slots != preparedSlots) {
    slots = preparedSlots;
    readOutputDims();
  }
  host.arena = arena.data() ? arena.data() : nowhere;
  times.clear();
  nextDispatch = 0;
  if (deviceRun) {
    runOnDevice();
  } else {
    loseKept();
    callProgram(code.run, "run");
  }
  // A size that depends on data becomes known only now; memory was made for the most it can be.
  if (slots != preparedSlots)
    readOutputDims();
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].bytes > outputs[i].mostBytes)
      fail(FOVEA_INTERNAL, entry.outputText(i), ": expected at most ", outputs[i].mostBytes, " bytes, got ",
           outputs[i].bytes);
    outputs[i].written = true;
  }
  holdKept();
}

// The host program's launches become commands, once for each set of sizes.
void Session::recordRun(std::vector<int64_t> sizes) {
  std::vector<size_t> inputBytes(inputs.size()), outputBytes;
  for (size_t i = 0; i < inputs.size(); ++i)
    byteSize(entry.inputs[i].dtype, inputs[i].dims, inputBytes[i]);
  std::vector<uint32_t> over;
  std::vector<bool> keeps;
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    keeps.push_back(outputs[i].kept != Output::no);
    outputBytes.push_back(outputs[i].mostBytes);
    over.push_back(model->inputUnder(index, i)); // the device has a copy of the input, so that there it always may
  }
  deviceRun->begin({static_cast<size_t>(slots[code.arena_slot]), inputBytes, outputBytes, over, keeps}, profiling);
  const std::vector<void *> memory = outputPointers;
  for (uint32_t i = 0; i < inputs.size(); ++i)
    inputPointers[i] = deviceRun->input(i);
  for (uint32_t i = 0; i < outputs.size(); ++i)
    outputPointers[i] = deviceRun->output(i);
  host.arena = deviceRun->arena();
  host.weights = vulkan::WEIGHTS;
  callProgram(code.run, "run");
  outputPointers = memory;
  deviceRun->end(std::move(sizes));
}

void Session::runOnDevice() {
  // All that commands depend on.
  std::vector<int64_t> sizes = {profiling};
  for (const Output &output : outputs)
    sizes.push_back(output.kept != Output::no);
  sizes.insert(sizes.end(), flatDims.begin(), flatDims.end());
  sizes.insert(sizes.end(), slots.begin(), slots.end());
  if (!deviceRun->select(sizes))
    recordRun(std::move(sizes));
  fillKept();
  std::vector<const void *> data;
  for (const Input &input : inputs)
    data.push_back(input.data);
  loseKept();
  const int64_t found = deviceRun->execute(data, outputPointers);
  if (found != 0)
    fail(found >> FOVEA_FAULT_KIND_SHIFT == FOVEA_FAULT_LOOPS ? FOVEA_UNSUPPORTED : FOVEA_INVALID, "entry ",
         quoted(entry.info.name), ": ", faultText(found));
  if (profiling)
    times = deviceRun->times();
}

fovea_tensor Session::output(uint32_t number) const {
  const fovea_tensor_info &info = model->output(index, number);
  if (!prepared)
    fail(FOVEA_INVALID, entry.outputText(number), " has no shape yet: prepare or run the session first");
  const Output &output = outputs[number];
  void *data = output.callerData                       ? output.callerData
               : !output.written || isOnDevice(output) ? nullptr
                                                       : outputPointers[number];
  return {data, output.bytes, info.dtype, info.rank, output.dims.data()};
}

void Session::readOutput(uint32_t number, void *data, size_t bytes) const {
  const fovea_tensor_info &info = model->output(index, number);
  const Output &output = outputs[number];
  if (!prepared || !output.written)
    fail(FOVEA_INVALID, entry.outputText(number), " has not been computed yet: run the session first");
  if (bytes < output.bytes || (output.bytes != 0 && !data))
    fail(FOVEA_INVALID, entry.outputText(number), ": expected ", output.bytes, " bytes for ",
         shapeText(info.dtype, output.dims), ", got ", data ? text("memory of ", bytes) : "null");
  if (output.kept == Output::lost)
    fail(FOVEA_INVALID, entry.outputText(number), " was kept, but the last run failed");
  if (isOnDevice(output))
    deviceRun->readKept(number, {static_cast<std::byte *>(data), output.bytes});
  else if (output.bytes != 0)
    std::memcpy(data, outputPointers[number], output.bytes);
}

fovea_session_info Session::describe() const {
  fovea_session_info info = {};
  info.weight_bytes = model->info().weight_bytes;
  info.slots = slots.data();
  info.slot_count = static_cast<uint32_t>(slots.size());
  info.arena_bytes = static_cast<uint64_t>(std::max<int64_t>(preparedSlots[code.arena_slot], 0));
  for (const Output &output : outputs)
    info.output_bytes += output.owned.capacity();
  return info;
}
