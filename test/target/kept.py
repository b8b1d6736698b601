"""Outputs that stay in the session, on the device if there is one: a decode loop whose caches never come back.

    kept.py --bin DIR --work DIR --driver cpu|NAME [--drivers DIR]

Prompts and single steps of several lengths go through one session; what the caller had bound is spoilt once it has been read. Against NumPy.
"""
import argparse
import os
import sys

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(here, "..", "tools"), os.path.join(here, "..", "bench"), os.path.join(here, "vulkan")]
import runtime
from drivers import Validation, manifest
from harness import Tools, expect

parser = argparse.ArgumentParser()
for name in ("--bin", "--work", "--drivers"):
    parser.add_argument(name, type=os.path.abspath)
parser.add_argument("--driver", required=True)
args = parser.parse_args()
args.models = None
os.makedirs(args.work, exist_ok=True)
t = Tools(args)
rng = np.random.default_rng(71)
LENGTH, D = 90, 16
CACHE, ROWS = f"tensor<1x2x{LENGTH}x{D}xf32>", f"tensor<1x2x?x{D}xf32>"

with open(t.path("step.mlir"), "w") as file:
    cache, rows = f"exec.dims = [1, 2, {LENGTH}, {D}]", f'exec.dims = [1, 2, "n", {D}]'
    file.write(f"""func.func @main(%q: {ROWS} {{exec.name = "q", {rows}}}, %k: {ROWS} {{exec.name = "k", {rows}}}, %v: {ROWS} {{exec.name = "v", {rows}}},
    %at: tensor<1xi64> {{exec.name = "at", exec.dims = [1]}}, %keys: {CACHE} {{exec.name = "keys", {cache}}}, %values: {CACHE} {{exec.name = "values", {cache}}})
    -> ({ROWS} {{exec.name = "y", {rows}}}, {CACHE} {{exec.name = "new_keys", {cache}}}, {CACHE} {{exec.name = "new_values", {cache}}}) {{
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : {ROWS}
  %init = tensor.empty(%n) : {ROWS}
  %empty = tensor.empty() : {CACHE}
  %1 = attn.cache_append axis(2) ins(%keys, %k : {CACHE}, {ROWS}) positions(%at : tensor<1xi64>) outs(%empty : {CACHE}) -> {CACHE}
  %2 = attn.cache_append axis(2) ins(%values, %v : {CACHE}, {ROWS}) positions(%at : tensor<1xi64>) outs(%empty : {CACHE}) -> {CACHE}
  %0 = attn.attention ins(%q, %1, %2 : {ROWS}, {CACHE}, {CACHE}) offset(%at : tensor<1xi64>) outs(%init : {ROWS}) {{causal = #attn.causal<top_left>}} -> {ROWS}
  return %0, %1, %2 : {ROWS}, {CACHE}, {CACHE}
}}
""")
t.compile("step.mlir", "--target=cpu,vulkan", "-o", "step.fovea")
validation = None
if args.driver != "cpu":
    validation = Validation("synchronization", args.drivers, args.work)
    os.environ.update(VK_DRIVER_FILES=manifest(args.driver, args.drivers), **validation.environment())
    wrong = validation.check_active(lambda: t.run("fovea-run", "--list-devices"))
    expect(not wrong, wrong)


