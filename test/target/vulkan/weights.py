"""Weights lie in panels, which all variants of both targets read: an artifact has them once. Columns that fill no panel, one row, sums of f32 from f16, windows."""
import json
import os
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments, expect

t = Tools(arguments())
rng = np.random.default_rng(29)


def weight_bytes(artifact):
    sections = json.loads(t.run("fovea-inspect", artifact, "--json").stdout)["sections"]
    return sum(section["bytes"] for section in sections if section["kind"] == "weights")


def check(rows, terms, columns, dtype, *options):
    """`rows` is symbolic. Compares both kinds of device with the CPU."""
    x, w = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, terms), (terms, columns)))
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    declared = [helper.make_tensor_value_info(name, element, ["rows", size]) for name, size in (("x", terms), ("y", columns))]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "product", declared[:1], declared[1:], [numpy_helper.from_array(w, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), t.path("product.onnx"))
    np.savez(t.path("in.npz"), x=x)
    t.compile("product.onnx", "--target=cpu", "-o", "cpu.fovea")
    t.run("fovea-run", "cpu.fovea", "--inputs", "in.npz", "--outputs", "out.npz")
    for variants in ("portable", "portable,cpu"):
        t.compile("product.onnx", "--target=cpu,vulkan", f"--vulkan-variants={variants}", "-o", "both.fovea", *options)
        alone, both = weight_bytes("cpu.fovea"), weight_bytes("both.fovea")
        expect(0 < alone == both, f"a weight of {terms} x {columns} to be there once, got {both} bytes and {alone} for the CPU alone")
        t.run("fovea-run", "both.fovea", "--inputs", "in.npz", "--expect", "out.npz", "--device=vulkan", *(["--rtol=3e-3", "--atol=3e-3"] if dtype == np.float16 else []))


for shape in ((35, 13, 70), (5, 40, 1), (3, 7, 9), (64, 96, 144), (1, 300, 130), (20, 1, 33), (5, 24, 601)):
    check(*shape, np.float32)
for shape in ((33, 24, 50), (2, 5, 3), (5, 24, 601)):
    check(*shape, np.float16)
# The panels of 70 columns have 128, more bytes than the matrix: the last ones are in a window of their own.
check(35, 13, 70, np.float32, "--vulkan-max-buffer-bytes=3584")
print("weights are there once, and right")
