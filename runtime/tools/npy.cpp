#include "tools/npy.h"
#include "tools/NpyHeader.h"
#include "tools/OutputFile.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

using namespace fovea;
using namespace fovea::npy;

static constexpr std::string_view MAGIC = "\x93NUMPY";
// Where NumPy itself draws the line; a thousand dims fit.
static constexpr uint32_t MAX_HEADER = 10000;
// A header may promise anything: memory grows with what has been read.
static constexpr uint64_t READ_STEP = uint64_t(64) << 20;

namespace {
struct Type {
  fovea_dtype dtype;
  std::string_view descr;
  size_t size;
};
} // namespace

// Byte order first: '|' where there is none. bf16 comes last, so that reading finds u16.
static constexpr Type TYPES[] = {
    {FOVEA_F32, "<f4", 4}, {FOVEA_F64, "<f8", 8},  {FOVEA_F16, "<f2", 2},  {FOVEA_I8, "|i1", 1},  {FOVEA_I16, "<i2", 2},
    {FOVEA_I32, "<i4", 4}, {FOVEA_I64, "<i8", 8},  {FOVEA_U8, "|u1", 1},   {FOVEA_U16, "<u2", 2}, {FOVEA_U32, "<u4", 4},
    {FOVEA_U64, "<u8", 8}, {FOVEA_BOOL, "|b1", 1}, {FOVEA_BF16, "<u2", 2},
};

[[noreturn]] static void refused(std::string_view action, const std::string &path, int reason) {
  throw npy::Error(FOVEA_ENVIRONMENT, fmt::format("cannot {} '{}': {}", action, path, std::strerror(reason)));
}

static const Type &typeOf(fovea_dtype dtype) {
  return *std::find_if(std::begin(TYPES), std::end(TYPES), [&](const Type &type) { return type.dtype == dtype; });
}

size_t View::bytes() const {
  size_t bytes = typeOf(dtype).size;
  for (int64_t dim : dims)
    bytes *= static_cast<size_t>(dim);
  return bytes;
}

namespace {

class MemorySource : public Source {
public:
  explicit MemorySource(std::span<const std::byte> content) : rest(content) {}
  size_t read(std::byte *target, size_t size) override {
    size = std::min(size, rest.size());
    std::copy_n(rest.begin(), size, target);
    rest = rest.subspan(size);
    return size;
  }

private:
  std::span<const std::byte> rest;
};

class FileSource : public Source {
public:
  explicit FileSource(const std::string &path)
      : path(path), descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat info = {};
    if (descriptor < 0 || fstat(descriptor, &info) != 0) {
      const int reason = errno;
      close();
      refused("open", path, reason);
    }
    if (!S_ISREG(info.st_mode)) {
      close();
      throw npy::Error(FOVEA_ENVIRONMENT, fmt::format("cannot open '{}': not a regular file", path));
    }
    size = static_cast<uint64_t>(info.st_size);
  }
  ~FileSource() override { close(); }

  size_t read(std::byte *target, size_t wanted) override {
    ssize_t got;
    do
      got = ::read(descriptor, target, wanted);
    while (got < 0 && errno == EINTR);
    if (got < 0)
      refused("read", path, errno);
    return static_cast<size_t>(got);
  }

  uint64_t size = 0;

private:
  void close() {
    if (descriptor >= 0)
      ::close(descriptor);
  }

  std::string path;
  int descriptor;
};

} // namespace

static void readFully(Source &source, std::byte *target, size_t size, uint64_t total) {
  while (size != 0) {
    const size_t got = source.read(target, size);
    if (got == 0)
      broken("truncated npy file: it ends before its {} bytes", total);
    target += got;
    size -= got;
  }
}

static const Type &typeNamed(std::string descr) {
  if (descr.size() == 3 && (descr[0] == '=' || descr[0] == '|' || descr[0] == '<'))
    descr[0] = descr[2] == '1' ? '|' : '<';
  if (descr.size() == 3 && descr[0] == '>' && descr[2] == '1')
    descr[0] = '|';
  for (const Type &type : TYPES)
    if (type.descr == descr)
      return type;
  if (descr.starts_with('>'))
    throw npy::Error(FOVEA_UNSUPPORTED, fmt::format("expected a little-endian array, got dtype '{}'; convert with "
                                                    "array.astype(array.dtype.newbyteorder('<'))",
                                                    descr));
  throw npy::Error(FOVEA_UNSUPPORTED,
                   fmt::format("expected a boolean, integer or floating point array, got dtype '{}'", descr));
}

