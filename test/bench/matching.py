"""Bipartite matching beside SciPy's linear_sum_assignment.   matching.py [--bin DIR] [--seconds S] [--rounds N]

One matrix of random costs a size, one thread; then a batch of 16 matrices with one thread and with all. Results are compared first, index by index.
In each round both are measured, one right after the other, and the ratio is taken within the round; medians are printed.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile, time
import numpy as np
from scipy.optimize import linear_sum_assignment

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZES = [(100, 5), (100, 20), (100, 50), (100, 100), (300, 300)]
BATCH = 16
PROGRAM = """func.func @main(%cost: tensor<?x?x?xf64> {exec.name = "cost", exec.dims = ["b", "r", "c"]})
    -> (tensor<?x?xi64> {exec.name = "columns", exec.dims = ["b", "r"]}, tensor<?xi64> {exec.name = "status", exec.dims = ["b"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %cost, %c0 : tensor<?x?x?xf64>
  %r = tensor.dim %cost, %c1 : tensor<?x?x?xf64>
  %x = tensor.empty(%b, %r) : tensor<?x?xi64>
  %y = tensor.empty(%b) : tensor<?xi64>
  %columns, %status = attn.bipartite_match ins(%cost : tensor<?x?x?xf64>) outs(%x, %y : tensor<?x?xi64>, tensor<?xi64>) -> tensor<?x?xi64>, tensor<?xi64>
  return %columns, %status : tensor<?x?xi64>, tensor<?xi64>
}
"""
KINDS = {"uniform": lambda rng, shape: rng.random(shape), "ties": lambda rng, shape: rng.integers(0, 10, shape).astype(float)}

parser = argparse.ArgumentParser()
parser.add_argument("--bin", default=os.path.join(ROOT, "build/release/bin"))
parser.add_argument("--seconds", type=float, default=0.2, help="of a measurement")
parser.add_argument("--rounds", type=int, default=7)
args = parser.parse_args()
work = tempfile.mkdtemp(prefix="fovea-matching-")
path = lambda name: os.path.join(work, name)


def run(tool, *words):
    done = subprocess.run([os.path.join(args.bin, tool), *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{tool}: {done.stderr}")
    return done.stdout


def ours(threads):
    text = run("fovea-bench", path("m.fovea"), "--inputs", path("in.npz"), "--threads", threads, "--seconds", args.seconds, "--warmup-seconds", 0.05, "--json", "-")
    return json.loads(text)["entries"][0]["median_s"] * 1e6


def scipys(cost):
    times, end = [], time.perf_counter() + args.seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for matrix in cost:
            linear_sum_assignment(matrix)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


with open(path("m.mlir"), "w") as file:
    file.write(PROGRAM)
run("fovea-compile", path("m.mlir"), "-o", path("m.fovea"))
rng = np.random.default_rng(1)
print(f"{'costs':8} {'size':>12} {'threads':>7} {'SciPy us':>10} {'Fovea us':>10} {'ratio':>7}")
cpus = len(os.sched_getaffinity(0))
for kind, make in KINDS.items():
    for (rows, columns), batch, threads in [(s, 1, 1) for s in SIZES] + [((100, 100), BATCH, t) for t in sorted({1, cpus})]:
        cost = make(rng, (batch, rows, columns))
        np.savez(path("in.npz"), cost=cost)
        run("fovea-run", path("m.fovea"), "--inputs", path("in.npz"), "--outputs", path("out.npz"))
        got = np.load(path("out.npz"))["columns"]
        for matrix, found in zip(cost, got):
            want = np.full(rows, -1)
            assigned, columns_of = linear_sum_assignment(matrix)
            want[assigned] = columns_of
            if not np.array_equal(want, found):
                sys.exit(f"{rows} x {columns}: the assignments differ")
        turns = [(scipys(cost), ours(threads)) for _ in range(args.rounds)]
        scipy, fovea, ratio = (statistics.median(v) for v in ([t[0] for t in turns], [t[1] for t in turns], [t[0] / t[1] for t in turns]))
        size = (f"{batch} x " if batch > 1 else "") + f"{rows} x {columns}"
        print(f"{kind:8} {size:>12} {threads:7} {scipy:10.1f} {fovea:10.1f} {ratio:6.2f}x", flush=True)
