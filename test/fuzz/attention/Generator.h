// Random attention: a program with one attn.attention, and inputs for it.
#ifndef FOVEA_TEST_FUZZ_ATTENTION_GENERATOR_H
#define FOVEA_TEST_FUZZ_ATTENTION_GENERATOR_H

#include "tools/npy.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace fovea::fuzz {

/// A size: a number, or a symbolic dim.
struct Size {
  std::string name;    ///< empty: static
  int64_t value = 1;   ///< of a static one
  int64_t most = 1;    ///< draws of a symbolic one are 0 to that, mostly not 0
  std::string of = {}; ///< not empty: as many as there are blocks of `block` in the dim of that name
  int64_t block = 1;
};

/// Gates are 0 to 1, shifts positions that may lie before, among or far behind the keys.
enum class Content { values, mask, gates, lengths, shifts };

struct Input {
  std::string name, element;
  std::vector<Size> dims;
  Content content = Content::values;
  int keys = -1; ///< the dim that counts the keys, of k and v
};

/// What decides how exact the result can be.
struct Precision {
  /// Absolute and relative, for scores up to `largest`.
  double tolerance(double largest) const;

  std::string element;
  bool sums = false;      ///< weights do not add up to 1
  bool unbounded = false; ///< weights are as large as scores
  bool exact = false;     ///< a decision hangs on the scores: inputs are small integers
};

/// A random program with at least one symbolic dim.
class Generator {
public:
  explicit Generator(uint64_t seed);

  const std::string &text() const { return source; }
  const Precision &precision() const { return kind; }
  /// Random inputs at random sizes. `largest` receives a bound of the scores' size.
  npy::Arrays draw(uint64_t seed, double &largest) const;

private:
  bool chance(double probability);
  int64_t pick(std::initializer_list<int64_t> values);
  Size size(const char *name, std::initializer_list<int64_t> values, double symbolic, int64_t most);
  std::string tensor(const std::vector<Size> &dims, const std::string &element) const;
  /// The names of those dims that are symbolic, as operands.
  static std::string dimOperands(const std::vector<Size> &dims);
  /// A list for exec.dims.
  static std::string dimNames(const std::vector<Size> &dims);
  /// q, k or v, with the heads where they belong or beside the last dim.
  std::string transposed(const std::string &name, std::vector<Size> dims);
  /// ` NAME(%input : type)` of a new input.
  std::string operand(const std::string &name, const std::string &element, std::vector<Size> dims, Content content);
  std::string blockMask();
  void drawResults();

  // Regions.cpp
  /// A new capture; the name of its region argument.
  std::string capture(const std::string &element, Content content);
  std::string combineRegion();
  void drawScore();
  void drawWeight();
  /// What follows the attributes. The regions share their arguments, so both are drawn before either is written.
  std::string scoreAndWeight() const;

  struct Region {
    std::string code, value;         ///< no value: there is no region
    std::vector<std::string> floats; ///< values that a tap may be
  };
  struct Extra {
    std::string kind, element;
    std::vector<Size> dims;
  };

  std::mt19937_64 random;
  std::vector<Input> inputs;
  std::vector<Size> positions; ///< B, H, M, N
  std::string source, body, attributes, normalizer;
  std::string captures, captureTypes, maps, regionArguments;
  std::string scoreType; ///< in which regions compute
  Region score, weight;
  std::vector<std::string> taps;
  std::vector<Extra> extras;
  Precision kind;
  double scale = 1;
  int64_t depth = 1;
};

} // namespace fovea::fuzz

#endif // FOVEA_TEST_FUZZ_ATTENTION_GENERATOR_H
