// The zip side of npy.h.
#include "tools/OutputFile.h"
#include "tools/npy.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <set>
#include <system_error>
#include <zip.h>

using namespace fovea;
using namespace fovea::npy;

namespace {

struct ZipDiscarder {
  void operator()(zip_t *zip) const { zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, ZipDiscarder>;

class ZipSource : public Source {
public:
  ZipSource(zip_t *zip, zip_uint64_t index) : file(zip_fopen_index(zip, index, 0)) {
    if (!file)
      throw npy::Error(FOVEA_INVALID, zip_strerror(zip));
  }
  ~ZipSource() override { zip_fclose(file); }

  size_t read(std::byte *target, size_t size) override {
    const zip_int64_t got = zip_fread(file, target, size);
    if (got < 0)
      throw npy::Error(FOVEA_INVALID, zip_file_strerror(file));
    return static_cast<size_t>(got);
  }

private:
  zip_file_t *file;
};

// The result of a libzip call that fills a zip_error_t.
class ZipError {
public:
  ZipError() { zip_error_init(&error); }
  ~ZipError() { zip_error_fini(&error); }
  zip_error_t *operator&() { return &error; }
  const char *text() { return zip_error_strerror(&error); }

private:
  zip_error_t error;
};

} // namespace

static Array readMember(zip_t *zip, zip_uint64_t index) {
  zip_stat_t info;
  if (zip_stat_index(zip, index, 0, &info) != 0 || !(info.valid & ZIP_STAT_SIZE))
    throw npy::Error(FOVEA_INVALID, "its size is unknown");
  ZipSource source(zip, index);
  Array array = parse(source, info.size);
  // The checksum is compared at the end of the member, which only a read past the data meets.
  std::byte more;
  if (source.read(&more, 1) != 0)
    throw npy::Error(FOVEA_INVALID, fmt::format("expected {} bytes, got more", info.size));
  return array;
}

static Arrays readMembers(zip_t *zip) {
  Arrays arrays;
  std::set<std::string> names;
  const zip_int64_t count = zip_get_num_entries(zip, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char *raw = zip_get_name(zip, static_cast<zip_uint64_t>(i), 0);
    std::string name = raw ? raw : "";
    if (!name.ends_with(".npy"))
      throw npy::Error(FOVEA_INVALID, fmt::format("expected members that end with '.npy', got '{}'", name));
    name.resize(name.size() - 4);
    if (!names.insert(name).second)
      throw npy::Error(FOVEA_INVALID, fmt::format("there are two members '{}'", name));
    try {
      arrays.emplace_back(name, readMember(zip, static_cast<zip_uint64_t>(i)));
    } catch (const npy::Error &error) {
      throw npy::Error(error.status, fmt::format("member '{}': {}", name, error.what()));
    }
  }
  return arrays;
}

// libzip takes an empty file for an archive without members.
static constexpr const char *EMPTY = "expected an npz file, got one of 0 bytes";

Arrays npy::parseZip(std::span<const std::byte> file) {
  if (file.empty())
    throw npy::Error(FOVEA_INVALID, EMPTY);
  ZipError error;
  zip_source_t *source = zip_source_buffer_create(file.data(), file.size(), 0, &error);
  if (!source)
    throw npy::Error(FOVEA_ENVIRONMENT, error.text());
  const Zip zip(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!zip) {
    zip_source_free(source);
    throw npy::Error(FOVEA_INVALID, fmt::format("not an npz file: {}", error.text()));
  }
  return readMembers(zip.get());
}

Arrays npy::readZip(const std::string &path) {
  int code = 0;
  errno = 0;
  const Zip zip(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!zip) {
    const int reason = errno;
    // Where offsets of a damaged file lead nowhere, libzip says that too, but the system does not.
    const bool system = reason != 0 && reason != EINVAL;
    if (system && (code == ZIP_ER_OPEN || code == ZIP_ER_NOENT || code == ZIP_ER_READ))
      throw npy::Error(FOVEA_ENVIRONMENT, fmt::format("cannot open '{}': {}", path, std::strerror(reason)));
    ZipError error;
    zip_error_set(&error, code, 0);
    throw npy::Error(FOVEA_INVALID, fmt::format("'{}' is not an npz file: {}", path, error.text()));
  }
  try {
    std::error_code ignored;
    if (std::filesystem::file_size(path, ignored) == 0)
      throw npy::Error(FOVEA_INVALID, EMPTY);
    return readMembers(zip.get());
  } catch (const npy::Error &error) {
    throw npy::Error(error.status, fmt::format("'{}': {}", path, error.what()));
  }
}

void npy::writeZip(const std::string &path, const Views &views) {
  auto refuse = [&](const char *reason) {
    throw npy::Error(FOVEA_ENVIRONMENT, fmt::format("cannot write '{}': {}", path, reason));
  };
  if (tools::isSpecialFile(path))
    refuse("not a regular file");
  int code = 0;
  // libzip itself writes beside the file and renames.
  Zip zip(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!zip) {
    ZipError error;
    zip_error_set(&error, code, errno);
    refuse(error.text());
  }
  // Must live until the archive is closed: libzip reads them only then.
  std::vector<std::vector<std::byte>> files;
  files.reserve(views.size());
  for (const auto &[name, view] : views) {
    const std::vector<std::byte> &file = files.emplace_back(serialise(view));
    zip_source_t *source = zip_source_buffer(zip.get(), file.data(), file.size(), 0);
    const zip_int64_t index = source ? zip_file_add(zip.get(), (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
      zip_source_free(source);
      refuse(zip_strerror(zip.get()));
    }
    const auto member = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(zip.get(), member, ZIP_CM_STORE, 0);
    // The first day that zip can say, as numpy.savez does.
    zip_file_set_dostime(zip.get(), member, 0, (1 << 5) | 1, 0);
  }
  // Closing an archive without members would remove the file instead.
  if (views.empty())
    refuse("there are no outputs");
  if (zip_close(zip.get()) != 0)
    refuse(zip_strerror(zip.get()));
  (void)zip.release();
}
