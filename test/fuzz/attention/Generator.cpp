#include "Generator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <map>

using namespace fovea;
using namespace fovea::fuzz;

bool Generator::chance(double probability) { return std::uniform_real_distribution<>(0, 1)(random) < probability; }

int64_t Generator::pick(std::initializer_list<int64_t> values) { return values.begin()[random() % values.size()]; }

Size Generator::size(const char *name, std::initializer_list<int64_t> values, double symbolic, int64_t most) {
  int64_t value = pick(values);
  return chance(symbolic) ? Size{name, value, most} : Size{"", value, value};
}

std::string Generator::tensor(const std::vector<Size> &dims, const std::string &element) const {
  std::string text = "tensor<";
  for (const Size &dim : dims)
    text += (dim.name.empty() ? std::to_string(dim.value) : "?") + "x";
  return text + element + ">";
}

/// The names of the dims of a value that exist, for tensor.empty.
static std::string dimOperands(const std::vector<Size> &dims) {
  std::string text;
  for (const Size &dim : dims)
    if (!dim.name.empty())
      text += (text.empty() ? "%" : ", %") + dim.name;
  return text;
}

std::string Generator::transposed(const std::string &name, std::vector<Size> dims) {
  // As it is, or with the heads beside the last dim, as projections leave them.
  bool projected = chance(0.5);
  std::vector<Size> stored = dims;
  if (projected)
    std::swap(stored[1], stored[2]);
  inputs.push_back({name, kind.element, stored, Content::values, name == "q" ? -1 : projected ? 1 : 2});
  if (!projected)
    return "%" + name;
  body +=
      fmt::format("  %{0}_e = tensor.empty({1}) : {2}\n  %{0}_t = linalg.transpose ins(%{0} : {3}) outs(%{0}_e : {2}) "
                  "permutation = [0, 2, 1, 3]\n",
                  name, dimOperands(dims), tensor(dims, kind.element), tensor(stored, kind.element));
  return fmt::format("%{}_t", name);
}

std::string Generator::capture(const std::string &element, Content content, std::string &argument) {
  // A broadcast of some of b, h, i, j, with dims of 1 or without them.
  static constexpr std::array names = {"b", "h", "i", "j"};
  std::vector<Size> dims;
  std::string map;
  for (size_t d = 0; d < 4; ++d) {
    bool varies = chance(0.6);
    if (!varies && chance(0.5))
      continue;
    dims.push_back(varies ? positions[d] : Size{"", 1, 1});
    map += (map.empty() ? "" : ", ") + std::string(varies ? names[d] : "0");
  }
  std::string name = fmt::format("capture{}", inputs.size());
  inputs.push_back({name, element, dims, content});
  captures += (captures.empty() ? "%" : ", %") + name;
  captureTypes += (captureTypes.empty() ? "" : ", ") + tensor(dims, element);
  maps += (maps.empty() ? "" : ", ") + fmt::format("affine_map<(b, h, i, j) -> ({})>", map);
  argument = fmt::format("%{}_x", name);
  return fmt::format(", {}: {}", argument, element);
}

std::string Generator::scoreRegion() {
  std::string type = kind.element == "f64" ? "f64" : "f32", arguments, code, value = "%s";
  int count = 0;
  auto step = [&](const std::string &operation) {
    value = fmt::format("%v{}", count++);
    code += fmt::format("      {} = {}\n", value, operation);
  };
  auto constant = [&](double number) {
    std::string name = fmt::format("%c{}", count++);
    code += fmt::format("      {} = arith.constant {:e} : {}\n", name, number, type);
    return name;
  };
  if (chance(0.2) && !kind.exact) { // softcap
    std::string cap = constant(pick({1, 5, 30}));
    step(fmt::format("arith.divf {}, {} : {}", value, cap, type));
    step(fmt::format("math.tanh {} : {}", value, type));
    step(fmt::format("arith.mulf {}, {} : {}", value, cap, type));
  }
  if (chance(0.5)) { // an additive mask or bias
    std::string argument, mask = value;
    arguments += capture(kind.element, Content::values, argument);
    std::string before = value;
    if (kind.element != type) {
      step(fmt::format("arith.extf {} : {} to {}", argument, kind.element, type));
      argument = value;
    }
    step(fmt::format("arith.addf {}, {} : {}", before, argument, type));
  }
  if (chance(0.2)) { // ALiBi: a slope for each head
    std::string before = value;
    step("arith.subi %j, %i : index");
    step(fmt::format("arith.index_cast {} : index to i64", value));
    step(fmt::format("arith.sitofp {} : i64 to {}", value, type));
    std::string distance = value;
    step("arith.index_cast %h : index to i64");
    step(fmt::format("arith.sitofp {} : i64 to {}", value, type));
    std::string slope = constant(kind.exact ? 1 : 0.25);
    step(fmt::format("arith.mulf {}, {} : {}", value, slope, type));
    step(fmt::format("arith.mulf {}, {} : {}", value, distance, type));
    step(fmt::format("arith.addf {}, {} : {}", before, value, type));
  }
  if (chance(0.35)) { // a boolean mask
    std::string argument, before = value;
    arguments += capture("i1", Content::mask, argument);
    std::string low = constant(-1);
    code +=
        fmt::format("      %low = arith.constant {} : {}\n", type == "f64" ? "0xFFF0000000000000" : "0xFF800000", type);
    (void)low;
    step(fmt::format("arith.select {}, {}, {} : {}", argument, before, kind.unbounded || chance(0.3) ? low : "%low",
                     type));
  }
  if (code.empty())
    return "";
  return fmt::format(
      " score {{\n    ^bb0(%s: {0}, %b: index, %h: index, %i: index, %j: index{1}):\n{2}      attn.yield {3} "
      ": {0}\n    }}",
      type, arguments, code, value);
}

