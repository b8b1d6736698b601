"""Schedules follow the machine: `schedules.py FOVEA_COMPILE MODEL_DIR WORK` compiles for three made-up machines and compares what tile chose.

The expected schedules stand in schedules.txt; `--update` writes it anew.
"""
import collections, json, math, os, re, shutil, subprocess, sys

MACHINES = ["x86-64-v3:l1=32K:l2=256K:l3=8M", "x86-64-v3:l1=48K:l2=2M:l3=32M", "x86-64-v4:l1=32K:l2=1M:l3=32M"]


def schedules(compiler, model, work, machine):
    path = os.path.join(work, "tiled.mlir")
    subprocess.run([compiler, model, f"--cpu={machine}", "--compile-to=tile", "-o", path], check=True)
    with open(path) as f:
        found = collections.Counter(re.findall(r"schedule \{([^}]*)\}", f.read()))
    return "".join(f"{n:3} x {s}\n" for s, n in sorted(found.items()))


def main():
    compiler, model, work = sys.argv[1:4]
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    # No weight is read before the artifact is written: a file with holes of the right size will do.
    with open(os.path.join(model, "weights.json")) as f:
        size = max(w["offset"] + 8 * math.prod(w["shape"]) for w in json.load(f)["weights"])
    model = shutil.copy(os.path.join(model, "model.onnx"), work)
    with open(os.path.join(work, "weights.bin"), "wb") as f:
        f.truncate(size)
    text = "".join(f"{m}\n{schedules(compiler, model, work, m)}" for m in MACHINES)
    reference = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schedules.txt")
    if "--update" in sys.argv:
        with open(reference, "w") as f:
            f.write(text)
    with open(reference) as f:
        expected = f.read()
    if text != expected:
        sys.exit(f"expected\n{expected}\ngot\n{text}")
    blocks = [b for b in re.split(r"^x86.*\n", text, flags=re.M) if b]
    if len(set(blocks)) != len(MACHINES):
        sys.exit("the machines were given the same schedules")


main()
