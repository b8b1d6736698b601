"""What becomes of real architectures: kernels of a block, bytes that they move, heads, masks.   structure.py MODELS_DIR --bin DIR --work DIR

Weights are empty files of the right size: nothing here reads them.
"""
import argparse, json, math, os, re, shutil, subprocess, sys


def expect(condition, what):
    if not condition:
        sys.exit(f"expected {what}")


parser = argparse.ArgumentParser()
parser.add_argument("models")
parser.add_argument("--bin", required=True)
parser.add_argument("--work", required=True)
a = parser.parse_args()
shutil.rmtree(a.work, ignore_errors=True)


def compile_model(name, *words):
    folder = os.path.join(a.work, name)
    if not os.path.exists(folder):
        shutil.copytree(os.path.join(a.models, name), folder)
        weights = json.load(open(os.path.join(folder, "weights.json")))["weights"]
        size = max(w["offset"] + 8 * math.prod(w["shape"]) for w in weights)
        with open(os.path.join(folder, "weights.bin"), "wb") as f:
            f.truncate(size)
    result = subprocess.run([os.path.join(a.bin, "fovea-compile"), os.path.join(folder, "model.onnx"), *words], capture_output=True, text=True)
    expect(result.returncode == 0, f"{name} to be compiled, got {result.returncode} {result.stderr}")


def attentions(name):
    """The lines of attn.attention behind the phase raise."""
    target = os.path.join(a.work, "raised.mlir")
    compile_model(name, "--compile-to=raise", "-o", target)
    lines = [line for line in open(target) if re.match(r"\s*%\S+ = attn\.attention ", line)]
    expect(lines, f"attention in {name}")
    return lines


# A block of BERT is what lies between one attention and the next: each tensor counts where it is written and where it is read. In units of
# 128 x 768 floats: attention 3 + 1, output 1 + 1 + 1, hidden 1 + 4, back 4 + 1 + 1, the next projections 1 + 3.
report = os.path.join(a.work, "report.json")
compile_model("bert-base", "--compile-to=plan", "-o", os.path.join(a.work, "plan.mlir"), f"--explain={report}")
kernels = json.load(open(report))["entries"][0]["kernels"]
places = [i for i, k in enumerate(kernels) if k["lowering"] == "attention"]
expect(len(places) == 12, f"12 attentions in bert-base, got {len(places)}")
for first, last in zip(places, places[1:]):
    block = kernels[first:last]
    moved = sum(k["activation_bytes"] for k in block)
    expect(len(block) <= 5, f"at most 5 kernels in a block, got {[k['kernel'] for k in block]}")
    expect(22 * 128 * 768 * 4 <= moved <= 9.5e6, f"at most 9.5 MB moved in a block, and no less than there is, got {moved}")
print(f"bert-base: {len(block)} kernels and {moved / 1e6:.2f} MB a block")

# Repeated heads of keys and values are read once, also where the repetition is hidden behind views of symbolic sizes.
for name in ("llama-tiny-prefill", "llama-tiny-prefill-dyn"):
    for line in attentions(name):
        shapes = re.findall(r"tensor<(\S+)x(\d+)x(\S+)x64xf32>", line.split("outs")[0])
        expect([heads for _, heads, _ in shapes[:3]] == ["8", "2", "2"], f"8 heads of queries over 2 of keys and values in {name}, got {shapes}")
print("llama-tiny-prefill: grouped heads")

# A causal mask is no tensor; with symbolic sizes it hangs on a search for packed sequences in a table of positions.
for name in ("gpt2-prefill", "gpt2-prefill-dyn"):
    for line in attentions(name):
        expect("causal = #attn.causal<top_left>" in line and "captures" not in line, f"causal attention without a mask in {name}, got {line}")
print("gpt2-prefill: causal without a mask")
shutil.rmtree(a.work)
