// Fovea's runtime: maps a compiled model (a .fovea file) and runs it.
//
// Load, query, bind, run:
//
//   #include <fovea/fovea.h>
//   #include <stdio.h>
//
//   int main(int argc, char **argv) {
//     fovea_error error;
//     fovea_runtime *runtime = NULL;
//     fovea_model *model = NULL;
//     fovea_session *session = NULL;
//     fovea_tensor_info info;
//     float x[] = {1, -2, 3};
//     int64_t dims[] = {3};
//     fovea_tensor in = {x, sizeof x, FOVEA_F32, 1, dims}, out;
//     if (fovea_runtime_create(NULL, &runtime, &error) ||
//         fovea_model_open(runtime, argc > 1 ? argv[1] : "model.fovea", 0, &model, &error) ||
//         fovea_model_input(model, 0, 0, &info, &error) ||
//         fovea_session_create(runtime, model, NULL, &session, &error) ||
//         fovea_session_bind_input(session, 0, &in, &error) ||
//         fovea_session_run(session, &error) ||
//         fovea_session_output(session, 0, &out, &error)) {
//       fprintf(stderr, "%s\n", error.message);
//     } else {
//       printf("%s -> %g, %d dims\n", info.name, ((const float *)out.data)[0], (int)out.rank);
//     }
//     fovea_session_destroy(session);
//     fovea_model_close(model);
//     fovea_runtime_destroy(runtime);
//     return error.status;
//   }
//
// Three kinds of handle:
//   fovea_runtime   the threads and the memory that work is done with. One is enough for a process, several do no harm.
//   fovea_model     a mapped artifact. Immutable: any number of threads and sessions use it at once.
//   fovea_session   one entry point with its inputs, outputs and scratch memory. For one thread at a time; sessions
//                   that run at once on several threads share the runtime's threads.
//
// Rules that hold for every function:
//   - It returns a fovea_status. On failure the out-parameters before `error` are left alone.
//   - `error` may be null. Otherwise it receives status and message, also on success (then FOVEA_OK and an empty
//     message).
//   - Nothing is printed, nothing is global, no signal or exception leaves the library, the process is never ended.
//   - Handles keep alive what they need: a runtime or model may be released while sessions still use it.
//   - Releasing null does nothing. A null handle elsewhere is FOVEA_INVALID.
//   - Threads do not survive a fork: a child process makes a runtime of its own.
//   - The results of a run do not depend on the number of threads.
//
// An artifact holds executable code: open only what you trust. Checksums find damage, not malice.
#ifndef FOVEA_FOVEA_H
#define FOVEA_FOVEA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FOVEA_API __attribute__((visibility("default")))
#else
#define FOVEA_API
#endif

// The shared library's ABI, also the number in its soname. Structs of this header grow at their end only, and only
// together with this number.
#define FOVEA_API_VERSION 2

typedef struct fovea_runtime fovea_runtime;
typedef struct fovea_model fovea_model;
typedef struct fovea_session fovea_session;

// The numbers are the exit codes of Fovea's tools as well.
typedef enum fovea_status {
  FOVEA_OK = 0,
  // The caller's mistake: a wrong argument, a damaged artifact, an input that does not fit.
  FOVEA_INVALID = 1,
  // Correct, but not something this version can do.
  FOVEA_UNSUPPORTED = 2,
  // A fault of Fovea: the compiler's code and the manifest contradict each other. Worth a report.
  FOVEA_INTERNAL = 3,
  // Memory, file, permission or CPU: the machine does not offer what is needed.
  FOVEA_ENVIRONMENT = 4
} fovea_status;

// Why a call failed. Owned by the caller, who needs no initialisation; the message is one line, cut at the end of the
// buffer.
typedef struct fovea_error {
  fovea_status status;
  char message[1020];
} fovea_error;

typedef enum fovea_dtype {
  FOVEA_F32,
  FOVEA_F64,
  FOVEA_F16,
  FOVEA_BF16,
  FOVEA_I8,
  FOVEA_I16,
  FOVEA_I32,
  FOVEA_I64,
  FOVEA_U8,
  FOVEA_U16,
  FOVEA_U32,
  FOVEA_U64,
  // One byte, 0 or 1.
  FOVEA_BOOL,
  // Not a dtype: makes every number that a caller may give by mistake a value of the enumeration in C++ too.
  FOVEA_DTYPE_MAX_ENUM = 0x7fffffff
} fovea_dtype;

// "f32", "bf16", "bool" ...; "?" for a number that is no dtype. The string is static.
FOVEA_API const char *fovea_dtype_name(fovea_dtype dtype);

// Bytes of one element; 0 for a number that is no dtype.
FOVEA_API size_t fovea_dtype_size(fovea_dtype dtype);

