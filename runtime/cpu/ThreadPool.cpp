#include "cpu/ThreadPool.h"
#include "core/Error.h"
#include "cpu/FloatingPointMode.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <csignal>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <set>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

using namespace fovea;
using namespace fovea::cpu;

// The fields of the gate. An epoch that comes around again after 65536 jobs makes a worker skip one job, no more.
static constexpr uint32_t INSIDE = 0x3fff;
static constexpr uint32_t CALLER_SLEEPS = 0x4000;
static constexpr uint32_t OPEN = 0x8000;
static constexpr uint32_t EPOCH_ONE = 0x10000;
static constexpr uint32_t EPOCH = 0xffff0000;

// Each launch is cut into about this many chunks a thread: enough for a slow core to take fewer, few enough to be
// cheap.
static constexpr int64_t CHUNKS_PER_THREAD = 4;

// Longer than host programs take between two launches, shorter than anyone notices.
static constexpr auto SPIN_TIME = std::chrono::microseconds(60);

// Each takes a system call when the caller has moved.
static constexpr size_t MOST_THAT_MAKE_WAY = 16;

// Whom to wake, as bits of FUTEX_WAKE_BITSET.
enum Sleeper : uint32_t { CALLER = 1, WORKER = 2 };

static void sleepOn(std::atomic<uint32_t> &word, uint32_t expected, Sleeper who) {
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, nullptr, nullptr, who);
}

static void wake(std::atomic<uint32_t> &word, int count, Sleeper who) {
  syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, count, nullptr, nullptr, who);
}

static void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

namespace {
// Spins until the time is up. The clock is asked rarely: it costs more than a pause.
class Spinner {
public:
  bool again() {
    if (++rounds % 32 == 0 && std::chrono::steady_clock::now() - start > SPIN_TIME)
      return false;
    relax();
    return true;
  }

private:
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  unsigned rounds = 0;
};
} // namespace

struct ThreadPool::Job {
  Launch launch;
  int64_t chunk;
  // Alone on their cache lines: every thread writes the first, hopefully none the second.
  alignas(64) std::atomic<int64_t> next = 0;
  alignas(64) std::atomic<int64_t> fault = 0;

  bool takeChunk(void *workspace) noexcept {
    // Threads overshoot by a chunk each, which cannot overflow: the count was limited to leave room.
    const int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
    if (begin >= launch.tasks)
      return false;
    int64_t found = 0;
    const fovea_kernel_args args = {launch.buffers, launch.scalars, &found};
    launch.kernel(&args, begin, std::min(begin + chunk, launch.tasks), workspace);
    if (found != 0)
      fault.store(found, std::memory_order_relaxed);
    return true;
  }

  bool exhausted() const { return next.load(std::memory_order_relaxed) >= launch.tasks; }
};

static bool available(cpu_set_t &set) { return sched_getaffinity(0, sizeof(set), &set) == 0; }

unsigned cpu::availableCpus() {
  cpu_set_t set;
  const unsigned count = available(set) ? static_cast<unsigned>(CPU_COUNT(&set)) : std::thread::hardware_concurrency();
  return std::max(count, 1u);
}

static void checkCpus(std::span<const uint32_t> cpus) {
  cpu_set_t set;
  if (cpus.empty() || !available(set))
    return;
  for (uint32_t cpu : cpus)
    if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &set))
      fail(FOVEA_INVALID, "expected a CPU that this process may use, got CPU ", cpu);
}

