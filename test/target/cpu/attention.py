"""Attention with a state, and attention whose keys are split over tasks, from MLIR to numbers: against the reference evaluator."""
import os, sys
import numpy as np
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments, expect, same

t = Tools(arguments())
rng = np.random.default_rng(7)


def tensor(dims, element):
    return "tensor<" + "x".join("?" if isinstance(d, str) else str(d) for d in dims) + f"x{element}>"


def function(body, element="f32", **inputs):
    """A program: each input has dims, numbers or names; the body returns."""
    arguments = ", ".join(f"%{name}: {tensor(dims, element)} {{exec.dims = [{', '.join(repr(d) for d in dims)}]}}".replace("'", '"')
                          for name, dims in inputs.items())
    outputs = body.rsplit(":", 1)[1].strip()
    return f"func.func @main({arguments}) -> ({outputs}) {{\n{body}\n}}\n"


def check(name, source, sizes, inputs, dtype="f4", flags=()):
    """Compiles, then compares with the reference at each tuple of sizes; the inputs, and what --explain says."""
    path = t.path(name + ".mlir")
    with open(path, "w") as file:
        file.write(source)
    explained = ""
    for values in sizes:
        arrays = {}
        for i, (key, dims) in enumerate(inputs.items()):
            shape = [values[d] if isinstance(d, str) else d for d in dims]
            x = rng.standard_normal(shape).astype(dtype)
            arrays[f"input{i}"] = np.abs(x) if key == "s" else x
        np.savez(t.path("in.npz"), **arrays)
        done = t.compile(path, "-o", t.path(name + ".fovea"), f"--check={t.path('in.npz')}", "--explain", *flags)
        explained = done.stdout + done.stderr
        # The number of threads changes nothing.
        for threads in (1, 3):
            t.run("fovea-run", t.path(name + ".fovea"), "--inputs", t.path("in.npz"), "--outputs", t.path(f"out{threads}.npz"), "--threads", threads)
        one, three = np.load(t.path("out1.npz")), np.load(t.path("out3.npz"))
        expect(all(one[k].tobytes() == three[k].tobytes() for k in one), f"{name} {values}: one thread and three alike")
    return explained


def online(key, value, state, types, offset, keys, attributes="", captures="", region=""):
    q, k, v, m, a = types
    return (f"attn.online_attention ins(%q, {key}, {value} : {q}, {k}, {v}){captures} block({offset} of {keys}) outs({state} : {m}, {m}, {a})\n"
            f"    {{scale = 0.25{attributes}}}{region} -> {m}, {m}, {a}")


# One block of all: the offset is the number of batches, so that it is not known before the run.
for element, dtype in (("f32", "f4"), ("f64", "f8")):
    dims = dict(q=["B", 4, "M", 20], k=["B", 2, "T", 20], v=["B", 2, "T", 7], m=["B", 4, "M"], s=["B", 4, "M"], a=["B", 4, "M", 7], mask=["M", "N"])
    types = [tensor(dims[n], element) for n in "qkvma"]
    mask = tensor(dims["mask"], element)
    region = f""" score {{
    ^bb0(%x: {element}, %b: index, %h: index, %i: index, %j: index, %c: {element}):
      %y = arith.addf %x, %c : {element}
      attn.yield %y : {element}
    }}"""
    block = online("%k", "%v", "%m, %s, %a", types, "%offset", "%keys",
                   ", causal = #attn.causal<bottom_right>, window = array<i64: 30, -1>, capture_maps = [affine_map<(b, h, i, j) -> (i, j)>]",
                   f" captures(%mask : {mask})", region)
    body = f"""  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %offset = tensor.dim %q, %c0 : {types[0]}
  %keys = tensor.dim %mask, %c1 : {mask}
  %0:3 = {block}
  return %0#0, %0#1, %0#2 : {types[3]}, {types[3]}, {types[4]}"""
    sizes = [dict(B=b, M=m, T=n, N=all) for b, m, n, all in ((2, 3, 5, 40), (1, 1, 1, 1), (3, 17, 33, 36), (1, 2, 90, 50), (2, 4, 0, 9), (2, 0, 3, 9))]
    said = check(f"block-{element}", function(body, element, **dims), sizes, dims, dtype)
    expect("attention-general" in said, f"the lowering that knows a state, got {said}")

