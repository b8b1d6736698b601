"""Programs that are given as IR: several functions become several entry points, dims without a name get one; what attention is said to cost."""
import json
import numpy as np
from harness import Tools, arguments, expect

t = Tools(arguments())
rng = np.random.default_rng(5)


def write(name, text):
    with open(t.path(name), "w") as file:
        file.write(text)
    return t.path(name)


def run(artifact, *words, **inputs):
    np.savez(t.path("in.npz"), **inputs)
    t.run("fovea-run", artifact, "--inputs", t.path("in.npz"), "--outputs", t.path("out.npz"), *words)
    return dict(np.load(t.path("out.npz")))


def report(path, *words):
    t.compile(path, "-o", t.path("a.fovea"), f"--explain={t.path('a.json')}", *words)
    with open(t.path("a.json")) as file:
        return json.load(file)["entries"]


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# Two functions share what they have in common: a kernel is there once. The sizes of one say nothing about the other.
rows = """func.func @{0}(%x: tensor<?x16xf32> {{exec.name = "x", exec.dims = ["n", 16]}}) -> (tensor<?x16xf32> {{exec.name = "y", exec.dims = ["n", 16]}}) {{
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x16xf32>
  %e = tensor.empty(%n) : tensor<?x16xf32>
  %y = attn.softmax axis(1) ins(%x : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
{1}}}
"""
once, twice = "  return %y : tensor<?x16xf32>\n", """  %w = arith.constant dense<0.5> : tensor<16x24xf32>
  %zero = arith.constant 0.0 : f32
  %p = tensor.empty(%n) : tensor<?x24xf32>
  %q = linalg.fill ins(%zero : f32) outs(%p : tensor<?x24xf32>) -> tensor<?x24xf32>
  %z = linalg.matmul ins(%y, %w : tensor<?x16xf32>, tensor<16x24xf32>) outs(%q : tensor<?x24xf32>) -> tensor<?x24xf32>
  return %z : tensor<?x24xf32>
"""
second = rows.format("second", twice).replace("(tensor<?x16xf32> {exec.name = \"y\", exec.dims = [\"n\", 16]})", "(tensor<?x24xf32> {exec.name = \"y\", exec.dims = [\"n\", 24]})")
both = write("two.mlir", rows.format("first", once) + second)
first, other = report(both)
expect((first["name"], other["name"]) == ("first", "second"), f"two entries, got {first['name']}, {other['name']}")
expect([k["kernel"] for k in first["kernels"]] == [other["kernels"][0]["kernel"]], f"one softmax for both, got {first['kernels']}, {other['kernels']}")
manifest = json.loads(t.run("fovea-inspect", t.path("a.fovea"), "--json").stdout)
expect(len(manifest["kernels"]) == len({k["kernel"] for k in first["kernels"] + other["kernels"]}), f"each kernel once, got {manifest['kernels']}")
for n in (0, 1, 7):
    x = rng.standard_normal((n, 16), dtype=np.float32)
    expect(np.allclose(run(t.path("a.fovea"), "--entry", "first", x=x)["y"], softmax(x), atol=1e-6), f"the first function with {n} rows")
    expect(np.allclose(run(t.path("a.fovea"), "--entry", "second", x=x)["y"], 0.5, atol=1e-6), f"the second function with {n} rows")
t.compile(both, "--emit=static-lib", "-o", t.path("two.a"))

# Dims that nobody names are the inputs' own, whether a function asks for them or not.
attention = """func.func @main(%q: tensor<1x2x{m}x16xf32>{qd}, %k: tensor<1x2x{n}x16xf32>{kd}, %v: tensor<1x2x{n}x16xf32>{kd}) -> tensor<1x2x{m}x16xf32> {{
  {sizes}
  %e = tensor.empty({size}) : tensor<1x2x{m}x16xf32>
  %y = attn.attention ins(%q, %k, %v : tensor<1x2x{m}x16xf32>, tensor<1x2x{n}x16xf32>, tensor<1x2x{n}x16xf32>) outs(%e : tensor<1x2x{m}x16xf32>)
      {{scale = 0.25 : f64{attributes}}} -> tensor<1x2x{m}x16xf32>
  return %y : tensor<1x2x{m}x16xf32>
}}
"""


def program(name, m, n, attributes="", names=True):
    dims = lambda size: f" {{exec.dims = [1, 2, {json.dumps(size)}, 16]}}" if names else ""
    ask = "%c2 = arith.constant 2 : index\n  %m = tensor.dim %q, %c2 : tensor<1x2x?x16xf32>"
    shown = lambda size: "?" if isinstance(size, str) else size
    return write(name + ".mlir", attention.format(m=shown(m), n=shown(n), qd=dims(m), kd=dims(n), attributes=attributes,
                                                  sizes=ask if isinstance(m, str) else "", size="%m" if isinstance(m, str) else ""))


