#include "compiler/pipeline/Progress.h"

#include <fmt/format.h>
#include <unistd.h>

using namespace fovea;

static constexpr size_t kStepWidth = 3;

Progress::Progress() : terminal(isatty(STDERR_FILENO)) {}

void Progress::done(llvm::StringRef step) {
  auto now = std::chrono::steady_clock::now();
  all.emplace_back(step.str(), std::chrono::duration<double>(now - last).count());
  last = now;
  if (!terminal)
    return;
  fmt::print(stderr, "\r[{:<{}}] {}/{} {:<10}", std::string(all.size() * kStepWidth, '='), total * kStepWidth,
             all.size(), total, step.str());
  std::fflush(stderr);
  open = true;
}

void Progress::interrupt() {
  if (open)
    fmt::print(stderr, "\n");
  open = false;
}
