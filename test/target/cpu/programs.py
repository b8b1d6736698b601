"""Small programs of attn operations, from MLIR to numbers: against formulas in NumPy, and against the reference evaluator."""
import os, sys
import numpy as np
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments, expect

DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "i1": np.bool_}


def tensor(dims, element):
    return "tensor<" + "".join(("?" if isinstance(d, str) else str(d)) + "x" for d in dims) + f"{element}>"


class Programs:
    def __init__(self, seed):
        self.tools, self.seed, self.rng = Tools(arguments()), seed, np.random.default_rng(seed)

    def source(self, body, inputs, results):
        """The function of a body. Inputs: name -> (dims, element); dims are numbers or names; index values %B, %N, ... hold the names. Results: dims, element."""
        arguments = ", ".join(f"%{name}: {tensor(dims, e)} {{exec.name = \"{name}\", exec.dims = [{', '.join(repr(d) for d in dims)}]}}".replace("'", '"')
                              for name, (dims, e) in inputs.items())
        outs = ", ".join(f"{tensor(dims, e)} {{exec.name = \"out{n}\", exec.dims = [{', '.join(repr(d) for d in dims)}]}}".replace("'", '"')
                         for n, (dims, e) in enumerate(results))
        lines = [f"func.func @main({arguments}) -> ({outs}) {{"]
        seen = set()
        for name, (dims, e) in inputs.items():
            for i, d in enumerate(dims):
                if isinstance(d, str) and d not in seen:
                    seen.add(d)
                    lines.append(f"  %at{d} = arith.constant {i} : index\n  %{d} = tensor.dim %{name}, %at{d} : {tensor(dims, e)}")
        for n, (dims, e) in enumerate(results):
            lines.append(f"  %init{n} = tensor.empty({', '.join('%' + d for d in dims if isinstance(d, str))}) : {tensor(dims, e)}")
        return "\n".join(lines) + "\n" + body + "\n}\n"

    def check(self, name, body, inputs, results, sizes, want, make=None, flags=(), tolerance=None):
        """Compiles once, runs at each dict of sizes with one thread and several, compares with want(arrays, sizes); what --explain says."""
        t = self.tools
        with open(t.path(name + ".mlir"), "w") as file:
            file.write(self.source(body, inputs, results))
        said = None
        for at in sizes:
            arrays = {}
            for key, (dims, e) in inputs.items():
                shape = [at[d] if isinstance(d, str) else d for d in dims]
                arrays[key] = (make or {}).get(key, self.normal)(shape, DTYPES[e], at)
            np.savez(t.path("in.npz"), **arrays)
            if said is None:
                done = t.compile(t.path(name + ".mlir"), "-o", t.path(name + ".fovea"), f"--check={t.path('in.npz')}", "--explain", *flags)
                said = done.stdout + done.stderr
            with np.errstate(all="ignore"):
                expected = want(arrays, at)
            for threads in (1, 3):
                t.run("fovea-run", t.path(name + ".fovea"), "--inputs", t.path("in.npz"), "--outputs", t.path("out.npz"), "--threads", threads)
                got = np.load(t.path("out.npz"))
                for n, ((dims, e), w) in enumerate(zip(results, expected, strict=True)):
                    g, bound = got[f"out{n}"], tolerance or (2e-5 if e == "f32" else 1e-11)
                    expect(g.dtype == DTYPES[e] and g.shape == w.shape, f"seed {self.seed}, {name} {at}: {w.shape}, got {g.dtype} {g.shape}")
                    with np.errstate(invalid="ignore"):
                        most = np.nanmax(np.abs(g.astype(np.float64) - w), initial=0)
                    expect(np.allclose(g, w, rtol=bound, atol=bound, equal_nan=True),
                           f"seed {self.seed}, {name} {at}, result {n}, {threads} threads: differs by {most}")
        return said

    def normal(self, shape, dtype, sizes):
        return self.rng.standard_normal(shape).astype(dtype)

    def refused(self, name, arrays, words):
        """The program that was checked last under this name faults on these inputs."""
        t = self.tools
        np.savez(t.path("in.npz"), **arrays)
        said = t.run("fovea-run", t.path(name + ".fovea"), "--inputs", t.path("in.npz"), "--outputs", t.path("out.npz"), code=1).stderr
        expect(words in said, f"{name}: '{words}', got {said!r}")
