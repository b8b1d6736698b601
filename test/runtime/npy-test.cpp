// NumPy files: round trips, what others write, what is broken. Comparison of outputs, which works on such arrays.
#include "tools/Comparison.h"
#include "tools/Elements.h"
#include "tools/npy.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>

using namespace fovea;
using namespace fovea::npy;

static std::vector<std::byte> bytesOf(const std::string &text) {
  const auto *start = reinterpret_cast<const std::byte *>(text.data());
  return {start, start + text.size()};
}

static std::vector<std::byte> npyFile(std::string header, const std::string &data, int version = 1) {
  header += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    file += static_cast<char>(header.size() >> 8 * i & 0xff);
  return bytesOf(file + header + data);
}

static Array arrayOf(fovea_dtype dtype, std::vector<int64_t> dims) {
  Array array = {dtype, std::move(dims), {}};
  array.data.resize(View(array).bytes());
  for (size_t i = 0; i < array.data.size(); ++i)
    array.data[i] = static_cast<std::byte>(dtype == FOVEA_BOOL ? i % 2 : i * 7 + 1);
  return array;
}

static void expectEqual(const Array &a, const Array &b) {
  // bf16 has no name in NumPy.
  EXPECT_EQ(a.dtype, b.dtype == FOVEA_BF16 ? FOVEA_U16 : b.dtype);
  EXPECT_EQ(a.dims, b.dims);
  EXPECT_EQ(a.data, b.data);
}

static std::string failureOf(const std::vector<std::byte> &file, fovea_status status = FOVEA_INVALID) {
  try {
    parse(file);
  } catch (const npy::Error &error) {
    EXPECT_EQ(error.status, status) << error.what();
    return error.what();
  }
  return "no failure";
}

static std::vector<Array> manyArrays() {
  std::vector<Array> arrays;
  for (int dtype = FOVEA_F32; dtype <= FOVEA_BOOL; ++dtype)
    for (const std::vector<int64_t> &dims : {std::vector<int64_t>{}, {5}, {2, 3}, {2, 0, 3}, {1, 2, 3, 4}})
      arrays.push_back(arrayOf(static_cast<fovea_dtype>(dtype), dims));
  return arrays;
}

TEST(Npy, RoundTrips) {
  const std::string path = ::testing::TempDir() + "round-trip.npy";
  for (const Array &array : manyArrays()) {
    expectEqual(parse(serialise(array)), array);
    npy::write(path, array);
    expectEqual(read(path), array);
  }
  EXPECT_EQ(serialise(arrayOf(FOVEA_F32, {2, 3})).size(), 128 + 24u);
  std::filesystem::remove(path);
}

TEST(Npz, RoundTrips) {
  const std::string path = ::testing::TempDir() + "round-trip.npz";
  const std::vector<Array> arrays = manyArrays();
  Views views;
  for (size_t i = 0; i < arrays.size(); ++i)
    views.emplace_back("array." + std::to_string(i), arrays[i]);
  writeZip(path, views);
  const Arrays back = readZip(path);
  ASSERT_EQ(back.size(), arrays.size());
  for (size_t i = 0; i < arrays.size(); ++i) {
    EXPECT_EQ(back[i].first, views[i].first);
    expectEqual(back[i].second, arrays[i]);
  }
  std::filesystem::remove(path);
}

