"""Compares models, imported and run by the reference evaluator, with the outputs that ONNX Runtime gave.

    models.py ONNX_EVALUATE FOLDER...      each FOLDER holds model.onnx, inputs.npz, expected.npz, weights.json and filled weights
"""
import importlib.util
import os
import subprocess
import sys
import tempfile

import numpy as np


def differences(expected, actual, rtol, atol):
    """One line for each output that differs; large outputs are stored as samples."""
    for key in expected.files:
        if key.endswith(".summary"):
            continue
        name = key.removesuffix(".sample")
        if name not in actual:
            yield f"{name} is missing"
            continue
        value = actual[name]
        if key.endswith(".sample"):
            value = value.reshape(-1)[:: int(expected[name + ".summary"][0])]
        want = expected[key]
        if value.shape != want.shape:
            yield f"{name}: shape {value.shape}, expected {want.shape}"
        elif not np.allclose(value, want, rtol=rtol, atol=atol, equal_nan=True):
            yield f"{name}: largest difference {np.nanmax(np.abs(value.astype(np.float64) - want)):.3g}"


def inputs(folder):
    """The path of the complete inputs: large ones are described in weights.json instead of stored."""
    script = os.path.join(os.path.dirname(os.path.abspath(folder)), "fill.py")
    if not os.path.exists(os.path.join(folder, "weights.json")) or not os.path.exists(script):
        return os.path.join(folder, "inputs.npz")
    spec = importlib.util.spec_from_file_location("fill", script)
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    path = os.path.join(tempfile.mkdtemp(), "inputs.npz")
    np.savez(path, **fill.inputs(folder))
    return path


def main():
    evaluate, folders = sys.argv[1], sys.argv[2:]
    bad = 0
    for folder in folders:
        folder = os.path.normpath(folder)
        output = os.path.join(tempfile.mkdtemp(), "outputs.npz")
        run = subprocess.run([evaluate, os.path.join(folder, "model.onnx"), inputs(folder), output], capture_output=True, text=True)
        if run.returncode:
            lines = [f"exit code {run.returncode}: {run.stderr.strip()}"]
        else:
            lines = list(differences(np.load(os.path.join(folder, "expected.npz")), np.load(output), rtol=1e-3, atol=1e-4))
        bad += bool(lines)
        print(os.path.basename(folder), "; ".join(lines) or "agrees", flush=True)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
