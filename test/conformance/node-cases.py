"""Runs ONNX's backend node tests and reports what passes.

    node-cases.py [--mode static,dynamic,constant] [--family NAME,-NAME] [--only SUBSTRING] [--part I/N] [--reasons] [--counts FILE] [--verbose] -- RUNNER...
    node-cases.py --raised-at-least N -- NODE_RUNNER raise

RUNNER is `onnx-evaluate --batch` (importer and reference evaluator) or `node-runner [--device=vulkan]` (compiled and run).
"static" takes the shapes as they are, "dynamic" makes every dim of every input symbolic, "constant" makes all inputs initializers.
Integer inputs that cannot be known while a model runs (axes, shapes) become initializers in the first two modes as well, if need be.
A case passes, or it is left out for a reason that skips.py gives; anything else fails, and so does a reason for cases that pass.
The second form counts the attentions written out as functions that the raise phase finds again.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx

from cases import MODES, array, bits, collect
import skips


class Runner:
    """A process that is given models one after the other."""

    def __init__(self, command, environment=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.folder = tempfile.TemporaryDirectory()
        self.model, self.given, self.result = (os.path.join(self.folder.name, n) for n in ("model.onnx", "inputs.npz", "result"))

    def run(self, model, inputs):
        """Exit code and message."""
        onnx.save(model, self.model)
        return self.run_file(self.model, inputs)

    def run_file(self, model, inputs):
        np.savez(self.given, **inputs)
        if os.path.exists(self.result):
            os.remove(self.result)
        print(model, self.given, self.result, sep="\t", file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the runner crashed")
        code, message = line.rstrip("\n").split("\t", 1)
        return int(code), message


def attempt(runner, case, mode, inputs, outputs):
    """What went wrong with one set of inputs; empty if nothing did."""
    graph = case.model.graph
    named = {v.name: array(x) for v, x in zip(graph.input, inputs)}
    scalars = {name for name in named if named[name].ndim == 0}
    integers = {name for name in list(named)[1:] if named[name].dtype in (np.int32, np.int64)}
    for fixed in [set(named)] if mode == "constant" else [set(), integers | scalars]:
        code, message = runner.run(case.variant(mode, named, fixed), {k: bits(v) for k, v in named.items() if k not in fixed})
        if code != 2 or not ("not constant" in message or "determines a shape" in message):
            break
    if code != 0:
        return f"exit code {code}: {message}"
    with np.load(runner.result) as z:
        return case.agree(outputs, [(v.name, z[v.name]) for v in graph.output])


def run(runner, case, mode):
    """passed, skipped or failed, and the reason. What is left out because of the operator must not be possible."""
    reason = case.skip(mode)
    if reason and not skips.is_tried(reason, mode):
        return "skipped", reason
    for inputs, outputs in case.data_sets:
        if wrong := attempt(runner, case, mode, inputs, outputs):
            return ("skipped", reason) if reason else ("failed", wrong)
    return ("failed", f"passes, but skips.py says: {reason}") if reason else ("passed", "")


def report(options, cases):
    runner = Runner(options.runner)
    counts = collections.defaultdict(lambda: {mode: collections.Counter() for mode in options.mode})
    reasons, failures = collections.Counter(), 0
    for case in cases:
        for mode in options.mode:
            status, why = run(runner, case, mode)
            counts[case.family][mode][status] += 1
            if status == "skipped":
                reasons[why, mode] += 1
            if status == "failed":
                failures += 1
                print("failed", mode, case.name, why)
            elif options.verbose:
                print(status, mode, case.name, why)
    if options.counts:
        with open(options.counts, "w") as file:
            json.dump(counts, file)
    if options.reasons:
        print("left out:" + "".join(f"{mode:>10}" for mode in options.mode))
        for reason in sorted({reason for reason, _ in reasons}):
            print(f"{'':9}" + "".join(f"{reasons[reason, mode]:10}" for mode in options.mode) + "  " + reason)
    for mode in options.mode:
        total = collections.Counter()
        for family in counts.values():
            total.update(family[mode])
        print(mode, dict(total), "of", sum(total.values()))
    return failures != 0


def report_raised(options, cases):
    """How many attentions are one operation after the raise phase, and what the others have instead."""
    runner = Runner(options.runner)
    raised, others = 0, []
    for case in cases:
        if case.family != "Attention" or not case.expanded:
            continue
        code, message = runner.run(case.variant("static", {}, set()), {})
        text = open(runner.result).read() if code == 0 else ""
        if "attn.attention" in text:
            raised += 1
        else:
            others.append(f"{case.name}: {message or 'no operation attn.attention'}")
    print(f"{raised} of {raised + len(others)} attentions written out become attn.attention")
    for line in others:
        print("  not", line)
    return raised < options.raised_at_least


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("runner", nargs="+")
    parser.add_argument("--mode", type=lambda text: text.split(","), default=list(MODES))
    parser.add_argument("--family", default="", help="only these families, or all but those with a minus")
    parser.add_argument("--only", default="", help="only cases with this in their name")
    parser.add_argument("--part", default="0/1", help="I/N: every Nth case from the Ith on")
    parser.add_argument("--reasons", action="store_true", help="why cases are left out, and how many")
    parser.add_argument("--counts", help="a file for what table.py reads")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--raised-at-least", type=int)
    options = parser.parse_args()
    families = options.family.split(",") if options.family else []
    wanted = [f for f in families if f[0] != "-"]
    cases = [c for c in collect() if options.only in c.name and "-" + c.family not in families and (not wanted or c.family in wanted)]
    if options.raised_at_least is not None:
        return report_raised(options, cases)
    part, parts = map(int, options.part.split("/"))
    return report(options, cases[part::parts])


if __name__ == "__main__":
    sys.exit(main())