Generator::Generator(uint64_t seed) : random(seed) {
  const char *elements[] = {"f32", "f32", "f32", "f32", "f64", "f16", "bf16"};
  kind.element = elements[random() % std::size(elements)];
  const char *normalizers[] = {"softmax", "softmax", "softmax", "softmax", "softmax",
                               "softmax", "sigmoid", "hardmax", "none"};
  std::string normalizer = normalizers[random() % std::size(normalizers)];
  kind.exact = normalizer == "hardmax";
  kind.sums = normalizer == "sigmoid" || normalizer == "none";
  kind.unbounded = normalizer == "none";

  int64_t groups = pick({1, 1, 2, 3, 4}), heads = groups * pick({1, 1, 2, 3});
  // The sizes of a head are static: no lowering takes others.
  bool symbolic = false;
  Size b, m, n, d, e;
  while (!symbolic) {
    b = size("B", {1, 1, 2, 3}, 0.5, 3), m = size("M", {1, 2, 5, 16, 24, 33, 48, 65}, 0.7, 70),
    n = size("N", {1, 3, 7, 16, 31, 64, 65, 100}, 0.7, 130), d = size("", {1, 4, 8, 16, 20, 32, 64, 72}, 0, 1),
    e = size("", {1, 3, 8, 16, 17, 32, 64, 80}, 0, 1);
    symbolic = !(b.name + m.name + n.name).empty();
  }
  if (chance(0.25)) // self-attention
    m = n;
  depth = d.value;
  scale = kind.exact ? 1 : chance(0.8) ? 1 / std::sqrt(double(depth)) : 0.3;
  Size h{"", heads, heads}, g{"", groups, groups};
  positions = {b, h, m, n};

  std::vector<Size> qDims{b, h, m, d}, kDims{b, g, n, d}, vDims{b, g, n, e}, outDims{b, h, m, e};
  std::string q = transposed("q", qDims), k = transposed("k", kDims), v = transposed("v", vDims);
  std::string attributes = fmt::format("scale = {:e}", scale);
  const char *causals[] = {"top_left", "bottom_right"};
  if (chance(0.35))
    attributes += fmt::format(", causal = #attn.causal<{}>", causals[random() % 2]);
  if (chance(0.25))
    attributes += fmt::format(", window = array<i64: {}, {}>", pick({-1, 0, 3, 20, 60}), pick({-1, 0, 2, 17}));
  if (normalizer != "softmax")
    attributes += fmt::format(", normalizer = #attn.normalizer<{}>", normalizer);
  if (chance(0.3))
    attributes += ", empty_rows = #attn.empty_rows<nan>";
  std::string combine, weight, score = scoreRegion(), lengths;
  std::string type = kind.element == "f64" ? "f64" : "f32";
  if (chance(0.15)) {
    // Additive scoring, or minus the square of the distance.
    const char *combines[] = {"      %y = arith.addf %x, %l : {0}\n      %z = math.tanh %y : {0}\n",
                              "      %y = arith.subf %x, %l : {0}\n      %w = arith.mulf %y, %y : {0}\n      %z = "
                              "arith.negf %w : {0}\n"};
    std::string code = fmt::format(fmt::runtime(combines[kind.exact ? 1 : random() % 2]), type);
    combine = type == kind.element
                  ? fmt::format(" combine {{\n    ^bb0(%x: {0}, %l: {0}):\n{1}", type, code)
                  : fmt::format(
                        " combine {{\n    ^bb0(%q_h: {0}, %k_h: {0}):\n      %x = arith.extf %q_h : {0} to {1}\n      "
                        "%l = arith.extf %k_h : {0} to {1}\n{2}",
                        kind.element, type, code);
    combine += fmt::format("      attn.yield %z : {}\n    }}", type);
  }
  if (chance(0.15) && captures.empty())
    // Luong's window: a Gaussian around the query's place.
    weight =
        fmt::format(" weight {{\n    ^bb0(%p: {0}, %b: index, %h: index, %i: index, %j: index):\n      %d = "
                    "arith.subi %j, %i : index\n      %n = arith.index_cast %d : index to i64\n      %f = "
                    "arith.sitofp %n : i64 to {0}\n      %t = arith.constant -5.0e-02 : {0}\n      %g = arith.mulf %f, "
                    "%f : {0}\n      %u = arith.mulf %g, %t : {0}\n      %r = math.exp %u : {0}\n      %y = arith.mulf "
                    "%p, %r : {0}\n      attn.yield %y : {0}\n    }}",
                    type);
  if (chance(0.25)) {
    inputs.push_back({"lengths", "i64", {b}, Content::lengths});
    lengths = fmt::format(" lengths(%lengths : {})", tensor({b}, "i64"));
  }
  if (!captures.empty())
    attributes += fmt::format(", capture_maps = [{}]", maps);

  std::string qType = tensor(qDims, kind.element), kType = tensor(kDims, kind.element),
              vType = tensor(vDims, kind.element), outType = tensor(outDims, kind.element);
  std::string arguments, dims;
  std::map<std::string, bool> known;
  for (const Input &input : inputs) {
    std::string names;
    for (size_t i = 0; i < input.dims.size(); ++i) {
      const Size &dim = input.dims[i];
      names += (i ? ", " : "") + (dim.name.empty() ? std::to_string(dim.value) : fmt::format("\"{}\"", dim.name));
      if (!dim.name.empty() && !std::exchange(known[dim.name], true))
        dims += fmt::format("  %{0}_i = arith.constant {1} : index\n  %{0} = tensor.dim %{2}, %{0}_i : {3}\n", dim.name,
                            i, input.name, tensor(input.dims, input.element));
    }
    arguments += fmt::format("{}%{}: {} {{exec.name = \"{}\", exec.dims = [{}]}}", arguments.empty() ? "" : ", ",
                             input.name, tensor(input.dims, input.element), input.name, names);
  }
  std::string names;
  for (const Size &dim : outDims)
    names +=
        (names.empty() ? "" : ", ") + (dim.name.empty() ? std::to_string(dim.value) : fmt::format("\"{}\"", dim.name));
  source = fmt::format(
      "func.func @main({}) -> ({} {{exec.name = \"out\", exec.dims = [{}]}}) {{\n{}{}  %out = tensor.empty({}) : "
      "{}\n  %r = attn.attention ins({}, {}, {} : {}, {}, {}){}{} outs(%out : {}) {{{}}}{}{}{} -> {}\n  return %r : "
      "{}\n}}\n",
      arguments, outType, names, dims, body, dimOperands(outDims), outType, q, k, v, qType, kType, vType,
      captures.empty() ? "" : fmt::format(" captures({} : {})", captures, captureTypes), lengths, outType, attributes,
      combine, score, weight, outType, outType);
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

npy::Arrays Generator::draw(uint64_t seed, double &largest) const {
  std::mt19937_64 random(seed);
  auto real = [&] { return std::uniform_real_distribution<>(0, 1)(random); };
  std::map<std::string, int64_t> sizes;
  for (const Input &input : inputs)
    for (const Size &dim : input.dims)
      if (!dim.name.empty() && !sizes.count(dim.name))
        sizes[dim.name] = real() < 0.04 ? 0 : real() < 0.15 ? 1 : 1 + int64_t(random() % uint64_t(dim.most));
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
    bool capture = input.name.rfind("capture", 0) == 0;
    auto value = [&]() -> double {
      if (kind.exact)
        return double(random() % 7) - 3;
      // Additive masks: some of minus infinity.
      if (capture && infinities && real() < 0.3)
        return -INFINITY;
      return std::normal_distribution<>(0, magnitude)(random);
    };
    int64_t keys = positions[3].name.empty() ? positions[3].value : sizes.count("N") ? sizes.at("N") : 0;
    if (input.content == Content::mask)
      fill(uint8_t(), FOVEA_BOOL, [&] { return uint8_t(real() < masked); });
    else if (input.content == Content::lengths)
      fill(int64_t(), FOVEA_I64, [&] { return real() < 0.2 ? keys : int64_t(random() % uint64_t(keys + 1)); });
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
  // Five deviations each, with as many products as there are elements in a row.
  largest = scale * 25 * magnitude * magnitude * std::sqrt(double(depth)) + 5 * magnitude + 40;
  return arrays;
}
