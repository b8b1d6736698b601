"""Caches of keys and values on the CPU: appending in line and around a ring, in place where nothing else reads the cache; a step of decoding."""
import itertools
import numpy as np
from programs import Programs, tensor

p = Programs(43)


def append(cache, update, positions, axis, ring):
    cache = cache.copy()
    length, added = cache.shape[axis], update.shape[axis]
    for b in range(cache.shape[0]):
        for s in range(added):
            entry = positions[b] + s
            to = [b] + [slice(None)] * (cache.ndim - 1)
            of = list(to)
            to[axis], of[axis] = entry % length if ring else entry, s
            cache[tuple(to)] = update[tuple(of)]
    return cache


def room(ring):
    """Positions at which there is room; around a ring any."""
    def make(shape, dtype, sizes):
        if ring:
            return p.rng.integers(-50, 50, shape)
        return p.rng.integers(0, sizes["L"] - sizes["S"] + 1, shape)
    return make


bits = dict(i1=lambda shape, dtype, s: p.rng.uniform(size=shape) < 0.5, i64=lambda shape, dtype, s: p.rng.integers(-9, 9, shape))
sizes = [dict(B=b, L=l, S=s, W=w) for b, l, s, w in ((2, 9, 3, 5), (1, 1, 1, 1), (3, 8, 8, 16), (2, 5, 0, 3), (0, 4, 1, 2), (2, 40, 7, 67), (2, 3, 1, 0))]
shapes = (lambda l: ["B", l], 1), (lambda l: ["B", l, "W"], 1), (lambda l: ["B", 3, l, "W"], 2), (lambda l: ["B", "W", 2, l], 3), (lambda l: ["B", l, 3, "W"], 1)
for (shape, axis), ring, element in itertools.product(shapes, (False, True), ("f32", "f16", "i1", "i64")):
    cache, update = shape("L"), shape("S")
    body = f"""  %0 = attn.cache_append axis({axis}) ins(%cache, %new : {tensor(cache, element)}, {tensor(update, element)}) positions(%at : tensor<?xi64>)
      outs(%init0 : {tensor(cache, element)}) {"{ring}" if ring else ""} -> {tensor(cache, element)}
  return %0 : {tensor(cache, element)}"""
    make = dict(at=room(ring))
    if element in bits:
        make.update(cache=bits[element], new=bits[element])
    p.check("append", body, dict(cache=(cache, element), new=(update, element), at=(["B"], "i64")), [(cache, element)], sizes,
            lambda a, s: [append(a["cache"], a["new"], a["at"], axis, ring)], make, tolerance=1e-30)

# No room, no such position, an update longer than the cache.
c, u = tensor(["B", "L", 4], "f32"), tensor(["B", "S", 4], "f32")
arrays = dict(cache=(["B", "L", 4], "f32"), new=(["B", "S", 4], "f32"), at=(["B"], "i64"))
one = lambda ring: f"""  %0 = attn.cache_append axis(1) ins(%cache, %new : {c}, {u}) positions(%at : tensor<?xi64>) outs(%init0 : {c}) {ring} -> {c}
  return %0 : {c}"""
given = lambda length, added, at: dict(cache=np.zeros((1, length, 4), np.float32), new=np.zeros((1, added, 4), np.float32), at=np.array([at]))
for ring in ("", "{ring}"):
    p.check("line" + ring, one(ring), arrays, [(["B", "L", 4], "f32")], [dict(B=2, L=6, S=2)], lambda a, s: [append(a["cache"], a["new"], a["at"], 1, bool(ring))], dict(at=room(False)))
    p.refused("line" + ring, given(2, 3, 0), "outside its table")
for at in (5, -1, 2**62, -2**63):
    p.refused("line", given(6, 2, at), "outside its table")

# Three appends one after the other: the first one copies the cache, which is the caller's, the second one writes where the first one did, the third one is the
# caller's again. An update that is a part of the cache itself is not written over what it is read from.
several = f"""  %a = attn.cache_append axis(1) ins(%cache, %new : {c}, {u}) positions(%at : tensor<?xi64>) outs(%init0 : {c}) -> {c}
  %b = attn.cache_append axis(1) ins(%a, %new : {c}, {u}) positions(%to : tensor<?xi64>) outs(%init0 : {c}) -> {c}
  %0 = attn.cache_append axis(1) ins(%b, %new : {c}, {u}) outs(%init0 : {c}) -> {c}
  return %0 : {c}"""
own = f"""  %a = attn.cache_append axis(1) ins(%cache, %new : {c}, {u}) positions(%at : tensor<?xi64>) outs(%init0 : {c}) -> {c}
  %part = tensor.extract_slice %a[0, 1, 0] [%B, %S, 4] [1, 1, 1] : {c} to {u}
  %b = attn.cache_append axis(1) ins(%a, %part : {c}, {u}) positions(%to : tensor<?xi64>) outs(%init0 : {c}) {{ring}} -> {c}
  %0 = attn.cache_append axis(1) ins(%b, %new : {c}, {u}) outs(%init0 : {c}) -> {c}
  return %0 : {c}"""
arrays["to"] = (["B"], "i64")
zeros = lambda a: np.zeros_like(a["at"])


def parts(a, s):
    first = append(a["cache"], a["new"], a["at"], 1, False)
    return [append(append(first, first[:, 1:1 + s["S"]], a["to"], 1, True), a["new"], zeros(a), 1, False)]


def in_place(said):
    return [int(n) for n in __import__("re").findall(r"in place of input (\d+) of", said)]


three = lambda a, s: [append(append(append(a["cache"], a["new"], a["at"], 1, False), a["new"], a["to"], 1, False), a["new"], zeros(a), 1, False)]
at = [dict(B=2, L=9, S=3), dict(B=1, L=4, S=1)]
said = p.check("several", several, arrays, [(["B", "L", 4], "f32")], at, three, dict(at=room(False), to=room(False)))
assert in_place(said) == [1], said
said = p.check("own", own, arrays, [(["B", "L", 4], "f32")], at, parts, dict(at=room(False), to=room(True)))
assert in_place(said) == [], said
print("caches as NumPy has them")
