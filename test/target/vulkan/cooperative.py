"""Products of f16 by cooperative matrices, on the one driver without a GPU that has them: values, SPIR-V, the validation layer, the choice of the variant.

    cooperative.py --bin DIR --drivers DIR --models DIR --work DIR
"""
import argparse
import glob
import json
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from drivers import Validation, launcher, manifest
from harness import Tools, expect

DRIVER, VARIANT = "lavapipe-26", "cooperative-8x8x8-8"
parser = argparse.ArgumentParser()
for name in ("--bin", "--drivers", "--models", "--work"):
    parser.add_argument(name, required=True, type=os.path.abspath)
args = parser.parse_args()
os.makedirs(args.work, exist_ok=True)
t = Tools(args)
rng = np.random.default_rng(23)


def half(*shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float16)


def save(name, nodes, inputs, output, weights):
    """`inputs`: name -> shape as declared; of f16. `output`: its shape."""
    declared = [helper.make_tensor_value_info(n, TensorProto.FLOAT16, shape) for n, shape in inputs.items()]
    graph = helper.make_graph(nodes, name, declared, [helper.make_tensor_value_info("y", TensorProto.FLOAT16, output)],
                              [numpy_helper.from_array(w, n) for n, w in weights.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), t.path(name + ".onnx"))


def run(name, driver=DRIVER, environment=None):
    """Runs the model's artifact on the inputs beside it, against what is expected of it; the variant that was chosen."""
    command = [*launcher(driver, args.drivers), os.path.join(args.bin, "fovea-run"), name + ".fovea", "--device=vulkan", "--inputs", name + ".npz",
               "--expect", name + "-expected.npz", "--rtol=3e-3", "--atol=3e-3", f"--profile={name}.json"]
    done = subprocess.run(command, cwd=args.work, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "VK_DRIVER_FILES": manifest(driver, args.drivers), **(environment or {})})
    expect(done.returncode == 0, f"{name} on {driver} to be right: {done.stdout}{done.stderr}")
    with open(t.path(name + ".json")) as file:
        return json.load(file)


def check(name, inputs, expected=None, wants="_sums", *options):
    """Compiles and runs it. What is expected is what the CPU gives, and `expected` of numpy in f32."""
    t.compile(name + ".onnx", "--target=cpu,vulkan", f"--vulkan-variants=portable,{VARIANT}", "--lowering=matmul-cooperative", "-o", name + ".fovea", *options)
    np.savez(t.path(name + ".npz"), **inputs)
    t.run("fovea-run", name + ".fovea", "--inputs", name + ".npz", "--outputs", name + "-expected.npz")
    if expected is not None:
        with np.load(t.path(name + "-expected.npz")) as z:
            expect(np.allclose(z["y"].astype(np.float32), expected, rtol=3e-3, atol=3e-3), f"{name} to be right on the CPU")
    profile = run(name)
    expect(profile["variant"] == VARIANT, f"the variant {VARIANT} of {name}, got {profile['variant']}")
    kernels = [line["kernel"] for line in profile["dispatches"]]
    empty = expected is not None and not expected.size
    expect(empty or any(kernel.endswith(wants) and "cooperative" in kernel for kernel in kernels), f"{wants} among {kernels} of {name}")


def product(rows, columns, terms, declared_rows="rows", transposed=False):
    """A product with a weight."""
    name = f"product-{rows}-{columns}-{terms}{'-transposed' if transposed else ''}"
    w, x = half(terms, columns, scale=terms ** -0.5), half(rows, terms)
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)] if transposed else [helper.make_node("MatMul", ["x", "w"], ["y"])]
    save(name, nodes, dict(x=[declared_rows, terms]), [declared_rows, columns], dict(w=np.ascontiguousarray(w.T) if transposed else w))
    check(name, dict(x=x), x.astype(np.float32) @ w.astype(np.float32))
    return name


