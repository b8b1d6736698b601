"""Attention that pools on the CPU: gates of channels and places, pools over time, pooled queries and keys, against NumPy."""
import numpy as np
from programs import Programs, tensor

p = Programs(32)
sigmoid = lambda x: 1 / (1 + np.exp(-x))
softmax = lambda x: np.exp(x - x.max(-1, keepdims=True, initial=-np.inf)) / np.exp(x - x.max(-1, keepdims=True, initial=-np.inf)).sum(-1, keepdims=True)
wide = lambda a: {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in a.items()}


def channel(a, pool):
    a = wide(a)
    x = a["x"]
    places = tuple(range(2, x.ndim))
    mlp = lambda y: np.maximum(y @ a["w1"] + a.get("b1", 0), 0) @ a["w2"] + a.get("b2", 0)
    gate = mlp(x.sum(places) / max(np.prod(x.shape[2:]), 1))
    if pool == "mean_max":
        gate = gate + mlp(x.max(places, initial=-np.inf))
    return [x * sigmoid(gate).reshape(*gate.shape, *[1] * len(places))]


for element in ("f32", "f64"):
    for pool in ("mean", "mean_max"):
        for dims, sizes in ((["B", 24, "H", "W"], [(2, 5, 7), (1, 1, 1), (1, 0, 3)]), (["B", 24, "T"], [(3, 50), (0, 4)]), ([2, 24, 4, 4], [()])):
            for biased in (False, True):
                inputs = dict(x=(dims, element), w1=([24, 5], element), w2=([5, 24], element))
                x, w1, w2 = (tensor(*inputs[k]) for k in ("x", "w1", "w2"))
                more = ""
                if biased:
                    inputs.update(b1=([5], element), b2=([24], element))
                    more = f"squeeze_bias(%b1 : {tensor([5], element)}) expand_bias(%b2 : {tensor([24], element)})"
                body = f"  %0 = attn.channel_attention ins(%x, %w1, %w2 : {x}, {w1}, {w2}) {more} outs(%init0 : {x}) {{pool = #attn.channel_pool<{pool}>}} -> {x}\n  return %0 : {x}"
                names = [d for d in dims if isinstance(d, str)]
                p.check("channel", body, inputs, [(dims, element)], [dict(zip(names, s)) for s in sizes], lambda a, s: channel(a, pool))


