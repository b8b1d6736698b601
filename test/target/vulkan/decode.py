"""Few queries and many keys: kernels for which a workgroup has one query, or its keys are split over workgroups, give what the CPU gives, whatever else attention does."""
import json
import os
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments, expect

KEYS = (0, 1, 5, 64, 65, 300)
t = Tools(arguments())
rng = np.random.default_rng(23)


def model(b, h, g, m, d, e, element, everything):
    """Heads h that share g heads of keys; with `everything` keys that are hidden in all ways, a bias, sinks and results besides the output."""
    tensor = lambda *dims: f"tensor<{'x'.join(map(str, dims))}x{element}>"
    score = "f64" if element == "f64" else "f32"
    q, k, v, o, rows = tensor(b, h, m, d), tensor(b, g, "?", d), tensor(b, g, "?", e), tensor(b, h, m, e), f"tensor<{b}x{h}x{m}x{score}>"
    named = lambda name, dims: f"{{exec.name = \"{name}\", exec.dims = [{', '.join(map(json.dumps, dims))}]}}"
    inputs = {"q": (q, (b, h, m, d)), "k": (k, (b, g, "n", d)), "v": (v, (b, g, "n", e))}
    if everything:
        inputs |= {"bias": (f"tensor<{h}x?x{score}>", (h, "n")), "lengths": (f"tensor<{b}xi64>", (b,)), "offset": (f"tensor<{b}xi64>", (b,)), "sinks": (f"tensor<{h}x{score}>", (h,))}
    results = {"out": (o, (b, h, m, e))} | ({"lse": (rows, (b, h, m)), "top": (rows, (b, h, m))} if everything else {})
    types = ", ".join(kind for kind, _ in results.values())
    operands = f"ins(%q, %k, %v : {q}, {k}, {v})"
    if everything:
        operands += f" captures(%bias : {inputs['bias'][0]}) lengths(%lengths : tensor<{b}xi64>) offset(%offset : tensor<{b}xi64>) sinks(%sinks : {inputs['sinks'][0]})"
    attributes = ["scale = 0.25 : f64"] + ([
        "causal = #attn.causal<top_left>", "window = array<i64: 150, 9>", "empty_rows = #attn.empty_rows<nan>", "extras = [#attn.extra<lse>, #attn.extra<row_max>]",
        "capture_maps = [affine_map<(b, h, i, j) -> (h, j)>]"] if everything else [])
    region = f"""score {{
      ^bb0(%s: {score}, %rb: index, %rh: index, %ri: index, %rj: index, %x: {score}):
        %r = arith.addf %s, %x : {score}
        attn.yield %r : {score}
      }}""" if everything else ""
    empty = "\n".join(f"  %e_{n} = tensor.empty() : {kind}" for n, (kind, _) in results.items())
    return f"""func.func @main({', '.join(f'%{n}: {kind} {named(n, dims)}' for n, (kind, dims) in inputs.items())}) -> ({', '.join(f'{kind} {named(n, dims)}' for n, (kind, dims) in results.items())}) {{
{empty}
  %y:{len(results)} = attn.attention {operands} outs({', '.join(f'%e_{n}' for n in results)} : {types}) {{{', '.join(attributes)}}} {region} -> {types}
  return {', '.join(f'%y#{n}' for n in range(len(results)))} : {types}
}}
"""


