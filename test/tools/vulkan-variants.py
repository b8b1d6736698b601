"""--vulkan-variants: what an artifact holds, what is said of it, which variant a device takes; what cannot be is one clear error."""
import argparse, json, os
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from harness import Tools, expect, same

parser = argparse.ArgumentParser()
for name in ("--bin", "--models", "--work", "--layer"):
    parser.add_argument(name, required=True)
args = parser.parse_args()
os.makedirs(args.work, exist_ok=True)
t = Tools(args)
os.environ["VK_LAYER_PATH"] = args.layer
rng = np.random.default_rng(7)
MATRICES = "cooperative-16x16x16-32"


def inspect(file):
    return json.loads(t.run("fovea-inspect", file, "--json").stdout)


def names(model):
    return [variant["name"] for variant in model["variants"]]


# Two products of halves, with a softmax over the rows between them, which no variant has code of its own for.
weights = {name: numpy_helper.from_array((rng.standard_normal(shape) / 8).astype(np.float16), name) for name, shape in (("v", (64, 48)), ("w", (48, 32)))}
nodes = [helper.make_node("MatMul", ["x", "v"], ["p"]), helper.make_node("Softmax", ["p"], ["s"], axis=0), helper.make_node("MatMul", ["s", "w"], ["y"])]
tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT16, ["rows", size]) for n, size in (("x", 64), ("y", 32))]
graph = helper.make_graph(nodes, "halves", tensors[:1], tensors[1:], list(weights.values()))
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), t.path("halves.onnx"))
t.compile("halves.onnx", "--target=vulkan", "--vulkan-variants=portable", "-o", "portable.fovea")
t.compile("halves.onnx", "--target=vulkan", "--vulkan-variants=portable,cooperative", "-o", "both.fovea", "--explain=both.json")
portable, both = inspect("portable.fovea"), inspect("both.fovea")
expect(names(portable) == ["portable"] and names(both) == [MATRICES, "portable"], f"the most demanding first, got {names(portable)}, {names(both)}")
expect([entry["variant"] for entry in both["entries"]] == ["portable", MATRICES], f"a program of each, got {both['entries']}")
# What does not differ is there once.
shaders = [shader["name"] for shader in both["shaders"]]
expect(len(set(shaders)) == len(shaders), f"each shader once, got {shaders}")
expect({shader["name"] for shader in portable["shaders"]} < set(shaders), f"those of the portable variant among {shaders}")
shared = {d["kernel"] for d in both["entries"][0]["dispatches"]} & {d["kernel"] for d in both["entries"][1]["dispatches"]}
expect(shared, "a kernel that both programs have")
expect(both["weights"] == portable["weights"], "each weight once")
with open(t.path("both.json")) as file:
    expect([entry["variant"] for entry in json.load(file)["entries"]] == ["portable", MATRICES], "the variants in the report")
text = t.compile("halves.onnx", "--target=vulkan", "--vulkan-variants=portable,cooperative", "-o", "again.fovea", "--explain").stdout
expect(f", variant {MATRICES} for Vulkan" in text and ", variant portable for Vulkan" in text, f"the variants in {text}")
# In whatever order they are given, and from any dump on.
t.compile("halves.onnx", "--target=vulkan", "--vulkan-variants=cooperative,portable", "-o", "turned.fovea", "--dump-phases=dumps")
expect(same(t.path("both.fovea"), t.path("turned.fovea")), "the same artifact for the variants in another order")
for phase in ("4-fuse", "5-tile", "6-plan"):
    t.compile(f"dumps/{phase}.mlirbc", "--target=vulkan", "--vulkan-variants=portable,cooperative", "-o", "resumed.fovea")
    expect(same(t.path("both.fovea"), t.path("resumed.fovea")), f"the same artifact from {phase}")
# Without halves there are no products for such matrices.
t.compile(t.small(), "--target=vulkan", "--vulkan-variants=portable,cooperative", "-o", "small.fovea")
expect(names(inspect("small.fovea")) == ["portable"], f"one variant, got {names(inspect('small.fovea'))}")

# A device takes what it can run; a variant alone is for its devices only.
inputs = dict(x=rng.standard_normal((5, 64)).astype(np.float16))
np.savez(t.path("in.npz"), **inputs)
x, v, w = (a.astype(np.float32) for a in (inputs["x"], numpy_helper.to_array(weights["v"]), numpy_helper.to_array(weights["w"])))
p = np.exp(x @ v)
np.savez(t.path("out.npz"), y=((p / p.sum(0, keepdims=True)) @ w).astype(np.float16))
run = ["--inputs", "in.npz", "--expect", "out.npz", "--rtol=1e-2", "--atol=1e-2", "--device=vulkan"]
done = t.run("fovea-run", "both.fovea", *run, "--profile")
expect(", variant portable\n" in done.stdout, f"the portable variant, got {done.stdout}")
t.compile("halves.onnx", "--target=vulkan", "--vulkan-variants=cpu,cooperative", "-o", "cpu.fovea")
for device_type, code in (("4", 0), ("2", 2)):
    os.environ.update(VK_INSTANCE_LAYERS="VK_LAYER_FOVEA_test", FOVEA_LAYER_TYPE=device_type)
    done = t.run("fovea-run", "cpu.fovea", *run, "--profile", code=code)
    said = done.stderr if code else done.stdout
    expect(("needs a device of type cpu (it is discrete gpu)" if code else ", variant cpu\n") in said, f"the variant cpu or why not, got {said}")

for wanted, text in (("gpu", "expected portable, cpu, cooperative or cooperative-MxNxK-S"), ("cooperative-3x8x8-8", "expected portable"),
                     ("cooperative-8x8x8", "expected portable"), (f"cooperative,{MATRICES}", "is there twice")):
    said = t.compile("halves.onnx", "--target=vulkan", f"--vulkan-variants={wanted}", code=1).stderr
    expect("--vulkan-variants: " in said and text in said, f"{text!r}, got {said}")
