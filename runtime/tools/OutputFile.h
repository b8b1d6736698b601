// Files that are written whole or not at all.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace fovea::tools {

// True for what can have no file beside it that takes its place: /dev/stdout, a pipe.
bool isSpecialFile(const std::string &path);

// Writes the parts one after the other to a file beside `path`, which then takes its place. On failure, an npy::Error
// with FOVEA_ENVIRONMENT, that file is gone and what was at `path` is as it was. Special files are written to at once.
void writeFile(const std::string &path, std::initializer_list<std::span<const std::byte>> parts);
void writeFile(const std::string &path, std::string_view text);

} // namespace fovea::tools
