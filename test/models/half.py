"""A sentence encoder with all its floats narrowed: `half.py --bin DIR --work DIR`.

all-MiniLM-L6-v2 in float16 against ONNX Runtime on the same graph, and in bfloat16, which ONNX Runtime does not run on CPUs, against the
result in float32. The artifact holds the weights in 16 bits, and no kernel may fall back to what is refused for f32 models.
"""
import argparse, json, os, shutil, subprocess
import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from check import prepare, run

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "minilm")


def narrowed(tensor, to):
    """A float32 tensor in the other type; masks of -3.4e38 become the lowest number, not an infinity."""
    if tensor.data_type != TensorProto.FLOAT:
        return tensor
    dtype = helper.tensor_dtype_to_np_dtype(to)
    most = float(ml_dtypes.finfo(dtype).max)
    return numpy_helper.from_array(np.clip(numpy_helper.to_array(tensor), -most, most).astype(dtype), tensor.name)


def convert(model, to):
    graph = model.graph
    for tensor in graph.initializer:
        tensor.CopyFrom(narrowed(tensor, to))
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "value" and attribute.HasField("t"):
                attribute.t.CopyFrom(narrowed(attribute.t, to))
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = to
    del graph.value_info[:]
    for value in list(graph.input) + list(graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = to
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--work", required=True)
    options = parser.parse_args()
    import onnxruntime
    prepare(SOURCE, options.work)
    path = lambda name: os.path.join(options.work, name)
    # onnx refuses external data with several hard links.
    shutil.copyfile(path("model.safetensors"), path("copy"))
    os.replace(path("copy"), path("model.safetensors"))
    inputs, expected = path("inputs.npz"), path("expected.npz")
    single = onnx.load(path("model.onnx"))
    for name, to, atol in (("float16", TensorProto.FLOAT16, 0.01), ("bfloat16", TensorProto.BFLOAT16, 0.1)):
        model, artifact, wanted = path(name + ".onnx"), path(name + ".fovea"), path(name + ".npz")
        onnx.save(convert(onnx.ModelProto.FromString(single.SerializeToString()), to), model)
        with np.load(expected) as arrays:
            results = {k: v.astype(ml_dtypes.bfloat16).view(np.uint16) for k, v in arrays.items()}
        if to == TensorProto.FLOAT16:
            session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
            with np.load(inputs) as arrays:
                feeds = {i.name: arrays[i.name] for i in session.get_inputs()}
            results = dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))
        np.savez(wanted, **results)
        run(f"{options.bin}/fovea-compile", model, "-o", artifact, "--require-fused")
        for threads in (1, 2):
            print(run(f"{options.bin}/fovea-run", artifact, "--inputs", inputs, "--expect", wanted, "--threads", threads, "--rtol", 0.02, "--atol", atol))
        facts = json.loads(run(f"{options.bin}/fovea-inspect", artifact, "--json"))
        print(name, os.path.getsize(artifact), "bytes")
        assert os.path.getsize(artifact) < 0.55 * os.path.getsize(path("model.safetensors")), facts
    shutil.rmtree(options.work)


main()
