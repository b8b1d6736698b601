"""Fovea's C API for Python: ctypes and numpy, nothing copied. The manual is runtime/include/fovea/fovea.h.

    runtime = Runtime(library, threads=2)
    session = Session(runtime, Model(runtime, "model.fovea"))
    outputs = session.bind({"x": array})      # once: inputs are read in place, outputs are written in place
    session.run()                             # any number of times
"""
import ctypes
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
import numpy as np

# In the order of fovea_dtype; numpy has no bf16, so its bits stand in.
DTYPES = [np.dtype(t) for t in ("f4", "f8", "f2", "u2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")]


class _Error(Structure):
    _fields_ = [("status", c_int), ("message", c_char * 1020)]


class _RuntimeOptions(Structure):
    _fields_ = [("threads", c_uint32), ("cpus", POINTER(c_uint32)), ("cpu_count", c_uint32), ("allocate", c_void_p), ("release", c_void_p),
                ("allocator_user", c_void_p), ("log", c_void_p), ("log_user", c_void_p), ("device", c_char_p), ("pipeline_cache", c_char_p)]


class _Dim(Structure):
    _fields_ = [("name", c_char_p), ("min", c_int64), ("max", c_int64)]


class _TensorInfo(Structure):
    _fields_ = [("name", c_char_p), ("dtype", c_int), ("rank", c_uint32), ("dims", POINTER(_Dim))]


class _EntryInfo(Structure):
    _fields_ = [("name", c_char_p), ("input_count", c_uint32), ("output_count", c_uint32), ("dispatch_count", c_uint32)]


class _DispatchInfo(Structure):
    _fields_ = [("kernel", c_uint32), ("kernel_name", c_char_p), ("node", c_char_p), ("flops", c_int64), ("bytes", c_int64)]


class _DispatchTime(Structure):
    _fields_ = [("dispatch", c_uint32), ("kernel", c_uint32), ("tasks", c_int64), ("nanoseconds", c_uint64)]


class _Tensor(Structure):
    _fields_ = [("data", c_void_p), ("bytes", c_size_t), ("dtype", c_int), ("rank", c_uint32), ("dims", POINTER(c_int64))]


class _SessionInfo(Structure):
    _fields_ = [("arena_bytes", c_uint64), ("output_bytes", c_uint64), ("weight_bytes", c_uint64), ("slots", POINTER(c_int64)), ("slot_count", c_uint32)]


class FoveaError(Exception):
    def __init__(self, error):
        super().__init__(error.message.decode(errors="replace"))
        self.status = error.status


class Runtime:
    """The library at `library`, its threads and the device that models run on."""

    def __init__(self, library, threads=0, device="cpu"):
        self.library, self.error = ctypes.CDLL(library), _Error()
        self.library.fovea_model_kernel_name.restype = c_char_p
        self.handle = c_void_p()
        self.call("fovea_runtime_create", byref(_RuntimeOptions(threads=threads, device=device.encode())), byref(self.handle))

    def call(self, function, *arguments):
        """Calls a function whose last parameter is the error."""
        if getattr(self.library, function)(*arguments, byref(self.error)) != 0:
            raise FoveaError(self.error)

    def __del__(self):
        self.library.fovea_runtime_destroy(self.handle)


class Model:
    """A mapped artifact, its first entry."""

    def __init__(self, runtime, path):
        self.runtime, self.handle, self.entry = runtime, c_void_p(), _EntryInfo()
        runtime.call("fovea_model_open", runtime.handle, str(path).encode(), c_uint32(0), byref(self.handle))
        runtime.call("fovea_model_entry", self.handle, c_uint32(0), byref(self.entry))
        self.inputs = [self._tensor("fovea_model_input", i) for i in range(self.entry.input_count)]
        self.outputs = [self._tensor("fovea_model_output", i) for i in range(self.entry.output_count)]

    def _tensor(self, function, index):
        info = _TensorInfo()
        self.runtime.call(function, self.handle, c_uint32(0), c_uint32(index), byref(info))
        return info.name.decode(), info.dtype

    def dispatch(self, index):
        """(kernel, node, flops, bytes) of one launch; zero is unknown."""
        info = _DispatchInfo()
        self.runtime.call("fovea_model_dispatch", self.handle, c_uint32(0), c_uint32(index), byref(info))
        return info.kernel_name.decode(), info.node.decode(), info.flops, info.bytes

    def kernel_name(self, kernel):
        return self.runtime.library.fovea_model_kernel_name(self.handle, c_uint32(kernel)).decode()

    def __del__(self):
        self.runtime.library.fovea_model_close(self.handle)


