#!/usr/bin/env bash
# The report on ONNX's backend node tests: what passes, what is left out and why.   test/conformance/report.sh [BUILD_FOLDER]
# Through the importer and the reference evaluator, compiled and run on the CPU, and the attentions that are found again.
set -euo pipefail
cd "$(dirname "$0")"
bin="${1:-../../build/release}/bin"
python="${FOVEA_PYTHON:-../../build/venv/bin/python}"
failed=0
echo "== imported and evaluated by the reference"
"$python" node-cases.py --table -- "$bin/onnx-evaluate" --batch || failed=1
echo "== compiled and run on the CPU"
"$python" node-cases.py --table -- "$bin/node-runner" || failed=1
echo "== raised"
"$python" node-cases.py --raised-at-least 90 -- "$bin/node-runner" raise || failed=1
exit $failed
