#include "core/Error.h"

std::string fovea::quoted(std::string_view name) {
  std::string result = "'";
  for (char c : name)
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return result + "'";
}
