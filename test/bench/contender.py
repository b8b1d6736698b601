"""One contender in a process of its own, driven by peers.py: JSON lines come on standard input, answers go to the original standard output.

    first line   {"contender", "threads", "model", "inputs", "outputs", "artifact", "library"}
                 loads, runs once, writes the outputs to an npz file; answers {"version", "load_s"} or {"error"}
    then         {"warm": W, "count": K}  runs W + K times; answers {"seconds": [K of them], "busy": {thread: seconds of CPU}}
"""
import ctypes, glob, json, os, signal, sys, time
import numpy as np


def fovea(job, inputs):
    import runtime
    handle = runtime.Runtime(job["library"], job["threads"])
    model = runtime.Model(handle, job["artifact"])
    session = runtime.Session(handle, model)
    outputs = session.bind(inputs)
    handle.library.fovea_version.restype = ctypes.c_char_p
    return session.run, lambda: outputs, handle.library.fovea_version().decode()


def onnxruntime(job, inputs, optimised=True):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads, options.inter_op_num_threads = job["threads"], 1
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    session = ort.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])
    binding, names = session.io_binding(), [o.name for o in session.get_outputs()]
    for i in session.get_inputs():
        binding.bind_ortvalue_input(i.name, ort.OrtValue.ortvalue_from_numpy(inputs[i.name]))
    # The first run tells the shapes; its outputs are the memory of all later ones.
    for name in names:
        binding.bind_output(name, "cpu")
    session.run_with_iobinding(binding)
    values = binding.get_outputs()
    binding.clear_binding_outputs()
    for name, value in zip(names, values):
        binding.bind_ortvalue_output(name, value)
    return lambda: session.run_with_iobinding(binding), lambda: {n: v.numpy() for n, v in zip(names, values)}, ort.__version__


def reference(job, inputs):
    return onnxruntime(job, inputs, optimised=False)


def openvino(job, inputs):
    import openvino as ov
    core = ov.Core()
    compiled = core.compile_model(core.read_model(job["model"]), "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": job["threads"], "NUM_STREAMS": 1})
    request = compiled.create_infer_request()
    kept = []
    for port in compiled.inputs:
        name = next(n for n in port.names if n in inputs)
        kept.append(inputs[name])
        request.set_tensor(port, ov.Tensor(kept[-1], shared_memory=True))

    def outputs():
        return {name: request.get_tensor(port).data.copy() for port in compiled.outputs for name in port.names}

    return lambda: request.infer(share_outputs=True), outputs, ov.__version__.split("-")[0]


def thread_seconds():
    """CPU time of each thread of this process."""
    tick, result = os.sysconf("SC_CLK_TCK"), {}
    for path in glob.glob("/proc/self/task/*/stat"):
        try:
            with open(path) as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue  # it ended just now
        result[path.split("/")[4]] = (int(fields[11]) + int(fields[12])) / tick
    return result


def main():
    # Stopped most of the time, so it cannot notice by itself that its parent is gone.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    job = json.loads(sys.stdin.readline())
    try:
        with np.load(job["inputs"]) as z:
            inputs = {k: np.ascontiguousarray(z[k]) for k in z.files}
        start = time.perf_counter()
        run, outputs, version = globals()[job["contender"]](job, inputs)
        loaded = time.perf_counter() - start
        run()
        np.savez(job["outputs"], **outputs())
    except Exception as error:
        answers.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
        return
    answers.write(json.dumps({"version": version, "load_s": loaded}) + "\n")
    clock = time.perf_counter
    for line in sys.stdin:
        turn = json.loads(line)
        for _ in range(turn["warm"]):
            run()
        before, seconds = thread_seconds(), []
        for _ in range(turn["count"]):
            start = clock()
            run()
            seconds.append(clock() - start)
        busy = {t: s - before.get(t, 0) for t, s in thread_seconds().items()}
        answers.write(json.dumps({"seconds": seconds, "busy": busy}) + "\n")


if __name__ == "__main__":
    main()
