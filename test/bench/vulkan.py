"""Kernels on a Vulkan device, beside what they are without fusion and beside IREE.   vulkan.py [--device vulkan[:N]] [--rounds N] [--build DIR]

Attention of one head of 64 columns, "fused" and as the same compiler makes kernels of when it does not raise it to attention ("unfused"), for growing numbers
of queries and keys; then a matrix product and attention beside IREE's (PyPI) for Vulkan, if it is installed. Outputs are compared with NumPy's before anything is
timed; rivals take turns, ratios are medians of those within a round. Fails if fused is slower than unfused by more than noise, or less than 1.3 times as fast
from 1024 keys on, or if its memory holds a matrix of scores.
"""
import argparse, os, statistics, subprocess, sys, tempfile, time
import numpy as np
import attention, runtime
from attention import Form, ROOT, same

NOISE = 0.97


def compile_form(form, build, work, fused):
    """attention.py's two forms, for Vulkan."""
    compiler, artifact = os.path.join(build, "bin", "fovea-compile"), tempfile.mkstemp(".fovea", dir=work)[1]
    text, inputs, flags = attention.source(form, compiler, work, fused)
    path = os.path.join(work, "model.mlir")
    with open(path, "w") as file:
        file.write(text)
    subprocess.run([compiler, path, "-o", artifact, "--target=vulkan", *flags], check=True)
    return artifact, inputs


def bound(handle, artifact, inputs, names):
    model = runtime.Model(handle, artifact)
    session = runtime.Session(handle, model)
    arrays = session.bind({name: array for (name, _), array in zip(model.inputs, inputs.values(), strict=True)})
    session.run()
    return session, dict(zip(names, arrays.values(), strict=True))


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def rounds(runs, count):
    """Medians of seconds, and of what each takes over the first one's time."""
    times = {name: [] for name in runs}
    for _ in range(count):
        for name, run in runs.items():
            times[name].append(timed(run))
    first = times[next(iter(runs))]
    return {n: statistics.median(t) for n, t in times.items()}, {n: statistics.median(a / b for a, b in zip(t, first)) for n, t in times.items()}


def attention_table(options, handle, work):
    missed = []
    print(f"{'attention, d = 64':20s} {'fused ms':>10s} {'unfused ms':>11s} {'unfused/fused':>14s} {'GF/s':>7s} {'fused memory':>13s}")
    for size in (128, 384, 1024, 4096):
        form = Form("full", size, size, H=1)
        expected, runs, memory = form.expected(), {}, 0
        for name in ("fused", "unfused"):
            artifact, inputs = compile_form(form, options.build, work, name == "fused")
            session, outputs = bound(handle, artifact, inputs, form.outputs)
            if not same(form, outputs, expected):
                sys.exit(f"{form.title()}: what is {name} gives other numbers than NumPy")
            runs[name] = session.run
            memory = session.describe()["arena_bytes"] if name == "fused" else memory
        seconds, ratio = rounds(runs, max(3, options.rounds if size < 4096 else 3))
        flops = 4 * size * size * form.D
        print(f"{size:8d} x {size:8d}  {seconds['fused'] * 1e3:10.1f} {seconds['unfused'] * 1e3:11.1f} {ratio['unfused']:14.2f} {flops / seconds['fused'] / 1e9:7.2f} {memory:13d}", flush=True)
        if ratio["unfused"] < (1.3 if size >= 1024 else NOISE):
            missed.append(f"attention of {size} keys: fused is {ratio['unfused']:.2f} times as fast as unfused")
        if memory >= size * size * 4:
            missed.append(f"attention of {size} keys: {memory} bytes of memory hold a matrix of scores")
    return missed


MATMUL = """func.func @main(%a: tensor<512x512xf32>, %b: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %e = tensor.empty() : tensor<512x512xf32>
  %z = arith.constant 0.0 : f32
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
  %r = linalg.matmul ins(%a, %b : tensor<512x512xf32>, tensor<512x512xf32>) outs(%f : tensor<512x512xf32>) -> tensor<512x512xf32>
  return %r : tensor<512x512xf32>
}
"""
ATTENTION = """func.func @main(%q: tensor<8x512x64xf32>, %k: tensor<8x512x64xf32>, %v: tensor<8x512x64xf32>) -> tensor<8x512x64xf32> {
  %z = arith.constant 0.0 : f32
  %se = tensor.empty() : tensor<8x512x512xf32>
  %s0 = linalg.fill ins(%z : f32) outs(%se : tensor<8x512x512xf32>) -> tensor<8x512x512xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>]
      ins(%q, %k : tensor<8x512x64xf32>, tensor<8x512x64xf32>) outs(%s0 : tensor<8x512x512xf32>) -> tensor<8x512x512xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<8x512x512xf32>) outs(%se : tensor<8x512x512xf32>) -> tensor<8x512x512xf32>
  %oe = tensor.empty() : tensor<8x512x64xf32>
  %o0 = linalg.fill ins(%z : f32) outs(%oe : tensor<8x512x64xf32>) -> tensor<8x512x64xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<8x512x512xf32>, tensor<8x512x64xf32>) outs(%o0 : tensor<8x512x64xf32>) -> tensor<8x512x64xf32>
  return %o : tensor<8x512x64xf32>
}
"""


