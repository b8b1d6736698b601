"""Memory by content on the CPU: reading and writing as in Graves et al. 2014, and hops of a memory network, against NumPy."""
import numpy as np
from programs import Programs, tensor

p = Programs(33)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
    return e / e.sum(-1, keepdims=True)


def weights(a):
    unit = lambda x: x / np.where((n := np.linalg.norm(x.astype(np.float64), axis=-1, keepdims=True)) == 0, 1, n)
    return softmax(a["strengths"][..., None].astype(np.float64) * (unit(a["keys"]) @ unit(a["memory"]).swapaxes(1, 2)))


def write(a, s):
    w, memory = weights(a), a["memory"].astype(np.float64)
    kept = np.prod(1 - w[..., None] * a["erase"][:, :, None], axis=1)
    return [memory * kept + np.einsum("brn,brw->bnw", w, a["add"].astype(np.float64))]


def some_zero(shape, dtype, sizes):
    """Vectors without length, and ones whose squares f32 cannot hold."""
    x = p.rng.standard_normal(shape).astype(dtype)
    x[:, ::3] = 0
    x[:, 1::5] *= dtype(1e25 if dtype == np.float32 else 1e100)
    return x


positive = lambda shape, dtype, sizes: p.rng.uniform(0, 20, shape).astype(dtype)
unit_interval = lambda shape, dtype, sizes: p.rng.uniform(0, 1, shape).astype(dtype)
for element in ("f32", "f64"):
    fused = ["--require-fused"] if element == "f32" else []
    for dims in (dict(n="N", r="R", b="B"), dict(n=33, r=2, b=3)):
        b, n, r, w = dims["b"], dims["n"], dims["r"], 10
        shapes = dict(memory=[b, n, w], keys=[b, r, w], strengths=[b, r])
        inputs = {k: (d, element) for k, d in shapes.items()}
        m, k, s = (tensor(*inputs[name]) for name in shapes)
        sizes = [dict(B=x, N=y, R=z) for x, y, z in ((2, 40, 3), (1, 1, 1), (3, 7, 1), (2, 0, 2), (0, 3, 1))] if b == "B" else [dict()]
        for make in (dict(strengths=positive), dict(strengths=positive, keys=some_zero)):
            body = f"  %0 = attn.memory_read ins(%memory, %keys, %strengths : {m}, {k}, {s}) outs(%init0 : {k}) -> {k}\n  return %0 : {k}"
            p.check("read", body, inputs, [(shapes["keys"], element)], sizes, lambda a, s: [weights(a) @ a["memory"].astype(np.float64)], make, flags=fused)
            body = (f"  %0 = attn.memory_write ins(%memory, %keys, %strengths, %erase, %add : {m}, {k}, {s}, {k}, {k}) outs(%init0 : {m}) -> {m}\n  return %0 : {m}")
            more = dict(inputs, erase=(shapes["keys"], element), add=(shapes["keys"], element))
            zero = [dict(B=2, N=5, R=0)] if b == "B" else []
            p.check("write", body, more, [(shapes["memory"], element)], sizes + zero, write, dict(make, erase=unit_interval))
        # A memory that holds vectors without length and long ones: erased and read rows are compared relative to the longest.
        p.check("read-zeros", f"  %0 = attn.memory_read ins(%memory, %keys, %strengths : {m}, {k}, {s}) outs(%init0 : {k}) -> {k}\n  return %0 : {k}", inputs,
                [(shapes["keys"], element)], sizes[:2], lambda a, s: [weights(a) @ a["memory"].astype(np.float64)],
                dict(strengths=positive, memory=lambda shape, dtype, s: p.rng.standard_normal(shape).astype(dtype) * (np.arange(shape[1]) % 3 > 0)[:, None].astype(dtype)))

# Strengths for another number of heads.
m, k, s = tensor([2, 3, 4], "f32"), tensor([2, "R", 4], "f32"), tensor([2, "S"], "f32")
p.check("heads", f"  %0 = attn.memory_read ins(%memory, %keys, %strengths : {m}, {k}, {s}) outs(%init0 : {k}) -> {k}\n  return %0 : {k}",
        dict(memory=([2, 3, 4], "f32"), keys=([2, "R", 4], "f32"), strengths=([2, "S"], "f32")), [([2, "R", 4], "f32")], [dict(R=3, S=3)], lambda a, s: [weights(a) @ a["memory"]])
p.refused("heads", {n: np.zeros(shape, np.float32) for n, shape in (("memory", (2, 3, 4)), ("keys", (2, 3, 4)), ("strengths", (2, 4)))}, "memory and keys do not fit each other")

# Three hops of an end-to-end memory network (Sukhbaatar et al. 2015) are three attentions, each asked what the last one answered.
q, m = tensor(["B", 1, 1, 16], "f32"), tensor(["B", 1, "N", 16], "f32")
body, state = "", "%u"
for hop in range(3):
    body += f"""  %o{hop} = attn.attention ins({state}, %a, %c : {q}, {m}, {m}) outs(%init0 : {q}) -> {q}
  %u{hop} = linalg.add ins({state}, %o{hop} : {q}, {q}) outs(%init0 : {q}) -> {q}\n"""
    state = f"%u{hop}"
body += f"  return {state} : {q}"


def hops(a, s):
    u = a["u"].astype(np.float64)
    for _ in range(3):
        u = u + softmax(u @ a["a"].swapaxes(2, 3)) @ a["c"]
    return [u]


p.check("hops", body, dict(u=(["B", 1, 1, 16], "f32"), a=(["B", 1, "N", 16], "f32"), c=(["B", 1, "N", 16], "f32")), [(["B", 1, 1, 16], "f32")],
        [dict(B=b, N=n) for b, n in ((2, 20), (1, 1), (3, 100))], hops, flags=["--require-fused"])
print("memory as NumPy has it")
