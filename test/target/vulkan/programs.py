"""Programs for what no node test of ONNX reaches: each a model (ONNX or MLIR's text) and its inputs. The CPU says what is right."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(11)


def normal(*shape):
    return rng.standard_normal(shape, dtype=np.float32)


def onnx_model(nodes, inputs, outputs, weights, opset=23):
    """`inputs`: name -> shape as declared; of floats."""
    values = lambda of: [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in of.items()]
    graph = helper.make_graph(nodes, "program", values(inputs), values(outputs), [numpy_helper.from_array(w, n) for n, w in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10).SerializeToString()


def layer(rows, width=64):
    """A projection of normalised rows, with bias and activation."""
    nodes = [helper.make_node("LayerNormalization", ["x", "scale", "shift"], ["n"], axis=-1), helper.make_node("MatMul", ["n", "w"], ["p"]),
             helper.make_node("Add", ["p", "b"], ["s"]), helper.make_node("Gelu", ["s"], ["y"])]
    weights = dict(scale=normal(width), shift=normal(width), w=normal(width, 48) / 8, b=normal(48))
    return onnx_model(nodes, dict(x=["rows", width]), dict(y=["rows", 48]), weights), dict(x=normal(rows, width))


def attention(batch, queries, keys, decodes=False, **attributes):
    """Heads in groups of two; all sizes but the heads' symbolic, or with `decodes` that of the queries known, too."""
    shapes = dict(q=["b", 4, "m", 16], k=["b", 2, "n", 16], v=["b", 2, "n", 16])
    node = helper.make_node("Attention", ["q", "k", "v"], ["y"], **attributes)
    inputs = dict(q=normal(batch, 4, queries, 16), k=normal(batch, 2, keys, 16), v=normal(batch, 2, keys, 16))
    if decodes:
        shapes["q"] = [batch, 4, queries, 16]
    return onnx_model([node], shapes, dict(y=["b", 4, "m", 16]), {}), inputs


def batches(count, rows, inner, columns):
    shapes = dict(x=["b", "m", "k"], y=["b", "k", "n"])
    return onnx_model([helper.make_node("MatMul", ["x", "y"], ["z"])], shapes, dict(z=["b", "m", "n"]), {}), \
        dict(x=normal(count, rows, inner), y=normal(count, inner, columns))


def long_rows(x, length="n"):
    """Reductions of rows and what is computed from them; with a known length also a normalisation."""
    nodes = [helper.make_node("Softmax", ["x"], ["p"], axis=1), helper.make_node("ReduceMax", ["x"], ["m"], keepdims=1, axes=[1]),
             helper.make_node("ReduceMean", ["x"], ["a"], keepdims=1, axes=[1]), helper.make_node("Sub", ["x", "a"], ["d"]), helper.make_node("LogSoftmax", ["x"], ["l"], axis=1),
             helper.make_node("ReduceL2", ["x"], ["r"], keepdims=0, axes=[1])]
    outputs, weights = dict(p=["rows", length], m=["rows", 1], d=["rows", length], l=["rows", length], r=["rows"]), {}
    if length != "n":
        nodes.append(helper.make_node("LayerNormalization", ["x", "scale"], ["y"], axis=1))
        outputs["y"], weights["scale"] = ["rows", length], normal(length)
    return onnx_model(nodes, dict(x=["rows", length]), outputs, weights, opset=17), dict(x=x)


