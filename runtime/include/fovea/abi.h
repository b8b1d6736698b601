// The contract between compiled code and the runtime. The compiler emits code against these layouts; the runtime calls
// it. Plain C, fixed widths, no dependence on either side. Anything that changes here raises FOVEA_ABI_VERSION.
#ifndef FOVEA_ABI_H
#define FOVEA_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FOVEA_ABI_VERSION 1

// What a kernel is given. Buffers hold row-major tensors unless the kernel asked for another layout at compile time; a
// bool is one byte, 0 or 1. Scalars are dims, strides and other shape values.
typedef struct fovea_kernel_args {
  void *const *buffers;
  const int64_t *scalars;
  // Set by a kernel that met an index outside its table, or another value that it cannot work with, to the number of
  // the node (1 and up), plus the kind of the fault (below) << FOVEA_FAULT_KIND_SHIFT. The kernel itself goes on with a
  // clamped index, so nothing outside a buffer is ever touched; the run then fails with the name of the node.
  int64_t *fault;
} fovea_kernel_args;

#define FOVEA_FAULT_KIND_SHIFT 32
#define FOVEA_FAULT_INDEX 0 // an index outside its table, or sizes that do not fit each other
#define FOVEA_FAULT_COST 1  // a cost that is NaN or infinitely good
#define FOVEA_FAULT_LOOPS 2 // the device's driver has ended a loop that was not at its end

// Runs the tasks [begin, end) of a stage. Tasks of one stage are independent of each other; several threads call the
// same kernel with disjoint ranges. `workspace` is private to the calling thread, 64-byte aligned, of the size given at
// launch.
typedef void (*fovea_kernel_fn)(const fovea_kernel_args *args, int64_t begin, int64_t end, void *workspace);

// What a host program sees of the run it belongs to. The pointers are owned by the runtime and live for the call.
typedef struct fovea_host {
  // Inputs' dims, one after the other in the order of the entry's inputs.
  const int64_t *dims;
  // Data of inputs and outputs. Inputs are readable by `prepare` too (shapes may depend on small integer inputs).
  void *const *inputs;
  void *const *outputs;
  // Shape values that `prepare` computes and `run` reads: `slot_count` of them, described by the entry.
  int64_t *slots;
  // 64-byte aligned; slots[entry.arena_slot] bytes long. Null in `prepare`.
  char *arena;
  const char *weights;
  int64_t *fault;
  // Runs tasks [0, tasks) of a kernel on the pool and returns when all are done. `grain` tasks at least go to one
  // thread at a time. Returns 0, or a fovea_status that the host program returns at once.
  int32_t (*launch)(struct fovea_host *, uint32_t kernel, void *const *buffers, const int64_t *scalars, int64_t tasks,
                    int64_t grain, int64_t workspace_bytes);
  // Reports why the host program gives up; returns `status` for it to pass on. The message is copied.
  int32_t (*fail)(struct fovea_host *, int32_t status, const char *message);
} fovea_host;

typedef int32_t (*fovea_host_fn)(fovea_host *);

// One entry point of the host program. Names, dtypes and shapes stand in the artifact's manifest, in the same order.
typedef struct fovea_entry {
  // Computes the slots from the dims: arena size, every output's dims, and what `run` needs. Called once for each shape
  // tuple.
  fovea_host_fn prepare;
  fovea_host_fn run;
  uint32_t slot_count;
  // Index of the slot that holds the arena's size in bytes.
  uint32_t arena_slot;
  // Outputs' dims are slots[output_slot...], one after the other in the order of the entry's outputs.
  uint32_t output_slot;
  uint32_t reserved;
} fovea_entry;

// The host image exports this as `fovea_host_image`; there is one in an artifact.
typedef struct fovea_host_image {
  uint32_t abi_version;
  uint32_t entry_count;
  const fovea_entry *entries;
} fovea_host_image;

// A kernel image exports this as `fovea_kernel_image`; there is one for each CPU variant, and all number their kernels
// alike.
typedef struct fovea_kernel_image {
  uint32_t abi_version;
  uint32_t kernel_count;
  const fovea_kernel_fn *kernels;
} fovea_kernel_image;

#ifdef __cplusplus
}
#endif

#endif // FOVEA_ABI_H
