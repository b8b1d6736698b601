#!/usr/bin/env python3
"""The command lines of fovea-run, fovea-bench and fovea-inspect: results, messages, exit codes.

Usage: tools-test.py BIN_FOLDER WRITE_ARTIFACTS. Uses NumPy where there is one, to see that it reads what the tools write.
"""
import ast
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

try:
    import numpy
except ImportError:
    numpy = None

BIN, WRITE_ARTIFACTS = map(os.path.abspath, sys.argv[1:3])
OK, INVALID, UNSUPPORTED, INTERNAL, ENVIRONMENT = range(5)


def npy(descr, fmt, shape, values):
    header = str({"descr": descr, "fortran_order": False, "shape": shape}) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + struct.pack("<" + fmt * len(values), *values)


def f32(values, shape=None):
    return npy("<f4", "f", shape or (len(values),), values)


def i64(values):
    return npy("<i8", "q", (len(values),), values)


def load(data):
    """Shape and values of an f32 array."""
    (length,) = struct.unpack("<H", data[8:10])
    header = ast.literal_eval(data[10 : 10 + length].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"] and (10 + length) % 64 == 0
    body = data[10 + length :]
    return header["shape"], list(struct.unpack("<%df" % (len(body) // 4), body))


class Tools(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        subprocess.run([WRITE_ARTIFACTS, self.folder.name], check=True)

    def tool(self, status, name, *arguments):
        """Runs a tool in the folder; (stdout, stderr)."""
        done = subprocess.run([f"{BIN}/{name}", *arguments], cwd=self.path, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if status != OK and name != "fovea-run":
            self.assertIn("error: ", done.stderr)
        return done.stdout, done.stderr

    def run_tool(self, status, *arguments):
        return self.tool(status, "fovea-run", *arguments)

    def write(self, name, data):
        (self.path / name).write_bytes(data)

    def write_npz(self, name, **arrays):
        with zipfile.ZipFile(self.path / name, "w") as file:
            for key, data in arrays.items():
                file.writestr(key.replace("__", ".") + ".npy", data)

    def test_help_and_version(self):
        for name in ["fovea-run", "fovea-bench", "fovea-inspect"]:
            self.assertIn("Examples:", self.tool(OK, name, "--help")[0])
            self.assertRegex(self.tool(OK, name, "--version")[0], name + r" \d+\.\d+\.\d+")
        self.run_tool(INVALID, "--no-such-option")
        self.run_tool(INVALID)
        self.assertIn("cpu", self.run_tool(OK, "--list-devices")[0])

    def test_run_from_files_to_files(self):
        self.write("x.npy", f32([1, -2, 3]))
        out, _ = self.run_tool(OK, "affine.fovea", "--input", "x=x.npy")
        self.assertEqual(out, "y f32[3] mean 3.33333 first 3 0 7\n")
        for threads in ["1", "2"]:
            out, _ = self.run_tool(OK, "affine.fovea", "--input", "x=x.npy", "--output", "y=y.npy", "--outputs", "out.npz",
                                   "--threads", threads)
            self.assertEqual(out, "")
            self.assertEqual(load((self.path / "y.npy").read_bytes()), ((3,), [3, 0, 7]))
            with zipfile.ZipFile(self.path / "out.npz") as file:
                self.assertEqual(file.namelist(), ["y.npy"])
                self.assertEqual(load(file.read("y.npy")), ((3,), [3, 0, 7]))
        self.assertEqual(sorted(p.name for p in self.path.glob("*.tmp*")), [])
        self.write_npz("in.npz", x=f32([5]))
        self.assertIn("first 11", self.run_tool(OK, "affine.fovea", "--inputs", "in.npz")[0])
        self.assertIn("y f32[0] mean nan first\n", self.run_tool(OK, "affine.fovea", "--random", "1", "--dim", "n=0")[0])

    @unittest.skipUnless(numpy, "needs numpy")
    def test_numpy_reads_and_writes_the_same(self):
        x = numpy.linspace(-1, 1, 12, dtype=numpy.float32)
        numpy.savez(self.path / "in.npz", x=x)
        self.run_tool(OK, "affine.fovea", "--inputs", "in.npz", "--outputs", "out.npz", "--output", "y=y.npy")
        for y in [numpy.load(self.path / "out.npz")["y"], numpy.load(self.path / "y.npy")]:
            numpy.testing.assert_array_equal(y, numpy.maximum(2 * x + 1, 0))
        numpy.savez_compressed(self.path / "expected.npz", y=numpy.maximum(2 * x + 1, 0))
        self.run_tool(OK, "affine.fovea", "--inputs", "in.npz", "--expect", "expected.npz")

    def test_wrong_inputs(self):
        self.write("x.npy", f32([1, 2]))
        self.write("wide.npy", f32([1, 2], (1, 2)))
        self.write("int.npy", i64([1, 2]))
        self.write("broken.npy", f32([1, 2])[:-1])
        self.write_npz("extra.npz", x=f32([1]), z=f32([1]))
        for status, text, arguments in [
            (INVALID, "input 'x' of entry 'main' is missing", []),
            (INVALID, "there is no input of entry 'main' called 'z'; there is 'x'", ["--inputs", "extra.npz"]),
            (INVALID, "expected f32[n=0..100000], got f32[1,2]", ["--input", "x=wide.npy"]),
            (INVALID, "expected f32[n=0..100000], got i64[2]", ["--input", "x=int.npy"]),
            (INVALID, "expected 8 bytes of data", ["--input", "x=broken.npy"]),
            (INVALID, "expected --input NAME=VALUE, got 'x'", ["--input", "x"]),
            (INVALID, "is given twice", ["--input", "x=x.npy", "--input", "x=x.npy"]),
            (INVALID, "is not an npz file", ["--inputs", "x.npy"]),
            (INVALID, "there is no output of entry 'main' called 'q'", ["--random", "1", "--output", "q=q.npy"]),
            (INVALID, "expected --dim NAME=N with a number, got 'n=two'", ["--random", "1", "--dim", "n=two"]),
            (INVALID, "got f32[100001]", ["--random", "1", "--dim", "n=100001"]),
            (INVALID, "there is no entry 'other'; there is 'main'", ["--entry", "other", "--random", "1"]),
            (INVALID, "expected a device", ["--random", "1", "--device", "tpu"]),
            (INVALID, "at most 1024 threads", ["--random", "1", "--threads", "5000"]),
            (UNSUPPORTED, "the artifact was not compiled for Vulkan", ["--random", "1", "--device=vulkan:0"]),
            (ENVIRONMENT, "No such file or directory", ["--input", "x=none.npy"]),
            (ENVIRONMENT, "cannot write 'none/y.npy'", ["--random", "1", "--output", "y=none/y.npy"]),
            (ENVIRONMENT, "cannot write 'none/y.npz'", ["--random", "1", "--outputs", "none/y.npz"]),
            (ENVIRONMENT, "cannot write 'none/p.json'", ["--random", "1", "--profile=none/p.json"]),
        ]:
            with self.subTest(text):
                self.assertIn(text, self.run_tool(status, "affine.fovea", *arguments)[1])

    def test_wrong_models(self):
        for status, text, model in [
            (ENVIRONMENT, "cannot open 'none.fovea': No such file or directory", "none.fovea"),
            (ENVIRONMENT, "kernels section 0 (moon) needs +no-such-feature", "other-cpu.fovea"),
            (UNSUPPORTED, "format version 3, got version 9; a newer runtime is needed", "newer.fovea"),
            (INVALID, "truncated artifact: ", "truncated.fovea"),
            (INVALID, "not a Fovea artifact", "x.npy"),
        ]:
            with self.subTest(model):
                self.write("x.npy", f32([1]))
                self.assertIn(text, self.run_tool(status, model, "--random", "1")[1])
        self.assertIn("expected the name of an entry", self.run_tool(INVALID, "cases.fovea", "--random", "1")[1])
        self.assertIn("launch of kernel 99", self.run_tool(INTERNAL, "cases.fovea", "--entry", "broken", "--random", "1")[1])
        self.write("table.npy", f32([1, 2]))
        self.write("index.npy", i64([0, 2]))
        error = self.run_tool(INVALID, "cases.fovea", "--entry=gather", "--input", "table=table.npy", "--input", "index=index.npy")[1]
        self.assertIn("in node 'lookup'", error)

    def test_random_inputs(self):
        first, note = self.run_tool(OK, "affine.fovea", "--random", "7")
        self.assertIn("note: dim 'n' of random inputs is 1; choose with --dim n=N", note)
        self.assertEqual(first, self.run_tool(OK, "affine.fovea", "--random", "7", "--dim", "n=1")[0])
        seeds = [self.run_tool(OK, "affine.fovea", "--random", seed, "--dim", "n=50")[0] for seed in "78"]
        self.assertNotEqual(*seeds)
        self.run_tool(OK, "affine.fovea", "--random", "3", "--dim", "n=20000", "--outputs", "a.npz", "--threads", "1")
        self.run_tool(OK, "affine.fovea", "--random", "3", "--dim", "n=20000", "--outputs", "b.npz", "--threads", "2")
        self.assertEqual((self.path / "a.npz").read_bytes(), (self.path / "b.npz").read_bytes())
        # A dim known from a file is used for what is random.
        self.write("table.npy", f32([1, 2, 3]))
        out, note = self.run_tool(OK, "cases.fovea", "--entry", "gather", "--input", "table=table.npy", "--random", "1", "--dim", "m=4")
        self.assertIn("y f32[4]", out)
        self.assertEqual(note, "")

    def test_expectations(self):
        self.write("x.npy", f32([1, -2, 3]))
        run = lambda status, *more: self.run_tool(status, "affine.fovea", "--input", "x=x.npy", "--expect", "e.npz", *more)
        self.write_npz("e.npz", y=f32([3, 0, 7.001]))
        self.assertIn("y: 3 elements agree", run(OK)[0])
        out, _ = run(INVALID, "--rtol", "0", "--atol", "1e-4")
        self.assertIn("y: differs at [2]: expected 7.001, got 7; 1 of 3 elements differ", out)
        self.write_npz("e.npz", y__sample=f32([3, 7]), y__summary=npy("<f8", "d", (5,), [2, 3.3, 2.8, 0, 7]))
        self.assertIn("y: 2 sampled elements agree", run(OK)[0])
        self.write_npz("e.npz", z=f32([3]))
        self.assertIn("expected array 'z' belongs to no output", run(INVALID)[1])
        self.write_npz("e.npz")
        self.assertIn("output 'y' is unchecked", run(OK)[1])

    def test_profile(self):
        out, _ = self.run_tool(OK, "affine.fovea", "--random", "1", "--dim", "n=1000", "--profile")
        self.assertRegex(out, r"node +kernel +launches +us +share +GF/s +GB/s\n")
        self.assertIn("relu", out)
        self.run_tool(OK, "affine.fovea", "--random", "1", "--dim", "n=1000", "--profile=p.json")
        profile = json.loads((self.path / "p.json").read_text())
        self.assertEqual({line["node"] for line in profile["dispatches"]}, {"affine", "relu"})
        self.assertEqual([line["launches"] for line in profile["dispatches"]], [1, 1])

    def test_bench(self):
        common = ["affine.fovea", "--random", "1", "--dim", "n=100", "--seconds", "0.05", "--warmup-seconds", "0.01", "--threads", "1"]
        self.assertRegex(self.tool(OK, "fovea-bench", *common)[0], r"^main: median [\d.]+ ms, min")
        result = json.loads(self.tool(OK, "fovea-bench", *common, "--json", "-")[0])
        self.assertEqual((result["model"], result["device"], result["threads"]), ("affine.fovea", "cpu", 1))
        (entry,) = result["entries"]
        self.assertEqual(sorted(entry), sorted("name runs median_s min_s p90_s load_s arena_bytes weight_bytes flops".split()))
        self.assertEqual((entry["name"], entry["arena_bytes"], entry["weight_bytes"], entry["flops"]), ("main", 400, 128, 3))
        self.assertLessEqual(entry["min_s"], entry["median_s"])
        self.assertLessEqual(entry["median_s"], entry["p90_s"])
        self.tool(OK, "fovea-bench", *common, "--json", "b.json")
        self.assertEqual(json.loads((self.path / "b.json").read_text())["device"], "cpu")
        self.tool(INVALID, "fovea-bench", "affine.fovea")
        self.tool(INVALID, "fovea-bench", *common, "--entry", "none")
        self.tool(ENVIRONMENT, "fovea-bench", *common, "--json", "none/b.json")
        self.tool(UNSUPPORTED, "fovea-bench", *common, "--device", "vulkan")

    def test_inspect(self):
        out, _ = self.tool(OK, "fovea-inspect", "cases.fovea")
        self.assertIn("  input   x  f32[n=0..100000]", out)
        self.assertIn("  input   p  i32[n=1..8,2]", out)
        model = json.loads(self.tool(OK, "fovea-inspect", "cases.fovea", "--json")[0])
        self.assertEqual([entry["name"] for entry in model["entries"]], ["main", "gather", "range", "positions", "broken", "add"])
        self.assertEqual(model["entries"][0]["dispatches"][1]["node"], "relu")
        self.assertIn("needs +no-such-feature", self.tool(OK, "fovea-inspect", "other-cpu.fovea")[0])
        self.assertIn(" ok\n", self.tool(OK, "fovea-inspect", "affine.fovea", "--verify")[0])
        self.tool(OK, "fovea-inspect", "damaged-weights.fovea")
        out, error = self.tool(INVALID, "fovea-inspect", "damaged-weights.fovea", "--verify")
        self.assertIn(" damaged\n", out)
        self.assertIn("'damaged-weights.fovea' is damaged", error)
        self.tool(INVALID, "fovea-inspect", "truncated.fovea")
        self.tool(UNSUPPORTED, "fovea-inspect", "newer.fovea")
        self.tool(ENVIRONMENT, "fovea-inspect", "none.fovea")

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("needs /dev/full")
        with open("/dev/full", "w") as full:
            done = subprocess.run([f"{BIN}/fovea-inspect", "affine.fovea"], cwd=self.path, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, ENVIRONMENT)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