def special(rows, length):
    """With rows of NaN, of infinities of either sign, of one value."""
    x = normal(rows, length)
    for row, values in enumerate(([np.nan], [np.inf], [-np.inf], [np.inf, -np.inf], [np.nan, np.inf])):
        x[row, length // 2:length // 2 + len(values)] = values
    x[5], x[6] = -np.inf, 2.0**90  # sums of which are exact
    return x


MATCHING = """
func.func @main(%cost: tensor<?x?x?xf32> {exec.name = "cost", exec.dims = ["b", "r", "c"]})
    -> (tensor<?x?xi64> {exec.name = "columns", exec.dims = ["b", "r"]}, tensor<?xi64> {exec.name = "status", exec.dims = ["b"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %cost, %c0 : tensor<?x?x?xf32>
  %r = tensor.dim %cost, %c1 : tensor<?x?x?xf32>
  %x = tensor.empty(%b, %r) : tensor<?x?xi64>
  %y = tensor.empty(%b) : tensor<?xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<?x?x?xf32>) outs(%x, %y : tensor<?x?xi64>, tensor<?xi64>)
      -> tensor<?x?xi64>, tensor<?xi64>
  return %columns, %status : tensor<?x?xi64>, tensor<?xi64>
}
"""

PAGES = """
func.func @main(%q: tensor<?x4x?x8xf32> {exec.name = "q", exec.dims = ["b", 4, "m", 8]}, %k: tensor<?x2x4x8xf32> {exec.name = "k", exec.dims = ["p", 2, 4, 8]},
    %v: tensor<?x2x4x8xf32> {exec.name = "v", exec.dims = ["p", 2, 4, 8]}, %new: tensor<?x2x?x8xf32> {exec.name = "new", exec.dims = ["b", 2, "m", 8]},
    %table: tensor<?x?xi64> {exec.name = "table", exec.dims = ["b", "n"]}, %at: tensor<?xi64> {exec.name = "at", exec.dims = ["b"]},
    %lengths: tensor<?xi64> {exec.name = "lengths", exec.dims = ["b"]}) -> (tensor<?x4x?x8xf32> {exec.name = "out", exec.dims = ["b", 4, "m", 8]}) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : tensor<?x4x?x8xf32>
  %m = tensor.dim %q, %c2 : tensor<?x4x?x8xf32>
  %p = tensor.dim %k, %c0 : tensor<?x2x4x8xf32>
  %x = tensor.empty(%p) : tensor<?x2x4x8xf32>
  %y = tensor.empty(%b, %m) : tensor<?x4x?x8xf32>
  %keys = attn.paged_append ins(%k, %new, %table, %at : tensor<?x2x4x8xf32>, tensor<?x2x?x8xf32>, tensor<?x?xi64>, tensor<?xi64>)
      outs(%x : tensor<?x2x4x8xf32>) -> tensor<?x2x4x8xf32>
  %out = attn.paged_attention ins(%q, %keys, %v : tensor<?x4x?x8xf32>, tensor<?x2x4x8xf32>, tensor<?x2x4x8xf32>) table(%table : tensor<?x?xi64>)
      lengths(%lengths : tensor<?xi64>) outs(%y : tensor<?x4x?x8xf32>) {causal} -> tensor<?x4x?x8xf32>
  return %out : tensor<?x4x?x8xf32>
}
"""


def pages():
    table = np.arange(6, dtype=np.int64).reshape(2, 3)[:, ::-1].copy()
    return PAGES, dict(q=normal(2, 4, 2, 8), k=normal(7, 2, 4, 8), v=normal(7, 2, 4, 8), new=normal(2, 2, 2, 8), table=table, at=np.array([3, 9]),
                       lengths=np.array([5, 11]))


def edges(dtype, bits):
    """Pairs of integers of any size, the ends and the steps between words among them."""
    near = [n + d for n in (0, 2**24, 2**31, 2**32, 2**53, 2**62) for d in (-1, 0, 1)]
    ends = [2**bits - 1, 2**bits - 2, 2**(bits - 1), 2**40 + 2**16, 2**40 + 3 * 2**16, 2**63 - 2**38, 2**63 - 2**38 - 1]
    values = [n for n in near + ends + [-n for n in near + ends] if np.iinfo(dtype).min <= n <= np.iinfo(dtype).max]
    shifted = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, 200, dtype, endpoint=True) >> rng.integers(0, 64, 200).astype(dtype)
    every = np.concatenate([np.array(values, dtype), shifted])
    x, y = (a.ravel() for a in np.meshgrid(every[:70], every))
    return x, y