// "0.1.0". The string is static.
FOVEA_API const char *fovea_version(void);

// ------------------------------------------------------------------------------------------------------------- runtime

typedef enum fovea_log_level { FOVEA_LOG_DEBUG, FOVEA_LOG_INFO, FOVEA_LOG_WARNING } fovea_log_level;

// All zero is the default for every member, so `fovea_runtime_options options = {0};` is a good start.
typedef struct fovea_runtime_options {
  // Threads that work on one run: the caller's own and threads - 1 workers. 0: one for each CPU this process may use.
  uint32_t threads;
  // CPUs to pin the workers to: worker k (from 1) to cpus[k % cpu_count]; cpus[0] is meant for the caller, who is left
  // alone. Null: the scheduler decides. Copied.
  const uint32_t *cpus;
  uint32_t cpu_count;
  // Where arenas, workspaces and outputs owned by sessions come from. `allocate` returns `bytes` bytes (never 0) at a
  // multiple of `alignment` (a power of two), or null; `release` gets the same numbers back. Both or neither; they are
  // called on threads that call the API, several at once, never on workers, and must not throw. Bookkeeping of a few
  // kilobytes comes from `operator new`.
  void *(*allocate)(void *user, size_t bytes, size_t alignment);
  void (*release)(void *user, void *memory, size_t bytes, size_t alignment);
  void *allocator_user;
  // Told what the library would otherwise print. Called on threads that call the API, several at once; must not throw.
  void (*log)(void *user, fovea_log_level level, const char *message);
  void *log_user;
  // What models run on: null or "cpu"; "vulkan" for the first usable Vulkan device, or "vulkan:N" for that one.
  const char *device;
  // A file that keeps the pipelines of a Vulkan device from one process to the next; null: none. Read when the runtime
  // is created, written when it ends if there is something new. A broken file, or one of another device or driver, is
  // ignored with a line in the log, as is a file that cannot be written. Copied.
  const char *pipeline_cache;
} fovea_runtime_options;

// Starts the threads. `options` may be null (all defaults) and is not needed afterwards; hooks and their user pointers
// are, until the runtime and all its sessions are gone. Release with fovea_runtime_destroy.
// Errors: INVALID for half an allocator, more than 1024 threads, a CPU that this process may not use or a device of no
// known kind; ENVIRONMENT if threads, memory or the device are refused.
FOVEA_API fovea_status fovea_runtime_create(const fovea_runtime_options *options, fovea_runtime **out,
                                            fovea_error *error);

// A device of this machine that `fovea_runtime_options.device` can name.
typedef struct fovea_device_info {
  char name[32];         // "cpu", "vulkan:0"
  char description[512]; // for people: the device's own name, driver and limits
  char unusable[256];    // why it cannot be used; empty if it can
} fovea_device_info;

// Writes up to `capacity` devices to `out`, the CPU first, and to `count` how many there are. A machine without a
// Vulkan loader or driver has one line for that, called "vulkan", that says why. `out` may be null if `capacity` is 0.
FOVEA_API fovea_status fovea_devices(fovea_device_info *out, uint32_t capacity, uint32_t *count, fovea_error *error);

// Gives up the caller's hold; the threads end with the last session.
FOVEA_API void fovea_runtime_destroy(fovea_runtime *runtime);

// Threads that work on one run, the caller's included; 0 for null.
FOVEA_API uint32_t fovea_runtime_threads(const fovea_runtime *runtime);

// --------------------------------------------------------------------------------------------------------------- model

// Compares the weights with their checksum too. It reads all of them, which otherwise happens only as runs touch them.
#define FOVEA_OPEN_VERIFY_WEIGHTS 1u

// Maps the artifact at `path` (UTF-8), checks manifest and code against their checksums, takes the first kernels this
// CPU can run and links them. Weights stay pages of the file, shared by all processes that map it: replace an artifact
// in use by renaming a new one over it, never in place. `flags`: 0 or FOVEA_OPEN_*. Release with fovea_model_close.
// Errors: ENVIRONMENT if the file cannot be read or no kernels fit this CPU (the message names the missing features);
// INVALID if it is no artifact or damaged; UNSUPPORTED if it was made for a newer runtime.
FOVEA_API fovea_status fovea_model_open(const fovea_runtime *runtime, const char *path, uint32_t flags,
                                        fovea_model **out, fovea_error *error);

// The same for an artifact in memory, which stays the caller's and must not change before the model and its sessions
// are gone. `data` must be 64-byte aligned.
FOVEA_API fovea_status fovea_model_open_memory(const fovea_runtime *runtime, const void *data, size_t bytes,
                                               uint32_t flags, fovea_model **out, fovea_error *error);

// Gives up the caller's hold. Strings and infos got from the model die with it, unless a session keeps it alive.
FOVEA_API void fovea_model_close(fovea_model *model);

