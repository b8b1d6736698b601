#include "tools/Comparison.h"
#include "tools/Elements.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <set>

using namespace fovea;
using namespace fovea::tools;

// Expected element i stands for output element i * stride.
static bool compareElements(const std::string &name, const npy::View &got, const npy::Array &expected, size_t stride,
                            const Tolerance &tolerance, std::string &report) {
  const size_t count = elementCount(expected.dims), size = fovea_dtype_size(got.dtype);
  const auto *gotBytes = static_cast<const std::byte *>(got.data);
  size_t differing = 0, first = 0;
  double largest = 0;
  for (size_t i = 0; i < count; ++i) {
    bool same;
    if (isFloat(got.dtype)) {
      const double a = element(got.dtype, got.data, i * stride), b = element(got.dtype, expected.data.data(), i);
      const double distance = std::fabs(a - b);
      same = a == b || (std::isnan(a) && std::isnan(b)) ||
             (std::isfinite(b) && distance <= tolerance.absolute + tolerance.relative * std::fabs(b));
      if (std::isfinite(distance))
        largest = std::max(largest, distance);
    } else {
      same = std::memcmp(gotBytes + i * stride * size, expected.data.data() + i * size, size) == 0;
    }
    if (!same && differing++ == 0)
      first = i;
  }
  const std::string what = stride == 1 ? "elements" : "sampled elements";
  const std::string largestText = isFloat(got.dtype) ? fmt::format(", largest difference {:.3g}", largest) : "";
  if (differing == 0)
    report += fmt::format("{}: {} {} agree{}\n", name, count, what, largestText);
  else
    report += fmt::format("{}: differs at {}: expected {}, got {}; {} of {} {} differ{}\n", name,
                          positionText(got.dims, first * stride), elementText(got.dtype, expected.data.data(), first),
                          elementText(got.dtype, got.data, first * stride), differing, count, what, largestText);
  return differing == 0;
}

static const npy::Array *find(const npy::Arrays &arrays, const std::string &name) {
  const auto found = std::find_if(arrays.begin(), arrays.end(), [&](const auto &array) { return array.first == name; });
  return found == arrays.end() ? nullptr : &found->second;
}

static bool sameDtype(fovea_dtype output, fovea_dtype expected) {
  return output == expected || (output == FOVEA_BF16 && expected == FOVEA_U16);
}

static bool compareWhole(const std::string &name, const npy::View &got, const npy::Array &expected,
                         const Tolerance &tolerance, std::string &report) {
  if (!sameDtype(got.dtype, expected.dtype) ||
      !std::equal(got.dims.begin(), got.dims.end(), expected.dims.begin(), expected.dims.end())) {
    report += fmt::format("{}: differs in shape: expected {}, got {}\n", name, shapeText(expected.dtype, expected.dims),
                          shapeText(got.dtype, got.dims));
    return false;
  }
  return compareElements(name, got, expected, 1, tolerance, report);
}

static bool compareSample(const std::string &name, const npy::View &got, const npy::Array &sample,
                          const npy::Array *summary, const Tolerance &tolerance, std::string &report) {
  const double k = summary && summary->dtype == FOVEA_F64 && elementCount(summary->dims) == 5
                       ? element(FOVEA_F64, summary->data.data(), 0)
                       : 0;
  if (!(k >= 1 && k <= 9e15) || k != std::floor(k))
    throw npy::Error(FOVEA_INVALID,
                     fmt::format("expected '{0}.summary' = [k, mean, std, min, max] in f64 beside '{0}.sample'", name));
  const size_t stride = static_cast<size_t>(k), count = elementCount(got.dims),
               samples = count / stride + (count % stride != 0);
  if (!sameDtype(got.dtype, sample.dtype) || elementCount(sample.dims) != samples) {
    report += fmt::format("{}: differs in shape: expected {} as every {}th element, got {} of {}\n", name,
                          shapeText(sample.dtype, sample.dims), stride, samples, shapeText(got.dtype, got.dims));
    return false;
  }
  return compareElements(name, got, sample, stride, tolerance, report);
}

ComparisonResult tools::compare(const npy::Views &outputs, const npy::Arrays &expected, const Tolerance &tolerance) {
  static constexpr std::string_view SAMPLE = ".sample", SUMMARY = ".summary";
  ComparisonResult result;
  std::set<std::string> checked;
  auto outputNamed = [&](std::string_view name) {
    return std::find_if(outputs.begin(), outputs.end(), [&](const auto &output) { return output.first == name; });
  };
  for (const auto &[name, array] : expected) {
    if (const auto output = outputNamed(name); output != outputs.end()) {
      result.agrees &= compareWhole(name, output->second, array, tolerance, result.report);
      checked.insert(name);
      continue;
    }
    const bool isSample = name.ends_with(SAMPLE), isSummary = name.ends_with(SUMMARY);
    const std::string stem = name.substr(0, name.size() - (isSample ? SAMPLE.size() : isSummary ? SUMMARY.size() : 0));
    const auto output = outputNamed(stem);
    if (output == outputs.end())
      throw npy::Error(FOVEA_INVALID, fmt::format("expected array '{}' belongs to no output of the model", name));
    // A summary alone says too little about single elements.
    if (isSummary)
      continue;
    result.agrees &= compareSample(stem, output->second, array, find(expected, stem + std::string(SUMMARY)), tolerance,
                                   result.report);
    checked.insert(stem);
  }
  for (const auto &[name, view] : outputs)
    if (!checked.contains(name))
      result.unchecked.push_back(name);
  return result;
}