own = program("own", "m", "n", names=False)
t.compile(own, "-o", t.path("own.fovea"), "--check")
inputs = json.loads(t.run("fovea-inspect", t.path("own.fovea"), "--json").stdout)["entries"][0]["inputs"]
expect("input0.2" in str(inputs[0]) and "input1.2" in str(inputs[1]), f"dims of their own, got {inputs}")
for m, n in ((1, 1), (3, 70), (40, 5)):
    q, k, v = (rng.standard_normal((1, 2, size, 16), dtype=np.float32) for size in (m, n, n))
    want = softmax(0.25 * q @ k.swapaxes(2, 3)) @ v
    got = run(t.path("own.fovea"), input0=q, input1=k, input2=v)["output0"]
    expect(got.shape == want.shape and np.allclose(got, want, atol=1e-5), f"attention of {m} and {n}, got {got.shape}")
wrong = write("wrong.mlir", open(program("named", "m", "n")).read().replace('"m", 16]', '"m"]'))
done = t.compile(wrong, "-o", t.path("no.fovea"), code=1)
expect("dims_c1" in done.stderr, f"what is wrong with the dims, got {done.stderr}")


# Of an attention counts what a query may see.
def cost(m, n, attributes="", *words):
    # Without code.
    (entry,) = report(program("cost", m, n, attributes), "--emit=mlir", *words)
    (kernel,) = [k for k in entry["kernels"] if k["lowering"].startswith("attention")]
    return kernel["flops"], kernel["predicted_us"]


def pairs(m, n, causal=None, left=-1, right=-1):
    offset = n - m if causal == "bottom_right" else 0
    i, j = np.arange(m)[:, None] + offset, np.arange(n)[None, :]
    live = np.ones((m, n), bool)
    live &= (causal is None) | (j <= i)
    live &= (left < 0) | (j >= i - left)
    live &= (right < 0) | (j <= i + right)
    return int(live.sum())


for m, n in ((64, 64), (40, 100), (100, 40), (1, 300)):
    whole, slow = cost(m, n)
    expect(whole == 2 * 2 * 32 * m * n, f"all pairs, got {whole}")
    for causal in (None, "top_left", "bottom_right"):
        for left, right in ((-1, -1), (0, 0), (5, -1), (-1, 3), (20, 10), (2**62, 2**62)):
            attributes = (f", causal = #attn.causal<{causal}>" if causal else "") + f", window = array<i64: {left}, {right}>"
            flops, fast = cost(m, n, attributes)
            expect(flops == 2 * 2 * 32 * pairs(m, n, causal, left, right), f"the live pairs of {m} x {n}{attributes}, got {flops}")
            expect(fast <= slow, f"no more time than without masks, got {fast} and {slow}")
for lowering in ("attention", "attention-general"):
    _, slow = cost(2048, 2048, "", f"--lowering={lowering}")
    _, fast = cost(2048, 2048, ", window = array<i64: 31, 32>", f"--lowering={lowering}")
    expect(fast < slow / 8, f"{lowering} to be expected faster with a window, got {fast} and {slow}")
    _, half = cost(2048, 2048, ", causal = #attn.causal<top_left>", f"--lowering={lowering}")
    expect(0.4 * slow < half < 0.6 * slow, f"{lowering} to take half with causality, got {half} and {slow}")

# Sizes that are not known: in their names.
value = lambda text, **sizes: eval(str(text).replace("input0.2", "m"), {}, sizes)
for causal in ("top_left", "bottom_right"):
    text, _ = cost("s", "s", f", causal = #attn.causal<{causal}>")
    expect(value(text, s=37) == 2 * 2 * 32 * pairs(37, 37, causal), f"half of the pairs, got {text}")
text, _ = cost("m", "n", ", causal = #attn.causal<bottom_right>")
expect(value(text, m=3, n=50) == 2 * 2 * 32 * pairs(3, 50, "bottom_right"), f"what new queries see of a cache, got {text}")
text, _ = cost("m", "n", ", window = array<i64: 7, 4>")
expect(value(text, m=100, n=100) == 2 * 2 * 32 * 100 * 12, f"a band of 12 keys, got {text}")
text, _ = cost("m", "n")
expect(value(text, m=100, n=10) == 2 * 2 * 32 * 100 * 10, f"all pairs, got {text}")
