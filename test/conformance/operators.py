"""Random cases of operators that ONNX's node tests have few of, against NumPy.   operators.py [--only SUBSTRING] [--part I/N] [--seed N] -- RUNNER...

Einsum, TopK, ArgMax, ArgMin, ScatterElements, ScatterND, CumProd, pools and Resize with every attribute and element type, ties, NaN, duplicate
indices, sizes of 1 and 0; shapes static, symbolic and constant. RUNNER as in node-cases.py. Indices that are outside have to be refused, in one line.
"""
import argparse, importlib.util, itertools, os, sys
from fractions import Fraction
from math import ceil, floor
import numpy as np
import onnx
from onnx import helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("node_cases", os.path.join(HERE, "node-cases.py"))
node_cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(node_cases)
from cases import BFLOAT16, MODES, SPACINGS, bits

parser = argparse.ArgumentParser()
parser.add_argument("--only", default="")
parser.add_argument("--part", default="0/1", help="I/N: every Nth case from the Ith on")
parser.add_argument("--seed", type=int, default=5)
parser.add_argument("runner", nargs="+")
args = parser.parse_args()
rng = np.random.default_rng(args.seed)
FLOATS = [np.dtype(t) for t in (np.float32, np.float64, np.float16, BFLOAT16)]
INTEGERS = [np.dtype(t) for t in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)]


def values(dtype, shape, special=False):
    """Small numbers with ties; `special`: NaN, infinities and zeros of both signs, or the ends of the range, too."""
    x = rng.integers(-4, 5, shape)
    if dtype == bool:
        return x > 0
    if dtype in INTEGERS:
        ends = rng.choice([np.iinfo(dtype).min, np.iinfo(dtype).max], shape).astype(dtype)
        return np.where(rng.random(shape) < 0.2 * special, ends, x.astype(dtype))
    x = x / 2
    if special:
        x = np.where(rng.random(shape) < 0.3, rng.choice([np.nan, np.inf, -np.inf, -0.0], shape), x)
    return x.astype(dtype)


