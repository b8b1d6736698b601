"""Tiles that the compiler does not choose by itself give what the CPU gives: rows in registers or in arrays, several rows an invocation, sizes that no tile divides."""
import json
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments, expect

ATTENTION = ("group=64,rows=1,keys=2,arrays=0", "group=16,rows=2,keys=2,arrays=0,shared=4", "group=8,rows=3,keys=3,arrays=1,shared=9", "group=4,rows=3,keys=3,arrays=0", "group=8,rows=8,keys=4,arrays=1")
PRODUCT = ("rows=3,columns=4", "rows=32,columns=1")
# Of a workgroup's tile: what is chosen; as on large matrices; all that shared memory holds; odd ones.
TILES = (None, "rows=64,columns=64", "rows=32,columns=64,terms=32", "rows=12,columns=20,terms=8,group=15", "rows=128,columns=16,terms=4,group=32")

t = Tools(arguments())
rng = np.random.default_rng(17)


def check(name, node, inputs, output, schedules, *flags):
    """`inputs`: name -> dims as declared and the array. Compares each schedule, and none, with the CPU."""
    declared = [helper.make_tensor_value_info(n, TensorProto.FLOAT, dims) for n, (dims, _) in inputs.items()]
    graph = helper.make_graph([node], name, declared, [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)])
    with open(t.path(name + ".onnx"), "wb") as file:
        file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10).SerializeToString())
    np.savez(t.path("in.npz"), **{n: array for n, (_, array) in inputs.items()})
    t.compile(name + ".onnx", "--target=cpu", "-o", "cpu.fovea")
    t.run("fovea-run", "cpu.fovea", "--inputs", "in.npz", "--outputs", "out.npz")
    for schedule in (None, *schedules):
        t.compile(name + ".onnx", "--target=vulkan", "-o", "vulkan.fovea", *flags, *([f"--schedule=*:{schedule}"] if schedule else []))
        t.run("fovea-run", "vulkan.fovea", "--inputs", "in.npz", "--expect", "out.npz", "--device=vulkan")


def heads(queries, keys, columns, symbolic, **attributes):
    """Attention in groups of two heads."""
    shapes = dict(q=(1, 4, queries, columns), k=(1, 2, keys, columns), v=(1, 2, keys, columns))
    arrays = {n: rng.standard_normal(s, dtype=np.float32) for n, s in shapes.items()}
    dims = {n: [1, s[1], "m" if n == "q" else "n", columns] if symbolic else s for n, s in shapes.items()}
    node = helper.make_node("Attention", list(shapes), ["y"], **attributes)
    return node, {n: (dims[n], arrays[n]) for n in shapes}, dims["q"]


def hidden(node, inputs, output):
    """The same with a last key that is NaN in all its columns: rows that see it become NaN, others do not."""
    for name in ("k", "v"):
        inputs[name][1][:, :, -1] = np.nan
    return node, inputs, output


check("full", *heads(37, 45, 16, False), ATTENTION)
check("odd", *heads(21, 9, 7, True), ATTENTION)
check("causal", *hidden(*heads(50, 50, 8, True, is_causal=1)), ATTENTION)
check("one-key", *heads(20, 1, 4, False), ATTENTION)
for name, m, k, n in (("by-four", 20, 24, 68), ("products", 35, 13, 70)):
    inputs = dict(a=((m, k), rng.standard_normal((m, k), dtype=np.float32)), b=((k, n), rng.standard_normal((k, n), dtype=np.float32)))
    check(name, helper.make_node("MatMul", ["a", "b"], ["y"]), inputs, (m, n), PRODUCT, "--lowering=matmul-threads")


def tiles(name, nodes, dims, sets, schedules, weights={}, tolerance=()):
    """Compares a product in shared memory with the CPU for several sets of inputs."""
    kind = helper.np_dtype_to_tensor_dtype(next(iter(sets[0].values())).dtype)
    declared = [helper.make_tensor_value_info(n, kind, d) for n, d in dims.items()]
    graph = helper.make_graph(nodes, name, declared, [helper.make_tensor_value_info("y", kind, None)], [numpy_helper.from_array(w, n) for n, w in weights.items()])
    with open(t.path(name + ".onnx"), "wb") as file:
        file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10).SerializeToString())
    t.compile(name + ".onnx", "--target=cpu", "-o", "cpu.fovea")
    for number, arrays in enumerate(sets):
        np.savez(t.path(f"in{number}.npz"), **arrays)
        t.run("fovea-run", "cpu.fovea", "--inputs", f"in{number}.npz", "--outputs", f"out{number}.npz")
    for schedule in schedules:
        t.compile(name + ".onnx", "--target=vulkan", "--vulkan-variants=portable", "--lowering=matmul-workgroup", "-o", "vulkan.fovea",
                  *([f"--schedule=matmul-workgroup:{schedule}"] if schedule else []))
        shaders = [shader["kind"] for shader in json.loads(t.run("fovea-inspect", "vulkan.fovea", "--json").stdout)["shaders"]]
        expect("matmul-workgroup" in shaders, f"a product of a workgroup in {name}, got {shaders}")
        for number in range(len(sets)):
            t.run("fovea-run", "vulkan.fovea", "--inputs", f"in{number}.npz", "--expect", f"out{number}.npz", "--device=vulkan", *tolerance)


def normal(*shape, dtype=np.float32):
    return rng.standard_normal(shape).astype(dtype)


