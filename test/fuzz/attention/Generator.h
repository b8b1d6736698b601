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
  std::string name;  ///< empty: static
  int64_t value = 1; ///< of a static one
  int64_t most = 1;  ///< draws of a symbolic one are 0 to that, mostly not 0
};

enum class Content { values, mask, lengths };

struct Input {
  std::string name, element;
  std::vector<Size> dims;
  Content content = Content::values;
  int keys = -1; ///< the dim that counts the keys, of k and v
};

/// What decides how exact the result can be.
struct Precision {
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
  /// An input that holds a dim of the attention in each of `order`.
  std::string transposed(const std::string &name, std::vector<Size> dims);
  std::string scoreRegion();
  std::string capture(const std::string &element, Content content, std::string &argument);

  std::mt19937_64 random;
  std::vector<Input> inputs;
  std::vector<Size> positions; ///< B, H, M, N
  std::string source, body, captures, captureTypes, maps;
  Precision kind;
  double scale = 1;
  int64_t depth = 1;
};

} // namespace fovea::fuzz

#endif // FOVEA_TEST_FUZZ_ATTENTION_GENERATOR_H