# One matrix, parts of one, many; in place and packed; large enough for blocks, with remainders of matrices, blocks and words.
for shape in ((8, 8, 8), (1, 9, 1), (3, 5, 7), (16, 16, 16), (17, 23, 31), (64, 48, 72), (33, 40, 64), (7, 64, 24), (100, 65, 8), (0, 16, 16)):
    product(*shape)
product(24, 16, 32, declared_rows=24)
product(13, 24, 40, transposed=True)
product(13, 21, 35, transposed=True)

# Both operands are inputs, with batches; sizes are known at run time only.
save("batches", [helper.make_node("MatMul", ["a", "b"], ["y"])], dict(a=["b", 2, "m", "k"], b=["b", 2, "k", "n"]), ["b", 2, "m", "n"], {})
for b, m, n, k in ((1, 9, 10, 11), (3, 16, 8, 24), (2, 1, 33, 5), (0, 4, 4, 4), (1, 4, 4, 0), (2, 0, 3, 3)):
    x, y = half(b, 2, m, k), half(b, 2, k, n, scale=0.3)
    check("batches", dict(a=x, b=y), x.astype(np.float32) @ y.astype(np.float32))

# What follows the sums, in the same kernel.
for rows, width in ((19, 40), (16, 27)):
    weights = dict(w=half(32, width, scale=0.2), b=half(width), scale=half(width), shift=half(width))
    save("layer", [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["s"]), helper.make_node("Gelu", ["s"], ["g"]),
                   helper.make_node("Add", ["g", "r"], ["y"])], dict(x=["rows", 32], r=["rows", width]), ["rows", width], weights)
    check("layer", dict(x=half(rows, 32), r=half(rows, width)), None, "_epilogue")
    save("normed", [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "r"], ["s"]),
                    helper.make_node("LayerNormalization", ["s", "scale", "shift"], ["y"], axis=-1)], dict(x=["rows", 32], r=["rows", width]), ["rows", width], weights)
    check("normed", dict(x=half(rows, 32), r=half(rows, width)))

# Blocks of several matrices; sums beyond the range of f16, infinities and NaN stay what they are.
name = product(70, 56, 48)
x = half(70, 48)
x[3, 5], x[9, 1], x[20:30] = np.inf, np.nan, 60000
check(name, dict(x=x), None, "_sums", "--schedule=matmul-cooperative:rows=3,columns=2")

# The validation layer has nothing to say.
validation = Validation("synchronization", args.drivers, args.work)
for name in (name, "batches", "normed"):
    run(name, environment=validation.environment())
    said = validation.messages()
    expect(not said, f"no message of the validation layer about {name}, got {said[:2000]}")

# Each shader is valid; SPIRV-Tools of that release know cooperative matrices.
validator = [*launcher(DRIVER, args.drivers), os.path.join(args.drivers, "debian-13/usr/bin/spirv-val"), "--target-env", "vulkan1.3"]
for name in (name, "batches", "normed"):
    t.compile(name + ".onnx", "--target=vulkan", f"--vulkan-variants={VARIANT}", "--lowering=matmul-cooperative", "--emit=spirv", "-o", name + "-spirv")
    files = glob.glob(t.path(f"{name}-spirv/*.spv"))
    expect(any("_sums" in file for file in files), f"shaders of {name}, got {files}")
    for file in files:
        done = subprocess.run([*validator, file], capture_output=True, text=True)
        expect(done.returncode == 0, f"{file} to be valid: {done.stdout}{done.stderr}")

# A driver without them takes the variant that runs anywhere; one that has other sizes as well.
expect(run("normed", "lavapipe-25")["variant"] == "portable", "the portable variant on lavapipe 25")
t.compile("normed.onnx", "--target=vulkan", "--vulkan-variants=cooperative,portable", "-o", "normed.fovea")
expect(run("normed")["variant"] == "portable", "the portable variant where matrices of 16x16x16 are asked for")
inspected = t.run("fovea-inspect", "normed.fovea").stdout
for text in ("needs Vulkan 1.3, cooperativeMatrix, ", "subgroups of 32", "cooperative matrices of 16x16x16 f16 with sums of f32", "portable  any device"):
    expect(text in inspected, f"{text!r} in {inspected}")
