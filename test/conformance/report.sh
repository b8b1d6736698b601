#!/usr/bin/env bash
# The report on ONNX's backend node tests: what passes, what is left out and why.   test/conformance/report.sh [BUILD_FOLDER]
# Through the importer and the reference evaluator, compiled and run on the CPU and on Vulkan, and the attentions that are found again.
set -euo pipefail
cd "$(dirname "$0")"
drivers="$(cd ../.. && pwd)/build/drivers"
if [ -z "${VK_DRIVER_FILES-}" ] && [ -f "$drivers/lavapipe.json" ]; then
  export VK_DRIVER_FILES="$drivers/lavapipe.json"
fi
bin="${1:-../../build/release}/bin"
python="${FOVEA_PYTHON:-../../build/venv/bin/python}"
failed=0
echo "== imported and evaluated by the reference"
"$python" node-cases.py --table -- "$bin/onnx-evaluate" --batch || failed=1
echo "== compiled and run on the CPU"
"$python" node-cases.py --table -- "$bin/node-runner" || failed=1
echo "== compiled and run on Vulkan: $("$bin/fovea-run" --list-devices | grep '^vulkan' | head -n 1)"
"$python" node-cases.py --mode static,dynamic --table -- "$bin/node-runner" --device=vulkan || failed=1
echo "== raised"
"$python" node-cases.py --raised-at-least 90 -- "$bin/node-runner" raise || failed=1
exit $failed
