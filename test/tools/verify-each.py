"""--verify-each=reference names the first phase, and pass, that changes the numbers; fovea-reduce makes the graph smaller as long as it does."""
import os
import numpy as np
from harness import Tools, arguments, expect

t = Tools(arguments())
wrong = f"--plugin={os.path.join(t.bin, '../lib/fovea-test-wrong-pass.so')}"
small = t.small()
for more in ((), ("--dim", "rows=3")):
    done = t.compile(small, "-o", t.path("m.fovea"), "--verify-each=reference", *more)
    expect("y" in done.stdout, f"the comparison of the artifact, got {done.stdout}")
x = np.random.default_rng(1).standard_normal((7, 64), dtype=np.float32)
np.savez(t.path("in.npz"), x=x)
t.compile(small, "-o", t.path("m.fovea"), "--verify-each=reference", f"--check={t.path('in.npz')}")
t.compile(small, "--emit=mlir", "--verify-each=reference", code=1)
t.compile(small, "--verify-each=everything", code=1)

for phase in ("raise", "simplify", "fuse"):
    done = t.compile(small, "-o", t.path("m.fovea"), "--verify-each=reference", wrong, f"--insert=after:{phase}=canonicalize,test-wrong-sum", code=3)
    expect(f"--verify-each: the phase {phase} changes the results, in the pass test-wrong-sum" in done.stderr, f"the guilty pass, got {done.stderr}")
done = t.compile(small, "-o", t.path("m.fovea"), "--check", wrong, "--insert=after:simplify=test-wrong-sum", code=3)
expect("the artifact's outputs differ" in done.stderr, f"a difference, got {done.stderr}")

# A failing graph made smaller, with that as the test.
t.compile(small, "--compile-to=import", "-o", t.path("import.mlirbc"))
judged = ("-o", t.path("r.fovea"), "--verify-each=reference", wrong, "--insert=after:simplify=test-wrong-sum")
t.run("fovea-reduce", t.path("import.mlirbc"), "-o", t.path("reduced.mlirbc"), "--", os.path.join(t.bin, "fovea-compile"), "{}", *judged)
whole, reduced = (t.run("fovea-opt", t.path(name)).stdout for name in ("import.mlirbc", "reduced.mlirbc"))
expect(reduced.count("arith.addf") == 1 < whole.count("arith.addf") and "softmax" not in reduced, f"one sum, got {reduced[:2000]}")
done = t.compile(t.path("reduced.mlirbc"), *judged, code=3)
expect("in the pass test-wrong-sum" in done.stderr, f"still the same pass, got {done.stderr}")