def with_iree(text, inputs, shape):
    """What runs it with IREE, and its output; inputs stay on the device."""
    import iree.compiler, iree.runtime
    module = iree.compiler.compile_str(text, target_backends=["vulkan-spirv"], input_type="none")
    config = iree.runtime.Config("vulkan")
    context = iree.runtime.SystemContext(config=config)
    context.add_vm_module(iree.runtime.VmModule.copy_buffer(context.instance, module))
    main = context.modules.module["main"]
    allocator, arrays = config.device.allocator, [iree.runtime.asdevicearray(config.device, a) for a in inputs]
    out = np.empty(shape, np.float32)
    # Outputs are read by mapping a copy: that of a DeviceArray has the driver import NumPy's memory, which is not aligned as the driver wants it.
    kinds = dict(memory_type=iree.runtime.MemoryType.HOST_LOCAL | iree.runtime.MemoryType.DEVICE_VISIBLE,
                 allowed_usage=iree.runtime.BufferUsage.TRANSFER_TARGET | iree.runtime.BufferUsage.MAPPING_SCOPED)
    staging = allocator.allocate_buffer(allocation_size=out.nbytes, **{k: int(v) for k, v in kinds.items()})

    def run():
        view = main(*arrays)._buffer_view
        done = config.device.create_semaphore(0)
        fences = [iree.runtime.HalFence.create_at(done, n) for n in range(2)]
        config.device.queue_copy(view.get_buffer(), staging, wait_semaphores=fences[0], signal_semaphores=fences[1])
        fences[1].wait()
        out[:] = staging.map().asarray(list(shape), np.dtype(np.float32))

    run()
    return run, lambda: out


def iree_table(options, handle, work):
    try:
        import iree.compiler, iree.runtime  # noqa: F401
    except ImportError:
        return print("\nIREE is not installed")
    rng = np.random.default_rng(1)
    a, b = (rng.standard_normal((512, 512), dtype=np.float32) for _ in range(2))
    form = Form("full", 512, 512, H=8)
    q, k, v = (form.inputs[n][0] for n in "qkv")
    path = os.path.join(work, "matmul.mlir")
    with open(path, "w") as file:
        file.write(MATMUL)
    artifact = os.path.join(work, "matmul.fovea")
    subprocess.run([os.path.join(options.build, "bin", "fovea-compile"), path, "-o", artifact, "--target=vulkan"], check=True)
    product, products = bound(handle, artifact, dict(a=a, b=b), ["y"])
    fused, outputs = bound(handle, *compile_form(form, options.build, work, True), form.outputs)
    cases = {"matmul 512^3": (product.run, lambda: products["y"], a.astype(np.float64) @ b, MATMUL, (a, b), 2 * 512**3),
             "attention 8x512x64": (fused.run, lambda: outputs["y"][0], form.expected()["y"][0], ATTENTION, (q, k, v), 4 * 8 * 512 * 512 * 64)}
    print(f"\n{'':20s} {'fovea ms':>10s} {'GF/s':>7s} {'IREE ms':>10s} {'IREE/fovea':>11s}")
    for name, (run, result, expected, text, inputs, flops) in cases.items():
        try:
            rival, rivals = with_iree(text, inputs, expected.shape)
        except Exception as error:
            print(f"{name}: IREE cannot do it: {str(error).splitlines()[0][:150]}")
            continue
        for who, out in (("Fovea", result()), ("IREE", rivals())):
            if not np.allclose(out, expected, rtol=1e-3, atol=1e-3):
                sys.exit(f"{name}: {who} gives other numbers than NumPy")
        seconds, ratio = rounds({"fovea": run, "iree": rival}, options.rounds)
        print(f"{name:20s} {seconds['fovea'] * 1e3:10.1f} {flops / seconds['fovea'] / 1e9:7.2f} {seconds['iree'] * 1e3:10.1f} {ratio['iree']:11.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="vulkan")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    options = parser.parse_args()
    handle = runtime.Runtime(os.path.join(options.build, "lib", "libfovea_runtime.so"), 1, options.device)
    with tempfile.TemporaryDirectory() as work:
        missed = attention_table(options, handle, work)
        iree_table(options, handle, work)
    if missed:
        sys.exit("\n".join(missed))


if __name__ == "__main__":
    main()
