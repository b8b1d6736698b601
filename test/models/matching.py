"""The set prediction part of DETR from IR: costs, matching, losses, against NumPy and SciPy.   matching.py --bin DIR --work DIR

Softmax and focal costs, f32 and f64, static and symbolic batch and number of targets, with and without counts, one thread and two; batches without
queries, without targets; boxes without area; labels and sizes that have to be refused. The reference evaluation has to agree as well (--check).
"""
import argparse, itertools, os, shutil, subprocess, sys
import numpy as np
from scipy.optimize import linear_sum_assignment

parser = argparse.ArgumentParser()
parser.add_argument("--bin", required=True)
parser.add_argument("--work", required=True)
args = parser.parse_args()
args.bin, args.work = os.path.abspath(args.bin), os.path.abspath(args.work)
shutil.rmtree(args.work, ignore_errors=True)
os.makedirs(args.work)
SEED = 7
rng = np.random.default_rng(SEED)


def run(tool, *words, code=0):
    done = subprocess.run([os.path.join(args.bin, tool), *map(str, words)], capture_output=True, text=True, cwd=args.work)
    if done.returncode != code:
        sys.exit(f"seed {SEED}: {tool} {' '.join(map(str, words))}\nexpected exit code {code}, got {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def program(name, element="f32", b="b", q=100, k=12, t="t", counts=True, focal=False, eos=0.1, other=None):
    """cost, columns, status and losses of logits, boxes, labels and targets; sizes that are strings are symbolic. `other`: the batch of the targets."""
    tensor = lambda e, *dims: "tensor<" + "".join(("?" if isinstance(d, str) else str(d)) + "x" for d in dims) + e + ">"
    named = lambda n, e, *dims: tensor(e, *dims) + ' {exec.name = "%s", exec.dims = [%s]}' % (
        n, ", ".join(f'"{d}"' if isinstance(d, str) else str(d) for d in dims))
    inputs = {"logits": (element, b, q, k), "boxes": (element, b, q, 4), "labels": ("i64", other or b, t), "targets": (element, other or b, t, 4)}
    if counts:
        inputs["counts"] = ("i64", b)
    outputs = {"cost": (element, b, q, t), "columns": ("i64", b, q), "status": ("i64", b), "loss": (element, 3)}
    types = {n: tensor(*shape) for n, shape in {**inputs, **outputs}.items()}
    lines = ["func.func @main(" + ", ".join(f"%{n}: {named(n, *shape)}" for n, shape in inputs.items()) + ") -> (" +
             ", ".join(named(n, *shape) for n, shape in outputs.items()) + ") {", "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index"]
    lines.append(f"%b = tensor.dim %logits, %c0 : {types['logits']}\n%q = tensor.dim %logits, %c1 : {types['logits']}\n%t = tensor.dim %labels, %c1 : {types['labels']}")
    sizes = {b: "%b", q: "%q", t: "%t"}
    for n, (_, *dims) in outputs.items():
        lines.append(f"%{n}_init = tensor.empty({', '.join(sizes[d] for d in dims if isinstance(d, str))}) : {types[n]}")
    count = f" counts(%counts : {types['counts']})" if counts else ""
    predictions = ", ".join(types[n] for n in ("logits", "boxes", "labels", "targets"))
    lines.append(f"%cost = attn.detr_cost ins(%logits, %boxes, %labels, %targets : {predictions}){count} outs(%cost_init : {types['cost']})" +
                 (" {class_cost = #attn.class_cost<focal>, class_weight = 2.0 : f64}" if focal else "") + f" -> {types['cost']}")
    results = f"{types['columns']}, {types['status']}"
    lines.append(f"%columns, %status = attn.bipartite_match ins(%cost : {types['cost']}){count} outs(%columns_init, %status_init : {results}) -> {results}")
    lines.append(f"%loss = attn.set_loss ins(%logits, %boxes, %labels, %targets, %columns : {predictions}, {types['columns']}){count} "
                 f"outs(%loss_init : {types['loss']}) {{eos_coef = {eos:e} : f64}} -> {types['loss']}")
    lines.append("return " + ", ".join("%" + n for n in outputs) + " : " + ", ".join(types[n] for n in outputs) + "\n}")
    with open(os.path.join(args.work, name + ".mlir"), "w") as file:
        file.write("\n".join(lines))
    run("fovea-compile", name + ".mlir", "-o", name + ".fovea", "--require-fused")
    return name


def sample(b, q, k, t, dtype=np.float32, counts=True):
    box = lambda *shape: np.concatenate([rng.random((*shape, 2)), 0.05 + 0.4 * rng.random((*shape, 2))], axis=-1).astype(dtype)
    x = {"logits": (2 * rng.standard_normal((b, q, k))).astype(dtype), "boxes": box(b, q), "labels": rng.integers(0, max(k - 1, 1), (b, t)), "targets": box(b, t)}
    if counts:
        x["counts"] = rng.integers(0, t + 1, b)
        for i, n in enumerate(x["counts"]):  # what is behind does not matter
            x["labels"][i, n:], x["targets"][i, n:] = -7, np.nan
    return x


def giou(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    low = [x[..., :2] - x[..., 2:] / 2 for x in (a, b)]
    high = [x[..., :2] + x[..., 2:] / 2 for x in (a, b)]
    both = np.clip(np.minimum(*high) - np.maximum(*low), 0, None).prod(-1)
    union = a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - both
    hull = (np.maximum(*high) - np.minimum(*low)).prod(-1)
    quotient = lambda x, y: np.divide(x, y, out=np.zeros_like(y), where=y != 0)
    return quotient(both, union) - quotient(hull - union, hull)


def expected(x, focal, eos):
    logits = x["logits"].astype(np.float64)
    (b, q, k), t = logits.shape, x["labels"].shape[1]
    counts = x.get("counts", np.full(b, t))
    log = logits - logits.max(-1, keepdims=True)
    log -= np.log(np.exp(log).sum(-1, keepdims=True))
    p = 1 / (1 + np.exp(-logits))
    focals = 0.25 * (1 - p)**2 * -np.log(p + 1e-8) - 0.75 * p**2 * -np.log(1 - p + 1e-8)
    cost, columns = np.zeros((b, q, t)), np.full((b, q), -1)
    entropy = weights = l1 = overlap = 0.0
    for i, n in enumerate(counts):
        labels, targets = x["labels"][i, :n], x["targets"][i, :n].astype(np.float64)
        boxes = x["boxes"][i].astype(np.float64)
        wrong = 2 * focals[i][:, labels] if focal else -np.exp(log[i][:, labels])
        cost[i, :, :n] = wrong + 5 * np.abs(boxes[:, None] - targets[None]).sum(-1) - 2 * giou(boxes[:, None], targets[None])
        rows, found = linear_sum_assignment(cost[i, :, :n])
        columns[i, rows] = found
        classes = np.full(q, k - 1)
        classes[rows] = labels[found]
        w = np.where(classes == k - 1, eos, 1.0)
        entropy, weights = entropy - (w * log[i][np.arange(q), classes]).sum(), weights + w.sum()
        l1, overlap = l1 + np.abs(boxes[rows] - targets[found]).sum(), overlap + (1 - giou(boxes[rows], targets[found])).sum()
    n = max(counts.sum(), 1)
    with np.errstate(invalid="ignore"):
        return {"cost": cost, "columns": columns, "status": np.zeros(b), "loss": np.array([np.float64(entropy) / weights, l1 / n, overlap / n])}


def check(name, x, focal=False, eos=0.1, threads=(1, 2)):
    want = expected(x, focal, eos)
    tolerance = 2e-5 if x["logits"].dtype == np.float32 else 1e-11
    np.savez(os.path.join(args.work, name + ".npz"), **x)
    seen = []
    for n in threads:
        run("fovea-run", name + ".fovea", "--inputs", name + ".npz", "--outputs", "out.npz", "--threads", n)
        got = np.load(os.path.join(args.work, "out.npz"))
        seen.append({key: got[key] for key in got.files})
        for key in want:
            close = np.allclose(got[key], want[key], rtol=tolerance, atol=tolerance, equal_nan=True)
            if got[key].shape != want[key].shape or not close:
                sys.exit(f"seed {SEED}: {name}, {n} threads, {key}: expected\n{want[key]}\ngot\n{got[key]}")
    for other in seen[1:]:
        assert all(np.array_equal(other[key], seen[0][key], equal_nan=True) for key in want), f"{name}: the number of threads changes the result"


dynamic = program("dynamic")
for b, t in ((1, 5), (3, 1), (4, 20), (2, 100), (2, 130), (1, 0), (0, 3)):
    check(dynamic, sample(b, 100, 12, t))
check(program("plain", counts=False, eos=0.25), sample(2, 100, 12, 17, counts=False), eos=0.25)
check(program("static", b=2, q=7, k=3, t=4), sample(2, 7, 3, 4))
check(program("static-plain", b=1, q=1, k=2, t=1, counts=False), sample(1, 1, 2, 1, counts=False))
check(program("free", "f64", q="q", k="k"), sample(3, 11, 5, 6, np.float64))
check("free", sample(2, 0, 5, 6, np.float64))
for element, dtype in (("f32", np.float32), ("f64", np.float64)):
    check(program("focal", element, q=30, k=9, focal=True), sample(3, 30, 9, 8, dtype), focal=True)

# Boxes without area, equal ones among them, and a box that is the target itself.
x = sample(2, 100, 12, 5, counts=False)
x["counts"] = np.array([5, 5])
x["boxes"][:, :50, 2:] = 0
x["targets"][:, :3, 2:] = 0
x["boxes"][:, 0], x["boxes"][:, 1] = x["targets"][:, 0], x["targets"][:, 4]
check(dynamic, x)

# The reference evaluation says the same as the code.
np.savez(os.path.join(args.work, "small.npz"), **sample(2, 7, 3, 4))
run("fovea-compile", "static.mlir", "--check=small.npz", "-o", "static.fovea")


def refused(words, name="dynamic", **change):
    np.savez(os.path.join(args.work, "bad.npz"), **{**sample(2, 100, 12, 5), "counts": np.array([5, 5]), **change})
    said = run("fovea-run", name + ".fovea", "--inputs", "bad.npz", "--outputs", "out.npz", code=1).stderr
    if words not in said:
        sys.exit(f"expected '{words}', got {said!r}")


good = sample(2, 100, 12, 5, counts=False)
fine = {"labels": good["labels"], "targets": good["targets"]}
for bad in (-1, 12, 2**40):
    labels = good["labels"].copy()
    labels[1, 4] = bad
    refused("an index is outside its table", **{**fine, "labels": labels})
refused("an index is outside its table", **fine, counts=np.array([5, 6]))
boxes = good["boxes"].copy()
boxes[1, 99, 3] = np.nan
refused("a cost is NaN or infinitely good", **fine, boxes=boxes)
program("batches", other="n")
refused("predictions and targets do not fit each other", "batches", labels=good["labels"][:1], targets=good["targets"][:1])
print("costs, matchings and losses as expected")