def cases():
    """Name, operator, attributes, inputs, those of them that are constants, expected outputs."""
    for equation, *shapes in [
        ("ij,jk->ik", (3, 4), (4, 5)), ("ij,jk", (3, 4), (4, 5)), ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 6, 5)), ("i->", (4,)), ("ii->i", (3, 3)), ("ii", (3, 3)),
        ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("i,j->ij", (3,), (4,)), ("ij,ij->", (3, 4), (3, 4)),
        (",i->i", (), (3,)), ("->", ()), ("...", (2, 3)), (" b a , c -> c a b ", (2, 3), (4,)), ("ijk,ij->k", (2, 3, 4), (2, 3)), ("iij,jji->ij", (3, 3, 2), (2, 2, 3)),
        ("ij,jk->ik", (3, 0), (0, 2)), ("ij,kl->il", (2, 3), (4, 5)), ("i...j,j...->...i", (2, 3, 4), (4, 1)), ("ij,jk,ki->", (2, 3), (3, 4), (4, 2)), ("...i,...i->...", (2, 3), (3,)),
        ("ab,ab->ab", (2, 1), (1, 3)), ("Aa->aA", (2, 3)), ("ba", (2, 3)),
    ]:
        for dtype in (np.float32, np.float16, np.int64, np.float64, BFLOAT16, np.int32):
            x = [values(np.dtype(dtype), s) for s in shapes]
            wide = [v.astype(np.float64 if np.dtype(dtype) in FLOATS else np.int64) for v in x]
            yield f"einsum {equation} {np.dtype(dtype)}", "Einsum", {"equation": equation}, x, (), [np.asarray(np.einsum(equation.replace(" ", ""), *wide)).astype(dtype)]
    for dtype, shape in itertools.product(FLOATS + INTEGERS, [(3, 7), (1, 1), (2, 40, 3)]):
        for largest, axis in itertools.product((0, 1), {0, len(shape) - 1, -2 % len(shape)}):
            x = values(dtype, shape, special=True)
            k = int(rng.integers(0, shape[axis] + 1))
            # By rank, so that the order can be turned: NaN is the greatest.
            rank = np.unique(x.astype(np.float64) if dtype in FLOATS else x, return_inverse=True)[1].reshape(shape)
            order = np.argsort(-rank if largest else rank, axis, kind="stable").take(range(k), axis)
            yield f"topk {dtype} {shape} k {k} axis {axis} largest {largest}", "TopK", {"axis": axis, "largest": largest}, [x, np.array([k])], (1,), [
                np.take_along_axis(x, order, axis), order.astype(np.int64)]
    for dtype, shape in itertools.product(FLOATS + INTEGERS, [(3, 7), (1, 1), (2, 33, 4)]):
        for name, last, keep in itertools.product(("ArgMax", "ArgMin"), (0, 1), (0, 1)):
            x, axis = values(dtype, shape, special=True), int(rng.integers(-len(shape), len(shape)))
            wide, find = (x.astype(np.float64) if dtype in FLOATS else x), getattr(np, name.lower())
            want = shape[axis] - 1 - find(np.flip(wide, axis), axis) if last else find(wide, axis)
            yield f"{name.lower()} {dtype} {shape} axis {axis} last {last}", name, {"axis": axis, "select_last_index": last, "keepdims": keep}, [x], (), [
                np.expand_dims(want, axis) if keep else np.asarray(want)]
    combine = {"none": lambda a, b: b, "add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}
    types = FLOATS + INTEGERS + [np.dtype(bool)]
    for n, (dtype, reduction) in enumerate(itertools.product(types, combine)):
        for index in (np.int32, np.int64):
            shape, axis = [(4, 5), (1, 6), (3, 2, 5), (7,), (3, 0)][n % 5], n % 2 - 1
            small = tuple(s if d == axis % len(shape) else max(s - 1, 1) if s else 0 for d, s in enumerate(shape))
            x, u, i = values(dtype, shape), values(dtype, small), rng.integers(-shape[axis], max(shape[axis], 1), small).astype(index)
            want = x.copy()
            for at in np.ndindex(small):
                to = list(at)
                to[axis] = i[at]
                want[tuple(to)] = combine[reduction](want[tuple(to)], u[at])
            yield f"scatter elements {dtype} {shape} {reduction}", "ScatterElements", {"axis": axis, "reduction": reduction}, [x, i, u], (), [want]
        shape, outer, components = [((4, 5), (3,), 1), ((4, 3, 2), (2, 3), 2), ((6,), (8,), 1), ((2, 3, 4), (0,), 2), ((3, 4), (9,), 2)][n % 5]
        x, u = values(dtype, shape), values(dtype, outer + shape[components:])
        i = np.stack([rng.integers(-shape[c], shape[c], outer) for c in range(components)], -1)
        want = x.copy()
        for at in np.ndindex(outer):
            want[tuple(i[at])] = combine[reduction](want[tuple(i[at])], u[at])
        yield f"scatter nd {dtype} {shape} {reduction}", "ScatterND", {"reduction": reduction}, [x, i, u], (), [want]
    for dtype, exclusive, reverse in itertools.product([np.dtype(np.float32), np.dtype(np.float16), np.dtype(np.int32), np.dtype(np.uint64)], (0, 1), (0, 1)):
        shape, axis = [(3, 5), (17,), (2, 3, 4), (2, 0)][exclusive * 2 + reverse], int(rng.integers(-1, 1))
        x = values(dtype, shape)
        y = np.flip(x, axis) if reverse else x
        y = np.concatenate([np.ones_like(y.take(range(min(1, y.shape[axis])), axis)), y.take(range(max(y.shape[axis] - 1, 0)), axis)], axis) if exclusive else y
        y = np.cumprod(y, axis, dtype=dtype)
        yield f"cumprod {dtype} {shape}", "CumProd", {"exclusive": exclusive, "reverse": reverse}, [x, np.array(axis)], (1,), [np.flip(y, axis) if reverse else y]
    yield from pools()
    yield from resizes()


def pools():
    average = [np.dtype(t) for t in (np.float32, np.float16, np.float64)]
    for n in range(60):
        operator = "MaxPool" if n % 2 else "AveragePool"
        dtype = (average + [np.dtype(np.uint8), np.dtype(np.int8)])[n // 2 % 5] if n % 2 else average[n // 2 % 3]
        dims = 1 + n % 3
        sizes, kernel, strides, dilations = (rng.integers(low, high, dims) for low, high in ((4, 9), (1, 4), (1, 4), (1, 3)))
        reach = (kernel - 1) * dilations + 1
        before, after = (rng.integers(0, np.minimum(kernel, 3)) for _ in range(2))
        overhangs, include = int(rng.integers(0, 2)), int(rng.integers(0, 2))
        if np.any(sizes + before + after < reach):
            continue
        x = values(dtype, (2, 3, *sizes))
        out = (sizes + before + after - reach + overhangs * (strides - 1)) // strides + 1
        out = np.where(overhangs * ((out - 1) * strides >= sizes + before), out - 1, out)
        want = np.zeros((2, 3, *out), dtype)
        for at in np.ndindex(*out):
            places = [[o * s + k * d - b for k in range(size)] for o, s, size, d, b in zip(at, strides, kernel, dilations, before)]
            inside = np.ix_((0, 1), (0, 1, 2), *[[p for p in ps if 0 <= p < s] for ps, s in zip(places, sizes)])
            counted = np.prod([sum(-b * include <= p < s + a * include for p in ps) for ps, s, b, a in zip(places, sizes, before, after)])
            cells = x[inside].reshape(2, 3, -1)
            if operator == "MaxPool":
                want[(..., *at)] = cells.max(-1) if cells.shape[-1] else -np.inf if dtype in FLOATS else np.iinfo(dtype).min
            else:
                want[(..., *at)] = cells.sum(-1, dtype=np.float64) / np.float64(counted)
        attributes = dict(kernel_shape=kernel, strides=strides, dilations=dilations, pads=[*before, *after], ceil_mode=overhangs)
        if operator == "AveragePool":
            attributes["count_include_pad"] = include
        yield f"pool {operator} {dtype} {x.shape} {attributes}", operator, attributes, [x], (), [want]


def resizes():
    """Along one axis after the other, with exact places."""
    roundings = {"floor": floor, "ceil": ceil, "round_prefer_floor": lambda v: ceil(v - Fraction(1, 2)), "round_prefer_ceil": lambda v: floor(v + Fraction(1, 2))}
    modes = ["asymmetric", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners"]
    for n, (places, mode, by_scale) in enumerate(itertools.product(modes, ("nearest", "linear", "cubic"), (0, 1, 2))):
        x = values(np.dtype(np.float32), (1, int(rng.integers(1, 4)), int(rng.integers(1, 9)), int(rng.integers(2, 9))))
        rounding, exclude, a = list(roundings)[n % 4], n % 2, (-0.75, -0.5)[n // 2 % 2]
        ratios = [Fraction(int(rng.integers(1, 9)), int(rng.integers(1, 5))) for _ in (2, 3)]
        sizes = [max(1, floor(s * r)) for s, r in zip(x.shape[2:], ratios)]
        if by_scale:
            ratios = [r if s * r >= 1 else Fraction(1) for s, r in zip(x.shape[2:], ratios)]
            sizes = [floor(s * r) for s, r in zip(x.shape[2:], ratios)]
        else:
            ratios = [Fraction(s, o) for s, o in zip(sizes, x.shape[2:])]
        want = x.astype(np.float64)
        for axis, to, ratio in zip((2, 3), sizes, ratios):
            size = want.shape[axis]
            length, columns = size * ratio, []
            for o in range(to):
                at = {"asymmetric": o / ratio, "align_corners": Fraction(o * (size - 1)) / (length - 1) if length != 1 else Fraction(0),
                      "half_pixel_symmetric": Fraction(size, 2) * (1 - to / length) + (o + Fraction(1, 2)) / ratio - Fraction(1, 2)}.get(
                          places, Fraction(-1, 2) if places == "pytorch_half_pixel" and length == 1 else (o + Fraction(1, 2)) / ratio - Fraction(1, 2))
                if mode == "nearest":
                    taps = {roundings[rounding](at): 1}
                else:
                    near = lambda s: s if mode == "linear" else ((a + 2) * s - (a + 3)) * s * s + 1 if s <= 1 else ((a * s - 5 * a) * s + 8 * a) * s - 4 * a
                    reach = range(0, 2) if mode == "linear" else range(-1, 3)
                    taps = {floor(at) + k: (1 - abs(float(at - floor(at) - k)) if mode == "linear" else near(abs(float(at - floor(at) - k)))) for k in reach}
                    if exclude:
                        taps = {k: w for k, w in taps.items() if 0 <= k < size}
                        taps = {k: w / sum(taps.values()) for k, w in taps.items()} if sum(taps.values()) else None
                columns.append(sum(w * want.take(min(max(k, 0), size - 1), axis) for k, w in taps.items()) if taps else np.full_like(want.take(0, axis), np.nan))
            want = np.stack(columns, axis)
        attributes = dict(coordinate_transformation_mode=places, mode=mode, axes=[2, 3], cubic_coeff_a=a, exclude_outside=exclude)
        if mode == "nearest":
            attributes.update(nearest_mode=rounding, exclude_outside=0)
        inputs = [x, None, np.array([float(r) for r in ratios], np.float32)] if by_scale else [x, None, None, np.array(sizes)]
        yield f"resize {mode} {places} {x.shape} to {sizes}", "Resize", attributes, inputs, (len(inputs) - 1,), [want.astype(np.float32)]


def build(operator, attributes, inputs, constants, outputs, mode):
    names, results = ["" if x is None else f"x{n}" for n, x in enumerate(inputs)], [f"y{n}" for n in range(outputs)]
    inputs = dict((n, x) for n, x in enumerate(inputs) if x is not None)
    value = lambda n, x, dims: helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), dims)
    fixed = inputs if mode == "constant" else constants
    dims = lambda n, x: [f"{names[n]}_{d}" if mode == "dynamic" and not (operator == "ScatterND" and n == 1 and d == x.ndim - 1) else s for d, s in enumerate(x.shape)]
    graph = helper.make_graph([helper.make_node(operator, names, results, **attributes)], "g",
                              [value(names[n], x, dims(n, x)) for n, x in inputs.items() if n not in fixed],
                              [onnx.ValueInfoProto(name=r) for r in results], [numpy_helper.from_array(inputs[n], names[n]) for n in fixed])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 26)]), {names[n]: bits(x) for n, x in inputs.items() if n not in fixed}


