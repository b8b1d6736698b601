// One entry point with its bindings and memory: checks what is bound, lets the host program prepare for a shape tuple,
// runs it.
#pragma once

#include "core/Model.h"
#include "core/Runtime.h"
#include "vulkan/Run.h"

#include <memory>
#include <vector>

namespace fovea {

class Session {
public:
  Session(std::shared_ptr<Runtime> runtime, std::shared_ptr<const Model> model, uint32_t entry);
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  uint32_t entryIndex() const { return index; }
  void bindInput(uint32_t input, const fovea_tensor &tensor);
  void bindOutput(uint32_t output, void *data, size_t bytes);
  void keepOutput(uint32_t output, bool keep);
  void prepare();
  void run();
  fovea_tensor output(uint32_t output) const;
  void readOutput(uint32_t output, void *data, size_t bytes) const;
  fovea_session_info describe() const;
  void setProfiling(bool on) { profiling = on; }
  const std::vector<fovea_dispatch_time> &profile() const { return times; }

private:
  struct Input {
    const void *data = nullptr;
    size_t bytes = 0;
    std::vector<int64_t> dims;
    bool bound = false;
  };
  struct Output {
    explicit Output(const Allocator &allocator) : owned(allocator) {}
    void *callerData = nullptr;
    size_t callerBytes = 0;
    Buffer owned;
    std::vector<int64_t> dims;
    size_t bytes = 0;
    // The size as prepare told it; run may find out that less is used.
    size_t mostBytes = 0;
    bool written = false;
    // Of one that is kept: where the next run finds its input.
    enum Kept { no, bound, held, lost } kept = no; // bound: where the caller has bound it
  };
  // What compiled code is handed; leads back here when it calls.
  struct Host : fovea_host {
    Session *session;
  };

  void checkDims() const;
  void callProgram(fovea_host_fn function, const char *what);
  void readOutputDims();
  void placeOutputs();
  void checkKept() const;
  void fillKept();
  void checkOverlaps() const;
  std::string faultText(int64_t fault) const;
  uint32_t dispatchOf(uint32_t kernel);
  int32_t launch(uint32_t kernel, void *const *buffers, const int64_t *scalars, int64_t tasks, int64_t grain,
                 int64_t workspaceBytes);
  int32_t giveUp(int32_t status, std::string message);
  void loseKept();
  void holdKept();
  bool isOnDevice(const Output &output) const { return deviceRun && output.kept != Output::no; }
  void runOnDevice();
  void recordRun(std::vector<int64_t> sizes);

  static int32_t launchHook(fovea_host *host, uint32_t kernel, void *const *buffers, const int64_t *scalars,
                            int64_t tasks, int64_t grain, int64_t workspaceBytes) noexcept;
  static int32_t failHook(fovea_host *host, int32_t status, const char *message) noexcept;

  // The order matters: memory goes back before the runtime whose allocator it came from.
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<const Model> model;
  const uint32_t index;
  const EntryInfo &entry;
  const fovea_entry &code;

  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<int64_t> slots;
  // The slots as prepare left them; run starts from these again.
  std::vector<int64_t> preparedSlots;
  // On a device: its memory and commands.
  std::unique_ptr<vulkan::Run> deviceRun;
  Buffer arena;
  Buffer workspace;
  bool prepared = false;
  // Since something was bound or prepared last.
  bool overlapsChecked = false;

  // What `Host` points to.
  std::vector<int64_t> flatDims;
  std::vector<void *> inputPointers;
  std::vector<void *> outputPointers;
  Host host = {};
  int64_t fault = 0;
  std::string failure;

  bool profiling = false;
  std::vector<fovea_dispatch_time> times;
  uint32_t nextDispatch = 0;
};

} // namespace fovea
