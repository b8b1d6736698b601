"""Compiles a model, runs it, compares: `check.py MODEL_DIR --bin DIR --work DIR [--device vulkan]`.

The weights are made anew (fill.py) or taken from the package that carries them (minilm); they are removed afterwards. The reference set has to
match at one and two threads. Models with symbolic dims are then run at other sizes, small, odd and with padded rows, against ONNX Runtime.
"""
import argparse, os, shutil, subprocess, sys
import numpy as np
import fill

# Sizes of symbolic dims to try, by model: each a dict of dims.
SIZES = [dict(batch=1, seq=1), dict(batch=1, seq=2), dict(batch=2, seq=7), dict(batch=3, seq=33), dict(batch=1, seq=130)]


def run(*command):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def prepare(source, work):
    """The model with its weights in `work`."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work)
    if os.path.exists(os.path.join(work, "weights.json")):
        fill.fill(work)
        return
    from minilm import safetensors
    os.link(safetensors(), os.path.join(work, "model.safetensors"))


def inputs_for(session, dims, rng):
    """Random inputs of ONNX Runtime's session; rows of attention_mask are padded at the end."""
    feeds = {}
    for i in session.get_inputs():
        shape = [dims[d] if isinstance(d, str) else d for d in i.shape]
        if i.name == "attention_mask":
            lengths = rng.integers(1, shape[1] + 1, shape[0])
            lengths[0] = shape[1]
            feeds[i.name] = (np.arange(shape[1])[None, :] < lengths[:, None]).astype(np.int64)
        elif i.name == "token_type_ids":
            feeds[i.name] = rng.integers(0, 2, shape)
        elif i.type == "tensor(int64)":
            feeds[i.name] = rng.integers(1, 1000, shape)
            if "attention_mask" not in [o.name for o in session.get_inputs()]:
                feeds[i.name][-1, (shape[1] + 1) // 2 + 1:] = 0  # padding, for models that find it themselves
        else:
            feeds[i.name] = rng.standard_normal(shape).astype(np.float32)
    return feeds


def check_sizes(work, tools, artifact, device):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(os.path.join(work, "model.onnx"), options, providers=["CPUExecutionProvider"])
    names = {d for i in session.get_inputs() for d in i.shape if isinstance(d, str)}
    rng = np.random.default_rng(7)
    for n, dims in enumerate(s for s in SIZES if names <= set(s)):
        feeds = inputs_for(session, dims, rng)
        np.savez(os.path.join(work, "in.npz"), **feeds)
        try:
            outputs = session.run(None, feeds)
        except Exception:
            # More positions than the model has: an error here too, not an answer.
            done = subprocess.run([os.path.join(tools, "fovea-run"), artifact, "--device", device, "--inputs", os.path.join(work, "in.npz")], capture_output=True, text=True)
            if done.returncode != 1 or not done.stderr:
                sys.exit(f"sizes {dims}: ONNX Runtime refuses them; expected exit code 1 and a message, got {done.returncode} {done.stderr}")
            print("sizes", dims, "are refused:", done.stderr.strip())
            continue
        np.savez(os.path.join(work, "out.npz"), **{o.name: v for o, v in zip(session.get_outputs(), outputs)})
        run(os.path.join(tools, "fovea-run"), artifact, "--inputs", os.path.join(work, "in.npz"), "--expect", os.path.join(work, "out.npz"),
            "--threads", 1 + n % 2, "--device", device, "--rtol", "1e-3", "--atol", "1e-4")
        print("sizes", dims, "match ONNX Runtime")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--bin", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    prepare(a.model, a.work)
    artifact = os.path.join(a.work, "model.fovea")
    run(os.path.join(a.bin, "fovea-compile"), os.path.join(a.work, "model.onnx"), "-o", artifact, f"--target={a.device}")
    inputs = os.path.join(a.work, "inputs.npz")
    if os.path.exists(os.path.join(a.work, "weights.json")):
        np.savez(inputs, **fill.inputs(a.model))
    for threads in (1, 2) if a.device == "cpu" else (1,):
        run(os.path.join(a.bin, "fovea-run"), artifact, "--inputs", inputs, "--expect", os.path.join(a.model, "expected.npz"),
            "--threads", threads, "--device", a.device, "--rtol", "1e-3", "--atol", "1e-4")
        print("reference set matches with", threads, "thread(s)")
    if a.model.endswith("-dyn"):
        check_sizes(a.work, a.bin, artifact, a.device)
    shutil.rmtree(a.work)


if __name__ == "__main__":
    main()
