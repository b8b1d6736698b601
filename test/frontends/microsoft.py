"""Operators of com.microsoft, as ONNX Runtime writes them into optimised models: each case run by ONNX Runtime, and here.

    microsoft.py BIN_FOLDER [--only SUBSTRING] [--verbose]

A case is run with static shapes and with symbolic ones, by the reference evaluator and compiled (one and two threads in turn). What ONNX
Runtime's CPU has no kernel for is compared with the same thing said by operators that it has. What is refused has to be refused by exit code 2
and a message that names it.
"""
import argparse
import collections
import itertools
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import microsoft_attention as attention
import microsoft_other as other

FAMILIES = [attention.attention_cases, attention.multi_head_cases, attention.decoder_cases, attention.group_query_cases, attention.packed_cases, other.rotary_cases, other.normalization_cases, other.embedding_cases, other.activation_cases, other.product_cases, other.gemm_cases]


class Here:
    """The compiler and the reference evaluator."""

    def __init__(self, tools):
        self.folder, self.threads = tempfile.mkdtemp(), 0
        start = lambda tool, option: subprocess.Popen([os.path.join(tools, tool), option], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reference = start("onnx-evaluate", "--batch")
        self.compiled = [start("node-runner", f"--threads={n}") for n in (1, 2)]

    def path(self, name):
        return os.path.join(self.folder, name)

    def batch(self, process):
        print(self.path("model.onnx"), self.path("in.npz"), self.path("out.npz"), sep="\t", file=process.stdin, flush=True)
        code, message = process.stdout.readline().rstrip("\n").split("\t", 1)
        return int(code), message

    def evaluate(self):
        return self.batch(self.reference)

    def compile_and_run(self):
        self.threads = (self.threads + 1) % 2
        return self.batch(self.compiled[self.threads])


def differences(case, expected, path):
    with np.load(path) as results:
        for n, (want, name) in enumerate(zip(expected, [o for o in case.outputs if o])):
            got, care = results[name], case.cares(n, want) if case.cares else True
            if got.shape != want.shape or got.dtype != want.dtype:
                return f"{name}: {got.dtype}{got.shape}, expected {want.dtype}{want.shape}"
            if not np.isclose(got, want, rtol=1e-3, atol=case.tolerance)[np.broadcast_to(care, want.shape)].all():
                return f"{name}: largest difference {np.abs(got - want)[np.broadcast_to(care, want.shape)].max()}"
    return ""


def check(case, here):
    """What is wrong; nothing if all is well."""
    if case.message is None:
        expected = case.reference()
    for symbolic in (False, True):
        onnx.save(case.model(symbolic), here.path("model.onnx"))
        np.savez(here.path("in.npz"), **case.feeds())
        kind = "symbolic" if symbolic else "static"
        if case.message is not None:
            code, message = here.compile_and_run()
            if code != 2 or case.message not in message:
                return f"{kind}: exit code {code}, expected 2 and {case.message}: {message}"
            continue
        for way in (here.evaluate, here.compile_and_run):
            code, message = way()
            wrong = f"exit code {code}: {message}" if code else differences(case, expected, here.path("out.npz"))
            if wrong:
                return f"{kind}, {way.__name__}: {wrong}"
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", help="the folder with node-runner and onnx-evaluate")
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    here, passed, total = Here(options.bin), collections.Counter(), collections.Counter()
    for case in itertools.chain.from_iterable(family() for family in FAMILIES):
        if options.only not in f"{case.op}: {case.what}":
            continue
        total[case.op] += 1
        wrong = check(case, here)
        passed[case.op] += not wrong
        if wrong or options.verbose:
            print(f"{case.op}: {case.what}: {wrong or 'passed'}", flush=True)
    for op in total:
        print(f"{op}: {passed[op]} of {total[op]}")
    return passed != total


if __name__ == "__main__":
    sys.exit(main())
