"""Vulkan drivers without a GPU times validation: cases of every operator family and kernel, in one table.

    matrix.py --bin DIR --drivers DIR --layer DIR --work DIR [--driver NAME,...] [--mode NAME,...]

Each cell runs all cases (node tests of ONNX by name, programs.py) on one driver: plain, under the validation layer, which may say nothing at all, or
with the limits of the minimum profile.
A case is left out only where the runtime says which feature the driver lacks.
"""
import argparse
import collections
import importlib
import os
import re
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conformance"))
node_cases = importlib.import_module("node-cases")
from cases import collect
from drivers import DRIVERS, MODES, MinimumProfile, Validation, manifest
from programs import PORTABLE, PROGRAMS

# Node tests by the form they are run in.
STATIC = """add add_int8 abs where_long_example cast_FLOAT_to_FLOAT16 cast_FLOAT_to_BFLOAT16 cast_FLOAT_to_DOUBLE and_bcast3v1d bitshift_right_uint8
    mod_mixed_sign_int64 pow gelu_tanh_1 erf softmax_axis_1 softmax_large_number logsoftmax_axis_1 layer_normalization_4d_axis1
    rms_normalization_4d_axis1 reduce_sum_keepdims_random argmax_keepdims_random cumsum_2d_axis_1 cumprod_1d matmul_2d matmul_4d
    gemm_all_attributes einsum_batch_matmul basic_conv_with_padding maxpool_2d_pads gather_2d_indices gather_elements_1 gathernd_example_int32
    scatter_elements_with_axis scatter_elements_with_reduction_max scatternd_add top_k top_k_smallest top_k_same_values_2d onehot_with_axis
    transpose_all_permutations_1 concat_2d_axis_1 edge_pad triu reversesequence_time rotary_embedding attention_4d attention_4d_fp16
    attention_4d_causal_bf16 attention_4d_gqa_attn_mask attention_4d_with_qk_matmul_softmax attention_local_window
    attention_4d_with_past_and_present flexattention_score_mod linear_attention_gated_delta causal_conv_with_state_with_past_state
    tensorscatter_circular resize_downsample_sizes_cubic"""
DYNAMIC = """sub_bcast softmax_axis_1 layer_normalization_4d_axis1 matmul_3d cumsum_2d_axis_1 attention_4d_causal attention_4d_gqa_causal_nonpad_decode
    attention_3d_gqa_softcap attention_local_window linear_attention_gated"""
MINIMUM = "minimum-profile"
LACKS = re.compile(r"exit code 2: .*kernel '[^']*' needs (.*), which '[^']*' does not offer")


def same(value, wanted):
    return np.allclose(value, wanted, rtol=1e-4, atol=1e-4, equal_nan=True) if wanted.dtype.kind == "f" else np.array_equal(value, wanted)


class Cell:
    """A driver in a mode."""

    def __init__(self, args, driver, mode, folder):
        self.counts, self.failures, self.skips = collections.Counter(), [], collections.Counter()
        self.validation = MinimumProfile(args.layer) if mode == MINIMUM else Validation(mode, args.drivers, folder)
        environment = {**os.environ, "VK_DRIVER_FILES": manifest(driver, args.drivers), **self.validation.environment()}
        tool = lambda name, *words: [os.path.join(args.bin, name), *words]
        wrong = self.validation.check_active(
            lambda: subprocess.run(tool("fovea-run", "--list-devices"), env=environment, capture_output=True, check=True))
        if wrong:
            self.failures.append(wrong)
        self.runner = node_cases.Runner(tool("node-runner", "--device=vulkan"), environment)
        self.portable = node_cases.Runner(tool("node-runner", "--device=vulkan", "--variant=portable"), environment)

    def count(self, name, wrong):
        """What became of one case; `wrong` is empty if it passed."""
        said = self.validation.messages()
        lacks = LACKS.match(wrong)
        if said:
            self.counts["messages"] += len(re.findall("^Validation ", said, re.MULTILINE)) or 1
            self.failures.append(f"{name}: the validation layer says {said[:600]!r}")
        if lacks:
            self.skips[f"needs {lacks[1]}"] += 1
        elif wrong:
            self.failures.append(f"{name}: {wrong[:400]}")
        self.counts["skipped" if lacks else "failed" if wrong else "passed"] += 1

    def run_case(self, case, mode):
        for inputs, outputs in case.data_sets:
            wrong = node_cases.attempt(self.runner, case, mode, inputs, outputs)
            if wrong:
                break
        self.count(f"{case.name}@{mode}", wrong)

    def run_program(self, name, path, inputs, wanted):
        runner = self.portable if name in PORTABLE else self.runner
        code, message = runner.run_file(path, inputs)
        if code:
            return self.count(name, f"exit code {code}: {message}")
        with np.load(runner.result) as z:
            wrong = [n for n, w in wanted.items() if z[n].shape != w.shape or not same(z[n], w)]
        self.count(name, f"values differ from the CPU's: {', '.join(wrong)}" if wrong else "")


def programs(args):
    """name -> file, inputs, results on the CPU."""
    runner, found = node_cases.Runner([os.path.join(args.bin, "node-runner")]), {}
    for n, (name, make) in enumerate({**PROGRAMS, **PORTABLE}.items()):
        model, inputs = make()
        path = os.path.join(args.work, f"program-{n}" + (".mlir" if isinstance(model, str) else ".onnx"))
        with open(path, "wb") as file:
            file.write(model.encode() if isinstance(model, str) else model)
        code, message = runner.run_file(path, inputs)
        if code:
            sys.exit(f"{name} on the CPU: exit code {code}: {message}")
        with np.load(runner.result) as z:
            found[name] = path, inputs, {k: z[k] for k in z.files}
    return found


def main():
    parser = argparse.ArgumentParser()
    for name in ("--bin", "--drivers", "--layer", "--work"):
        parser.add_argument(name, required=True, type=os.path.abspath)
    parser.add_argument("--driver", type=lambda text: text.split(","), default=list(DRIVERS))
    parser.add_argument("--mode", type=lambda text: text.split(","), default=[*MODES, MINIMUM])
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    known = {case.name: case for case in collect()}
    cases = [(known["test_" + name], mode) for mode, names in (("static", STATIC), ("dynamic", DYNAMIC)) for name in names.split()]
    of_cpu = programs(args)
    print(f"{len(cases) + len(of_cpu)} cases\n{'driver':14}{'mode':18}{'passed':>8}{'skipped':>9}{'failed':>8}{'messages':>10}{'seconds':>9}", flush=True)
    failures, skips = [], collections.Counter()
    for driver in args.driver:
        for mode in args.mode:
            start = time.monotonic()
            folder = os.path.join(args.work, f"{driver}-{mode}")
            os.makedirs(folder, exist_ok=True)
            cell = Cell(args, driver, mode, folder)
            for case, form in cases:
                cell.run_case(case, form)
            for name, program in of_cpu.items():
                cell.run_program(name, *program)
            c = cell.counts
            print(f"{driver:14}{mode:18}{c['passed']:8}{c['skipped']:9}{c['failed']:8}{c['messages']:10}{time.monotonic() - start:9.0f}", flush=True)
            failures += [f"{driver}, {mode}: {failure}" for failure in cell.failures]
            skips.update({(driver, why): n for why, n in cell.skips.items()})
    for (driver, why), n in sorted(skips.items()):
        print(f"left out on {driver}, {n} in all: {why}")
    for failure in failures:
        print(failure)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