class Session:
    def __init__(self, runtime, model):
        self.runtime, self.model, self.handle, self.kept, self.memory = runtime, model, c_void_p(), set(), {}
        runtime.call("fovea_session_create", runtime.handle, model.handle, c_char_p(model.entry.name), byref(self.handle))

    def bind_input(self, name, array):
        """Reads an input there from now on."""
        index = [n for n, _ in self.model.inputs].index(name)
        dtype, array = self.model.inputs[index][1], np.require(array, requirements="CA")
        if array.dtype != DTYPES[dtype]:
            raise ValueError(f"input '{name}': expected {DTYPES[dtype]}, got {array.dtype}")
        dims = (c_int64 * array.ndim)(*array.shape)
        self.memory["input", name] = array
        self.runtime.call("fovea_session_bind_input", self.handle, c_uint32(index), byref(_Tensor(array.ctypes.data, array.nbytes, dtype, array.ndim, dims)))

    def bind_output(self, name, array):
        """Writes an output there from now on; None: where the session likes."""
        self.memory["output", name] = array
        self.runtime.call("fovea_session_bind_output", self.handle, c_uint32(self._output(name)), c_void_p(None if array is None else array.ctypes.data),
                          c_size_t(0 if array is None else array.nbytes))

    def bind(self, inputs):
        """Binds the inputs and memory for the outputs that are not kept; returns the outputs' arrays by name."""
        for name, _ in self.model.inputs:
            if name not in inputs:
                raise ValueError(f"input '{name}' is missing; there are {', '.join(inputs) or 'none'}")
            self.bind_input(name, inputs[name])
        self.runtime.call("fovea_session_prepare", self.handle)
        outputs = {}
        for name, dtype in self.model.outputs:
            if name not in self.kept:
                outputs[name] = np.zeros(self._describe(name)[0], DTYPES[dtype])
                self.bind_output(name, outputs[name])
        return outputs

    def keep(self, name, on=True):
        """The output stays in the session, and is the input that it replaces in the next run."""
        self.runtime.call("fovea_session_keep_output", self.handle, c_uint32(self._output(name)), c_int(on))
        (self.kept.add if on else self.kept.discard)(name)

    def read(self, name):
        """A copy of what the last run computed."""
        array = np.zeros(self._describe(name)[0], DTYPES[self.model.outputs[self._output(name)][1]])
        self.runtime.call("fovea_session_read_output", self.handle, c_uint32(self._output(name)), c_void_p(array.ctypes.data), c_size_t(array.nbytes))
        return array

    def is_visible(self, name):
        """Whether an output has memory that this process can read."""
        return self._describe(name)[1] is not None

    def _output(self, name):
        return [n for n, _ in self.model.outputs].index(name)

    def _describe(self, name):
        tensor = _Tensor()
        self.runtime.call("fovea_session_output", self.handle, c_uint32(self._output(name)), byref(tensor))
        return tensor.dims[:tensor.rank], tensor.data

    def run(self):
        if self.runtime.library.fovea_session_run(self.handle, byref(self.runtime.error)) != 0:
            raise FoveaError(self.runtime.error)

    def describe(self):
        info = _SessionInfo()
        self.runtime.call("fovea_session_describe", self.handle, byref(info))
        return dict(arena_bytes=info.arena_bytes, output_bytes=info.output_bytes, weight_bytes=info.weight_bytes)

    def set_profiling(self, on):
        self.runtime.call("fovea_session_set_profiling", self.handle, c_int(on))

    def profile(self):
        """(dispatch or None, kernel, nanoseconds) of the last run's launches, in their order."""
        times, count = POINTER(_DispatchTime)(), c_size_t()
        self.runtime.call("fovea_session_profile", self.handle, byref(times), byref(count))
        return [(None if t.dispatch == 0xffffffff else t.dispatch, t.kernel, t.nanoseconds) for t in times[:count.value]]

    def __del__(self):
        self.runtime.library.fovea_session_destroy(self.handle)
