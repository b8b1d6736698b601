"""One node of com.microsoft as a model, and what ONNX Runtime makes of it."""
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

DOMAIN = "com.microsoft"
TYPES = {np.dtype(np.float32): onnx.TensorProto.FLOAT, np.dtype(np.int32): onnx.TensorProto.INT32, np.dtype(np.int64): onnx.TensorProto.INT64}


class Case:
    """One node. `inputs` are arrays with the names of their dims ("B S _": _ stays a number), constants, or None.

    `expected` makes the outputs where ONNX Runtime's CPU cannot; `cares` says which elements of an output count; `message` is what a refusal says; `fixed`
    names dims that are never symbolic; `hidden` says that in some rows every key gets the mask's -10000.
    """

    def __init__(self, op, what, inputs, outputs=1, domain=DOMAIN, expected=None, cares=None, message=None, fixed="", hidden=False, opset=18, **attributes):
        self.op, self.what, self.inputs, self.attributes, self.domain = op, what, inputs, attributes, domain
        self.outputs = outputs if isinstance(outputs, list) else [f"y{n}" for n in range(outputs)]
        self.expected, self.cares, self.message, self.fixed, self.opset = expected, cares, message, fixed, opset
        # Scores of -10000 and more have three digits behind the point.
        self.tolerance = 5e-3 if hidden else 2e-5

    def feeds(self):
        return {f"x{n}": i[0] for n, i in enumerate(self.inputs) if i is not None and len(i) == 2}

    def model(self, symbolic):
        names, declared, initializers = [], [], []
        for n, i in enumerate(self.inputs):
            names.append("" if i is None else f"x{n}")
            if i is None:
                continue
            if len(i) == 1:  # a constant
                initializers.append(numpy_helper.from_array(i[0], f"x{n}"))
                continue
            array, dims = i
            shape = [size if name == "_" or name in self.fixed or not symbolic else name for name, size in zip(dims.split(), array.shape)]
            declared.append(helper.make_tensor_value_info(f"x{n}", TYPES[array.dtype], shape))
        node = helper.make_node(self.op, names, self.outputs, name="node", domain=self.domain, **self.attributes)
        results = [helper.make_tensor_value_info(o, self.type_of(o), None) for o in self.outputs if o]
        graph = helper.make_graph([node], "g", declared, results, initializers)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(DOMAIN, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def type_of(self, output):
        return onnx.TensorProto.INT32 if self.op == "EmbedLayerNormalization" and output == "y1" else onnx.TensorProto.FLOAT

    def reference(self):
        return self.expected() if self.expected else run_reference(self.model(False), self.feeds())


def run_reference(model, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


class Random:
    """Arrays that depend on the seed alone."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(zlib.crc32(seed.encode()))

    def floats(self, *shape, scale=1.0):
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def ints(self, low, high, *shape):
        return self.rng.integers(low, high, shape).astype(np.int32)

    def keep(self, *shape):
        """A mask, most of which is 1."""
        return (self.rng.random(shape) < 0.7).astype(np.int32)


SIZES = [(2, 5), (1, 1), (3, 33)]  # of batch and length
