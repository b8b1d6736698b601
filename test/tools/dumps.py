"""Dumps are small, and a compile that goes on from one gives the artifact of an uninterrupted one; so does a second compile."""
import glob, os
import onnx
from harness import Tools, arguments, expect, same

PHASES = ["import", "raise", "simplify", "fuse", "tile", "plan"]
t = Tools(arguments())
for model in (t.small(), t.model("transformer-base-encoder-dyn")):
    dumps = t.path("dumps-" + os.path.basename(os.path.dirname(model)))
    t.compile(model, "-o", t.path("whole.fovea"), f"--dump-phases={dumps}", "--dump-text")
    t.compile(model, "-o", t.path("again.fovea"))
    expect(same(t.path("whole.fovea"), t.path("again.fovea")), "two compiles to give the same bytes")
    for number, phase in enumerate(PHASES, 1):
        dump = os.path.join(dumps, f"{number}-{phase}.mlirbc")
        expect(os.path.getsize(dump) < 2 << 20, f"{dump} to hold no weights, got {os.path.getsize(dump)} bytes")
        expect("module" in open(dump.replace(".mlirbc", ".mlir")).read(1000), "text beside the bytecode")
        t.compile(dump, f"--compile-from={phase}", "-o", t.path("resumed.fovea"))
        expect(same(t.path("whole.fovea"), t.path("resumed.fovea")), f"the same artifact from the dump of {phase}")
    # The dump names its phase.
    t.compile(os.path.join(dumps, "4-fuse.mlirbc"), "-o", t.path("resumed.fovea"))
    expect(same(t.path("whole.fovea"), t.path("resumed.fovea")), "the same artifact without --compile-from")
    done = t.compile(os.path.join(dumps, "4-fuse.mlirbc"), "--compile-from=tile", "-o", t.path("no.fovea"), code=1)
    expect("was written after fuse" in done.stderr, f"a message about the phase, got {done.stderr}")
    # One phase to a file, and on from there.
    t.compile(model, "--compile-to=simplify", "-o", t.path("s.mlirbc"))
    t.compile(t.path("s.mlirbc"), "-o", t.path("resumed.fovea"))
    expect(same(t.path("whole.fovea"), t.path("resumed.fovea")), "the same artifact by way of --compile-to")
    text = t.compile(model, "--compile-to=fuse").stdout
    expect("exec.kernel" in text and "exec.dispatch" not in text, "the IR after fuse on stdout")
    expect("exec.dispatch" in t.compile(model, "--emit=mlir").stdout, "the planned IR on stdout")

# Weights inside of the model's file travel in the dump.
inside = t.path("inside.onnx")
onnx.save(onnx.load(t.small()), inside)
t.compile(inside, "-o", t.path("whole.fovea"), f"--dump-phases={t.path('inside')}")
for number, phase in enumerate(PHASES, 1):
    t.compile(t.path(f"inside/{number}-{phase}.mlirbc"), "-o", t.path("resumed.fovea"))
    expect(same(t.path("whole.fovea"), t.path("resumed.fovea")), f"the same artifact from the dump of {phase}")

# Weights that are gone are the user's mistake.
small = t.small()
t.compile(small, f"--dump-phases={t.path('gone')}", "-o", t.path("x.fovea"))
for file in glob.glob(t.path("small-*.bin")):
    os.remove(file)
done = t.compile(t.path("gone/3-simplify.mlirbc"), "-o", t.path("x.fovea"), code=1)
expect("cannot read the weights" in done.stderr, f"a message about the weights, got {done.stderr}")
