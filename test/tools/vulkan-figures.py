"""What --explain says of a shader on a GPU, held against products whose tiles are known: flops and bytes of a trip of the loop, registers, shared memory, occupancy."""
import json
import numpy as np
import onnx
from onnx import TensorProto, helper
from harness import Tools, arguments, expect

t = Tools(arguments())
GROUP, UNROLL, FLOAT = 64, 4, 4
INVOCATIONS, REGISTERS, SHARED, GROUPS = 2048, 64 << 10, 64 << 10, 32  # of a unit


def shaders(name, nodes, shapes, output, *flags):
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]
    graph = helper.make_graph(nodes, name, values, [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10), t.path(name + ".onnx"))
    t.compile(name + ".onnx", "--target=vulkan", "--vulkan-variants=portable", "-o", name + ".fovea", f"--explain={name}.json", *flags)
    text = t.compile(name + ".onnx", "--target=vulkan", "--vulkan-variants=portable", "-o", name + ".fovea", "--explain", *flags).stdout
    expect("occupancy is that of a unit of a GPU with 64 KiB of shared memory, 65536 registers, 2048 invocations" in text, f"what occupancy is of, in {text}")
    with open(t.path(name + ".json")) as file:
        found = [shader for kernel in json.load(file)["entries"][0]["kernels"] for shader in kernel["shaders"]]
    for shader in found:
        expect(f"shader {shader['name']}: {shader['invocations']} invocations, {shader['registers']} registers" in text, f"{shader} in {text}")
        groups = min(GROUPS, INVOCATIONS // shader["invocations"], REGISTERS // (shader["registers"] * shader["invocations"]))
        groups = min(groups, SHARED // shader["shared_bytes"]) if shader["shared_bytes"] else groups
        expect(shader["workgroups_of_unit"] == groups, f"{groups} workgroups, got {shader}")
        expect(np.isclose(shader["occupancy"], groups * shader["invocations"] / INVOCATIONS), f"occupancy of {groups} workgroups, got {shader}")
    return found


product = [helper.make_node("MatMul", ["a", "b"], ["y"])]
previous = 0
for rows, columns in ((1, 1), (4, 1), (4, 2), (8, 4)):
    (shader,) = shaders("product", product, dict(a=(256, 512), b=(512, 1024)), (256, 1024), "--lowering=matmul-threads", f"--schedule=*:rows={rows},columns={columns},uniform=0")
    flops = 2 * rows * columns * UNROLL * GROUP
    # Rows of a are the same for all invocations, columns of b are their own.
    moved = FLOAT * UNROLL * (rows + columns * GROUP)
    expect(shader["loop_flops"] == flops, f"{flops} flops for {rows} x {columns}, got {shader}")
    expect(shader["loop_buffer_bytes"] == moved, f"{moved} bytes for {rows} x {columns}, got {shader}")
    expect(shader["shared_bytes"] == shader["loop_shared_bytes"] == 0 and shader["invocations"] == GROUP, f"no shared memory, got {shader}")
    # The sums live through the loop; what a step loads adds to them.
    sums, loads = rows * columns, UNROLL * (rows + columns)
    expect(max(sums, previous) < shader["registers"] < 32 + 2 * rows + sums + loads, f"registers for {rows} x {columns}, got {shader}")
    previous = sums

# Tiles in shared memory: each element of both panels is loaded and put there once in a step, which is a trip of the loop around that over what is there.
previous = 0
for rows, columns, terms, group in ((16, 32, 16, 64), (32, 32, 16, 64), (64, 64, 8, 128), (64, 64, 16, 128)):
    (shader,) = shaders("tile", product, dict(a=(256, 512), b=(512, 1024)), (256, 1024), f"--schedule=matmul-workgroup:rows={rows},columns={columns},terms={terms},group={group}")
    flops, moved, own = 2 * rows * columns * terms, FLOAT * terms * (rows + columns), rows * columns // 4 // group
    read = FLOAT * terms * group * (own + 4)
    expect(shader["loop_flops"] == flops, f"{flops} flops for {rows} x {columns}, got {shader}")
    expect(shader["loop_buffer_bytes"] == moved, f"{moved} bytes for {rows} x {columns}, got {shader}")
    expect(shader["loop_shared_bytes"] == moved + read, f"{moved} bytes written to shared memory and {read} read for {rows} x {columns}, got {shader}")
    # The rows' four-term blocks are padded, by 128 / terms words each.
    expect(shader["shared_bytes"] == moved + FLOAT * 128 // terms * terms // 4 and shader["invocations"] == group, f"panels in shared memory, got {shader}")
    sums, loads = 4 * own, (rows + columns) * terms // group
    expect(max(sums, previous) < shader["registers"] < 48 + sums + loads, f"registers for {rows} x {columns}, got {shader}")
    previous = sums
expect(flops / moved == 16, "64 x 64 sums to take 16 flops a byte")

# Rows that a workgroup does together meet in shared memory.
(shader,) = shaders("rows", [helper.make_node("Softmax", ["a"], ["y"], axis=-1)], dict(a=(8, 4096)), (8, 4096))
expect(0 < shader["shared_bytes"] <= 16 << 10, f"shared memory within the minimum profile, got {shader}")
print("figures as counted by hand")
