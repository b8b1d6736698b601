"""Kernels with many buffers and sizes on a device that offers no more than the minimum profile does: the same as on the CPU, and on the device as it is."""
import argparse, json, os
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from harness import Tools, expect

parser = argparse.ArgumentParser()
for name in ("--bin", "--models", "--work", "--layer"):
    parser.add_argument(name, required=True)
args = parser.parse_args()
os.makedirs(args.work, exist_ok=True)
t = Tools(args)
os.environ["VK_LAYER_PATH"] = args.layer
rng = np.random.default_rng(5)


def model(name, nodes, inputs, outputs, weights, dtype=TensorProto.FLOAT):
    """Saves it, and inputs for it of the sizes that `inputs` has."""
    declared = [helper.make_tensor_value_info(n, dtype, list(dims)) for n, dims, _ in inputs]
    graph = helper.make_graph(nodes, name, declared, [helper.make_tensor_value_info(n, dtype, dims) for n, dims in outputs],
                              [numpy_helper.from_array(value, n) for n, value in weights.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), t.path(name + ".onnx"))
    return name


def run(name, inputs, *flags, least=0, shared=0, dtype=np.float32):
    """Compares what the targets give for several shapes. Some shader has at least so many buffers, and so many without a binding."""
    t.compile(t.path(name + ".onnx"), "--target=cpu,vulkan", "-o", name + ".fovea", *flags)
    shaders = json.loads(t.run("fovea-inspect", name + ".fovea", "--json").stdout)["shaders"]
    expect(all(shader["bindings"] <= 8 for shader in shaders), "no more than 8 bindings")
    expect(max(shader["buffers"] for shader in shaders) >= least, f"{least} buffers, got {[shader['buffers'] for shader in shaders]}")
    expect(max(shader["shared_buffers"] for shader in shaders) >= shared, f"{shared} buffers that share, got {[s['shared_buffers'] for s in shaders]}")
    for number in range(len(inputs[0][2])):
        np.savez(t.path("in.npz"), **{n: (rng.standard_normal(shapes[number]) * 4).astype(dtype) for n, _, shapes in inputs})
        t.run("fovea-run", name + ".fovea", "--inputs", "in.npz", "--outputs", "out.npz")
        os.environ.pop("VK_INSTANCE_LAYERS", None)
        t.run("fovea-run", name + ".fovea", "--inputs", "in.npz", "--expect", "out.npz", "--device=vulkan")
        os.environ.update(VK_INSTANCE_LAYERS="VK_LAYER_FOVEA_test", FOVEA_LAYER_MINIMUM="1")
        t.run("fovea-run", name + ".fovea", "--inputs", "in.npz", "--expect", "out.npz", "--device=vulkan")
        os.environ.pop("VK_INSTANCE_LAYERS")
    return shaders


# y = (((x0 + x1) * w1 + x2) * w2 + ...): inputs and weights in one kernel.
for onnx_type, dtype in ((TensorProto.FLOAT, np.float32), (TensorProto.FLOAT16, np.float16)):
    nodes, weights, last = [], {}, "x0"
    shapes = [(3, 7), (1, 7), (0, 7), (65, 7)]
    inputs = [("x0", ("n", 7), shapes)]
    for i in range(1, 7):
        inputs.append((f"x{i}", ("n", 7), shapes))
        weights[f"w{i}"] = rng.uniform(0.4, 0.6, 7).astype(dtype)
        nodes += [helper.make_node("Add", [last, f"x{i}"], [f"s{i}"]), helper.make_node("Mul", [f"s{i}", f"w{i}"], [f"p{i}"])]
        last = f"p{i}"
    nodes.append(helper.make_node("Relu", [last], ["y"]))
    name = "chain-" + np.dtype(dtype).name
    model(name, nodes, inputs, [("y", ("n", 7))], weights, onnx_type)
    run(name, inputs, least=14, shared=8, dtype=dtype)

# Many inputs behind each other, each with a size of its own: buffers and sizes.
for count in (9, 40):
    sizes = [[(1 + (i * 7) % 5, 3) for i in range(count)], [(i % 3, 3) for i in range(count)]]
    inputs = [(f"x{i}", (f"n{i}", 3), [shapes[i] for shapes in sizes]) for i in range(count)]
    model(f"concat-{count}", [helper.make_node("Concat", [n for n, _, _ in inputs], ["y"], axis=0)], inputs, [("y", ("m", 3))], {})
    shaders = run(f"concat-{count}", inputs)
    expect(max(shader["sizes"] for shader in shaders) >= count, f"{count} sizes")

# A product in shared memory, with nearly all of it and all invocations.
inputs = [("x", ("m", "k"), [(70, 33), (64, 28), (1, 5)]), ("y", ("k", "n"), [(33, 67), (28, 128), (5, 2)])]
model("product", [helper.make_node("MatMul", ["x", "y"], ["z"])], inputs, [("z", ("m", "n"))], {})
shaders = run("product", inputs, "--vulkan-variants=portable", "--lowering=matmul-workgroup", "--schedule=matmul-workgroup:rows=64,columns=64,terms=28,group=128")
expect([shader["kind"] for shader in shaders] == ["matmul-workgroup"] and shaders[0]["workgroup"] == 128, f"a product of a workgroup, got {shaders}")
