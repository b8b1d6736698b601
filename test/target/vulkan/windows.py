"""Tensors that are larger than a binding may be (--vulkan-max-buffer-bytes) are bound in windows and give what the CPU gives: read and written, words and parts of words."""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments, expect

t = Tools(arguments())
rng = np.random.default_rng(23)


def model(name, node, inputs, shape, dtype):
    values = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()]
    graph = helper.make_graph([node], name, values, [helper.make_tensor_value_info("y", dtype, shape)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10), t.path(name + ".onnx"))


def check(name, node, inputs, shape, dtype, most):
    """With bindings of `most` bytes, for each kind of device."""
    model(name, node, inputs, shape, dtype)
    np.savez(t.path("in.npz"), **inputs)
    t.compile(name + ".onnx", "--target=cpu", "-o", "cpu.fovea")
    t.run("fovea-run", "cpu.fovea", "--inputs", "in.npz", "--outputs", "out.npz")
    for variant in ("portable", "cpu"):
        t.compile(name + ".onnx", "--target=vulkan", f"--vulkan-variants={variant}", f"--vulkan-max-buffer-bytes={most}", "-o", "vulkan.fovea", "--explain=report.json")
        with open(t.path("report.json")) as file:
            expect('"binding_bytes"' in file.read(), f"{name}: windows in the schedule")
        t.run("fovea-run", "vulkan.fovea", "--inputs", "in.npz", "--expect", "out.npz", "--device=vulkan")


normal = lambda *shape: rng.standard_normal(shape, dtype=np.float32)
numbers = lambda *shape: rng.integers(-2**40, 2**40, shape)
F32, F16, I64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64
check("product", helper.make_node("MatMul", ["a", "b"], ["y"]), dict(a=normal(20, 24), b=normal(24, 68)), (20, 68), F32, 2816)
check("odd-product", helper.make_node("MatMul", ["a", "b"], ["y"]), dict(a=normal(35, 13), b=normal(13, 70)), (35, 70), F32, 4096)
check("rows", helper.make_node("Gather", ["table", "at"], ["y"]), dict(table=normal(100, 7), at=rng.integers(-100, 100, (9,))), (9, 7), F32, 1024)
check("halves", helper.make_node("Add", ["a", "b"], ["y"]), dict(a=normal(7, 143).astype(np.float16), b=normal(7, 143).astype(np.float16)), (7, 143), F16, 1024)
check("longs", helper.make_node("Sub", ["a", "b"], ["y"]), dict(a=numbers(201), b=numbers(201)), (201,), I64, 1024)
check("softmax", helper.make_node("Softmax", ["a"], ["y"], axis=-1), dict(a=normal(9, 301)), (9, 301), F32, 3584)
heads = dict(q=normal(1, 2, 20, 16), k=normal(1, 2, 20, 16), v=normal(1, 2, 20, 16))
check("attention", helper.make_node("Attention", list(heads), ["y"], is_causal=1), heads, (1, 2, 20, 16), F32, 1536)

# What cannot be is one clear error.
said = t.compile("product.onnx", "--target=vulkan", "--vulkan-max-buffer-bytes=256", "-o", "no.fovea", code=2).stderr
expect("windows, and a shader binds 8 at most; a larger --vulkan-max-buffer-bytes takes fewer" in said, f"too many windows, got {said}")
for bad in (0, 100, 2**31):
    said = t.compile("product.onnx", "--target=vulkan", f"--vulkan-max-buffer-bytes={bad}", "-o", "no.fovea", code=1).stderr
    expect(f"expected a multiple of 256 from 256 to 2147483392, got {bad}" in said, f"a wrong size, got {said}")
expect(not os.path.exists(t.path("no.fovea")), "no artifact")
print("windows give what the CPU gives")
