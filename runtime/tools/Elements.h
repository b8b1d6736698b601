// Elements of tensors as numbers and text, whatever their dtype.
#pragma once

#include "fovea/fovea.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace fovea::tools {

bool isFloat(fovea_dtype dtype);

// The element at `index` of row-major `data`. 64-bit integers lose their last bits.
double element(fovea_dtype dtype, const void *data, size_t index);
// Rounds to nearest, ties to even.
void setElement(fovea_dtype dtype, void *data, size_t index, double value);

// As many digits as tell it from its neighbours.
std::string elementText(fovea_dtype dtype, const void *data, size_t index);

// Of dims that are those of a tensor in memory.
size_t elementCount(std::span<const int64_t> dims);

// "f32[2,3]"
std::string shapeText(fovea_dtype dtype, std::span<const int64_t> dims);
// "[1,2]", the position of the flat `index`
std::string positionText(std::span<const int64_t> dims, size_t index);

} // namespace fovea::tools
