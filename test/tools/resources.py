"""A disk that is full, memory that is short, a compile that is killed: an error of the environment, and never a half-written file."""
import os, resource, signal, subprocess, time
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from harness import Tools, arguments, expect

t = Tools(arguments())
small = t.small()
folder = t.path("out 100%")
os.mkdir(folder)
OLD = b"what was there before"


def out(name):
    return os.path.join(folder, name)


def limit(kind, size):
    return lambda: resource.setrlimit(kind, (size, size))


def old(*names):
    for name in names:
        with open(out(name), "wb") as file:
            file.write(OLD)


def untouched(what, *names):
    expect(sorted(os.listdir(folder)) == sorted(names), f"{what}: the files {names} and no others, got {os.listdir(folder)}")
    for name in names:
        with open(out(name), "rb") as file:
            expect(file.read() == OLD, f"{what}: {name} as it was")
        os.remove(out(name))


# The disk: what does not fit is not written, and what was there stays.
t.compile(small, "-o", t.path("m.fovea"))
rows = np.zeros((20000, 64), np.float32)
np.savez(t.path("in.npz"), x=rows)
for name, tool, size, *words in (
    ("m.fovea", "fovea-compile", 16, small, "-o", out("m.fovea")),
    ("m.a", "fovea-compile", 16, small, "--emit=static-lib", "-o", out("m.a")),
    ("m.ll", "fovea-compile", 16, small, "--emit=llvm", "-o", out("m.ll")),
    ("m.mlir", "fovea-compile", 16, small, "--compile-to=fuse", "-o", out("m.mlir")),
    ("m.mlirbc", "fovea-compile", 16, small, "--compile-to=fuse", "-o", out("m.mlirbc")),
    ("m.dot", "fovea-compile", 16, small, "--emit=dot", "-o", out("m.dot")),
    ("m.json", "fovea-compile", 16, small, f"--explain={out('m.json')}", "--emit=mlir", "-o", "/dev/null"),
    ("1-import.mlirbc", "fovea-compile", 16, small, f"--dump-phases={folder}", "-o", t.path("x.fovea")),
    ("y.npy", "fovea-run", 1 << 20, t.path("m.fovea"), "--inputs", t.path("in.npz"), "--output", f"y={out('y.npy')}"),
    ("y.npz", "fovea-run", 1 << 20, t.path("m.fovea"), "--inputs", t.path("in.npz"), "--outputs", out("y.npz")),
):
    old(name)
    done = t.run(tool, *words, code=4, limits=limit(resource.RLIMIT_FSIZE, size))
    expect("cannot write" in done.stderr and len(done.stderr.splitlines()) == 1, f"one line about {name}, got {done.stderr!r}")
    untouched(name, name)
for tool, *words in (
    ("fovea-compile", small, "--compile-to=fuse", "-o", "/dev/full"),
    ("fovea-compile", small, "--compile-to=fuse", "--explain=/dev/full", "-o", "/dev/null"),
    ("fovea-compile", small, "-o", "/dev/full"),
    ("fovea-run", t.path("m.fovea"), "--random", "1", "--output", "y=/dev/full"),
    ("fovea-run", t.path("m.fovea"), "--random", "1", "--outputs", "/dev/full"),
    ("fovea-run", t.path("m.fovea"), "--random", "1", "--profile=/dev/full"),
    ("fovea-bench", t.path("m.fovea"), "--random", "1", "--seconds", "0.01", "--warmup-seconds", "0", "--json", "/dev/full"),
):
    done = t.run(tool, *words, code=4)
    expect("cannot write" in done.stderr, f"a message, got {done.stderr!r}")
# No other file takes the place of a device.
t.compile(small, "--compile-to=fuse", "-o", "/dev/null")
t.run("fovea-run", t.path("m.fovea"), "--random", "1", "--output", "y=/dev/null")
expect(not os.path.isfile("/dev/null") and not os.path.isfile("/dev/full"), "devices, got files")


def large():
    weight = numpy_helper.from_array(np.zeros((4096, 8192), np.float32), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"], name="project")], "large",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4096])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8192])], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, t.path("large.onnx"), save_as_external_data=True, location="large.bin")
    return t.path("large.onnx")


# Memory: from what lets a tool start to what lets it end, it ends well or says that there is none.
def squeeze(tool, words, step, check):
    """Address space in steps from where `--version` works."""
    def code(words, size):
        done = subprocess.run([os.path.join(t.bin, tool), *words], capture_output=True, text=True, cwd=t.work, preexec_fn=limit(resource.RLIMIT_AS, size))
        return done.returncode, done.stderr

    size, refusals = 4 << 20, 0
    while code(["--version"], size)[0] != 0:
        size += size // 50
    for _ in range(200):
        old("result")
        status, message = code(words, size)
        if status == 0:
            expect(refusals > 0, f"{tool}: too little memory at least once")
            return check()
        refusals += 1
        expect(status == 4 and len(message.splitlines()) == 1 and "error: " in message, f"{tool} in {size} bytes: exit code 4 and a line, got {status} and {message!r}")
        untouched(f"{tool} in {size} bytes", "result")
        size += step
    expect(False, f"{tool} to end in {size} bytes")


def whole():
    expect(os.listdir(folder) == ["result"] and os.path.getsize(out("result")) > len(OLD), f"a result and nothing else, got {os.listdir(folder)}")
    os.remove(out("result"))


model = large()
squeeze("fovea-compile", [small, "-o", out("result")], 1 << 19, whole)
squeeze("fovea-compile", [model, "-o", out("result")], 1 << 24, whole)
squeeze("fovea-run", [t.path("m.fovea"), "--inputs", t.path("in.npz"), "--outputs", out("result"), "--threads", "2"], 1 << 20, whole)


# A signal while the artifact is written.
for number in (signal.SIGTERM, signal.SIGKILL):
    for attempt in range(20):
        old("result")
        process = subprocess.Popen([os.path.join(t.bin, "fovea-compile"), model, "-o", out("result")], stderr=subprocess.DEVNULL)
        while process.poll() is None and len(os.listdir(folder)) < 2:
            time.sleep(0.001)
        process.send_signal(number)
        if process.wait() == -number:
            break
    expect(process.returncode == -number, f"a compile that ends by signal {number}, got {process.returncode}")
    if number == signal.SIGKILL:  # nobody was there to take it away
        for name in os.listdir(folder):
            if name.endswith(".part"):
                os.remove(out(name))
    untouched(f"signal {number}", "result")
