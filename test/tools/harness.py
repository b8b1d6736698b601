"""What the tests of the tools share: arguments, models with weights, running a tool and checking its exit code."""
import argparse, os, shutil, subprocess, sys
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("--bin", "--models", "--work"):
        parser.add_argument(name, required=True)
    args = parser.parse_args()
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(args.work)
    sys.path.insert(0, args.models)
    return args


class Tools:
    def __init__(self, args):
        self.bin, self.work, self.models = args.bin, args.work, args.models

    def path(self, name):
        return os.path.join(self.work, name)

    def run(self, tool, *words, code=0, stdin=None, limits=None):
        """Runs a tool; its exit code has to be `code`, and an error is one line of the right form. `limits`: a function that limits the process."""
        command = [os.path.join(self.bin, tool), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.work, stdin=stdin, preexec_fn=limits)
        if done.returncode != code:
            sys.exit(f"{' '.join(command)}\nexpected exit code {code}, got {done.returncode}\n{done.stdout}{done.stderr}")
        if tool == "fovea-compile" and code:
            expect(all(line.startswith("fovea-compile: error: ") for line in done.stderr.splitlines()) and done.stderr, f"a message, got {done.stderr!r}")
        return done

    def compile(self, *words, code=0):
        return self.run("fovea-compile", *words, code=code)

    def model(self, name):
        """A copy of a model with its weights."""
        import fill
        target = self.path(name)
        shutil.copytree(os.path.join(self.models, name), target)
        fill.fill(target)
        return os.path.join(target, "model.onnx")

    def small(self, rows="rows"):
        """x -> softmax(x W + b), as small as a model can be; external weights beside it."""
        rng = np.random.default_rng(3)
        w, b = rng.standard_normal((64, 48), dtype=np.float32), rng.standard_normal(48, dtype=np.float32)
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["product"], name="project"),
             helper.make_node("Add", ["product", "b"], ["sum"], name="bias"),
             helper.make_node("Softmax", ["sum"], ["y"], name="probabilities", axis=-1)],
            "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, 64])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, 48])],
            [numpy_helper.from_array(w, "w"), numpy_helper.from_array(b, "b")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        path = self.path(f"small-{rows}.onnx")
        onnx.save(model, path, save_as_external_data=True, location=f"small-{rows}.bin", size_threshold=1024)
        return path


def expect(condition, what):
    if not condition:
        sys.exit(f"expected {what}")


def same(a, b):
    with open(a, "rb") as x, open(b, "rb") as y:
        return x.read() == y.read()
