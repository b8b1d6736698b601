#!/usr/bin/env bash
# The report: ONNX's backend node tests, through the importer and the reference evaluator, compiled and run on the CPU and on Vulkan, in one table; what is left
# out and why; the attentions that are found again; the cases of every kind of kernel on all Vulkan drivers under the validation layer.
#   test/conformance/report.sh [BUILD_FOLDER]
# A case that fails is listed, and the exit code is 1.
set -euo pipefail
cd "$(dirname "$0")"
drivers="$(cd ../.. && pwd)/build/drivers"
if [ -z "${VK_DRIVER_FILES-}" ] && [ -f "$drivers/lavapipe.json" ]; then
  export VK_DRIVER_FILES="$drivers/lavapipe.json"
fi
build="$(cd "${1:-../../build/release}" && pwd)"
bin="$build/bin"
python="${FOVEA_PYTHON:-../../build/venv/bin/python}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failed=0
cases() { # NAME NODE_CASES_OPTIONS... -- RUNNER...
  "$python" node-cases.py --reasons --counts "$work/$1.json" "${@:2}" >"$work/$1.txt" || failed=1
}
cases reference -- "$bin/onnx-evaluate" --batch
cases cpu -- "$bin/node-runner"
cases vulkan -- "$bin/node-runner" --device=vulkan
echo "Vulkan is $("$bin/fovea-run" --list-devices | grep '^vulkan' | head -n 1)"
"$python" table.py reference="$work/reference.json" CPU="$work/cpu.json" Vulkan="$work/vulkan.json"
for name in reference cpu vulkan; do
  echo "== $name"
  cat "$work/$name.txt"
done
echo "== raised"
"$python" node-cases.py --raised-at-least 90 -- "$bin/node-runner" raise || failed=1
echo "== Vulkan drivers"
"$python" ../target/vulkan/matrix.py --bin "$bin" --drivers "$drivers" --layer "$build/test/runtime/vulkan/layer" --work "$work/matrix" || failed=1
exit $failed
