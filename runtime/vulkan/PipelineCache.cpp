#include "vulkan/PipelineCache.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace fovea;
using namespace fovea::vulkan;

// In front of what the driver gave: drivers need not survive damage, so it is found here.
namespace {
struct Header {
  char magic[8];
  uint64_t bytes, xxh3;
};
} // namespace
static constexpr char MAGIC[8] = {'F', 'O', 'V', 'E', 'A', 'P', 'C', '1'};

std::string vulkan::pipelineCacheFile(std::string_view data) {
  Header header = {{}, data.size(), XXH3_64bits(data.data(), data.size())};
  std::memcpy(header.magic, MAGIC, sizeof(MAGIC));
  return std::string(reinterpret_cast<const char *>(&header), sizeof(header)).append(data);
}

std::string_view vulkan::pipelineCacheData(std::string_view file, const uint8_t (&uuid)[VK_UUID_SIZE],
                                           std::string &why) {
  Header header = {};
  std::memcpy(&header, file.data(), std::min(file.size(), sizeof(header)));
  const std::string_view data = file.substr(std::min(file.size(), sizeof(header)));
  VkPipelineCacheHeaderVersionOne own = {};
  std::memcpy(&own, data.data(), std::min(data.size(), sizeof(own)));
  if (std::memcmp(header.magic, MAGIC, sizeof(MAGIC)) != 0)
    why = "it is no pipeline cache";
  else if (data.size() != header.bytes || XXH3_64bits(data.data(), data.size()) != header.xxh3)
    why = "it is damaged";
  else if (std::memcmp(own.pipelineCacheUUID, uuid, VK_UUID_SIZE) != 0)
    why = "it is of another device or driver";
  else
    return data;
  return {};
}

PipelineCache::PipelineCache(const VolkDeviceTable &vk, VkDevice device, const DeviceInfo &info, std::string file,
                             Log logTo)
    : vk(vk), device(device), path(std::move(file)), log(std::move(logTo)) {
  if (path.empty())
    return;
  std::string_view data;
  if (std::ifstream in(path, std::ios::binary); in) {
    loaded.assign(std::istreambuf_iterator<char>(in), {});
    std::string why;
    data = pipelineCacheData(loaded, info.pipelineCacheUuid, why);
    if (!why.empty())
      log(text("pipeline cache ", quoted(path), " is ignored: ", why));
  }
  VkPipelineCacheCreateInfo create = {};
  create.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  create.initialDataSize = data.size();
  create.pInitialData = data.data();
  check(vk.vkCreatePipelineCache(device, &create, nullptr, &cache), "the pipeline cache cannot be made");
}

PipelineCache::~PipelineCache() {
  if (!cache)
    return;
  try {
    save();
  } catch (const std::exception &error) {
    try {
      log(text("pipeline cache ", quoted(path), " is not written: ", error.what()));
    } catch (...) { // no memory for the message
    }
  }
  vk.vkDestroyPipelineCache(device, cache, nullptr);
}

void PipelineCache::save() {
  size_t size = 0;
  check(vk.vkGetPipelineCacheData(device, cache, &size, nullptr), "no data");
  std::string data(size, '\0');
  check(vk.vkGetPipelineCacheData(device, cache, &size, data.data()), "no data");
  data.resize(size);
  const std::string file = pipelineCacheFile(data);
  if (file == loaded)
    return;
  const std::string beside = text(path, ".", getpid());
  std::ofstream out(beside, std::ios::binary);
  out.write(file.data(), static_cast<std::streamsize>(file.size()));
  out.close();
  if (!out || std::rename(beside.c_str(), path.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    std::remove(beside.c_str());
    fail(FOVEA_ENVIRONMENT, why);
  }
}
