// The program: operands and attributes of a random attention.
#include "Generator.h"

#include <cmath>
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

std::string Generator::dimOperands(const std::vector<Size> &dims) {
  std::string text;
  for (const Size &dim : dims)
    if (!dim.name.empty())
      text += (text.empty() ? "%" : ", %") + dim.name;
  return text;
}

std::string Generator::dimNames(const std::vector<Size> &dims) {
  std::string text;
  for (const Size &dim : dims)
    text +=
        (text.empty() ? "" : ", ") + (dim.name.empty() ? std::to_string(dim.value) : fmt::format("\"{}\"", dim.name));
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

std::string Generator::operand(const std::string &name, const std::string &element, std::vector<Size> dims,
                               Content content) {
  std::string text = fmt::format(" {0}(%{0} : {1})", name, tensor(dims, element));
  inputs.push_back({name, element, std::move(dims), content});
  return text;
}

std::string Generator::blockMask() {
  int64_t queries = pick({5, 8, 16, 16, 32, 64}), keys = pick({1, 7, 16, 32, 64});
  auto blocks = [](const Size &dim, int64_t block, const char *name) {
    int64_t count = (dim.value + block - 1) / block;
    return dim.name.empty() ? Size{"", count, count} : Size{name, count, count, dim.name, block};
  };
  auto oneOf = [&](const Size &dim) { return chance(0.5) ? dim : Size{"", 1, 1}; };
  attributes += fmt::format(", block = array<i64: {}, {}>", queries, keys);
  return operand(
      "block_mask", "i1",
      {oneOf(positions[0]), oneOf(positions[1]), blocks(positions[2], queries, "MB"), blocks(positions[3], keys, "NB")},
      Content::mask);
}

void Generator::drawResults() {
  std::vector<std::string> kinds{"weights", "scores", "tap"};
  if (normalizer == "softmax")
    kinds.insert(kinds.end(), {"lse", "row_max"});
  std::string list;
  for (int64_t count = pick({1, 1, 2, 3}); count > 0; --count) {
    std::string name = kinds[random() % kinds.size()];
    bool row = name == "lse" || name == "row_max";
    if (name == "tap") {
      if (score.value.empty())
        score.value = "%s";
      taps.push_back(score.floats[random() % score.floats.size()]);
    }
    extras.push_back(
        {name, chance(0.7) ? scoreType : kind.element, {positions.begin(), positions.begin() + (row ? 3 : 4)}});
    list += fmt::format("{}#attn.extra<{}>", list.empty() ? "" : ", ", name);
  }
  attributes += fmt::format(", extras = [{}]", list);
}

Generator::Generator(uint64_t seed) : random(seed) {
  const char *elements[] = {"f32", "f32", "f32", "f32", "f64", "f16", "bf16"};
  kind.element = elements[random() % std::size(elements)];
  const char *normalizers[] = {"softmax", "softmax", "softmax", "softmax", "softmax",
                               "softmax", "sigmoid", "hardmax", "none"};
  normalizer = normalizers[random() % std::size(normalizers)];
  scoreType = kind.element == "f64" ? "f64" : "f32";
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
  attributes = fmt::format("scale = {:e}", scale);
  bool shifted = chance(0.15);
  const char *causals[] = {"top_left", "bottom_right"};
  if (chance(0.35))
    attributes += fmt::format(", causal = #attn.causal<{}>", causals[shifted ? 0 : random() % 2]);
  if (chance(0.25))
    attributes += fmt::format(", window = array<i64: {}, {}>", pick({-1, 0, 3, 20, 60}), pick({-1, 0, 2, 17}));
  if (normalizer != "softmax")
    attributes += fmt::format(", normalizer = #attn.normalizer<{}>", normalizer);
  if (chance(0.3))
    attributes += ", empty_rows = #attn.empty_rows<nan>";
  drawScore();
  std::string combine = chance(0.15) ? combineRegion() : "", operands;
  if (chance(0.15))
    drawWeight();
  if (chance(0.25))
    operands += operand("lengths", "i64", {b}, Content::lengths);
  if (shifted)
    operands += operand("offset", "i64", {b}, Content::shifts);
  if (normalizer == "softmax" && chance(0.15))
    operands += operand("sinks", chance(0.5) ? scoreType : kind.element, {h}, Content::values);
  if (chance(0.12))
    operands += blockMask();
  if (chance(0.25))
    drawResults();
  if (!captures.empty())
    attributes += fmt::format(", capture_maps = [{}]", maps);

  std::string arguments, dims;
  std::map<std::string, bool> known;
  for (const Input &input : inputs) {
    for (size_t i = 0; i < input.dims.size(); ++i)
      if (const Size &dim = input.dims[i]; !dim.name.empty() && !std::exchange(known[dim.name], true))
        dims += fmt::format("  %{0}_i = arith.constant {1} : index\n  %{0} = tensor.dim %{2}, %{0}_i : {3}\n", dim.name,
                            i, input.name, tensor(input.dims, input.element));
    arguments += fmt::format("{}%{}: {} {{exec.name = \"{}\", exec.dims = [{}]}}", arguments.empty() ? "" : ", ",
                             input.name, tensor(input.dims, input.element), input.name, dimNames(input.dims));
  }
  std::string results, inits, types, empties, returned;
  auto addResult = [&](const std::string &name, const std::vector<Size> &shape, const std::string &element) {
    const char *comma = types.empty() ? "" : ", ";
    std::string type = tensor(shape, element);
    results += fmt::format("{}{} {{exec.name = \"{}\", exec.dims = [{}]}}", comma, type, name, dimNames(shape));
    empties += fmt::format("  %{} = tensor.empty({}) : {}\n", name, dimOperands(shape), type);
    inits += fmt::format("{}%{}", comma, name), types += comma + type;
  };
  addResult("out", outDims, kind.element);
  for (size_t n = 0; n < extras.size(); ++n)
    addResult(fmt::format("{}{}", extras[n].kind, n), extras[n].dims, extras[n].element);
  for (size_t n = 0; n <= extras.size(); ++n)
    returned += fmt::format("{}%r#{}", n ? ", " : "", n);
  source = fmt::format("func.func @main({}) -> ({}) {{\n{}{}{}  %r:{} = attn.attention ins({}, {}, {} : {}, {}, "
                       "{}){}{} outs({} : {}) {{{}}}{}{} -> {}\n  return {} : {}\n}}\n",
                       arguments, results, dims, body, empties, extras.size() + 1, q, k, v, tensor(qDims, kind.element),
                       tensor(kDims, kind.element), tensor(vDims, kind.element),
                       captures.empty() ? "" : fmt::format(" captures({} : {})", captures, captureTypes), operands,
                       inits, types, attributes, combine, scoreAndWeight(), types, returned, types);
}
