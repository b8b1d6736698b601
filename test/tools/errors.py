"""Exit codes and messages: 1 the user's input, 2 not supported, 3 ours with a reproducer, 4 the environment."""
import json, os, pty, shutil, subprocess
import numpy as np
from harness import Tools, arguments, expect

t = Tools(arguments())
small = t.small()


def says(words, *command, code):
    done = t.compile(*command, code=code)
    expect(len(done.stderr.splitlines()) == 1, f"one line, got {done.stderr!r}")
    expect(words in done.stderr, f"'{words}', got {done.stderr!r}")
    return done


# 1: usage and input.
says("expected a model", code=1)
says("--no-such-option", small, "--no-such-option", code=1)
says("cannot read", t.path("missing.onnx"), code=1)
says("cannot read", t.path("missing.mlirbc"), code=1)
says("expected a phase", small, "--compile-to=nowhere", code=1)
says("expected a dump", small, "--compile-from=fuse", code=1)
says("--dim: expected", small, "--dim", "rows", code=1)
says("--insert: expected", small, "--insert=fuse", code=1)
says("--expect: expected --check", small, "--expect=x.npz", code=1)
says("no pipeline of passes", small, "--insert=after:fuse=no-such-pass", code=1)
with open(t.path("broken.onnx"), "w") as file:
    file.write("not a model")
says("broken.onnx", t.path("broken.onnx"), code=1)
with open(t.path("broken.mlir"), "w") as file:
    file.write("func.func @main( {")
says("broken.mlir", t.path("broken.mlir"), code=1)

# Choices for operations that no kernel has; what there is, is said.
done = says("--lowering: expected an operation of a kernel (", small, "--lowering=attn.attention=loops", code=1)
expect("attn.softmax" in done.stderr and "linalg.matmul" in done.stderr and "got 'attn.attention'" in done.stderr, f"the operations, got {done.stderr}")
says("got 'linalg.matmull'", small, "--lowering=linalg.matmull=-matmul", code=1)
t.compile(small, "-o", t.path("rule.fovea"), "--lowering=linalg.matmul=-matmul")

# A weight may be anything, also nothing that is a number.
weights = small.replace(".onnx", ".bin")
shutil.copy(weights, t.path("kept.bin"))
np.full(os.path.getsize(weights) // 4, np.nan, np.float32).tofile(weights)
t.compile(small, "-o", t.path("nan.fovea"))
np.savez(t.path("x.npz"), x=np.ones((3, 64), np.float32))
t.run("fovea-run", t.path("nan.fovea"), "--inputs", t.path("x.npz"), "--outputs", t.path("y.npz"))
expect(np.isnan(np.load(t.path("y.npz"))["y"]).all(), "NaN from weights of NaN")
shutil.copy(t.path("kept.bin"), weights)

# An artifact of the compiler, cut off or with a byte changed anywhere: the header, the manifest, each section (weights need --verify).
t.compile(small, "-o", t.path("whole.fovea"))
with open(t.path("whole.fovea"), "rb") as file:
    whole = file.read()
sections = json.loads(t.run("fovea-inspect", t.path("whole.fovea"), "--json").stdout)["sections"]
expect({s["kind"] for s in sections} == {"host", "kernels", "weights"}, f"all kinds of sections, got {sections}")
places = [0, 9, 13, 20, 28, 40] + [s["offset"] + offset for s in sections for offset in (0, s["bytes"] // 2, s["bytes"] - 1)]
for place in places:
    for what, content in (("cut", whole[:place]), ("changed", whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1:])):
        with open(t.path("bad.fovea"), "wb") as file:
            file.write(content)
        code = 2 if what == "changed" and place == 9 else 1  # the format version
        done = t.run("fovea-inspect", t.path("bad.fovea"), "--verify", code=code)
        expect(done.stderr.startswith("fovea-inspect: error: "), f"a message for the byte {place} {what}, got {done.stderr!r}")
        if what == "cut" or place < sections[-1]["offset"]:
            t.run("fovea-run", t.path("bad.fovea"), "--random", "1", code=code)

# 2: valid, but not to be had; the node is named.
says("not supported", small, "--target=tpu", code=2)
done = says("no lowering can do this kernel", small, "--lowering=-loops", "--lowering=-matmul", "-o", t.path("x.fovea"), code=2)
expect('node "' in done.stderr, f"the node's name, got {done.stderr}")
expect(not os.path.exists(t.path("x.fovea")), "no artifact")

# 3: an operation that no phase takes away; what came before the failure is kept, and going on from that fails alike.
with open(t.path("left.mlir"), "w") as file:
    file.write("""func.func @main(%x: tensor<4xf32>, %i: tensor<2x1xindex>) -> tensor<2xf32> {
  %y = tensor.gather %x[%i] gather_dims([0]) : (tensor<4xf32>, tensor<2x1xindex>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
""")
done = says("internal error in the phase plan", t.path("left.mlir"), "-o", t.path("y.fovea"), code=3)
reproducer = t.path("y.fovea.reproducer.mlirbc")
expect(os.path.exists(reproducer) and "--compile-from=tile" in done.stderr, f"a reproducer and how to run it, got {done.stderr}")
os.rename(reproducer, t.path("kept.mlirbc"))
says("internal error in the phase plan", t.path("kept.mlirbc"), "-o", t.path("z.fovea"), code=3)

# 4: the disk.
says("cannot write", small, "-o", t.path("no/such/folder/x.fovea"), code=4)
says("cannot write", small, "--emit=static-lib", "-o", t.path("no/such/folder/x.a"), code=4)
says("cannot write", small, "--emit=mlir", "-o", t.path("no/such/folder/x.mlir"), code=4)
with open(t.path("file"), "w"):
    pass
says("cannot create", small, f"--dump-phases={t.path('file')}/x", code=4)

# Progress: nothing in a pipe; on a terminal the last step is the number of steps, also where phases are skipped.
expect(t.compile(small, "-o", t.path("x.fovea")).stderr == "", "nothing on stderr")


def on_terminal(*words):
    ours, theirs = pty.openpty()
    subprocess.run([os.path.join(t.bin, "fovea-compile"), *words], stderr=theirs, stdout=subprocess.DEVNULL, check=True)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 4096):
            text += part
    except OSError:  # the other end is closed
        pass
    return text.decode()


t.compile(small, f"--dump-phases={t.path('d')}", "-o", t.path("x.fovea"))
try:
    for end in pty.openpty():
        os.close(end)
except OSError as error:
    print(f"skipped: a progress bar wants a terminal, and there are none here: {error}")
    raise SystemExit
for words, steps in (((small, "-o", t.path("x.fovea")), 7), ((small, "--compile-to=fuse"), 4), ((t.path("d/4-fuse.mlirbc"), "-o", t.path("x.fovea")), 4)):
    text = on_terminal(*words)
    expect(f" {steps}/{steps} " in text and text.count("\r[") == steps and text.endswith("\n"), f"{steps} steps, got {text!r}")
