"""Decoding with a cache of keys and values that is a graph input and output: TensorScatter writes the new ones, Attention reads the cache.

Steps follow each other, rows of the batch at positions of their own, one position and several at a time: against attention over all that was ever written, in
NumPy, and against the reference evaluator. A window in a ring holds the last positions only.   decode-step.py --bin DIR --models DIR --work DIR
"""
import os, sys
import numpy as np
import onnx
from onnx import TensorProto, helper
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
from harness import Tools, arguments, expect

t = Tools(arguments())
rng = np.random.default_rng(47)
H, G, D, E = 4, 2, 7, 5


def model(name, length, mode, causal):
    info = lambda n, shape, type=TensorProto.FLOAT: helper.make_tensor_value_info(n, type, shape)
    inputs = [info("query", ["batch", H, "new", D]), info("key", ["batch", G, "new", D]), info("value", ["batch", G, "new", E]),
              info("past_key", ["batch", G, length, D]), info("past_value", ["batch", G, length, E]),
              info("at", ["batch"], TensorProto.INT64), info("count", ["batch"], TensorProto.INT64)]
    nodes = [helper.make_node("TensorScatter", ["past_key", "key", "at"], ["present_key"], name="keys", mode=mode),
             helper.make_node("TensorScatter", ["past_value", "value", "at"], ["present_value"], name="values", mode=mode),
             helper.make_node("Attention", ["query", "present_key", "present_value", "", "", "", "count"], ["result"], name="look", is_causal=int(causal))]
    outputs = [info("result", ["batch", H, "new", E]), info("present_key", ["batch", G, length, D]), info("present_value", ["batch", G, length, E])]
    graph = helper.make_graph(nodes, name, inputs, outputs)
    path = t.path(name + ".onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)], ir_version=10), path)
    return path


def look(query, keys, values, visible):
    """One query of one head over the first `visible` of a list of keys."""
    s = np.asarray(keys[:visible]) @ query / np.sqrt(D)
    p = np.exp(s - s.max())
    return p / p.sum() @ np.asarray(values[:visible])


def steps(name, path, length, ring, batch, counts):
    """`counts`: positions of each step. In a ring queries look at the last `length` positions, whose order is all the same to them."""
    keys, values = ([[[] for _ in range(G)] for _ in range(batch)] for _ in range(2))
    cache = dict(past_key=np.zeros((batch, G, length, D), np.float32), past_value=np.zeros((batch, G, length, E), np.float32))
    # Every row starts with a prefix of its own length.
    at = np.zeros(batch, np.int64)
    for b in range(batch):
        for _ in range(b):
            for g in range(G):
                keys[b][g].append(rng.standard_normal(D)), values[b][g].append(rng.standard_normal(E))
                cache["past_key"][b, g, at[b]], cache["past_value"][b, g, at[b]] = keys[b][g][-1], values[b][g][-1]
            at[b] += 1
    for number, new in enumerate(counts):
        q, k, v = (rng.standard_normal((batch, heads, new, size)).astype(np.float32) for heads, size in ((H, D), (G, D), (G, E)))
        np.savez(t.path("in.npz"), query=q, key=k, value=v, at=at, count=np.minimum(at + new, length), **cache)
        if number == 0:
            t.compile(path, "-o", t.path(name + ".fovea"), f"--check={t.path('in.npz')}")
        t.run("fovea-run", t.path(name + ".fovea"), "--inputs", t.path("in.npz"), "--outputs", t.path("out.npz"), "--threads", 1 + number % 3)
        got = dict(np.load(t.path("out.npz")))
        want, slots = np.zeros((batch, H, new, E)), {n: x.copy() for n, x in cache.items()}
        for b in range(batch):
            for i in range(new):
                for g in range(G):
                    keys[b][g].append(k[b, g, i].astype(np.float64)), values[b][g].append(v[b, g, i].astype(np.float64))
                    place = (at[b] + i) % length
                    slots["past_key"][b, g, place], slots["past_value"][b, g, place] = k[b, g, i], v[b, g, i]
            for h in range(H):
                g = h // (H // G)
                for i in range(new):
                    seen = len(keys[b][g]) - new + i + 1 if not ring else len(keys[b][g])
                    first = max(0, len(keys[b][g]) - length) if ring else 0
                    want[b, h, i] = look(q[b, h, i].astype(np.float64), keys[b][g][first:], values[b][g][first:], seen - first)
        expect(np.allclose(got["result"], want, rtol=2e-5, atol=2e-6), f"{name}, step {number}: differs by {np.abs(got['result'] - want).max()}")
        for n in ("key", "value"):
            expect(np.array_equal(got["present_" + n], slots["past_" + n]), f"{name}, step {number}: another cache of {n}s")
            cache["past_" + n] = got["present_" + n]
        at = at + new
    return at


steps("line", model("line", 24, "linear", True), 24, False, 3, [4, 1, 1, 5, 1, 3])
steps("line-dynamic", model("line-dynamic", "length", "linear", True), 19, False, 2, [1, 1, 7, 1])
at = steps("ring", model("ring", 6, "circular", False), 6, True, 3, [1, 2, 1, 1, 4, 1, 6, 3])
expect(at.min() > 12, "the ring was not gone around")

# No room in the cache: the node is named.
one = lambda *shape: np.zeros(shape, np.float32)
np.savez(t.path("in.npz"), query=one(1, H, 1, D), key=one(1, G, 1, D), value=one(1, G, 1, E), past_key=one(1, G, 24, D), past_value=one(1, G, 24, E), at=np.array([24]),
         count=np.array([24]))
said = t.run("fovea-run", t.path("line.fovea"), "--inputs", t.path("in.npz"), "--outputs", t.path("out.npz"), code=1).stderr
expect("keys" in said, said)
print("steps of decoding as attention over everything")
