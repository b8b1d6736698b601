// How failures travel inside the runtime: as one exception, turned into status and message at the C API's edge. It
// never crosses compiled code, which has no unwind tables.
#pragma once

#include "fovea/fovea.h"

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fovea {

class Error : public std::exception {
public:
  Error(fovea_status status, std::string message) : status(status), message(std::move(message)) {}
  const char *what() const noexcept override { return message.c_str(); }

  fovea_status status;
  std::string message;
};

template <typename... Parts> std::string text(const Parts &...parts) {
  std::string result;
  auto append = [&result](const auto &part) {
    if constexpr (std::is_integral_v<std::decay_t<decltype(part)>>)
      result += std::to_string(part);
    else
      result += part;
  };
  (append(parts), ...);
  return result;
}

template <typename... Parts> [[noreturn]] void fail(fovea_status status, const Parts &...parts) {
  throw Error(status, text(parts...));
}

// For names that come from a file or a caller: quoted, control characters replaced.
std::string quoted(std::string_view name);

} // namespace fovea
