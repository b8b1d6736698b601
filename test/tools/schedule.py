"""--schedule: overridden schedules show in the report and give the same numbers; what cannot be is one clear error."""
import json, os
from onnx import TensorProto, helper, save
from harness import Tools, arguments, expect

t = Tools(arguments())
encoder = t.model("transformer-base-encoder-dyn")
folder = os.path.dirname(encoder)


def report(*words):
    t.compile(encoder, "-o", t.path("e.fovea"), *words, f"--explain={t.path('e.json')}")
    with open(t.path("e.json")) as file:
        return {k["kernel"]: k for k in json.load(file)["entries"][0]["kernels"]}


before = report()
products = [name for name, k in before.items() if k["lowering"] == "matmul"]
plain = next(name for name in products if before[name]["schedule"]["block"] == 0)
normalised = next(name for name in products if before[name]["schedule"]["block"] > 0)
attention = next(name for name, k in before.items() if k["lowering"] == "attention")
loops = next(name for name, k in before.items() if k["lowering"] == "loops")

# Each choice of each lowering, far from what is chosen, alone and together; the artifact is run and compared.
for words in (
    [f"{plain}:panel=16,kc=36,mc=5"],
    [f"{plain}:packed=false,panel=112,kc=4"],
    [f"{normalised}:block=3,mc=2,kc=100", f"{attention}:vectors=1,exact=5,block=2,copy=0"],
    ["matmul:mc=1,panel=256,kc=16384", "attention:exact=3,copy=3", "loops:lanes=1"],
    ["*:mc=7,lanes=2,vectors=1", f"{plain}:mc=9"],
):
    after = report(*(f"--schedule={w}" for w in words), f"--check={folder}/inputs.npz", f"--expect={folder}/expected.npz")
    expect(list(after) == list(before), f"the same names, got {list(after)}")
    for text in words:
        place, list_of = text.split(":")
        for name, kernel in after.items():
            if place not in (name, kernel["lowering"], "*"):
                continue
            for key, value in (choice.split("=") for choice in list_of.split(",")):
                if key in kernel["schedule"] and (place == name or not any(w.startswith(name + ":") for w in words)):
                    expect(kernel["schedule"][key] == json.loads(value), f"{name} with {key}={value}, got {kernel['schedule']}")
    for name, kernel in after.items():
        if not any(w.split(":")[0] in (name, kernel["lowering"], "*") for w in words):
            expect(kernel == before[name], f"{name} as it was, got {kernel}")
expect(after[plain]["schedule"]["mc"] == 9, "the later of two options")

# A layout follows its schedule.
expect("panels of 16" in str(report(f"--schedule={plain}:panel=16")[plain]["inputs"]), "panels of the width asked for")
expect("panels" not in str(report(f"--schedule={plain}:packed=false")[plain]["inputs"]), "a weight as it lies")

# The file that --explain writes, changed by a program or a person, gives what it says; as it is, it changes nothing.
t.compile(encoder, "-o", t.path("whole.fovea"), f"--explain={t.path('f.json')}")
t.compile(encoder, "-o", t.path("again.fovea"), f"--schedule=@{t.path('f.json')}")
with open(t.path("whole.fovea"), "rb") as a, open(t.path("again.fovea"), "rb") as b:
    expect(a.read() == b.read(), "the same artifact")
with open(t.path("f.json")) as file:
    changed = json.load(file)
for k in changed["entries"][0]["kernels"]:
    if k["kernel"] == plain:
        k["schedule"]["mc"] = 33
with open(t.path("f.json"), "w") as file:
    json.dump(changed, file)
expect(report(f"--schedule=@{t.path('f.json')}")[plain]["schedule"]["mc"] == 33, "the value of the file")

# A second CPU gets code for the same schedules.
report("--cpu=native,x86-64-v2", f"--schedule={plain}:panel=48,mc=11", "--schedule=attention:exact=7,block=7",
       f"--check={folder}/inputs.npz", f"--expect={folder}/expected.npz")


small = t.small()


def says(words, *options, model=small):
    done = t.compile(model, "-o", t.path("no.fovea"), *options, code=1)
    expect(len(done.stderr.splitlines()) == 1 and words in done.stderr and "--schedule" in done.stderr, f"'{words}' in one line, got {done.stderr!r}")
    expect(not os.path.exists(t.path("no.fovea")), "no artifact")