# Two blocks from nothing on, and the quotient: what attention over both is.
dims = dict(q=["B", 6, 5, 16], k=["B", 3, "N", 16], v=["B", 3, "N", 24])
q, k, v = (tensor(dims[n], "f32") for n in "qkv")
half, vhalf, m, a = (tensor(d, "f32") for d in (["B", 3, 11, 16], ["B", 3, 11, 24], ["B", 6, 5], ["B", 6, 5, 24]))
rest, vrest = tensor(["B", 3, "R", 16], "f32"), tensor(["B", 3, "R", 24], "f32")
body = f"""  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : {q}
  %n = tensor.dim %k, %c2 : {k}
  %c11 = arith.constant 11 : index
  %r = arith.subi %n, %c11 : index
  %low = arith.constant 0xFF800000 : f32
  %none = arith.constant 0.0 : f32
  %me = tensor.empty(%b) : {m}
  %ae = tensor.empty(%b) : {a}
  %m0 = linalg.fill ins(%low : f32) outs(%me : {m}) -> {m}
  %s0 = linalg.fill ins(%none : f32) outs(%me : {m}) -> {m}
  %a0 = linalg.fill ins(%none : f32) outs(%ae : {a}) -> {a}
  %k1 = tensor.extract_slice %k[0, 0, 0, 0] [%b, 3, 11, 16] [1, 1, 1, 1] : {k} to {half}
  %v1 = tensor.extract_slice %v[0, 0, 0, 0] [%b, 3, 11, 24] [1, 1, 1, 1] : {v} to {vhalf}
  %k2 = tensor.extract_slice %k[0, 0, 11, 0] [%b, 3, %r, 16] [1, 1, 1, 1] : {k} to {rest}
  %v2 = tensor.extract_slice %v[0, 0, 11, 0] [%b, 3, %r, 24] [1, 1, 1, 1] : {v} to {vrest}
  %1:3 = {online("%k1", "%v1", "%m0, %s0, %a0", (q, half, vhalf, m, a), "%c0", "%n", ", causal = #attn.causal<bottom_right>")}
  %2:3 = {online("%k2", "%v2", "%1#0, %1#1, %1#2", (q, rest, vrest, m, a), "%c11", "%n", ", causal = #attn.causal<bottom_right>")}
  %out = linalg.generic {{indexing_maps = [affine_map<(b, h, i, e) -> (b, h, i, e)>, affine_map<(b, h, i, e) -> (b, h, i)>, affine_map<(b, h, i, e) -> (b, h, i, e)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]}} ins(%2#2, %2#1 : {a}, {m}) outs(%ae : {a}) {{
  ^bb0(%x: f32, %s: f32, %o: f32):
    %y = arith.divf %x, %s : f32
    linalg.yield %y : f32
  }} -> {a}
  return %out : {a}"""
check("two-blocks", function(body, **dims), [dict(B=b, N=n) for b, n in ((1, 16), (2, 40), (1, 300))], dims)

# Decoding: few rows, many keys. The parts do not depend on the keys' number, and there may be fewer keys than parts.
dims = dict(q=["B", 4, 1, 32], k=["B", 2, "N", 32], v=["B", 2, "N", 20])
q, k, v, o = (tensor(d, "f32") for d in (*dims.values(), ["B", 4, 1, 20]))
for empty in ("zero", "nan"):
    body = f"""  %c0 = arith.constant 0 : index
  %b = tensor.dim %q, %c0 : {q}
  %e = tensor.empty(%b) : {o}
  %out = attn.attention ins(%q, %k, %v : {q}, {k}, {v}) outs(%e : {o}) {{scale = 0.25, empty_rows = #attn.empty_rows<{empty}>}} -> {o}
  return %out : {o}"""
    sizes = [dict(B=b, N=n) for b, n in ((1, 0), (1, 1), (3, 63), (2, 65), (1, 1000), (2, 5003))]
    said = check(f"decode-{empty}", function(body, **dims), sizes, dims, flags=["--require-fused"])
    expect("attention-general parts=16" in said, f"16 parts, got {said}")
# A dump goes on to the same artifact, scratch memory and all.
t.compile(t.path("decode-nan.mlir"), f"--dump-phases={t.path('dump')}", "-o", t.path("whole.fovea"))
tile = next(f for f in sorted(os.listdir(t.path("dump"))) if "tile" in f)
t.compile(os.path.join(t.path("dump"), tile), "-o", t.path("resumed.fovea"))
expect(same(t.path("whole.fovea"), t.path("resumed.fovea")), "the same artifact from the dump of the tile phase")
