#!/usr/bin/env python3
"""The tools on Vulkan devices: what they say, exit codes, no loader, no driver, calls that fail.

Usage: tools.py BIN_FOLDER WRITE_ARTIFACTS LAYER_FOLDER RUNTIME_LIBRARY [MOST_BYTES_OF_THE_LIBRARY]
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BIN, WRITE_ARTIFACTS, LAYER, LIBRARY = map(os.path.abspath, sys.argv[1:5])
MOST_BYTES = int(sys.argv[5]) if len(sys.argv) > 5 else None
OK, INVALID, UNSUPPORTED, INTERNAL, ENVIRONMENT = range(5)
RUN = ["vulkan.fovea", "--random", "1", "--dim", "n=100", "--device=vulkan"]


class VulkanTools(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        subprocess.run([WRITE_ARTIFACTS, self.folder.name], check=True)

    def tool(self, status, name, *arguments, **environment):
        """Runs a tool in the folder; (stdout, stderr). An error is one line."""
        done = subprocess.run([f"{BIN}/{name}", *arguments], cwd=self.path, capture_output=True, text=True, timeout=300, env={**os.environ, **environment})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if status not in (OK, INVALID):
            self.assertRegex(done.stderr, rf"\A{name}: error: .*\n\Z")
        return done.stdout, done.stderr

    def layered(self, status, *arguments, **environment):
        """fovea-run under the layer: its stderr, and how many calls could fail. Nothing leaks."""
        report = self.path / "report"
        report.unlink(missing_ok=True)
        layer = {"VK_LAYER_PATH": LAYER, "VK_INSTANCE_LAYERS": "VK_LAYER_FOVEA_test", "FOVEA_LAYER_REPORT": str(report)}
        error = self.tool(status, "fovea-run", *arguments, **layer, **environment)[1]
        seen = re.fullmatch(r"calls=(\d+) recordings=\d+ leaks=0\n", report.read_text())
        self.assertTrue(seen, report.read_text())
        return error, int(seen[1])

    def test_same_as_cpu(self):
        self.tool(OK, "fovea-run", "vulkan.fovea", "--random", "1", "--dim", "n=100", "--outputs", "cpu.npz")
        self.tool(OK, "fovea-run", *RUN, "--expect", "cpu.npz")
        profile = self.tool(OK, "fovea-run", *RUN, "--profile")[0]
        self.assertIn("scale", profile)

    def test_no_driver(self):
        nowhere = {"VK_DRIVER_FILES": "/nonexistent", "VK_ICD_FILENAMES": "/nonexistent"}
        error = self.tool(ENVIRONMENT, "fovea-run", *RUN, **nowhere)[1]
        self.assertIn("vulkan: ", error)
        self.assertIn("cannot be used: vulkan", self.tool(OK, "fovea-run", "--list-devices", **nowhere)[0])
        self.tool(OK, "fovea-run", *RUN[:-1], **nowhere)

    def test_no_loader(self):
        """A file that is no library in the loader's place."""
        for name in ("libvulkan.so.1", "libvulkan.so"):
            (self.path / name).write_text("")
        nothing = {"LD_LIBRARY_PATH": self.folder.name}
        error = self.tool(ENVIRONMENT, "fovea-run", *RUN, **nothing)[1]
        self.assertIn("there is no loader (libvulkan.so.1) on this machine", error)
        self.assertIn("there is no loader", self.tool(OK, "fovea-run", "--list-devices", **nothing)[0])
        self.tool(OK, "fovea-run", *RUN[:-1], **nothing)

    def test_calls_that_fail(self):
        calls = self.layered(OK, *RUN)[1]
        for at in range(1, calls + 1, 3):
            for result, text in (("-2", "out of device memory"), ("-4", "the device is lost")):
                with self.subTest(at=at, result=result):
                    error, _ = self.layered(ENVIRONMENT, *RUN, FOVEA_LAYER_FAIL_AT=str(at), FOVEA_LAYER_FAIL_WITH=result)
                    self.assertIn(text, error)

    def test_pipeline_cache(self):
        self.tool(OK, "fovea-run", *RUN, "--pipeline-cache=pipelines")
        (self.path / "pipelines").write_text("broken")
        error = self.tool(OK, "fovea-run", *RUN, "--pipeline-cache=pipelines")[1]
        self.assertRegex(error, r"\Awarning: pipeline cache 'pipelines' is ignored: it is no pipeline cache\n\Z")

    def test_bench(self):
        out = self.tool(OK, "fovea-bench", "vulkan.fovea", "--random", "1", "--dim", "n=100", "--device=vulkan", "--seconds=0", "--warmup-seconds=0", "--json", "-")[0]
        self.assertEqual(json.loads(out)["device"], "vulkan")

    def test_inspect(self):
        out = self.tool(OK, "fovea-inspect", "vulkan.fovea")[0]
        self.assertIn("\nentry main for Vulkan, variant portable\n", out)
        self.assertRegex(out, r"\n2 shaders\n  scale  \d+ bytes of SPIR-V  4 bindings  workgroups of 64\n")
        model = json.loads(self.tool(OK, "fovea-inspect", "vulkan.fovea", "--json")[0])
        self.assertEqual([entry["target"] for entry in model["entries"]], ["cpu", "vulkan"])
        self.assertEqual([shader["name"] for shader in model["shaders"]], ["scale", "relu"])
        self.assertEqual(model["entries"][1]["dispatches"][1]["kernel"], "relu")
        self.assertEqual(model["shaders"][1]["offset"], model["shaders"][0]["bytes"])

    def test_variants(self):
        out = self.tool(OK, "fovea-inspect", "variants.fovea")[0]
        self.assertIn("\n2 variants for Vulkan, the first that a device can run is taken\n  cpu  needs a device of type cpu\n  portable  any device\n", out)
        run = ["variants.fovea", *RUN[1:]]
        layer = {"VK_LAYER_PATH": LAYER, "VK_INSTANCE_LAYERS": "VK_LAYER_FOVEA_test"}
        for device_type, variant in (("4", "cpu"), ("2", "portable")):
            self.tool(OK, "fovea-run", *run, "--profile=profile.json", **layer, FOVEA_LAYER_TYPE=device_type)
            self.assertEqual(json.loads((self.path / "profile.json").read_text())["variant"], variant)
        self.assertRegex(self.tool(OK, "fovea-run", *run, "--profile", **layer, FOVEA_LAYER_TYPE="2")[0], r"\ntotal .* us, variant portable\n")

    def test_library(self):
        """The loader is opened when a device is asked for; nothing is linked to it."""
        needed = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
        self.assertIn("NEEDED", needed)
        self.assertNotIn("vulkan", "".join(line for line in needed.splitlines() if "NEEDED" in line))
        if MOST_BYTES:
            self.assertLess(os.path.getsize(LIBRARY), MOST_BYTES)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
