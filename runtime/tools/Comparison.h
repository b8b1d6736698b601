// Compares outputs with expected arrays.
//
// Floats agree if |got - expected| <= atol + rtol * |expected|, NaN with NaN, infinities with their like; everything
// else must be equal. Instead of a whole output NAME, a file may hold every k-th of its flattened elements as
// NAME.sample together with NAME.summary = [k, mean, standard deviation, minimum, maximum]; then the sampled elements
// are compared.
#pragma once

#include "tools/npy.h"

#include <string>

namespace fovea::tools {

struct Tolerance {
  double relative = 1e-3;
  double absolute = 1e-4;
};

struct ComparisonResult {
  // One line an output, in the order of the expected arrays.
  std::string report;
  bool agrees = true;
  // Outputs that the expected arrays say nothing about.
  std::vector<std::string> unchecked;
};

// Fails with npy::Error (FOVEA_INVALID) for an expected array that belongs to no output, or a sample without its
// summary.
ComparisonResult compare(const npy::Views &outputs, const npy::Arrays &expected, const Tolerance &tolerance);

} // namespace fovea::tools
