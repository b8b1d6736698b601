"""Attention that ONNX graphs write out or name, as it is to become: one attn.attention, its masks structural, in the fast kernel.

    attention-graphs.py BIN_FOLDER --work DIR

Luong's local-p attention (weights times a Gaussian around a predicted place) and T5's relative position bias, each in several spellings, static and
symbolic, are run and compared with ONNX Runtime. GroupQueryAttention is compiled as a prompt and as a step, causal and with a window.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper
from microsoft_attention import group_query
from microsoft_case import run_reference

FLOAT, INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


class Graph:
    """Nodes one after the other, each with one output."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def node(self, op, *inputs, **attributes):
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        self.nodes.append(helper.make_node(op, names, [f"n{len(self.nodes)}"], **attributes))
        return self.nodes[-1].output[0]

    def constant(self, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def size(self, tensor, axis):
        return self.node("Gather", self.node("Shape", tensor), np.int64(axis), axis=0)

    def range(self, size):
        return self.node("Range", np.int64(0), size, np.int64(1))

    def model(self, inputs):
        """Its result is that of the last node."""
        declared = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items()]
        self.nodes[-1].output[0] = "y"
        graph = helper.make_graph(self.nodes, "g", declared, [helper.make_tensor_value_info("y", FLOAT, None)], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def local_p(b, m, s, spelling):
    """Luong et al. 2015, equations 8 to 10, where the place is S * sigmoid(v tanh(W h))."""
    rng, width, g = np.random.default_rng(5), 16, Graph()
    floats = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    hidden = g.node("Tanh", g.node("MatMul", "q", floats(width, width)))
    length = g.size("k", 1)
    place = g.node("Mul", g.node("Sigmoid", g.node("MatMul", hidden, floats(width, 1))), g.node("Cast", length, to=FLOAT))
    distance = g.node("Sub", g.node("Cast", g.range(length), to=FLOAT), place)
    if spelling == "product":
        gauss = g.node("Exp", g.node("Neg", g.node("Div", g.node("Mul", distance, distance), np.float32(8))))
    else:
        gauss = g.node("Exp", g.node("Mul", np.float32(-0.125), g.node("Pow", distance, np.float32(2))))
    weights = g.node("Softmax", g.node("MatMul", g.node("MatMul", "q", floats(width, width)), g.node("Transpose", "k", perm=[0, 2, 1])), axis=-1)
    if spelling == "window":  # nothing is seen beyond two deviations
        gauss = g.node("Where", g.node("LessOrEqual", g.node("Abs", distance), np.float32(4)), gauss, np.float32(0))
    weighted = g.node("Mul", gauss, weights) if spelling == "power" else g.node("Mul", weights, gauss)
    g.node("MatMul", weighted, "k")
    return g.model({"q": [b, m, width], "k": [b, s, width]})


def t5(b, m, s, spelling):
    """Raffel et al. 2020, section 2.1, as their code has it: 32 buckets, as many again for each doubling up to 128."""
    g = Graph()
    i = g.node("Unsqueeze", g.range(g.size("q", 2)), np.array([1]))
    j = g.node("Unsqueeze", g.range(g.size("k", 2)), np.array([0]))
    relative = g.node("Sub", j, i)
    side = g.node("Mul", g.node("Cast", g.node("Greater", relative, np.int64(0)), to=INT64), np.int64(16))
    distance = g.node("Abs", relative)
    near = g.node("Less", distance, np.int64(8))
    steps = g.node("Div", g.node("Log", g.node("Div", g.node("Cast", distance, to=FLOAT), np.float32(8))), np.float32(np.log(16)))
    far = g.node("Min", g.node("Add", g.node("Cast", g.node("Mul", steps, np.float32(8)), to=INT64), np.int64(8)), np.int64(15))
    bucket = g.node("Add", side, g.node("Where", near, distance, far))
    table = np.random.default_rng(6).standard_normal((32, 4)).astype(np.float32)
    bias = g.node("Unsqueeze", g.node("Transpose", g.node("Gather", table, bucket, axis=0), perm=[2, 0, 1]), np.array([0]))
    product = g.node("MatMul", "q", g.node("Transpose", "k", perm=[0, 1, 3, 2]))
    scores = g.node("Add", bias, product) if spelling == "power" else g.node("Add", product, bias)
    if spelling == "window":  # nothing is seen beyond four positions
        scores = g.node("Where", g.node("LessOrEqual", distance, np.int64(4)), scores, np.float32(-np.inf))
    shape = lambda length: [b, 4, length, 16]
    g.node("MatMul", g.node("Softmax", scores, axis=-1), "v")
    return g.model({"q": shape(m), "k": shape(s), "v": shape(s)})


class Checker:
    def __init__(self, tools, folder):
        self.tools, self.folder, self.failures = tools, folder, 0
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, tool, *arguments):
        done = subprocess.run([os.path.join(self.tools, tool), *arguments], capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"{tool}: exit code {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def expect(self, condition, what):
        if not condition:
            raise AssertionError(f"expected {what}")

    def save(self, model):
        onnx.save(model, self.path("model.onnx"))
        return self.path("model.onnx")

    def lowerings(self):
        """How many kernels each lowering has."""
        with open(self.path("report.json")) as report:
            return collections.Counter(k["lowering"] for k in json.load(report)["entries"][0]["kernels"])

    def written_out(self, model, region, draws):
        """Raised with that region, compiled to the attention kernel, and as ONNX Runtime has it."""
        path = self.save(model)
        raised = self.run("fovea-compile", path, "--compile-to=raise")
        self.expect("attn.softmax" not in raised and len(re.findall(r" = attn\.attention ", raised)) == 1, "one attention, and no softmax")
        line = next(line for line in raised.splitlines() if " = attn.attention " in line)
        self.expect(line.rstrip().endswith(f"{region} {{"), f"a {region} region: {line[:200]}")
        self.run("fovea-compile", path, "-o", self.path("model.fovea"), f"--explain={self.path('report.json')}")
        self.expect(self.lowerings()["attention"] == 1, f"the attention kernel, got {dict(self.lowerings())}")
        for feeds in draws:
            np.savez(self.path("in.npz"), **feeds)
            np.savez(self.path("expected.npz"), y=run_reference(model, feeds)[0])
            self.run("fovea-run", self.path("model.fovea"), "--inputs", self.path("in.npz"), "--expect", self.path("expected.npz"), "--rtol", "1e-4", "--atol", "1e-5")

    def named(self, model, options):
        """Masks are structural, and the attention kernel takes it."""
        path = self.save(model)
        imported = self.run("fovea-compile", path, "--compile-to=import")
        self.run("fovea-compile", path, "-o", self.path("model.fovea"), f"--explain={self.path('report.json')}", *options)
        self.expect(self.lowerings()["attention"] == 1, f"the attention kernel, got {dict(self.lowerings())}")
        self.expect(" score {" not in imported, "masks by attributes and operands, not in a score region")

    def check(self, what, function, *arguments):
        try:
            function(*arguments)
        except AssertionError as failure:
            self.failures += 1
            print(f"{what}: {failure}")


def draws(shapes, symbolic):
    rng = np.random.default_rng(7)
    for sizes in [dict(B=2, M=5, S=20)] + ([dict(B=1, M=1, S=1), dict(B=3, M=33, S=70), dict(B=1, M=1, S=300)] if symbolic else []):
        yield {name: rng.standard_normal([sizes.get(d, d) for d in dims]).astype(np.float32) for name, dims in shapes.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", help="the folder with fovea-compile and fovea-run")
    parser.add_argument("--work", required=True)
    options = parser.parse_args()
    checker, count = Checker(options.bin, options.work), 0
    for build, region, shapes in ((local_p, "weight", {"q": ["B", "M", 16], "k": ["B", "S", 16]}),
                                  (t5, "score", {"q": ["B", 4, "M", 16], "k": ["B", 4, "S", 16], "v": ["B", 4, "S", 16]})):
        for spelling in ("product", "power", "window"):
            for symbolic in (False, True):
                model = build(*("BMS" if symbolic else (2, 5, 20)), spelling)
                checker.check(f"{build.__name__}, {spelling}, {'symbolic' if symbolic else 'static'}", checker.written_out, model, region, draws(shapes, symbolic))
                count += 1
    # For few queries the costs speak for the other kernel, which has them one by one: there it is asked for.
    asked = ["--lowering=attn.attention=attention"]
    for window in ({}, {"local_window_size": 64}):
        for what, sizes, chosen in (("prompt", dict(s=128), []), ("step", dict(s=1, past=100), asked), ("some new", dict(b=1, s=3, past=100), asked),
                                    ("prompt with sinks", dict(s=128, sink=True), []), ("step with sinks", dict(s=1, past=100, sink=True), asked)):
            for symbolic in (False, True):
                model = group_query(what, size=64, **sizes, **window).model(symbolic)
                checker.check(f"GroupQueryAttention, {what}, {window}, {'symbolic' if symbolic else 'static'}", checker.named, model, chosen)
                count += 1
    print(f"{count - checker.failures} of {count} graphs")
    return checker.failures != 0


if __name__ == "__main__":
    sys.exit(main())