// Column-major to row-major.
static void transpose(Array &array, size_t elementSize) {
  Bytes result(array.data.size());
  std::vector<int64_t> at(array.dims.size());
  const size_t count = array.data.size() / elementSize;
  std::vector<size_t> strides;
  for (size_t stride = 1; int64_t dim : array.dims) {
    strides.push_back(stride);
    stride *= static_cast<size_t>(dim);
  }
  size_t from = 0;
  for (size_t to = 0; to < count; ++to) {
    std::memcpy(result.data() + to * elementSize, array.data.data() + from * elementSize, elementSize);
    for (size_t d = at.size(); d-- > 0;) {
      from += strides[d];
      if (++at[d] < array.dims[d])
        break;
      from -= strides[d] * static_cast<size_t>(array.dims[d]);
      at[d] = 0;
    }
  }
  array.data = std::move(result);
}

Array npy::parse(Source &source, uint64_t size) {
  std::byte start[12];
  if (size < 10)
    broken("expected an npy file, got one of {} bytes", size);
  readFully(source, start, 10, size);
  if (std::memcmp(start, MAGIC.data(), MAGIC.size()) != 0)
    broken("not an npy file: it does not start with \"\\x93NUMPY\"");
  const int version = static_cast<int>(start[6]);
  if (version < 1 || version > 3)
    throw npy::Error(FOVEA_UNSUPPORTED, fmt::format("expected an npy file of version 1 to 3, got version {}", version));
  const size_t prefix = version == 1 ? 10 : 12;
  if (prefix == 12)
    readFully(source, start + 10, 2, size);
  uint32_t length = 0;
  std::memcpy(&length, start + 8, prefix - 8);
  if (length > MAX_HEADER || length > size - prefix)
    broken("expected an npy header of at most {} bytes, got {}", std::min<uint64_t>(MAX_HEADER, size - prefix), length);
  std::string text(length, '\0');
  readFully(source, reinterpret_cast<std::byte *>(text.data()), length, size);
  const Header header = parseHeader(text);

  const Type &type = typeNamed(header.descr);
  Array array = {type.dtype, header.dims, {}};
  const bool empty = std::find(array.dims.begin(), array.dims.end(), 0) != array.dims.end();
  uint64_t bytes = empty ? 0 : type.size;
  for (int64_t dim : array.dims)
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes))
      broken("the shape in the npy header is larger than memory can be");
  if (bytes != size - prefix - length)
    broken("expected {} bytes of data for shape ({}) of '{}', got {}", bytes, fmt::join(array.dims, ","), type.descr,
           size - prefix - length);
  while (array.data.size() < bytes) {
    const size_t have = array.data.size(), step = static_cast<size_t>(std::min(READ_STEP, bytes - have));
    array.data.resize(have + step);
    readFully(source, array.data.data() + have, step, size);
  }
  if (header.fortran && array.dims.size() > 1)
    transpose(array, type.size);
  return array;
}

Array npy::parse(std::span<const std::byte> file) {
  MemorySource source(file);
  return parse(source, file.size());
}

Array npy::read(const std::string &path) {
  FileSource source(path);
  try {
    return parse(source, source.size);
  } catch (const npy::Error &error) {
    if (error.status == FOVEA_ENVIRONMENT)
      throw;
    throw npy::Error(error.status, fmt::format("'{}': {}", path, error.what()));
  }
}

static std::string header(const View &view) {
  const std::string_view comma = view.dims.size() == 1 ? "," : "";
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                 typeOf(view.dtype).descr, fmt::join(view.dims, ", "), comma);
  // The data starts at a multiple of 64; the header ends with a newline. 64 dims of 19 digits fit into version 1.
  text.resize((MAGIC.size() + 4 + text.size() + 1 + 63) / 64 * 64 - MAGIC.size() - 4 - 1, ' ');
  text += '\n';
  const auto length = static_cast<uint16_t>(text.size());
  return fmt::format("{}\x01{}{}{}{}", MAGIC, '\0', static_cast<char>(length & 0xff), static_cast<char>(length >> 8),
                     text);
}

std::vector<std::byte> npy::serialise(const View &view) {
  const std::string start = header(view);
  std::vector<std::byte> file(start.size() + view.bytes());
  std::memcpy(file.data(), start.data(), start.size());
  if (view.bytes() != 0)
    std::memcpy(file.data() + start.size(), view.data, view.bytes());
  return file;
}

void npy::write(const std::string &path, const View &view) {
  const std::string start = header(view);
  tools::writeFile(
      path, {std::as_bytes(std::span(start)), std::span(static_cast<const std::byte *>(view.data), view.bytes())});
}
