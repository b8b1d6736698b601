// The pool by itself, and sessions that use it at once. Also meant for ThreadSanitizer.
#include "Harness.h"
#include "TestModels.h"
#include "cpu/ThreadPool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <sched.h>
#include <set>
#include <thread>

using namespace fovea;
using namespace fovea::cpu;

namespace {
struct Counts {
  std::vector<std::atomic<int>> visits;
  std::atomic<int> calls = 0;
  std::mutex mutex;
  std::set<std::thread::id> threads;
};
} // namespace

static void count(const fovea_kernel_args *args, int64_t begin, int64_t end, void *workspace) {
  auto &counts = *static_cast<Counts *>(args->buffers[0]);
  counts.calls++;
  for (int64_t i = begin; i < end; ++i)
    counts.visits[static_cast<size_t>(i)]++;
  // Alone in its workspace, or TSan tells.
  if (args->scalars[0])
    std::memset(workspace, 1, static_cast<size_t>(args->scalars[0]));
  const std::lock_guard lock(counts.mutex);
  counts.threads.insert(std::this_thread::get_id());
}

static void launchCounting(ThreadPool &pool, Buffer &workspace, int64_t tasks, int64_t grain, int64_t bytes,
                           int *calls = nullptr) {
  Counts counts{std::vector<std::atomic<int>>(static_cast<size_t>(tasks)), {}, {}, {}};
  void *const buffers[] = {&counts};
  int64_t fault = 0;
  ASSERT_TRUE(pool.run({count, buffers, &bytes, tasks, grain, static_cast<size_t>(bytes)}, workspace, fault));
  EXPECT_TRUE(std::all_of(counts.visits.begin(), counts.visits.end(), [](const auto &visits) { return visits == 1; }));
  EXPECT_EQ(fault, 0);
  if (calls)
    *calls = counts.calls;
}

TEST(ThreadPool, RunsEachTaskOnce) {
  const Allocator allocator;
  for (unsigned threads : {1u, 2u, 4u, 9u}) {
    ThreadPool pool(threads, {}, allocator);
    Buffer workspace(allocator);
    for (int64_t tasks : {1, 2, 3, 16, 1000})
      for (int64_t grain : {0, 1, 7, 5000})
        for (int64_t bytes : {0, 64, 100})
          launchCounting(pool, workspace, tasks, grain, bytes);
  }
}

TEST(ThreadPool, GivesOneThreadEverythingAtOnce) {
  const Allocator allocator;
  ThreadPool alone(1, {}, allocator), two(2, {}, allocator);
  Buffer workspace(allocator);
  int calls = 0;
  launchCounting(alone, workspace, 1000, 1, 0, &calls);
  EXPECT_EQ(calls, 1);
  launchCounting(two, workspace, 1000, 1000, 0, &calls);
  EXPECT_EQ(calls, 1);
  launchCounting(two, workspace, 1000, 1, 0, &calls);
  EXPECT_GT(calls, 2);
  EXPECT_LE(calls, 9);
}

TEST(ThreadPool, WakesSleepers) {
  const Allocator allocator;
  ThreadPool pool(3, {}, allocator);
  Buffer workspace(allocator);
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
    launchCounting(pool, workspace, 64, 1, 0);
  }
}

namespace {
// A meeting of the caller and one worker, each of which says where it may run.
struct Meeting {
  std::atomic<int> present = 0;
  std::mutex mutex;
  std::map<std::thread::id, cpu_set_t> cpus;
};
} // namespace

static void meet(const fovea_kernel_args *args, int64_t, int64_t, void *) {
  auto &meeting = *static_cast<Meeting *>(args->buffers[0]);
  {
    const std::lock_guard lock(meeting.mutex);
    sched_getaffinity(0, sizeof(cpu_set_t), &meeting.cpus[std::this_thread::get_id()]);
    meeting.present = static_cast<int>(meeting.cpus.size());
  }
  while (meeting.present != 2)
    std::this_thread::yield();
}

