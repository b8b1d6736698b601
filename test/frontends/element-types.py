"""Casts between all element types, arithmetic of all integer types over all of their range, and of floats of 16 bits, against NumPy.

    element-types.py ONNX_EVALUATE | BIN_FOLDER --work FOLDER

The inputs of a run: each type once as an initializer and once as an input.
"""
import argparse
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NAMES = "FLOAT DOUBLE FLOAT16 BFLOAT16 INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64 BOOL".split()
TYPES = {name: helper.tensor_dtype_to_np_dtype(getattr(TensorProto, name)) for name in NAMES}
BFLOAT16 = TYPES["BFLOAT16"]
INTEGERS = [name for name in NAMES if "INT" in name]
FLOATS = ["FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"]


def samples(name, random):
    dtype = TYPES[name]
    if name == "BOOL":
        return random.integers(0, 2, 37).astype(bool)
    if name in INTEGERS:
        info = np.iinfo(dtype)
        some = random.integers(info.min, info.max, 31, dtype=dtype, endpoint=True)
        return np.concatenate([some, np.array([info.min, info.max, 0, 1, info.max - 1, info.max // 2], dtype)])
    # Numbers of every size, and those that are no numbers.
    some = random.standard_normal(31) * 10.0 ** random.integers(-8, 9, 31)
    with np.errstate(over="ignore"):
        return np.concatenate([some, [np.inf, -np.inf, np.nan, 0, -0.0, 65520]]).astype(dtype)


def castable(x, to):
    """The samples with 0 in place of what has no defined result: floats outside of an integer's range."""
    if to not in INTEGERS or x.dtype == bool or np.issubdtype(x.dtype, np.integer):
        return x
    info = np.iinfo(TYPES[to])
    wide = x.astype(np.float64)
    with np.errstate(invalid="ignore"):
        fits = (np.trunc(wide) >= info.min) & (np.trunc(wide) < float(info.max) + 1 if info.bits == 64 else np.trunc(wide) <= info.max)
    return np.where(fits, x, np.zeros_like(x))


class Graph:
    """One model of many nodes, and what each of its outputs should be."""

    def __init__(self):
        self.nodes, self.inputs, self.outputs, self.initializers = [], [], [], []
        self.given, self.expected, self.tolerance = {}, {}, {}

    def input(self, x, constant=False):
        x, name = np.asarray(x), f"x{len(self.inputs) + len(self.initializers)}"
        if constant:
            self.initializers.append(numpy_helper.from_array(x, name))
        else:
            self.inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape))
            self.given[name] = x
        return name

    def node(self, op, operands, expected, tolerance=0, **attributes):
        expected = np.asarray(expected)
        name = f"{op}_{len(self.outputs)}_" + "_".join(str(x.dtype) for x in operands) + f"_{expected.dtype}"
        names = [self.input(x, constant=(len(self.outputs) + i) % 2 == 1 or op == "ReduceL2" or op == "ReduceMean") for i, x in enumerate(operands)]
        self.nodes.append(helper.make_node(op, names, [name], name=name, **attributes))
        self.outputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(expected.dtype), expected.shape))
        self.expected[name], self.tolerance[name] = expected, tolerance

    def model(self):
        graph = helper.make_graph(self.nodes, "types", self.inputs, self.outputs, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def casts(graph, random):
    for source in NAMES:
        x = samples(source, random)
        for to in NAMES:
            y = castable(x, to)
            with np.errstate(all="ignore"):
                expected = y.astype(TYPES[to])
            graph.node("Cast", [y], expected, to=getattr(TensorProto, to))
            if to != source:
                graph.node("CastLike", [y, np.zeros(1, TYPES[to])], expected)


def integers(graph, random):
    for name in INTEGERS:
        dtype = TYPES[name]
        x, y = samples(name, random), random.permutation(samples(name, random))
        divisor = np.where((y == 0) | (y.astype(np.float64) == -1), dtype.type(3), y)
        with np.errstate(over="ignore"):
            for op, expected in (("Add", x + y), ("Sub", x - y), ("Mul", x * y), ("Max", np.maximum(x, y)), ("Min", np.minimum(x, y)),
                                 ("Less", x < y), ("LessOrEqual", x <= y), ("Greater", x > y), ("GreaterOrEqual", x >= y), ("Equal", x == y)):
                graph.node(op, [x, y], expected)
            quotient = np.array([abs(int(a)) // abs(int(b)) * (1 if (a < 0) == (b < 0) else -1) for a, b in zip(x, divisor)], object).astype(dtype)
            graph.node("Div", [x, divisor], quotient)
            graph.node("Mod", [x, divisor], np.mod(x, divisor))
            graph.node("Sign", [x], np.sign(x))
            graph.node("Abs", [x], np.abs(x))
            graph.node("Clip", [x, x[3], x[4]], np.minimum(np.maximum(x, x[3]), x[4]))
            graph.node("ReduceMax", [x], x.max(), keepdims=0)
            graph.node("ReduceMin", [x], x.min(), keepdims=0)
            graph.node("ReduceSum", [x], x.sum(dtype=dtype), keepdims=0)
            graph.node("Where", [x < y, x, y], np.where(x < y, x, y))
            if np.issubdtype(dtype, np.unsignedinteger):
                some = x[:5] // dtype.type(8)
                graph.node("ReduceMean", [some], dtype.type(sum(int(v) for v in some) // 5), keepdims=0)
                for base, exponent in ((x, y), (x, samples("UINT8", random)), (samples("INT64", random), y)):
                    width = 8 * base.dtype.itemsize
                    powers = [pow(int(b), int(e), 2**width) for b, e in zip(base, exponent)]
                    graph.node("Pow", [base, exponent], np.array(powers, np.uint64).astype(f"u{width // 8}").view(base.dtype))


def halves(graph, random):
    for name, step in (("FLOAT16", 2.0**-10), ("BFLOAT16", 2.0**-7)):
        dtype = TYPES[name]
        make = lambda *shape: random.standard_normal(shape).astype(dtype)
        wide = lambda x: x.astype(np.float64)
        x, y, w = make(5, 77), make(77), make(77, 33)
        for op, f in (("Exp", np.exp), ("Tanh", np.tanh), ("Sigmoid", lambda v: 1 / (1 + np.exp(-v))), ("Floor", np.floor), ("Abs", np.abs), ("Neg", np.negative)):
            graph.node(op, [x], f(wide(x)).astype(dtype), step)
        for op, f in (("Add", np.add), ("Mul", np.multiply), ("Div", np.divide), ("Max", np.maximum)):
            graph.node(op, [x, y], f(wide(x), wide(y)).astype(dtype), step)
        graph.node("Less", [x, y], x < y)
        graph.node("MatMul", [x, w], (wide(x) @ wide(w)).astype(dtype), 2 * step)
        powers = np.exp(wide(x))
        graph.node("Softmax", [x], (powers / powers.sum(-1, keepdims=True)).astype(dtype), step)
        centred = wide(x) - wide(x).mean(-1, keepdims=True)
        normal = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        graph.node("LayerNormalization", [x, y, y], (normal * wide(y) + wide(y)).astype(dtype), 2 * step)
        # The sum is no f16, the mean is.
        large = np.full((3, 2000), 100, dtype)
        graph.node("ReduceMean", [large, np.array([1])], np.full(3, 100, dtype), step, keepdims=0)
        large = np.array([[40000, 40000, 1], [3, 4, 0]], dtype)
        graph.node("ReduceL2", [large, np.array([1])], np.sqrt((wide(large) ** 2).sum(1)).astype(dtype), step, keepdims=0)


def bits(x):
    """bfloat16, which npz files cannot hold, as its bits."""
    return x.view(np.uint16) if x.dtype == BFLOAT16 else x


def run(tools, work, graph, name):
    model, given, result, artifact = (os.path.join(work, name + suffix) for suffix in (".onnx", ".npz", "-out.npz", ".fovea"))
    onnx.save(graph.model(), model)
    np.savez(given, **{k: bits(v) for k, v in graph.given.items()})
    commands = [[tools, model, given, result]]
    if os.path.isdir(tools):
        commands = [[f"{tools}/fovea-compile", model, "-o", artifact], [f"{tools}/fovea-run", artifact, "--inputs", given, "--outputs", result]]
    for command in commands:
        subprocess.run(command, check=True)
    wrong = 0
    with np.load(result) as outputs:
        for output, want in graph.expected.items():
            got = outputs[output]
            if got.dtype != bits(want).dtype or got.shape != want.shape:
                print(f"{output}: {got.dtype}{got.shape}, expected {want.dtype}{want.shape}")
                wrong += 1
                continue
            a, b = (v.view(want.dtype) for v in (got, want))
            same = a == b
            if graph.tolerance[output] or not np.issubdtype(want.dtype, np.integer):
                a, b = a.astype(np.float64), b.astype(np.float64)
                with np.errstate(invalid="ignore"):
                    same |= (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= graph.tolerance[output] * np.maximum(1, np.abs(b)))
            if not same.all():
                at = np.unravel_index(np.argmin(same), same.shape)
                print(f"{output}: {got[at]} at {at}, expected {want[at]}; {np.count_nonzero(~same)} of {same.size} differ")
                wrong += 1
    print(name, len(graph.expected), "results,", wrong, "wrong")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", help="the program onnx-evaluate, or the folder with fovea-compile and fovea-run")
    parser.add_argument("--work", required=True)
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    wrong = 0
    for family in (casts, integers, halves):
        graph = Graph()
        family(graph, np.random.default_rng(5))
        wrong += run(options.tools, options.work, graph, family.__name__)
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