ThreadPool::ThreadPool(unsigned threads, std::span<const uint32_t> cpus, const Allocator &allocator) {
  const unsigned cpuCount = availableCpus();
  if (threads > MAX_THREADS)
    fail(FOVEA_INVALID, "expected at most ", MAX_THREADS, " threads, got ", threads);
  checkCpus(cpus);
  const unsigned total = threads ? threads : std::min(cpuCount, MAX_THREADS);
  spins = total <= (cpus.empty() ? cpuCount : std::set<uint32_t>(cpus.begin(), cpus.end()).size());
  if (!cpus.empty() || !spins || total - 1 > MOST_THAT_MAKE_WAY || !available(allowed))
    CPU_ZERO(&allowed);
  workers.reserve(total - 1);
  for (unsigned i = 1; i < total; ++i)
    workers.push_back({Buffer(allocator), {}});
  // Signals are the application's; its handlers must not run on these threads. Those that a thread raises itself cannot
  // be held back.
  sigset_t signals, before;
  sigfillset(&signals);
  for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGPROF})
    sigdelset(&signals, own);
  pthread_sigmask(SIG_SETMASK, &signals, &before);
  try {
    for (Worker &worker : workers)
      worker.thread = std::thread([this, &worker] { work(worker); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pin(cpus);
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() noexcept {
  stopping.store(true);
  gate.fetch_add(EPOCH_ONE);
  wake(gate, INT_MAX, WORKER);
  for (Worker &worker : workers)
    if (worker.thread.joinable())
      worker.thread.join();
}

void ThreadPool::pin(std::span<const uint32_t> cpus) {
  for (size_t i = 0; i < workers.size(); ++i) {
    const std::string name = "fovea-" + std::to_string(i + 1);
    pthread_setname_np(workers[i].thread.native_handle(), name.c_str());
    if (cpus.empty())
      continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpus[(i + 1) % cpus.size()], &one);
    if (pthread_setaffinity_np(workers[i].thread.native_handle(), sizeof(one), &one) != 0)
      fail(FOVEA_ENVIRONMENT, "cannot pin a thread to CPU ", cpus[(i + 1) % cpus.size()]);
  }
}

void ThreadPool::makeWay() noexcept {
  const int here = sched_getcpu();
  if (here == left || here < 0 || here >= CPU_SETSIZE)
    return;
  cpu_set_t others = allowed;
  CPU_CLR(here, &others);
  if (CPU_COUNT(&others) == 0)
    return;
  left = here;
  for (Worker &worker : workers) // where it is refused, they stay where they may be
    pthread_setaffinity_np(worker.thread.native_handle(), sizeof(others), &others);
}

bool ThreadPool::growWorkspaces(size_t bytes) noexcept {
  return std::all_of(workers.begin(), workers.end(),
                     [bytes](Worker &worker) { return worker.workspace.reserve(bytes); });
}

bool ThreadPool::reserve(size_t bytes) noexcept {
  while (!tryOwn())
    std::this_thread::yield();
  const bool enough = growWorkspaces(bytes);
  disown();
  return enough;
}

bool ThreadPool::run(const Launch &launch, Buffer &workspace, int64_t &fault) noexcept {
  if (!workspace.reserve(launch.workspaceBytes))
    return false;
  const int64_t share = launch.tasks / (threads() * CHUNKS_PER_THREAD) + 1;
  const int64_t chunk = std::clamp(std::max(launch.grain, share), int64_t(1), launch.tasks);
  if (workers.empty() || chunk >= launch.tasks || launch.tasks > INT64_MAX / (2 * MAX_THREADS)) {
    int64_t found = 0;
    const fovea_kernel_args args = {launch.buffers, launch.scalars, &found};
    launch.kernel(&args, 0, launch.tasks, workspace.data());
    if (found != 0)
      fault = found;
    return true;
  }
  Job mine{launch, chunk};
  // Politeness: who waits for the workers has waited longer.
  const bool owner =
      (waiting.load(std::memory_order_relaxed) == 0 && tryOwn()) || runAloneUntilOwner(mine, workspace.data());
  if (owner) {
    const bool enough = growWorkspaces(launch.workspaceBytes);
    if (enough && !mine.exhausted())
      runWithWorkers(mine, workspace.data());
    disown();
    if (!enough)
      return false;
  }
  if (const int64_t found = mine.fault.load(std::memory_order_relaxed); found != 0)
    fault = found;
  return true;
}

bool ThreadPool::runAloneUntilOwner(Job &mine, void *workspace) noexcept {
  waiting.fetch_add(1, std::memory_order_relaxed);
  bool owner = false;
  while (!owner && mine.takeChunk(workspace))
    owner = tryOwn();
  waiting.fetch_sub(1, std::memory_order_relaxed);
  return owner;
}

void ThreadPool::runWithWorkers(Job &mine, void *workspace) noexcept {
  job = &mine;
  const uint32_t epoch = (gate.load(std::memory_order_relaxed) & EPOCH) + EPOCH_ONE;
  // Sequentially consistent together with the sleepers' count: either this sees the sleeper, or the sleeper sees the
  // gate.
  gate.store(epoch | OPEN, std::memory_order_seq_cst);
  if (const uint32_t asleep = sleepers.load(std::memory_order_seq_cst); asleep != 0) {
    const int64_t helpers = (mine.launch.tasks - 1) / mine.chunk;
    const int64_t awake = static_cast<int64_t>(workers.size()) - asleep;
    if (helpers > awake) {
      makeWay();
      wake(gate, static_cast<int>(std::min<int64_t>(helpers - awake, asleep)), WORKER);
    }
  }
  while (mine.takeChunk(workspace)) {
  }
  gate.fetch_and(~OPEN, std::memory_order_relaxed);
  waitForWorkersInside();
}

void ThreadPool::waitForWorkersInside() noexcept {
  uint32_t state = gate.load(std::memory_order_acquire);
  if (!(state & INSIDE))
    return;
  for (Spinner spinner; spins && (state & INSIDE) && spinner.again();)
    state = gate.load(std::memory_order_acquire);
  while (state & INSIDE) {
    if (!(state & CALLER_SLEEPS))
      state = gate.fetch_or(CALLER_SLEEPS, std::memory_order_acquire) | CALLER_SLEEPS;
    if (state & INSIDE)
      sleepOn(gate, state, CALLER);
    state = gate.load(std::memory_order_acquire);
  }
}

uint32_t ThreadPool::waitForGate(uint32_t lastEpoch) noexcept {
  auto opened = [&](uint32_t state) { return (state & OPEN) && (state & EPOCH) != lastEpoch; };
  uint32_t state = gate.load(std::memory_order_relaxed);
  for (Spinner spinner; spins && !opened(state) && !stopping.load(std::memory_order_relaxed) && spinner.again();)
    state = gate.load(std::memory_order_relaxed);
  while (!opened(state) && !stopping.load()) {
    sleepers.fetch_add(1, std::memory_order_seq_cst);
    state = gate.load(std::memory_order_seq_cst);
    if (!opened(state) && !stopping.load())
      sleepOn(gate, state, WORKER);
    sleepers.fetch_sub(1, std::memory_order_relaxed);
    state = gate.load(std::memory_order_relaxed);
  }
  return state;
}

void ThreadPool::work(Worker &self) noexcept {
  const DefaultFloatingPointMode mode;
  uint32_t epoch = ~EPOCH;
  while (!stopping.load(std::memory_order_relaxed)) {
    uint32_t state = waitForGate(epoch);
    // The gate may shut, or open for the next job, between looking and joining.
    if (!(state & OPEN) || !gate.compare_exchange_strong(state, state + 1, std::memory_order_acquire))
      continue;
    epoch = state & EPOCH;
    while (job->takeChunk(self.workspace.data())) {
    }
    const uint32_t before = gate.fetch_sub(1, std::memory_order_release);
    if ((before & INSIDE) == 1 && (before & CALLER_SLEEPS))
      wake(gate, 1, CALLER);
  }
}
