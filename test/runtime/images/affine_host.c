// Host programs by hand, as the compiler would emit them. With ONE_ENTRY only "main", else all of TestModels.cpp's
// entries.
#include "fovea/abi.h"

#define EXPORT __attribute__((visibility("default")))

enum { STATUS_UNSUPPORTED = 2 };

// main: y = relu(a * x + b), x and y f32[n]. Slots: arena, n.
static int32_t prepareMain(fovea_host *host) {
  host->slots[0] = host->dims[0] * (int64_t)sizeof(float);
  host->slots[1] = host->dims[0];
  return 0;
}

static int32_t runMain(fovea_host *host) {
  void *const first[] = {host->inputs[0], (void *)host->weights, (void *)(host->weights + 64), host->arena};
  int32_t status = host->launch(host, 0, first, 0, host->slots[1], 1, 0);
  if (status)
    return status;
  void *const second[] = {host->arena, host->outputs[0]};
  return host->launch(host, 1, second, 0, host->slots[1], 16, 16 * sizeof(float));
}

#ifndef ONE_ENTRY
// gather: y = table[index]. Slots: arena, m.
static int32_t prepareGather(fovea_host *host) {
  host->slots[0] = 0;
  host->slots[1] = host->dims[1];
  return 0;
}

static int32_t runGather(fovea_host *host) {
  void *const buffers[] = {host->inputs[0], host->inputs[1], host->outputs[0]};
  const int64_t scalars[] = {host->dims[0], 2};
  return host->launch(host, 2, buffers, scalars, host->slots[1], 1, 0);
}

// range: y = 0 .. size[0] - 1, whose shape depends on data. Slots: arena, k.
static int32_t prepareRange(fovea_host *host) {
  const int64_t size = *(const int64_t *)host->inputs[0];
  if (size < 0)
    return host->fail(host, STATUS_UNSUPPORTED, "node 'range': expected a size of 0 or more");
  host->slots[0] = 0;
  host->slots[1] = size;
  return 0;
}

static int32_t runRange(fovea_host *host) {
  void *const buffers[] = {host->outputs[0]};
  return host->launch(host, 3, buffers, 0, host->slots[1], 1, 0);
}

// positions: where x is not 0; the size is known only afterwards. Slots: arena, count.
static int32_t runPositions(fovea_host *host) {
  const float *x = host->inputs[0];
  int64_t *y = host->outputs[0], count = 0;
  for (int64_t i = 0; i < host->dims[0]; ++i)
    if (x[i] != 0)
      y[count++] = i;
  host->slots[1] = count;
  return 0;
}

// broken: launches a kernel that there is not.
static int32_t runBroken(fovea_host *host) { return host->launch(host, 99, 0, 0, 1, 1, 0); }

// add: s = p + q, static shapes and shared dims, without a kernel. Slots: arena, n, 2.
static int32_t prepareAdd(fovea_host *host) {
  host->slots[0] = 0;
  host->slots[1] = host->dims[0];
  host->slots[2] = 2;
  return 0;
}

static int32_t runAdd(fovea_host *host) {
  const int32_t *p = host->inputs[0], *q = host->inputs[1];
  int32_t *s = host->outputs[0];
  for (int64_t i = 0; i < host->slots[1] * 2; ++i)
    s[i] = p[i] + q[i];
  return 0;
}
#endif

static const fovea_entry entries[] = {
    {prepareMain, runMain, 2, 0, 1, 0},
#ifndef ONE_ENTRY
    {prepareGather, runGather, 2, 0, 1, 0},  {prepareRange, runRange, 2, 0, 1, 0},
    {prepareMain, runPositions, 2, 0, 1, 0}, {prepareMain, runBroken, 2, 0, 1, 0},
    {prepareAdd, runAdd, 3, 0, 1, 0},
#endif
};

// C has one name space for types and objects, so the object gets its symbol by hand.
EXPORT extern const fovea_host_image image __asm__("fovea_host_image");
const fovea_host_image image = {FOVEA_ABI_VERSION, sizeof(entries) / sizeof(*entries), entries};
