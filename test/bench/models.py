"""Model folders for benchmarks: weights made complete, inputs, expected outputs, operations counted."""
import math, os, shutil, string, sys
import numpy as np
import onnx

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test", "models"))
import fill, minilm  # noqa: E402


def external_files(model):
    """Names of the files that hold the model's large tensors."""
    graphs, files = [model.graph], set()
    while graphs:
        graph = graphs.pop()
        for tensor in graph.initializer:
            files |= {e.value for e in tensor.external_data if e.key == "location"}
        for node in graph.node:
            for a in node.attribute:
                files |= {e.value for e in a.t.external_data if e.key == "location"}
                graphs += [a.g] if a.HasField("g") else []
                graphs += a.graphs
    return files


class Model:
    """The model of a folder. Where weights are missing but known (weights.json, or the package of minilm), `path` is a copy in `work`."""

    def __init__(self, folder, work, dims=None):
        self.folder, self.name = folder, os.path.basename(os.path.normpath(folder))
        self.path = os.path.join(folder, "model.onnx")
        if not os.path.exists(self.path):
            sys.exit(f"{self.path}: no such file; a model folder holds model.onnx, its weights, and if you like inputs.npz and expected.npz")
        self.onnx = onnx.load(self.path, load_external_data=False)
        missing = sorted(f for f in external_files(self.onnx) if not os.path.exists(os.path.join(folder, f)))
        recipe = os.path.exists(os.path.join(folder, "weights.json"))
        if missing:
            copy = os.path.join(work, self.name)
            os.makedirs(copy)
            shutil.copy(self.path, copy)
            if missing == ["weights.bin"] and recipe:
                shutil.copy(os.path.join(folder, "weights.json"), copy)
                fill.fill(copy)
            elif missing == ["model.safetensors"] and self.name.startswith("minilm"):
                shutil.copy(minilm.safetensors(), os.path.join(copy, "model.safetensors"))
            else:
                sys.exit(f"{folder}: the model's weights are missing: {', '.join(missing)}")
            self.path = os.path.join(copy, "model.onnx")
        stored = os.path.join(folder, "inputs.npz")
        if recipe:
            self.inputs = fill.inputs(folder)
        elif os.path.exists(stored):
            with np.load(stored) as z:
                self.inputs = {k: z[k] for k in z.files}
        else:
            self.inputs = self.random_inputs(dims or {})
        stored = os.path.join(folder, "expected.npz")
        self.expected = None
        if os.path.exists(stored):
            with np.load(stored) as z:
                self.expected = {k: z[k] for k in z.files}

    def random_inputs(self, dims):
        """Floats normal, everything else 0 or 1, as fovea-run --random makes them."""
        rng, result, constants = np.random.default_rng(1), {}, {i.name for i in self.onnx.graph.initializer}
        for i in self.onnx.graph.input:
            if i.name in constants:
                continue
            kind = i.type.tensor_type
            shape = [d.dim_value if d.HasField("dim_value") else dims.get(d.dim_param, 1) for d in kind.shape.dim]
            dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
            result[i.name] = (rng.standard_normal(shape) if np.dtype(dtype).kind == "f" else rng.integers(0, 2, shape)).astype(dtype)
        return result

    def differences(self, outputs, rtol=1e-3, atol=1e-4):
        """One line for each output that is wrong. Large ones are stored as every k-th element, NAME.sample, with k first in NAME.summary."""
        lines = []
        for key, want in self.expected.items():
            if key.endswith(".summary"):
                continue
            name = key.removesuffix(".sample")
            if name not in outputs:
                lines.append(f"{name} is missing")
                continue
            got = outputs[name]
            if key.endswith(".sample"):
                got = got.reshape(-1)[::int(self.expected[name + ".summary"][0])]
            if got.shape != want.shape:
                lines.append(f"{name}: shape {list(got.shape)}, expected {list(want.shape)}")
            elif not np.allclose(got, want, rtol=rtol, atol=atol, equal_nan=True):
                with np.errstate(invalid="ignore"):
                    lines.append(f"{name}: largest difference {np.nanmax(np.abs(got.astype(np.float64) - want)):.3g}")
        return lines

    def node_flops(self):
        """([(node, its operations)], why they could not be counted or None) for the nodes that are products. A multiply-add is two."""
        model = onnx.ModelProto()
        model.CopyFrom(self.onnx)
        for i in model.graph.input:
            if i.name in self.inputs:
                i.type.tensor_type.shape.CopyFrom(onnx.helper.make_tensor_type_proto(1, self.inputs[i.name].shape).tensor_type.shape)
        try:
            model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        except Exception as error:
            return [], f"shape inference: {error}"
        shapes = {t.name: list(t.dims) for t in model.graph.initializer}
        for value in [*model.graph.input, *model.graph.value_info, *model.graph.output]:
            if value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape"):
                dims = value.type.tensor_type.shape.dim
                if all(d.HasField("dim_value") for d in dims):
                    shapes[value.name] = [d.dim_value for d in dims]
        result = []
        for node in model.graph.node:
            if node.op_type in NOT_COUNTED:
                return [], f"a {node.op_type} is not counted"
            try:
                if node.op_type in COUNTED:
                    result.append((node, node_flops(node, [shapes[n] if n else None for n in node.input], [shapes[n] for n in node.output if n])))
            except KeyError as name:
                return [], f"{node.op_type} '{node.name}': the shape of {name} is not known"
        return result, None

    def flops(self):
        """(operations of the products of one run or None, why they could not be counted or None)"""
        nodes, problem = self.node_flops()
        return None if problem else sum(n for _, n in nodes), problem


NOT_COUNTED = ("Loop", "Scan", "If", "LSTM", "GRU", "RNN", "LinearAttention", "FlexAttention", "MatMulInteger", "QLinearMatMul", "QLinearConv")
COUNTED = ("MatMul", "Gemm", "Conv", "ConvTranspose", "Einsum", "Attention")


def node_flops(node, inputs, outputs):
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type == "MatMul":
        return 2 * math.prod(outputs[0]) * inputs[0][-1]
    if node.op_type == "Gemm":
        return 2 * math.prod(outputs[0]) * inputs[0][0 if attributes.get("transA") else 1]
    if node.op_type == "Conv":
        return 2 * math.prod(outputs[0]) * math.prod(inputs[1][1:])
    if node.op_type == "ConvTranspose":
        return 2 * math.prod(inputs[0]) * math.prod(inputs[1][1:])
    if node.op_type == "Einsum":
        terms = attributes["equation"].decode().replace(" ", "").split("->")[0].split(",")
        letters = {}
        for term, shape in zip(terms, inputs):
            letters.update(zip(expanded(term, len(shape)), shape))
        return 2 * math.prod(letters.values()) if len(terms) > 1 else 0
    # Attention: as if every query saw every key, masks and causality not subtracted.
    q, k, v = inputs[0], inputs[1], inputs[2]
    if len(q) == 3:
        heads, kv = attributes["q_num_heads"], attributes["kv_num_heads"]
        q, k, v = [q[0], heads, q[1], q[2] // heads], [k[0], kv, k[1], k[2] // kv], [v[0], kv, v[1], v[2] // kv]
    keys = k[2] + (inputs[4][2] if len(inputs) > 4 and inputs[4] else 0)
    return 2 * math.prod(q[:3]) * keys * (q[3] + v[3])


def expanded(term, rank):
    """An Einsum term with the dims of its ellipsis as capital letters, aligned at the right."""
    if "..." not in term:
        return term
    count = rank - len(term) + 3
    return term.replace("...", string.ascii_uppercase[26 - count:])