class Decoder:
    """A session with caches, and what NumPy has for them."""

    def __init__(self, handle, model):
        self.session, self.at = runtime.Session(handle, model), np.zeros(1, np.int64)
        self.caches = {name: rng.standard_normal((1, 2, LENGTH, D)).astype(np.float32) for name in ("keys", "values")}
        self.start = {name: array.copy() for name, array in self.caches.items()}
        self.rows = None

    def bind(self, rows):
        self.inputs = {name: np.zeros((1, 2, rows, D), np.float32) for name in "qkv"}
        for name, array in self.inputs.items():
            self.session.bind_input(name, array)
        if self.rows is None:
            self.session.bind_input("at", self.at)
            for name, array in self.start.items():
                self.session.bind_input(name, array)
        self.out = np.zeros((1, 2, rows, D), np.float32)
        self.session.bind_output("y", self.out)
        self.rows = rows

    def step(self, rows):
        if rows != self.rows:
            self.bind(rows)
        at = self.at[0]
        for array in self.inputs.values():
            array[:] = rng.standard_normal(array.shape)
        self.caches["keys"][:, :, at:at + rows], self.caches["values"][:, :, at:at + rows] = self.inputs["k"], self.inputs["v"]
        self.session.run()
        s = np.einsum("bhid,bhjd->bhij", self.inputs["q"], self.caches["keys"])
        s = np.where(np.arange(LENGTH) <= at + np.arange(rows)[:, None], s, -np.inf)
        e = np.exp(s - s.max(-1, keepdims=True))
        want = e @ self.caches["values"] / e.sum(-1, keepdims=True)
        expect(np.allclose(self.out, want, rtol=1e-4, atol=1e-4), f"position {at}, {rows} rows: differs by {np.abs(self.out - want).max()}")
        self.at[0] += rows
        # It has been read, or never is again.
        for array in self.start.values():
            array[:] = np.nan

    def check(self, what):
        for name, array in self.caches.items():
            expect(np.array_equal(self.session.read("new_" + name), array), f"{what}: the {name}")


def refused(text, function, *words):
    try:
        function(*words)
    except runtime.FoveaError as error:
        expect(text in str(error), f"{text!r} in the message, got {str(error)!r}")
        return
    sys.exit(f"expected an error that says {text!r}")


handle = runtime.Runtime(os.path.join(args.bin, "..", "lib", "libfovea_runtime.so"), threads=2, device="cpu" if args.driver == "cpu" else "vulkan")
model = runtime.Model(handle, t.path("step.fovea"))
decoder = Decoder(handle, model)
session = decoder.session
refused("replaces no input", session.keep, "y")
for name in ("new_keys", "new_values"):
    session.keep(name)
refused("is kept in the session", session.bind_output, "new_keys", np.zeros((1, 2, LENGTH, D), np.float32))
decoder.bind(5)
refused("has not been computed yet", session.runtime.call, "fovea_session_read_output", session.handle, 1, None, 0)
# Steps of lengths that come again, and of ones that take more memory than there was.
for rows in (5, 1, 1, 5, 1, 40, 1, 1, 17):
    decoder.step(rows)
decoder.check("after some steps")
expect(session.is_visible("y") and session.is_visible("new_keys") == (args.driver == "cpu"), "memory of what is kept only where a process can read it")
session.set_profiling(True)
decoder.step(1)
expect(session.profile(), "launches of a run")
session.set_profiling(False)

# One is no longer kept: the other one stays what it is.
session.keep("new_keys", False)
refused("input 'keys' of entry 'main' is missing", session.run)
session.bind_input("keys", decoder.caches["keys"].copy())
decoder.step(1)
session.keep("new_keys")
session.bind_input("keys", decoder.caches["keys"].copy())
decoder.step(2)
decoder.check("after one was not kept for a while")
bound = np.zeros((1, 2, LENGTH, D), np.float32)
session.keep("new_values", False)
session.bind_output("new_values", bound)
refused("is bound to memory", session.keep, "new_values")
session.bind_output("new_values", None)
session.keep("new_values")
session.bind_input("values", decoder.caches["values"].copy())

# A run that fails loses what is kept; binding begins anew.
decoder.step(1)
decoder.at[0] = LENGTH
refused("", session.run)
refused("the last run failed", session.read, "new_keys")
refused("a run failed: bind input", session.run)
decoder.at[0] = 3
for name, array in decoder.caches.items():
    session.bind_input(name, array.copy())
decoder.step(2)
decoder.check("after a run that failed")
# Binding is also how another sequence starts.
for name, array in decoder.caches.items():
    array[:] = rng.standard_normal(array.shape)
    session.bind_input(name, array.copy())
decoder.at[0] = 0
decoder.step(3)
decoder.step(1)
decoder.check("another sequence")
expect(validation is None or not (said := validation.messages()), f"no message of the validation layer, got {validation and said[:600]}")
said = t.run("fovea-bench", "step.fovea", "--random", 1, "--seconds", 0, "--warmup-seconds", 0, "--keep", "--device", "cpu" if args.driver == "cpu" else "vulkan").stdout
expect("median" in said, f"a time, got {said}")
print(f"caches stay on {args.driver}")
