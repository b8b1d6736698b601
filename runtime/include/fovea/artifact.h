// The container format of a .fovea file, for those who write or read one. The manifest's schema is artifact.fbs.
#ifndef FOVEA_ARTIFACT_H
#define FOVEA_ARTIFACT_H

#include <cstddef>
#include <cstdint>

namespace fovea::artifact {

// The last byte changes only if the header itself does; everything else that readers must know raises FORMAT_VERSION.
inline constexpr char MAGIC[8] = {'F', 'O', 'V', 'E', 'A', '\0', '\0', '\1'};

inline constexpr uint32_t FORMAT_VERSION = 3;

// Sections start at multiples of this, so that each can be mapped by itself; the gaps are zero bytes.
inline constexpr uint64_t SECTION_ALIGNMENT = 4096;

// Within the weights section each weight starts at a multiple of this, which is what Vulkan devices ask for at most.
inline constexpr uint64_t WEIGHT_ALIGNMENT = 256;

// Bindings of a shader that are none of its kernel's buffers (artifact.fbs); the buffers' numbers are below.
inline constexpr uint8_t WORDS_BINDING = 251, MEMORY_BINDING = 252, WEIGHTS_BINDING = 253, FAULT_BINDING = 254,
                         WORKSPACE_BINDING = 255;

// In place of a window's number: the binding is the whole buffer.
inline constexpr uint8_t WHOLE_BUFFER = 255;

// Words that are pushed to every shader: those of its launch, the others are in WORDS_BINDING; then 0, 1, 2 ..., the
// digits that shaders put numbers together of which all invocations of a workgroup share.
inline constexpr uint32_t PUSH_WORDS = 32, DIGITS = 8, LAUNCH_WORDS = PUSH_WORDS - DIGITS;

// The first bytes of the file, little-endian. The manifest follows at once, at offset sizeof(Header).
struct Header {
  char magic[8];
  uint32_t format_version;
  uint32_t manifest_bytes;
  uint64_t manifest_xxh3;
  uint64_t file_bytes;
};
static_assert(sizeof(Header) == 32 && offsetof(Header, file_bytes) == 24);

} // namespace fovea::artifact

#endif // FOVEA_ARTIFACT_H