TEST(Npy, ReadsWhatOthersWrite) {
  const std::string data("\1\0\2\0\3\0\4\0\5\0\6\0", 12);
  Array array = parse(npyFile("{\"shape\":(2L, 3L),'fortran_order':False,\"descr\":'=i2'}", data, 2));
  EXPECT_EQ(array.dims, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(array.dtype, FOVEA_I16);
  array = parse(npyFile("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", data, 3));
  EXPECT_EQ(std::memcmp(array.data.data(), "\1\0\3\0\5\0\2\0\4\0\6\0", 12), 0);
  EXPECT_EQ(parse(npyFile("{'descr': '>i1', 'fortran_order': True, 'shape': (), }", "x")).dtype, FOVEA_I8);
}

TEST(Npy, RefusesWhatIsBroken) {
  EXPECT_EQ(failureOf({}), "expected an npy file, got one of 0 bytes");
  EXPECT_EQ(failureOf(bytesOf("this is no array")), "not an npy file: it does not start with \"\\x93NUMPY\"");
  EXPECT_EQ(failureOf(npyFile("{}", "", 9), FOVEA_UNSUPPORTED),
            "expected an npy file of version 1 to 3, got version 9");
  EXPECT_EQ(failureOf(npyFile("{}", "")),
            "expected descr, fortran_order and shape in the npy header, got not all of them");
  EXPECT_EQ(failureOf(npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "1234567")),
            "expected 8 bytes of data for shape (2) of '<f4', got 7");
  EXPECT_EQ(failureOf(npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "123456789")),
            "expected 8 bytes of data for shape (2) of '<f4', got 9");
  EXPECT_NE(failureOf(npyFile("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "1234"), FOVEA_UNSUPPORTED)
                .find("little-endian"),
            std::string::npos);
  EXPECT_NE(failureOf(npyFile("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "1234"), FOVEA_UNSUPPORTED)
                .find("'|O'"),
            std::string::npos);
  EXPECT_NE(failureOf(npyFile("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "1234"),
                      FOVEA_UNSUPPORTED)
                .find("structured"),
            std::string::npos);
  for (const char *shape :
       {"(-1,)", "(99999999999999999999,)", "(1", "1", "(4611686018427387904, 4)", "('a',)", "(1,)}}"})
    EXPECT_NE(
        failureOf(npyFile(std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ") + shape + "}", "1234")),
        "no failure")
        << shape;
}

TEST(Npy, RefusesEveryTruncation) {
  std::vector<std::byte> file = serialise(arrayOf(FOVEA_F32, {3, 4}));
  while (!file.empty()) {
    file.pop_back();
    EXPECT_NE(failureOf(file), "no failure") << file.size();
  }
}

TEST(Npz, RefusesEveryTruncationAndFlip) {
  const std::string path = ::testing::TempDir() + "broken.npz";
  const Array array = arrayOf(FOVEA_F32, {3, 4});
  writeZip(path, {{"a", array}, {"b", array}});
  std::FILE *stream = std::fopen(path.c_str(), "rb");
  std::vector<std::byte> file(std::filesystem::file_size(path));
  ASSERT_EQ(std::fread(file.data(), 1, file.size(), stream), file.size());
  std::fclose(stream);
  std::filesystem::remove(path);
  for (size_t length = 0; length < file.size(); ++length)
    EXPECT_THROW(parseZip(std::span(file).first(length)), npy::Error) << length;
  // Some fields of a zip do not matter; what is read must then be what was written, but for its name.
  for (size_t at = 0; at < file.size(); ++at) {
    std::vector<std::byte> changed = file;
    changed[at] ^= std::byte{0x20};
    try {
      for (const auto &[name, read] : parseZip(changed))
        expectEqual(read, array);
    } catch (const npy::Error &) {
    }
  }
}

TEST(Npy, ReportsFiles) {
  const std::string folder = ::testing::TempDir() + "no-such-folder/";
  try {
    read(folder + "x.npy");
    FAIL();
  } catch (const npy::Error &error) {
    EXPECT_EQ(error.status, FOVEA_ENVIRONMENT);
    EXPECT_NE(std::string(error.what()).find("x.npy': No such file or directory"), std::string::npos);
  }
  const Array array = arrayOf(FOVEA_F32, {1});
  EXPECT_THROW(npy::write(folder + "x.npy", array), npy::Error);
  EXPECT_THROW(writeZip(folder + "x.npz", {{"x", array}}), npy::Error);
  EXPECT_THROW(readZip(folder + "x.npz"), npy::Error);
  EXPECT_THROW(read(::testing::TempDir()), npy::Error);
}

static Array floats(std::vector<int64_t> dims, const std::vector<double> &values, fovea_dtype dtype = FOVEA_F32) {
  Array array = {dtype, std::move(dims), {}};
  array.data.resize(values.size() * fovea_dtype_size(dtype));
  for (size_t i = 0; i < values.size(); ++i)
    tools::setElement(dtype, array.data.data(), i, values[i]);
  return array;
}

static std::string reportOf(const Array &got, const Arrays &expected, bool agrees) {
  const tools::ComparisonResult result = tools::compare({{"y", got}}, expected, {});
  EXPECT_EQ(result.agrees, agrees) << result.report;
  return result.report;
}

TEST(Comparison, JudgesWholeOutputs) {
  const Array got = floats({2, 2}, {1, NAN, INFINITY, 4});
  EXPECT_EQ(reportOf(got, {{"y", floats({2, 2}, {1.0005, NAN, INFINITY, 4})}}, true),
            "y: 4 elements agree, largest difference 0.0005\n");
  EXPECT_EQ(reportOf(got, {{"y", floats({2, 2}, {1, NAN, -INFINITY, 5})}}, false),
            "y: differs at [1,0]: expected -inf, got inf; 2 of 4 elements differ, largest difference 1\n");
  reportOf(got, {{"y", floats({2, 2}, {1, 0, INFINITY, 4})}}, false);
  EXPECT_EQ(reportOf(got, {{"y", floats({4}, {1, 1, 1, 1})}}, false),
            "y: differs in shape: expected f32[4], got f32[2,2]\n");
  const Array integers = floats({2}, {1, 1000000}, FOVEA_I64);
  EXPECT_EQ(reportOf(integers, {{"y", floats({2}, {1, 1000001}, FOVEA_I64)}}, false),
            "y: differs at [1]: expected 1000001, got 1000000; 1 of 2 elements differ\n");
  Array bits = floats({1}, {1.5}, FOVEA_BF16);
  bits.dtype = FOVEA_U16;
  reportOf(floats({1}, {1.5}, FOVEA_BF16), {{"y", bits}}, true);
}

TEST(Comparison, JudgesSamples) {
  const Array got = floats({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});
  const Array summary = floats({5}, {3, 3.5, 2.3, 0, 7}, FOVEA_F64);
  EXPECT_EQ(reportOf(got, {{"y.sample", floats({3}, {0, 3, 6})}, {"y.summary", summary}}, true),
            "y: 3 sampled elements agree, largest difference 0\n");
  EXPECT_EQ(reportOf(got, {{"y.sample", floats({3}, {0, 3, 8})}, {"y.summary", summary}}, false),
            "y: differs at [1,2]: expected 8, got 6; 1 of 3 sampled elements differ, largest difference 2\n");
  reportOf(got, {{"y.sample", floats({2}, {0, 3})}, {"y.summary", summary}}, false);
  EXPECT_THROW(reportOf(got, {{"y.sample", floats({3}, {0, 3, 6})}}, true), npy::Error);
  EXPECT_THROW(reportOf(got, {{"z", floats({3}, {0, 3, 6})}}, true), npy::Error);
  const tools::ComparisonResult result = tools::compare({{"y", got}}, {}, {});
  EXPECT_EQ(result.unchecked, std::vector<std::string>{"y"});
}

TEST(Elements, RoundLikeTheHardware) {
  // Every finite half and bfloat comes back, and what lies between goes to the even neighbour.
  for (fovea_dtype dtype : {FOVEA_F16, FOVEA_BF16})
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      const auto half = static_cast<uint16_t>(bits);
      const double value = tools::element(dtype, &half, 0);
      uint16_t back = 0;
      tools::setElement(dtype, &back, 0, value);
      if (std::isnan(value))
        EXPECT_TRUE(std::isnan(tools::element(dtype, &back, 0)));
      else
        EXPECT_EQ(back, half);
    }
  uint16_t half;
  for (const auto &[value, bits] :
       {std::pair(2049.0, 0x6800), std::pair(2051.0, 0x6802), std::pair(65519.9, 0x7bff), std::pair(65520.0, 0x7c00)}) {
    tools::setElement(FOVEA_F16, &half, 0, value);
    EXPECT_EQ(half, bits) << value;
  }
}