def data(b, h, g, m, d, e, element, everything, n):
    """What no query sees is NaN; a value that each sees is infinite now and then."""
    kind, score = dict(f16=np.float16, f32=np.float32, f64=np.float64)[element], np.float64 if element == "f64" else np.float32
    normal = lambda *dims: rng.standard_normal(dims).astype(kind)
    arrays = dict(q=normal(b, h, m, d), k=normal(b, g, n, d), v=normal(b, g, n, e))
    if n > 4:
        arrays["v"][0, :, n - 1 if n % 2 else 3, 2] = np.inf
    if everything:
        lengths = np.array([n, n // 2][:b])
        for row, length in enumerate(lengths):
            arrays["k"][row, :, length:], arrays["v"][row, :, length:] = np.nan, np.nan
        # The last query sees all keys but the first ones, or none.
        offset = lengths - m + np.array([0, 300 if n == 64 else 0][:b])
        arrays |= dict(bias=rng.standard_normal((h, n)).astype(score), lengths=lengths, offset=offset, sinks=rng.standard_normal(h).astype(score))
    return arrays


def check(name, form, workgroup, threads, tolerance=()):
    with open(t.path(name + ".mlir"), "w") as file:
        file.write(model(**form))
    t.compile(name + ".mlir", "--target=cpu", "-o", "cpu.fovea")
    for n in KEYS:
        np.savez(t.path(f"in{n}.npz"), **data(**form, n=n))
        t.run("fovea-run", "cpu.fovea", "--inputs", f"in{n}.npz", "--outputs", f"out{n}.npz")
    for lowering, schedules in (("attention-workgroup", workgroup), ("attention-threads", threads)):
        for schedule in schedules:
            t.compile(name + ".mlir", "--target=vulkan", "--vulkan-variants=portable", f"--lowering={lowering}", "-o", "vulkan.fovea",
                      *([f"--schedule={lowering}:{schedule}"] if schedule else []))
            kinds = {shader["kind"] for shader in json.loads(t.run("fovea-inspect", "vulkan.fovea", "--json").stdout)["shaders"]}
            expect(kinds == {lowering}, f"shaders of {lowering}, got {kinds}")
            for n in KEYS:
                t.run("fovea-run", "vulkan.fovea", "--inputs", f"in{n}.npz", "--expect", f"out{n}.npz", "--device=vulkan", *tolerance)


form = lambda b, h, g, m, d, e, element="f32", everything=False: dict(b=b, h=h, g=g, m=m, d=d, e=e, element=element, everything=everything)
check("plain", form(1, 8, 2, 1, 64, 64), ("", "heads=2,parts=3", "group=16,sharers=8,heads=1,parts=1"), ("group=1,rows=1,keys=4,arrays=1,uniform=1,parts=2", "group=4,heads=4,parts=5"))
check("odd", form(2, 3, 3, 3, 7, 33), ("group=16,parts=2",), ("group=8,rows=2,keys=3,parts=3",))
check("by-four", form(1, 4, 2, 2, 24, 20), ("group=8,sharers=2,heads=2,parts=64",), ("heads=2,group=3,keys=5,uniform=1,parts=1",))
everything = form(2, 4, 2, 2, 16, 12, everything=True)
check("everything", everything, ("group=128,heads=2,sharers=4,parts=1", "group=8,heads=1,parts=7"), ("heads=2,keys=3,parts=4,arrays=1,uniform=1", "heads=2,group=2,rows=2,parts=1"))
check("halves", form(1, 2, 1, 1, 32, 10, element="f16", everything=True), ("parts=2",), ("parts=2",), ("--rtol=1e-2", "--atol=1e-2"))
check("doubles", form(1, 2, 1, 1, 8, 6, element="f64", everything=True), ("heads=2,parts=2",), ("heads=2,parts=2",), ("--rtol=1e-9", "--atol=1e-9"))

# One query goes over its keys in that way without being asked for; more of them, or results that hold scores, do not.
for queries, variant, wanted in ((1, "portable", "attention-workgroup"), (1, "cpu", "attention-threads"), (40, "portable", "attention-threads")):
    with open(t.path("chosen.mlir"), "w") as file:
        file.write(model(**form(1, 8, 2, queries, 64, 64)))
    said = t.compile("chosen.mlir", "--target=vulkan", f"--vulkan-variants={variant}", "-o", "chosen.fovea", "--explain").stdout
    expect(f"{wanted}_0" in said, f"{wanted} for {queries} queries, {variant}, got {said}")
for lowering, schedule, why in (("workgroup", "heads=3", "4 heads that share keys"), ("workgroup", "group=48", "no power of two"), ("workgroup", "group=8", "more columns than four"),
                                ("workgroup", "group=128,heads=4,sharers=8", "shared memory"), ("workgroup", "heads=4,sharers=1", "stay in registers"), ("workgroup", "sharers=3", "four columns each"),
                                ("workgroup", "parts=65", "from 1 to 64"), ("threads", "heads=3", "4 heads that share keys")):
    said = t.compile("plain.mlir", "--target=vulkan", f"--lowering=attention-{lowering}", f"--schedule=attention-{lowering}:{schedule}", "-o", "none.fovea", code=1).stderr
    expect("--schedule: " in said and why in said, f"why not {schedule}, got {said}")
print("few queries agree with the CPU")