typedef struct fovea_model_info {
  const char *producer;
  // The CPU name that the chosen kernels were compiled for; empty where the artifact says none.
  const char *cpu;
  uint32_t entry_count;
  uint32_t kernel_count;
  uint64_t file_bytes;
  uint64_t weight_bytes;
} fovea_model_info;

// Strings live as long as the model.
FOVEA_API fovea_status fovea_model_describe(const fovea_model *model, fovea_model_info *out, fovea_error *error);

// A dim of a declared shape. Static: name is null and min == max. Symbolic: dims of an entry with equal names are equal
// at run time, and within [min, max].
typedef struct fovea_dim {
  const char *name;
  int64_t min;
  int64_t max;
} fovea_dim;

typedef struct fovea_tensor_info {
  const char *name;
  fovea_dtype dtype;
  uint32_t rank;
  // `rank` of them.
  const fovea_dim *dims;
} fovea_tensor_info;

typedef struct fovea_entry_info {
  const char *name;
  uint32_t input_count;
  uint32_t output_count;
  uint32_t dispatch_count;
  // On a Vulkan device: which variant of its code was chosen for the device ("portable", "cpu"); empty on the CPU.
  const char *variant;
} fovea_entry_info;

// Infos live as long as the model. Errors: INVALID if an index is out of range or a name is unknown (the message lists
// those there are).
FOVEA_API fovea_status fovea_model_entry(const fovea_model *model, uint32_t entry, fovea_entry_info *out,
                                         fovea_error *error);
FOVEA_API fovea_status fovea_model_input(const fovea_model *model, uint32_t entry, uint32_t input,
                                         fovea_tensor_info *out, fovea_error *error);
FOVEA_API fovea_status fovea_model_output(const fovea_model *model, uint32_t entry, uint32_t output,
                                          fovea_tensor_info *out, fovea_error *error);

// The number of the input whose memory the output may be bound to as well (fovea_session_bind_output), UINT32_MAX if
// there is none: a cache that the model appends to, a state that it goes on from. Errors: INVALID if an index is out of
// range.
FOVEA_API fovea_status fovea_model_output_over(const fovea_model *model, uint32_t entry, uint32_t output, uint32_t *out,
                                               fovea_error *error);

FOVEA_API fovea_status fovea_model_find_entry(const fovea_model *model, const char *name, uint32_t *out,
                                              fovea_error *error);
FOVEA_API fovea_status fovea_model_find_input(const fovea_model *model, uint32_t entry, const char *name, uint32_t *out,
                                              fovea_error *error);
FOVEA_API fovea_status fovea_model_find_output(const fovea_model *model, uint32_t entry, const char *name,
                                               uint32_t *out, fovea_error *error);

// One use of a kernel by an entry, as the compiler noted it. `flops` and `bytes` are those of one launch, 0 where
// unknown.
typedef struct fovea_dispatch_info {
  uint32_t kernel;
  const char *kernel_name;
  const char *node;
  int64_t flops;
  int64_t bytes;
} fovea_dispatch_info;

// The strings live as long as the model; empty where the artifact says nothing.
FOVEA_API fovea_status fovea_model_dispatch(const fovea_model *model, uint32_t entry, uint32_t dispatch,
                                            fovea_dispatch_info *out, fovea_error *error);

// The kernel's name, or null if the index is out of range. It lives as long as the model.
FOVEA_API const char *fovea_model_kernel_name(const fovea_model *model, uint32_t kernel);

// ------------------------------------------------------------------------------------------------------------- session

// A tensor in memory: row-major, no gaps, aligned to its element. `bytes` is the size of the memory at `data`.
typedef struct fovea_tensor {
  void *data;
  size_t bytes;
  fovea_dtype dtype;
  uint32_t rank;
  const int64_t *dims;
} fovea_tensor;

// A session for the entry of that name; null takes the only entry. Needs no memory to speak of until it is prepared.
// Release with fovea_session_destroy. Errors: INVALID for an unknown name, or null where there are several entries;
// ENVIRONMENT.
FOVEA_API fovea_status fovea_session_create(fovea_runtime *runtime, fovea_model *model, const char *entry,
                                            fovea_session **out, fovea_error *error);

// Frees what the session owns, outputs included; bound memory stays the caller's.
FOVEA_API void fovea_session_destroy(fovea_session *session);

// The index of the session's entry, for the fovea_model_* queries; 0 for null.
FOVEA_API uint32_t fovea_session_entry(const fovea_session *session);

