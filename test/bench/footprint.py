"""What a model costs besides its runs: compiling, loading, memory.   footprint.py MODEL_DIR... [--threads 1]

Compile time and peak memory are those of fovea-compile. Loading is from creating a runtime to a prepared session, in a fresh process with the artifact in
the page cache. The private memory is what a second process with the same artifact adds to the machine while a first one runs it too: pages that nobody
shares (smaps_rollup), after a run, beyond those of the same process before it loaded the library.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile, time
import numpy as np
import runtime

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def private_dirty():
    """Bytes of pages that this process alone has written."""
    with open("/proc/self/smaps_rollup") as f:
        return sum(int(line.split()[1]) << 10 for line in f if line.startswith("Private_Dirty:"))


def resident(job):
    """The process that loads: prints its numbers, then holds the session until standard input ends."""
    with np.load(job["inputs"]) as z:
        inputs = {k: np.ascontiguousarray(z[k]) for k in z.files}
    before, start = private_dirty(), time.perf_counter()
    handle = runtime.Runtime(job["library"], job["threads"])
    model = runtime.Model(handle, job["artifact"])
    session = runtime.Session(handle, model)
    session.bind(inputs)
    ready = time.perf_counter()
    session.run()
    answered = time.perf_counter()
    print(json.dumps(dict(load_s=ready - start, first_s=answered - start, private=private_dirty() - before, process=private_dirty(), **session.describe())),
          flush=True)
    sys.stdin.read()


def hold(job):
    process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--resident", json.dumps(job)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line:
        sys.exit(f"loading {job['artifact']} failed with exit code {process.wait()}")
    return process, json.loads(line)


def compile_measured(build, path, artifact):
    """(seconds, peak bytes) of fovea-compile."""
    start = time.perf_counter()
    process = subprocess.Popen([os.path.join(build, "bin", "fovea-compile"), path, "-o", artifact])
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"compiling {path} failed with exit code {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, usage.ru_maxrss << 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL_DIR")
    parser.add_argument("--threads", default=1, type=int)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="build folder (default build/release)")
    a = parser.parse_args()
    from models import Model  # not for the resident: onnx would be part of its memory
    for folder in a.models:
        work, processes = tempfile.mkdtemp(prefix="fovea-footprint-"), []
        try:
            model, artifact, inputs = Model(folder, work), os.path.join(work, "model.fovea"), os.path.join(work, "inputs.npz")
            np.savez(inputs, **model.inputs)
            seconds, memory = compile_measured(a.build, model.path, artifact)
            job = dict(library=os.path.join(a.build, "lib", "libfovea_runtime.so"), threads=a.threads, artifact=artifact, inputs=inputs)
            for _ in range(2):
                process, facts = hold(job)
                processes.append(process)
            weights = sum(os.path.getsize(os.path.join(os.path.dirname(model.path), f)) for f in os.listdir(os.path.dirname(model.path))
                          if f not in ("inputs.npz", "expected.npz"))
            print(f"{model.name}, {a.threads} thread(s)")
            for what, value in [("compile", f"{seconds:.2f} s"), ("compiler's peak memory", f"{memory / 1e6:.0f} MB (model {weights / 1e6:.0f} MB)"),
                                ("artifact", f"{os.path.getsize(artifact) / 1e6:.1f} MB"), ("load to a ready session", f"{facts['load_s'] * 1e3:.2f} ms"),
                                ("load to the first answer", f"{facts['first_s'] * 1e3:.2f} ms"), ("arena", f"{facts['arena_bytes'] / 1e6:.3f} MB"),
                                ("private memory of a second process", f"{facts['private'] / 1e6:.3f} MB (with Python {facts['process'] / 1e6:.1f} MB)")]:
                print(f"  {what:36}{value}")
        finally:
            for process in processes:
                process.kill()
                process.wait()
            shutil.rmtree(work)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--resident"]:
        resident(json.loads(sys.argv[2]))
    else:
        main()
