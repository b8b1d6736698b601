"""Keys and values in pages on the CPU: attention through a table against formulas in NumPy, appending, a step of decoding."""
import itertools
import numpy as np
from programs import Programs, tensor

p = Programs(47)


def attend(a, scale, causal, window):
    q, k, v, table = (a[n].astype(np.float64) if n != "table" else a[n] for n in ("q", "k", "v", "table"))
    group, slots = q.shape[1] // k.shape[1], k.shape[2]
    out = np.zeros(q.shape[:3] + v.shape[3:])
    for b, h, i in itertools.product(*map(range, q.shape[:3])):
        length = a["lengths"][b]
        own = length - q.shape[2] + i
        live = [j for j in range(length) if (not causal or j <= own) and (window < 0 or j >= own - window)]
        if live:
            place = [(table[b, j // slots], h // group, j % slots) for j in live]
            scores = scale * np.array([k[at] @ q[b, h, i] for at in place])
            weights = np.exp(scores - scores.max())
            out[b, h, i] = weights / weights.sum() @ np.array([v[at] for at in place])
    return out


def append(pages, update, table, positions):
    pages, slots = pages.copy(), pages.shape[2]
    for b, t in itertools.product(range(update.shape[0]), range(update.shape[2])):
        entry = positions[b] + t
        pages[table[b, entry // slots], :, entry % slots] = update[b, :, t]
    return pages


def numbers(shape, dtype, s):
    """Pages in any order, some of them twice; where no page is needed, numbers of none."""
    table = p.rng.integers(0, max(s["P"], 1), shape).astype(np.int32 if s.get("short") else np.int64)
    table[:, s.get("needed", shape[1]):] = -7
    return table


full = lambda s: s["N"] * s["S"] if s["P"] else 0
lengths = lambda shape, dtype, s: np.minimum(p.rng.integers(0, full(s) + 1, shape), s.get("needed", s["N"]) * s["S"])
size = lambda b, m, pages, slots, blocks, **more: dict(B=b, M=m, P=pages, S=slots, N=blocks, **more)
sizes = [size(2, 1, 9, 4, 3), size(1, 1, 1, 1, 1), size(3, 5, 20, 16, 7), size(2, 3, 4, 5, 2, needed=1), size(0, 1, 3, 4, 2), size(2, 1, 0, 4, 2), size(2, 2, 3, 0, 2),
         size(2, 2, 3, 4, 0), size(1, 0, 3, 4, 2), size(1, 40, 12, 3, 9)]
# With a known number of queries the keys of each are split into parts.
known = {1: [size(2, 1, 9, 4, 3), size(1, 1, 1, 1, 1), size(2, 1, 30, 16, 25), size(0, 1, 3, 4, 2), size(2, 1, 0, 4, 2), size(2, 1, 3, 0, 2), size(2, 1, 3, 4, 0)],
         3: [size(1, 3, 12, 3, 9), size(2, 3, 4, 5, 2, needed=1), size(1, 3, 40, 16, 31)]}
for (heads, group, d, e), (causal, window), element, index, queries in itertools.product(
        ((4, 2, 8, 8), (3, 1, 5, 7), (2, 2, 64, 129), (1, 1, 1, 1)), ((False, -1), (True, -1), (True, 3), (False, 0)), ("f32", "f16", "f64"), ("i64", "i32"), ("M", 1, 3)):
    if (element != "f32") != (index == "i32") or (queries == 3 and window >= 0):
        continue
    shapes = dict(q=["B", heads, queries, d], k=["P", heads // group, "S", d], v=["P", heads // group, "S", e])
    types = [tensor(s, element) for s in shapes.values()]
    out = ["B", heads, queries, e]
    flags = f"{{scale = 0.3 : f64{', causal' if causal else ''}{f', window = {window} : i64' if window >= 0 else ''}}}"
    body = f"""  %0 = attn.paged_attention ins(%q, %k, %v : {', '.join(types)}) table(%table : tensor<?x?x{index}>) lengths(%lengths : tensor<?xi64>)
      outs(%init0 : {tensor(out, element)}) {flags} -> {tensor(out, element)}
  return %0 : {tensor(out, element)}"""
    inputs = {n: (s, element) for n, s in shapes.items()} | dict(table=(["B", "N"], index), lengths=(["B"], "i64"))
    at = [s | dict(short=index == "i32") for s in (sizes if queries == "M" else known[queries])]
    said = p.check("attend", body, inputs, [(out, element)], at, lambda a, s: [attend(a, 0.3, causal, window)], dict(table=numbers, lengths=lengths),
                   tolerance=4e-3 if element == "f16" else None, flags=[] if queries == "M" else ["--schedule=*:parts=7"])
    assert ("parts=7" in said) == (queries != "M"), said

# Large scores, infinities and NaN: as the formula has them. A page that there is not, a length that does not fit.
def odd(shape, dtype, s):
    x = p.rng.standard_normal(shape).astype(dtype)
    x.reshape(-1)[::17] = np.inf
    x.reshape(-1)[5::23] = np.nan
    return x


def lowest(shape, dtype, s):
    x = p.rng.standard_normal(shape).astype(dtype)
    x[1:] = -np.inf
    return x


ones = lambda *shape: np.ones(shape, np.float32)
given = lambda m, table, length: dict(q=ones(1, 2, m, 4), k=ones(5, 1, 3, 4), v=ones(5, 1, 3, 4), table=np.array([table]), lengths=np.array([length]))
large = lambda shape, dtype, s: (1e3 * p.rng.standard_normal(shape)).astype(dtype)
for queries in ("M", 2):
    q, k, o = tensor(["B", 2, queries, 4], "f32"), tensor(["P", 1, "S", 4], "f32"), [(["B", 2, queries, 4], "f32")]
    inputs = dict(q=(["B", 2, queries, 4], "f32"), k=(["P", 1, "S", 4], "f32"), v=(["P", 1, "S", 4], "f32"), table=(["B", "N"], "i64"), lengths=(["B"], "i64"))
    plain = f"""  %0 = attn.paged_attention ins(%q, %k, %v : {q}, {k}, {k}) table(%table : tensor<?x?xi64>) lengths(%lengths : tensor<?xi64>) outs(%init0 : {q}) -> {q}
  return %0 : {q}"""
    one, all_keys = [size(1, 2, 5, 3, 4)], lambda *_: np.array([12])
    for made, tolerance in ((dict(q=large, lengths=lengths), 5e-3), (dict(v=odd, lengths=all_keys), None), (dict(k=odd, lengths=all_keys), None),
                            (dict(q=lambda shape, *_: ones(*shape), k=lowest, lengths=all_keys, table=lambda *_: np.array([[4, 2, 0, 3]])), None)):
        p.check("plain", plain, inputs, o, one, lambda a, s: [attend(a, 1, False, -1)], dict(table=numbers) | made, tolerance=tolerance)
    for table, length in (([0, 5], 4), ([-1, 0], 1), ([2**40, 0], 1), ([0, 1], 7), ([0, 1], -1), ([0, 1], 2**62)):
        p.refused("plain", given(2, table, length), "outside its table")

# Appending: elements of any type, rows of the batch that share pages.
at = [dict(B=b, T=t, P=pages, S=s, N=n) for b, t, pages, s, n in ((2, 3, 9, 4, 2), (1, 1, 1, 1, 1), (3, 7, 4, 5, 3), (2, 0, 3, 4, 1), (0, 2, 3, 4, 1), (2, 8, 6, 4, 2))]
room = lambda shape, dtype, s: p.rng.integers(0, s["N"] * s["S"] - s["T"] + 1, shape)
for element, (heads, d) in itertools.product(("f32", "f16", "i64"), ((2, 8), (1, 1), (3, 37))):
    pages, update = tensor(["P", heads, "S", d], element), tensor(["B", heads, "T", d], element)
    body = f"""  %0 = attn.paged_append ins(%pages, %new, %table, %at : {pages}, {update}, tensor<?x?xi64>, tensor<?xi64>) outs(%init0 : {pages}) -> {pages}
  return %0 : {pages}"""
    make = dict(table=numbers, at=room)
    if element == "i64":
        make.update({n: lambda shape, dtype, s: p.rng.integers(-9, 9, shape) for n in ("pages", "new")})
    inputs = dict(pages=(["P", heads, "S", d], element), new=(["B", heads, "T", d], element), table=(["B", "N"], "i64"), at=(["B"], "i64"))
    p.check("append", body, inputs, [(["P", heads, "S", d], element)], at, lambda a, s: [append(a["pages"], a["new"], a["table"], a["at"])], make, tolerance=1e-30)
integers = lambda *shape: np.ones(shape, np.int64)
given = lambda table, start: dict(pages=integers(4, 3, 2, 37), new=integers(1, 3, 3, 37), table=np.array([table]), at=np.array([start]))
for table, start in (([0, 4], 0), ([0, -1], 1), ([0, 1], 2), ([0, 1], -1), ([0, 1], 2**62)):
    p.refused("append", given(table, start), "outside its table")

# A step of decoding: pages that the program made are written in place; a query sees what was appended.
pages, update, q = tensor(["P", 2, "S", 8], "f32"), tensor(["B", 2, "T", 8], "f32"), tensor(["B", 4, "T", 8], "f32")
step = f"""  %a = attn.paged_append ins(%k, %new, %table, %before : {pages}, {update}, tensor<?x?xi64>, tensor<?xi64>) outs(%pages : {pages}) -> {pages}
  %b = attn.paged_append ins(%a, %new, %table, %at : {pages}, {update}, tensor<?x?xi64>, tensor<?xi64>) outs(%pages : {pages}) -> {pages}
  %0 = attn.paged_attention ins(%q, %b, %b : {q}, {pages}, {pages}) table(%table : tensor<?x?xi64>) lengths(%lengths : tensor<?xi64>) outs(%init0 : {q}) {{causal}} -> {q}
  return %0 : {q}"""
step = "  %pages = tensor.empty(%P, %S) : " + pages + "\n" + step
inputs = dict(q=(["B", 4, "T", 8], "f32"), k=(["P", 2, "S", 8], "f32"), new=(["B", 2, "T", 8], "f32"), table=(["B", "N"], "i64"), before=(["B"], "i64"), at=(["B"], "i64"),
              lengths=(["B"], "i64"))


def stepped(a, s):
    b = append(append(a["k"], a["new"], a["table"], a["before"]), a["new"], a["table"], a["at"])
    return [attend(a | dict(k=b, v=b), 1, True, -1)]


said = p.check("step", step, inputs, [(["B", 4, "T", 8], "f32")], [dict(B=2, T=2, P=8, S=4, N=3), dict(B=1, T=1, P=3, S=2, N=2)], stepped,
               dict(table=numbers, before=room, at=room, lengths=lengths))
assert "in place of input" in said, said
print("pages as NumPy has them")
