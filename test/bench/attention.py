"""Forms of attention beside what they are without fusion and beside ONNX Runtime.   attention.py [NAME...] [--threads N] [--rounds N] [--build DIR]

Each form is one attn.attention to Fovea ("fused"); products, masks and a softmax as the same compiler makes kernels of when it does not raise them to
attention ("unfused"); and to ONNX Runtime whatever it is fastest with: the operator Attention, those of com.microsoft, or the products. Outputs are compared
with NumPy's before anything is timed. All run on one thread (or N) in this process, one after the other in each round, bound once; ratios are medians of
those within a round. Causal attention stands beside full attention of the same shape, too. The scale is in the queries already. Fails if fused is slower than
unfused by more than noise, or causal attention of 2048 queries and more not 1.7 times as fast as full attention.
"""
import argparse, os, statistics, subprocess, sys, tempfile, time
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import contender, runtime
from models import ROOT


NOISE = 0.97  # what reads the same bytes from memory takes the same time


class Form:
    """Attention of M queries and N keys; causal where M = N."""

    def __init__(self, name, M, N, H=2, G=None, D=64, causal=False, left=-1, additive=False, weights=False):
        G = G or H
        self.__dict__.update(locals())
        rng = np.random.default_rng(1)
        shapes = dict(q=(1, H, M, D), k=(1, G, N, D), v=(1, G, N, D)) | (dict(w=(D,)) if additive else {})
        self.inputs = {n: rng.standard_normal(s, dtype=np.float32) for n, s in shapes.items()}
        self.inputs["q"] /= np.float32(np.sqrt(D))
        self.outputs = dict(y=(1, H, M, D)) | (dict(p=(1, H, M, N)) if weights else {})
        i, j = np.arange(M)[:, None], np.arange(N)[None]
        self.masked = (causal & (j > i)) | ((left >= 0) & (j < i - left))

    def title(self):
        return f"{self.name:14s} {self.M:5d} x {self.N:5d}  {self.H:2d}/{self.G:2d} x {self.D:3d}"

    def expected(self):
        """In double precision, a head at a time."""
        y, p = (np.empty(s, np.float32) for s in ((1, self.H, self.M, self.D), (1, self.H, self.M, self.N)))
        for h in range(self.H):
            q, k, v = (self.inputs[n][0, h if n == "q" else h * self.G // self.H].astype(np.float64) for n in "qkv")
            s = (np.tanh(q[:, None] + k) * self.inputs["w"]).sum(-1) if self.additive else q @ k.T
            s[self.masked] = -np.inf
            e = np.exp(s - s.max(-1, keepdims=True))
            p[0, h] = e / e.sum(-1, keepdims=True)
            y[0, h] = p[0, h].astype(np.float64) @ v
        return dict(y=y, p=p)

    def mlir(self):
        tensor = {n: f"tensor<{'x'.join(map(str, a.shape))}xf32>" for n, a in self.inputs.items()}
        outs = {n: f"tensor<{'x'.join(map(str, s))}xf32>" for n, s in self.outputs.items()}
        names, types = ", ".join("%" + n for n in outs), ", ".join(outs.values())
        attributes = "scale = 1.0 : f64" + (", causal = #attn.causal<top_left>" if self.causal else "") + f", window = array<i64: {self.left}, -1>"
        attributes += ", extras = [#attn.extra<weights>]" if self.weights else ""
        combine = f"""combine {{
    ^bb0(%a: f32, %b: f32, %d: index):
      %s = arith.addf %a, %b : f32
      %t = math.tanh %s : f32
      %c = tensor.extract %w[%d] : {tensor.get("w")}
      %r = arith.mulf %t, %c : f32
      attn.yield %r : f32
    }}""" if self.additive else ""
        inits = "".join(f"  %{n}_init = tensor.empty() : {t}\n" for n, t in outs.items())
        return f"""func.func @main({", ".join(f"%{n}: {t}" for n, t in tensor.items())}) -> ({types}) {{
{inits}  {names} = attn.attention ins(%q, %k, %v : {tensor["q"]}, {tensor["k"]}, {tensor["v"]})
    outs({", ".join(f"%{n}_init" for n in outs)} : {types}) {{{attributes}}} {combine} -> {types}
  return {names} : {types}
}}
"""

    def products(self):
        """The ONNX graph of products. Queries of heads that share keys follow each other, so no keys are copied."""
        rows, nodes, constants, inputs = self.M * self.H // self.G, [], {}, dict(self.inputs)

        def node(op, out, *inputs, **attributes):
            nodes.append(helper.make_node(op, inputs, [out], **attributes))
            return out

        def constant(name, value):
            constants[name] = numpy_helper.from_array(np.asarray(value), name)
            return name

        q = node("Reshape", "q_rows", "q", constant("rows", np.array([1, self.G, rows, self.D])))
        if self.additive:
            sums = node("Add", "sums", node("Unsqueeze", "q5", q, constant("a3", np.array([3]))), node("Unsqueeze", "k5", "k", constant("a2", np.array([2]))))
            scores = node("ReduceSum", "scores", node("Mul", "terms", node("Tanh", "tanh", sums), "w"), constant("last", np.array([4])), keepdims=0)
        else:
            scores = node("MatMul", "scores", q, node("Transpose", "kt", "k", perm=[0, 1, 3, 2]))
        if self.masked.any():
            inputs["mask"] = np.where(self.masked, -np.inf, 0).astype(np.float32)
            scores = node("Add", "masked", scores, "mask")
        p = node("Softmax", "p", scores, axis=-1)
        node("Reshape", "y", node("MatMul", "y_rows", p, "v"), constant("shape", np.array(self.outputs["y"])))
        return self.model(nodes, constants.values(), inputs), inputs, lambda out: out

    def model(self, nodes, constants=(), inputs=None, outputs=None):
        infos = [[helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(np.dtype(t)), s) for n, (t, s) in group.items()]
                 for group in ({n: (a.dtype, a.shape) for n, a in (inputs or self.inputs).items()}, {n: ("f4", s) for n, s in (outputs or self.outputs).items()})]
        graph = helper.make_graph(nodes, "attention", *infos, list(constants))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23), helper.make_opsetid("com.microsoft", 1)], ir_version=10)

    def rivals(self):
        """Names of graphs for ONNX Runtime; each a model, inputs, and what turns its outputs into ours."""
        found = {"products": self.products()}
        if self.additive:
            return found
        inputs = dict(self.inputs)
        if self.left >= 0:
            inputs["mask"] = ~self.masked
        node = helper.make_node("Attention", ["q", "k", "v"] + ["mask"] * (self.left >= 0), ["y", "", "", "p"] if self.weights else ["y"], scale=1.0,
                                is_causal=int(self.causal and self.left < 0), qk_matmul_output_mode=3 if self.weights else 0)
        found["Attention"] = self.model([node], inputs=inputs), inputs, lambda out: out
        if self.weights:
            return found
        flat = {n: np.ascontiguousarray(a.transpose(0, 2, 1, 3)).reshape(1, a.shape[2], -1) for n, a in self.inputs.items()}
        width = (1, self.M, self.H * self.D)

        def heads(out):
            return dict(y=out["y"].reshape(1, self.M, self.H, self.D).transpose(0, 2, 1, 3))

        if self.left < 0 and self.G == self.H:
            node = helper.make_node("MultiHeadAttention", ["q", "k", "v"], ["y"], domain="com.microsoft", num_heads=self.H, scale=1.0, unidirectional=int(self.causal))
            found["MultiHeadAttention"] = self.model([node], inputs=flat, outputs=dict(y=width)), flat, heads
        if self.causal or self.M == 1:
            cache, past = (1, self.G, self.N, self.D), self.N - self.M
            grouped = dict(q=flat["q"], k=flat["k"][:, past:], v=flat["v"][:, past:], pk=self.inputs["k"][:, :, :past], pv=self.inputs["v"][:, :, :past],
                           length=np.array([self.N - 1], np.int32), total=np.array([self.N], np.int32))
            grouped = {n: np.ascontiguousarray(a) for n, a in grouped.items() if a.size}
            names = [n if n in grouped else "" for n in ("q", "k", "v", "pk", "pv", "length", "total")]
            node = helper.make_node("GroupQueryAttention", names, ["y", "nk", "nv"], domain="com.microsoft", num_heads=self.H, kv_num_heads=self.G, scale=1.0,
                                    local_window_size=self.left + 1 if self.left >= 0 else -1)
            found["GroupQueryAttention"] = self.model([node], inputs=grouped, outputs=dict(y=width, nk=cache, nv=cache)), grouped, heads
        return found


