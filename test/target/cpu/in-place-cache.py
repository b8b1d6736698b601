"""A cache that is an input and an output of the model in one memory: a decode loop copies nothing. All of the cache but the page of the memory that a step
appends to is read-only while the step runs, so that a copy, even onto itself, ends the process."""
import ctypes, mmap, os, sys
import numpy as np
from programs import Programs, tensor, expect

p = Programs(53)
t = p.tools
LENGTH, D = 24, mmap.PAGESIZE // 4  # an entry of the cache is a page of the memory
c, u = tensor([1, 1, LENGTH, D], "f32"), tensor([1, 1, 1, D], "f32")
one = [1, 1, 1, D]
cache = [1, 1, LENGTH, D]
body = f"""  %1 = attn.cache_append axis(2) ins(%keys, %k : {c}, {u}) positions(%at : tensor<1xi64>) outs(%init1 : {c}) -> {c}
  %2 = attn.cache_append axis(2) ins(%values, %v : {c}, {u}) positions(%at : tensor<1xi64>) outs(%init2 : {c}) -> {c}
  %0 = attn.attention ins(%q, %1, %2 : {u}, {c}, {c}) lengths(%n : tensor<1xi64>) outs(%init0 : {u}) -> {u}
  return %0, %1, %2 : {u}, {c}, {c}"""
inputs = dict(q=(one, "f32"), k=(one, "f32"), v=(one, "f32"), at=([1], "i64"), n=([1], "i64"), keys=(cache, "f32"), values=(cache, "f32"))
results = [(one, "f32"), (cache, "f32"), (cache, "f32")]


def attend(q, keys, values):
    s = keys @ q
    e = np.exp(s - s.max())
    return e / e.sum() @ values


def want(a, s):
    keys, values, at = a["keys"].copy(), a["values"].copy(), a["at"][0]
    keys[0, 0, at], values[0, 0, at] = a["k"][0, 0, 0], a["v"][0, 0, 0]
    n = a["n"][0]
    return [attend(a["q"][0, 0, 0], keys[0, 0, :n], values[0, 0, :n]).reshape(one), keys, values]


# Without shared memory the inputs are left alone; what may be shared is said.
said = p.check("step", body, inputs, results, [{}], want, dict(at=lambda *_: np.array([5]), n=lambda *_: np.array([6]), q=lambda s, d, _: (0.1 * p.rng.standard_normal(s)).astype(d)),
               tolerance=2e-4)
for output, source in (("out1", "keys"), ("out2", "values")):
    expect(f"output {output} may be written over input {source}" in said, f"the pair {output}, {source}, got {said}")
    shown = t.run("fovea-inspect", t.path("step.fovea")).stdout
    expect(any(f" {output} " in line and f"may be written over {source}" in line for line in shown.splitlines()), f"the pair {output}, {source}, got {shown}")
expect("output out0 may" not in said, f"no input under out0, got {said}")
plain = np.load(t.path("out.npz"))
done = t.run("fovea-run", t.path("step.fovea"), "--inputs", t.path("in.npz"), "--outputs", t.path("over.npz"), "--in-place")
expect("output 'out1' is written over input 'keys'" in done.stderr, f"that out1 is written in place, got {done.stderr!r}")
over = np.load(t.path("over.npz"))
expect(all(np.array_equal(plain[n], over[n]) for n in plain.files), "the same results in place")

# What is read again, given out or a part of it read elsewhere stays as it is.
kept = f"""  %1 = attn.cache_append axis(2) ins(%keys, %k : {c}, {u}) positions(%at : tensor<1xi64>) outs(%init0 : {c}) -> {c}
  %2 = attn.cache_append axis(2) ins(%keys, %v : {c}, {u}) positions(%at : tensor<1xi64>) outs(%init0 : {c}) -> {c}
  return %1, %2 : {c}, {c}"""
said = p.check("kept", kept, dict(k=(one, "f32"), v=(one, "f32"), at=([1], "i64"), keys=(cache, "f32")), [(cache, "f32")] * 2, [{}],
               lambda a, s: [np.concatenate([a["keys"][:, :, :5], a[n], a["keys"][:, :, 6:]], 2) for n in "kv"], dict(at=lambda *_: np.array([5])))
expect(said.count("may be written over input keys") == 1, f"one output over the input that both read, got {said}")

# The decode loop, through the C API.
runtime = ctypes.CDLL(os.path.join(t.bin, "..", "lib", "libfovea_runtime.so"))
libc = ctypes.CDLL(None, use_errno=True)


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t), ("dtype", ctypes.c_int), ("rank", ctypes.c_uint32), ("dims", ctypes.POINTER(ctypes.c_int64))]


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 1020)]


class Options(ctypes.Structure):
    _fields_ = [("threads", ctypes.c_uint32), ("rest", ctypes.c_uint64 * 16)]


def call(name, *words):
    error = Error()
    if getattr(runtime, name)(*words, ctypes.byref(error)):
        sys.exit(f"{name}: {error.message.decode()}")


def protected(array, writable):
    """Pages of the memory that may be written; all if None."""
    start, size = array.ctypes.data, array.nbytes
    for at, length, flags in ((start, size, 3),) if writable is None else ((start, size, 1), (start + writable * mmap.PAGESIZE, mmap.PAGESIZE, 3)):
        if libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(length), flags):
            sys.exit("mprotect failed")


handles = [ctypes.c_void_p() for _ in range(3)]
handle, model, session = handles
options = Options(threads=2)
call("fovea_runtime_create", ctypes.byref(options), ctypes.byref(handle))
call("fovea_model_open", handle, t.path("step.fovea").encode(), 0, ctypes.byref(model))
call("fovea_session_create", handle, model, None, ctypes.byref(session))
caches = {name: np.frombuffer(mmap.mmap(-1, LENGTH * mmap.PAGESIZE), np.float32).reshape(cache) for name in ("keys", "values")}
expected = {name: np.zeros(cache, np.float32) for name in caches}
arrays = {"at": np.zeros(1, np.int64), "n": np.zeros(1, np.int64)} | {name: np.zeros(one, np.float32) for name in "qkv"} | caches
keep = []
for number, name in enumerate(inputs):
    array = arrays[name]
    dims = (ctypes.c_int64 * array.ndim)(*array.shape)
    keep.append(dims)
    call("fovea_session_bind_input", session, number, ctypes.byref(Tensor(array.ctypes.data, array.nbytes, 7 if array.dtype == np.int64 else 0, array.ndim, dims)))
out = np.zeros(one, np.float32)
for number, array in enumerate((out, caches["keys"], caches["values"])):
    call("fovea_session_bind_output", session, number, ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes))
for step in range(LENGTH):
    arrays["at"][0], arrays["n"][0] = step, step + 1
    for name in "qkv":
        arrays[name][:] = 0.1 * p.rng.standard_normal(one)
    expected["keys"][0, 0, step], expected["values"][0, 0, step] = arrays["k"][0, 0, 0], arrays["v"][0, 0, 0]
    for array in caches.values():
        protected(array, step)
    call("fovea_session_run", session)
    for array in caches.values():
        protected(array, None)
    for name in caches:
        expect(np.array_equal(caches[name], expected[name]), f"{name} with {step + 1} entries")
    right = attend(arrays["q"][0, 0, 0], expected["keys"][0, 0, :step + 1], expected["values"][0, 0, :step + 1])
    expect(np.allclose(out[0, 0, 0], right, rtol=2e-4, atol=2e-4), f"step {step}: differs by {np.abs(out[0, 0, 0] - right).max()}")
print(f"{LENGTH} steps in one memory")
