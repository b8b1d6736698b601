"""States on a device: what replaces an input is written in its memory there, whether the caller's memory is shared or not.

    states.py --bin DIR --drivers DIR --layer DIR --work DIR

Values are the CPU's, on each driver, under synchronization validation; and there is one copy of what is replaced.
"""
import argparse
import os
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from drivers import DRIVERS, Validation, manifest
from harness import Tools, expect

parser = argparse.ArgumentParser()
for name in ("--bin", "--drivers", "--layer", "--work"):
    parser.add_argument(name, required=True, type=os.path.abspath)
args = parser.parse_args()
args.models = None
os.makedirs(args.work, exist_ok=True)
t = Tools(args)
rng = np.random.default_rng(29)


def normal(*shape):
    return rng.standard_normal(shape, dtype=np.float32)


def function(body, inputs, results):
    """All sizes static. `inputs`: name -> array; `results`: the arrays of their shapes and types, as %init0 ..."""
    element = lambda a: {"f": "f", "i": "i"}[a.dtype.kind] + str(8 * a.itemsize)
    tensor = lambda a: "tensor<" + "".join(f"{d}x" for d in a.shape) + element(a) + ">"
    named = lambda name, a: f'{{exec.name = "{name}", exec.dims = {list(a.shape)}}}'
    types = {name: tensor(a) for name, a in inputs.items()}
    lines = [f"func.func @main({', '.join(f'%{n}: {types[n]} {named(n, a)}' for n, a in inputs.items())}) -> ("
             + ", ".join(f"{tensor(a)} {named(f'out{n}', a)}" for n, a in enumerate(results)) + ") {"]
    lines += [f"  %init{n} = tensor.empty() : {tensor(a)}" for n, a in enumerate(results)]
    lines.append(body.format(**types))
    lines.append(f"  return {', '.join(f'%{n}' for n in range(len(results)))} : {', '.join(map(tensor, results))}")
    return "\n".join(lines) + "\n}\n"


CACHES = """  %1 = attn.cache_append axis(2) ins(%keys, %k : {keys}, {k}) positions(%at : {at}) outs(%init1 : {keys}) RING -> {keys}
  %2 = attn.cache_append axis(2) ins(%values, %v : {values}, {v}) positions(%at : {at}) outs(%init2 : {values}) RING -> {values}
  %0 = attn.attention ins(%q, %1, %2 : {q}, {keys}, {values}) lengths(%n : {n}) outs(%init0 : {q}) -> {q}"""
PAGES = """  %0 = attn.paged_append ins(%pages, %new, %table, %at : {pages}, {new}, {table}, {at}) outs(%init0 : {pages}) -> {pages}"""
CONV = """  %0, %1 = attn.causal_conv_with_state ins(%x, %w : {x}, {w}) state(%s : {s}) outs(%init0, %init1 : {x}, {s}) -> {x}, {s}"""
LINEAR = """  %0, %1 = attn.linear_attention ins(%q, %k, %v : {q}, {k}, {v}) state(%s : {s}) outs(%init0, %init1 : {v}, {s}) {{scale = 0.25 : f64}} -> {v}, {s}"""


def caches(ring, dtype=np.float32):
    inputs = dict(q=normal(2, 4, 3, 16), k=normal(2, 4, 3, 16), v=normal(2, 4, 3, 16), at=np.array([4, 13]), n=np.array([7, 16]), keys=normal(2, 4, 17, 16), values=normal(2, 4, 17, 16))
    if ring:
        inputs["at"], inputs["n"] = np.array([15, 34]), np.array([17, 17])
    inputs = {n: a.astype(dtype) if a.dtype == np.float32 else a for n, a in inputs.items()}
    return CACHES.replace("RING", "{{ring}}" if ring else ""), inputs, ["q", "keys", "values"], 2


def pages():
    inputs = dict(pages=normal(7, 2, 4, 8), new=normal(2, 2, 3, 8), table=np.array([[2, 1, 0], [5, 4, 3]]), at=np.array([3, 9]))
    return PAGES, inputs, ["pages"], 1


def linear():
    return LINEAR, dict(q=normal(2, 5, 2, 9), k=normal(2, 5, 2, 9), v=normal(2, 5, 2, 7), s=normal(2, 2, 9, 7)), ["v", "s"], 1


def conv():
    return CONV, dict(x=normal(2, 3, 5), w=normal(3, 4), s=normal(2, 3, 3)), ["x", "s"], 1


def write(name, body, inputs, results):
    with open(t.path(name + ".mlir"), "w") as file:
        file.write(function(body, inputs, [inputs[r] for r in results]))
    np.savez(t.path(name + ".npz"), **inputs)
    return t.compile(name + ".mlir", "--target=cpu,vulkan", "--vulkan-variants=portable", "-o", name + ".fovea", "--explain").stdout


CASES = {"caches": caches(False), "rings": caches(True), "caches-of-halves": caches(False, np.float16), "conv": conv(), "pages": pages(), "linear-attention": linear()}
for name, (body, inputs, results, over) in CASES.items():
    said = write(name, body, inputs, results)
    expect(said.count("may be written over input") == 2 * over, f"{over} outputs over inputs, for each target, got {said}")
    t.run("fovea-run", name + ".fovea", "--inputs", name + ".npz", "--outputs", name + "-cpu.npz")
kept = dict(os.environ)
for driver in DRIVERS:
    folder = t.path(driver)
    os.makedirs(folder, exist_ok=True)
    validation = Validation("synchronization", args.drivers, folder)
    os.environ.update(VK_DRIVER_FILES=manifest(driver, args.drivers), **validation.environment())
    wrong = validation.check_active(lambda: t.run("fovea-run", "--list-devices"))
    expect(not wrong, wrong)
    for name in CASES:
        for words in ([], ["--in-place"]):
            t.run("fovea-run", name + ".fovea", "--inputs", name + ".npz", "--expect", name + "-cpu.npz", "--device=vulkan", *words)
            expect(not (said := validation.messages()), f"{name} on {driver} {words}: no message, got {said[:600]}")
    os.environ.clear(), os.environ.update(kept)

# Of a state that is replaced the device has one copy: memory that has no room for two is enough.
APPEND = "  %0 = attn.cache_append axis(2) ins(%keys, %k : {keys}, {k}) positions(%at : {at}) outs(%init0 : {keys}) -> {keys}"
AGAIN = APPEND + "\n  %1 = attn.cache_append axis(2) ins(%keys, %other : {keys}, {other}) positions(%at : {at}) outs(%init1 : {keys}) -> {keys}"
cache = normal(1, 2, 4096, 64)
inputs = dict(keys=cache, k=normal(1, 2, 1, 64), other=normal(1, 2, 1, 64), at=np.array([70]))
os.environ.update(VK_DRIVER_FILES=manifest("lavapipe-25", args.drivers), VK_LAYER_PATH=args.layer, VK_INSTANCE_LAYERS="VK_LAYER_FOVEA_test",
                  FOVEA_LAYER_LIMIT=f"maxMemoryAllocationSize={cache.nbytes * 3 // 2}")
for name, body, results, code in (("append", APPEND, ["keys"], 0), ("append-twice", AGAIN, ["keys", "keys"], 2)):
    write(name, body, inputs, results)
    said = t.run("fovea-run", name + ".fovea", "--inputs", name + ".npz", "--device=vulkan", code=code).stderr
    expect(not code or "maxMemoryAllocationSize" in said, f"{name} to say what it has no memory for, got {said}")
print(f"{len(CASES)} programs on {len(DRIVERS)} drivers")
