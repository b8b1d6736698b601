"""What --emit=spirv writes: a file for each kernel, valid for Vulkan 1.2, whose entry point has the file's name.

Cooperative matrices, which Debian 12's validator does not know, are in cooperative.py."""
import glob
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from harness import Tools, arguments, expect
from programs import PORTABLE, PROGRAMS

t = Tools(arguments())


def shaders(model, name):
    """The files of a model, each checked, and those among them whose workgroups have barriers."""
    folder = t.path(name)
    t.compile(model, "--target=vulkan", "--vulkan-variants=portable,cpu", "--emit=spirv", "-o", folder)
    files = glob.glob(os.path.join(folder, "*.spv"))
    expect(files, f"shaders of {name}")
    together = []
    for file in files:
        done = subprocess.run(["spirv-val", "--target-env", "vulkan1.2", file], capture_output=True, text=True)
        expect(done.returncode == 0, f"{file} to be valid: {done.stdout}{done.stderr}")
        text = subprocess.run(["spirv-dis", "--no-color", file], capture_output=True, text=True, check=True).stdout
        kernel = os.path.splitext(os.path.basename(file))[0]
        entries = [line for line in text.splitlines() if "OpEntryPoint GLCompute" in line]
        expect(len(entries) == 1 and f'"{kernel}"' in entries[0], f"the entry point {kernel}, got {entries}")
        if "OpControlBarrier" in text:
            together.append(kernel)
    return files, together


count = len(shaders(t.small(), "small")[0])
for model in ("transformer-base-encoder-dyn", "llama-tiny-prefill"):
    count += len(shaders(t.model(model), model + "-shaders")[0])
for n, (name, make) in enumerate({**PORTABLE, **PROGRAMS}.items()):
    model = make()[0]
    path = t.path(f"program-{n}" + (".mlir" if isinstance(model, str) else ".onnx"))
    with open(path, "wb") as file:
        file.write(model.encode() if isinstance(model, str) else model)
    files, together = shaders(path, f"program-{n}")
    expect(name not in PORTABLE or together, f"what a workgroup does together in {name}, got {files}")
    count += len(files)
done = t.compile(t.small(), "--target=cpu", "--emit=spirv", "-o", t.path("none"), code=1)
expect("expected vulkan" in done.stderr, f"a reason, got {done.stderr}")
print(count, "shaders are valid")
