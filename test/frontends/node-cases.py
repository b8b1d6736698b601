"""Runs ONNX's backend node tests through the importer and the reference evaluator, or compiled on the CPU, and counts what passes.

    node-cases.py ONNX_EVALUATE | BIN_FOLDER [--mode static|dynamic|constant] [--only SUBSTRING] [--verbose]

Cases of other operators than those below, and with other element types than float32, float64, int32, int64 and bool, are left out.
"static" takes the shapes as they are, "dynamic" makes every dim of every input symbolic, "constant" makes all inputs initializers.
Integer inputs that cannot be known while a model runs (axes, shapes) become initializers in the first two modes as well, if need be.
"""
import argparse
import collections
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

OPERATORS = """Add Sub Mul Div Pow Mod Neg Abs Sqrt Reciprocal Exp Log Erf Tanh Sigmoid Relu Gelu Sin Cos Floor Ceil Round Sign Min Max Sum
Mean Clip And Or Xor Not Equal Less LessOrEqual Greater GreaterOrEqual Where IsNaN IsInf Cast Identity Constant ConstantOfShape Shape Size
Reshape Flatten Squeeze Unsqueeze Transpose Slice Split Concat Expand Tile Gather GatherElements GatherND CumSum Range Trilu MatMul Gemm
Conv ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp Softmax LogSoftmax
LayerNormalization RMSNormalization Attention RotaryEmbedding Dropout Swish HardSwish""".split()
TYPES = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.INT32, onnx.TensorProto.INT64, onnx.TensorProto.BOOL}


def wanted(case):
    graph = case.model.graph
    if len(graph.node) != 1 or graph.node[0].op_type not in OPERATORS or graph.node[0].domain not in ("", "ai.onnx"):
        return False
    values = list(graph.input) + list(graph.output)
    return all(v.type.HasField("tensor_type") and v.type.tensor_type.elem_type in TYPES for v in values)


def stays_static(op, position, dim, rank):
    """Dims whose size decides what code an operator becomes."""
    if op == "Attention" and position < 3 or op == "RotaryEmbedding":
        return dim in (1, rank - 1) if rank == 4 else dim == rank - 1
    if op == "Attention" and position in (4, 5):
        return dim in (1, 3)
    if op == "Conv":
        return position == 1
    if op == "GatherND":
        return position == 1 and dim == rank - 1
    return op == "ConstantOfShape"


def variant(model, mode, inputs, fixed):
    """The model as the mode wants it; `inputs` by name, those in `fixed` become initializers."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    model.opset_import[0].version = max(13, model.opset_import[0].version)  # And, Or, Xor, Not have not changed since
    if mode == "dynamic":
        for v in model.graph.input:
            dims = v.type.tensor_type.shape.dim
            if v.name not in model.graph.node[0].input:
                continue
            position = list(model.graph.node[0].input).index(v.name)
            for i, d in enumerate(dims):
                if not stays_static(model.graph.node[0].op_type, position, i, len(dims)):
                    d.dim_param = f"{v.name}_{i}"
    for v in list(model.graph.input):
        if v.name in fixed:
            model.graph.initializer.append(numpy_helper.from_array(inputs[v.name], v.name))
            model.graph.input.remove(v)
    return model


def compiled(tools, folder, model, given, result):
    """The same through fovea-compile and fovea-run."""
    artifact = os.path.join(folder, "model.fovea")
    for command in ([f"{tools}/fovea-compile", model, "-o", artifact], [f"{tools}/fovea-run", artifact, "--inputs", given, "--outputs", result, "--threads", "2"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            return str(done.returncode), done.stderr.strip().replace("\n", " ")[-300:] or "no message", result
    return "0", "", result


def attempt(batch, tools, folder, case, mode, named, fixed):
    """The evaluator's exit code and message, and the path of the outputs."""
    model, given, result = (os.path.join(folder, n) for n in ("model.onnx", "inputs.npz", "outputs.npz"))
    onnx.save(variant(case.model, mode, named, fixed), model)
    np.savez(given, **{k: v for k, v in named.items() if k not in fixed})
    if batch is None:
        return compiled(tools, folder, model, given, result)
    print(model, given, result, sep="\t", file=batch.stdin, flush=True)
    line = batch.stdout.readline()
    if not line:
        sys.exit(f"CRASH {case.name}")
    code, message = line.rstrip("\n").split("\t", 1)
    return code, message, result


def array(x):
    return numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else np.asarray(x)


def agree(case, expected, actual):
    for want, (name, got) in zip(expected, actual):
        want = array(want)
        if got.shape != want.shape or got.dtype != want.dtype:
            return f"{name}: {got.dtype}{got.shape}, expected {want.dtype}{want.shape}"
        if not np.allclose(got, want, rtol=case.rtol, atol=case.atol, equal_nan=True):
            return f"{name}: values differ"
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("evaluate", help="the program onnx-evaluate, or the folder with fovea-compile and fovea-run")
    parser.add_argument("--mode", default="static", choices=["static", "dynamic", "constant"])
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = [c for c in collect_testcases(None) if wanted(c) and options.only in c.name]
    folder = tempfile.mkdtemp()
    tools, batch = options.evaluate, None
    if not os.path.isdir(tools):
        batch = subprocess.Popen([tools, "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    counts = collections.Counter()
    for case in cases:
        for inputs, outputs in case.data_sets:
            graph = case.model.graph
            named = {v.name: array(x) for v, x in zip(graph.input, inputs)}
            fixed = set(named) if options.mode == "constant" else set()
            code, message, result = attempt(batch, tools, folder, case, options.mode, named, fixed)
            if code == "2" and ("not constant" in message or "determines a shape" in message):
                fixed = {v.name for v in list(graph.input)[1:] if named[v.name].dtype in (np.int32, np.int64)}
                code, message, result = attempt(batch, tools, folder, case, options.mode, named, fixed)
            if code == "0":
                with np.load(result) as z:
                    message = agree(case, outputs, [(v.name, z[v.name]) for v in graph.output])
            # A size or a shape that is an input may come as an initializer too; exit code 2 says what is not supported.
            status = "unsupported" if "not supported" in message or code == "2" and "bug" not in message else "failed" if message else "passed"
            counts[status] += 1
            if status == "failed" or (options.verbose and status != "passed"):
                print(status, case.name, message)
    print(options.mode, dict(counts), "of", len(cases))
    return bool(counts["failed"])


if __name__ == "__main__":
    sys.exit(main())
