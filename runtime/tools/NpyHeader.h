// The header of an npy file: a Python dictionary of three known keys.
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
#pragma once

#include "tools/npy.h"

#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea::npy {

struct Header {
  std::string descr;
  bool fortran;
  std::vector<int64_t> dims;
};

// Fails with Error if `text` is anything else. No dim is negative, but their product may be anything.
Header parseHeader(std::string_view text);

template <typename... Args> [[noreturn]] void broken(fmt::format_string<Args...> format, Args &&...args) {
  throw Error(FOVEA_INVALID, fmt::format(format, std::forward<Args>(args)...));
}

} // namespace fovea::npy
