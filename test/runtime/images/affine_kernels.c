// Kernels by hand, as the compiler would emit them. The numbers are those of the manifests in TestModels.cpp.
#include "fovea/abi.h"

#define EXPORT __attribute__((visibility("default")))

// t = a * x + b; one task is one element. buffers: x, a, b, t
static void scale(const fovea_kernel_args *args, int64_t begin, int64_t end, void *workspace) {
  const float *x = args->buffers[0], *a = args->buffers[1], *b = args->buffers[2];
  float *t = args->buffers[3];
  for (int64_t i = begin; i < end; ++i)
    t[i] = *a * x[i] + *b;
}

// y = max(t, 0), through the workspace. buffers: t, y
static void relu(const fovea_kernel_args *args, int64_t begin, int64_t end, void *workspace) {
  const float *t = args->buffers[0];
  float *y = args->buffers[1], *scratch = workspace;
  for (int64_t i = begin; i < end; ++i) {
    scratch[i % 16] = t[i] > 0 ? t[i] : 0;
    y[i] = scratch[i % 16];
  }
}

// y[i] = table[index[i]]; scalars: table's size, the node's number. buffers: table, index, y
static void gather(const fovea_kernel_args *args, int64_t begin, int64_t end, void *workspace) {
  const float *table = args->buffers[0];
  const int64_t *index = args->buffers[1];
  float *y = args->buffers[2];
  for (int64_t i = begin; i < end; ++i) {
    int64_t at = index[i];
    if (at < 0 || at >= args->scalars[0]) {
      *args->fault = args->scalars[1];
      at = 0;
    }
    y[i] = args->scalars[0] > 0 ? table[at] : 0;
  }
}

// y[i] = i. buffers: y
static void iota(const fovea_kernel_args *args, int64_t begin, int64_t end, void *workspace) {
  float *y = args->buffers[0];
  for (int64_t i = begin; i < end; ++i)
    y[i] = (float)i;
}

static const fovea_kernel_fn kernels[] = {scale, relu, gather, iota};

// C has one name space for types and objects, so the object gets its symbol by hand.
EXPORT extern const fovea_kernel_image image __asm__("fovea_kernel_image");
const fovea_kernel_image image = {FOVEA_ABI_VERSION, 4, kernels};
