"""Processes that run the same artifact share its weights.   sharing.py MODEL_DIR --bin DIR --work DIR

Two processes run the model at the same time. What either has written and nobody shares (Private_Dirty) is below 20 MB and the arena; the weights
are in the memory of both and are shared (but for rows of tables that no run looks up).
"""
import argparse, json, os, shutil, subprocess, sys, time
import fill

LIMIT = 20 << 20


def memory(pid):
    """Bytes by kind, of /proc/PID/smaps_rollup."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return {line.split(":")[0]: int(line.split()[1]) << 10 for line in f if line.rstrip().endswith("kB")}


parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--bin", required=True)
parser.add_argument("--work", required=True)
a = parser.parse_args()
shutil.rmtree(a.work, ignore_errors=True)
shutil.copytree(a.model, a.work)
fill.fill(a.work)
artifact = os.path.join(a.work, "model.fovea")
subprocess.run([os.path.join(a.bin, "fovea-compile"), os.path.join(a.work, "model.onnx"), "-o", artifact], check=True)
facts = json.loads(subprocess.run([os.path.join(a.bin, "fovea-inspect"), artifact, "--json"], check=True, capture_output=True, text=True).stdout)
arena, weights = int(facts["entries"][0]["arena"]), sum(w["bytes"] for w in facts["weights"])
if weights < 2 * LIMIT:
    sys.exit(f"expected a model whose weights are large against {LIMIT} bytes, got {weights}")

processes = [subprocess.Popen([os.path.join(a.bin, "fovea-bench"), artifact, "--random", "1", "--threads", "1", "--warmup-seconds", "0", "--seconds", "20"],
                              stdout=subprocess.DEVNULL) for _ in range(2)]
try:
    for number, process in enumerate(processes):
        # Until it has run once: then the weights have been read.
        for _ in range(150):
            now = memory(process.pid)
            if process.poll() is not None or now["Rss"] >= weights * 0.8:
                break
            time.sleep(0.1)
        time.sleep(0.5)
        if process.poll() is not None:
            sys.exit(f"expected a process that runs, it ended with {process.returncode}")
        now = memory(process.pid)
        shared = now["Shared_Clean"] + now["Shared_Dirty"]
        print(f"process {number}: {now['Private_Dirty'] / 1e6:.2f} MB private, {shared / 1e6:.1f} MB shared, arena {arena / 1e6:.2f} MB, weights {weights / 1e6:.1f} MB")
        if now["Private_Dirty"] >= LIMIT + arena:
            sys.exit(f"expected less than {LIMIT + arena} bytes that a process alone has written, got {now['Private_Dirty']}")
        if shared < weights * 0.8:
            sys.exit(f"expected most of the {weights} bytes of weights to be shared, got {shared}")
finally:
    for process in processes:
        process.kill()
        process.wait()
shutil.rmtree(a.work)