TEST(ThreadPool, WorkersWakeOnOtherCpusThanTheCallers) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  std::vector<uint32_t> cpus;
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu)
    if (CPU_ISSET(cpu, &all))
      cpus.push_back(cpu);
  if (cpus.size() < 2)
    GTEST_SKIP() << "one CPU";
  const Allocator allocator;
  ThreadPool pool(2, {}, allocator), pinned(2, cpus, allocator);
  Buffer workspace(allocator);
  for (const uint32_t here : {cpus[0], cpus[1], cpus[0]}) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(here, &only);
    ASSERT_EQ(sched_setaffinity(0, sizeof(only), &only), 0);
    for (ThreadPool *one : {&pool, &pinned}) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20)); // until the worker sleeps
      Meeting meeting;
      void *const buffers[] = {&meeting};
      int64_t none = 0, fault = 0;
      ASSERT_TRUE(one->run({meet, buffers, &none, 2, 1, 0}, workspace, fault));
      for (const auto &[thread, allowed] : meeting.cpus)
        if (thread != std::this_thread::get_id()) {
          EXPECT_EQ(CPU_ISSET(here, &allowed) != 0, one == &pinned && here == cpus[1]);
          EXPECT_EQ(CPU_COUNT(&allowed), one == &pinned ? 1 : CPU_COUNT(&all) - 1);
        }
    }
  }
  sched_setaffinity(0, sizeof(all), &all);
}

TEST(ThreadPool, StartsAndStops) {
  const Allocator allocator;
  for (int i = 0; i < 50; ++i) {
    ThreadPool pool(4, {}, allocator);
    Buffer workspace(allocator);
    if (i % 2)
      launchCounting(pool, workspace, 10, 1, 0);
  }
  const uint32_t cpus[] = {0};
  EXPECT_NO_THROW(ThreadPool(2, cpus, allocator));
}

TEST(ThreadPool, ServesSeveralCallersAtOnce) {
  const Allocator allocator;
  ThreadPool pool(3, {}, allocator);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      Buffer workspace(allocator);
      for (int i = 0; i < 200; ++i)
        launchCounting(pool, workspace, 1 + i % 50, 1, i % 3 * 64);
    });
  for (std::thread &caller : callers)
    caller.join();
}

static void report(const fovea_kernel_args *args, int64_t begin, int64_t end, void *) {
  if (begin <= 70 && 70 < end)
    *args->fault = 5;
}

TEST(ThreadPool, BringsFaultsBack) {
  const Allocator allocator;
  for (unsigned threads : {1u, 2u, 3u}) {
    ThreadPool pool(threads, {}, allocator);
    Buffer workspace(allocator);
    int64_t fault = 0;
    ASSERT_TRUE(pool.run({report, nullptr, nullptr, 100, 1, 0}, workspace, fault));
    EXPECT_EQ(fault, 5);
  }
}

TEST(Sessions, RunAtOnceOnSeveralThreads) {
  const test::RuntimeHandle runtime = test::makeRuntime(2);
  const test::AlignedFile file(test::casesModel().build());
  const test::ModelHandle model = test::open(runtime, file);
  std::vector<std::thread> users;
  for (int user = 0; user < 4; ++user)
    users.emplace_back([&, user] {
      const test::SessionHandle session = test::makeSession(runtime, model, "main");
      for (int i = 0; i < 50; ++i) {
        std::vector<float> x(static_cast<size_t>(user * 1000 + i * 7), static_cast<float>(user + i));
        EXPECT_WORKS(test::bind(session, 0, FOVEA_F32, x, {static_cast<int64_t>(x.size())}));
        EXPECT_WORKS(test::run(session));
        const float expected = test::A * static_cast<float>(user + i) + test::B;
        EXPECT_EQ(test::output<float>(session), std::vector<float>(x.size(), expected));
      }
    });
  for (std::thread &user : users)
    user.join();
}

static void nothing(const fovea_kernel_args *, int64_t, int64_t, void *) {}

// About a microsecond a task.
static void busy(const fovea_kernel_args *, int64_t begin, int64_t end, void *) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(end - begin);
  while (std::chrono::steady_clock::now() < until) {
  }
}

static double medianMicroseconds(ThreadPool &pool, Buffer &workspace, fovea_kernel_fn kernel) {
  constexpr int LAUNCHES = 100, ROUNDS = 50;
  std::vector<double> microseconds;
  int64_t fault = 0;
  for (int round = 0; round < ROUNDS; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < LAUNCHES; ++i)
      EXPECT_TRUE(pool.run({kernel, nullptr, nullptr, 8, 1, 0}, workspace, fault));
    microseconds.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() /
                           LAUNCHES);
  }
  std::sort(microseconds.begin(), microseconds.end());
  return microseconds[ROUNDS / 2];
}

// Prints, and does not judge: the numbers depend on what else the machine does.
TEST(ThreadPool, CostOfALaunch) {
  const Allocator allocator;
  for (unsigned threads : {1u, 2u}) {
    ThreadPool pool(threads, {}, allocator);
    Buffer workspace(allocator);
    std::printf("%u threads: empty launch %.2f us, eight tasks of 1 us %.2f us\n", threads,
                medianMicroseconds(pool, workspace, nothing), medianMicroseconds(pool, workspace, busy));
  }
}
