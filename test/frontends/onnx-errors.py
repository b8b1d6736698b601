"""What is wrong with a model is said in a message with the right exit code, and never by a crash.

    onnx-errors.py ONNX_IMPORT
"""
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F = TensorProto.FLOAT


def value(name, dims, kind=F):
    return helper.make_tensor_value_info(name, kind, dims)


def model(nodes, inputs, outputs, initializers=(), opset=20, functions=(), domains=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions))


def external(location, offset=0, length=16):
    t = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    t.ClearField("raw_data")
    t.data_location = TensorProto.EXTERNAL
    for key, entry in [("location", location), ("offset", str(offset)), ("length", str(length))]:
        t.external_data.add(key=key, value=entry)
    return t


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, name="n_" + outputs[0], **attributes)


X, Y = [value("x", ["n", 4])], [value("y", None)]
ADD = [node("Add", ["x", "w"], ["y"])]
SIMPLE = model([node("Relu", ["x"], ["y"])], X, Y)


def wrong_size():
    t = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    t.raw_data = t.raw_data[:12]
    return t


def minima_of_maxima(depth):
    """Sizes whose bounds take 4^depth steps if nothing is remembered."""
    nodes = [node("Shape", ["x"], ["t0"]), node("Constant", [], ["swapped"], value_ints=[1, 0])]
    for i in range(depth):
        nodes += [node("Gather", [f"t{i}", "swapped"], [f"s{i}"]), node("Max", [f"t{i}", f"s{i}"], [f"u{i}"]), node("Min", [f"t{i}", f"s{i}"], [f"v{i}"]),
                  node("Add", [f"u{i}", f"v{i}"], [f"w{i}"]), node("Max", [f"w{i}", f"s{i}"], [f"t{i + 1}"])]
    return model(nodes + [node("Identity", [f"t{depth}"], ["y"])], [value("x", ["n", "m"])], Y)


