// Inputs for a random attention: sizes and data.
#include "Generator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>

using namespace fovea;
using namespace fovea::fuzz;

double Precision::tolerance(double largest) const {
  // Rounding of the scores is relative to their size and moves the weights by as much; a row of weights adds up to 1,
  // or to as many as there are keys. Other floats than f64 are computed as f32.
  constexpr double keys = 130;
  double unit = element == "f64" ? 1.1e-16 : 6e-8;
  // The result is rounded once more: two that are close may fall to neighbours.
  double rounding = element == "bf16" ? 0x1p-7 : element == "f16" ? 0x1p-10 : 0;
  return unit * (64 + 16 * largest) * (sums ? keys : 1) * (unbounded ? largest : 1) + rounding;
}

/// Fills keys and values behind the lengths with NaN: they contribute nothing, whatever they hold.
static void spoilDeadKeys(const std::vector<Input> &inputs, npy::Arrays &arrays) {
  auto lengths = std::find_if(arrays.begin(), arrays.end(), [](const auto &array) { return array.first == "lengths"; });
  if (lengths == arrays.end())
    return;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].keys < 0)
      continue;
    npy::Array &array = arrays[i].second;
    size_t element = fovea_dtype_size(array.dtype);
    int64_t count = array.data.size() / element, inner = 1;
    for (size_t d = inputs[i].keys + 1; d < array.dims.size(); ++d)
      inner *= array.dims[d];
    for (int64_t e = 0; e < count; ++e) {
      int64_t batch = e / (count / array.dims[0]), key = e / inner % array.dims[inputs[i].keys], length;
      std::memcpy(&length, lengths->second.data.data() + batch * 8, 8);
      if (key >= length)
        std::memset(array.data.data() + e * element, 0xff, element);
    }
  }
}

/// Fills a few keys or values with NaN: what they are hidden from may not see it.
static void spoilSomeKeys(const std::vector<Input> &inputs, npy::Arrays &arrays, std::mt19937_64 &random) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    npy::Array &array = arrays[i].second;
    if (inputs[i].keys < 0 || array.data.empty() || random() % 3 == 0)
      continue;
    size_t element = fovea_dtype_size(array.dtype);
    int64_t count = array.data.size() / element, keys = array.dims[inputs[i].keys], inner = 1;
    for (size_t d = inputs[i].keys + 1; d < array.dims.size(); ++d)
      inner *= array.dims[d];
    int64_t spoiled = random() % 2 ? keys - 1 : random() % keys;
    for (int64_t e = 0; e < count; ++e)
      if (e / inner % keys == spoiled)
        std::memset(array.data.data() + e * element, 0xff, element);
  }
}

npy::Arrays Generator::draw(uint64_t seed, double &largest) const {
  std::mt19937_64 random(seed);
  auto real = [&] { return std::uniform_real_distribution<>(0, 1)(random); };
  std::map<std::string, int64_t> sizes;
  for (const Input &input : inputs)
    for (const Size &dim : input.dims)
      if (!dim.name.empty() && dim.of.empty() && !sizes.count(dim.name))
        sizes[dim.name] = real() < 0.04 ? 0 : real() < 0.15 ? 1 : 1 + int64_t(random() % uint64_t(dim.most));
  for (const Input &input : inputs)
    for (const Size &dim : input.dims)
      if (!dim.of.empty())
        sizes[dim.name] = (sizes.at(dim.of) + dim.block - 1) / dim.block;
  double magnitude = kind.exact ? 3 : real() < 0.2 ? 6 : 1;
  bool infinities = real() < 0.2;
  npy::Arrays arrays;
  for (const Input &input : inputs) {
    npy::Array array;
    int64_t count = 1;
    for (const Size &dim : input.dims) {
      array.dims.push_back(dim.name.empty() ? dim.value : sizes.at(dim.name));
      count *= array.dims.back();
    }
    auto fill = [&](auto element, fovea_dtype dtype, auto &&next) {
      array.dtype = dtype;
      array.data.resize(count * sizeof(element));
      for (int64_t i = 0; i < count; ++i) {
        decltype(element) x = next();
        std::memcpy(array.data.data() + i * sizeof(element), &x, sizeof(element));
      }
    };
    double masked = real() < 0.1 ? 1.0 : real();
    bool added = input.name.rfind("capture", 0) == 0 || input.name == "sinks";
    auto value = [&]() -> double {
      if (input.content == Content::gates)
        return real();
      if (kind.exact)
        return double(random() % 7) - 3;
      // Additive masks and sinks: some of minus infinity.
      if (added && infinities && real() < 0.3)
        return -INFINITY;
      return std::normal_distribution<>(0, magnitude)(random);
    };
    int64_t keys = positions[3].name.empty() ? positions[3].value : sizes.count("N") ? sizes.at("N") : 0;
    if (input.content == Content::mask)
      fill(uint8_t(), FOVEA_BOOL, [&] { return uint8_t(real() < masked); });
    else if (input.content == Content::lengths)
      fill(int64_t(), FOVEA_I64, [&] {
        // Negative ones and those behind the last key are valid.
        return real() < 0.2
                   ? keys
                   : int64_t(random() % uint64_t(keys + 1)) + (real() < 0.1 ? keys : 0) - (real() < 0.1 ? 5 : 0);
      });
    else if (input.content == Content::shifts)
      fill(int64_t(), FOVEA_I64, [&]() -> int64_t {
        if (real() < 0.05)
          return real() < 0.5 ? INT64_MAX : INT64_MIN;
        return int64_t(random() % uint64_t(keys + 10)) - 5;
      });
    else if (input.element == "f64")
      fill(double(), FOVEA_F64, value);
    else if (input.element == "f32")
      fill(float(), FOVEA_F32, [&] { return float(value()); });
    else if (input.element == "bf16")
      fill(uint16_t(), FOVEA_BF16, [&] { return uint16_t(std::bit_cast<uint32_t>(float(value())) >> 16); });
    else
      fill(_Float16(), FOVEA_F16, [&] { return _Float16(value()); });
    arrays.emplace_back(input.name, std::move(array));
  }
  if (!infinities)
    spoilDeadKeys(inputs, arrays);
  if (!kind.exact && real() < 0.2)
    spoilSomeKeys(inputs, arrays, random);
  // Five deviations each, with as many products as there are elements in a row.
  largest = scale * 25 * magnitude * magnitude * std::sqrt(double(depth)) + 5 * magnitude + 40;
  return arrays;
}
