"""Attention is recognised however an exporter wrote it: a model's graph is rewritten by seeded equivalences, compiled to kernels, and must give the
same number of attentions as the graph as it came, with no softmax left over.

    rewrites.py MODEL_DIR --bin DIR --work DIR [--seed N] [--count N]

No weights are needed: the external data is a sparse file of the right size. Each rewrite prints its seed; `--seed N --count 1` repeats it.
Checked besides, on the graph as it came: at most five kernels an attention and its block, none inside of a block that only moves data, and
no tensor between kernels with an element for each query, key and head.
"""
import argparse, os, random, re, subprocess, sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Kernels in a block, between one attention and the next; the llama models have rotary embedding and a gated MLP besides.
BLOCK_KERNELS = [("llama", 9), ("", 5)]


class Graph:
    """The nodes, values and small constants of a model, and the equivalences."""

    def __init__(self, model, rng):
        self.model, self.rng, self.graph, self.fresh = model, rng, model.graph, 0
        inferred = onnx.shape_inference.infer_shapes(model).graph
        self.types = {v.name: v.type.tensor_type for v in list(inferred.value_info) + list(inferred.input) + list(inferred.output)}
        self.constants = {i.name: i for i in self.graph.initializer}
        for n in self.graph.node:
            if n.op_type == "Constant" and n.attribute[0].name == "value":
                self.constants[n.output[0]] = n.attribute[0].t

    def name(self):
        self.fresh += 1
        return f"rewritten_{self.fresh}"

    def shape(self, value):
        """Sizes, None where they are symbolic; nothing if the rank is not known."""
        if value in self.constants:
            return list(self.constants[value].dims)
        t = self.types.get(value)
        if t is None or not t.HasField("shape"):
            return None
        return [d.dim_value if d.HasField("dim_value") else None for d in t.shape.dim]

    def scalar(self, value):
        """A float constant of one element."""
        t = self.constants.get(value)
        if t is None or t.data_type != TensorProto.FLOAT or t.data_location == TensorProto.EXTERNAL or int(np.prod(t.dims)) != 1:
            return None
        return numpy_helper.to_array(t)

    def constant(self, array, before):
        name = self.name()
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        self.constants[name] = self.graph.initializer[-1]
        return name

    def is_float(self, value):
        t = self.types.get(value)
        return t is not None and t.elem_type == TensorProto.FLOAT

    # Each takes a node and returns the nodes in its place, or nothing where it does not apply.
    def commute(self, node):
        if node.op_type in ("Add", "Mul") and len(node.input) == 2:
            node.input[0], node.input[1] = node.input[1], node.input[0]
            return [node]

    def identity(self, node):
        if node.op_type in ("Constant", "If", "Loop", "Scan") or not node.input or not node.input[0] or node.input[0] in self.constants:
            return None
        n = helper.make_node("Identity", [node.input[0]], [self.name()])
        node.input[0] = n.output[0]
        return [n, node]

    def split_factor(self, node):
        if node.op_type not in ("Mul", "Div") or (node.op_type == "Div" and self.scalar(node.input[1]) is None):
            return None
        for i in (0, 1):
            c = self.scalar(node.input[i])
            if c is None or not np.isfinite(c).all() or not self.is_float(node.output[0]) or i == 0 and node.op_type == "Div":
                continue
            factor = np.float32(2.0 ** self.rng.choice([-2, -1, 1, 2]))  # exact
            first = helper.make_node(node.op_type, [node.input[1 - i], self.constant(c * factor, node)], [self.name()])
            second = helper.make_node(node.op_type, [first.output[0], self.constant(np.full_like(c, 1 / factor), node)], list(node.output))
            return [first, second]

    def reciprocal(self, node):
        c = self.scalar(node.input[1]) if node.op_type == "Div" else None
        if c is not None and (c != 0).all() and np.isfinite(1 / c).all():
            return [helper.make_node("Mul", [node.input[0], self.constant((1 / c).astype(np.float32), node)], list(node.output))]

    def divide(self, node):
        if node.op_type == "Mul":
            for i in (0, 1):
                c = self.scalar(node.input[i])
                if c is not None and (c != 0).all() and np.isfinite(1 / c).all():
                    return [helper.make_node("Div", [node.input[1 - i], self.constant((1 / c).astype(np.float32), node)], list(node.output))]

    def reshape_twice(self, node):
        if node.op_type == "Reshape" and not any(a.name == "allowzero" and a.i for a in node.attribute):
            flat = helper.make_node("Reshape", [node.input[0], self.constant(np.array([-1], np.int64), node)], [self.name()])
            target = self.constants.get(node.input[1])
            shape = self.shape(node.input[0])
            # 0 in a target means the size of the source's dim, which the flat tensor does not have.
            if shape and target is not None and target.data_location != TensorProto.EXTERNAL and 0 not in numpy_helper.to_array(target):
                node.input[0] = flat.output[0]
                return [flat, node]

    def split_transpose(self, node):
        if node.op_type != "Transpose" or not node.attribute:
            return None
        permutation = list(node.attribute[0].ints)
        first = list(range(len(permutation)))
        self.rng.shuffle(first)
        second = [first.index(p) for p in permutation]
        middle = self.name()
        return [helper.make_node("Transpose", [node.input[0]], [middle], perm=first),
                helper.make_node("Transpose", [middle], list(node.output), perm=second)]

    def unsqueeze(self, node):
        if node.op_type not in ("Add", "Mul", "MatMul", "Softmax", "Tanh", "Erf", "Relu", "Transpose", "LayerNormalization"):
            return None
        shape = self.shape(node.input[0])
        if not shape or node.input[0] in self.constants:
            return None
        axis = self.constant(np.array([self.rng.randrange(len(shape) + 1)], np.int64), node)
        wide, narrow = self.name(), self.name()
        nodes = [helper.make_node("Unsqueeze", [node.input[0], axis], [wide]), helper.make_node("Squeeze", [wide, axis], [narrow])]
        node.input[0] = narrow
        return nodes + [node]

    def rename(self):
        """Every inner value and node gets another name."""
        keep = {v.name for v in list(self.graph.input) + list(self.graph.output)} | {i.name for i in self.graph.initializer}
        names = {o: f"v{self.rng.randrange(10 ** 9)}_{k}" for k, o in enumerate({o for n in self.graph.node for o in n.output}) if o and o not in keep}
        for k, n in enumerate(self.graph.node):
            n.name = f"n{k}"
            for names_of in (n.input, n.output):
                for i, v in enumerate(names_of):
                    names_of[i] = names.get(v, v)

    def reorder(self):
        """Another order in which each node still comes behind what it reads."""
        nodes, done, order = list(self.graph.node), {v.name for v in self.graph.input} | {i.name for i in self.graph.initializer} | {""}, []
        readers, missing = {}, []
        produced = {o for n in nodes for o in n.output}
        for k, n in enumerate(nodes):
            needs = {v for v in n.input if v in produced}
            missing.append(len(needs))
            for v in needs:
                readers.setdefault(v, []).append(k)
        ready = [k for k, m in enumerate(missing) if m == 0]
        while ready:
            k = ready.pop(self.rng.randrange(len(ready)))
            order.append(nodes[k])
            for v in nodes[k].output:
                for r in readers.get(v, []):
                    missing[r] -= 1
                    if missing[r] == 0:
                        ready.append(r)
        assert len(order) == len(nodes)
        del self.graph.node[:]
        self.graph.node.extend(order)

    def rewrite(self):
        rules = [self.commute, self.identity, self.split_factor, self.reciprocal, self.divide, self.reshape_twice, self.split_transpose, self.unsqueeze]
        rules = self.rng.sample(rules, self.rng.randint(2, len(rules)))
        share = self.rng.choice([0.05, 0.2, 0.6])
        applied, result = {}, []
        for node in self.graph.node:
            rule = self.rng.choice(rules)
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            nodes = rule(copy) if self.rng.random() < share and not any(a.HasField("g") for a in node.attribute) else None
            if nodes:
                applied[rule.__name__] = applied.get(rule.__name__, 0) + 1
            result.extend(nodes or [node])
        result = [onnx.NodeProto.FromString(n.SerializeToString()) for n in result]
        del self.graph.node[:]
        self.graph.node.extend(result)
        del self.graph.value_info[:]
        if not any(a.HasField("g") for n in self.graph.node for a in n.attribute):
            if self.rng.random() < 0.5:
                self.rename()
            if self.rng.random() < 0.5:
                self.reorder()
        return applied