def cases(folder):
    """(what, the model or bytes, exit code, what the message holds)"""
    with open(os.path.join(folder, "short.bin"), "wb") as f:
        f.write(b"\0" * 8)
    outside = tempfile.NamedTemporaryFile(suffix=".bin", delete=False)
    outside.write(b"\0" * 16)
    outside.close()
    if not os.path.lexists(os.path.join(folder, "link.bin")):
        os.symlink(outside.name, os.path.join(folder, "link.bin"))
    data = SIMPLE.SerializeToString()
    yield "fine", SIMPLE, 0, ""
    yield "empty", b"", 1, "not an ONNX model"
    yield "text", b"hello, this is no protobuf", 1, "not an ONNX model"
    yield "truncated", data[: len(data) - 7], 1, "not an ONNX model"
    yield "old opset", model([node("Relu", ["x"], ["y"])], X, Y, opset=9), 2, "opset 9"
    yield "new opset", model([node("Relu", ["x"], ["y"])], X, Y, opset=99), 2, "opset 99"
    two = [node("Frobnicate", ["x"], ["z"]), node("Blub", ["z"], ["a"]), node("Relu", ["a"], ["y"])]
    yield "unknown operators", model(two, X, Y), 2, 'Blub (ai.onnx, opset 20) "n_a" at graph position 1'
    yield "unknown domain", model([helper.make_node("Relu", ["x"], ["y"], domain="acme", name="n")], X, Y, domains=["acme"]), 2, "Relu (acme,"
    yield "cycle", model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])], X, Y), 1, "cycle"
    unsorted = [node("Relu", ["a"], ["y"]), node("Neg", ["x"], ["a"])]
    yield "unsorted", model(unsorted, X, Y), 0, ""
    yield "missing input", model([node("Add", ["x", "nowhere"], ["y"])], X, Y), 1, 'reads "nowhere", which nothing makes'
    yield "made twice", model([node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])], X, Y), 1, "made twice"
    yield "output of no node", model([node("Relu", ["x"], ["z"])], X, Y), 1, 'the output "y" is made by no node'
    yield "no outputs", model([node("Relu", ["x"], ["z"])], X, []), 1, "no outputs"
    yield "negative dim", model([node("Relu", ["x"], ["y"])], [value("x", [-3])], Y), 1, "has the size -3"
    huge = TensorProto(name="w", data_type=F, dims=[1 << 40, 1 << 40])
    yield "absurd initializer", model(ADD, X, Y, [huge]), 1, "2^59"
    yield "initializer size", model(ADD, X, Y, [wrong_size()]), 1, "should have 16 bytes, got 12"
    imaginary = helper.make_tensor("w", TensorProto.COMPLEX64, [4], [1j] * 4)
    yield "complex initializer", model(ADD, X, Y, [imaginary]), 2, "complex64"
    yield "string input", model([node("Identity", ["x"], ["y"])], [value("x", [1], TensorProto.STRING)], Y), 2, "string"
    yield "external missing", model(ADD, X, Y, [external("nowhere.bin")]), 1, "is missing"
    yield "external short", model(ADD, X, Y, [external("short.bin")]), 1, "ends at byte 8"
    yield "external offset", model(ADD, X, Y, [external("short.bin", offset=2**63)]), 1, "ends at byte 8"
    yield "external absolute", model(ADD, X, Y, [external(outside.name)]), 1, "outside of the model's folder"
    yield "external parent", model(ADD, X, Y, [external("../" + os.path.basename(folder) + "/short.bin")]), 1, "outside of the model's folder"
    yield "external link", model(ADD, X, Y, [external("link.bin")]), 1, "outside of the model's folder"
    yield "external nameless", model(ADD, X, Y, [external("")]), 1, "is a folder"
    yield "external folder", model(ADD, X, Y, [external(".")]), 1, "is a folder"
    yield "external length", model(ADD, X, Y, [external("short.bin", length=8)]), 1, "should have 16 bytes, its external data has 8"
    yield "external text", model(ADD, X, Y, [external("short.bin", offset="far")]), 1, 'the offset "far", expected a number'
    least = numpy_helper.from_array(np.full(2, -(2**63)), "least")
    minus = numpy_helper.from_array(np.full(2, -1), "minus")
    overflow = [node("Shape", ["x"], ["s"]), node("Div", ["least", "minus"], ["d"]), node("Add", ["s", "d"], ["y"])]
    yield "quotient of the least number", model(overflow, X, Y, [least, minus]), 0, ""
    yield "minima of maxima", minima_of_maxima(40), 0, ""
    fixed = numpy_helper.from_array(np.zeros(3, np.float32), "w")
    image, pooled = [value("x", [1, 2, 5, 5])], [value("y", None)]
    yield "pool without a kernel", model([node("MaxPool", ["x"], ["y"])], image, pooled), 1, "one for each spatial dim"
    yield "kernel of size 0", model([node("MaxPool", ["x"], ["y"], kernel_shape=[0, 2])], image, pooled), 1, "kernel's sizes must be positive"
    yield "kernel too large", model([node("AveragePool", ["x"], ["y"], kernel_shape=[6, 2])], image, pooled), 1, "larger than the input"
    yield "absurd stride", model([node("MaxPool", ["x"], ["y"], kernel_shape=[1, 1], strides=[1, 2**62])], image, pooled), 1, "below 2^31"
    yield "absurd padding", model([node("MaxPool", ["x"], ["y"], kernel_shape=[1, 1], pads=[2**31 - 1] * 4)], image, pooled), 1, "2^59 elements"
    yield "indices of maxima", model([node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2])], image, pooled), 2, "indices of the maxima"
    sizes, scales = numpy_helper.from_array(np.array([1, 2, 5]), "sizes"), numpy_helper.from_array(np.array([1, 1, 2, -2], np.float32), "scales")
    yield "too few sizes", model([node("Resize", ["x", "", "", "sizes"], ["y"])], image, pooled, [sizes]), 1, "expected 4 sizes, got 3"
    yield "negative scale", model([node("Resize", ["x", "", "scales"], ["y"])], image, pooled, [scales]), 1, "not a positive number"
    yield "scales and sizes", model([node("Resize", ["x", "", "scales", "sizes"], ["y"])], image, pooled, [sizes, scales]), 1, "either scales or sizes"
    yield "no broadcast", model(ADD, X, Y, [fixed]), 1, "dims 4 and 3 do not broadcast"
    yield "matmul", model([node("MatMul", ["x", "w"], ["y"])], X, Y, [fixed]), 1, "inner dims"
    yield "axis", model([node("Softmax", ["x"], ["y"], axis=5)], X, Y), 1, "axis 5"
    shape = numpy_helper.from_array(np.array([3, 3], np.int64), "w")
    yield "reshape", model([node("Reshape", ["x", "w"], ["y"])], [value("x", [2, 4])], Y, [shape]), 1, "number of elements"
    dependent = [node("Cast", ["x"], ["s"], to=TensorProto.INT64), node("Reshape", ["x", "s"], ["y"])]
    yield "data-dependent shape", model(dependent, X, Y), 2, "determines a shape"
    branch = helper.make_graph([node("Relu", ["x"], ["y"])], "b", [], Y)
    yield "control flow", model([node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)], X, Y), 2, "control flow"
    def flexible(heads=4, inputs=("q", "k", "v"), mod=("s",)):
        """FlexAttention with a modifier of scores that reads an initializer of its own and a value of the graph around it."""
        steps = [node("Mul", ["s", "w"], ["t"]), node("Add", ["t", "bias"], ["u"])]
        graph = helper.make_graph(steps, "g", [value(n, None) for n in mod], [value("u", None)], [numpy_helper.from_array(np.float32(2), "w")])
        attention = helper.make_node("FlexAttention", list(inputs), ["y"], domain="ai.onnx.preview", name="flexible", score_mod=graph)
        tensors = [value(n, ["b", h, "n", 8]) for n, h in (("q", heads), ("k", 2), ("v", 2))] + [value("bias", ["n", "n"])]
        return model([attention], tensors, Y, opset=26, domains=["ai.onnx.preview"])

    yield "flex attention", flexible(), 0, ""
    yield "flex attention of two", flexible(inputs=("q", "k")), 1, 'FlexAttention "flexible" does not have 3 inputs and 1 output'
    yield "flex attention heads", flexible(heads=3), 1, "the 3 heads of the query are no multiple of the 2 of the key"
    yield "flex attention graph", flexible(mod=("s", "p")), 1, "expected a graph of one input and one output, got score_mod"
    swap = helper.make_function("acme", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 20)])
    calls = [helper.make_node("Twice", ["x"], ["t"], domain="acme"), helper.make_node("Twice", ["t"], ["y"], domain="acme")]
    yield "function", model(calls, X, Y, functions=[swap], domains=["acme"]), 0, ""
    loop = helper.make_function("acme", "Twice", ["a"], ["b"], [helper.make_node("Twice", ["a"], ["b"], domain="acme")], [helper.make_opsetid("", 20)])
    yield "recursion", model(calls, X, Y, functions=[loop], domains=["acme"]), 1, "without end"


def run(tool, path):
    return subprocess.run([tool, path], capture_output=True, text=True, errors="replace")


def main():
    tool, bad = sys.argv[1], 0
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "model.onnx")
    for what, content, code, message in cases(folder):
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.SerializeToString())
        result = run(tool, path)
        if result.returncode != code or message not in result.stderr:
            bad += 1
            print(f"{what}: exit code {result.returncode}, expected {code}; message: {result.stderr.strip()}")
    # Damaged files: any message will do.
    seed = 7
    random.seed(seed)
    originals = [c.SerializeToString() for _, c, _, _ in cases(folder) if not isinstance(c, bytes)]
    for n in range(int(os.environ.get("DAMAGED", "100"))):
        data = bytearray(random.choice(originals))
        for _ in range(random.randint(1, 4)):
            data[random.randrange(len(data))] = random.randrange(256)
        with open(path, "wb") as f:
            f.write(data)
        result = run(tool, path)
        if result.returncode not in (0, 1, 2) or "bug" in result.stderr:
            bad += 1
            print(f"damaged file {n} (seed {seed}): exit code {result.returncode}; {result.stderr[-300:].strip()}")
            os.rename(path, os.path.join(folder, f"damaged-{n}.onnx"))
    print("wrong:", bad)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
