"""What this machine can do at best right now: multiply-adds in registers, reads from memory (the library of test/bench/kernels/Peak.cpp)."""
import ctypes, os, sys


class Peak:
    def __init__(self, build):
        path = os.path.join(build, "lib", "libfovea_bench_peak.so")
        if not os.path.exists(path):
            sys.exit(f"{path} is missing: build the target fovea_bench_peak (configure with -DFOVEA_BUILD_TESTS=ON)")
        self.library = ctypes.CDLL(path)
        for name, argument in ("multiply_adds", ctypes.c_double), ("read", ctypes.c_uint64):
            function = getattr(self.library, "fovea_bench_" + name)
            function.argtypes, function.restype = [ctypes.c_int, argument], ctypes.c_double

    def multiply_adds(self, threads, milliseconds=2.0):
        """f32 FLOP/s of that many threads together."""
        return self.library.fovea_bench_multiply_adds(threads, milliseconds) * 1e9

    def read(self, threads, megabytes=256):
        """Bytes a second that many threads together read from memory."""
        return self.library.fovea_bench_read(threads, megabytes << 20) * 1e9