def spatial(a):
    a = wide(a)
    x, f = a["x"], a["f"]
    b, c, h, w = x.shape
    k = f.shape[1]
    planes = np.stack([x.max(1), x.mean(1)], 1)
    padded = np.pad(planes, ((0, 0), (0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    s = np.zeros((b, h, w)) + a.get("bias", 0)
    for n in range(2):
        for v in range(k):
            for u in range(k):
                s += f[n, v, u] * padded[:, n, v:v + h, u:u + w]
    return [x * sigmoid(s)[:, None]]


for element in ("f32", "f64"):
    for k, biased, dims in ((7, False, ["B", "C", "H", "W"]), (3, True, ["B", "C", "H", "W"]), (1, True, ["B", "C", "H", "W"]), (7, True, [2, 3, 5, 6])):
        inputs = dict(x=(dims, element), f=([2, k, k], element))
        x, f = tensor(*inputs["x"]), tensor(*inputs["f"])
        if biased:
            inputs["bias"] = ([1], element)
        body = (f"  %0 = attn.spatial_attention ins(%x, %f : {x}, {f}) {f'bias(%bias : {tensor([1], element)})' if biased else ''} outs(%init0 : {x}) -> {x}\n  return %0 : {x}")
        sizes = [dict(B=b, C=c, H=h, W=w) for b, c, h, w in ((2, 6, 9, 11), (1, 1, 1, 1), (1, 3, 2, 17), (2, 3, 0, 4))] if isinstance(dims[0], str) else [dict()]
        p.check("spatial", body, inputs, [(dims, element)], sizes, lambda a, s: spatial(a))


def over_time(a):
    a = wide(a)
    x = a["x"]
    b, t, d = x.shape
    scores = np.tanh(x @ a["w"] + a.get("bias", 0)) @ a["u"]
    live = np.ones((b, t), bool)
    if "lengths" in a:
        live &= np.arange(t)[None] < a["lengths"][:, None]
    if "mask" in a:
        live &= a["mask"]
    result = np.zeros((b, d))
    for n in range(b):
        if live[n].any():
            result[n] = softmax(scores[n][live[n]]) @ x[n][live[n]]
    return [result]


def poisoned(shape, dtype, sizes):
    """NaN and infinity in steps that are masked: masks leave every fourth step and none of the first sequence."""
    x = p.rng.standard_normal(shape).astype(dtype)
    x[:, 1::4], x[:, 3::4] = np.nan, np.inf
    return x


def every_fourth(shape, dtype, sizes):
    mask = np.zeros(shape, bool)
    mask[1:, ::4] = True
    return mask


for element in ("f32", "f64"):
    for width in (10, 1):  # 1: Raffel and Ellis
        for masks in ((), ("lengths",), ("mask",), ("lengths", "mask")):
            inputs = dict(x=(["B", "T", 12], element), w=([12, width], element), u=([width], element), bias=([width], element))
            x, w, u, out = (*(tensor(*inputs[k]) for k in "xwu"), tensor(["B", 12], element))
            more = f"bias(%bias : {u})"
            if "lengths" in masks:
                inputs["lengths"] = (["B"], "i64")
                more += f" lengths(%lengths : {tensor(['B'], 'i64')})"
            if "mask" in masks:
                inputs["mask"] = (["B", "T"], "i1")
                more += f" mask(%mask : {tensor(['B', 'T'], 'i1')})"
            body = f"  %0 = attn.attention_pool ins(%x, %w, %u : {x}, {w}, {u}) {more} outs(%init0 : {out}) -> {out}\n  return %0 : {out}"
            make = dict(lengths=lambda shape, dtype, s: np.minimum(np.arange(shape[0]) * 7, s["T"]).astype(dtype), mask=every_fourth)
            if "mask" in masks:
                make["x"] = poisoned
            p.check("pool", body, inputs, [(["B", 12], element)], [dict(B=b, T=t) for b, t in ((3, 19), (1, 1), (2, 0), (4, 130), (0, 3))],
                    lambda a, s: over_time(a), make, flags=["--require-fused"] if element == "f32" else [])


def windows(x, grid, kernel, stride, pool):
    b, h, _, d = x.shape
    x = x.reshape(b, h, *grid, d)
    counts = [(g - k) // s + 1 for g, k, s in zip(grid, kernel, stride)]
    out = np.zeros((b, h, *counts, d))
    for at in np.ndindex(*counts):
        part = x[(slice(None), slice(None), *[slice(i * s, i * s + k) for i, s, k in zip(at, stride, kernel)])]
        axes = tuple(range(2, 2 + len(grid)))
        out[(slice(None), slice(None), *at)] = part.mean(axes) if pool == "mean" else part.max(axes)
    return out.reshape(b, h, int(np.prod(counts)), d)


def pooled(a, q, k, pool, residual):
    a = wide(a)
    query, key, value = windows(a["q"], *q, pool), windows(a["k"], *k, pool), windows(a["v"], *k, pool)
    return [softmax(0.25 * query @ key.swapaxes(2, 3)) @ value + (query if residual else 0)]


for element in ("f32", "f64"):
    for pool in ("mean", "max"):
        for residual in (False, True):
            for q, k in ((((4, 6), (2, 2), (2, 2)), ((4, 6), (3, 3), (1, 2))), (((2, 3, 5), (1, 3, 2), (1, 1, 3)), ((9,), (4,), (3,))), (((7,), (1,), (1,)), ((3, 3), (1, 1), (2, 2)))):
                rows, columns, out = (int(np.prod(x)) for x in (q[0], k[0], [(g - n) // s + 1 for g, n, s in zip(*q)]))
                dims = dict(q=["B", 3, rows, 8], k=["B", 3, "N", 8], v=["B", 3, columns, 8])
                qt, kt, vt, ot = (tensor(d, element) for d in (*dims.values(), ["B", 3, out, 8]))
                text = lambda w: "grid [%s] kernel [%s] stride [%s]" % tuple(", ".join(map(str, part)) for part in w)
                body = (f"  %0 = attn.pooled_attention ins(%q, %k, %v : {qt}, {kt}, {vt}) query_windows({text(q)}) key_windows({text(k)}) outs(%init0 : {ot})\n"
                        f"      {{scale = 0.25, pool = #attn.window_pool<{pool}>{', residual' if residual else ''}}} -> {ot}\n  return %0 : {ot}")
                p.check("pooled", body, {n: (d, element) for n, d in dims.items()}, [(["B", 3, out, 8], element)], [dict(B=b, N=columns) for b in (2, 1, 0)],
                        lambda a, s: pooled(a, q, k, pool, residual), flags=["--require-fused"] if element == "f32" else [])
                p.refused("pooled", {n: np.zeros([1 if i == "B" else columns + 1 if i == "N" else i for i in d], np.float32 if element == "f32" else np.float64)
                                     for n, d in dims.items()}, "operands do not fit each other")
# MViTv2's relative position (Li et al. 2022, eq. 3): what a query says of the rows and of the columns of the keys' grid are two small tables, read by the score region.
height, width = 5, 7
places = height * width
dims = dict(q=["B", 2, "M", 8], k=["B", 2, places, 8], v=["B", 2, places, 8], down=["B", 2, "M", height], across=["B", 2, "M", width])
for element in ("f32", "f64"):
    inputs = {n: (d, element) for n, d in dims.items()}
    types = {n: tensor(*i) for n, i in inputs.items()}
    body = f"""  %0 = attn.attention ins(%q, %k, %v : {types["q"]}, {types["k"]}, {types["v"]}) outs(%init0 : {types["q"]}) {{scale = 0.25 : f64}} score {{
    ^bb0(%s: {element}, %b: index, %h: index, %i: index, %j: index):
      %width = arith.constant {width} : index
      %y = arith.divui %j, %width : index
      %x = arith.remui %j, %width : index
      %d = tensor.extract %down[%b, %h, %i, %y] : {types["down"]}
      %a = tensor.extract %across[%b, %h, %i, %x] : {types["across"]}
      %t = arith.addf %s, %d : {element}
      %r = arith.addf %t, %a : {element}
      attn.yield %r : {element}
    }} -> {types["q"]}
  return %0 : {types["q"]}"""
    bias = lambda a: (a["down"][..., :, None] + a["across"][..., None, :]).reshape(*a["down"].shape[:3], places)
    p.check("grid", body, inputs, [(dims["q"], element)], [dict(B=b, M=m) for b, m in ((2, 40), (1, 1), (3, 7), (0, 5))],
            lambda a, s: [softmax(0.25 * wide(a)["q"] @ wide(a)["k"].swapaxes(2, 3) + bias(wide(a))) @ wide(a)["v"]],
            flags=["--require-fused"] if element == "f32" else [])
print("pooling as NumPy has it")
