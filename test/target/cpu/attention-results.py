"""All that attn.attention may have, from MLIR to numbers: against NumPy, and the reference evaluator against both.

Each case is compiled as it is planned, for blocks of few keys, with the general lowering, and for a machine with vectors of 8; it runs with 1 and 3
threads. Where there are structural masks, it runs once more with keys and values that hold NaN and infinities: no row that does not see them may tell.
"""
import os, re, sys
import numpy as np
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments, expect

t = Tools(arguments())
rng = np.random.default_rng(11)
NUMPY = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "i64": np.int64, "i1": np.bool_}


def tensor(dims, element):
    return "tensor<" + "x".join("?" if isinstance(d, str) else str(d) for d in dims) + f"x{element}>"


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Case:
    """An attention; sizes are numbers, or names of dims that are known at run time only."""

    def __init__(self, name, B=2, H=4, G=2, M="M", N="N", D=20, E=12, element="f32", scale=0.25, causal="none", window=(-1, -1), offset=False,
                 lengths=False, sinks=False, block=None, mask_dims=(True, True), combine=None, score=None, taps=(), weight=False,
                 normalizer="softmax", empty="zero", extras=(), kind=None):
        self.__dict__.update(locals())
        dims = dict(q=(B, H, M, D), k=(B, G, N, D), v=(B, G, N, E))
        types = dict.fromkeys(dims, element)
        if combine == "additive":
            dims["w"], types["w"] = (D,), element
        if score in ("mask", "where"):
            dims["mask"], types["mask"] = (M, N), element if score == "mask" else "i1"
        self.structural = causal != "none" or max(window) >= 0 or lengths or block
        if weight:
            dims["gate"], types["gate"] = (B, N), element
        for name, wanted in (("lengths", lengths), ("offset", offset)):
            if wanted:
                dims[name], types[name] = (B,), "i64"
        if sinks:
            dims["sinks"], types["sinks"] = (H,), element
        if block:
            rows, columns = (f"{d}blocks" if isinstance(d, str) else -(-d // b) for d, b in zip((M, N), block))
            dims["blocks"], types["blocks"] = (B if mask_dims[0] else 1, H if mask_dims[1] else 1, rows, columns), "i1"
        self.dims, self.types = dims, types
        self.wide = "f64" if element == "f64" else "f32"

    def results(self):
        """Dims of the output and of the extras."""
        rows, all = (self.B, self.H, self.M), (self.B, self.H, self.M, self.N)
        return [((*rows, self.E), self.element)] + [(rows if e in ("lse", "row_max") else all, self.wide) for e in self.extras]

    def widened(self, name, as_name):
        return f"        %{as_name} = arith.extf %{name} : {self.element} to {self.wide}\n" if self.element != self.wide else ""

    def source(self):
        typed = {n: tensor(d, self.types[n]) for n, d in self.dims.items()}
        head = ", ".join(f"%{n}: {typed[n]} {{exec.dims = [" + ", ".join(f'"{d}"' if isinstance(d, str) else str(d) for d in self.dims[n]) + "]}" for n in self.dims)
        outs = [tensor(d, e) for d, e in self.results()]
        body = f"func.func @main({head}) -> ({', '.join(outs)}) {{\n  %c2 = arith.constant 2 : index\n"
        body += f"  %m = tensor.dim %q, %c2 : {typed['q']}\n  %n = tensor.dim %k, %c2 : {typed['k']}\n"
        body += f"  %c3 = arith.constant 3 : index\n  %columns = tensor.dim %v, %c3 : {typed['v']}\n"
        for i, (dims, element) in enumerate(self.results()):
            sizes = ", ".join({"M": "%m", "N": "%n", "E": "%columns"}[d] for d in dims if isinstance(d, str))
            body += f"  %e{i} = tensor.empty({sizes}) : {outs[i]}\n"
        count = f":{len(outs)}" if len(outs) > 1 else ""
        body += f"  %r{count} = attn.attention ins(%q, %k, %v : {typed['q']}, {typed['k']}, {typed['v']})"
        captured = [n for n in ("mask", "gate") if n in self.dims]
        maps = {"mask": "(b, h, i, j) -> (i, j)", "gate": "(b, h, i, j) -> (b, j)"}
        if captured:
            body += " captures(" + ", ".join("%" + n for n in captured) + " : " + ", ".join(typed[n] for n in captured) + ")"
        for name, word in (("lengths", "lengths"), ("offset", "offset"), ("sinks", "sinks"), ("blocks", "block_mask")):
            if name in self.dims:
                body += f" {word}(%{name} : {typed[name]})"
        attributes = [f"scale = {self.scale} : f64", f"causal = #attn.causal<{self.causal}>", "window = array<i64: %d, %d>" % tuple(self.window),
                      f"normalizer = #attn.normalizer<{self.normalizer}>", f"empty_rows = #attn.empty_rows<{self.empty}>",
                      "capture_maps = [" + ", ".join(f"affine_map<{maps[n]}>" for n in captured) + "]",
                      "extras = [" + ", ".join(f"#attn.extra<{e}>" for e in self.extras) + "]"]
        if self.block:
            attributes.append("block = array<i64: %d, %d>" % tuple(self.block))
        body += " outs(" + ", ".join(f"%e{i}" for i in range(len(outs))) + " : " + ", ".join(outs) + ")\n    {" + ", ".join(attributes) + "}"
        if self.combine:
            x, y, f = ("%wx", "%wy", self.wide) if self.element != self.wide else ("%x", "%y", self.element)
            body += f" combine {{\n      ^bb0(%x: {self.element}, %y: {self.element}{', %d: index' if self.combine == 'additive' else ''}):\n"
            body += self.widened("x", "wx") + self.widened("y", "wy")
            if self.combine == "additive":
                body += f"        %c = tensor.extract %w[%d] : {typed['w']}\n" + self.widened("c", "wc")
                body += f"        %s = arith.addf {x}, {y} : {f}\n        %t = math.tanh %s : {f}\n"
                body += f"        %p = arith.mulf %t, {'%wc' if self.element != self.wide else '%c'} : {f}\n        attn.yield %p : {f}\n      }}"
            else:
                body += f"        %s = arith.subf {x}, {y} : {f}\n        %p = arith.mulf %s, %s : {f}\n        attn.yield %p : {f}\n      }}"
        f = self.wide
        captures = "".join(f", %{n}c: {self.types[n]}" for n in captured)
        if self.score or self.taps:
            body += f" score {{\n      ^bb0(%x: {f}, %b: index, %h: index, %i: index, %j: index{captures}):\n"
            body += f"        %two = arith.constant 2.0 : {f}\n        %u = arith.divf %x, %two : {f}\n        %t = math.tanh %u : {f}\n"
            body += f"        %capped = arith.mulf %t, %two : {f}\n"
            score = {"mask": "%masked", "where": "%shown", "softcap": "%capped", None: "%x"}[self.score]
            if self.score == "where":
                body += f"        %low = arith.constant {'0xFFF0000000000000' if f == 'f64' else '0xFF800000'} : {f}\n        %shown = arith.select %maskc, %x, %low : {f}\n"
            if self.score == "mask":
                body += self.widened("maskc", "maskw") + f"        %masked = arith.addf %x, {'%maskw' if self.element != f else '%maskc'} : {f}\n"
            taps = [{"raw": "%x", "capped": "%capped"}[tap] for tap in self.taps]
            body += f"        attn.yield {', '.join([score] + taps)} : {', '.join([f] * (1 + len(taps)))}\n      }}"
        if self.weight:
            body += f" weight {{\n      ^bb0(%p: {f}, %b: index, %h: index, %i: index, %j: index{captures}):\n" + self.widened("gatec", "gatew")
            body += f"        %y = arith.mulf %p, {'%gatew' if self.element != f else '%gatec'} : {f}\n        attn.yield %y : {f}\n      }}"
        body += " -> " + ", ".join(outs) + "\n  return " + ", ".join(f"%r#{i}" if count else "%r" for i in range(len(outs)))
        return body + " : " + ", ".join(outs) + "\n}\n"

    def inputs(self, m, n):
        sizes = {"M": m, "N": n, "D": 20, "E": 21}
        if self.block:
            sizes |= {"Mblocks": -(-m // self.block[0]), "Nblocks": -(-n // self.block[1])}
        made = {}
        for name, dims in self.dims.items():
            shape = [sizes[d] if isinstance(d, str) else d for d in dims]
            made[name] = rng.standard_normal(shape).astype(NUMPY[self.types[name]])
        if self.score == "where":
            made["mask"] = rng.random(made["mask"].shape) < 0.7
        elif "mask" in made:
            made["mask"][rng.random(made["mask"].shape) < 0.3] = -np.inf
            made["mask"][m // 2:m // 2 + 1] = -np.inf
        if "lengths" in made:
            made["lengths"] = np.array([max(0, n - 5), 0, n, 1][:self.B], np.int64)
        if "offset" in made:
            made["offset"] = np.array([n - m, 3, -4, 2 ** 62][:self.B], np.int64)
        if "sinks" in made:
            made["sinks"][-1] = -np.inf
            made["sinks"][0] = 5
        if "blocks" in made:
            made["blocks"] = rng.random(made["blocks"].shape) < 0.4
        return made

    def poisoned(self, inputs):
        """The inputs with a few keys, among them the first and the last, and values of others, that are NaN or infinite."""
        made = {name: x.copy() for name, x in inputs.items()}
        k, v = made["k"], made["v"]
        n = k.shape[2]
        for j, bad in ((n - 1, np.nan), (n // 2, np.inf), (0, -np.inf)) if n else ():
            v[:, :, j, j % v.shape[3]] = bad
        for batch in range(k.shape[0]) if n > 4 else ():
            k[batch, :, n - 2 - batch], k[batch, 0, n // 3, 3], v[batch, :, n // 2 + 2] = np.nan, np.inf, np.nan
        return made

    def expected(self, x):
        x = {n: a.astype(np.float64) if a.dtype.kind == "f" else a for n, a in x.items()}
        q, k, v = x["q"], *(np.repeat(x[n], self.H // self.G, axis=1) for n in "kv")
        B, H, M, N = *q.shape[:3], k.shape[2]
        if self.combine is None:
            s = q @ k.swapaxes(2, 3)
        elif self.combine == "additive":
            s = (np.tanh(q[:, :, :, None] + k[:, :, None]) * x["w"]).sum(-1)
        else:
            s = ((q[:, :, :, None] - k[:, :, None]) ** 2).sum(-1)
        s = s * self.scale
        capped = 2 * np.tanh(s / 2)
        taps = iter([{"raw": s, "capped": capped}[tap] for tap in self.taps])
        s = {"mask": lambda: s + x["mask"], "where": lambda: np.where(x["mask"], s, -np.inf), "softcap": lambda: capped, None: lambda: s}[self.score]()
        i, j = np.arange(M)[:, None], np.arange(N)[None]
        o = np.full((B, 1, 1, 1), N - M if self.causal == "bottom_right" else 0)
        if self.offset:
            o = np.clip(x["offset"], -2 ** 60, 2 ** 60).reshape(B, 1, 1, 1)
        live = np.ones((B, H, M, N), bool)
        if self.causal != "none":
            live &= j <= i + o
        if self.window[0] >= 0:
            live &= j >= i + o - self.window[0]
        if self.window[1] >= 0:
            live &= j <= i + o + self.window[1]
        if self.lengths:
            live &= j < x["lengths"].reshape(B, 1, 1, 1)
        if self.block:
            live &= np.broadcast_to(x["blocks"], (B, H, *x["blocks"].shape[2:]))[:, :, np.arange(M) // self.block[0]][..., np.arange(N) // self.block[1]]
        masked = np.where(live, s, -np.inf)
        sink = np.broadcast_to(x["sinks"].reshape(1, H, 1) if self.sinks else np.float64(-np.inf), (B, H, M))
        most = np.fmax(np.fmax.reduce(masked, -1, initial=-np.inf), sink)  # NaN is left out
        with np.errstate(all="ignore"):
            reference = np.where(most == -np.inf, 0, most)
            e, sinks = np.exp(masked - reference[..., None]), np.exp(sink - reference)
            total = e.sum(-1) + sinks
            lse = reference + np.log(total)
        hollow = np.nan if self.empty == "nan" else 0
        if self.normalizer == "softmax":
            empty = total == 0
            p = e / np.where(empty, 1, total)[..., None]
        else:
            empty = ~live.any(-1)
            if self.normalizer == "hardmax":
                empty = most == -np.inf
                p = np.zeros_like(s)
                if N:
                    np.put_along_axis(p, np.where(np.isnan(masked), -np.inf, masked).argmax(-1)[..., None], 1, -1)
            else:
                p = sigmoid(s) if self.normalizer == "sigmoid" else s
        p = np.where(live, np.where(empty[..., None], hollow, p), 0)
        if self.weight:
            p = np.where(live, p * x["gate"][:, None, None], 0)
        with np.errstate(all="ignore"):
            terms = np.where(live[..., None], p[..., None] * v[:, :, None], 0)  # a weight of 0 does not hide what a value holds
        out = np.where((empty & ~live.any(-1))[..., None], hollow, terms.sum(3))
        named = dict(lse=lse, row_max=most, weights=p, scores=masked)
        return [out] + [next(taps) if extra == "tap" else named[extra] for extra in self.extras]


def compare(name, got, want, tolerance):
    expect(got.shape == want.shape, f"{name}: shape {want.shape}, got {got.shape}")
    special = ~np.isfinite(want)
    expect(np.array_equal(got[special].astype(np.float64), want[special], equal_nan=True), f"{name}: NaN and infinities where NumPy has them")
    got, want = got[~special].astype(np.float64), want[~special]
    off = np.abs(got - want) / (1 + np.abs(want))
    expect(off.size == 0 or off.max() < tolerance, f"{name}: within {tolerance}, off by {off.max() if off.size else 0}")


def save(inputs):
    np.savez(t.path("in.npz"), **{f"input{i}": a for i, a in enumerate(inputs.values())})


def run(case, sizes):
    tolerance = {"f32": 1e-5, "f64": 1e-12, "f16": 2e-3}[case.element]
    source, tiled = t.path(case.name + ".mlir"), t.path(case.name + ".tiled.mlir")
    with open(source, "w") as file:
        file.write(case.source())
    t.compile(source, "--compile-to=tile", "-o", tiled)
    with open(tiled) as file:
        text = file.read()
    kind = re.search(r'kind = "(attention[a-z-]*)"', text).group(1)
    expect(case.kind in (None, kind), f"{case.name}: lowering {case.kind}, got {kind}")
    variants = {"planned": text}
    if kind == "attention":
        variants["blocks"] = re.sub(r"exact = \d+", "exact = 32", re.sub(r"(?<=\{)block = \d+", "block = 16", text))
        variants["general"] = re.sub(r'schedule \{[^}]*kind = "attention"[^}]*\}', 'schedule {kind = "attention-general", parts = 1 : i64}', text)
        expect(len(set(variants.values())) == 3, f"{case.name}: three schedules, got {text}")
    for variant, text in variants.items():
        with open(tiled, "w") as file:
            file.write(text)
        t.compile(tiled, "-o", t.path(f"{case.name}-{variant}.fovea"))
    inputs = case.inputs(*sizes[-1])
    save(case.poisoned(inputs) if case.structural else inputs)
    t.compile(source, "--cpu=x86-64-v3", "-o", t.path(f"{case.name}-avx2.fovea"), f"--check={t.path('in.npz')}")
    variants["avx2"] = source
    poisons = [(1, 40), sizes[-1]] if isinstance(case.M, str) else sizes
    for m, n, poison in [(*size, False) for size in sizes] + [(*size, True) for size in poisons if case.structural]:
        inputs = case.poisoned(case.inputs(m, n)) if poison else case.inputs(m, n)
        save(inputs)
        with np.errstate(all="ignore"):
            want = case.expected(inputs)
        for variant in variants:
            seen = []
            for threads in (1, 3) if m > 30 and not poison else (3,):
                t.run("fovea-run", t.path(f"{case.name}-{variant}.fovea"), "--inputs", t.path("in.npz"), "--outputs", t.path("out.npz"), "--threads", threads)
                with np.load(t.path("out.npz")) as got:
                    seen.append([got[k] for k in got.files])
            expect(all(a.tobytes() == b.tobytes() for a, b in zip(seen[0], seen[-1])), f"{case.name} {variant} {m} x {n}: one thread and three alike")
            for i, (got, right) in enumerate(zip(seen[0], want, strict=True)):
                compare(f"{case.name} {variant}, {m} queries, {n} keys{', some no numbers' if poison else ''}, result {i}", got, right, tolerance)


FAST, GENERAL = "attention", "attention-general"
SIZES = [(1, 1), (5, 3), (33, 70), (16, 0), (0, 7), (97, 130)]
ALL = ("lse", "weights", "row_max", "scores", "tap", "tap")
cases = [
    Case("row-results", extras=("lse", "row_max"), kind=FAST),
    Case("row-results-causal", causal="top_left", score="softcap", empty="nan", extras=("lse", "row_max"), kind=FAST),
    Case("weights", extras=("weights",), causal="bottom_right", lengths=True, kind=FAST),
    Case("weights-nan", extras=("weights", "lse"), score="mask", empty="nan", kind=FAST),
    Case("all-results", score="mask", taps=("raw", "capped"), window=(7, 9), lengths=True, extras=ALL, kind=FAST),
    Case("all-results-static", M=19, N=45, score="softcap", taps=("raw", "capped"), causal="top_left", extras=ALL, kind=FAST),
    Case("weights-static", M=19, N=77, score="mask", extras=("weights", "lse"), kind=FAST),
    Case("results-of-one", M=19, N=1, score="mask", taps=("raw", "capped"), extras=ALL, kind=FAST),
    Case("all-results-f64", element="f64", score="mask", taps=("raw", "capped"), window=(7, -1), lengths=True, extras=ALL, kind=GENERAL),
    Case("all-results-f16", element="f16", taps=("capped",), causal="bottom_right", extras=("weights", "lse", "tap"), kind=FAST),
    Case("where", score="where", causal="bottom_right", kind=FAST),
    Case("causal-static", M=70, N=70, causal="top_left", kind=FAST),
    Case("window-weights", M=70, N=70, window=(9, 4), extras=("weights", "row_max"), kind=FAST),
    Case("offset", B=4, offset=True, causal="top_left", window=(11, -1), extras=("scores",), kind=FAST),
    Case("offset-window", B=4, offset=True, lengths=True, window=(4, 6), empty="nan", kind=FAST),
    Case("dynamic-sizes", D="D", E="E", causal="bottom_right", lengths=True, empty="nan", extras=("lse", "weights"), kind=GENERAL),
    Case("sinks", sinks=True, score="mask", empty="nan", extras=("lse", "row_max", "weights"), kind=FAST),
    Case("sinks-causal", sinks=True, causal="top_left", kind=FAST),
    Case("block-mask", block=(32, 16), extras=("lse",), kind=FAST),
    Case("block-mask-causal", block=(16, 24), causal="bottom_right", lengths=True, sinks=True, mask_dims=(False, True), empty="nan", kind=FAST),
    Case("block-mask-odd", block=(3, 5), mask_dims=(True, False), score="mask", taps=("raw",), extras=("weights", "scores", "tap"), window=(20, 9), kind=GENERAL),
    Case("block-mask-hardmax", block=(8, 8), normalizer="hardmax", empty="nan", kind=GENERAL),
    Case("weight-region", weight=True, causal="top_left", extras=("weights",), kind=FAST),
    Case("weight-region-mask", weight=True, score="mask", window=(12, 3), kind=FAST),
    Case("weight-region-nan", weight=True, score="mask", empty="nan", kind=FAST),
    Case("weight-region-dead", weight=True, causal="bottom_right", empty="nan", kind=GENERAL),
    Case("additive", combine="additive", causal="top_left", kind=FAST),
    Case("additive-f16", combine="additive", element="f16", extras=("weights",), kind=FAST),
    Case("distance", combine="distance", scale=-0.1, score="softcap", extras=("lse",), kind=FAST),
    Case("sigmoid", normalizer="sigmoid", causal="top_left", lengths=True, extras=("weights", "scores"), kind=FAST),
    Case("sigmoid-nan", normalizer="sigmoid", empty="nan", lengths=True, kind=GENERAL),
    Case("linear", normalizer="none", window=(5, 5), weight=True, extras=("weights",), kind=FAST),
    Case("linear-scores", normalizer="none", causal="top_left", extras=("scores",), kind=GENERAL),
]
only = os.environ.get("CASES", "").split()
for case in cases:
    if not only or case.name in only:
        run(case, SIZES if isinstance(case.M, str) else [(case.M, case.N)])

# Few rows and many keys, whose parts share the sink.
for sinks in (False, True) if not only else ():
    split = Case(f"parts-{sinks}", M=1, sinks=sinks, offset=True, causal="top_left", extras=("lse", "row_max"), kind=GENERAL)
    run(split, [(1, n) for n in (0, 1, 65, 1000)])
print(f"{len(cases) + 2} attentions")