// Gives an input its memory, which is read in place during prepare and run, never freed, and written only if an output
// is bound to it too; it must stay valid until it is bound anew or the session is destroyed. Only `tensor` and `dims`
// themselves are copied. Binding again is how shapes change. Errors: INVALID if dtype, rank, a static dim or a range
// does not fit, memory is too small, misaligned or null.
FOVEA_API fovea_status fovea_session_bind_input(fovea_session *session, uint32_t input, const fovea_tensor *tensor,
                                                fovea_error *error);

// Gives an output the caller's memory of `bytes` bytes, written in place by run; must not overlap inputs or other
// outputs, but for the input that fovea_model_output_over names: at exactly its memory the output replaces it, and what
// the model does not change is not copied. (To a Vulkan device and back all of it is, unless it is kept there:
// fovea_session_keep_output.) It must stay valid until it is bound anew or the session is destroyed. Null takes the
// binding back: the session owns the memory again. Errors: INVALID if misaligned; that it is too small or overlaps is
// found by run, when its shape is known.
FOVEA_API fovea_status fovea_session_bind_output(fovea_session *session, uint32_t output, void *data, size_t bytes,
                                                 fovea_error *error);

// Keeps an output in the session (`on` not 0), on the device if there is one: the next run reads it as the input that
// fovea_model_output_over names, and nothing of it is copied, to the device or back. A decode loop keeps its caches so.
// What is bound to the input is read by one run; binding it anew starts from there. The input's and the output's shapes
// have to be equal. fovea_session_read_output shows what is kept; on a device fovea_session_output has no memory for
// it. After a run that failed, and once it is no longer kept (`on` 0), the input has to be bound anew.
// Errors: INVALID if the output replaces no input, one that another output is kept for, or is bound to memory;
// UNSUPPORTED on a device if sizes depend on the output's numbers. That shapes differ is found by run.
FOVEA_API fovea_status fovea_session_keep_output(fovea_session *session, uint32_t output, int on, fovea_error *error);

// Computes the outputs' shapes from the bound inputs and makes the arena ready. Run does this when it has to; calling
// it first tells the shapes before memory for outputs is chosen, and takes allocation out of the first run.
// Errors: INVALID if an input is missing, dims of one name differ, or the program refuses the shapes; ENVIRONMENT for
// memory.
FOVEA_API fovea_status fovea_session_prepare(fovea_session *session, fovea_error *error);

// Computes the outputs. Blocks until done, works on the calling thread and the runtime's. The floating point mode of
// the caller is restored. After a failure the outputs' contents are undefined; the session can be used again.
// Errors: those of prepare; INVALID if a bound output is too small or overlaps what it must not, an index in the inputs
// is outside its table, or a cost to be matched is no number (the message names the node).
FOVEA_API fovea_status fovea_session_run(fovea_session *session, fovea_error *error);

// An output's shape, and its memory (null before a run, if the session owns it). `dims` and owned `data` live until the
// next prepare, run or destroy. Errors: INVALID before the first prepare.
FOVEA_API fovea_status fovea_session_output(const fovea_session *session, uint32_t output, fovea_tensor *out,
                                            fovea_error *error);

// Copies what the last run computed for an output to `data`, wherever it is. Errors: INVALID before a run, after one
// that failed if the output is kept, or if `bytes` are too few; ENVIRONMENT if the device fails.
FOVEA_API fovea_status fovea_session_read_output(const fovea_session *session, uint32_t output, void *data,
                                                 size_t bytes, fovea_error *error);

typedef struct fovea_session_info {
  // Scratch memory of the current shapes, in bytes.
  uint64_t arena_bytes;
  // Memory of outputs that the session owns, in bytes.
  uint64_t output_bytes;
  uint64_t weight_bytes;
  // Shape values that the host program computed; for people who debug it. Live until the next prepare, run or destroy.
  const int64_t *slots;
  uint32_t slot_count;
} fovea_session_info;

// Before the first prepare, arena, outputs and slots are zero.
FOVEA_API fovea_status fovea_session_describe(const fovea_session *session, fovea_session_info *out,
                                              fovea_error *error);

// Time of one launch of a kernel.
typedef struct fovea_dispatch_time {
  // For fovea_model_dispatch; UINT32_MAX where the launch is not one the compiler listed.
  uint32_t dispatch;
  uint32_t kernel;
  int64_t tasks;
  uint64_t nanoseconds;
} fovea_dispatch_time;

// Switches the record of launches on (non-zero) or off, from the next run on. It costs some tens of nanoseconds a
// launch.
FOVEA_API fovea_status fovea_session_set_profiling(fovea_session *session, int on, fovea_error *error);

// The launches of the last run in their order; none if profiling was off. They live until the next run or destroy.
FOVEA_API fovea_status fovea_session_profile(const fovea_session *session, const fovea_dispatch_time **out,
                                             size_t *count, fovea_error *error);

#ifdef __cplusplus
}
#endif

#endif // FOVEA_FOVEA_H