def longs(dtype):
    """64-bit arithmetic, which no device has to offer."""
    x, y = edges(dtype, 63 if dtype == np.int64 else 64)
    nodes, outputs = [], {}
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def node(op, inputs, result=kind, **attributes):
        name = f"{op}_{len(nodes)}"
        nodes.append(helper.make_node(op, inputs, [name], **attributes))
        if result is not None:
            outputs[name] = result
        return name

    for op in ("Add", "Sub", "Mul", "Max", "Min", "BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        node(op, ["x", "y"])
    for op in ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"):
        node("Where", [node(op, ["x", "y"], TensorProto.BOOL), "x", "y"])
    node("Div", ["x", "divisor"]), node("Mod", ["x", "divisor"])
    for to in (TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT8, TensorProto.UINT16, TensorProto.BOOL, TensorProto.UINT64, TensorProto.INT64):
        node("Cast", ["x"], to, to=to)
    node("Equal", [node("Cast", ["x"], None, to=TensorProto.FLOAT), "rounded"], TensorProto.BOOL) # to the last bit
    for name in ("f", "i", "s"):
        node("Cast", [name], to=kind)
    if dtype == np.int64:
        node("Mod", ["x", "f_as_long"], fmod=1)
        node("Abs", ["x"]), node("Neg", ["x"]), node("Sign", ["x"]), node("ReduceMin", ["x"], keepdims=0)
    else:
        for direction in ("LEFT", "RIGHT"):
            node("BitShift", ["x", "by"], direction=direction)
    divisor = np.where((y == 0) | ((x == np.iinfo(dtype).min) & (y == dtype(0) - dtype(1))), dtype(3), y)
    f = rng.standard_normal(len(x), dtype=np.float32) * np.float32(2) ** rng.integers(-3, 60, len(x)).astype(np.float32)
    f = np.abs(f) if dtype == np.uint64 else f
    inputs = dict(x=x, y=y, divisor=divisor, f=f, i=(y & dtype(2**31 - 1)).astype(np.int32), s=(y & dtype(127)).astype(np.int8),
                  rounded=x.astype(np.float32))
    if dtype == np.int64:
        inputs["f_as_long"] = np.maximum(np.abs(divisor >> 20), 1)
    else:
        inputs["by"] = y & dtype(63)
    values = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), ["n"]) for n, v in inputs.items()]
    results = [helper.make_tensor_value_info(n, k, [] if n.startswith("Reduce") else ["n"]) for n, k in outputs.items()]
    model = helper.make_model(helper.make_graph(nodes, "program", values, results), opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return model.SerializeToString(), inputs


def normalised_layer(rows):
    """A projection with bias, residual and a normalisation of the rows behind it."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["s"]), helper.make_node("Add", ["s", "r"], ["t"]),
             helper.make_node("LayerNormalization", ["t", "scale", "shift"], ["y"], axis=-1)]
    weights = dict(w=normal(40, 72) / 6, b=normal(72), scale=normal(72), shift=normal(72))
    return onnx_model(nodes, dict(x=["rows", 40], r=["rows", 72]), dict(y=["rows", 72]), weights), dict(x=normal(rows, 40), r=normal(rows, 72))


# What other devices than CPUs are given. Run with --vulkan-variants=portable.
PORTABLE = {
    "attention in shared memory": lambda: attention(2, 40, 150),
    "causal attention in shared memory": lambda: attention(1, 150, 150, is_causal=1),
    "decoding on a GPU": lambda: attention(1, 1, 70, decodes=True),
    "decoding on a GPU, in parts": lambda: attention(2, 2, 2050, decodes=True, is_causal=1),
    "batches of products in shared memory": lambda: batches(2, 70, 35, 41),
    "product of nothing in shared memory": lambda: batches(1, 40, 0, 33),
    "layer in shared memory": lambda: normalised_layer(37),
}

PROGRAMS = {
    "decoding": lambda: attention(1, 1, 70, decodes=True),
    "decoding, in parts": lambda: attention(1, 1, 2050, decodes=True),
    "64-bit integers": lambda: longs(np.int64),
    "64-bit integers without a sign": lambda: longs(np.uint64),
    "matching": lambda: (MATCHING, dict(cost=normal(2, 5, 7))),
    "matching of more rows": lambda: (MATCHING, dict(cost=normal(1, 6, 3))),
    "matching with ties": lambda: (MATCHING, dict(cost=rng.integers(0, 3, (3, 66, 70)).astype(np.float32))),
    "matching without an answer": lambda: (MATCHING, dict(cost=np.where(rng.random((9, 4, 4)) < 0.5, np.inf, 1).astype(np.float32))),
    "matching of 300": lambda: (MATCHING, dict(cost=normal(1, 300, 300))),
    "matching in a workspace": lambda: (MATCHING, dict(cost=normal(2, 20, 400))),
    "pages": pages,
    "rows of 1000": lambda: long_rows(normal(3, 1000), 1000),
    "rows of 1000 with NaN and infinities": lambda: long_rows(special(8, 1000)),
    "rows of 1 element": lambda: long_rows(normal(4, 1)),
    "rows of 5 elements": lambda: long_rows(normal(2, 5)),
    "rows of no elements": lambda: long_rows(normal(2, 0)),
    "no rows": lambda: long_rows(normal(0, 70)),
    "a row of 100001": lambda: long_rows(normal(1, 100001)),
    "layer of 1 row": lambda: layer(1),
    "layer of 37 rows": lambda: layer(37),
    "batches of products": lambda: batches(3, 17, 33, 9),
    "product of nothing": lambda: batches(2, 5, 0, 3),
    "attention of 1 query": lambda: attention(2, 1, 70),
    "attention of 33 queries, causal": lambda: attention(1, 33, 33, is_causal=1),
    "attention of 5 queries, softcap": lambda: attention(2, 5, 19, softcap=3.0),
    "attention of many keys": lambda: attention(1, 1, 2050),
}
