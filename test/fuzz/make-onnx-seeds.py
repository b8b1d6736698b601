"""Writes the corpus of fuzz_onnx.   make-onnx-seeds.py FOLDER (needs onnx)

For each supported operator ONNX's own node tests, with shapes as they are, symbolic and constant, and one of them damaged; the models of
models.txt; those with external data, of which fuzz_onnx has files; and the models that onnx-errors.py expects a message for.
"""
import importlib.util, os, random, sys, tempfile, warnings
import numpy as np
from onnx import TensorProto, helper, parser

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
from cases import MODES, array, collect


def script(name):
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), os.path.join(HERE, "..", "frontends", name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def node_tests():
    """Small models by operator, in three forms."""
    by_operator = {}
    for case in collect():
        if case.skip("static") or case.expanded or len(case.model.SerializeToString()) > 4096 or not case.data_sets:
            continue
        inputs = {v.name: array(value) for v, value in zip(case.model.graph.input, case.data_sets[0][0])}
        if sum(value.nbytes for value in inputs.values()) > 8192:
            continue
        for mode in MODES:
            fixed = inputs if mode == "constant" else ()
            by_operator.setdefault(case.family, []).append((f"{case.name}-{mode}", case.variant(mode, inputs, fixed)))
    return by_operator


def texts():
    for text in open(os.path.join(HERE, "models.txt")).read().split("\n\n")[1:]:
        graph = parser.parse_graph(text)
        yield graph.name, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)])


def with_external_data():
    errors = script("onnx-errors")
    for name, places in {
        "large": {"location": "weights.bin"}, "aligned": {"location": "weights.bin", "offset": "4096", "length": "4096"},
        "unaligned": {"location": "weights.bin", "offset": "2"}, "offset": {"location": "weights.bin", "offset": "minus one"},
        "length": {"location": "weights.bin", "length": "12"}, "folder": {"location": "folder"}, "nowhere": {}, "dot": {"location": "."},
        "short": {"location": "short.bin"}, "link": {"location": "link.bin"}, "parent": {"location": "../outside.bin"},
        "allowed": {"location": "../allowed/weights.bin"}, "inside-out": {"location": "folder/../weights.bin"},
    }.items():
        tensors = [TensorProto(name=w, data_type=TensorProto.FLOAT, dims=[32, 32], data_location=TensorProto.EXTERNAL) for w in ("w", "v")]
        for tensor in tensors:
            for key, value in places.items():
                tensor.external_data.add(key=key, value=value)
        nodes = [helper.make_node("Add", ["x", "w"], ["z"]), helper.make_node("Add", ["z", "v"], ["y"])]
        yield "external-" + name, errors.model(nodes, [errors.value("x", ["n", 32])], errors.Y, tensors)


def by_hand():
    """What neither the text form nor the checks of helper can say."""
    errors = script("onnx-errors")
    relu = [helper.make_node("Relu", ["x"], ["y"])]
    simple = lambda: errors.model(relu, errors.X, errors.Y)
    for name, change in {
        "no-graph": lambda m: m.ClearField("graph"), "no-opset": lambda m: m.ClearField("opset_import"),
        "other-opset": lambda m: setattr(m.opset_import[0], "domain", "acme"), "no-rank": lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"),
        "negative-weight": lambda m: m.graph.initializer.add(name="x", data_type=1, dims=[-1]),
        "large-weight": lambda m: m.graph.initializer.add(name="x", data_type=1, dims=[1 << 61]),
        "short-weight": lambda m: m.graph.initializer.add(name="x", data_type=1, dims=[2], float_data=[1]),
        "sparse": lambda m: m.graph.sparse_initializer.add(), "no-outputs-of-node": lambda m: m.graph.node[0].ClearField("output"),
        "old-operator": lambda m: (setattr(m.graph.node[0], "op_type", "Attention"), setattr(m.opset_import[0], "version", 13)),
        "bool-weight": lambda m: m.graph.initializer.add(name="x", data_type=9, dims=[2], int32_data=[1, 0]),
        "typed-weight": lambda m: m.graph.initializer.add(name="x", data_type=1, dims=[300], float_data=[0.5] * 300),
    }.items():
        model = simple()
        change(model)
        yield name, model
    body = [helper.make_node("Softmax", ["a"], ["b"], axis=0), helper.make_node("Concat", ["b", "a"], ["c"], axis=0)]
    body[0].attribute[0].ClearField("i")
    body[0].attribute[0].ref_attr_name = "along"
    function = helper.make_function("acme", "F", ["a"], ["c"], body, [helper.make_opsetid("", 20)], attributes=["along"])
    for along in ({}, {"along": 1}):
        call = helper.make_node("F", ["x"], ["y"], domain="acme", **along)
        yield f"function-{len(along)}", errors.model([call], errors.X, errors.Y, functions=[function], domains=["acme"])


def main(folder):
    warnings.simplefilter("ignore")
    os.makedirs(folder, exist_ok=True)
    rng = random.Random(7)

    def put(name, data):
        with open(os.path.join(folder, name + ".onnx"), "wb") as f:
            f.write(data)

    def put_damaged(name, data):
        changed = bytearray(data)
        for _ in range(3):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        put(name + "-damaged", bytes(changed))
        put(name + "-short", data[: len(data) * 2 // 3])

    for operator, models in sorted(node_tests().items()):
        for name, model in models:
            put(name, model.SerializeToString())
        put_damaged(operator, rng.choice(models)[1].SerializeToString())
    for name, model in (*texts(), *with_external_data(), *by_hand()):
        put(name, model.SerializeToString())
    with tempfile.TemporaryDirectory() as other:
        for what, content, _, _ in script("onnx-errors").cases(other):
            put(what.replace(" ", "-"), content if isinstance(content, bytes) else content.SerializeToString())


main(sys.argv[1])
