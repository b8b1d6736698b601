"""--check runs what was compiled and compares it: with the reference evaluator, with given outputs; a difference is an error."""
import numpy as np
from harness import Tools, arguments, expect

t = Tools(arguments())
for model in (t.small(rows=5), t.small()):
    done = t.compile(model, "-o", t.path("m.fovea"), "--check")
    expect("y" in done.stdout, f"a line for the output, got {done.stdout}")
x = np.random.default_rng(1).standard_normal((7, 64), dtype=np.float32)
np.savez(t.path("in.npz"), x=x)
t.compile(model, "-o", t.path("m.fovea"), f"--check={t.path('in.npz')}")
t.run("fovea-run", t.path("m.fovea"), "--inputs", t.path("in.npz"), "--outputs", t.path("out.npz"))
t.compile(model, "-o", t.path("m.fovea"), f"--check={t.path('in.npz')}", f"--expect={t.path('out.npz')}")
np.savez(t.path("wrong.npz"), y=np.load(t.path("out.npz"))["y"] + 1)
done = t.compile(model, "-o", t.path("m.fovea"), f"--check={t.path('in.npz')}", f"--expect={t.path('wrong.npz')}", code=1)
expect("differ" in done.stderr, f"a message, got {done.stderr}")
t.compile(model, "-o", t.path("m.fovea"), f"--check={t.path('missing.npz')}", code=4)
np.savez(t.path("other.npz"), z=x)
t.compile(model, "-o", t.path("m.fovea"), f"--check={t.path('other.npz')}", code=1)
t.compile(model, "--emit=llvm", "--check", code=1)
encoder = t.model("transformer-base-encoder-dyn")
folder = encoder.rsplit("/", 1)[0]
t.compile(encoder, "-o", t.path("e.fovea"), f"--check={folder}/inputs.npz", f"--expect={folder}/expected.npz")
# Too much for the reference evaluator at these sizes.
done = t.compile(encoder, "-o", t.path("e.fovea"), f"--check={folder}/inputs.npz", code=2)
expect("too slow" in done.stderr, f"a reason, got {done.stderr}")
