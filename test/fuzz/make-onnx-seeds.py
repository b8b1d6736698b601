"""Writes a corpus for fuzz-onnx: `make-onnx-seeds.py DIR` puts one small model for each operator there, and damaged ones."""
import os, random, sys, warnings
from onnx.backend.test.case.node import collect_testcases


def main(folder):
    warnings.simplefilter("ignore")
    os.makedirs(folder, exist_ok=True)
    seen = {}
    for case in collect_testcases(None):
        nodes = case.model.graph.node
        data = case.model.SerializeToString()
        if len(nodes) == 1 and len(data) < 4096:
            seen.setdefault(nodes[0].op_type, []).append(data)
    rng = random.Random(7)
    for name, models in sorted(seen.items()):
        for i, data in enumerate(models[:3]):
            with open(os.path.join(folder, f"{name}-{i}.onnx"), "wb") as f:
                f.write(data)
        damaged = bytearray(models[0])
        for _ in range(3):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        for suffix, data in (("damaged", bytes(damaged)), ("short", models[0][: len(models[0]) * 2 // 3])):
            with open(os.path.join(folder, f"{name}-{suffix}.onnx"), "wb") as f:
                f.write(data)


main(sys.argv[1])
