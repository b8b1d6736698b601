// The threads that runs are computed with: the one that calls, and workers that live as long as the pool.
//
// A launch is a job on the caller's stack. The caller opens a gate; workers that see it join, take chunks of tasks from
// the job's counter, and leave; the caller takes chunks too, closes the gate when none are left, and waits for those
// still inside. So a worker that sleeps through a job costs nothing, and no worker touches a job that is over.
//
// One job at a time owns the workers. A session that finds them taken works through its own job alone and asks for them
// again after each chunk; who has just finished a job lets those that wait go first. Nobody blocks, so nobody can
// deadlock.
//
// Idle workers spin for some tens of microseconds, because the next launch of a model usually comes sooner, and then
// sleep. Unless they are pinned, few workers stay off the CPU that the caller woke them from: systems may wake them
// there though others are idle (guests of KVM do: their halted CPUs do not count as idle), where they wait until the
// caller's time is up.
#pragma once

#include "core/Allocator.h"
#include "fovea/abi.h"

#include <atomic>
#include <cstdint>
#include <sched.h>
#include <span>
#include <thread>
#include <vector>

namespace fovea::cpu {

// CPUs that this process may use; at least 1.
unsigned availableCpus();

struct Launch {
  fovea_kernel_fn kernel;
  void *const *buffers;
  const int64_t *scalars;
  int64_t tasks;
  int64_t grain;
  size_t workspaceBytes;
};

class ThreadPool {
public:
  static constexpr unsigned MAX_THREADS = 1024;

  // `threads` includes the caller's; 0 takes one for each available CPU. `cpus` may be empty. Fails with FOVEA_INVALID
  // for a CPU that is not available or too many threads, FOVEA_ENVIRONMENT if the system refuses a thread.
  ThreadPool(unsigned threads, std::span<const uint32_t> cpus, const Allocator &allocator);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned threads() const { return static_cast<unsigned>(workers.size()) + 1; }

  // Gives each worker a workspace of that size ahead of time. False if memory is refused.
  [[nodiscard]] bool reserve(size_t workspaceBytes) noexcept;

  // Runs all tasks and returns when they are done. `workspace` is the calling thread's. A fault that a kernel reported
  // goes to `fault`, else that is left alone. False, with not all tasks run, if memory for workspaces is refused.
  [[nodiscard]] bool run(const Launch &launch, Buffer &workspace, int64_t &fault) noexcept;

private:
  struct Job;
  struct Worker {
    Buffer workspace;
    std::thread thread;
  };

  bool tryOwn() { return !owned.exchange(true, std::memory_order_acquire); }
  void disown() { owned.store(false, std::memory_order_release); }
  bool growWorkspaces(size_t bytes) noexcept;
  bool runAloneUntilOwner(Job &job, void *workspace) noexcept;
  void runWithWorkers(Job &job, void *workspace) noexcept;
  void waitForWorkersInside() noexcept;
  void work(Worker &self) noexcept;
  uint32_t waitForGate(uint32_t lastEpoch) noexcept;
  void pin(std::span<const uint32_t> cpus);
  void makeWay() noexcept;
  void stop() noexcept;

  std::vector<Worker> workers;
  bool spins = true;
  // The CPUs of workers that make way, none where they do not, and the one they stay off; the owner's.
  cpu_set_t allowed;
  int left = -1;

  // Epoch, open bit, sleeping-caller bit and the number of workers inside, in one word that threads also sleep on.
  alignas(64) std::atomic<uint32_t> gate = 0;
  alignas(64) std::atomic<uint32_t> sleepers = 0;
  alignas(64) std::atomic<bool> owned = false;
  std::atomic<uint32_t> waiting = 0;
  std::atomic<bool> stopping = false;
  // Valid while the gate is open or workers are inside; written only by the owner while it is shut.
  Job *job = nullptr;
};

} // namespace fovea::cpu
