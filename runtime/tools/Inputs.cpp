#include "tools/Inputs.h"
#include "tools/Elements.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <numbers>
#include <string_view>

using namespace fovea;
using namespace fovea::tools;

void InputOptions::addTo(CLI::App &app) {
  app.add_option("--input", files, "An input from an npy file; may be given several times")->type_name("NAME=FILE.npy");
  app.add_option("--inputs", archive, "Inputs from an npz file, as numpy.savez writes it (bf16 as uint16)")
      ->type_name("FILE.npz");
  app.add_option("--random", seed, "Fill missing inputs: floats normal, integers and bools 0 or 1")->type_name("SEED");
  app.add_option("--dim", dims, "Value of a symbolic dim of random inputs (otherwise 1)")->type_name("NAME=N");
}

std::pair<std::string, std::string> tools::splitAssignment(const std::string &option, const std::string &text) {
  const size_t split = text.find('=');
  if (split == std::string::npos || split == 0 || split + 1 == text.size())
    throw Failure(FOVEA_INVALID, fmt::format("expected {} NAME=VALUE, got '{}'", option, text));
  return {text.substr(0, split), text.substr(split + 1)};
}

namespace {
// Random numbers that are the same on every machine and for every standard library.
class Random {
public:
  // Each input has a sequence of its own, so that one input more or less leaves the others alone.
  Random(uint64_t seed, std::string_view name) : state(seed) {
    for (unsigned char c : name)
      state = (state ^ c) * 0x100000001b3;
  }

  // splitmix64
  uint64_t bits() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  // In (0, 1].
  double uniform() { return std::ldexp(static_cast<double>((bits() >> 11) + 1), -53); }

  // Box and Muller.
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()); }

private:
  uint64_t state;
};
} // namespace

Inputs::Inputs(const CLI::App &app, const InputOptions &options) : app(app), seed(options.seed) {
  for (const std::string &text : options.dims) {
    const auto [name, value] = splitAssignment("--dim", text);
    int64_t dim = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), dim);
    if (error != std::errc() || end != value.data() + value.size() || dim < 0)
      throw Failure(FOVEA_INVALID, fmt::format("expected --dim NAME=N with a number, got '{}'", text));
    dims[name] = dim;
  }
  if (!options.archive.empty())
    for (auto &[name, array] : npy::readZip(options.archive))
      add(name, std::move(array), options.archive);
  for (const std::string &text : options.files) {
    const auto [name, file] = splitAssignment("--input", text);
    add(name, npy::read(file), file);
  }
}

void Inputs::add(std::string name, npy::Array array, const std::string &origin) {
  if (!arrays.emplace(name, std::move(array)).second)
    throw Failure(FOVEA_INVALID, fmt::format("input '{}' is given twice, the second time by '{}'", name, origin));
}

int64_t Inputs::dimOf(const fovea_dim &dim) {
  if (!dim.name)
    return dim.min;
  const auto [known, isNew] = dims.try_emplace(dim.name, std::clamp<int64_t>(1, dim.min, dim.max));
  if (isNew)
    warn(app,
         fmt::format("dim '{}' of random inputs is {}; choose with --dim {}=N", dim.name, known->second, dim.name));
  return known->second;
}

npy::Array Inputs::random(const fovea_tensor_info &info) {
  npy::Array array = {info.dtype, {}, {}};
  size_t bytes = fovea_dtype_size(info.dtype);
  for (uint32_t i = 0; i < info.rank; ++i) {
    array.dims.push_back(dimOf(info.dims[i]));
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(array.dims.back()), &bytes))
      throw Failure(FOVEA_INVALID, fmt::format("random input '{}' would be larger than memory can be", info.name));
  }
  array.data.resize(bytes);
  Random numbers(*seed, info.name);
  for (size_t i = 0; i < bytes / fovea_dtype_size(info.dtype); ++i)
    setElement(info.dtype, array.data.data(), i,
               isFloat(info.dtype) ? numbers.normal() : static_cast<double>(numbers.bits() >> 63));
  return array;
}

void Inputs::bind(fovea_session *session, const fovea_model *model) {
  const uint32_t entry = fovea_session_entry(session);
  fovea_entry_info entryInfo;
  call(fovea_model_entry, model, entry, &entryInfo);
  std::vector<fovea_tensor_info> infos(entryInfo.input_count);
  for (uint32_t i = 0; i < infos.size(); ++i)
    call(fovea_model_input, model, entry, i, &infos[i]);
  for (const auto &[name, array] : arrays) {
    uint32_t index;
    call(fovea_model_find_input, model, entry, name.c_str(), &index);
    for (uint32_t d = 0; d < std::min<size_t>(infos[index].rank, array.dims.size()); ++d)
      if (infos[index].dims[d].name)
        dims[infos[index].dims[d].name] = array.dims[d];
  }
  for (uint32_t i = 0; i < infos.size(); ++i) {
    auto found = arrays.find(infos[i].name);
    if (found == arrays.end() && !seed)
      throw Failure(FOVEA_INVALID,
                    fmt::format("input '{}' of entry '{}' is missing: give it with --input {}=FILE.npy or --inputs, or "
                                "fill it with --random SEED",
                                infos[i].name, entryInfo.name, infos[i].name));
    if (found == arrays.end())
      found = arrays.emplace(infos[i].name, random(infos[i])).first;
    npy::Array &array = found->second;
    // bf16 travels as the bits of uint16.
    const bool isBfloat = infos[i].dtype == FOVEA_BF16 && array.dtype == FOVEA_U16;
    const fovea_tensor tensor = {array.data.data(), array.data.size(), isBfloat ? FOVEA_BF16 : array.dtype,
                                 static_cast<uint32_t>(array.dims.size()), array.dims.data()};
    call(fovea_session_bind_input, session, i, &tensor);
  }
}

void Inputs::bindOutputsOver(fovea_session *session, const fovea_model *model) {
  const uint32_t entry = fovea_session_entry(session);
  fovea_entry_info entryInfo;
  call(fovea_model_entry, model, entry, &entryInfo);
  for (uint32_t i = 0; i < entryInfo.output_count; ++i) {
    uint32_t under;
    fovea_tensor_info input, output;
    call(fovea_model_output_over, model, entry, i, &under);
    if (under == UINT32_MAX)
      continue;
    call(fovea_model_input, model, entry, under, &input);
    call(fovea_model_output, model, entry, i, &output);
    npy::Array &array = arrays.at(input.name);
    call(fovea_session_bind_output, session, i, array.data.data(), array.data.size());
    fmt::print(stderr, "output '{}' is written over input '{}'\n", output.name, input.name);
  }
}
