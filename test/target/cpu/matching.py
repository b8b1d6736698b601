"""attn.bipartite_match against SciPy's linear_sum_assignment, index by index.   matching.py --bin DIR --work DIR [--problems N] [--device cpu|vulkan]

Rectangular either way, a number of columns of its own for each matrix, ties, infinities, infeasible ones, empty ones; every element type; minimum
and maximum; one thread and several. Then what has to be refused.
"""
import argparse, itertools, os, shutil, subprocess, sys
import numpy as np
from scipy.optimize import linear_sum_assignment

parser = argparse.ArgumentParser()
parser.add_argument("--bin", required=True)
parser.add_argument("--work", required=True)
parser.add_argument("--problems", type=int, default=100000)
parser.add_argument("--device", choices=("cpu", "vulkan"), default="cpu")
args = parser.parse_args()
args.bin, args.work = os.path.abspath(args.bin), os.path.abspath(args.work)
shutil.rmtree(args.work, ignore_errors=True)
os.makedirs(args.work)
SEED = 20
rng = np.random.default_rng(SEED)
DTYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64}
B, R, C = "b", "r", "c"


def run(tool, *words, code=0):
    done = subprocess.run([os.path.join(args.bin, tool), *map(str, words)], capture_output=True, text=True, cwd=args.work)
    if done.returncode != code:
        sys.exit(f"seed {SEED}: {tool} {' '.join(map(str, words))}\nexpected exit code {code}, got {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def compiled(name, element="f64", shape=(B, R, C), counts=True, maximize=False, transposed=False, cpu="native", length=B, results=("columns", "status")):
    """A program that is one matching; with `transposed`, of a tensor that holds B x C x R; `length`: of the counts."""
    tensor = lambda dims, e: "tensor<" + "".join(("?" if isinstance(d, str) else str(d)) + "x" for d in dims) + e + ">"
    attrs = lambda n, dims: '{exec.name = "%s", exec.dims = [%s]}' % (n, ", ".join(f'"{d}"' if isinstance(d, str) else str(d) for d in dims))
    b, r, c = shape
    source = (b, c, r) if transposed else shape
    cost, columns, status, count = tensor(shape, element), tensor((b, r), "i64"), tensor((b,), "i64"), tensor((length,), "i64")
    lines = [f"func.func @main(%in: {tensor(source, element)} {attrs('cost', source)}" + (f", %n: {count} {attrs('counts', (length,))}" if counts else "") +
             ") -> (" + ", ".join({"columns": f"{columns} {attrs('columns', (b, r))}", "status": f"{status} {attrs('status', (b,))}"}[n] for n in results) + ") {"]
    for d in range(3):
        lines.append(f"%c{d} = arith.constant {d} : index\n%d{d} = tensor.dim %in, %c{d} : {tensor(source, element)}")
    sizes = dict(zip(source, ("%d0", "%d1", "%d2")))
    dynamic = lambda dims: ", ".join(sizes[d] for d in dims if isinstance(d, str))
    value = "%in"
    if transposed:
        lines.append(f"%e = tensor.empty({dynamic(shape)}) : {cost}\n%t = linalg.transpose ins(%in : {tensor(source, element)}) outs(%e : {cost}) permutation = [0, 2, 1]")
        value = "%t"
    lines.append(f"%x = tensor.empty({dynamic((b, r))}) : {columns}\n%y = tensor.empty({dynamic((b,))}) : {status}")
    lines.append(f"%m, %s = attn.bipartite_match ins({value} : {cost}) {f'counts(%n : {count})' if counts else ''} outs(%x, %y : {columns}, {status})" +
                 (" {maximize}" if maximize else "") + f' -> {columns}, {status} loc("assign")')
    lines.append("return " + ", ".join({"columns": "%m", "status": "%s"}[n] for n in results) + " : " +
                 ", ".join({"columns": columns, "status": status}[n] for n in results) + "\n}")
    with open(os.path.join(args.work, name + ".mlir"), "w") as file:
        file.write("\n".join(lines))
    run("fovea-compile", name + ".mlir", "-o", name + ".fovea", f"--cpu={cpu}", f"--target={args.device}", "--require-fused")
    return name + ".fovea"


def expected(cost, counts, maximize):
    columns, status = np.full(cost.shape[:2], -1, np.int64), np.zeros(len(cost), np.int64)
    for b, (matrix, n) in enumerate(zip(cost, counts)):
        try:
            rows, cols = linear_sum_assignment(matrix[:, :n].astype(np.float64), maximize)
            columns[b, rows] = cols
        except ValueError as error:
            assert "infeasible" in str(error), error
            status[b] = 1
    return columns, status


def check(artifact, cost, counts=None, maximize=False, transposed=False, threads=2):
    arrays = {"cost": np.ascontiguousarray(cost.swapaxes(1, 2)) if transposed else cost}
    if counts is not None:
        arrays["counts"] = counts
    np.savez(os.path.join(args.work, "in.npz"), **arrays)
    run("fovea-run", artifact, "--inputs", "in.npz", "--outputs", "out.npz", "--threads", threads, f"--device={args.device}")
    got = np.load(os.path.join(args.work, "out.npz"))
    columns, status = expected(cost, counts if counts is not None else [cost.shape[2]] * len(cost), maximize)
    got = {"columns": columns, "status": status, **{key: got[key] for key in got.files}}  # what the program does not return is not compared
    wrong = np.flatnonzero((got["columns"] != columns).any(axis=1) | (got["status"] != status))
    if len(wrong):
        b = wrong[0]
        sys.exit(f"seed {SEED}: {artifact}, {len(wrong)} of {len(cost)} differ; number {b}, {None if counts is None else counts[b]} columns:\n{cost[b]!r}\n"
                 f"expected {columns[b]} {status[b]}, got {got['columns'][b]} {got['status'][b]}")
    return len(cost), int(status.sum())


def costs(kind, count, rows, columns):
    shape = (count, rows, columns)
    if kind == "uniform":
        return rng.random(shape)
    if kind == "few":
        return rng.integers(0, 3, shape).astype(float)
    if kind == "digits":
        return rng.integers(-9, 10, shape).astype(float)
    if kind == "tenths":  # sums of which tie or not by rounding
        return rng.integers(0, 10, shape) * 0.1
    if kind == "copies":  # equal rows and columns
        part = rng.random((count, (rows + 1) // 2, (columns + 1) // 2))
        return part.repeat(2, axis=1).repeat(2, axis=2)[:, :rows, :columns]
    if kind == "huge":
        return rng.choice([0.0, 1.0, 1e300, -1e300, 1e-300, 1e16, 1.7e308, -1.7e308], shape)
    if kind == "infinite":
        return np.where(rng.random(shape) < 0.4, np.inf, rng.integers(0, 5, shape))
    return np.where(rng.random(shape) < 0.8, np.inf, rng.random(shape))  # "blocked"


KINDS = ("uniform", "few", "digits", "tenths", "copies", "huge", "infinite", "blocked")
dynamic = compiled("dynamic")
total = infeasible = 0
shapes = list(itertools.product((1, 2, 3, 5, 8, 11), repeat=2)) + [(20, 7), (7, 20), (17, 33), (33, 17), (40, 40), (1, 100), (100, 1), (64, 5)]
for n, (rows, columns) in enumerate(shapes):
    each = max(1, args.problems // len(shapes) // len(KINDS)) + 1
    cost = np.concatenate([costs(kind, each, rows, columns) for kind in KINDS])
    counts = np.where(rng.random(len(cost)) < 0.5, columns, rng.integers(0, columns + 1, len(cost)))
    solved, failed = check(dynamic, cost, counts, threads=1 + n % 3)
    total, infeasible = total + solved, infeasible + failed
assert total >= args.problems and infeasible > total // 100, (total, infeasible)
run("fovea-compile", "dynamic.mlir", "-o", "checked.fovea", "--check=in.npz", "--require-fused")  # the reference evaluation agrees as well
print(total, "problems agree with SciPy,", infeasible, "of them infeasible")

# Empty ones in every way.
for shape in ((0, 3, 4), (2, 0, 4), (2, 4, 0), (2, 0, 0), (3, 1, 1)):
    check(dynamic, np.ones(shape), np.full(shape[0], shape[2]))

# Types, forms, static shapes, machines without gathers and masks.
for element, dtype in DTYPES.items():
    cost = rng.integers(-20, 20, (50, 9, 13)).astype(dtype)
    # A shader of each form takes a driver seconds to compile: there, forms in which each of the three is and is not.
    flags = itertools.product((False, True), repeat=3) if args.device == "cpu" else ((False, False, True), (True, True, False))
    for maximize, transposed, counts in flags:
        n = rng.integers(0, 14, 50) if counts else None
        check(compiled("form", element, counts=counts, maximize=maximize, transposed=transposed), cost, n, maximize, transposed)
    check(compiled("static", element, (50, 9, 13), counts=False), cost)
for shape in ((2, 0, 4), (2, 4, 0), (1, 1, 1), (3, 5, 3), (2, 16, 16), (1, 3, 17)):
    check(compiled("static", shape=shape, counts=False), rng.random(shape))
for result in ("columns", "status"):
    check(compiled("one-result", results=(result,)), costs("infinite", 30, 6, 6), rng.integers(0, 7, 30))
for cpu in ("x86-64", "x86-64-v3") if args.device == "cpu" else ():
    artifact = compiled("machine", cpu=cpu)
    for rows, columns in ((6, 9), (9, 6), (1, 1), (30, 30)):
        check(artifact, np.concatenate([costs(kind, 50, rows, columns) for kind in KINDS]), rng.integers(0, columns + 1, 50 * len(KINDS)))
maximum = compiled("maximum", maximize=True)
check(maximum, -np.concatenate([costs(kind, 100, 6, 7) for kind in KINDS]), np.full(100 * len(KINDS), 7), maximize=True)


def refused(artifact, cost, counts, words):
    np.savez(os.path.join(args.work, "in.npz"), cost=cost, counts=np.array(counts))
    said = run("fovea-run", artifact, "--inputs", "in.npz", "--outputs", "out.npz", f"--device={args.device}", code=1).stderr
    if words not in said:
        sys.exit(f"expected '{words}', got {said!r}")


# One bad element among many; where no column is real it is not looked at.
for rows, columns, artifact, bad in ((3, 4, dynamic, -np.inf), (4, 3, dynamic, np.nan), (3, 4, maximum, np.inf), (40, 41, dynamic, np.nan)):
    for place in ((1, 0, 0), (1, rows - 1, columns - 1)):
        cost = rng.random((2, rows, columns))
        cost[place] = bad
        refused(artifact, cost, [columns, columns], "a cost is NaN or infinitely good, in node 'assign'")
        check(artifact, cost, np.array([columns, 0]), artifact is maximum)
refused(dynamic, np.ones((2, 2, 2)), [2, 3], "an index is outside its table, in node 'assign'")
refused(dynamic, np.ones((2, 2, 2)), [-1, 2], "an index is outside its table, in node 'assign'")
refused(compiled("lengths", length="n"), np.ones((2, 2, 2)), [1], "an index is outside its table, in node 'assign'")
print("forms, types and refusals as expected")