def sparse_data(source, model, work):
    """External data of the right size without a byte in it."""
    ends = {}
    for i in list(model.graph.initializer) + [a.t for n in model.graph.node for a in n.attribute if a.HasField("t")]:
        if i.data_location == TensorProto.EXTERNAL:
            e = {x.key: x.value for x in i.external_data}
            end = int(e.get("offset", 0)) + int(e.get("length", 0) or np.prod(i.dims) * helper.tensor_dtype_to_np_dtype(i.data_type).itemsize)
            ends[e["location"]] = max(ends.get(e["location"], 0), end)
    for name, size in ends.items():
        with open(os.path.join(work, name), "wb") as f:
            f.truncate(size)


def compile_graph(a, model):
    path = os.path.join(a.work, "model.onnx")
    onnx.save(model, path)
    done = subprocess.run([os.path.join(a.bin, "fovea-compile"), path, "--compile-to=fuse", "--explain"], capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr
    return done.stdout, ""


def kernels(ir):
    """The text of each kernel, in order."""
    return [k for k in re.split(r"(?=exec\.kernel )", ir)[1:]]


def count(ir):
    return [k.count("attn.attention") for k in kernels(ir) if "attn.attention" in k], ir.count("attn.softmax")


def sizes(tensor):
    return tensor.split("x")[:-1]


def check_kernels(name, ir):
    """What a graph as it came has to give."""
    every, problems = kernels(ir), []
    places = [n for n, k in enumerate(every) if "attn.attention" in k]
    limit = next(l for prefix, l in BLOCK_KERNELS if name.startswith(prefix))
    for a, b in zip(places, places[1:]):
        if b - a > limit:
            problems.append(f"{b - a} kernels between two attentions, expected at most {limit}")
    for k in every[places[0]:places[-1]] if places else []:
        body = k[:k.index("exec.yield")]
        if not re.search(r"attn\.|arith\.(add|mul|sub|div|max|min)f|math\.|data\.", body):
            problems.append("a kernel inside of a block that only moves data:\n" + body[:600])
    for k in every:
        if "attn.attention" not in k:
            continue
        q, key = re.search(r"attn\.attention ins\([^:]*: tensor<([^>]*)>, tensor<([^>]*)>", k).groups()
        heads, m, n = sizes(q)[1], sizes(q)[2], sizes(key)[2]
        operands = re.findall(r"\^bb0\((.*)\):", k)[0]
        for t in re.findall(r"tensor<([^>]*)>", operands):
            if sizes(t)[-2:] == [m, n] and len(sizes(t)) >= 3 and sizes(t)[-3] == heads and m != "1" and sizes(t) != sizes(q):
                problems.append(f"attention over {m} x {n} reads a tensor<{t}>")
    for t in re.findall(r"tensor<([^>]*)>", " ".join(re.findall(r"outs\(([^)]*)\) shapes", ir))):
        for k in every:
            found = re.search(r"attn\.attention ins\([^:]*: tensor<([^>]*)>, tensor<([^>]*)>", k)
            if found:
                q, key = sizes(found.group(1)), sizes(found.group(2))
                s = sizes(t)
                if len(s) == 4 and s[1] == q[1] and s[2:] == [q[2], key[2]] and q[3] != key[2]:
                    problems.append(f"a tensor<{t}> between kernels: an element for each query, key and head")
                break
    return sorted(set(problems))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--bin", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    a = parser.parse_args()
    os.makedirs(a.work, exist_ok=True)
    failures = 0
    name = os.path.basename(os.path.normpath(a.model))
    model = onnx.load(os.path.join(a.model, "model.onnx"), load_external_data=False)
    sparse_data(a.model, model, a.work)
    ir, error = compile_graph(a, model)
    if ir is None:
        sys.exit(f"the graph as it came: {error}")
    expected = count(ir)
    print(f"{name}: {len(expected[0])} attentions, {len(kernels(ir))} kernels")
    if not expected[0] or expected[1]:
        sys.exit(f"expected attentions and no softmax, got {expected}")
    for problem in check_kernels(name, ir):
        failures += 1
        print("kernels:", problem)
    for seed in range(a.seed, a.seed + a.count):
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        applied = Graph(copy, random.Random(seed)).rewrite()
        ir, error = compile_graph(a, copy)
        if ir is None or count(ir) != expected:
            failures += 1
            reasons = sorted({line for line in (ir or "").splitlines() if line.startswith("missed:") and "attention" in line})
            got = error.strip() if ir is None else f"{len(count(ir)[0])} attentions and {count(ir)[1]} softmax"
            print(f"seed {seed} {applied}: {got}\n  " + "\n  ".join(reasons[:3]))
    print(f"{a.count} rewrites, {failures} failures")
    sys.exit(1 if failures else 0)


main()