says("expected the name of a kernel", "--schedule=nothing_9:mc=1")
says("expected the name of a kernel", "--schedule=attention:vectors=1")
says("there is no 'mx' in its schedule", "--schedule=matmul_0:mx=1")
says("there is no 'kind' in its schedule", "--schedule=matmul_0:kind=1")
says("there is no 'mx' in the schedule of any kernel", "--schedule=*:mx=1")
says("expected a number as mc, got 'many'", "--schedule=matmul_0:mc=many")
says("expected true or false as packed", "--schedule=matmul_0:packed=1")
says("expected mc from 1 to", "--schedule=matmul_0:mc=0")
says("expected kc as a multiple of 4", "--schedule=matmul_0:kc=6")
says("expected panel as a multiple of 16", "--schedule=matmul_0:panel=24")
says("expected block from 0 to 0", "--schedule=matmul_0:block=16")
says("expected lanes from 1 to", "--schedule=loops:lanes=128")
says("power of two", "--schedule=loops:lanes=3")
says("expected block from 1 to", f"--schedule={normalised}:block=0", model=encoder)
says("expected vectors from 1 to 2, got 3", "--cpu=x86-64-v3", "--schedule=attention:vectors=3", model=encoder)
says("expected block from 1 to 64, got 65", "--schedule=attention:exact=64,block=65", model=encoder)
for text in ("x", "x:", ":a=1", "x:a", "x:=1", "x:a="):
    says("expected KERNEL:key=value", f"--schedule={text}")
says("No such file", f"--schedule=@{t.path('missing.json')}")
for text in ("{", "[]", '{"entries": [1]}', '{"entries": [{"kernels": [{"kernel": "a"}]}]}', '{"entries": [{"kernels": [{"kernel": "a", "schedule": {"a": []}}]}]}'):
    with open(t.path("bad.json"), "w") as file:
        file.write(text)
    says("bad.json", f"--schedule=@{t.path('bad.json')}")
says("expected the phase tile to run", "--schedule=*:mc=1", "--compile-to=fuse")
t.compile(small, "--compile-to=tile", "-o", t.path("tiled.mlirbc"))
says("expected the phase tile to run", "--schedule=*:mc=1", model=t.path("tiled.mlirbc"))

# What has no constant on the right cannot be packed.
two = t.path("two.onnx")
save(helper.make_model(helper.make_graph(
    [helper.make_node("MatMul", ["a", "b"], ["c"], name="product")], "two",
    [helper.make_tensor_value_info(n, TensorProto.FLOAT, [40, 40]) for n in "ab"],
    [helper.make_tensor_value_info("c", TensorProto.FLOAT, [40, 40])]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8), two)
says("expected packed=false", "--schedule=matmul:packed=true", model=two)
t.compile(two, "-o", t.path("two.fovea"), "--schedule=matmul:kc=12,mc=3,panel=32", "--check")

# Keys split into parts, which want memory: more, fewer, none. Where they cannot be split, that is said.
decode = """func.func @main(%q: tensor<1x2xMx16xf32>, %k: tensor<1x2x600x16xf32>, %v: tensor<1x2x600x16xf32>) -> tensor<1x2xMx16xf32> {
  %e = tensor.empty() : tensor<1x2xMx16xf32>
  %y = attn.attention ins(%q, %k, %v : tensor<1x2xMx16xf32>, tensor<1x2x600x16xf32>, tensor<1x2x600x16xf32>) outs(%e : tensor<1x2xMx16xf32>) {scale = 0.25 : f64} -> tensor<1x2xMx16xf32>
  return %y : tensor<1x2xMx16xf32>
}
"""


def general(text, *words):
    with open(t.path("decode.mlir"), "w") as file:
        file.write(text)
    t.compile(t.path("decode.mlir"), "-o", t.path("g.fovea"), "--lowering=attention-general", f"--explain={t.path('g.json')}", "--check", *words)
    with open(t.path("g.json")) as file:
        (entry,) = json.load(file)["entries"]
    (kernel,) = entry["kernels"]
    return kernel["schedule"]["parts"], eval(entry["arena"])


chosen, arena = general(decode.replace("xMx", "x1x"))
expect(chosen > 1 and arena > 0, f"keys that are split without being asked, got {chosen} parts in {arena} bytes")
for parts in (1, 3, 64):
    got, bytes_ = general(decode.replace("xMx", "x1x"), f"--schedule=attention-general:parts={parts}")
    expect(got == parts and (bytes_ == 0) == (parts == 1), f"{parts} parts, got {got} in {bytes_} bytes")
got, _ = general(decode.replace("xMx", "x1x"), f"--schedule=@{t.path('g.json')}")
expect(got == 64, f"the parts of the file, got {got}")
hard = decode.replace("xMx", "x1x").replace("{scale", "{normalizer = #attn.normalizer<hardmax>, scale")
with open(t.path("hard.mlir"), "w") as file:
    file.write(hard)
says("expected parts from 1 to 1, got 2", "--lowering=attention-general", "--schedule=*:parts=2", model=t.path("hard.mlir"))
says("expected parts from 1 to 64, got 65", "--lowering=attention-general", "--schedule=*:parts=65", model=t.path("decode.mlir"))
