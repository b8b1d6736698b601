"""Layers with a state on the CPU, against their formulas in NumPy: linear attention under every rule, causal convolution; a state handed on."""
import itertools
import numpy as np
from programs import Programs, tensor

p = Programs(41)
f64 = lambda x: x.astype(np.float64)


def attend(a, heads, scale):
    """What results and what is left, position by position."""
    q, k, v = f64(a["q"]), f64(a["k"]), f64(a["v"])
    b, t, g, d = k.shape
    state = f64(a["s"]).copy() if "s" in a else np.zeros((b, g, d, v.shape[3]))
    out = np.zeros((b, t, heads, v.shape[3]))
    for i in range(t):
        if "decay" in a:
            state = state * np.exp(f64(a["decay"][:, i]))[..., None]
        u = v[:, i]
        if "beta" in a:
            u = f64(a["beta"][:, i])[..., None] * (u - np.einsum("bgde,bgd->bge", state, k[:, i]))
        state = state + k[:, i][..., None] * u[..., None, :]
        out[:, i] = scale * np.einsum("bhd,bhde->bhe", q[:, i], np.repeat(state, heads // g, axis=1))
    return [out, state]


def short(shape, dtype, sizes):
    """Vectors of no more than one unit: with the delta rule a state that stays small."""
    x = p.rng.standard_normal(shape)
    return (x / np.maximum(1, np.linalg.norm(x, axis=-1, keepdims=True))).astype(dtype)


negative = lambda shape, dtype, sizes: -p.rng.uniform(0, 2, shape).astype(dtype)
unit_interval = lambda shape, dtype, sizes: p.rng.uniform(0, 1, shape).astype(dtype)
make = dict(k=short, decay=negative, beta=unit_interval)


def linear(name, dims, element, states, decay, beta, has_state, sizes, tolerance=None, flags=()):
    b, t, h, g, d, e = (dims[n] for n in "bthgde")
    inputs = dict(q=([b, t, h, d], element), k=([b, t, g, d], element), v=([b, t, g, e], element))
    said = ""
    if has_state:
        inputs["s"], said = ([b, g, d, e], states), said + f" state(%s : {tensor([b, g, d, e], states)})"
    if decay:
        inputs["decay"], said = ([b, t, g, decay], element), said + f" decay(%decay : {tensor([b, t, g, decay], element)})"
    if beta:
        inputs["beta"], said = ([b, t, beta], element), said + f" beta(%beta : {tensor([b, t, beta], element)})"
    types = ", ".join(tensor(*inputs[n]) for n in "qkv")
    results = [([b, t, h, e], element), ([b, g, d, e], states)]
    out = ", ".join(tensor(*r) for r in results)
    body = f"""  %0, %1 = attn.linear_attention ins(%q, %k, %v : {types}){said} outs(%init0, %init1 : {out}) {{scale = 0.25 : f64}} -> {out}
  return %0, %1 : {out}"""
    return p.check(name, body, inputs, results, sizes, lambda a, s: attend(a, h, 0.25), make, tolerance=tolerance, flags=flags)


everywhere = [dict(B=x, T=y, D=z, E=w) for x, y, z, w in ((2, 5, 9, 70), (1, 1, 1, 1), (3, 7, 16, 16), (2, 0, 4, 3), (0, 3, 2, 2), (1, 3, 0, 5), (1, 2, 3, 0), (1, 40, 33, 129))]
dynamic = dict(b="B", t="T", h=4, g=2, d="D", e="E")
# Every rule, with sizes known when the program runs.
for decay, beta, has_state in itertools.product(("D", 1, None), (2, 1, None), (True, False)):
    linear("rule", dynamic, "f32", "f32", decay, beta, has_state, everywhere)
# Sizes that are known: no multiple of a vector, one, a whole block and more.
for d, e in ((7, 5), (1, 1), (16, 64), (20, 67)):
    for heads in ((3, 1), (2, 2), (1, 1)):
        linear("static", dict(b=2, t=3, h=heads[0], g=heads[1], d=d, e=e), "f32", "f32", d, heads[1], True, [dict()])
        linear("static", dict(b=2, t=3, h=heads[0], g=heads[1], d=d, e=e), "f64", "f64", None, 1, True, [dict()])
linear("half", dynamic, "f16", "f32", "D", 2, True, everywhere[:3], tolerance=4e-3)
linear("half-states", dynamic, "f16", "f16", 1, None, True, everywhere[:3], tolerance=8e-3)
linear("wide-states", dynamic, "f32", "f64", 1, 2, True, everywhere[:3])

# A decay of -inf forgets; a state that is infinite stays so.
arrays = dict(q=(["B", 2, 1, 3], "f32"), k=(["B", 2, 1, 3], "f32"), v=(["B", 2, 1, 4], "f32"), s=(["B", 1, 3, 4], "f32"), decay=(["B", 2, 1, 3], "f32"))
body = """  %0, %1 = attn.linear_attention ins(%q, %k, %v : tensor<?x2x1x3xf32>, tensor<?x2x1x3xf32>, tensor<?x2x1x4xf32>) state(%s : tensor<?x1x3x4xf32>)
      decay(%decay : tensor<?x2x1x3xf32>) outs(%init0, %init1 : tensor<?x2x1x4xf32>, tensor<?x1x3x4xf32>) -> tensor<?x2x1x4xf32>, tensor<?x1x3x4xf32>
  return %0, %1 : tensor<?x2x1x4xf32>, tensor<?x1x3x4xf32>"""
results = [(["B", 2, 1, 4], "f32"), (["B", 1, 3, 4], "f32")]
forget = lambda shape, dtype, s: np.where(p.rng.uniform(size=shape) < 0.5, -np.inf, 0).astype(dtype)
some_infinite = lambda shape, dtype, s: np.where(p.rng.uniform(size=shape) < 0.3, np.inf, 1).astype(dtype)
p.check("extreme", body, arrays, results, [dict(B=5)], lambda a, s: attend(a, 1, 1), dict(decay=forget))
p.check("extreme", body, arrays, results, [dict(B=5)], lambda a, s: attend(a, 1, 1), dict(decay=lambda shape, dtype, s: np.zeros(shape, dtype), s=some_infinite))

# Heads of another layout (B x H x T x D) and a state that lies the other way round; a state of zeros that is written down.
body = """  %e0 = tensor.empty(%B, %T) : tensor<?x?x2x6xf32>
  %q1 = linalg.transpose ins(%q : tensor<?x2x?x6xf32>) outs(%e0 : tensor<?x?x2x6xf32>) permutation = [0, 2, 1, 3]
  %e1 = tensor.empty(%B) : tensor<?x2x6x5xf32>
  %s1 = linalg.transpose ins(%s : tensor<?x2x5x6xf32>) outs(%e1 : tensor<?x2x6x5xf32>) permutation = [0, 1, 3, 2]
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?x2x6x5xf32>) -> tensor<?x2x6x5xf32>
  %0, %1 = attn.linear_attention ins(%q1, %q1, %v : tensor<?x?x2x6xf32>, tensor<?x?x2x6xf32>, tensor<?x?x2x5xf32>) state(%s1 : tensor<?x2x6x5xf32>)
      outs(%init0, %init1 : tensor<?x?x2x5xf32>, tensor<?x2x6x5xf32>) -> tensor<?x?x2x5xf32>, tensor<?x2x6x5xf32>
  %2, %3 = attn.linear_attention ins(%q1, %q1, %v : tensor<?x?x2x6xf32>, tensor<?x?x2x6xf32>, tensor<?x?x2x5xf32>) state(%z : tensor<?x2x6x5xf32>)
      outs(%init0, %init1 : tensor<?x?x2x5xf32>, tensor<?x2x6x5xf32>) -> tensor<?x?x2x5xf32>, tensor<?x2x6x5xf32>
  return %0, %1, %2, %3 : tensor<?x?x2x5xf32>, tensor<?x2x6x5xf32>, tensor<?x?x2x5xf32>, tensor<?x2x6x5xf32>"""


def turned(a, s):
    q = a["q"].transpose(0, 2, 1, 3)
    both = dict(q=q, k=q, v=a["v"])
    return attend(dict(both, s=a["s"].transpose(0, 1, 3, 2)), 2, 1) + attend(both, 2, 1)


p.check("turned", body, dict(q=(["B", 2, "T", 6], "f32"), v=(["B", "T", 2, 5], "f32"), s=(["B", 2, 5, 6], "f32")),
        [(["B", "T", 2, 5], "f32"), (["B", 2, 6, 5], "f32")] * 2, [dict(B=2, T=4), dict(B=1, T=1)], turned, dict(q=short))

# All positions at once are two parts, the second going on from the state of the first one, which it is written over.
qkv = "tensor<?x4x2x6xf32>, tensor<?x4x2x6xf32>, tensor<?x4x2x5xf32>"
out = "tensor<?x4x2x5xf32>, tensor<?x2x6x5xf32>"
part = lambda n, state: f"""  %o{n}, %s{n} = attn.linear_attention ins(%q, %k, %v : {qkv}) {state} outs(%init0, %init1 : {out}) -> {out}\n"""
body = part(0, "") + part(1, "state(%s0 : tensor<?x2x6x5xf32>)") + part(2, "state(%s1 : tensor<?x2x6x5xf32>)") + f"  return %o2, %s2 : {out}"


def thrice(a, s):
    state = np.zeros((s["B"], 2, 6, 5))
    for _ in range(3):
        result, state = attend(dict(a, s=state), 2, 1)
    return [result, state]


said = p.check("handed-on", body, dict(q=(["B", 4, 2, 6], "f32"), k=(["B", 4, 2, 6], "f32"), v=(["B", 4, 2, 5], "f32")),
               [(["B", 4, 2, 5], "f32"), (["B", 2, 6, 5], "f32")], [dict(B=3), dict(B=1)], thrice, dict(k=short))
assert "in place of input" in said, said


def convolve(a, silu):
    x, w = f64(a["x"]), f64(a["w"])
    k = w.shape[1]
    past = f64(a["s"]) if "s" in a else np.zeros(x.shape[:2] + (k - 1,))
    padded = np.concatenate([past, x], axis=2)
    y = np.zeros(x.shape) + (f64(a["bias"])[:, None] if "bias" in a else 0)
    for j in range(k):
        y += w[:, j, None] * padded[:, :, j:j + x.shape[2]]
    return [y / (1 + np.exp(-y)) if silu else y, padded[:, :, x.shape[2]:]]


def conv(name, b, c, t, k, element, bias, state, silu, sizes, tolerance=None):
    held = k - 1 if isinstance(k, int) else "H"
    inputs = dict(x=([b, c, t], element), w=([c, k], element))
    said = ""
    if bias:
        inputs["bias"], said = ([c], element), said + f" bias(%bias : {tensor([c], element)})"
    if state:
        inputs["s"], said = ([b, c, held], element), said + f" state(%s : {tensor([b, c, held], element)})"
    results = [([b, c, t], element), ([b, c, held], element)]
    out = ", ".join(tensor(*r) for r in results)
    body = f"""  %0, %1 = attn.causal_conv_with_state ins(%x, %w : {tensor([b, c, t], element)}, {tensor([c, k], element)}){said} outs(%init0, %init1 : {out})
      {"{silu}" if silu else ""} -> {out}
  return %0, %1 : {out}"""
    p.check(name, body, inputs, results, sizes, lambda a, s: convolve(a, silu), tolerance=tolerance)


at = [dict(B=x, C=y, T=z, K=k, H=k - 1) for x, y, z, k in ((2, 5, 9, 4), (1, 1, 1, 1), (3, 20, 1, 4), (1, 2, 2, 9), (2, 3, 0, 4), (0, 3, 4, 2), (2, 0, 4, 2), (1, 3, 100, 12), (1, 2, 16, 2))]
for bias, silu in itertools.product((False, True), repeat=2):
    conv("conv", "B", "C", "T", "K", "f32", bias, True, silu, at)
    for k in (1, 2, 4, 11):
        conv("conv-taps", "B", 3, "T", k, "f32", bias, bias != silu, silu, [dict(B=2, T=t) for t in (1, 0, 3, 17, 40)])
conv("conv-double", "B", "C", "T", "K", "f64", True, True, True, at)
conv("conv-half", "B", "C", "T", "K", "f16", True, True, True, at, tolerance=4e-3)
conv("conv-misfit", "B", "C", "T", "K", "f32", False, True, False, at[:1])
p.refused("conv-misfit", dict(x=np.zeros((2, 3, 4), np.float32), w=np.zeros((3, 4), np.float32), s=np.zeros((2, 3, 4), np.float32)), "outside its table")
print("layers with a state as NumPy has them")
