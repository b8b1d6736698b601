"""Tiles that the compiler does not choose by itself give what the CPU gives: rows in registers or in arrays, several rows an invocation, sizes that no tile divides."""
import os
import sys

import numpy as np
from onnx import TensorProto, helper

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments

ATTENTION = ("group=64,rows=1,keys=2,arrays=0", "group=4,rows=3,keys=3,arrays=0", "group=8,rows=8,keys=4,arrays=1")
PRODUCT = ("rows=3,columns=4", "rows=32,columns=1")

t = Tools(arguments())
rng = np.random.default_rng(17)


def check(name, node, inputs, output, schedules):
    """`inputs`: name -> dims as declared and the array. Compares each schedule, and none, with the CPU."""
    declared = [helper.make_tensor_value_info(n, TensorProto.FLOAT, dims) for n, (dims, _) in inputs.items()]
    graph = helper.make_graph([node], name, declared, [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)])
    with open(t.path(name + ".onnx"), "wb") as file:
        file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10).SerializeToString())
    np.savez(t.path("in.npz"), **{n: array for n, (_, array) in inputs.items()})
    t.compile(name + ".onnx", "--target=cpu", "-o", "cpu.fovea")
    t.run("fovea-run", "cpu.fovea", "--inputs", "in.npz", "--outputs", "out.npz")
    for schedule in (None, *schedules):
        t.compile(name + ".onnx", "--target=vulkan", "-o", "vulkan.fovea", *([f"--schedule=*:{schedule}"] if schedule else []))
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
    check(name, helper.make_node("MatMul", ["a", "b"], ["y"]), inputs, (m, n), PRODUCT)
print("all schedules agree with the CPU")
