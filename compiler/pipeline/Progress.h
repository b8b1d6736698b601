// How far a compile is: a bar on a terminal, nothing anywhere else, and the time of each phase.
#ifndef FOVEA_COMPILER_PIPELINE_PROGRESS_H
#define FOVEA_COMPILER_PIPELINE_PROGRESS_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <string>
#include <vector>

namespace fovea {

class Progress {
public:
  Progress();
  ~Progress() { interrupt(); }
  /// How many steps there will be.
  void expect(unsigned steps) { total = steps; }
  void done(llvm::StringRef step);
  /// Ends the bar's line so that something else can be printed.
  void interrupt();
  void finish() { interrupt(); }
  const std::vector<std::pair<std::string, double>> &times() const { return all; }

private:
  bool terminal, open = false;
  unsigned total = 1;
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
  std::vector<std::pair<std::string, double>> all;
};

} // namespace fovea

#endif // FOVEA_COMPILER_PIPELINE_PROGRESS_H
