"""ONNX's backend node tests as cases: which there are, which are left out and why, and the forms in which each is run."""
import warnings

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

import skips

TYPES = {getattr(onnx.TensorProto, name) for name in """FLOAT DOUBLE FLOAT16 BFLOAT16 INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64
BOOL""".split()}
BFLOAT16 = helper.tensor_dtype_to_np_dtype(onnx.TensorProto.BFLOAT16)
SPACINGS = {BFLOAT16: 2**-6, np.dtype(np.float16): 2**-9}
FIRST_OPSET = 13
MODES = ("static", "dynamic", "constant")


class Case:
    """One test: a model of one operator, or ("expanded") of the operators that its definition as a function is made of."""

    def __init__(self, test, direct):
        self.name, self.model, self.data_sets, self.rtol, self.atol = test.name, test.model, test.data_sets, test.rtol, test.atol
        self.expanded = direct is not test
        self.node = direct.model.graph.node[0]  # the operator under test
        self.family = self.node.op_type
        self.model = at_least_first_opset(test.model)

    def skip(self, mode):
        """Why it is left out; empty if it is not."""
        if self.model is None:
            return skips.OLD_OPSET
        if self.node.domain not in ("", "ai.onnx") and self.node.op_type != "FlexAttention":
            return skips.OTHER_DOMAIN
        values = list(self.model.graph.input) + list(self.model.graph.output)
        if not all(v.type.HasField("tensor_type") for v in values):
            return skips.NO_TENSOR
        if not all(v.type.tensor_type.elem_type in TYPES for v in values):
            return skips.OTHER_TYPE
        return skips.reason([node.op_type for node in self.model.graph.node], self.name, mode)

    def stays_static(self, position, dim, rank):
        """Dims whose size decides what code the operator becomes."""
        op = self.family
        if op in ("Attention", "FlexAttention") and position < 3 or op == "RotaryEmbedding":
            return dim in (1, rank - 1) if rank == 4 else dim == rank - 1
        if op == "Attention" and position in (4, 5):
            return dim in (1, 3)
        if op == "LinearAttention":
            # As a function it is a Scan, which is written out position by position.
            return dim in (1, 2, 3) if position == 3 else dim == 2 or self.expanded and dim == 1
        if op in ("Conv", "CausalConvWithState"):
            return position == 1
        if op in ("GatherND", "ScatterND"):
            return position == 1 and dim == rank - 1
        if op == "GroupNormalization":
            return dim == 1
        return op == "ConstantOfShape"

    def variant(self, mode, named, fixed):
        """The model as the mode wants it; `named` are the inputs by name, those in `fixed` become initializers."""
        model = onnx.ModelProto.FromString(self.model.SerializeToString())
        operands = list(self.node.input)
        for v in list(model.graph.input):
            dims = v.type.tensor_type.shape.dim
            if v.name in fixed:
                model.graph.initializer.append(numpy_helper.from_array(named[v.name], v.name))
                model.graph.input.remove(v)
            elif mode == "dynamic" and v.name in operands:
                for i, d in enumerate(dims):
                    if not self.stays_static(operands.index(v.name), i, len(dims)):
                        d.dim_param = f"{v.name}_{i}"
        return model

    def agree(self, expected, actual):
        """What differs; empty if nothing does."""
        for want, (name, got) in zip(expected, actual):
            want = array(want)
            if got.shape != want.shape or got.dtype != bits(want).dtype:
                return f"{name}: {got.dtype}{got.shape}, expected {want.dtype}{want.shape}"
            got = got.view(want.dtype)
            # Expected values of 16 bits are rounded after every step: two of the type's spacings.
            rtol = max(self.rtol, SPACINGS.get(want.dtype, 0))
            exact = np.issubdtype(want.dtype, np.integer) or want.dtype == bool
            near = lambda: np.allclose(got.astype(np.float64), want.astype(np.float64), rtol=rtol, atol=self.atol, equal_nan=True)
            if not (np.array_equal(got, want) if exact else near()):
                return f"{name}: values differ"
        return ""


def at_least_first_opset(model):
    """The model at the first opset that Fovea takes, if its operators have not changed until then; null if they have."""
    versions = {o.domain: o for o in model.opset_import}
    own = versions.get("") or versions.get("ai.onnx")
    if own is None or own.version >= FIRST_OPSET:
        return model
    since = lambda node, version: onnx.defs.get_schema(node.op_type, version, node.domain).since_version
    if any(since(node, own.version) != since(node, FIRST_OPSET) for node in model.graph.node):
        return None
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for o in model.opset_import:
        if o.domain in ("", "ai.onnx"):
            o.version = FIRST_OPSET
    return model


def array(x):
    return numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else np.asarray(x)


def bits(x):
    """bfloat16, which npz files cannot hold, as its bits."""
    return x.view(np.uint16) if x.dtype == BFLOAT16 else x


def collect():
    warnings.simplefilter("ignore")
    tests = {t.name: t for t in collect_testcases(None)}
    return [Case(t, tests[name.split("_expanded")[0]]) for name, t in tests.items()]