FORMS = [Form("full", 512, 512), Form("full", 2048, 2048), Form("causal", 2048, 2048, causal=True), Form("full", 4096, 4096),
         Form("causal", 4096, 4096, causal=True), Form("windowed", 2048, 2048, causal=True, left=255), Form("grouped", 512, 512, H=8, G=2),
         Form("decode", 1, 1024, H=8), Form("decode", 1, 8192), Form("decode", 1, 32768, H=1), Form("decode grouped", 1, 4096, H=8, G=2), Form("weights", 128, 128, H=4, weights=True),
         Form("weights", 512, 512, H=4, weights=True), Form("causal weights", 512, 512, H=4, causal=True, weights=True),
         Form("additive", 256, 256, additive=True)]


def same(form, outputs, expected):
    return all(outputs[n].shape == s and np.allclose(outputs[n], expected[n], rtol=1e-3, atol=1e-4) for n, s in form.outputs.items())


def source(form, compiler, work, fused):
    """IR, inputs and options of the compiler; what is not fused looks as if the phase that raises were done already."""
    if fused:
        return form.mlir(), form.inputs, []
    path, graph = os.path.join(work, "products.mlir"), os.path.join(work, "products.onnx")
    products, inputs, _ = form.products()
    onnx.save(products, graph)
    subprocess.run([compiler, graph, "--compile-to=import", "-o", path], check=True)
    with open(path) as file:
        return file.read().replace('"import"', '"raise"'), inputs, ["--compile-from=raise"]