def edges(x, y):
    """With what may not leave its rows and columns: NaN in the first ones of a next tile, infinities in the last term, where zeros that follow would make NaN of them."""
    for at in (12, 32, 64):
        if at < x.shape[-2]:
            x[..., at, :] = np.nan
        if at < y.shape[-1]:
            y[..., :, at] = np.nan
    x[..., 1, -1] = np.inf
    y[..., -1, 2] = -np.inf
    return dict(a=x, b=y)


product = [helper.make_node("MatMul", ["a", "b"], ["y"])]
tiles("tiles", product, dict(a=(70, 52), b=(52, 132)), [dict(a=normal(70, 52), b=normal(52, 132)), edges(normal(70, 52), normal(52, 132))], TILES)
tiles("tiles-whole", product, dict(a=(128, 64), b=(64, 64)), [edges(normal(128, 64), normal(64, 64))], TILES[1:2])
tiles("tiles-odd", product, dict(a=(35, 13), b=(13, 70)), [edges(normal(35, 13), normal(13, 70))], TILES[3:])
sizes = ((33, 17, 41), (1, 40, 3), (70, 1, 66), (5, 0, 9), (0, 3, 4), (3, 4, 0), (130, 32, 20))
tiles("tiles-dynamic", product, dict(a=("m", "k"), b=("k", "n")), [dict(a=normal(m, k), b=normal(k, n)) for m, k, n in sizes] + [edges(normal(70, 35), normal(35, 70))], TILES[:2])
# Batches, some of which share an operand; the first one is next to one of NaN.
batches = dict(a=normal(2, 3, 21, 19), b=normal(3, 19, 37))
batches["a"][1, 1], batches["b"][2] = np.nan, np.inf
tiles("tiles-batches", product, dict(a=(2, 3, 21, "k"), b=(3, "k", 37)), [batches], TILES[1:2])
tiles("tiles-rows", product, dict(a=("b", "m", 20), b=(20, 36)), [dict(a=normal(3, 11, 20), b=normal(20, 36))], TILES[3:4])
# Operands that lie the other way round, and with elements that are not neighbours either way.
for equation, a, b in (("km,kn->mn", (24, 36), (24, 40)), ("mk,nk->mn", (36, 24), (40, 24)), ("km,nk->mn", (11, 37), (41, 11)), ("kbm,nbk->bmn", (9, 2, 18), (34, 2, 9)), ("mkb,bkn->bmn", (18, 9, 2), (2, 9, 34)),
                       ("mk,k->m", (40, 36), (36,))):
    tiles("tiles-" + equation.replace(",", "-").replace("->", "-"), [helper.make_node("Einsum", ["a", "b"], ["y"], equation=equation)], dict(a=a, b=b),
          [dict(a=normal(*a), b=normal(*b))], TILES[3:4])
for dtype, tolerance in ((np.float16, ("--rtol=1e-2", "--atol=1e-2")), (np.float64, ())):
    tiles("tiles-" + np.dtype(dtype).name, product, dict(a=(38, "k"), b=("k", 66)), [dict(a=normal(38, k, dtype=dtype), b=normal(k, 66, dtype=dtype)) for k in (1, 21, 32)],
          (TILES[0], TILES[3]), tolerance=tolerance)
# What follows the sums, at the end a normalisation of rows.
nodes = [helper.make_node("MatMul", ["a", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["q"]), helper.make_node("Gelu", ["q"], ["r"]), helper.make_node("Add", ["r", "x"], ["s"]),
         helper.make_node("LayerNormalization", ["s", "scale", "shift"], ["y"], axis=-1)]
weights = dict(w=normal(48, 72) / 7, b=normal(72), scale=normal(72), shift=normal(72))
tiles("tiles-layer", nodes, dict(a=("m", 48), x=("m", 72)), [dict(a=normal(m, 48), x=normal(m, 72)) for m in (1, 67)], TILES[:2], weights, ("--rtol=1e-4", "--atol=1e-5"))

# A matrix of enough rows, columns and terms is done so without being asked for on a GPU, others are not.
for m, k, n, kind in ((128, 64, 128, "workgroup"), (1, 512, 512, "threads"), (128, 64, 1, "threads"), (128, 4, 128, "threads")):
    values = [helper.make_tensor_value_info(v, TensorProto.FLOAT, d) for v, d in (("a", (m, k)), ("b", (k, n)), ("y", (m, n)))]
    with open(t.path("chosen.onnx"), "wb") as file:
        model = helper.make_model(helper.make_graph(product, "chosen", values[:2], values[2:]), opset_imports=[helper.make_opsetid("", 23)], ir_version=10)
        file.write(model.SerializeToString())
    for variant in ("portable", "cpu"):
        wanted = "matmul-" + (kind if variant == "portable" else "threads")
        said = t.compile("chosen.onnx", "--target=vulkan", f"--vulkan-variants={variant}", "-o", "chosen.fovea", "--explain").stdout
        expect(f"{wanted}_0" in said, f"{wanted} for {m} x {k} x {n}, {variant}, got {said}")
for schedule, why in (("rows=64,columns=64,terms=32", "bytes of shared memory"), ("rows=64,columns=64,group=60", "no 60 invocations"), ("columns=6", "a multiple of 4"),
                      ("group=256", "from 1 to 128"), ("rows=128,columns=128", "no 128 invocations")):
    said = t.compile("tiles.onnx", "--target=vulkan", "--lowering=matmul-workgroup", f"--schedule=matmul-workgroup:{schedule}", "-o", "none.fovea", code=1).stderr
    expect("--schedule: " in said and why in said, f"why not {schedule}, got {said}")
print("all schedules agree with the CPU")
