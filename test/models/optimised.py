"""A model as ONNX Runtime's optimisers rewrite it, with operators of com.microsoft: `optimised.py MODEL_DIR --bin DIR --work DIR`.

ONNX Runtime writes the graph that it would run itself; with --fusions TYPE its transformer optimiser does, which finds whole attention layers. The reference set has to match at one and two threads, and operators of com.microsoft have to be there.
"""
import argparse, collections, logging, os, shutil, sys
import numpy as np
import onnx
import onnxruntime
import fill
from check import prepare, run


def by_session(source, result):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = result
    onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def by_fusions(source, result, kind, heads, width):
    from onnxruntime.transformers.optimizer import optimize_model
    logging.disable(logging.WARNING)
    optimised = optimize_model(source, model_type=kind, num_heads=heads, hidden_size=width, opt_level=0)
    optimised.save_model_to_file(result, use_external_data_format=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--bin", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--fusions", help="the kind of model, such as bert")
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--needs", nargs="+", default=[], help="operators of com.microsoft that the optimised model has to have")
    a = parser.parse_args()
    prepare(a.model, a.work)
    source, written, artifact = (os.path.join(a.work, n) for n in ("model.onnx", "optimised.onnx", "model.fovea"))
    if a.fusions:
        by_fusions(source, written, a.fusions, a.heads, a.width)
    else:
        by_session(source, written)
    found = collections.Counter(n.op_type for n in onnx.load(written, load_external_data=False).graph.node if n.domain == "com.microsoft")
    print("operators of com.microsoft:", dict(found))
    missing = set(a.needs) - set(found)
    if missing or not found:
        sys.exit(f"not in the optimised model: {missing or 'any of them'}")
    run(os.path.join(a.bin, "fovea-compile"), written, "-o", artifact)
    inputs = os.path.join(a.work, "inputs.npz")
    if os.path.exists(os.path.join(a.work, "weights.json")):
        np.savez(inputs, **fill.inputs(a.model))
    for threads in (1, 2):
        run(os.path.join(a.bin, "fovea-run"), artifact, "--inputs", inputs, "--expect", os.path.join(a.model, "expected.npz"), "--threads", threads,
            "--rtol", "1e-3", "--atol", "1e-4")
        print("reference set matches with", threads, "thread(s)")
    shutil.rmtree(a.work)


main()