def run(operator, attributes, inputs, constants, outputs, mode):
    model, given = build(operator, attributes, inputs, constants, outputs, mode)
    code, message = runner.run(model, given)
    return code, message, dict(np.load(runner.result)) if code == 0 else {}


runner = node_cases.Runner(args.runner)
count = failures = 0
first, parts = map(int, args.part.split("/"))


def fail(text):
    global failures
    failures += 1
    print(text, flush=True)


with np.errstate(all="ignore"):
    for number, (name, operator, attributes, inputs, constants, want) in enumerate(cases()):
        if args.only not in name or number % parts != first:
            continue
        for mode in MODES:
            code, message, got = run(operator, attributes, inputs, constants, len(want), mode)
            count += 1
            if code:
                fail(f"{mode} {name}: exit code {code}: {message}")
                continue
            for n, x in enumerate(want):
                y = got[f"y{n}"]
                same = y.shape == x.shape and y.dtype == bits(x).dtype
                y = y.view(x.dtype) if same else y
                close = lambda: np.allclose(y.astype(np.float64), x.astype(np.float64), rtol=SPACINGS.get(x.dtype, 1e-6), atol=1e-6, equal_nan=True)
                if not same or not (np.array_equal(x, y) or x.dtype in FLOATS and close()):
                    fail(f"{mode} {name}: y{n} is {y.dtype}{y.shape}, expected {x.dtype}{x.shape}" + (", and differs" if same else ""))
    x, u = np.zeros((3, 2), np.float32), np.ones((2, 2), np.float32)
    for bad in (3, -4, 2**40):
        for operator, i in (("ScatterElements", np.full((2, 2), bad)), ("ScatterND", np.full((2, 1), bad))):
            for mode in ("static", "dynamic"):
                code, message, _ = run(operator, {}, [x, i, u], (), 1, mode)
                count += 1
                if code == 0:
                    fail(f"{mode} {operator}: index {bad} of a dim of 3 is not refused")
print(count, "cases,", failures, f"failed, seed {args.seed}")
sys.exit(1 if failures or count == 0 else 0)
