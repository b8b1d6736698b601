#include "tools/NpyHeader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

using namespace fovea;
using namespace fovea::npy;

static constexpr size_t MAX_RANK = 64;

namespace {
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : rest(text) {}

  Header parse() {
    std::optional<std::string> descr;
    std::optional<bool> fortran;
    std::optional<std::vector<int64_t>> dims;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr")
        descr = dtype();
      else if (key == "fortran_order")
        fortran = boolean();
      else if (key == "shape")
        dims = shape();
      else
        broken("expected descr, fortran_order and shape in the npy header, got '{}'", key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skipSpace();
    if (!rest.empty())
      broken("expected the end of the npy header, got '{}'", rest.substr(0, 1));
    if (!descr || !fortran || !dims)
      broken("expected descr, fortran_order and shape in the npy header, got not all of them");
    return {std::move(*descr), *fortran, std::move(*dims)};
  }

private:
  void skipSpace() {
    const size_t start = rest.find_first_not_of(" \t\r\n");
    rest.remove_prefix(std::min(start, rest.size()));
  }

  bool accept(char c) {
    skipSpace();
    if (!rest.starts_with(c))
      return false;
    rest.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c))
      broken("expected '{}' in the npy header, got '{}'", c, rest.empty() ? "its end" : rest.substr(0, 1));
  }

  std::string string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'')
      expect('\'');
    const size_t end = rest.find(quote);
    if (end == std::string_view::npos)
      broken("a string in the npy header does not end");
    std::string result(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    return result;
  }

  std::string dtype() {
    skipSpace();
    if (rest.starts_with('['))
      throw npy::Error(FOVEA_UNSUPPORTED, "expected an array of numbers, got a structured array");
    return string();
  }

  bool boolean() {
    skipSpace();
    for (const auto &[word, value] : {std::pair("True", true), std::pair("False", false)})
      if (rest.starts_with(word)) {
        rest.remove_prefix(std::strlen(word));
        return value;
      }
    broken("expected True or False in the npy header");
  }

  std::vector<int64_t> shape() {
    std::vector<int64_t> dims;
    expect('(');
    while (!accept(')')) {
      skipSpace();
      int64_t dim = 0;
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), dim);
      if (error != std::errc() || dim < 0 || dims.size() == MAX_RANK)
        broken("expected a shape in the npy header: up to {} dims, none negative", MAX_RANK);
      dims.push_back(dim);
      rest.remove_prefix(static_cast<size_t>(end - rest.data()));
      // Python 2 wrote its long integers so.
      accept('L');
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return dims;
  }

  std::string_view rest;
};
} // namespace

Header npy::parseHeader(std::string_view text) { return HeaderParser(text).parse(); }
