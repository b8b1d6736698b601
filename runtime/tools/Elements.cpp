#include "tools/Elements.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <type_traits>
#include <vector>

using namespace fovea;
using namespace fovea::tools;

template <typename T> static T load(const void *data, size_t index) {
  T value;
  std::memcpy(&value, static_cast<const char *>(data) + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T> static void store(void *data, size_t index, T value) {
  std::memcpy(static_cast<char *>(data) + index * sizeof(T), &value, sizeof(T));
}

// Calls `body` with a value of the C++ type that stands for `dtype`; not for f16, bf16 and bool.
template <typename Body> static auto withType(fovea_dtype dtype, Body body) {
  switch (dtype) {
  case FOVEA_F32:
    return body(float());
  case FOVEA_F64:
    return body(double());
  case FOVEA_I8:
    return body(int8_t());
  case FOVEA_I16:
    return body(int16_t());
  case FOVEA_I32:
    return body(int32_t());
  case FOVEA_I64:
    return body(int64_t());
  case FOVEA_U16:
    return body(uint16_t());
  case FOVEA_U32:
    return body(uint32_t());
  case FOVEA_U64:
    return body(uint64_t());
  default:
    return body(uint8_t());
  }
}

static double fromHalf(uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 0x1f)
    return fraction ? std::nan("") : sign * INFINITY;
  return sign * (exponent ? std::ldexp(fraction + 1024, exponent - 25) : std::ldexp(fraction, -24));
}

static uint16_t toHalf(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::fabs(value);
  if (std::isnan(value))
    return 0x7e00;
  if (size >= 65520)
    return sign | 0x7c00;
  if (size == 0)
    return sign;
  // The spacing of halves around the value; below the smallest normal number it stays that of the denormals.
  const int exponent = std::max(std::ilogb(size), -14);
  const double steps = std::nearbyint(std::ldexp(size, 10 - exponent));
  // A carry out of the fraction goes into the exponent by itself.
  return sign | static_cast<uint16_t>(((exponent + 14) << 10) + static_cast<int>(steps));
}

static uint16_t toBfloat(double value) {
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  if (std::isnan(value))
    return 0x7fc0;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

bool tools::isFloat(fovea_dtype dtype) {
  return dtype == FOVEA_F32 || dtype == FOVEA_F64 || dtype == FOVEA_F16 || dtype == FOVEA_BF16;
}

double tools::element(fovea_dtype dtype, const void *data, size_t index) {
  if (dtype == FOVEA_F16)
    return fromHalf(load<uint16_t>(data, index));
  if (dtype == FOVEA_BF16)
    return std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(data, index)) << 16);
  return withType(dtype, [&](auto type) { return static_cast<double>(load<decltype(type)>(data, index)); });
}

void tools::setElement(fovea_dtype dtype, void *data, size_t index, double value) {
  if (dtype == FOVEA_F16)
    return store(data, index, toHalf(value));
  if (dtype == FOVEA_BF16)
    return store(data, index, toBfloat(value));
  withType(dtype, [&](auto type) { store(data, index, static_cast<decltype(type)>(value)); });
}

std::string tools::elementText(fovea_dtype dtype, const void *data, size_t index) {
  if (dtype == FOVEA_F16 || dtype == FOVEA_BF16)
    return fmt::format("{:.5g}", element(dtype, data, index));
  if (dtype == FOVEA_BOOL)
    return element(dtype, data, index) != 0 ? "true" : "false";
  return withType(dtype, [&](auto type) {
    const auto value = load<decltype(type)>(data, index);
    if constexpr (sizeof(type) == 1)
      return fmt::format("{}", static_cast<int>(value));
    else
      return fmt::format("{}", value);
  });
}

size_t tools::elementCount(std::span<const int64_t> dims) {
  size_t count = 1;
  for (int64_t dim : dims)
    count *= static_cast<size_t>(dim);
  return count;
}

std::string tools::shapeText(fovea_dtype dtype, std::span<const int64_t> dims) {
  return fmt::format("{}[{}]", fovea_dtype_name(dtype), fmt::join(dims, ","));
}

std::string tools::positionText(std::span<const int64_t> dims, size_t index) {
  std::vector<size_t> position(dims.size());
  for (size_t d = dims.size(); d-- > 0; index /= static_cast<size_t>(dims[d]))
    position[d] = index % static_cast<size_t>(dims[d]);
  return fmt::format("[{}]", fmt::join(position, ","));
}