def fovea(form, build, work, fused, handle):
    """Compiles and binds; what runs, and its outputs."""
    # Artifacts stay mapped: each has a file of its own.
    compiler, artifact = os.path.join(build, "bin", "fovea-compile"), tempfile.mkstemp(".fovea", dir=work)[1]
    text, inputs, flags = source(form, compiler, work, fused)
    source_file = os.path.join(work, "model.mlir")
    with open(source_file, "w") as file:
        file.write(text)
    subprocess.run([compiler, source_file, "-o", artifact, *flags], check=True)
    model = runtime.Model(handle, artifact)
    session = runtime.Session(handle, model)
    arrays = session.bind({name: array for (name, _), array in zip(model.inputs, inputs.values(), strict=True)})
    session.run()
    return session.run, dict(zip(form.outputs, arrays.values(), strict=True)), [model.dispatch(i)[0] for i in range(model.entry.dispatch_count)]


def timed(run, threads):
    """Seconds; with one thread of CPU time, where what others take of the core does not count."""
    clock = time.process_time if threads == 1 else time.perf_counter
    if threads > 1:
        time.sleep(0.05)  # the threads of who ran before wait for work, on a core, but not for so long
        warm = time.perf_counter() + 0.2  # until the system has given each thread a core
        while time.perf_counter() < warm:
            run()
    start = clock()
    run()
    return clock() - start


def fastest(form, work, expected, threads, notes):
    """ONNX Runtime's best: its name and what runs."""
    best = None
    for name, (model, inputs, ours) in form.rivals().items():
        path = os.path.join(work, "rival.onnx")
        onnx.save(model, path)
        try:
            run, outputs, _ = contender.onnxruntime({"model": path, "threads": threads}, inputs)
        except Exception as error:
            notes.append(f"{form.name}: ONNX Runtime cannot do {name}: {str(error).splitlines()[0][:150]}")
            continue
        run()
        if not same(form, ours(outputs()), expected):
            notes.append(f"{form.name}: the outputs of ONNX Runtime's {name} are others")
            continue
        seconds = min(timed(run, threads) for _ in range(3))
        if best is None or seconds < best[0]:
            best = seconds, name, run
    return best[1:] if best else ("-", None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="forms (default: all)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    options = parser.parse_args()
    handle = runtime.Runtime(os.path.join(options.build, "lib", "libfovea_runtime.so"), options.threads)
    notes, full, missed = [], {}, []
    print(f"medians of {options.rounds} rounds, {options.threads} threads, ms\n\n{'':14s} {'M x N':>13s} {'heads x D':>12s} {'fused':>9s} {'unfused':>9s} {'ORT':>9s}"
          f" {'unfused/':>9s} {'ORT/':>6s} {'full/':>6s}\n{'':71s} {'fused':>9s} {'fused':>6s} {'fused':>6s}")
    with tempfile.TemporaryDirectory() as work:
        for form in FORMS:
            if options.names and form.name not in options.names:
                continue
            expected, runs = form.expected(), {}
            for name in ("fused", "unfused"):
                runs[name], outputs, kernels = fovea(form, options.build, work, name == "fused", handle)
                if not same(form, outputs, expected):
                    sys.exit(f"{form.title()}: what is {name} gives other numbers than NumPy")
                if any(kernel.startswith("attention") for kernel in kernels) != (name == "fused"):
                    sys.exit(f"{form.title()}: what is {name} has the kernels {', '.join(kernels)}")
            rival, run = fastest(form, work, expected, options.threads, notes)
            if run:
                runs["ort"] = run
            if form.name == "full":
                full[form.M] = runs["fused"]
            elif form.name == "causal" and form.M in full:
                runs["full"] = full[form.M]
            times = {name: [] for name in runs}
            for _ in range(options.rounds):
                for name, run in runs.items():
                    times[name].append(timed(run, options.threads))
            ratio = {n: statistics.median(t / f for t, f in zip(times[n], times["fused"])) for n in runs}
            if ratio["unfused"] < NOISE:
                missed.append(f"{form.title()}: fused is slower than unfused")
            if form.M >= 2048 and ratio.get("full", 2) < 1.7:
                missed.append(f"{form.title()}: not 1.7 times as fast as full attention")
            ms = {n: f"{statistics.median(t) * 1e3:9.3f}" for n, t in times.items()}
            print(f"{form.title()} {ms['fused']} {ms['unfused']} {ms.get('ort', ''):>9s} {ratio['unfused']:9.2f} "
                  f"{format(ratio['ort'], '6.2f') if 'ort' in ratio else '':>6s} {format(ratio['full'], '6.2f') if 'full' in ratio else '':>6s}  {rival}", flush=True)
    print("\n".join(["", *notes] if notes else []))
    if missed:
        sys.exit("\n".join(missed))


if __name__ == "__main__":
    main()
