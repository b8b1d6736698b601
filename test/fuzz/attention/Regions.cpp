// The regions of a random attention, and what they capture.
#include "Generator.h"

#include <array>
#include <fmt/format.h>

using namespace fovea;
using namespace fovea::fuzz;

namespace {
/// Operations one after the other, each with a name of its own.
class Steps {
public:
  Steps(std::string prefix, std::string type) : prefix(std::move(prefix)), type(std::move(type)) {}

  /// The format gets the type at the end.
  template <typename... Arguments> std::string step(const char *operation, const Arguments &...arguments) {
    std::string value = fmt::format("%{}{}", prefix, count++);
    code += fmt::format("      {} = {}\n", value, fmt::format(fmt::runtime(operation), arguments..., type));
    return value;
  }
  std::string constant(double number) { return step("arith.constant {:e} : {}", number); }
  std::string minusInfinity() {
    return step(type == "f64" ? "arith.constant 0xFFF0000000000000 : {}" : "arith.constant 0xFF800000 : {}");
  }
  /// An index as a number.
  std::string number(const std::string &index) {
    return step("arith.sitofp {} : i64 to {}", step("arith.index_cast {} : index to i64", index));
  }
  std::string extended(const std::string &value, const std::string &from) {
    return from == type ? value : step("arith.extf {} : {} to {}", value, from);
  }

  std::string code;

private:
  std::string prefix, type;
  int count = 0;
};
} // namespace

std::string Generator::capture(const std::string &element, Content content) {
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
  regionArguments += fmt::format(", %{}_x: {}", name, element);
  return fmt::format("%{}_x", name);
}

std::string Generator::combineRegion() {
  Steps s("m", scoreType);
  std::string x = s.extended("%x_e", kind.element), y = s.extended("%y_e", kind.element), value;
  // Additive scoring, minus the square of the distance, or the product.
  int64_t form = pick({0, 1, 1, 2});
  if (form == 0 && !kind.exact) {
    value = s.step("math.tanh {} : {}", s.step("arith.addf {}, {} : {}", x, y));
  } else if (form == 1) {
    std::string distance = s.step("arith.subf {}, {} : {}", x, y);
    value = s.step("arith.negf {} : {}", s.step("arith.mulf {}, {} : {}", distance, distance));
  } else {
    value = s.step("arith.mulf {}, {} : {}", x, y);
  }
  bool weighted = chance(0.5);
  if (weighted) { // by a vector over the size of a head
    inputs.push_back({"vector", scoreType, {Size{"", depth, depth}}, kind.exact ? Content::values : Content::gates});
    std::string element = s.step("tensor.extract %vector[%d] : tensor<{}x{}>", depth);
    value = s.step("arith.mulf {}, {} : {}", value, element);
  }
  return fmt::format(" combine {{\n    ^bb0(%x_e: {0}, %y_e: {0}{1}):\n{2}      attn.yield {3} : {4}\n    }}",
                     kind.element, weighted ? ", %d: index" : "", s.code, value, scoreType);
}

void Generator::drawScore() {
  Steps s("v", scoreType);
  score.floats = {"%s"};
  auto next = [&](const std::string &value) { score.floats.push_back(value); };
  auto last = [&] { return score.floats.back(); };
  if (chance(0.2) && !kind.exact) { // softcap
    std::string cap = s.constant(pick({1, 5, 30}));
    std::string ratio = s.step("arith.divf {}, {} : {}", last(), cap);
    next(s.step("arith.mulf {}, {} : {}", s.step("math.tanh {} : {}", ratio), cap));
  }
  if (chance(0.5)) { // an additive mask or bias
    std::string bias = s.extended(capture(kind.element, Content::values), kind.element);
    next(s.step("arith.addf {}, {} : {}", last(), bias));
  }
  if (chance(0.2)) { // ALiBi: a slope for each head
    std::string distance = s.number(s.step("arith.subi %j, %i : index"));
    std::string slope = s.step("arith.mulf {}, {} : {}", s.number("%h"), s.constant(kind.exact ? 1 : 0.25));
    next(s.step("arith.addf {}, {} : {}", last(), s.step("arith.mulf {}, {} : {}", slope, distance)));
  }
  if (chance(0.35)) { // a boolean mask
    std::string mask = capture("i1", Content::mask);
    std::string low = kind.unbounded || chance(0.3) ? s.constant(-1) : s.minusInfinity();
    next(s.step("arith.select {}, {}, {} : {}", mask, last(), low));
  }
  if (!s.code.empty())
    score.code = s.code, score.value = last();
}

void Generator::drawWeight() {
  Steps s("w", scoreType);
  std::string value = "%p";
  if (!kind.unbounded &&
      chance(0.5)) { // Luong's window: a Gaussian around the query's place; 0 to floats where it is far
    std::string distance = s.number(s.step("arith.subi %j, %i : index"));
    std::string square = s.step("arith.mulf {}, {} : {}", distance, distance);
    std::string gauss = s.step("math.exp {} : {}", s.step("arith.mulf {}, {} : {}", square, s.constant(-0.05)));
    value = s.step("arith.mulf {}, {} : {}", value, gauss);
  }
  if (chance(0.5)) { // a gate
    std::string gate = s.extended(capture(kind.element, Content::gates), kind.element);
    value = s.step("arith.mulf {}, {} : {}", value, gate);
  }
  if (value == "%p" || chance(0.2)) { // some weights are dropped
    std::string mask = capture("i1", Content::mask);
    value = s.step("arith.select {}, {}, {} : {}", mask, value, s.constant(0));
  }
  weight.code = s.code, weight.value = value;
}

std::string Generator::scoreAndWeight() const {
  auto region = [&](const char *name, const char *argument, const Region &r, const std::vector<std::string> &more) {
    if (r.value.empty())
      return std::string();
    std::string values = r.value, types = scoreType;
    for (const std::string &value : more)
      values += ", " + value, types += ", " + scoreType;
    return fmt::format(" {} {{\n    ^bb0({}: {}, %b: index, %h: index, %i: index, %j: index{}):\n{}      attn.yield {} "
                       ": {}\n    }}",
                       name, argument, scoreType, regionArguments, r.code, values, types);
  };
  return region("score", "%s", score, taps) + region("weight", "%p", weight, {});
}
