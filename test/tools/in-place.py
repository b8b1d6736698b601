"""Results that are written over their inputs: what the plan says, and that the numbers are right with any number of threads.

Each case is a chain of ONNX nodes between products (a product's result is a kernel's), with odd sizes, so that vectors and blocks have tails.
"""
import json
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from harness import Tools, arguments, expect

t = Tools(arguments())
rng = np.random.default_rng(11)


def model(name, nodes, weights, rows, columns, outputs=("y",)):
    """x: rows x columns. Sizes of the outputs are inferred."""
    graph = helper.make_graph([helper.make_node(op, ins, outs, name=f"{op}_{i}", **attributes) for i, (op, ins, outs, attributes) in enumerate(nodes)], name,
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, columns])],
                              [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
                              [numpy_helper.from_array(w, n) for n, w in weights.items()])
    path = t.path(f"{name}-{rows}.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def weight(*shape):
    return rng.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(shape[0]))


def norm(x, scale, bias):
    d = x - x.mean(-1, keepdims=True)
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5) * scale + bias


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def check(name, nodes, weights, columns, reference, over, outputs=("y",), sizes=(1, 7, 53, 300)):
    """`over`: how many results lie over an input, or a function of the rows that says so. Static and symbolic rows, 1 and 4 threads."""
    for rows in (*sizes, "rows"):
        path, artifact = model(name, nodes, weights, rows, columns, outputs), t.path(f"{name}.fovea")
        t.compile(path, "-o", artifact, f"--explain={t.path('explain.json')}")
        kernels = json.load(open(t.path("explain.json")))["entries"][0]["kernels"]
        found = sum("in_place_of" in o for k in kernels for o in k["outputs"])
        wanted = over(rows) if callable(over) else over
        expect(found == wanted, f"{wanted} results of {name} with {rows} rows over an input, got {found}")
        for n in sizes if rows == "rows" else (rows,):
            x = rng.standard_normal((n, columns), dtype=np.float32)
            np.savez(t.path("in.npz"), x=x)
            with np.errstate(all="ignore"):
                values = reference(x, weights)
            np.savez(t.path("out.npz"), **dict(zip(outputs, values)))
            for threads in (1, 4):
                t.run("fovea-run", artifact, "--inputs", t.path("in.npz"), "--expect", t.path("out.npz"), "--threads", threads, "--rtol", "1e-4", "--atol", "1e-4")
        print(f"{name}: {rows} rows match, {found} in place")


c = 37
w = dict(a=weight(c, c), b=weight(c, c), d=weight(c, c), scale=weight(c), bias=weight(c))
dot = lambda x, n, o: ("MatMul", [x, n], [o], {})

# Residuals: h = x a; s = h + h b, over h; y = s d.
check("residual", [dot("x", "a", "h"), dot("h", "b", "p"), ("Add", ["p", "h"], ["s"], {}), dot("s", "d", "y")], w, c,
      lambda x, w: [(x @ w["a"] + x @ w["a"] @ w["b"]) @ w["d"]], over=0)
# The product reads h as its left side too: then not. With another one it may.
check("residual-other", [dot("x", "a", "h"), dot("x", "b", "g"), dot("g", "d", "p"), ("Add", ["p", "h"], ["s"], {}), ("Softmax", ["s"], ["q"], dict(axis=0)),
                         dot("q", "d", "y")], w, c,
      lambda x, w: [softmax((x @ w["b"] @ w["d"] + x @ w["a"]).T).T @ w["d"]], over=2)
# Rows that are normalised after the residual. One row is no matrix product but a reduction inside of the normalisation's: that reads the residual twice.
check("residual-norm", [dot("x", "a", "h"), dot("x", "b", "g"), dot("g", "d", "p"), ("Add", ["p", "h"], ["s"], {}),
                        ("LayerNormalization", ["s", "scale", "bias"], ["n"], dict(axis=-1)), dot("n", "d", "y")], w, c,
      lambda x, w: [norm(x @ w["b"] @ w["d"] + x @ w["a"], w["scale"], w["bias"]) @ w["d"]], over=lambda rows: int(rows != 1))
# An input that is an output of the program, or is read once more, stays.
check("kept", [dot("x", "a", "h"), ("Softmax", ["h"], ["s"], dict(axis=0)), ("Add", ["s", "h"], ["q"], {}), dot("q", "d", "y")], w, c,
      lambda x, w: [(softmax((x @ w["a"]).T).T + x @ w["a"]) @ w["d"], x @ w["a"]], over=0, outputs=("y", "h"))
# Read in another order as well. (Symbolic rows may be one, so the transpose is expanded first, and that is what the sum is written over.) Behind a normalisation of columns, whose own input dies there, it may.
square = 48
ws = dict(a=weight(square, square), d=weight(square, square))
turn = ("Transpose", ["h"], ["r"], dict(perm=[1, 0]))
check("transposed", [dot("x", "a", "h"), turn, ("Add", ["h", "r"], ["s"], {}), dot("s", "d", "y")], ws, square,
      lambda x, w: [(x @ w["a"] + (x @ w["a"]).T) @ w["d"]], over=lambda rows: int(rows == "rows"), sizes=(square,))
check("columns", [dot("x", "a", "h"), turn, ("Add", ["h", "r"], ["s"], {}), ("Softmax", ["s"], ["q"], dict(axis=0)), ("Mul", ["q", "r"], ["z"], {}), dot("z", "d", "y")],
      ws, square, lambda x, w: [(softmax((x @ w["a"] + (x @ w["a"]).T).T).T * (x @ w["a"]).T) @ w["d"]], over=lambda rows: 1 + int(rows == "rows"), sizes=(square,))
