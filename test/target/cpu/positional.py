"""Positional encoding on the CPU: encodings, rotary frequencies, biases of attention, against their formulas in NumPy."""
import math
import numpy as np
from programs import Programs, expect, tensor

p = Programs(31)


def sinusoids(positions, width, temperature=10000.0, halves=False):
    k = np.arange(width // 2)
    angle = positions.astype(np.float64)[..., None] * temperature ** (-2.0 * k / width)
    if halves:
        return np.concatenate([np.sin(angle), np.cos(angle)], -1)
    return np.stack([np.sin(angle), np.cos(angle)], -1).reshape(*positions.shape, width)


def far(shape, dtype, sizes):
    """Positions up to a million: angles that f32 could not hold."""
    return p.rng.integers(-1000, 10 ** 6, shape).astype(dtype)


for element in ("f32", "f64"):
    for halves in (False, True):
        layout = f"layout = #attn.sinusoid_layout<{'halves' if halves else 'interleaved'}>"
        out = tensor(["N", 20], element)
        body = f"  %0 = attn.sinusoidal_encoding ins(%p : {tensor(['N'], 'i64')}) outs(%init0 : {out}) {{{layout}}} -> {out}\n  return %0 : {out}"
        p.check(f"sinusoidal-{element}", body, dict(p=(["N"], "i64")), [(["N", 20], element)], [dict(N=n) for n in (7, 1, 0, 100)],
                lambda a, s: [sinusoids(a["p"], 20, halves=halves)], dict(p=far), tolerance=1e-6 if element == "f32" else 1e-9)
        # Two axes, of positions that are no whole numbers.
        for axes in ("concatenated", "added"):
            type, out = tensor(["B", "H", "W"], element), tensor(["B", "H", "W", 12], element)
            body = (f"  %0 = attn.sinusoidal_encoding ins(%y, %x : {type}, {type}) outs(%init0 : {out}) {{{layout}, axes = #attn.axes<{axes}>, temperature = 20.0}} -> {out}\n"
                    f"  return %0 : {out}")
            want = lambda a, s: [np.concatenate([sinusoids(a["y"], 6, 20, halves), sinusoids(a["x"], 6, 20, halves)], -1) if axes == "concatenated" else
                                 sinusoids(a["y"], 12, 20, halves) + sinusoids(a["x"], 12, 20, halves)]
            p.check(f"sinusoidal-{axes}", body, dict(y=(["B", "H", "W"], element), x=(["B", "H", "W"], element)), [(["B", "H", "W", 12], element)],
                    [dict(B=b, H=h, W=w) for b, h, w in ((2, 3, 5), (1, 1, 1), (2, 0, 3))], want)

    # DETR's encoding of a padded batch of images: the first images are larger than the others.
    def corner(shape, dtype, sizes):
        mask = np.ones(shape, dtype)
        for n, plane in enumerate(mask):
            plane[: max(shape[1] - n, 0), : max(shape[2] - 2 * n, 0)] = False
        return mask

    mask, place, out = tensor(["B", "H", "W"], "i1"), tensor(["B", "H", "W"], element), tensor(["B", "H", "W", 16], element)
    for offset in (0.0, -0.5):
        body = f"  %e = tensor.empty(%B, %H, %W) : {place}\n"
        for axis, name in ((1, "y"), (2, "x")):
            body += f"  %{name} = attn.mask_positions axis({axis}) ins(%mask : {mask}) outs(%e : {place}) {{normalize, offset = {offset} : f64}} -> {place}\n"
        body += f"  %0 = attn.sinusoidal_encoding ins(%y, %x : {place}, {place}) outs(%init0 : {out}) -> {out}\n  return %0 : {out}"

        def detr(a, s):
            live = ~a["mask"]
            y, x = live.cumsum(1, dtype=np.float64), live.cumsum(2, dtype=np.float64)
            y = (y + offset) / (y[:, -1:, :] + 1e-6) * 2 * math.pi if s["H"] else y
            x = (x + offset) / (x[:, :, -1:] + 1e-6) * 2 * math.pi if s["W"] else x
            # What is wholly masked divides by 1e-6: the angle is as large as f32 lets it be.
            y, x = y.astype(np.float32 if element == "f32" else np.float64), x.astype(np.float32 if element == "f32" else np.float64)
            return [np.concatenate([sinusoids(y, 8), sinusoids(x, 8)], -1)]

        p.check(f"detr-{element}", body, dict(mask=(["B", "H", "W"], "i1")), [(["B", "H", "W", 16], element)],
                [dict(B=b, H=h, W=w) for b, h, w in ((3, 4, 9), (1, 1, 1), (2, 0, 3))] if offset == 0 else [dict(B=2, H=5, W=7)], detr, dict(mask=corner))

    # Learned: looked up, or the first rows.
    table, out = tensor(["P", 5], element), tensor(["B", "N", 5], element)
    body = f"  %0 = attn.learned_encoding ins(%table : {table}) positions(%p : {tensor(['B', 'N'], 'i64')}) outs(%init0 : {out}) {{offset = 2 : i64}} -> {out}\n  return %0 : {out}"
    p.check("learned", body, dict(table=(["P", 5], element), p=(["B", "N"], "i64")), [(["B", "N", 5], element)], [dict(P=9, B=b, N=n) for b, n in ((2, 3), (1, 1), (0, 4))],
            lambda a, s: [a["table"][a["p"] + 2]], dict(p=lambda shape, dtype, s: p.rng.integers(-2, s["P"] - 2, shape).astype(dtype)))
    for bad in (7, -3):
        p.refused("learned", dict(table=np.zeros((9, 5), np.float32 if element == "f32" else np.float64), p=np.array([[bad]])), "an index is outside its table")
    out = tensor(["N", 5], element)
    body = f"  %0 = attn.learned_encoding ins(%table : {table}) outs(%init0 : {out}) {{offset = 2 : i64}} -> {out}\n  %1 = linalg.add ins(%0, %x : {out}, {out}) outs(%init0 : {out}) -> {out}\n  return %1 : {out}"
    p.check("learned-rows", body, dict(table=(["P", 5], element), x=(["N", 5], element)), [(["N", 5], element)], [dict(P=9, N=n) for n in (4, 7, 1, 0)],
            lambda a, s: [a["table"][2:2 + s["N"]] + a["x"]])
    p.refused("learned-rows", {k: np.zeros((n, 5), np.float32 if element == "f32" else np.float64) for k, n in (("table", 9), ("x", 8))}, "positions and encoding do not fit each other")


def frequencies(scaling, count, theta, factor, context=8192, length=0):
    """As Hugging Face's rope utilities compute them, in f64."""
    dim, amplitude = 2 * count, 1.0
    inverse = 1.0 / theta ** (np.arange(0, dim, 2) / dim)
    if scaling == "linear":
        inverse = inverse / factor
    if scaling == "ntk":
        inverse = 1.0 / (theta * factor ** (dim / (dim - 2))) ** (np.arange(0, dim, 2) / dim)
    if scaling == "dynamic_ntk":
        length = max(length, context)
        inverse = 1.0 / (theta * (factor * length / context - (factor - 1)) ** (dim / (dim - 2))) ** (np.arange(0, dim, 2) / dim)
    if scaling == "yarn":
        find = lambda turns: dim * math.log(context / (turns * 2 * math.pi)) / (2 * math.log(theta))
        low, high = max(math.floor(find(32)), 0), min(math.ceil(find(1)), dim - 1)
        ramp = np.clip((np.arange(count) - low) / ((high - low) or 0.001), 0, 1)
        inverse, amplitude = inverse / factor * ramp + inverse * (1 - ramp), 0.1 * math.log(factor) + 1
    if scaling == "llama3":
        wavelength = 2 * math.pi / inverse
        smooth = (context / wavelength - 1) / (4 - 1)
        middle = (1 - smooth) * inverse / factor + smooth * inverse
        inverse = np.where(wavelength > context / 1, inverse / factor, np.where(wavelength < context / 4, inverse, middle))
    return inverse, amplitude


for scaling in ("none", "linear", "ntk", "yarn", "llama3", "dynamic_ntk"):
    for element in ("f32", "f64"):
        out = tensor(["B", "N", 32], element)
        body = (f"  %0, %1 = attn.rotary_frequencies ins(%p : {tensor(['B', 'N'], 'i64')}) outs(%init0, %init1 : {out}, {out})\n"
                f"      {{theta = 500000.0, scaling = #attn.rotary_scaling<{scaling}>, factor = 8.0, original_context = 8192 : i64}} -> {out}, {out}\n  return %0, %1 : {out}, {out}")

        def tables(a, s):
            inverse, amplitude = frequencies(scaling, 32, 500000.0, 8.0, length=a["p"].max(initial=0) + 1)
            angle = a["p"][..., None] * inverse
            return [np.cos(angle) * amplitude, np.sin(angle) * amplitude]

        p.check(f"rotary-{scaling}", body, dict(p=(["B", "N"], "i64")), [(["B", "N", 32], element)] * 2, [dict(B=b, N=n) for b, n in ((2, 9), (1, 1), (1, 0))],
                tables, dict(p=far), tolerance=1e-6 if element == "f32" else 1e-9)

# Positions to rotated rows: tables at position ids feed rotary embedding.
x, table = tensor(["B", "N", 3, 16], "f32"), tensor(["B", "N", 8], "f32")
body = f"""  %e = tensor.empty(%B, %N) : {table}
  %c, %s = attn.rotary_frequencies ins(%p : {tensor(['B', 'N'], 'i64')}) outs(%e, %e : {table}, {table}) -> {table}, {table}
  %0 = attn.rotary_embedding ins(%x, %c, %s : {x}, {table}, {table}) outs(%init0 : {x}) {{table_map = affine_map<(b, n, h) -> (b, n)>}} -> {x}
  return %0 : {x}"""


def rotated(a, s):
    angle = (a["p"][..., None] * frequencies("none", 8, 10000.0, 1.0)[0])[:, :, None]
    one, two = a["x"][..., :8], a["x"][..., 8:]
    return [np.concatenate([one * np.cos(angle) - two * np.sin(angle), two * np.cos(angle) + one * np.sin(angle)], -1)]


p.check("rotary-ids", body, dict(p=(["B", "N"], "i64"), x=(["B", "N", 3, 16], "f32")), [(["B", "N", 3, 16], "f32")], [dict(B=2, N=5), dict(B=1, N=1)], rotated, dict(p=far))


def bucket(distance, buckets, bidirectional, most):
    """As T5 computes it, but in f64."""
    result = np.zeros(distance.shape, np.int64)
    if bidirectional:
        buckets //= 2
        result += (distance > 0) * buckets
        n = np.abs(distance)
    else:
        n = np.maximum(-distance, 0)
    exact = buckets // 2
    large = exact + np.floor(np.log(np.maximum(n, 1) / exact) / math.log(most / exact) * (buckets - exact) + 1e-9).astype(np.int64)
    return result + np.where(n < exact, n, np.minimum(large, buckets - 1))


def relative(table, m, n, bidirectional, bottom_right, most=128):
    distance = np.arange(n)[None] - np.arange(m)[:, None] - (n - m if bottom_right else 0)
    return table[bucket(distance, len(table), bidirectional, most)].transpose(2, 0, 1)


def slopes(heads):
    power = 2 ** math.floor(math.log2(heads))
    first = [2.0 ** (-8 * (h + 1) / power) for h in range(power)]
    return np.array(first + [2.0 ** (-8 * (2 * h + 1) / (2 * power)) for h in range(heads - power)])


def alibi(heads, m, n, bottom_right):
    return -slopes(heads)[:, None, None] * np.abs(np.arange(n)[None] - np.arange(m)[:, None] - (n - m if bottom_right else 0))


def grid_offsets(grid):
    at = np.stack(np.meshgrid(*map(np.arange, grid), indexing="ij"), -1).reshape(-1, len(grid))
    return at[:, None] - at[None] + np.array(grid) - 1


def grid_bias(tables, grid):
    d = grid_offsets(grid)
    if len(tables) == 1:
        return tables[0][np.ravel_multi_index(np.moveaxis(d, -1, 0), [2 * g - 1 for g in grid])].transpose(2, 0, 1)
    return sum(t[d[..., a]] for a, t in enumerate(tables)).transpose(2, 0, 1)


def attend(q, k, v, scale, bias):
    s = scale * np.einsum("bhid,bhjd->bhij", q.astype(np.float64), k) + bias
    w = np.exp(s - s.max(-1, keepdims=True, initial=-np.inf))
    return np.einsum("bhij,bhje->bhie", w / w.sum(-1, keepdims=True), v)


def biases(name, op, tables, want, element, sizes, m="M", n="N", heads=6):
    """The bias alone, and where attention captures it."""
    out = tensor([heads, m, n], element)
    inputs = {key: (dims, element) for key, dims in tables.items()}
    frame = dict(inputs, m=([m], element), n=([n], element))
    p.check(f"{name}-alone", f"  %0 = {op} outs(%init0 : {out}) %ATTR -> {out}\n  return %0 : {out}".replace("%ATTR", biases.attributes), frame, [([heads, m, n], element)], sizes, want)
    q, k, o = tensor(["B", heads, m, 16], element), tensor(["B", heads, n, 16], element), tensor(["B", heads, m, 16], element)
    dynamic = ", ".join(f"%{d}" for d in (m, n) if isinstance(d, str))
    body = f"""  %e = tensor.empty({dynamic}) : {out}
  %bias = {op} outs(%e : {out}) {biases.attributes} -> {out}
  %0 = attn.attention ins(%q, %k, %v : {q}, {k}, {k}) captures(%bias : {out}) outs(%init0 : {o}) {{scale = 0.25, capture_maps = [affine_map<(b, h, i, j) -> (h, i, j)>]}} score {{
  ^bb0(%x: {element}, %b: index, %h: index, %i: index, %j: index, %c: {element}):
    %y = arith.addf %x, %c : {element}
    attn.yield %y : {element}
  }} -> {o}
  return %0 : {o}"""
    frame = dict(inputs, q=(["B", heads, m, 16], element), k=(["B", heads, n, 16], element), v=(["B", heads, n, 16], element))
    said = p.check(f"{name}-attention", body, frame, [(["B", heads, m, 16], element)], [dict(s, B=2) for s in sizes if s.get("N", 1)],
                   lambda a, s: [attend(a["q"], a["k"], a["v"], 0.25, want(a, s)[0])], flags=["--require-fused"] if element == "f32" else [])
    return said


for element in ("f32", "f64"):
    sizes = [dict(M=m, N=n) for m, n in ((5, 40), (1, 1), (37, 300), (3, 0))]
    for bidirectional, bottom_right in ((True, False), (False, True)):
        biases.attributes = "{%s%s}" % ("bidirectional" if bidirectional else "bottom_right", "")
        biases("t5", f"attn.relative_bias ins(%table : {tensor([32, 6], element)})", dict(table=[32, 6]),
               lambda a, s: [relative(a["table"], s["M"], s["N"], bidirectional, bottom_right)], element, sizes)
        biases.attributes = "{bottom_right}" if bottom_right else ""
        biases("alibi", "attn.alibi_bias", {}, lambda a, s: [alibi(6, s["M"], s["N"], bottom_right)], element, sizes)
    biases.attributes = ""
    grid, offsets = (3, 5), (5, 9)
    biases("swin", f"attn.grid_bias grid [3, 5] ins(%table : {tensor([45, 6], element)})", dict(table=[45, 6]),
           lambda a, s: [grid_bias([a["table"]], grid)], element, [dict()], 15, 15)
    biases("decomposed", f"attn.grid_bias grid [3, 5] ins(%rows, %columns : {tensor([5, 6], element)}, {tensor([9, 6], element)})", dict(rows=[5, 6], columns=[9, 6]),
           lambda a, s: [grid_bias([a["rows"], a["columns"]], grid)], element, [dict()], 15, 15)
# The formula of T5's buckets agrees with what its authors' code computes in f32.
for bidirectional in (True, False):
    half = 16 if bidirectional else 32
    n = np.arange(half // 2, 300)
    single = half // 2 + (np.log(n.astype(np.float32) / (half // 2)) / np.float32(math.log(128 / (half // 2))) * np.float32(half - half // 2)).astype(np.int64)
    differs = np.flatnonzero(np.minimum(single, half - 1) != bucket(-n, 32, bidirectional, 128))
    expect(len(differs) == 0, f"f32 and f64 alike at {n[differs]}")
print("positional encoding as NumPy has it")
