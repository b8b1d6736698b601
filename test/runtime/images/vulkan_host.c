// Host programs by hand: "main" of TestModels.cpp for the CPU and for Vulkan, whose launches tell the bytes of their
// buffers. With TWO_VARIANTS a second one for Vulkan, which has shaders of its own behind those of the first.
#include "fovea/abi.h"

#define EXPORT __attribute__((visibility("default")))

// y = relu(a * x + b), x and y f32[n]. Slots: arena, n. The arena has t.
static int32_t prepare(fovea_host *host) {
  host->slots[0] = host->dims[0] * (int64_t)sizeof(float);
  host->slots[1] = host->dims[0];
  return 0;
}

static int32_t launchBoth(fovea_host *host, uint32_t shader) {
  const int64_t bytes = host->slots[0];
  void *const first[] = {host->inputs[0], (void *)host->weights, (void *)(host->weights + 256), host->arena};
  const int64_t firstBytes[] = {bytes, 4, 4, bytes};
  int32_t status = host->launch(host, shader, first, firstBytes, host->slots[1], 1, 0);
  if (status)
    return status;
  void *const second[] = {host->arena, host->outputs[0]};
  const int64_t secondBytes[] = {bytes, bytes};
  return host->launch(host, shader + 1, second, secondBytes, host->slots[1], 16, 16 * sizeof(float));
}

static int32_t run(fovea_host *host) { return launchBoth(host, 0); }
#ifdef TWO_VARIANTS
static int32_t runOther(fovea_host *host) { return launchBoth(host, 2); }
#endif

static const fovea_entry entries[] = {{prepare, run, 2, 0, 1, 0},
                                      {prepare, run, 2, 0, 1, 0},
#ifdef TWO_VARIANTS
                                      {prepare, runOther, 2, 0, 1, 0}
#endif
};

// C has one name space for types and objects, so the object gets its symbol by hand.
EXPORT extern const fovea_host_image image __asm__("fovea_host_image");
const fovea_host_image image = {FOVEA_ABI_VERSION, sizeof(entries) / sizeof(*entries), entries};
